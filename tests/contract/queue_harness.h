/* Queues to test: each back-end in a folder of its own, Redis with a server of its own on a private
 * unix socket. */
#ifndef GT_TESTS_QUEUE_HARNESS_H
#define GT_TESTS_QUEUE_HARNESS_H

#include "queue/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/types.h>

struct server {
    pid_t pid; /* 0: none */
    char directory[64], socket[96];
    char *arguments[24]; /* further ones of redis-server, NULL-ended; kept for restarts */
};

/* False when redis-server is not installed. */
bool server_installed(void);
/* `arguments` are options of redis-server, NULL-ended ("--requirepass", "x", NULL); directory must
 * be there. Returns when it answers on its socket. */
void server_start(struct server *server, const char *directory, const char *const *arguments);
void server_kill(struct server *server); /* SIGKILL */
void server_restart(struct server *server);

struct harness {
    const char *type; /* "sqlite", "redis", "memory" */
    const char
        *options; /* YAML flow map without braces, appended to what the harness itself gives */
    const char *password;         /* redis: the server wants it; NULL: none */
    const char *const *arguments; /* redis: further ones of the server, NULL-ended; NULL: none */
    char directory[64];
    struct server server;
    struct gt_config config; /* change limits here before opening */
    struct gt_arena *arena;  /* of config; and for jobs, reset by nobody */
    int queues;              /* made so far: each test has its own */
};

/* For cmocka: *state is a struct harness whose first members are set. */
int harness_group_setup(void **state);
int harness_group_teardown(void **state);
/* A new, empty queue with a lease of an hour, 5 deliveries, no high-water mark. */
int harness_setup(void **state);
int harness_teardown(void **state);

/* Decodes `options` (a YAML flow map without braces) for the kind into config.queue. */
void harness_options(struct harness *harness, const char *options);
struct gt_queue *harness_open(struct harness *harness, const char *consumer);
/* The same with another lease. */
struct gt_queue *harness_open_lease(struct harness *harness, const char *consumer,
                                    int64_t lease_ms);

/* For a child: a test that fails leaves no process behind. */
void die_with_parent(void);

/* Removes the folder and what is in it. */
void remove_tree(const char *path);

/* A word for each number, in the form of an id. */
void id_of(unsigned number, char id[GT_ID_TEXT]);
/* Pushes `count` entries numbered from `first`, each with the payload "payload NUMBER". */
int push_numbers(struct gt_queue *queue, const char *topic, unsigned first, unsigned count,
                 size_t *ret_fresh, struct gt_error *err);

/* These assert. */
void check_stats(struct gt_queue *queue, const char *topic, uint64_t depth, uint64_t pending,
                 uint64_t dead, uint64_t bytes);
struct gt_job pull_one(struct harness *harness, struct gt_queue *queue, int64_t wait_ms);
void pull_none(struct harness *harness, struct gt_queue *queue);
void push_ok(struct gt_queue *queue, unsigned first, unsigned count);

/* Runs the cases over every back-end; returns how many failed. */
int harness_run(const struct CMUnitTest *cases, size_t count);

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        int rc_ = (call);                                                                          \
        if (rc_ < 0)                                                                               \
            print_error("%s gave %s: %s\n", #call, gt_code_name(rc_), err.message);                \
        assert_true(rc_ >= 0);                                                                     \
    } while (0)
#define assert_code(expected, call)                                                                \
    do {                                                                                           \
        int rc_ = (call);                                                                          \
        if (rc_ != (expected))                                                                     \
            print_error("%s gave %s, not %s\n", #call, gt_code_name(rc_), gt_code_name(expected)); \
        assert_int_equal(rc_, (expected));                                                         \
    } while (0)

#endif
