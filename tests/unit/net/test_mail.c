#include "harness.h"

static const char message[] = "From: guette <guette@acme.example>\r\n"
                              "Subject: a leak\r\n"
                              "\r\n"
                              "Line one\r\n"
                              ".hidden dot\r\n"
                              ".\r\n"
                              "..two\r\n"
                              "last\r\n";

static struct gt_net *net;

static int setup(void **state)
{
    (void)state;
    struct gt_net_settings settings = {
        .connections = 4, .per_host = 4, .ca_file = SERVERS "/loopback.pem"};
    return gt_net_open(&settings, &net, NULL);
}

static int teardown(void **state)
{
    (void)state;
    gt_net_close(net);
    return 0;
}

static struct gt_mail mail_to(const struct server *server, const char *const *to)
{
    return (struct gt_mail){
        .url = at_host(server, "smtp://127.0.0.1", ""),
        .from = "guette@acme.example",
        .to = to,
        .message = message,
        .message_len = sizeof message - 1,
        .timeout_ms = 20000,
        .allow_private = true,
    };
}

static const char *const alice[] = {"alice@acme.example", NULL};
static const char *const both[] = {"alice@acme.example", "bob@acme.example", NULL};

static const struct answer *send_mail(const struct gt_mail *mail)
{
    static struct answer last;
    struct gt_error err = {0};
    answer_free(&last);
    if (gt_net_mail(net, mail, answer_keep, &last, &err))
        fail_msg("%s", err.message);
    run_all(net);
    assert_int_equal(last.calls, 1);
    return &last;
}

static json_t *only_message(const struct server *server)
{
    json_t *log = server_log(server), *found = NULL, *entry;
    size_t i;
    json_array_foreach(log, i, entry)
    {
        if (strcmp(gt_json_string(entry, "event", ""), "message") == 0) {
            assert_null(found);
            found = json_incref(entry);
        }
    }
    json_decref(log);
    return found;
}

static void test_delivered(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, "smtpd.py", NULL);
    struct gt_mail mail = mail_to(&server, both);
    const struct answer *a = send_mail(&mail);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->status, 250);
    json_t *got = only_message(&server);
    assert_non_null(got);
    assert_string_equal(gt_json_string(got, "from", ""), "guette@acme.example");
    json_t *to = json_object_get(got, "to");
    assert_int_equal(json_array_size(to), 2);
    assert_string_equal(json_string_value(json_array_get(to, 1)), "bob@acme.example");
    assert_string_equal(gt_json_string(got, "data", ""), message);
    json_decref(got);
    server_stop(&server);
}

static void test_guarded(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, "smtpd.py", NULL);
    struct gt_mail mail = mail_to(&server, alice);
    mail.allow_private = false;
    const struct answer *a = send_mail(&mail);
    assert_int_equal(a->error, GT_E_REFUSED);
    assert_words(a, "allow_private");
    assert_null(only_message(&server));
    server_stop(&server);
}

/* What a mail server may say no to, and how it comes back. */
static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int error, status;
        const char *words;
    } cases[] = {
        {"RCPT:bob@=550 5.1.1 No such user bob", GT_E_REFUSED, 550, "550 5.1.1 No such user bob"},
        {"RCPT:alice@=450 4.2.1 Try later", GT_E_AGAIN, 450, "450 4.2.1 Try later"},
        {"MAIL=552 5.3.4 Too big", GT_E_REFUSED, 552, "552 5.3.4 Too big"},
        {"END=554 5.7.1 Spam", GT_E_REFUSED, 554, "554 5.7.1 Spam"},
        {"END=451 4.3.0 Disk full", GT_E_AGAIN, 451, "451 4.3.0 Disk full"},
        {"CONNECT=421 4.3.2 Going down", GT_E_AGAIN, 421, "421 4.3.2 Going down"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        server_start(&server, "smtpd.py", (const char *const[]){"--answer", cases[i].script, NULL});
        struct gt_mail mail = mail_to(&server, both);
        const struct answer *a = send_mail(&mail);
        if (a->error != cases[i].error || a->status != cases[i].status)
            fail_msg("%s: error %d, status %d, %s", cases[i].script, a->error, a->status, a->words);
        assert_words(a, cases[i].words);
        assert_null(only_message(&server));
        server_stop(&server);
    }
}

