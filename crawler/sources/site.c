/* A site, by its definition (site.h).
 *
 * One poll: the list is asked for, page by page; items not seen yet give documents, or requests for
 * their text. The cursor holds the value that {cursor} has, the hashes of items seen, and every
 * item whose text is still to be fetched. The value moves on only when a listing was read to its
 * end, so an interrupted one is repeated. */
#include "crawler/answer.h"
#include "crawler/sources/site_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 20000
#define SEEN_LEAST 1000
#define URL_MAX_LEN 8192
#define ITEMS_MAX 10000 /* looked at in one answer */
#define DEFINITION_MAX ((size_t)16 << 20)

static int check_base(const char *value, struct gt_error *err)
{
    if (gt_starts_with(value, "http://") || gt_starts_with(value, "https://"))
        return 0;
    return gt_fail(err, GT_E_INVALID, "is no web address; write http:// or https:// before it");
}

static int check_param(const char *value, struct gt_error *err)
{
    const char *mark = strchr(value, '=');
    if (mark && mark != value)
        return 0;
    return gt_fail(err, GT_E_INVALID, "is no param; write \"name=value\"");
}

static const struct gt_option option_table[] = {
    {"site", GT_OPTION_STRING, offsetof(struct gt_site_options, site), NULL,
     "name of the site's definition (`guette sites list`)", GT_OPTION_REQUIRED},
    {"token", GT_OPTION_SECRET, offsetof(struct gt_site_options, token), NULL,
     "access token, where the site wants one"},
    {"base", GT_OPTION_STRING, offsetof(struct gt_site_options, base), NULL,
     "address of a self-hosted instance, instead of the definition's", .check = check_base},
    {"params", GT_OPTION_STRING, offsetof(struct gt_site_options, params), NULL,
     "\"name=value\" rows for the definition's params", GT_OPTION_LIST, .check = check_param},
    {NULL, GT_OPTION_END},
};

const struct gt_kind gt_site_kind = {"site",
                                     "a paste site, code host or social network, by its definition",
                                     option_table, sizeof(struct gt_site_options)};

void gt_site_replace(char **text, const char *with)
{
    char *copy = with ? strdup(with) : NULL;
    free(*text);
    *text = copy;
}

/* --- cursors --- */

bool gt_site_cursor_greater(enum gt_cursor_order order, const char *a, const char *b)
{
    if (!a || !b)
        return a != NULL;
    if (order == GT_ORDER_TEXT) {
        size_t left = strlen(a), right = strlen(b);
        return left != right ? left > right : strcmp(a, b) > 0;
    }
    return strtoll(a, NULL, 10) > strtoll(b, NULL, 10);
}

char *gt_site_cursor_value(enum gt_cursor_order order, const char *text)
{
    char *value = NULL;
    int64_t time;

    if (order != GT_ORDER_TIME)
        return strlen(text) < 64 ? strdup(text) : NULL;
    time = gt_time_parse(text);
    if (time > 0 && asprintf(&value, "%" PRId64, time) < 0)
        value = NULL;
    return value;
}

/* Fills what templates see. Times are given in seconds and as ISO 8601, the overlap earlier. */
void gt_site_scope(const struct gt_site_source *self, struct gt_scope *ret, char iso[GT_TIME_TEXT],
                   char cursor[64])
{
    const struct gt_site_cursor *rule = &self->site->cursor;

    *ret = (struct gt_scope){.site = self->site, .options = self->options, .base = self->base};
    if (!self->cursor)
        return;
    snprintf(cursor, 64, "%s", self->cursor);
    if (rule->order == GT_ORDER_TIME) {
        int64_t from = (strtoll(self->cursor, NULL, 10) - rule->overlap_ms) / 1000 * 1000;
        snprintf(cursor, 64, "%" PRId64, from / 1000);
        ret->cursor_iso = gt_time_format(from, iso);
    }
    ret->cursor = cursor;
}

/* --- lists --- */

