/* The role crawl: runs the crawler and puts what it fetches on the queue. */
#include "workers/worker.h"

#include "crawler/crawler.h"

#include <stdlib.h>
#include <string.h>

#define TURN_MS 250

struct crawl {
    struct gt_worker *worker;
    struct gt_net *net;
    struct gt_crawler *crawler;
};

static int encode_all(const struct gt_document *documents, size_t count, struct gt_buffer *bodies,
                      struct gt_push *entries, struct gt_error *err)
{
    for (size_t i = 0; i < count; i++) {
        bodies[i] = GT_BUFFER(GT_DOCUMENT_BODY_MAX + 1024 * 1024);
        int rc = gt_document_encode(&documents[i], &bodies[i], err);
        if (rc)
            return rc;
        entries[i] = (struct gt_push){documents[i].id, bodies[i].data, bodies[i].len};
    }
    return 0;
}

static int commit(void *user, const char *source, const struct gt_document *documents, size_t count,
                  const char *cursor, size_t *ret_fresh, struct gt_error *err)
{
    struct crawl *crawl = user;
    gt_console_beat(crawl->worker->console); /* each may wait for a queue that is slow */
    struct gt_buffer *bodies = calloc(count + 1, sizeof *bodies);
    struct gt_push *entries = calloc(count + 1, sizeof *entries);
    size_t fresh = 0;
    int rc = bodies && entries ? encode_all(documents, count, bodies, entries, err)
                               : gt_fail(err, GT_E_NOMEM, "out of memory");
    if (rc == 0) {
        struct gt_cursor saved = {source, cursor, cursor ? strlen(cursor) : 0};
        rc = gt_queue_push(crawl->worker->queue, GT_TOPIC_DOCUMENTS, entries, count,
                           cursor ? &saved : NULL, &fresh, err);
    }
    for (size_t i = 0; bodies && i < count; i++)
        gt_buffer_free(&bodies[i]);
    free(bodies);
    free(entries);
    if (rc)
        gt_worker_complain("documents.held", err); /* the crawler keeps them and tries again */
    if (rc == 0) {
        crawl->worker->done += fresh;
        gt_counter_add("guette_crawl_documents_total", NULL, (double)fresh);
        if (ret_fresh)
            *ret_fresh = fresh;
    }
    return rc;
}

static int load(void *user, const char *source, struct gt_buffer *ret_cursor, struct gt_error *err)
{
    struct crawl *crawl = user;
    return gt_queue_cursor(crawl->worker->queue, source, ret_cursor, err);
}

/* Each once, and of failures in a row ever fewer (1, 4, 16...): a night without a network fills no
 * screen. */
static bool is_worth_a_line(const struct gt_source_state *state)
{
    char key[256];
    snprintf(key, sizeof key, "%llu %s", (unsigned long long)state->failures, state->name);
    uint64_t step = 1;
    while (step < state->failures && step < UINT64_MAX / 4)
        step *= 4;
    return step == state->failures && gt_log_allow(key, NULL);
}

/* What an operator wants to read as it happens: a source that fails, and that it works again. */
static void log_state(const struct gt_source_state *state)
{
    if (state->failures && state->error) {
        if (is_worth_a_line(state))
            gt_log(GT_WARNING, "source.failed", state->error, GT_F("source", state->name),
                   GT_N("failures", state->failures),
                   GT_N("next_try_s", (state->next_try_ms - gt_now()) / 1000));
    } else if (strcmp(state->state, "disabled") == 0 && state->error) {
        gt_log(GT_ERROR, "source.disabled", state->error, GT_F("source", state->name));
    } else if (state->recovered) {
        gt_log(GT_INFO, "source.recovered", "the source can be read again",
               GT_F("source", state->name), GT_N("failures", state->recovered));
    } else {
        gt_log(GT_DEBUG, "source.polled", state->state, GT_F("source", state->name),
               GT_N("documents", state->documents));
    }
}

static void report(void *user, const struct gt_source_state *state)
{
    struct crawl *crawl = user;
    gt_console_beat(crawl->worker->console);
    char name[256], label[256];
    snprintf(name, sizeof name, "source/%s", state->name);
    GT_JSON_AUTO json_t *fact = gt_source_state_to_json(state);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(16 * 1024);
    if (fact && gt_json_append(fact, &text) == 0)
        (void)gt_queue_put(crawl->worker->queue, name, text.data, text.len, 0, NULL);
    gt_label(label, sizeof label, "source", state->name);
    gt_gauge_set("guette_source_failures", label, (double)state->failures);
    if (state->last_success_ms)
        gt_gauge_set("guette_source_last_success_timestamp_seconds", label,
                     (double)state->last_success_ms / 1000);
    log_state(state);
}

static int build(struct crawl *crawl, const struct gt_config *config, struct gt_net **ret_net,
                 struct gt_crawler **ret_crawler, struct gt_error *err)
{
    struct gt_net_settings settings = {
        .contact = config->contact,
        .connections = config->limits.connections,
        .per_host = config->limits.connections_per_host,
        .per_second = config->limits.requests_per_second,
    };
    struct gt_crawl_sink sink = {.user = crawl, .commit = commit, .load = load, .report = report};
    struct gt_net *net = NULL;
    int rc = gt_net_open(&settings, &net, err);
    if (rc)
        return rc;
    rc = gt_crawler_open(config, net, &sink, ret_crawler, err);
    if (rc)
        gt_net_close(net);
    else
        *ret_net = net;
    return rc;
}

static int open_crawl(struct gt_worker *worker, void **ret_state, struct gt_error *err)
{
    struct crawl *crawl = calloc(1, sizeof *crawl);
    if (!crawl)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    crawl->worker = worker;
    int rc = build(crawl, worker->config, &crawl->net, &crawl->crawler, err);
    if (rc)
        free(crawl);
    else
        *ret_state = crawl;
    return rc;
}

static int turn(struct gt_worker *worker, void *state, struct gt_error *err)
{
    (void)worker;
    struct crawl *crawl = state;
    return gt_crawler_run(crawl->crawler, TURN_MS, err);
}

/* The old crawler's polls under way are given up: their cursors were not saved, so the new one
 * makes them again. */
static int reload(struct gt_worker *worker, void *state, const struct gt_config *next,
                  struct gt_error *err)
{
    (void)worker;
    struct crawl *crawl = state;
    struct gt_net *net = NULL;
    struct gt_crawler *crawler = NULL;
    int rc = build(crawl, next, &net, &crawler, err);
    if (rc)
        return rc;
    gt_crawler_close(crawl->crawler);
    gt_net_close(crawl->net);
    crawl->net = net;
    crawl->crawler = crawler;
    return 0;
}

static bool drained(struct gt_worker *worker, void *state)
{
    (void)worker;
    struct crawl *crawl = state;
    return gt_crawler_drain(crawl->crawler);
}

static void close_crawl(struct gt_worker *worker, void *state)
{
    (void)worker;
    struct crawl *crawl = state;
    gt_crawler_close(crawl->crawler);
    gt_net_close(crawl->net);
    free(crawl);
}

const struct gt_role gt_role_crawl = {"crawl", open_crawl, turn, reload, drained, close_crawl};
