/* The role match: judges documents and puts findings on the queue. */
#include "workers/worker.h"

#include "matchers/matchers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 16
#define WAIT_MS 500
#define ARENA_MAX ((size_t)256 * 1024 * 1024)
#define PUSH_AT_ONCE 256
#define FINDINGS_MAX ((size_t)64 * 1024 * 1024) /* encoded, of one document */

struct match {
    struct gt_ruleset *ruleset;
    struct gt_scratch *scratch;
    struct gt_arena *jobs_arena, *document_arena;
};

/* Findings of one document, encoded one after the other; offsets because the buffer may move. */
struct found {
    struct gt_error *err;
    struct gt_buffer bytes;
    struct {
        size_t start, len;
        char id[GT_ID_TEXT];
    } * items;
    size_t count, capacity;
};

static int build(const struct gt_worker *worker, const struct gt_config *config,
                 struct gt_ruleset **ret_ruleset, struct gt_scratch **ret_scratch,
                 struct gt_error *err)
{
    const char **directories = calloc(config->rules.count + 1, sizeof *directories);
    char cache[4096];
    if (!directories)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    for (size_t i = 0; i < config->rules.count; i++)
        directories[i] = *GT_LIST_ITEM(config->rules, const char *, i);
    snprintf(cache, sizeof cache, "%s/cache", config->data);
    (void)gt_directory_make(cache, 0700, NULL); /* without it rules are compiled at each start */
    struct gt_ruleset_settings settings = {
        .directories = directories,
        .brands = config->brands.items,
        .brand_count = config->brands.count,
        .lang = (enum gt_lang)config->lang,
        .cache = cache,
        .key = worker->key,
        .document_bytes = config->limits.document_bytes,
        .document_ms = config->limits.document_ms,
        .findings = (size_t)config->limits.findings_per_document,
    };
    struct gt_mistakes mistakes = {0};
    struct gt_ruleset *ruleset = NULL;
    int rc = gt_ruleset_open(&settings, &ruleset, &mistakes, err);
    for (size_t i = 0; i < mistakes.count; i++)
        gt_log(rc ? GT_ERROR : GT_WARNING, "rules.mistake", mistakes.items[i].text);
    gt_arena_free(mistakes.arena);
    free(directories);
    if (rc == 0)
        rc = gt_scratch_new(ruleset, ret_scratch, err);
    if (rc)
        gt_ruleset_close(ruleset);
    else
        *ret_ruleset = ruleset;
    return rc;
}

static void tell_warnings(const struct gt_ruleset *ruleset)
{
    const char *const *warnings;
    size_t count = gt_ruleset_warnings(ruleset, &warnings);
    for (size_t i = 0; i < count; i++)
        gt_log(GT_WARNING, "rules.warning", warnings[i]);
}

static void close_match(struct gt_worker *worker, void *state)
{
    (void)worker;
    struct match *match = state;
    gt_scratch_free(match->scratch);
    gt_ruleset_close(match->ruleset);
    gt_arena_free(match->jobs_arena);
    gt_arena_free(match->document_arena);
    free(match);
}

static int open_match(struct gt_worker *worker, void **ret_state, struct gt_error *err)
{
    struct match *match = calloc(1, sizeof *match);
    if (!match)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    match->jobs_arena = gt_arena_new((size_t)BATCH * ARENA_MAX);
    match->document_arena = gt_arena_new(ARENA_MAX);
    int rc = match->jobs_arena && match->document_arena
                 ? build(worker, worker->config, &match->ruleset, &match->scratch, err)
                 : gt_fail(err, GT_E_NOMEM, "out of memory");
    if (rc) {
        close_match(worker, match);
        return rc;
    }
    tell_warnings(match->ruleset);
    gt_log(GT_INFO, "rules.loaded", "rules are loaded",
           GT_N("rules", gt_ruleset_count(match->ruleset)),
           GT_N("brands", worker->config->brands.count));
    *ret_state = match;
    return 0;
}

