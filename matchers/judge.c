#include "matchers/case.h"

#include "matchers/redact.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_SLOTS ((size_t)1 << 16)
#define SECRETS_MAX ((size_t)65536)
#define STEP_MAX ((size_t)1024)

/* ---- places ---- */

const struct gt_segment *gt_segment_at(const struct gt_derived *derived, size_t offset)
{
    size_t low = 0, high = derived->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (derived->segments[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    const struct gt_segment *segment = low < derived->count ? &derived->segments[low] : NULL;
    return segment && segment->start <= offset ? segment : NULL;
}

/* Where in the outer text a byte of a view is from. */
static size_t outer_offset(const struct gt_derived *derived, const struct gt_segment *segment,
                           size_t offset)
{
    const struct gt_mark *marks = derived->decoded.marks + segment->mark;
    size_t low = 0, high = segment->mark_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (marks[middle].at <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return segment->outer.start;
    size_t from = marks[low - 1].from + (offset - marks[low - 1].at);
    return from < segment->outer.end ? from : segment->outer.end;
}

/* Counts the lines from where the last place was, either way. */
static void move_cursor(struct gt_text *text, size_t from, size_t to)
{
    const char *bytes = text->bytes, *line;
    if (text->cursor.at < from || (to < text->cursor.at && to - from < text->cursor.at - to)) {
        text->cursor.at = text->cursor.line_start = from;
        text->cursor.line = 0;
    }
    size_t at = text->cursor.at;
    text->cursor.at = to;
    while (at < to && (line = memchr(bytes + at, '\n', to - at))) {
        at = (size_t)(line - bytes) + 1;
        text->cursor.line++;
        text->cursor.line_start = at;
    }
    if (at <= to || text->cursor.line_start <= to)
        return;
    while ((line = memrchr(bytes + to, '\n', at - to))) {
        at = (size_t)(line - bytes);
        text->cursor.line--;
    }
    line = memrchr(bytes + from, '\n', to - from);
    text->cursor.line_start = line ? (size_t)(line - bytes) + 1 : from;
}

void gt_place(struct gt_text *text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
    const struct gt_segment *segment = text->derived ? gt_segment_at(text->derived, offset) : NULL;
    if (segment && segment->decoder->view) {
        gt_place(text->derived->outer, outer_offset(text->derived, segment, offset), ret_line,
                 ret_column);
        return;
    }
    size_t from = segment ? segment->start + segment->prefix : 0;
    move_cursor(text, from, offset > from ? offset : from);
    size_t before = text->cursor.line_start == 0 && !segment ? text->before : 0;
    *ret_line = text->first_line + text->cursor.line + 1;
    *ret_column = (unsigned)(text->cursor.at - text->cursor.line_start + before + 1);
}

/* ---- the way there ---- */

static void append_step(struct gt_buffer *out, const char *step)
{
    if (!step || !*step)
        return;
    if (out->len > 0)
        gt_buffer_puts(out, " \u2192 ");
    size_t from = out->len;
    gt_utf8_append_clean(out, step, strnlen(step, STEP_MAX));
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t')
            out->data[i] = ' ';
}

static void append_text_way(struct gt_buffer *out, const struct gt_text *text, size_t offset);

static void append_layer_way(struct gt_buffer *out, const struct gt_layer *layer)
{
    if (layer->text)
        append_text_way(out, layer->text, layer->offset);
    else if (layer->outer)
        append_layer_way(out, layer->outer);
    append_step(out, layer->step);
}

static void append_text_way(struct gt_buffer *out, const struct gt_text *text, size_t offset)
{
    const struct gt_segment *segment = text->derived ? gt_segment_at(text->derived, offset) : NULL;
    if (segment) {
        append_text_way(out, text->derived->outer, segment->outer.start);
        append_step(out, segment->decoder->name);
    } else if (text->layer) {
        append_layer_way(out, text->layer);
    }
}

const char *gt_via(struct gt_arena *arena, const struct gt_text *text, size_t offset)
{
    GT_BUFFER_AUTO struct gt_buffer way = GT_BUFFER(4 * STEP_MAX * (GT_DEPTH_MAX + 1));
    append_text_way(&way, text, offset);
    return way.len > 0 ? gt_arena_memdup(arena, way.data, way.len) : NULL;
}

/* ---- what was seen ---- */

/* 0 is no key. */
static uint64_t key_of(const char fingerprint[GT_FINGERPRINT_TEXT])
{
    char start[17];
    memcpy(start, fingerprint, 16);
    start[16] = 0;
    return strtoull(start, NULL, 16) | 1;
}

static size_t slot_of(const struct gt_case *c, uint64_t key)
{
    size_t slot = (size_t)(key >> 20) % SEEN_SLOTS;
    while (c->seen[slot] && c->seen[slot] != key)
        slot = (slot + 1) % SEEN_SLOTS;
    return slot;
}

static bool was_seen(const struct gt_case *c, const char *fingerprint)
{
    return c->seen && c->seen[slot_of(c, key_of(fingerprint))];
}

/* When the set is full, a secret may be told again: memory stays flat. */
static void remember(struct gt_case *c, const char *fingerprint)
{
    if (!c->seen)
        c->seen = calloc(SEEN_SLOTS, sizeof *c->seen);
    if (!c->seen || c->seen_count >= SEEN_SLOTS / 4 * 3)
        return;
    uint64_t key = key_of(fingerprint), *slot = &c->seen[slot_of(c, key)];
    c->seen_count += !*slot;
    *slot = key;
}

static struct gt_str copy(struct gt_arena *arena, const char *bytes, size_t len)
{
    char *text = gt_arena_memdup(arena, bytes, len);
    return (struct gt_str){text, text ? len : 0};
}

static int hide_later(struct gt_case *c, struct gt_str secret)
{
    if (c->secret_count >= SECRETS_MAX)
        return 0;
    if (c->secret_count == c->secret_capacity) {
        size_t capacity = c->secret_capacity ? 2 * c->secret_capacity : 64;
        struct gt_str *more = gt_arena_grow(c->arena, c->secrets, c->secret_count * sizeof *more,
                                            capacity * sizeof *more);
        if (!more)
            return GT_E_LIMIT;
        c->secrets = more;
        c->secret_capacity = capacity;
    }
    c->secrets[c->secret_count] = copy(c->arena, secret.ptr, secret.len);
    return c->secrets[c->secret_count++].ptr ? 0 : GT_E_LIMIT;
}

/* ---- brands ---- */

static size_t distance(const struct gt_mention *mention, struct gt_span place)
{
    if (mention->start == GT_IN_TITLE)
        return SIZE_MAX;
    if (mention->end <= place.start)
        return place.start - mention->end;
    return mention->start >= place.end ? mention->start - place.end : 0;
}

/* Mentions are in order of place, those of the title last: it is the one before or the one behind.
 */
static const struct gt_mention *nearest(const struct gt_mentions *mentions, struct gt_span place)
{
    size_t low = 0, high = mentions->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (mentions->items[middle].start < place.start)
            low = middle + 1;
        else
            high = middle;
    }
    const struct gt_mention *before = low > 0 ? &mentions->items[low - 1] : NULL;
    const struct gt_mention *behind = low < mentions->count ? &mentions->items[low] : NULL;
    if (!before || !behind)
        return before ? before : behind;
    return distance(before, place) <= distance(behind, place) ? before : behind;
}

static enum gt_nearness nearness_of(const struct gt_scratch *scratch,
                                    const struct gt_mention *mention, struct gt_span place)
{
    if (mention->start == GT_IN_TITLE)
        return GT_NEAR_TITLE;
    if (distance(mention, place) > GT_NEAR_BYTES)
        return GT_NEAR_DOCUMENT;
    size_t from = mention->end <= place.start ? mention->end : place.end;
    size_t to = mention->end <= place.start ? place.start : mention->start;
    bool same = from >= to || !memchr(scratch->body + from, '\n', to - from);
    return same ? GT_NEAR_LINE : GT_NEAR_LINES;
}

static const struct gt_named *name_brands(struct gt_case *c, struct gt_span place)
{
    const struct gt_brands *brands = &c->ruleset->brands;
    struct gt_named *named = gt_arena_array(c->arena, brands->count + 1, sizeof *named);
    for (size_t i = 0; named && i < brands->count; i++) {
        const struct gt_mention *mention = nearest(&c->scratch->mentions[i], place);
        if (mention)
            named[i] = (struct gt_named){&brands->terms[mention->term],
                                         nearness_of(c->scratch, mention, place)};
    }
    return named;
}

static const struct gt_mention *gravest(const struct gt_case *c, const struct gt_mentions *mentions)
{
    const struct gt_term *terms = c->ruleset->brands.terms;
    const struct gt_mention *best = NULL;
    for (size_t i = 0; i < mentions->count; i++)
        if (!best || terms[mentions->items[i].term].severity > terms[best->term].severity)
            best = &mentions->items[i];
    return best;
}

static void keep_trace(struct gt_case *c, struct gt_text *text, size_t start,
                       const struct gt_mention *mention, struct gt_trace *trace)
{
    bool title = mention->start == GT_IN_TITLE, about = !title && mention->start < start;
    size_t offset = title || about ? 0 : mention->start - start;
    const char *context = NULL;
    if (!title)
        context = gt_context(c->scratch, (struct gt_span){mention->start, mention->end});
    trace->gravest = &c->ruleset->brands.terms[mention->term];
    trace->text = text->number;
    trace->place = offset;
    trace->in_title = title;
    trace->line = trace->column = 1;
    trace->context = context ? gt_arena_strdup(c->traces, context) : NULL;
    trace->via = gt_via(c->traces, text, offset);
    if (!title && !about)
        gt_place(text, offset, &trace->line, &trace->column);
}

static void note_mentions(struct gt_case *c, struct gt_text *text, size_t start)
{
    for (size_t i = 0; i < c->ruleset->brands.count; i++) {
        const struct gt_mentions *mentions = &c->scratch->mentions[i];
        const struct gt_mention *best = gravest(c, mentions);
        struct gt_trace *trace = &c->brands[i];
        if (!best)
            continue;
        const struct gt_mention *last = &mentions->items[mentions->count - 1];
        const struct gt_term *terms = c->ruleset->brands.terms;
        if (mentions->items[0].start != GT_IN_TITLE && !trace->body)
            trace->body = &terms[mentions->items[0].term];
        if (last->start == GT_IN_TITLE && !trace->title)
            trace->title = &terms[last->term];
        if (!trace->gravest || terms[best->term].severity > trace->gravest->severity)
            keep_trace(c, text, start, best, trace);
    }
}

/* ---- records ---- */

static struct gt_record *new_record(struct gt_case *c)
{
    if (c->told + c->record_count >= c->ruleset->findings) {
        c->summary.gave_up = true;
        return NULL;
    }
    if (c->record_count == c->record_capacity) {
        size_t capacity = c->record_capacity ? 2 * c->record_capacity : 16;
        struct gt_record *more = gt_arena_grow(c->arena, c->records, c->record_count * sizeof *more,
                                               capacity * sizeof *more);
        if (!more) {
            c->summary.gave_up = true;
            return NULL;
        }
        c->records = more;
        c->record_capacity = capacity;
    }
    return &c->records[c->record_count++];
}

/* The text beside which a secret stands. */
static enum gt_about about_of(const struct gt_case *c, const struct gt_text *text, size_t place)
{
    const struct gt_document *document = c->document;
    size_t title = document->title ? strnlen(document->title, GT_ABOUT_MAX) + 1 : 0;
    size_t author = document->author ? strnlen(document->author, GT_ABOUT_MAX) + 1 : 0;
    if (text->depth > 0)
        return GT_ABOUT_NAME;
    return place < title ? GT_ABOUT_TITLE : place < title + author ? GT_ABOUT_AUTHOR : GT_ABOUT_URL;
}

static void describe(struct gt_case *c, struct gt_text *text, size_t start,
                     struct gt_record *record)
{
    const struct gt_scratch *scratch = c->scratch;
    struct gt_span span = record->candidate.secret;
    struct gt_str secret = {scratch->body + span.start, span.end - span.start};
    bool about = span.start < start;
    size_t offset = about ? 0 : span.start - start;
    const char *context = about ? NULL : gt_context(scratch, span);
    record->secret = copy(c->arena, secret.ptr, secret.len);
    record->stands = text->depth == 0 && !about ? text->bytes + offset : NULL;
    record->preview = gt_preview(c->arena, record->candidate.rule, secret);
    record->context = context ? gt_arena_strdup(c->arena, context) : NULL;
    record->about = about ? about_of(c, text, span.start) : GT_ABOUT_NOT;
    record->span = (struct gt_span){offset, offset + secret.len};
    record->text = text->number;
    record->named = name_brands(c, span);
    record->via = gt_via(c->arena, text, offset);
    record->line = record->column = 1;
    if (!about)
        gt_place(text, offset, &record->line, &record->column);
}

/* What the outer text says of the same place yields to what that says decoded. */
static void drop_undecoded(struct gt_case *c, const struct gt_text *text,
                           const struct gt_record *record)
{
    const struct gt_derived *derived = text->derived;
    const struct gt_segment *segment = derived ? gt_segment_at(derived, record->span.start) : NULL;
    if (!segment ||
        (!segment->decoder->view && (record->span.start != segment->start + segment->prefix ||
                                     record->span.end != segment->end)))
        return;
    size_t start = segment->decoder->view ? outer_offset(derived, segment, record->span.start)
                                          : segment->outer.start;
    for (size_t i = 0; i < c->record_count; i++) {
        struct gt_record *other = &c->records[i];
        if (other->text == derived->outer->number && other->span.start == start &&
            other->candidate.rule == record->candidate.rule)
            other->dropped = true;
    }
}

/* A candidate that is this text's own: not of another window, not across two pieces, and not in
 * the context that was put before a piece. */
static bool is_own(const struct gt_text *text, const struct gt_candidate *candidate, size_t start)
{
    if (candidate->secret.start < start)
        return text->own.start == 0;
    size_t at = candidate->secret.start - start, end = candidate->secret.end - start;
    if (!text->derived)
        return at >= text->own.start && at < text->own.end;
    const struct gt_segment *segment = gt_segment_at(text->derived, at);
    return segment && end <= segment->end && at >= segment->start + segment->prefix &&
           candidate->match.start >= segment->start && candidate->match.end <= segment->end;
}

static int keep_candidate(struct gt_case *c, struct gt_text *text, size_t start,
                          const struct gt_candidate *candidate, const char *fingerprint)
{
    struct gt_record *record = new_record(c);
    if (!record)
        return 0;
    *record = (struct gt_record){.candidate = *candidate};
    memcpy(record->fingerprint, fingerprint, GT_FINGERPRINT_TEXT);
    describe(c, text, start, record);
    if (!record->secret.ptr || !record->preview || !record->named)
        return gt_fail(c->err, GT_E_LIMIT, "the document needs too much memory to be judged");
    drop_undecoded(c, text, record);
    return 0;
}

/* A secret is told once: at its first place, but by the rule that tells most about it. Escapes may
 * have hidden from that rule what it needs to see. */
static bool is_news(struct gt_case *c, const struct gt_candidate *candidate,
                    const char *fingerprint)
{
    if (!was_seen(c, fingerprint))
        return true;
    for (size_t i = 0; i < c->record_count; i++) {
        struct gt_record *other = &c->records[i];
        if (!other->dropped && other->candidate.rule != candidate->rule &&
            strcmp(other->fingerprint, fingerprint) == 0 &&
            gt_is_better(candidate, &other->candidate)) {
            other->dropped = true;
            return true;
        }
    }
    return false;
}

typedef char fingerprint_text[GT_FINGERPRINT_TEXT];

static int collect(struct gt_case *c, struct gt_text *text, size_t start)
{
    struct gt_scratch *scratch = c->scratch;
    size_t count = scratch->candidate_count;
    fingerprint_text *prints = gt_arena_array(scratch->arena, count + 1, sizeof *prints);
    if (!prints)
        return gt_fail(c->err, GT_E_LIMIT, "the document needs too much memory to be judged");
    for (size_t i = 0; i < count; i++) {
        const struct gt_candidate *candidate = &scratch->candidates[i];
        struct gt_str secret = {scratch->body + candidate->secret.start,
                                candidate->secret.end - candidate->secret.start};
        bool own = is_own(text, candidate, start);
        c->credentials |= own && !candidate->dropped;
        if (own && !candidate->rule->only_paired)
            gt_secret_fingerprint(&c->ruleset->key, secret, prints[i]);
        int rc = hide_later(c, secret);
        if (rc == 0 && own && !candidate->dropped && is_news(c, candidate, prints[i]))
            rc = keep_candidate(c, text, start, candidate, prints[i]);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < count; i++)
        if (prints[i][0])
            remember(c, prints[i]);
    return 0;
}

/* ---- the engine ---- */

/* Scans what stands beside the text and, when a secret stands there, goes on as if that were its
 * first lines; they are seldom, so that a text is seldom copied. */
static int scan(struct gt_case *c, const struct gt_text *text, size_t *ret_start)
{
    struct gt_scratch *scratch = c->scratch;
    *ret_start = 0;
    int rc = text->about.len > 0 ? gt_scan(scratch, text->about.ptr, text->about.len, c->err) : 0;
    bool plain = text->about.len == 0 || scratch->candidate_count == 0;
    if (rc < 0 || plain)
        return rc < 0 ? rc : gt_scan(scratch, text->len > 0 ? text->bytes : "", text->len, c->err);
    gt_buffer_free(&c->joined);
    c->joined = GT_BUFFER(text->about.len + 1 + text->len);
    gt_buffer_append(&c->joined, text->about.ptr, text->about.len);
    if (text->about.ptr[text->about.len - 1] != '\n')
        gt_buffer_putc(&c->joined, '\n');
    *ret_start = c->joined.len;
    gt_buffer_append(&c->joined, text->bytes, text->len);
    return gt_buffer_ok(&c->joined) ? gt_scan(scratch, c->joined.data, c->joined.len, c->err)
                                    : gt_fail(c->err, GT_E_NOMEM, "out of memory for a document");
}

int gt_judge(struct gt_case *c, struct gt_text *text)
{
    struct gt_scratch *scratch = c->scratch;
    size_t start;
    int rc = scan(c, text, &start);
    if (rc < 0)
        return rc;
    if (text->depth == 0) {
        gt_scan_title(scratch, c->document->title);
        gt_scan_title(scratch, c->document->author);
    } else if (text->layer && text->layer->is_name) {
        gt_scan_title(scratch, text->layer->step);
    }
    rc = gt_resolve(scratch, c->err);
    if (rc < 0)
        return rc;
    c->summary.gave_up |= scratch->gave_up;
    if (scratch->cut_rule)
        c->summary.cut_rule = scratch->cut_rule;
    rc = collect(c, text, start);
    if (rc == 0 && c->ruleset->brands.count > 0)
        note_mentions(c, text, start);
    return rc;
}
