#include "matchers/matchers.h"

#include "matchers/case.h"
#include "matchers/redact.h"
#include "matchers/scan.h"
#include "matchers/scoring.h"

#include <stdlib.h>
#include <string.h>

/* Records of all texts in, findings out: which brand a credential counts for, how bad it is, and
 * what may be shown of it. */

/* What a document says of itself, without any secret. */
struct about {
    const char *title, *author, *url; /* NULL: none */
};

/* A finding to be told: a credential, or a trace alone, for one brand or none. */
struct entry {
    const struct gt_record *record; /* NULL: a trace */
    const struct gt_trace *trace;
    const struct gt_term *term; /* names the brand nearest; NULL: nothing does */
    const char *brand;          /* NULL: none */
    bool owned;
    enum gt_nearness nearness;
};

/* ---- which brand a credential counts for ---- */

static bool owns(const struct gt_document *document, const char *brand)
{
    return document->owned && (!document->brand || strcmp(document->brand, brand) == 0);
}

static bool is_known(const struct gt_brands *brands, const char *name)
{
    for (size_t i = 0; i < brands->count; i++)
        if (strcmp(brands->names[i], name) == 0)
            return true;
    return false;
}

/* What its own text names, else what any other text of the document does. */
static struct gt_named named_for(const struct gt_case *c, const struct gt_record *record,
                                 size_t brand)
{
    const struct gt_trace *trace = &c->brands[brand];
    struct gt_named own = record->named[brand];
    if (own.term && own.nearness != GT_NEAR_TITLE)
        return own;
    if (trace->body)
        return (struct gt_named){trace->body, GT_NEAR_DOCUMENT};
    return (struct gt_named){trace->title, trace->title ? GT_NEAR_TITLE : GT_NEAR_NOT};
}

/* ---- telling ---- */

typedef const char *const words[2]; /* by enum gt_lang */

static const struct {
    const char *rule;
    words title;
    enum gt_confidence confidence;
} traces[] = {
    [GT_TERM_DOMAIN] = {"brand.domain",
                        {"A domain of the brand is named", "Un domaine de la marque est nommé"},
                        GT_CERTAIN},
    [GT_TERM_KEYWORD] = {"brand.keyword",
                         {"A keyword of the brand is named", "Un mot-clé de la marque est nommé"},
                         GT_LIKELY},
    [GT_TERM_PATTERN] = {"brand.pattern",
                         {"A pattern of the brand matches", "Un motif de la marque correspond"},
                         GT_LIKELY},
};
static words trace_advice = {"Read it. If it should not be public, ask the site to take it down "
                             "and find out how it got there.",
                             "Lisez-le. S'il ne devrait pas être public, demandez son retrait au "
                             "site et cherchez comment il y "
                             "est arrivé."};

/* A trace is the same one as long as it is the same brand in the same item of the same source,
 * edited or not. */
static void fingerprint_trace(const struct gt_case *c, const char *brand,
                              char ret_text[GT_FINGERPRINT_TEXT])
{
    const struct gt_part parts[] = {gt_part(brand), gt_part(c->document->source),
                                    gt_part(c->document->key)};
    char id[GT_ID_TEXT];
    gt_id_make("trace", parts, sizeof parts / sizeof *parts, id);
    gt_fingerprint(&c->ruleset->key, id, strlen(id), ret_text);
}

static const char *clean_text(struct gt_arena *arena, const char *text)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4096);
    gt_utf8_append_clean(&out, text, strnlen(text, 200));
    return gt_buffer_ok(&out) && out.data ? gt_arena_memdup(arena, out.data, out.len) : NULL;
}

/* Its length limit must not show the rest of a secret that is hidden: redact first, then cut. */
#define STEP_SHOWN ((size_t)160)
#define ARROW " \u2192 "

