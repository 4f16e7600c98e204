/* guette status: is anything stuck? */
#include "cli/cli.h"

#include "queue/queue.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define FACTS_MAX 2000
#define ARENA_MAX ((size_t)64 * 1024 * 1024)

struct status {
    struct gt_arena *arena;
    json_t *json;
    int64_t now;
    bool colour;
};

static const char *ago(struct status *s, int64_t then)
{
    if (then <= 0)
        return "never";
    return gt_arena_printf(s->arena, "%s ago", gt_format_duration(s->arena, s->now - then));
}

/* What others wrote (names of files, words of servers) without what a terminal would obey. */
static const char *clean(struct status *s, const char *text)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(16 * 1024);
    gt_utf8_append_clean(&out, text, strnlen(text, 4 * 1024));
    const char *copy = gt_arena_strdup(s->arena, out.data);
    return copy ? copy : "";
}

static json_t *topic_json(const struct gt_topic_stats *stats, int64_t now)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:f}", "depth", (json_int_t)stats->depth, "leased",
                     (json_int_t)stats->pending, "dead", (json_int_t)stats->dead, "bytes",
                     (json_int_t)stats->bytes, "oldest_seconds",
                     stats->oldest_ms ? (double)(now - stats->oldest_ms) / 1000 : 0.0);
}

static int gather_topics(struct status *s, struct gt_queue *queue, struct gt_error *err)
{
    static const char *const topics[] = {GT_TOPIC_DOCUMENTS, GT_TOPIC_FINDINGS};
    json_t *all = json_object();
    json_object_set_new(s->json, "queue", all);
    for (size_t i = 0; i < 2; i++) {
        struct gt_topic_stats stats;
        int rc = gt_queue_stats(queue, topics[i], &stats, err);
        if (rc)
            return rc;
        json_object_set_new(all, topics[i], topic_json(&stats, s->now));
    }
    return 0;
}

/* Facts whose name starts with prefix, as an object of name to value. */
static int gather_facts(struct status *s, struct gt_queue *queue, const char *prefix,
                        const char *key, struct gt_error *err)
{
    json_t *all = json_object();
    json_object_set_new(s->json, key, all);
    struct gt_fact *facts = gt_arena_array(s->arena, FACTS_MAX, sizeof *facts);
    if (!facts)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    int count = gt_queue_list(queue, prefix, FACTS_MAX, s->arena, facts, err);
    for (int i = 0; i < count; i++) {
        json_t *value = gt_json_parse(facts[i].value, facts[i].len, NULL);
        if (value)
            json_object_set_new(all, facts[i].name + strlen(prefix), value);
    }
    return count < 0 ? count : 0;
}

/* A source's last state stays on the queue; one that is not read any more is not shown. */
static void forget_others(struct status *s, const struct gt_config *config)
{
    const char *name;
    json_t *state;
    GT_JSON_AUTO json_t *kept = json_object();
    json_object_foreach(json_object_get(s->json, "sources"), name, state)
    {
        for (size_t i = 0; i < config->sources.count; i++) {
            const struct gt_source_config *source =
                GT_LIST_ITEM(config->sources, struct gt_source_config, i);
            if (source->enabled && strcmp(source->name, name) == 0)
                json_object_set(kept, name, state);
        }
    }
    json_object_set(s->json, "sources", kept);
}

static void gather_store(struct status *s, const struct gt_config *config)
{
    struct gt_store *store = NULL;
    struct gt_store_stats stats;
    if (gt_store_open(config->store.path, true, &store, NULL) ||
        gt_store_stats(store, &stats, NULL)) {
        gt_store_close(store);
        json_object_set_new(s->json, "store", json_null()); /* on another machine, or none yet */
        return;
    }
    gt_store_close(store);
    json_object_set_new(
        s->json, "store",
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "findings", (json_int_t)stats.findings,
                  "occurrences", (json_int_t)stats.occurrences, "deliveries_pending",
                  (json_int_t)stats.pending, "deliveries_dead", (json_int_t)stats.dead, "delivered",
                  (json_int_t)stats.delivered, "oldest_pending_seconds",
                  stats.oldest_pending_ms ? (double)(s->now - stats.oldest_pending_ms) / 1000
                                          : 0.0));
}

static void print_topics(struct status *s)
{
    const char *name;
    json_t *topic;
    printf("Queue (%s)\n", gt_json_string(s->json, "backend", "?"));
    printf("  %-10s %9s %8s %6s %11s  %s\n", "topic", "waiting", "leased", "dead", "size",
           "oldest");
    json_object_foreach(json_object_get(s->json, "queue"), name, topic)
    {
        double oldest = json_real_value(json_object_get(topic, "oldest_seconds"));
        printf("  %-10s %9lld %8lld %6lld %11s  %s\n", name,
               (long long)(gt_json_int(topic, "depth", 0) - gt_json_int(topic, "leased", 0)),
               (long long)gt_json_int(topic, "leased", 0), (long long)gt_json_int(topic, "dead", 0),
               gt_format_size(s->arena, (uint64_t)gt_json_int(topic, "bytes", 0)),
               oldest > 0 ? gt_format_duration(s->arena, (int64_t)(oldest * 1000)) : "-");
    }
}

