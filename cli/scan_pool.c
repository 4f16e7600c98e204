#include "cli/scan_parts.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ON_THE_WAY 256                      /* files taken in but not printed; a power of two */
#define ROOM_FROM (ON_THE_WAY / 2)          /* who hands out is woken for so many at once */
#define HELD_MAX ((size_t)64 * 1024 * 1024) /* of bodies; one may be longer */
#define OUT_MAX ((size_t)256 * 1024 * 1024)
#define ERRORS_MAX ((size_t)1024 * 1024)
#define FLUSH_FROM ((size_t)64 * 1024)

/* A ring: jobs [printed, pushed) are on the way, [taken, pushed) wait for a worker. */
struct gt_scan_pool {
    const struct gt_scan_settings *settings;
    struct gt_scan_report *report;
    pthread_mutex_t lock;
    pthread_cond_t room, work;
    struct gt_scan_job jobs[ON_THE_WAY];
    uint64_t pushed, taken, printed;
    size_t held; /* bytes of bodies on the way */
    bool closed;
    pthread_t threads[GT_SCAN_THREADS_MAX];
    struct gt_scan_worker *workers[GT_SCAN_THREADS_MAX];
    unsigned thread_count;
};

struct thread_start {
    struct gt_scan_pool *pool;
    unsigned number;
};

static struct gt_scan_job *job_at(struct gt_scan_pool *pool, uint64_t number)
{
    return &pool->jobs[number % ON_THE_WAY];
}

static void print_job(struct gt_scan_pool *pool, struct gt_scan_job *job)
{
    struct gt_scan_report *accepted = pool->settings->new_baseline;
    if (job->out.len + job->accepted.len + job->errors.len == 0)
        return;
    gt_scan_progress_pause(pool->settings->progress);
    gt_scan_report_write(pool->report, job->out.data, job->out.len);
    if (accepted)
        gt_scan_report_write(accepted, job->accepted.data, job->accepted.len);
    if (job->errors.len > 0)
        fwrite(job->errors.data, 1, job->errors.len, stderr);
    gt_scan_progress_resume(pool->settings->progress);
    gt_buffer_reset(&job->out);
    gt_buffer_reset(&job->accepted);
    gt_buffer_reset(&job->errors);
}

static void free_job(struct gt_scan_job *job)
{
    free(job->texts);
    free(job->body);
    if (job->spooled)
        close(job->spool);
    gt_buffer_free(&job->out);
    gt_buffer_free(&job->accepted);
    gt_buffer_free(&job->errors);
    gt_scan_tally_free(&job->tally);
    *job = (struct gt_scan_job){0};
}

/* With the lock held: everything that is done, from the first on. */
static void print_done(struct gt_scan_pool *pool)
{
    while (pool->printed < pool->taken && job_at(pool, pool->printed)->done) {
        struct gt_scan_job *job = job_at(pool, pool->printed);
        print_job(pool, job);
        gt_scan_add_counts(&pool->report->counts, &job->counts);
        gt_scan_tally_merge(&pool->report->tally, &job->tally);
        pool->held -= job->held;
        free_job(job);
        pool->printed++;
    }
    if (pool->held > 0 || pool->pushed - pool->printed <= ON_THE_WAY - ROOM_FROM)
        pthread_cond_signal(&pool->room);
}

static struct gt_scan_job *take(struct gt_scan_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->taken == pool->pushed && !pool->closed)
        pthread_cond_wait(&pool->work, &pool->lock);
    struct gt_scan_job *job = pool->taken < pool->pushed ? job_at(pool, pool->taken++) : NULL;
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void finish_job(struct gt_scan_pool *pool, struct gt_scan_job *job)
{
    pthread_mutex_lock(&pool->lock);
    job->done = true;
    gt_scan_progress_add(pool->settings->progress, job->counts.files, 0, 0);
    print_done(pool);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *user)
{
    struct thread_start start = *(struct thread_start *)user;
    free(user);
    for (struct gt_scan_job *job; (job = take(start.pool));) {
        if (!job->done && !gt_scan_stopped())
            gt_scan_file(start.pool->workers[start.number], job);
        finish_job(start.pool, job);
    }
    return NULL;
}

void gt_scan_pool_flush(struct gt_scan_pool *pool, struct gt_scan_job *job)
{
    if (job->out.len < FLUSH_FROM)
        return;
    pthread_mutex_lock(&pool->lock);
    if (job == job_at(pool, pool->printed))
        print_job(pool, job);
    pthread_mutex_unlock(&pool->lock);
}

/* ---- taking in ---- */

/* All texts of an origin lie in one block. */
static const size_t texts[] = {
    offsetof(struct gt_scan_origin, path),    offsetof(struct gt_scan_origin, source),
    offsetof(struct gt_scan_origin, url),     offsetof(struct gt_scan_origin, title),
    offsetof(struct gt_scan_origin, commit),  offsetof(struct gt_scan_origin, author),
    offsetof(struct gt_scan_origin, email),   offsetof(struct gt_scan_origin, date),
    offsetof(struct gt_scan_origin, subject),
};
#define TEXTS (sizeof texts / sizeof *texts)

static const char **text_of(struct gt_scan_origin *origin, size_t index)
{
    return (const char **)(void *)((char *)origin + texts[index]);
}

