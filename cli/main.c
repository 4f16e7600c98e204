/* guette: the command line. Every command is one row of a table and one file. */
#include "cli/cli.h"

#include "workers/workers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct gt_command *const commands[] = {
    &gt_command_init,     &gt_command_run,        &gt_command_status,
    &gt_command_findings, &gt_command_deliveries, &gt_command_queue,
    &gt_command_scan,     &gt_command_config,     &gt_command_rules,
    &gt_command_sites,    &gt_command_crawl,      &gt_command_match,
    &gt_command_notify,   &gt_command_health,     NULL,
};

static void print_help(FILE *out)
{
    fputs(
        "guette keeps watch: it reads paste sites, public repositories and feeds, recognises what\n"
        "belongs to your brand, and tells your response team.\n\n"
        "Usage: guette COMMAND [OPTIONS]\n\n",
        out);
    for (const struct gt_command *const *c = commands; *c; c++)
        fprintf(out, "  %-11s %s\n", (*c)->name, (*c)->summary);
    fputs("\nTo begin:  guette init acme.example --name \"Acme Corp\" --email soc@acme.example\n"
          "           guette run\n\n"
          "`guette COMMAND --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong usage\n"
          "(scan: 0 nothing found, 1 found, 2 error).\n",
          out);
}

int gt_cli_usage(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "guette%s%s: ", command ? " " : "", command ? command : "");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nSee `guette%s%s --help`.\n", command ? " " : "", command ? command : "");
    return GT_EXIT_USAGE;
}

bool gt_cli_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

const struct gt_config_kinds *gt_cli_kinds(void)
{
    return &gt_all_kinds;
}

const char *gt_cli_config_path(const char *path_or_null)
{
    const char *from_environment = getenv("GUETTE_CONFIG");
    if (path_or_null)
        return path_or_null;
    if (from_environment && *from_environment)
        return from_environment;
    if (!gt_file_exists("guette.yaml") && gt_file_exists("/etc/guette/guette.yaml"))
        return "/etc/guette/guette.yaml";
    return "guette.yaml";
}

struct gt_config *gt_cli_config(const char *path_or_null)
{
    const char *path = gt_cli_config_path(path_or_null);
    struct gt_config *config = NULL;
    struct gt_mistakes mistakes = {0};
    struct gt_error err = {0};
    if (!gt_file_exists(path)) {
        fprintf(
            stderr,
            "guette: there is no file %s. `guette init` writes a guette.yaml; --config FILE names "
            "another.\n",
            path);
        return NULL;
    }
    int rc = gt_config_load(path, &gt_all_kinds, &config, &mistakes, &err);
    for (size_t i = 0; i < mistakes.count; i++)
        fprintf(stderr, "%s\n", mistakes.items[i].text);
    if (rc)
        fprintf(stderr, "guette: %s\n", err.message);
    gt_arena_free(mistakes.arena);
    return rc ? NULL : config;
}

static const struct gt_command *find_command(const char *name)
{
    for (const struct gt_command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *nearest = NULL;
    size_t best = 4;
    for (const struct gt_command *const *c = commands; *c; c++) {
        size_t distance = gt_edit_distance(name, (*c)->name);
        if (distance < best) {
            best = distance;
            nearest = (*c)->name;
        }
    }
    if (nearest)
        return gt_cli_usage(NULL, "there is no command \"%s\"; did you mean \"%s\"?", name,
                            nearest);
    return gt_cli_usage(NULL, "there is no command \"%s\"", name);
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* A pipe that closed early (| head) or a full disk behind standard output. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "guette: standard output could not be written in full\n");
    return code ? code : GT_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct gt_error err = {0};
    if (gt_hash_start(&err)) {
        fprintf(stderr, "guette: %s\n", err.message);
        return GT_EXIT_FAILED;
    }
    if (argc < 2) {
        print_help(stderr);
        return GT_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        const struct gt_command *about = argc > 2 ? find_command(argv[2]) : NULL;
        if (argc > 2 && !about)
            return unknown_command(argv[2]);
        if (about)
            fputs(about->help, stdout);
        else
            print_help(stdout);
        return finish(GT_EXIT_OK);
    }
    if (strcmp(name, "--version") == 0) {
        printf("guette %s\n", gt_version());
        return finish(GT_EXIT_OK);
    }
    const struct gt_command *command = find_command(name);
    if (!command)
        return unknown_command(name);
    if (asks_help(argc - 1, argv + 1)) {
        fputs(command->help, stdout);
        return finish(GT_EXIT_OK);
    }
    return finish(command->run(argc - 1, argv + 1));
}