static int reload(struct gt_worker *worker, void *state, const struct gt_config *next,
                  struct gt_error *err)
{
    struct match *match = state;
    struct gt_ruleset *ruleset = NULL;
    struct gt_scratch *scratch = NULL;
    int rc = build(worker, next, &ruleset, &scratch, err);
    if (rc)
        return rc;
    gt_scratch_free(match->scratch);
    gt_ruleset_close(match->ruleset);
    match->ruleset = ruleset;
    match->scratch = scratch;
    tell_warnings(ruleset);
    return 0;
}

static int keep_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    (void)secret; /* never leaves the matcher */
    struct found *found = user;
    if (found->count == found->capacity) {
        size_t capacity = found->capacity ? 2 * found->capacity : 16;
        void *items = realloc(found->items, capacity * sizeof *found->items);
        if (!items)
            return gt_fail(found->err, GT_E_NOMEM, "out of memory");
        found->items = items;
        found->capacity = capacity;
    }
    size_t start = found->bytes.len;
    int rc = gt_finding_encode(finding, &found->bytes, found->err);
    if (rc)
        return rc;
    found->items[found->count].start = start;
    found->items[found->count].len = found->bytes.len - start;
    /* An entry is an occurrence: the same secret in another document is news for the store. */
    memcpy(found->items[found->count++].id, finding->occurrence, GT_ID_TEXT);
    gt_counter_add("guette_findings_total", NULL, 1);
    return 0;
}

/* Holds the document while the notifier is behind, or the disk is full, until there is room. */
static int push_part(struct gt_worker *worker, const struct gt_job *job,
                     const struct gt_push *entries, size_t count, struct gt_error *err)
{
    for (int attempt = 0;; attempt++) {
        int rc = gt_queue_push(worker->queue, GT_TOPIC_FINDINGS, entries, count, NULL, NULL, err);
        if (rc != GT_E_FULL && rc != GT_E_AGAIN)
            return rc;
        gt_worker_complain("findings.held", err);
        if (gt_stop_wanted())
            return rc;
        gt_worker_beat(worker);
        gt_sleep(gt_backoff(attempt, 50, 2 * GT_SECOND));
        (void)gt_queue_extend(worker->queue, GT_TOPIC_DOCUMENTS, job, NULL);
    }
}

/* In parts that the queue takes at once. Dying between two is harmless: the whole document comes
 * again, and the ids of its findings are known. */
static int push_found(struct gt_worker *worker, const struct gt_job *job, const struct found *found,
                      struct gt_error *err)
{
    int rc = 0;
    for (size_t at = 0; at < found->count && rc == 0;) {
        struct gt_push entries[PUSH_AT_ONCE];
        size_t count = 0;
        for (; count < PUSH_AT_ONCE && at < found->count; at++)
            entries[count++] =
                (struct gt_push){found->items[at].id, found->bytes.data + found->items[at].start,
                                 found->items[at].len};
        rc = push_part(worker, job, entries, count, err);
    }
    return rc;
}

static void measure(const struct gt_document *document, int64_t took_ms,
                    const struct gt_match_summary *summary)
{
    gt_counter_add("guette_match_documents_total", NULL, 1);
    gt_counter_add("guette_match_bytes_total", NULL, (double)document->body_len);
    gt_histogram_observe("guette_match_seconds", NULL, (double)took_ms / 1000);
    if (summary->gave_up) {
        gt_counter_add("guette_match_gave_up_total", NULL, 1);
        gt_log(GT_WARNING, "match.gave_up",
               "matching ended early: time or count was up, some findings may be missing",
               GT_F("document", document->id), GT_F("source", document->source),
               GT_N("took_ms", took_ms));
    }
    if (summary->cut_inside)
        gt_log(GT_INFO, "match.cut_inside", "not all that is inside a document was looked at",
               GT_F("document", document->id), GT_F("why", summary->cut_inside));
    if (summary->cut)
        gt_log(GT_INFO, "match.cut", "a document was longer than limits.document_bytes",
               GT_F("document", document->id), GT_N("bytes", document->body_len));
}

