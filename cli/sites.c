/* guette sites: the sites that guette can read, and the proof of their definitions. */
#include "cli/cli.h"

#include "crawler/crawler.h"

#include <stdio.h>
#include <string.h>

#define DIRECTORIES_MAX 16
#define ARENA_MAX ((size_t)32 << 20)

static const char help[] =
    "Usage: guette sites list [DIR]...\n"
    "       guette sites check [DIR]...\n\n"
    "The sites that a source of type `site` can read: those built in, and those of further "
    "folders\n"
    "of site files (docs/ADD-A-SITE.md tells how to write one; `sites:` in the configuration uses\n"
    "them).\n\n"
    "  list [DIR]    one line a site: name, kind of site, what it needs, title\n"
    "  check [DIR]   proves that every definition reads its own examples; needs no network\n\n"
    "Example:\n"
    "  guette sites check ./our-sites\n\n"
    "Exit codes: 0 done, 1 failed (a mistake in a file, an example that differs), 2 wrong usage\n";

static int list(const char *const *directories, struct gt_error *err)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(ARENA_MAX);
    struct gt_site_summary *sites = NULL;
    size_t count = 0;

    int code = arena ? gt_sites_list(directories, arena, &sites, &count, err)
                     : gt_fail(err, GT_E_NOMEM, "out of memory");
    if (code < 0)
        return code;
    for (size_t i = 0; i < count; i++)
        printf("%-18s %-11s %-25s %s\n", sites[i].name, sites[i].category, sites[i].needs,
               sites[i].title);
    return 0;
}

static void report(void *user, const char *file, const char *site, const char *failure)
{
    size_t *count = user;

    (*count)++;
    if (failure)
        printf("%s: %s\n", site ? site : file, failure);
}

static int check(const char *const *directories, struct gt_error *err)
{
    size_t count = 0;
    int failures = gt_sites_check(directories, report, &count, err);

    if (failures < 0)
        return failures;
    printf("%zu sites, %d %s\n", count, failures, failures == 1 ? "failure" : "failures");
    return failures;
}

static int run(int argc, char **argv)
{
    const char *directories[DIRECTORIES_MAX + 1] = {NULL};
    struct gt_error err;

    if (argc < 2)
        return gt_cli_usage("sites", "say what to do: list or check");
    bool listing = strcmp(argv[1], "list") == 0;
    if (!listing && strcmp(argv[1], "check") != 0)
        return gt_cli_usage("sites", "there is no \"%s\"; write list or check", argv[1]);
    if (argc - 2 > DIRECTORIES_MAX)
        return gt_cli_usage("sites", "more than %d folders", DIRECTORIES_MAX);
    for (int i = 2; i < argc; i++) {
        if (argv[i][0] == '-')
            return gt_cli_usage("sites", "there is no option \"%s\"", argv[i]);
        directories[i - 2] = argv[i];
    }
    int code = listing ? list(directories, &err) : check(directories, &err);
    if (code < 0)
        fprintf(stderr, "guette sites: %s\n", err.message);
    return code ? GT_EXIT_FAILED : GT_EXIT_OK;
}

const struct gt_command gt_command_sites = {
    .name = "sites",
    .summary = "list the sites that can be read, and prove their definitions",
    .help = help,
    .run = run,
};
