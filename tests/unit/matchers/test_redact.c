/* No plain secret leaves the matcher: neither in a preview, nor in a context line, nor in a reason.
 */
#include "engine.h"

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

/* xorshift, so that every run is the same. */
static uint32_t next_random(void)
{
    static uint32_t x = 2463534242u;
    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

static void append_random(char *text, size_t count)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(text);
    for (size_t i = 0; i < count; i++)
        text[len + i] = letters[next_random() % (sizeof letters - 1)];
    text[len + count] = '\0';
}

/* No eight bytes in a row of the secret but those of its well-known beginning. */
static void assert_no_leak(const char *secret, size_t known, const char *shown)
{
    size_t len = strlen(secret);
    for (size_t i = known; shown && i + 8 <= len; i++) {
        char run[9] = "";
        memcpy(run, secret + i, 8);
        if (strstr(shown, run))
            fail_msg("\"%s\" of \"%s\" is in \"%s\"", run, secret, shown);
    }
}

static void assert_none_leaks(const struct result *result, const char *const *secrets, size_t count)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct gt_finding *finding = &result->items[i].finding;
        const char *context = finding->context ? finding->context : "";
        assert_true(gt_utf8_valid(context, strlen(context)));
        assert_true(strlen(context) <= 600);
        for (const char *c = context; *c; c++)
            assert_true((unsigned char)*c >= ' ');
        for (size_t k = 0; k < count; k++) {
            size_t known = strncmp(secrets[k], "tco_", 4) == 0 ? 4 : 0;
            assert_no_leak(secrets[k], known, finding->preview);
            assert_no_leak(secrets[k], known, finding->context);
            for (size_t r = 0; r < finding->reasons.count; r++)
                assert_no_leak(secrets[k], known, *GT_LIST_ITEM(finding->reasons, const char *, r));
        }
    }
}

/* Secrets of several rules on one line, repeated, repeated without what their rule needs, across
 * the clip. */
static void nothing_leaks(void **state)
{
    static const char *const gaps[] = {
        " ",
        "\t",
        "\", \"k\": \"",
        " \xE9\x80 ",
        " é ",
        " \x1b[31m ",
        " \\n ",
        "                                                                                        "};
    for (int round = 0; round < 400; round++) {
        char token[64] = "tco_", password[64] = "", other[64] = "tco_", text[4096] = "";
        append_random(token, 32);
        append_random(other, 32);
        append_random(password, 9 + next_random() % 30);
        const char *const pieces[] = {"token ", token,    "password: ", password,
                                      other,    password, token,        "sshpass -p ",
                                      password, "x",      other};
        for (size_t i = 0; i < 24; i++) {
            const char *piece = pieces[i < COUNT(pieces) ? i : next_random() % COUNT(pieces)];
            strcat(text, piece);
            if (!strchr(piece, ' '))
                strcat(text, gaps[next_random() % COUNT(gaps)]);
        }
        const char *const secrets[] = {token, password, other};
        struct result result;
        engine_match(*state, text, strlen(text), &result);
        assert_true(result.count >= 2);
        assert_none_leaks(&result, secrets, COUNT(secrets));
        result_free(&result);
    }
}

static void previews(void **state)
{
    static const struct {
        const char *text, *preview;
    } rows[] = {
        {"tco_"
         "0123456789abcdefABCDEF0123456789",
         "tco_********6789"},
        {"password = hunter22x", "********"},
        {"password = hunter22xhunter22xhunter22xhunter22x", "********r22x"},
        {"password = passwordpasswordpassword", "passwo********"},
        {"password = passwordpasswordpasswordp0w1d2", "passwor********"},
        {"lb-012345678901", "********"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        engine_match(*state, rows[i].text, strlen(rows[i].text), &result);
        assert_int_equal(result.count, 1);
        assert_string_equal(result.items[0].finding.preview, rows[i].preview);
        result_free(&result);
    }
}

static void contexts(void **state)
{
    static const struct {
        const char *text, *context; /* of the first finding */
    } rows[] = {
        {"a\nkey = lb-012345678901 # mine\r\nb", "key = lb-******** # mine"},
        {"a\tb lb-012345678901\tc", "a b lb-********\tc"},
        {"lb-012345678901 lb-109876543210 lb-012345678901", "lb-******** lb-******** lb-********"},
        /* What no rule knows, but is a key by the look of it. */
        {"lb-012345678901 wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzz01 ok", "lb-******** ******** ok"},
        {"lb-012345678901 0123456789abcdef0123456789abcdef", "lb-******** ********"},
        {"lb-012345678901 an_ordinary_identifier_of_code",
         "lb-******** an_ordinary_identifier_of_code"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        char expected[256];
        engine_match(*state, rows[i].text, strlen(rows[i].text), &result);
        assert_true(result.count >= 1);
        snprintf(expected, sizeof expected, "%s", rows[i].context);
        for (char *c = expected; *c; c++)
            if (*c == '\t')
                *c = ' ';
        assert_string_equal(result.items[0].finding.context, expected);
        result_free(&result);
    }
}

/* More secrets on a line than there is room for: the context ends before the first that is not
 * covered. */
static void crowded_line(void **state)
{
    char text[8192] = "", passwords[100][16];
    const char *secrets[100];
    for (size_t i = 0; i < 100; i++) {
        snprintf(passwords[i], sizeof passwords[i], "%012u", next_random());
        sprintf(text + strlen(text), "lb-%s,", passwords[i]);
        secrets[i] = passwords[i];
    }
    struct result result;
    engine_match(*state, text, strlen(text), &result);
    assert_int_equal(result.all, 100);
    assert_none_leaks(&result, secrets, 100);
    result_free(&result);
}

/* What was not judged is not shown. */
static void beyond_the_limit(void **state)
{
    const struct gt_ruleset_settings few = {.without_brand = true, .findings = 1};
    char text[4096] = "";
    const char *secrets[60];
    static char values[60][16];
    struct engine engine;
    struct result result;
    for (size_t i = 0; i < 60; i++) {
        snprintf(values[i], sizeof values[i], "%012u", next_random());
        sprintf(text + strlen(text), "lb-%s ", values[i]);
        secrets[i] = values[i];
    }
    engine_open(&engine, engine_rules, &few);
    engine_match(&engine, text, strlen(text), &result);
    assert_int_equal(result.count, 1);
    assert_true(result.summary.gave_up);
    assert_none_leaks(&result, secrets, 60);
    result_free(&result);
    engine_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leaks),    cmocka_unit_test(previews),
        cmocka_unit_test(contexts),         cmocka_unit_test(crowded_line),
        cmocka_unit_test(beyond_the_limit),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_all, close_all);
}
