#include "workers/writer.h"

#include <errno.h>
#include <fcntl.h>
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

/* A pager or a stopped terminal must not hold every other channel up. */
static int wait_writable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int n = poll(&poll_fd, 1, STUCK_MS);
    if (n == 0)
        errno = EAGAIN;
    return n > 0 ? 0 : -1;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = wait_writable(fd) ? -1 : write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Several notifiers may append to one file: the lock keeps their lines and take-backs apart. */
static int append(int fd, const char *path, const char *bytes, size_t len, struct gt_error *err)
{
    struct stat st;
    if (flock(fd, LOCK_EX) || fstat(fd, &st))
        return fail_write(err, path);
    bool regular = S_ISREG(st.st_mode); /* a pipe can be neither synced nor cut */
    if (write_all(fd, bytes, len) == 0 && (!regular || fsync(fd) == 0))
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
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, (mode_t)mode);
    if (fd < 0)
        return fail_write(err, path);
    int rc = append(fd, path, bytes, len, err);
    close(fd);
    return rc;
}
