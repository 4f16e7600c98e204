/* guette deliveries: what waits to be sent, what could not be, and how to send it after all. */
#include "cli/cli.h"

#include "notifier/notifier.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50
#define LIST_MOST 10000
#define DISABLED_MOST 256
#define ARENA_MAX ((size_t)512 * 1024 * 1024)

struct request {
    const char *config, *state, *channel;
    bool all;
    int64_t limit;
    const char *verb, *id;
};

static int fail(const struct gt_error *err)
{
    fprintf(stderr, "guette deliveries: %s\n", err->message);
    return GT_EXIT_FAILED;
}

static void print_row(const char *const cells[7])
{
    static const size_t widths[] = {12, 7, 16, 5, 20, 20, 60};
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(16384);
    gt_show_row(&line, cells, widths, 7);
    fputs(line.data, stdout);
}

static void print_delivery(const struct gt_delivery *d)
{
    char id[13], tries[24], since[GT_SHOW_TIME], next[GT_SHOW_TIME] = "never";
    snprintf(id, sizeof id, "%s", d->id);
    snprintf(tries, sizeof tries, "%lld", (long long)d->attempts);
    if (strcmp(d->state, "pending") == 0 && d->due_ms <= gt_now())
        strcpy(next, "now");
    else if (strcmp(d->state, "pending") == 0)
        gt_show_time(d->due_ms, next);
    print_row((const char *const[]){id, d->state, d->channel, tries,
                                    gt_show_time(d->created_ms, since), next, d->last_error});
}

static void print_disabled(struct gt_store *store, struct gt_arena *arena)
{
    const char *names[DISABLED_MOST];
    int count = gt_store_disabled_channels(store, DISABLED_MOST, arena, names, NULL);
    for (int i = 0; i < count; i++) {
        char why[256] = "";
        if (gt_store_channel_disabled(store, names[i], why, sizeof why, NULL) != 1)
            continue;
        GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(4096);
        gt_show_line(&text, why, 200);
        printf("Channel %s is disabled: %s. `guette deliveries retry --all --channel %s` enables "
               "it again.\n",
               names[i], text.data ? text.data : "-", names[i]);
    }
}

static int list(struct gt_store *store, const struct request *r, struct gt_arena *arena)
{
    struct gt_error err;
    size_t most = (size_t)r->limit;
    struct gt_delivery *deliveries = gt_arena_array(arena, most, sizeof *deliveries);
    int count = deliveries ? gt_store_deliveries(store, r->state, most, arena, deliveries, &err)
                           : gt_fail(&err, GT_E_NOMEM, "out of memory");
    if (count < 0)
        return fail(&err);
    if (count == 0)
        printf("No %s deliveries.\n", r->state ? r->state : "pending or dead");
    else
        print_row((const char *const[]){"ID", "STATE", "CHANNEL", "TRIES", "SINCE", "NEXT TRY",
                                        "LAST ERROR"});
    for (int i = 0; i < count; i++)
        print_delivery(&deliveries[i]);
    if ((size_t)count == most)
        printf("These are the newest %d; --limit N shows more.\n", count);
    print_disabled(store, arena);
    return GT_EXIT_OK;
}

/* Enables the channel when it is disabled and says so; returns the deliveries that this took back.
 */
static int enable(struct gt_store *store, const char *channel, struct gt_error *err)
{
    int disabled = gt_store_channel_disabled(store, channel, NULL, 0, err);
    if (disabled <= 0)
        return disabled;
    int count = gt_store_enable_channel(store, channel, err);
    if (count >= 0)
        printf("Channel %s is enabled again.\n", channel);
    return count;
}

static int say_retried(int count)
{
    printf("%d deliver%s to be sent again.\n", count, count == 1 ? "y is" : "ies are");
    return GT_EXIT_OK;
}

static int retry_one(struct gt_store *store, const char *id, struct gt_arena *arena)
{
    struct gt_error err;
    struct gt_delivery delivery;
    if (gt_store_delivery(store, id, arena, &delivery, &err) < 0)
        return fail(&err);
    if (strcmp(delivery.state, "dead") != 0) {
        fprintf(stderr, "guette deliveries: %s is %s, not dead: there is nothing to retry\n",
                delivery.id, delivery.state);
        return GT_EXIT_FAILED;
    }
    int enabled = enable(store, delivery.channel, &err);
    int count = enabled < 0 ? enabled : gt_store_revive(store, delivery.id, NULL, gt_now(), &err);
    return count < 0 ? fail(&err) : say_retried(enabled + count);
}

