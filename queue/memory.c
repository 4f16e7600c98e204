/* The queue in this process's memory: for tests, and a plain statement of what the contract means.
 * Handles of one process with the same `name` share one queue; it lives as long as one of them is
 * open. Everything is found by walking lists. */
#include "queue/memory_room.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct gt_queue_common common;
    const char *name;
};

struct memory {
    struct gt_queue_settings settings;
    struct gt_memory_room *room;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void unlock(const int *held)
{
    (void)held;
    pthread_mutex_unlock(&lock);
}

/* Holds the lock until the end of the block. */
#define LOCKED __attribute__((cleanup(unlock), unused)) int held = pthread_mutex_lock(&lock)

static int no_memory(struct gt_error *err)
{
    return gt_fail(err, GT_E_NOMEM, "out of memory");
}

static struct gt_memory_topic *topic_of(const struct memory *self, const char *name)
{
    return gt_memory_topic_get(self->room, name);
}

static int memory_open(const struct gt_queue_settings *settings, void **ret_self,
                       struct gt_error *err)
{
    LOCKED;
    const struct options *options = settings->options;
    struct memory *self = calloc(1, sizeof(*self));
    if (!self)
        return no_memory(err);
    self->settings = *settings;
    self->room = gt_memory_room_get(options->name);
    if (!self->room) {
        free(self);
        return no_memory(err);
    }
    self->room->handles++;
    *ret_self = self;
    return 0;
}

static void memory_close(void *handle)
{
    LOCKED;
    struct memory *self = handle;
    if (--self->room->handles == 0)
        gt_memory_room_free(self->room);
    free(self);
}

/* A push under way: everything that may fail is made first, then the whole is put in place. */
struct batch {
    struct gt_memory_entries fresh;
    struct gt_memory_seen **seen;
    size_t count;
    uint64_t bytes;
    struct gt_memory_value *cursor;
};

static void batch_free(struct batch *batch)
{
    gt_memory_entries_free(&batch->fresh);
    for (size_t i = 0; i < batch->count && batch->seen; i++)
        free(batch->seen[i]);
    free(batch->seen);
    if (batch->cursor) {
        free(batch->cursor->name);
        free(batch->cursor->bytes);
        free(batch->cursor);
    }
}

static bool twice_in(const struct batch *batch, const unsigned char digest[GT_ID_BYTES])
{
    for (size_t i = 0; i < batch->count; i++)
        if (!memcmp(batch->seen[i]->digest, digest, GT_ID_BYTES))
            return true;
    return false;
}

static int batch_add(struct batch *batch, const struct gt_push *push,
                     const unsigned char digest[GT_ID_BYTES], int64_t now, struct gt_error *err)
{
    struct gt_memory_seen *seen = calloc(1, sizeof(*seen));
    struct gt_memory_entry *entry = calloc(1, sizeof(*entry));
    if (!seen || !entry || !(entry->id = strdup(push->id)) ||
        !(entry->payload = gt_memory_copy(push->payload, push->len))) {
        free(seen);
        gt_memory_entry_free(entry);
        return no_memory(err);
    }
    memcpy(seen->digest, digest, GT_ID_BYTES);
    seen->at = entry->pushed_ms = now;
    entry->len = push->len;
    batch->seen[batch->count++] = seen;
    batch->bytes += push->len;
    TAILQ_INSERT_TAIL(&batch->fresh, entry, link);
    return 0;
}

static int batch_fill(struct memory *self, struct gt_memory_topic *topic, struct batch *batch,
                      const struct gt_push *entries, size_t count, const struct gt_cursor *cursor,
                      struct gt_error *err)
{
    int64_t now = gt_now();
    if (!(batch->seen = calloc(count + 1, sizeof(struct gt_memory_seen *))))
        return no_memory(err);
    if (cursor &&
        !(batch->cursor = gt_memory_value_new(cursor->name, cursor->value, cursor->len, 0)))
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        unsigned char digest[GT_ID_BYTES];
        gt_queue_digest(entries[i].id, digest);
        if (gt_memory_was_seen(topic, digest, now - self->settings.seen_ms) ||
            twice_in(batch, digest))
            continue;
        int rc = batch_add(batch, &entries[i], digest, now, err);
        if (rc)
            return rc;
    }
    return 0;
}

