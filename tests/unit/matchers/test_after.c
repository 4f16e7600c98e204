/* Secrets that only their name, or what stands beside them, tells. */
#include "engine.h"

#define HEX "0a1f93c4d25e6b78f0c9d1e2a3b4576f"
#define HEX2 "9d3c1b7ae05f4268b1c7d9e3f5a40826"
#define SECRET "q7Vd2KxT9sBn4LmRz8WyHc3JfGp6Ae"

static const char rules[] = "provider: Acmez\n"
                            "reference: https://acmez.example/docs\n"
                            "revoke: {en: Revoke it., fr: \"Révoquez-la.\"}\n"
                            "rules:\n"
                            "  - id: acmez.key\n"
                            "    name: Acmez key\n"
                            "    severity: high\n"
                            "    after: [acmez, acme_pay]\n"
                            "    regex: '[a-f0-9]{32}'\n"
                            "    examples: ['ACMEZ_KEY=" HEX "']\n"
                            "  - id: acmez.pin\n"
                            "    name: Acmez pin\n"
                            "    severity: low\n"
                            "    after: [zpin]\n"
                            "    regex: '[0-9]{8}'\n"
                            "    examples: ['zpin: 48201937']\n"
                            "  - id: acmez.account\n"
                            "    name: Acmez account\n"
                            "    severity: info\n"
                            "    only_paired: true\n"
                            "    keywords: [ACX]\n"
                            "    regex: '\\b(ACX[0-9]{10})\\b'\n"
                            "    examples: ['ACX1234567890']\n"
                            "  - id: acmez.secret\n"
                            "    name: Acmez secret\n"
                            "    severity: critical\n"
                            "    pair: {rule: acmez.account, within: 60}\n"
                            "    regex: |\n"
                            "      (?x)\n"
                            "      (?<![A-Za-z0-9])  # stands alone\n"
                            "      ([A-Za-z0-9]{30})\n"
                            "      (?![A-Za-z0-9])\n"
                            "    examples: ['ACX1234567890:" SECRET "']\n";

static const struct gt_ruleset_settings all = {.without_brand = true};

static int open_rules(void **state)
{
    static struct engine engine;
    engine_open(&engine, rules, &all);
    *state = &engine;
    return 0;
}

static int close_rules(void **state)
{
    engine_close(*state);
    return 0;
}

static size_t count_in(struct engine *engine, const char *text, enum gt_confidence *ret_confidence)
{
    struct result result;
    engine_match(engine, text, strlen(text), &result);
    assert_int_equal(result.rc, 0);
    size_t count = result.count;
    if (count > 0 && ret_confidence)
        *ret_confidence = result.items[0].finding.confidence;
    result_free(&result);
    return count;
}

/* The value of a name that holds the word is as sure as the rule says, or one step less. */
static void settings(void **state)
{
    static const struct {
        const char *text;
        enum gt_confidence confidence;
    } rows[] = {
        {"ACMEZ_ADMIN_KEY=" HEX, GT_LIKELY},
        {"acmez.admin.key: " HEX, GT_LIKELY},
        {"\"acmezKey\": \"" HEX "\"", GT_LIKELY},
        {"{\\\"acmez_key\\\": \\\"" HEX "\\\"}", GT_LIKELY},
        {"acmez => ['id' => 7, 'key' => '" HEX "']", GT_LIKELY},
        {"$config['acmez']['key'] = '" HEX "';", GT_LIKELY},
        {"<acmez-key>" HEX "</acmez-key>", GT_LIKELY},
        {"<add key=\"AcmezKey\" value=\"" HEX "\"/>", GT_POSSIBLE},
        {"curl -H 'X-Acmez-API-Key: " HEX "'", GT_LIKELY},
        {"acmez:\n  id: 7\n  key: " HEX "\n", GT_LIKELY},
        {"# acmez\nAPI_KEY=" HEX "\n", GT_LIKELY},
        {"ACME_PAY_KEY=" HEX, GT_LIKELY},
        {"acmePay.key=" HEX, GT_LIKELY},
        {"acme pay key " HEX, GT_LIKELY},
        {"new AcmePay('x', '" HEX "')", GT_POSSIBLE},
        {"-DacmezKey=" HEX, GT_LIKELY},
        {"see acmez, " HEX, GT_LIKELY},
        {"https://api.acmez.example/v1?key=" HEX "&q=1", GT_LIKELY},
        {"acmepayclient(" HEX ")", GT_LIKELY},
        {"zpin = 48201937", GT_LIKELY},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum gt_confidence confidence = GT_CERTAIN;
        if (count_in(*state, rows[i].text, &confidence) != 1)
            fail_msg("not found: %s", rows[i].text);
        if (confidence != rows[i].confidence)
            fail_msg("%s: confidence %s", rows[i].text, gt_confidence_name(confidence));
    }
}

