#include "cli/cache.h"
#include "cli/scan_parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FINDINGS_PER_WINDOW 10000

static const char help[] =
    "Usage: guette scan [OPTIONS] PATH...\n"
    "       guette scan [OPTIONS] -            (standard input)\n"
    "       guette scan [OPTIONS] --git REPOSITORY\n\n"
    "Looks for credentials in files, in all files of folders (hidden ones and .git, too) or in\n"
    "standard input. Needs no configuration and no network. Secrets are shown redacted.\n\n"
    "The report:\n"
    "  --format FORMAT        table (default), json, jsonl (one object a line), csv, sarif, html\n"
    "                         (a page to hand on), gitlab (its secret detection report)\n"
    "  --output FILE          written whole or not at all, readable by you alone\n"
    "  --show-secrets         show them in full: mind your screen, logs and history\n"
    "  --no-progress          no progress line (a pipe never gets one)\n\n"
    "Which findings:\n"
    "  --min-severity LEVEL   info, low, medium, high, critical\n"
    "  --min-confidence LEVEL possible, likely, certain\n"
    "  --only LIST            these rules, providers or categories: aws,slack.*,private-key\n"
    "  --except LIST          not these; both may be given several times\n"
    "  --baseline FILE        not those of an earlier report (json, jsonl, csv, sarif, gitlab)\n"
    "  --write-baseline FILE  write one: no secrets in it, not even redacted\n"
    "  --ignore-file FILE     like .guetteignore, which is read where the scan starts and in\n"
    "                         each folder named: paths as in .gitignore, rule:ID [PATH],\n"
    "                         fingerprint:HEX. A line with guette:ignore is ignored, too\n"
    "  --no-ignore            heed none of these\n\n"
    "The history of a git repository:\n"
    "  --git REPOSITORY       every version of every file, commit and tag message that a branch\n"
    "                         or tag reaches; a secret is told once a path, where it came first\n"
    "  --since DATE           only what commits since then brought: 2024-12-31, \"2 weeks ago\"\n"
    "  --branch NAME          only what this branch reaches; several times\n"
    "  --unreachable          also what no branch or tag reaches any more\n\n"
    "What and how:\n"
    "  --documents            PATH or - holds JSON lines: {\"content\" or \"content_base64\",\n"
    "                         \"url\", \"source\", \"path\", \"title\", \"author\"}\n"
    "  --rules DIR            also the rules (*.yaml) of this folder; several times\n"
    "  --config FILE          also look for the brands of this configuration\n"
    "  --max-depth N          judge what is packed or encoded N steps deep (default: 5; 0: not)\n"
    "  --max-size SIZE        leave out larger files, as 100MiB (default: none is left out)\n"
    "  --threads N            files judged at once (default: one a processor)\n"
    "  --exit-zero            exit with 0 also when something is found\n\n"
    "Symbolic links in folders are not followed, devices not read. Compiled rules are kept in\n"
    "~/.cache/guette. Fingerprints are keyed by $GUETTE_FINGERPRINT_KEY (a file), the\n"
    "configuration's key or your own, ~/.config/guette/fingerprint.key, made at first use.\n\n"
    "Examples:\n"
    "  git diff --cached | guette scan -\n"
    "  guette scan --min-severity high --format html --output report.html .\n"
    "  guette scan --write-baseline known.jsonl --exit-zero .\n"
    "  guette scan --baseline known.jsonl --format sarif --output guette.sarif .\n\n"
    "docs/SCAN.md tells more. Exit codes: 0 nothing found, 1 found, 2 error (also when a file\n"
    "could not be read), 130 interrupted\n";

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
        .decode_depth = options->max_depth,
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

/* How much there is in all, counted beside the scan: only a progress bar needs it. */
struct estimate {
    struct gt_scan_walk walk;
    struct gt_scan_counts counts;
    char **paths;
    atomic_bool cancelled;
    pthread_t thread;
    bool runs;
};

static void *count_all(void *user)
{
    struct estimate *estimate = user;
    for (char **path = estimate->paths; *path; path++)
        gt_scan_walk(&estimate->walk, *path);
    if (!estimate->cancelled)
        gt_scan_progress_expect(estimate->walk.settings->progress, estimate->counts.files,
                                estimate->counts.bytes);
    return NULL;
}

