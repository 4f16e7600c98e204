/* Politeness under a clock of our own. */
#include "harness.h"
#include "net/internal.h"

static struct gt_net net; /* only its byte count is used */

static struct gt_hosts *hosts_new(int64_t per_host, double rate)
{
    return gt_hosts_new(&(struct gt_net_settings){.per_host = per_host, .per_second = rate});
}

static void wait_at(struct gt_hosts *hosts, const char *url, double rate, int64_t patience,
                    int64_t now)
{
    struct transfer *t = gt_transfer_new(&net, &gt_kind_http, NULL, NULL);
    assert_non_null(t);
    assert_int_equal(gt_place_parse(NULL, url, gt_schemes_http, &t->at, NULL), 0);
    t->per_second = rate;
    t->patience_ms = patience;
    assert_int_equal(gt_hosts_wait(hosts, t, false, now, NULL), 0);
}

static void wait_many(struct gt_hosts *hosts, const char *url, size_t count, int64_t now)
{
    for (size_t i = 0; i < count; i++)
        wait_at(hosts, url, 0, GT_DAY, now);
}

static void finish(struct transfer *t, int status, int64_t retry_after, int64_t now)
{
    t->status = status;
    t->retry_after_ms = retry_after;
    gt_hosts_ended(t, now);
    gt_transfer_free(t);
}

/* How many start in [from, to), looking every `step` ms. */
static size_t started(struct gt_hosts *hosts, int64_t from, int64_t to, int64_t step)
{
    size_t count = 0;
    for (int64_t now = from; now < to; now += step)
        for (struct transfer *t; (t = gt_hosts_next(hosts, now)); count++)
            finish(t, 200, -1, now);
    return count;
}

static void test_rate(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(100, 4);
    wait_many(hosts, "http://a.example/", 100, 1000);
    assert_int_equal(started(hosts, 1000, 1001, 1), 1);
    assert_int_equal(gt_hosts_due(hosts, 1000, true), 250);
    assert_int_equal(started(hosts, 1001, 1250, 1), 0);
    assert_int_equal(started(hosts, 1250, 1251, 1), 1);
    assert_int_equal(started(hosts, 1251, 11000, 1), 38); /* 40 in ten seconds in all */
    gt_hosts_free(hosts);
}

/* Idle time is not saved up. */
static void test_no_burst(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(100, 2);
    wait_many(hosts, "http://a.example/", 1, 0);
    assert_int_equal(started(hosts, 0, 1, 1), 1);
    wait_many(hosts, "http://a.example/", 10, 60000);
    assert_int_equal(started(hosts, 60000, 60499, 1), 1);
    gt_hosts_free(hosts);
}

/* A loop that turns every 10 ms still reaches 1000 a second. */
static void test_high_rate(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(5000, 1000);
    wait_many(hosts, "http://a.example/", 4000, 0);
    assert_in_range(started(hosts, 0, 2000, 10), 1980, 2001);
    gt_hosts_free(hosts);
}

static void test_source_lowers_rate(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(100, 10);
    wait_at(hosts, "http://a.example/", 1, GT_DAY, 0);
    wait_many(hosts, "http://a.example/", 20, 0);
    wait_at(hosts, "http://b.example/", 100, GT_DAY, 0); /* higher than the settings': ignored */
    wait_many(hosts, "http://b.example/", 20, 0);
    assert_int_equal(started(hosts, 0, 1000, 1), 1 + 10);
    gt_hosts_free(hosts);
}

static void test_concurrency(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(3, 0);
    wait_many(hosts, "http://a.example/", 10, 0);
    struct transfer *running[3];
    for (size_t i = 0; i < 3; i++)
        assert_non_null(running[i] = gt_hosts_next(hosts, 0));
    assert_null(gt_hosts_next(hosts, 0));
    assert_int_equal(gt_hosts_due(hosts, 0, true), GT_DAY); /* only patience may run out */
    finish(running[1], 200, -1, 5);
    assert_non_null(running[1] = gt_hosts_next(hosts, 5));
    assert_null(gt_hosts_next(hosts, 5));
    for (size_t i = 0; i < 3; i++)
        finish(running[i], 200, -1, 6);
    assert_int_equal(gt_hosts_waiting(hosts), 6);
    gt_hosts_free(hosts);
}

