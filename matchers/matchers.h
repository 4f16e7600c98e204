/* matchers: rules and brands in, findings out. A pure function of (ruleset, document): no network,
 * no clock, no queue. Immutable after open; all mutable state is in the scratch, one per thread.
 *
 * What leaves it is redacted: the plain secret is seen only inside, and by a sink's `secret`
 * callback argument, which only `guette scan --show-secrets` and tests look at. */
#ifndef GT_MATCHERS_H
#define GT_MATCHERS_H

#include "core/core.h"
#include "model/model.h"

#include <sys/types.h>

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
    /* What is encoded or packed in a document is judged, too, and what is in that, so many steps
     * deep; 0: GT_DECODE_DEPTH, negative: not at all. */
    int decode_depth;
    uint64_t
        decode_bytes; /* may be unpacked of one document, and 64 times what it has; 0: 512 MiB */
};
#define GT_DECODE_DEPTH 5
#define GT_DECODE_DEPTH_MAX 16

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

/* A document that is read is judged in windows of this size, so that its length does not matter. A
 * window begins with the last bytes of the one before: LEAD as context (`\b`, look-behind) and
 * TAIL, in which no match was taken, since it may go on. */
#define GT_SCAN_WINDOW ((size_t)16 * 1024 * 1024)
#define GT_SCAN_TAIL ((size_t)64 * 1024)
#define GT_SCAN_LEAD ((size_t)4 * 1024)

/* The finding lives until the callback returns. Negative: stop and give this code to the caller of
 * match. */
typedef int gt_finding_sink(void *user, const struct gt_finding *finding, struct gt_str secret);

struct gt_match_summary {
    size_t findings;
    bool cut;               /* the document was longer than document_bytes */
    bool gave_up;           /* time or count was up: some findings may be missing */
    const char *cut_rule;   /* a rule whose pattern was stopped in this document (it backtracks too
                               much); NULL: none. What it would have found may be missing. Lives as
                               long as the ruleset */
    const char *cut_inside; /* why not all that is inside was looked at ("it unpacks to too much");
                               NULL: all was. Lives for ever */
    size_t encrypted;       /* entries of archives that are */
};

/* now_ms becomes detected_ms. Findings come in order of place, text by text: what an archive
 * holds before the document as it stands, what is encoded in a text behind it. Each secret comes
 * once (decoded_via says where it was found first). */
int gt_match(const struct gt_ruleset *ruleset, struct gt_scratch *scratch,
             const struct gt_document *document, int64_t now_ms, gt_finding_sink *sink, void *user,
             struct gt_match_summary *ret_summary, struct gt_error *err);

/* Where the bytes of a long document come from. read: 0 at the end, negative: a code. seek as
 * lseek; NULL: cannot, then an archive longer than a window is unpacked but not judged as it
 * stands. */
struct gt_reader {
    ssize_t (*read)(void *user, void *to, size_t len);
    int64_t (*seek)(void *user, int64_t offset, int whence);
    void *user;
};

/* The same for a document of any length, whose body is not used. Memory stays flat; so the limits
 * (time, findings) are a window's, and each secret may be told again after some ten thousand
 * others. */
int gt_match_stream(const struct gt_ruleset *ruleset, struct gt_scratch *scratch,
                    const struct gt_document *document, const struct gt_reader *reader,
                    int64_t now_ms, gt_finding_sink *sink, void *user,
                    struct gt_match_summary *ret_summary, struct gt_error *err);

/* While a sink is called: the part of the document that is in memory as it stands. A secret of no
 * decoded_via that does not stand beside the document (in its title, say) points into it. */
struct gt_str gt_match_window(const struct gt_scratch *scratch);

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
