#include "queue_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ubuntu 22.04's is 6.0, older than guette asks for. */
bool server_installed(void)
{
    int major = 0, minor = 0;
    FILE *out = popen("redis-server --version 2>/dev/null", "r");
    if (!out)
        return false;
    bool read = fscanf(out, "%*[^=]=%d.%d", &major, &minor) == 2;
    pclose(out);
    return read && major * 100 + minor >= 602;
}

static bool answers(const struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char answer[64] = "";
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                write(fd, "PING\r\n", 6) == 6 && read(fd, answer, sizeof(answer) - 1) > 0 &&
                strncmp(answer, "-LOADING", 8) != 0;
    close(fd);
    return good;
}

void die_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void server_restart(struct server *server)
{
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        die_with_parent();
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp("redis-server", server->arguments);
        _exit(127);
    }
    for (int i = 0; i < 600 && !answers(server); i++)
        gt_sleep(50);
    assert_true(answers(server));
}

void server_start(struct server *server, const char *directory, const char *const *arguments)
{
    snprintf(server->directory, sizeof(server->directory), "%s", directory);
    snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", directory);
    const char *const own[] = {
        "redis-server", "--port", "0", "--unixsocket", server->socket, "--dir", server->directory,
        "--save",       "",       NULL};
    size_t count = 0;
    for (size_t i = 0; own[i]; i++)
        server->arguments[count++] = strdup(own[i]);
    for (size_t i = 0; arguments && arguments[i]; i++)
        server->arguments[count++] = strdup(arguments[i]);
    server_restart(server);
}

void server_kill(struct server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
}

