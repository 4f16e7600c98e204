/* The alert as text: what stands there, in both languages, whatever strangers wrote. */
#include "notifier/show.h"
#include "notifier_test.h"

#include <sys/stat.h>

static char *text_of(const struct gt_alert *alert, bool colour)
{
    struct gt_buffer out = GT_BUFFER(65536);
    assert_int_equal(gt_alert_text(alert, colour, &out), 0);
    return out.data;
}

static void assert_says(const char *text, const char *words)
{
    if (!strstr(text, words)) {
        fputs(text, stderr);
        fail_msg("\"%s\" is missing", words);
    }
}

static void assert_fits(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        char line[2048];
        assert_true(len < sizeof(line));
        memcpy(line, text, len);
        line[len] = '\0';
        if (gt_show_width(line) > 80)
            fail_msg("too long: %s", line);
        text += len + (text[len] == '\n');
    }
}

static void test_english(void **state)
{
    struct gt_alert alert = make_alert();
    char *text = text_of(&alert, false);
    assert_says(text, "[CRITICAL] GitHub personal access token \u00b7 Acme Corp\n");
    assert_says(text, "  Preview      ghp_****************************9f3a (redacted)\n");
    assert_says(text, "  Where        deploy.env, line 12\n");
    assert_says(text, "hxxps://gist[.]github[.]com/mallory/0123456789abcdef\n");
    assert_says(text, "github-gists, by mallory\n");
    assert_says(text, "Published    2026-11-23 17:20 UTC\n");
    assert_says(text, "Found        2026-11-23 17:41 UTC\n");
    assert_says(text, "Seen         3 times, first on 2026-11-23 16:41 UTC\n");
    assert_says(text, "Confidence   certain (score 92/100)\n");
    assert_says(text, "Why          - the checksum inside the token is right\n");
    assert_says(text, "               - the document names acme.example\n");
    assert_says(text, "What to do now\n    Revoke it under Settings");
    assert_says(text, alert.finding.id);
    assert_says(text, "github.personal-access-token");
    assert_null(strchr(text, '\033'));
    assert_null(strstr(text, "https://"));
    assert_fits(text);
    free(text);
}

static void test_french(void **state)
{
    struct gt_alert alert = make_alert();
    alert.lang = GT_FRENCH;
    alert.finding.remediation = NULL;
    alert.occurrences = 1;
    alert.finding.severity = GT_HIGH;
    char *text = text_of(&alert, false);
    assert_says(text, "[ÉLEVÉ] GitHub");
    assert_says(text, "  Où           deploy.env, ligne 12\n");
    assert_says(text, "github-gists, par mallory");
    assert_says(text, "Publié       2026-11-23 17:20 UTC\n");
    assert_says(text, "Vu           une fois\n");
    assert_says(text, "Confiance    certaine");
    assert_says(text, "À faire maintenant\n    Trouver à qui");
    assert_says(text, "(masqué)");
    assert_fits(text);
    free(text);
}

static void test_colour_is_asked_for(void **state)
{
    struct gt_alert alert = make_alert();
    char *text = text_of(&alert, true);
    assert_int_equal(strncmp(text, "\033[", 2), 0);
    assert_says(text, " CRITICAL ");
    free(text);
}

static void test_every_level_has_its_words(void **state)
{
    struct gt_alert alert = make_alert();
    for (int lang = GT_ENGLISH; lang <= GT_FRENCH; lang++) {
        for (int severity = GT_INFORMATIONAL; severity <= GT_CRITICAL; severity++) {
            for (int confidence = GT_POSSIBLE; confidence <= GT_CERTAIN; confidence++) {
                alert.lang = (enum gt_lang)lang;
                alert.finding.severity = (enum gt_severity)severity;
                alert.finding.confidence = (enum gt_confidence)confidence;
                char *text = text_of(&alert, true);
                assert_null(strstr(text, "(null)"));
                free(text);
            }
        }
    }
}

/* As little as a finding can have. */
static void test_bare_finding(void **state)
{
    struct gt_alert alert = {.event = "finding.created", .finding = {.rule = "brand.domain"}};
    char *text = text_of(&alert, false);
    assert_says(text, "[INFO] brand.domain\n");
    assert_null(strstr(text, "(null)"));
    assert_null(strstr(text, "Link"));
    assert_says(text, "Found        -\n");
    free(text);
}

static void test_test_event_says_so(void **state)
{
    struct gt_alert alert = make_alert();
    alert.event = "channel.test";
    char *text = text_of(&alert, false);
    assert_says(text, "TEST of this channel");
    free(text);
}

/* Escape sequences, C1 controls, right-to-left overrides, broken UTF-8, line breaks that forge a
 * headline. */
static const char *const hostile[] = {
    "\033[2J\033[31mowned\033[0m",
    "\033]0;title\007\033]8;;https://evil.example\033\\click\033]8;;\033\\",
    "\xc2\x9b"
    "31m and \xc2\x9d"
    "0;x\xc2\x9c",
    "\x9b"
    "31m raw C1",
    "a\r\n\r\n[INFO] all is well\n\n",
    "\b\b\b\b\a\f\v\x7f",
    "\xe2\x80\xae"
    "txt.exe\xe2\x80\xac \xe2\x81\xa6x\xe2\x81\xa9",
    "\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80",
    "\xe2\x80\xa8line\xe2\x80\xa9separator",
    "%s%n%x \\e[0m $(reboot) `reboot`",
    "",
};

