#include "matchers/scan.h"

#include <string.h>

/* ---- when the database is built: does Vectorscan lead to every example? ---- */

/* Candidates of this rule in this text; which a better rule may have, too. */
static int count_found(struct gt_scratch *scratch, const struct gt_rule *rule, const char *text,
                       struct gt_error *err)
{
    int rc = gt_scan(scratch, text, strlen(text), err), count = 0;
    for (size_t i = 0; rc >= 0 && i < scratch->candidate_count; i++)
        count += scratch->candidates[i].rule == rule;
    return rc < 0 ? rc : count;
}

/* The number (from 1) of the first example that is not found; 0: all are. */
static int first_missed(struct gt_scratch *scratch, const struct gt_rule *rule,
                        struct gt_error *err)
{
    for (size_t i = 0; i < rule->examples.count; i++) {
        int found = count_found(scratch, rule, GT_RULE_STRING(rule->examples, i), err);
        if (found <= 0)
            return found < 0 ? found : (int)i + 1;
    }
    return 0;
}

static int prove_probe(struct gt_ruleset *ruleset, struct gt_scratch *scratch,
                       struct gt_probe *probe, struct gt_error *err)
{
    int missed = first_missed(scratch, probe->rule, err);
    if (missed <= 0)
        return missed;
    if (probe->rule->pair.rule || probe->rule->assigned.count > 0) { /* nothing else leads there */
        gt_ruleset_warn(ruleset, "%s: its example %d is not found; see `guette rules test`",
                        probe->rule->id, missed);
        return 0;
    }
    bool was_alone = probe->alone;
    probe->alone = ruleset->has_alone = true;
    int still = first_missed(scratch, probe->rule, err);
    if (still < 0)
        return still;
    probe->alone = was_alone || still == 0;
    if (still > 0)
        gt_ruleset_warn(ruleset, "%s: its example %d is not found; see `guette rules test`",
                        probe->rule->id, still);
    else
        gt_ruleset_warn(ruleset,
                        "%s: Vectorscan %s or its keywords miss its example %d, so that PCRE2 "
                        "alone reads every document for it, which is slow",
                        probe->rule->id, hs_version(), missed);
    return 0;
}

int gt_ruleset_fall_back(struct gt_ruleset *ruleset, struct gt_error *err)
{
    struct gt_scratch *scratch = NULL;
    int rc = gt_scratch_new(ruleset, &scratch, err);
    for (size_t i = 0; i < ruleset->probe_count && rc >= 0; i++)
        if (ruleset->probes[i].rule)
            rc = prove_probe(ruleset, scratch, &ruleset->probes[i], err);
    gt_scratch_free(scratch);
    return rc;
}

/* ---- guette rules test ---- */

struct proof {
    struct gt_scratch *scratch;
    const struct gt_rule *rule;
    void (*report)(void *user, const char *rule, const char *failure);
    void *user;
    int failures;
};

static void fail(struct proof *proof, const char *kind, size_t index, const char *what)
{
    char line[512];
    snprintf(line, sizeof line, "%s %zu %s", kind, index + 1, what);
    proof->failures++;
    if (proof->report)
        proof->report(proof->user, proof->rule->id, line);
}

/* The rule that found something instead of ours, or none. */
static const struct gt_rule *other_winner(const struct proof *proof)
{
    for (size_t i = 0; i < proof->scratch->candidate_count; i++)
        if (!proof->scratch->candidates[i].dropped)
            return proof->scratch->candidates[i].rule;
    return NULL;
}

static size_t count_kept(const struct proof *proof, bool dropped)
{
    size_t count = 0;
    for (size_t i = 0; i < proof->scratch->candidate_count; i++)
        count += proof->scratch->candidates[i].rule == proof->rule &&
                 (dropped || !proof->scratch->candidates[i].dropped);
    return count;
}

static int prove_example(struct proof *proof, size_t index, struct gt_error *err)
{
    const char *text = GT_RULE_STRING(proof->rule->examples, index);
    int rc = gt_scan(proof->scratch, text, strlen(text), err);
    if (rc >= 0)
        rc = gt_resolve(proof->scratch, err);
    if (rc < 0)
        return rc;
    size_t kept = count_kept(proof, proof->rule->only_paired); /* is never told by itself */
    char what[256];
    if (kept == 1)
        return 0;
    if (kept > 1)
        snprintf(what, sizeof what, "gives %zu findings of this rule instead of one", kept);
    else if (count_kept(proof, true) > 0)
        snprintf(what, sizeof what, "is found by this rule, but %s knows better",
                 other_winner(proof)->id);
    else
        snprintf(what, sizeof what, "is not found");
    fail(proof, "example", index, what);
    return 0;
}

static int prove_negative(struct proof *proof, size_t index, struct gt_error *err)
{
    const char *text = GT_RULE_STRING(proof->rule->negative_examples, index);
    int rc = gt_scan(proof->scratch, text, strlen(text), err);
    if (rc >= 0)
        rc = gt_resolve(proof->scratch, err);
    if (rc < 0)
        return rc;
    if (count_kept(proof, proof->rule->only_paired) > 0)
        fail(proof, "negative example", index, "is found, but should not be");
    return 0;
}

static int prove_rule(struct proof *proof, struct gt_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < proof->rule->examples.count && rc >= 0; i++)
        rc = prove_example(proof, i, err);
    for (size_t i = 0; i < proof->rule->negative_examples.count && rc >= 0; i++)
        rc = prove_negative(proof, i, err);
    return rc;
}

int gt_ruleset_prove(const struct gt_ruleset *ruleset,
                     void (*report)(void *user, const char *rule, const char *failure), void *user,
                     struct gt_error *err)
{
    struct proof proof = {.report = report, .user = user};
    int rc = gt_scratch_new(ruleset, &proof.scratch, err);
    for (size_t i = 0; i < ruleset->rules.count && rc >= 0; i++) {
        proof.rule = &ruleset->rules.items[i];
        rc = prove_rule(&proof, err);
    }
    gt_scratch_free(proof.scratch);
    return rc < 0 ? rc : proof.failures;
}
