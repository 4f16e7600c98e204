#include "cli/scan_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEN_SLOTS ((size_t)1 << 16) /* findings of one long file remembered, to tell each once */

struct gt_scan_worker {
    const struct gt_scan_settings *settings;
    struct gt_scan_pool *pool;
    struct gt_scratch *scratch;
    char *window;             /* GT_SCAN_WINDOW bytes */
    char (*seen)[GT_ID_TEXT]; /* SEEN_SLOTS; NULL until a file needs a second window */
    size_t seen_count;

    struct gt_scan_job *job;
    size_t len;              /* of what is in the window */
    size_t own_from, own_to; /* findings that start here in the window are told */
    unsigned line;           /* of the window's first byte, from 0 */
    size_t column;           /* bytes before it on its line */
    bool several;            /* the file has several windows */
};

int gt_scan_worker_new(const struct gt_scan_settings *settings, struct gt_scan_pool *pool,
                       struct gt_scan_worker **ret_worker, struct gt_error *err)
{
    struct gt_scan_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    worker->settings = settings;
    worker->pool = pool;
    worker->window = malloc(GT_SCAN_WINDOW);
    int rc = worker->window ? gt_scratch_new(settings->ruleset, &worker->scratch, err)
                            : gt_fail(err, GT_E_NOMEM, "out of memory");
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
    free(worker->window);
    free(worker->seen);
    free(worker);
}

static void complain(struct gt_scan_worker *worker, const char *what)
{
    gt_scan_job_complain(worker->job, what);
}

/* True the first time. When the set is full, a finding may be told again: memory stays flat. */
static bool is_new(struct gt_scan_worker *worker, const char *id)
{
    if (!worker->several)
        return true;
    if (!worker->seen)
        worker->seen = calloc(SEEN_SLOTS, sizeof *worker->seen);
    if (!worker->seen)
        return true;
    size_t slot = strtoul((char[5]){id[0], id[1], id[2], id[3], 0}, NULL, 16) % SEEN_SLOTS;
    for (; worker->seen[slot][0]; slot = (slot + 1) % SEEN_SLOTS)
        if (strcmp(worker->seen[slot], id) == 0)
            return false;
    if (worker->seen_count < SEEN_SLOTS / 4 * 3) {
        memcpy(worker->seen[slot], id, GT_ID_TEXT);
        worker->seen_count++;
    }
    return true;
}

/* A brand's trace has no secret to tell its place by, and a secret of a document whose title holds
 * one, too, stands in a copy: their ids, the same in every window, keep them single. */
static bool is_own(const struct gt_scan_worker *worker, struct gt_str secret)
{
    if (secret.ptr < worker->window || secret.ptr >= worker->window + worker->len)
        return true;
    size_t place = (size_t)(secret.ptr - worker->window);
    return place >= worker->own_from && place < worker->own_to;
}

static int on_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    struct gt_scan_worker *worker = user;
    if (!is_own(worker, secret) || !is_new(worker, finding->id))
        return 0;
    struct gt_finding placed = *finding;
    placed.column += finding->line == 1 ? (unsigned)worker->column : 0;
    placed.line += worker->line;
    struct gt_str around = {worker->window, worker->len};
    return gt_scan_tell(worker->settings, worker->job, around, &placed, secret);
}

/* A path may hold a secret as well as a title may. */
static const char *title_of(const struct gt_scan_job *job)
{
    if (job->origin.title || job->line_number > 0)
        return job->origin.title;
    return strcmp(job->origin.path, "-") == 0 ? NULL : job->origin.path;
}

