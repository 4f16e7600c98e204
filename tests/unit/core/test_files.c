#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/core.h"

static char folder[] = "/tmp/guette-files-XXXXXX";

static int make_folder(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") || system(command);
}

static void what_is_written_is_read(void **state)
{
    struct stat st;
    assert_int_equal(gt_file_write("a", "x\0y", 3, 0640, NULL), 0);
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(gt_file_write("a", "longer", 6, 0600, NULL), 0);
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(6);
    assert_int_equal(gt_file_read("a", &text, NULL), 0);
    assert_string_equal(text.data, "longer");
}

static void an_empty_file_reads_as_empty_text(void **state)
{
    assert_int_equal(gt_file_write("empty", "", 0, 0644, NULL), 0);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(6);
    assert_int_equal(gt_file_read("empty", &text, NULL), 0);
    assert_int_equal(text.len, 0);
    assert_string_equal(text.data, "");
}

static void a_limit_is_named(void **state)
{
    struct gt_error err;
    assert_int_equal(gt_file_write("big", "1234567", 7, 0644, NULL), 0);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(6);
    assert_int_equal(gt_file_read("big", &text, &err), GT_E_LIMIT);
    assert_non_null(strstr(err.message, "big is larger than the limit of 6 bytes"));
}

static void only_regular_files_are_read(void **state)
{
    struct gt_error err;
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(6);
    assert_int_equal(gt_file_read("gone", &text, &err), GT_E_NOTFOUND);
    assert_non_null(strstr(err.message, "gone"));
    assert_int_equal(gt_file_read("/dev/zero", &text, &err), GT_E_INVALID);
    assert_int_equal(gt_file_read(".", &text, &err), GT_E_INVALID);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(gt_file_read("pipe", &text, &err), GT_E_INVALID); /* and does not hang */
    assert_int_equal(text.len, 0);
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
    struct gt_error err;
    assert_true(gt_file_write("none/a", "x", 1, 0644, &err) < 0);
    assert_non_null(strstr(err.message, "none/a"));
    assert_int_equal(gt_directory_make("taken", 0755, NULL), 0);
    assert_int_equal(gt_file_write("taken/keep", "x", 1, 0644, NULL), 0);
    assert_true(gt_file_write("taken", "x", 1, 0644, &err) < 0);
    assert_int_equal(system("test -z \"$(ls -d taken.* 2>/dev/null)\""), 0);
}

static void makes_directories_on_the_way(void **state)
{
    struct gt_error err;
    assert_int_equal(gt_directory_make("d/e/f", 0755, NULL), 0);
    assert_int_equal(gt_directory_make("d/e/f/", 0755, NULL), 0);
    assert_true(gt_file_exists("d/e/f"));
    assert_false(gt_file_exists("d/e/g"));
    assert_int_equal(gt_file_write("file", "", 0, 0644, NULL), 0);
    assert_true(gt_directory_make("file", 0755, &err) < 0);
    assert_true(gt_directory_make("file/sub", 0755, &err) < 0);
    assert_int_equal(gt_directory_make("", 0755, &err), GT_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(an_empty_file_reads_as_empty_text),
        cmocka_unit_test(a_limit_is_named),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(a_failed_write_leaves_nothing_behind),
        cmocka_unit_test(makes_directories_on_the_way),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
