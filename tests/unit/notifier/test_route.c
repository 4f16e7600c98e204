/* Who hears of what, and when it is tried again. */
#include "notifier_test.h"

static struct gt_channel_config channels[] = {
    {.name = "soc", .enabled = true},
    {.name = "off", .enabled = false},
    {.name = "mail", .enabled = true},
    {.name = "log", .enabled = true},
};
static const char *const acme[] = {"Acme Corp"}, *const github[] = {"github.*", "gitlab.?at"},
                         *const to_soc[] = {"soc", "off"}, *const to_both[] = {"mail", "soc"};

#define LIST(array)                                                                                \
    {                                                                                              \
        (void *)(uintptr_t)(array), sizeof(array) / sizeof((array)[0])                             \
    }

static void assert_routed(struct gt_list routes, const char *brand, const char *rule,
                          enum gt_severity severity, const char *expected)
{
    struct gt_config config = {.channels = LIST(channels), .routes = routes};
    struct gt_finding finding = {.brand = brand, .rule = rule, .severity = severity};
    const char *names[8];
    char joined[64] = "";
    size_t count = gt_route(&config, &finding, names, 8);
    for (size_t i = 0; i < count; i++) {
        strcat(joined, i ? " " : "");
        strcat(joined, names[i]);
    }
    assert_string_equal(joined, expected);
}

static void test_no_route_is_every_enabled_channel(void **state)
{
    assert_routed((struct gt_list){0}, NULL, "x.y", GT_INFORMATIONAL, "soc mail log");
    struct gt_config config = {.channels = LIST(channels)};
    struct gt_finding finding = {.rule = "x.y"};
    const char *names[2];
    assert_int_equal(gt_route(&config, &finding, names, 2), 2);
}

static void test_routes(void **state)
{
    struct gt_route routes[] = {
        {.brands = LIST(acme), .min_severity = GT_HIGH, .channels = LIST(to_soc)},
        {.rules = LIST(github), .min_severity = GT_LOW, .channels = LIST(to_both)},
    };
    struct gt_list list = LIST(routes);
    assert_routed(list, "Acme Corp", "aws.key", GT_HIGH, "soc");
    assert_routed(list, "ACME corp", "aws.key", GT_CRITICAL, "soc");
    assert_routed(list, "Acme Corp", "aws.key", GT_MEDIUM, "");
    assert_routed(list, "Other", "aws.key", GT_CRITICAL, "");
    assert_routed(list, NULL, "aws.key", GT_CRITICAL, "");
    assert_routed(list, NULL, "github.token", GT_LOW, "soc mail");
    assert_routed(list, NULL, "gitlab.pat", GT_LOW, "soc mail");
    assert_routed(list, NULL, "gitlab.pats", GT_LOW, "");
    assert_routed(list, NULL, "github.token", GT_INFORMATIONAL, "");
    assert_routed(list, "Acme Corp", "github.token", GT_CRITICAL, "soc mail"); /* each once */
}

static void test_route_without_channels_is_all(void **state)
{
    struct gt_route routes[] = {{.min_severity = GT_HIGH}};
    struct gt_list list = LIST(routes);
    assert_routed(list, NULL, "x.y", GT_HIGH, "soc mail log");
    assert_routed(list, NULL, "x.y", GT_LOW, "");
}

static void test_backoff_grows_to_three_hours(void **state)
{
    for (int64_t attempts = 0; attempts < 40; attempts++) {
        int64_t cap = 5 * GT_SECOND << (attempts < 12 ? attempts : 12);
        for (int i = 0; i < 200; i++) {
            int64_t delay = gt_delivery_backoff(attempts, NOW, NOW, 3 * GT_DAY, -1);
            assert_in_range(delay, 1, cap < 3 * GT_HOUR ? cap : 3 * GT_HOUR);
        }
    }
    assert_true(gt_delivery_backoff(INT64_MAX, NOW, NOW, 3 * GT_DAY, -1) > 0);
}

static void test_backoff_honours_the_receiver(void **state)
{
    for (int i = 0; i < 200; i++) {
        int64_t delay = gt_delivery_backoff(0, NOW, NOW, 3 * GT_DAY, GT_HOUR);
        assert_in_range(delay, GT_HOUR, GT_HOUR + GT_HOUR / 10);
        /* but nobody silences an alert for a year, nor beyond its end */
        assert_in_range(gt_delivery_backoff(0, NOW, NOW, 3 * GT_DAY, 365 * GT_DAY), GT_DAY,
                        GT_DAY + GT_DAY / 10);
        assert_int_equal(gt_delivery_backoff(0, NOW, NOW, GT_MINUTE, GT_HOUR), GT_MINUTE);
    }
}

static void test_backoff_ends(void **state)
{
    assert_int_equal(gt_delivery_backoff(50, NOW, NOW + 3 * GT_DAY, 3 * GT_DAY, -1), -1);
    assert_int_equal(gt_delivery_backoff(0, NOW, NOW + 4 * GT_DAY, 3 * GT_DAY, 1000), -1);
    int64_t now = NOW;
    int64_t tries = 0, delay;
    while ((delay = gt_delivery_backoff(tries, NOW, now, 3 * GT_DAY, -1)) >= 0) {
        now += delay;
        tries++;
        assert_true(tries < 1000);
    }
    assert_int_equal(now, NOW + 3 * GT_DAY); /* the last try was at the deadline */
    assert_true(tries > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_route_is_every_enabled_channel),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_route_without_channels_is_all),
        cmocka_unit_test(test_backoff_grows_to_three_hours),
        cmocka_unit_test(test_backoff_honours_the_receiver),
        cmocka_unit_test(test_backoff_ends),
    };
    return cmocka_run_group_tests(tests, start_hashes, NULL);
}
