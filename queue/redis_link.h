/* One connection to a Redis server: where it is, reconnecting, and its errors in words. Works with
 * hiredis 0.14 and 1.x. */
#ifndef GT_QUEUE_REDIS_LINK_H
#define GT_QUEUE_REDIS_LINK_H

#include "queue/backend.h"

#include <hiredis/hiredis.h>

struct gt_redis_tls_options {
    bool enabled;
    const char *ca, *cert, *key;
};

struct gt_redis_options {
    struct gt_queue_common common;
    const char *url, *host, *socket, *user, *password;
    int64_t port, database;
    struct gt_redis_tls_options tls;
    const char *prefix;
    int64_t shards;
    int64_t timeout_ms;
    bool allow_eviction;
};
extern const struct gt_option gt_redis_option_rows[];

/* Where the server is. Strings live in the arena given to gt_redis_address_read. */
struct gt_redis_address {
    const char *host; /* NULL: socket */
    const char *socket;
    int port;
    const char *user, *password; /* NULL: none */
    int64_t database;
    bool tls;
    const char *ca, *cert,
        *key;       /* resolved paths; NULL: the system's authorities, no client certificate */
    char name[300]; /* "host:port" or the socket's path: for messages; no secret in it */
};
/* From `url` (redis://, rediss://, unix://;
 * https://www.iana.org/assignments/uri-schemes/prov/redis) and the single options, of which each
 * that the URL gives too wins by the URL. */
int gt_redis_address_read(const struct gt_config *config, const struct gt_redis_options *options,
                          struct gt_arena *arena, struct gt_redis_address *ret,
                          struct gt_error *err);

/* Whether they can be read at all: the back-end's check. */
int gt_redis_check(const struct gt_config *config, const void *options, struct gt_error *err);

/* The words of one command. Bytes are borrowed. */
struct gt_redis_words {
    const char **words;
    size_t *lens;
    size_t count, capacity;
    char numbers[8][24];
    size_t numbers_used;
    bool failed; /* out of memory; gt_redis_send says so */
};
void gt_redis_words_free(struct gt_redis_words *words);
#define GT_REDIS_WORDS __attribute__((cleanup(gt_redis_words_free))) struct gt_redis_words
void gt_redis_add(struct gt_redis_words *words, const void *bytes, size_t len);
void gt_redis_add_text(struct gt_redis_words *words, const char *text);
void gt_redis_add_number(struct gt_redis_words *words, int64_t number); /* at most 8 of them */

struct gt_redis_link {
    struct gt_redis_address address;
    int64_t timeout_ms;
    redisContext *context; /* NULL: not connected */
    void *tls;             /* SSL_CTX, made once */
};
/* Connects when there is no connection, sends one command and waits for its answer. An answer that
 * is an error, or none in time, is a failure: *ret_reply is not written then. The caller frees it
 * by freeReplyObject. */
int gt_redis_send(struct gt_redis_link *link, const struct gt_redis_words *words,
                  redisReply **ret_reply, struct gt_error *err);
void gt_redis_link_close(struct gt_redis_link *link);

void gt_redis_reply_cleanup(redisReply **reply);
#define GT_REDIS_REPLY __attribute__((cleanup(gt_redis_reply_cleanup))) redisReply

/* redis_tls.c. Starts TLS on a fresh connection; the certificate must be of the address's host. */
int gt_redis_tls_start(struct gt_redis_link *link, struct gt_error *err);
void gt_redis_tls_free(struct gt_redis_link *link);

#endif