static void judge(struct gt_scan_worker *worker, size_t len)
{
    struct gt_scan_job *job = worker->job;
    worker->len = len;
    struct gt_document document = {
        .source = "scan",
        .key = job->origin.path,
        .title = title_of(job),
        .author = job->origin.author,
        .url = job->origin.url,
        .body = worker->window,
        .body_len = len,
    };
    struct gt_match_summary summary = {0};
    struct gt_error err;
    int rc = gt_match(worker->settings->ruleset, worker->scratch, &document, gt_now(), on_finding,
                      worker, &summary, &err);
    if (rc == GT_E_LIMIT && !gt_buffer_ok(&job->out))
        complain(worker, "has too many findings to keep; scan it alone");
    else if (rc < 0)
        complain(worker, err.message);
    if (summary.gave_up)
        complain(worker, "took too long or has too many findings; some may be missing");
    if (summary.cut_rule) {
        char what[256];
        snprintf(what, sizeof what,
                 "the pattern of rule %s backtracks too much here; what it "
                 "would find may be missing",
                 summary.cut_rule);
        complain(worker, what);
    }
    gt_scan_pool_flush(worker->pool, job);
}

/* fd -1: of the job's own bytes. */
static ssize_t fill(struct gt_scan_worker *worker, int fd, char *to, size_t len)
{
    size_t have = 0;
    if (fd < 0) {
        size_t left = worker->job->body_len - (size_t)worker->job->counts.bytes;
        have = left < len ? left : len;
        memcpy(to, worker->job->body + worker->job->counts.bytes, have);
        return (ssize_t)have;
    }
    bool standard = strcmp(worker->job->origin.path, "-") == 0;
    while (have < len) {
        ssize_t got =
            standard ? gt_scan_read(fd, to + have, len - have) : read(fd, to + have, len - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* Moves the window's end to its start; counts the lines that leave it. */
static size_t slide(struct gt_scan_worker *worker, size_t len)
{
    size_t keep = GT_SCAN_TAIL + GT_SCAN_LEAD, gone = len - keep;
    const char *at = worker->window, *end = at + gone, *line;
    worker->column += gone;
    while ((line = memchr(at, '\n', (size_t)(end - at)))) {
        worker->line++;
        at = line + 1;
        worker->column = (size_t)(end - at);
    }
    memmove(worker->window, worker->window + gone, keep);
    worker->own_from = GT_SCAN_LEAD;
    worker->several = true;
    return keep;
}

static void forget(struct gt_scan_worker *worker, struct gt_scan_job *job)
{
    if (worker->seen && worker->seen_count > 0)
        memset(worker->seen, 0, SEEN_SLOTS * sizeof *worker->seen);
    worker->seen_count = 0;
    worker->job = job;
    worker->own_from = 0;
    worker->line = 0;
    worker->column = 0;
    worker->several = false;
}

static void judge_all(struct gt_scan_worker *worker, int fd)
{
    size_t have = 0;
    uint64_t max = worker->settings->max_size;
    for (;;) {
        ssize_t got = fill(worker, fd, worker->window + have, GT_SCAN_WINDOW - have);
        if (got < 0) {
            complain(worker, strerror(errno));
            return;
        }
        worker->job->counts.bytes += (uint64_t)got;
        gt_scan_progress_add(worker->settings->progress, 0, (uint64_t)got, 0);
        if (max > 0 && worker->job->counts.bytes > max) { /* standard input, or it grew meanwhile */
            complain(worker, "is longer than --max-size");
            return;
        }
        have += (size_t)got;
        bool more = have == GT_SCAN_WINDOW;
        worker->own_to = more ? have - GT_SCAN_TAIL : have;
        judge(worker, have);
        if (!more || gt_scan_stopped())
            return;
        have = slide(worker, have);
    }
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
    return fd;
}

void gt_scan_file(struct gt_scan_worker *worker, struct gt_scan_job *job)
{
    forget(worker, job);
    if (!job->origin.path) {
        complain(worker, "out of memory");
        return;
    }
    if (job->line_number > 0 && gt_scan_document_read(job) < 0)
        return;
    if (job->body) {
        job->counts.files = 1;
        judge_all(worker, -1);
        return;
    }
    int fd = open_file(worker, job->origin.path);
    if (fd < 0) {
        complain(worker, strerror(errno));
        return;
    }
    job->counts.files = 1;
    judge_all(worker, fd);
    close(fd);
}
