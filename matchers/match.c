#include "matchers/matchers.h"

#include "matchers/redact.h"
#include "matchers/scan.h"
#include "matchers/scoring.h"

#include <stdlib.h>
#include <string.h>

/* What a document says of itself. A secret may stand there, too. */
struct about {
    const char *title, *author, *url; /* NULL: none */
};

/* A finding to be told: a credential, or a trace alone, for one brand or none. */
struct entry {
    const struct gt_candidate *candidate; /* NULL: a trace */
    const struct gt_mention *mention;     /* the trace, or the mention nearest to the credential */
    const char *brand;                    /* NULL: none */
    bool owned;
    enum gt_nearness nearness;
    size_t place;
};

struct entries {
    struct entry *items;
    size_t count, capacity;
};

struct telling {
    struct gt_scratch *scratch;
    const struct gt_document *document;
    int64_t now_ms;
    gt_finding_sink *sink;
    void *user;
    struct about about; /* redacted */
    /* Line and column go forward with the findings. */
    size_t start; /* of the body in the text that was scanned */
    size_t offset, line_start;
    unsigned line;
};

/* With its line's end. */
static size_t about_length(const char *text)
{
    return text ? strnlen(text, GT_ABOUT_MAX) + 1 : 0;
}

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
    if (!mention)
        return GT_NEAR_NOT;
    if (mention->start == GT_IN_TITLE)
        return GT_NEAR_TITLE;
    if (distance(mention, place) > GT_NEAR_BYTES)
        return GT_NEAR_DOCUMENT;
    size_t from = mention->end <= place.start ? mention->end : place.end;
    size_t to = mention->end <= place.start ? place.start : mention->start;
    bool same = from >= to || !memchr(scratch->body + from, '\n', to - from);
    return same ? GT_NEAR_LINE : GT_NEAR_LINES;
}

static struct entry *new_entry(struct gt_scratch *scratch, struct entries *entries)
{
    if (entries->count >= scratch->ruleset->findings) {
        scratch->gave_up = true;
        return NULL;
    }
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity ? 2 * entries->capacity : 16;
        struct entry *more = gt_arena_grow(scratch->arena, entries->items,
                                           entries->count * sizeof *more, capacity * sizeof *more);
        if (!more) {
            scratch->gave_up = true;
            return NULL;
        }
        entries->items = more;
        entries->capacity = capacity;
    }
    return &entries->items[entries->count++];
}

static void add_for_brand(struct gt_scratch *scratch, struct entries *entries,
                          const struct gt_candidate *candidate, size_t brand, bool owned)
{
    const struct gt_mention *mention = nearest(&scratch->mentions[brand], candidate->secret);
    struct entry *entry = mention || owned ? new_entry(scratch, entries) : NULL;
    if (entry)
        *entry = (struct entry){.candidate = candidate,
                                .mention = mention,
                                .brand = scratch->ruleset->brands.names[brand],
                                .owned = owned,
                                .nearness = nearness_of(scratch, mention, candidate->secret),
                                .place = candidate->secret.start};
}

static void add_credential(struct gt_scratch *scratch, const struct gt_document *document,
                           struct entries *entries, const struct gt_candidate *candidate)
{
    const struct gt_brands *brands = &scratch->ruleset->brands;
    size_t before = entries->count;
    for (size_t i = 0; i < brands->count; i++)
        add_for_brand(scratch, entries, candidate, i, owns(document, brands->names[i]));
    bool stranger = document->owned && document->brand && !is_known(brands, document->brand);
    bool counts = stranger || document->owned || scratch->ruleset->without_brand;
    if (!stranger && (entries->count > before || !counts))
        return;
    struct entry *entry = new_entry(scratch, entries);
    if (entry)
        *entry = (struct entry){.candidate = candidate,
                                .brand = stranger ? document->brand : NULL,
                                .owned = document->owned,
                                .place = candidate->secret.start};
}

/* ---- traces ---- */

static const struct gt_mention *worst(const struct gt_scratch *scratch,
                                      const struct gt_mentions *mentions)
{
    const struct gt_term *terms = scratch->ruleset->brands.terms;
    const struct gt_mention *best = NULL;
    for (size_t i = 0; i < mentions->count; i++)
        if (!best || terms[mentions->items[i].term].severity > terms[best->term].severity)
            best = &mentions->items[i];
    return best;
}

static void add_traces(struct gt_scratch *scratch, struct entries *entries)
{
    for (size_t i = 0; i < scratch->ruleset->brands.count; i++) {
        const struct gt_mention *mention = worst(scratch, &scratch->mentions[i]);
        struct entry *entry = mention ? new_entry(scratch, entries) : NULL;
        if (!entry)
            continue;
        bool title = mention->start == GT_IN_TITLE;
        *entry = (struct entry){.mention = mention,
                                .brand = scratch->ruleset->brands.names[i],
                                .nearness = title ? GT_NEAR_TITLE : GT_NEAR_DOCUMENT,
                                .place = title ? 0 : mention->start};
    }
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return strcmp(x->brand ? x->brand : "", y->brand ? y->brand : "");
}

