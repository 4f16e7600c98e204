#include "cli/cache.h"
#include "cli/scan_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_NOTHING 0
#define EXIT_FOUND 1
#define EXIT_ERROR 2
#define DIRECTORIES_MAX 16
#define THREADS_MAX 256
#define FINDINGS_PER_WINDOW 10000

static const char help[] =
    "Usage: guette scan [OPTIONS] PATH...\n"
    "       guette scan [OPTIONS] -            (standard input)\n\n"
    "Looks for credentials in files, in all files of folders (hidden ones and .git, too) or in\n"
    "standard input. Needs no configuration and no network. Secrets are shown redacted.\n\n"
    "Options:\n"
    "  --format FORMAT    table (default) or jsonl: one JSON object a line\n"
    "  --config FILE      also look for the brands of this configuration\n"
    "  --rules DIR        also the rules (*.yaml) of this folder; may be given several times\n"
    "  --threads N        files judged at once (default: one a processor)\n"
    "  --max-size SIZE    leave out larger files, for example 100MiB (default: none is left out)\n"
    "  --show-secrets     show them in full: mind your screen, logs and history\n\n"
    "Symbolic links in folders are not followed, devices not read. Compiled rules are kept in\n"
    "~/.cache/guette. Fingerprints are keyed by $GUETTE_FINGERPRINT_KEY (a file), the "
    "configuration's\n"
    "key or your own, ~/.config/guette/fingerprint.key, made at first use.\n\n"
    "Example:\n"
    "  git diff main | guette scan -\n\n"
    "Exit codes: 0 nothing found, 1 found, 2 error (also when a file could not be read)\n";

struct options {
    enum gt_scan_format format;
    const char *config;
    const char *directories[DIRECTORIES_MAX + 1];
    size_t directory_count;
    unsigned threads;
    uint64_t max_size;
    bool show_secrets;
};

/* ---- command line ---- */

static int take_format(struct options *options, const char *value)
{
    static const char *const names[] = {"table", "jsonl"};
    for (int i = 0; i < 2; i++) {
        if (strcmp(value, names[i]) == 0) {
            options->format = (enum gt_scan_format)i;
            return 0;
        }
    }
    return gt_cli_usage("scan", "--format is table or jsonl, not \"%s\"", value);
}

static int take_config(struct options *options, const char *value)
{
    options->config = value;
    return 0;
}

static int take_rules(struct options *options, const char *value)
{
    if (options->directory_count >= DIRECTORIES_MAX)
        return gt_cli_usage("scan", "more than %d folders of rules", DIRECTORIES_MAX);
    options->directories[options->directory_count++] = value;
    return 0;
}

static int take_threads(struct options *options, const char *value)
{
    char *end;
    unsigned long threads = strtoul(value, &end, 10);
    if (*end || threads < 1 || threads > THREADS_MAX)
        return gt_cli_usage("scan", "--threads is a number from 1 to %d, not \"%s\"", THREADS_MAX,
                            value);
    options->threads = (unsigned)threads;
    return 0;
}

static int take_max_size(struct options *options, const char *value)
{
    struct gt_error err;
    if (gt_parse_size(value, &options->max_size, &err) < 0)
        return gt_cli_usage("scan", "--max-size: %s", err.message);
    return 0;
}

static int take_show(struct options *options, const char *value)
{
    options->show_secrets = true;
    return 0;
}

static const struct option longs[] = {
    {"format", required_argument, NULL, 0},
    {"config", required_argument, NULL, 1},
    {"rules", required_argument, NULL, 2},
    {"threads", required_argument, NULL, 3},
    {"max-size", required_argument, NULL, 4},
    {"show-secrets", no_argument, NULL, 5},
    {0},
};
static int (*const takes[])(struct options *, const char *) = {
    take_format, take_config, take_rules, take_threads, take_max_size, take_show};

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > THREADS_MAX ? THREADS_MAX : (unsigned)count;
}

