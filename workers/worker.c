#include "workers/worker.h"

#include "crawler/crawler.h"
#include "matchers/matchers.h"
#include "notifier/notifier.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEARTBEAT_MS (5 * GT_SECOND)
#define HEARTBEAT_TTL_MS (30 * GT_SECOND)
#define CONNECT_CAP_MS (15 * GT_SECOND)
#define KEY_FACT "fingerprint-key"

const struct gt_config_kinds gt_all_kinds = {
    .sources = gt_source_kinds,
    .channels = gt_channel_kinds,
    .queues = gt_queue_kinds,
    .check_regex = gt_regex_check,
};

const struct gt_role *const gt_roles[] = {&gt_role_crawl, &gt_role_match, &gt_role_notify, NULL};

const struct gt_role *gt_role_find(const char *name)
{
    for (const struct gt_role *const *role = gt_roles; *role; role++)
        if (strcmp((*role)->name, name) == 0)
            return *role;
    return NULL;
}

void gt_worker_complain(const char *event, const struct gt_error *err)
{
    int64_t held = 0;
    char key[GT_ERROR_MAX + 64];
    snprintf(key, sizeof key, "%s %s", event, err->message);
    if (!gt_log_allow(key, &held))
        return;
    if (held)
        gt_log(GT_WARNING, event, err->message, GT_F("kind", gt_code_name(err->code)),
               GT_N("unsaid", held));
    else
        gt_log(GT_WARNING, event, err->message, GT_F("kind", gt_code_name(err->code)));
}

/* A wait that a signal ends. */
static void wait_turn(struct gt_worker *worker, int64_t ms)
{
    for (int64_t end = gt_monotonic() + ms; !gt_stop_wanted() && gt_monotonic() < end;) {
        gt_console_beat(worker->console);
        gt_sleep(end - gt_monotonic() < 200 ? end - gt_monotonic() : 200);
    }
}

/* Every mistake of the configuration is one line of the log. */
static int load_config(struct gt_worker *worker, struct gt_config **ret_config,
                       struct gt_error *err)
{
    struct gt_mistakes mistakes = {0};
    int rc = gt_config_load(worker->config_path, &gt_all_kinds, ret_config, &mistakes, err);
    for (size_t i = 0; i < mistakes.count; i++)
        gt_log(GT_ERROR, "config.mistake", mistakes.items[i].text);
    gt_arena_free(mistakes.arena);
    return rc;
}

/* Fingerprints made under two keys never meet, so the same leak would be told twice, and mutes
 * would fail: all workers of a queue must hold one key. */
static int check_key(struct gt_worker *worker, struct gt_error *err)
{
    int rc = gt_key_load(worker->config->fingerprint_key, &worker->key, err);
    if (rc)
        return rc;
    char id[GT_ID_TEXT];
    gt_key_id(&worker->key, id);
    GT_BUFFER_AUTO struct gt_buffer there = GT_BUFFER(256);
    rc = gt_queue_put_once(worker->queue, KEY_FACT, id, strlen(id), &there, err);
    if (rc)
        return rc;
    if (there.len != strlen(id) || memcmp(there.data, id, there.len) != 0)
        return gt_fail(err, GT_E_CONFLICT,
                       "the fingerprint key in %s is not the one that this queue's workers use; "
                       "copy theirs here (findings made under two keys never match)",
                       worker->config->fingerprint_key);
    return 0;
}

static bool may_pass(int code)
{
    return code == GT_E_AGAIN || code == GT_E_IO || code == GT_E_FULL || code == GT_E_TIMEOUT;
}

/* Queue and key; a server that is not there yet is waited for. */
static int connect_queue(struct gt_worker *worker, struct gt_error *err)
{
    for (int attempt = 0; !gt_stop_wanted(); attempt++) {
        int rc =
            worker->queue ? 0 : gt_queue_open(worker->opened, worker->name, &worker->queue, err);
        if (rc == 0)
            rc = check_key(worker, err);
        if (rc == 0 || !may_pass(rc))
            return rc;
        gt_console_ready(worker->console, false, "waiting for the queue");
        gt_worker_complain("queue.unreachable", err);
        wait_turn(worker, gt_backoff(attempt, 200, CONNECT_CAP_MS));
    }
    return gt_fail(err, GT_E_AGAIN, "stopped before the queue could be reached");
}

