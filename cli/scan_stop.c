/* Ctrl-C: the first ends the scan in good order, with a report of what was found; the second ends
 * the program, and leaves no half of a report behind. */
#include "cli/scan_parts.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define POLL_MS 100
#define TEMPORARIES 4

static volatile sig_atomic_t signal_number;
static atomic_bool unread; /* whoever read the report went away */
static const char *_Atomic temporaries[TEMPORARIES];

static void on_signal(int number)
{
    if (signal_number) {
        for (size_t i = 0; i < TEMPORARIES; i++)
            if (temporaries[i])
                unlink(temporaries[i]);
        _exit(128 + number);
    }
    signal_number = number;
}

void gt_scan_stop_listen(void)
{
    struct sigaction stop = {.sa_handler = on_signal}, quiet = {.sa_handler = SIG_IGN}, old;
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    signal_number = 0;
    unread = false;
    sigaction(SIGPIPE, &quiet, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) /* nohup stays nohup */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &stop, NULL);
}

bool gt_scan_stopped(void)
{
    return signal_number || unread;
}

int gt_scan_signal(void)
{
    return signal_number;
}

void gt_scan_stop_unread(void)
{
    unread = true;
}

void gt_scan_temporary(const char *path, bool there)
{
    for (size_t i = 0; i < TEMPORARIES; i++) {
        const char *known = temporaries[i];
        if (there ? !known : known && strcmp(known, path) == 0) {
            temporaries[i] = there ? path : NULL;
            return;
        }
    }
}

ssize_t gt_scan_read(int fd, char *to, size_t len)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, POLL_MS);
        if (gt_scan_stopped())
            return 0;
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        ssize_t got = read(fd, to, len);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
    }
}