static void collect(struct gt_scratch *scratch, const struct gt_document *document,
                    struct entries *entries)
{
    size_t kept = 0;
    for (size_t i = 0; i < scratch->candidate_count; i++) {
        kept += !scratch->candidates[i].dropped;
        if (!scratch->candidates[i].dropped)
            add_credential(scratch, document, entries, &scratch->candidates[i]);
    }
    if (kept == 0)
        add_traces(scratch, entries);
    if (entries->count > 1)
        qsort(entries->items, entries->count, sizeof *entries->items, by_place);
}

/* ---- telling ---- */

/* What stands in the title, author or address counts as the start of the document. */
static void go_to(struct telling *telling, size_t offset)
{
    if (offset < telling->start)
        return;
    const char *body = telling->scratch->body, *at = body + telling->offset, *end = body + offset;
    for (const char *line; at < end && (line = memchr(at, '\n', (size_t)(end - at)));
         at = line + 1) {
        telling->line++;
        telling->line_start = (size_t)(line + 1 - body);
    }
    telling->offset = offset;
}

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
static void fingerprint_trace(const struct telling *telling, const struct entry *entry,
                              char ret_text[GT_FINGERPRINT_TEXT])
{
    const struct gt_part parts[] = {gt_part(entry->brand), gt_part(telling->document->source),
                                    gt_part(telling->document->key)};
    char id[GT_ID_TEXT];
    gt_id_make("trace", parts, sizeof parts / sizeof *parts, id);
    gt_fingerprint(&telling->scratch->ruleset->key, id, strlen(id), ret_text);
}

static const char *clean_text(struct gt_arena *arena, const char *text)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4096);
    gt_utf8_append_clean(&out, text, strnlen(text, 200));
    return gt_buffer_ok(&out) && out.data ? gt_arena_memdup(arena, out.data, out.len) : NULL;
}

/* The redacted text beside the body in which a finding stands. */
static const char *about_of(const struct telling *telling, size_t place)
{
    const struct gt_document *document = telling->document;
    size_t title = about_length(document->title), author = about_length(document->author);
    if (place < title)
        return telling->about.title;
    return place < title + author ? telling->about.author : telling->about.url;
}

static void describe_credential(const struct telling *telling, const struct entry *entry,
                                struct gt_finding *finding)
{
    const struct gt_scratch *scratch = telling->scratch;
    const struct gt_rule *rule = entry->candidate->rule;
    struct gt_span span = entry->candidate->secret;
    struct gt_str secret = {scratch->body + span.start, span.end - span.start};
    enum gt_lang lang = scratch->ruleset->lang;
    finding->rule = rule->id;
    finding->title = gt_words_in(&rule->name, lang);
    finding->provider = rule->provider;
    finding->category = gt_category_names[rule->category];
    finding->confidence = (enum gt_confidence)entry->candidate->confidence;
    finding->remediation = gt_words_in(&rule->revoke, lang);
    finding->preview = gt_preview(scratch->arena, rule, secret);
    finding->context = span.start < telling->start
                           ? clean_text(scratch->arena, about_of(telling, span.start))
                           : gt_context(scratch, span);
    gt_secret_fingerprint(&scratch->ruleset->key, secret, finding->fingerprint);
}

static void describe_trace(const struct telling *telling, const struct entry *entry,
                           struct gt_finding *finding)
{
    const struct gt_scratch *scratch = telling->scratch;
    const struct gt_term *term = &scratch->ruleset->brands.terms[entry->mention->term];
    enum gt_lang lang = scratch->ruleset->lang == GT_FRENCH ? GT_FRENCH : GT_ENGLISH;
    finding->rule = traces[term->kind].rule;
    finding->title = traces[term->kind].title[lang];
    finding->category = "brand";
    finding->confidence = traces[term->kind].confidence;
    finding->remediation = trace_advice[lang];
    finding->preview = term->text;
    if (entry->nearness != GT_NEAR_TITLE)
        finding->context =
            gt_context(scratch, (struct gt_span){entry->mention->start, entry->mention->end});
    else if (telling->about.title)
        finding->context = clean_text(scratch->arena, telling->about.title);
    fingerprint_trace(telling, entry, finding->fingerprint);
}

static void fill_document(const struct telling *telling, struct gt_finding *finding)
{
    const struct gt_document *document = telling->document;
    finding->document = document->id;
    finding->source = document->source;
    finding->url = telling->about.url;
    finding->document_title = telling->about.title;
    finding->author = telling->about.author;
    finding->published_ms = document->published_ms;
    finding->fetched_ms = document->fetched_ms;
    finding->detected_ms = telling->now_ms;
    finding->line = telling->line;
    finding->column = (unsigned)(telling->offset - telling->line_start + 1);
}

