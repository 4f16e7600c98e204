#include "matchers/ruleset.h"

#include "matchers/loosen.h"
#include "matchers/scan.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)512 * 1024 * 1024)
#define DATABASE_FORMAT "6" /* goes up when needles or notes change their meaning */
#define WARNINGS_MAX 100
/* What is learnt of a probe when the database is built, and kept with it. */
enum note_state {
    NOTE_FOUND,   /* Vectorscan leads to it */
    NOTE_ALONE,   /* it does not lead to an example */
    NOTE_REMOVED, /* it does not take the pattern */
};
struct note {
    uint32_t state;
    uint32_t before;      /* struct gt_probe's */
    uint32_t least, most; /* of the needle of a pattern; most UINT32_MAX: unbounded */
};

extern const struct gt_embedded gt_builtin_rules[];

void gt_ruleset_warn(struct gt_ruleset *ruleset, const char *format, ...)
{
    if (ruleset->warning_count >= WARNINGS_MAX)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t size = ruleset->warning_count * sizeof *ruleset->warnings;
    const char **more = gt_arena_grow(ruleset->arena, ruleset->warnings, size, size + sizeof *more);
    char *copy = gt_arena_strdup(ruleset->arena, text);
    if (!more || !copy)
        return;
    more[ruleset->warning_count++] = copy;
    ruleset->warnings = more;
}

/* ---- rules and probes ---- */

static int load_rules(struct gt_ruleset *ruleset, const struct gt_ruleset_settings *settings,
                      struct gt_mistakes *mistakes, struct gt_error *err)
{
    int rc = 0;
    const struct gt_embedded *file = settings->without_builtin ? NULL : gt_builtin_rules;
    for (; file && file->name && rc >= 0; file++)
        rc = gt_rules_parse(&ruleset->rules, file->name, (const char *)file->bytes, file->len,
                            mistakes, err);
    const char *const *directory = settings->directories;
    for (; directory && *directory && rc >= 0; directory++)
        rc = gt_rules_load(&ruleset->rules, *directory, mistakes, err);
    if (rc < 0)
        return rc;
    gt_rules_link(&ruleset->rules, mistakes);
    if (mistakes->count > 0)
        return gt_fail(err, GT_E_INVALID, "%zu %s in the rule files; the first: %s",
                       mistakes->count, mistakes->count == 1 ? "mistake" : "mistakes",
                       mistakes->items[0].text);
    return gt_rules_compile(&ruleset->rules, err);
}

static int make_probes(struct gt_ruleset *ruleset, struct gt_error *err)
{
    size_t most = ruleset->rules.count + ruleset->brands.term_count;
    ruleset->probes = gt_arena_array(ruleset->arena, most + 1, sizeof *ruleset->probes);
    if (!ruleset->probes)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the rules");
    for (size_t i = 0; i < ruleset->rules.count; i++) {
        const struct gt_rule *rule = &ruleset->rules.items[i];
        ruleset->probes[ruleset->probe_count++] =
            (struct gt_probe){.regex = rule->regex, .pattern = rule->pattern, .rule = rule};
    }
    for (size_t i = 0; i < ruleset->brands.term_count; i++) {
        const struct gt_term *term = &ruleset->brands.terms[i];
        if (term->kind == GT_TERM_PATTERN)
            ruleset->probes[ruleset->probe_count++] = (struct gt_probe){
                .regex = term->regex, .pattern = term->pattern, .term = (uint32_t)i};
    }
    return 0;
}

static const char *probe_name(const struct gt_ruleset *ruleset, size_t probe)
{
    const struct gt_probe *p = &ruleset->probes[probe];
    return p->rule ? p->rule->id : ruleset->brands.terms[p->term].text;
}

static void leave_alone(struct gt_ruleset *ruleset, size_t probe, const char *why)
{
    ruleset->probes[probe].alone = true;
    gt_ruleset_warn(ruleset,
                    "%s: %s, so that PCRE2 alone reads every document for it, which is slow; give "
                    "it keywords or simplify its pattern",
                    probe_name(ruleset, probe), why);
}

static int add_keywords(struct gt_ruleset *ruleset, const struct gt_rule *rule, uint32_t index,
                        struct gt_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < rule->keywords.count && rc >= 0; i++) {
        const char *text = GT_RULE_STRING(rule->keywords, i);
        rc = gt_needles_add_literal(&ruleset->plain, GT_NEEDLE_TRIGGER, text, strlen(text), false,
                                    index, err);
    }
    return rc;
}

static int add_words(struct gt_ruleset *ruleset, const struct gt_rule *rule, uint32_t index,
                     struct gt_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < rule->after.count && rc >= 0; i++)
        rc = gt_needles_add_word(
            &ruleset->plain, gt_after_expression(ruleset->arena, GT_RULE_STRING(rule->after, i)),
            index, err);
    return rc;
}

