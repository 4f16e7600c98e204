/* The contract of queue/queue.h, sentence by sentence, over every back-end: leases, dead letters,
 * waiting. */
#include "queue_harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define T GT_TOPIC_DOCUMENTS
#define LONG_WAIT (20 * GT_SECOND)

static void a_leased_job_is_its_owners(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *first = harness_open(harness, "host:1");
    struct gt_queue *second = harness_open(harness, "host:2");
    push_ok(first, 0, 1);
    struct gt_job job = pull_one(harness, first, 0);
    pull_none(harness, second);
    assert_code(GT_E_CONFLICT, gt_queue_extend(second, T, &job, &err));
    assert_code(GT_E_CONFLICT, gt_queue_release(second, T, &job, 0, true, &err));
    assert_code(GT_E_CONFLICT, gt_queue_bury(second, T, &job, "no", &err));
    assert_ok(gt_queue_extend(first, T, &job, &err));
    check_stats(first, T, 1, 1, 0, 9);
    gt_queue_close(first);
    gt_queue_close(second);
}

static void an_expired_lease_is_lost_to_others(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *first = harness_open_lease(harness, "host:1", 50);
    struct gt_queue *second = harness_open(harness, "host:2");
    push_ok(first, 0, 1);
    struct gt_job early = pull_one(harness, first, 0);
    struct gt_job late = pull_one(harness, second, LONG_WAIT);
    assert_string_equal(late.id, early.id);
    assert_int_equal(late.deliveries, 2);
    assert_int_equal(late.pushed_ms, early.pushed_ms);
    assert_code(GT_E_CONFLICT, gt_queue_extend(first, T, &early, &err));
    assert_code(GT_E_CONFLICT, gt_queue_release(first, T, &early, 0, false, &err));
    assert_code(GT_E_CONFLICT, gt_queue_bury(first, T, &early, "too late", &err));
    check_stats(first, T, 1, 1, 0, 9);
    /* The work is done, though: acking it is right, and twice is no harm. */
    assert_ok(gt_queue_ack(first, T, &early, &err));
    check_stats(first, T, 0, 0, 0, 0);
    assert_ok(gt_queue_ack(second, T, &late, &err));
    assert_ok(gt_queue_ack(second, T, &late, &err));
    check_stats(first, T, 0, 0, 0, 0);
    assert_code(GT_E_CONFLICT, gt_queue_extend(second, T, &late, &err));
    gt_queue_close(first);
    gt_queue_close(second);
}

static void the_same_worker_may_lose_it_to_itself(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open_lease(harness, "host:1", 50);
    push_ok(queue, 0, 1);
    struct gt_job before = pull_one(harness, queue, 0);
    struct gt_queue *keeper = harness_open(harness, NULL); /* memory lives as long as a handle */
    gt_queue_close(queue);                                 /* restarted under the same name */
    queue = harness_open(harness, "host:1");
    struct gt_job after = pull_one(harness, queue, LONG_WAIT);
    assert_int_equal(after.deliveries, 2);
    assert_code(GT_E_CONFLICT, gt_queue_extend(queue, T, &before, &err));
    assert_ok(gt_queue_extend(queue, T, &after, &err));
    gt_queue_close(queue);
    gt_queue_close(keeper);
}

static void an_extended_lease_does_not_expire(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *brief = harness_open_lease(harness, "host:1", 50);
    struct gt_queue *patient = harness_open(harness, "host:1");
    struct gt_queue *other = harness_open(harness, "host:2");
    push_ok(brief, 0, 2);
    struct gt_job job = pull_one(harness, brief, 0);
    assert_ok(gt_queue_extend(patient, T, &job, &err));
    struct gt_job second = pull_one(harness, brief, 0);
    /* The second expires, so its time has passed; the first, older and extended, has not. */
    struct gt_job got = pull_one(harness, other, LONG_WAIT);
    assert_string_equal(got.id, second.id);
    pull_none(harness, other);
    gt_queue_close(brief);
    gt_queue_close(patient);
    gt_queue_close(other);
}

static void a_released_job_comes_back(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *first = harness_open(harness, "host:1");
    struct gt_queue *second = harness_open(harness, "host:2");
    push_ok(first, 0, 1);
    struct gt_job job = pull_one(harness, first, 0);
    assert_ok(gt_queue_release(first, T, &job, 0, true, &err));
    check_stats(first, T, 1, 0, 0, 9);
    assert_code(GT_E_CONFLICT, gt_queue_extend(first, T, &job, &err));
    assert_code(GT_E_CONFLICT, gt_queue_release(first, T, &job, 0, true, &err));
    job = pull_one(harness, second, LONG_WAIT);
    assert_int_equal(job.deliveries, 2);
    /* Not counted: as if it had not been handed out. */
    assert_ok(gt_queue_release(second, T, &job, 0, false, &err));
    job = pull_one(harness, first, LONG_WAIT);
    assert_int_equal(job.deliveries, 2);
    gt_queue_close(first);
    gt_queue_close(second);
}