static void append_step(struct gt_buffer *out, const char *step, size_t len)
{
    if (len <= STEP_SHOWN) {
        gt_buffer_append(out, step, len);
        return;
    }
    size_t from = len - STEP_SHOWN;
    while (from < len && ((unsigned char)step[from] & 0xC0) == 0x80)
        from++;
    gt_buffer_puts(out, "\u2026");
    gt_buffer_append(out, step + from, len - from);
}

/* Names inside are somebody's text. */
static const char *show_via(struct gt_case *c, const char *via)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER((STEP_SHOWN + 8) * (GT_DEPTH_MAX + 1));
    const char *redacted = via ? gt_redacted(c->arena, c->secrets, c->secret_count, via) : NULL;
    while (redacted) {
        const char *end = strstr(redacted, ARROW);
        append_step(&out, redacted, end ? (size_t)(end - redacted) : strlen(redacted));
        gt_buffer_puts(&out, end ? ARROW : "");
        redacted = end ? end + strlen(ARROW) : NULL;
    }
    return gt_buffer_ok(&out) && out.len > 0 ? gt_arena_memdup(c->arena, out.data, out.len) : NULL;
}

static void describe_credential(struct gt_case *c, const struct entry *entry,
                                const struct about *about, struct gt_finding *finding)
{
    const struct gt_record *record = entry->record;
    const struct gt_rule *rule = record->candidate.rule;
    const char *beside[] = {[GT_ABOUT_TITLE] = about->title,
                            [GT_ABOUT_AUTHOR] = about->author,
                            [GT_ABOUT_URL] = about->url,
                            [GT_ABOUT_NAME] = NULL};
    enum gt_lang lang = c->ruleset->lang;
    finding->rule = rule->id;
    finding->title = gt_words_in(&rule->name, lang);
    finding->provider = rule->provider;
    finding->category = gt_category_names[rule->category];
    finding->confidence = (enum gt_confidence)record->candidate.confidence;
    finding->remediation = gt_words_in(&rule->revoke, lang);
    finding->preview = record->preview;
    finding->context = record->context;
    if (record->about != GT_ABOUT_NOT && beside[record->about])
        finding->context = clean_text(c->arena, beside[record->about]);
    finding->line = record->line;
    finding->column = record->column;
    finding->decoded_via = show_via(c, record->via);
    memcpy(finding->fingerprint, record->fingerprint, GT_FINGERPRINT_TEXT);
}

static void describe_trace(struct gt_case *c, const struct entry *entry, const struct about *about,
                           struct gt_finding *finding)
{
    const struct gt_trace *trace = entry->trace;
    enum gt_lang lang = c->ruleset->lang == GT_FRENCH ? GT_FRENCH : GT_ENGLISH;
    finding->rule = traces[entry->term->kind].rule;
    finding->title = traces[entry->term->kind].title[lang];
    finding->category = "brand";
    finding->confidence = traces[entry->term->kind].confidence;
    finding->remediation = trace_advice[lang];
    finding->preview = entry->term->text;
    finding->context = trace->context;
    if (entry->nearness == GT_NEAR_TITLE && about->title)
        finding->context = clean_text(c->arena, about->title);
    finding->line = trace->line;
    finding->column = trace->column;
    finding->decoded_via = show_via(c, trace->via);
    fingerprint_trace(c, entry->brand, finding->fingerprint);
}

static void fill_document(const struct gt_case *c, const struct about *about,
                          struct gt_finding *finding)
{
    const struct gt_document *document = c->document;
    finding->document = document->id;
    finding->source = document->source;
    finding->url = about->url;
    finding->document_title = about->title;
    finding->author = about->author;
    finding->published_ms = document->published_ms;
    finding->fetched_ms = document->fetched_ms;
    finding->detected_ms = c->now_ms;
}