static int probe_needles(struct gt_ruleset *ruleset, size_t index, struct gt_error *err)
{
    const struct gt_probe *probe = &ruleset->probes[index];
    const struct gt_rule *rule = probe->rule;
    if (rule && rule->pair.rule)
        return 0; /* the other rule leads to it */
    if (rule && rule->keywords.count > 0)
        return add_keywords(ruleset, rule, (uint32_t)index, err);
    if (rule && rule->after.count > 0)
        return add_words(ruleset, rule, (uint32_t)index, err);
    return gt_needles_add_pattern(&ruleset->plain, probe->pattern, (uint32_t)index, err);
}

static int make_needles(struct gt_ruleset *ruleset, struct gt_error *err)
{
    ruleset->plain.arena = ruleset->folded.arena = ruleset->arena;
    int rc = gt_brands_needles(&ruleset->brands, &ruleset->plain, &ruleset->folded, err);
    for (size_t i = 0; i < ruleset->probe_count && rc >= 0; i++)
        rc = probe_needles(ruleset, i, err);
    return rc;
}

/* ---- databases ---- */

/* Everything the compiled databases and their notes come from. */
static int cache_path(struct gt_ruleset *ruleset, const char *directory, const char **ret_path)
{
    const struct gt_needles *sets[] = {&ruleset->plain, &ruleset->folded};
    size_t texts = ruleset->rules.texts.count, count = 0;
    size_t most = texts + 2 * (ruleset->plain.count + ruleset->folded.count) + 3;
    struct gt_part *parts = gt_arena_array(ruleset->arena, most, sizeof *parts);
    if (!parts)
        return GT_E_NOMEM;
    parts[count++] = gt_part(DATABASE_FORMAT);
    for (size_t i = 0; i < texts; i++)
        parts[count++] = *GT_LIST_ITEM(ruleset->rules.texts, struct gt_part, i);
    for (size_t s = 0; s < 2; s++) {
        parts[count++] = gt_part(s == 0 ? "plain" : "folded");
        for (size_t i = 0; i < sets[s]->count; i++) {
            const struct gt_needle *needle = &sets[s]->items[i];
            parts[count++] = gt_part(needle->expression);
            parts[count++] = (struct gt_part){&needle->flags, sizeof needle->flags};
        }
    }
    return gt_cache_path(directory, parts, count, ruleset->arena, ret_path);
}

/* ---- notes ---- */

static void remove_needle(struct gt_ruleset *ruleset, size_t index, struct note *notes,
                          const char *why)
{
    const struct gt_needle *needle = &ruleset->plain.items[index];
    for (size_t i = 0; i < needle->target_count; i++) {
        leave_alone(ruleset, needle->targets[i], why);
        notes[needle->targets[i]].state = NOTE_REMOVED;
    }
    gt_needles_remove(&ruleset->plain, index);
}

static uint32_t learn_before(struct gt_arena *arena, const struct gt_rule *rule)
{
    size_t before = gt_pattern_before(arena, rule->pattern, &rule->keywords);
    if (before == SIZE_MAX)
        before = gt_pattern_width(arena, rule->pattern);
    return (uint32_t)(before < GT_BEFORE_MAX ? before : GT_BEFORE_MAX);
}

/* The slow part, once: how long may the matches be, and does Vectorscan take the patterns at all?
 */
static void learn(struct gt_ruleset *ruleset, struct note *notes)
{
    for (size_t i = 0; i < ruleset->rules.count; i++) {
        const struct gt_rule *rule = &ruleset->rules.items[i];
        notes[i].before = rule->keywords.count > 0 ? learn_before(ruleset->arena, rule) : 0;
        ruleset->probes[i].before = notes[i].before;
        if (rule->after.count > 0)
            rule->after_words->least = notes[i].least =
                (uint32_t)gt_pattern_least(ruleset->arena, rule->pattern);
    }
    for (size_t i = ruleset->plain.count; i-- > 0;) {
        struct gt_needle *needle = &ruleset->plain.items[i];
        if (needle->kind != GT_NEEDLE_PATTERN)
            continue;
        if (gt_needle_inspect(needle) < 0) {
            remove_needle(ruleset, i, notes, "Vectorscan cannot look for its pattern");
            continue;
        }
        for (size_t k = 0; k < needle->target_count; k++) {
            notes[needle->targets[k]].least = (uint32_t)needle->least;
            notes[needle->targets[k]].most =
                needle->most < UINT32_MAX ? (uint32_t)needle->most : UINT32_MAX;
        }
    }
}

