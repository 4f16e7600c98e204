/* What all back-ends have in common: checking arguments, waiting, metrics. */
#include "queue/queue.h"
#include "queue/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_MAX_BYTES 200
#define ID_MAX_BYTES 128
#define TOPIC_MAX_BYTES 64
#define WHY_MAX_BYTES 1000
#define FACT_MAX ((size_t)64 * 1024)
#define CURSOR_MAX ((size_t)1024 * 1024)
#define PAYLOAD_MAX (GT_DOCUMENT_BODY_MAX + (size_t)1024 * 1024)
#define BATCH_MAX ((size_t)256 * 1024 * 1024)
#define COUNT_MAX ((size_t)10000)

/* An idle pull asks again after 1 ms, then ever later: new work is seen soon, an idle worker costs
 * little. */
#define NAP_LEAST 1
#define NAP_MOST 100

struct gt_queue {
    const struct gt_queue_backend *backend;
    struct gt_queue_settings settings;
    struct gt_arena *arena; /* of default options; mostly NULL */
    char *consumer;
    void *self;
};

static const struct gt_queue_backend *const backends[] = {&gt_queue_sqlite, &gt_queue_redis,
                                                          &gt_queue_memory};
#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

const struct gt_kind *const gt_queue_kinds[] = {&gt_queue_sqlite_kind, &gt_queue_redis_kind,
                                                &gt_queue_memory_kind, NULL};

/* Printable ASCII without blanks: these names end in keys, file dumps and labels. */
static bool is_name(const char *text, size_t most)
{
    size_t len = text ? strnlen(text, most + 1) : 0;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return false;
    return len > 0 && len <= most;
}

