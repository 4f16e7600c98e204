/* One document's way through the engine: hits, candidates, mentions. All mutable state of a thread.
 */
#ifndef GT_MATCHERS_SCAN_H
#define GT_MATCHERS_SCAN_H

#include "matchers/ruleset.h"

#define GT_MENTIONS_MAX                                                                            \
    4096 /* kept per brand and document; later ones change nothing but the distance */

/* A confirmed match of a rule that passed its conditions. */
struct gt_candidate {
    const struct gt_rule *rule;
    struct gt_span match, secret;
    int confidence;          /* after the checks */
    enum gt_after_how after; /* of a rule with `after`, with the bytes between word and secret */
    size_t distance;
    uint32_t passed, failed; /* bits: index in the rule's checks */
    size_t slot;             /* in the set of seen secrets */
    bool dropped;            /* a better rule has the same secret */
};

/* A match of a rule that leads to others beside it, or several close together. */
struct gt_lead {
    const struct gt_rule *rule;
    struct gt_span span;
};
#define GT_LEADS_MAX 65536 /* kept per document */

struct gt_mention {
    uint32_t term;
    size_t start, end; /* start GT_IN_TITLE: not in the body */
};
#define GT_IN_TITLE SIZE_MAX

struct gt_mentions {
    struct gt_mention *items; /* in order of place once the scan is over */
    size_t count, capacity;
};

/* Of one probe in one document. */
struct gt_probe_state {
    size_t next; /* starts before it were tried */
    int64_t spent_ms;
    uint32_t strikes; /* searches that hit a limit */
    bool stopped, touched;
};

struct gt_piece;

/* Candidates filed under their last bytes (repeats.c). */
struct gt_repeats {
    uint32_t *heads, *next; /* index + 1; 0 ends */
    size_t size, longest;   /* longest: of all secrets, bytes */
};

struct gt_case;

struct gt_scratch {
    const struct gt_ruleset *ruleset;
    hs_scratch_t *hs;
    struct gt_runner *runner;
    struct gt_arena *arena; /* of one document */
    struct gt_probe_state *states;
    uint32_t *touched; /* probes whose state is not as it was at first: few in most documents */
    size_t touched_count;
    struct gt_candidate *candidates;
    size_t candidate_count, candidate_max, candidate_capacity;
    uint32_t *seen; /* hash set of candidates: index + 1, 0 is free */
    size_t seen_size;
    struct gt_lead *leads;
    size_t lead_count, lead_capacity;
    struct gt_mentions *mentions; /* one a brand */
    struct gt_piece *piece;       /* NULL when no keyword needs it */

    struct gt_rule_cost *costs; /* of each probe; NULL: nobody wants to know */
    struct gt_repeats repeats;  /* once resolved */
    struct gt_case *judging;    /* matchers/case.h */

    const char *body;
    size_t len;
    size_t window;    /* where the part begins that is looked at for words */
    size_t horizon;   /* everything before it was judged */
    int64_t began_ms; /* of the document whose time this text's is; 0: it has its own */
    int64_t started_ms, clock_ms;
    bool gave_up, out_of_memory;
    const char *cut_rule; /* the last one stopped */
};

/* Fills candidates and mentions of these bytes. */
int gt_scan(struct gt_scratch *scratch, const char *bytes, size_t len, struct gt_error *err);

/* Adds what the title (or author; may be NULL) names, at the place GT_IN_TITLE. */
int gt_scan_title(struct gt_scratch *scratch, const char *title);

/* Searches matches that start in [from, limit]. 0, or 1: time or room is up. */
int gt_confirm(struct gt_scratch *scratch, uint32_t probe, size_t from, size_t limit);
int gt_mention_add(struct gt_scratch *scratch, uint32_t term, size_t start, size_t end);
/* Looks for keywords with other letters than ASCII's. */
struct gt_piece *gt_piece_new(struct gt_scratch *scratch); /* freed by free() */
int gt_scan_folded(struct gt_scratch *scratch);

/* Looks beside the leads for the rules that need them. */
int gt_scan_pairs(struct gt_scratch *scratch);

/* Which of two rules tells more about the same bytes: one of a provider before a generic one, the
 * surer, the longer, the one whose name stands nearer. */
bool gt_is_better(const struct gt_candidate *a, const struct gt_candidate *b);
/* Sorts by place; marks what a better rule found, too. */
int gt_resolve(struct gt_scratch *scratch, struct gt_error *err);

/* Calls `found` for every place in these bytes, or across their ends, where a candidate's text
 * stands. */
typedef void gt_repeat_found(void *user, const struct gt_candidate *candidate, struct gt_span span);
int gt_repeats_build(struct gt_scratch *scratch);
void gt_repeats_find(const struct gt_scratch *scratch, struct gt_span line, gt_repeat_found *found,
                     void *user);

#endif
