/* What goes wrong around a queue: each case has its code, words that say what to do, and loses
 * nothing. */
#include "queue_harness.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define T GT_TOPIC_DOCUMENTS
#define PASSWORD "made-up-word"

static void open_fails(struct harness *harness, const char *options, int code, const char *words)
{
    struct gt_error err = {0};
    struct gt_queue *queue = NULL;
    if (options)
        harness_options(harness, options);
    assert_code(code, gt_queue_open(&harness->config, "host:1", &queue, &err));
    assert_null(queue);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    assert_null(strstr(err.message, PASSWORD));
}

/* Pushes 64 KiB payloads one by one until the queue is full; returns how many went in. */
static unsigned fill(struct gt_queue *queue, unsigned first, struct gt_error *err)
{
    static char payload[65536];
    memset(payload, 'x', sizeof(payload));
    for (unsigned i = 0; i < 4000; i++) {
        char id[GT_ID_TEXT];
        id_of(first + i, id);
        const struct gt_push entry = {.id = id, .payload = payload, .len = sizeof(payload)};
        const struct gt_cursor cursor = {.name = "filler", .value = id, .len = strlen(id)};
        int rc = gt_queue_push(queue, T, &entry, 1, &cursor, NULL, err);
        if (rc == GT_E_FULL)
            return i;
        if (rc)
            fail_msg("push gave %s: %s", gt_code_name(rc), err->message);
    }
    fail_msg("it never was full");
    return 0;
}

static unsigned drain(struct gt_queue *queue)
{
    struct gt_error err = {0};
    unsigned count = 0;
    for (;;) {
        GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new((size_t)4 * 1024 * 1024);
        struct gt_job jobs[16];
        int got = gt_queue_pull(queue, T, 16, 0, arena, jobs, &err);
        assert_ok(got);
        if (!got)
            return count;
        for (int i = 0; i < got; i++)
            assert_ok(gt_queue_ack(queue, T, &jobs[i], &err));
        count += (unsigned)got;
    }
}

static uint64_t depth_of(struct gt_queue *queue)
{
    struct gt_error err = {0};
    struct gt_topic_stats stats = {0};
    assert_ok(gt_queue_stats(queue, T, &stats, &err));
    return stats.depth;
}

static void cursor_is_number(struct gt_queue *queue, unsigned number)
{
    struct gt_error err = {0};
    char id[GT_ID_TEXT];
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(64);
    id_of(number, id);
    assert_ok(gt_queue_cursor(queue, "filler", &buffer, &err));
    assert_string_equal(buffer.data, id);
}

/* ---- SQLite ---- */

static const char *path_in(struct harness *harness, const char *name)
{
    return gt_arena_printf(harness->arena, "%s/%s", harness->directory, name);
}

static void write_file(struct harness *harness, const char *name, const char *bytes, size_t len)
{
    struct gt_error err = {0};
    assert_ok(gt_file_write(path_in(harness, name), bytes, len, 0600, &err));
}

