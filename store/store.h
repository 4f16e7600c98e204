/* store: findings, their occurrences, deliveries and the audit trail. SQLite.
 *
 * Everything is idempotent by id: putting a finding or an occurrence twice changes nothing. A
 * finding and its pending deliveries are written in one transaction (the outbox), so that acking it
 * on the queue afterwards loses nothing. Deliveries are leased to one notifier at a time by due
 * time and attempt. No plain secret is ever handed in. Durable: synchronous=FULL, WAL. A full disk
 * gives GT_E_FULL. */
#ifndef GT_STORE_H
#define GT_STORE_H

#include "core/core.h"
#include "model/model.h"

struct gt_store;

/* Creates (mode 0600; the folder must be there) or migrates the schema (user_version; each step in
 * one transaction). A newer schema than this build knows is GT_E_UNSUPPORTED, another program's
 * database or a damaged file GT_E_INVALID. read_only: for command-line readers; a store that is not
 * there is GT_E_NOTFOUND. A call waits up to 10 s for another process's transaction, then it is
 * GT_E_AGAIN. A store belongs to one thread. */
int gt_store_open(const char *path, bool read_only, struct gt_store **ret_store,
                  struct gt_error *err);
void gt_store_close(struct gt_store *store);

struct gt_stored_finding {
    struct gt_finding finding; /* as first seen */
    uint64_t occurrences;
    int64_t first_seen_ms, last_seen_ms;
};

/* What the notifier wants sent when the finding turns out to be new; called inside the transaction
 * with the stored state (this occurrence counted in), new or not. Adds deliveries by
 * gt_store_deliver(); a code below 0 undoes the whole put. `stored` lives for the call. */
struct gt_store_txn;
typedef int gt_store_plan(void *user, const struct gt_stored_finding *stored, bool is_new,
                          struct gt_store_txn *txn, struct gt_error *err);
int gt_store_put(struct gt_store *store, const struct gt_finding *finding, gt_store_plan *plan,
                 void *user, struct gt_error *err);
/* alert_json: what will be rendered for the channel, at most GT_STORE_ALERT_MAX bytes; due at
 * due_ms. The same id twice is one delivery, also after it was delivered. On a disabled channel it
 * is dead from the start. */
#define GT_STORE_ALERT_MAX (4 * 1024 * 1024)
int gt_store_deliver(struct gt_store_txn *txn, const char *delivery_id, const char *alert_id,
                     const char *finding_id, const char *channel, const char *alert_json,
                     int64_t due_ms, struct gt_error *err);

struct gt_delivery {
    const char *id, *alert_id, *finding_id, *channel;
    const char *alert_json; /* NULL once it was delivered: nothing is kept longer than needed */
    const char *state;      /* "pending", "dead", "delivered" */
    int64_t created_ms;     /* or last revived: the window of retries starts here */
    int64_t due_ms;         /* while leased: the end of the lease; delivered: when that was */
    int64_t attempts;
    const char *last_error; /* NULL: none */
};
/* Due ones, oldest first, leased for lease_ms (a lease is nothing but a later due time: when it
 * ends, anybody may claim again); those of the channels named in `except` (NULL-ended; may be NULL)
 * and of disabled ones are left. Of one finding and channel only the earliest open one is given
 * out. Takes fewer than `most` when the arena is full. Returns their number. */
int gt_store_claim(struct gt_store *store, int64_t now_ms, int64_t lease_ms,
                   const char *const *except, size_t most, struct gt_arena *arena,
                   struct gt_delivery *ret_deliveries, struct gt_error *err);
/* When the next delivery of an enabled channel can be claimed; 0: none. It may lie in the past. */
int gt_store_next_due(struct gt_store *store, int64_t *ret_due_ms, struct gt_error *err);
/* The three answers. Each is idempotent and does nothing to a delivery that another notifier has
 * closed meanwhile (its lease had run out); an unknown id is GT_E_NOTFOUND. retry: `counted` adds
 * to the attempts. */
int gt_store_delivered(struct gt_store *store, const char *delivery_id, int64_t now_ms,
                       struct gt_error *err);
int gt_store_retry(struct gt_store *store, const char *delivery_id, int64_t due_ms, const char *why,
                   bool counted, struct gt_error *err);
int gt_store_dead(struct gt_store *store, const char *delivery_id, const char *why, int64_t now_ms,
                  struct gt_error *err);
/* A channel that said 410 Gone: its deliveries are dead until enabled again. Enabling takes those
 * that were pending or came since back to pending and returns their number; others that died stay
 * dead. */
int gt_store_disable_channel(struct gt_store *store, const char *channel, const char *why,
                             int64_t now_ms, struct gt_error *err);
int gt_store_enable_channel(struct gt_store *store, const char *channel, struct gt_error *err);
int gt_store_channel_disabled(struct gt_store *store, const char *channel, char *ret_why,
                              size_t why_size, struct gt_error *err); /* 1, 0 or code */

/* Names of the disabled channels, in the arena. Returns their number. */
int gt_store_disabled_channels(struct gt_store *store, size_t most, struct gt_arena *arena,
                               const char **ret_names, struct gt_error *err);

/* For the command line and status. state "pending" or "dead"; NULL: both. Newest first. */
int gt_store_deliveries(struct gt_store *store, const char *state, size_t most,
                        struct gt_arena *arena, struct gt_delivery *ret, struct gt_error *err);
/* One by its id or a unique prefix of at least 6 digits, as gt_store_finding. */
int gt_store_delivery(struct gt_store *store, const char *id, struct gt_arena *arena,
                      struct gt_delivery *ret, struct gt_error *err);
/* Dead ones back to pending with a new window of retries; id (or a unique prefix) NULL: all (of the
 * channel, when given). Returns how many. Does not enable a disabled channel. */
int gt_store_revive(struct gt_store *store, const char *id, const char *channel, int64_t now_ms,
                    struct gt_error *err);
int gt_store_findings(struct gt_store *store, size_t most, struct gt_arena *arena,
                      struct gt_stored_finding *ret, struct gt_error *err);
/* id may be a unique prefix of at least 6 digits; GT_E_NOTFOUND, GT_E_CONFLICT when several fit. */
int gt_store_finding(struct gt_store *store, const char *id, struct gt_arena *arena,
                     struct gt_stored_finding *ret, struct gt_error *err);
/* Where a finding was seen, newest first. Returns their number. */
struct gt_occurrence {
    const char *id, *document, *source, *url, *document_title, *author; /* NULL: none */
    unsigned line, column;
    int64_t published_ms, fetched_ms, detected_ms;
};
int gt_store_occurrences(struct gt_store *store, const char *finding_id, size_t most,
                         struct gt_arena *arena, struct gt_occurrence *ret, struct gt_error *err);
struct gt_store_stats {
    uint64_t findings, occurrences, pending, dead, delivered;
    int64_t oldest_pending_ms;
};
int gt_store_stats(struct gt_store *store, struct gt_store_stats *ret, struct gt_error *err);

#endif
