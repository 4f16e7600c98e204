#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

static void gives_zeroed_aligned_blocks(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 20);
    for (size_t size = 0; size < 300; size++) {
        unsigned char *block = gt_arena_alloc(arena, size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xff, size);
    }
}

static void stops_at_its_cap(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(100000);
    size_t total = 0;
    while (gt_arena_alloc(arena, 1000))
        total += 1000;
    assert_in_range(total, 80000, 100000);
    assert_true(gt_arena_used(arena) <= 100000);
    assert_null(gt_arena_alloc(arena, SIZE_MAX));
    assert_null(gt_arena_alloc(arena, 100001));
    assert_null(gt_arena_array(arena, SIZE_MAX / 2, 3));
    gt_arena_reset(arena);
    assert_int_equal(gt_arena_used(arena), 0);
    assert_non_null(gt_arena_alloc(arena, 50000));
}

static void a_cap_of_nothing_gives_nothing(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(0);
    assert_null(gt_arena_alloc(arena, 1));
}

static void blocks_stay_apart_after_reset(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        char *texts[200];
        for (int i = 0; i < 200; i++)
            texts[i] = gt_arena_printf(arena, "round %d text %d %0*d", round, i, i * 5, 0);
        for (int i = 0; i < 200; i++) {
            char expected[1200];
            snprintf(expected, sizeof expected, "round %d text %d %0*d", round, i, i * 5, 0);
            assert_string_equal(texts[i], expected);
        }
        gt_arena_reset(arena);
    }
}

static void copies_what_it_is_given(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 20);
    assert_string_equal(gt_arena_strdup(arena, "abc"), "abc");
    assert_null(gt_arena_strdup(arena, NULL));
    assert_memory_equal(gt_arena_memdup(arena, "a\0b", 3), "a\0b", 4);
    assert_memory_equal(gt_arena_memdup(arena, NULL, 0), "", 1);
    const int numbers[] = {1, 2, 3};
    int *more = gt_arena_grow(arena, numbers, sizeof numbers, 5 * sizeof *numbers);
    assert_int_equal(more[2], 3);
    assert_int_equal(more[4], 0);
    assert_non_null(gt_arena_grow(arena, NULL, 0, 8));
}

static void takes_null(void **state)
{
    gt_arena_free(NULL);
    struct gt_arena *none = NULL;
    gt_arena_cleanup(&none);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_blocks),
        cmocka_unit_test(stops_at_its_cap),
        cmocka_unit_test(a_cap_of_nothing_gives_nothing),
        cmocka_unit_test(blocks_stay_apart_after_reset),
        cmocka_unit_test(copies_what_it_is_given),
        cmocka_unit_test(takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
