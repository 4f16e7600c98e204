/* Connecting, and what can go wrong with a Redis server. */
#include "queue/redis_link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MOST (5 * GT_SECOND)

void gt_redis_reply_cleanup(redisReply **reply)
{
    if (*reply)
        freeReplyObject(*reply);
}

void gt_redis_words_free(struct gt_redis_words *words)
{
    free(words->words);
    free(words->lens);
}

static bool grow(struct gt_redis_words *words)
{
    size_t capacity = words->capacity ? 2 * words->capacity : 32;
    const char **new_words = reallocarray(words->words, capacity, sizeof(*new_words));
    if (new_words)
        words->words = new_words;
    size_t *new_lens = reallocarray(words->lens, capacity, sizeof(*new_lens));
    if (new_lens)
        words->lens = new_lens;
    if (!new_words || !new_lens)
        return false;
    words->capacity = capacity;
    return true;
}

void gt_redis_add(struct gt_redis_words *words, const void *bytes, size_t len)
{
    if (words->count == words->capacity && !grow(words)) {
        words->failed = true;
        return;
    }
    words->words[words->count] = len ? bytes : "";
    words->lens[words->count++] = len;
}

void gt_redis_add_text(struct gt_redis_words *words, const char *text)
{
    gt_redis_add(words, text, strlen(text));
}

void gt_redis_add_number(struct gt_redis_words *words, int64_t number)
{
    char *text = words->numbers[words->numbers_used++];
    snprintf(text, sizeof(words->numbers[0]), "%lld", (long long)number);
    gt_redis_add_text(words, text);
}

static void drop_connection(struct gt_redis_link *link)
{
    if (link->context)
        redisFree(link->context);
    link->context = NULL;
}

void gt_redis_link_close(struct gt_redis_link *link)
{
    drop_connection(link);
    gt_redis_tls_free(link);
}

/* The answers that mean something to us, by how they begin
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/ says errors begin with a code in
 * capitals). `reconnect`: this connection will not get better. */
static const struct {
    const char *begin;
    int code;
    bool reconnect;
    const char *advice;
} answers[] = {
    {"OOM", GT_E_FULL, false,
     "its memory is full (maxmemory); crawling pauses until workers caught up, or raise maxmemory"},
    {"NOSCRIPT", GT_E_NOTFOUND, false, "it does not know this script"},
    {"LOADING", GT_E_AGAIN, false, "it is still loading its data"},
    {"BUSY ", GT_E_AGAIN, false, "it is busy with somebody's script"},
    {"READONLY", GT_E_AGAIN, true,
     "it is a replica; name the primary, or wait until the fail-over is done"},
    {"MASTERDOWN", GT_E_AGAIN, true, "it is a replica without its primary"},
    {"CLUSTERDOWN", GT_E_AGAIN, false, "the cluster is down"},
    {"TRYAGAIN", GT_E_AGAIN, false, "the cluster moves keys"},
    {"NOREPLICAS", GT_E_AGAIN, false, "it wants more replicas than it has"},
    {"UNBLOCKED", GT_E_AGAIN, true, "it changed its role"},
    {"MISCONF", GT_E_AGAIN, false,
     "it cannot save to its disk and refuses writes; see its log, mostly that disk is full"},
    {"ERR max number of clients", GT_E_AGAIN, true, "raise maxclients, or run fewer workers"},
    {"NOAUTH", GT_E_REFUSED, true,
     "it wants a password; set `queue: password:` (and `user:` if it has an access list)"},
    {"ERR Protocol error: unauthenticated", GT_E_REFUSED, true, /* to a long command */
     "it wants a password; set `queue: password:` (and `user:` if it has an access list)"},
    {"WRONGPASS", GT_E_REFUSED, true,
     "user or password is wrong; set `queue: user:` and `password:`"},
    {"ERR invalid password", GT_E_REFUSED, true, "the password is wrong; set `queue: password:`"},
    {"ERR AUTH", GT_E_REFUSED, true,
     "it has no password for the default user; remove `queue: password:`, or add `user:`"},
    {"ERR Client sent AUTH", GT_E_REFUSED, true, "it has no password; remove `queue: password:`"},
    {"NOPERM", GT_E_REFUSED, false,
     "this user lacks rights; it needs the commands in docs/QUEUE.md on keys that begin with the "
     "prefix"},
    {"DENIED", GT_E_REFUSED, true,
     "protected mode: it takes no connections from other machines without a password; set one "
     "there "
     "and `queue: password:` here"},
    {"ERR DB index", GT_E_INVALID, true, "it has no such database; set `queue: database:`"},
    {"ERR SELECT is not allowed", GT_E_INVALID, true,
     "a cluster has only database 0; remove `queue: database:`"},
    {"MOVED", GT_E_UNSUPPORTED, false,
     "it is one node of a cluster, and the keys live on another; use the cluster's proxy address, "
     "or "
     "`shards: 1` with the node that holds them"},
    {"CROSSSLOT", GT_E_UNSUPPORTED, false, "a cluster's proxy refused keys of one hash tag"},
    {"WRONGTYPE", GT_E_CONFLICT, false,
     "another program uses the same key; choose another `queue: prefix:`"},
    {"ERR unknown command", GT_E_UNSUPPORTED, false,
     "it lacks a command; guette needs Redis 6.2 or later, or Valkey"},
};