static void nothing(void **state)
{
    static const char *const rows[] = {
        "key=" HEX,
        "acmez_key=" HEX "0",
        "acmez_key=0" HEX,
        "acmez_key=x" HEX,
        "acmez md5: " HEX,
        "acmez_version: 1\nsha1: " HEX,
        "https://acmez.example/blob/" HEX,
        "acmez\n\n\n\nkey: " HEX,
        "bigacmez_key=" HEX,
        "acmez_key=00000000000000000000000000000000",
        "acmez_key=0123456789abcdef0123456789abcdef",
        "acmez_key=" HEX "-" HEX2,
        "acmez_key=" HEX ".png",
        "zpinner: 48201937",
        "ACX1234567890",
        "secret " SECRET,
        "ACX1234567890\n-------------------------------------------------------------\n" SECRET,
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (count_in(*state, rows[i], NULL) != 0)
            fail_msg("found: %s", rows[i]);
}

static void far_away(void **state)
{
    char text[1024];
    for (size_t gap = 1; gap < 300; gap += 7) {
        int len = sprintf(text, "acmez_key ");
        for (size_t i = 0; i < gap; i++)
            text[len++] = i % 6 == 5 ? ' ' : '.';
        sprintf(text + len, " " HEX);
        size_t between = (size_t)len + 1 - 5; /* behind the word */
        assert_int_equal(count_in(*state, text, NULL), between <= 120 ? 1 : 0);
    }
}

static void pairs(void **state)
{
    static const char *const rows[] = {
        "ACX1234567890:" SECRET,
        "id = ACX1234567890\nsecret = " SECRET "\n",
        "secret: " SECRET "\naccount: ACX1234567890\n",
        /* the first place of the id is far from the secret */
        "ACX1234567890 "
        "............................................................................."
        " again ACX1234567890 " SECRET,
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        engine_match(*state, rows[i], strlen(rows[i]), &result);
        if (result.count != 1)
            fail_msg("%zu findings in %s", result.count, rows[i]);
        assert_string_equal(result.items[0].finding.rule, "acmez.secret");
        assert_string_equal(result.items[0].secret, SECRET);
        const char *reason = *GT_LIST_ITEM(result.items[0].finding.reasons, const char *, 1);
        assert_non_null(strstr(reason, "Acmez account"));
        result_free(&result);
    }
}

/* A megabyte of words, of values and of ids costs time in proportion, and hides nothing. */
static void floods(void **state)
{
    static const char *const drops[] = {"acmez ", HEX " ", "ACX1234567890 ",
                                        "acmez_key=" HEX "x\n"};
    size_t size = 1 << 20;
    char *text = malloc(size + 200);
    for (size_t i = 0; i < COUNT(drops); i++) {
        struct result result;
        size_t len = 0, drop = strlen(drops[i]);
        for (; len + drop <= size; len += drop)
            memcpy(text + len, drops[i], drop);
        len += (size_t)sprintf(text + len, "\n\n\n\nACMEZ_KEY=" HEX2 "\n");
        engine_match(*state, text, len, &result);
        assert_false(result.summary.gave_up);
        assert_true(result.count >= 1);
        assert_string_equal(result.items[result.count - 1].secret, HEX2);
        result_free(&result);
    }
    free(text);
}

static void inherited(void **state)
{
    struct result result;
    engine_match(*state, "ACMEZ_KEY=" HEX, strlen("ACMEZ_KEY=" HEX), &result);
    assert_string_equal(result.items[0].finding.remediation, "Revoke it.");
    result_free(&result);
}

#define FILE_WITH(lines) "provider: T\nrevoke: N.\nrules:\n" lines
#define ONE                                                                                        \
    "  - {id: t.one, name: One, severity: low, keywords: [one_], regex: 'one_[0-9]{4}', "          \
    "examples: "                                                                                   \
    "[one_1234]}\n"

static void mistakes(void **state)
{
    static const struct {
        const char *text, *at, *words;
    } rows[] = {
        {FILE_WITH(ONE "  - {id: t.two, name: Two, severity: low, pair: t.on, regex: x, examples: "
                       "[x]}\n"),
         "rules.yaml:5:5: pair", "did you mean t.one"},
        {FILE_WITH("  - {id: t.two, name: Two, severity: low, only_paired: true, regex: x, "
                   "examples: [x]}\n"),
         "rules.yaml:4:5: only_paired", "no rule has this one"},
        {FILE_WITH(ONE "  - {id: t.two, name: Two, severity: low, pair: t.one, keywords: [xx], "
                       "regex: xx, examples: [xx]}\n"),
         "rules.yaml:5:5: pair", "goes without"},
        {FILE_WITH("  - {id: t.two, name: Two, severity: low, after: [Acme], regex: x, examples: "
                   "[x]}\n"),
         "rules.yaml:4:51", "lower case"},
        {FILE_WITH("  - {id: t.two, name: Two, severity: low, after: [acme], assigned: [acme], "
                   "regex: x, examples: [x]}\n"),
         "rules.yaml:4:5: assigned", "goes without"},
        {"provider: T\nrules:\n" ONE, "rules.yaml:3:5: revoke", "is missing"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct engine engine;
        char first[1024];
        assert_int_equal(engine_try(&engine, rows[i].text, &all, first, sizeof first),
                         GT_E_INVALID);
        if (!strstr(first, rows[i].at) || !strstr(first, rows[i].words))
            fail_msg("row %zu: %s (wanted %s ... %s)", i, first, rows[i].at, rows[i].words);
        engine_close(&engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings), cmocka_unit_test(nothing), cmocka_unit_test(far_away),
        cmocka_unit_test(pairs),    cmocka_unit_test(floods),  cmocka_unit_test(inherited),
        cmocka_unit_test(mistakes),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_rules, close_rules);
}