void gt_scan_job_set_origin(struct gt_scan_job *job, const struct gt_scan_origin *origin)
{
    struct gt_scan_origin copy = *origin;
    size_t size = 0;
    for (size_t i = 0; i < TEXTS; i++)
        size += *text_of(&copy, i) ? strlen(*text_of(&copy, i)) + 1 : 0;
    char *to = job->texts = malloc(size + 1);
    job->origin = (struct gt_scan_origin){0};
    if (!to)
        return;
    for (size_t i = 0; i < TEXTS; i++) {
        const char **text = text_of(&copy, i);
        if (!*text)
            continue;
        size_t len = strlen(*text) + 1;
        *text = memcpy(to, *text, len);
        to += len;
    }
    job->origin = copy;
}

static struct gt_scan_job *push(struct gt_scan_pool *pool, const struct gt_scan_origin *origin,
                                size_t len)
{
    while (pool->pushed - pool->printed == ON_THE_WAY ||
           (pool->pushed > pool->printed && pool->held + len > HELD_MAX))
        pthread_cond_wait(&pool->room, &pool->lock);
    struct gt_scan_job *job = job_at(pool, pool->pushed++);
    *job = (struct gt_scan_job){.out = GT_BUFFER(OUT_MAX),
                                .accepted = GT_BUFFER(OUT_MAX),
                                .errors = GT_BUFFER(ERRORS_MAX),
                                .held = len};
    gt_scan_job_set_origin(job, origin);
    pool->held += len;
    pthread_cond_signal(&pool->work);
    return job;
}

void gt_scan_pool_push(struct gt_scan_pool *pool, const struct gt_scan_origin *origin,
                       char *take_body, size_t len)
{
    pthread_mutex_lock(&pool->lock);
    struct gt_scan_job *job = push(pool, origin, len);
    job->body = take_body;
    job->body_len = len;
    pthread_mutex_unlock(&pool->lock);
}

void gt_scan_pool_push_line(struct gt_scan_pool *pool, const char *path, uint64_t number,
                            char *take_line, size_t len)
{
    struct gt_scan_origin origin = {.path = path};
    pthread_mutex_lock(&pool->lock);
    struct gt_scan_job *job = push(pool, &origin, len);
    job->body = take_line;
    job->body_len = len;
    job->line_number = number;
    pthread_mutex_unlock(&pool->lock);
}

void gt_scan_pool_push_again(struct gt_scan_pool *pool, const struct gt_scan_origin *origin,
                             char *take_body, size_t len, int take_spool, struct gt_scan_keys only)
{
    pthread_mutex_lock(&pool->lock);
    struct gt_scan_job *job = push(pool, origin, len);
    job->body = take_body;
    job->body_len = len;
    job->spooled = !take_body;
    job->spool = take_spool;
    job->only = only;
    pthread_mutex_unlock(&pool->lock);
}

void gt_scan_pool_drain(struct gt_scan_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->pushed > pool->printed)
        pthread_cond_wait(&pool->room, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void gt_scan_pool_complain(struct gt_scan_pool *pool, const char *path, const char *what)
{
    struct gt_scan_origin origin = {.path = path};
    pthread_mutex_lock(&pool->lock);
    struct gt_scan_job *job = push(pool, &origin, 0);
    gt_scan_job_complain(job, what);
    job->counts.failed = 0; /* its caller counts it */
    job->done = true;       /* a worker only hands it on */
    pthread_mutex_unlock(&pool->lock);
}

/* ---- threads ---- */

static int start_thread(struct gt_scan_pool *pool, unsigned number, struct gt_error *err)
{
    struct thread_start *start = malloc(sizeof *start);
    int rc = gt_scan_worker_new(pool->settings, pool, &pool->workers[number], err);
    if (rc < 0 || !start) {
        free(start);
        return rc < 0 ? rc : gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    *start = (struct thread_start){pool, number};
    if (pthread_create(&pool->threads[number], NULL, work, start) != 0) {
        gt_scan_worker_free(pool->workers[number]);
        free(start);
        return gt_fail(err, GT_E_NOMEM, "cannot start a thread");
    }
    pool->thread_count++;
    return 0;
}

int gt_scan_pool_new(const struct gt_scan_settings *settings, struct gt_scan_report *report,
                     unsigned threads, struct gt_scan_pool **ret_pool, struct gt_error *err)
{
    struct gt_scan_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    pool->settings = settings;
    pool->report = report;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->room, NULL);
    pthread_cond_init(&pool->work, NULL);
    int rc = 0;
    for (unsigned i = 0; i < threads && i < GT_SCAN_THREADS_MAX && rc >= 0; i++)
        rc = start_thread(pool, i, err);
    if (rc < 0 && pool->thread_count == 0) {
        struct gt_scan_counts none = {0};
        gt_scan_pool_finish(pool, &none);
        return rc;
    }
    *ret_pool = pool; /* fewer threads than asked for do the same */
    return 0;
}

void gt_scan_pool_finish(struct gt_scan_pool *pool, const struct gt_scan_counts *counts)
{
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
        gt_scan_worker_free(pool->workers[i]);
    }
    const uint64_t with = pool->report->counts.files_with;
    gt_scan_add_counts(&pool->report->counts, counts);
    pool->report->counts.files_with = with;
    pthread_cond_destroy(&pool->room);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
