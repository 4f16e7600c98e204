/* The mail: its lines and headers here; that a mail reader understands it is for read_mail.py to
 * prove. */
#include "notifier/message.h"
#include "notifier_test.h"

#define SETTINGS                                                                                   \
    "server: smtp://mail.acme.example:587\nfrom: guette <guette@acme.example>\n"                   \
    "to: [soc@acme.example, \"Zoë O'Neil \\\"Night\\\" <zoe.oneil@acme.example>\"]\n"

static void assert_well_formed(const struct gt_mail *mail)
{
    const char *at = mail->message, *end = at + mail->message_len;
    while (at < end) {
        const char *cr = memchr(at, '\r', (size_t)(end - at));
        assert_non_null(cr);
        assert_true(cr + 1 < end && cr[1] == '\n');
        assert_in_range(cr - at, 0, 76);
        for (const char *c = at; c < cr; c++)
            assert_in_range((unsigned char)*c, ' ', '~');
        at = cr + 2;
    }
}

/* Messages on their way to Python's own parser; all of a test at once, since starting it is slow.
 */
#define KEPT_MAX 16
struct kept {
    char directory[64];
    char names[KEPT_MAX][96];
    size_t count;
};

static void keep(struct kept *kept, const struct gt_mail *mail)
{
    if (kept->count == 0) {
        strcpy(kept->directory, "/tmp/guette-mail-XXXXXX");
        assert_non_null(mkdtemp(kept->directory));
    }
    assert_true(kept->count < KEPT_MAX);
    char name[96];
    snprintf(name, sizeof(name), "%s/%zu", kept->directory, kept->count);
    memcpy(kept->names[kept->count++], name, sizeof(name));
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(mail->message, 1, mail->message_len, file), mail->message_len);
    fclose(file);
}

/* Its exit status says whether all is as it should be. */
static void assert_python_reads(struct kept *kept, const char *expect)
{
    GT_BUFFER_AUTO struct gt_buffer command = GT_BUFFER(4096);
    if (!getenv("READ_MAIL"))
        fail_msg("READ_MAIL is not set: run this by `meson test`");
    gt_buffer_printf(&command, "%s %s", getenv("READ_MAIL"), expect);
    for (size_t i = 0; i < kept->count; i++)
        gt_buffer_printf(&command, " '%s'", kept->names[i]);
    int status = system(command.data);
    for (size_t i = 0; i < kept->count; i++)
        unlink(kept->names[i]);
    rmdir(kept->directory);
    assert_int_equal(status, 0);
}

static void test_message(void **state)
{
    struct opened mail = must_open("email", SETTINGS "reply_to: soc@acme.example\n");
    struct gt_alert alert = make_alert();
    struct gt_outgoing out = render_with(&mail, &alert, NOW);
    assert_int_equal(out.type, GT_OUTGOING_MAIL);
    assert_string_equal(out.mail.url, "smtp://mail.acme.example:587");
    assert_string_equal(out.mail.from, "guette@acme.example");
    assert_string_equal(out.mail.to[0], "soc@acme.example");
    assert_string_equal(out.mail.to[1], "zoe.oneil@acme.example");
    assert_null(out.mail.to[2]);
    assert_true(out.mail.require_tls);
    assert_well_formed(&out.mail);
    /* No quoted-printable text holds "=_", so none can end a part. */
    assert_non_null(strstr(out.mail.message, "boundary=\"=_"));
    struct kept kept = {0};
    keep(&kept, &out.mail);
    assert_python_reads(&kept, "en");
    /* A retry is the same message, byte for byte. */
    struct gt_outgoing later = render_with(&mail, &alert, NOW + GT_DAY);
    assert_int_equal(later.mail.message_len, out.mail.message_len);
    assert_memory_equal(later.mail.message, out.mail.message, out.mail.message_len);
    close_opened(&mail);
}

static void test_french_message(void **state)
{
    struct opened mail = must_open("email", SETTINGS);
    struct gt_alert alert = make_alert();
    alert.lang = GT_FRENCH;
    alert.finding.title = "Jeton d'accès personnel GitHub";
    alert.finding.brand = "Société Générale de l'Été";
    struct gt_outgoing out = render_with(&mail, &alert, NOW);
    assert_well_formed(&out.mail);
    struct kept kept = {0};
    keep(&kept, &out.mail);
    assert_python_reads(&kept, "fr");
    close_opened(&mail);
}

