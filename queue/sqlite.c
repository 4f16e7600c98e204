/* The embedded queue: topics in one SQLite file. See sqlite_file.c for the schema and what survives
 * a power cut. */
#include "queue/sqlite_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

struct topic {
    int64_t n;
    uint64_t depth, bytes;
};

/* One row of `entry`; id and owner are copied, as the statement is done with. */
struct entry {
    int64_t n, deliveries, pushed_ms, body;
    uint64_t len;
    char *id;
    char owner[256];
};

static int topic_get(struct gt_sqlite *self, const char *name, struct topic *ret,
                     struct gt_error *err)
{
    gt_sqlite_bind_text(self, SQL_TOPIC, 1, name);
    int rc = gt_sqlite_row(self, SQL_TOPIC, err);
    if (rc <= 0)
        return rc;
    sqlite3_stmt *row = self->statements[SQL_TOPIC];
    *ret = (struct topic){.n = sqlite3_column_int64(row, 0),
                          .depth = (uint64_t)sqlite3_column_int64(row, 1),
                          .bytes = (uint64_t)sqlite3_column_int64(row, 2)};
    gt_sqlite_done(self, SQL_TOPIC);
    return 1;
}

static int topic_make(struct gt_sqlite *self, const char *name, struct topic *ret,
                      struct gt_error *err)
{
    int rc = topic_get(self, name, ret, err);
    if (rc)
        return rc < 0 ? rc : 0;
    gt_sqlite_bind_text(self, SQL_TOPIC_ADD, 1, name);
    rc = gt_sqlite_run(self, SQL_TOPIC_ADD, err);
    if (!rc)
        rc = topic_get(self, name, ret, err);
    return rc < 0 ? rc : 0;
}

/* 1: not seen before (and now it is). */
static int see(struct gt_sqlite *self, int64_t topic, const char *id, int64_t now,
               struct gt_error *err)
{
    unsigned char digest[GT_ID_BYTES];
    gt_queue_digest(id, digest);
    gt_sqlite_bind_int(self, SQL_SEEN_ADD, 1, topic);
    gt_sqlite_bind_bytes(self, SQL_SEEN_ADD, 2, digest, sizeof(digest));
    gt_sqlite_bind_int(self, SQL_SEEN_ADD, 3, now);
    gt_sqlite_bind_int(self, SQL_SEEN_ADD, 4, now - self->settings.seen_ms);
    int rc = gt_sqlite_run(self, SQL_SEEN_ADD, err);
    return rc ? rc : sqlite3_changes(self->db);
}

/* Looks at twice as many ids as were added: what expired is gone long before as much again has
 * gathered. */
static int sweep_seen(struct gt_sqlite *self, int64_t topic, size_t added, int64_t now,
                      struct gt_error *err)
{
    unsigned char from[GT_ID_BYTES] = {0};
    for (size_t i = 0; i < 4; i++)
        from[i] = (unsigned char)gt_random(256);
    gt_sqlite_bind_int(self, SQL_SEEN_SWEEP, 1, topic);
    gt_sqlite_bind_bytes(self, SQL_SEEN_SWEEP, 2, from, sizeof(from));
    gt_sqlite_bind_int(self, SQL_SEEN_SWEEP, 3, now - self->settings.seen_ms);
    gt_sqlite_bind_int(self, SQL_SEEN_SWEEP, 4, (int64_t)(2 * added + 4));
    return gt_sqlite_run(self, SQL_SEEN_SWEEP, err);
}

static int add_entry(struct gt_sqlite *self, int64_t topic, const struct gt_push *push, int64_t now,
                     struct gt_error *err)
{
    gt_sqlite_bind_bytes(self, SQL_BODY_ADD, 1, push->payload, push->len);
    int rc = gt_sqlite_run(self, SQL_BODY_ADD, err);
    if (rc)
        return rc;
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 1, topic);
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 2, now);
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 3, (int64_t)push->len);
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 4, sqlite3_last_insert_rowid(self->db));
    gt_sqlite_bind_text(self, SQL_ENTRY_ADD, 5, push->id);
    return gt_sqlite_run(self, SQL_ENTRY_ADD, err);
}

