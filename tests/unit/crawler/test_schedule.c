/* When a source is read next. */
#include "rig.h"

#include "crawler/schedule.h"

static struct gt_schedule new_schedule(void)
{
    return (struct gt_schedule){.interval_ms = 60000, .jitter = 0.1};
}

static void sources_start_soon_and_spread(void **state)
{
    struct gt_schedule schedule = new_schedule();
    gt_schedule_start(&schedule, 1000, true);
    assert_true(gt_schedule_due(&schedule, 1000));
    assert_string_equal(gt_schedule_state(&schedule, false), "waiting");
    for (int i = 0; i < 100; i++) {
        gt_schedule_start(&schedule, 1000, false);
        assert_true(schedule.next_ms >= 1000 && schedule.next_ms < 3000);
    }
}

static void success_waits_the_interval_give_or_take_jitter(void **state)
{
    struct gt_schedule schedule = new_schedule();
    bool early = false, late = false;
    for (int i = 0; i < 500; i++) {
        gt_schedule_success(&schedule, 0, 0);
        assert_true(schedule.next_ms >= 54000 && schedule.next_ms <= 66000);
        early = early || schedule.next_ms < 60000;
        late = late || schedule.next_ms > 60000;
    }
    assert_true(early && late);
    assert_string_equal(gt_schedule_state(&schedule, false), "ok");
    assert_string_equal(gt_schedule_state(&schedule, true), "waiting");
    gt_schedule_success(&schedule, 0, 3600 * 1000);
    assert_int_equal(schedule.next_ms, 3600 * 1000);
    gt_schedule_success(&schedule, 0, INT64_MAX); /* a server cannot switch us off */
    assert_int_equal(schedule.next_ms, GT_DAY);
}

static void failures_back_off_to_a_cap(void **state)
{
    struct gt_schedule schedule = new_schedule();
    int64_t longest = 0;
    gt_schedule_failure(&schedule, 0, 0, "first");
    assert_true(schedule.next_ms > 0 && schedule.next_ms <= 5000);
    assert_string_equal(schedule.error, "first");
    assert_string_equal(gt_schedule_state(&schedule, false), "retrying");
    for (int i = 0; i < 200; i++) {
        gt_schedule_failure(&schedule, 0, -1, "again");
        assert_true(schedule.next_ms > 0 && schedule.next_ms <= 15 * GT_MINUTE);
        longest = schedule.next_ms > longest ? schedule.next_ms : longest;
    }
    assert_true(longest > GT_MINUTE);
    assert_string_equal(gt_schedule_state(&schedule, false), "failing");
    gt_schedule_failure(&schedule, 0, 2 * GT_HOUR, "asked to wait");
    assert_int_equal(schedule.next_ms, 2 * GT_HOUR);
    schedule.cap_ms = 30000;
    for (int i = 0; i < 100; i++) {
        gt_schedule_failure(&schedule, 0, 0, "a folder that is away");
        assert_true(schedule.next_ms <= 30000);
    }
    gt_schedule_success(&schedule, 0, 0);
    assert_string_equal(gt_schedule_state(&schedule, false), "ok");
    assert_string_equal(schedule.error, "");
}

static void stopped_is_never_due(void **state)
{
    struct gt_schedule schedule = new_schedule();
    gt_schedule_stop(&schedule, "gone");
    assert_false(gt_schedule_due(&schedule, INT64_MAX));
    assert_string_equal(gt_schedule_state(&schedule, false), "disabled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_start_soon_and_spread),
        cmocka_unit_test(success_waits_the_interval_give_or_take_jitter),
        cmocka_unit_test(failures_back_off_to_a_cap),
        cmocka_unit_test(stopped_is_never_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
