/* What is found and what is not, at which place, once. Every secret is made up. */
#include "engine.h"

#define TOKEN                                                                                      \
    "tco_"                                                                                         \
    "0123456789abcdefABCDEF0123456789"
#define OTHER                                                                                      \
    "tco_"                                                                                         \
    "9876543210fedcbaFEDCBA9876543210"
#define KEY                                                                                        \
    "-----BEGIN RSA "                                                                              \
    "PRIVATE KEY-----\n"                                                                           \
    "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n"                           \
    "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n"                                               \
    "-----END RSA PRIVATE KEY-----"

static const struct gt_ruleset_settings all = {.without_brand = true};

static int open_all(void **state)
{
    static struct engine engine;
    engine_open(&engine, engine_rules, &all);
    *state = &engine;
    return 0;
}

static int close_all(void **state)
{
    engine_close(*state);
    return 0;
}

static void report(void *user, const char *rule, const char *failure)
{
    fail_msg("%s: %s", rule, failure);
}

static void examples_hold(void **state)
{
    struct engine *engine = *state;
    const char *const *warnings;
    assert_int_equal(gt_ruleset_prove(engine->ruleset, report, NULL, &engine->err), 0);
    if (gt_ruleset_warnings(engine->ruleset, &warnings) > 0)
        fail_msg("%s", warnings[0]);
}

static void texts(void **state)
{
    static const struct {
        const char *text, *rule, *secret;
        unsigned line, column;
    } rows[] = {
        {TOKEN, "testco.token", TOKEN, 1, 1},
        {"a\nb\n  " TOKEN, "testco.token", TOKEN, 3, 3},
        {"\n\n" TOKEN "\n", "testco.token", TOKEN, 3, 1},
        {"\xff\xfe " TOKEN "\xff", "testco.token", TOKEN, 1, 4},
        {"x" TOKEN, NULL, NULL, 0, 0},
        {TOKEN "x", NULL, NULL, 0, 0},
        {"", NULL, NULL, 0, 0},
        {"tco_", NULL, NULL, 0, 0},
        {"TESTCO: 0123456789abcdef0123456789abcdef01234567", "testco.hex",
         "0123456789abcdef0123456789abcdef01234567", 1, 9},
        {"0123456789abcdef0123456789abcdef01234567 of testco", "testco.hex",
         "0123456789abcdef0123456789abcdef01234567", 1, 1},
        {"0123456789abcdef0123456789abcdef01234567                                       testco",
         NULL, NULL, 0, 0},
        {"testco 0000000000000000000000000000000000000000", NULL, NULL, 0, 0},
        {"lb-012345678901", "testco.look-behind", "012345678901", 1, 4},
        {"alb-012345678901", NULL, NULL, 0, 0},
        {"card: 4242424242424242", "testco.card", "4242424242424242", 1, 7},
        {"card: 4242424242424241", NULL, NULL, 0, 0},
        {"password=this-is-it", "generic.password", "this-is-it", 1, 10},
        {"password=an-example", NULL, NULL, 0, 0},
        {"PASSWORD: \"" TOKEN "\"", "testco.token", TOKEN, 1, 12},
        {KEY, "testco.private-key", KEY, 1, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        engine_match(*state, rows[i].text, strlen(rows[i].text), &result);
        assert_int_equal(result.rc, 0);
        if (result.count != (rows[i].rule ? 1 : 0))
            fail_msg("row %zu: %zu findings in %s", i, result.count, rows[i].text);
        if (rows[i].rule) {
            assert_string_equal(result.items[0].finding.rule, rows[i].rule);
            assert_string_equal(result.items[0].secret, rows[i].secret);
            assert_int_equal(result.items[0].finding.line, rows[i].line);
            assert_int_equal(result.items[0].finding.column, rows[i].column);
        }
        result_free(&result);
    }
}

static void each_once_in_order(void **state)
{
    static const char text[] =
        OTHER "\n" TOKEN "\npassword = " TOKEN "\n" OTHER "\nlb-012345678901";
    static const char *const expected[] = {OTHER, TOKEN, "012345678901"};
    struct result result;
    engine_match(*state, text, strlen(text), &result);
    assert_int_equal(result.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_string_equal(result.items[i].secret, expected[i]);
        if (i > 0)
            assert_true(result.items[i].finding.line >= result.items[i - 1].finding.line);
    }
    result_free(&result);
}

/* The same key wrapped otherwise is the same finding; another is another. */
static void fingerprint_of_a_key(void **state)
{
    static const char *const texts[] = {
        KEY,
        "k = \"-----BEGIN RSA "
        "PRIVATE KEY-----\\n"
        "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\\n"
        "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\\n-----END RSA PRIVATE KEY-----\"",
        "-----BEGIN RSA "
        "PRIVATE KEY-----\n"
        "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Q0\n"
        "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n-----END RSA PRIVATE KEY-----",
    };
    struct result results[COUNT(texts)];
    for (size_t i = 0; i < COUNT(texts); i++) {
        engine_match(*state, texts[i], strlen(texts[i]), &results[i]);
        assert_int_equal(results[i].count, 1);
        assert_non_null(strstr(results[i].items[0].finding.preview, "-----BEGIN RSA "));
        assert_null(strstr(results[i].items[0].finding.preview, "MII"));
    }
    const char *first = results[0].items[0].finding.fingerprint;
    assert_string_equal(first, results[1].items[0].finding.fingerprint);
    assert_string_not_equal(first, results[2].items[0].finding.fingerprint);
    for (size_t i = 0; i < COUNT(texts); i++)
        result_free(&results[i]);
}

/* At every place around a 64 KiB edge, and at the very start and end. */
static void any_place(void **state)
{
    enum { SIZE = 70000 };
    char *text = malloc(SIZE);
    for (size_t at = 65536 - 40; at < 65536 + 4; at++) {
        struct result result;
        memset(text, ' ', SIZE);
        memcpy(text + at, TOKEN, strlen(TOKEN));
        engine_match(*state, text, SIZE, &result);
        assert_int_equal(result.count, 1);
        assert_int_equal(result.items[0].finding.column, at + 1);
        result_free(&result);
    }
    free(text);
}

/* 1 MB of nothing but triggers, and one line of 8 MB with secrets far apart. */
static void floods(void **state)
{
    enum { SMALL = 1 << 20, BIG = 8 << 20 };
    char *text = malloc(BIG);
    struct result result;
    for (size_t i = 0; i + 4 <= SMALL; i += 4)
        memcpy(text + i, "tco_", 4);
    engine_match(*state, text, SMALL, &result);
    assert_int_equal(result.rc, 0);
    assert_int_equal(result.count, 0);
    assert_false(result.summary.gave_up);
    result_free(&result);
    memset(text, 'a', BIG);
    memcpy(text + 100, " " TOKEN " ", strlen(TOKEN) + 2);
    memcpy(text + BIG - 100, " " OTHER " ", strlen(OTHER) + 2);
    engine_match(*state, text, BIG, &result);
    assert_int_equal(result.count, 2);
    assert_int_equal(result.items[1].finding.line, 1);
    assert_int_equal(result.items[1].finding.column, BIG - 100 + 2);
    assert_true(strlen(result.items[1].finding.context) <= 220);
    result_free(&result);
    free(text);
}

static void empty_and_binary(void **state)
{
    char bytes[4096];
    struct result result;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7919 >> 3);
    memcpy(bytes + 2000, "\0" TOKEN "\0", strlen(TOKEN) + 2);
    engine_match(*state, bytes, sizeof bytes, &result);
    assert_int_equal(result.count, 1);
    assert_string_equal(result.items[0].secret, TOKEN);
    assert_true(
        gt_utf8_valid(result.items[0].finding.context, strlen(result.items[0].finding.context)));
    result_free(&result);
    struct gt_document nothing = {.source = "test", .key = "1"};
    engine_match_document(*state, &nothing, &result);
    assert_int_equal(result.rc, 0);
    assert_int_equal(result.count, 0);
    result_free(&result);
}