static int check_mark(const struct gt_sqlite *self, const char *name, const struct topic *topic,
                      uint64_t count, uint64_t bytes, struct gt_error *err)
{
    uint64_t most_bytes = self->settings.high_water_bytes;
    uint64_t most_count = self->settings.high_water_count;
    if (!topic->depth || !((most_bytes && topic->bytes + bytes > most_bytes) ||
                           (most_count && topic->depth + count > most_count)))
        return 0;
    return gt_fail(
        err, GT_E_FULL,
        "topic %s is at its high-water mark (%llu entries, %llu bytes waiting); crawling "
        "pauses until workers caught up",
        name, (unsigned long long)topic->depth, (unsigned long long)topic->bytes);
}

static int check_size(struct gt_sqlite *self, struct gt_error *err)
{
    uint64_t used = 0;
    int rc = self->max_size ? gt_sqlite_used(self, &used, err) : 0;
    if (rc || used <= self->max_size)
        return rc;
    return gt_fail(err, GT_E_FULL,
                   "%s: the queue's file reached `max_size: %llu`; crawling pauses until workers "
                   "caught up",
                   self->path, (unsigned long long)self->max_size);
}

#define RESERVE_MOST ((uint64_t)64 * 1024 * 1024)

/* New work must leave room on the disk to finish the old: taking and acking write, too, and a queue
 * that filled its disk to the last page could never drain. What comes after documents may go deeper
 * into the reserve than documents. A file system that does not tell its size is not held to this.
 */
static int check_room(const struct gt_sqlite *self, const char *name, uint64_t bytes,
                      struct gt_error *err)
{
    struct statvfs fs;
    if (statvfs(self->path, &fs) || fs.f_blocks == 0)
        return 0;
    uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t reserve = (uint64_t)fs.f_blocks * fs.f_frsize / 8;
    if (reserve > RESERVE_MOST)
        reserve = RESERVE_MOST;
    if (strcmp(name, GT_TOPIC_DOCUMENTS) != 0)
        reserve /= 4;
    if (free_bytes >= reserve + 2 * bytes) /* once in the log, once in the file */
        return 0;
    return gt_fail(err, GT_E_FULL,
                   "%s: the disk is nearly full (%llu bytes free); crawling pauses until workers "
                   "caught up or there is room again. Nothing was lost",
                   self->path, (unsigned long long)free_bytes);
}

static int add_fresh(struct gt_sqlite *self, const char *name, const struct topic *topic,
                     const struct gt_push *entries, size_t count, size_t *ret_fresh,
                     struct gt_error *err)
{
    int64_t now = gt_now();
    uint64_t bytes = 0;
    size_t fresh = 0;
    for (size_t i = 0; i < count; i++) {
        int rc = see(self, topic->n, entries[i].id, now, err);
        if (rc < 0)
            return rc;
        if (!rc)
            continue;
        fresh++;
        bytes += entries[i].len;
        rc = check_mark(self, name, topic, fresh, bytes, err);
        if (!rc)
            rc = add_entry(self, topic->n, &entries[i], now, err);
        if (rc)
            return rc;
    }
    *ret_fresh = fresh;
    if (!fresh)
        return 0;
    int rc = sweep_seen(self, topic->n, fresh, now, err);
    if (!rc)
        rc = gt_sqlite_topic_change(self, topic->n, (int64_t)fresh, (int64_t)bytes, 0, err);
    if (!rc)
        rc = check_room(self, name, bytes, err);
    return rc ? rc : check_size(self, err);
}

static int sqlite_push(void *handle, const char *name, const struct gt_push *entries, size_t count,
                       const struct gt_cursor *cursor, size_t *ret_fresh, struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    struct topic topic = {0};
    size_t fresh = 0;
    int rc = gt_sqlite_begin(self, err);
    if (rc)
        return rc;
    rc = topic_make(self, name, &topic, err);
    if (!rc)
        rc = add_fresh(self, name, &topic, entries, count, &fresh, err);
    if (!rc && cursor)
        rc = gt_sqlite_cursor_set(self, cursor, err);
    rc = gt_sqlite_end(self, rc, err);
    if (!rc)
        *ret_fresh = fresh;
    return rc;
}