/* url NULL: the first page, or page self->pages. */
static int ask_list(struct gt_site_source *self, const char *url,
                    const struct gt_source_output *out, struct gt_error *err)
{
    const struct gt_site_list *list = &self->site->list;
    GT_BUFFER_AUTO struct gt_buffer made = GT_BUFFER(URL_MAX_LEN);
    struct gt_scope scope;
    char iso[GT_TIME_TEXT], cursor[64], page[24];

    gt_site_scope(self, &scope, iso, cursor);
    snprintf(page, sizeof page, "%" PRId64, self->pages + 1);
    scope.page = page;
    if (!url && !gt_template_url(&scope, list->url, &list->query, &made))
        return gt_fail(err, GT_E_INVALID,
                       "the address of the site's list has an empty part; give the source its "
                       "params or token");
    url = url ? url : made.data;
    bool first = self->pages == 0;
    if (first)
        gt_site_replace(&self->asked, url);
    bool validate = first && !self->behind && self->validated && strcmp(self->validated, url) == 0;
    self->page_new = 0;
    return gt_site_request(self, out, url, &list->headers, &scope, false, validate, "list", err);
}

static int site_plan(void *user, int64_t now_ms, const struct gt_source_output *out,
                     struct gt_error *err)
{
    struct gt_site_source *self = user;

    self->listed = self->complete = false;
    self->taken = self->page_new = 0;
    self->pages = self->troubles = 0;
    self->wait_ms = self->site->interval_ms;
    self->gap = false;
    gt_site_replace(&self->newest, self->cursor);
    gt_site_replace(&self->next_etag, NULL);
    gt_site_replace(&self->next_modified, NULL);
    gt_seen_begin(self->seen);
    for (struct gt_site_pending *entry = self->pending; entry; entry = entry->next)
        entry->sent = false;
    if (self->pending_count < GT_SITE_PENDING)
        return ask_list(self, NULL, out, err);
    self->listed =
        true; /* no room for new items: only the waiting ones, whose failures count then */
    gt_site_pending_send_all(self, out);
    return 0;
}

/* The URL of rel="next" in a Link header (RFC 8288). */
static bool next_link(const struct gt_http_response *response, char ret[URL_MAX_LEN])
{
    const char *at = gt_http_header(response, "link"), *close;

    for (; at && (at = strchr(at, '<')) && (close = strchr(at, '>')); at = close) {
        const char *end = close + strcspn(close, ",");
        const char *rel = memmem(close, (size_t)(end - close), "rel=", 4);
        size_t len = (size_t)(close - at) - 1;
        if (!rel || len >= URL_MAX_LEN)
            continue;
        rel += 4 + (rel[4] == '"');
        if (strncmp(rel, "next", 4) == 0 && (rel[4] == '"' || rel[4] == ' ' || rel + 4 == end)) {
            memcpy(ret, at + 1, len);
            ret[len] = '\0';
            return true;
        }
    }
    return false;
}

static void listing_is_complete(struct gt_site_source *self)
{
    self->complete = true;
    self->behind = false;
    gt_site_replace(&self->cursor, self->newest);
    gt_site_replace(&self->validated, self->asked);
    gt_site_replace(&self->etag, self->next_etag);
    gt_site_replace(&self->modified, self->next_modified);
}

static bool has_token(const struct gt_site_source *self)
{
    return self->options->token && *self->options->token;
}

/* After a page of which everything was taken: is there another one to ask for? */
static bool wants_more(struct gt_site_source *self)
{
    const struct gt_site_list *list = &self->site->list;
    bool by_cursor = list->paging == GT_PAGING_CURSOR;

    if (list->paging == GT_PAGING_NONE || (!self->page_new && (by_cursor || !self->behind)))
        return false;
    if (list->pages_need_token && !has_token(self))
        return false;
    if (self->pages < list->pages)
        return true;
    self->gap = !by_cursor && self->cursor;
    return false;
}

static int next_page(struct gt_site_source *self, const struct gt_http_response *response,
                     size_t items, const struct gt_source_output *out, struct gt_error *err)
{
    char url[URL_MAX_LEN];
    int paging = self->site->list.paging;

    if (paging == GT_PAGING_CURSOR)
        gt_site_replace(&self->cursor, self->newest); /* a page is complete in itself */
    bool more = wants_more(self);
    if (more && paging == GT_PAGING_LINK && next_link(response, url))
        return ask_list(self, url, out, err);
    if (more && items && paging != GT_PAGING_LINK)
        return ask_list(self, NULL, out, err);
    listing_is_complete(self);
    return 0;
}