/* In every field that strangers fill, and in those of rules and configuration. */
static const char *const injections[] = {
    "x\r\nBcc: victim@evil.example",
    "x\nBcc: victim@evil.example\n\n<h1>body</h1>",
    "x\rBcc: victim@evil.example",
    "x\r\n\r\n--=_guette_00000000000000000000000000000000\r\nContent-Type: text/html\r\n\r\nhi",
    "x\xe2\x80\xa8"
    "Bcc: victim@evil.example",
    "x\xc2\x85"
    "Bcc: victim@evil.example",
    "=?UTF-8?B?eA0KQmNjOiB2?=",
    "=?utf-8?q?=0D=0ABcc:_victim=40evil.example?=",
    "\xff\xfe\x80 8-bit \xc3\x28 \xe2\x82",
    "<script>alert(1)</script><img src=x onerror=alert(1)> \"'&",
    "https://evil.example/login?next=https://acme.example",
    ".\r\nQUIT\r\n",
    "From here\nFrom there",
    "\x1b[31mred",
};

static void test_nothing_can_be_injected(void **state)
{
    struct opened mail = must_open("email", SETTINGS);
    struct kept kept = {0};
    for (size_t i = 0; i < sizeof(injections) / sizeof(injections[0]); i++) {
        struct gt_alert alert = make_alert();
        struct gt_finding *f = &alert.finding;
        const char *reasons[] = {injections[i]};
        f->reasons = (struct gt_list){reasons, 1};
        f->brand = f->title = f->preview = f->context = f->source = injections[i];
        f->url = f->document_title = f->author = f->rule = injections[i];
        if (!strstr(injections[i], "://")) /* a rule's own links stay: they lead to the provider */
            f->remediation = injections[i];
        struct gt_outgoing out = render_with(&mail, &alert, NOW);
        assert_well_formed(&out.mail);
        keep(&kept, &out.mail);
    }
    assert_python_reads(&kept, "hostile");
    close_opened(&mail);
}

static void test_long_fields(void **state)
{
    static char letters[60001], accents[60001];
    memset(letters, 'l', 60000);
    for (size_t i = 0; i < 60000; i += 2)
        memcpy(accents + i, "\xc3\xa9", 2);
    const char *const texts[] = {letters, accents};
    struct opened mail = must_open("email", SETTINGS);
    struct kept kept = {0};
    for (size_t i = 0; i < 2; i++) {
        struct gt_alert alert = make_alert();
        struct gt_finding *f = &alert.finding;
        f->brand = f->title = f->context = f->url = f->author = f->rule = texts[i];
        struct gt_outgoing out = render_with(&mail, &alert, NOW);
        assert_well_formed(&out.mail);
        keep(&kept, &out.mail);
    }
    assert_python_reads(&kept, "hostile");
    close_opened(&mail);
}

static void test_one_thread_per_finding(void **state)
{
    struct opened mail = must_open("email", SETTINGS);
    struct gt_alert first = make_alert(), second = make_alert();
    char root[128];
    second.event = "finding.seen-again";
    gt_alert_identify(&second);
    snprintf(root, sizeof(root), "\r\nReferences: <finding-%s@acme.example>\r\n", first.finding.id);
    struct gt_outgoing a = render_with(&mail, &first, NOW), b = render_with(&mail, &second, NOW);
    assert_non_null(strstr(a.mail.message, root));
    assert_non_null(strstr(b.mail.message, root));
    snprintf(root, sizeof(root), "\r\nMessage-ID: <alert-%s@acme.example>\r\n", first.id);
    assert_non_null(strstr(a.mail.message, root));
    assert_null(strstr(b.mail.message, root));
    close_opened(&mail);
}

static void assert_tls(const char *settings, bool required)
{
    struct gt_alert alert = make_alert();
    struct opened mail = must_open("email", settings);
    assert_int_equal(render_with(&mail, &alert, NOW).mail.require_tls, required);
    close_opened(&mail);
}

