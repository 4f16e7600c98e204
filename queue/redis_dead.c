/* Dead letters on Redis: listed over all shards, replayed, dropped. */
#include "queue/redis_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void dead_key(const struct gt_redis *self, const char *topic, unsigned shard,
                     char key[GT_REDIS_KEY_MAX])
{
    snprintf(key, GT_REDIS_KEY_MAX, "%s:{%u}:%s:dead", self->options->prefix, shard, topic);
}

/* The first dead letter of the shard after `place`, in the order of (entry, shard). *ret_reply
 * stays NULL when there is none. */
static int next_dead(struct gt_redis *self, const char *topic, unsigned shard,
                     const struct gt_redis_place *place, redisReply **ret_reply,
                     struct gt_error *err)
{
    char key[GT_REDIS_KEY_MAX], from[48] = "-";
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
    if (!gt_redis_is_array(reply, 0))
        return gt_redis_odd_answer(self, err);
    if (reply->elements) {
        *ret_reply = reply;
        reply = NULL;
    }
    return 0;
}

/* The value of a field of a stream's entry; NULL: none. */
static const redisReply *field(const redisReply *entry, const char *name)
{
    const redisReply *fields = gt_redis_is_array(entry, 2) ? entry->element[1] : NULL;
    for (size_t i = 0; gt_redis_is_array(fields, i + 2); i += 2)
        if (gt_redis_is_text(fields->element[i]) && gt_redis_is_text(fields->element[i + 1]) &&
            !strcmp(fields->element[i]->str, name))
            return fields->element[i + 1];
    return NULL;
}

static const char *entry_name(const redisReply *reply)
{
    const redisReply *entry = gt_redis_is_array(reply, 1) ? reply->element[0] : NULL;
    return gt_redis_is_array(entry, 1) && gt_redis_is_text(entry->element[0])
               ? entry->element[0]->str
               : "";
}

static bool is_earlier(const char *a, const char *b)
{
    unsigned long long a_ms = 0, a_seq = 0, b_ms = 0, b_seq = 0;
    gt_redis_split_entry(a, &a_ms, &a_seq);
    gt_redis_split_entry(b, &b_ms, &b_seq);
    return a_ms != b_ms ? a_ms < b_ms : a_seq < b_seq;
}

static int64_t number_of(const redisReply *text)
{
    return text ? strtoll(text->str, NULL, 10) : 0;
}

static int read_dead(const struct gt_redis *self, unsigned shard, const redisReply *reply,
                     struct gt_arena *arena, struct gt_dead *ret, struct gt_error *err)
{
    const redisReply *entry = reply->element[0];
    const redisReply *id = field(entry, "i"), *payload = field(entry, "p"),
                     *why = field(entry, "w");
    if (!id || !payload || !why)
        return gt_redis_odd_answer(self, err);
    struct gt_dead dead = {
        .id = gt_arena_memdup(arena, id->str, id->len),
        .why = gt_arena_memdup(arena, why->str, why->len),
        .payload = gt_arena_memdup(arena, payload->str, payload->len),
        .len = payload->len,
        .deliveries = number_of(field(entry, "n")),
        .pushed_ms = number_of(field(entry, "t")),
        .buried_ms = gt_redis_entry_ms(entry_name(reply)),
    };
    if (!dead.id || !dead.why || !dead.payload)
        return gt_fail(err, GT_E_LIMIT, "dead letter %u/%s does not fit in memory", shard,
                       entry_name(reply));
    gt_redis_write_handle(dead.handle, shard, entry_name(reply), NULL);
    *ret = dead;
    return 0;
}

/* Takes the oldest of the shards' heads, copies it and moves that head on. 0: there was none. */
static int merge_one(struct gt_redis *self, const char *topic, redisReply **heads,
                     struct gt_arena *arena, struct gt_dead *ret, struct gt_error *err)
{
    unsigned shards = (unsigned)self->options->shards, best = shards;
    for (unsigned i = 0; i < shards; i++)
        if (heads[i] &&
            (best == shards || is_earlier(entry_name(heads[i]), entry_name(heads[best]))))
            best = i;
    if (best == shards)
        return 0;
    struct gt_redis_place place = {.shard = best};
    snprintf(place.entry, sizeof(place.entry), "%.43s", entry_name(heads[best]));
    int rc = read_dead(self, best, heads[best], arena, ret, err);
    freeReplyObject(heads[best]);
    heads[best] = NULL;
    if (!rc)
        rc = next_dead(self, topic, best, &place, &heads[best], err);
    return rc ? rc : 1;
}

int gt_redis_dead(void *handle, const char *topic, const char *after, size_t most,
                  struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err)
{
    struct gt_redis *self = handle;
    struct gt_redis_place place;
    size_t shards = (size_t)self->options->shards, got = 0;
    int rc = 0;
    if (after && !gt_redis_read_handle(self, after, false, &place))
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

int gt_redis_replay(void *handle, const char *topic, const char *dead, struct gt_error *err)
{
    struct gt_redis *self = handle;
    struct gt_redis_place place;
    if (!gt_redis_read_handle(self, dead, false, &place))
        return no_letter(topic, dead, err);
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_topic(self, &call, SCRIPT_REPLAY, place.shard, topic);
    gt_redis_add_text(&call.words, place.entry);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    return gt_redis_is_number(reply) && reply->integer ? 0 : no_letter(topic, dead, err);
}

int gt_redis_drop(void *handle, const char *topic, const char *dead, struct gt_error *err)
{
    struct gt_redis *self = handle;
    struct gt_redis_place place;
    char key[GT_REDIS_KEY_MAX];
    if (!gt_redis_read_handle(self, dead, false, &place))
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
    return gt_redis_is_number(reply) && reply->integer ? 0 : no_letter(topic, dead, err);
}