static int tell(struct telling *telling, const struct entry *entry)
{
    struct gt_scratch *scratch = telling->scratch;
    const struct gt_term *terms = scratch->ruleset->brands.terms;
    struct gt_evidence evidence = {
        .candidate = entry->candidate,
        .term = entry->mention ? &terms[entry->mention->term] : NULL,
        .brand = entry->brand,
        .nearness = entry->nearness,
        .owned = entry->owned,
    };
    struct gt_score score;
    struct gt_finding finding = {.brand = entry->brand};
    if (gt_score(&evidence, scratch->ruleset->lang, scratch->arena, &score) < 0)
        return GT_E_LIMIT;
    finding.score = score.score;
    finding.severity = score.severity;
    finding.reasons = score.reasons;
    go_to(telling, entry->place);
    fill_document(telling, &finding);
    if (entry->candidate)
        describe_credential(telling, entry, &finding);
    else
        describe_trace(telling, entry, &finding);
    gt_finding_identify(&finding);
    struct gt_str secret = {0};
    if (entry->candidate)
        secret = (struct gt_str){scratch->body + entry->candidate->secret.start,
                                 entry->candidate->secret.end - entry->candidate->secret.start};
    return telling->sink(telling->user, &finding, secret);
}

/* ---- what a document says of itself ---- */

static int append_about(struct gt_buffer *out, const char *text)
{
    if (text) {
        gt_buffer_append(out, text, about_length(text) - 1);
        gt_buffer_putc(out, '\n');
    }
    return gt_buffer_ok(out) ? 0 : GT_E_NOMEM;
}

/* Scans what the document says of itself and, when a secret stands there, goes on as if that were
 * its first lines; they are seldom, so that a body is seldom copied. */
static int scan(struct telling *telling, struct gt_buffer *text, struct gt_error *err)
{
    const struct gt_document *document = telling->document;
    size_t most = telling->scratch->ruleset->document_bytes;
    size_t len = document->body_len < most ? document->body_len : most;
    if (append_about(text, document->title) || append_about(text, document->author) ||
        append_about(text, document->url))
        return gt_fail(err, GT_E_NOMEM, "out of memory for a document");
    int rc = text->len > 0 ? gt_scan(telling->scratch, text->data, text->len, err) : 0;
    bool plain = text->len == 0 || telling->scratch->candidate_count == 0;
    if (rc < 0 || plain)
        return rc < 0 ? rc : gt_scan(telling->scratch, len > 0 ? document->body : "", len, err);
    telling->start = telling->offset = telling->line_start = text->len;
    gt_buffer_append(text, document->body, len);
    return gt_buffer_ok(text) ? gt_scan(telling->scratch, text->data, text->len, err)
                              : gt_fail(err, GT_E_NOMEM, "out of memory for a document");
}

static int redact_about(struct telling *telling, struct gt_error *err)
{
    const struct gt_document *document = telling->document;
    const struct {
        const char *from, **to;
    } rows[] = {
        {document->title, &telling->about.title},
        {document->author, &telling->about.author},
        {document->url, &telling->about.url},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *rows[i].to = rows[i].from ? gt_redacted(telling->scratch, rows[i].from) : NULL;
        if (rows[i].from && !*rows[i].to)
            return gt_fail(err, GT_E_LIMIT, "the document needs too much memory to be judged");
    }
    return 0;
}

static int judge(struct telling *telling, struct entries *entries, struct gt_buffer *text,
                 struct gt_error *err)
{
    struct gt_scratch *scratch = telling->scratch;
    int rc = scan(telling, text, err);
    if (rc < 0)
        return rc;
    gt_scan_title(scratch, telling->document->title);
    gt_scan_title(scratch, telling->document->author);
    rc = gt_resolve(scratch, err);
    if (rc < 0)
        return rc;
    collect(scratch, telling->document, entries);
    return entries->count > 0 ? redact_about(telling, err) : 0;
}

int gt_match(const struct gt_ruleset *ruleset, struct gt_scratch *scratch,
             const struct gt_document *document, int64_t now_ms, gt_finding_sink *sink, void *user,
             struct gt_match_summary *ret_summary, struct gt_error *err)
{
    struct telling telling = {.scratch = scratch,
                              .document = document,
                              .now_ms = now_ms,
                              .sink = sink,
                              .user = user,
                              .line = 1};
    struct entries entries = {0};
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(3 * (GT_ABOUT_MAX + 1) + document->body_len);
    int rc = judge(&telling, &entries, &text, err);
    for (size_t i = 0; i < entries.count && rc >= 0; i++)
        rc = tell(&telling, &entries.items[i]);
    if (rc < 0)
        return rc;
    *ret_summary = (struct gt_match_summary){.findings = entries.count,
                                             .cut = document->body_len > ruleset->document_bytes,
                                             .gave_up = scratch->gave_up,
                                             .cut_rule = scratch->cut_rule};
    return 0;
}
