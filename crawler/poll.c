#include "crawler/poll.h"

#include <stdlib.h>
#include <string.h>

#define HOLD_BASE (1 * GT_SECOND)
#define HOLD_CAP (30 * GT_SECOND)
#define TAG_MAX 4096
#define TITLE_MAX 4096
#define JOB_MAX ((size_t)128 * 1024) /* URL, headers and body of one request */

struct gt_job {
    struct gt_job *next;
    struct gt_tracked *tracked;
    struct gt_arena *arena; /* owns the job's request and tag */
    struct gt_http_request request;
    const char *tag;
};

static void free_job(struct gt_job *job)
{
    gt_arena_free(job->arena);
    free(job);
}

static void free_jobs(struct gt_job *job)
{
    while (job) {
        struct gt_job *next = job->next;
        free_job(job);
        job = next;
    }
}

static int copy_headers(struct gt_arena *arena, struct gt_http_request *request)
{
    struct gt_header *headers = gt_arena_array(arena, request->header_count + 1, sizeof *headers);
    if (!headers)
        return GT_E_LIMIT;
    for (size_t i = 0; i < request->header_count; i++) {
        headers[i].name = gt_arena_strdup(arena, request->headers[i].name);
        headers[i].value = gt_arena_strdup(arena, request->headers[i].value);
        if (!headers[i].name || !headers[i].value)
            return GT_E_LIMIT;
    }
    request->headers = headers;
    return 0;
}

static int copy_request(struct gt_job *job, const struct gt_http_request *from, const char *tag)
{
    struct gt_http_request *request = &job->request;
    struct gt_arena *arena = job->arena;

    *request = *from;
    request->url = gt_arena_strdup(arena, from->url);
    request->method = from->method ? gt_arena_strdup(arena, from->method) : NULL;
    request->body = from->body ? gt_arena_memdup(arena, from->body, from->body_len) : NULL;
    job->tag = gt_arena_strdup(arena, tag ? tag : "");
    if (!request->url || !job->tag || (from->method && !request->method) ||
        (from->body && !request->body))
        return GT_E_LIMIT;
    return copy_headers(arena, request);
}

/* What the configuration says of the source goes for every request of it. */
static void apply_limits(const struct gt_source_config *config, struct gt_http_request *request)
{
    request->allow_private = request->allow_private && config->allow_private;
    request->proxy = config->proxy;
    request->timeout_ms = config->timeout_ms;
    if (config->max_size && (!request->max_bytes || request->max_bytes > config->max_size))
        request->max_bytes = config->max_size;
}

static int take_request(void *user, const struct gt_http_request *request, const char *tag,
                        struct gt_error *err)
{
    struct gt_tracked *tracked = user;

    if (tracked->requests >= GT_POLL_REQUESTS)
        return gt_fail(err, GT_E_LIMIT, "more than %d requests in one poll", GT_POLL_REQUESTS);
    if (tag && strlen(tag) > TAG_MAX)
        return gt_fail(err, GT_E_LIMIT, "a request's tag is longer than %d bytes", TAG_MAX);
    struct gt_job *job = calloc(1, sizeof *job);
    if (job)
        job->arena = gt_arena_new(JOB_MAX);
    if (!job || !job->arena || copy_request(job, request, tag) < 0) {
        if (job)
            free_job(job);
        return gt_fail(err, GT_E_LIMIT, "a request is longer than %zu bytes, or memory is out",
                       JOB_MAX);
    }
    apply_limits(tracked->config, &job->request);
    job->tracked = tracked;
    *tracked->waiting_end = job;
    tracked->waiting_end = &job->next;
    tracked->requests++;
    return 0;
}

static size_t body_limit(const struct gt_config *config)
{
    uint64_t limit = config->limits.document_bytes;
    return limit && limit < GT_DOCUMENT_BODY_MAX ? (size_t)limit : GT_DOCUMENT_BODY_MAX;
}

static int take_document(void *user, const struct gt_document *document, struct gt_error *err)
{
    struct gt_tracked *tracked = user;
    const struct gt_source_config *config = tracked->config;
    struct gt_document full = *document;
    size_t limit = body_limit(tracked->crawler->config);

    GT_BUFFER_AUTO struct gt_buffer title = GT_BUFFER(TITLE_MAX);
    if (full.body_len > limit) {
        gt_buffer_printf(&title, "%.*s (first %zu of %zu bytes)", TITLE_MAX / 2,
                         full.title ? full.title : full.key, limit, full.body_len);
        full.title = title.data;
        full.body_len = limit;
    }
    full.source = config->name;
    full.owned = config->owner == GT_OWNER_BRAND;
    full.brand = config->brand;
    full.fetched_ms = gt_now();
    gt_document_identify(&full);
    return gt_batch_add(&tracked->batch, &full, err);
}