static int refuse(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    return GT_E_FULL;
}

static void a_sink_may_stop(void **state)
{
    struct engine *engine = *state;
    struct gt_document document = {
        .source = "t", .key = "1", .body = TOKEN, .body_len = strlen(TOKEN)};
    struct gt_match_summary summary;
    assert_int_equal(gt_match(engine->ruleset, engine->scratch, &document, 0, refuse, NULL,
                              &summary, &engine->err),
                     GT_E_FULL);
}

static void limits(void **state)
{
    const struct gt_ruleset_settings few = {
        .without_brand = true, .findings = 3, .document_bytes = 1000};
    struct engine engine;
    struct result result;
    char text[2000] = "";
    engine_open(&engine, engine_rules, &few);
    for (int i = 0; i < 20; i++)
        snprintf(text + strlen(text), 100, "lb-%012d\n", i * 1234567);
    engine_match(&engine, text, strlen(text), &result);
    assert_int_equal(result.count, 3);
    assert_true(result.summary.gave_up);
    result_free(&result);
    memset(text, ' ', sizeof text);
    memcpy(text + 980, TOKEN, strlen(TOKEN));
    engine_match(&engine, text, sizeof text, &result);
    assert_int_equal(result.count, 0);
    assert_true(result.summary.cut);
    result_free(&result);
    engine_close(&engine);
}

/* One bad pattern of a user costs its own findings, not the document's. */
static void catastrophic_pattern(void **state)
{
    static const char rules[] = "provider: Bad\n"
                                "rules:\n"
                                "  - {id: bad.nested, name: Bad, severity: low, keywords: [aaaa], "
                                "regex: '(?:a+)+(?:a|aa)+$',\n"
                                "     revoke: None., examples: [aaaaaaaa]}\n"
                                "  - {id: good.plain, name: Good, severity: low, keywords: "
                                "[good_], regex: 'good_[0-9]{8}',\n"
                                "     revoke: None., examples: [good_01234567]}\n";
    struct engine engine;
    struct result result;
    char *text = malloc(100001);
    engine_open(&engine, rules, &all);
    memset(text, 'a', 100000);
    memcpy(text + 99900, "b good_12345678 b", 17);
    engine_match(&engine, text, 100000, &result);
    assert_int_equal(result.rc, 0);
    assert_int_equal(result.count, 1);
    assert_string_equal(result.items[0].finding.rule, "good.plain");
    assert_string_equal(result.summary.cut_rule, "bad.nested");
    assert_true(gt_counter_sum("guette_match_rules_cut_total") > 0);
    result_free(&result);
    engine_close(&engine);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_hold),
        cmocka_unit_test(texts),
        cmocka_unit_test(each_once_in_order),
        cmocka_unit_test(fingerprint_of_a_key),
        cmocka_unit_test(any_place),
        cmocka_unit_test(floods),
        cmocka_unit_test(empty_and_binary),
        cmocka_unit_test(a_sink_may_stop),
        cmocka_unit_test(limits),
        cmocka_unit_test(catastrophic_pattern),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_all, close_all);
}
