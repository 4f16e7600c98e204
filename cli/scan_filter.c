/* Which findings are told: --min-severity, --min-confidence, --only, --except. */
#include "cli/scan_parts.h"

#include <string.h>

static bool matches(const char *name, const struct gt_finding *finding)
{
    const char *dot = strchr(finding->rule, '.');
    char owner[64]; /* of "aws.access-key": aws */
    snprintf(owner, sizeof owner, "%.*s", dot ? (int)(dot - finding->rule) : 0, finding->rule);
    return gt_scan_glob(name, finding->rule) || gt_scan_glob(name, owner) ||
           (finding->provider && gt_scan_glob(name, finding->provider)) ||
           (finding->category && gt_scan_glob(name, finding->category));
}

static bool any_matches(const struct gt_scan_names *names, const struct gt_finding *finding)
{
    for (size_t i = 0; i < names->count; i++)
        if (matches(names->items[i], finding))
            return true;
    return false;
}

bool gt_scan_passes(const struct gt_scan_filter *filter, const struct gt_finding *finding)
{
    return (int)finding->severity >= filter->min_severity &&
           (int)finding->confidence >= filter->min_confidence &&
           (filter->only.count == 0 || any_matches(&filter->only, finding)) &&
           !any_matches(&filter->except, finding);
}

/* ---- mistakes ---- */

static const char *const traces[] = {"brand.domain", "brand.keyword", "brand.pattern"};

/* What a rule is called by, as a finding has it. */
static bool rule_at(const struct gt_ruleset *ruleset, size_t index, struct gt_finding *ret)
{
    struct gt_rule_info info;
    size_t count = gt_ruleset_count(ruleset);
    if (index >= count + sizeof traces / sizeof *traces)
        return false;
    *ret = (struct gt_finding){.category = "brand"};
    if (index >= count) {
        ret->rule = traces[index - count];
        return true;
    }
    gt_ruleset_info(ruleset, index, &info);
    ret->rule = info.id;
    ret->provider = info.provider;
    ret->category = info.category;
    return true;
}

/* nearest.best becomes the whole id: its owner's name is not a text of its own. */
static void offer_owner(struct gt_nearest *nearest, const char *rule)
{
    char owner[64];
    snprintf(owner, sizeof owner, "%.*s", (int)strcspn(rule, "."), rule);
    const char *before = nearest->best;
    gt_nearest_offer(nearest, owner);
    if (nearest->best != before)
        nearest->best = rule;
}

static int check_name(const char *option, const char *name, const struct gt_ruleset *ruleset)
{
    char start[64]; /* of "githb.*": githb */
    snprintf(start, sizeof start, "%.*s", (int)strcspn(name, ".*?"), name);
    struct gt_nearest nearest = {.word = name}, owner = {.word = start};
    struct gt_finding rule;
    for (size_t i = 0; rule_at(ruleset, i, &rule); i++) {
        if (matches(name, &rule))
            return 0;
        gt_nearest_offer(&nearest, rule.rule);
        offer_owner(&owner, rule.rule);
        gt_nearest_offer(&nearest, rule.category);
        if (rule.provider)
            gt_nearest_offer(&nearest, rule.provider);
    }
    if (!nearest.best && owner.best)
        return gt_cli_usage("scan",
                            "--%s: no rule, provider or category is called \"%s\"; did "
                            "you mean \"%.*s.*\"?",
                            option, name, (int)strcspn(owner.best, "."), owner.best);
    if (nearest.best)
        return gt_cli_usage("scan",
                            "--%s: no rule, provider or category is called \"%s\"; did "
                            "you mean \"%s\"?",
                            option, name, nearest.best);
    return gt_cli_usage("scan",
                        "--%s: no rule, provider or category is called \"%s\"; `guette "
                        "rules list` shows all",
                        option, name);
}

int gt_scan_filter_check(const struct gt_scan_filter *filter, const struct gt_ruleset *ruleset)
{
    for (size_t i = 0; i < filter->only.count; i++)
        if (check_name("only", filter->only.items[i], ruleset))
            return GT_SCAN_ERROR;
    for (size_t i = 0; i < filter->except.count; i++)
        if (check_name("except", filter->except.items[i], ruleset))
            return GT_SCAN_ERROR;
    return 0;
}

int gt_scan_names_add(struct gt_scan_names *names, const char *option, const char *list)
{
    for (const char *at = list;; at++) {
        struct gt_str word = gt_str_trim((struct gt_str){at, strcspn(at, ",")});
        if (names->count == GT_SCAN_NAMES_MAX || word.len >= sizeof *names->items)
            return gt_cli_usage("scan", "--%s: too many names, or a name too long", option);
        if (word.len > 0)
            snprintf(names->items[names->count++], sizeof *names->items, "%.*s", (int)word.len,
                     word.ptr);
        at += strcspn(at, ",");
        if (!*at)
            return 0;
    }
}
