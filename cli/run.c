/* guette run, and its roles alone: crawl, match, notify. */
#include "cli/cli.h"

#include "workers/workers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_CONFIG = 256, OPTION_SLOT, OPTION_PORT_OFFSET };

static const struct option run_options[] = {{"config", required_argument, NULL, OPTION_CONFIG},
                                            {0}};
static const struct option role_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"slot", required_argument, NULL, OPTION_SLOT},
    {"port-offset", required_argument, NULL, OPTION_PORT_OFFSET},
    {0}};

static bool parse_number(const char *text, int least, int most, int *ret)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most)
        return false;
    *ret = (int)value;
    return true;
}

static int parse(int argc, char **argv, const struct option *options,
                 struct gt_role_settings *settings)
{
    int option;
    optind = 1;
    while ((option = gt_cli_option(argc, argv, options)) != -1) {
        if (option == OPTION_CONFIG)
            settings->config_path = optarg;
        else if (option == OPTION_SLOT && !parse_number(optarg, 1, 9999, &settings->slot))
            return gt_cli_usage(argv[0], "--slot is a number from 1 to 9999, not \"%s\"", optarg);
        else if (option == OPTION_PORT_OFFSET &&
                 !parse_number(optarg, 0, 9999, &settings->port_offset))
            return gt_cli_usage(argv[0], "--port-offset is a number from 0 to 9999, not \"%s\"",
                                optarg);
        else if (option == '?')
            return GT_EXIT_USAGE;
    }
    if (optind < argc)
        return gt_cli_usage(argv[0], "takes no argument \"%s\"", argv[optind]);
    settings->config_path = gt_cli_config_path(settings->config_path);
    return GT_EXIT_OK;
}

/* Whole before any process is started: a wrong file is one clear list of mistakes, not a loop of
 * restarts. */
static bool check_config(const char *path)
{
    struct gt_config *config = gt_cli_checked_config(path);
    gt_config_free(config);
    return config != NULL;
}

static int run_all(int argc, char **argv)
{
    struct gt_role_settings settings = {0};
    int rc = parse(argc, argv, run_options, &settings);
    if (rc)
        return rc;
    if (!check_config(settings.config_path))
        return GT_EXIT_FAILED;
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len < 0) {
        fprintf(stderr, "guette run: cannot find its own program in /proc: %s\n", strerror(errno));
        return GT_EXIT_FAILED;
    }
    program[len] = '\0';
    return gt_supervise(program, settings.config_path);
}

static int run_role(int argc, char **argv)
{
    struct gt_role_settings settings = {.slot = 1};
    int rc = parse(argc, argv, role_options, &settings);
    if (rc)
        return rc;
    if (!check_config(settings.config_path))
        return GT_EXIT_FAILED;
    return gt_role_run(gt_role_find(argv[0]), &settings);
}

#define ROLE_OPTIONS                                                                               \
    "  --config FILE      configuration ($GUETTE_CONFIG, ./guette.yaml, "                          \
    "/etc/guette/guette.yaml)\n"                                                                   \
    "  --slot N           tells workers of one role on one host apart (default 1)\n"               \
    "  --port-offset N    added to the port of `health.listen` (default 0)\n\n"                    \
    "SIGTERM or SIGINT: finish what is in hand, give the rest back, exit 0. SIGHUP: read the\n"    \
    "configuration again; a wrong one is reported and the old one stays.\n"

const struct gt_command gt_command_run = {
    .name = "run",
    .summary = "watch: run crawlers, matchers and notifiers on this machine",
    .help =
        "Usage: guette run [--config FILE]\n\n"
        "Starts every role of the configuration (`workers:`) as a process of its own, starts "
        "those\n"
        "that end again, and stops them all on SIGTERM or Ctrl-C.\n\n"
        "  --config FILE   configuration ($GUETTE_CONFIG, ./guette.yaml, "
        "/etc/guette/guette.yaml)\n\n"
        "Example: guette run --config guette.yaml\n"
        "To run roles apart (containers, several machines): guette crawl, guette match, guette\n"
        "notify, all with one Redis in `queue:`. Exit codes: 0 stopped, 1 could not start, 2 "
        "usage.\n",
    .run = run_all,
};

const struct gt_command gt_command_crawl = {
    .name = "crawl",
    .summary = "one crawler alone: reads the sources",
    .help = "Usage: guette crawl [OPTIONS]\n\n"
            "Reads the configured sources and puts what is new on the queue.\n\n" ROLE_OPTIONS,
    .run = run_role,
};

const struct gt_command gt_command_match = {
    .name = "match",
    .summary = "one matcher alone: judges documents",
    .help = "Usage: guette match [OPTIONS]\n\n"
            "Takes documents from the queue, looks for credentials and brands, and puts findings\n"
            "on the queue.\n\n" ROLE_OPTIONS,
    .run = run_role,
};

const struct gt_command gt_command_notify = {
    .name = "notify",
    .summary = "one notifier alone: stores findings, sends alerts",
    .help = "Usage: guette notify [OPTIONS]\n\n"
            "Takes findings from the queue, stores them, and tells the channels that routes name.\n"
            "What cannot be delivered is retried for `limits.delivery_for`.\n\n" ROLE_OPTIONS,
    .run = run_role,
};
