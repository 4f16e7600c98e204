/* guette rules list, show: what is known, for a person and for a program. */
#include "cli/rules_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct list {
    const char *name;
    const struct gt_list *items;
};
#define LISTS 8

static void lists_of(const struct gt_rule_info *info, struct list lists[LISTS])
{
    const struct list all[LISTS] = {
        {"keywords", info->keywords},
        {"after", info->after},
        {"reject", info->reject},
        {"checks", info->checks},
        {"required_checks", info->required_checks},
        {"references", info->references},
        {"examples", info->examples},
        {"negative_examples", info->negative_examples},
    };
    memcpy(lists, all, sizeof all);
}

static const char *item(const struct gt_list *list, size_t index)
{
    return *GT_LIST_ITEM(*list, const char *, index);
}

/* ---- JSON ---- */

static void put(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, gt_json_text_c(value));
}

static json_t *near_object(const char *key, const char *what, uint64_t within)
{
    json_t *object = json_object();
    put(object, key, what);
    json_object_set_new(object, "within", json_integer((json_int_t)within));
    return object;
}

static json_t *to_json(const struct gt_rule_info *info)
{
    json_t *object = json_object();
    struct list lists[LISTS];
    put(object, "id", info->id);
    put(object, "title", info->title);
    put(object, "provider", info->provider);
    put(object, "category", info->category);
    put(object, "severity", info->severity);
    put(object, "confidence", info->confidence);
    put(object, "regex", info->pattern);
    if (info->near)
        json_object_set_new(object, "near", near_object("regex", info->near, info->near_within));
    if (info->pair)
        json_object_set_new(object, "pair", near_object("rule", info->pair, info->pair_within));
    if (info->only_paired)
        json_object_set_new(object, "only_paired", json_true());
    if (info->entropy > 0)
        json_object_set_new(object, "entropy", json_real(info->entropy));
    put(object, "file", info->file);
    put(object, "remediation", info->remediation);
    lists_of(info, lists);
    for (size_t i = 0; i < LISTS; i++) {
        json_t *array = json_array();
        for (size_t k = 0; k < lists[i].items->count; k++)
            json_array_append_new(array, gt_json_text_c(item(lists[i].items, k)));
        json_object_set_new(object, lists[i].name, array);
    }
    return object;
}

static int print_json(json_t *take_value)
{
    json_dumpf(take_value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(4));
    putchar('\n');
    json_decref(take_value);
    return GT_EXIT_OK;
}

/* ---- list ---- */

static bool is_wanted(const struct gt_rules_options *options, const struct gt_rule_info *info)
{
    size_t owner = strcspn(info->id, ".");
    const char *provider = options->provider;
    bool fits = !provider || gt_equals_ignoring_case(provider, info->provider) ||
                (strlen(provider) == owner && strncasecmp(provider, info->id, owner) == 0);
    return fits &&
           (!options->category || gt_equals_ignoring_case(options->category, info->category));
}

static int nothing_fits(const struct gt_ruleset *ruleset, const struct gt_rules_options *options)
{
    char owners[2][64]; /* the one that may be the best yet, and the next */
    unsigned next = 0;
    struct gt_nearest provider = {.word = options->provider ? options->provider : ""};
    struct gt_nearest category = {.word = options->category ? options->category : ""};
    struct gt_rule_info info;
    for (size_t i = 0; gt_ruleset_info(ruleset, i, &info) == 0; i++) {
        snprintf(owners[next], sizeof owners[next], "%.*s", (int)strcspn(info.id, "."), info.id);
        gt_nearest_offer(&provider, info.provider);
        gt_nearest_offer(&provider, owners[next]);
        next ^= provider.best == owners[next];
        gt_nearest_offer(&category, info.category);
    }
    const char *best = provider.best ? provider.best : category.best;
    fprintf(stderr, "guette rules: no rule is of that provider and category%s%s%s\n",
            best ? "; did you mean \"" : "", best ? best : "", best ? "\"?" : "");
    return GT_EXIT_FAILED;
}

int gt_rules_list(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                  char **argv)
{
    struct gt_rule_info info;
    json_t *array = json_array();
    size_t count = 0;
    for (size_t i = 0; gt_ruleset_info(ruleset, i, &info) == 0; i++) {
        if (!is_wanted(options, &info))
            continue;
        count++;
        if (options->json)
            json_array_append_new(array, to_json(&info));
        else
            printf("%-40s %-8s %-8s %-17s %s\n", info.id, info.severity, info.confidence,
                   info.category, info.title);
    }
    if (options->json)
        return print_json(array);
    json_decref(array);
    return count > 0 ? GT_EXIT_OK : nothing_fits(ruleset, options);
}

/* ---- show ---- */

static void print_row(const char *name, const char *value)
{
    if (value && *value)
        printf("%-18s %s\n", name, value);
}

static void print_near(const char *name, const char *what, uint64_t within)
{
    if (what)
        printf("%-18s %s (within %" PRIu64 " bytes)\n", name, what, within);
}

static void print_lists(const struct gt_rule_info *info)
{
    struct list lists[LISTS];
    lists_of(info, lists);
    for (size_t i = 0; i < LISTS; i++)
        for (size_t k = 0; k < lists[i].items->count; k++)
            print_row(k == 0 ? lists[i].name : "", item(lists[i].items, k));
}

static int show_rule(const struct gt_rule_info *info)
{
    print_row("id", info->id);
    print_row("title", info->title);
    print_row("provider", info->provider);
    print_row("category", info->category);
    print_row("severity", info->severity);
    print_row("confidence", info->confidence);
    print_row("pattern", info->pattern);
    print_near("near", info->near, info->near_within);
    print_near("pair", info->pair, info->pair_within);
    print_row("only_paired", info->only_paired ? "yes" : NULL);
    if (info->entropy > 0)
        printf("%-18s %.2f\n", "entropy", info->entropy);
    print_row("file", info->file);
    print_row("remediation", info->remediation);
    print_lists(info);
    return GT_EXIT_OK;
}

int gt_rules_show(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                  char **argv)
{
    struct gt_rule_info info;
    if (argc != 1)
        return gt_cli_usage("rules", "show needs the id of one rule");
    struct gt_nearest nearest = {.word = argv[0]};
    for (size_t i = 0; gt_ruleset_info(ruleset, i, &info) == 0; i++) {
        if (strcmp(info.id, argv[0]) == 0)
            return options->json ? print_json(to_json(&info)) : show_rule(&info);
        gt_nearest_offer(&nearest, info.id);
    }
    fprintf(stderr, "guette rules: there is no rule \"%s\"", argv[0]);
    if (nearest.best)
        fprintf(stderr, "; did you mean \"%s\"?\n", nearest.best);
    else
        fputs("; `guette rules list` shows all\n", stderr);
    return GT_EXIT_FAILED;
}