static int open_console(struct gt_worker *worker, int port_offset, struct gt_error *err)
{
    const char *listen = worker->config->health.listen;
    if (!listen || !*listen)
        listen = getenv("GUETTE_HEALTH_LISTEN"); /* container images set it */
    if (!listen || !*listen)
        return 0;
    int port;
    int rc = gt_console_open(listen, port_offset, worker->role->name, &worker->console, &port, err);
    if (rc == 0)
        gt_log(GT_INFO, "health.listening", "health and metrics are served", GT_F("listen", listen),
               GT_N("port", port));
    return rc;
}

static void use_config(const struct gt_worker *worker)
{
    const struct gt_config *config = worker->config;
    gt_log_start(worker->role->name, (enum gt_log_format)config->log.format,
                 (enum gt_level)config->log.level);
    gt_stop_within(config->workers.drain_ms);
}

static int open_worker(struct gt_worker *worker, const struct gt_role_settings *settings,
                       struct gt_error *err)
{
    char host[64] = "localhost";
    gethostname(host, sizeof host - 1);
    snprintf(worker->name, sizeof worker->name, "%s:%s-%d", host, worker->role->name,
             settings->slot);
    worker->config_path = settings->config_path;
    worker->started_ms = gt_now();
    int rc = load_config(worker, &worker->config, err);
    if (rc)
        return rc;
    worker->opened = worker->config;
    use_config(worker);
    rc = open_console(worker, settings->port_offset, err);
    if (rc == 0)
        rc = gt_directory_make(worker->config->data, 0700, err);
    if (rc == 0)
        rc = connect_queue(worker, err);
    return rc;
}

static void publish_stats(struct gt_worker *worker)
{
    static const char *const topics[] = {GT_TOPIC_DOCUMENTS, GT_TOPIC_FINDINGS};
    for (size_t i = 0; i < 2; i++) {
        struct gt_topic_stats stats;
        char label[64];
        if (gt_queue_stats(worker->queue, topics[i], &stats, NULL))
            continue;
        gt_label(label, sizeof label, "topic", topics[i]);
        gt_gauge_set("guette_queue_depth", label, (double)stats.depth);
        gt_gauge_set("guette_queue_bytes", label, (double)stats.bytes);
        gt_gauge_set("guette_queue_dead", label, (double)stats.dead);
        gt_gauge_set("guette_queue_oldest_seconds", label,
                     stats.oldest_ms ? (double)(gt_now() - stats.oldest_ms) / 1000 : 0);
    }
}

void gt_worker_beat(struct gt_worker *worker)
{
    gt_console_beat(worker->console);
    int64_t now = gt_monotonic();
    if (worker->beat_ms && now - worker->beat_ms < HEARTBEAT_MS)
        return;
    double seconds = worker->beat_ms ? (double)(now - worker->beat_ms) / 1000 : 1;
    double rate = worker->beat_ms ? (double)(worker->done - worker->done_at_beat) / seconds : 0;
    GT_JSON_AUTO json_t *fact =
        json_pack("{s:s, s:i, s:I, s:I, s:I, s:f}", "role", worker->role->name, "pid",
                  (int)getpid(), "started", (json_int_t)worker->started_ms, "seen",
                  (json_int_t)gt_now(), "done", (json_int_t)worker->done, "per_second", rate);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(4096);
    char name[160];
    int rc = GT_E_NOMEM;
    snprintf(name, sizeof name, "worker/%s", worker->name);
    if (fact && gt_json_append(fact, &text) == 0)
        rc = gt_queue_put(worker->queue, name, text.data, text.len, HEARTBEAT_TTL_MS, NULL);
    if (rc == 0) /* else each of them would wait for a queue that does not answer */
        publish_stats(worker);
    worker->beat_ms = now;
    worker->done_at_beat = worker->done;
}

