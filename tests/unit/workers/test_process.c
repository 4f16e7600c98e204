/* Signals: none is lost, and a stop ends the process whatever it waits for. */
#include "workers/process.h"

#include "core/core.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int wait_for(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void reload_is_told_once_a_signal(void **state)
{
    (void)state;
    gt_signals_start();
    assert_false(gt_reload_wanted());
    raise(SIGHUP);
    assert_true(gt_reload_wanted());
    assert_false(gt_reload_wanted());
}

/* As in a queue that hangs: the signal is seen, but its time never comes. */
static void stop_ends_a_process_that_is_stuck(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        gt_signals_start();
        gt_stop_within(0);
        raise(SIGTERM);
        for (;;)
            pause();
    }
    int status = wait_for(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A stop that comes between fork and exec ends the child; the parent's handler would only note it
 * in memory that exec throws away. */
static void stop_before_exec_is_not_swallowed(void **state)
{
    (void)state;
    gt_signals_start();
    int parent = (int)getpid();
    pid_t pid = gt_fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        raise(SIGTERM);
        gt_child_start(parent);
        _exit(7);
    }
    int status = wait_for(pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void child_of_a_dead_parent_ends(void **state)
{
    (void)state;
    gt_signals_start();
    pid_t pid = gt_fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        gt_child_start((int)getppid() + 1); /* as if it had been another */
        _exit(7);
    }
    int status = wait_for(pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reload_is_told_once_a_signal),
        cmocka_unit_test(stop_ends_a_process_that_is_stuck),
        cmocka_unit_test(stop_before_exec_is_not_swallowed),
        cmocka_unit_test(child_of_a_dead_parent_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