static void batch_place(struct memory *self, struct gt_memory_topic *topic, struct batch *batch)
{
    struct gt_memory_entry *entry;
    TAILQ_FOREACH(entry, &batch->fresh, link)
    entry->number = ++self->room->last;
    TAILQ_CONCAT(&topic->live, &batch->fresh, link);
    for (size_t i = 0; i < batch->count; i++)
        LIST_INSERT_HEAD(&topic->seen[gt_memory_seen_bucket(batch->seen[i]->digest)],
                         batch->seen[i], link);
    topic->depth += batch->count;
    topic->bytes += batch->bytes;
    batch->count = 0;
    if (batch->cursor)
        gt_memory_value_set(&self->room->cursors, batch->cursor);
    batch->cursor = NULL;
}

static bool too_high(const struct memory *self, const struct gt_memory_topic *topic,
                     const struct batch *batch)
{
    uint64_t bytes = self->settings.high_water_bytes, count = self->settings.high_water_count;
    if (!batch->count || !topic->depth)
        return false;
    return (bytes && topic->bytes + batch->bytes > bytes) ||
           (count && topic->depth + batch->count > count);
}

static int memory_push(void *handle, const char *name, const struct gt_push *entries, size_t count,
                       const struct gt_cursor *cursor, size_t *ret_fresh, struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_topic *topic = topic_of(self, name);
    if (!topic)
        return no_memory(err);
    struct batch batch = {0};
    TAILQ_INIT(&batch.fresh);
    int rc = batch_fill(self, topic, &batch, entries, count, cursor, err);
    size_t fresh = batch.count;
    if (!rc && too_high(self, topic, &batch))
        rc = gt_fail(err, GT_E_FULL, "topic %s is over its high-water mark", name);
    if (!rc) {
        batch_place(self, topic, &batch);
        *ret_fresh = fresh;
    }
    batch_free(&batch);
    return rc;
}

static void leave(struct gt_memory_topic *topic, struct gt_memory_entry *entry)
{
    TAILQ_REMOVE(&topic->live, entry, link);
    topic->depth--;
    topic->bytes -= entry->len;
}

static int entomb(struct memory *self, struct gt_memory_topic *topic, struct gt_memory_entry *entry,
                  const char *why, struct gt_error *err)
{
    char *words = strdup(why);
    if (!words)
        return no_memory(err);
    leave(topic, entry);
    free(entry->why);
    entry->why = words;
    entry->number = ++self->room->last;
    entry->buried_ms = gt_now();
    TAILQ_INSERT_TAIL(&topic->dead, entry, link);
    topic->buried++;
    return 0;
}

static int entomb_worn(struct memory *self, struct gt_memory_topic *topic,
                       struct gt_memory_entry *entry, struct gt_error *err)
{
    char why[300];
    snprintf(why, sizeof(why), GT_QUEUE_BURIED_BY_COUNT, (long long)entry->deliveries,
             entry->owner ? entry->owner : "nobody");
    int rc = entomb(self, topic, entry, why, err);
    gt_queue_count("guette_queue_buried_total", topic->name, !rc);
    return rc;
}

static int lease(struct memory *self, struct gt_memory_entry *entry, int64_t now,
                 struct gt_error *err)
{
    char *owner = strdup(self->settings.consumer);
    if (!owner)
        return no_memory(err);
    free(entry->owner);
    entry->owner = owner;
    entry->deliveries++;
    entry->available_ms = now + self->settings.lease_ms;
    return 0;
}

static void hand_back(struct gt_memory_entry *entry, int64_t available_ms)
{
    free(entry->owner);
    entry->owner = NULL;
    entry->available_ms = available_ms;
}

