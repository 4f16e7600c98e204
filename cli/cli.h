/* cli: one file a command; each fills a row of this table (main.c lists them). */
#ifndef GT_CLI_H
#define GT_CLI_H

#include "core/core.h"
#include "model/model.h"

#include <getopt.h>

/* Exit codes of every command but scan (0 nothing found, 1 found, 2 error). */
#define GT_EXIT_OK 0
#define GT_EXIT_FAILED 1 /* it ran and the answer is no, or it could not be done */
#define GT_EXIT_USAGE 2  /* the command line is wrong */

struct gt_command {
    const char *name;    /* "config" */
    const char *summary; /* one line, for `guette --help` */
    const char
        *help; /* the whole `--help` text: usage, what it does, options, an example, exit codes */
    /* argv[0] is the command's name; `--help` was handled. Returns the exit code. */
    int (*run)(int argc, char **argv);
};

extern const struct gt_command gt_command_config, gt_command_crawl, gt_command_deliveries,
    gt_command_findings, gt_command_health, gt_command_init, gt_command_match, gt_command_notify,
    gt_command_queue, gt_command_rules, gt_command_run, gt_command_scan, gt_command_sites,
    gt_command_status;

/* --config FILE, else $GUETTE_CONFIG, else ./guette.yaml, else /etc/guette/guette.yaml. Loads it
 * with every kind this program knows; on mistakes prints them all to standard error and returns
 * NULL. */
struct gt_config *gt_cli_config(const char *path_or_null);
/* The same, with what is seen only when its sites, channels and queue are looked at together. */
struct gt_config *gt_cli_checked_config(const char *path_or_null);
/* The path that gt_cli_config would read. */
const char *gt_cli_config_path(const char *path_or_null);
const struct gt_config_kinds *gt_cli_kinds(void);
/* "guette NAME: message" to standard error; returns GT_EXIT_USAGE. */
int gt_cli_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* getopt_long for a command without short options; says itself what is wrong and returns '?' then.
 */
int gt_cli_option(int argc, char **argv, const struct option *options);
/* Colour: standard output is a terminal, NO_COLOR is not set. */
bool gt_cli_colour(void);

#endif
