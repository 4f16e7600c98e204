/* What only counts together: a key id leads to its secret. */
#include "matchers/scan.h"

#include <stdlib.h>

static int by_place(const void *a, const void *b)
{
    const struct gt_lead *x = a, *y = b;
    return (x->span.start > y->span.start) - (x->span.start < y->span.start);
}

static size_t back(size_t from, size_t by)
{
    return from > by ? from - by : 0;
}

/* In order of place, since a probe's starts are tried once: where two windows overlap, the second
 * goes on where the first ended. */
static int look_beside(struct gt_scratch *scratch, uint32_t probe, const struct gt_rule *rule)
{
    size_t within = (size_t)rule->pair.within;
    size_t count = scratch->lead_count; /* its own matches lead nowhere */
    for (size_t i = 0; i < count; i++) {
        const struct gt_lead lead = scratch->leads[i];
        if (lead.rule == rule->pair_rule &&
            gt_confirm(scratch, probe, back(lead.span.start, within), lead.span.end + within))
            return 1;
    }
    return 0;
}

int gt_scan_pairs(struct gt_scratch *scratch)
{
    const struct gt_ruleset *ruleset = scratch->ruleset;
    if (scratch->lead_count == 0)
        return 0;
    qsort(scratch->leads, scratch->lead_count, sizeof *scratch->leads, by_place);
    for (size_t i = 0; i < ruleset->rules.count; i++)
        if (ruleset->rules.items[i].pair_rule &&
            look_beside(scratch, (uint32_t)i, &ruleset->rules.items[i]))
            return 1;
    return 0;
}
