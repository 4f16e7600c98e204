/* What every role has: configuration, queue handle, key, health page, heartbeat, signals. */
#ifndef GT_WORKERS_WORKER_H
#define GT_WORKERS_WORKER_H

#include "console/console.h"
#include "queue/queue.h"
#include "workers/process.h"
#include "workers/workers.h"

struct gt_worker {
    const struct gt_role *role;
    const char *config_path;
    struct gt_config *config; /* newest */
    /* What queue, key and health page were opened with: the queue borrows from it, so it stays. */
    struct gt_config *opened;
    struct gt_queue *queue;
    struct gt_console *console;
    struct gt_key key;
    char name[128]; /* "host:match-1": stable over restarts, so a queue knows its consumers again */
    int64_t started_ms;
    int64_t beat_ms; /* last heartbeat, monotonic */
    uint64_t done;   /* documents or findings handled: for rates */
    uint64_t done_at_beat;
};

/* One role: a state of its own between open and close, and a turn that the loop calls until it
 * stops. */
struct gt_role {
    const char *name;
    int (*open)(struct gt_worker *worker, void **ret_state, struct gt_error *err);
    /* Does a little work, or waits a little (well under a second) for some. */
    int (*turn)(struct gt_worker *worker, void *state, struct gt_error *err);
    /* The configuration in `worker` is new. On failure the old state stays in use. */
    int (*reload)(struct gt_worker *worker, void *state, const struct gt_config *next,
                  struct gt_error *err);
    /* Called in turns while stopping; true when nothing is in hand any more. */
    bool (*drained)(struct gt_worker *worker, void *state);
    void (*close)(struct gt_worker *worker, void *state);
};

extern const struct gt_role gt_role_crawl, gt_role_match, gt_role_notify;

/* Tells the health page and, every few seconds, `guette status` that this worker lives, and how
 * fast it goes. The loop does so before each turn; what may take longer does so itself. */
void gt_worker_beat(struct gt_worker *worker);

/* Logs err unless the same was said within the last minute. */
void gt_worker_complain(const char *event, const struct gt_error *err);
/* Ready again, and says so. */
void gt_worker_recovered(struct gt_worker *worker);

#endif