static struct gt_source_output output_of(struct gt_tracked *tracked)
{
    return (struct gt_source_output){tracked, take_request, take_document};
}

void gt_poll_drop_waiting(struct gt_tracked *tracked)
{
    free_jobs(tracked->waiting);
    tracked->waiting = NULL;
    tracked->waiting_end = &tracked->waiting;
}

/* The first trouble of a poll tells most; what was not sent yet would most likely meet it again. */
static void note_result(struct gt_tracked *tracked, int code, const struct gt_error *err)
{
    if (code == GT_PARSED)
        tracked->changed = true;
    if (code == GT_PARSE_GONE)
        tracked->gone = true;
    if (code < 0 || code == GT_PARSE_GONE) {
        if (!tracked->trouble.code) {
            tracked->trouble = *err;
            tracked->trouble.code = code < 0 ? code : GT_E_NOTFOUND;
        }
        gt_poll_drop_waiting(tracked);
    }
}

/* Hands large batches over while the poll goes on. */
static void relieve(struct gt_tracked *tracked)
{
    if (gt_batch_is_large(&tracked->batch) && !tracked->crawler->held)
        gt_poll_commit(tracked);
}

static void remove_running(struct gt_tracked *tracked, const struct gt_job *job)
{
    for (struct gt_job **at = &tracked->running; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            tracked->running_count--;
            return;
        }
}

static void parse_answer(struct gt_tracked *tracked, const struct gt_job *job,
                         const struct gt_http_response *response)
{
    struct gt_source_output out = output_of(tracked);
    struct gt_error err = {0};

    int code = tracked->source->parse(tracked->self, job->tag, response, gt_now(), &out, &err);
    note_result(tracked, code, &err);
    if (response->retry_after_ms > tracked->wait_ms)
        tracked->wait_ms = response->retry_after_ms;
}

static void answered(void *user, const struct gt_http_response *response)
{
    struct gt_job *job = user;
    struct gt_tracked *tracked = job->tracked;

    remove_running(tracked, job);
    parse_answer(tracked, job, response);
    free_job(job);
    relieve(tracked);
    gt_poll_advance(tracked);
}

static void send_one(struct gt_tracked *tracked)
{
    struct gt_job *job = tracked->waiting;
    struct gt_error err;

    tracked->waiting = job->next;
    if (!tracked->waiting)
        tracked->waiting_end = &tracked->waiting;
    int code = gt_net_http(tracked->crawler->net, &job->request, answered, job, &err);
    if (code < 0) { /* the source learns it as an answer */
        const struct gt_http_response refused = {
            .error = code, .words = err.message, .url = job->request.url, .retry_after_ms = -1};
        parse_answer(tracked, job, &refused);
        free_job(job);
        return;
    }
    job->next = tracked->running;
    tracked->running = job;
    tracked->running_count++;
}

static const char *result_name(const struct gt_tracked *tracked)
{
    if (tracked->gone)
        return "gone";
    if (tracked->trouble.code)
        return "failed";
    return tracked->changed ? "changed" : "unchanged";
}

static void count_poll(const struct gt_tracked *tracked)
{
    char label[64];
    gt_counter_add("guette_crawl_polls_total",
                   gt_label(label, sizeof label, "result", result_name(tracked)), 1);
}

/* Decides when it is read next. An event is no reason to put the next rescan off. */
static void plan_next(struct gt_tracked *tracked)
{
    int64_t now = gt_monotonic(), asked = tracked->wait_ms;
    const struct gt_source *source = tracked->source;

    if (source->wait_ms && source->wait_ms(tracked->self) > asked)
        asked = source->wait_ms(tracked->self);
    if (tracked->gone)
        gt_schedule_stop(&tracked->schedule, tracked->trouble.message);
    else if (tracked->trouble.code)
        gt_schedule_failure(&tracked->schedule, now, asked, tracked->trouble.message);
    else if (!tracked->from_events)
        gt_schedule_success(&tracked->schedule, now, asked);
    if (!tracked->trouble.code && source->warning)
        gt_schedule_warn(&tracked->schedule, source->warning(tracked->self));
    if (!tracked->trouble.code)
        tracked->last_success_ms = gt_now();
}

