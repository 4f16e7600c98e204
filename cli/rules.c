#include "cli/cli.h"

#include "cli/cache.h"
#include "matchers/matchers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIRECTORIES_MAX 16

static const char help[] =
    "Usage: guette rules list [--rules DIR]...\n"
    "       guette rules show ID [--rules DIR]...\n"
    "       guette rules test [DIR]... [--only-given]\n\n"
    "The credential types that guette recognises: those built in, and those of further folders of\n"
    "rule files (docs/RULES.md tells how to write one).\n\n"
    "  list          one line a rule: id, severity, title\n"
    "  show ID       all of one rule: pattern, where it comes from, how it is revoked\n"
    "  test [DIR]    proves that every rule finds its own examples and none of its "
    "counter-examples\n\n"
    "Options:\n"
    "  --rules DIR   also the *.yaml files of this folder (may be given several times)\n"
    "  --only-given  only the folders given, without the built-in rules: quick while writing "
    "one\n\n"
    "Example:\n"
    "  guette rules test --only-given ./our-rules\n\n"
    "Exit codes: 0 done, 1 failed (a mistake in a file, an example not found), 2 wrong usage\n";

struct options {
    const char *directories[DIRECTORIES_MAX + 1];
    size_t count;
    bool only_given;
};

static int add_directory(struct options *options, const char *directory)
{
    if (options->count >= DIRECTORIES_MAX)
        return gt_cli_usage("rules", "more than %d folders", DIRECTORIES_MAX);
    options->directories[options->count++] = directory;
    return 0;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        {"rules", required_argument, NULL, 'r'}, {"only-given", no_argument, NULL, 'o'}, {0}};
    optind = 1;
    for (int c; (c = gt_cli_option(argc, argv, longs)) != -1;) {
        if (c == '?' || (c == 'r' && add_directory(options, optarg)))
            return GT_EXIT_USAGE;
        options->only_given |= c == 'o';
    }
    return 0;
}

static struct gt_ruleset *open_rules(const struct options *options)
{
    struct gt_mistakes mistakes = {0};
    struct gt_ruleset *ruleset = NULL;
    struct gt_error err;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    struct gt_ruleset_settings settings = {
        .directories = options->directories,
        .without_builtin = options->only_given,
        .without_brand = true,
        .cache = arena ? gt_cli_cache(arena) : NULL,
    };
    int rc = gt_ruleset_open(&settings, &ruleset, &mistakes, &err);
    for (size_t i = 0; i < mistakes.count; i++)
        fprintf(stderr, "%s\n", mistakes.items[i].text);
    if (rc < 0 && mistakes.count == 0)
        fprintf(stderr, "guette rules: %s\n", err.message);
    gt_arena_free(mistakes.arena);
    return ruleset;
}

static int list(struct gt_ruleset *ruleset, int argc, char **argv)
{
    struct gt_rule_info info;
    for (size_t i = 0; gt_ruleset_info(ruleset, i, &info) == 0; i++)
        printf("%-40s %-9s %s\n", info.id, info.severity, info.title);
    return GT_EXIT_OK;
}

static void show_rule(const struct gt_rule_info *info)
{
    const struct {
        const char *name, *value;
    } rows[] = {
        {"id", info->id},
        {"title", info->title},
        {"provider", info->provider},
        {"category", info->category},
        {"severity", info->severity},
        {"confidence", info->confidence},
        {"pattern", info->pattern},
        {"file", info->file},
        {"remediation", info->remediation},
        {"reference", info->reference},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value)
            printf("%-12s %s\n", rows[i].name, rows[i].value);
}

static int show(struct gt_ruleset *ruleset, int argc, char **argv)
{
    struct gt_rule_info info;
    if (argc != 1)
        return gt_cli_usage("rules", "show needs the id of one rule");
    struct gt_nearest nearest = {.word = argv[0]};
    for (size_t i = 0; gt_ruleset_info(ruleset, i, &info) == 0; i++) {
        if (strcmp(info.id, argv[0]) == 0) {
            show_rule(&info);
            return GT_EXIT_OK;
        }
        gt_nearest_offer(&nearest, info.id);
    }
    fprintf(stderr, "guette rules: there is no rule \"%s\"", argv[0]);
    if (nearest.best)
        fprintf(stderr, "; did you mean \"%s\"?\n", nearest.best);
    else
        fputs("; `guette rules list` shows all\n", stderr);
    return GT_EXIT_FAILED;
}

static void report(void *user, const char *rule, const char *failure)
{
    printf("%s: %s\n", rule, failure);
}

static int prove(struct gt_ruleset *ruleset, int argc, char **argv)
{
    struct gt_error err;
    const char *const *warnings;
    int failures = gt_ruleset_prove(ruleset, report, NULL, &err);
    if (failures < 0) {
        fprintf(stderr, "guette rules: %s\n", err.message);
        return GT_EXIT_FAILED;
    }
    size_t count = gt_ruleset_warnings(ruleset, &warnings);
    for (size_t i = 0; i < count; i++)
        printf("warning: %s\n", warnings[i]);
    printf("%zu rules, %d %s\n", gt_ruleset_count(ruleset), failures,
           failures == 1 ? "failure" : "failures");
    return failures > 0 ? GT_EXIT_FAILED : GT_EXIT_OK;
}

static const struct verb {
    const char *name;
    int (*run)(struct gt_ruleset *ruleset, int argc, char **argv);
    bool takes_directories;
    int most;
} verbs[] = {
    {"list", list, false, 0},
    {"show", show, false, 1},
    {"test", prove, true, DIRECTORIES_MAX},
    {0},
};

static int run_verb(const struct verb *verb, struct options *options, int argc, char **argv)
{
    if (argc > verb->most)
        return gt_cli_usage("rules", "%s takes no \"%s\"", verb->name, argv[verb->most]);
    for (int i = 0; verb->takes_directories && i < argc; i++)
        if (add_directory(options, argv[i]))
            return GT_EXIT_USAGE;
    if (options->only_given && options->count == 0)
        return gt_cli_usage("rules", "--only-given needs a folder of rules");
    struct gt_ruleset *ruleset = open_rules(options);
    if (!ruleset)
        return GT_EXIT_FAILED;
    int code = verb->run(ruleset, argc, argv);
    gt_ruleset_close(ruleset);
    return code;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    if (parse(argc, argv, &options))
        return GT_EXIT_USAGE;
    int words = argc - optind;
    const char *name = words ? argv[optind] : "list";
    for (const struct verb *verb = verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return run_verb(verb, &options, words ? words - 1 : 0, argv + optind + (words > 0));
    return gt_cli_usage("rules", "there is no verb \"%s\"; use list, show or test", name);
}

const struct gt_command gt_command_rules = {
    .name = "rules",
    .summary = "list, show and test the credential types it recognises",
    .help = help,
    .run = run,
};
