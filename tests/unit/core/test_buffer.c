#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

static void appends_up_to_its_maximum(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer b = GT_BUFFER(10);
    assert_null(b.data);
    assert_int_equal(gt_buffer_puts(&b, "01234"), 0);
    assert_int_equal(gt_buffer_putc(&b, '5'), 0);
    assert_int_equal(gt_buffer_printf(&b, "%d", 6789), 0);
    assert_int_equal(b.len, 10);
    assert_string_equal(b.data, "0123456789");
    assert_true(gt_buffer_ok(&b));
}

static void past_the_maximum_nothing_changes(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer b = GT_BUFFER(4);
    assert_int_equal(gt_buffer_puts(&b, "abc"), 0);
    assert_int_equal(gt_buffer_puts(&b, "de"), GT_E_LIMIT);
    assert_string_equal(b.data, "abc");
    assert_false(gt_buffer_ok(&b));
    /* A chain stays broken, so that its end tells. */
    assert_int_equal(gt_buffer_putc(&b, 'd'), GT_E_LIMIT);
    assert_int_equal(gt_buffer_printf(&b, "%s", "d"), GT_E_LIMIT);
    assert_int_equal(b.len, 3);
    gt_buffer_reset(&b);
    assert_true(gt_buffer_ok(&b));
    assert_string_equal(b.data, "");
    assert_int_equal(gt_buffer_puts(&b, "wxyz"), 0);
    struct gt_buffer none = GT_BUFFER(0);
    assert_int_equal(gt_buffer_putc(&none, 'x'), GT_E_LIMIT);
    assert_int_equal(gt_buffer_append(&none, NULL, 0), none.overflow ? GT_E_LIMIT : 0);
    gt_buffer_free(&none);
}

static void a_huge_length_does_not_wrap(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer b = GT_BUFFER(SIZE_MAX - 16);
    assert_int_equal(gt_buffer_puts(&b, "abc"), 0);
    assert_int_equal(gt_buffer_append(&b, "x", SIZE_MAX), GT_E_LIMIT);
    assert_string_equal(b.data, "abc");
}

static void holds_any_bytes(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer b = GT_BUFFER(100000);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(gt_buffer_putc(&b, (char)i), 0);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(b.data[i], (char)i);
    assert_int_equal(b.data[b.len], '\0');
}

static void free_and_wipe_leave_it_usable(void **state)
{
    struct gt_buffer b = GT_BUFFER(16);
    gt_buffer_puts(&b, "secret");
    gt_buffer_wipe(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 16);
    assert_int_equal(gt_buffer_puts(&b, "again"), 0);
    gt_buffer_free(&b);
    gt_buffer_free(&b);
    gt_buffer_wipe(&b);
    assert_int_equal(b.len, 0);
}

static void errors_carry_words(void **state)
{
    struct gt_error err = {0};
    assert_int_equal(gt_fail(&err, GT_E_IO, "no %s", "disk"), GT_E_IO);
    assert_int_equal(err.code, GT_E_IO);
    assert_string_equal(err.message, "no disk");
    assert_int_equal(gt_error_prefix(&err, "store %d", 7), GT_E_IO);
    assert_string_equal(err.message, "store 7: no disk");
    assert_int_equal(gt_fail(&err, GT_E_FULL, "again: %s", err.message), GT_E_FULL);
    assert_string_equal(err.message, "again: store 7: no disk");
    assert_int_equal(gt_fail(NULL, GT_E_NOMEM, "x"), GT_E_NOMEM);
}

static void errors_are_cut_not_overrun(void **state)
{
    struct gt_error err = {0};
    char big[3 * GT_ERROR_MAX];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    gt_fail(&err, GT_E_IO, "%s", big);
    assert_int_equal(strlen(err.message), GT_ERROR_MAX - 1);
    gt_error_prefix(&err, "%s", big);
    assert_int_equal(strlen(err.message), GT_ERROR_MAX - 1);
}

static void every_code_has_a_name(void **state)
{
    assert_string_equal(gt_code_name(GT_OK), "ok");
    assert_string_equal(gt_code_name(GT_E_IO), "io");
    assert_string_equal(gt_code_name(GT_E_REFUSED), "refused");
    assert_string_equal(gt_code_name(-99), "unknown");
    assert_string_equal(gt_code_name(1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_up_to_its_maximum),
        cmocka_unit_test(past_the_maximum_nothing_changes),
        cmocka_unit_test(a_huge_length_does_not_wrap),
        cmocka_unit_test(holds_any_bytes),
        cmocka_unit_test(free_and_wipe_leave_it_usable),
        cmocka_unit_test(errors_carry_words),
        cmocka_unit_test(errors_are_cut_not_overrun),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
