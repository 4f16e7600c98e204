/* The queue on a Redis server (6.2 or later, Valkey): one stream per topic and shard, one consumer
 * group on each. What must be one transaction is one Lua script (queue/scripts/, common.lua first).
 */
#include "queue/redis_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST_VERSION "6.2"

/* Depth and bytes of the topic's shards but one. They are not read in the push's transaction, so
 * several producers at once may go a batch or two over the mark; with one shard, the usual case,
 * the mark is exact. */
struct level {
    int64_t depth, bytes;
};

static int add_level(struct gt_redis *self, const char *topic, unsigned shard, struct level *sum,
                     struct gt_error *err)
{
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_LEVEL, shard, topic);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    if (!gt_redis_is_array(reply, 2) || !gt_redis_is_number(reply->element[0]) ||
        !gt_redis_is_number(reply->element[1]))
        return gt_redis_odd_answer(self, err);
    sum->depth += reply->element[0]->integer;
    sum->bytes += reply->element[1]->integer;
    return 0;
}

static int other_levels(struct gt_redis *self, const char *topic, unsigned shard, struct level *sum,
                        struct gt_error *err)
{
    int rc = 0;
    if (!self->settings.high_water_bytes && !self->settings.high_water_count)
        return 0;
    for (unsigned i = 0; i < self->options->shards && !rc; i++)
        if (i != shard)
            rc = add_level(self, topic, i, sum, err);
    return rc;
}

static void add_entries(struct gt_redis_words *words, const struct gt_push *entries, size_t count,
                        unsigned char (*digests)[GT_ID_BYTES], const struct gt_cursor *cursor)
{
    gt_redis_add_text(words, cursor ? "1" : "0");
    gt_redis_add_text(words, cursor ? cursor->name : "");
    gt_redis_add(words, cursor ? cursor->value : "", cursor ? cursor->len : 0);
    for (size_t i = 0; i < count; i++) {
        gt_queue_digest(entries[i].id, digests[i]);
        gt_redis_add(words, digests[i], GT_ID_BYTES);
        gt_redis_add_text(words, entries[i].id);
        gt_redis_add(words, entries[i].payload, entries[i].len);
    }
}

static int push_answer(const struct gt_redis *self, const char *topic, const redisReply *reply,
                       size_t *ret_fresh, struct gt_error *err)
{
    if (!gt_redis_is_array(reply, 2) || !gt_redis_is_number(reply->element[0]) ||
        !gt_redis_is_number(reply->element[1]))
        return gt_redis_odd_answer(self, err);
    if (reply->element[0]->integer == 1) {
        *ret_fresh = (size_t)reply->element[1]->integer;
        return 0;
    }
    long long bytes = reply->elements > 2 ? reply->element[2]->integer : 0;
    return gt_fail(
        err, GT_E_FULL,
        "topic %s is at its high-water mark (%lld entries, %lld bytes waiting); crawling "
        "pauses until workers caught up",
        topic, reply->element[1]->integer, bytes);
}

static int redis_push(void *handle, const char *topic, const struct gt_push *entries, size_t count,
                      const struct gt_cursor *cursor, size_t *ret_fresh, struct gt_error *err)
{
    struct gt_redis *self = handle;
    unsigned shard = gt_redis_choose_shard(self, topic, cursor);
    struct level others = {0};
    int rc = other_levels(self, topic, shard, &others, err);
    if (rc)
        return rc;
    unsigned char(*digests)[GT_ID_BYTES] = calloc(count + 1, GT_ID_BYTES);
    if (!digests)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_PUSH, shard, topic);
    gt_redis_add_number(&call.words, (int64_t)self->settings.high_water_bytes);
    gt_redis_add_number(&call.words, (int64_t)self->settings.high_water_count);
    gt_redis_add_number(&call.words, self->settings.seen_ms);
    gt_redis_add_number(&call.words, others.depth);
    gt_redis_add_number(&call.words, others.bytes);
    add_entries(&call.words, entries, count, digests, cursor);
    rc = gt_redis_call_send(self, &call, &reply, err);
    free(digests);
    return rc ? rc : push_answer(self, topic, reply, ret_fresh, err);
}

