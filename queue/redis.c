/* The queue on a Redis server (6.2 or later, Valkey): one stream per topic and shard, one consumer
 * group on each. What must be one transaction is one Lua script (queue/scripts/, common.lua first).
 */
#include "queue/redis_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 256
#define SHA_TEXT 41
#define OLDEST_VERSION "6.2"

enum script {
    SCRIPT_ACK,
    SCRIPT_BURY,
    SCRIPT_GET,
    SCRIPT_LEASE,
    SCRIPT_LIST,
    SCRIPT_PULL,
    SCRIPT_PUSH,
    SCRIPT_PUT,
    SCRIPT_REPLAY,
    SCRIPT_STATS,
    SCRIPTS,
};

static const char *const script_files[SCRIPTS] = {
    "ack.lua",  "bury.lua", "get.lua", "lease.lua",  "list.lua",
    "pull.lua", "push.lua", "put.lua", "replay.lua", "stats.lua",
};

extern const struct gt_embedded gt_queue_scripts[];

struct redis {
    struct gt_queue_settings settings;
    const struct gt_redis_options *options;
    struct gt_arena *arena;
    struct gt_redis_link link;
    char shas[SCRIPTS][SHA_TEXT]; /* empty: not loaded yet */
    unsigned turn;                /* the shard asked first by the next pull */
};

/* Where an entry is: its shard, its name in the stream, the length of its payload. */
struct place {
    unsigned shard;
    char entry[44];
    uint64_t len;
};

static int odd_answer(const struct redis *self, struct gt_error *err)
{
    return gt_fail(err, GT_E_IO,
                   "redis %s: an answer of unexpected form; does a program other than guette write "
                   "to keys under \"%s\"?",
                   self->link.address.name, self->options->prefix);
}

static const struct gt_embedded *find_file(const char *name)
{
    const struct gt_embedded *file = gt_queue_scripts;
    while (file->name && strcmp(file->name, name) != 0)
        file++;
    return file;
}

static int load_script(struct redis *self, enum script which, struct gt_error *err)
{
    const struct gt_embedded *parts[] = {find_file("common.lua"), find_file(script_files[which])};
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(64 * 1024);
    for (size_t i = 0; i < 2; i++)
        gt_buffer_append(&text, parts[i]->bytes, parts[i]->len);
    if (!gt_buffer_ok(&text))
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    GT_REDIS_WORDS words = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_add_text(&words, "SCRIPT");
    gt_redis_add_text(&words, "LOAD");
    gt_redis_add(&words, text.data, text.len);
    int rc = gt_redis_send(&self->link, &words, &reply, err);
    if (rc)
        return rc;
    if (reply->type != REDIS_REPLY_STRING || reply->len != SHA_TEXT - 1)
        return odd_answer(self, err);
    memcpy(self->shas[which], reply->str, SHA_TEXT);
    return 0;
}

/* Begins EVALSHA with the keys of a topic in the order common.lua takes them. The keys live in
 * `keys`. */
struct call {
    struct gt_redis_words words;
    char keys[6][KEY_MAX];
    enum script script;
};

static void call_cleanup(struct call *call)
{
    gt_redis_words_free(&call->words);
}
#define CALL __attribute__((cleanup(call_cleanup))) struct call

