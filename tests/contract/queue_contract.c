/* The contract of queue/queue.h, sentence by sentence, over every back-end. */
#include "queue_harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define T GT_TOPIC_DOCUMENTS
#define LONG_WAIT (20 * GT_SECOND)

static void check_stats(struct gt_queue *queue, const char *topic, uint64_t depth, uint64_t pending,
                        uint64_t dead, uint64_t bytes)
{
    struct gt_error err;
    struct gt_topic_stats stats;
    assert_ok(gt_queue_stats(queue, topic, &stats, &err));
    assert_int_equal(stats.depth, depth);
    assert_int_equal(stats.pending, pending);
    assert_int_equal(stats.dead, dead);
    assert_int_equal(stats.bytes, bytes);
    assert_int_equal(stats.oldest_ms != 0, depth != 0);
}

static struct gt_job pull_one(struct harness *harness, struct gt_queue *queue, int64_t wait_ms)
{
    struct gt_error err = {0};
    struct gt_job job = {0};
    int got = gt_queue_pull(queue, T, 1, wait_ms, harness->arena, &job, &err);
    assert_ok(got);
    assert_int_equal(got, 1);
    return job;
}

static void pull_none(struct harness *harness, struct gt_queue *queue)
{
    struct gt_error err = {0};
    struct gt_job job;
    assert_code(0, gt_queue_pull(queue, T, 1, 0, harness->arena, &job, &err));
}

static void push_ok(struct gt_queue *queue, unsigned first, unsigned count)
{
    struct gt_error err = {0};
    size_t fresh = 0;
    assert_ok(push_numbers(queue, T, first, count, &fresh, &err));
    assert_int_equal(fresh, count);
}

static void what_is_pushed_is_pulled_once_in_order(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_job jobs[5];
    char id[GT_ID_TEXT], payload[32];
    push_ok(queue, 0, 3);
    assert_code(3, gt_queue_pull(queue, T, 5, 0, harness->arena, jobs, &err));
    for (unsigned i = 0; i < 3; i++) {
        id_of(i, id);
        snprintf(payload, sizeof(payload), "payload %u", i);
        assert_string_equal(jobs[i].id, id);
        assert_int_equal(jobs[i].len, strlen(payload));
        assert_memory_equal(jobs[i].payload, payload, strlen(payload));
        assert_int_equal(jobs[i].deliveries, 1);
        assert_in_range(gt_now() - jobs[i].pushed_ms, 0, GT_HOUR);
    }
    pull_none(harness, queue);
    check_stats(queue, T, 3, 3, 0, 27);
    for (unsigned i = 0; i < 3; i++)
        assert_ok(gt_queue_ack(queue, T, &jobs[i], &err));
    check_stats(queue, T, 0, 0, 0, 0);
    gt_queue_close(queue);
}

static void most_is_kept_to(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_job jobs[2];
    push_ok(queue, 0, 5);
    assert_code(0, gt_queue_pull(queue, T, 0, 0, harness->arena, jobs, &err));
    assert_code(2, gt_queue_pull(queue, T, 2, 0, harness->arena, jobs, &err));
    check_stats(queue, T, 5, 2, 0, 45);
    gt_queue_close(queue);
}

static void any_bytes_travel(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    char bytes[512];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    const struct gt_push entries[] = {
        {.id = "all", .payload = bytes, .len = sizeof(bytes)},
        {.id = "none", .payload = NULL, .len = 0},
        {.id = "\"quoted\\{}:*/%", .payload = "\r\n$-1\r\n", .len = 7},
    };
    struct gt_job jobs[3];
    assert_ok(gt_queue_push(queue, T, entries, 3, NULL, NULL, &err));
    assert_code(3, gt_queue_pull(queue, T, 3, 0, harness->arena, jobs, &err));
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(jobs[i].id, entries[i].id);
        assert_int_equal(jobs[i].len, entries[i].len);
        assert_non_null(jobs[i].payload);
        assert_memory_equal(jobs[i].payload, entries[i].len ? entries[i].payload : "",
                            entries[i].len);
        assert_ok(gt_queue_ack(queue, T, &jobs[i], &err));
    }
    check_stats(queue, T, 0, 0, 0, 0);
    gt_queue_close(queue);
}

