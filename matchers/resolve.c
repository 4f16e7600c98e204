#include "matchers/scan.h"

#include <stdlib.h>
#include <string.h>

/* Shorter texts stand in others by chance. */
#define SAME_MIN 8

static size_t length(struct gt_span span)
{
    return span.end - span.start;
}

bool gt_is_better(const struct gt_candidate *a, const struct gt_candidate *b)
{
    bool generic_a = a->rule->category == GT_CATEGORY_GENERIC;
    bool generic_b = b->rule->category == GT_CATEGORY_GENERIC;
    if (generic_a != generic_b)
        return generic_b;
    if (a->confidence != b->confidence)
        return a->confidence > b->confidence;
    if (length(a->secret) != length(b->secret))
        return length(a->secret) > length(b->secret);
    if (a->after != GT_AFTER_NOT && b->after != GT_AFTER_NOT && a->distance != b->distance)
        return a->distance < b->distance;
    return strcmp(a->rule->id, b->rule->id) < 0;
}

static int by_rank(const void *a, const void *b)
{
    const struct gt_candidate *x = *(const struct gt_candidate *const *)a;
    const struct gt_candidate *y = *(const struct gt_candidate *const *)b;
    if (gt_is_better(x, y))
        return -1;
    if (gt_is_better(y, x))
        return 1;
    return (x->secret.start > y->secret.start) - (x->secret.start < y->secret.start);
}

static bool holds(const char *body, struct gt_span outer, struct gt_span inner)
{
    return length(inner) >= SAME_MIN && length(inner) <= length(outer) &&
           memmem(body + outer.start, length(outer), body + inner.start, length(inner)) != NULL;
}

/* The same bytes, or the same text at another place (of which each rule remembers only the first).
 */
static bool is_same(const char *body, const struct gt_candidate *a, const struct gt_candidate *b)
{
    if (a->secret.start < b->secret.end && b->secret.start < a->secret.end)
        return true;
    return a->rule != b->rule &&
           (holds(body, a->secret, b->secret) || holds(body, b->secret, a->secret));
}

static int by_place(const void *a, const void *b)
{
    const struct gt_candidate *x = a, *y = b;
    if (x->secret.start != y->secret.start)
        return x->secret.start < y->secret.start ? -1 : 1;
    return strcmp(x->rule->id, y->rule->id);
}

/* Each with every better one; a document full of candidates may use up its time here, too. */
static void drop_worse(struct gt_scratch *scratch, struct gt_candidate **ranked, size_t count)
{
    size_t kept = 0;
    bool late = false;
    int64_t until = scratch->started_ms + scratch->ruleset->document_ms;
    for (size_t i = 0; i < count && !late; i++) {
        ranked[i]->dropped = ranked[i]->rule->only_paired;
        for (size_t k = 0; k < kept && !ranked[i]->dropped; k++)
            ranked[i]->dropped = is_same(scratch->body, ranked[k], ranked[i]);
        if (!ranked[i]->dropped)
            ranked[kept++] = ranked[i];
        late = gt_monotonic() >= until;
    }
    scratch->gave_up |= late;
}

static int mention_by_place(const void *a, const void *b)
{
    const struct gt_mention *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->term > y->term) - (x->term < y->term);
}

static void sort_mentions(struct gt_scratch *scratch)
{
    for (size_t i = 0; i < scratch->ruleset->brands.count; i++)
        if (scratch->mentions[i].count > 1)
            qsort(scratch->mentions[i].items, scratch->mentions[i].count,
                  sizeof *scratch->mentions[i].items, mention_by_place);
}

static int sort_candidates(struct gt_scratch *scratch)
{
    size_t count = scratch->candidate_count;
    for (size_t i = 0; i < count; i++)
        scratch->seen[scratch->candidates[i].slot] = 0; /* places in the array change */
    if (count > 1)
        qsort(scratch->candidates, count, sizeof *scratch->candidates, by_place);
    return gt_repeats_build(scratch);
}

int gt_resolve(struct gt_scratch *scratch, struct gt_error *err)
{
    size_t count = scratch->candidate_count;
    struct gt_candidate **ranked = gt_arena_array(scratch->arena, count + 1, sizeof *ranked);
    sort_mentions(scratch);
    if (sort_candidates(scratch) < 0 || !ranked)
        return gt_fail(err, GT_E_LIMIT, "the document needs too much memory to be judged");
    for (size_t i = 0; i < count; i++)
        ranked[i] = &scratch->candidates[i];
    if (count > 1)
        qsort(ranked, count, sizeof *ranked, by_rank);
    drop_worse(scratch, ranked, count);
    return 0;
}