static void test_tls(void **state)
{
#define ENDS "\nfrom: a@acme.example\nto: b@acme.example\n"
    assert_tls("server: smtp://mail.acme.example" ENDS, true);
    assert_tls("server: smtp://10.0.0.1:25" ENDS, true);
    assert_tls("server: smtp://localhost:25" ENDS, false);
    assert_tls("server: smtp://127.0.0.1:25" ENDS, false);
    assert_tls("server: smtp://[::1]:25" ENDS, false);
    assert_tls("server: smtp://localhost.evil.example" ENDS, true);
    assert_tls("server: smtp://localhost" ENDS "starttls: required", true);
    assert_tls("server: smtp://mail.acme.example" ENDS "starttls: never", false);
    assert_tls("server: smtps://mail.acme.example" ENDS, false); /* TLS from the first byte */
    struct opened mail = try_open("email", "server: smtp://mail.acme.example" ENDS
                                           "starttls: never\nuser: a\npassword: made-up");
    assert_int_equal(mail.code, GT_E_INVALID);
    assert_non_null(strstr(mail.err.message, "in the clear"));
    assert_null(strstr(mail.err.message, "made-up"));
    close_opened(&mail);
}

static void test_wrong_options(void **state)
{
    static const char *const addresses[] = {
        "soc",
        "@acme.example",
        "soc@",
        "soc@acme..example",
        "a b@acme.example",
        "soc@-acme.example",
        ".soc@acme.example",
        "soc@acme.example>",
        "Soc <soc@acme.example",
        "soc@acme.example\\r\\nRCPT TO:<x@y>",
        "zo\u00eb@acme.example",
        "soc@acme_corp.example",
    };
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        char yaml[256];
        snprintf(yaml, sizeof(yaml), "server: smtp://h\nfrom: a@b.example\nto: [\"%s\"]\n",
                 addresses[i]);
        assert_mistake("email", yaml, "not a mail address");
    }
#define PEOPLE "\nfrom: a@b.example\nto: a@b.example\n"
    assert_mistake("email", "server: mail.acme.example" PEOPLE, "smtp://");
    assert_mistake("email", "server: smtp://" PEOPLE, "not a server");
    assert_mistake("email", "server: smtp://h/path" PEOPLE, "not a server");
    assert_mistake("email", "server: smtp://me:pw@h" PEOPLE, "put it into user");
    assert_mistake("email", "server: smtp://h" PEOPLE "starttls: maybe", "starttls");
    assert_mistake("email", "server: smtp://h\nfrom: a@b.example", "to");
}

static void test_quoted_printable(void **state)
{
    static const struct {
        const char *text, *coded;
    } cases[] = {
        {"a=b", "a=3Db"},
        {"é", "=C3=A9"},
        {"blank \nnext\t\n", "blank=20\r\nnext=09\r\n"},
        {"ends ", "ends=20"},
        {".dot\n..\nFrom me", "=2Edot\r\n=2E.\r\n=46rom me"},
        {"a\rb", "a=0Db"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(256);
        gt_quoted_printable(&out, cases[i].text, strlen(cases[i].text));
        assert_string_equal(out.data ? out.data : "", cases[i].coded);
    }
}

static void test_answers(void **state)
{
    static const struct {
        int error, status;
        enum gt_outcome_type type;
    } cases[] = {
        {0, 250, GT_DELIVERED},         {GT_E_IO, 0, GT_RETRY},      {GT_E_IO, 421, GT_RETRY},
        {GT_E_IO, 451, GT_RETRY},       {GT_E_IO, 550, GT_REJECTED}, {GT_E_IO, 554, GT_REJECTED},
        {GT_E_REFUSED, 535, GT_RETRY},  {GT_E_IO, 552, GT_RETRY},    {GT_E_TIMEOUT, 0, GT_RETRY},
        {GT_E_INVALID, 0, GT_REJECTED}, {0, 450, GT_RETRY},
    };
    struct opened mail = must_open("email", SETTINGS);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gt_outcome outcome;
        struct gt_http_response response = {.error = cases[i].error,
                                            .words = cases[i].error ? "words" : NULL,
                                            .status = cases[i].status,
                                            .retry_after_ms = -1};
        gt_channel_classify(mail.channel, &response, &outcome);
        assert_int_equal(outcome.type, cases[i].type);
        assert_true(outcome.why[0]);
    }
    close_opened(&mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_french_message),
        cmocka_unit_test(test_nothing_can_be_injected),
        cmocka_unit_test(test_long_fields),
        cmocka_unit_test(test_one_thread_per_finding),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_quoted_printable),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, start_hashes, NULL);
}