static void the_longest_payload_travels(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    size_t len = GT_DOCUMENT_BODY_MAX + 1000;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + (i >> 16));
    const struct gt_push entries[] = {{.id = "big", .payload = bytes, .len = len},
                                      {.id = "small", .payload = "x", .len = 1}};
    assert_ok(gt_queue_push(queue, T, entries, 2, NULL, NULL, &err));
    struct gt_job jobs[2];
    /* The bytes of one pull are bounded, so the small one comes with the next. */
    assert_code(1, gt_queue_pull(queue, T, 2, 0, harness->arena, jobs, &err));
    assert_int_equal(jobs[0].len, len);
    assert_true(!memcmp(jobs[0].payload, bytes, len));
    free(bytes);
    assert_ok(gt_queue_ack(queue, T, &jobs[0], &err));
    struct gt_job small = pull_one(harness, queue, 0);
    assert_ok(gt_queue_ack(queue, T, &small, &err));
    check_stats(queue, T, 0, 0, 0, 0);
    gt_queue_close(queue);
}

static void topics_are_apart(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    size_t fresh = 0;
    push_ok(queue, 0, 2);
    assert_ok(push_numbers(queue, GT_TOPIC_FINDINGS, 0, 2, &fresh, &err));
    assert_int_equal(fresh, 2);
    pull_one(harness, queue, 0);
    check_stats(queue, T, 2, 1, 0, 18);
    check_stats(queue, GT_TOPIC_FINDINGS, 2, 0, 0, 18);
    check_stats(queue, "other", 0, 0, 0, 0);
    gt_queue_close(queue);
}

static void an_id_seen_before_is_dropped(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    const struct gt_push twice[] = {{.id = "same", .payload = "1", .len = 1},
                                    {.id = "same", .payload = "2", .len = 1}};
    size_t fresh = 0;
    push_ok(queue, 0, 10);
    assert_ok(push_numbers(queue, T, 5, 10, &fresh, &err));
    assert_int_equal(fresh, 5);
    assert_ok(gt_queue_push(queue, T, twice, 2, NULL, &fresh, &err));
    assert_int_equal(fresh, 1);
    for (int i = 0; i < 16; i++) {
        struct gt_job job = pull_one(harness, queue, 0);
        assert_ok(gt_queue_ack(queue, T, &job, &err));
    }
    /* Even after the ack. */
    assert_ok(push_numbers(queue, T, 0, 15, &fresh, &err));
    assert_int_equal(fresh, 0);
    check_stats(queue, T, 0, 0, 0, 0);
    gt_queue_close(queue);
}

static void ids_are_forgotten_after_their_time(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    const struct gt_kind *kind = harness->config.queue.kind;
    char *options = gt_arena_alloc(harness->arena, kind->size);
    memcpy(options, harness->config.queue.options, kind->size);
    int64_t short_time = 40;
    memcpy(options, &short_time, sizeof(short_time)); /* `seen` is every kind's first member */
    harness->config.queue.options = options;
    struct gt_queue *queue = harness_open(harness, "host:1");
    size_t fresh = 0;
    push_ok(queue, 0, 50);
    for (int i = 0; i < 200 && fresh < 50; i++) {
        gt_sleep(100);
        assert_ok(push_numbers(queue, T, 0, 50, &fresh, &err));
    }
    assert_int_equal(fresh, 50);
    gt_queue_close(queue);
}

static void cursor_is(struct gt_queue *queue, const char *name, const void *value, size_t len)
{
    struct gt_error err = {0};
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(4096);
    assert_ok(gt_queue_cursor(queue, name, &buffer, &err));
    assert_int_equal(buffer.len, len);
    assert_memory_equal(buffer.data, value, len);
}