static int judge(struct gt_redis_link *link, const redisReply *reply, struct gt_error *err)
{
    /* Redis 6 wraps what a script's command answered. */
    const char *text = reply->str, *inner = strstr(text, ": -");
    if (gt_starts_with(text, "ERR Error running script") && inner)
        text = inner + 3;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (!gt_starts_with(text, answers[i].begin))
            continue;
        if (answers[i].reconnect)
            drop_connection(link);
        return gt_fail(err, answers[i].code, "redis %s: %s (it said: %.100s)", link->address.name,
                       answers[i].advice, text);
    }
    return gt_fail(err, GT_E_IO, "redis %s: unexpected answer: %.200s", link->address.name, text);
}

/* What hiredis says of a broken connection. errno is of no use: 0.14 leaves others' values in it.
 */
static int broken(struct gt_redis_link *link, const char *doing, struct gt_error *err)
{
    char words[sizeof(link->context->errstr)] = "out of memory";
    bool silent = false;
    if (link->context) {
        snprintf(words, sizeof(words), "%s", link->context->errstr);
        silent = strstr(words, "temporarily unavailable") || strstr(words, "timed out");
    }
    drop_connection(link);
    if (silent)
        return gt_fail(err, GT_E_AGAIN,
                       "redis %s: no answer in time while %s; is it overloaded or hung?",
                       link->address.name, doing);
    return gt_fail(err, GT_E_AGAIN,
                   "redis %s: %s while %s; check that it runs and that `queue: url:` (or host and "
                   "port) names it",
                   link->address.name, *words ? words : "connection lost", doing);
}

static int send_connected(struct gt_redis_link *link, const struct gt_redis_words *words,
                          const char *doing, redisReply **ret_reply, struct gt_error *err)
{
    if (words->failed)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    redisReply *reply =
        redisCommandArgv(link->context, (int)words->count, words->words, words->lens);
    if (!reply)
        return broken(link, doing, err);
    if (reply->type == REDIS_REPLY_ERROR) {
        int rc = judge(link, reply, err);
        freeReplyObject(reply);
        return rc;
    }
    *ret_reply = reply;
    return 0;
}

static struct timeval timeval_of(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

static int log_in(struct gt_redis_link *link, struct gt_error *err)
{
    const struct gt_redis_address *address = &link->address;
    int rc = 0;
    if (address->password) {
        GT_REDIS_WORDS auth = {0};
        GT_REDIS_REPLY *reply = NULL;
        gt_redis_add_text(&auth, "AUTH");
        if (address->user)
            gt_redis_add_text(&auth, address->user);
        gt_redis_add_text(&auth, address->password);
        rc = send_connected(link, &auth, "logging in", &reply, err);
    }
    if (!rc && address->database) {
        GT_REDIS_WORDS select = {0};
        GT_REDIS_REPLY *reply = NULL;
        gt_redis_add_text(&select, "SELECT");
        gt_redis_add_number(&select, address->database);
        rc = send_connected(link, &select, "choosing the database", &reply, err);
    }
    return rc;
}

static int connect_link(struct gt_redis_link *link, struct gt_error *err)
{
    const struct gt_redis_address *address = &link->address;
    int64_t patience = link->timeout_ms < CONNECT_MOST ? link->timeout_ms : CONNECT_MOST;
    link->context =
        address->socket
            ? redisConnectUnixWithTimeout(address->socket, timeval_of(patience))
            : redisConnectWithTimeout(address->host, address->port, timeval_of(patience));
    if (!link->context || link->context->err)
        return broken(link, "connecting", err);
    if (redisSetTimeout(link->context, timeval_of(link->timeout_ms)) != REDIS_OK)
        return broken(link, "setting its timeout", err);
    if (address->host)
        redisEnableKeepAlive(link->context);
    int rc = address->tls ? gt_redis_tls_start(link, err) : 0;
    if (!rc)
        rc = log_in(link, err);
    if (rc)
        drop_connection(link);
    return rc;
}

/* Writing to a connection that the server closed must not kill us by SIGPIPE, and what the process
 * does about signals is not ours to change: it is held back in this thread, and taken away if it
 * came. */
int gt_redis_send(struct gt_redis_link *link, const struct gt_redis_words *words,
                  redisReply **ret_reply, struct gt_error *err)
{
    const struct timespec now = {0};
    sigset_t pipe_only, before, waiting;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    int rc = link->context ? 0 : connect_link(link, err);
    if (!rc)
        rc = send_connected(link, words, "waiting for an answer", ret_reply, err);
    if (rc && !sigismember(&waiting, SIGPIPE))
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}
