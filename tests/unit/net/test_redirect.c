/* Redirects. Loopback stands for the Internet here: of its addresses 127.0.0.1 is called public and
 * all others are not, by replacing (ld --wrap) the guard's word on an address. */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>

bool __wrap_gt_address_public(const struct sockaddr *address);

bool __wrap_gt_address_public(const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    return address->sa_family == AF_INET && v4->sin_addr.s_addr == htonl(0x7f000001);
}

static const char routes[] =
    "[{\"path\": \"/end\", \"body\": \"the end\"},"
    " {\"path\": \"/permanent\", \"fault\": \"redirect\", \"fault_arg\": \"{{base}}/permanent2\","
    "  \"status\": 301},"
    " {\"path\": \"/permanent2\", \"fault\": \"redirect\", \"fault_arg\": \"/end\", \"status\": "
    "308},"
    " {\"path\": \"/mixed\", \"fault\": \"redirect\", \"fault_arg\": \"permanent\", \"status\": "
    "302},"
    " {\"path\": \"/loop\", \"fault\": \"redirect_loop\"},"
    " {\"path\": \"/five\", \"fault\": \"redirect\", \"fault_arg\": \"/four\"},"
    " {\"path\": \"/four\", \"fault\": \"redirect\", \"fault_arg\": \"/three\"},"
    " {\"path\": \"/three\", \"fault\": \"redirect\", \"fault_arg\": \"/two\"},"
    " {\"path\": \"/two\", \"fault\": \"redirect\", \"fault_arg\": \"/one\"},"
    " {\"path\": \"/one\", \"fault\": \"redirect\", \"fault_arg\": \"/end\"},"
    " {\"path\": \"/metadata\", \"fault\": \"redirect\"},"
    " {\"path\": \"/private\", \"fault\": \"redirect\", \"fault_arg\": "
    "\"http://127.0.0.2:{{port}}/end\"},"
    " {\"path\": \"/odd\", \"fault\": \"redirect\", \"fault_arg\": \"http://0x7f.2:{{port}}/end\"},"
    " {\"path\": \"/file\", \"fault\": \"redirect\", \"fault_arg\": \"file:///etc/passwd\"},"
    " {\"path\": \"/nonsense\", \"fault\": \"redirect\", \"fault_arg\": \"http://[\"},"
    " {\"path\": \"/away\", \"fault\": \"redirect\", \"fault_arg\": "
    "\"http://localhost:{{port}}/end?away\"},"
    " {\"path\": \"/near\", \"fault\": \"redirect\", \"fault_arg\": \"/end?near\"},"
    " {\"path\": \"/scheme\", \"fault\": \"redirect\", \"fault_arg\": "
    "\"//localhost:{{port}}/end?scheme\"},"
    " {\"path\": \"/back\", \"fault\": \"redirect\", \"fault_arg\": "
    "\"http://localhost:{{port}}/back2\"},"
    " {\"path\": \"/back2\", \"fault\": \"redirect\", \"fault_arg\": "
    "\"http://127.0.0.1:{{port}}/end?back\"},"
    " {\"path\": \"/form\", \"method\": \"POST\", \"fault\": \"redirect\","
    "  \"fault_arg\": \"/end?form\", \"status\": 302},"
    " {\"path\": \"/keep\", \"method\": \"POST\", \"fault\": \"redirect\","
    "  \"fault_arg\": \"/kept\", \"status\": 307},"
    " {\"path\": \"/kept\", \"method\": \"POST\", \"body\": \"kept\"}]";

static struct server server;
static struct gt_net *net;

static int setup(void **state)
{
    (void)state;
    server_start_routes(&server, routes, (const char *const[]){"--bind", "0.0.0.0", NULL});
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

static const struct answer *follow(const char *path)
{
    return fetch(net, &(struct gt_http_request){.url = at(&server, path)});
}

static void test_follow(void **state)
{
    (void)state;
    const struct answer *a = follow("/permanent");
    assert_int_equal(a->error, 0);
    assert_string_equal(a->body.data, "the end");
    assert_string_equal(a->url, at(&server, "/end"));
    assert_true(a->moved);
    a = follow("/mixed"); /* one of three is temporary: the URL has not moved */
    assert_string_equal(a->body.data, "the end");
    assert_false(a->moved);
    assert_false(follow("/end")->moved);
}

static void test_how_many(void **state)
{
    (void)state;
    assert_string_equal(follow("/five")->body.data, "the end");
    struct gt_http_request request = {.url = at(&server, "/five"), .max_redirects = 4};
    const struct answer *a = fetch(net, &request);
    assert_int_equal(a->error, GT_E_LIMIT);
    assert_words(a, "too many redirects");
    assert_int_equal(follow("/loop")->error, GT_E_LIMIT);
    json_t *log = server_log_of(&server, "/loop");
    assert_int_equal(json_array_size(log), 6);
    json_decref(log);
    request.max_redirects = -1;
    a = fetch(net, &request);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->status, 302);
}

static void test_guarded(void **state)
{
    (void)state;
    static const char *const paths[] = {"/metadata", "/private", "/odd"};
    for (size_t i = 0; i < 3; i++) {
        const struct answer *a = follow(paths[i]);
        if (a->error != GT_E_REFUSED)
            fail_msg("%s: %d %s", paths[i], a->error, a->words);
        assert_words(a, "not a public address");
    }
    /* The server does listen there: */
    struct gt_http_request request = {.url = at(&server, "/private"), .allow_private = true};
    assert_string_equal(fetch(net, &request)->body.data, "the end");
}