static void what_is_no_queue_file_is_left_alone(void **state)
{
    struct harness *harness = *state;
    static char text[4096];
    memset(text, 'n', sizeof(text));
    write_file(harness, "text.db", text, sizeof(text));
    open_fails(harness, "path: text.db", GT_E_INVALID, "text.db");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path_in(harness, "theirs.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE theirs (a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_fails(harness, "path: theirs.db", GT_E_INVALID, "belongs to something else");
}

static void a_newer_file_is_left_alone(void **state)
{
    struct harness *harness = *state;
    gt_queue_close(harness_open(harness, "host:1"));
    sqlite3 *db = NULL;
    const char *name = gt_arena_printf(harness->arena, "queue-%d.db", harness->queues);
    assert_int_equal(sqlite3_open(path_in(harness, name), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_fails(harness, NULL, GT_E_UNSUPPORTED, "version 99");
}

static void a_damaged_file_is_named(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    for (unsigned i = 0; i < 20; i++)
        assert_ok(push_numbers(queue, T, i * 100, 100, NULL, &err));
    gt_queue_close(queue);
    const char *name = gt_arena_printf(harness->arena, "queue-%d.db", harness->queues);
    int fd = open(path_in(harness, name), O_RDWR | O_CLOEXEC);
    struct stat status;
    assert_true(fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 65536);
    static char noise[65536];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 7 + 1);
    for (off_t at = 8192; at < status.st_size; at += (off_t)sizeof(noise))
        assert_true(pwrite(fd, noise, sizeof(noise), at) > 0);
    close(fd);
    int rc = gt_queue_open(&harness->config, "host:1", &queue, &err);
    if (!rc) {
        struct gt_job job;
        rc = gt_queue_pull(queue, T, 1, 0, harness->arena, &job, &err);
        gt_queue_close(queue);
    }
    assert_int_equal(rc, GT_E_INVALID);
    assert_non_null(strstr(err.message, name));
    assert_non_null(strstr(err.message, "damaged"));
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = NULL;
    write_file(harness, "file", "x", 1);
    harness_options(harness, "path: file/queue.db");
    assert_true(gt_queue_open(&harness->config, "host:1", &queue, &err) < 0);
    assert_non_null(strstr(err.message, "/file"));
}

static void the_file_is_private(void **state)
{
    struct harness *harness = *state;
    struct stat status;
    harness_options(harness, "path: deep/er/queue.db");
    gt_queue_close(harness_open(harness, "host:1"));
    assert_int_equal(stat(path_in(harness, "deep/er/queue.db"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(path_in(harness, "deep"), &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
}

static void max_size_is_kept_to(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    harness_options(harness, "path: small.db, max_size: 2MiB");
    struct gt_queue *queue = harness_open(harness, "host:1");
    unsigned count = fill(queue, 0, &err);
    assert_in_range(count, 20, 32);
    assert_non_null(strstr(err.message, "max_size"));
    assert_int_equal(depth_of(queue), count);
    cursor_is_number(queue, count - 1);
    assert_int_equal(drain(queue), count);
    assert_in_range(fill(queue, 10000, &err), 20, 32);
    gt_queue_close(queue);
}

static void limit_files(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int unlimit_files(void **state)
{
    limit_files(RLIM_INFINITY);
    return harness_teardown(state);
}

/* A limit to the size of files looks like a disk that takes no more, without a disk to fill. */
static void a_full_disk_is_waited_out(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    signal(SIGXFSZ, SIG_IGN);
    struct gt_queue *queue = harness_open(harness, "host:1");
    limit_files(3 * 1024 * 1024);
    unsigned count = fill(queue, 0, &err);
    limit_files(RLIM_INFINITY);
    assert_true(count > 5);
    assert_non_null(strstr(err.message, "no space left"));
    assert_int_equal(depth_of(queue), count);
    cursor_is_number(queue, count - 1);
    assert_int_equal(drain(queue), count);
    assert_ok(push_numbers(queue, T, 50000, 10, NULL, &err));
    gt_queue_close(queue);
}

static int unmount(void **state)
{
    struct harness *harness = *state;
    umount2(path_in(harness, "disk"), MNT_DETACH);
    return harness_teardown(state);
}

static void a_small_disk_is_waited_out(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    assert_int_equal(mkdir(path_in(harness, "disk"), 0700), 0);
    if (mount("none", path_in(harness, "disk"), "tmpfs", 0, "size=4m") != 0) {
        print_message("SKIPPED: no right to mount a small disk\n");
        skip();
    }
    harness_options(harness, "path: disk/queue.db");
    struct gt_queue *queue = harness_open(harness, "host:1");
    unsigned count = fill(queue, 0, &err);
    assert_true(count > 5);
    assert_int_equal(depth_of(queue), count);
    cursor_is_number(queue, count - 1);
    /* Some space comes back: what was pushed is there. */
    assert_int_equal(mount("none", path_in(harness, "disk"), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    assert_int_equal(drain(queue), count);
    assert_ok(push_numbers(queue, T, 50000, 10, NULL, &err));
    gt_queue_close(queue);
}

static void a_drained_file_shrinks(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct stat status;
    harness_options(harness, "path: drained.db, max_size: 16MiB");
    struct gt_queue *queue = harness_open(harness, "host:1");
    unsigned count = fill(queue, 0, &err);
    struct gt_job job;
    assert_int_equal(drain(queue), count);
    status.st_size = INT32_MAX;
    for (int i = 0; i < 100 && status.st_size > 2 * 1024 * 1024; i++) {
        assert_code(0, gt_queue_pull(queue, T, 1, 200, harness->arena, &job, &err));
        assert_int_equal(stat(path_in(harness, "drained.db"), &status), 0);
    }
    assert_true(status.st_size <= 2 * 1024 * 1024);
    assert_int_equal(stat(path_in(harness, "drained.db-wal"), &status), 0);
    assert_true(status.st_size <= 2 * 1024 * 1024);
    gt_queue_close(queue);
}

/* ---- Redis ---- */

/* One command in inline form, as an operator would type it; the answer's first line is returned. */
static const char *type_in(struct harness *harness, const char *command)
{
    static char answer[4096];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[1024];
    memset(answer, 0, sizeof(answer));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", harness->server.socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    snprintf(text, sizeof(text), "AUTH %s\r\n%s\r\nQUIT\r\n", PASSWORD, command);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    for (size_t len = 0; len < sizeof(answer) - 1;) {
        ssize_t got = read(fd, answer + len, sizeof(answer) - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    char *second = strchr(answer, '\n');
    return second ? second + 1 : answer;
}

static void typed_ok(struct harness *harness, const char *command)
{
    const char *answer = type_in(harness, command);
    if (strncmp(answer, "+OK", 3) != 0 && answer[0] != ':')
        fail_msg("%s: %s", command, answer);
}

static void a_wrong_password_is_refused(void **state)
{
    struct harness *harness = *state;
    open_fails(harness, "socket: redis.sock, password: other", GT_E_REFUSED, "password");
    open_fails(harness, "socket: redis.sock", GT_E_REFUSED, "password");
    open_fails(harness, "socket: redis.sock, user: nobody, password: " PASSWORD, GT_E_REFUSED,
               "user");
    char *url = gt_arena_printf(harness->arena, "url: \"unix://:%s@%s?db=3\"", PASSWORD,
                                harness->server.socket);
    harness_options(harness, url);
    gt_queue_close(harness_open(harness, "host:1"));
    open_fails(harness, "socket: redis.sock, database: 99, password: " PASSWORD, GT_E_INVALID,
               "database");
}

static void a_server_that_is_not_there_is_named(void **state)
{
    struct harness *harness = *state;
    open_fails(harness, "socket: none.sock, password: " PASSWORD, GT_E_AGAIN, "none.sock");
    open_fails(harness, "url: \"redis://:" PASSWORD "@127.0.0.1:1/0\"", GT_E_AGAIN, "127.0.0.1:1");
    open_fails(harness, "url: \"http://x\"", GT_E_INVALID, "redis://");
}

static void tls_is_not_silently_left_out(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    harness_options(harness, gt_arena_printf(harness->arena,
                                             "url: \"rediss://127.0.0.1:%d\", timeout: 200ms",
                                             ntohs(address.sin_port)));
    int rc = gt_queue_open(&harness->config, "host:1", &queue, &err);
    assert_true(rc == GT_E_UNSUPPORTED || rc == GT_E_AGAIN);
    assert_non_null(strstr(err.message, "TLS"));
    close(fd);
}

static void a_hung_server_does_not_hang_us(void **state)
{
    struct harness *harness = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_in(harness, "hung.sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    open_fails(harness, "socket: hung.sock, timeout: 200ms, password: " PASSWORD, GT_E_AGAIN,
               "no answer in time");
    close(fd);
}

static void a_stopped_server_is_waited_for(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    harness_options(harness,
                    "socket: redis.sock, prefix: stopped, timeout: 200ms, password: " PASSWORD);
    struct gt_queue *queue = harness_open(harness, "host:1");
    kill(harness->server.pid, SIGSTOP);
    assert_code(GT_E_AGAIN, push_numbers(queue, T, 0, 1, NULL, &err));
    assert_non_null(strstr(err.message, "no answer in time"));
    kill(harness->server.pid, SIGCONT);
    int rc = GT_E_AGAIN;
    for (int i = 0; i < 200 && rc == GT_E_AGAIN; i++)
        rc = push_numbers(queue, T, 0, 1, NULL, &err);
    assert_ok(rc);
    /* The first push may have arrived, too: once all the same. */
    assert_int_equal(depth_of(queue), 1);
    gt_queue_close(queue);
}

static void a_lost_connection_is_made_again(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    assert_ok(push_numbers(queue, T, 0, 1, NULL, &err));
    typed_ok(harness, "CLIENT KILL TYPE normal SKIPME yes");
    assert_code(GT_E_AGAIN, push_numbers(queue, T, 1, 1, NULL, &err));
    assert_ok(push_numbers(queue, T, 1, 1, NULL, &err));
    assert_int_equal(depth_of(queue), 2);
    gt_queue_close(queue);
}

static void forgotten_scripts_are_sent_again(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    assert_ok(push_numbers(queue, T, 0, 1, NULL, &err));
    typed_ok(harness, "SCRIPT FLUSH");
    assert_ok(push_numbers(queue, T, 1, 1, NULL, &err));
    assert_int_equal(drain(queue), 2);
    gt_queue_close(queue);
}

static void a_flush_in_between_is_survived(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_job job;
    assert_ok(push_numbers(queue, T, 0, 3, NULL, &err));
    assert_code(1, gt_queue_pull(queue, T, 1, 0, harness->arena, &job, &err));
    typed_ok(harness, "FLUSHALL");
    assert_code(GT_E_CONFLICT, gt_queue_extend(queue, T, &job, &err));
    assert_code(GT_E_CONFLICT, gt_queue_release(queue, T, &job, 0, true, &err));
    assert_ok(gt_queue_ack(queue, T, &job, &err));
    assert_int_equal(depth_of(queue), 0);
    assert_int_equal(drain(queue), 0);
    assert_ok(push_numbers(queue, T, 0, 3, NULL, &err));
    assert_int_equal(drain(queue), 3);
    gt_queue_close(queue);
}

/* What a fail-over to a replica that lags, or a hand that slips, takes away. */
static void a_lost_group_or_lease_is_made_again(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open_lease(harness, "host:1", 50);
    struct gt_job jobs[3];
    char command[200];
    assert_ok(push_numbers(queue, T, 0, 3, NULL, &err));
    assert_code(3, gt_queue_pull(queue, T, 3, 0, harness->arena, jobs, &err));
    snprintf(command, sizeof(command), "DEL q%d:{0}:documents:leases", harness->queues);
    typed_ok(harness, command);
    assert_code(1, gt_queue_pull(queue, T, 1, GT_MINUTE, harness->arena, jobs, &err));
    snprintf(command, sizeof(command), "XGROUP DESTROY q%d:{0}:documents guette", harness->queues);
    typed_ok(harness, command);
    assert_int_equal(drain(queue), 3);
    assert_int_equal(depth_of(queue), 0);
    gt_queue_close(queue);
}

static void a_full_server_pauses_pushes_only(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    harness->config.queue.lease_ms = 1;
    harness->config.queue.max_deliveries = 3;
    typed_ok(harness, "FLUSHALL");
    struct gt_queue *queue = harness_open(harness, "host:1");
    typed_ok(harness, "CONFIG SET maxmemory 6mb");
    unsigned count = fill(queue, 0, &err);
    assert_true(count > 5);
    assert_non_null(strstr(err.message, "maxmemory"));
    assert_int_equal(depth_of(queue), count);
    cursor_is_number(queue, count - 1);
    /* Taking work off, and burying it, goes on. */
    struct gt_job job;
    for (int i = 0; i < 3; i++)
        assert_code(1, gt_queue_pull(queue, T, 1, GT_MINUTE, harness->arena, &job, &err));
    assert_ok(gt_queue_extend(queue, T, &job, &err));
    assert_ok(gt_queue_release(queue, T, &job, 0, false, &err));
    assert_code(1, gt_queue_pull(queue, T, 1, GT_MINUTE, harness->arena, &job, &err));
    assert_ok(gt_queue_bury(queue, T, &job, "test", &err));
    assert_int_equal(drain(queue), count - 1);
    assert_true(fill(queue, 10000, &err) > 5);
    typed_ok(harness, "CONFIG SET maxmemory 0");
    assert_ok(push_numbers(queue, T, 90000, 1, NULL, &err));
    gt_queue_close(queue);
}

static void an_evicting_server_is_refused(void **state)
{
    struct harness *harness = *state;
    typed_ok(harness, "CONFIG SET maxmemory 100mb");
    typed_ok(harness, "CONFIG SET maxmemory-policy allkeys-lru");
    open_fails(harness, NULL, GT_E_REFUSED, "noeviction");
    harness_options(harness, "socket: redis.sock, allow_eviction: true, password: " PASSWORD);
    gt_queue_close(harness_open(harness, "host:1"));
    typed_ok(harness, "CONFIG SET maxmemory-policy noeviction");
    typed_ok(harness, "CONFIG SET maxmemory 0");
}

static void narrow_rights_are_enough(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    /* The commands that docs/QUEUE.md names. */
    typed_ok(
        harness,
        "ACL SETUSER narrow reset on >" PASSWORD " ~mine:* +evalsha +script|load +xadd +xack "
        "+xdel +xlen +xrange +xpending +xclaim +xreadgroup +xgroup|create +zadd +zrem +zcard "
        "+zscore +zrangebyscore +hget +hset +hdel +hlen +hkeys +hexists +get +set +del +exists "
        "+incrby +decrby +pexpireat +time +select");
    harness_options(harness, "socket: redis.sock, user: narrow, prefix: mine, password: " PASSWORD);
    struct gt_queue *queue = harness_open(harness, "host:1");
    GT_BUFFER_AUTO struct gt_buffer buffer = GT_BUFFER(64);
    struct gt_fact fact;
    struct gt_job job;
    assert_ok(push_numbers(queue, T, 0, 3, NULL, &err));
    assert_code(1, gt_queue_pull(queue, T, 1, 0, harness->arena, &job, &err));
    assert_ok(gt_queue_release(queue, T, &job, 0, true, &err));
    assert_code(1, gt_queue_pull(queue, T, 1, GT_MINUTE, harness->arena, &job, &err));
    assert_ok(gt_queue_bury(queue, T, &job, "test", &err));
    assert_int_equal(drain(queue), 2);
    assert_ok(gt_queue_put(queue, "fact", "1", 1, 1000, &err));
    assert_ok(gt_queue_get(queue, "fact", &buffer, &err));
    assert_code(1, gt_queue_list(queue, "", 1, harness->arena, &fact, &err));
    gt_queue_close(queue);
    harness_options(harness,
                    "socket: redis.sock, user: narrow, prefix: theirs, password: " PASSWORD);
    queue = harness_open(harness, "host:1");
    assert_code(GT_E_REFUSED, push_numbers(queue, T, 0, 3, NULL, &err));
    assert_non_null(strstr(err.message, "rights"));
    gt_queue_close(queue);
}

static void somebody_elses_key_is_left_alone(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    char command[200];
    struct gt_job job;
    struct gt_queue *queue = harness_open(harness, "host:1");
    snprintf(command, sizeof(command), "SET q%d:{0}:documents theirs", harness->queues);
    typed_ok(harness, command);
    assert_code(GT_E_CONFLICT, push_numbers(queue, T, 0, 1, NULL, &err));
    assert_non_null(strstr(err.message, "prefix"));
    assert_true(gt_queue_pull(queue, T, 1, 0, harness->arena, &job, &err) < 0);
    gt_queue_close(queue);
}

static void a_restarted_server_has_what_it_kept(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    struct gt_queue *queue = harness_open(harness, "host:1");
    struct gt_job job;
    server_kill(&harness->server);
    assert_code(GT_E_AGAIN, push_numbers(queue, T, 0, 1, NULL, &err));
    assert_code(GT_E_AGAIN, gt_queue_pull(queue, T, 1, GT_HOUR, harness->arena, &job, &err));
    server_restart(&harness->server);
    assert_ok(push_numbers(queue, T, 0, 1, NULL, &err));
    assert_int_equal(drain(queue), 1);
    gt_queue_close(queue);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
static const struct CMUnitTest sqlite_cases[] = {
    CASE(what_is_no_queue_file_is_left_alone),
    CASE(a_newer_file_is_left_alone),
    CASE(a_damaged_file_is_named),
    CASE(a_folder_that_cannot_be_made_is_named),
    CASE(the_file_is_private),
    CASE(max_size_is_kept_to),
    cmocka_unit_test_setup_teardown(a_full_disk_is_waited_out, harness_setup, unlimit_files),
    cmocka_unit_test_setup_teardown(a_small_disk_is_waited_out, harness_setup, unmount),
    CASE(a_drained_file_shrinks),
};
static const struct CMUnitTest redis_cases[] = {
    CASE(a_wrong_password_is_refused),         CASE(a_server_that_is_not_there_is_named),
    CASE(tls_is_not_silently_left_out),        CASE(a_hung_server_does_not_hang_us),
    CASE(a_stopped_server_is_waited_for),      CASE(a_lost_connection_is_made_again),
    CASE(forgotten_scripts_are_sent_again),    CASE(a_flush_in_between_is_survived),
    CASE(a_lost_group_or_lease_is_made_again), CASE(a_full_server_pauses_pushes_only),
    CASE(an_evicting_server_is_refused),       CASE(narrow_rights_are_enough),
    CASE(somebody_elses_key_is_left_alone),    CASE(a_restarted_server_has_what_it_kept),
};

static struct harness sqlite = {.type = "sqlite"};
static struct harness redis = {.type = "redis", .password = PASSWORD};

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
