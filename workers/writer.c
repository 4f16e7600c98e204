#include "workers/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STUCK_MS 5000

static int fail_write(struct gt_error *err, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? GT_E_FULL : GT_E_IO;
    return gt_fail(err, code, "cannot write to %s: %s", path, strerror(errno));
}

static int wait_writable(int fd, int64_t deadline)
{
    int64_t left = deadline - gt_monotonic();
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int n = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;
    if (n == 0)
        errno = EAGAIN;
    return n > 0 ? 0 : -1;
}

/* A pager, a stopped terminal or a pipe that nobody empties must not hold every other channel up.
 * What poll calls writable takes PIPE_BUF bytes without blocking (pipe(7)). */
static int write_all(int fd, const char *bytes, size_t len)
{
    int64_t deadline = gt_monotonic() + STUCK_MS;
    while (len) {
        int waited = wait_writable(fd, deadline);
        ssize_t n = waited ? -1 : write(fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && !waited)))
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Several notifiers may append to one file: the lock keeps their lines and take-backs apart. Who
 * holds it for long is no notifier. */
static int lock(int fd)
{
    int64_t deadline = gt_monotonic() + STUCK_MS;
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || gt_monotonic() >= deadline)
            return -1;
        gt_sleep(10);
    }
    return 0;
}

/* Whether a writer was killed in the middle of its line: the next one must not go on with it. */
static bool ends_in_half_a_line(const char *path, const struct stat *written)
{
    struct stat st;
    char last = '\n';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool same = fstat(fd, &st) == 0 && st.st_dev == written->st_dev && st.st_ino == written->st_ino;
    bool half = same && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
    close(fd);
    return half;
}

static int append(int fd, const char *path, const char *bytes, size_t len, struct gt_error *err)
{
    struct stat st;
    if (lock(fd) || fstat(fd, &st))
        return fail_write(err, path);
    bool regular = S_ISREG(st.st_mode); /* a pipe can be neither synced nor cut */
    bool half = regular && ends_in_half_a_line(path, &st);
    if ((!half || write_all(fd, "\n", 1) == 0) && write_all(fd, bytes, len) == 0 &&
        (!regular || fsync(fd) == 0))
        return 0;
    int rc = fail_write(err, path);
    if (regular && ftruncate(fd, st.st_size))
        return gt_fail(err, rc, "cannot write to %s, and a half-written line stays in it", path);
    return rc;
}

int gt_write_out(const char *path, const char *bytes, size_t len, int mode, struct gt_error *err)
{
    if (!path)
        return write_all(STDOUT_FILENO, bytes, len) ? fail_write(err, "standard output") : 0;
    /* O_NONBLOCK: a named pipe without a reader is an error (ENXIO), not a wait. */
    int fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, (mode_t)mode);
    if (fd < 0)
        return fail_write(err, path);
    int rc = append(fd, path, bytes, len, err);
    close(fd);
    return rc;
}