static void start_estimate(struct estimate *estimate, const struct gt_scan_walk *walk,
                           const struct gt_scan_options *options, char **paths)
{
    *estimate = (struct estimate){.walk = *walk, .paths = paths};
    estimate->walk.pool = NULL;
    estimate->walk.counts = &estimate->counts;
    estimate->walk.cancelled = &estimate->cancelled;
    for (char **path = paths; *path; path++)
        if (strcmp(*path, "-") == 0 || options->documents)
            return;
    estimate->runs = walk->settings->progress &&
                     pthread_create(&estimate->thread, NULL, count_all, estimate) == 0;
}

static void end_estimate(struct estimate *estimate)
{
    estimate->cancelled = true;
    if (estimate->runs)
        pthread_join(estimate->thread, NULL);
}

static void look(const struct gt_scan_walk *walk, const struct gt_scan_options *options,
                 char **paths)
{
    struct estimate estimate;
    if (options->git.repository)
        gt_scan_git(walk, options);
    start_estimate(&estimate, walk, options, paths);
    for (; *paths && !gt_scan_stopped(); paths++)
        (options->documents ? gt_scan_documents : gt_scan_walk)(walk, *paths);
    end_estimate(&estimate);
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
    struct gt_scan_walk walk = {pool, settings, report, &counts, NULL};
    look(&walk, options, paths);
    gt_scan_pool_finish(pool, &counts);
    report->took_ms = gt_monotonic() - started;
    report->interrupted = gt_scan_signal() != 0;
    return 0;
}

/* ---- what is said beside the report ---- */

static void say_summary(const struct gt_scan_options *options, const struct gt_scan_report *report)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(8192);
    const struct gt_scan_counts *counts = &report->counts;
    bool table = strcmp(options->format->name, "table") == 0 && !options->output;
    bool hides = counts->ignored + counts->ignored_paths > 0;
    if (report->interrupted)
        fputs("guette scan: interrupted; this is what was found until then\n", stderr);
    if (options->baseline && counts->known == 0 && counts->findings > 0 &&
        gt_scan_baseline_count(report->settings->baseline) > 0)
        fputs("guette scan: nothing of the baseline was seen again: was it made with another "
              "fingerprint key ($GUETTE_FINGERPRINT_KEY), or from another folder?\n",
              stderr);
    if (table || !(options->output || hides || isatty(STDERR_FILENO)))
        return;
    gt_scan_print_summary(report, &out);
    fputs(out.data ? out.data : "", stderr);
}

static int exit_code(const struct gt_scan_options *options, const struct gt_scan_report *report)
{
    if (gt_scan_signal())
        return 128 + gt_scan_signal();
    if (report->counts.failed > 0)
        return GT_SCAN_ERROR;
    return report->counts.findings > 0 && !options->exit_zero ? GT_SCAN_FOUND : GT_SCAN_NOTHING;
}

/* ---- reports ---- */

static int finish(const struct gt_scan_options *options, struct gt_scan_report *report,
                  struct gt_scan_report *accepted, struct gt_error *err)
{
    int rc = gt_scan_report_finish(report, err);
    /* A baseline of half a scan would hide nothing it should not, but tell what it should not. */
    if (rc >= 0 && accepted && !report->interrupted)
        rc = gt_scan_report_finish(accepted, err);
    if (rc >= 0)
        say_summary(options, report);
    return rc;
}

static int scan_reports(const struct gt_scan_options *options, struct gt_scan_settings *settings,
                        struct gt_scan_report *report, char **paths, struct gt_error *err)
{
    bool silent = options->no_progress || (!options->output && isatty(STDOUT_FILENO) &&
                                           strcmp(options->format->name, "table") != 0);
    settings->progress = silent ? NULL : gt_scan_progress_start();
    int rc = scan_into(options, settings, report, paths, err);
    gt_scan_progress_stop(settings->progress);
    settings->progress = NULL;
    return rc < 0 ? rc : finish(options, report, settings->new_baseline, err);
}