static void test_login(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, "smtpd.py", (const char *const[]){"--auth", "soc:hunter2", NULL});
    struct gt_mail mail = mail_to(&server, alice);
    const struct answer *a = send_mail(&mail);
    assert_int_equal(a->error, GT_E_REFUSED);
    assert_words(a, "530 5.7.0 Authentication required");
    mail.user = "soc";
    mail.password = "hunter3";
    a = send_mail(&mail);
    assert_int_equal(a->error, GT_E_REFUSED);
    assert_int_equal(a->status, 535);
    assert_words(a, "535 5.7.8 Wrong user name or password");
    assert_null(strstr(a->words, "hunter"));
    mail.password = "hunter2";
    assert_int_equal(send_mail(&mail)->error, 0);
    json_t *got = only_message(&server);
    assert_string_equal(gt_json_string(got, "user", ""), "soc");
    json_decref(got);
    server_stop(&server);
}

static void test_starttls(void **state)
{
    (void)state;
    struct server plain, tls;
    server_start(&plain, "smtpd.py", NULL);
    server_start(&tls, "smtpd.py", (const char *const[]){"--cert", SERVERS "/loopback.pem", NULL});
    struct gt_mail mail = mail_to(&plain, alice);
    mail.require_tls = true;
    const struct answer *a = send_mail(&mail);
    assert_int_equal(a->error, GT_E_REFUSED);
    assert_words(a, "STARTTLS");
    assert_null(only_message(&plain));
    mail = mail_to(&tls, alice);
    mail.require_tls = true;
    assert_int_equal(send_mail(&mail)->error, 0);
    json_t *got = only_message(&tls);
    assert_true(json_is_true(json_object_get(got, "tls")));
    json_decref(got);
    server_stop(&plain);
    server_stop(&tls);
}

static void test_smtps(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, "smtpd.py",
                 (const char *const[]){"--tls", "--cert", SERVERS "/loopback.pem", NULL});
    struct gt_mail mail = mail_to(&server, alice);
    mail.url = at_host(&server, "smtps://localhost", "/watcher.acme.example");
    assert_int_equal(send_mail(&mail)->error, 0);
    json_t *got = only_message(&server);
    assert_true(json_is_true(json_object_get(got, "tls")));
    assert_string_equal(gt_json_string(got, "ehlo", ""), "watcher.acme.example");
    json_decref(got);
    server_stop(&server);
}

static void test_bad_envelopes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "a@b.example\nX",
        "<a@b.example>",
        "a@b.example SIZE=1",
    };
    struct gt_error err;
    struct answer a = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const to[] = {bad[i], NULL};
        struct gt_mail mail = {.url = "smtp://a.example", .from = "a@b.example", .to = to};
        assert_int_equal(gt_net_mail(net, &mail, answer_keep, &a, &err), GT_E_INVALID);
        if (!bad[i][0])
            continue; /* the null sender is one */
        mail = (struct gt_mail){.url = "smtp://a.example", .from = bad[i], .to = alice};
        assert_int_equal(gt_net_mail(net, &mail, answer_keep, &a, &err), GT_E_INVALID);
    }
    struct gt_mail mail = {.url = "http://a.example", .from = "a@b.example", .to = alice};
    assert_int_equal(gt_net_mail(net, &mail, answer_keep, &a, &err), GT_E_INVALID);
    mail = (struct gt_mail){
        .url = "smtp://a.example", .from = "a@b.example", .to = (const char *const[]){NULL}};
    assert_int_equal(gt_net_mail(net, &mail, answer_keep, &a, &err), GT_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delivered),     cmocka_unit_test(test_guarded),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_login),
        cmocka_unit_test(test_starttls),      cmocka_unit_test(test_smtps),
        cmocka_unit_test(test_bad_envelopes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
