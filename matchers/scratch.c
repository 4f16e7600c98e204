#include "matchers/case.h"

#include <stdlib.h>

/* A document's candidates, mentions and findings. */
#define ARENA_MAX ((size_t)256 * 1024 * 1024)
/* Candidates that a better rule drops must not use up the room of findings. */
#define CANDIDATES_PER_FINDING 4

static size_t power_of_two(size_t least)
{
    size_t power = 64;
    while (power < least)
        power *= 2;
    return power;
}

static int allocate(struct gt_scratch *scratch, const struct gt_ruleset *ruleset,
                    struct gt_error *err)
{
    scratch->candidate_max = CANDIDATES_PER_FINDING * ruleset->findings;
    scratch->seen_size = power_of_two(2 * scratch->candidate_max);
    scratch->arena = gt_arena_new(ARENA_MAX);
    scratch->states = calloc(ruleset->probe_count + 1, sizeof *scratch->states);
    scratch->touched = calloc(ruleset->probe_count + 1, sizeof *scratch->touched);
    scratch->mentions = calloc(ruleset->brands.count + 1, sizeof *scratch->mentions);
    scratch->seen = calloc(scratch->seen_size, sizeof *scratch->seen);
    scratch->piece = ruleset->sets[GT_SET_FOLDED].database ? gt_piece_new(scratch) : NULL;
    scratch->judging = gt_case_new(ruleset);
    bool enough = scratch->judging && scratch->arena && scratch->states && scratch->touched &&
                  scratch->mentions && scratch->seen &&
                  (scratch->piece || !ruleset->sets[GT_SET_FOLDED].database);
    for (size_t i = 0; i < GT_SETS && enough; i++)
        enough = !ruleset->sets[i].database ||
                 hs_alloc_scratch(ruleset->sets[i].database, &scratch->hs) == HS_SUCCESS;
    return enough ? gt_runner_new(&scratch->runner, err)
                  : gt_fail(err, GT_E_NOMEM, "out of memory for the matcher");
}

int gt_scratch_new(const struct gt_ruleset *ruleset, struct gt_scratch **ret_scratch,
                   struct gt_error *err)
{
    struct gt_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the matcher");
    scratch->ruleset = ruleset;
    int rc = allocate(scratch, ruleset, err);
    if (rc < 0) {
        gt_scratch_free(scratch);
        return rc;
    }
    *ret_scratch = scratch;
    return 0;
}

void gt_scratch_free(struct gt_scratch *scratch)
{
    if (!scratch)
        return;
    gt_case_free(scratch->judging);
    hs_free_scratch(scratch->hs);
    gt_runner_free(scratch->runner);
    gt_arena_free(scratch->arena);
    free(scratch->costs);
    free(scratch->states);
    free(scratch->touched);
    free(scratch->mentions);
    free(scratch->seen);
    free(scratch->piece);
    free(scratch);
}

int gt_scratch_profile(struct gt_scratch *scratch, struct gt_error *err)
{
    if (!scratch->costs)
        scratch->costs = calloc(scratch->ruleset->probe_count + 1, sizeof *scratch->costs);
    return scratch->costs ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory for the matcher");
}

struct gt_rule_cost gt_scratch_cost(const struct gt_scratch *scratch, size_t index)
{
    bool known = scratch->costs && index < scratch->ruleset->rules.count;
    return known ? scratch->costs[index] : (struct gt_rule_cost){0};
}
