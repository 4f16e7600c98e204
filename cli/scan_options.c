/* The options of `guette scan`: one row each. */
#include "cli/scan_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int take_format(struct gt_scan_options *options, const char *value)
{
    struct gt_nearest nearest = {.word = value};
    for (size_t i = 0; gt_scan_formats[i]; i++) {
        if (strcmp(value, gt_scan_formats[i]->name) == 0) {
            options->format = gt_scan_formats[i];
            return 0;
        }
        gt_nearest_offer(&nearest, gt_scan_formats[i]->name);
    }
    GT_BUFFER_AUTO struct gt_buffer names = GT_BUFFER(256);
    for (size_t i = 0; gt_scan_formats[i]; i++)
        gt_buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", gt_scan_formats[i]->name);
    if (nearest.best)
        return gt_cli_usage("scan", "there is no --format \"%s\"; did you mean %s?", value,
                            nearest.best);
    return gt_cli_usage("scan", "--format is one of %s, not \"%s\"", names.data, value);
}

static int take_output(struct gt_scan_options *options, const char *value)
{
    options->output = strcmp(value, "-") == 0 ? NULL : value;
    return 0;
}

static int take_config(struct gt_scan_options *options, const char *value)
{
    options->config = value;
    return 0;
}

static int take_rules(struct gt_scan_options *options, const char *value)
{
    if (options->directory_count >= GT_SCAN_DIRECTORIES_MAX)
        return gt_cli_usage("scan", "more than %d folders of rules", GT_SCAN_DIRECTORIES_MAX);
    options->directories[options->directory_count++] = value;
    return 0;
}

static int take_threads(struct gt_scan_options *options, const char *value)
{
    char *end;
    unsigned long threads = strtoul(value, &end, 10);
    if (*end || threads < 1 || threads > GT_SCAN_THREADS_MAX)
        return gt_cli_usage("scan", "--threads is a number from 1 to %d, not \"%s\"",
                            GT_SCAN_THREADS_MAX, value);
    options->threads = (unsigned)threads;
    return 0;
}

static int take_max_depth(struct gt_scan_options *options, const char *value)
{
    char *end;
    long depth = strtol(value, &end, 10);
    if (*end || end == value || depth < 0 || depth > GT_DECODE_DEPTH_MAX)
        return gt_cli_usage("scan", "--max-depth is a number from 0 to %d, not \"%s\"",
                            GT_DECODE_DEPTH_MAX, value);
    options->max_depth = depth == 0 ? -1 : (int)depth;
    return 0;
}

static int take_max_size(struct gt_scan_options *options, const char *value)
{
    struct gt_error err;
    if (gt_parse_size(value, &options->max_size, &err) < 0)
        return gt_cli_usage("scan", "--max-size: %s", err.message);
    return 0;
}

static int take_show(struct gt_scan_options *options, const char *value)
{
    options->show_secrets = true;
    return 0;
}

static int take_level(const char *option, const char *value, const char *const *names, int *ret)
{
    GT_BUFFER_AUTO struct gt_buffer all = GT_BUFFER(256);
    for (int i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) == 0) {
            *ret = i;
            return 0;
        }
        gt_buffer_printf(&all, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    return gt_cli_usage("scan", "--%s is one of %s, not \"%s\"", option, all.data, value);
}

static int take_severity(struct gt_scan_options *options, const char *value)
{
    return take_level("min-severity", value, gt_severity_names, &options->filter.min_severity);
}

static int take_confidence(struct gt_scan_options *options, const char *value)
{
    return take_level("min-confidence", value, gt_confidence_names,
                      &options->filter.min_confidence);
}

static int take_only(struct gt_scan_options *options, const char *value)
{
    return gt_scan_names_add(&options->filter.only, "only", value);
}

static int take_except(struct gt_scan_options *options, const char *value)
{
    return gt_scan_names_add(&options->filter.except, "except", value);
}

static int take_baseline(struct gt_scan_options *options, const char *value)
{
    options->baseline = value;
    return 0;
}

static int take_new_baseline(struct gt_scan_options *options, const char *value)
{
    options->new_baseline = value;
    return 0;
}

