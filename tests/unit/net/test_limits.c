/* Hostile and broken servers: every transfer ends, within its limits, with words. */
#include "harness.h"

static const char routes[] =
    "[{\"path\": \"/ten\", \"body\": \"0123456789\"},"
    " {\"path\": \"/slow\", \"fault\": \"slow\", \"body\": \"0123456789\", \"fault_arg\": 200},"
    " {\"path\": \"/endless\", \"fault\": \"endless\"},"
    " {\"path\": \"/wrong_length\", \"fault\": \"wrong_length\", \"body\": \"short\"},"
    " {\"path\": \"/truncated\", \"fault\": \"truncated_gzip\", \"body\": \"abcdefgh12345678\"},"
    " {\"path\": \"/damaged\", \"fault\": \"damaged_gzip\", \"body\": "
    "\"abcdefgh12345678\",\"body_repeat\": 900},"
    " {\"path\": \"/bomb\", \"fault\": \"gzip_bomb\", \"fault_arg\": 50},"
    " {\"path\": \"/half\", \"fault\": \"half\", \"body\": \"0123456789\"},"
    " {\"path\": \"/close\", \"fault\": \"close\"},"
    " {\"path\": \"/garbage\", \"fault\": \"garbage\"},"
    " {\"path\": \"/100\", \"fault\": \"many_headers\", \"fault_arg\": 100},"
    " {\"path\": \"/150\", \"fault\": \"many_headers\", \"fault_arg\": 150},"
    " {\"path\": \"/headers\", \"fault\": \"many_headers\"},"
    " {\"path\": \"/hang\", \"fault\": \"hang\"},"
    " {\"path\": \"/limited\", \"status\": 429, \"headers\": {\"Retry-After\": \"1\"}, \"times\": "
    "1},"
    " {\"path\": \"/limited\", \"body\": \"open again\"},"
    " {\"path\": \"/down\", \"status\": 503},"
    " {\"path\": \"/closed\", \"status\": 429, \"headers\": {\"Retry-After\": \"3600\"}}]";

static struct server server;

static int setup(void **state)
{
    (void)state;
    server_start_routes(&server, routes, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_stop(&server);
    return 0;
}

static int open_net(void **state)
{
    *state = net_new(10, 4, 0);
    return 0;
}

static int close_net(void **state)
{
    gt_net_close(*state);
    return 0;
}

static struct gt_http_request request_of(const char *path)
{
    return (struct gt_http_request){.url = at(&server, path),
                                    .max_bytes = 64 * 1024,
                                    .timeout_ms = 10000,
                                    .allow_private = true};
}

static void test_size(void **state)
{
    struct gt_http_request request = request_of("/ten");
    request.max_bytes = 10;
    const struct answer *a = fetch(*state, &request);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->body.len, 10);
    assert_false(a->cut);
    request.max_bytes = 9;
    a = fetch(*state, &request);
    assert_int_equal(a->error, GT_E_LIMIT);
    assert_words(a, "larger than allowed");
    request.may_cut = true;
    a = fetch(*state, &request);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->status, 200);
    assert_true(a->cut);
    assert_string_equal(a->body.data, "012345678");
}

static void test_endless(void **state)
{
    struct gt_http_request request = request_of("/endless");
    assert_int_equal(fetch(*state, &request)->error, GT_E_LIMIT);
    request.may_cut = true;
    const struct answer *a = fetch(*state, &request);
    assert_int_equal(a->error, 0);
    assert_true(a->cut);
    assert_int_equal(a->body.len, 64 * 1024);
}

/* Decompressed bytes count. */
static void test_gzip_bomb(void **state)
{
    struct gt_http_request request = request_of("/bomb");
    assert_int_equal(fetch(*state, &request)->error, GT_E_LIMIT);
    request.may_cut = true;
    assert_int_equal(fetch(*state, &request)->body.len, 64 * 1024);
}

static void test_damaged(void **state)
{
    struct gt_http_request request = request_of("/damaged");
    const struct answer *a = fetch(*state, &request);
    assert_int_equal(a->error, GT_E_IO);
    /* libcurl does not tell a gzip that just ends; what comes of it is a part of the body. */
    request = request_of("/truncated");
    assert_true(fetch(*state, &request)->body.len < 16);
}