static void the_cursor_moves_with_the_push(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(4096);
    harness->config.queue.high_water_count = 3;
    struct gt_queue *queue = harness_open(harness, "host:1");
    const struct gt_push entries[] = {{.id = "a", .payload = "1", .len = 1},
                                      {.id = "b", .payload = "2", .len = 1}};
    const struct gt_push more[] = {{.id = "c", .payload = "3", .len = 1},
                                   {.id = "d", .payload = "4", .len = 1}};
    struct gt_cursor cursor = {.name = "Source \xc3\xa9 1", .value = "one\0two", .len = 7};
    assert_code(GT_E_NOTFOUND, gt_queue_cursor(queue, cursor.name, &buffer, &err));
    assert_ok(gt_queue_push(queue, T, NULL, 0, &cursor, NULL, &err));
    cursor_is(queue, cursor.name, "one\0two", 7);
    cursor.value = "second", cursor.len = 6;
    assert_ok(gt_queue_push(queue, T, entries, 2, &cursor, NULL, &err));
    cursor_is(queue, cursor.name, "second", 6);
    cursor.value = "third", cursor.len = 5;
    assert_code(GT_E_FULL, gt_queue_push(queue, T, more, 2, &cursor, NULL, &err));
    cursor_is(queue, cursor.name, "second", 6);
    check_stats(queue, T, 2, 0, 0, 2);
    /* Only what is new needs room: a replay moves the cursor even then. */
    assert_ok(gt_queue_push(queue, T, entries, 2, &cursor, NULL, &err));
    cursor_is(queue, cursor.name, "third", 5);
    assert_code(GT_E_NOTFOUND, gt_queue_cursor(queue, "other", &buffer, &err));
    gt_queue_close(queue);
}

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

static void the_high_water_mark_counts(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    harness->config.queue.high_water_count = 12;
    struct gt_queue *queue = harness_open(harness, "host:1");
    size_t fresh = 7;
    push_ok(queue, 0, 10);
    check_stats(queue, T, 10, 0, 0, 90);
    fresh = 7;
    assert_code(GT_E_FULL, push_numbers(queue, T, 10, 3, &fresh, &err));
    assert_int_equal(fresh, 7);
    check_stats(queue, T, 10, 0, 0, 90);
    push_ok(queue, 20, 2);
    assert_code(GT_E_FULL, push_numbers(queue, T, 10, 1, NULL, &err));
    /* Nothing of what was refused counts as seen. */
    for (int i = 0; i < 12; i++) {
        struct gt_job job = pull_one(harness, queue, 0);
        assert_ok(gt_queue_ack(queue, T, &job, &err));
    }
    push_ok(queue, 10, 3);
    gt_queue_close(queue);
}

static void the_high_water_mark_weighs(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    harness->config.queue.high_water_bytes = 100;
    struct gt_queue *queue = harness_open(harness, "host:1");
    push_ok(queue, 0, 10);
    assert_code(GT_E_FULL, push_numbers(queue, T, 10, 2, NULL, &err));
    check_stats(queue, T, 10, 0, 0, 90);
    /* Leased work still weighs. */
    struct gt_job job = pull_one(harness, queue, 0);
    assert_code(GT_E_FULL, push_numbers(queue, T, 10, 2, NULL, &err));
    assert_ok(gt_queue_ack(queue, T, &job, &err));
    assert_ok(push_numbers(queue, T, 100, 1, NULL, &err));
    gt_queue_close(queue);
}

