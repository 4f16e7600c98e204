/* Many at once: nothing is lost, and no host gets more than its share. */
#include "harness.h"

static const char routes[] =
    "[{\"path\": \"^/n/\\\\d+\", \"body\": \"ok\"},"
    " {\"path\": \"/wait\", \"body\": \"ok\", \"delay_ms\": 60},"
    " {\"path\": \"/big\", \"body\": \"0123456789abcdef\", \"body_repeat\": 65536}]";

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

struct tally {
    size_t answers, good, bytes;
};

static void count(void *user, const struct gt_http_response *response)
{
    struct tally *tally = user;
    tally->answers++;
    tally->good += response->error == 0 && response->status == 200;
    tally->bytes += response->body_len;
}

static void submit(struct gt_net *net, const char *url, struct tally *tally)
{
    struct gt_http_request request = {.url = url, .allow_private = true, .timeout_ms = 60000};
    assert_int_equal(gt_net_http(net, &request, count, tally, NULL), 0);
}

static void test_thousand(void **state)
{
    (void)state;
    enum { REQUESTS = 1000 };
    struct gt_net *net = net_new(100, 100, 0);
    struct tally tally = {0};
    for (int i = 0; i < REQUESTS; i++) {
        char path[32];
        snprintf(path, sizeof path, "/n/%d", i);
        submit(net, at(&server, path), &tally);
    }
    assert_int_equal(gt_net_active(net), REQUESTS);
    run_all(net);
    assert_int_equal(tally.answers, REQUESTS);
    assert_int_equal(tally.good, REQUESTS);
    assert_int_equal(tally.bytes, 2 * REQUESTS);
    json_t *log = server_log_of(&server, "/n/");
    assert_int_equal(json_array_size(log), REQUESTS);
    json_decref(log);
    gt_net_close(net);
}

static int64_t most_running(const char *path, size_t *ret_requests)
{
    json_t *log = server_log_of(&server, path), *entry;
    size_t i;
    int64_t most = 0;
    json_array_foreach(log, i, entry)
    {
        int64_t running = gt_json_int(entry, "running", 0);
        most = running > most ? running : most;
    }
    *ret_requests = json_array_size(log);
    json_decref(log);
    return most;
}

static void test_concurrency_of_a_host(void **state)
{
    (void)state;
    struct gt_net *net = net_new(50, 3, 0);
    struct tally tally = {0};
    size_t requests;
    for (int i = 0; i < 12; i++)
        submit(net, at(&server, "/wait?host"), &tally);
    run_all(net);
    assert_int_equal(tally.good, 12);
    assert_in_range(most_running("/wait?host", &requests), 2, 3);
    assert_int_equal(requests, 12);
    gt_net_close(net);
}

static void test_concurrency_in_all(void **state)
{
    (void)state;
    struct gt_net *net = net_new(4, 3, 0);
    struct tally tally = {0};
    size_t requests;
    for (int i = 0; i < 8; i++) {
        submit(net, at(&server, "/wait?all"), &tally);
        submit(net, at_host(&server, "http://localhost", "/wait?all"), &tally);
    }
    run_all(net);
    assert_int_equal(tally.good, 16);
    assert_in_range(most_running("/wait?all", &requests), 2, 4);
    assert_int_equal(requests, 16);
    gt_net_close(net);
}

/* 11 requests at 20 a second take 10 pauses of 50 ms, however fast the machine is; and no turn
 * that waits for a token needs anything to happen on the network. */
static void test_rate(void **state)
{
    (void)state;
    struct gt_net *net = net_new(50, 50, 20);
    struct tally tally = {0};
    int64_t begin = gt_monotonic();
    for (int i = 0; i < 11; i++)
        submit(net, at(&server, "/n/77"), &tally);
    while (gt_net_active(net))
        assert_int_equal(gt_net_run(net, 60 * 60 * 1000, NULL, 0, NULL, NULL), 0);
    assert_int_equal(tally.good, 11);
    assert_true(gt_monotonic() - begin >= 10 * 50 - 1);
    gt_net_close(net);
}

/* With 1 MiB bodies and room for one byte, one transfer at a time may start; all get their answer.
 */
static void test_memory(void **state)
{
    (void)state;
    struct gt_net_settings settings = {.connections = 20, .per_host = 20, .memory = 1};
    struct gt_net *net = NULL;
    assert_int_equal(gt_net_open(&settings, &net, NULL), 0);
    struct tally tally = {0};
    for (int i = 0; i < 30; i++)
        submit(net, at(&server, "/big"), &tally);
    run_all(net);
    assert_int_equal(tally.good, 30);
    assert_int_equal(tally.bytes, 30 * 1024 * 1024);
    gt_net_close(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thousand),
        cmocka_unit_test(test_concurrency_of_a_host),
        cmocka_unit_test(test_concurrency_in_all),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
