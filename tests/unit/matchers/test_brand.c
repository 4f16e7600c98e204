/* What names a brand and what only looks like it; which brand a credential counts for. */
#include "engine.h"

#define TOKEN                                                                                      \
    "tco_"                                                                                         \
    "0123456789abcdefABCDEF0123456789"

static const char *domains[] = {"acme.example", "acme-corp.example"};
static struct gt_keyword keywords[] = {
    {"Acme Corp", GT_LOW}, {"Écluse", GT_MEDIUM}, {"Газбанк", GT_LOW}, {"Ολυμπιακός", GT_LOW},
    {"東京電", GT_LOW},    {"strasse", GT_LOW},   {"zeus9", GT_HIGH}};
static struct gt_pattern patterns[] = {{"project number", "\\bPRJ-[0-9]{4}\\b", GT_MEDIUM}};
static const char *other_domains[] = {"globex.example"};
static const struct gt_brand brands[] = {
    {.name = "Acme", .domains = {domains, 2}, .keywords = {keywords, 7}, .patterns = {patterns, 1}},
    {.name = "Globex", .domains = {other_domains, 1}},
};
static const struct gt_ruleset_settings watcher = {.brands = brands, .brand_count = 2};

static int open_watcher(void **state)
{
    static struct engine engine;
    engine_open(&engine, engine_rules, &watcher);
    *state = &engine;
    return 0;
}

static int close_watcher(void **state)
{
    engine_close(*state);
    return 0;
}

