/* Starts the servers of tests/servers as child processes and fetches from them. */
#ifndef GT_TEST_NET_HARNESS_H
#define GT_TEST_NET_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/core.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    int port;
    char folder[64]; /* holds log and routes */
};

/* script: "replay.py"...; args: NULL-ended, may be NULL. Fails the test when it does not come up.
 */
void server_start(struct server *server, const char *script, const char *const *args);
/* replay.py with these routes (JSON). */
void server_start_routes(struct server *server, const char *routes, const char *const *args);
void server_stop(struct server *server);
/* What arrived so far: an array; the caller owns it. */
json_t *server_log(const struct server *server);
/* The entries of the log whose path begins so. */
json_t *server_log_of(const struct server *server, const char *path);
/* "http://127.0.0.1:PORT" + path, in one of a few static buffers. */
const char *at(const struct server *server, const char *path);
const char *at_host(const struct server *server, const char *scheme_and_host, const char *path);

struct gt_net *net_new(int64_t connections, int64_t per_host, double per_second);

/* A copy of a response. */
struct answer {
    int calls;
    int error, status;
    char words[GT_ERROR_MAX];
    struct gt_buffer body;
    bool cut, moved;
    int64_t retry_after_ms;
    char url[1024], etag[256], seen[256];
    size_t header_count;
};
void answer_keep(void *answer, const struct gt_http_response *response);
void answer_free(struct answer *answer);
/* Until nothing waits or runs. */
void run_all(struct gt_net *net);
/* Submits and runs; the answer is valid until the next call. */
const struct answer *fetch(struct gt_net *net, const struct gt_http_request *request);
const struct answer *get(struct gt_net *net, const char *url); /* allow_private */

#define assert_words(answer, part)                                                                 \
    do {                                                                                           \
        if (!strstr((answer)->words, part))                                                        \
            fail_msg("\"%s\" does not say \"%s\"", (answer)->words, part);                         \
    } while (0)

#endif
