/* Whoever dies, nothing pushed is lost: consumers, producers and the server are killed at random.
 */
#include "queue_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define T GT_TOPIC_DOCUMENTS
#define ENTRIES 10000
#define CONSUMERS 4
#define PRODUCERS 2
#define KILLS 40

/* Which numbers were seen; shared with the children through a file, one line a job. */
static unsigned char seen[ENTRIES];

static void read_seen(const char *path)
{
    FILE *file = fopen(path, "r");
    unsigned number;
    memset(seen, 0, sizeof(seen));
    assert_non_null(file);
    while (fscanf(file, "%u", &number) == 1)
        if (number < ENTRIES)
            seen[number] = 1;
    fclose(file);
    for (unsigned i = 0; i < ENTRIES; i++)
        if (!seen[i])
            fail_msg("entry %u was never seen", i);
}

/* A child: pulls, notes, acks, until it is killed. */
static void consume(struct harness *harness, unsigned slot, const char *path)
{
    struct gt_error err = {0};
    struct gt_queue *queue = NULL;
    char name[32], line[600];
    snprintf(name, sizeof(name), "host:%u", slot);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    while (gt_queue_open(&harness->config, name, &queue, &err) != 0)
        gt_sleep(10);
    for (;;) {
        GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1024 * 1024);
        struct gt_job jobs[20];
        int len = 0, got = gt_queue_pull(queue, T, 20, 1000, arena, jobs, &err);
        for (int i = 0; i < got; i++)
            len += snprintf(line + len, sizeof(line) - (size_t)len, "%s\n",
                            (const char *)jobs[i].payload + strlen("payload "));
        if (len && write(fd, line, (size_t)len) != len)
            _exit(3);
        for (int i = 0; i < got; i++)
            if (gt_queue_ack(queue, T, &jobs[i], &err) != 0)
                gt_sleep(1);
    }
}

/* A child: pushes its share in steps of 50, from where the cursor says, until it is done. */
static void produce(struct harness *harness, unsigned slot)
{
    struct gt_error err = {0};
    struct gt_queue *queue = NULL;
    char source[32], value[32];
    unsigned share = ENTRIES / PRODUCERS, next = 0;
    snprintf(source, sizeof(source), "source-%u", slot);
    while (gt_queue_open(&harness->config, NULL, &queue, &err) != 0)
        gt_sleep(10);
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(64);
    int rc;
    while ((rc = gt_queue_cursor(queue, source, &buffer, &err)) == GT_E_AGAIN)
        gt_sleep(10);
    next = rc ? 0 : (unsigned)atoi(buffer.data);
    while (next < share) {
        struct gt_push entries[50];
        char ids[50][GT_ID_TEXT], payloads[50][32];
        for (unsigned i = 0; i < 50; i++) {
            unsigned number = slot * share + next + i;
            id_of(number, ids[i]);
            int len = snprintf(payloads[i], sizeof(payloads[i]), "payload %u", number);
            entries[i] = (struct gt_push){.id = ids[i], .payload = payloads[i], .len = (size_t)len};
        }
        snprintf(value, sizeof(value), "%u", next + 50);
        const struct gt_cursor cursor = {.name = source, .value = value, .len = strlen(value)};
        if (gt_queue_push(queue, T, entries, 50, &cursor, NULL, &err) == 0)
            next += 50;
        else
            gt_sleep(5);
    }
    _exit(0);
}

struct fleet {
    struct harness *harness;
    char path[100];
    pid_t consumers[CONSUMERS], producers[PRODUCERS]; /* 0: has ended */
};

static pid_t spawn_consumer(struct fleet *fleet, unsigned slot)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        die_with_parent();
        consume(fleet->harness, slot, fleet->path);
        _exit(1);
    }
    return pid;
}

static pid_t spawn_producer(struct fleet *fleet, unsigned slot)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        die_with_parent();
        produce(fleet->harness, slot);
    }
    return pid;
}

/* Consumers must still run; a producer that is done has ended well. */
static void check_fleet(struct fleet *fleet)
{
    for (unsigned i = 0; i < CONSUMERS; i++)
        assert_int_equal(waitpid(fleet->consumers[i], NULL, WNOHANG), 0);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        int status = 0;
        if (fleet->producers[i] && waitpid(fleet->producers[i], &status, WNOHANG) > 0) {
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            fleet->producers[i] = 0;
        }
    }
}

