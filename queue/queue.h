/* queue: at-least-once topics, cursors and small shared facts. The only place where roles meet.
 *
 * One contract, three back-ends (sqlite, redis, memory); tests/contract/ runs over all of them:
 *
 *  - What push accepted is delivered until it is acked or buried, whoever dies meanwhile.
 *  - A push is all or nothing, together with the cursor given. Nothing is ever trimmed.
 *  - An entry whose id was pushed to the topic before (within `seen` retention, and even if since
 *    acked) is accepted and dropped: replays collapse. An id is always pushed with the same cursor
 *    (or always without): the cursor's name says in which shard it is remembered.
 *  - A pulled job is leased to its consumer for lease_ms. An expired lease makes it available to
 *    others; its `deliveries` then counts one more. Nobody but the owner can extend, release or
 *    bury it; a lost lease gives GT_E_CONFLICT. Acking a job whose lease was lost is allowed (the
 *    work is done) and harmless twice.
 *  - pull buries what was delivered max_deliveries times instead of handing it out again.
 *  - Over the high-water mark, or when the back-end is out of space, push returns GT_E_FULL and
 *    changes nothing. A batch larger than the whole mark is accepted only by an empty topic (else
 *    it could never pass). Only what was not seen before needs room.
 *  - A back-end that cannot be reached gives GT_E_AGAIN (it reconnects by itself at the next call);
 *    wrong password or rights give GT_E_REFUSED, which the caller reports.
 *
 * Caps: a payload 65 MiB, a push 256 MiB and 10,000 entries, a cursor 1 MiB, a fact 64 KiB; a topic
 * is 1 to 64 of a-z 0-9 - _, an id 1 to 128 printable characters without blanks.
 *
 * A handle is for one thread of one process; open one after fork, not before. */
#ifndef GT_QUEUE_H
#define GT_QUEUE_H

#include "core/core.h"
#include "model/model.h"

struct gt_queue;

#define GT_TOPIC_DOCUMENTS "documents"
#define GT_TOPIC_FINDINGS "findings"

extern const struct gt_kind *const gt_queue_kinds[]; /* NULL-ended, for the configuration */

/* Whether the queue that config names could be opened, as far as can be told without asking it: an
 * address that is none, options that exclude each other. */
int gt_queue_check(const struct gt_config *config, struct gt_error *err);
/* consumer: host:slot, stable over restarts ("web1:match-2"); NULL for readers and command-line
 * tools. Fails with a clear message that names the file or server and what to do. */
int gt_queue_open(const struct gt_config *config, const char *consumer, struct gt_queue **ret_queue,
                  struct gt_error *err);
void gt_queue_close(struct gt_queue *queue);
const char *gt_queue_backend(const struct gt_queue *queue); /* "sqlite" */

struct gt_push {
    const char *id; /* names the entry: GT_ID_TEXT hex */
    const void *payload;
    size_t len;
};

struct gt_cursor {
    const char *name; /* source name */
    const void *value;
    size_t len;
};

/* cursor may be NULL; count may be 0 (only the cursor moves). *ret_fresh (may be NULL): how many
 * were not seen before. */
int gt_queue_push(struct gt_queue *queue, const char *topic, const struct gt_push *entries,
                  size_t count, const struct gt_cursor *cursor, size_t *ret_fresh,
                  struct gt_error *err);

struct gt_job {
    char handle[64]; /* back-end's own name of the entry */
    const char *id;
    const void *payload;
    size_t len;
    int64_t deliveries; /* 1 the first time */
    int64_t pushed_ms;
};

/* At most `most` jobs (fewer when they are big: about 64 MiB at once), waiting up to wait_ms for
 * the first. Memory of jobs is the arena's. Returns their number, 0 when nothing came. A signal
 * ends the wait early with 0. A payload that does not fit the arena gives GT_E_LIMIT; that delivery
 * counts. */
int gt_queue_pull(struct gt_queue *queue, const char *topic, size_t most, int64_t wait_ms,
                  struct gt_arena *arena, struct gt_job *ret_jobs, struct gt_error *err);
int gt_queue_ack(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                 struct gt_error *err);
/* A fresh lease_ms from now. */
int gt_queue_extend(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                    struct gt_error *err);
/* Hands it back, available after delay_ms. `counted`: false takes this delivery off the count (a
 * clean stop is not the document's fault). */
int gt_queue_release(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                     int64_t delay_ms, bool counted, struct gt_error *err);
/* To the dead letters, with why. */
int gt_queue_bury(struct gt_queue *queue, const char *topic, const struct gt_job *job,
                  const char *why, struct gt_error *err);

/* Dead letters. */
struct gt_dead {
    char handle[64];
    const char *id, *why;
    const void *payload;
    size_t len;
    int64_t deliveries, pushed_ms, buried_ms;
};
/* Oldest first, from after `after` (NULL: from the start). Returns their number. */
int gt_queue_dead(struct gt_queue *queue, const char *topic, const char *after, size_t most,
                  struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err);
/* Back into the topic as if pushed now, with its deliveries at 0, or dropped for good. */
int gt_queue_replay(struct gt_queue *queue, const char *topic, const char *handle,
                    struct gt_error *err);
int gt_queue_drop(struct gt_queue *queue, const char *topic, const char *handle,
                  struct gt_error *err);

/* The cursor saved last; GT_E_NOTFOUND when there is none. */
int gt_queue_cursor(struct gt_queue *queue, const char *name, struct gt_buffer *ret_value,
                    struct gt_error *err);

/* Small shared facts (at most 64 KiB each): source states, workers' heartbeats, the key's id. Not
 * in any transaction with topics. ttl_ms 0: for good. */
int gt_queue_put(struct gt_queue *queue, const char *name, const void *value, size_t len,
                 int64_t ttl_ms, struct gt_error *err);
/* Only when nothing has that name yet; then, or when there was, *ret_value holds what is there now.
 */
int gt_queue_put_once(struct gt_queue *queue, const char *name, const void *value, size_t len,
                      struct gt_buffer *ret_value, struct gt_error *err);
int gt_queue_get(struct gt_queue *queue, const char *name, struct gt_buffer *ret_value,
                 struct gt_error *err);
struct gt_fact {
    const char *name;
    const void *value;
    size_t len;
};
/* All whose name starts with prefix, sorted; at most `most`. Returns their number. */
int gt_queue_list(struct gt_queue *queue, const char *prefix, size_t most, struct gt_arena *arena,
                  struct gt_fact *ret_facts, struct gt_error *err);

struct gt_topic_stats {
    uint64_t depth;   /* waiting and leased */
    uint64_t pending; /* leased of these; an expired lease counts until somebody takes it over */
    uint64_t dead;
    uint64_t bytes;    /* payloads of depth */
    int64_t oldest_ms; /* when the oldest of depth was pushed; 0: empty */
};
int gt_queue_stats(struct gt_queue *queue, const char *topic, struct gt_topic_stats *ret,
                   struct gt_error *err);

#endif
