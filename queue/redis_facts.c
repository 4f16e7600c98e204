/* Cursors and small shared facts on Redis. */
#include "queue/redis_call.h"

#include <stdio.h>
#include <string.h>

static int value_of(const struct gt_redis *self, const redisReply *reply, const char *name,
                    struct gt_buffer *ret_value, struct gt_error *err)
{
    if (reply->type == REDIS_REPLY_NIL)
        return gt_fail(err, GT_E_NOTFOUND, "nothing is stored under \"%s\" yet", name);
    if (!gt_redis_is_text(reply))
        return gt_redis_odd_answer(self, err);
    return gt_queue_value(ret_value, reply->str, reply->len, err);
}

int gt_redis_cursor(void *handle, const char *name, struct gt_buffer *ret_value,
                    struct gt_error *err)
{
    struct gt_redis *self = handle;
    const struct gt_cursor cursor = {.name = name};
    char key[GT_REDIS_KEY_MAX];
    GT_REDIS_WORDS words = {0};
    GT_REDIS_REPLY *reply = NULL;
    snprintf(key, sizeof(key), "%s:{%u}:@cursors", self->options->prefix,
             gt_redis_choose_shard(self, NULL, &cursor));
    gt_redis_add_text(&words, "HGET");
    gt_redis_add_text(&words, key);
    gt_redis_add_text(&words, name);
    int rc = gt_redis_send(&self->link, &words, &reply, err);
    return rc ? rc : value_of(self, reply, name, ret_value, err);
}

static int put(struct gt_redis *self, const char *name, const void *value, size_t len,
               int64_t ttl_ms, bool once, redisReply **ret_reply, struct gt_error *err)
{
    GT_REDIS_CALL call = {0};
    gt_redis_call_facts(self, &call, SCRIPT_PUT);
    gt_redis_add_text(&call.words, name);
    gt_redis_add(&call.words, value, len);
    gt_redis_add_number(&call.words, ttl_ms);
    gt_redis_add_text(&call.words, once ? "1" : "0");
    return gt_redis_call_send(self, &call, ret_reply, err);
}

int gt_redis_put(void *handle, const char *name, const void *value, size_t len, int64_t ttl_ms,
                 struct gt_error *err)
{
    GT_REDIS_REPLY *reply = NULL;
    return put(handle, name, value, len, ttl_ms, false, &reply, err);
}

int gt_redis_put_once(void *handle, const char *name, const void *value, size_t len,
                      struct gt_buffer *ret_value, struct gt_error *err)
{
    GT_REDIS_REPLY *reply = NULL;
    int rc = put(handle, name, value, len, 0, true, &reply, err);
    return rc ? rc : value_of(handle, reply, name, ret_value, err);
}

int gt_redis_get(void *handle, const char *name, struct gt_buffer *ret_value, struct gt_error *err)
{
    struct gt_redis *self = handle;
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_facts(self, &call, SCRIPT_GET);
    gt_redis_add_text(&call.words, name);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    return rc ? rc : value_of(self, reply, name, ret_value, err);
}

int gt_redis_list(void *handle, const char *prefix, size_t most, struct gt_arena *arena,
                  struct gt_fact *ret_facts, struct gt_error *err)
{
    struct gt_redis *self = handle;
    GT_REDIS_CALL call = {0};
    GT_REDIS_REPLY *reply = NULL;
    gt_redis_call_facts(self, &call, SCRIPT_LIST);
    gt_redis_add_text(&call.words, prefix);
    gt_redis_add_number(&call.words, (int64_t)most);
    int rc = gt_redis_call_send(self, &call, &reply, err);
    if (rc)
        return rc;
    if (!gt_redis_is_array(reply, 0) || reply->elements / 2 > most)
        return gt_redis_odd_answer(self, err);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i], *value = reply->element[i + 1];
        if (!gt_redis_is_text(name) || !gt_redis_is_text(value))
            return gt_redis_odd_answer(self, err);
        struct gt_fact fact = {.name = gt_arena_memdup(arena, name->str, name->len),
                               .value = gt_arena_memdup(arena, value->str, value->len),
                               .len = value->len};
        if (!fact.name || !fact.value)
            return gt_fail(err, GT_E_LIMIT, "the facts under \"%s\" do not fit in memory", prefix);
        ret_facts[i / 2] = fact;
    }
    return (int)(reply->elements / 2);
}
