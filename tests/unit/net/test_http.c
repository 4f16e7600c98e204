#include "harness.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const char routes[] =
    "[{\"path\": \"/hello\", \"headers\": {\"ETag\": \"W/\\\"v1\\\"\", \"X-Seen\": \"  spaces  \"},"
    "  \"body\": \"Hello, world\"},"
    " {\"path\": \"/empty\", \"status\": 204},"
    " {\"path\": \"/missing\", \"status\": 404, \"body\": \"no such thing\"},"
    " {\"path\": \"/gzip\", \"gzip\": true, \"body\": \"abc\", \"body_repeat\": 1000},"
    " {\"path\": \"/post\", \"method\": \"POST\", \"body\": \"taken\"},"
    " {\"path\": \"/put\", \"method\": \"PUT\", \"body\": \"put\"},"
    " {\"path\": \"/teapot\", \"status\": 200, \"body\": \"tea\"},"
    " {\"path\": \"/slow\", \"delay_ms\": 200, \"body\": \"at last\"}]";

static struct server server;
static struct gt_net *net;

static int setup(void **state)
{
    (void)state;
    server_start_routes(&server, routes, NULL);
    net = net_new(10, 4, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gt_net_close(net);
    server_stop(&server);
    return 0;
}

/* One header of the only request for this path. */
static void assert_sent(const char *path, const char *header, const char *wanted)
{
    json_t *log = server_log_of(&server, path);
    assert_int_equal(json_array_size(log), 1);
    json_t *headers = json_object_get(json_array_get(log, 0), "headers");
    const char *got = gt_json_string(headers, header, NULL);
    if (wanted)
        assert_string_equal(got ? got : "(none)", wanted);
    else
        assert_null(got);
    json_decref(log);
}

static void test_get(void **state)
{
    (void)state;
    const struct answer *a = get(net, at(&server, "/hello"));
    assert_int_equal(a->error, 0);
    assert_int_equal(a->status, 200);
    assert_string_equal(a->body.data, "Hello, world");
    assert_string_equal(a->etag, "W/\"v1\"");
    assert_string_equal(a->seen, "spaces");
    assert_string_equal(a->url, at(&server, "/hello"));
    assert_false(a->cut || a->moved);
    assert_int_equal(a->retry_after_ms, -1);
}

static void test_statuses_are_answers(void **state)
{
    (void)state;
    const struct answer *a = get(net, at(&server, "/missing"));
    assert_int_equal(a->error, 0);
    assert_int_equal(a->status, 404);
    assert_string_equal(a->body.data, "no such thing");
    a = get(net, at(&server, "/empty"));
    assert_int_equal(a->status, 204);
    assert_int_equal(a->body.len, 0);
}

static void test_counted(void **state)
{
    (void)state;
    double before = gt_counter_sum("guette_net_requests_total");
    get(net, at(&server, "/missing"));
    get(net, "http://does-not-exist.invalid/");
    assert_true(gt_counter_sum("guette_net_requests_total") == before + 2);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(64 * 1024);
    assert_int_equal(gt_metrics_append(&text), 0);
    assert_non_null(strstr(text.data, "guette_net_requests_total{class=\"4xx\"}"));
    assert_non_null(strstr(text.data, "guette_net_requests_total{class=\"error\"}"));
}

static void test_user_agent(void **state)
{
    (void)state;
    get(net, at(&server, "/teapot?agent"));
    assert_true(gt_starts_with(gt_net_user_agent(net), "guette/"));
    assert_true(gt_ends_with(gt_net_user_agent(net), "(+soc@acme.example)"));
    assert_sent("/teapot?agent", "user-agent", gt_net_user_agent(net));
    assert_sent("/teapot?agent", "cookie", NULL);
}

static void test_conditional(void **state)
{
    (void)state;
    struct gt_header headers[] = {{"If-None-Match", "W/\"v1\""}};
    struct gt_http_request request = {
        .url = at(&server, "/hello?again"),
        .headers = headers,
        .header_count = 1,
        .allow_private = true,
    };
    const struct answer *a = fetch(net, &request);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->status, 304);
    assert_int_equal(a->body.len, 0);
    assert_string_equal(a->etag, "W/\"v1\"");
    headers[0].value = "W/\"v0\"";
    assert_int_equal(fetch(net, &request)->status, 200);
}

static void test_compressed(void **state)
{
    (void)state;
    const struct answer *a = get(net, at(&server, "/gzip"));
    assert_int_equal(a->body.len, 3000);
    assert_memory_equal(a->body.data, "abcabc", 6);
}