/* 1: *ret holds the row of `which`; id is arena memory (NULL: no room). */
static int entry_row(struct gt_sqlite *self, enum gt_sql which, struct gt_arena *arena,
                     struct entry *ret, struct gt_error *err)
{
    int rc = gt_sqlite_row(self, which, err);
    if (rc <= 0)
        return rc;
    sqlite3_stmt *row = self->statements[which];
    const char *owner = (const char *)sqlite3_column_text(row, 2);
    const char *id = (const char *)sqlite3_column_text(row, 6);
    *ret = (struct entry){.n = sqlite3_column_int64(row, 0),
                          .deliveries = sqlite3_column_int64(row, 1),
                          .pushed_ms = sqlite3_column_int64(row, 3),
                          .len = (uint64_t)sqlite3_column_int64(row, 4),
                          .body = sqlite3_column_int64(row, 5)};
    snprintf(ret->owner, sizeof(ret->owner), "%s", owner ? owner : "");
    ret->id = arena ? gt_arena_strdup(arena, id ? id : "") : NULL;
    gt_sqlite_done(self, which);
    return 1;
}

/* Taken-back work before new work: it has waited longer. */
static int next_entry(struct gt_sqlite *self, int64_t topic, int64_t now, struct gt_arena *arena,
                      struct entry *ret, struct gt_error *err)
{
    gt_sqlite_bind_int(self, SQL_DUE, 1, topic);
    gt_sqlite_bind_int(self, SQL_DUE, 2, now);
    int rc = entry_row(self, SQL_DUE, arena, ret, err);
    if (rc)
        return rc;
    gt_sqlite_bind_int(self, SQL_NEW, 1, topic);
    return entry_row(self, SQL_NEW, arena, ret, err);
}

static int bury_entry(struct gt_sqlite *self, int64_t topic, const struct entry *entry,
                      const char *name, const char *why, struct gt_error *err)
{
    gt_sqlite_bind_int(self, SQL_DEAD_ADD, 1, entry->n);
    gt_sqlite_bind_int(self, SQL_DEAD_ADD, 2, gt_now());
    gt_sqlite_bind_text(self, SQL_DEAD_ADD, 3, why);
    int rc = gt_sqlite_run(self, SQL_DEAD_ADD, err);
    if (rc)
        return rc;
    gt_sqlite_bind_int(self, SQL_ENTRY_DELETE, 1, entry->n);
    gt_sqlite_bind_text(self, SQL_ENTRY_DELETE, 2, name);
    rc = gt_sqlite_run(self, SQL_ENTRY_DELETE, err);
    return rc ? rc : gt_sqlite_topic_change(self, topic, -1, -(int64_t)entry->len, 1, err);
}

static int lease(struct gt_sqlite *self, const struct entry *entry, int64_t available_ms,
                 bool owned, struct gt_error *err)
{
    gt_sqlite_bind_int(self, SQL_LEASE, 1, entry->n);
    if (owned)
        gt_sqlite_bind_text(self, SQL_LEASE, 2, self->settings.consumer);
    gt_sqlite_bind_int(self, SQL_LEASE, 3, entry->deliveries + 1);
    gt_sqlite_bind_int(self, SQL_LEASE, 4, available_ms);
    return gt_sqlite_run(self, SQL_LEASE, err);
}

/* 1: handed out; 0: no room in the arena. */
static int hand_out(struct gt_sqlite *self, const struct entry *entry, int64_t now,
                    struct gt_arena *arena, struct gt_job *ret, struct gt_error *err)
{
    struct gt_job job = {
        .id = entry->id, .deliveries = entry->deliveries + 1, .pushed_ms = entry->pushed_ms};
    int rc =
        entry->id ? gt_sqlite_read_body(self, entry->body, arena, &job.payload, &job.len, err) : 0;
    if (rc <= 0)
        return rc;
    rc = lease(self, entry, now + self->settings.lease_ms, true, err);
    if (rc)
        return rc;
    snprintf(job.handle, sizeof(job.handle), "%lld", (long long)entry->n);
    *ret = job;
    return 1;
}

static int bury_worn(struct gt_sqlite *self, int64_t topic, const struct entry *entry,
                     const char *name, struct gt_error *err)
{
    char why[400];
    snprintf(why, sizeof(why), GT_QUEUE_BURIED_BY_COUNT, (long long)entry->deliveries,
             *entry->owner ? entry->owner : "nobody");
    return bury_entry(self, topic, entry, name, why, err);
}

struct taking {
    int64_t now;
    size_t most;
    struct gt_arena *arena;
    struct gt_job *jobs;
    int got, buried;
    const char *too_big; /* a payload the arena has no room for */
    char too_big_id[160];
};