struct listing {
    struct gt_site_work *work;
    size_t items;
};

static int list_item(void *user, const struct gt_record *record)
{
    struct listing *listing = user;
    listing->items++;
    return gt_site_take_item(listing->work, record);
}

static int read_list(struct gt_site_work *work, const struct gt_http_response *response)
{
    struct gt_site_source *self = work->self;
    const struct gt_site_list *list = &self->site->list;
    struct listing listing = {work, 0};
    struct gt_answer *answer = NULL;

    int code = gt_answer_parse((enum gt_answer_kind)list->form, response->body, response->body_len,
                               &answer, work->err);
    if (code < 0)
        return code;
    code =
        gt_records(gt_answer_root(answer), list->items, ITEMS_MAX, list_item, &listing, work->err);
    gt_answer_free(answer);
    if (code < 0)
        return code;
    if (listing.items > self->largest)
        self->largest = listing.items;
    gt_site_pending_send_all(self, work->out);
    if (code > 0) { /* full: the rest of this listing waits for a later poll */
        self->behind = true;
        return GT_PARSED;
    }
    bool new = self->page_new > 0;
    code = next_page(self, response, listing.items, work->out, work->err);
    if (code < 0)
        return code;
    return new ? GT_PARSED : GT_PARSE_UNCHANGED;
}

/* The next numbers up to the counter. */
static int read_counter(struct gt_site_work *work, const struct gt_http_response *response)
{
    struct gt_site_source *self = work->self;
    const struct gt_site_list *list = &self->site->list;
    char text[32], *end;

    snprintf(text, sizeof text, "%.*s", (int)(response->body_len < 31 ? response->body_len : 31),
             response->body ? response->body : "");
    int64_t top = strtoll(text, &end, 10);
    if (end == text || top < 0)
        return gt_fail(work->err, GT_E_INVALID, "the answer is no number");
    int64_t at = self->cursor ? strtoll(self->cursor, NULL, 10) : top - list->first;
    if (at < top - list->window) {
        at = top - list->window;
        self->gap = true;
    }
    gt_site_pending_send_all(self, work->out);
    int64_t from = at = at < 0 ? 0 : at;
    while (at < top && at - from < list->most && gt_site_take_number(work, at + 1) == 0)
        at++;
    snprintf(text, sizeof text, "%" PRId64, at);
    gt_site_replace(&self->newest, text);
    listing_is_complete(self);
    return at > from ? GT_PARSED : GT_PARSE_UNCHANGED;
}

static bool starts_right(const struct gt_site_list *list, const struct gt_http_response *response)
{
    struct gt_str body = gt_str_trim((struct gt_str){response->body, response->body_len});
    struct gt_str wanted = gt_str_of(list->must_start_with);
    return body.len >= wanted.len && gt_str_eq((struct gt_str){body.ptr, wanted.len}, wanted);
}

static void note_validators(struct gt_site_source *self, const struct gt_http_response *response)
{
    if (self->pages > 1)
        return;
    gt_site_replace(&self->next_etag, gt_http_header(response, "etag"));
    gt_site_replace(&self->next_modified, gt_http_header(response, "last-modified"));
}

static int parse_list(struct gt_site_work *work, const struct gt_http_response *response)
{
    struct gt_site_source *self = work->self;
    const struct gt_site_list *list = &self->site->list;
    int64_t asked = gt_answer_poll_interval(response);

    self->wait_ms = asked > self->wait_ms ? asked : self->wait_ms;
    int code = gt_answer_check(response, work->err);
    if (code == GT_PARSE_UNCHANGED) {
        self->listed = self->complete = true;
        gt_site_pending_send_all(self, work->out);
    }
    if (code)
        return code;
    if (gt_site_match_error(&list->errors, response->body ? response->body : "", response->body_len,
                            work->err))
        return GT_E_REFUSED;
    if (!starts_right(list, response))
        return gt_fail(work->err, GT_E_INVALID,
                       "the list does not begin with \"%s\"; the site refuses in words of its own, "
                       "or has changed",
                       list->must_start_with);
    self->listed = true;
    self->pages++;
    note_validators(self, response);
    return list->form == GT_FORM_COUNTER ? read_counter(work, response) : read_list(work, response);
}

