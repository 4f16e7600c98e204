#include "crawler/sources/site_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void free_entry(struct gt_site_pending *entry)
{
    free(entry->key);
    free(entry->url);
    free(entry->title);
    free(entry->link);
    free(entry->author);
    free(entry->type);
    free(entry);
}

static void append(struct gt_site_source *self, struct gt_site_pending *entry)
{
    entry->next = NULL;
    *self->pending_end = entry;
    self->pending_end = &entry->next;
    self->pending_count++;
}

static void unlink_entry(struct gt_site_source *self, struct gt_site_pending *entry)
{
    struct gt_site_pending **at = &self->pending;
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    if (self->pending_end == &entry->next)
        self->pending_end = at;
    self->pending_count--;
}

struct gt_site_pending *gt_site_pending_add(struct gt_site_source *self, const char *key,
                                            const char *url, int fetch)
{
    struct gt_site_pending *entry = NULL;
    if (self->pending_count < GT_SITE_PENDING + GT_SITE_FILES)
        entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->key = strdup(key);
    entry->url = strdup(url);
    if (!entry->key || !entry->url) {
        free_entry(entry);
        return NULL;
    }
    entry->fetch = fetch;
    entry->serial = ++self->serial;
    append(self, entry);
    return entry;
}

void gt_site_pending_remove(struct gt_site_source *self, struct gt_site_pending *entry)
{
    unlink_entry(self, entry);
    free_entry(entry);
}

struct gt_site_pending *gt_site_pending_find(struct gt_site_source *self, uint64_t serial)
{
    struct gt_site_pending *entry = self->pending;
    while (entry && entry->serial != serial)
        entry = entry->next;
    return entry;
}

void gt_site_pending_clear(struct gt_site_source *self)
{
    while (self->pending)
        gt_site_pending_remove(self, self->pending);
}

static const struct gt_site_fetch *fetch_of(const struct gt_site_source *self,
                                            const struct gt_site_pending *entry)
{
    if (entry->fetch < 0)
        return NULL;
    return GT_LIST_ITEM(self->site->item.fetch, struct gt_site_fetch, entry->fetch);
}

int gt_site_pending_send(struct gt_site_source *self, struct gt_site_pending *entry,
                         const struct gt_source_output *out, struct gt_error *err)
{
    const struct gt_site_fetch *fetch = fetch_of(self, entry);
    struct gt_scope scope;
    char iso[GT_TIME_TEXT], cursor[64], tag[32];

    gt_site_scope(self, &scope, iso, cursor);
    scope.id = entry->key;
    snprintf(tag, sizeof tag, "item %" PRIu64, entry->serial);
    bool raw = !fetch || fetch->form == GT_FORM_RAW;
    int code = gt_site_request(self, out, entry->url, fetch ? &fetch->headers : NULL, &scope, raw,
                               false, tag, err);
    entry->sent = code >= 0;
    return code;
}

void gt_site_pending_send_all(struct gt_site_source *self, const struct gt_source_output *out)
{
    for (struct gt_site_pending *entry = self->pending; entry; entry = entry->next)
        if (!entry->sent && gt_site_pending_send(self, entry, out, NULL) < 0)
            return; /* as many as a poll may send; the others stay for the next */
}

void gt_site_pending_failed(struct gt_site_source *self, struct gt_site_pending *entry)
{
    if (++entry->attempts >= GT_SITE_ATTEMPTS) {
        gt_site_pending_remove(self, entry);
        self->gone++;
        return;
    }
    unlink_entry(self, entry);
    append(self, entry);
}

json_t *gt_site_pending_save(const struct gt_site_source *self)
{
    json_t *list = json_array();

    for (const struct gt_site_pending *entry = self->pending; entry && list; entry = entry->next) {
        json_t *row = json_pack(
            "{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:i, s:i}", "key", gt_json_text_c(entry->key),
            "url", gt_json_text_c(entry->url), "title", gt_json_text_c(entry->title), "link",
            gt_json_text_c(entry->link), "author", gt_json_text_c(entry->author), "type",
            gt_json_text_c(entry->type), "published", (json_int_t)entry->published_ms, "fetch",
            entry->fetch, "attempts", entry->attempts);
        if (!row || json_array_append_new(list, row) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static void load_text(char **ret, const json_t *row, const char *key)
{
    gt_site_replace(ret, gt_json_string(row, key, NULL));
}

/* A definition that changed may have fewer fetches: such an item cannot be read any more. */
void gt_site_pending_load(struct gt_site_source *self, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < GT_SITE_PENDING + GT_SITE_FILES; i++) {
        const json_t *row = json_array_get(list, i);
        int64_t fetch = gt_json_int(row, "fetch", -2);
        const char *url = gt_json_string(row, "url", "");
        if (fetch < -1 || fetch >= (int64_t)self->site->item.fetch.count || !*url)
            continue;
        struct gt_site_pending *entry =
            gt_site_pending_add(self, gt_json_string(row, "key", ""), url, (int)fetch);
        if (!entry)
            return;
        load_text(&entry->title, row, "title");
        load_text(&entry->link, row, "link");
        load_text(&entry->author, row, "author");
        load_text(&entry->type, row, "type");
        entry->published_ms = gt_json_int(row, "published", 0);
        int64_t attempts = gt_json_int(row, "attempts", 0);
        entry->attempts = attempts > 0 && attempts < GT_SITE_ATTEMPTS ? (int)attempts : 0;
    }
}