static void test_nowhere(void **state)
{
    (void)state;
    assert_int_equal(follow("/file")->error, GT_E_INVALID);
    const struct answer *a = follow("/nonsense");
    assert_int_equal(a->error, GT_E_INVALID);
    assert_words(a, "redirects to nowhere");
}

static const struct gt_header headers[] = {
    {"Authorization", "Bearer hunter2"},
    {"PRIVATE-TOKEN", "hunter2"},
    {"Cookie", "a=hunter2"},
    {"X-Api-Key", "hunter2"},
    {"Accept", "text/plain"},
    {"If-None-Match", "\"v1\""},
};

/* Whether the request for `path` came with its credentials, without them, or mixed (-1). */
static int credentials_sent(const char *path)
{
    static const char *const secret[] = {"authorization", "private-token", "cookie", "x-api-key"};
    json_t *log = server_log_of(&server, path);
    assert_int_equal(json_array_size(log), 1);
    json_t *got = json_object_get(json_array_get(log, 0), "headers");
    assert_string_equal(gt_json_string(got, "accept", ""), "text/plain");
    assert_string_equal(gt_json_string(got, "if-none-match", ""), "\"v1\"");
    size_t count = 0;
    for (size_t i = 0; i < 4; i++)
        count += json_object_get(got, secret[i]) != NULL;
    json_decref(log);
    return count == 4 ? 1 : count == 0 ? 0 : -1;
}

static void test_credentials_stay(void **state)
{
    (void)state;
    static const struct {
        const char *path, *end;
        int sent;
    } cases[] = {
        {"/near", "/end?near", 1},     /* the same origin */
        {"/away", "/end?away", 0},     /* another host */
        {"/scheme", "/end?scheme", 0}, /* a URL without a scheme */
        {"/back", "/end?back", 0},     /* away and back again */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char url[256];
        snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, cases[i].path);
        struct gt_http_request request = {
            .url = url, .headers = headers, .header_count = 6, .allow_private = true};
        assert_int_equal(fetch(net, &request)->status, 200);
        if (credentials_sent(cases[i].end) != cases[i].sent)
            fail_msg("%s: credentials %s", cases[i].path, cases[i].sent ? "lost" : "sent");
    }
}

/* User and password of the URL, too. */
static void test_password_stays(void **state)
{
    (void)state;
    char url[256];
    snprintf(url, sizeof url, "http://soc:hunter2@127.0.0.1:%d/away", server.port);
    struct gt_http_request request = {.url = url, .allow_private = true};
    assert_int_equal(fetch(net, &request)->status, 200);
    json_t *log = server_log_of(&server, "/end?away");
    size_t last = json_array_size(log) - 1;
    json_t *got = json_object_get(json_array_get(log, last), "headers");
    assert_null(json_object_get(got, "authorization"));
    json_decref(log);
}

static void test_methods(void **state)
{
    (void)state;
    struct gt_http_request request = {
        .url = at(&server, "/form"), .body = "a=1", .body_len = 3, .allow_private = true};
    assert_string_equal(fetch(net, &request)->body.data, "the end");
    json_t *log = server_log_of(&server, "/end?form");
    assert_string_equal(gt_json_string(json_array_get(log, 0), "method", ""), "GET");
    assert_string_equal(gt_json_string(json_array_get(log, 0), "body", "-"), "");
    json_decref(log);
    request.url = at(&server, "/keep");
    assert_string_equal(fetch(net, &request)->body.data, "kept");
    log = server_log_of(&server, "/kept");
    assert_string_equal(gt_json_string(json_array_get(log, 0), "method", ""), "POST");
    assert_string_equal(gt_json_string(json_array_get(log, 0), "body", "-"), "a=1");
    json_decref(log);
}

/* From https to http only with nothing to lose. */
static void test_downgrade(void **state)
{
    (void)state;
    struct server tls;
    char down[256];
    snprintf(down, sizeof down,
             "[{\"path\": \"/down\", \"fault\": \"redirect\", \"fault_arg\": \"%s\"}]",
             at(&server, "/end?down"));
    server_start_routes(&tls, down, (const char *const[]){"--cert", SERVERS "/loopback.pem", NULL});
    struct gt_net_settings settings = {
        .connections = 4, .per_host = 4, .ca_file = SERVERS "/loopback.pem"};
    struct gt_net *trusting = NULL;
    assert_int_equal(gt_net_open(&settings, &trusting, NULL), 0);
    struct gt_http_request request = {.url = at_host(&tls, "https://127.0.0.1", "/down")};
    assert_string_equal(fetch(trusting, &request)->body.data, "the end");
    request.headers = headers;
    request.header_count = 1;
    const struct answer *a = fetch(trusting, &request);
    assert_int_equal(a->error, GT_E_REFUSED);
    assert_words(a, "from https to http");
    request = (struct gt_http_request){.url = at_host(&tls, "https://a:b@127.0.0.1", "/down")};
    assert_int_equal(fetch(trusting, &request)->error, GT_E_REFUSED);
    json_t *log = server_log_of(&server, "/end?down");
    assert_int_equal(json_array_size(log), 1);
    json_decref(log);
    gt_net_close(trusting);
    server_stop(&tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follow),           cmocka_unit_test(test_how_many),
        cmocka_unit_test(test_guarded),          cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_credentials_stay), cmocka_unit_test(test_password_stays),
        cmocka_unit_test(test_methods),          cmocka_unit_test(test_downgrade),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