static bool fill_job(const struct gt_memory_entry *entry, struct gt_arena *arena,
                     struct gt_job *job)
{
    *job = (struct gt_job){
        .id = gt_arena_strdup(arena, entry->id),
        .payload = gt_arena_memdup(arena, entry->payload, entry->len),
        .len = entry->len,
        .deliveries = entry->deliveries,
        .pushed_ms = entry->pushed_ms,
    };
    snprintf(job->handle, sizeof(job->handle), "%llu", (unsigned long long)entry->number);
    return job->id && job->payload;
}

static struct gt_memory_entry *next_available(struct gt_memory_topic *topic, int64_t now)
{
    struct gt_memory_entry *entry;
    TAILQ_FOREACH(entry, &topic->live, link)
    if (entry->available_ms <= now)
        return entry;
    return NULL;
}

static int memory_pull(void *handle, const char *name, size_t most, struct gt_arena *arena,
                       struct gt_job *ret_jobs, struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_topic *topic = topic_of(self, name);
    int64_t now = gt_now();
    uint64_t bytes = 0;
    int got = 0, rc = topic ? 0 : no_memory(err);
    struct gt_memory_entry *entry;
    while (!rc && (size_t)got < most && bytes < GT_QUEUE_PULL_BYTES &&
           (entry = next_available(topic, now))) {
        if (entry->deliveries >= self->settings.max_deliveries) {
            rc = entomb_worn(self, topic, entry, err);
            continue;
        }
        rc = lease(self, entry, now, err);
        if (rc)
            break;
        if (!fill_job(entry, arena, &ret_jobs[got])) {
            hand_back(entry, now);
            entry->deliveries -= got > 0;
            rc = gt_fail(err, GT_E_LIMIT, "the payload of %s (%zu bytes) does not fit", entry->id,
                         entry->len);
            break;
        }
        got++;
        bytes += entry->len;
    }
    return got ? got : rc;
}

static struct gt_memory_entry *find(struct gt_memory_entries *list, const char *handle)
{
    struct gt_memory_entry *entry;
    char number[32];
    TAILQ_FOREACH(entry, list, link)
    {
        snprintf(number, sizeof(number), "%llu", (unsigned long long)entry->number);
        if (!strcmp(number, handle))
            return entry;
    }
    return NULL;
}

static int find_mine(struct memory *self, const char *name, const struct gt_job *job,
                     struct gt_memory_topic **ret_topic, struct gt_memory_entry **ret_entry,
                     struct gt_error *err)
{
    struct gt_memory_topic *topic = topic_of(self, name);
    if (!topic)
        return no_memory(err);
    struct gt_memory_entry *entry = find(&topic->live, job->handle);
    if (!entry || !entry->owner || strcmp(entry->owner, self->settings.consumer) != 0 ||
        entry->deliveries != job->deliveries)
        return gt_fail(err, GT_E_CONFLICT, "the lease of %s was lost", job->id ? job->id : "a job");
    *ret_topic = topic;
    *ret_entry = entry;
    return 0;
}

static int memory_ack(void *handle, const char *name, const struct gt_job *job,
                      struct gt_error *err)
{
    LOCKED;
    struct gt_memory_topic *topic = topic_of(handle, name);
    if (!topic)
        return no_memory(err);
    struct gt_memory_entry *entry = find(&topic->live, job->handle);
    if (entry) {
        leave(topic, entry);
        gt_memory_entry_free(entry);
    }
    return 0;
}

static int memory_extend(void *handle, const char *name, const struct gt_job *job,
                         struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_topic *topic = NULL;
    struct gt_memory_entry *entry = NULL;
    int rc = find_mine(self, name, job, &topic, &entry, err);
    if (!rc)
        entry->available_ms = gt_now() + self->settings.lease_ms;
    return rc;
}

static int memory_release(void *handle, const char *name, const struct gt_job *job,
                          int64_t delay_ms, bool counted, struct gt_error *err)
{
    LOCKED;
    struct gt_memory_topic *topic = NULL;
    struct gt_memory_entry *entry = NULL;
    int rc = find_mine(handle, name, job, &topic, &entry, err);
    if (rc)
        return rc;
    hand_back(entry, gt_now() + delay_ms);
    entry->deliveries -= !counted;
    return 0;
}

