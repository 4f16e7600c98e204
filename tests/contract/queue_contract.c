/* The contract of queue/queue.h, sentence by sentence, over every back-end: what is pushed, seen,
 * stored and counted. */
#include "queue_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T GT_TOPIC_DOCUMENTS

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
    CASE(the_high_water_mark_counts),
    CASE(the_high_water_mark_weighs),
    CASE(an_empty_topic_takes_any_batch),
    CASE(facts_are_shared),
    CASE(facts_expire),
    CASE(put_once_keeps_the_first),
    CASE(wrong_arguments_are_refused),
    CASE(what_was_pushed_stays_after_closing),
    CASE(the_oldest_is_known),
    CASE(cursors_spread_over_shards),
};

int main(void)
{
    return harness_run(cases, sizeof(cases) / sizeof(cases[0]));
}
