/* matchers: rules and brands in, findings out. A pure function of (ruleset, document): no network,
 * no clock, no queue. Immutable after open; all mutable state is in the scratch, one per thread.
 *
 * What leaves it is redacted: the plain secret is seen only inside, and by a sink's `secret`
 * callback argument, which only `guette scan --show-secrets` and tests look at. */
#ifndef GT_MATCHERS_H
#define GT_MATCHERS_H

#include "core/core.h"
#include "model/model.h"

struct gt_ruleset;
struct gt_scratch;

struct gt_ruleset_settings {
    const char *const
        *directories; /* of rule files beside the built-in ones, NULL-ended; may be NULL */
    bool without_builtin;
    const struct gt_brand *brands;
    size_t brand_count;
    enum gt_lang lang;
    const char *cache;     /* directory of compiled databases; NULL: compile anew */
    struct gt_key key;     /* of fingerprints */
    size_t document_bytes; /* longer documents are cut there; 0: GT_DOCUMENT_BODY_MAX */
    int64_t document_ms;   /* give up after so long (checked between candidates); 0: 10 s */
    size_t findings;       /* per document; 0: 1000 */
    /* false (the watcher): a credential counts only in a document that names a brand or is owned;
     * true (guette scan): every credential is a finding, of no brand when none is named. */
    bool without_brand;
};

/* Loads every rule, compiles (or reads from the cache) and proves each rule's examples through the
 * whole engine when the database is built. Mistakes of rule files (file:line:column ...) come in
 * *ret_mistakes (may be NULL), which starts as {0}, or with the caller's own arena; either way its
 * arena is the caller's to free, also on failure. */
int gt_ruleset_open(const struct gt_ruleset_settings *settings, struct gt_ruleset **ret_ruleset,
                    struct gt_mistakes *ret_mistakes, struct gt_error *err);
void gt_ruleset_close(struct gt_ruleset *ruleset);
/* What an operator should know though all works: rules that Vectorscan misses (found by PCRE2
 * alone, slowly), examples that are not found, a cache that cannot be written. They live as long as
 * the ruleset. */
size_t gt_ruleset_warnings(const struct gt_ruleset *ruleset, const char *const **ret_warnings);
size_t gt_ruleset_count(const struct gt_ruleset *ruleset);

int gt_scratch_new(const struct gt_ruleset *ruleset, struct gt_scratch **ret_scratch,
                   struct gt_error *err);
void gt_scratch_free(struct gt_scratch *scratch);

/* The finding lives until the callback returns. Negative: stop and give this code to the caller of
 * match. */
typedef int gt_finding_sink(void *user, const struct gt_finding *finding, struct gt_str secret);

struct gt_match_summary {
    size_t findings;
    bool cut;             /* the document was longer than document_bytes */
    bool gave_up;         /* time or count was up: some findings may be missing */
    const char *cut_rule; /* a rule whose pattern was stopped in this document (it backtracks too
                             much); NULL: none. What it would have found may be missing. Lives as
                             long as the ruleset */
};

/* now_ms becomes detected_ms. Findings come in order of place, each secret and rule once per
 * document (first place). */
int gt_match(const struct gt_ruleset *ruleset, struct gt_scratch *scratch,
             const struct gt_document *document, int64_t now_ms, gt_finding_sink *sink, void *user,
             struct gt_match_summary *ret_summary, struct gt_error *err);

/* Whether a pattern compiles; says why not and where. For checking a configuration's rows. */
int gt_regex_check(const char *regex, struct gt_error *err);

/* One rule as an operator sees it. Lists are of const char *; all live as long as the ruleset. */
struct gt_rule_info {
    const char *id, *title, *provider, *category, *severity, *confidence, *file, *pattern,
        *remediation, *reference; /* reference: NULL when the rule has none */
    const char *near, *pair;      /* NULL: no such condition */
    uint64_t near_within, pair_within;
    bool only_paired;
    double entropy; /* 0: none */
    const struct gt_list *keywords, *after, *reject, *checks, *required_checks, *references,
        *examples, *negative_examples;
};
int gt_ruleset_info(const struct gt_ruleset *ruleset, size_t index, struct gt_rule_info *ret);

/* What a rule cost the documents of one scratch: how often something led to it, how many candidates
 * it gave, and for how long its pattern was tried. */
struct gt_rule_cost {
    uint64_t hits, candidates, nanoseconds;
};
/* Counts from now on. Without this call nothing is counted, and the engine is as fast as ever. */
int gt_scratch_profile(struct gt_scratch *scratch, struct gt_error *err);
/* Of the rule with this index of gt_ruleset_info. */
struct gt_rule_cost gt_scratch_cost(const struct gt_scratch *scratch, size_t index);

/* Proves all examples and negative examples; report gets one line a failure. Returns their number
 * or a code. */
int gt_ruleset_prove(const struct gt_ruleset *ruleset,
                     void (*report)(void *user, const char *rule, const char *failure), void *user,
                     struct gt_error *err);

#endif
