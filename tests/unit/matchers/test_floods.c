/* The built-in rules in hostile and in quoted text: no page can silence a rule by its keywords, and
 * a token right behind an escape is found. */
#include "engine.h"

#include "matchers/scan.h"

#define FLOOD ((size_t)128 * 1024)

static int open_builtin(void **state)
{
    static struct engine engine;
    static const struct gt_ruleset_settings all = {.without_brand = true, .document_ms = 300000};
    assert_int_equal(gt_ruleset_open(&all, &engine.ruleset, NULL, &engine.err), 0);
    assert_int_equal(gt_scratch_new(engine.ruleset, &engine.scratch, &engine.err), 0);
    *state = &engine;
    return 0;
}

static int close_builtin(void **state)
{
    struct engine *engine = *state;
    gt_scratch_free(engine->scratch);
    gt_ruleset_close(engine->ruleset);
    return 0;
}

/* All failures are told, not the first alone. */
static size_t complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static size_t complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    print_error("\n");
    return 1;
}

static bool has(const struct result *result, const char *rule)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(result->items[i].finding.rule, rule) == 0)
            return true;
    return false;
}

/* Another rule may take the escape's letters for a part of its own, longer secret. */
static bool is_candidate(const struct engine *engine, const char *rule)
{
    for (size_t i = 0; i < engine->scratch->candidate_count; i++)
        if (strcmp(engine->scratch->candidates[i].rule->id, rule) == 0)
            return true;
    return false;
}

/* 128 KiB of nothing but the rule's keywords, one after the other (or of the first half of its
 * example where it has none), and then an example. */
static size_t write_flood(const struct gt_rule *rule, char *text)
{
    const char *example = GT_RULE_STRING(rule->examples, 0);
    size_t count = rule->keywords.count ? rule->keywords.count : 1, len = 0;
    for (size_t k = 0; k < count; k++) {
        const char *drop = rule->keywords.count ? GT_RULE_STRING(rule->keywords, k) : example;
        size_t size = rule->keywords.count ? strlen(drop) : strlen(example) / 2;
        for (size_t i = 0; i < FLOOD / count; i++)
            text[len++] = drop[i % size];
    }
    return len + (size_t)sprintf(text + len, "\n\n%s\n", example);
}

static void floods(void **state)
{
    struct engine *engine = *state;
    char *text = malloc(FLOOD + 64 * 1024);
    size_t failed = 0;
    for (size_t i = 0; i < engine->ruleset->rules.count; i++) {
        const struct gt_rule *rule = &engine->ruleset->rules.items[i];
        struct result result;
        if (rule->only_paired)
            continue; /* is never told by itself */
        size_t len = write_flood(rule, text);
        engine_match(engine, text, len, &result);
        assert_int_equal(result.rc, 0);
        if (result.summary.gave_up || result.summary.cut_rule)
            failed += complain("a flood of keywords of %s stops %s", rule->id,
                               result.summary.cut_rule ? result.summary.cut_rule : "all");
        bool found = has(&result, rule->id);
        if (!found) { /* the flood's words may make another rule tell the same secret */
            assert_int_equal(gt_scan(engine->scratch, text, len, &engine->err), 0);
            found = is_candidate(engine, rule->id);
        }
        if (!found)
            failed += complain("%s is not found behind a flood of its keywords", rule->id);
        result_free(&result);
    }
    free(text);
    assert_int_equal(failed, 0);
}

/* Where the rule's match starts in its first example. */
static size_t match_start(struct engine *engine, const struct gt_rule *rule)
{
    const char *example = GT_RULE_STRING(rule->examples, 0);
    assert_int_equal(gt_scan(engine->scratch, example, strlen(example), &engine->err), 0);
    for (size_t i = 0; i < engine->scratch->candidate_count; i++)
        if (engine->scratch->candidates[i].rule == rule)
            return engine->scratch->candidates[i].match.start;
    fail_msg("%s: its example is not found", rule->id);
    return 0;
}

static void escapes(void **state)
{
    static const char *const rows[] = {"\\n", "\\t", "\\r", "\\x0a", "\\u0022", "%0A"};
    struct engine *engine = *state;
    char *text = malloc(64 * 1024);
    size_t failed = 0;
    for (size_t i = 0; i < engine->ruleset->rules.count; i++) {
        const struct gt_rule *rule = &engine->ruleset->rules.items[i];
        const char *example = GT_RULE_STRING(rule->examples, 0);
        size_t start = match_start(engine, rule);
        if (rule->only_paired || rule->assigned.count > 0 || strstr(rule->pattern, "(?m)^"))
            continue; /* never told by itself; any value; of files whose lines are the form */
        for (size_t k = 0; k < COUNT(rows); k++) {
            int len = sprintf(text, "%.*s%s%s", (int)start, example, rows[k], example + start);
            assert_int_equal(gt_scan(engine->scratch, text, (size_t)len, &engine->err), 0);
            if (!is_candidate(engine, rule->id))
                failed += complain("%s: not found behind %s", rule->id, rows[k]);
        }
    }
    free(text);
    assert_int_equal(failed, 0);
}

/* Something that is no escape is none. */
static void no_escapes(void **state)
{
    static const char *const rows[] = {"n", "\\m", "/n", "%0G", "\\u002", "u0022", "\\xg0"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        char text[128];
        int len = sprintf(text,
                          "x = '%sAKIA"
                          "Q6ZB2TNAHW4LD3XE'",
                          rows[i]);
        engine_match(*state, text, (size_t)len, &result);
        assert_false(has(&result, "aws.access-key-id"));
        result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floods),
        cmocka_unit_test(escapes),
        cmocka_unit_test(no_escapes),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_builtin, close_builtin);
}