static void reload(struct gt_worker *worker, void *state)
{
    struct gt_error err = {0};
    struct gt_config *next = NULL;
    int rc = load_config(worker, &next, &err);
    if (rc == 0)
        rc = worker->role->reload(worker, state, next, &err);
    if (rc) {
        gt_config_free(next);
        gt_log(GT_ERROR, "config.kept", "the new configuration is not used, the old one stays",
               GT_F("why", err.message));
        return;
    }
    if (worker->config != worker->opened)
        gt_config_free(worker->config);
    worker->config = next;
    use_config(worker);
    gt_log(GT_INFO, "config.reloaded",
           "the new configuration is in use (changes of queue, store, key, health and the number "
           "of workers wait for a restart)");
}

void gt_worker_recovered(struct gt_worker *worker)
{
    gt_console_ready(worker->console, true, NULL);
    if (gt_log_allow("worker.recovered", NULL))
        gt_log(GT_INFO, "worker.recovered", "the trouble is over, work goes on");
}

static void run_turns(struct gt_worker *worker, void *state)
{
    struct gt_error err = {0};
    int failures = 0;
    while (!gt_stop_wanted()) {
        gt_worker_beat(worker);
        if (gt_reload_wanted())
            reload(worker, state);
        err.message[0] = '\0'; /* never the words of another trouble */
        int rc = worker->role->turn(worker, state, &err);
        if (rc == 0) {
            if (failures)
                gt_worker_recovered(worker);
            failures = 0;
            continue;
        }
        gt_worker_complain("worker.trouble", &err);
        gt_console_ready(worker->console, false, err.message);
        wait_turn(worker, gt_backoff(failures++, 50, 5 * GT_SECOND));
    }
    int64_t end = gt_monotonic() + worker->config->workers.drain_ms;
    while (!worker->role->drained(worker, state) && gt_monotonic() < end)
        if (worker->role->turn(worker, state, &err))
            break;
}

/* A disk that is full or a store that is busy is waited for; anything else someone must mend. */
static int open_role(struct gt_worker *worker, void **ret_state, struct gt_error *err)
{
    for (int attempt = 0;; attempt++) {
        int rc = worker->role->open(worker, ret_state, err);
        if ((rc != GT_E_FULL && rc != GT_E_AGAIN && rc != GT_E_TIMEOUT) || gt_stop_wanted())
            return rc;
        gt_console_ready(worker->console, false, err->message);
        gt_worker_complain("worker.waiting", err);
        wait_turn(worker, gt_backoff(attempt, 200, CONNECT_CAP_MS));
    }
}

static int fail_start(const struct gt_error *err)
{
    if (gt_stop_wanted())
        return 0;
    gt_log(GT_ERROR, "worker.start", err->message, GT_F("kind", gt_code_name(err->code)));
    return 1;
}

int gt_role_run(const struct gt_role *role, const struct gt_role_settings *settings)
{
    struct gt_error err = {0};
    struct gt_worker worker = {.role = role};
    void *state = NULL;
    gt_signals_start();
    gt_harden();
    gt_log_start(role->name, GT_LOG_AUTO, GT_INFO);
    int rc = open_worker(&worker, settings, &err);
    if (rc == 0)
        rc = open_role(&worker, &state, &err);
    if (rc == 0) {
        gt_gauge_set("guette_up", NULL, 1);
        gt_console_ready(worker.console, true, NULL);
        gt_log(GT_INFO, "worker.ready", "ready", GT_F("name", worker.name),
               GT_F("queue", gt_queue_backend(worker.queue)));
        run_turns(&worker, state);
        role->close(&worker, state);
        gt_log(GT_INFO, "worker.stopped", "stopped", GT_N("done", worker.done));
    } else {
        rc = fail_start(&err);
    }
    gt_queue_close(worker.queue);
    gt_console_close(worker.console);
    if (worker.config != worker.opened)
        gt_config_free(worker.config);
    gt_config_free(worker.opened);
    explicit_bzero(&worker.key, sizeof worker.key);
    return rc;
}
