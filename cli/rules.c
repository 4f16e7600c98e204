#include "cli/cache.h"
#include "cli/rules_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: guette rules list [--provider NAME] [--category NAME] [--format json]\n"
    "       guette rules show ID [--format json]\n"
    "       guette rules test [DIR]... [--only-given]\n"
    "       guette rules new PROVIDER.KIND [--from-example TOKEN]\n"
    "       guette rules bench [PATH]... [--top N]\n\n"
    "The credential types that guette recognises: those built in, and those of further folders of\n"
    "rule files (docs/RULES.md tells how to write one).\n\n"
    "  list          one line a rule: id, severity, confidence, category, title\n"
    "  show ID       all of one rule: pattern, conditions, examples, how it is revoked\n"
    "  test [DIR]    proves that every rule finds its own examples and none of its\n"
    "                counter-examples\n"
    "  new ID        writes a rule to begin with to standard output\n"
    "  bench [PATH]  which rule costs how much time on these files (default: .)\n\n"
    "Options:\n"
    "  --rules DIR           also the *.yaml files of this folder (may be given several times)\n"
    "  --only-given          only the folders given, without the built-in rules\n"
    "  --provider NAME       only this provider's rules, by its name or the start of its ids\n"
    "  --category NAME       only the rules of this category\n"
    "  --format FORMAT       table (default) or json\n"
    "  --from-example TOKEN  takes the form of the new rule from a token, which is not kept;\n"
    "                        \"-\" reads it from standard input, past the shell's history\n"
    "  --top N               rules that bench shows (default 30)\n\n"
    "Examples:\n"
    "  guette rules new acme.api-token --from-example - > our-rules/acme.yaml\n"
    "  guette rules test --only-given our-rules\n"
    "  guette rules bench --rules our-rules src/\n\n"
    "Exit codes: 0 done, 1 failed (a mistake in a file, an example not found), 2 wrong usage\n";

static int add_directory(struct gt_rules_options *options, const char *directory)
{
    if (options->count >= GT_RULES_DIRECTORIES_MAX)
        return gt_cli_usage("rules", "more than %d folders", GT_RULES_DIRECTORIES_MAX);
    options->directories[options->count++] = directory;
    return 0;
}

static int take_number(const char *value, unsigned *ret)
{
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    if (*end || number < 1 || number > 100000)
        return gt_cli_usage("rules", "--top is a number from 1 on, not \"%s\"", value);
    *ret = (unsigned)number;
    return 0;
}

static int take(struct gt_rules_options *options, int option, const char *value)
{
    switch (option) {
    case 'r':
        return add_directory(options, value);
    case 'o':
        options->only_given = true;
        return 0;
    case 'p':
        options->provider = value;
        return 0;
    case 'c':
        options->category = value;
        return 0;
    case 'e':
        options->example = value;
        return 0;
    case 't':
        return take_number(value, &options->top);
    case 'f':
        options->json = strcmp(value, "json") == 0;
        if (options->json || strcmp(value, "table") == 0)
            return 0;
        return gt_cli_usage("rules", "--format is table or json, not \"%s\"", value);
    default:
        return GT_EXIT_USAGE;
    }
}

static int parse(int argc, char **argv, struct gt_rules_options *options)
{
    static const struct option longs[] = {
        {"rules", required_argument, NULL, 'r'},    {"only-given", no_argument, NULL, 'o'},
        {"provider", required_argument, NULL, 'p'}, {"category", required_argument, NULL, 'c'},
        {"format", required_argument, NULL, 'f'},   {"from-example", required_argument, NULL, 'e'},
        {"top", required_argument, NULL, 't'},      {0}};
    optind = 1;
    for (int c; (c = gt_cli_option(argc, argv, longs)) != -1;)
        if (take(options, c, optarg))
            return GT_EXIT_USAGE;
    return 0;
}

static struct gt_ruleset *open_rules(const struct gt_rules_options *options)
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

static void report(void *user, const char *rule, const char *failure)
{
    printf("%s: %s\n", rule, failure);
}

static int prove(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                 char **argv)
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
    int (*run)(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
               char **argv);
    bool takes_directories, without_rules;
    int most;
} verbs[] = {
    {"list", gt_rules_list, false, false, 0},
    {"show", gt_rules_show, false, false, 1},
    {"test", prove, true, false, GT_RULES_DIRECTORIES_MAX},
    {"new", gt_rules_new, false, true, 1},
    {"bench", gt_rules_bench, false, false, 1000},
    {0},
};

static int run_verb(const struct verb *verb, struct gt_rules_options *options, int argc,
                    char **argv)
{
    if (argc > verb->most)
        return gt_cli_usage("rules", "%s takes no \"%s\"", verb->name, argv[verb->most]);
    for (int i = 0; verb->takes_directories && i < argc; i++)
        if (add_directory(options, argv[i]))
            return GT_EXIT_USAGE;
    if (verb->without_rules)
        return verb->run(NULL, options, argc, argv);
    if (options->only_given && options->count == 0)
        return gt_cli_usage("rules", "--only-given needs a folder of rules");
    struct gt_ruleset *ruleset = open_rules(options);
    if (!ruleset)
        return GT_EXIT_FAILED;
    int code = verb->run(ruleset, options, argc, argv);
    gt_ruleset_close(ruleset);
    return code;
}

static int run(int argc, char **argv)
{
    struct gt_rules_options options = {.top = 30};
    if (parse(argc, argv, &options))
        return GT_EXIT_USAGE;
    int words = argc - optind;
    const char *name = words ? argv[optind] : "list";
    for (const struct verb *verb = verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return run_verb(verb, &options, words ? words - 1 : 0, argv + optind + (words > 0));
    return gt_cli_usage("rules", "there is no verb \"%s\"; use list, show, test, new or bench",
                        name);
}

const struct gt_command gt_command_rules = {
    .name = "rules",
    .summary = "list, show and test the credential types it recognises",
    .help = help,
    .run = run,
};
