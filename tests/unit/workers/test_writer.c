/* Local channels: whole lines or nothing. */
#include "workers/writer.h"

#include "core/core.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/guette-writer-XXXXXX";
static char path[128];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/alerts.jsonl", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void assert_content(const char *expected)
{
    struct gt_error err;
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(4096);
    assert_int_equal(gt_file_read(path, &text, &err), 0);
    assert_string_equal(text.data, expected);
}

static void appends_with_mode(void **state)
{
    (void)state;
    struct gt_error err;
    struct stat st;
    assert_int_equal(gt_write_out(path, "one\n", 4, 0600, &err), 0);
    assert_int_equal(gt_write_out(path, "two\n", 4, 0600, &err), 0);
    assert_content("one\ntwo\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void says_where_it_fails(void **state)
{
    (void)state;
    struct gt_error err;
    assert_int_equal(gt_write_out("/nonexistent/file", "x", 1, 0600, &err), GT_E_IO);
    assert_non_null(strstr(err.message, "/nonexistent/file"));
    assert_int_equal(gt_write_out("/dev/full", "x", 1, 0600, &err), GT_E_FULL);
}

/* A file size limit stands in for a disk that fills up in the middle of a line. */
static void takes_half_a_line_back(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct gt_error err;
        struct rlimit small = {12, 12};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
        _exit(gt_write_out(path, "three-three\n", 12, 0600, &err) < 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_content("one\ntwo\n");
}

static void begins_a_line_after_half_a_one(void **state)
{
    (void)state;
    struct gt_error err;
    assert_int_equal(gt_file_write(path, "one\n{\"ha", 8, 0600, &err), 0);
    assert_int_equal(gt_write_out(path, "two\n", 4, 0600, &err), 0);
    assert_content("one\n{\"ha\ntwo\n");
}

static void does_not_wait_for_a_reader(void **state)
{
    (void)state;
    struct gt_error err;
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(gt_write_out(path, "one\n", 4, 0600, &err), GT_E_IO);
}

/* More than the pipe holds, and nobody empties it. */
static void gives_up_on_a_full_pipe(void **state)
{
    (void)state;
    static char much[256 * 1024];
    struct gt_error err;
    int ends[2], saved = dup(STDOUT_FILENO);
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    dup2(ends[1], STDOUT_FILENO);
    int rc = gt_write_out(NULL, much, sizeof much, 0, &err);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(rc, GT_E_IO);
}

static void gives_up_on_a_locked_file(void **state)
{
    (void)state;
    struct gt_error err;
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(gt_write_out(path, "one\n", 4, 0600, &err), GT_E_IO);
    close(fd);
    assert_int_equal(gt_write_out(path, "one\n", 4, 0600, &err), 0);
    assert_content("one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_with_mode),
        cmocka_unit_test(says_where_it_fails),
        cmocka_unit_test(takes_half_a_line_back),
        cmocka_unit_test(begins_a_line_after_half_a_one),
        cmocka_unit_test(does_not_wait_for_a_reader),
        cmocka_unit_test(gives_up_on_a_full_pipe),
        cmocka_unit_test(gives_up_on_a_locked_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