static int parse(int argc, char **argv, struct options *options)
{
    *options = (struct options){.threads = processors()};
    optind = 1;
    for (int c; (c = gt_cli_option(argc, argv, longs)) != -1;)
        if (c == '?' || takes[c](options, optarg))
            return EXIT_ERROR;
    if (optind == argc)
        return gt_cli_usage("scan", "name a file or folder, or \"-\" for standard input");
    return 0;
}

/* ---- ruleset ---- */

static void take_brands(struct gt_ruleset_settings *settings, const struct gt_config *config)
{
    settings->brands = config->brands.items;
    settings->brand_count = config->brands.count;
    settings->lang = (enum gt_lang)config->lang;
}

static int open_rules(const struct options *options, const struct gt_config *config,
                      struct gt_arena *arena, struct gt_ruleset **ret_ruleset)
{
    struct gt_ruleset_settings settings = {
        .directories = options->directories,
        .cache = gt_cli_cache(arena),
        .document_bytes = GT_SCAN_WINDOW,
        .findings = FINDINGS_PER_WINDOW,
        .without_brand = true,
    };
    struct gt_mistakes mistakes = {0};
    struct gt_error err;
    bool ephemeral;
    if (config)
        take_brands(&settings, config);
    int rc =
        gt_cli_key(config ? config->fingerprint_key : NULL, arena, &settings.key, &ephemeral, &err);
    if (rc >= 0 && ephemeral)
        fprintf(stderr,
                "guette scan: fingerprints of this run cannot be compared with others: %s\n",
                err.message);
    if (rc >= 0)
        rc = gt_ruleset_open(&settings, ret_ruleset, &mistakes, &err);
    for (size_t i = 0; i < mistakes.count; i++)
        fprintf(stderr, "%s\n", mistakes.items[i].text);
    if (rc < 0 && mistakes.count == 0)
        fprintf(stderr, "guette scan: %s\n", err.message);
    gt_arena_free(mistakes.arena);
    return rc;
}

static void print_warnings(const struct gt_ruleset *ruleset)
{
    const char *const *warnings;
    size_t count = gt_ruleset_warnings(ruleset, &warnings);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "guette scan: warning: %s\n", warnings[i]);
}

/* ---- the command ---- */

static int scan(const struct options *options, const struct gt_ruleset *ruleset, char **paths)
{
    struct gt_scan_settings settings = {
        .format = options->format,
        .colour = gt_cli_colour(),
        .show_secrets = options->show_secrets,
        .max_size = options->max_size,
        .ruleset = ruleset,
    };
    struct gt_scan_counts counts = {0};
    struct gt_scan_pool *pool = NULL;
    struct gt_error err;
    int64_t started = gt_monotonic();
    if (gt_scan_pool_new(&settings, options->threads, &pool, &err) < 0) {
        fprintf(stderr, "guette scan: %s\n", err.message);
        return EXIT_ERROR;
    }
    for (; *paths; paths++)
        gt_scan_walk(pool, &settings, *paths, &counts);
    gt_scan_pool_finish(pool, &counts);
    if (settings.format == GT_SCAN_TABLE)
        gt_scan_print_summary(&counts, gt_monotonic() - started);
    if (counts.failed > 0)
        return EXIT_ERROR;
    return counts.findings > 0 ? EXIT_FOUND : EXIT_NOTHING;
}

static int run(int argc, char **argv)
{
    struct options options;
    if (parse(argc, argv, &options))
        return EXIT_ERROR;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    struct gt_config *config = options.config ? gt_cli_config(options.config) : NULL;
    struct gt_ruleset *ruleset = NULL;
    if (!arena || (options.config && !config))
        return EXIT_ERROR;
    int code = EXIT_ERROR;
    if (open_rules(&options, config, arena, &ruleset) >= 0) {
        print_warnings(ruleset);
        code = scan(&options, ruleset, argv + optind);
    }
    gt_ruleset_close(ruleset);
    gt_config_free(config);
    return code;
}

const struct gt_command gt_command_scan = {
    .name = "scan",
    .summary = "look for credentials in files, folders or standard input",
    .help = help,
    .run = run,
};
