/* guette config: check, show and describe guette.yaml. */
#include "cli/config_parts.h"

#include "crawler/crawler.h"
#include "notifier/notifier.h"
#include "queue/queue.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void print_count(const char *before, size_t count, const char *one, const char *many)
{
    printf("%s%zu %s", before, count, count == 1 ? one : many);
}

static size_t count_disabled(const struct gt_config *config)
{
    size_t disabled = 0;
    for (size_t i = 0; i < config->sources.count; i++)
        disabled += !GT_LIST_ITEM(config->sources, struct gt_source_config, i)->enabled;
    return disabled;
}

static void print_summary(const struct gt_config *config)
{
    size_t disabled = count_disabled(config);
    printf("%s: fine: ", config->path);
    print_count("", config->brands.count, "brand", "brands");
    print_count(", ", config->sources.count, "source", "sources");
    if (disabled)
        printf(" (%zu disabled)", disabled);
    print_count(", ", config->channels.count, "channel", "channels");
    print_count(", ", config->routes.count, "route", "routes");
    printf(", queue %s\n", config->queue.type);
}

#define KEYWORD_LEAST 4

static void note_short_keywords(const struct gt_config *config)
{
    for (size_t b = 0; b < config->brands.count; b++) {
        const struct gt_brand *brand = GT_LIST_ITEM(config->brands, struct gt_brand, b);
        for (size_t k = 0; k < brand->keywords.count; k++) {
            const char *text = GT_LIST_ITEM(brand->keywords, struct gt_keyword, k)->text;
            if (strlen(text) < KEYWORD_LEAST)
                printf("note: the keyword \"%s\" of %s is so short that it will be found in many "
                       "texts that are not about you\n",
                       text, brand->name);
        }
    }
}

/* Right, but hardly what is meant. */
static void print_notes(const struct gt_config *config)
{
    if (!config->brands.count)
        puts("note: there is no brand, so nothing can be recognised as yours; add one under "
             "brands");
    note_short_keywords(config);
    if (!config->sources.count)
        puts("note: there is no source, so nothing is watched; add one under sources");
    if (!config->channels.count)
        puts("note: there is no channel, so nobody is told; add one under channels");
    if (!gt_file_exists(config->fingerprint_key))
        printf("note: there is no fingerprint key at %s yet; `guette init` makes one\n",
               config->fingerprint_key);
}

/* What the row called like the kind says: the site of a source of type site. */
static const char *site_of(const struct gt_source_config *source)
{
    for (const struct gt_option *o = source->kind->options; o->type; o++)
        if (strcmp(o->name, "site") == 0 && o->type == GT_OPTION_STRING)
            return *(const char *const *)((const char *)source->options + o->offset);
    return NULL;
}

/* Site definitions are files of their own, which the configuration's rows cannot know. */
static bool check_site(const char *path, const struct gt_source_config *source,
                       const struct gt_site_summary *sites, size_t count)
{
    const char *site = site_of(source);
    struct gt_nearest nearest = {.word = site};
    if (!site)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sites[i].name, site) == 0)
            return true;
        gt_nearest_offer(&nearest, sites[i].name);
    }
    fprintf(stderr, "%s: source \"%s\": there is no site \"%s\"; ", path, source->name, site);
    if (nearest.best)
        fprintf(stderr, "did you mean \"%s\"?\n", nearest.best);
    else
        fputs("`guette sites list` shows all\n", stderr);
    return false;
}

static bool check_sites(const struct gt_config *config)
{
    struct gt_error err = {0};
    struct gt_site_summary *sites;
    size_t count;
    const char **directories =
        gt_arena_array(config->arena, config->sites.count + 1, sizeof *directories);
    if (!directories)
        return false;
    for (size_t i = 0; i < config->sites.count; i++)
        directories[i] = *GT_LIST_ITEM(config->sites, const char *, i);
    if (gt_sites_list(directories, config->arena, &sites, &count, &err) < 0) {
        fprintf(stderr, "%s: sites: %s\n", config->path, err.message);
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < config->sources.count; i++)
        fine &= check_site(config->path, GT_LIST_ITEM(config->sources, struct gt_source_config, i),
                           sites, count);
    return fine;
}

/* Mistakes that span two options of a channel are seen when it is opened, which sends nothing. */
static bool check_channels(const struct gt_config *config)
{
    bool fine = true;
    for (size_t i = 0; i < config->channels.count; i++) {
        const struct gt_channel_config *settings =
            GT_LIST_ITEM(config->channels, struct gt_channel_config, i);
        struct gt_channel *channel = NULL;
        struct gt_error err;
        if (settings->enabled && gt_channel_open(config, settings, &channel, &err)) {
            fprintf(stderr, "%s: channels[%zu] (%s): %s\n", config->path, i, settings->name,
                    err.message);
            fine = false;
        }
        gt_channel_close(channel);
    }
    return fine;
}

