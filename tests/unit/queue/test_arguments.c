/* What queue.c does before any back-end is asked: limits, defaults, metrics. */
#include "queue/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct gt_config config = {.queue = {.type = "memory"}};

static struct gt_queue *open_queue(void)
{
    struct gt_error err;
    struct gt_queue *queue = NULL;
    assert_int_equal(gt_queue_open(&config, "host:1", &queue, &err), 0);
    return queue;
}

static void an_unknown_type_is_named(void **state)
{
    const struct gt_config unknown = {.queue = {.type = "kafka"}};
    struct gt_error err;
    struct gt_queue *queue = NULL;
    (void)state;
    assert_int_equal(gt_queue_open(&unknown, "host:1", &queue, &err), GT_E_INVALID);
    assert_non_null(strstr(err.message, "kafka"));
    assert_null(queue);
    gt_queue_close(NULL);
}

static void every_kind_is_offered(void **state)
{
    static const char *const names[] = {"sqlite", "redis", "memory"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(gt_queue_kinds[i]->name, names[i]);
        /* The first row is the one that all have, at the start of their struct. */
        assert_string_equal(gt_queue_kinds[i]->options[0].name, "seen");
        assert_int_equal(gt_queue_kinds[i]->options[0].offset, 0);
    }
    assert_null(gt_queue_kinds[3]);
}

static void an_id_stands_for_itself(void **state)
{
    static const unsigned char bytes[GT_ID_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
                                                     0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
                                                     0xcc, 0xdd, 0xee, 0xff};
    unsigned char digest[GT_ID_BYTES], other[GT_ID_BYTES];
    (void)state;
    gt_queue_digest("00112233445566778899aabbccddeeff", digest);
    assert_memory_equal(digest, bytes, sizeof(bytes));
    gt_queue_digest("00112233445566778899AABBCCDDEEFF", other);
    assert_memory_not_equal(digest, other, sizeof(other));
    gt_queue_digest("short", digest);
    gt_queue_digest("shorter", other);
    assert_memory_not_equal(digest, other, sizeof(other));
}

static void a_value_too_long_is_not_cut(void **state)
{
    struct gt_error err;
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(4);
    (void)state;
    assert_int_equal(gt_queue_value(&buffer, "1234", 4, &err), 0);
    assert_int_equal(gt_queue_value(&buffer, "12345", 5, &err), GT_E_LIMIT);
    assert_string_equal(buffer.data, "1234");
    assert_int_equal(gt_queue_value(&buffer, "", 0, &err), 0);
    assert_int_equal(buffer.len, 0);
}

static void caps_are_kept(void **state)
{
    static const struct gt_push many[10001];
    const struct gt_push wide[] = {{"1", "", (size_t)60 << 20},
                                   {"2", "", (size_t)60 << 20},
                                   {"3", "", (size_t)60 << 20},
                                   {"4", "", (size_t)60 << 20},
                                   {"5", "", (size_t)60 << 20}};
    const struct gt_cursor long_cursor = {.name = "s", .value = "", .len = (size_t)2 << 20};
    struct gt_error err;
    struct gt_queue *queue = open_queue();
    (void)state;
    assert_int_equal(gt_queue_push(queue, "t", many, 10001, NULL, NULL, &err), GT_E_LIMIT);
    assert_int_equal(gt_queue_push(queue, "t", wide, 5, NULL, NULL, &err), GT_E_LIMIT);
    assert_int_equal(gt_queue_push(queue, "t", NULL, 0, &long_cursor, NULL, &err), GT_E_LIMIT);
    assert_int_equal(gt_queue_push(queue, "", NULL, 0, NULL, NULL, &err), GT_E_INVALID);
    assert_int_equal(gt_queue_push(queue, "t", NULL, 0, NULL, NULL, &err), 0);
    assert_int_equal(gt_queue_put(queue, "f", "1", 1, -1, &err), GT_E_INVALID);
    gt_queue_close(queue);
}

static void what_happens_is_counted(void **state)
{
    const struct gt_push entries[] = {{"counted-1", "a", 1}, {"counted-2", "b", 1}};
    struct gt_error err;
    struct gt_job job;
    struct gt_arena *arena = gt_arena_new(4096);
    struct gt_queue *queue = open_queue();
    double pushed = gt_counter_sum("guette_queue_pushed_total");
    double acked = gt_counter_sum("guette_queue_acked_total");
    (void)state;
    assert_int_equal(gt_queue_push(queue, "t", entries, 2, NULL, NULL, &err), 0);
    assert_int_equal(gt_queue_push(queue, "t", entries, 2, NULL, NULL, &err), 0);
    assert_true(gt_counter_sum("guette_queue_pushed_total") == pushed + 2);
    assert_true(gt_counter_sum("guette_queue_duplicates_total") == 2);
    assert_int_equal(gt_queue_pull(queue, "t", 1, 0, arena, &job, &err), 1);
    assert_int_equal(gt_queue_release(queue, "t", &job, 0, true, &err), 0);
    assert_int_equal(gt_queue_release(queue, "t", &job, 0, true, &err), GT_E_CONFLICT);
    assert_true(gt_counter_sum("guette_queue_lost_leases_total") == 1);
    assert_int_equal(gt_queue_pull(queue, "t", 1, 10000, arena, &job, &err), 1);
    assert_true(gt_counter_sum("guette_queue_redelivered_total") == 1);
    assert_int_equal(gt_queue_ack(queue, "t", &job, &err), 0);
    assert_true(gt_counter_sum("guette_queue_acked_total") == acked + 1);
    gt_queue_close(queue);
    gt_arena_free(arena);
}

static int start(void **state)
{
    struct gt_error err;
    (void)state;
    return gt_hash_start(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_type_is_named),
        cmocka_unit_test(every_kind_is_offered),
        cmocka_unit_test(an_id_stands_for_itself),
        cmocka_unit_test(a_value_too_long_is_not_cut),
        cmocka_unit_test(caps_are_kept),
        cmocka_unit_test(what_happens_is_counted),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
