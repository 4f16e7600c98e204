/* The first example of every built-in rule is found however it is wrapped. */
#include "engine.h"
#include "wrap.h"

#include "matchers/scan.h"

#define ROOM ((size_t)16 * 1024 * 1024)

static int open_builtin(void **state)
{
    static struct engine engine;
    static const struct gt_ruleset_settings all = {.without_brand = true};
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

static const struct {
    wrap *wrap;
    const char *name;
} wraps[] = {
    {wrap_base64, "base64"},
    {wrap_utf16le, "UTF-16"},
    {wrap_json, "JSON in JSON"},
    {wrap_zip, "zip"},
};

/* The secret of a pair may be told by its provider's other rule, which sees it first. */
static bool is_told(const struct gt_finding *finding, const struct gt_rule *rule)
{
    return strcmp(finding->rule, rule->id) == 0 ||
           (rule->pair.rule && finding->provider && strcmp(finding->provider, rule->provider) == 0);
}

static bool is_found(struct engine *engine, const struct gt_buffer *document,
                     const struct gt_rule *rule)
{
    struct result result;
    engine_match(engine, document->data, document->len, &result);
    assert_int_equal(result.rc, 0);
    bool found = false;
    for (size_t i = 0; i < result.count && !found; i++)
        found = is_told(&result.items[i].finding, rule);
    result_free(&result);
    return found;
}

/* All are named before the test fails: they are of one kind, mostly. */
static void every_rule(void **state)
{
    struct engine *engine = *state;
    size_t missed = 0;
    for (size_t i = 0; i < engine->ruleset->rules.count; i++) {
        const struct gt_rule *rule = &engine->ruleset->rules.items[i];
        const char *example = GT_RULE_STRING(rule->examples, 0);
        for (size_t k = 0; k < COUNT(wraps) && !rule->only_paired; k++) {
            GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
            gt_buffer_puts(&document, k == 0 ? "data " : "");
            wraps[k].wrap(&document, example, strlen(example));
            if (!is_found(engine, &document, rule)) {
                print_error("%s is not found in %s: %.*s\n", rule->id, wraps[k].name, 200,
                            document.data);
                missed++;
            }
        }
    }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_builtin, close_builtin);
}