static void apply_to_needle(struct gt_ruleset *ruleset, size_t index, struct note *notes)
{
    struct gt_needle *needle = &ruleset->plain.items[index];
    const struct note *note = &notes[needle->targets[0]];
    if (note->state == NOTE_REMOVED) {
        remove_needle(ruleset, index, notes, "Vectorscan does not take its pattern");
        return;
    }
    needle->least = note->least;
    needle->most = note->most == UINT32_MAX ? SIZE_MAX : note->most;
}

static void apply_notes(struct gt_ruleset *ruleset, struct note *notes)
{
    for (size_t i = ruleset->plain.count; i-- > 0;)
        if (ruleset->plain.items[i].kind == GT_NEEDLE_PATTERN)
            apply_to_needle(ruleset, i, notes);
    for (size_t i = 0; i < ruleset->probe_count; i++) {
        const struct gt_rule *rule = ruleset->probes[i].rule;
        ruleset->probes[i].before = notes[i].before;
        if (rule && rule->after.count > 0)
            rule->after_words->least = notes[i].least;
        if (notes[i].state == NOTE_ALONE)
            leave_alone(ruleset, i, "Vectorscan or its keywords miss an example of it");
    }
}

static int read_databases(struct gt_ruleset *ruleset, const char *path, struct note *notes)
{
    struct gt_cached cached;
    size_t size = ruleset->probe_count * sizeof *notes;
    if (gt_cache_read(path, ruleset->arena, &cached) < 0)
        return GT_E_NOTFOUND;
    if (cached.notes.len != size) {
        hs_free_database(cached.plain);
        hs_free_database(cached.folded);
        return GT_E_NOTFOUND;
    }
    memcpy(notes, cached.notes.ptr, size);
    ruleset->plain_database = cached.plain;
    ruleset->folded_database = cached.folded;
    apply_notes(ruleset, notes);
    return 0;
}

/* A pattern that Vectorscan refuses when it compiles all is taken out, and the rest compiled again.
 */
static int compile_plain(struct gt_ruleset *ruleset, struct note *notes, struct gt_error *err)
{
    for (;;) {
        size_t bad = 0;
        int rc = gt_database_compile(&ruleset->plain, &ruleset->plain_database, &bad, err);
        if (rc != GT_E_INVALID || ruleset->plain.items[bad].kind != GT_NEEDLE_PATTERN)
            return rc;
        remove_needle(ruleset, bad, notes, "Vectorscan does not compile its pattern");
    }
}

static void find_alone(struct gt_ruleset *ruleset)
{
    ruleset->has_alone = false;
    for (size_t i = 0; i < ruleset->probe_count; i++)
        ruleset->has_alone |= ruleset->probes[i].alone;
}

static int build_databases(struct gt_ruleset *ruleset, struct note *notes, struct gt_error *err)
{
    size_t bad;
    learn(ruleset, notes);
    int rc = compile_plain(ruleset, notes, err);
    if (rc >= 0)
        rc = gt_database_compile(&ruleset->folded, &ruleset->folded_database, &bad, err);
    find_alone(ruleset);
    if (rc >= 0)
        rc = gt_ruleset_fall_back(ruleset, err);
    for (size_t i = 0; i < ruleset->probe_count; i++)
        if (ruleset->probes[i].alone && notes[i].state == NOTE_FOUND)
            notes[i].state = NOTE_ALONE;
    return rc;
}

static void write_databases(struct gt_ruleset *ruleset, const char *path, const struct note *notes)
{
    struct gt_cached cached = {
        ruleset->plain_database,
        ruleset->folded_database,
        {(const char *)notes, ruleset->probe_count * sizeof *notes},
    };
    struct gt_error why;
    if (gt_cache_write(path, &cached, &why) < 0)
        gt_ruleset_warn(ruleset, "compiled rules are not kept: %s", why.message);
}

/* NULL: none, with a warning when one was asked for. */
static const char *find_cache(struct gt_ruleset *ruleset, const char *directory)
{
    const char *path = NULL;
    struct gt_error why = {.message = "out of memory"};
    if (!directory)
        return NULL;
    if (gt_directory_make(directory, 0700, &why) < 0 || cache_path(ruleset, directory, &path) < 0)
        gt_ruleset_warn(ruleset, "compiled rules are not kept: %s", why.message);
    return path;
}

static int make_databases(struct gt_ruleset *ruleset, const char *directory, struct gt_error *err)
{
    const char *path = find_cache(ruleset, directory);
    struct note *notes = gt_arena_array(ruleset->arena, ruleset->probe_count + 1, sizeof *notes);
    if (!notes)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the rules");
    int rc = path ? read_databases(ruleset, path, notes) : GT_E_NOTFOUND;
    if (rc == GT_E_NOTFOUND) {
        rc = build_databases(ruleset, notes, err);
        if (rc >= 0 && path)
            write_databases(ruleset, path, notes);
    }
    find_alone(ruleset);
    for (size_t i = 0; i < ruleset->probe_count; i++)
        if (ruleset->probes[i].alone)
            gt_regex_hasten(ruleset->probes[i].regex);
    return rc;
}