static int site_parse(void *user, const char *tag, const struct gt_http_response *response,
                      int64_t now_ms, const struct gt_source_output *out, struct gt_error *err)
{
    struct gt_error unheard;
    struct gt_site_work work = {.self = user, .out = out, .err = err ? err : &unheard};

    if (strcmp(tag, "list") == 0)
        return parse_list(&work, response);
    struct gt_site_pending *entry = gt_site_pending_find(
        work.self, gt_starts_with(tag, "item ") ? strtoull(tag + 5, NULL, 10) : 0);
    return entry ? gt_site_take_answer(&work, entry, response) : GT_PARSE_UNCHANGED;
}

/* --- the cursor as text --- */

static int site_save(void *user, struct gt_buffer *ret_cursor, struct gt_error *err)
{
    struct gt_site_source *self = user;
    GT_BUFFER_AUTO struct gt_buffer seen = GT_BUFFER((size_t)16 * SEEN_MAX);
    size_t keep = 4 * self->largest > SEEN_LEAST ? 4 * self->largest : SEEN_LEAST;

    if (!self->complete && self->listed)
        self->behind = true;
    if (gt_seen_append(self->seen, keep, &seen) < 0)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the cursor of a site");
    GT_JSON_AUTO json_t *cursor = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:o}", "base", gt_json_text_c(self->base), "value",
        gt_json_text_c(self->cursor), "url", gt_json_text_c(self->validated), "etag",
        gt_json_text_c(self->etag), "modified", gt_json_text_c(self->modified), "behind",
        self->behind, "seen", seen.data ? seen.data : "", "pending", gt_site_pending_save(self));
    if (!cursor)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the cursor of a site");
    return gt_json_append(cursor, ret_cursor);
}

/* Another base is another server: its ids mean nothing here. */
static void load(struct gt_site_source *self, const char *text)
{
    GT_JSON_AUTO json_t *cursor = gt_json_parse(text, strlen(text), NULL);

    if (strcmp(gt_json_string(cursor, "base", ""), self->base) != 0)
        return;
    gt_site_replace(&self->cursor, gt_json_string(cursor, "value", NULL));
    gt_site_replace(&self->validated, gt_json_string(cursor, "url", NULL));
    gt_site_replace(&self->etag, gt_json_string(cursor, "etag", NULL));
    gt_site_replace(&self->modified, gt_json_string(cursor, "modified", NULL));
    self->behind = json_is_true(json_object_get(cursor, "behind"));
    if (gt_seen_load(self->seen, gt_json_string(cursor, "seen", "")) < 0)
        gt_site_replace(&self->etag, NULL);
    gt_site_pending_load(self, json_object_get(cursor, "pending"));
}

static int64_t site_wait_ms(void *user)
{
    return ((const struct gt_site_source *)user)->wait_ms;
}

static const char *site_warning(void *user)
{
    struct gt_site_source *self = user;

    size_t len = 0;

    if (!self->gap && !self->gone)
        return NULL;
    if (self->gap)
        len =
            (size_t)snprintf(self->warning, sizeof self->warning,
                             "there was more than one poll may read, so older items were missed; a "
                             "shorter `interval` helps");
    if (self->gone)
        snprintf(self->warning + len, sizeof self->warning - len,
                 "%s%zu items were given up after %d attempts", len ? "; " : "", self->gone,
                 GT_SITE_ATTEMPTS);
    return self->warning;
}

static void free_texts(struct gt_site_source *self)
{
    char *const texts[] = {self->base,      self->cursor,    self->newest,
                           self->etag,      self->modified,  self->asked,
                           self->validated, self->next_etag, self->next_modified};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
}

static void site_close(void *user)
{
    struct gt_site_source *self = user;

    if (!self)
        return;
    gt_site_pending_clear(self);
    free_texts(self);
    gt_seen_free(self->seen);
    gt_arena_free(self->arena);
    free(self);
}