/* 1: go on; 0: enough. */
static int take_one(struct gt_sqlite *self, const char *name, int64_t topic, struct taking *taking,
                    struct gt_error *err)
{
    struct entry entry;
    int rc = next_entry(self, topic, taking->now, taking->arena, &entry, err);
    if (rc <= 0)
        return rc;
    if (entry.deliveries >= self->settings.max_deliveries) {
        rc = bury_worn(self, topic, &entry, name, err);
        taking->buried += !rc;
        return rc ? rc : 1;
    }
    rc = hand_out(self, &entry, taking->now, taking->arena, &taking->jobs[taking->got], err);
    if (rc)
        return rc < 0 ? rc : (taking->got++, 1);
    if (taking->got)
        return 0;
    snprintf(taking->too_big_id, sizeof(taking->too_big_id), "%s",
             entry.id ? entry.id : "an entry");
    taking->too_big = taking->too_big_id;
    return lease(self, &entry, taking->now, false, err);
}

static int take(struct gt_sqlite *self, const char *name, struct taking *taking,
                struct gt_error *err)
{
    struct topic topic;
    uint64_t bytes = 0;
    int rc = topic_get(self, name, &topic, err);
    while (rc > 0 && (size_t)taking->got < taking->most && bytes < GT_QUEUE_PULL_BYTES) {
        int before = taking->got;
        rc = take_one(self, name, topic.n, taking, err);
        if (taking->got > before)
            bytes += taking->jobs[before].len;
    }
    return rc < 0 ? rc : 0;
}

/* Looking takes no lock; only when something is there is the write lock asked for. */
static int sqlite_pull(void *handle, const char *name, size_t most, struct gt_arena *arena,
                       struct gt_job *ret_jobs, struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    struct taking taking = {.now = gt_now(), .most = most, .arena = arena, .jobs = ret_jobs};
    gt_sqlite_bind_text(self, SQL_ANY, 1, name);
    gt_sqlite_bind_int(self, SQL_ANY, 2, taking.now);
    int rc = gt_sqlite_row(self, SQL_ANY, err);
    if (rc == 0)
        gt_sqlite_shrink(self);
    if (rc <= 0)
        return rc;
    gt_sqlite_done(self, SQL_ANY);
    rc = gt_sqlite_begin(self, err);
    if (rc)
        return rc;
    rc = gt_sqlite_end(self, take(self, name, &taking, err), err);
    if (rc)
        return rc;
    gt_queue_count("guette_queue_buried_total", name, taking.buried);
    if (taking.too_big)
        return gt_fail(err, GT_E_LIMIT,
                       "the payload of %s does not fit the memory allowed for one document",
                       taking.too_big);
    return taking.got;
}

static int forget(struct gt_sqlite *self, const char *name, int64_t n, struct gt_error *err)
{
    gt_sqlite_bind_int(self, SQL_ENTRY_DELETE, 1, n);
    gt_sqlite_bind_text(self, SQL_ENTRY_DELETE, 2, name);
    int rc = gt_sqlite_row(self, SQL_ENTRY_DELETE, err);
    if (rc <= 0)
        return rc;
    sqlite3_stmt *row = self->statements[SQL_ENTRY_DELETE];
    int64_t topic = sqlite3_column_int64(row, 0), len = sqlite3_column_int64(row, 1);
    gt_sqlite_bind_int(self, SQL_BODY_DELETE, 1, sqlite3_column_int64(row, 2));
    gt_sqlite_done(self, SQL_ENTRY_DELETE);
    rc = gt_sqlite_run(self, SQL_BODY_DELETE, err);
    return rc ? rc : gt_sqlite_topic_change(self, topic, -1, -len, 0, err);
}

static int sqlite_ack(void *handle, const char *name, const struct gt_job *job,
                      struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    int64_t n = 0;
    if (!gt_sqlite_read_handle(job->handle, &n))
        return gt_fail(err, GT_E_INVALID, "\"%.63s\" is no job of this queue", job->handle);
    int rc = gt_sqlite_begin(self, err);
    return rc ? rc : gt_sqlite_end(self, forget(self, name, n, err), err);
}

static int lost(const struct gt_job *job, struct gt_error *err)
{
    return gt_fail(err, GT_E_CONFLICT,
                   "the lease of %s was lost: another worker has it, or it is done",
                   job->id ? job->id : job->handle);
}

