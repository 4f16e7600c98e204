/* From an item of a list, or the answer to an item's own request, to documents. */
#include "crawler/answer.h"
#include "crawler/html.h"
#include "crawler/sources/site_state.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <inttypes.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX GT_DOCUMENT_BODY_MAX
#define ERROR_ANSWER_MAX 1024
#define ERROR_STEPS 100000

/* The texts of a document while it is put together. */
struct draft {
    struct gt_buffer key, link, title, author, published, type, body;
};

#define DRAFT_AUTO __attribute__((cleanup(draft_cleanup)))

static struct draft new_draft(void)
{
    return (struct draft){GT_BUFFER(GT_SITE_VALUE_MAX), GT_BUFFER(GT_SITE_VALUE_MAX),
                          GT_BUFFER(GT_SITE_VALUE_MAX), GT_BUFFER(GT_SITE_VALUE_MAX),
                          GT_BUFFER(GT_SITE_VALUE_MAX), GT_BUFFER(GT_SITE_VALUE_MAX),
                          GT_BUFFER(BODY_MAX)};
}

static void draft_cleanup(struct draft *draft)
{
    gt_buffer_free(&draft->key);
    gt_buffer_free(&draft->link);
    gt_buffer_free(&draft->title);
    gt_buffer_free(&draft->author);
    gt_buffer_free(&draft->published);
    gt_buffer_free(&draft->type);
    gt_buffer_free(&draft->body);
}

static const char *text_or(const struct gt_buffer *buffer, const char *fallback)
{
    return buffer->len ? buffer->data : fallback;
}

static bool part_is_html_with(const struct gt_site_part *part, struct gt_buffer *raw,
                              struct gt_buffer *out)
{
    if (!part->html)
        return false;
    (void)gt_html_to_text(raw->data, raw->len, out); /* cut at the limit */
    return true;
}

/* All parts that are there, with empty lines between. */
static void put_parts(const struct gt_record *record, const struct gt_list *parts,
                      struct gt_buffer *body)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct gt_site_part *part = GT_LIST_ITEM(*parts, struct gt_site_part, i);
        GT_BUFFER_AUTO struct gt_buffer raw = GT_BUFFER(BODY_MAX);
        if (gt_record_text(record, part->from, "\n\n", &raw) == 0 || !raw.len)
            continue;
        if (body->len)
            gt_buffer_puts(body, "\n\n");
        if (!part_is_html_with(part, &raw, body))
            gt_buffer_append(body, raw.data, raw.len);
    }
}

static void put_fields(const struct gt_scope *scope, const struct gt_site_fields *fields,
                       struct draft *draft)
{
    gt_first_value(scope, &fields->link, &draft->link);
    gt_first_value(scope, &fields->title, &draft->title);
    gt_first_value(scope, &fields->author, &draft->author);
    gt_first_value(scope, &fields->published, &draft->published);
    gt_first_value(scope, &fields->type, &draft->type);
}

static int64_t time_of(const struct gt_buffer *text)
{
    return text->len ? gt_time_parse(text->data) : 0;
}

/* Hands a text over as a document; an empty one is none. */
static int emit(struct gt_site_work *work, const struct gt_document *document)
{
    if (!document->body_len)
        return 0;
    int code = work->out->document(work->out->user, document, work->err);
    work->full = work->full || code < 0;
    return code;
}

static int emit_draft(struct gt_site_work *work, const struct draft *draft)
{
    const struct gt_document document = {
        .key = text_or(&draft->key, ""),
        .url = text_or(&draft->link, NULL),
        .title = text_or(&draft->title, NULL),
        .author = text_or(&draft->author, NULL),
        .type = text_or(&draft->type, NULL),
        .published_ms = time_of(&draft->published),
        .body = draft->body.data,
        .body_len = draft->body.len,
    };
    return emit(work, &document);
}

static bool holds(const struct gt_site_condition *condition, const struct gt_record *record)
{
    GT_BUFFER_AUTO struct gt_buffer value = GT_BUFFER(GT_SITE_VALUE_MAX);
    const char *text = "";
    bool found = gt_record_text(record, condition->field, NULL, &value) > 0;

    if (value.data)
        text = value.data;
    for (size_t i = 0; i < condition->is_not.count; i++)
        if (strcmp(*GT_LIST_ITEM(condition->is_not, const char *, i), text) == 0)
            return false;
    for (size_t i = 0; i < condition->is.count; i++)
        if (strcmp(*GT_LIST_ITEM(condition->is, const char *, i), text) == 0)
            return true;
    return condition->is.count == 0 && (found || condition->is_not.count);
}

