#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS = 32 };

static void child(const char *script, const char *const *args, const char *log, int out)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", SERVERS, script);
    const char *argv[ARGS + 8] = {PYTHON, "-B", path, "--log", log};
    size_t n = 5;
    for (size_t i = 0; args && args[i] && i < ARGS; i++)
        argv[n++] = args[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    execv(PYTHON, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static int read_port(int in)
{
    char line[64] = "";
    size_t len = 0;
    while (len < sizeof line - 1 && !strchr(line, '\n')) {
        ssize_t n = read(in, line + len, sizeof line - 1 - len);
        if (n <= 0)
            return 0;
        len += (size_t)n;
        line[len] = '\0';
    }
    int port = 0;
    return sscanf(line, "READY %d", &port) == 1 ? port : 0;
}

static void launch(struct server *server, const char *script, const char *const *args)
{
    char log[128];
    int ends[2];
    snprintf(log, sizeof log, "%s/log", server->folder);
    assert_int_equal(pipe(ends), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        close(ends[0]);
        child(script, args, log, ends[1]);
    }
    close(ends[1]);
    server->port = read_port(ends[0]);
    close(ends[0]);
    if (!server->port)
        fail_msg("%s did not start", script);
}

static void make_folder(struct server *server)
{
    *server = (struct server){0};
    signal(SIGPIPE, SIG_IGN); /* as every program with a gt_net does */
    const char *tmp = getenv("TMPDIR");
    snprintf(server->folder, sizeof server->folder, "%s/guette-net-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(server->folder));
}

void server_start(struct server *server, const char *script, const char *const *args)
{
    make_folder(server);
    launch(server, script, args);
}

void server_start_routes(struct server *server, const char *routes, const char *const *args)
{
    make_folder(server);
    char path[128];
    snprintf(path, sizeof path, "%s/routes.json", server->folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(routes, f);
    fclose(f);
    const char *all[ARGS] = {path};
    for (size_t i = 0; args && args[i] && i + 2 < ARGS; i++)
        all[i + 1] = args[i];
    launch(server, "replay.py", all);
}

void server_stop(struct server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    char path[128];
    static const char *const files[] = {"log", "routes.json"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", server->folder, files[i]);
        unlink(path);
    }
    rmdir(server->folder);
    server->pid = 0;
}

json_t *server_log_of(const struct server *server, const char *prefix)
{
    char path[128], *line = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/log", server->folder);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    json_t *all = json_array();
    while (getline(&line, &room, f) > 0) {
        json_t *entry = json_loads(line, JSON_ALLOW_NUL, NULL);
        assert_non_null(entry);
        if (gt_starts_with(gt_json_string(entry, "path", ""), prefix))
            json_array_append(all, entry);
        json_decref(entry);
    }
    free(line);
    fclose(f);
    return all;
}

json_t *server_log(const struct server *server)
{
    return server_log_of(server, "");
}

const char *at_host(const struct server *server, const char *scheme_and_host, const char *path)
{
    static char urls[8][1024];
    static size_t next;
    char *url = urls[next++ % 8];
    snprintf(url, sizeof urls[0], "%s:%d%s", scheme_and_host, server->port, path);
    return url;
}

const char *at(const struct server *server, const char *path)
{
    return at_host(server, "http://127.0.0.1", path);
}

struct gt_net *net_new(int64_t connections, int64_t per_host, double per_second)
{
    struct gt_net_settings settings = {
        .contact = "soc@acme.example",
        .connections = connections,
        .per_host = per_host,
        .per_second = per_second,
    };
    struct gt_net *net = NULL;
    struct gt_error err = {0};
    if (gt_net_open(&settings, &net, &err))
        fail_msg("%s", err.message);
    return net;
}

void answer_keep(void *user, const struct gt_http_response *r)
{
    struct answer *a = user;
    a->calls++;
    a->error = r->error;
    a->status = r->status;
    a->cut = r->cut;
    a->moved = r->moved;
    a->retry_after_ms = r->retry_after_ms;
    a->header_count = r->header_count;
    const char *etag = gt_http_header(r, "etag"), *seen = gt_http_header(r, "x-seen");
    snprintf(a->words, sizeof a->words, "%s", r->words ? r->words : "");
    snprintf(a->url, sizeof a->url, "%s", r->url);
    snprintf(a->etag, sizeof a->etag, "%s", etag ? etag : "");
    snprintf(a->seen, sizeof a->seen, "%s", seen ? seen : "");
    a->body.max = SIZE_MAX / 2;
    gt_buffer_reset(&a->body);
    if (r->body)
        gt_buffer_append(&a->body, r->body, r->body_len);
}

void answer_free(struct answer *a)
{
    gt_buffer_free(&a->body);
    *a = (struct answer){0};
}

void run_all(struct gt_net *net)
{
    struct gt_error err = {0};
    while (gt_net_active(net))
        if (gt_net_run(net, 1000, NULL, 0, NULL, &err))
            fail_msg("%s", err.message);
}

const struct answer *fetch(struct gt_net *net, const struct gt_http_request *request)
{
    static struct answer last;
    struct gt_error err = {0};
    answer_free(&last);
    if (gt_net_http(net, request, answer_keep, &last, &err))
        fail_msg("%s", err.message);
    run_all(net);
    assert_int_equal(last.calls, 1);
    return &last;
}

const struct answer *get(struct gt_net *net, const char *url)
{
    return fetch(net, &(struct gt_http_request){.url = url, .allow_private = true});
}