/* 1: copied; 0: no room in the arena; or an error. */
static int read_job(const struct gt_redis *self, unsigned shard, const redisReply *row,
                    struct gt_arena *arena, struct gt_job *ret, struct gt_error *err)
{
    if (!gt_redis_is_array(row, 4) || !gt_redis_is_text(row->element[0]) ||
        !gt_redis_is_text(row->element[1]) || !gt_redis_is_text(row->element[2]) ||
        !gt_redis_is_number(row->element[3]))
        return gt_redis_odd_answer(self, err);
    const redisReply *payload = row->element[2];
    struct gt_job job = {
        .id = gt_arena_memdup(arena, row->element[1]->str, row->element[1]->len),
        .payload = gt_arena_memdup(arena, payload->str, payload->len),
        .len = payload->len,
        .deliveries = row->element[3]->integer,
        .pushed_ms = gt_redis_entry_ms(row->element[0]->str),
    };
    uint64_t len = payload->len;
    gt_redis_write_handle(job.handle, shard, row->element[0]->str, &len);
    *ret = job;
    return job.id && job.payload;
}

static int change_lease(struct gt_redis *self, const char *topic, const struct gt_job *job,
                        const char *to, int64_t deliveries, int64_t ms, struct gt_error *err);

/* What was leased but has no room here goes back; only the first one's delivery counts. */
static int give_back(struct gt_redis *self, const char *topic, unsigned shard,
                     const redisReply *reply, size_t from, struct gt_error *err)
{
    for (size_t i = from; i < reply->elements; i++) {
        const redisReply *row = reply->element[i];
        struct gt_job job = {.deliveries = row->element[3]->integer};
        uint64_t len = row->element[2]->len;
        gt_redis_write_handle(job.handle, shard, row->element[0]->str, &len);
        int rc = change_lease(self, topic, &job, "", job.deliveries - (i > 1), 0, err);
        if (rc)
            return rc;
    }
    return from > 1
               ? 0
               : gt_fail(err, GT_E_LIMIT,
                         "the payload of %.128s (%zu bytes) does not fit the memory allowed for "
                         "one document",
                         reply->element[1]->element[1]->str, reply->element[1]->element[2]->len);
}

static int pull_shard(struct gt_redis *self, const char *topic, unsigned shard, size_t most,
                      struct gt_arena *arena, struct gt_job *ret_jobs, struct gt_error *err)
{
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_PULL, shard, topic);
    gt_redis_add_text(&call.words, self->settings.consumer);
    gt_redis_add_number(&call.words, (int64_t)most);
    gt_redis_add_number(&call.words, self->settings.lease_ms);
    gt_redis_add_number(&call.words, self->settings.max_deliveries);
    gt_redis_add_number(&call.words, (int64_t)GT_QUEUE_PULL_BYTES);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    if (!gt_redis_is_array(reply, 1) || !gt_redis_is_number(reply->element[0]) ||
        reply->elements - 1 > most)
        return gt_redis_odd_answer(self, err);
    gt_queue_count("guette_queue_buried_total", topic, (double)reply->element[0]->integer);
    for (size_t i = 1; i < reply->elements; i++) {
        rc = read_job(self, shard, reply->element[i], arena, &ret_jobs[i - 1], err);
        if (rc < 0)
            return rc;
        if (!rc)
            return (rc = give_back(self, topic, shard, reply, i, err)) ? rc : (int)i - 1;
    }
    return (int)(reply->elements - 1);
}

static int redis_pull(void *handle, const char *topic, size_t most, struct gt_arena *arena,
                      struct gt_job *ret_jobs, struct gt_error *err)
{
    struct gt_redis *self = handle;
    unsigned shards = (unsigned)self->options->shards, first = self->turn++;
    for (unsigned i = 0; i < shards; i++) {
        int got = pull_shard(self, topic, (first + i) % shards, most, arena, ret_jobs, err);
        if (got)
            return got;
    }
    return 0;
}