static bool all_hold(const struct gt_list *conditions, const struct gt_record *record)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (!holds(GT_LIST_ITEM(*conditions, struct gt_site_condition, i), record))
            return false;
    return true;
}

/* --- what has to be fetched --- */

/* NULL when it is too long, or there is no room. */
static struct gt_site_pending *add_pending(struct gt_site_work *work, const struct draft *draft,
                                           const char *url, int fetch)
{
    struct gt_site_pending *entry =
        gt_site_pending_add(work->self, text_or(&draft->key, ""), url, fetch);
    if (!entry) {
        work->full = true;
        return NULL;
    }
    gt_site_replace(&entry->title, text_or(&draft->title, NULL));
    gt_site_replace(&entry->link, text_or(&draft->link, NULL));
    gt_site_replace(&entry->author, text_or(&draft->author, NULL));
    gt_site_replace(&entry->type, text_or(&draft->type, NULL));
    entry->published_ms = time_of(&draft->published);
    (void)gt_site_pending_send(work->self, entry, work->out, NULL); /* refused: in the next poll */
    return entry;
}

/* The index in item.fetch for this item; -1: none. */
static int choose_fetch(const struct gt_site_source *self, const struct gt_record *record)
{
    const struct gt_list *fetches = &self->site->item.fetch;
    const char *token = self->options->token;

    for (size_t i = 0; i < fetches->count; i++) {
        const struct gt_site_fetch *fetch = GT_LIST_ITEM(*fetches, struct gt_site_fetch, i);
        if (record && !all_hold(&fetch->when, record))
            continue;
        return fetch->needs_token && !(token && *token) ? -1 : (int)i;
    }
    return -1;
}

static void fetch_item(struct gt_site_work *work, const struct gt_scope *scope,
                       const struct draft *draft)
{
    int index = choose_fetch(work->self, scope->record);
    GT_BUFFER_AUTO struct gt_buffer url = GT_BUFFER(GT_SITE_VALUE_MAX);

    if (index < 0)
        return;
    const struct gt_site_fetch *fetch =
        GT_LIST_ITEM(work->self->site->item.fetch, struct gt_site_fetch, index);
    if (gt_template_url(scope, fetch->url, &fetch->query, &url))
        add_pending(work, draft, url.data, index);
}

/* --- files --- */

struct filing {
    struct gt_site_work *work;
    const struct gt_scope *scope; /* of the item */
    const struct gt_site_files *files;
    const struct draft *draft; /* of the item */
    size_t count;
};

static bool is_true(const struct gt_record *record, const char *selector)
{
    GT_BUFFER_AUTO struct gt_buffer value = GT_BUFFER(GT_SITE_VALUE_MAX);
    if (!selector)
        return false;
    gt_record_text(record, selector, NULL, &value);
    return value.data && strcmp(value.data, "true") == 0;
}

/* Key and title of a file: the item's, and its own name. */
static void name_file(const struct filing *filing, const struct gt_scope *scope, struct draft *file)
{
    GT_BUFFER_AUTO struct gt_buffer name = GT_BUFFER(GT_SITE_VALUE_MAX);

    if (!gt_value(scope, filing->files->name, &name))
        gt_buffer_printf(&name, "%zu", filing->count);
    gt_buffer_printf(&file->key, "%s/%s", text_or(&filing->draft->key, ""), name.data);
    gt_buffer_puts(&file->title, name.data);
    gt_buffer_puts(&file->link, text_or(&filing->draft->link, ""));
    gt_buffer_puts(&file->author, text_or(&filing->draft->author, ""));
    gt_buffer_puts(&file->published, text_or(&filing->draft->published, ""));
}

static int take_file(void *user, const struct gt_record *record)
{
    struct filing *filing = user;
    const struct gt_site_files *files = filing->files;
    struct gt_scope scope = *filing->scope;
    DRAFT_AUTO struct draft file = new_draft();
    GT_BUFFER_AUTO struct gt_buffer url = GT_BUFFER(GT_SITE_VALUE_MAX);

    filing->count++;
    scope.record = record;
    name_file(filing, &scope, &file);
    put_parts(record, &files->content, &file.body);
    if (file.body.len && !is_true(record, files->truncated)) {
        emit_draft(filing->work, &file);
    } else if (files->url && gt_template_url(&scope, files->url, NULL, &url)) {
        add_pending(filing->work, &file, url.data, -1);
    } else {
        emit_draft(filing->work, &file); /* a part is better than nothing */
    }
    return filing->work->full;
}

