#include "harness.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

static bool public_text(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return gt_address_public((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return gt_address_public((struct sockaddr *)&v6);
}

static void check(const char *const *texts, bool wanted)
{
    for (; *texts; texts++)
        if (public_text(*texts) != wanted)
            fail_msg("%s is taken for %s", *texts, wanted ? "not public" : "public");
}

/* First and last address of every range. */
static void test_refused(void **state)
{
    (void)state;
    check((const char *const[]){"0.0.0.0",         "0.255.255.255",   "10.0.0.0",
                                "10.255.255.255",  "100.64.0.0",      "100.127.255.255",
                                "127.0.0.1",       "127.255.255.255", "169.254.0.0",
                                "169.254.169.254", "169.254.255.255", "172.16.0.0",
                                "172.31.255.255",  "192.0.0.0",       "192.0.0.192",
                                "192.0.2.1",       "192.88.99.1",     "192.168.0.0",
                                "192.168.255.255", "198.18.0.0",      "198.19.255.255",
                                "198.51.100.7",    "203.0.113.255",   "224.0.0.1",
                                "239.255.255.255", "240.0.0.0",       "255.255.255.255",
                                "168.63.129.16",   "100.100.100.200", NULL},
          false);
}

static void test_public(void **state)
{
    (void)state;
    check((const char *const[]){"1.0.0.0",
                                "9.255.255.255",
                                "11.0.0.0",
                                "100.63.255.255",
                                "100.128.0.0",
                                "126.255.255.255",
                                "128.0.0.0",
                                "169.253.255.255",
                                "169.255.0.0",
                                "172.15.255.255",
                                "172.32.0.0",
                                "192.0.1.0",
                                "192.167.255.255",
                                "192.169.0.0",
                                "198.17.255.255",
                                "198.20.0.0",
                                "203.0.112.255",
                                "203.0.114.0",
                                "223.255.255.255",
                                "168.63.129.15",
                                "168.63.129.17",
                                "140.82.121.4",
                                NULL},
          true);
}

static void test_refused_v6(void **state)
{
    (void)state;
    check((const char *const[]){"::",
                                "::1",
                                "::2",
                                "::7f00:1",
                                "64:ff9b:1::1",
                                "100::1",
                                "100:0:0:1::1",
                                "2001:2::1",
                                "2001:10::1",
                                "2001:1ff:ffff::",
                                "2001:db8::1",
                                "3fff::1",
                                "3fff:fff:ffff::",
                                "5f00::1",
                                "fc00::1",
                                "fdff:ffff::1",
                                "fd00:ec2::254",
                                "fe80::1",
                                "febf::1",
                                "fec0::1",
                                "ff02::1",
                                "ffff::1",
                                "1000::1",
                                "4000::1",
                                "8000::1",
                                NULL},
          false);
}

static void test_public_v6(void **state)
{
    (void)state;
    check((const char *const[]){"2000::1", "2001:200::1", "2001:3::1", "2001:4:112::1",
                                "2001:db7::1", "2001:db9::1", "2606:4700:4700::1111", "2a01:4f8::1",
                                "3fff:1000::1", "3ffe:ffff::1", NULL},
          true);
}

/* IPv4 inside IPv6: what is inside decides. */
static void test_embedded(void **state)
{
    (void)state;
    check((const char *const[]){"::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:0:127.0.0.1",
                                "::ffff:169.254.169.254", "64:ff9b::127.0.0.1",
                                "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2002:c0a8:101::1",
                                "2002:a9fe:a9fe::1",
                                /* Teredo: private server; private client (its bits flipped) */
                                "2001:0:a00:1::f7f7:f7f7", "2001:0:808:808::f5ff:fffe", NULL},
          false);
    check((const char *const[]){"::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8",
                                "2002:808:808::1", "2001:0:808:808::f7f7:f7f7", NULL},
          true);
}

static void test_other_families(void **state)
{
    (void)state;
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    assert_false(gt_address_public((struct sockaddr *)&local));
}

/* However loopback is spelled, resolution brings it down to an address. */
static void test_spellings(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "127.1", "0x7f.1",  "0x7f000001",    "2130706433",      "017700000001",  "0177.0.0.01",
        "0",     "127.0.1", "::ffff:7f00:1", "0:0:0:0:0:0:0:1", "169.254.43518", "0xa9fea9fe",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;
        assert_int_equal(getaddrinfo(spellings[i], "80", &hints, &found), 0);
        if (gt_address_public(found->ai_addr))
            fail_msg("%s is taken for public", spellings[i]);
        freeaddrinfo(found);
    }
}

/* And the whole way through libcurl: nothing is connected to. */
static void test_fetch_refused(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "127.0.0.1",          "localhost",       "127.1", "0x7f.1",
        "2130706433",         "0177.1",          "[::1]", "0.0.0.0",
        "[::ffff:127.0.0.1]", "%31%32%37.0.0.1",
    };
    struct server server;
    server_start_routes(&server, "[{\"path\": \"/\", \"body\": \"inside\"}]", NULL);
    struct gt_net *net = net_new(10, 4, 0);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char url[128];
        snprintf(url, sizeof url, "http://%s:%d/", hosts[i], server.port);
        const struct answer *a = fetch(net, &(struct gt_http_request){.url = url});
        if (a->error != GT_E_REFUSED)
            fail_msg("%s: %d %s", url, a->error, a->words);
        assert_words(a, "allow_private");
        assert_int_equal(a->body.len, 0);
    }
    json_t *log = server_log(&server);
    assert_int_equal(json_array_size(log), 0);
    json_decref(log);
    gt_net_close(net);
    server_stop(&server);
}