static void traces(void **state)
{
    static const struct {
        const char *text, *rule; /* NULL: the brand is not named */
    } rows[] = {
        {"see acme.example", "brand.domain"},
        {"see ACME.Example.", "brand.domain"},
        {"https://vpn.acme.example/login", "brand.domain"},
        {"https://vpn.acme.example:8443", "brand.domain"},
        {"soc@acme.example", "brand.domain"},
        {"<soc@mail.acme.example>,", "brand.domain"},
        {"user=a%40acme.example&x", "brand.domain"},
        {"{\"a\":\"x\\nacme.example\\n\"}", "brand.domain"},
        {"«acme.example»", "brand.domain"},
        {"acme.example’s", "brand.domain"},
        {"acme.example", "brand.domain"},
        {"https://acme-corp.example", "brand.domain"},
        {"notacme.example", NULL},
        {"not-acme.example", NULL},
        {"my_acme.example", NULL},
        {"acme.example.evil.com", NULL},
        {"acme.examples", NULL},
        {"acme.example-login.com", NULL},
        {"acme.example1", NULL},
        {"éacme.example", NULL},
        {"acmeXexample", NULL},
        {"the Acme Corp team", "brand.keyword"},
        {"the ACME CORP team", "brand.keyword"},
        {"ACME CORP_KEY", "brand.keyword"},
        {"\xC3\x81"
         "cm\xC3\xA9 C\xC3\xB4rp",
         "brand.keyword"},
        {"acme\xCC\x81 corp", "brand.keyword"},
        {"Acm\xE9 Corp", "brand.keyword"}, /* ISO 8859-1 */
        {"acme corporation", NULL},
        {"pacme corp", NULL},
        {"acme corp2", NULL},
        {"acme corpé", NULL},
        {"écluse", "brand.keyword"},
        {"ECLUSE", "brand.keyword"},
        {"éCLUSE", "brand.keyword"},
        {"E\xCC\x81"
         "cluse",
         "brand.keyword"},
        {"écluses", NULL},
        {"reécluse", NULL},
        {"в ГАЗБАНК.", "brand.keyword"},
        {"газбанку", NULL},
        {"мгазбанк", NULL},
        {"ο ΟΛΥΜΠΙΑΚΟΣ!", "brand.keyword"},
        {"ολυμπιακος", "brand.keyword"},
        {"ολυμπιακοσα", NULL},
        {"新東京電力", "brand.keyword"},
        {"Straße", "brand.keyword"},
        {"STRASSE", "brand.keyword"},
        {"Straßen", NULL},
        {"zeus9", "brand.keyword"},
        {"zeus99", NULL},
        {"in PRJ-1234.", "brand.pattern"},
        {"in PRJ-12345", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        engine_match(*state, rows[i].text, strlen(rows[i].text), &result);
        assert_int_equal(result.rc, 0);
        if (result.count != (rows[i].rule ? 1 : 0))
            fail_msg("row %zu: %zu findings in %s", i, result.count, rows[i].text);
        if (rows[i].rule) {
            assert_string_equal(result.items[0].finding.rule, rows[i].rule);
            assert_string_equal(result.items[0].finding.brand, "Acme");
            assert_string_equal(result.items[0].finding.category, "brand");
            assert_null(result.items[0].secret);
        }
        result_free(&result);
    }
}

/* The same, with long texts of other letters around: the folded copy is made in pieces. */
static void keywords_at_any_place(void **state)
{
    enum { SIZE = 48 * 1024 };
    static const char word[] = " Écluse ";
    char *text = malloc(SIZE);
    for (size_t at = 16 * 1024 - 1100; at < 16 * 1024 + 40; at++) {
        struct result result;
        for (size_t i = 0; i + 2 <= SIZE; i += 2)
            memcpy(text + i, "\xC3\xA8", 2);
        size_t even = at / 2 * 2;
        memset(text + even - 2, ' ', sizeof word + 2);
        memcpy(text + even + at % 2, word, sizeof word - 1);
        engine_match(*state, text, SIZE, &result);
        if (result.count != 1)
            fail_msg("at %zu: %zu findings", at, result.count);
        assert_int_equal(result.items[0].finding.column, even + at % 2 + 2);
        result_free(&result);
    }
    free(text);
}

static void credentials(void **state)
{
    static const struct {
        const char *text, *title;
        bool owned;
        const char *owner;
        const char *brands[3]; /* of the findings of the token */
        const char *reason;
    } rows[] = {
        {TOKEN, NULL, false, NULL, {NULL}, NULL},
        {TOKEN " acme.example", NULL, false, NULL, {"Acme"}, "same line"},
        {"acme.example\n" TOKEN, NULL, false, NULL, {"Acme"}, "few lines"},
        {TOKEN, "acme.example dump", false, NULL, {"Acme"}, "title"},
        {TOKEN "\nglobex.example acme.example", NULL, false, NULL, {"Acme", "Globex"}, NULL},
        {TOKEN, NULL, true, NULL, {"Acme", "Globex"}, "own"},
        {TOKEN, NULL, true, "Globex", {"Globex"}, "own"},
        {TOKEN " acme.example", NULL, true, "Globex", {"Acme", "Globex"}, NULL},
        {TOKEN, NULL, true, "Initech", {"Initech"}, "own"},
    };
    struct engine *engine = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        struct gt_document document = {.source = "s",
                                       .key = "k",
                                       .body = rows[i].text,
                                       .body_len = strlen(rows[i].text),
                                       .title = rows[i].title,
                                       .owned = rows[i].owned,
                                       .brand = rows[i].owner};
        engine_match_document(engine, &document, &result);
        size_t expected = 0;
        while (expected < 3 && rows[i].brands[expected])
            expected++;
        if (result.count != expected)
            fail_msg("row %zu: %zu findings", i, result.count);
        for (size_t k = 0; k < expected; k++) {
            const struct gt_finding *finding = &result.items[k].finding;
            assert_string_equal(finding->rule, "testco.token");
            assert_string_equal(finding->brand, rows[i].brands[k]);
            bool said = !rows[i].reason;
            for (size_t r = 0; r < finding->reasons.count; r++)
                said |= rows[i].reason &&
                        strstr(*GT_LIST_ITEM(finding->reasons, const char *, r), rows[i].reason);
            if (!said)
                fail_msg("row %zu: no reason says %s", i, rows[i].reason);
        }
        result_free(&result);
    }
}

