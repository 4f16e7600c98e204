#include "cli/cache.h"
#include "cli/scan_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- ruleset ---- */

static void take_brands(struct gt_ruleset_settings *settings, const struct gt_config *config)
{
    settings->brands = config->brands.items;
    settings->brand_count = config->brands.count;
    settings->lang = (enum gt_lang)config->lang;
}

static int open_rules(const struct gt_scan_options *options, const struct gt_config *config,
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

static void look(const struct gt_scan_walk *walk, char **paths)
{
    for (; *paths; paths++)
        gt_scan_walk(walk, *paths);
}

static int exit_code(const struct gt_scan_options *options, const struct gt_scan_counts *counts)
{
    if (counts->failed > 0)
        return GT_SCAN_ERROR;
    return counts->findings > 0 && !options->exit_zero ? GT_SCAN_FOUND : GT_SCAN_NOTHING;
}

static int scan_into(const struct gt_scan_options *options, const struct gt_scan_settings *settings,
                     struct gt_scan_report *report, char **paths, struct gt_error *err)
{
    struct gt_scan_counts counts = {0};
    struct gt_scan_pool *pool = NULL;
    int64_t started = gt_monotonic();
    int rc = gt_scan_pool_new(settings, report, options->threads, &pool, err);
    if (rc < 0)
        return rc;
    struct gt_scan_walk walk = {pool, settings, report, &counts};
    look(&walk, paths);
    gt_scan_pool_finish(pool, &counts);
    report->took_ms = gt_monotonic() - started;
    return gt_scan_report_finish(report, err);
}

static int scan(const struct gt_scan_options *options, const struct gt_config *config,
                const struct gt_ruleset *ruleset, char **paths)
{
    struct gt_scan_settings settings = {
        .format = options->format,
        .colour = gt_cli_colour() && !options->output,
        .show_secrets = options->show_secrets,
        .max_size = options->max_size,
        .lang = config ? (enum gt_lang)config->lang : GT_ENGLISH,
        .ruleset = ruleset,
    };
    struct gt_scan_report report;
    struct gt_error err;
    int rc = gt_scan_report_open(&settings, options->output, &report, &err);
    if (rc >= 0) {
        rc = scan_into(options, &settings, &report, paths, &err);
        int code = exit_code(options, &report.counts);
        gt_scan_report_free(&report);
        if (rc >= 0)
            return code;
    }
    fprintf(stderr, "guette scan: %s\n", err.message);
    return GT_SCAN_ERROR;
}

static int run(int argc, char **argv)
{
    struct gt_scan_options options;
    if (gt_scan_parse(argc, argv, &options))
        return GT_SCAN_ERROR;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    struct gt_config *config = options.config ? gt_cli_config(options.config) : NULL;
    struct gt_ruleset *ruleset = NULL;
    if (!arena || (options.config && !config))
        return GT_SCAN_ERROR;
    int code = GT_SCAN_ERROR;
    if (open_rules(&options, config, arena, &ruleset) >= 0) {
        print_warnings(ruleset);
        code = scan(&options, config, ruleset, argv + optind);
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