static int scan_settings(const struct gt_scan_options *options, struct gt_scan_settings *settings,
                         char **paths, int *ret_code, struct gt_error *err)
{
    struct gt_scan_settings accepting = *settings;
    struct gt_scan_report report, accepted;
    int rc = gt_scan_report_open(settings, options->output, &report, err);
    if (rc < 0)
        return rc;
    accepting.format = &gt_scan_format_baseline;
    if (options->new_baseline)
        rc = gt_scan_report_open(&accepting, options->new_baseline, &accepted, err);
    if (rc >= 0) {
        settings->new_baseline = options->new_baseline ? &accepted : NULL;
        rc = scan_reports(options, settings, &report, paths, err);
        *ret_code = exit_code(options, &report);
        if (settings->new_baseline)
            gt_scan_report_free(&accepted);
    }
    gt_scan_report_free(&report);
    return rc;
}

/* ---- ignore files ---- */

#define IGNORE_FILE ".guetteignore"

static int add_ignores(const struct gt_scan_options *options, struct gt_scan_ignores *ignores,
                       const char *path, struct gt_error *err)
{
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    GT_BUFFER_AUTO struct gt_buffer file = GT_BUFFER((size_t)64 * 1024);
    gt_buffer_puts(&file, path);
    gt_buffer_puts(&file, "/" IGNORE_FILE);
    bool here = strcmp(path, ".") == 0 || strcmp(path, "./") == 0; /* it was added first */
    int rc = 0;
    if (folder && !here && gt_buffer_ok(&file) && gt_file_exists(file.data))
        rc = gt_scan_ignores_add(ignores, file.data, path, err);
    if (rc >= 0 && options->ignore_file)
        rc = gt_scan_ignores_add(ignores, options->ignore_file, folder ? path : ".", err);
    return rc;
}

static int find_ignores(const struct gt_scan_options *options, struct gt_scan_ignores *ignores,
                        char **paths, struct gt_error *err)
{
    int rc = options->no_ignore || !gt_file_exists(IGNORE_FILE)
                 ? 0
                 : gt_scan_ignores_add(ignores, IGNORE_FILE, ".", err);
    for (; *paths && rc >= 0 && !options->no_ignore; paths++)
        rc = add_ignores(options, ignores, *paths, err);
    return rc;
}

static int scan(const struct gt_scan_options *options, const struct gt_config *config,
                const struct gt_ruleset *ruleset, char **paths)
{
    struct gt_scan_settings settings = {
        .format = options->format,
        .filter = &options->filter,
        .heed_comments = !options->no_ignore,
        .colour = gt_cli_colour() && !options->output,
        .show_secrets = options->show_secrets,
        .max_size = options->max_size,
        .lang = config ? (enum gt_lang)config->lang : GT_ENGLISH,
        .ruleset = ruleset,
    };
    struct gt_error err = {.message = "out of memory"};
    struct gt_scan_ignores *ignores = gt_scan_ignores_new();
    struct gt_scan_baseline *baseline = NULL;
    int code = GT_SCAN_ERROR, rc = ignores ? 0 : GT_E_NOMEM;
    if (rc >= 0)
        rc = find_ignores(options, ignores, paths, &err);
    if (rc >= 0 && options->baseline)
        rc = gt_scan_baseline_read(options->baseline, &baseline, &err);
    settings.ignores = ignores;
    settings.baseline = baseline;
    if (rc >= 0)
        rc = scan_settings(options, &settings, paths, &code, &err);
    if (rc < 0)
        fprintf(stderr, "guette scan: %s\n", err.message);
    gt_scan_ignores_free(ignores);
    gt_scan_baseline_free(baseline);
    return rc < 0 ? GT_SCAN_ERROR : code;
}

static int run(int argc, char **argv)
{
    struct gt_scan_options options;
    if (gt_scan_parse(argc, argv, &options))
        return GT_SCAN_ERROR;
    gt_scan_stop_listen();
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    struct gt_config *config = options.config ? gt_cli_config(options.config) : NULL;
    struct gt_ruleset *ruleset = NULL;
    if (!arena || (options.config && !config))
        return GT_SCAN_ERROR;
    int code = GT_SCAN_ERROR;
    if (open_rules(&options, config, arena, &ruleset) >= 0) {
        print_warnings(ruleset);
        if (gt_scan_filter_check(&options.filter, ruleset) == 0)
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
