/* From what rule files say to what the engine uses: pairs found, regexes prepared. */
#include "matchers/loosen.h"
#include "matchers/rule.h"

#include <stdlib.h>
#include <string.h>

static void complain_of_pair(const struct gt_rules *rules, const struct gt_rule *rule,
                             struct gt_mistakes *mistakes)
{
    struct gt_nearest nearest = {.word = rule->pair.rule};
    for (size_t i = 0; i < rules->count; i++)
        gt_nearest_offer(&nearest, rules->items[i].id);
    gt_mistake(mistakes, rule->node, "pair", "there is no rule \"%s\"; %s%s", rule->pair.rule,
               nearest.best ? "did you mean " : "`guette rules list` shows all",
               nearest.best ? nearest.best : "");
}

static void link_pair(struct gt_rules *rules, struct gt_rule *rule, struct gt_mistakes *mistakes)
{
    struct gt_rule *found = NULL;
    for (size_t i = 0; i < rules->count && !found; i++)
        if (strcmp(rules->items[i].id, rule->pair.rule) == 0)
            found = &rules->items[i];
    rule->pair_rule = found;
    if (!found)
        complain_of_pair(rules, rule, mistakes);
    else if (found->pair.rule)
        gt_mistake(mistakes, rule->node, "pair",
                   "rule \"%s\" has a pair itself; name one that has none", found->id);
    else
        found->leads_pairs = true;
}

void gt_rules_link(struct gt_rules *rules, struct gt_mistakes *mistakes)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].pair.rule)
            link_pair(rules, &rules->items[i], mistakes);
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].only_paired && !rules->items[i].leads_pairs)
            gt_mistake(mistakes, rules->items[i].node, "only_paired",
                       "no rule has this one as its pair, so that it finds nothing");
}

/* The regex that confirms. */
static const char *confirming(struct gt_rules *rules, const struct gt_rule *rule)
{
    return rule->after.count > 0 ? gt_after_pattern(rules->arena, rule->pattern)
                                 : gt_pattern_after_escapes(rules->arena, rule->pattern);
}

static int compile_rule(struct gt_rules *rules, struct gt_rule *rule, struct gt_error *err)
{
    const char *pattern = confirming(rules, rule);
    if (rule->after.count > 0)
        rule->after_words = gt_after_new(rules->arena, &rule->after, rule->pattern);
    if (rule->after.count > 0 && !rule->after_words)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    int rc = pattern ? gt_regex_new(pattern, &rule->regex, err)
                     : gt_fail(err, GT_E_NOMEM, "out of memory");
    if (rc >= 0 && rule->near.pattern)
        rc = gt_regex_new(rule->near.pattern, &rule->near_regex, err);
    if (rc >= 0 && rule->reject.count > 0) {
        rule->reject_regexes = calloc(rule->reject.count, sizeof(struct gt_regex *));
        if (!rule->reject_regexes)
            return gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < rule->reject.count && rc >= 0; i++)
        rc = gt_regex_new(GT_RULE_STRING(rule->reject, i), &rule->reject_regexes[i], err);
    return rc;
}

int gt_rules_compile(struct gt_rules *rules, struct gt_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < rules->count && rc >= 0; i++) {
        rc = compile_rule(rules, &rules->items[i], err);
        if (rc < 0)
            gt_error_prefix(err, "%s", rules->items[i].id);
    }
    return rc;
}

void gt_rules_free(struct gt_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct gt_rule *rule = &rules->items[i];
        gt_regex_free(rule->regex);
        gt_regex_free(rule->near_regex);
        for (size_t k = 0; rule->reject_regexes && k < rule->reject.count; k++)
            gt_regex_free(rule->reject_regexes[k]);
        free(rule->reject_regexes);
    }
    free(rules->items);
    free(rules->texts.items);
    *rules = (struct gt_rules){0};
}
