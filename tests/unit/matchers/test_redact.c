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

/* ---- what a document says of itself ---- */

static void assert_nowhere(const struct result *result, const char *const *secrets, size_t count)
{
    for (size_t i = 0; i < result->count; i++) {
        GT_BUFFER_AUTO struct gt_buffer all_fields = GT_BUFFER(1 << 20);
        assert_int_equal(gt_finding_encode(&result->items[i].finding, &all_fields, NULL), 0);
        gt_buffer_putc(&all_fields, '\0');
        for (size_t k = 0; k < count; k++)
            assert_no_leak(secrets[k], 4, all_fields.data);
    }
}

/* Whole or cut, alone or in words, in the body, too, or not; in every field that is shown. */
static void append_some(char *text, const char *const *secrets, size_t count)
{
    static const char *const words[] = {
        "paste of ", "é ", "https://x.example/?k=", "\"", "  ", "&b="};
    for (size_t i = 0; i < 4; i++) {
        const char *secret = secrets[next_random() % count];
        size_t len = strlen(secret), cut = next_random() % 3 == 0 ? 12 + next_random() % 8 : len;
        strcat(text, words[next_random() % COUNT(words)]);
        if (next_random() % 2)
            strncat(text, secret, cut < len ? cut : len);
        strcat(text, " ");
    }
}

static void titles_and_addresses(void **state)
{
    struct engine *engine = *state;
    size_t found = 0;
    for (int round = 0; round < 600; round++) {
        char token[64] = "tco_", other[64] = "tco_", password[64] = "", key[16] = "";
        char title[512] = "", url[512] = "", author[512] = "", body[1024] = "tco_ \n";
        append_random(token, 32);
        append_random(other, 32);
        append_random(password, 12 + next_random() % 30);
        snprintf(key, sizeof key, "%012u", next_random());
        const char *const secrets[] = {token, other, password, key};
        append_some(title, secrets, COUNT(secrets));
        append_some(url, secrets, COUNT(secrets));
        append_some(author, secrets, COUNT(secrets));
        sprintf(body + strlen(body), "%s lb-%s password: %s\n%s", token, key, password, other);
        struct gt_document document = {.source = "test",
                                       .key = token,
                                       .title = title,
                                       .url = url,
                                       .author = author,
                                       .body = body,
                                       .body_len = strlen(body)};
        struct result result;
        gt_document_identify(&document);
        engine_match_document(engine, &document, &result);
        assert_int_equal(result.rc, 0);
        assert_int_equal(result.count, 4);
        assert_nowhere(&result, secrets, COUNT(secrets));
        found += strstr(title, token) && strstr(result.items[0].finding.document_title, "****");
        result_free(&result);
    }
    assert_true(found > 0);
}

#define TITLE_TOKEN                                                                                \
    "tco_"                                                                                         \
    "0123456789abcdefABCDEF0123456789"

static void found_beside_the_body(void **state)
{
    static const struct {
        struct gt_document document;
        const char *title, *url, *author, *context;
        unsigned line, column, count;
    } rows[] = {
        {{.title = "my " TITLE_TOKEN " key", .body = ""},
         "my ******** key",
         NULL,
         NULL,
         "my ******** key",
         1,
         1,
         1},
        {{.url = "https://x.example/?k=" TITLE_TOKEN "&l=1", .body = "a\nb", .body_len = 3},
         NULL,
         "https://x.example/?k=********&l=1",
         NULL,
         "https://x.example/?k=********&l=1",
         1,
         1,
         1},
        {{.author = TITLE_TOKEN, .title = "t", .body = "a\n lb-012345678901", .body_len = 18},
         "t",
         NULL,
         "********",
         "********",
         1,
         1,
         2},
        {{.title = "cut: tco_0123456789…",
          .url = "https://x.example/tco_",
          .body = "\n\n " TITLE_TOKEN,
          .body_len = 39},
         "cut: ********…",
         "https://x.example/tco_",
         NULL,
         " tco_********6789",
         3,
         2,
         1},
        {{.title = "nothing",
          .url = "https://x.example/0123456789abcdef0123456789abcdef",
          .body = TITLE_TOKEN,
          .body_len = 36},
         "nothing",
         "https://x.example/0123456789abcdef0123456789abcdef",
         NULL,
         "tco_********6789",
         1,
         1,
         1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gt_document document = rows[i].document;
        struct result result;
        document.source = "test", document.key = "1";
        gt_document_identify(&document);
        engine_match_document(*state, &document, &result);
        assert_int_equal(result.count, rows[i].count);
        const struct gt_finding *finding = &result.items[0].finding;
        const char *const pairs[][2] = {{rows[i].title, finding->document_title},
                                        {rows[i].url, finding->url},
                                        {rows[i].author, finding->author},
                                        {rows[i].context, finding->context}};
        for (size_t k = 0; k < COUNT(pairs); k++)
            assert_string_equal(pairs[k][0] ? pairs[k][0] : "none",
                                pairs[k][1] ? pairs[k][1] : "none");
        assert_int_equal(finding->line, rows[i].line);
        assert_int_equal(finding->column, rows[i].column);
        if (rows[i].count == 2)
            assert_int_equal(result.items[1].finding.line, 2);
        result_free(&result);
    }
}

/* What is longer than what is looked through is cut, not in a character. */
static void endless_title(void **state)
{
    enum { SIZE = 40000 };
    char *title = malloc(SIZE);
    struct result result;
    for (size_t i = 0; i + 2 < SIZE; i += 2)
        memcpy(title + i, "é", 2);
    memcpy(title, "x", 1);
    strcpy(title + SIZE - 60, TITLE_TOKEN);
    struct gt_document document = {
        .source = "test", .key = "1", .title = title, .body = "lb-012345678901", .body_len = 15};
    gt_document_identify(&document);
    engine_match_document(*state, &document, &result);
    assert_int_equal(result.count, 1);
    const char *shown = result.items[0].finding.document_title;
    assert_true(strlen(shown) > 16000 && strlen(shown) < 17000);
    assert_null(strstr(shown, "tco_"));
    assert_true((unsigned char)shown[strlen(shown) - 1] == 0xA9);
    result_free(&result);
    free(title);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leaks),
        cmocka_unit_test(previews),
        cmocka_unit_test(contexts),
        cmocka_unit_test(crowded_line),
        cmocka_unit_test(beyond_the_limit),
        cmocka_unit_test(titles_and_addresses),
        cmocka_unit_test(found_beside_the_body),
        cmocka_unit_test(endless_title),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_all, close_all);
}