/* Refused before anything is sent, not after connecting. */
static void test_nothing_connects(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(fd, 8), 0);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    struct gt_net *net = net_new(10, 4, 0);
    assert_int_equal(fetch(net, &(struct gt_http_request){.url = url})->error, GT_E_REFUSED);
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0), 0);
    gt_net_close(net);
    close(fd);
}

/* A connection opened for a request that was allowed more is not for one that was not. */
static void test_reused_connection(void **state)
{
    (void)state;
    struct server server;
    server_start_routes(&server, "[{\"path\": \"/\", \"body\": \"inside\"}]", NULL);
    struct gt_net *net = net_new(10, 4, 0);
    assert_int_equal(get(net, at(&server, "/"))->status, 200);
    const struct answer *a = fetch(net, &(struct gt_http_request){.url = at(&server, "/")});
    assert_int_equal(a->error, GT_E_REFUSED);
    json_t *log = server_log(&server);
    assert_int_equal(json_array_size(log), 1);
    json_decref(log);
    gt_net_close(net);
    server_stop(&server);
}

/* The proxy is what is connected to. */
static void test_proxy_is_guarded(void **state)
{
    (void)state;
    struct server server;
    server_start_routes(&server, "[{\"path\": \"^.*\", \"body\": \"by proxy\"}]", NULL);
    struct gt_net *net = net_new(10, 4, 0);
    struct gt_http_request request = {.url = "http://acme.example/", .proxy = at(&server, "")};
    assert_int_equal(fetch(net, &request)->error, GT_E_REFUSED);
    request.allow_private = true;
    const struct answer *a = fetch(net, &request);
    assert_int_equal(a->error, 0);
    assert_string_equal(a->body.data, "by proxy");
    gt_net_close(net);
    server_stop(&server);
}

/* Proxies of the environment would be a way around both proxy and guard. */
static void test_environment_is_ignored(void **state)
{
    (void)state;
    struct server server;
    server_start_routes(&server, "[{\"path\": \"/\", \"body\": \"direct\"}]", NULL);
    setenv("http_proxy", "http://127.0.0.1:9", 1);
    setenv("all_proxy", "http://127.0.0.1:9", 1);
    struct gt_net *net = net_new(10, 4, 0);
    assert_int_equal(get(net, at(&server, "/"))->status, 200);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    gt_net_close(net);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_public),
        cmocka_unit_test(test_refused_v6),       cmocka_unit_test(test_public_v6),
        cmocka_unit_test(test_embedded),         cmocka_unit_test(test_other_families),
        cmocka_unit_test(test_spellings),        cmocka_unit_test(test_fetch_refused),
        cmocka_unit_test(test_nothing_connects), cmocka_unit_test(test_reused_connection),
        cmocka_unit_test(test_proxy_is_guarded), cmocka_unit_test(test_environment_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
