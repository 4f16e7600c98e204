/* guette health: asks a role's /healthz; for container health checks without a shell. */
#include "cli/cli.h"

#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    bool done;
    int exit_code;
    const char *url;
};

static void on_answer(void *user, const struct gt_http_response *response)
{
    struct answer *answer = user;
    answer->done = true;
    answer->exit_code =
        response->error == 0 && response->status == 200 ? GT_EXIT_OK : GT_EXIT_FAILED;
    if (response->error)
        fprintf(stderr, "guette health: %s: %s\n", answer->url, response->words);
    else
        printf("%.*s", (int)response->body_len, response->body);
}

static int ask(const char *url)
{
    struct gt_error err = {0};
    struct gt_net *net = NULL;
    struct gt_net_settings settings = {.connections = 1, .per_host = 1, .per_second = 10};
    struct answer answer = {.url = url, .exit_code = GT_EXIT_FAILED};
    struct gt_http_request request = {
        .url = url, .max_bytes = 4096, .timeout_ms = 5000, .allow_private = true};
    int rc = gt_net_open(&settings, &net, &err);
    if (rc == 0)
        rc = gt_net_http(net, &request, on_answer, &answer, &err);
    while (rc == 0 && !answer.done) {
        uint32_t ready;
        rc = gt_net_run(net, 1000, NULL, 0, &ready, &err);
        rc = rc < 0 ? rc : 0;
    }
    gt_net_close(net);
    if (rc)
        fprintf(stderr, "guette health: %s\n", err.message);
    return rc ? GT_EXIT_FAILED : answer.exit_code;
}

/* "[::]:9090" is where it listens; here it is asked at the loopback address. */
static bool local_url(const char *listen, char *buf, size_t size)
{
    const char *colon = strrchr(listen, ':');
    if (!colon)
        return false;
    const char *host = listen[0] == '[' ? "[::1]" : "127.0.0.1";
    bool any = gt_starts_with(listen, ":") || gt_starts_with(listen, "0.0.0.0:") ||
               gt_starts_with(listen, "[::]:");
    if (any)
        snprintf(buf, size, "http://%s%s/healthz", host, colon);
    else
        snprintf(buf, size, "http://%s/healthz", listen);
    return true;
}

static int run(int argc, char **argv)
{
    char url[512];
    const char *listen = getenv("GUETTE_HEALTH_LISTEN");
    if (argc > 2)
        return gt_cli_usage(argv[0], "takes one URL");
    if (argc == 2)
        return ask(argv[1]);
    if (listen && local_url(listen, url, sizeof url))
        return ask(url);
    struct gt_config *config = gt_cli_config(NULL);
    if (!config)
        return GT_EXIT_FAILED;
    int rc = config->health.listen && local_url(config->health.listen, url, sizeof url)
                 ? ask(url)
                 : gt_cli_usage(argv[0], "health is off: set `health.listen`, or name the URL");
    gt_config_free(config);
    return rc;
}

const struct gt_command gt_command_health = {
    .name = "health",
    .summary = "ask a running role whether it is well (for health checks)",
    .help = "Usage: guette health [URL]\n\n"
            "Asks URL (default: /healthz at $GUETTE_HEALTH_LISTEN or at `health.listen` of the\n"
            "configuration) and exits 0 when the answer is 200, else 1.\n\n"
            "Example: guette health http://127.0.0.1:9090/readyz\n",
    .run = run,
};