static int redis_ack(void *handle, const char *topic, const struct gt_job *job,
                     struct gt_error *err)
{
    struct gt_redis *self = handle;
    struct gt_redis_place place;
    if (!gt_redis_read_handle(self, job->handle, true, &place))
        return gt_fail(err, GT_E_INVALID, "\"%.63s\" is no job of this queue", job->handle);
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_ACK, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    gt_redis_add_number(&call.words, (int64_t)place.len);
    return gt_redis_call_send(self, &call, &reply, err);
}

static int lost(const struct gt_job *job, struct gt_error *err)
{
    return gt_fail(err, GT_E_CONFLICT,
                   "the lease of %s was lost: another worker has it, or it is done",
                   job->id ? job->id : job->handle);
}

static int yes_or_lost(const struct gt_redis *self, const struct gt_job *job,
                       const redisReply *reply, struct gt_error *err)
{
    if (!gt_redis_is_number(reply))
        return gt_redis_odd_answer(self, err);
    return reply->integer ? 0 : lost(job, err);
}

/* to: the owner afterwards, "" for nobody. */
static int change_lease(struct gt_redis *self, const char *topic, const struct gt_job *job,
                        const char *to, int64_t deliveries, int64_t ms, struct gt_error *err)
{
    struct gt_redis_place place;
    if (!gt_redis_read_handle(self, job->handle, true, &place))
        return lost(job, err);
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_LEASE, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    gt_redis_add_text(&call.words, self->settings.consumer);
    gt_redis_add_number(&call.words, job->deliveries);
    gt_redis_add_text(&call.words, to);
    gt_redis_add_number(&call.words, deliveries);
    gt_redis_add_number(&call.words, ms);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    return rc ? rc : yes_or_lost(self, job, reply, err);
}

static int redis_extend(void *handle, const char *topic, const struct gt_job *job,
                        struct gt_error *err)
{
    struct gt_redis *self = handle;
    return change_lease(self, topic, job, self->settings.consumer, job->deliveries,
                        self->settings.lease_ms, err);
}

static int redis_release(void *handle, const char *topic, const struct gt_job *job,
                         int64_t delay_ms, bool counted, struct gt_error *err)
{
    return change_lease(handle, topic, job, "", job->deliveries - !counted, delay_ms, err);
}

static int redis_bury(void *handle, const char *topic, const struct gt_job *job, const char *why,
                      struct gt_error *err)
{
    struct gt_redis *self = handle;
    struct gt_redis_place place;
    if (!gt_redis_read_handle(self, job->handle, true, &place))
        return lost(job, err);
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_BURY, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    gt_redis_add_text(&call.words, self->settings.consumer);
    gt_redis_add_number(&call.words, job->deliveries);
    gt_redis_add_text(&call.words, why);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    return rc ? rc : yes_or_lost(self, job, reply, err);
}

static int add_stats(struct gt_redis *self, const char *topic, unsigned shard,
                     struct gt_topic_stats *sum, struct gt_error *err)
{
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_STATS, shard, topic);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    if (!gt_redis_is_array(reply, 5) || !gt_redis_is_text(reply->element[4]))
        return gt_redis_odd_answer(self, err);
    int64_t oldest = gt_redis_entry_ms(reply->element[4]->str);
    sum->depth += (uint64_t)reply->element[0]->integer;
    sum->pending += (uint64_t)reply->element[1]->integer;
    sum->dead += (uint64_t)reply->element[2]->integer;
    sum->bytes += (uint64_t)reply->element[3]->integer;
    if (oldest && (!sum->oldest_ms || oldest < sum->oldest_ms))
        sum->oldest_ms = oldest;
    return 0;
}

static int redis_stats(void *handle, const char *topic, struct gt_topic_stats *ret,
                       struct gt_error *err)
{
    struct gt_redis *self = handle;
    struct gt_topic_stats sum = {0};
    for (unsigned i = 0; i < self->options->shards; i++) {
        int rc = add_stats(self, topic, i, &sum, err);
        if (rc)
            return rc;
    }
    *ret = sum;
    return 0;
}