static void test_post(void **state)
{
    (void)state;
    struct gt_header headers[] = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    const struct answer *a = fetch(net, &(struct gt_http_request){
                                            .url = at(&server, "/post"),
                                            .headers = headers,
                                            .header_count = 2,
                                            .body = "{\"a\":\0}",
                                            .body_len = 7,
                                            .allow_private = true,
                                        });
    assert_string_equal(a->body.data, "taken");
    assert_sent("/post", "content-type", "application/json");
    assert_sent("/post", "content-length", "7");
    assert_sent("/post", "x-empty", "");
    assert_sent("/post", "expect", NULL);
    json_t *log = server_log_of(&server, "/post");
    size_t len = json_string_length(json_object_get(json_array_get(log, 0), "body"));
    assert_int_equal(len, 7);
    json_decref(log);
}

static void test_methods(void **state)
{
    (void)state;
    struct gt_http_request request = {.url = at(&server, "/put"), .allow_private = true};
    request.method = "PUT";
    request.body = "x";
    request.body_len = 1;
    assert_string_equal(fetch(net, &request)->body.data, "put");
    assert_sent("/put", "content-type", NULL);
    request = (struct gt_http_request){
        .method = "HEAD", .url = at(&server, "/hello?head"), .allow_private = true};
    const struct answer *a = fetch(net, &request);
    assert_int_equal(a->status, 200);
    assert_int_equal(a->body.len, 0);
    request.method = "POST"; /* without a body */
    request.url = at(&server, "/post?empty");
    assert_string_equal(fetch(net, &request)->body.data, "taken");
    assert_sent("/post?empty", "content-length", "0");
}

static void test_basic_authentication(void **state)
{
    (void)state;
    char url[256];
    snprintf(url, sizeof url, "http://soc:hunter2@127.0.0.1:%d/teapot?basic", server.port);
    const struct answer *a = get(net, url);
    assert_int_equal(a->status, 200);
    assert_null(strstr(a->url, "hunter2"));
    assert_sent("/teapot?basic", "authorization", "Basic c29jOmh1bnRlcjI=");
}

static void test_bad_requests(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",
        "acme.example",
        "/relative",
        "ftp://acme.example/",
        "file:///etc/passwd",
        "gopher://acme.example/",
        "javascript:alert(1)",
        "http://",
        "http:///",
        "http://a b/",
        "http://acme.example:99999/",
        "dict://acme.example:11211/",
        "http://[::1/",
    };
    struct gt_error err;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct gt_http_request request = {.url = urls[i]};
        if (gt_net_http(net, &request, answer_keep, NULL, &err) != GT_E_INVALID)
            fail_msg("\"%s\" is taken", urls[i]);
    }
    struct gt_header bad[] = {
        {"X-A", "b\r\nX-Injected: c"}, {"X-A\r\nX-B", "c"}, {"X A", "b"}, {"", "b"}, {"A:", "b"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gt_http_request request = {
            .url = "http://acme.example/", .headers = &bad[i], .header_count = 1};
        assert_int_equal(gt_net_http(net, &request, answer_keep, NULL, &err), GT_E_INVALID);
    }
    static const char *const methods[] = {"", "G", "GE T", "GET\r\n", "WAYTOOLONGAMETHODNAME"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct gt_http_request request = {.url = "http://acme.example/", .method = methods[i]};
        assert_int_equal(gt_net_http(net, &request, answer_keep, NULL, &err), GT_E_INVALID);
    }
    assert_int_equal(gt_net_active(net), 0);
}

/* A port where nobody listens: bound and not listened on, so nobody else takes it meanwhile. */
static int closed_port(int *ret_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_fd = fd;
    return ntohs(address.sin_port);
}

static void test_words_for_operators(void **state)
{
    (void)state;
    char url[256];
    int fd, port = closed_port(&fd);
    snprintf(url, sizeof url, "http://soc:hunter2@127.0.0.1:%d/secret-path?token=hunter3", port);
    const struct answer *a = get(net, url);
    assert_int_equal(a->error, GT_E_IO);
    assert_words(a, "cannot connect");
    assert_words(a, "http://127.0.0.1:");
    assert_null(strstr(a->words, "hunter"));
    assert_null(strstr(a->words, "secret-path"));
    close(fd);
    a = get(net, "http://does-not-exist.invalid/?token=hunter3");
    assert_int_equal(a->error, GT_E_IO);
    assert_words(a, "http://does-not-exist.invalid: cannot resolve");
    assert_null(strstr(a->words, "hunter"));
}