static void a_release_can_be_delayed_beyond_the_lease(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open_lease(harness, "host:1", 20);
    struct gt_job jobs[2];
    push_ok(queue, 0, 2);
    assert_code(2, gt_queue_pull(queue, T, 2, 0, harness->arena, jobs, &err));
    assert_ok(gt_queue_release(queue, T, &jobs[0], GT_HOUR, true, &err));
    assert_ok(gt_queue_release(queue, T, &jobs[1], 200, true, &err));
    struct gt_queue *other = harness_open(harness, "host:2");
    struct gt_job got = pull_one(harness, other, LONG_WAIT);
    assert_string_equal(got.id, jobs[1].id);
    pull_none(harness, other);
    check_stats(queue, T, 2, 1, 0, 18);
    gt_queue_close(queue);
    gt_queue_close(other);
}

static void buried_is_kept_with_why(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_dead dead[4];
    char handle[64];
    push_ok(queue, 0, 3);
    for (unsigned i = 0; i < 3; i++) {
        char why[32];
        struct gt_job job = pull_one(harness, queue, 0);
        snprintf(why, sizeof(why), "reason %u", i);
        assert_ok(gt_queue_bury(queue, T, &job, why, &err));
        assert_code(GT_E_CONFLICT, gt_queue_bury(queue, T, &job, why, &err));
        /* An ack that comes later does not take the letter away. */
        assert_ok(gt_queue_ack(queue, T, &job, &err));
    }
    check_stats(queue, T, 0, 0, 3, 0);
    pull_none(harness, queue);
    assert_code(2, gt_queue_dead(queue, T, NULL, 2, harness->arena, dead, &err));
    assert_string_equal(dead[0].why, "reason 0");
    assert_string_equal(dead[1].why, "reason 1");
    assert_int_equal(dead[0].len, 9);
    assert_memory_equal(dead[0].payload, "payload 0", 9);
    assert_int_equal(dead[0].deliveries, 1);
    assert_in_range(gt_now() - dead[0].pushed_ms, 0, GT_HOUR);
    assert_in_range(dead[1].buried_ms - dead[0].buried_ms, 0, GT_HOUR);
    snprintf(handle, sizeof(handle), "%s", dead[1].handle);
    assert_code(1, gt_queue_dead(queue, T, handle, 4, harness->arena, dead, &err));
    assert_string_equal(dead[0].why, "reason 2");
    char id[GT_ID_TEXT];
    id_of(2, id);
    assert_string_equal(dead[0].id, id);
    assert_code(0, gt_queue_dead(queue, T, dead[0].handle, 4, harness->arena, dead + 1, &err));
    gt_queue_close(queue);
}

static void dead_letters_are_replayed_or_dropped(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_dead dead[2];
    size_t fresh = 1;
    push_ok(queue, 0, 2);
    struct gt_job job = pull_one(harness, queue, 0);
    assert_ok(gt_queue_release(queue, T, &job, 0, true, &err));
    struct gt_job old = pull_one(harness, queue, LONG_WAIT);
    assert_ok(gt_queue_bury(queue, T, &old, "first", &err));
    job = pull_one(harness, queue, 0);
    assert_ok(gt_queue_bury(queue, T, &job, "second", &err));
    assert_code(2, gt_queue_dead(queue, T, NULL, 2, harness->arena, dead, &err));
    assert_ok(gt_queue_replay(queue, T, dead[0].handle, &err));
    assert_code(GT_E_NOTFOUND, gt_queue_replay(queue, T, dead[0].handle, &err));
    assert_ok(gt_queue_drop(queue, T, dead[1].handle, &err));
    assert_code(GT_E_NOTFOUND, gt_queue_drop(queue, T, dead[1].handle, &err));
    assert_code(GT_E_NOTFOUND, gt_queue_drop(queue, T, "nonsense", &err));
    assert_code(GT_E_NOTFOUND, gt_queue_replay(queue, T, "99/1-1", &err));
    check_stats(queue, T, 1, 0, 0, 9);
    job = pull_one(harness, queue, 0);
    assert_string_equal(job.id, dead[0].id);
    assert_int_equal(job.deliveries, 1);
    assert_memory_equal(job.payload, dead[0].payload, dead[0].len);
    /* A late ack of its former life must not take it. */
    assert_ok(gt_queue_ack(queue, T, &old, &err));
    check_stats(queue, T, 1, 1, 0, 9);
    assert_ok(gt_queue_ack(queue, T, &job, &err));
    check_stats(queue, T, 0, 0, 0, 0);
    assert_ok(push_numbers(queue, T, 0, 2, &fresh, &err));
    assert_int_equal(fresh, 0);
    gt_queue_close(queue);
}