static void server_free(struct server *server)
{
    server_kill(server);
    for (size_t i = 0; server->arguments[i]; i++)
        free(server->arguments[i]);
    memset(server, 0, sizeof(*server));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int harness_group_setup(void **state)
{
    struct harness *harness = *state;
    struct gt_error err;
    assert_int_equal(gt_hash_start(&err), 0);
    snprintf(harness->directory, sizeof(harness->directory), "/tmp/guette-queue-XXXXXX");
    assert_non_null(mkdtemp(harness->directory));
    if (strcmp(harness->type, "redis") != 0)
        return 0;
    const char *arguments[16] = {NULL};
    size_t count = 0;
    for (; harness->arguments && harness->arguments[count]; count++)
        arguments[count] = harness->arguments[count];
    if (harness->password) {
        arguments[count] = "--requirepass";
        arguments[count + 1] = harness->password;
    }
    server_start(&harness->server, harness->directory, arguments);
    return 0;
}

int harness_group_teardown(void **state)
{
    struct harness *harness = *state;
    server_free(&harness->server);
    remove_tree(harness->directory);
    return 0;
}

static const struct gt_kind *find_kind(const char *type)
{
    for (size_t i = 0; gt_queue_kinds[i]; i++)
        if (!strcmp(gt_queue_kinds[i]->name, type))
            return gt_queue_kinds[i];
    fail_msg("no kind %s", type);
    return NULL;
}

void harness_options(struct harness *harness, const char *options)
{
    struct gt_error err = {0};
    struct gt_node *map = NULL;
    struct gt_mistakes mistakes = {.arena = harness->arena};
    char *text = gt_arena_printf(harness->arena, "{%s}", options);
    assert_ok(gt_yaml_parse("test", text, strlen(text), harness->arena, &map, &err));
    const struct gt_kind *kind = find_kind(harness->type);
    void *values = gt_arena_alloc(harness->arena, kind->size);
    const struct gt_option_decoder decoder = {
        .arena = harness->arena, .mistakes = &mistakes, .prefix = ""};
    if (gt_options_decode(&decoder, map, kind->options, values, kind->size))
        fail_msg("%s: %s", text, mistakes.items[0].text);
    harness->config.queue.kind = kind;
    harness->config.queue.options = values;
}

static void own_options(const struct harness *harness, char *text, size_t size)
{
    if (!strcmp(harness->type, "sqlite"))
        snprintf(text, size, "path: queue-%d.db", harness->queues);
    else if (!strcmp(harness->type, "memory"))
        snprintf(text, size, "name: queue-%d", harness->queues);
    else
        snprintf(text, size, "socket: redis.sock, prefix: q%d%s%s", harness->queues,
                 harness->password ? ", password: " : "",
                 harness->password ? harness->password : "");
}

int harness_setup(void **state)
{
    struct harness *harness = *state;
    char own[200], all[600];
    harness->queues++;
    harness->arena = gt_arena_new((size_t)512 * 1024 * 1024);
    harness->config = (struct gt_config){
        .arena = harness->arena,
        .directory = harness->directory,
        .data = harness->directory,
        .queue = {.type = harness->type, .lease_ms = GT_HOUR, .max_deliveries = 5},
    };
    own_options(harness, own, sizeof(own));
    snprintf(all, sizeof(all), "%s%s%s", own, harness->options ? ", " : "",
             harness->options ? harness->options : "");
    harness_options(harness, all);
    return 0;
}

int harness_teardown(void **state)
{
    struct harness *harness = *state;
    gt_arena_free(harness->arena);
    harness->arena = NULL;
    return 0;
}

struct gt_queue *harness_open(struct harness *harness, const char *consumer)
{
    struct gt_error err = {0};
    struct gt_queue *queue = NULL;
    assert_ok(gt_queue_open(&harness->config, consumer, &queue, &err));
    assert_non_null(queue);
    return queue;
}

struct gt_queue *harness_open_lease(struct harness *harness, const char *consumer, int64_t lease_ms)
{
    int64_t before = harness->config.queue.lease_ms;
    harness->config.queue.lease_ms = lease_ms;
    struct gt_queue *queue = harness_open(harness, consumer);
    harness->config.queue.lease_ms = before;
    return queue;
}

void id_of(unsigned number, char id[GT_ID_TEXT])
{
    char text[16];
    snprintf(text, sizeof(text), "%u", number);
    struct gt_part part = gt_part(text);
    gt_id_make("test", &part, 1, id);
}

int push_numbers(struct gt_queue *queue, const char *topic, unsigned first, unsigned count,
                 size_t *ret_fresh, struct gt_error *err)
{
    struct gt_push *entries = calloc(count, sizeof(*entries));
    char(*ids)[GT_ID_TEXT] = calloc(count, sizeof(*ids));
    char(*payloads)[32] = calloc(count, sizeof(*payloads));
    for (unsigned i = 0; i < count; i++) {
        id_of(first + i, ids[i]);
        int len = snprintf(payloads[i], sizeof(payloads[i]), "payload %u", first + i);
        entries[i] = (struct gt_push){.id = ids[i], .payload = payloads[i], .len = (size_t)len};
    }
    int rc = gt_queue_push(queue, topic, entries, count, NULL, ret_fresh, err);
    free(entries);
    free(ids);
    free(payloads);
    return rc;
}

void check_stats(struct gt_queue *queue, const char *topic, uint64_t depth, uint64_t pending,
                 uint64_t dead, uint64_t bytes)
{
    struct gt_error err;
    struct gt_topic_stats stats;
    assert_ok(gt_queue_stats(queue, topic, &stats, &err));
    assert_int_equal(stats.depth, depth);
    assert_int_equal(stats.pending, pending);
    assert_int_equal(stats.dead, dead);
    assert_int_equal(stats.bytes, bytes);
    assert_int_equal(stats.oldest_ms != 0, depth != 0);
}

struct gt_job pull_one(struct harness *harness, struct gt_queue *queue, int64_t wait_ms)
{
    struct gt_error err = {0};
    struct gt_job job = {0};
    int got = gt_queue_pull(queue, GT_TOPIC_DOCUMENTS, 1, wait_ms, harness->arena, &job, &err);
    assert_ok(got);
    assert_int_equal(got, 1);
    return job;
}

void pull_none(struct harness *harness, struct gt_queue *queue)
{
    struct gt_error err = {0};
    struct gt_job job;
    assert_code(0, gt_queue_pull(queue, GT_TOPIC_DOCUMENTS, 1, 0, harness->arena, &job, &err));
}

void push_ok(struct gt_queue *queue, unsigned first, unsigned count)
{
    struct gt_error err = {0};
    size_t fresh = 0;
    assert_ok(push_numbers(queue, GT_TOPIC_DOCUMENTS, first, count, &fresh, &err));
    assert_int_equal(fresh, count);
}

static struct harness *current;

static int setup_current(void **state)
{
    *state = current;
    return harness_group_setup(state);
}

int harness_run(const struct CMUnitTest *cases, size_t count)
{
    static struct harness harnesses[] = {
        {.type = "memory"},
        {.type = "sqlite"},
        {.type = "redis"},
        {.type = "redis", .password = "made-up-word", .options = "shards: 3"},
    };
    static const char *const names[] = {"memory", "sqlite", "redis", "redis: password, shards"};
    int failed = 0;
    for (size_t i = 0; i < sizeof(harnesses) / sizeof(harnesses[0]); i++) {
        current = &harnesses[i];
        if (strcmp(current->type, "redis") != 0 || server_installed())
            failed += _cmocka_run_group_tests(names[i], cases, count, setup_current,
                                              harness_group_teardown);
        else
            printf("SKIPPED: %s: there is no redis-server of 6.2 or later\n", names[i]);
    }
    return failed;
}