static int take_ignore_file(struct gt_scan_options *options, const char *value)
{
    options->ignore_file = value;
    return 0;
}

static int take_no_ignore(struct gt_scan_options *options, const char *value)
{
    options->no_ignore = true;
    return 0;
}

static int take_documents(struct gt_scan_options *options, const char *value)
{
    options->documents = true;
    return 0;
}

static int take_no_progress(struct gt_scan_options *options, const char *value)
{
    options->no_progress = true;
    return 0;
}

static int take_exit_zero(struct gt_scan_options *options, const char *value)
{
    options->exit_zero = true;
    return 0;
}

static int take_git(struct gt_scan_options *options, const char *value)
{
    if (options->git.repository)
        return gt_cli_usage("scan", "--git names one repository; scan the others one by one");
    options->git.repository = value;
    return 0;
}

static int take_since(struct gt_scan_options *options, const char *value)
{
    options->git.since = value;
    return 0;
}

static int take_branch(struct gt_scan_options *options, const char *value)
{
    struct gt_scan_git_options *git = &options->git;
    if (git->branch_count == GT_SCAN_BRANCHES_MAX)
        return gt_cli_usage("scan", "more than %d branches", GT_SCAN_BRANCHES_MAX);
    git->branches[git->branch_count++] = value;
    return 0;
}

static int take_unreachable(struct gt_scan_options *options, const char *value)
{
    options->git.unreachable = true;
    return 0;
}

static int check_git(const struct gt_scan_git_options *git)
{
    bool some = git->since || git->branch_count > 0;
    if (!git->repository && (some || git->unreachable))
        return gt_cli_usage("scan", "--since, --branch and --unreachable belong to --git");
    if (some && git->unreachable)
        return gt_cli_usage("scan", "--unreachable looks at all there is; leave out --since and "
                                    "--branch");
    return 0;
}

static const struct row {
    const char *name;
    int has_value; /* no_argument, required_argument */
    /* 0, or the exit code after saying what is wrong. */
    int (*take)(struct gt_scan_options *options, const char *value);
} rows[] = {
    {"format", required_argument, take_format},
    {"output", required_argument, take_output},
    {"config", required_argument, take_config},
    {"rules", required_argument, take_rules},
    {"threads", required_argument, take_threads},
    {"max-size", required_argument, take_max_size},
    {"max-depth", required_argument, take_max_depth},
    {"show-secrets", no_argument, take_show},
    {"min-severity", required_argument, take_severity},
    {"min-confidence", required_argument, take_confidence},
    {"only", required_argument, take_only},
    {"except", required_argument, take_except},
    {"baseline", required_argument, take_baseline},
    {"write-baseline", required_argument, take_new_baseline},
    {"ignore-file", required_argument, take_ignore_file},
    {"no-ignore", no_argument, take_no_ignore},
    {"documents", no_argument, take_documents},
    {"no-progress", no_argument, take_no_progress},
    {"exit-zero", no_argument, take_exit_zero},
    {"git", required_argument, take_git},
    {"since", required_argument, take_since},
    {"branch", required_argument, take_branch},
    {"unreachable", no_argument, take_unreachable},
};
#define ROWS (sizeof rows / sizeof *rows)

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > GT_SCAN_THREADS_MAX ? GT_SCAN_THREADS_MAX : (unsigned)count;
}

int gt_scan_parse(int argc, char **argv, struct gt_scan_options *options)
{
    struct option longs[ROWS + 1] = {0};
    for (size_t i = 0; i < ROWS; i++) /* from 1: gt_cli_option takes 0 for none */
        longs[i] = (struct option){rows[i].name, rows[i].has_value, NULL, (int)i + 1};
    *options = (struct gt_scan_options){.threads = processors(), .format = gt_scan_formats[0]};
    optind = 1;
    for (int c; (c = gt_cli_option(argc, argv, longs)) != -1;)
        if (c == '?' || rows[c - 1].take(options, optarg))
            return GT_SCAN_ERROR;
    if (check_git(&options->git))
        return GT_SCAN_ERROR;
    if (optind == argc && !options->git.repository)
        return gt_cli_usage("scan", "name a file or folder, or \"-\" for standard input");
    return 0;
}
