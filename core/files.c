#include "core/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int code_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return GT_E_NOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return GT_E_REFUSED;
    case ENOSPC:
    case EDQUOT:
        return GT_E_FULL;
    default:
        return GT_E_IO;
    }
}

static int fail_errno(struct gt_error *err, const char *doing, const char *path)
{
    int number = errno;
    return gt_fail(err, code_of_errno(number), "cannot %s %s: %s", doing, path, strerror(number));
}

static int read_all(int fd, const char *path, struct gt_buffer *out, struct gt_error *err)
{
    char chunk[64 * 1024];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "read", path);
        int rc = gt_buffer_append(out, chunk, (size_t)n);
        if (rc == GT_E_LIMIT)
            return gt_fail(err, GT_E_LIMIT, "%s is larger than the limit of %zu bytes", path,
                           out->max);
        if (rc)
            return gt_fail(err, rc, "out of memory while reading %s", path);
    }
    return gt_buffer_append(out, "", 0);
}

int gt_file_read(const char *path, struct gt_buffer *out, struct gt_error *err)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", out, err);
    /* O_NONBLOCK: opening a pipe must not hang before fstat can tell that it is one. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fail_errno(err, "open", path);
    struct stat st;
    int rc;
    if (fstat(fd, &st))
        rc = fail_errno(err, "read", path);
    else if (!S_ISREG(st.st_mode))
        rc = gt_fail(err, GT_E_INVALID, "%s is not a regular file", path);
    else
        rc = read_all(fd, path, out, err);
    close(fd);
    return rc;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The new name must survive a power cut, too. */
static void sync_directory(const char *path)
{
    char directory[4096] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && (size_t)(slash - path) + 1 < sizeof directory) {
        size_t len = (size_t)(slash - path) + (slash == path);
        memcpy(directory, path, len);
        directory[len] = '\0';
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

int gt_file_write(const char *path, const void *bytes, size_t len, int mode, struct gt_error *err)
{
    char temporary[4096];
    int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return gt_fail(err, GT_E_LIMIT, "the path %.100s... is too long", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "write", path);
    int rc = 0;
    if (fchmod(fd, (mode_t)mode) || write_all(fd, bytes, len) || fsync(fd))
        rc = fail_errno(err, "write", path);
    if (close(fd) && rc == 0)
        rc = fail_errno(err, "write", path);
    if (rc == 0 && rename(temporary, path))
        rc = fail_errno(err, "write", path);
    if (rc)
        unlink(temporary);
    else
        sync_directory(path);
    return rc;
}

bool gt_file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

int gt_directory_make(const char *path, int mode, struct gt_error *err)
{
    char partial[4096];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof partial)
        return gt_fail(err, GT_E_LIMIT, "\"%.100s\" cannot be a directory's path", path);
    memcpy(partial, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        partial[i] = '\0';
        if (mkdir(partial, (mode_t)mode) && errno != EEXIST)
            return fail_errno(err, "make directory", partial);
        partial[i] = i < len ? '/' : '\0';
    }
    struct stat st;
    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return gt_fail(err, GT_E_IO, "%s is not a directory", path);
    return 0;
}
