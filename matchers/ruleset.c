#include "matchers/ruleset.h"

#include "matchers/loosen.h"
#include "matchers/runs.h"
#include "matchers/scan.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)512 * 1024 * 1024)
#define WARNINGS_MAX 100
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

static int take_texts(struct gt_ruleset *ruleset, const struct gt_ruleset_settings *settings,
                      struct gt_error *err)
{
    int rc = settings->without_builtin ? 0 : gt_rules_take_builtin(&ruleset->rules, err);
    const char *const *directory = settings->directories;
    for (; directory && *directory && rc >= 0; directory++)
        rc = gt_rules_take_folder(&ruleset->rules, *directory, err);
    return rc;
}

static int parse_rules(struct gt_ruleset *ruleset, struct gt_mistakes *mistakes,
                       struct gt_error *err)
{
    int rc = gt_rules_parse_all(&ruleset->rules, mistakes, err);
    if (rc < 0)
        return rc;
    gt_rules_link(&ruleset->rules, mistakes);
    if (mistakes->count > 0)
        return gt_fail(err, GT_E_INVALID, "%zu %s in the rule files; the first: %s",
                       mistakes->count, mistakes->count == 1 ? "mistake" : "mistakes",
                       mistakes->items[0].text);
    return 0;
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

/* Where a pattern or its keywords are looked for. */
static struct gt_needles *set_of(struct gt_ruleset *ruleset, const char *pattern)
{
    struct gt_shape shape;
    gt_pattern_shape(pattern, &shape);
    bool around = gt_shape_in_runs(&shape) && shape.most <= GT_AROUND_RUN;
    return &ruleset->sets[around ? GT_SET_RUNS : GT_SET_PLAIN];
}

static int add_keywords(struct gt_ruleset *ruleset, const struct gt_rule *rule, uint32_t index,
                        struct gt_error *err)
{
    int rc = 0;
    struct gt_needles *needles =
        rule->after_words ? &ruleset->sets[GT_SET_PLAIN] : set_of(ruleset, rule->pattern);
    for (size_t i = 0; i < rule->keywords.count && rc >= 0; i++) {
        const char *text = GT_RULE_STRING(rule->keywords, i);
        rc = gt_needles_add_literal(needles, GT_NEEDLE_TRIGGER, text, strlen(text), false, index,
                                    err);
    }
    return rc;
}

static int add_words(struct gt_ruleset *ruleset, const struct gt_rule *rule, uint32_t index,
                     struct gt_error *err)
{
    bool in_run = gt_shape_in_runs(&rule->after_words->value);
    struct gt_needles *needles = &ruleset->sets[in_run ? GT_SET_WORDS : GT_SET_PLAIN];
    int rc = 0;
    for (size_t i = 0; i < rule->after.count && rc >= 0; i++)
        rc = gt_needles_add_word(needles, GT_RULE_STRING(rule->after, i), index, err);
    return rc;
}

static int add_names(struct gt_ruleset *ruleset, const struct gt_rule *rule, uint32_t index,
                     struct gt_error *err)
{
    bool in_run = false; /* what reads like a random token is a run */
    for (size_t i = 0; i < rule->required_checks.count; i++)
        in_run |= strcmp(GT_RULE_STRING(rule->required_checks, i), "random-token") == 0;
    struct gt_needles *needles = &ruleset->sets[in_run ? GT_SET_WORDS : GT_SET_PLAIN];
    int rc = 0;
    for (size_t i = 0; i < rule->assigned.count && rc >= 0; i++)
        rc = gt_needles_add_name(needles, GT_RULE_STRING(rule->assigned, i), index, err);
    return rc;
}

static int add_pattern(struct gt_ruleset *ruleset, const char *pattern, uint32_t index,
                       struct gt_error *err)
{
    return gt_needles_add_pattern(set_of(ruleset, pattern), pattern, index, err);
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
    if (rule && rule->assigned.count > 0)
        return add_names(ruleset, rule, (uint32_t)index, err);
    return add_pattern(ruleset, probe->pattern, (uint32_t)index, err);
}

static int make_needles(struct gt_ruleset *ruleset, struct gt_error *err)
{
    for (size_t i = 0; i < GT_SETS; i++)
        ruleset->sets[i].arena = ruleset->arena;
    int rc = gt_brands_needles(&ruleset->brands, &ruleset->sets[GT_SET_BRANDS],
                               &ruleset->sets[GT_SET_FOLDED], err);
    for (size_t i = 0; i < ruleset->probe_count && rc >= 0; i++)
        rc = probe_needles(ruleset, i, err);
    return rc;
}

/* ---- open and close ---- */

static void take_settings(struct gt_ruleset *ruleset, const struct gt_ruleset_settings *settings)
{
    ruleset->lang = settings->lang;
    ruleset->key = settings->key;
    ruleset->without_brand = settings->without_brand;
    int depth = settings->decode_depth ? settings->decode_depth : GT_DECODE_DEPTH;
    ruleset->decode_depth = depth < 0                     ? 0
                            : depth > GT_DECODE_DEPTH_MAX ? GT_DECODE_DEPTH_MAX
                                                          : (unsigned)depth;
    ruleset->decode_bytes =
        settings->decode_bytes ? settings->decode_bytes : GT_DECODE_BYTES_DEFAULT;
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

/* What the cache has need not be parsed, proved or compiled. */
static int open_parts(struct gt_ruleset *ruleset, const struct gt_ruleset_settings *settings,
                      struct gt_mistakes *mistakes, struct gt_error *err)
{
    struct gt_cached cached = {0};
    int rc = take_texts(ruleset, settings, err);
    if (rc >= 0)
        rc = gt_brands_open(settings->brands, settings->brand_count, ruleset->arena,
                            &ruleset->brands, err);
    const char *path = rc < 0 ? NULL : gt_build_find_cache(ruleset, settings->cache);
    bool known = path && gt_build_read(ruleset, path, &cached) == 0;
    if (rc >= 0 && !known)
        rc = parse_rules(ruleset, mistakes, err);
    if (rc >= 0)
        rc = gt_rules_compile(&ruleset->rules, err);
    if (rc >= 0)
        rc = make_probes(ruleset, err);
    if (rc >= 0)
        rc = make_needles(ruleset, err);
    if (rc < 0)
        return rc; /* gt_ruleset_close() frees the databases read */
    known = known && gt_build_apply(ruleset, &cached) == 0;
    return known ? 0 : gt_build(ruleset, path, err);
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
    for (size_t i = 0; i < GT_SETS; i++)
        hs_free_database(ruleset->sets[i].database);
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
        .near = rule->near.pattern,
        .near_within = rule->near.within,
        .pair = rule->pair.rule,
        .pair_within = rule->pair.within,
        .only_paired = rule->only_paired,
        .entropy = rule->entropy,
        .keywords = &rule->keywords,
        .after = &rule->after,
        .reject = &rule->reject,
        .checks = &rule->checks,
        .required_checks = &rule->required_checks,
        .references = &rule->reference,
        .examples = &rule->examples,
        .negative_examples = &rule->negative_examples,
    };
    return 0;
}