static void finish(struct gt_tracked *tracked)
{
    if (tracked->refused && !tracked->trouble.code)
        gt_fail(&tracked->trouble, GT_E_INVALID,
                "%zu documents were refused by the queue and dropped", tracked->refused);
    plan_next(tracked);
    tracked->documents += tracked->fresh;
    count_poll(tracked);
    gt_buffer_reset(&tracked->next_cursor);
    tracked->phase = GT_IDLE;
    tracked->dirty = true;
}

static void hold(struct gt_crawler *crawler, const struct gt_error *why)
{
    crawler->held = true;
    crawler->held_why = *why;
    crawler->held_until = gt_monotonic() + gt_backoff(crawler->holds, HOLD_BASE, HOLD_CAP);
    if (crawler->holds < 16)
        crawler->holds++;
}

static bool cursor_is_new(const struct gt_tracked *tracked)
{
    const char *next = tracked->next_cursor.data;
    return next && (!tracked->cursor || strcmp(next, tracked->cursor) != 0);
}

static void keep_cursor(struct gt_tracked *tracked)
{
    char *copy = strdup(tracked->next_cursor.data);
    if (!copy) /* out of memory: the same cursor is committed once more later */
        return;
    free(tracked->cursor);
    tracked->cursor = copy;
}

bool gt_poll_commit(struct gt_tracked *tracked)
{
    struct gt_crawler *crawler = tracked->crawler;
    bool last = tracked->phase == GT_COMMITTING, new_cursor = last && cursor_is_new(tracked);
    struct gt_error err = {0};
    int code = 0;

    if (new_cursor || tracked->batch.count)
        code = gt_batch_commit(&tracked->batch, &crawler->sink, tracked->config->name,
                               new_cursor ? tracked->next_cursor.data : NULL, &tracked->fresh,
                               &tracked->refused, &err);
    if (code == GT_E_INVALID ||
        code == GT_E_LIMIT) { /* of the cursor: trying again would not help */
        note_result(tracked, code, &err);
        new_cursor = false;
    } else if (code < 0) {
        hold(crawler, &err);
        tracked->dirty = true;
        return false;
    }
    crawler->held = false;
    crawler->holds = 0;
    if (new_cursor)
        keep_cursor(tracked);
    if (last)
        finish(tracked);
    return true;
}

static void save_cursor(struct gt_tracked *tracked)
{
    struct gt_error err = {0};

    gt_buffer_reset(&tracked->next_cursor);
    int code = tracked->source->save(tracked->self, &tracked->next_cursor, &err);
    if (code < 0) {
        note_result(tracked, code, &err);
        gt_buffer_free(&tracked->next_cursor);
        tracked->next_cursor = GT_BUFFER(GT_POLL_CURSOR_MAX);
    }
}

void gt_poll_advance(struct gt_tracked *tracked)
{
    if (tracked->phase != GT_READING)
        return;
    while (tracked->waiting && tracked->running_count < GT_POLL_AT_ONCE && !tracked->crawler->held)
        send_one(tracked);
    if (tracked->waiting || tracked->running)
        return;
    save_cursor(tracked);
    tracked->phase = GT_COMMITTING;
    if (!tracked->crawler->held)
        gt_poll_commit(tracked);
}

void gt_poll_begin(struct gt_tracked *tracked, bool from_events)
{
    struct gt_source_output out = output_of(tracked);
    struct gt_error err = {0};
    int64_t now = gt_now();

    tracked->phase = GT_READING;
    tracked->from_events = from_events;
    tracked->changed = tracked->gone = false;
    tracked->trouble.code = 0;
    tracked->requests = tracked->fresh = tracked->refused = 0;
    tracked->wait_ms = 0;
    tracked->last_try_ms = now;
    int code = from_events ? tracked->source->events(tracked->self, now, &out, &err)
                           : tracked->source->plan(tracked->self, now, &out, &err);
    note_result(tracked, code < 0 ? code : GT_PARSE_UNCHANGED, &err);
    tracked->changed = tracked->batch.count > 0;
    gt_poll_advance(tracked);
}

void gt_poll_close(struct gt_tracked *tracked)
{
    free_jobs(tracked->waiting);
    free_jobs(tracked->running);
    if (tracked->self)
        tracked->source->close(tracked->self);
    gt_batch_free(&tracked->batch);
    gt_buffer_free(&tracked->next_cursor);
    free(tracked->cursor);
}