/* Ports and schemes are hosts of their own; the default port and capitals are not. */
static void test_what_a_host_is(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(1, 0);
    static const char *const urls[] = {
        "http://a.example/",     "https://a.example/x", "http://a.example:8080/",
        "http://a.example:80/y", "HTTP://A.Example/z",  "http://user:word@a.example/",
    };
    for (size_t i = 0; i < 6; i++)
        wait_many(hosts, urls[i], 1, 0);
    struct transfer *running[3];
    for (size_t i = 0; i < 3; i++)
        assert_non_null(running[i] = gt_hosts_next(hosts, 0));
    assert_null(gt_hosts_next(hosts, 0));
    for (size_t i = 0; i < 3; i++)
        finish(running[i], 200, -1, 0);
    gt_hosts_free(hosts);
}

/* Many requests to one host do not hold up others. */
static void test_fair(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(1000, 0);
    wait_many(hosts, "http://big.example/", 500, 0);
    wait_many(hosts, "http://small.example/", 2, 0);
    wait_many(hosts, "http://tiny.example/", 1, 0);
    char order[8] = "";
    for (size_t i = 0; i < 6; i++) {
        struct transfer *t = gt_hosts_next(hosts, 0);
        order[i] = t->at.origin[7];
        finish(t, 200, -1, 0);
    }
    assert_string_equal(order, "bstbsb");
    gt_hosts_free(hosts);
}

static void refuse(struct gt_hosts *hosts, const char *url, int status, int64_t retry, int64_t now)
{
    wait_many(hosts, url, 1, now);
    struct transfer *t = gt_hosts_next(hosts, now);
    assert_non_null(t);
    finish(t, status, retry, now);
}

static int64_t pause_of(struct gt_hosts *hosts, int64_t now)
{
    return gt_hosts_pause(hosts, "http://a.example", now);
}

static void test_pause_as_asked(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(10, 0);
    refuse(hosts, "http://a.example/", 429, 5000, 100);
    assert_int_equal(pause_of(hosts, 100), 5000);
    wait_many(hosts, "http://a.example/", 3, 100);
    wait_many(hosts, "http://b.example/", 1, 100);
    assert_int_equal(started(hosts, 100, 101, 1), 1); /* b goes on */
    assert_int_equal(gt_hosts_due(hosts, 100, true), 5000);
    assert_int_equal(started(hosts, 101, 5100, 1), 0);
    assert_int_equal(started(hosts, 5100, 5101, 1), 3);
    gt_hosts_free(hosts);
}

/* A server may not switch us off for ever. */
static void test_pause_has_an_end(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(10, 0);
    refuse(hosts, "http://a.example/", 503, 1000 * GT_DAY, 0);
    assert_int_equal(pause_of(hosts, 0), GT_DAY);
    gt_hosts_free(hosts);
}

