/* guette queue: depth, and the dead letters. */
#include "cli/cli.h"

#include "queue/queue.h"

#include <stdio.h>
#include <string.h>

#define ARENA_MAX ((size_t)512 * 1024 * 1024)
#define DEAD_PAGE 50

static const char *const topics[] = {GT_TOPIC_DOCUMENTS, GT_TOPIC_FINDINGS, NULL};

static bool is_topic(const char *name)
{
    for (size_t i = 0; topics[i]; i++)
        if (strcmp(topics[i], name) == 0)
            return true;
    return false;
}

static int fail(const struct gt_error *err)
{
    fprintf(stderr, "guette queue: %s\n", err->message);
    return GT_EXIT_FAILED;
}

static int print_stats(struct gt_queue *queue, struct gt_arena *arena)
{
    struct gt_error err;
    char time[GT_TIME_TEXT];
    printf("%-10s %8s %8s %8s %10s  %s\n", "topic", "depth", "leased", "dead", "bytes", "oldest");
    for (size_t i = 0; topics[i]; i++) {
        struct gt_topic_stats stats;
        if (gt_queue_stats(queue, topics[i], &stats, &err))
            return fail(&err);
        printf("%-10s %8llu %8llu %8llu %10s  %s\n", topics[i], (unsigned long long)stats.depth,
               (unsigned long long)stats.pending, (unsigned long long)stats.dead,
               gt_format_size(arena, stats.bytes),
               stats.oldest_ms ? gt_time_format(stats.oldest_ms, time) : "-");
    }
    return GT_EXIT_OK;
}

/* What a dead document is about, without its body: the body may hold a secret. */
static void print_dead(const char *topic, const struct gt_dead *dead, struct gt_arena *arena)
{
    char time[GT_TIME_TEXT];
    const char *why = dead->why ? dead->why : "-";
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(16 * 1024);
    gt_buffer_printf(&text, "%s\n  why      ", dead->handle);
    gt_utf8_append_clean(&text, why, strnlen(why, GT_ERROR_MAX));
    gt_buffer_printf(&text, "\n  buried   %s after %lld deliveries, %s\n",
                     gt_time_format(dead->buried_ms, time), (long long)dead->deliveries,
                     gt_format_size(arena, dead->len));
    struct gt_document document;
    if (strcmp(topic, GT_TOPIC_DOCUMENTS) == 0 &&
        gt_document_decode(dead->payload, dead->len, arena, &document, NULL) == 0) {
        const char *url = document.url ? document.url : document.key;
        gt_buffer_printf(&text, "  document %s from %s: ", document.id, document.source);
        gt_utf8_append_clean(&text, url, strnlen(url, 1024));
        gt_buffer_putc(&text, '\n');
    }
    fputs(text.data, stdout);
}

static int list_dead(struct gt_queue *queue, const char *topic, struct gt_arena *arena)
{
    char after[64] = "";
    size_t total = 0;
    for (;;) {
        struct gt_dead page[DEAD_PAGE];
        struct gt_error err;
        gt_arena_reset(arena);
        int count =
            gt_queue_dead(queue, topic, *after ? after : NULL, DEAD_PAGE, arena, page, &err);
        if (count < 0)
            return fail(&err);
        for (int i = 0; i < count; i++)
            print_dead(topic, &page[i], arena);
        total += (size_t)count;
        if (count < DEAD_PAGE)
            break;
        memcpy(after, page[count - 1].handle, sizeof after);
    }
    printf("%zu dead letter%s in %s%s\n", total, total == 1 ? "" : "s", topic,
           total ? "; `guette queue replay` puts one back" : "");
    return GT_EXIT_OK;
}

typedef int verb(struct gt_queue *queue, const char *topic, const char *handle,
                 struct gt_error *err);

