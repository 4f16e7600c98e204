/* Calling the scripts in queue/scripts/, and the names of entries. */
#include "queue/redis_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const script_files[SCRIPTS] = {
    [SCRIPT_ACK] = "ack.lua",       [SCRIPT_BURY] = "bury.lua",   [SCRIPT_GET] = "get.lua",
    [SCRIPT_LEASE] = "lease.lua",   [SCRIPT_LEVEL] = "level.lua", [SCRIPT_LIST] = "list.lua",
    [SCRIPT_PULL] = "pull.lua",     [SCRIPT_PUSH] = "push.lua",   [SCRIPT_PUT] = "put.lua",
    [SCRIPT_REPLAY] = "replay.lua", [SCRIPT_STATS] = "stats.lua",
};

extern const struct gt_embedded gt_queue_scripts[];

int gt_redis_odd_answer(const struct gt_redis *self, struct gt_error *err)
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

static int load_script(struct gt_redis *self, enum gt_redis_script which, struct gt_error *err)
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
    if (reply->type != REDIS_REPLY_STRING || reply->len != GT_REDIS_SHA_TEXT - 1)
        return gt_redis_odd_answer(self, err);
    memcpy(self->shas[which], reply->str, GT_REDIS_SHA_TEXT);
    return 0;
}

void gt_redis_call_cleanup(struct gt_redis_call *call)
{
    gt_redis_words_free(&call->words);
}

static void add_keys(struct gt_redis_call *call, size_t count)
{
    gt_redis_add_text(&call->words, "EVALSHA");
    gt_redis_add_text(&call->words, ""); /* the hash, put in when it is known */
    gt_redis_add_number(&call->words, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        gt_redis_add_text(&call->words, call->keys[i]);
}

void gt_redis_call_topic(struct gt_redis *self, struct gt_redis_call *call,
                         enum gt_redis_script script, unsigned shard, const char *topic)
{
    static const char *const ends[] = {"", ":leases", ":bytes", ":dead", ":seen"};
    const char *prefix = self->options->prefix;
    for (size_t i = 0; i < 5; i++)
        snprintf(call->keys[i], GT_REDIS_KEY_MAX, "%s:{%u}:%s%s", prefix, shard, topic, ends[i]);
    snprintf(call->keys[5], GT_REDIS_KEY_MAX, "%s:{%u}:@cursors", prefix, shard);
    call->script = script;
    add_keys(call, 6);
}

void gt_redis_call_facts(struct gt_redis *self, struct gt_redis_call *call,
                         enum gt_redis_script script)
{
    snprintf(call->keys[0], GT_REDIS_KEY_MAX, "%s:{0}:@facts", self->options->prefix);
    snprintf(call->keys[1], GT_REDIS_KEY_MAX, "%s:{0}:@facts:ends", self->options->prefix);
    call->script = script;
    add_keys(call, 2);
}

/* A server that was restarted, or failed over, has forgotten the scripts: once more, then. */
int gt_redis_call_send(struct gt_redis *self, struct gt_redis_call *call, redisReply **ret_reply,
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
        call->words.lens[1] = GT_REDIS_SHA_TEXT - 1;
        rc = gt_redis_send(&self->link, &call->words, ret_reply, err);
        if (rc == GT_E_NOTFOUND)
            *sha = '\0';
    }
    return rc == GT_E_NOTFOUND
               ? gt_fail(err, GT_E_AGAIN, "redis %s: it forgets scripts at once; try again",
                         self->link.address.name)
               : rc;
}

bool gt_redis_is_array(const redisReply *reply, size_t least)
{
    return reply && reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

bool gt_redis_is_number(const redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_INTEGER;
}

bool gt_redis_is_text(const redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_STRING;
}

int64_t gt_redis_entry_ms(const char *entry)
{
    return strtoll(entry, NULL, 10);
}

bool gt_redis_split_entry(const char *text, unsigned long long *ret_ms, unsigned long long *ret_seq)
{
    int used = 0;
    return text[0] >= '0' && text[0] <= '9' &&
           sscanf(text, "%20llu-%20llu%n", ret_ms, ret_seq, &used) == 2 && !text[used];
}

void gt_redis_write_handle(char handle[64], unsigned shard, const char *entry, const uint64_t *len)
{
    snprintf(handle, 64, "%u/%.41s", shard, entry);
    if (len)
        snprintf(handle + strlen(handle), 64 - strlen(handle), "/%llu", (unsigned long long)*len);
}

bool gt_redis_read_handle(const struct gt_redis *self, const char *handle, bool with_len,
                          struct gt_redis_place *ret)
{
    unsigned long long len = 0, ms = 0, seq = 0;
    int used = 0, fields = sscanf(handle, "%4u/%41[0-9-]%n/%20llu%n", &ret->shard, ret->entry,
                                  &used, &len, &used);
    ret->len = len;
    return fields == (with_len ? 3 : 2) && !handle[used] &&
           gt_redis_split_entry(ret->entry, &ms, &seq) && ret->shard < self->options->shards;
}

/* A stable spread over the shards. A push without a cursor goes by its topic: were it split by id,
 * or sent where its first id points, it would not be all or nothing, or an id pushed twice in
 * different company would not be recognised. */
unsigned gt_redis_choose_shard(const struct gt_redis *self, const char *topic,
                               const struct gt_cursor *cursor)
{
    const char *name = cursor ? cursor->name : topic;
    return gt_crc32(name, strlen(name)) % (uint32_t)self->options->shards;
}
