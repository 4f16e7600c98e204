#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

static void writes_rfc_3339(void **state)
{
    char buf[GT_TIME_TEXT];
    assert_string_equal(gt_time_format(0, buf), "1970-01-01T00:00:00Z");
    assert_string_equal(gt_time_format(1769848200000, buf), "2026-01-31T08:30:00Z");
    assert_string_equal(gt_time_format(1769848200007, buf), "2026-01-31T08:30:00.007Z");
    assert_string_equal(gt_time_format(-1, buf), "1969-12-31T23:59:59.999Z");
    assert_string_equal(gt_time_format(INT64_MAX, buf), "-");
    assert_string_equal(gt_time_format(INT64_MIN, buf), "-");
}

static void reads_the_dates_that_sites_send(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-01-31T08:30:00Z", 1769848200000},
        {"2026-01-31t08:30:00z", 1769848200000},
        {"2026-01-31 08:30:00", 1769848200000},
        {"2026-01-31T08:30Z", 1769848200000},
        {"2026-01-31T10:30:00+02:00", 1769848200000},
        {"2026-01-31T03:30:00-0500", 1769848200000},
        {"2026-01-31T08:30:00.007Z", 1769848200007},
        {"2026-01-31T08:30:00.007123456Z", 1769848200007},
        {"2026-01-31T08:30:00,5Z", 1769848200500},
        {"2026-01-31", 1769817600000},
        {"Sat, 31 Jan 2026 08:30:00 GMT", 1769848200000},
        {"Sat, 31 Jan 2026 08:30:00 +0000", 1769848200000},
        {"31 Jan 2026 08:30 UT", 1769848200000},
        {"Sat, 31 Jan 26 03:30:00 EST", 1769848200000},
        {"Saturday, 31-Jan-26 08:30:00 GMT", 1769848200000},
        {"Sat Jan 31 08:30:00 2026", 1769848200000},
        {"  Sat, 31 January 2026 09:30:00 +0100\n", 1769848200000},
        {"1769848200", 1769848200000},
        {"1769848200123", 1769848200123},
        {"1769848200123456", 1769848200123},
        {"2024-02-29T00:00:00Z", 1709164800000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = gt_time_parse(cases[i].text);
        if (ms != cases[i].ms)
            fail_msg("\"%s\": %lld instead of %lld", cases[i].text, (long long)ms,
                     (long long)cases[i].ms);
    }
}

static void gives_0_for_anything_else(void **state)
{
    static const char *const texts[] = {"",
                                        "yesterday",
                                        "2026-13-01",
                                        "2026-00-10",
                                        "2026-01-32",
                                        "2026-01-31T25:00:00Z",
                                        "2026-01-31x",
                                        "0",
                                        "-5",
                                        "1.2.3",
                                        "1969-12-31T23:59:59Z",
                                        "99999999999999999999999",
                                        "31 Foo 2026 08:30:00 GMT",
                                        ", , ,",
                                        "1970-01-01"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (gt_time_parse(texts[i]))
            fail_msg("\"%s\" counts as a date", texts[i]);
    assert_int_equal(gt_time_parse(NULL), 0);
    char longest[1000];
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(gt_time_parse(longest), 0);
}

static void what_it_writes_it_reads(void **state)
{
    char buf[GT_TIME_TEXT];
    for (int64_t ms = 1; ms < INT64_C(253402300800000); ms = ms * 3 + 7)
        assert_int_equal(gt_time_parse(gt_time_format(ms, buf)), ms);
}

static void backs_off_within_its_bounds(void **state)
{
    int64_t largest = 0;
    for (int attempt = 0; attempt < 40; attempt++) {
        int64_t most = attempt < 6 ? (INT64_C(1000) << attempt) : 60000;
        for (int i = 0; i < 200; i++) {
            int64_t wait = gt_backoff(attempt, 1000, 60000);
            assert_true(wait >= 500 && wait <= (most < 60000 ? most : 60000));
            if (wait > largest)
                largest = wait;
        }
    }
    assert_true(largest > 30000); /* it does grow */
}

static void clocks_go_on(void **state)
{
    int64_t before = gt_monotonic();
    gt_sleep(2);
    assert_true(gt_monotonic() >= before);
    assert_true(gt_now() > INT64_C(1700000000000));
    gt_sleep(-1);
    for (int i = 0; i < 1000; i++)
        assert_true(gt_random(3) < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_rfc_3339),
        cmocka_unit_test(reads_the_dates_that_sites_send),
        cmocka_unit_test(gives_0_for_anything_else),
        cmocka_unit_test(what_it_writes_it_reads),
        cmocka_unit_test(backs_off_within_its_bounds),
        cmocka_unit_test(clocks_go_on),
    };
    return gt_hash_start(NULL) < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