static void poison(struct gt_finding *finding, const char *text)
{
    static const char *reasons[1];
    reasons[0] = text;
    finding->reasons = (struct gt_list){reasons, 1};
    finding->brand = finding->title = finding->preview = finding->context = text;
    finding->source = finding->url = finding->document_title = finding->author = text;
    finding->rule = finding->remediation = text;
}

static void test_hostile_bytes_never_reach_the_terminal(void **state)
{
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        struct gt_alert alert = make_alert();
        poison(&alert.finding, hostile[i]);
        char *text = text_of(&alert, false);
        assert_true(gt_utf8_valid(text, strlen(text)));
        for (const char *c = text; *c; c++)
            assert_true(*c == '\n' || ((unsigned char)*c >= ' ' && *c != 0x7f));
        static const char *const marks[] = {"\xc2\x9b", "\xc2\x9d", "\xe2\x80\xae", "\xe2\x81\xa6",
                                            "\xe2\x80\xa8"};
        for (size_t k = 0; k < sizeof(marks) / sizeof(marks[0]); k++)
            assert_null(strstr(text, marks[k]));
        assert_null(strstr(text, "\n[INFO]"));
        assert_fits(text);
        free(text);
    }
}

static void test_long_fields_are_cut_and_wrapped(void **state)
{
    static char words[100001], letters[100001], wide[99999 + 1];
    for (size_t i = 0; i < 100000; i++)
        words[i] = i % 7 == 6 ? ' ' : 'w';
    memset(letters, 'l', 100000);
    for (size_t i = 0; i < 99999; i += 3)
        memcpy(wide + i, "\xe6\xbc\x8f", 3);
    const char *const texts[] = {words, letters, wide};
    for (size_t i = 0; i < 3; i++) {
        struct gt_alert alert = make_alert();
        poison(&alert.finding, texts[i]);
        char *text = text_of(&alert, false);
        assert_says(text, "\u2026");
        assert_true(strlen(text) < 32768);
        assert_fits(text);
        free(text);
    }
}

static void test_defanged(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"https://paste.example/a.b?c=d.e", "hxxps://paste[.]example/a.b?c=d.e"},
        {"see HTTP://A.B/x and ftp://c.d/", "see hxxp://A[.]B/x and ftp[:]//c[.]d/"},
        {"www.evil.example and xwww.y", "www[.]evil[.]example and xwww.y"},
        {"http://user:pw@evil.example:80/", "hxxp://user:pw@evil[.]example:80/"},
        {"javascript://x.y", "javascript[:]//x[.]y"},
        {"a.env, no link: b/c.d", "a.env, no link: b/c.d"},
        {"://", "://"},
        {"file:///srv/inbox/a.b and file://evil.example/share",
         "file:///srv/inbox/a.b and file[:]//evil[.]example/share"},
        {"https://https://a.b", "hxxps://https[:]//a[.]b"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4096);
        gt_show_defanged(&out, cases[i].text, 200);
        assert_string_equal(out.data ? out.data : "", cases[i].shown);
    }
}

static void test_row_of_a_table(void **state)
{
    static const size_t widths[] = {4, 3, 8};
    const char *cells[] = {"\xc3\xa9t\xc3\xa9", NULL, "\033[1mlong word"};
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(256);
    gt_show_row(&out, cells, widths, 3);
    assert_string_equal(out.data, "\xc3\xa9t\xc3\xa9   -    [1mlong\u2026\n");
}

static void test_terminal_channel(void **state)
{
    struct gt_alert alert = make_alert();
    struct opened plain = must_open("terminal", "colour: never");
    struct opened coloured = must_open("terminal", "colour: always");
    struct gt_outgoing out = render_with(&plain, &alert, NOW);
    assert_int_equal(out.type, GT_OUTGOING_WRITE);
    assert_null(out.write.path);
    assert_null(memchr(out.write.bytes, '\033', out.write.len));
    out = render_with(&coloured, &alert, NOW);
    assert_non_null(memchr(out.write.bytes, '\033', out.write.len));
    close_opened(&plain);
    close_opened(&coloured);
    assert_mistake("terminal", "colour: sometimes", "colour");
}

static void test_file_channel(void **state)
{
    struct gt_alert alert = make_alert();
    alert.finding.context = "two\nlines";
    struct opened file = must_open("file", "path: out/alerts.jsonl");
    struct gt_outgoing out = render_with(&file, &alert, NOW);
    assert_string_equal(out.write.path, "/nowhere/out/alerts.jsonl");
    assert_int_equal(out.write.mode, 0600);
    assert_ptr_equal(memchr(out.write.bytes, '\n', out.write.len),
                     out.write.bytes + out.write.len - 1);
    GT_JSON_AUTO json_t *json = gt_json_parse(out.write.bytes, out.write.len, &file.err);
    assert_string_equal(gt_json_string(json, "type", ""), "finding.created");
    close_opened(&file);
    assert_mistake("file", "path: \"\"", "is empty");
    assert_mistake("file", "path: folder/", "not a file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_english),
        cmocka_unit_test(test_french),
        cmocka_unit_test(test_colour_is_asked_for),
        cmocka_unit_test(test_every_level_has_its_words),
        cmocka_unit_test(test_bare_finding),
        cmocka_unit_test(test_test_event_says_so),
        cmocka_unit_test(test_hostile_bytes_never_reach_the_terminal),
        cmocka_unit_test(test_long_fields_are_cut_and_wrapped),
        cmocka_unit_test(test_defanged),
        cmocka_unit_test(test_row_of_a_table),
        cmocka_unit_test(test_terminal_channel),
        cmocka_unit_test(test_file_channel),
    };
    return cmocka_run_group_tests(tests, start_hashes, NULL);
}
