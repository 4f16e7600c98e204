#include "workers/process.h"

#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static volatile sig_atomic_t stop_wanted, reload_wanted, stop_seconds;

static void on_stop(int number)
{
    (void)number;
    if (!stop_wanted && stop_seconds)
        alarm((unsigned)stop_seconds);
    stop_wanted = 1;
}

static void on_time_up(int number)
{
    (void)number;
    _exit(0);
}

static void on_reload(int number)
{
    (void)number;
    reload_wanted = 1;
}

static void on_child(int number)
{
    (void)number; /* only there to end a sleep */
}

void gt_signals_start(void)
{
    static const struct {
        int number;
        void (*handler)(int);
    } signals[] = {{SIGTERM, on_stop},  {SIGINT, on_stop},     {SIGHUP, on_reload},
                   {SIGCHLD, on_child}, {SIGALRM, on_time_up}, {SIGPIPE, SIG_IGN}};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_handler = signals[i].handler}; /* no SA_RESTART */
        sigemptyset(&action.sa_mask);
        sigaction(signals[i].number, &action, NULL);
    }
}

bool gt_stop_wanted(void)
{
    return stop_wanted;
}

void gt_stop_within(int64_t ms)
{
    stop_seconds = (sig_atomic_t)(ms / 1000 + 1);
}

bool gt_reload_wanted(void)
{
    if (!reload_wanted)
        return false;
    reload_wanted = 0; /* before the work: a signal during it counts again */
    return true;
}

void gt_harden(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int gt_fork(void)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid != 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    return (int)pid;
}

void gt_child_start(int parent)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM};
    sigset_t none;
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        signal(handled[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it died between fork and prctl */
        raise(SIGTERM);
}