static int memory_bury(void *handle, const char *name, const struct gt_job *job, const char *why,
                       struct gt_error *err)
{
    LOCKED;
    struct gt_memory_topic *topic = NULL;
    struct gt_memory_entry *entry = NULL;
    int rc = find_mine(handle, name, job, &topic, &entry, err);
    return rc ? rc : entomb(handle, topic, entry, why, err);
}

static bool fill_dead(const struct gt_memory_entry *entry, struct gt_arena *arena,
                      struct gt_dead *dead)
{
    *dead = (struct gt_dead){
        .id = gt_arena_strdup(arena, entry->id),
        .why = gt_arena_strdup(arena, entry->why),
        .payload = gt_arena_memdup(arena, entry->payload, entry->len),
        .len = entry->len,
        .deliveries = entry->deliveries,
        .pushed_ms = entry->pushed_ms,
        .buried_ms = entry->buried_ms,
    };
    snprintf(dead->handle, sizeof(dead->handle), "%llu", (unsigned long long)entry->number);
    return dead->id && dead->why && dead->payload;
}

static int memory_dead(void *handle, const char *name, const char *after, size_t most,
                       struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err)
{
    LOCKED;
    struct gt_memory_topic *topic = topic_of(handle, name);
    unsigned long long start = after ? strtoull(after, NULL, 10) : 0;
    int got = 0;
    struct gt_memory_entry *entry;
    if (!topic)
        return no_memory(err);
    TAILQ_FOREACH(entry, &topic->dead, link)
    {
        if (entry->number <= start)
            continue;
        if ((size_t)got == most)
            break;
        if (!fill_dead(entry, arena, &ret_dead[got]))
            return got ? got
                       : gt_fail(err, GT_E_LIMIT, "the payload of %s does not fit", entry->id);
        got++;
    }
    return got;
}

static int take_dead(struct memory *self, const char *name, const char *handle,
                     struct gt_memory_topic **ret_topic, struct gt_memory_entry **ret_entry,
                     struct gt_error *err)
{
    struct gt_memory_topic *topic = topic_of(self, name);
    if (!topic)
        return no_memory(err);
    struct gt_memory_entry *entry = find(&topic->dead, handle);
    if (!entry)
        return gt_fail(err, GT_E_NOTFOUND, "there is no dead letter %.63s in %s", handle, name);
    TAILQ_REMOVE(&topic->dead, entry, link);
    topic->buried--;
    *ret_topic = topic;
    *ret_entry = entry;
    return 0;
}

static int memory_replay(void *handle, const char *name, const char *dead, struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_topic *topic = NULL;
    struct gt_memory_entry *entry = NULL;
    int rc = take_dead(self, name, dead, &topic, &entry, err);
    if (rc)
        return rc;
    hand_back(entry, 0);
    entry->number = ++self->room->last;
    entry->deliveries = 0;
    entry->pushed_ms = gt_now();
    TAILQ_INSERT_TAIL(&topic->live, entry, link);
    topic->depth++;
    topic->bytes += entry->len;
    return 0;
}

static int memory_drop(void *handle, const char *name, const char *dead, struct gt_error *err)
{
    LOCKED;
    struct gt_memory_topic *topic = NULL;
    struct gt_memory_entry *entry = NULL;
    int rc = take_dead(handle, name, dead, &topic, &entry, err);
    if (!rc)
        gt_memory_entry_free(entry);
    return rc;
}

static int memory_cursor(void *handle, const char *name, struct gt_buffer *ret_value,
                         struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_value *value = gt_memory_value_find(&self->room->cursors, name, 0);
    return value ? gt_queue_value(ret_value, value->bytes, value->len, err)
                 : gt_fail(err, GT_E_NOTFOUND, "%s has no cursor yet", name);
}

static int memory_put(void *handle, const char *name, const void *bytes, size_t len, int64_t ttl_ms,
                      struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_value *value =
        gt_memory_value_new(name, bytes, len, ttl_ms ? gt_now() + ttl_ms : 0);
    if (!value)
        return no_memory(err);
    gt_memory_value_set(&self->room->facts, value);
    return 0;
}