static int tell(struct gt_case *c, const struct entry *entry, const struct about *about)
{
    struct gt_str secret = entry->record ? entry->record->secret : (struct gt_str){0};
    if (entry->record && entry->record->stands)
        secret.ptr = entry->record->stands;
    struct gt_evidence evidence = {
        .candidate = entry->record ? &entry->record->candidate : NULL,
        .secret = secret,
        .now_ms = c->now_ms,
        .term = entry->term,
        .brand = entry->brand,
        .nearness = entry->nearness,
        .owned = entry->owned,
    };
    struct gt_score score;
    struct gt_finding finding = {.brand = entry->brand};
    if (c->told >= c->ruleset->findings) {
        c->summary.gave_up = true;
        return 0;
    }
    if (gt_score(&evidence, c->ruleset->lang, c->arena, &score) < 0)
        return gt_fail(c->err, GT_E_LIMIT, "the document needs too much memory to be judged");
    finding.score = score.score;
    finding.severity = score.severity;
    finding.reasons = score.reasons;
    fill_document(c, about, &finding);
    if (entry->record)
        describe_credential(c, entry, about, &finding);
    else
        describe_trace(c, entry, about, &finding);
    gt_finding_identify(&finding);
    c->told++;
    c->summary.findings++;
    return c->sink(c->user, &finding, secret);
}

static int tell_record(struct gt_case *c, const struct gt_record *record, const struct about *about)
{
    const struct gt_brands *brands = &c->ruleset->brands;
    const struct gt_document *document = c->document;
    size_t count = 0;
    int rc = 0;
    for (size_t i = 0; i < brands->count && rc >= 0; i++) {
        struct gt_named named = named_for(c, record, i);
        bool owned = owns(document, brands->names[i]);
        struct entry entry = {.record = record,
                              .term = named.term,
                              .brand = brands->names[i],
                              .owned = owned,
                              .nearness = named.nearness};
        count += named.term || owned;
        if (named.term || owned)
            rc = tell(c, &entry, about);
    }
    bool stranger = document->owned && document->brand && !is_known(brands, document->brand);
    bool counts = stranger || document->owned || c->ruleset->without_brand;
    if (rc < 0 || (!stranger && (count > 0 || !counts)))
        return rc;
    struct entry entry = {
        .record = record, .brand = stranger ? document->brand : NULL, .owned = document->owned};
    return tell(c, &entry, about);
}

static int redact_about(struct gt_case *c, struct about *about)
{
    const struct gt_document *document = c->document;
    const struct {
        const char *from, **to;
    } rows[] = {
        {document->title, &about->title},
        {document->author, &about->author},
        {document->url, &about->url},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *rows[i].to =
            rows[i].from ? gt_redacted(c->arena, c->secrets, c->secret_count, rows[i].from) : NULL;
        if (rows[i].from && !*rows[i].to)
            return gt_fail(c->err, GT_E_LIMIT, "the document needs too much memory to be judged");
    }
    return 0;
}

/* Memory is given back; of a stream, what was told does not count any more. */
static void forget_records(struct gt_case *c)
{
    c->records = NULL;
    c->secrets = NULL;
    c->record_count = c->record_capacity = c->secret_count = c->secret_capacity = 0;
    c->told = 0;
    gt_arena_reset(c->arena);
}

int gt_tell(struct gt_case *c)
{
    struct about about = {0};
    int rc = c->record_count > 0 ? redact_about(c, &about) : 0;
    for (size_t i = 0; i < c->record_count && rc >= 0; i++)
        if (!c->records[i].dropped)
            rc = tell_record(c, &c->records[i], &about);
    if (c->streaming)
        forget_records(c);
    return rc < 0 ? rc : 0;
}