static void kill_one(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void kill_someone(struct fleet *fleet)
{
    unsigned slot = gt_random(CONSUMERS + PRODUCERS);
    if (slot < CONSUMERS) {
        kill_one(fleet->consumers[slot]);
        fleet->consumers[slot] = spawn_consumer(fleet, slot);
    } else if (fleet->producers[slot - CONSUMERS]) {
        slot -= CONSUMERS;
        kill_one(fleet->producers[slot]);
        fleet->producers[slot] = spawn_producer(fleet, slot);
    }
}

static bool is_done(struct fleet *fleet, struct gt_queue *queue)
{
    struct gt_error err = {0};
    struct gt_topic_stats stats = {.depth = 1};
    for (unsigned i = 0; i < PRODUCERS; i++)
        if (fleet->producers[i])
            return false;
    return gt_queue_stats(queue, T, &stats, &err) == 0 && stats.depth == 0;
}

static void check_end(struct fleet *fleet, struct gt_queue *queue)
{
    struct gt_error err = {0};
    struct gt_topic_stats stats;
    for (unsigned i = 0; i < CONSUMERS; i++)
        kill_one(fleet->consumers[i]);
    read_seen(fleet->path);
    assert_ok(gt_queue_stats(queue, T, &stats, &err));
    assert_int_equal(stats.depth, 0);
    assert_int_equal(stats.pending, 0);
    assert_int_equal(stats.bytes, 0);
    assert_int_equal(stats.dead, 0);
}

static void start_fleet(struct fleet *fleet, struct harness *harness)
{
    harness->config.queue.lease_ms = 200;
    harness->config.queue.max_deliveries = 1000;
    fleet->harness = harness;
    snprintf(fleet->path, sizeof(fleet->path), "%s/seen-%d", harness->directory, harness->queues);
    int fd = open(fleet->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    for (unsigned i = 0; i < PRODUCERS; i++)
        fleet->producers[i] = spawn_producer(fleet, i);
    for (unsigned i = 0; i < CONSUMERS; i++)
        fleet->consumers[i] = spawn_consumer(fleet, i);
}

static void killed_workers_lose_nothing(void **state)
{
    struct harness *harness = *state;
    struct fleet fleet = {0};
    start_fleet(&fleet, harness);
    struct gt_queue *queue = harness_open(harness, NULL);
    for (int kills = 0; kills < KILLS || !is_done(&fleet, queue); kills++) {
        gt_sleep(10 + gt_random(60));
        check_fleet(&fleet);
        if (kills < KILLS)
            kill_someone(&fleet);
    }
    check_end(&fleet, queue);
    gt_queue_close(queue);
}

/* What a server with appendfsync always has answered, it keeps. */
static void a_killed_server_loses_nothing(void **state)
{
    struct harness *harness = *state;
    struct fleet fleet = {0};
    start_fleet(&fleet, harness);
    struct gt_queue *queue = harness_open(harness, NULL);
    for (int kills = 0; kills < 5 || !is_done(&fleet, queue); kills++) {
        gt_sleep(100 + gt_random(200));
        check_fleet(&fleet);
        if (kills >= 5)
            continue;
        server_kill(&harness->server);
        server_restart(&harness->server);
    }
    check_end(&fleet, queue);
    gt_queue_close(queue);
}

/* Many processes open the same new queue at once. */
static void all_may_start_at_once(void **state)
{
    struct harness *harness = *state;
    pid_t pids[8];
    for (unsigned i = 0; i < 8; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct gt_error err = {0};
            struct gt_queue *queue = NULL;
            int rc = gt_queue_open(&harness->config, NULL, &queue, &err);
            for (unsigned k = 0; k < 25 && !rc; k++)
                rc = push_numbers(queue, T, i * 25 + k, 1, NULL, &err);
            if (rc)
                fprintf(stderr, "%s\n", err.message);
            _exit(rc != 0);
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        int status = 0;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    struct gt_error err = {0};
    struct gt_topic_stats stats;
    struct gt_queue *queue = harness_open(harness, NULL);
    assert_ok(gt_queue_stats(queue, T, &stats, &err));
    assert_int_equal(stats.depth, 200);
    gt_queue_close(queue);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
static const struct CMUnitTest sqlite_cases[] = {
    CASE(all_may_start_at_once),
    CASE(killed_workers_lose_nothing),
};
static const struct CMUnitTest redis_cases[] = {
    CASE(all_may_start_at_once),
    CASE(killed_workers_lose_nothing),
    CASE(a_killed_server_loses_nothing),
};

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
static struct harness sqlite = {.type = "sqlite"};
static struct harness redis = {.type = "redis", .arguments = durable};

static int setup_sqlite(void **state)
{
    *state = &sqlite;
    return harness_group_setup(state);
}

static int setup_redis(void **state)
{
    *state = &redis;
    return harness_group_setup(state);
}

int main(void)
{
    int failed = cmocka_run_group_tests(sqlite_cases, setup_sqlite, harness_group_teardown);
    if (server_installed())
        failed += cmocka_run_group_tests(redis_cases, setup_redis, harness_group_teardown);
    else
        printf("SKIPPED: redis: there is no redis-server of 6.2 or later\n");
    return failed != 0;
}
