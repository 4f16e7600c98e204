/* Where the report goes: standard output, or a file that is whole or not there. */
#include "cli/scan_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_MAX ((size_t)512 * 1024 * 1024) /* a page's findings, kept until its end */
#define EDGE_MAX ((size_t)16 * 1024 * 1024)  /* begin and end */

/* A device or pipe is written to as it is; a link is followed, so that it stays a link. */
static int open_target(struct gt_scan_report *report, const char *path, struct gt_error *err)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return gt_fail(err, GT_E_INVALID, "--output: %s is a folder; name a file", path);
    if (there && !S_ISREG(st.st_mode)) {
        report->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return report->fd < 0 ? gt_fail(err, GT_E_IO, "cannot write %s: %s", path, strerror(errno))
                              : 0;
    }
    report->target = there ? realpath(path, NULL) : strdup(path);
    if (!report->target || asprintf(&report->temporary, "%s.XXXXXX", report->target) < 0) {
        report->temporary = NULL;
        return gt_fail(err, GT_E_IO, "cannot write %s: %s", path, strerror(errno));
    }
    report->fd = mkostemp(report->temporary, O_CLOEXEC); /* mode 0600 */
    if (report->fd >= 0) {
        gt_scan_temporary(report->temporary, true);
        if (fstat(report->fd, &report->files[0]) < 0)
            report->files[0] = (struct stat){0};
        report->files[1] = there ? st : (struct stat){0};
        return 0;
    }
    int number = errno;
    free(report->temporary);
    report->temporary = NULL;
    return gt_fail(err, GT_E_IO, "cannot write %s: %s", path, strerror(number));
}

static int fail_write(struct gt_scan_report *report, int number)
{
    const char *name = report->path ? report->path : "standard output";
    report->closed = true;
    gt_scan_stop_unread();
    if (number == EPIPE) /* `| head`: the reader has what it wants */
        return 0;
    if (!report->err.code)
        gt_fail(&report->err, number == ENOSPC || number == EDQUOT ? GT_E_FULL : GT_E_IO,
                "cannot write %s: %s", name, strerror(number));
    return -1;
}

static void write_all(struct gt_scan_report *report, const char *bytes, size_t len)
{
    while (len > 0 && !report->closed) {
        ssize_t n = write(report->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fail_write(report, errno);
            return;
        }
        bytes += n;
        len -= (size_t)n;
    }
}

static void write_part(struct gt_scan_report *report,
                       void (*part)(const struct gt_scan_report *, struct gt_buffer *))
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(EDGE_MAX + report->body.len);
    if (!part)
        return;
    part(report, &out);
    if (!gt_buffer_ok(&out))
        gt_fail(&report->err, GT_E_NOMEM, "out of memory for the report");
    write_all(report, out.data, out.len);
}

int gt_scan_report_open(const struct gt_scan_settings *settings, const char *path,
                        struct gt_scan_report *ret_report, struct gt_error *err)
{
    struct gt_scan_report report = {.settings = settings,
                                    .path = path,
                                    .fd = STDOUT_FILENO,
                                    .started_ms = gt_now(),
                                    .body = GT_BUFFER(PAGE_MAX)};
    fflush(stdout);
    int rc = path ? open_target(&report, path, err) : 0;
    if (rc < 0) {
        free(report.target);
        return rc;
    }
    if (!settings->format->page)
        write_part(&report, settings->format->begin);
    *ret_report = report;
    return 0;
}

void gt_scan_report_write(struct gt_scan_report *report, const char *bytes, size_t len)
{
    const struct gt_scan_format *format = report->settings->format;
    size_t skip = !report->any && format->separator ? strlen(format->separator) : 0;
    if (len <= skip)
        return;
    report->any = true;
    if (!format->page)
        write_all(report, bytes + skip, len - skip);
    else if (gt_buffer_append(&report->body, bytes + skip, len - skip) < 0 && !report->err.code)
        gt_fail(&report->err, GT_E_LIMIT,
                "there are too many findings for one page; use --format jsonl");
}

static void forget_temporary(struct gt_scan_report *report)
{
    if (report->temporary)
        gt_scan_temporary(report->temporary, false);
    free(report->temporary);
    report->temporary = NULL;
}

static void put_in_place(struct gt_scan_report *report)
{
    if (fsync(report->fd) < 0 || close(report->fd) < 0)
        fail_write(report, errno);
    report->fd = -1;
    if (!report->err.code && rename(report->temporary, report->target) < 0)
        fail_write(report, errno);
    if (report->err.code)
        return;
    forget_temporary(report);
}

int gt_scan_report_finish(struct gt_scan_report *report, struct gt_error *err)
{
    report->ended_ms = gt_now();
    if (report->settings->format->page)
        write_part(report, report->settings->format->begin);
    write_part(report, report->settings->format->end);
    if (report->temporary && !report->err.code)
        put_in_place(report);
    return report->err.code ? gt_fail(err, report->err.code, "%s", report->err.message) : 0;
}

void gt_scan_report_free(struct gt_scan_report *report)
{
    if (report->temporary)
        unlink(report->temporary);
    if (report->path && report->fd >= 0)
        close(report->fd);
    forget_temporary(report);
    free(report->target);
    gt_buffer_free(&report->body);
    gt_scan_tally_free(&report->tally);
}

bool gt_scan_report_is(const struct gt_scan_report *report, const struct stat *st)
{
    for (size_t i = 0; report && report->target && i < 2; i++)
        if (report->files[i].st_mode && report->files[i].st_dev == st->st_dev &&
            report->files[i].st_ino == st->st_ino)
            return true;
    return false;
}