static int by_place(const void *a, const void *b)
{
    const struct gt_trace *x = *(const struct gt_trace *const *)a;
    const struct gt_trace *y = *(const struct gt_trace *const *)b;
    if (x->text != y->text)
        return x->text < y->text ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Where a brand is named but no credential stands, that alone is a finding. */
static int tell_traces(struct gt_case *c)
{
    const struct gt_brands *brands = &c->ruleset->brands;
    const struct gt_trace **order = gt_arena_array(c->arena, brands->count + 1, sizeof *order);
    struct about about = {0};
    size_t count = 0;
    for (size_t i = 0; order && i < brands->count; i++)
        if (c->brands[i].gravest)
            order[count++] = &c->brands[i];
    if (c->credentials || count == 0)
        return 0;
    qsort(order, count, sizeof *order, by_place);
    int rc = redact_about(c, &about);
    for (size_t i = 0; i < count && rc >= 0; i++) {
        struct entry entry = {.trace = order[i],
                              .term = order[i]->gravest,
                              .brand = brands->names[order[i] - c->brands],
                              .nearness = order[i]->in_title ? GT_NEAR_TITLE : GT_NEAR_DOCUMENT};
        rc = tell(c, &entry, &about);
    }
    return rc;
}

/* ---- a document ---- */

static int append_about(struct gt_buffer *out, const char *text)
{
    if (text) {
        gt_buffer_append(out, text, strnlen(text, GT_ABOUT_MAX));
        gt_buffer_putc(out, '\n');
    }
    return gt_buffer_ok(out) ? 0 : GT_E_NOMEM;
}

static int judge(struct gt_case *c, struct gt_source *source)
{
    static const struct gt_layer document = {0};
    if (append_about(&c->about, c->document->title) ||
        append_about(&c->about, c->document->author) || append_about(&c->about, c->document->url))
        return gt_fail(c->err, GT_E_NOMEM, "out of memory for a document");
    c->started_ms = gt_monotonic();
    c->scratch->began_ms = c->streaming ? 0 : c->started_ms;
    int rc = gt_dig(c, &document, source);
    c->scratch->began_ms = 0;
    if (rc >= 0)
        rc = gt_tell(c);
    return rc < 0 ? rc : tell_traces(c);
}

static int match(struct gt_scratch *scratch, const struct gt_document *document, int64_t now_ms,
                 struct gt_source *source, gt_finding_sink *sink, void *user,
                 struct gt_match_summary *ret_summary, struct gt_error *err)
{
    struct gt_case *c = scratch->judging;
    c->scratch = scratch;
    c->document = document;
    c->now_ms = now_ms;
    c->sink = sink;
    c->user = user;
    c->err = err;
    c->summary = (struct gt_match_summary){0};
    int rc = judge(c, source);
    if (rc >= 0)
        *ret_summary = c->summary;
    gt_case_end(c);
    return rc;
}

int gt_match(const struct gt_ruleset *ruleset, struct gt_scratch *scratch,
             const struct gt_document *document, int64_t now_ms, gt_finding_sink *sink, void *user,
             struct gt_match_summary *ret_summary, struct gt_error *err)
{
    size_t most = ruleset->document_bytes;
    struct gt_source source = {.bytes = document->body_len > 0 ? document->body : "",
                               .len = document->body_len < most ? document->body_len : most,
                               .whole = true};
    scratch->judging->streaming = false;
    scratch->judging->taken = source.len;
    struct gt_match_summary summary;
    int rc = match(scratch, document, now_ms, &source, sink, user, &summary, err);
    if (rc < 0)
        return rc;
    summary.cut = document->body_len > most;
    *ret_summary = summary;
    return 0;
}

/* ---- a document that is read ---- */

struct stream {
    struct gt_source source;
    const struct gt_reader *reader;
    struct gt_case *c;
};

static ssize_t read_stream(struct gt_source *source, void *to, size_t len)
{
    struct stream *stream = (struct stream *)source;
    ssize_t got = stream->reader->read(stream->reader->user, to, len);
    stream->c->taken += got > 0 ? (uint64_t)got : 0;
    return got;
}

static int64_t seek_stream(struct gt_source *source, int64_t offset, int whence)
{
    struct stream *stream = (struct stream *)source;
    return stream->reader->seek(stream->reader->user, offset, whence);
}

int gt_match_stream(const struct gt_ruleset *ruleset, struct gt_scratch *scratch,
                    const struct gt_document *document, const struct gt_reader *reader,
                    int64_t now_ms, gt_finding_sink *sink, void *user,
                    struct gt_match_summary *ret_summary, struct gt_error *err)
{
    struct stream stream = {
        .source = {.read = read_stream, .seek = reader->seek ? seek_stream : NULL},
        .reader = reader,
        .c = scratch->judging};
    scratch->judging->streaming = true;
    scratch->judging->taken = 0;
    return match(scratch, document, now_ms, &stream.source, sink, user, ret_summary, err);
}

struct gt_str gt_match_window(const struct gt_scratch *scratch)
{
    return scratch->judging->window;
}

/* ---- its memory ---- */

#define ARENA_MAX ((size_t)256 * 1024 * 1024)
#define TRACES_MAX ((size_t)16 * 1024 * 1024)
#define KEPT_BYTES ((size_t)1024 * 1024) /* of a buffer, from one document to the next */
#define SEEN_BYTES ((size_t)65536 * sizeof(uint64_t))

struct gt_case *gt_case_new(const struct gt_ruleset *ruleset)
{
    struct gt_case *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ruleset = ruleset;
    c->arena = gt_arena_new(ARENA_MAX);
    c->traces = gt_arena_new(TRACES_MAX);
    c->brands = calloc(ruleset->brands.count + 1, sizeof *c->brands);
    c->about = GT_BUFFER(3 * (GT_ABOUT_MAX + 1));
    for (size_t i = 0; i <= GT_DEPTH_MAX; i++) {
        c->levels[i].window = GT_BUFFER(GT_SCAN_WINDOW);
        c->levels[i].derived.decoded.bytes = GT_BUFFER(GT_DECODED_MAX);
    }
    if (c->arena && c->traces && c->brands)
        return c;
    gt_case_free(c);
    return NULL;
}

static void end_level(struct gt_depth *level, size_t keep)
{
    struct gt_derived *derived = &level->derived;
    if (level->window.capacity > keep) {
        gt_buffer_free(&level->window);
        level->window = GT_BUFFER(GT_SCAN_WINDOW);
    }
    if (derived->decoded.bytes.capacity > keep ||
        derived->decoded.mark_capacity * sizeof(struct gt_mark) > keep)
        gt_decoded_free(&derived->decoded);
    derived->count = 0;
}

void gt_case_end(struct gt_case *c)
{
    /* One window is kept: the next file needs it, too. */
    end_level(&c->levels[0], c->streaming ? GT_SCAN_WINDOW : KEPT_BYTES);
    for (size_t i = 1; i <= GT_DEPTH_MAX; i++)
        end_level(&c->levels[i], KEPT_BYTES);
    gt_buffer_reset(&c->about);
    gt_buffer_free(&c->joined);
    c->joined = GT_BUFFER(0);
    forget_records(c);
    gt_arena_reset(c->traces);
    memset(c->brands, 0, c->ruleset->brands.count * sizeof *c->brands);
    if (c->seen_count > 0)
        memset(c->seen, 0, SEEN_BYTES);
    c->seen_count = 0;
    c->decoded = 0;
    c->window = (struct gt_str){0};
    c->texts = 0;
    c->stopped = c->credentials = false;
}

void gt_case_free(struct gt_case *c)
{
    if (!c)
        return;
    for (size_t i = 0; i <= GT_DEPTH_MAX; i++) {
        gt_buffer_free(&c->levels[i].window);
        gt_decoded_free(&c->levels[i].derived.decoded);
        free(c->levels[i].derived.segments);
    }
    gt_buffer_free(&c->about);
    gt_buffer_free(&c->joined);
    gt_arena_free(c->arena);
    gt_arena_free(c->traces);
    free(c->seen);
    free(c->brands);
    free(c);
}