static int for_all(struct gt_queue *queue, const char *topic, verb *act, struct gt_arena *arena)
{
    size_t done = 0;
    for (;;) {
        struct gt_dead page[DEAD_PAGE];
        struct gt_error err;
        gt_arena_reset(arena);
        int count = gt_queue_dead(queue, topic, NULL, DEAD_PAGE, arena, page, &err);
        if (count < 0)
            return fail(&err);
        if (count == 0)
            break;
        for (int i = 0; i < count; i++, done++)
            if (act(queue, topic, page[i].handle, &err))
                return fail(&err);
    }
    printf("%zu done\n", done);
    return GT_EXIT_OK;
}

static int act_on(struct gt_queue *queue, int argc, char **argv, verb *act, struct gt_arena *arena)
{
    struct gt_error err;
    if (argc != 3 || !is_topic(argv[1]))
        return gt_cli_usage("queue", "%s needs a topic (documents, findings) and a handle or --all",
                            argv[0]);
    if (strcmp(argv[2], "--all") == 0)
        return for_all(queue, argv[1], act, arena);
    if (act(queue, argv[1], argv[2], &err))
        return fail(&err);
    puts("done");
    return GT_EXIT_OK;
}

static int dispatch(struct gt_queue *queue, int argc, char **argv, struct gt_arena *arena)
{
    const char *what = argc ? argv[0] : "stats";
    if (strcmp(what, "stats") == 0 && argc <= 1)
        return print_stats(queue, arena);
    if (strcmp(what, "dead") == 0 && argc <= 2) {
        const char *topic = argc == 2 ? argv[1] : GT_TOPIC_DOCUMENTS;
        return is_topic(topic)
                   ? list_dead(queue, topic, arena)
                   : gt_cli_usage("queue", "\"%s\" is no topic: documents, findings", topic);
    }
    if (strcmp(what, "replay") == 0)
        return act_on(queue, argc, argv, gt_queue_replay, arena);
    if (strcmp(what, "drop") == 0)
        return act_on(queue, argc, argv, gt_queue_drop, arena);
    return gt_cli_usage("queue", "\"%s\" is not stats, dead, replay or drop", what);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"all", no_argument, NULL, 'a'}, {0}};
    const char *path = NULL;
    char *words[4];
    int word_count = 0, option;
    bool all = false;
    optind = 1;
    while ((option = gt_cli_option(argc, argv, options)) != -1) {
        if (option == 'c')
            path = optarg;
        else if (option == 'a')
            all = true;
        else
            return GT_EXIT_USAGE;
    }
    for (; optind < argc && word_count < 3; optind++)
        words[word_count++] = argv[optind];
    if (optind < argc)
        return gt_cli_usage(argv[0], "too many arguments at \"%s\"", argv[optind]);
    char all_text[] = "--all";
    if (all)
        words[word_count++] = all_text;
    struct gt_config *config = gt_cli_config(path);
    if (!config)
        return GT_EXIT_FAILED;
    struct gt_error err;
    struct gt_queue *queue = NULL;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(ARENA_MAX);
    int rc = gt_queue_open(config, NULL, &queue, &err) ? fail(&err)
                                                       : dispatch(queue, word_count, words, arena);
    gt_queue_close(queue);
    gt_config_free(config);
    return rc;
}

const struct gt_command gt_command_queue = {
    .name = "queue",
    .summary = "what waits on the queue, and its dead letters",
    .help = "Usage: guette queue [stats] [--config FILE]\n"
            "       guette queue dead [documents|findings]\n"
            "       guette queue replay documents|findings HANDLE|--all\n"
            "       guette queue drop documents|findings HANDLE|--all\n\n"
            "  stats    depth, leases, bytes and age of each topic\n"
            "  dead     what was buried (it killed its matcher again and again, or could not be\n"
            "           read), with why; bodies are not shown, they may hold a secret\n"
            "  replay   put back into the topic, to be tried again\n"
            "  drop     delete for good\n\n"
            "Example: guette queue replay documents --all\n"
            "Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
    .run = run,
};