/* How many files there were. */
static size_t take_files(struct gt_site_work *work, const struct gt_scope *scope,
                         const struct gt_site_files *files, const struct draft *draft)
{
    struct filing filing = {work, scope, files, draft, 0};
    if (files->items)
        (void)gt_records(scope->record, files->items, GT_SITE_FILES, take_file, &filing, NULL);
    return filing.count;
}

/* --- items of the list --- */

static void note_cursor(struct gt_site_source *self, const struct gt_scope *scope)
{
    const struct gt_site_cursor *cursor = &self->site->cursor;
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(GT_SITE_VALUE_MAX);

    if (!cursor->field || !gt_value(scope, cursor->field, &text))
        return;
    char *value = gt_site_cursor_value(cursor->order, text.data);
    if (gt_site_cursor_greater(cursor->order, value, self->newest))
        gt_site_replace(&self->newest, value);
    free(value);
}

static void take_new(struct gt_site_work *work, struct gt_scope *scope)
{
    const struct gt_site_item *item = &work->self->site->item;
    DRAFT_AUTO struct draft draft = new_draft();

    gt_buffer_puts(&draft.key, scope->id);
    put_fields(scope, &item->fields, &draft);
    put_parts(scope->record, &item->fields.body, &draft.body);
    emit_draft(work, &draft);
    if (!work->full && take_files(work, scope, &item->files, &draft) == 0)
        fetch_item(work, scope, &draft);
}

int gt_site_take_item(struct gt_site_work *work, const struct gt_record *record)
{
    struct gt_site_source *self = work->self;
    const struct gt_site_item *item = &self->site->item;
    GT_BUFFER_AUTO struct gt_buffer id = GT_BUFFER(GT_SITE_VALUE_MAX);
    GT_BUFFER_AUTO struct gt_buffer revision = GT_BUFFER(GT_SITE_VALUE_MAX);
    struct gt_scope scope;
    char iso[GT_TIME_TEXT], cursor[64];

    gt_site_scope(self, &scope, iso, cursor);
    scope.record = record;
    if (!gt_value(&scope, item->id, &id))
        return 0;
    scope.id = id.data;
    if (item->revision && gt_value(&scope, item->revision, &revision))
        scope.revision = revision.data;

    uint64_t hash = gt_seen_hash(scope.id, scope.revision);
    bool new = !gt_seen_has(self->seen, hash);
    if (new &&all_hold(&item->when, record)) {
        if (self->pending_count >= GT_SITE_PENDING || (int64_t)self->taken >= self->site->list.most)
            return 1;
        take_new(work, &scope);
        if (work->full)
            return 1;
        self->taken++;
    }
    self->page_new += new;
    note_cursor(self, &scope);
    (void)gt_seen_add(self->seen, hash); /* out of memory: it is read again */
    return 0;
}

int gt_site_take_number(struct gt_site_work *work, int64_t number)
{
    struct gt_scope scope;
    char iso[GT_TIME_TEXT], cursor[64], id[24];
    DRAFT_AUTO struct draft draft = new_draft();

    if (work->self->pending_count >= GT_SITE_PENDING)
        return 1;
    gt_site_scope(work->self, &scope, iso, cursor);
    snprintf(id, sizeof id, "%" PRId64, number);
    scope.id = id;
    gt_buffer_puts(&draft.key, id);
    fetch_item(work, &scope, &draft);
    return work->full;
}

/* --- answers to items' own requests --- */

/* Limited: a pattern that backtracks for ever counts as no match. */
static bool matches(const char *pattern, const char *body, size_t len)
{
    int number;
    PCRE2_SIZE offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL, &number, &offset, NULL);
    pcre2_match_data *match = code ? pcre2_match_data_create_from_pattern(code, NULL) : NULL;
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    bool hit = false;

    if (match && context) {
        pcre2_set_match_limit(context, ERROR_STEPS);
        hit = pcre2_match(code, (PCRE2_SPTR)body, len, 0, 0, match, context) > 0;
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    return hit;
}

int gt_site_match_error(const struct gt_list *errors, const char *body, size_t len,
                        struct gt_error *err)
{
    for (size_t i = 0; i < errors->count && len <= ERROR_ANSWER_MAX; i++) {
        const struct gt_site_error *row = GT_LIST_ITEM(*errors, struct gt_site_error, i);
        if (matches(row->pattern, body, len))
            return row->gone ? 1 : gt_fail(err, GT_E_REFUSED, "%s", row->says);
    }
    return 0;
}