static void what_kills_its_workers_is_buried(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_dead dead;
    harness->config.queue.max_deliveries = 3;
    struct gt_queue *queue = harness_open_lease(harness, "host:1", 20);
    push_ok(queue, 0, 1);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(pull_one(harness, queue, LONG_WAIT).deliveries, i);
    struct gt_topic_stats stats = {0};
    for (int i = 0; i < 400 && !stats.dead; i++) {
        struct gt_job job;
        assert_code(0, gt_queue_pull(queue, T, 1, 50, harness->arena, &job, &err));
        assert_ok(gt_queue_stats(queue, T, &stats, &err));
    }
    check_stats(queue, T, 0, 0, 1, 0);
    assert_code(1, gt_queue_dead(queue, T, NULL, 1, harness->arena, &dead, &err));
    assert_int_equal(dead.deliveries, 3);
    assert_string_equal(dead.why, "delivered 3 times without an answer; last to host:1");
    assert_memory_equal(dead.payload, "payload 0", 9);
    gt_queue_close(queue);
}

static void a_payload_without_room_is_no_plug(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    harness->config.queue.max_deliveries = 2;
    struct gt_queue *queue = harness_open(harness, "host:1");
    static char big[300000];
    memset(big, 'x', sizeof(big));
    const struct gt_push entries[] = {{.id = "small", .payload = "s", .len = 1},
                                      {.id = "big", .payload = big, .len = sizeof(big)},
                                      {.id = "after", .payload = "a", .len = 1}};
    assert_ok(gt_queue_push(queue, T, entries, 3, NULL, NULL, &err));
    int seen_small = 0, seen_after = 0, limits = 0;
    struct gt_topic_stats stats = {.depth = 3};
    for (int i = 0; i < 400 && stats.depth; i++) {
        GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(200000);
        struct gt_job jobs[3];
        int got = gt_queue_pull(queue, T, 3, 20, arena, jobs, &err);
        if (got < 0)
            assert_int_equal(got, GT_E_LIMIT);
        limits += got < 0;
        for (int k = 0; k < got; k++) {
            seen_small += !strcmp(jobs[k].id, "small");
            seen_after += !strcmp(jobs[k].id, "after");
            assert_int_equal(jobs[k].deliveries, 1);
            assert_ok(gt_queue_ack(queue, T, &jobs[k], &err));
        }
        assert_ok(gt_queue_stats(queue, T, &stats, &err));
    }
    assert_int_equal(seen_small, 1);
    assert_int_equal(seen_after, 1);
    assert_int_equal(limits, 2);
    check_stats(queue, T, 0, 0, 1, 0);
    gt_queue_close(queue);
}

static void a_strange_handle_is_no_job(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    static const char *const handles[] = {"",      "x",       "1x",
                                          "0/1-1", "0/1-1/1", "7/1-1/99999999999",
                                          "-1",    "0/*/3",   "99999999999999999999999"};
    push_ok(queue, 0, 1);
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        struct gt_job job = {.deliveries = 1};
        snprintf(job.handle, sizeof(job.handle), "%s", handles[i]);
        gt_queue_ack(queue, T, &job, &err);
        assert_code(GT_E_CONFLICT, gt_queue_extend(queue, T, &job, &err));
        assert_code(GT_E_CONFLICT, gt_queue_release(queue, T, &job, 0, true, &err));
        assert_code(GT_E_CONFLICT, gt_queue_bury(queue, T, &job, "no", &err));
    }
    check_stats(queue, T, 1, 0, 0, 9);
    gt_queue_close(queue);
}

static void new_work_ends_the_wait(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_job job;
    assert_code(0, gt_queue_pull(queue, T, 1, 20, harness->arena, &job, &err));
    push_ok(queue, 0, 1);
    int64_t start = gt_monotonic();
    pull_one(harness, queue, GT_HOUR);
    assert_true(gt_monotonic() - start < GT_HOUR / 2);
    gt_queue_close(queue);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int number)
{
    (void)number;
    alarms = alarms + 1;
}

static void a_signal_ends_the_wait(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_job job;
    struct gt_queue *queue = harness_open(harness, "host:1");
    const struct sigaction action = {.sa_handler = count_alarm};
    struct sigaction before;
    const struct itimerval soon = {.it_value = {.tv_usec = 200000},
                                   .it_interval = {.tv_usec = 50000}};
    const struct itimerval never = {0};
    alarms = 0;
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &soon, NULL);
    /* An hour is longer than the test may take. */
    assert_code(0, gt_queue_pull(queue, T, 1, GT_HOUR, harness->arena, &job, &err));
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_true(alarms > 0);
    push_ok(queue, 0, 1);
    pull_one(harness, queue, 0);
    gt_queue_close(queue);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
static const struct CMUnitTest cases[] = {
    CASE(a_leased_job_is_its_owners),
    CASE(an_expired_lease_is_lost_to_others),
    CASE(the_same_worker_may_lose_it_to_itself),
    CASE(an_extended_lease_does_not_expire),
    CASE(a_released_job_comes_back),
    CASE(a_release_can_be_delayed_beyond_the_lease),
    CASE(buried_is_kept_with_why),
    CASE(dead_letters_are_replayed_or_dropped),
    CASE(what_kills_its_workers_is_buried),
    CASE(a_payload_without_room_is_no_plug),
    CASE(a_strange_handle_is_no_job),
    CASE(new_work_ends_the_wait),
    CASE(a_signal_ends_the_wait),
};

int main(void)
{
    return harness_run(cases, sizeof(cases) / sizeof(cases[0]));
}