/* For as long as it is ours. */
static int change(struct gt_sqlite *self, const char *name, const struct gt_job *job,
                  int64_t available_ms, bool keep, bool uncount, struct gt_error *err)
{
    int64_t n = 0;
    if (!gt_sqlite_read_handle(job->handle, &n))
        return lost(job, err);
    gt_sqlite_bind_int(self, SQL_ENTRY_CHANGE, 1, n);
    gt_sqlite_bind_text(self, SQL_ENTRY_CHANGE, 2, self->settings.consumer);
    gt_sqlite_bind_int(self, SQL_ENTRY_CHANGE, 3, job->deliveries);
    gt_sqlite_bind_text(self, SQL_ENTRY_CHANGE, 4, name);
    gt_sqlite_bind_int(self, SQL_ENTRY_CHANGE, 5, available_ms);
    gt_sqlite_bind_int(self, SQL_ENTRY_CHANGE, 6, keep);
    gt_sqlite_bind_int(self, SQL_ENTRY_CHANGE, 7, uncount);
    int rc = gt_sqlite_run(self, SQL_ENTRY_CHANGE, err);
    return rc || sqlite3_changes(self->db) ? rc : lost(job, err);
}

static int sqlite_extend(void *handle, const char *name, const struct gt_job *job,
                         struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    return change(self, name, job, gt_now() + self->settings.lease_ms, true, false, err);
}

static int sqlite_release(void *handle, const char *name, const struct gt_job *job,
                          int64_t delay_ms, bool counted, struct gt_error *err)
{
    return change(handle, name, job, gt_now() + delay_ms, false, !counted, err);
}

static int bury_mine(struct gt_sqlite *self, const char *name, const struct gt_job *job,
                     const char *why, struct gt_error *err)
{
    struct entry entry;
    struct topic topic = {0};
    int64_t n = 0;
    if (!gt_sqlite_read_handle(job->handle, &n))
        return lost(job, err);
    gt_sqlite_bind_int(self, SQL_ENTRY, 1, n);
    gt_sqlite_bind_text(self, SQL_ENTRY, 2, name);
    int rc = entry_row(self, SQL_ENTRY, NULL, &entry, err);
    if (rc < 0)
        return rc;
    if (!rc || strcmp(entry.owner, self->settings.consumer) != 0 ||
        entry.deliveries != job->deliveries)
        return lost(job, err);
    rc = topic_get(self, name, &topic, err);
    return rc < 0 ? rc : bury_entry(self, topic.n, &entry, name, why, err);
}

static int sqlite_bury(void *handle, const char *name, const struct gt_job *job, const char *why,
                       struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    int rc = gt_sqlite_begin(self, err);
    return rc ? rc : gt_sqlite_end(self, bury_mine(self, name, job, why, err), err);
}

static int sqlite_stats(void *handle, const char *name, struct gt_topic_stats *ret,
                        struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    struct gt_topic_stats stats = {0};
    gt_sqlite_bind_text(self, SQL_STATS, 1, name);
    int rc = gt_sqlite_row(self, SQL_STATS, err);
    if (rc < 0)
        return rc;
    if (rc) {
        sqlite3_stmt *row = self->statements[SQL_STATS];
        stats.depth = (uint64_t)sqlite3_column_int64(row, 0);
        stats.bytes = (uint64_t)sqlite3_column_int64(row, 1);
        stats.dead = (uint64_t)sqlite3_column_int64(row, 2);
        stats.pending = (uint64_t)sqlite3_column_int64(row, 3);
        stats.oldest_ms = sqlite3_column_int64(row, 4);
        gt_sqlite_done(self, SQL_STATS);
    }
    *ret = stats;
    return 0;
}

const struct gt_queue_backend gt_queue_sqlite = {
    .name = "sqlite",
    .kind = &gt_queue_sqlite_kind,
    .open = gt_sqlite_open,
    .close = gt_sqlite_close,
    .push = sqlite_push,
    .pull = sqlite_pull,
    .ack = sqlite_ack,
    .extend = sqlite_extend,
    .release = sqlite_release,
    .bury = sqlite_bury,
    .dead = gt_sqlite_dead,
    .replay = gt_sqlite_replay,
    .drop = gt_sqlite_drop,
    .cursor = gt_sqlite_cursor,
    .put = gt_sqlite_put,
    .put_once = gt_sqlite_put_once,
    .get = gt_sqlite_get,
    .list = gt_sqlite_list,
    .stats = sqlite_stats,
};