static int check_topic(const char *topic, struct gt_error *err)
{
    size_t len = topic ? strnlen(topic, TOPIC_MAX_BYTES + 1) : 0;
    bool good = len > 0 && len <= TOPIC_MAX_BYTES &&
                strspn(topic, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
    return good ? 0
                : gt_fail(err, GT_E_INVALID,
                          "a topic is 1 to %d lower-case letters, digits, - or _, not \"%.80s\"",
                          TOPIC_MAX_BYTES, topic ? topic : "");
}

/* Names of sources and facts come from the configuration: any text, but of sane length. */
static int check_label(const char *what, const char *name, bool empty, struct gt_error *err)
{
    size_t len = name ? strnlen(name, NAME_MAX_BYTES + 1) : 0;
    if (name && len <= NAME_MAX_BYTES && (len || empty))
        return 0;
    return gt_fail(err, GT_E_INVALID, "the name of a %s has 1 to %d bytes", what, NAME_MAX_BYTES);
}

static int check_bytes(const char *what, const void *bytes, size_t len, size_t most,
                       struct gt_error *err)
{
    if (len > most)
        return gt_fail(err, GT_E_LIMIT, "a %s of %zu bytes is too long; at most %zu are allowed",
                       what, len, most);
    return bytes || !len ? 0 : gt_fail(err, GT_E_INVALID, "a %s is missing", what);
}

static int check_job(const struct gt_queue *queue, const char *topic, const struct gt_job *job,
                     struct gt_error *err)
{
    int rc = check_topic(topic, err);
    if (rc)
        return rc;
    if (!queue->settings.consumer)
        return gt_fail(err, GT_E_INVALID,
                       "this handle of the queue has no consumer's name: it reads only");
    return job ? 0 : gt_fail(err, GT_E_INVALID, "no job was given");
}

void gt_queue_count(const char *metric, const char *topic, double by)
{
    char label[TOPIC_MAX_BYTES + 16];
    if (by > 0)
        gt_counter_add(metric, gt_label(label, sizeof(label), "topic", topic), by);
}

static int outcome(int rc, const char *topic)
{
    if (rc == GT_E_CONFLICT)
        gt_queue_count("guette_queue_lost_leases_total", topic, 1);
    else if (rc < 0 && rc != GT_E_FULL && rc != GT_E_NOTFOUND)
        gt_queue_count("guette_queue_errors_total", topic, 1);
    return rc;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void gt_queue_digest(const char *id, unsigned char ret_digest[GT_ID_BYTES])
{
    char hash[GT_ID_TEXT];
    const char *hex = id;
    if (strlen(id) != GT_ID_TEXT - 1 || strspn(id, "0123456789abcdef") != GT_ID_TEXT - 1) {
        struct gt_part part = gt_part(id);
        gt_id_make("queue", &part, 1, hash);
        hex = hash;
    }
    for (size_t i = 0; i < GT_ID_BYTES; i++)
        ret_digest[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
}

int gt_queue_value(struct gt_buffer *ret_value, const void *bytes, size_t len, struct gt_error *err)
{
    if (len > ret_value->max)
        return gt_fail(err, GT_E_LIMIT,
                       "a stored value of %zu bytes is longer than the %zu expected", len,
                       ret_value->max);
    gt_buffer_reset(ret_value);
    if (gt_buffer_append(ret_value, len ? bytes : "", len))
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    return 0;
}

static const struct gt_queue_backend *find_backend(const struct gt_queue_config *config)
{
    const char *name = config->kind ? config->kind->name : config->type ? config->type : "sqlite";
    for (size_t i = 0; i < BACKENDS; i++)
        if (!strcmp(backends[i]->name, name))
            return backends[i];
    return NULL;
}

/* Options the configuration did not decode (no `queue:` section) are the defaults. */
static int settle(struct gt_queue *queue, const struct gt_config *config, struct gt_error *err)
{
    const struct gt_kind *kind = queue->backend->kind;
    queue->settings = (struct gt_queue_settings){
        .config = config,
        .consumer = queue->consumer,
        .high_water_bytes = config->queue.high_water_bytes,
        .high_water_count = config->queue.high_water_count,
        .lease_ms = config->queue.lease_ms > 0 ? config->queue.lease_ms : GT_MINUTE,
        .max_deliveries = config->queue.max_deliveries > 0 ? config->queue.max_deliveries : 5,
        .options = config->queue.options,
    };
    if (!queue->settings.options) {
        queue->arena = gt_arena_new(64 * 1024);
        void *options = queue->arena ? gt_arena_alloc(queue->arena, kind->size) : NULL;
        if (!options)
            return gt_fail(err, GT_E_NOMEM, "out of memory");
        int rc = gt_options_default(queue->arena, kind->options, options, kind->size, err);
        if (rc < 0)
            return rc;
        queue->settings.options = options;
    }
    queue->settings.seen_ms = ((struct gt_queue_common *)queue->settings.options)->seen_ms;
    return 0;
}

int gt_queue_check(const struct gt_config *config, struct gt_error *err)
{
    const struct gt_queue_backend *backend = find_backend(&config->queue);
    if (!backend || !backend->check || !config->queue.options)
        return 0;
    return backend->check(config, config->queue.options, err);
}

static int open_backend(struct gt_queue *queue, const struct gt_config *config,
                        const char *consumer, struct gt_error *err)
{
    queue->backend = find_backend(&config->queue);
    if (!queue->backend)
        return gt_fail(err, GT_E_INVALID, "there is no queue of type \"%s\"; use sqlite or redis",
                       config->queue.type);
    queue->consumer = consumer ? strdup(consumer) : NULL;
    if (consumer && !queue->consumer)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    int rc = settle(queue, config, err);
    return rc ? rc : queue->backend->open(&queue->settings, &queue->self, err);
}

int gt_queue_open(const struct gt_config *config, const char *consumer, struct gt_queue **ret_queue,
                  struct gt_error *err)
{
    /* "~" is how the back-ends may call nobody. */
    if (consumer && (!is_name(consumer, NAME_MAX_BYTES) || consumer[0] == '~'))
        return gt_fail(err, GT_E_INVALID,
                       "a consumer's name is 1 to %d printable characters without blanks and does "
                       "not start with ~: host:slot",
                       NAME_MAX_BYTES);
    struct gt_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    int rc = open_backend(queue, config, consumer, err);
    if (rc) {
        gt_queue_close(queue);
        return rc;
    }
    *ret_queue = queue;
    return 0;
}

void gt_queue_close(struct gt_queue *queue)
{
    if (!queue)
        return;
    if (queue->self)
        queue->backend->close(queue->self);
    gt_arena_free(queue->arena);
    free(queue->consumer);
    free(queue);
}

const char *gt_queue_backend(const struct gt_queue *queue)
{
    return queue->backend->name;
}

static int check_push(const struct gt_push *entries, size_t count, const struct gt_cursor *cursor,
                      struct gt_error *err)
{
    size_t sum = 0;
    int rc = 0;
    if (count > COUNT_MAX)
        return gt_fail(err, GT_E_LIMIT, "a push of %zu entries is too big; at most %zu go at once",
                       count, COUNT_MAX);
    for (size_t i = 0; i < count && !rc; i++) {
        if (!is_name(entries[i].id, ID_MAX_BYTES))
            return gt_fail(err, GT_E_INVALID,
                           "an entry's id has 1 to %d printable characters without blanks",
                           ID_MAX_BYTES);
        rc = check_bytes("payload", entries[i].payload, entries[i].len, PAYLOAD_MAX, err);
        sum += rc ? 0 : entries[i].len;
        if (sum > BATCH_MAX)
            return gt_fail(err, GT_E_LIMIT,
                           "a push of over %zu bytes is too big; push less at once", BATCH_MAX);
    }
    if (!rc && cursor)
        rc = check_label("cursor", cursor->name, false, err);
    if (!rc && cursor)
        rc = check_bytes("cursor", cursor->value, cursor->len, CURSOR_MAX, err);
    return rc;
}

int gt_queue_push(struct gt_queue *queue, const char *topic, const struct gt_push *entries,
                  size_t count, const struct gt_cursor *cursor, size_t *ret_fresh,
                  struct gt_error *err)
{
    size_t fresh = 0;
    int rc = check_topic(topic, err);
    if (!rc)
        rc = check_push(entries, count, cursor, err);
    if (rc)
        return rc;
    if (count || cursor)
        rc = queue->backend->push(queue->self, topic, entries, count, cursor, &fresh, err);
    if (rc) {
        if (rc == GT_E_FULL)
            gt_queue_count("guette_queue_refused_total", topic, 1);
        return outcome(rc, topic);
    }
    gt_queue_count("guette_queue_pushed_total", topic, (double)fresh);
    gt_queue_count("guette_queue_duplicates_total", topic, (double)(count - fresh));
    if (ret_fresh)
        *ret_fresh = fresh;
    return 0;
}

/* False when a signal came: whoever sent it wants the caller's attention. */
static bool nap(int64_t ms)
{
    struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    return nanosleep(&time, NULL) == 0 || errno != EINTR;
}

static int pull_waiting(struct gt_queue *queue, const char *topic, size_t most, int64_t wait_ms,
                        struct gt_arena *arena, struct gt_job *ret_jobs, struct gt_error *err)
{
    int64_t start = gt_monotonic(), delay = NAP_LEAST;
    for (;;) {
        int got = queue->backend->pull(queue->self, topic, most, arena, ret_jobs, err);
        int64_t left = wait_ms - (gt_monotonic() - start);
        if (got || left <= 0 || !nap(delay < left ? delay : left))
            return got;
        delay = delay * 2 < NAP_MOST ? delay * 2 : NAP_MOST;
    }
}

int gt_queue_pull(struct gt_queue *queue, const char *topic, size_t most, int64_t wait_ms,
                  struct gt_arena *arena, struct gt_job *ret_jobs, struct gt_error *err)
{
    int rc = check_topic(topic, err);
    if (rc)
        return rc;
    if (!queue->settings.consumer)
        return gt_fail(err, GT_E_INVALID, "only a consumer with a name may pull");
    if (!most)
        return 0;
    int got = pull_waiting(queue, topic, most, wait_ms, arena, ret_jobs, err);
    if (got < 0)
        return outcome(got, topic);
    double again = 0;
    for (int i = 0; i < got; i++)
        again += ret_jobs[i].deliveries > 1;
    gt_queue_count("guette_queue_pulled_total", topic, got);
    gt_queue_count("guette_queue_redelivered_total", topic, again);
    return got;
}

int gt_queue_ack(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                 struct gt_error *err)
{
    int rc = check_job(queue, topic, job, err);
    if (rc)
        return rc;
    rc = outcome(queue->backend->ack(queue->self, topic, job, err), topic);
    gt_queue_count("guette_queue_acked_total", topic, !rc);
    return rc;
}

int gt_queue_extend(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                    struct gt_error *err)
{
    int rc = check_job(queue, topic, job, err);
    return rc ? rc : outcome(queue->backend->extend(queue->self, topic, job, err), topic);
}

int gt_queue_release(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                     int64_t delay_ms, bool counted, struct gt_error *err)
{
    int rc = check_job(queue, topic, job, err);
    if (rc)
        return rc;
    int64_t delay = delay_ms < 0 ? 0 : delay_ms > 3650 * GT_DAY ? 3650 * GT_DAY : delay_ms;
    rc = outcome(queue->backend->release(queue->self, topic, job, delay, counted, err), topic);
    gt_queue_count("guette_queue_released_total", topic, !rc);
    return rc;
}

int gt_queue_bury(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                  const char *why, struct gt_error *err)
{
    char words[WHY_MAX_BYTES + 1];
    int rc = check_job(queue, topic, job, err);
    if (rc)
        return rc;
    snprintf(words, sizeof(words), "%s", why && *why ? why : "no reason given");
    rc = outcome(queue->backend->bury(queue->self, topic, job, words, err), topic);
    gt_queue_count("guette_queue_buried_total", topic, !rc);
    return rc;
}

int gt_queue_dead(struct gt_queue *queue, const char *topic, const char *after, size_t most,
                  struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err)
{
    int rc = check_topic(topic, err);
    if (rc || !most)
        return rc;
    return outcome(queue->backend->dead(queue->self, topic, after && *after ? after : NULL, most,
                                        arena, ret_dead, err),
                   topic);
}

int gt_queue_replay(struct gt_queue *queue, const char *topic, const char *handle,
                    struct gt_error *err)
{
    int rc = check_topic(topic, err);
    return rc ? rc
              : outcome(queue->backend->replay(queue->self, topic, handle ? handle : "", err),
                        topic);
}

int gt_queue_drop(struct gt_queue *queue, const char *topic, const char *handle,
                  struct gt_error *err)
{
    int rc = check_topic(topic, err);
    return rc ? rc
              : outcome(queue->backend->drop(queue->self, topic, handle ? handle : "", err), topic);
}

int gt_queue_cursor(struct gt_queue *queue, const char *name, struct gt_buffer *ret_value,
                    struct gt_error *err)
{
    int rc = check_label("cursor", name, false, err);
    return rc ? rc : queue->backend->cursor(queue->self, name, ret_value, err);
}

static int check_fact(const char *name, const void *value, size_t len, struct gt_error *err)
{
    int rc = check_label("fact", name, false, err);
    return rc ? rc : check_bytes("fact", value, len, FACT_MAX, err);
}

int gt_queue_put(struct gt_queue *queue, const char *name, const void *value, size_t len,
                 int64_t ttl_ms, struct gt_error *err)
{
    int rc = check_fact(name, value, len, err);
    if (!rc && (ttl_ms < 0 || ttl_ms > 3650 * GT_DAY))
        rc = gt_fail(err, GT_E_INVALID, "a fact lives between 1 ms and ten years, or for good (0)");
    return rc ? rc : queue->backend->put(queue->self, name, value, len, ttl_ms, err);
}

int gt_queue_put_once(struct gt_queue *queue, const char *name, const void *value, size_t len,
                      struct gt_buffer *ret_value, struct gt_error *err)
{
    int rc = check_fact(name, value, len, err);
    return rc ? rc : queue->backend->put_once(queue->self, name, value, len, ret_value, err);
}

int gt_queue_get(struct gt_queue *queue, const char *name, struct gt_buffer *ret_value,
                 struct gt_error *err)
{
    int rc = check_label("fact", name, false, err);
    return rc ? rc : queue->backend->get(queue->self, name, ret_value, err);
}

int gt_queue_list(struct gt_queue *queue, const char *prefix, size_t most, struct gt_arena *arena,
                  struct gt_fact *ret_facts, struct gt_error *err)
{
    const char *start = prefix ? prefix : "";
    int rc = check_label("fact", start, true, err);
    return rc || !most ? rc : queue->backend->list(queue->self, start, most, arena, ret_facts, err);
}

int gt_queue_stats(struct gt_queue *queue, const char *topic, struct gt_topic_stats *ret,
                   struct gt_error *err)
{
    int rc = check_topic(topic, err);
    return rc ? rc : queue->backend->stats(queue->self, topic, ret, err);
}