static void test_broken_off(void **state)
{
    static const struct {
        const char *path, *words;
    } cases[] = {
        {"/wrong_length", "middle of the answer"},
        {"/half", "middle of the answer"},
        {"/close", "without an answer"},
        {"/garbage", "does not speak HTTP"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gt_http_request request = request_of(cases[i].path);
        const struct answer *a = fetch(*state, &request);
        assert_int_equal(a->error, GT_E_IO);
        assert_words(a, cases[i].words);
        assert_int_equal(a->body.len, 0);
    }
}

static void test_headers(void **state)
{
    static const char *const too_many[] = {"/150", "/headers"}; /* by count, by bytes */
    struct gt_http_request request = request_of("/100");
    const struct answer *a = fetch(*state, &request);
    assert_int_equal(a->error, 0);
    assert_in_range(a->header_count, 100, 110);
    for (size_t i = 0; i < 2; i++) {
        request = request_of(too_many[i]);
        a = fetch(*state, &request);
        assert_int_equal(a->error, GT_E_LIMIT);
        assert_words(a, "headers");
    }
}

static void test_time(void **state)
{
    static const char *const paths[] = {"/slow", "/hang"};
    for (size_t i = 0; i < 2; i++) {
        struct gt_http_request request = request_of(paths[i]);
        request.timeout_ms = 300;
        const struct answer *a = fetch(*state, &request);
        assert_int_equal(a->error, GT_E_TIMEOUT);
        assert_words(a, "within 300 ms");
    }
}

/* 429 pauses the host, other hosts go on, and then it goes on by itself. */
static void test_pause_and_resume(void **state)
{
    struct gt_net *net = *state;
    const char *url = at(&server, "/limited");
    const struct answer *a = get(net, url);
    int64_t paused = gt_monotonic();
    assert_int_equal(a->status, 429);
    assert_int_equal(a->retry_after_ms, 1000);
    assert_in_range(gt_net_host_pause(net, url), 1, 1000);
    assert_int_equal(gt_net_host_pause(net, "http://other.example/"), 0);
    assert_int_equal(gt_net_host_pause(net, "rubbish"), 0);
    const char *other = at_host(&server, "http://localhost", "/ten");
    assert_int_equal(get(net, other)->status, 200);
    struct gt_http_request hasty = request_of("/limited");
    hasty.patience_ms = 100;
    a = fetch(net, &hasty);
    assert_int_equal(a->error, GT_E_TIMEOUT);
    assert_words(a, "asked to be left alone");
    a = get(net, url);
    assert_string_equal(a->body.data, "open again");
    assert_true(gt_monotonic() - paused >= 900);
    assert_int_equal(gt_net_host_pause(net, url), 0);
    json_t *log = server_log_of(&server, "/limited");
    assert_int_equal(json_array_size(log), 2); /* the hasty one was never sent */
    json_decref(log);
}

static void test_back_off(void **state)
{
    struct gt_net *net = *state;
    const struct answer *a = get(net, at(&server, "/down"));
    assert_int_equal(a->status, 503);
    assert_int_equal(a->retry_after_ms, -1);
    assert_in_range(gt_net_host_pause(net, at(&server, "/")), 1, 1000);
}

/* Running out of patience must not need anything to happen on the network. */
static void test_patience_wakes(void **state)
{
    struct gt_net *net = *state;
    assert_int_equal(get(net, at(&server, "/closed"))->retry_after_ms, 3600 * 1000);
    struct gt_http_request request = request_of("/ten");
    request.patience_ms = 50;
    struct answer a = {0};
    assert_int_equal(gt_net_http(net, &request, answer_keep, &a, NULL), 0);
    assert_int_equal(gt_net_run(net, 60 * 60 * 1000, NULL, 0, NULL, NULL), 0);
    run_all(net);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.error, GT_E_TIMEOUT);
    answer_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_size, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_endless, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_gzip_bomb, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_damaged, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_broken_off, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_headers, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_time, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_pause_and_resume, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_back_off, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_patience_wakes, open_net, close_net),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