/* The value of a line "name:value" of INFO, up to its end; "" when there is none. */
static void info_value(const char *info, const char *name, char *ret, size_t size)
{
    size_t len = strlen(name);
    const char *line = info;
    *ret = '\0';
    while (line && *line) {
        if (!strncmp(line, name, len) && line[len] == ':') {
            snprintf(ret, size, "%.*s", (int)strcspn(line + len + 1, "\r\n"), line + len + 1);
            return;
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
}

static bool is_too_old(const char *version)
{
    int major = 0, minor = 0;
    return sscanf(version, "%d.%d", &major, &minor) == 2 && major * 100 + minor < 602;
}

static int check_info(const struct gt_redis *self, const char *info, struct gt_error *err)
{
    const char *name = self->link.address.name;
    char version[32], policy[32], memory[32];
    info_value(info, "redis_version", version, sizeof(version));
    info_value(info, "maxmemory_policy", policy, sizeof(policy));
    info_value(info, "maxmemory", memory, sizeof(memory));
    if (*version && is_too_old(version))
        return gt_fail(err, GT_E_UNSUPPORTED,
                       "redis %s: version %s is too old; guette needs Redis " OLDEST_VERSION
                       " or later, or Valkey",
                       name, version);
    if (!*policy || !strcmp(policy, "noeviction") || !strcmp(memory, "0") ||
        self->options->allow_eviction)
        return 0;
    return gt_fail(
        err, GT_E_REFUSED,
        "redis %s: maxmemory-policy is %s, so the server may drop documents when its "
        "memory is full; set maxmemory-policy noeviction there, use a server of guette's "
        "own, or accept the loss by `queue: allow_eviction: true`",
        name, policy);
}

/* Where INFO is not permitted (managed services, narrow access lists) there is nothing to check. A
 * refusal that left the connection open is one of rights to this command, not of the login. */
static int check_server(struct gt_redis *self, struct gt_error *err)
{
    GT_REDIS_WORDS words = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_add_text(&words, "INFO");
    int rc = gt_redis_send(&self->link, &words, &reply, err);
    if (rc == GT_E_REFUSED && self->link.context)
        return 0;
    if (rc)
        return rc;
    return reply->str ? check_info(self, reply->str, err) : gt_redis_odd_answer(self, err);
}

static void redis_close(void *handle)
{
    struct gt_redis *self = handle;
    gt_redis_link_close(&self->link);
    gt_arena_free(self->arena);
    free(self);
}

static int redis_open(const struct gt_queue_settings *settings, void **ret_self,
                      struct gt_error *err)
{
    struct gt_redis *self = calloc(1, sizeof(*self));
    if (!self || !(self->arena = gt_arena_new(256 * 1024))) {
        free(self);
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    self->settings = *settings;
    self->options = settings->options;
    self->link.timeout_ms = self->options->timeout_ms;
    int rc = gt_redis_address_read(settings->config, self->options, self->arena,
                                   &self->link.address, err);
    if (!rc)
        rc = check_server(self, err);
    if (rc) {
        redis_close(self);
        return rc;
    }
    *ret_self = self;
    return 0;
}

const struct gt_kind gt_queue_redis_kind = {
    .name = "redis",
    .summary = "on a Redis or Valkey server: for workers on several machines",
    .options = gt_redis_option_rows,
    .size = sizeof(struct gt_redis_options),
};

const struct gt_queue_backend gt_queue_redis = {
    .name = "redis",
    .kind = &gt_queue_redis_kind,
    .check = gt_redis_check,
    .open = redis_open,
    .close = redis_close,
    .push = redis_push,
    .pull = redis_pull,
    .ack = redis_ack,
    .extend = redis_extend,
    .release = redis_release,
    .bury = redis_bury,
    .dead = gt_redis_dead,
    .replay = gt_redis_replay,
    .drop = gt_redis_drop,
    .cursor = gt_redis_cursor,
    .put = gt_redis_put,
    .put_once = gt_redis_put_once,
    .get = gt_redis_get,
    .list = gt_redis_list,
    .stats = redis_stats,
};
