#include "cli/scan_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gt_scan_worker {
    const struct gt_scan_settings *settings;
    struct gt_scan_pool *pool;
    struct gt_scratch *scratch;

    struct gt_scan_job *job;
    int fd;      /* -1: the job's own bytes */
    uint64_t at; /* in the document */
    bool failed; /* and it was said why */
    bool opened; /* a regular file, at its start */
};

int gt_scan_worker_new(const struct gt_scan_settings *settings, struct gt_scan_pool *pool,
                       struct gt_scan_worker **ret_worker, struct gt_error *err)
{
    struct gt_scan_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    worker->settings = settings;
    worker->pool = pool;
    int rc = gt_scratch_new(settings->ruleset, &worker->scratch, err);
    if (rc < 0) {
        gt_scan_worker_free(worker);
        return rc;
    }
    *ret_worker = worker;
    return 0;
}

void gt_scan_worker_free(struct gt_scan_worker *worker)
{
    if (!worker)
        return;
    gt_scratch_free(worker->scratch);
    free(worker);
}

static void complain(struct gt_scan_worker *worker, const char *what)
{
    gt_scan_job_complain(worker->job, what);
}

static int on_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    struct gt_scan_worker *worker = user;
    int rc = gt_scan_tell(worker->settings, worker->job, gt_match_window(worker->scratch), finding,
                          secret);
    gt_scan_pool_flush(worker->pool, worker->job);
    return rc;
}

/* ---- its bytes ---- */

static ssize_t read_bytes(struct gt_scan_worker *worker, char *to, size_t len)
{
    struct gt_scan_job *job = worker->job;
    ssize_t got;
    if (worker->fd < 0) {
        size_t left = job->body_len - (size_t)worker->at, most = left < len ? left : len;
        if (most > 0)
            memcpy(to, job->body + worker->at, most);
        return (ssize_t)most;
    }
    bool standard = strcmp(job->origin.path, "-") == 0;
    do
        got = standard ? gt_scan_read(worker->fd, to, len) : read(worker->fd, to, len);
    while (got < 0 && errno == EINTR);
    return got;
}

static int fail(struct gt_scan_worker *worker, int code, const char *what)
{
    complain(worker, what);
    worker->failed = true;
    return code;
}

static ssize_t on_read(void *user, void *to, size_t len)
{
    struct gt_scan_worker *worker = user;
    struct gt_scan_counts *counts = &worker->job->counts;
    uint64_t max = worker->settings->max_size;
    if (worker->at > 0 && gt_scan_stopped())
        return 0;
    ssize_t got = read_bytes(worker, to, len);
    if (got < 0)
        return fail(worker, GT_E_IO, strerror(errno));
    worker->at += (uint64_t)got;
    if (worker->at > counts->bytes) { /* an archive is read twice */
        gt_scan_progress_add(worker->settings->progress, 0, worker->at - counts->bytes, 0);
        counts->bytes = worker->at;
    }
    if (max > 0 && counts->bytes > max) /* standard input, or it grew meanwhile */
        return fail(worker, GT_E_LIMIT, "is longer than --max-size");
    return got;
}

static int64_t on_seek(void *user, int64_t offset, int whence)
{
    struct gt_scan_worker *worker = user;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)worker->at
                                        : (int64_t)worker->job->body_len;
    int64_t at = worker->fd >= 0 ? lseek(worker->fd, offset, whence) : base + offset;
    if (worker->fd < 0 && (at < 0 || at > (int64_t)worker->job->body_len))
        at = -1;
    if (at >= 0)
        worker->at = (uint64_t)at;
    return at;
}

static bool can_seek(const struct gt_scan_worker *worker)
{
    struct stat st;
    return worker->fd < 0 || worker->opened ||
           (fstat(worker->fd, &st) == 0 && S_ISREG(st.st_mode) &&
            lseek(worker->fd, 0, SEEK_CUR) == 0);
}

/* ---- judging ---- */

static void tell_limits(struct gt_scan_worker *worker, const struct gt_match_summary *summary)
{
    char what[256];
    if (summary->gave_up && !summary->cut_inside)
        complain(worker, "took too long or has too many findings; some may be missing");
    if (summary->gave_up && summary->cut_inside) {
        snprintf(what, sizeof what, "not all that is inside was looked at: %s",
                 summary->cut_inside);
        complain(worker, what);
    }
    worker->job->counts.encrypted += summary->encrypted;
    worker->job->counts.damaged += summary->cut_inside && !summary->gave_up;
    if (!summary->cut_rule)
        return;
    snprintf(what, sizeof what,
             "the pattern of rule %s backtracks too much here; what it "
             "would find may be missing",
             summary->cut_rule);
    complain(worker, what);
}

/* A path may hold a secret as well as a title may. */
static const char *title_of(const struct gt_scan_job *job)
{
    if (job->origin.title || job->line_number > 0)
        return job->origin.title;
    return strcmp(job->origin.path, "-") == 0 ? NULL : job->origin.path;
}

static void judge(struct gt_scan_worker *worker, int fd)
{
    struct gt_scan_job *job = worker->job;
    struct gt_document document = {
        .source = "scan",
        .key = job->origin.path,
        .title = title_of(job),
        .author = job->origin.author,
        .url = job->origin.url,
    };
    worker->fd = fd;
    worker->at = 0;
    worker->failed = false;
    struct gt_reader reader = {on_read, can_seek(worker) ? on_seek : NULL, worker};
    struct gt_match_summary summary = {0};
    struct gt_error err;
    int rc = gt_match_stream(worker->settings->ruleset, worker->scratch, &document, &reader,
                             gt_now(), on_finding, worker, &summary, &err);
    if (rc == GT_E_LIMIT && !(gt_buffer_ok(&job->out) && gt_buffer_ok(&job->accepted)))
        complain(worker, "has too many findings to keep; scan it alone");
    else if (rc < 0 && !worker->failed)
        complain(worker, err.message);
    tell_limits(worker, &summary);
    gt_scan_pool_flush(worker->pool, job);
}

/* It was a regular file when it was found; it may be something else by now. */
static int open_file(struct gt_scan_worker *worker, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return dup(STDIN_FILENO);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = ENOTSUP;
        return -1;
    }
    worker->opened = fd >= 0;
    return fd;
}

void gt_scan_file(struct gt_scan_worker *worker, struct gt_scan_job *job)
{
    worker->job = job;
    if (!job->origin.path) {
        complain(worker, "out of memory");
        return;
    }
    if (job->line_number > 0 && gt_scan_document_read(job) < 0)
        return;
    if (job->body || job->spooled) {
        job->counts.files = 1;
        judge(worker, job->body ? -1 : job->spool);
        if (job->only.items)
            job->counts.files = job->counts.bytes = 0;
        return;
    }
    int fd = open_file(worker, job->origin.path);
    if (fd < 0) {
        complain(worker, strerror(errno));
        return;
    }
    job->counts.files = 1;
    judge(worker, fd);
    worker->opened = false;
    close(fd);
}
