#include "cli/scan_parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 256
#define ON_THE_WAY 64 /* files taken in but not printed; a power of two */
#define OUT_MAX ((size_t)256 * 1024 * 1024)
#define ERRORS_MAX ((size_t)1024 * 1024)
#define FLUSH_FROM ((size_t)64 * 1024)

/* A ring: jobs [printed, pushed) are on the way, [taken, pushed) wait for a worker. */
struct gt_scan_pool {
    const struct gt_scan_settings *settings;
    pthread_mutex_t lock;
    pthread_cond_t room, work;
    struct gt_scan_job jobs[ON_THE_WAY];
    uint64_t pushed, taken, printed;
    bool closed;
    struct gt_scan_counts counts;
    pthread_t threads[THREADS_MAX];
    struct gt_scan_worker *workers[THREADS_MAX];
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

static void print_job(struct gt_scan_job *job)
{
    if (job->out.len > 0)
        fwrite(job->out.data, 1, job->out.len, stdout);
    if (job->errors.len > 0)
        fwrite(job->errors.data, 1, job->errors.len, stderr);
    gt_buffer_reset(&job->out);
    gt_buffer_reset(&job->errors);
}

/* With the lock held: everything that is done, from the first on. */
static void print_done(struct gt_scan_pool *pool)
{
    while (pool->printed < pool->taken && job_at(pool, pool->printed)->done) {
        struct gt_scan_job *job = job_at(pool, pool->printed);
        print_job(job);
        gt_scan_add_counts(&pool->counts, &job->counts);
        free(job->path);
        gt_buffer_free(&job->out);
        gt_buffer_free(&job->errors);
        *job = (struct gt_scan_job){0};
        pool->printed++;
        pthread_cond_signal(&pool->room);
    }
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
    print_done(pool);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *user)
{
    struct thread_start start = *(struct thread_start *)user;
    free(user);
    for (struct gt_scan_job *job; (job = take(start.pool));) {
        if (!job->done)
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
        print_job(job);
    pthread_mutex_unlock(&pool->lock);
}

static struct gt_scan_job *push(struct gt_scan_pool *pool, const char *path)
{
    char *copy = strdup(path);
    while (pool->pushed - pool->printed == ON_THE_WAY)
        pthread_cond_wait(&pool->room, &pool->lock);
    struct gt_scan_job *job = job_at(pool, pool->pushed++);
    *job = (struct gt_scan_job){
        .path = copy, .out = GT_BUFFER(OUT_MAX), .errors = GT_BUFFER(ERRORS_MAX)};
    pthread_cond_signal(&pool->work);
    return job;
}

void gt_scan_pool_push(struct gt_scan_pool *pool, const char *path)
{
    pthread_mutex_lock(&pool->lock);
    push(pool, path);
    pthread_mutex_unlock(&pool->lock);
}

void gt_scan_pool_complain(struct gt_scan_pool *pool, const char *path, const char *what)
{
    pthread_mutex_lock(&pool->lock);
    struct gt_scan_job *job = push(pool, path);
    gt_buffer_puts(&job->errors, "guette scan: ");
    gt_utf8_append_clean(&job->errors, path, strlen(path));
    gt_buffer_printf(&job->errors, ": %s\n", what);
    job->done = true; /* a worker only hands it on */
    pthread_mutex_unlock(&pool->lock);
}

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

int gt_scan_pool_new(const struct gt_scan_settings *settings, unsigned threads,
                     struct gt_scan_pool **ret_pool, struct gt_error *err)
{
    struct gt_scan_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    pool->settings = settings;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->room, NULL);
    pthread_cond_init(&pool->work, NULL);
    int rc = 0;
    for (unsigned i = 0; i < threads && i < THREADS_MAX && rc >= 0; i++)
        rc = start_thread(pool, i, err);
    if (rc < 0 && pool->thread_count == 0) {
        struct gt_scan_counts none = {0};
        gt_scan_pool_finish(pool, &none);
        return rc;
    }
    *ret_pool = pool; /* fewer threads than asked for do the same */
    return 0;
}

void gt_scan_pool_finish(struct gt_scan_pool *pool, struct gt_scan_counts *counts)
{
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
        gt_scan_worker_free(pool->workers[i]);
    }
    const uint64_t with = pool->counts.files_with;
    gt_scan_add_counts(counts, &pool->counts);
    counts->files_with = with;
    pthread_cond_destroy(&pool->room);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
