/* The seam of the queue: one const table of functions per back-end. queue.c checks arguments, keeps metrics and
 * calls these; semantics are those of queue.h, clock and limits come from the settings. */
#ifndef GT_QUEUE_BACKEND_H
#define GT_QUEUE_BACKEND_H

#include "queue/queue.h"

struct gt_queue_settings {
    const struct gt_config *config;
    const char *consumer; /* NULL: may not pull */
    uint64_t high_water_bytes, high_water_count;
    int64_t lease_ms, max_deliveries;
    int64_t seen_ms; /* how long ids are remembered */
    void *options;   /* of the kind */
};

struct gt_queue_backend {
    const char *name;
    const struct gt_kind *kind;
    int (*open)(const struct gt_queue_settings *settings, void **ret_self, struct gt_error *err);
    void (*close)(void *self);
    int (*push)(void *self, const char *topic, const struct gt_push *entries, size_t count,
                const struct gt_cursor *cursor, size_t *ret_fresh, struct gt_error *err);
    int (*pull)(void *self, const char *topic, size_t most, int64_t wait_ms, struct gt_arena *arena,
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

#endif