/* ---- open and close ---- */

static void take_settings(struct gt_ruleset *ruleset, const struct gt_ruleset_settings *settings)
{
    ruleset->lang = settings->lang;
    ruleset->key = settings->key;
    ruleset->without_brand = settings->without_brand;
    ruleset->document_bytes =
        settings->document_bytes ? settings->document_bytes : GT_DOCUMENT_BODY_MAX;
    if (ruleset->document_bytes > INT32_MAX)
        ruleset->document_bytes = INT32_MAX; /* hs_scan counts in unsigned int */
    ruleset->document_ms =
        settings->document_ms > 0 ? settings->document_ms : GT_DOCUMENT_MS_DEFAULT;
    ruleset->findings = settings->findings ? settings->findings : GT_FINDINGS_DEFAULT;
    if (ruleset->findings > GT_FINDINGS_MAX)
        ruleset->findings = GT_FINDINGS_MAX;
}

static int open_parts(struct gt_ruleset *ruleset, const struct gt_ruleset_settings *settings,
                      struct gt_mistakes *mistakes, struct gt_error *err)
{
    int rc = load_rules(ruleset, settings, mistakes, err);
    if (rc >= 0)
        rc = gt_brands_open(settings->brands, settings->brand_count, ruleset->arena,
                            &ruleset->brands, err);
    if (rc >= 0)
        rc = make_probes(ruleset, err);
    if (rc >= 0)
        rc = make_needles(ruleset, err);
    return rc < 0 ? rc : make_databases(ruleset, settings->cache, err);
}

int gt_ruleset_open(const struct gt_ruleset_settings *settings, struct gt_ruleset **ret_ruleset,
                    struct gt_mistakes *ret_mistakes, struct gt_error *err)
{
    int rc = gt_database_platform(err);
    if (rc < 0)
        return rc;
    GT_ARENA_AUTO struct gt_arena *own = NULL;
    struct gt_mistakes unseen = {0}, *mistakes = ret_mistakes ? ret_mistakes : &unseen;
    if (!mistakes->arena)
        mistakes->arena = gt_arena_new(ARENA_MAX);
    if (!ret_mistakes)
        own = mistakes->arena;
    struct gt_ruleset *ruleset = calloc(1, sizeof *ruleset);
    struct gt_arena *arena = gt_arena_new(ARENA_MAX);
    if (!ruleset || !arena || !mistakes->arena) {
        free(ruleset);
        gt_arena_free(arena);
        return gt_fail(err, GT_E_NOMEM, "out of memory for the rules");
    }
    ruleset->arena = ruleset->rules.arena = arena;
    take_settings(ruleset, settings);
    rc = open_parts(ruleset, settings, mistakes, err);
    if (rc < 0) {
        gt_ruleset_close(ruleset);
        return rc;
    }
    *ret_ruleset = ruleset;
    return 0;
}

void gt_ruleset_close(struct gt_ruleset *ruleset)
{
    if (!ruleset)
        return;
    hs_free_database(ruleset->plain_database);
    hs_free_database(ruleset->folded_database);
    gt_rules_free(&ruleset->rules);
    gt_brands_close(&ruleset->brands);
    gt_arena_free(ruleset->arena);
    free(ruleset);
}

size_t gt_ruleset_count(const struct gt_ruleset *ruleset)
{
    return ruleset->rules.count;
}

size_t gt_ruleset_warnings(const struct gt_ruleset *ruleset, const char *const **ret_warnings)
{
    *ret_warnings = ruleset->warnings;
    return ruleset->warning_count;
}

int gt_ruleset_info(const struct gt_ruleset *ruleset, size_t index, struct gt_rule_info *ret)
{
    if (index >= ruleset->rules.count)
        return GT_E_NOTFOUND;
    const struct gt_rule *rule = &ruleset->rules.items[index];
    *ret = (struct gt_rule_info){
        .id = rule->id,
        .title = gt_words_in(&rule->name, ruleset->lang),
        .provider = rule->provider,
        .category = gt_category_names[rule->category],
        .severity = gt_severity_name(rule->severity),
        .confidence = gt_confidence_name(rule->confidence),
        .file = rule->file,
        .pattern = rule->pattern,
        .remediation = gt_words_in(&rule->revoke, ruleset->lang),
        .reference = rule->reference.count ? GT_RULE_STRING(rule->reference, 0) : NULL,
    };
    return 0;
}