static void print_workers(struct status *s)
{
    const char *name;
    json_t *worker;
    json_t *workers = json_object_get(s->json, "workers");
    printf("\nWorkers\n");
    if (json_object_size(workers) == 0)
        printf("  none was heard of within 30 s; `guette run` starts them\n");
    json_object_foreach(workers, name, worker)
        printf("  %-30s up %-12s %8lld done  %7.1f/s  heard %s\n", clean(s, name),
               gt_format_duration(s->arena, s->now - gt_json_int(worker, "started", s->now)),
               (long long)gt_json_int(worker, "done", 0),
               json_number_value(json_object_get(worker, "per_second")),
               ago(s, gt_json_int(worker, "seen", 0)));
}

static int64_t time_member(const json_t *object, const char *key)
{
    return gt_time_parse(gt_json_string(object, key, NULL));
}

static void print_sources(struct status *s)
{
    const char *name;
    json_t *source;
    json_t *sources = json_object_get(s->json, "sources");
    printf("\nSources\n");
    if (json_object_size(sources) == 0)
        printf("  none was read yet\n");
    json_object_foreach(sources, name, source)
    {
        const char *error = gt_json_string(source, "error", NULL);
        const char *state = gt_json_string(source, "state", "?");
        bool bad = gt_json_int(source, "failures", 0) > 0;
        printf("  %-24s %s%-9s%s %8lld new  last success %s\n", clean(s, name),
               bad && s->colour ? "\033[33m" : "", clean(s, state),
               bad && s->colour ? "\033[0m" : "", (long long)gt_json_int(source, "documents", 0),
               ago(s, time_member(source, "last_success")));
        if (error) /* beside "ok" it is a warning: items missed or given up */
            printf("  %-24s %s\n", "", clean(s, error));
    }
}

static void print_store(struct status *s)
{
    const json_t *store = json_object_get(s->json, "store");
    printf("\nFindings and deliveries\n");
    if (!json_is_object(store)) {
        printf("  no store on this machine yet\n");
        return;
    }
    printf("  %lld findings, seen %lld times; alerts: %lld delivered, %lld pending, %lld dead\n",
           (long long)gt_json_int(store, "findings", 0),
           (long long)gt_json_int(store, "occurrences", 0),
           (long long)gt_json_int(store, "delivered", 0),
           (long long)gt_json_int(store, "deliveries_pending", 0),
           (long long)gt_json_int(store, "deliveries_dead", 0));
    if (gt_json_int(store, "deliveries_dead", 0))
        printf("  `guette deliveries list --state dead` says why\n");
}

static int gather(struct status *s, const struct gt_config *config, struct gt_error *err)
{
    struct gt_queue *queue = NULL;
    int rc = gt_queue_open(config, NULL, &queue, err);
    if (rc)
        return rc;
    json_object_set_new(s->json, "backend", json_string(gt_queue_backend(queue)));
    rc = gather_topics(s, queue, err);
    if (rc == 0)
        rc = gather_facts(s, queue, "worker/", "workers", err);
    if (rc == 0)
        rc = gather_facts(s, queue, "source/", "sources", err);
    if (rc == 0)
        forget_others(s, config);
    gt_queue_close(queue);
    gather_store(s, config);
    return rc;
}

static int print(struct status *s, bool as_json)
{
    if (as_json) {
        GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(16 * 1024 * 1024);
        if (gt_json_append(s->json, &text))
            return GT_EXIT_FAILED;
        puts(text.data);
        return GT_EXIT_OK;
    }
    print_topics(s);
    print_workers(s);
    print_sources(s);
    print_store(s);
    return GT_EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"format", required_argument, NULL, 'f'}, {0}};
    const char *path = NULL, *format = "text";
    int option;
    optind = 1;
    while ((option = gt_cli_option(argc, argv, options)) != -1) {
        if (option == 'c')
            path = optarg;
        else if (option == 'f')
            format = optarg;
        else
            return GT_EXIT_USAGE;
    }
    if (optind < argc)
        return gt_cli_usage(argv[0], "takes no argument \"%s\"", argv[optind]);
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        return gt_cli_usage(argv[0], "--format is text or json, not \"%s\"", format);
    struct gt_config *config = gt_cli_config(path);
    if (!config)
        return GT_EXIT_FAILED;
    struct gt_error err;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(ARENA_MAX);
    GT_JSON_AUTO json_t *json = json_object();
    struct status status = {
        .arena = arena, .json = json, .now = gt_now(), .colour = gt_cli_colour()};
    int rc = gather(&status, config, &err);
    if (rc)
        fprintf(stderr, "guette status: %s\n", err.message);
    else
        rc = print(&status, strcmp(format, "json") == 0);
    gt_config_free(config);
    return rc ? GT_EXIT_FAILED : GT_EXIT_OK;
}

const struct gt_command gt_command_status = {
    .name = "status",
    .summary = "queue depth, workers, sources and deliveries at a glance",
    .help = "Usage: guette status [--config FILE] [--format text|json]\n\n"
            "Shows what waits on the queue and since when, which workers live and how fast they\n"
            "go, when each source was last read, and how many alerts could not be delivered.\n\n"
            "Example: guette status --format json | jq .queue\n"
            "Exit codes: 0 shown, 1 the queue could not be read, 2 wrong usage.\n",
    .run = run,
};