static void test_what_pauses(void **state)
{
    (void)state;
    static const struct {
        int status;
        int64_t retry_after;
        bool pauses;
    } cases[] = {{429, -1, true},  {503, -1, true},    {429, 0, true},   {403, 3000, true},
                 {403, -1, false}, {200, 3000, false}, {500, -1, false}, {404, -1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gt_hosts *hosts = hosts_new(10, 0);
        refuse(hosts, "http://a.example/", cases[i].status, cases[i].retry_after, 0);
        assert_int_equal(pause_of(hosts, 0) > 0, cases[i].pauses);
        gt_hosts_free(hosts);
    }
}

/* The longest of 30 pauses after so many refusals in a row. */
static int64_t longest_pause(size_t refusals)
{
    int64_t longest = 0;
    for (size_t i = 0; i < 30; i++) {
        struct gt_hosts *hosts = hosts_new(10, 0);
        int64_t now = 1;
        for (size_t n = 0; n < refusals; n++) {
            now += pause_of(hosts, now);
            refuse(hosts, "http://a.example/", 503, -1, now);
        }
        int64_t pause = pause_of(hosts, now);
        assert_true(pause >= 500);
        longest = pause > longest ? pause : longest;
        gt_hosts_free(hosts);
    }
    return longest;
}

static void test_back_off_grows(void **state)
{
    (void)state;
    assert_in_range(longest_pause(1), 500, 1000);
    assert_in_range(longest_pause(5), 2000, 16000);
    assert_in_range(longest_pause(20), 30000, 300000);
}

/* Six requests under way that are all refused are one refusal, not six. */
static void test_one_refusal_counts_once(void **state)
{
    (void)state;
    for (size_t round = 0; round < 20; round++) {
        struct gt_hosts *hosts = hosts_new(6, 0);
        wait_many(hosts, "http://a.example/", 6, 0);
        struct transfer *running[6];
        for (size_t i = 0; i < 6; i++)
            running[i] = gt_hosts_next(hosts, 0);
        for (size_t i = 0; i < 6; i++)
            finish(running[i], 429, -1, 50);
        int64_t now = 50 + pause_of(hosts, 50);
        assert_true(now <= 1050);
        refuse(hosts, "http://a.example/", 429, -1, now);
        assert_true(pause_of(hosts, now) <= 2000);
        gt_hosts_free(hosts);
    }
}

static void test_success_forgives(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(6, 0);
    int64_t now = 0;
    for (size_t i = 0; i < 12; i++) {
        refuse(hosts, "http://a.example/", 503, -1, now);
        now += pause_of(hosts, now) + 1;
    }
    refuse(hosts, "http://a.example/", 200, -1, now);
    refuse(hosts, "http://a.example/", 503, -1, now + 1);
    assert_true(pause_of(hosts, now + 1) <= 1000);
    gt_hosts_free(hosts);
}

static void test_patience(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(6, 0);
    refuse(hosts, "http://a.example/", 429, 60000, 0);
    wait_at(hosts, "http://a.example/", 0, 5000, 0);
    wait_at(hosts, "http://a.example/", 0, 1000, 0);
    wait_at(hosts, "http://a.example/", 0, 90000, 0);
    assert_int_equal(gt_hosts_due(hosts, 0, false), 1000);
    struct transfer_list ended = {0};
    gt_hosts_expire(hosts, 999, &ended);
    assert_int_equal(ended.count, 0);
    gt_hosts_expire(hosts, 1000, &ended);
    assert_int_equal(ended.count, 1);
    assert_int_equal(gt_hosts_due(hosts, 1000, false), 4000);
    gt_hosts_expire(hosts, 5000, &ended);
    assert_int_equal(ended.count, 2);
    assert_int_equal(ended.first->failure.code, GT_E_TIMEOUT);
    assert_non_null(strstr(ended.first->failure.message, "http://a.example: gave up"));
    for (struct transfer *t; (t = gt_list_pop(&ended));)
        gt_transfer_free(t);
    assert_int_equal(started(hosts, 60000, 60001, 1), 1);
    gt_hosts_free(hosts);
}

/* Hosts seen once are forgotten; there is room for more than the limit, one after the other. */
static void test_hosts_are_forgotten(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(6, 1);
    for (int64_t i = 0; i < GT_NET_HOSTS + 1000; i++) {
        char url[64];
        snprintf(url, sizeof url, "http://h%lld.example/", (long long)i);
        wait_at(hosts, url, 0, GT_DAY, i * 10);
        struct transfer *t = gt_hosts_next(hosts, i * 10);
        assert_non_null(t);
        finish(t, 200, -1, i * 10);
    }
    gt_hosts_free(hosts);
}

static void test_full(void **state)
{
    (void)state;
    struct gt_hosts *hosts = hosts_new(6, 1);
    wait_many(hosts, "http://a.example/", GT_NET_WAITING, 0);
    struct transfer *t = gt_transfer_new(&net, &gt_kind_http, NULL, NULL);
    assert_int_equal(gt_place_parse(NULL, "http://a.example/", gt_schemes_http, &t->at, NULL), 0);
    struct gt_error err;
    assert_int_equal(gt_hosts_wait(hosts, t, false, 0, &err), GT_E_FULL);
    gt_transfer_free(t);
    gt_hosts_free(hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_no_burst),
        cmocka_unit_test(test_high_rate),
        cmocka_unit_test(test_source_lowers_rate),
        cmocka_unit_test(test_concurrency),
        cmocka_unit_test(test_what_a_host_is),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_pause_as_asked),
        cmocka_unit_test(test_pause_has_an_end),
        cmocka_unit_test(test_what_pauses),
        cmocka_unit_test(test_back_off_grows),
        cmocka_unit_test(test_one_refusal_counts_once),
        cmocka_unit_test(test_success_forgives),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_hosts_are_forgotten),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
