/* The seam of the queue: one const table of functions per back-end. queue.c checks arguments,
 * waits, keeps metrics and calls these; semantics are those of queue.h, clock and limits come from
 * the settings.
 *
 * What queue.c promises: topics and names are well-formed (gt_queue_open and friends below say what
 * that is), payloads and values within their caps, `consumer` is there for whatever needs an owner.
 */
#ifndef GT_QUEUE_BACKEND_H
#define GT_QUEUE_BACKEND_H

#include "queue/queue.h"

struct gt_queue_settings {
    const struct gt_config *config;
    const char *consumer;                        /* NULL: may not pull */
    uint64_t high_water_bytes, high_water_count; /* 0: no mark */
    int64_t lease_ms, max_deliveries;
    int64_t seen_ms; /* how long ids are remembered */
    void *options;   /* of the kind; begins with struct gt_queue_common */
};

/* The options that every kind has, as the first member of its struct. */
struct gt_queue_common {
    int64_t seen_ms;
};
#define GT_QUEUE_SEEN_OPTION                                                                       \
    {                                                                                              \
        .name = "seen", .type = GT_OPTION_DURATION, .fallback = "30d", .least = 1,                 \
        .most = 3650.0 * GT_DAY,                                                                   \
        .help = "how long a pushed id is remembered, so that pushing it again changes nothing"     \
    }

/* One pull hands out payloads of about so much at most, but always one job. */
#define GT_QUEUE_PULL_BYTES ((uint64_t)64 * 1024 * 1024)

struct gt_queue_backend {
    const char *name;
    const struct gt_kind *kind;
    /* NULL, or what the options' rows cannot see, without asking anybody. */
    int (*check)(const struct gt_config *config, const void *options, struct gt_error *err);
    int (*open)(const struct gt_queue_settings *settings, void **ret_self, struct gt_error *err);
    void (*close)(void *self);
    int (*push)(void *self, const char *topic, const struct gt_push *entries, size_t count,
                const struct gt_cursor *cursor, size_t *ret_fresh, struct gt_error *err);
    /* Does not wait: queue.c does, by asking again. When even the first payload does not fit the
     * arena its delivery counts (so that it ends as a dead letter, not as a plug) and the answer is
     * GT_E_LIMIT. */
    int (*pull)(void *self, const char *topic, size_t most, struct gt_arena *arena,
                struct gt_job *ret_jobs, struct gt_error *err);
    int (*ack)(void *self, const char *topic, const struct gt_job *job, struct gt_error *err);
    int (*extend)(void *self, const char *topic, const struct gt_job *job, struct gt_error *err);
    int (*release)(void *self, const char *topic, const struct gt_job *job, int64_t delay_ms,
                   bool counted, struct gt_error *err);
    int (*bury)(void *self, const char *topic, const struct gt_job *job, const char *why,
                struct gt_error *err);
    int (*dead)(void *self, const char *topic, const char *after, size_t most,
                struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err);
    int (*replay)(void *self, const char *topic, const char *handle, struct gt_error *err);
    int (*drop)(void *self, const char *topic, const char *handle, struct gt_error *err);
    int (*cursor)(void *self, const char *name, struct gt_buffer *ret_value, struct gt_error *err);
    int (*put)(void *self, const char *name, const void *value, size_t len, int64_t ttl_ms,
               struct gt_error *err);
    int (*put_once)(void *self, const char *name, const void *value, size_t len,
                    struct gt_buffer *ret_value, struct gt_error *err);
    int (*get)(void *self, const char *name, struct gt_buffer *ret_value, struct gt_error *err);
    int (*list)(void *self, const char *prefix, size_t most, struct gt_arena *arena,
                struct gt_fact *ret_facts, struct gt_error *err);
    int (*stats)(void *self, const char *topic, struct gt_topic_stats *ret, struct gt_error *err);
};

extern const struct gt_queue_backend gt_queue_sqlite, gt_queue_redis, gt_queue_memory;
extern const struct gt_kind gt_queue_sqlite_kind, gt_queue_redis_kind, gt_queue_memory_kind;

/* Helpers of the back-ends, in queue.c. */

/* 16 bytes that stand for an entry's id: the id itself when it is one of gt_id_make, else its hash.
 */
void gt_queue_digest(const char *id, unsigned char ret_digest[GT_ID_BYTES]);
/* Replaces what ret_value holds. */
int gt_queue_value(struct gt_buffer *ret_value, const void *bytes, size_t len,
                   struct gt_error *err);
/* Adds to a counter of the topic. */
void gt_queue_count(const char *metric, const char *topic, double by);
/* Why pull buried something; the same words on every back-end. */
#define GT_QUEUE_BURIED_BY_COUNT "delivered %lld times without an answer; last to %s"

#endif