static int memory_put_once(void *handle, const char *name, const void *bytes, size_t len,
                           struct gt_buffer *ret_value, struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_value *value = gt_memory_value_find(&self->room->facts, name, gt_now());
    if (!value) {
        if (!(value = gt_memory_value_new(name, bytes, len, 0)))
            return no_memory(err);
        gt_memory_value_set(&self->room->facts, value);
    }
    return gt_queue_value(ret_value, value->bytes, value->len, err);
}

static int memory_get(void *handle, const char *name, struct gt_buffer *ret_value,
                      struct gt_error *err)
{
    LOCKED;
    struct memory *self = handle;
    struct gt_memory_value *value = gt_memory_value_find(&self->room->facts, name, gt_now());
    return value ? gt_queue_value(ret_value, value->bytes, value->len, err)
                 : gt_fail(err, GT_E_NOTFOUND, "there is no fact \"%s\"", name);
}

/* The first name after `after` that starts with the prefix. */
static struct gt_memory_value *next_fact(struct memory *self, const char *prefix, const char *after,
                                         int64_t now)
{
    struct gt_memory_value *value, *best = NULL;
    LIST_FOREACH(value, &self->room->facts, link)
    if (gt_starts_with(value->name, prefix) && (!value->until || value->until > now) &&
        (!after || strcmp(value->name, after) > 0) &&
        (!best || strcmp(value->name, best->name) < 0))
        best = value;
    return best;
}

static int memory_list(void *handle, const char *prefix, size_t most, struct gt_arena *arena,
                       struct gt_fact *ret_facts, struct gt_error *err)
{
    LOCKED;
    int64_t now = gt_now();
    int got = 0;
    struct gt_memory_value *value = next_fact(handle, prefix, NULL, now);
    for (; value && (size_t)got < most; value = next_fact(handle, prefix, value->name, now)) {
        ret_facts[got] = (struct gt_fact){.name = gt_arena_strdup(arena, value->name),
                                          .value = gt_arena_memdup(arena, value->bytes, value->len),
                                          .len = value->len};
        if (!ret_facts[got].name || !ret_facts[got].value)
            return gt_fail(err, GT_E_LIMIT, "the facts under \"%s\" do not fit", prefix);
        got++;
    }
    return got;
}

static int memory_stats(void *handle, const char *name, struct gt_topic_stats *ret,
                        struct gt_error *err)
{
    LOCKED;
    struct gt_memory_topic *topic = topic_of(handle, name);
    struct gt_memory_entry *entry;
    if (!topic)
        return no_memory(err);
    struct gt_topic_stats stats = {
        .depth = topic->depth, .dead = topic->buried, .bytes = topic->bytes};
    TAILQ_FOREACH(entry, &topic->live, link)
    {
        stats.pending += entry->owner != NULL;
        if (!stats.oldest_ms || entry->pushed_ms < stats.oldest_ms)
            stats.oldest_ms = entry->pushed_ms;
    }
    *ret = stats;
    return 0;
}

static const struct gt_option rows[] = {
    GT_QUEUE_SEEN_OPTION,
    {.name = "name",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct options, name),
     .fallback = "default",
     .help = "handles of one process with the same name share one queue"},
    {.type = GT_OPTION_END},
};

const struct gt_kind gt_queue_memory_kind = {
    .name = "memory",
    .summary =
        "in this process's memory, for tests: gone with the process, not shared between processes",
    .options = rows,
    .size = sizeof(struct options),
};

const struct gt_queue_backend gt_queue_memory = {
    .name = "memory",
    .kind = &gt_queue_memory_kind,
    .open = memory_open,
    .close = memory_close,
    .push = memory_push,
    .pull = memory_pull,
    .ack = memory_ack,
    .extend = memory_extend,
    .release = memory_release,
    .bury = memory_bury,
    .dead = memory_dead,
    .replay = memory_replay,
    .drop = memory_drop,
    .cursor = memory_cursor,
    .put = memory_put,
    .put_once = memory_put_once,
    .get = memory_get,
    .list = memory_list,
    .stats = memory_stats,
};