static char *base_of(const struct gt_site *site, const struct gt_site_options *options)
{
    const struct gt_scope scope = {.site = site, .options = options};
    GT_BUFFER_AUTO struct gt_buffer base = GT_BUFFER(GT_SITE_VALUE_MAX);

    if (options->base && *options->base)
        gt_buffer_puts(&base, options->base);
    else if (!gt_template(&scope, site->base, GT_TEMPLATE_PLAIN, &base))
        return NULL;
    while (base.len && base.data[base.len - 1] == '/')
        base.data[--base.len] = '\0';
    return base.data ? strdup(base.data) : NULL;
}

static int check_params(const struct gt_site *site, const struct gt_site_options *options,
                        struct gt_error *err)
{
    for (size_t i = 0; i < options->params.count; i++) {
        const char *row = *GT_LIST_ITEM(options->params, const char *, i);
        size_t len = strcspn(row, "=");
        if (gt_site_param_value(site, NULL, row, len))
            continue;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)len, row);
        struct gt_nearest nearest = {.word = name};
        for (size_t p = 0; p < site->params.count; p++)
            gt_nearest_offer(&nearest, GT_LIST_ITEM(site->params, struct gt_site_param, p)->name);
        return gt_fail(err, GT_E_INVALID, "site \"%s\" has no param \"%s\"%s%s%s", site->name, name,
                       nearest.best ? "; did you mean \"" : "; remove it",
                       nearest.best ? nearest.best : "", nearest.best ? "\"?" : "");
    }
    return 0;
}

int gt_site_source_new(const struct gt_site *site, const struct gt_site_options *options,
                       const char *cursor, void **ret_self, struct gt_error *err)
{
    int code = check_params(site, options, err);
    if (code < 0)
        return code;
    struct gt_site_source *self = calloc(1, sizeof *self);
    if (!self)
        return gt_fail(err, GT_E_NOMEM, "out of memory for a site");
    self->site = site;
    self->options = options;
    self->pending_end = &self->pending;
    self->base = base_of(site, options);
    self->seen = gt_seen_new(SEEN_MAX);
    if (!self->base || !self->seen) {
        site_close(self);
        return gt_fail(err, GT_E_INVALID,
                       "site \"%s\" has no base address; give the source its `base` or params",
                       site->name);
    }
    if (cursor)
        load(self, cursor);
    *ret_self = self;
    return 0;
}

int gt_site_source_set_cursor(void *user, const char *value)
{
    struct gt_site_source *self = user;
    char *text = gt_site_cursor_value(self->site->cursor.order, value);
    if (!text)
        return GT_E_INVALID;
    free(self->cursor);
    self->cursor = text;
    return 0;
}

const char *gt_site_source_cursor(const void *user)
{
    return ((const struct gt_site_source *)user)->cursor;
}

/* The configuration's directories of definitions, seen from the configuration file. */
static struct gt_list directories_of(const struct gt_config *config, struct gt_arena *arena)
{
    struct gt_list list = {0};
    const char **paths =
        config ? gt_arena_array(arena, config->sites.count + 1, sizeof *paths) : NULL;

    for (size_t i = 0; paths && i < config->sites.count; i++)
        paths[list.count++] =
            gt_config_resolve(config, *GT_LIST_ITEM(config->sites, const char *, i));
    list.items = paths;
    return list;
}

static int site_open(const struct gt_source_settings *settings, void **ret_self,
                     struct gt_error *err)
{
    const struct gt_site_options *options = settings->source->options;
    struct gt_arena *arena = gt_arena_new(DEFINITION_MAX);
    struct gt_site *site = arena ? gt_arena_alloc(arena, sizeof *site) : NULL;
    void *self = NULL;

    if (!site) {
        gt_arena_free(arena);
        return gt_fail(err, GT_E_NOMEM, "out of memory for a site");
    }
    struct gt_list directories = directories_of(settings->config, arena);
    int code = gt_site_find(options->site, &directories, arena, site, err);
    if (code >= 0)
        code = gt_site_source_new(site, options, settings->cursor, &self, err);
    if (code < 0) {
        gt_arena_free(arena);
        return code;
    }
    ((struct gt_site_source *)self)->arena = arena;
    *ret_self = self;
    return 0;
}

const struct gt_source gt_source_site = {
    .name = "site",
    .kind = &gt_site_kind,
    .open = site_open,
    .plan = site_plan,
    .parse = site_parse,
    .save = site_save,
    .close = site_close,
    .wait_ms = site_wait_ms,
    .warning = site_warning,
};
