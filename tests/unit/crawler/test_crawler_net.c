/* The crawler over the real net, against a server on loopback: feed, site, folder and failures side
 * by side. */
#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char routes[] =
    "[{\"path\": \"/old\", \"status\": 301, \"headers\": {\"Location\": \"/feed\"}},"
    "{\"path\": \"/feed\", \"headers\": {\"ETag\": \"\\\"1\\\"\"}, \"body\": "
    "\"<rss><channel><item><guid>f</guid><title>KEY=feed</title></item></channel></rss>\"},"
    "{\"path\": \"/list\", \"body\": "
    "\"[{\\\"id\\\":1,\\\"title\\\":\\\"t\\\"},{\\\"id\\\":2}]\"},"
    "{\"path\": \"/raw/1\", \"body\": \"KEY=snippet\"},"
    "{\"path\": \"/raw/2\", \"status\": 500, \"times\": 1},"
    "{\"path\": \"/raw/2\", \"body\": \"KEY=late\"},"
    "{\"path\": \"/endless\", \"fault\": \"endless\"},"
    "{\"path\": \"/gone\", \"status\": 410}]";

static const char shop[] = "name: shop\ntitle: Shop\nhome: https://shop.example/\ncategory: "
                           "paste\nbase: https://shop.example\n"
                           "interval: 1s\nrate: 100\n"
                           "list: {url: '{base}/list', items: '/[*]'}\n"
                           "item: {id: /id, title: /title, fetch: ['{base}/raw/{id}']}\n"
                           "examples: [{name: none, exchanges: [{request: /list, body: '[]'}]}]\n";

static char *folder;
static pid_t server;
static char base[64];

static int start_server(void **state)
{
    char file[300], line[64] = "";
    int ends[2];
    folder = rig_folder();
    rig_write(folder, "routes.json", routes, strlen(routes));
    rig_write(folder, "shop.yaml", shop, strlen(shop));
    snprintf(file, sizeof file, "%s/routes.json", folder);
    assert_int_equal(pipe(ends), 0);
    server = fork();
    if (server == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execlp("python3", "python3", SERVERS "/replay.py", file, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    assert_non_null(fgets(line, sizeof line, out));
    fclose(out);
    assert_true(gt_starts_with(line, "READY "));
    snprintf(base, sizeof base, "http://127.0.0.1:%d", atoi(line + 6));
    return 0;
}

static int stop_server(void **state)
{
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    rig_remove(folder);
    free(folder);
    return 0;
}

/* --- the sink: what came, by source --- */

struct told {
    char name[32], state[32], error[GT_ERROR_MAX], cursor[4096];
};

static struct told told[8];
static char bodies[64][64];
static size_t body_count;

static struct told *of(const char *name)
{
    size_t i = 0;
    while (i < 7 && *told[i].name && strcmp(told[i].name, name) != 0)
        i++;
    snprintf(told[i].name, sizeof told[i].name, "%s", name);
    return &told[i];
}

static int commit(void *user, const char *source, const struct gt_document *documents, size_t count,
                  const char *cursor, size_t *ret_fresh, struct gt_error *err)
{
    for (size_t i = 0; i < count && body_count < 64; i++)
        snprintf(bodies[body_count++], 64, "%.*s", (int)documents[i].body_len, documents[i].body);
    if (cursor)
        snprintf(of(source)->cursor, sizeof told[0].cursor, "%s", cursor);
    *ret_fresh = count;
    return 0;
}

static int load(void *user, const char *source, struct gt_buffer *ret_cursor, struct gt_error *err)
{
    return GT_E_NOTFOUND;
}

static void report(void *user, const struct gt_source_state *state)
{
    struct told *one = of(state->name);
    snprintf(one->state, sizeof one->state, "%s", state->state);
    snprintf(one->error, sizeof one->error, "%s", state->error ? state->error : "");
}

static bool came(const char *body)
{
    for (size_t i = 0; i < body_count; i++)
        if (strcmp(bodies[i], body) == 0)
            return true;
    return false;
}

static bool all_is_there(void)
{
    return came("KEY=feed") && came("KEY=snippet") && came("KEY=late") && came("KEY=file") &&
           strcmp(of("gone")->state, "disabled") == 0 && *of("guarded")->error &&
           *of("endless")->error && strcmp(of("feed")->state, "ok") == 0;
}

static void sources_are_read_side_by_side(void **state)
{
    static char old_url[100], gone_url[100], endless_url[100];
    snprintf(old_url, sizeof old_url, "%s/old", base);
    snprintf(gone_url, sizeof gone_url, "%s/gone", base);
    snprintf(endless_url, sizeof endless_url, "%s/endless", base);
    const char *old = old_url, *gone = gone_url, *endless = endless_url;
    struct {
        const char *site, *token, *base;
        struct gt_list params;
    } snippets = {.site = "shop", .base = base};
    struct {
        const char *path;
        bool recursive;
    } inbox = {.path = folder};
    struct gt_source_config sources[] = {
        {.name = "feed", .type = "feed", .options = &old, .allow_private = true},
        {.name = "gone", .type = "feed", .options = &gone, .allow_private = true},
        {.name = "guarded", .type = "feed", .options = &old},
        {.name = "endless", .type = "feed", .options = &endless, .allow_private = true},
        {.name = "snippets", .type = "site", .options = &snippets, .allow_private = true},
        {.name = "inbox", .type = "folder", .options = &inbox},
    };
    for (size_t i = 0; i < 6; i++) {
        sources[i].enabled = true;
        sources[i].interval_ms = 100;
        sources[i].timeout_ms = 5000;
        sources[i].max_size = 1 << 20;
    }
    const struct gt_config config = {
        .arena = gt_arena_new(1 << 20), .sources = {sources, 6}, .sites = {&folder, 1}};
    const struct gt_net_settings settings = {.connections = 16, .per_host = 16, .per_second = 1000};
    const struct gt_crawl_sink sink = {NULL, commit, load, report};
    struct gt_net *net = NULL;
    struct gt_crawler *crawler = NULL;
    struct gt_error err;
    assert_int_equal(gt_net_open(&settings, &net, &err), 0);
    assert_int_equal(gt_crawler_open(&config, net, &sink, &crawler, &err), 0);
    rig_write(folder, "dropped.txt", "KEY=file", 8);
    for (int turn = 0; turn < 3000 && !all_is_there(); turn++)
        assert_int_equal(gt_crawler_run(crawler, 50, &err), 0);
    assert_true(came("KEY=feed"));
    assert_true(came("KEY=snippet"));
    assert_true(came("KEY=file"));
    assert_true(came("KEY=late")); /* after its 500 */
    assert_string_equal(of("gone")->state, "disabled");
    assert_non_null(strstr(of("feed")->cursor, "/feed\"")); /* moved for good */
    assert_string_equal(of("feed")->state, "ok");
    assert_true(*of("guarded")->error);
    assert_true(*of("endless")->error);
    for (int turn = 0; turn < 1000 && !gt_crawler_drain(crawler); turn++)
        gt_crawler_run(crawler, 50, &err);
    assert_true(gt_crawler_drain(crawler));
    gt_crawler_close(crawler);
    gt_net_close(net);
    gt_arena_free(config.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sources_are_read_side_by_side, start_server, stop_server),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