static void test_certificates(void **state)
{
    (void)state;
    struct server tls;
    const char *args[] = {"--cert", SERVERS "/loopback.pem", NULL};
    server_start_routes(&tls, routes, args);
    const char *url = at_host(&tls, "https://127.0.0.1", "/hello");
    const struct answer *a = get(net, url);
    assert_int_equal(a->error, GT_E_IO);
    assert_words(a, "certificate is not trusted");
    struct gt_net_settings settings = {
        .connections = 4, .per_host = 4, .ca_file = SERVERS "/loopback.pem"};
    struct gt_net *trusting = NULL;
    assert_int_equal(gt_net_open(&settings, &trusting, NULL), 0);
    a = get(trusting, url);
    assert_int_equal(a->error, 0);
    assert_string_equal(a->body.data, "Hello, world");
    a = get(trusting, at_host(&server, "https://127.0.0.1", "/hello")); /* speaks no TLS */
    assert_int_equal(a->error, GT_E_IO);
    assert_words(a, "TLS");
    gt_net_close(trusting);
    server_stop(&tls);
}

static void test_settings(void **state)
{
    (void)state;
    static const struct gt_net_settings bad[] = {
        {.connections = 0, .per_host = 1},
        {.connections = 1, .per_host = 0},
        {.connections = 1, .per_host = 1, .per_second = -1},
        {.connections = 1, .per_host = 1, .contact = "a\r\nX-Injected: b"},
        {.connections = 1, .per_host = 1, .ca_file = "/does/not/exist.pem"},
    };
    struct gt_net *none = NULL;
    struct gt_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(gt_net_open(&bad[i], &none, &err), GT_E_INVALID);
    assert_null(none);
}

/* Extra descriptors and wake end the waiting. */
static void test_run_waits_for_others(void **state)
{
    (void)state;
    int ends[2];
    uint32_t ready = 7;
    assert_int_equal(pipe(ends), 0);
    int fds[2] = {STDERR_FILENO, ends[0]};
    fds[0] = ends[0];
    assert_int_equal(gt_net_run(net, 0, fds, 1, &ready, NULL), 0);
    assert_int_equal(ready, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(gt_net_run(net, 60000, fds, 2, &ready, NULL), 0);
    assert_int_equal(ready, 3);
    gt_net_wake(net);
    assert_int_equal(gt_net_run(net, 60000, NULL, 0, NULL, NULL), 0);
    /* Woken once, not for ever: the next turn waits its time. */
    int64_t begin = gt_monotonic();
    assert_int_equal(gt_net_run(net, 50, NULL, 0, NULL, NULL), 0);
    assert_true(gt_monotonic() - begin >= 45);
    close(ends[0]);
    close(ends[1]);
}

struct chain {
    int left, answers;
};

static void next_one(void *user, const struct gt_http_response *response)
{
    struct chain *chain = user;
    assert_int_equal(response->status, 200);
    chain->answers++;
    if (chain->left-- == 0)
        return;
    struct gt_http_request request = {.url = at(&server, "/hello?chain"), .allow_private = true};
    assert_int_equal(gt_net_http(net, &request, next_one, chain, NULL), 0);
}

static void test_submit_from_callback(void **state)
{
    (void)state;
    struct chain chain = {.left = 5};
    struct gt_http_request request = {.url = at(&server, "/hello?chain"), .allow_private = true};
    assert_int_equal(gt_net_http(net, &request, next_one, &chain, NULL), 0);
    run_all(net);
    assert_int_equal(chain.answers, 6);
}

/* Waiting and running ones end without a callback (and, under ASan, without a leak). */
static void test_close_early(void **state)
{
    (void)state;
    struct gt_net *other = net_new(2, 2, 0);
    struct answer a = {0};
    for (size_t i = 0; i < 5; i++) {
        struct gt_http_request request = {.url = at(&server, "/slow"), .allow_private = true};
        assert_int_equal(gt_net_http(other, &request, answer_keep, &a, NULL), 0);
    }
    assert_int_equal(gt_net_run(other, 20, NULL, 0, NULL, NULL), 0);
    assert_int_equal(gt_net_active(other), 5);
    gt_net_close(other);
    assert_int_equal(a.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_statuses_are_answers),
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_user_agent),
        cmocka_unit_test(test_conditional),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_basic_authentication),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_words_for_operators),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_run_waits_for_others),
        cmocka_unit_test(test_submit_from_callback),
        cmocka_unit_test(test_close_early),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