/* Judge, push findings, then ack: dying in between repeats the work and nothing else. */
static int judge(struct gt_worker *worker, struct match *match, const struct gt_job *job,
                 struct gt_error *err)
{
    struct gt_document document;
    gt_arena_reset(match->document_arena);
    int rc = gt_document_decode(job->payload, job->len, match->document_arena, &document, err);
    if (rc == GT_E_INVALID || rc == GT_E_LIMIT)
        return gt_queue_bury(worker->queue, GT_TOPIC_DOCUMENTS, job, err->message, err);
    if (rc)
        return rc;
    struct found found = {.err = err, .bytes = GT_BUFFER(FINDINGS_MAX)};
    struct gt_match_summary summary = {0};
    int64_t start = gt_monotonic();
    rc = gt_match(match->ruleset, match->scratch, &document, gt_now(), keep_finding, &found,
                  &summary, err);
    if (rc == 0) {
        measure(&document, gt_monotonic() - start, &summary);
        rc = push_found(worker, job, &found, err);
    }
    if (rc == 0)
        rc = gt_queue_ack(worker->queue, GT_TOPIC_DOCUMENTS, job, err);
    if (rc == 0)
        worker->done++;
    free(found.items);
    gt_buffer_free(&found.bytes);
    return rc;
}

/* False when the queue does not answer: asking it for each job of a batch would take minutes, and
 * their leases end by themselves. */
static bool release(struct gt_worker *worker, const struct gt_job *job, bool counted)
{
    return gt_queue_release(worker->queue, GT_TOPIC_DOCUMENTS, job, 0, counted, NULL) != GT_E_AGAIN;
}

/* Makes the lease long enough for one document. GT_E_CONFLICT: the job is somebody else's now. */
static int hold(struct gt_worker *worker, const struct gt_job *job, int64_t pulled_ms,
                struct gt_error *err)
{
    if (gt_monotonic() - pulled_ms < worker->opened->queue.lease_ms / 3)
        return 0;
    return gt_queue_extend(worker->queue, GT_TOPIC_DOCUMENTS, job, err);
}

/* A document that came back may be the one that killed its matcher. Such are judged one at a time
 * with nothing else in hand, or they would take innocent ones of the batch with them to the dead
 * letters. */
static size_t set_suspects_aside(struct gt_worker *worker, struct gt_job *jobs, size_t count)
{
    size_t fresh = 0;
    for (size_t i = 0; i < count; i++)
        if (jobs[i].deliveries <= 1) {
            struct gt_job job = jobs[i];
            jobs[i] = jobs[fresh];
            jobs[fresh++] = job;
        }
    size_t keep = fresh < count ? fresh + 1 : fresh;
    for (size_t i = keep; i < count && release(worker, &jobs[i], false); i++)
        ;
    return keep;
}

static int turn(struct gt_worker *worker, void *state, struct gt_error *err)
{
    struct match *match = state;
    struct gt_job jobs[BATCH];
    gt_arena_reset(match->jobs_arena);
    int count = gt_queue_pull(worker->queue, GT_TOPIC_DOCUMENTS, BATCH, WAIT_MS, match->jobs_arena,
                              jobs, err);
    if (count <= 0)
        return count;
    int64_t pulled_ms = gt_monotonic();
    size_t keep = set_suspects_aside(worker, jobs, (size_t)count);
    int rc = 0;
    for (size_t i = 0; i < keep; i++) {
        gt_worker_beat(worker);
        bool counted = false;
        if (rc == 0 && !gt_stop_wanted()) {
            rc = hold(worker, &jobs[i], pulled_ms, err);
            if (rc == GT_E_CONFLICT) {
                rc = 0;
                continue;
            }
            if (rc == 0)
                rc = judge(worker, match, &jobs[i], err);
            if (rc == 0)
                continue;
            counted = rc != GT_E_FULL && rc != GT_E_AGAIN;
        }
        if (!release(worker, &jobs[i], counted))
            break;
    }
    return rc;
}

static bool drained(struct gt_worker *worker, void *state)
{
    (void)worker, (void)state;
    return true; /* a turn ends with nothing in hand */
}

const struct gt_role gt_role_match = {"match", open_match, turn, reload, drained, close_match};
