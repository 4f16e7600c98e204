#include "workers/process.h"

#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static volatile sig_atomic_t stop_wanted, reload_wanted;

static void on_stop(int number)
{
    (void)number;
    stop_wanted = 1;
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
    } signals[] = {{SIGTERM, on_stop},
                   {SIGINT, on_stop},
                   {SIGHUP, on_reload},
                   {SIGCHLD, on_child},
                   {SIGPIPE, SIG_IGN}};
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

bool gt_reload_wanted(void)
{
    bool wanted = reload_wanted;
    reload_wanted = 0;
    return wanted;
}

void gt_harden(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void gt_die_with_parent(int parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it died between fork and prctl */
        raise(SIGTERM);
}