static void an_empty_topic_takes_any_batch(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    harness->config.queue.high_water_count = 3;
    harness->config.queue.high_water_bytes = 10;
    struct gt_queue *queue = harness_open(harness, "host:1");
    push_ok(queue, 0, 2000);
    assert_code(GT_E_FULL, push_numbers(queue, T, 5000, 1, NULL, &err));
    assert_code(GT_E_FULL, push_numbers(queue, T, 5000, 2000, NULL, &err));
    struct gt_topic_stats stats;
    assert_ok(gt_queue_stats(queue, T, &stats, &err));
    assert_int_equal(stats.depth, 2000);
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

static void fact_is(struct gt_queue *queue, const char *name, const char *value)
{
    struct gt_error err = {0};
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(65536);
    assert_ok(gt_queue_get(queue, name, &buffer, &err));
    assert_int_equal(buffer.len, strlen(value));
    assert_memory_equal(buffer.data, value, strlen(value));
}

static void facts_are_shared(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(65536);
    struct gt_queue *writer = harness_open(harness, "host:1");
    struct gt_queue *reader = harness_open(harness, NULL);
    struct gt_fact facts[4];
    assert_code(GT_E_NOTFOUND, gt_queue_get(reader, "source/b", &buffer, &err));
    assert_code(0, gt_queue_list(reader, "", 4, harness->arena, facts, &err));
    assert_ok(gt_queue_put(writer, "source/b", "2", 1, 0, &err));
    assert_ok(gt_queue_put(writer, "source/\xc3\xa9", "3", 1, GT_HOUR, &err));
    assert_ok(gt_queue_put(writer, "source/a", "0", 1, 0, &err));
    assert_ok(gt_queue_put(writer, "source/a", "a\0c", 3, 0, &err));
    assert_ok(gt_queue_put(writer, "sourcf", "", 0, 0, &err));
    assert_ok(gt_queue_put(writer, "sourc", "x", 1, 0, &err));
    fact_is(reader, "source/b", "2");
    fact_is(reader, "sourcf", "");
    assert_code(3, gt_queue_list(reader, "source/", 4, harness->arena, facts, &err));
    assert_string_equal(facts[0].name, "source/a");
    assert_int_equal(facts[0].len, 3);
    assert_memory_equal(facts[0].value, "a\0c", 3);
    assert_string_equal(facts[1].name, "source/b");
    assert_string_equal(facts[2].name, "source/\xc3\xa9");
    assert_code(2, gt_queue_list(reader, NULL, 2, harness->arena, facts, &err));
    assert_string_equal(facts[0].name, "sourc");
    assert_string_equal(facts[1].name, "source/a");
    gt_queue_close(writer);
    gt_queue_close(reader);
}

static void facts_expire(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(65536);
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_fact fact;
    assert_ok(gt_queue_put(queue, "brief", "1", 1, 30, &err));
    assert_ok(gt_queue_put(queue, "kept", "1", 1, 30, &err));
    assert_ok(gt_queue_put(queue, "kept", "2", 1, 0, &err));
    int rc = 0;
    for (int i = 0; i < 400 && rc != GT_E_NOTFOUND; i++) {
        gt_sleep(50);
        rc = gt_queue_get(queue, "brief", &buffer, &err);
    }
    assert_int_equal(rc, GT_E_NOTFOUND);
    assert_code(0, gt_queue_list(queue, "brief", 1, harness->arena, &fact, &err));
    fact_is(queue, "kept", "2");
    /* What expired is not there any more for put_once either. */
    assert_ok(gt_queue_put_once(queue, "brief", "new", 3, &buffer, &err));
    fact_is(queue, "brief", "new");
    gt_queue_close(queue);
}

static void put_once_keeps_the_first(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(65536);
    struct gt_queue *first = harness_open(harness, "host:1");
    struct gt_queue *second = harness_open(harness, "host:2");
    assert_ok(gt_queue_put_once(first, "key", "mine", 4, &buffer, &err));
    assert_string_equal(buffer.data, "mine");
    assert_ok(gt_queue_put_once(second, "key", "theirs", 6, &buffer, &err));
    assert_string_equal(buffer.data, "mine");
    fact_is(second, "key", "mine");
    gt_queue_close(first);
    gt_queue_close(second);
}

static void wrong_arguments_are_refused(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *none = NULL;
    assert_code(GT_E_INVALID, gt_queue_open(&harness->config, "has blank", &none, &err));
    assert_null(none);
    struct gt_queue *queue = harness_open(harness, NULL);
    assert_string_equal(gt_queue_backend(queue), harness->type);
    struct gt_job job = {.handle = "1"};
    const struct gt_push entry = {.id = "x", .payload = "1", .len = 1};
    const struct gt_push nameless = {.id = "a b", .payload = "1", .len = 1};
    const struct gt_push endless = {.id = "x", .payload = "1", .len = SIZE_MAX / 2};
    const struct gt_cursor unnamed = {.name = "", .value = "1", .len = 1};
    assert_code(GT_E_INVALID, gt_queue_pull(queue, T, 1, 0, harness->arena, &job, &err));
    assert_code(GT_E_INVALID, gt_queue_ack(queue, T, &job, &err));
    assert_code(GT_E_INVALID, gt_queue_push(queue, "Bad:topic", &entry, 1, NULL, NULL, &err));
    assert_code(GT_E_INVALID, gt_queue_push(queue, T, &nameless, 1, NULL, NULL, &err));
    assert_code(GT_E_LIMIT, gt_queue_push(queue, T, &endless, 1, NULL, NULL, &err));
    assert_code(GT_E_INVALID, gt_queue_push(queue, T, &entry, 1, &unnamed, NULL, &err));
    assert_code(GT_E_LIMIT, gt_queue_put(queue, "x", "1", 64 * 1024 + 1, 0, &err));
    assert_code(GT_E_INVALID, gt_queue_put(queue, "", "1", 1, 0, &err));
    check_stats(queue, T, 0, 0, 0, 0);
    /* A handle without a consumer may push. */
    assert_ok(gt_queue_push(queue, T, &entry, 1, NULL, NULL, &err));
    check_stats(queue, T, 1, 0, 0, 1);
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

static void what_was_pushed_stays_after_closing(void **state)
{
    struct harness *harness = *state;
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_queue *keeper = harness_open(harness, NULL); /* memory lives as long as a handle */
    push_ok(queue, 0, 3);
    gt_queue_close(queue);
    queue = harness_open(harness, "host:1");
    check_stats(queue, T, 3, 0, 0, 27);
    pull_one(harness, queue, 0);
    gt_queue_close(queue);
    gt_queue_close(keeper);
}

static void the_oldest_is_known(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_topic_stats stats;
    push_ok(queue, 0, 1);
    gt_sleep(20);
    push_ok(queue, 1, 1);
    struct gt_job first = pull_one(harness, queue, 0);
    assert_ok(gt_queue_stats(queue, T, &stats, &err));
    assert_int_equal(stats.oldest_ms, first.pushed_ms);
    assert_ok(gt_queue_ack(queue, T, &first, &err));
    struct gt_job second = pull_one(harness, queue, 0);
    assert_true(second.pushed_ms > first.pushed_ms);
    assert_ok(gt_queue_stats(queue, T, &stats, &err));
    assert_int_equal(stats.oldest_ms, second.pushed_ms);
    gt_queue_close(queue);
}

static void cursors_spread_over_shards(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_dead dead[40];
    struct gt_job jobs[40];
    size_t fresh = 0;
    for (unsigned i = 0; i < 40; i++) {
        char id[GT_ID_TEXT], name[16];
        id_of(i, id);
        snprintf(name, sizeof(name), "source-%u", i);
        const struct gt_push entry = {.id = id, .payload = id, .len = strlen(id)};
        const struct gt_cursor cursor = {.name = name, .value = name, .len = strlen(name)};
        assert_ok(gt_queue_push(queue, T, &entry, 1, &cursor, &fresh, &err));
        assert_int_equal(fresh, 1);
        assert_ok(gt_queue_push(queue, T, &entry, 1, &cursor, &fresh, &err));
        assert_int_equal(fresh, 0);
        cursor_is(queue, name, name, strlen(name));
    }
    check_stats(queue, T, 40, 0, 0, 40 * 32);
    size_t got = 0;
    while (got < 40) {
        int some = gt_queue_pull(queue, T, 40 - got, 0, harness->arena, jobs + got, &err);
        assert_true(some > 0);
        got += (size_t)some;
    }
    for (size_t i = 0; i < 40; i++)
        assert_ok(gt_queue_bury(queue, T, &jobs[i], "why", &err));
    check_stats(queue, T, 0, 0, 40, 0);
    /* Page by page, oldest first, each once. */
    const char *after = NULL;
    got = 0;
    for (int some = 1; some > 0; got += (size_t)some) {
        some = gt_queue_dead(queue, T, after, 7, harness->arena, dead + got, &err);
        assert_true(some >= 0);
        after = some ? dead[got + (size_t)some - 1].handle : after;
    }
    assert_int_equal(got, 40);
    for (size_t i = 0; i + 1 < 40; i++) {
        assert_true(dead[i].buried_ms <= dead[i + 1].buried_ms);
        assert_string_not_equal(dead[i].id, dead[i + 1].id);
    }
    gt_queue_close(queue);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
static const struct CMUnitTest cases[] = {
    CASE(what_is_pushed_is_pulled_once_in_order),
    CASE(most_is_kept_to),
    CASE(any_bytes_travel),
    CASE(the_longest_payload_travels),
    CASE(topics_are_apart),
    CASE(an_id_seen_before_is_dropped),
    CASE(ids_are_forgotten_after_their_time),
    CASE(the_cursor_moves_with_the_push),
    CASE(a_leased_job_is_its_owners),
    CASE(an_expired_lease_is_lost_to_others),
    CASE(the_same_worker_may_lose_it_to_itself),
    CASE(an_extended_lease_does_not_expire),
    CASE(a_released_job_comes_back),
    CASE(a_release_can_be_delayed_beyond_the_lease),
    CASE(buried_is_kept_with_why),
    CASE(dead_letters_are_replayed_or_dropped),
    CASE(what_kills_its_workers_is_buried),
    CASE(the_high_water_mark_counts),
    CASE(the_high_water_mark_weighs),
    CASE(an_empty_topic_takes_any_batch),
    CASE(a_payload_without_room_is_no_plug),
    CASE(facts_are_shared),
    CASE(facts_expire),
    CASE(put_once_keeps_the_first),
    CASE(wrong_arguments_are_refused),
    CASE(a_strange_handle_is_no_job),
    CASE(new_work_ends_the_wait),
    CASE(a_signal_ends_the_wait),
    CASE(what_was_pushed_stays_after_closing),
    CASE(the_oldest_is_known),
    CASE(cursors_spread_over_shards),
};

static struct harness *current;

static int setup_current(void **state)
{
    *state = current;
    return harness_group_setup(state);
}

int main(int argc, char **argv)
{
    static struct harness harnesses[] = {
        {.type = "memory"},
        {.type = "sqlite"},
        {.type = "redis"},
        {.type = "redis", .password = "made-up-word", .options = "shards: 1"},
    };
    int failed = 0;
    (void)argc, (void)argv;
    for (size_t i = 0; i < sizeof(harnesses) / sizeof(harnesses[0]); i++) {
        current = &harnesses[i];
        if (!strcmp(current->type, "redis") && !server_installed()) {
            printf("SKIPPED: %s: redis-server is not installed\n", current->type);
            continue;
        }
        printf("# %s%s%s%s\n", current->type, current->password ? " with password" : "",
               current->options ? ", " : "", current->options ? current->options : "");
        fflush(stdout);
        failed += cmocka_run_group_tests(cases, setup_current, harness_group_teardown);
    }
    return failed != 0;
}
