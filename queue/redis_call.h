/* What the parts of the Redis back-end share: the handle, calling scripts, the names of entries. */
#ifndef GT_QUEUE_REDIS_CALL_H
#define GT_QUEUE_REDIS_CALL_H

#include "queue/redis_link.h"

#define GT_REDIS_KEY_MAX 256
#define GT_REDIS_SHA_TEXT 41

enum gt_redis_script {
    SCRIPT_ACK,
    SCRIPT_BURY,
    SCRIPT_GET,
    SCRIPT_LEASE,
    SCRIPT_LEVEL,
    SCRIPT_LIST,
    SCRIPT_PULL,
    SCRIPT_PUSH,
    SCRIPT_PUT,
    SCRIPT_REPLAY,
    SCRIPT_STATS,
    SCRIPTS,
};

struct gt_redis {
    struct gt_queue_settings settings;
    const struct gt_redis_options *options;
    struct gt_arena *arena;
    struct gt_redis_link link;
    char shas[SCRIPTS][GT_REDIS_SHA_TEXT]; /* empty: not loaded yet */
    unsigned turn;                         /* the shard asked first by the next pull */
};

/* Where an entry is: its shard, its name in the stream, the length of its payload. */
struct gt_redis_place {
    unsigned shard;
    char entry[44];
    uint64_t len;
};

/* One EVALSHA: begin it by one of the next two, add arguments to `words`, send it. */
struct gt_redis_call {
    struct gt_redis_words words;
    char keys[6][GT_REDIS_KEY_MAX];
    enum gt_redis_script script;
};
void gt_redis_call_cleanup(struct gt_redis_call *call);
#define GT_REDIS_CALL __attribute__((cleanup(gt_redis_call_cleanup))) struct gt_redis_call

/* With the keys of a topic, in the order in which scripts/common.lua takes them. */
void gt_redis_call_topic(struct gt_redis *self, struct gt_redis_call *call,
                         enum gt_redis_script script, unsigned shard, const char *topic);
/* With the keys of the facts. */
void gt_redis_call_facts(struct gt_redis *self, struct gt_redis_call *call,
                         enum gt_redis_script script);
/* As gt_redis_send. */
int gt_redis_call_send(struct gt_redis *self, struct gt_redis_call *call, redisReply **ret_reply,
                       struct gt_error *err);

/* False for NULL, too. */
bool gt_redis_is_array(const redisReply *reply, size_t least);
bool gt_redis_is_number(const redisReply *reply);
bool gt_redis_is_text(const redisReply *reply);
/* The failure when an answer has not the form its script gives it. */
int gt_redis_odd_answer(const struct gt_redis *self, struct gt_error *err);

/* The milliseconds an entry's name begins with. */
int64_t gt_redis_entry_ms(const char *entry);
bool gt_redis_split_entry(const char *text, unsigned long long *ret_ms,
                          unsigned long long *ret_seq);
/* Handles are "shard/entry/length"; dead letters' are "shard/entry" (len NULL). */
void gt_redis_write_handle(char handle[64], unsigned shard, const char *entry, const uint64_t *len);
bool gt_redis_read_handle(const struct gt_redis *self, const char *handle, bool with_len,
                          struct gt_redis_place *ret);
/* topic is looked at only when there is no cursor. */
unsigned gt_redis_choose_shard(const struct gt_redis *self, const char *topic,
                               const struct gt_cursor *cursor);

/* redis_dead.c, redis_facts.c: rows of the back-end's table. */
int gt_redis_dead(void *handle, const char *topic, const char *after, size_t most,
                  struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err);
int gt_redis_replay(void *handle, const char *topic, const char *dead, struct gt_error *err);
int gt_redis_drop(void *handle, const char *topic, const char *dead, struct gt_error *err);
int gt_redis_cursor(void *handle, const char *name, struct gt_buffer *ret_value,
                    struct gt_error *err);
int gt_redis_put(void *handle, const char *name, const void *value, size_t len, int64_t ttl_ms,
                 struct gt_error *err);
int gt_redis_put_once(void *handle, const char *name, const void *value, size_t len,
                      struct gt_buffer *ret_value, struct gt_error *err);
int gt_redis_get(void *handle, const char *name, struct gt_buffer *ret_value, struct gt_error *err);
int gt_redis_list(void *handle, const char *prefix, size_t most, struct gt_arena *arena,
                  struct gt_fact *ret_facts, struct gt_error *err);

#endif