static int retry_all(struct gt_store *store, const char *channel, struct gt_arena *arena)
{
    struct gt_error err;
    const char *names[DISABLED_MOST];
    int total = 0;
    int count = gt_store_disabled_channels(store, DISABLED_MOST, arena, names, &err);
    for (int i = 0; i < count && total >= 0; i++) {
        int revived = channel && strcmp(channel, names[i]) != 0 ? 0 : enable(store, names[i], &err);
        total = revived < 0 ? revived : total + revived;
    }
    if (count < 0 || total < 0)
        return fail(&err);
    count = gt_store_revive(store, NULL, channel, gt_now(), &err);
    return count < 0 ? fail(&err) : say_retried(total + count);
}

static bool is_channel(const struct gt_config *config, const char *name)
{
    for (size_t i = 0; i < config->channels.count; i++)
        if (strcmp(GT_LIST_ITEM(config->channels, struct gt_channel_config, i)->name, name) == 0)
            return true;
    return false;
}

static int with_store(const struct gt_config *config, const struct request *r)
{
    struct gt_store *store = NULL;
    struct gt_error err;
    bool reads = strcmp(r->verb, "list") == 0;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(ARENA_MAX);
    if (r->channel && !is_channel(config, r->channel))
        return gt_cli_usage("deliveries", "the configuration has no channel \"%s\"", r->channel);
    int code = gt_file_exists(config->store.path) || reads
                   ? gt_store_open(config->store.path, reads, &store, &err)
                   : gt_fail(&err, GT_E_NOTFOUND, "there is no store yet, so nothing to retry");
    if (code == GT_E_NOTFOUND && reads) {
        puts("No deliveries: nothing was found yet.");
        return GT_EXIT_OK;
    }
    if (code < 0)
        return fail(&err);
    code = reads    ? list(store, r, arena)
           : r->all ? retry_all(store, r->channel, arena)
                    : retry_one(store, r->id, arena);
    gt_store_close(store);
    return code;
}

static int check(struct request *r, int word_count, char **words)
{
    r->verb = word_count ? words[0] : "list";
    r->id = word_count > 1 ? words[1] : NULL;
    bool reads = strcmp(r->verb, "list") == 0, retries = strcmp(r->verb, "retry") == 0;
    if (!reads && !retries)
        return gt_cli_usage("deliveries", "\"%s\" is not list or retry", r->verb);
    if (reads && (r->id || r->all || r->channel))
        return gt_cli_usage("deliveries", "list takes --state and --limit only");
    if (retries && (r->id != NULL) == r->all)
        return gt_cli_usage("deliveries", "retry needs either an ID or --all");
    if (retries && r->channel && !r->all)
        return gt_cli_usage("deliveries", "--channel goes with --all");
    if (r->state && strcmp(r->state, "dead") != 0 && strcmp(r->state, "pending") != 0)
        return gt_cli_usage("deliveries", "--state is dead or pending, not \"%s\"", r->state);
    if (r->limit < 1 || r->limit > LIST_MOST)
        return gt_cli_usage("deliveries", "--limit is a number from 1 to %d", LIST_MOST);
    return GT_EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},  {"state", required_argument, NULL, 's'},
        {"channel", required_argument, NULL, 'n'}, {"limit", required_argument, NULL, 'l'},
        {"all", no_argument, NULL, 'a'},           {0}};
    struct request r = {.limit = LIST_DEFAULT};
    int option;
    optind = 1;
    while ((option = gt_cli_option(argc, argv, options)) != -1) {
        switch (option) {
        case 'c':
            r.config = optarg;
            break;
        case 's':
            r.state = optarg;
            break;
        case 'n':
            r.channel = optarg;
            break;
        case 'l':
            r.limit = strtoll(optarg, NULL, 10);
            break;
        case 'a':
            r.all = true;
            break;
        default:
            return GT_EXIT_USAGE;
        }
    }
    if (argc - optind > 2)
        return gt_cli_usage("deliveries", "too many arguments at \"%s\"", argv[optind + 2]);
    int code = check(&r, argc - optind, argv + optind);
    if (code != GT_EXIT_OK)
        return code;
    struct gt_config *config = gt_cli_config(r.config);
    code = config ? with_store(config, &r) : GT_EXIT_FAILED;
    gt_config_free(config);
    return code;
}

const struct gt_command gt_command_deliveries = {
    .name = "deliveries",
    .summary = "alerts that wait or could not be delivered, and their retry",
    .help = "Usage: guette deliveries [list] [--state dead|pending] [--limit N] [--config FILE]\n"
            "       guette deliveries retry ID [--config FILE]\n"
            "       guette deliveries retry --all [--channel NAME] [--config FILE]\n\n"
            "A failed delivery is tried again for about three days (limits.delivery_for), then it\n"
            "is dead and waits here. A channel whose receiver answered 410 Gone is disabled.\n\n"
            "  list     pending and dead ones, newest first; tells which channels are disabled\n"
            "  retry    takes dead ones back, with a new window of retries; ID may be its first\n"
            "           6 digits or more. A disabled channel is enabled again\n\n"
            "Example: guette deliveries retry --all --channel soc\n"
            "Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
    .run = run,
};