/* What is in them the matcher looks at, and `guette rules test DIR`. */
static bool check_rules(const struct gt_config *config)
{
    bool fine = true;
    for (size_t i = 0; i < config->rules.count; i++) {
        const char *directory = *GT_LIST_ITEM(config->rules, const char *, i);
        DIR *opened = opendir(directory);
        if (opened) {
            closedir(opened);
            continue;
        }
        fprintf(stderr, "%s: rules[%zu]: cannot read the folder %s: %s; check the path\n",
                config->path, i, directory, strerror(errno));
        fine = false;
    }
    return fine;
}

static bool check_queue(const struct gt_config *config)
{
    struct gt_error err;
    if (gt_queue_check(config, &err) == 0)
        return true;
    fprintf(stderr, "%s: %s\n", config->path, err.message);
    return false;
}

struct gt_config *gt_cli_checked_config(const char *path)
{
    struct gt_config *config = gt_cli_config(path);
    if (!config)
        return NULL;
    bool sites = check_sites(config), channels = check_channels(config),
         rules = check_rules(config), queue = check_queue(config);
    if (sites && channels && rules && queue)
        return config;
    gt_config_free(config);
    return NULL;
}

static int check(const char *path)
{
    struct gt_config *config = gt_cli_checked_config(path);
    if (!config)
        return GT_EXIT_FAILED;
    print_summary(config);
    print_notes(config);
    gt_config_free(config);
    return GT_EXIT_OK;
}

static int show(const char *path)
{
    struct gt_config *config = gt_cli_config(path);
    if (!config)
        return GT_EXIT_FAILED;
    gt_config_show(config);
    gt_config_free(config);
    return GT_EXIT_OK;
}

static int schema(const char *path)
{
    (void)path;
    GT_JSON_AUTO json_t *object = gt_config_schema(gt_cli_kinds());
    if (object && json_dumpf(object, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF)
        return GT_EXIT_OK;
    fputs("guette config schema: cannot write the schema\n", stderr);
    return GT_EXIT_FAILED;
}

static int reference(const char *path)
{
    (void)path;
    gt_config_reference(gt_cli_kinds());
    return GT_EXIT_OK;
}

static const struct {
    const char *name;
    bool takes_file;
    int (*run)(const char *path);
} verbs[] = {
    {"check", true, check},
    {"show", true, show},
    {"schema", false, schema},
    {"reference", false, reference},
};

static int run_verb(const char *path, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(argv[0], verbs[i].name) != 0)
            continue;
        if (argc > 2 || (argc == 2 && (path || !verbs[i].takes_file)))
            return gt_cli_usage("config", "%s takes no argument \"%s\"", argv[0], argv[argc - 1]);
        return verbs[i].run(argc == 2 ? argv[1] : path);
    }
    return gt_cli_usage("config", "there is no verb \"%s\"; use check, show, schema or reference",
                        argv[0]);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {0}};
    const char *path = NULL;
    int option;
    optind = 1;
    while ((option = gt_cli_option(argc, argv, options)) != -1) {
        if (option == '?')
            return GT_EXIT_USAGE;
        path = optarg;
    }
    if (optind == argc)
        return gt_cli_usage("config", "needs a verb: check, show, schema or reference");
    return run_verb(path, argc - optind, argv + optind);
}

const struct gt_command gt_command_config = {
    .name = "config",
    .summary = "check, show and describe the configuration",
    .help =
        "Usage: guette config check [FILE]\n"
        "       guette config show [FILE]\n"
        "       guette config schema\n"
        "       guette config reference\n"
        "\n"
        "check      tells every mistake of guette.yaml and its includes at once, each with file,\n"
        "           line and column, or says that it is fine and what is in it\n"
        "show       prints the configuration with includes, variables and defaults filled in;\n"
        "           secrets are masked\n"
        "schema     prints a JSON Schema (2020-12) of the file, for editors that know YAML\n"
        "reference  prints every key with its type, default and meaning, as Markdown\n"
        "\n"
        "  --config FILE  the file, instead of $GUETTE_CONFIG, ./guette.yaml or\n"
        "                 /etc/guette/guette.yaml\n"
        "\n"
        "Example: guette config schema > guette.schema.json\n"
        "\n"
        "Exit codes: 0 fine, 1 there are mistakes or the file cannot be read, 2 wrong usage\n",
    .run = run,
};