/* Values of the answer first, then what the list said. */
static void merge(struct draft *draft, const struct gt_site_pending *entry)
{
    gt_buffer_puts(&draft->key, entry->key);
    if (!draft->link.len && entry->link)
        gt_buffer_puts(&draft->link, entry->link);
    if (!draft->title.len && entry->title)
        gt_buffer_puts(&draft->title, entry->title);
    if (!draft->author.len && entry->author)
        gt_buffer_puts(&draft->author, entry->author);
    if (!draft->type.len && entry->type)
        gt_buffer_puts(&draft->type, entry->type);
    if (!draft->published.len && entry->published_ms)
        gt_buffer_printf(&draft->published, "%" PRId64, entry->published_ms);
}

/* A text that was longer than may be read says so in its title. */
static void take_raw(struct gt_site_work *work, const struct gt_site_pending *entry,
                     const struct gt_http_response *response)
{
    GT_BUFFER_AUTO struct gt_buffer title = GT_BUFFER(2 * GT_SITE_VALUE_MAX);
    if (response->cut)
        gt_buffer_printf(&title, "%s (first %zu bytes)", entry->title ? entry->title : entry->key,
                         response->body_len);
    const struct gt_document document = {
        .key = entry->key,
        .url = entry->link,
        .title = title.data ? title.data : entry->title,
        .author = entry->author,
        .type = entry->type,
        .published_ms = entry->published_ms,
        .body = response->body,
        .body_len = response->body_len,
    };
    emit(work, &document);
}

/* 0: done with; 1: not there yet. */
static int take_structured(struct gt_site_work *work, const struct gt_site_fetch *fetch,
                           const struct gt_site_pending *entry,
                           const struct gt_http_response *response)
{
    struct gt_answer *answer = NULL;
    struct gt_scope scope;
    char iso[GT_TIME_TEXT], cursor[64];

    int code = gt_answer_parse((enum gt_answer_kind)fetch->form, response->body, response->body_len,
                               &answer, work->err);
    if (code < 0)
        return code;
    DRAFT_AUTO struct draft draft = new_draft();
    gt_site_scope(work->self, &scope, iso, cursor);
    scope.record = gt_answer_root(answer);
    scope.id = entry->key;
    if (gt_record_is_null(scope.record)) {
        gt_answer_free(answer);
        return fetch->null_is_early;
    }
    put_fields(&scope, &fetch->fields, &draft);
    merge(&draft, entry);
    put_parts(scope.record, &fetch->fields.body, &draft.body);
    emit_draft(work, &draft);
    if (!work->full)
        take_files(work, &scope, &fetch->files, &draft);
    gt_answer_free(answer);
    return 0;
}

/* The item alone has a problem, unless the site has one: then nothing is counted against the item.
 */
static int item_failed(struct gt_site_work *work, struct gt_site_pending *entry, int code)
{
    struct gt_site_source *self = work->self;

    if (!self->listed)
        return code;
    gt_site_pending_failed(self, entry);
    return ++self->troubles >= GT_SITE_TROUBLES ? code : GT_PARSE_UNCHANGED;
}

static bool is_gone(int status)
{
    return status == 404 || status == 410 || status == 451;
}

/* The site, not the item: it asks to wait. */
static bool asks_to_wait(const struct gt_http_response *response)
{
    return response->status == 429 || response->status == 503 ||
           (response->status == 403 && response->retry_after_ms >= 0);
}

int gt_site_take_answer(struct gt_site_work *work, struct gt_site_pending *entry,
                        const struct gt_http_response *response)
{
    const struct gt_list *fetches = &work->self->site->item.fetch;
    const struct gt_site_fetch *fetch =
        entry->fetch < 0 ? NULL : GT_LIST_ITEM(*fetches, struct gt_site_fetch, entry->fetch);
    const char *body = response->body ? response->body : "";

    int code = is_gone(response->status) ? 1 : gt_answer_check(response, work->err);
    if (code < 0)
        return asks_to_wait(response) ? code : item_failed(work, entry, code);
    if (code == 0 && fetch)
        code = gt_site_match_error(&fetch->errors, body, response->body_len, work->err);
    if (code < 0)
        return code;
    if (code == 0 && fetch && fetch->form != GT_FORM_RAW) {
        code = take_structured(work, fetch, entry, response);
        if (code) {
            if (code > 0) {
                gt_site_pending_failed(work->self, entry);
                return GT_PARSE_UNCHANGED;
            }
            return item_failed(work, entry, code);
        }
    } else if (code == 0) {
        take_raw(work, entry, response);
    }
    if (work->full) /* it stays pending and is fetched again */
        return GT_PARSE_UNCHANGED;
    gt_site_pending_remove(work->self, entry);
    return code ? GT_PARSE_UNCHANGED : GT_PARSED;
}