static void add_keys(struct call *call, size_t count)
{
    gt_redis_add_text(&call->words, "EVALSHA");
    gt_redis_add_text(&call->words, ""); /* the hash, put in when it is known */
    gt_redis_add_number(&call->words, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        gt_redis_add_text(&call->words, call->keys[i]);
}

static void call_topic(struct redis *self, struct call *call, enum script script, unsigned shard,
                       const char *topic)
{
    static const char *const ends[] = {"", ":leases", ":bytes", ":dead", ":seen"};
    const char *prefix = self->options->prefix;
    for (size_t i = 0; i < 5; i++)
        snprintf(call->keys[i], KEY_MAX, "%s:{%u}:%s%s", prefix, shard, topic, ends[i]);
    snprintf(call->keys[5], KEY_MAX, "%s:{%u}:@cursors", prefix, shard);
    call->script = script;
    add_keys(call, 6);
}

static void call_facts(struct redis *self, struct call *call, enum script script)
{
    snprintf(call->keys[0], KEY_MAX, "%s:{0}:@facts", self->options->prefix);
    snprintf(call->keys[1], KEY_MAX, "%s:{0}:@facts:ends", self->options->prefix);
    call->script = script;
    add_keys(call, 2);
}

/* A server that was restarted, or failed over, has forgotten the scripts: once more, then. */
static int call_send(struct redis *self, struct call *call, redisReply **ret_reply,
                     struct gt_error *err)
{
    char *sha = self->shas[call->script];
    int rc = GT_E_NOTFOUND;
    for (int attempt = 0; attempt < 2 && rc == GT_E_NOTFOUND; attempt++) {
        rc = *sha ? 0 : load_script(self, call->script, err);
        if (rc)
            return rc;
        if (call->words.failed)
            return gt_fail(err, GT_E_NOMEM, "out of memory");
        call->words.words[1] = sha;
        call->words.lens[1] = SHA_TEXT - 1;
        rc = gt_redis_send(&self->link, &call->words, ret_reply, err);
        if (rc == GT_E_NOTFOUND)
            *sha = '\0';
    }
    return rc == GT_E_NOTFOUND
               ? gt_fail(err, GT_E_AGAIN, "redis %s: it forgets scripts at once; try again",
                         self->link.address.name)
               : rc;
}

static bool is_array(const redisReply *reply, size_t least)
{
    return reply && reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

static bool is_number(const redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_INTEGER;
}

static bool is_text(const redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_STRING;
}

/* The milliseconds an entry's name begins with. */
static int64_t entry_ms(const char *entry)
{
    return strtoll(entry, NULL, 10);
}

static bool split_entry(const char *text, unsigned long long *ret_ms, unsigned long long *ret_seq)
{
    int used = 0;
    return text[0] >= '0' && text[0] <= '9' &&
           sscanf(text, "%20llu-%20llu%n", ret_ms, ret_seq, &used) == 2 && !text[used];
}

/* Handles are "shard/entry/length"; dead letters' are "shard/entry". */
static void write_handle(char handle[64], unsigned shard, const char *entry, const uint64_t *len)
{
    snprintf(handle, 64, "%u/%.41s", shard, entry);
    if (len)
        snprintf(handle + strlen(handle), 64 - strlen(handle), "/%llu", (unsigned long long)*len);
}

static bool read_handle(const struct redis *self, const char *handle, bool with_len,
                        struct place *ret)
{
    unsigned long long len = 0, ms = 0, seq = 0;
    int used = 0, fields = sscanf(handle, "%4u/%41[0-9-]%n/%20llu%n", &ret->shard, ret->entry,
                                  &used, &len, &used);
    ret->len = len;
    return fields == (with_len ? 3 : 2) && !handle[used] && split_entry(ret->entry, &ms, &seq) &&
           ret->shard < self->options->shards;
}

/* A stable spread over the shards. A push without a cursor goes by its topic: were it split by id,
 * or sent where its first id points, it would not be all or nothing, or an id pushed twice in
 * different company would not be recognised. */
static unsigned choose_shard(const struct redis *self, const char *topic,
                             const struct gt_cursor *cursor)
{
    const char *name = cursor ? cursor->name : topic;
    return gt_crc32(name, strlen(name)) % (uint32_t)self->options->shards;
}

static void add_entries(struct redis *self, struct call *call, const struct gt_push *entries,
                        size_t count, unsigned char (*digests)[GT_ID_BYTES],
                        const struct gt_cursor *cursor)
{
    struct gt_redis_words *words = &call->words;
    gt_redis_add_number(words, (int64_t)(self->settings.high_water_bytes / self->options->shards));
    gt_redis_add_number(words, (int64_t)(self->settings.high_water_count / self->options->shards));
    gt_redis_add_number(words, self->settings.seen_ms);
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

static int push_answer(const struct redis *self, const char *topic, const redisReply *reply,
                       size_t *ret_fresh, struct gt_error *err)
{
    if (!is_array(reply, 2) || !is_number(reply->element[0]) || !is_number(reply->element[1]))
        return odd_answer(self, err);
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
    struct redis *self = handle;
    unsigned char(*digests)[GT_ID_BYTES] = calloc(count + 1, GT_ID_BYTES);
    if (!digests)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_topic(self, &call, SCRIPT_PUSH, choose_shard(self, topic, cursor), topic);
    add_entries(self, &call, entries, count, digests, cursor);
    int rc = call_send(self, &call, &reply, err);
    free(digests);
    return rc ? rc : push_answer(self, topic, reply, ret_fresh, err);
}

/* 1: copied; 0: no room in the arena; or an error. */
static int read_job(const struct redis *self, unsigned shard, const redisReply *row,
                    struct gt_arena *arena, struct gt_job *ret, struct gt_error *err)
{
    if (!is_array(row, 4) || !is_text(row->element[0]) || !is_text(row->element[1]) ||
        !is_text(row->element[2]) || !is_number(row->element[3]))
        return odd_answer(self, err);
    const redisReply *payload = row->element[2];
    struct gt_job job = {
        .id = gt_arena_memdup(arena, row->element[1]->str, row->element[1]->len),
        .payload = gt_arena_memdup(arena, payload->str, payload->len),
        .len = payload->len,
        .deliveries = row->element[3]->integer,
        .pushed_ms = entry_ms(row->element[0]->str),
    };
    uint64_t len = payload->len;
    write_handle(job.handle, shard, row->element[0]->str, &len);
    *ret = job;
    return job.id && job.payload;
}

static int change_lease(struct redis *self, const char *topic, const struct gt_job *job,
                        const char *to, int64_t deliveries, int64_t ms, struct gt_error *err);

/* What was leased but has no room here goes back; only the first one's delivery counts. */
static int give_back(struct redis *self, const char *topic, unsigned shard, const redisReply *reply,
                     size_t from, struct gt_error *err)
{
    for (size_t i = from; i < reply->elements; i++) {
        const redisReply *row = reply->element[i];
        struct gt_job job = {.deliveries = row->element[3]->integer};
        uint64_t len = row->element[2]->len;
        write_handle(job.handle, shard, row->element[0]->str, &len);
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

static int pull_shard(struct redis *self, const char *topic, unsigned shard, size_t most,
                      struct gt_arena *arena, struct gt_job *ret_jobs, struct gt_error *err)
{
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_topic(self, &call, SCRIPT_PULL, shard, topic);
    gt_redis_add_text(&call.words, self->settings.consumer);
    gt_redis_add_number(&call.words, (int64_t)most);
    gt_redis_add_number(&call.words, self->settings.lease_ms);
    gt_redis_add_number(&call.words, self->settings.max_deliveries);
    gt_redis_add_number(&call.words, (int64_t)GT_QUEUE_PULL_BYTES);
    int rc = call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    if (!is_array(reply, 1) || !is_number(reply->element[0]) || reply->elements - 1 > most)
        return odd_answer(self, err);
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
    struct redis *self = handle;
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
    struct redis *self = handle;
    struct place place;
    if (!read_handle(self, job->handle, true, &place))
        return gt_fail(err, GT_E_INVALID, "\"%.63s\" is no job of this queue", job->handle);
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_topic(self, &call, SCRIPT_ACK, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    gt_redis_add_number(&call.words, (int64_t)place.len);
    return call_send(self, &call, &reply, err);
}

static int lost(const struct gt_job *job, struct gt_error *err)
{
    return gt_fail(err, GT_E_CONFLICT,
                   "the lease of %s was lost: another worker has it, or it is done",
                   job->id ? job->id : job->handle);
}

static int yes_or_lost(const struct redis *self, const struct gt_job *job, const redisReply *reply,
                       struct gt_error *err)
{
    if (!is_number(reply))
        return odd_answer(self, err);
    return reply->integer ? 0 : lost(job, err);
}

/* to: the owner afterwards, "" for nobody. */
static int change_lease(struct redis *self, const char *topic, const struct gt_job *job,
                        const char *to, int64_t deliveries, int64_t ms, struct gt_error *err)
{
    struct place place;
    if (!read_handle(self, job->handle, true, &place))
        return lost(job, err);
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_topic(self, &call, SCRIPT_LEASE, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    gt_redis_add_text(&call.words, self->settings.consumer);
    gt_redis_add_number(&call.words, job->deliveries);
    gt_redis_add_text(&call.words, to);
    gt_redis_add_number(&call.words, deliveries);
    gt_redis_add_number(&call.words, ms);
    int rc = call_send(self, &call, &reply, err);
    return rc ? rc : yes_or_lost(self, job, reply, err);
}

static int redis_extend(void *handle, const char *topic, const struct gt_job *job,
                        struct gt_error *err)
{
    struct redis *self = handle;
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
    struct redis *self = handle;
    struct place place;
    if (!read_handle(self, job->handle, true, &place))
        return lost(job, err);
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_topic(self, &call, SCRIPT_BURY, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    gt_redis_add_text(&call.words, self->settings.consumer);
    gt_redis_add_number(&call.words, job->deliveries);
    gt_redis_add_text(&call.words, why);
    int rc = call_send(self, &call, &reply, err);
    return rc ? rc : yes_or_lost(self, job, reply, err);
}

static void dead_key(const struct redis *self, const char *topic, unsigned shard, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "%s:{%u}:%s:dead", self->options->prefix, shard, topic);
}

/* The first dead letter of the shard after `place`, in the order of (entry, shard). *ret_reply
 * stays NULL when there is none. */
static int next_dead(struct redis *self, const char *topic, unsigned shard,
                     const struct place *place, redisReply **ret_reply, struct gt_error *err)
{
    char key[KEY_MAX], from[48] = "-";
    GT_REDIS_WORDS words = {0};
    GT_REDIS_REPLY *reply = NULL;
    dead_key(self, topic, shard, key);
    if (place)
        snprintf(from, sizeof(from), "%s%s", shard <= place->shard ? "(" : "", place->entry);
    const char *const text[] = {"XRANGE", key, from, "+", "COUNT", "1"};
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        gt_redis_add_text(&words, text[i]);
    int rc = gt_redis_send(&self->link, &words, &reply, err);
    if (rc)
        return rc;
    if (!is_array(reply, 0))
        return odd_answer(self, err);
    if (reply->elements) {
        *ret_reply = reply;
        reply = NULL;
    }
    return 0;
}

/* The value of a field of a stream's entry; NULL: none. */
static const redisReply *field(const redisReply *entry, const char *name)
{
    const redisReply *fields = is_array(entry, 2) ? entry->element[1] : NULL;
    for (size_t i = 0; is_array(fields, i + 2); i += 2)
        if (is_text(fields->element[i]) && is_text(fields->element[i + 1]) &&
            !strcmp(fields->element[i]->str, name))
            return fields->element[i + 1];
    return NULL;
}

static const char *entry_name(const redisReply *reply)
{
    const redisReply *entry = is_array(reply, 1) ? reply->element[0] : NULL;
    return is_array(entry, 1) && is_text(entry->element[0]) ? entry->element[0]->str : "";
}

static bool is_earlier(const char *a, const char *b)
{
    unsigned long long a_ms = 0, a_seq = 0, b_ms = 0, b_seq = 0;
    split_entry(a, &a_ms, &a_seq);
    split_entry(b, &b_ms, &b_seq);
    return a_ms != b_ms ? a_ms < b_ms : a_seq < b_seq;
}

static int64_t number_of(const redisReply *text)
{
    return text ? strtoll(text->str, NULL, 10) : 0;
}

static int read_dead(const struct redis *self, unsigned shard, const redisReply *reply,
                     struct gt_arena *arena, struct gt_dead *ret, struct gt_error *err)
{
    const redisReply *entry = reply->element[0];
    const redisReply *id = field(entry, "i"), *payload = field(entry, "p"),
                     *why = field(entry, "w");
    if (!id || !payload || !why)
        return odd_answer(self, err);
    struct gt_dead dead = {
        .id = gt_arena_memdup(arena, id->str, id->len),
        .why = gt_arena_memdup(arena, why->str, why->len),
        .payload = gt_arena_memdup(arena, payload->str, payload->len),
        .len = payload->len,
        .deliveries = number_of(field(entry, "n")),
        .pushed_ms = number_of(field(entry, "t")),
        .buried_ms = entry_ms(entry_name(reply)),
    };
    if (!dead.id || !dead.why || !dead.payload)
        return gt_fail(err, GT_E_LIMIT, "dead letter %u/%s does not fit in memory", shard,
                       entry_name(reply));
    write_handle(dead.handle, shard, entry_name(reply), NULL);
    *ret = dead;
    return 0;
}

/* Takes the oldest of the shards' heads, copies it and moves that head on. 0: there was none. */
static int merge_one(struct redis *self, const char *topic, redisReply **heads,
                     struct gt_arena *arena, struct gt_dead *ret, struct gt_error *err)
{
    unsigned shards = (unsigned)self->options->shards, best = shards;
    for (unsigned i = 0; i < shards; i++)
        if (heads[i] &&
            (best == shards || is_earlier(entry_name(heads[i]), entry_name(heads[best]))))
            best = i;
    if (best == shards)
        return 0;
    struct place place = {.shard = best};
    snprintf(place.entry, sizeof(place.entry), "%.43s", entry_name(heads[best]));
    int rc = read_dead(self, best, heads[best], arena, ret, err);
    freeReplyObject(heads[best]);
    heads[best] = NULL;
    if (!rc)
        rc = next_dead(self, topic, best, &place, &heads[best], err);
    return rc ? rc : 1;
}

static int redis_dead(void *handle, const char *topic, const char *after, size_t most,
                      struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err)
{
    struct redis *self = handle;
    struct place place;
    size_t shards = (size_t)self->options->shards, got = 0;
    int rc = 0;
    if (after && !read_handle(self, after, false, &place))
        return gt_fail(err, GT_E_INVALID, "\"%.63s\" is no dead letter's handle", after);
    redisReply **heads = calloc(shards, sizeof(redisReply *));
    if (!heads)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    for (unsigned i = 0; i < shards && !rc; i++)
        rc = next_dead(self, topic, i, after ? &place : NULL, &heads[i], err);
    while (!rc && got < most) {
        rc = merge_one(self, topic, heads, arena, &ret_dead[got], err);
        if (rc <= 0)
            break;
        got++;
        rc = 0;
    }
    for (size_t i = 0; i < shards; i++)
        gt_redis_reply_cleanup(&heads[i]);
    free(heads);
    return got ? (int)got : rc;
}

static int no_letter(const char *topic, const char *handle, struct gt_error *err)
{
    return gt_fail(err, GT_E_NOTFOUND, "there is no dead letter \"%.63s\" in %s", handle, topic);
}

static int redis_replay(void *handle, const char *topic, const char *dead, struct gt_error *err)
{
    struct redis *self = handle;
    struct place place;
    if (!read_handle(self, dead, false, &place))
        return no_letter(topic, dead, err);
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_topic(self, &call, SCRIPT_REPLAY, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    int rc = call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    return is_number(reply) && reply->integer ? 0 : no_letter(topic, dead, err);
}

static int redis_drop(void *handle, const char *topic, const char *dead, struct gt_error *err)
{
    struct redis *self = handle;
    struct place place;
    char key[KEY_MAX];
    if (!read_handle(self, dead, false, &place))
        return no_letter(topic, dead, err);
    GT_REDIS_WORDS words = {0};
    GT_REDIS_REPLY *reply = NULL;
    dead_key(self, topic, place.shard, key);
    gt_redis_add_text(&words, "XDEL");
    gt_redis_add_text(&words, key);
    gt_redis_add_text(&words, place.entry);
    int rc = gt_redis_send(&self->link, &words, &reply, err);
    if (rc)
        return rc;
    return is_number(reply) && reply->integer ? 0 : no_letter(topic, dead, err);
}

static int value_of(const struct redis *self, const redisReply *reply, const char *name,
                    struct gt_buffer *ret_value, struct gt_error *err)
{
    if (reply->type == REDIS_REPLY_NIL)
        return gt_fail(err, GT_E_NOTFOUND, "nothing is stored under \"%s\" yet", name);
    if (!is_text(reply))
        return odd_answer(self, err);
    return gt_queue_value(ret_value, reply->str, reply->len, err);
}

static int redis_cursor(void *handle, const char *name, struct gt_buffer *ret_value,
                        struct gt_error *err)
{
    struct redis *self = handle;
    const struct gt_cursor cursor = {.name = name};
    char key[KEY_MAX];
    GT_REDIS_WORDS words = {0};
    GT_REDIS_REPLY *reply = NULL;
    snprintf(key, sizeof(key), "%s:{%u}:@cursors", self->options->prefix,
             choose_shard(self, NULL, &cursor));
    gt_redis_add_text(&words, "HGET");
    gt_redis_add_text(&words, key);
    gt_redis_add_text(&words, name);
    int rc = gt_redis_send(&self->link, &words, &reply, err);
    return rc ? rc : value_of(self, reply, name, ret_value, err);
}

static int put(struct redis *self, const char *name, const void *value, size_t len, int64_t ttl_ms,
               bool once, redisReply **ret_reply, struct gt_error *err)
{
    CALL call = {0};
    call_facts(self, &call, SCRIPT_PUT);
    gt_redis_add_text(&call.words, name);
    gt_redis_add(&call.words, value, len);
    gt_redis_add_number(&call.words, ttl_ms);
    gt_redis_add_text(&call.words, once ? "1" : "0");
    return call_send(self, &call, ret_reply, err);
}

static int redis_put(void *handle, const char *name, const void *value, size_t len, int64_t ttl_ms,
                     struct gt_error *err)
{
    GT_REDIS_REPLY *reply = NULL;
    return put(handle, name, value, len, ttl_ms, false, &reply, err);
}

static int redis_put_once(void *handle, const char *name, const void *value, size_t len,
                          struct gt_buffer *ret_value, struct gt_error *err)
{
    GT_REDIS_REPLY *reply = NULL;
    int rc = put(handle, name, value, len, 0, true, &reply, err);
    return rc ? rc : value_of(handle, reply, name, ret_value, err);
}

static int redis_get(void *handle, const char *name, struct gt_buffer *ret_value,
                     struct gt_error *err)
{
    struct redis *self = handle;
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_facts(self, &call, SCRIPT_GET);
    gt_redis_add_text(&call.words, name);
    int rc = call_send(self, &call, &reply, err);
    return rc ? rc : value_of(self, reply, name, ret_value, err);
}

static int redis_list(void *handle, const char *prefix, size_t most, struct gt_arena *arena,
                      struct gt_fact *ret_facts, struct gt_error *err)
{
    struct redis *self = handle;
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_facts(self, &call, SCRIPT_LIST);
    gt_redis_add_text(&call.words, prefix);
    gt_redis_add_number(&call.words, (int64_t)most);
    int rc = call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    if (!is_array(reply, 0) || reply->elements / 2 > most)
        return odd_answer(self, err);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i], *value = reply->element[i + 1];
        if (!is_text(name) || !is_text(value))
            return odd_answer(self, err);
        struct gt_fact fact = {.name = gt_arena_memdup(arena, name->str, name->len),
                               .value = gt_arena_memdup(arena, value->str, value->len),
                               .len = value->len};
        if (!fact.name || !fact.value)
            return gt_fail(err, GT_E_LIMIT, "the facts under \"%s\" do not fit in memory", prefix);
        ret_facts[i / 2] = fact;
    }
    return (int)(reply->elements / 2);
}

static int add_stats(struct redis *self, const char *topic, unsigned shard,
                     struct gt_topic_stats *sum, struct gt_error *err)
{
    CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    call_topic(self, &call, SCRIPT_STATS, shard, topic);
    int rc = call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    if (!is_array(reply, 5) || !is_text(reply->element[4]))
        return odd_answer(self, err);
    int64_t oldest = entry_ms(reply->element[4]->str);
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
    struct redis *self = handle;
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

static int check_info(const struct redis *self, const char *info, struct gt_error *err)
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
static int check_server(struct redis *self, struct gt_error *err)
{
    GT_REDIS_WORDS words = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_add_text(&words, "INFO");
    int rc = gt_redis_send(&self->link, &words, &reply, err);
    if (rc == GT_E_REFUSED && self->link.context)
        return 0;
    if (rc)
        return rc;
    return reply->str ? check_info(self, reply->str, err) : odd_answer(self, err);
}

static void redis_close(void *handle)
{
    struct redis *self = handle;
    gt_redis_link_close(&self->link);
    gt_arena_free(self->arena);
    free(self);
}

static int redis_open(const struct gt_queue_settings *settings, void **ret_self,
                      struct gt_error *err)
{
    struct redis *self = calloc(1, sizeof(*self));
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
    .open = redis_open,
    .close = redis_close,
    .push = redis_push,
    .pull = redis_pull,
    .ack = redis_ack,
    .extend = redis_extend,
    .release = redis_release,
    .bury = redis_bury,
    .dead = redis_dead,
    .replay = redis_replay,
    .drop = redis_drop,
    .cursor = redis_cursor,
    .put = redis_put,
    .put_once = redis_put_once,
    .get = redis_get,
    .list = redis_list,
    .stats = redis_stats,
};