/* The nearer the brand and the surer the form, the worse; a doubtful form takes it a level down. */
static void scores(void **state)
{
    char far[2000], long_gap[1000];
    int last = 0;
    memset(long_gap, '\n', sizeof long_gap - 1);
    long_gap[sizeof long_gap - 1] = '\0';
    snprintf(far, sizeof far, "acme.example\n%s lb-012345678901", long_gap);
    const char *const rising[] = {far, "acme.example\nlb-012345678901",
                                  "lb-012345678901 acme.example"};
    for (size_t i = 0; i < COUNT(rising); i++) {
        struct result result;
        engine_match(*state, rising[i], strlen(rising[i]), &result);
        assert_int_equal(result.count, 1);
        assert_true(result.items[0].finding.score > last);
        assert_int_equal(result.items[0].finding.severity, GT_MEDIUM);
        last = result.items[0].finding.score;
        result_free(&result);
    }
    struct result result;
    static const char doubtful[] = "acme.example password=hunter2hunter2";
    engine_match(*state, doubtful, strlen(doubtful), &result);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.items[0].finding.confidence, GT_POSSIBLE);
    assert_int_equal(result.items[0].finding.severity, GT_LOW);
    result_free(&result);
}

/* One finding a document and brand: the worst trace, the same again when the item is edited,
 * another elsewhere. */
static void identity_of_traces(void **state)
{
    struct engine *engine = *state;
    struct result results[4];
    struct gt_document documents[4] = {
        {.source = "s", .key = "1", .body = "acme.example, zeus9, acme.example"},
        {.source = "s", .key = "1", .body = "edited: zeus9 again"},
        {.source = "s", .key = "2", .body = "zeus9"},
        {.source = "t", .key = "1", .body = "zeus9 globex.example"},
    };
    for (size_t i = 0; i < COUNT(documents); i++) {
        documents[i].body_len = strlen(documents[i].body);
        gt_document_identify(&documents[i]);
        engine_match_document(engine, &documents[i], &results[i]);
        assert_int_equal(results[i].count, i == 3 ? 2 : 1);
        assert_string_equal(results[i].items[0].finding.rule, "brand.keyword");
        assert_int_equal(results[i].items[0].finding.severity, GT_HIGH);
    }
    const char *first = results[0].items[0].finding.id;
    assert_string_equal(first, results[1].items[0].finding.id);
    assert_string_not_equal(first, results[2].items[0].finding.id);
    assert_string_not_equal(first, results[3].items[0].finding.id);
    assert_string_equal(results[3].items[1].finding.brand, "Globex");
    for (size_t i = 0; i < COUNT(documents); i++)
        result_free(&results[i]);
}

static void flood_of_traces(void **state)
{
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    struct result result;
    for (size_t i = 0; i + 13 <= SIZE; i += 13)
        memcpy(text + i, "acme.example ", 13);
    memset(text + SIZE - SIZE % 13, ' ', SIZE % 13);
    engine_match(*state, text, SIZE, &result);
    assert_int_equal(result.count, 1);
    assert_false(result.summary.gave_up);
    result_free(&result);
    free(text);
}

static void french(void **state)
{
    struct gt_ruleset_settings settings = watcher;
    struct engine engine;
    struct result result;
    static const char text[] = TOKEN " acme.example";
    settings.lang = GT_FRENCH;
    engine_open(&engine, engine_rules, &settings);
    engine_match(&engine, text, strlen(text), &result);
    assert_int_equal(result.count, 1);
    assert_string_equal(result.items[0].finding.title, "Jeton Testco");
    assert_string_equal(result.items[0].finding.remediation, "Révoquez-le.");
    assert_non_null(
        strstr(*GT_LIST_ITEM(result.items[0].finding.reasons, const char *, 0), "forme"));
    result_free(&result);
    engine_close(&engine);
}

static void wrong_pattern(void **state)
{
    static struct gt_pattern wrong[] = {{"broken", "a(b", GT_LOW}};
    static const struct gt_brand brand = {.name = "Acme", .patterns = {wrong, 1}};
    const struct gt_ruleset_settings settings = {.brands = &brand, .brand_count = 1};
    struct engine engine;
    assert_int_equal(engine_try(&engine, engine_rules, &settings, NULL, 0), GT_E_INVALID);
    assert_non_null(strstr(engine.err.message, "broken"));
    assert_non_null(strstr(engine.err.message, "offset 3"));
    engine_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces),
        cmocka_unit_test(keywords_at_any_place),
        cmocka_unit_test(credentials),
        cmocka_unit_test(scores),
        cmocka_unit_test(identity_of_traces),
        cmocka_unit_test(flood_of_traces),
        cmocka_unit_test(french),
        cmocka_unit_test(wrong_pattern),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_watcher, close_watcher);
}
