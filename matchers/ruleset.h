/* What a ruleset is inside: rules and brands, the probes that confirm, the databases that find. */
#ifndef GT_MATCHERS_RULESET_H
#define GT_MATCHERS_RULESET_H

#include "matchers/brand.h"
#include "matchers/matchers.h"
#include "matchers/needles.h"
#include "matchers/regex.h"
#include "matchers/rule.h"

#define GT_FINDINGS_DEFAULT 1000
#define GT_FINDINGS_MAX 100000
#define GT_DECODE_BYTES_DEFAULT (UINT64_C(512) * 1024 * 1024)
#define GT_DOCUMENT_MS_DEFAULT INT64_C(10000)

/* A trigger may stand so far behind the start of its match when the pattern's own length does not
 * tell. */
#define GT_BEFORE_MAX 512

/* Patterns of GT_SET_RUNS match at most so many bytes. */
#define GT_AROUND_RUN ((size_t)512)

/* A regex that confirms, with what it confirms: a rule, or a brand's pattern. The first rules.count
 * probes are the rules', in their order; then come the patterns'. */
struct gt_probe {
    struct gt_regex *regex;
    const char *pattern;
    const struct gt_rule *rule; /* NULL: a brand's pattern */
    uint32_t term;              /* of a brand's pattern */
    size_t before;              /* how far before its trigger a match may start */
    bool alone; /* Vectorscan does not find it: PCRE2 goes over the whole document */
};

struct gt_ruleset {
    struct gt_arena *arena;
    struct gt_rules rules;
    struct gt_brands brands;
    struct gt_probe *probes;
    size_t probe_count;
    struct gt_needles sets[GT_SETS];
    bool has_alone;

    enum gt_lang lang;
    struct gt_key key;
    size_t document_bytes, findings;
    int64_t document_ms;
    bool without_brand;
    unsigned decode_depth; /* 0: nothing is decoded */
    uint64_t decode_bytes;

    const char **warnings;
    size_t warning_count;
};

void gt_ruleset_warn(struct gt_ruleset *ruleset, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Where the compiled form of these texts and brands is kept; NULL: nowhere, with a warning when
 * `directory` names a place. */
const char *gt_build_find_cache(struct gt_ruleset *ruleset, const char *directory);
/* Fills rules and databases from the cache; GT_E_NOTFOUND: it has none. Once probes and needles are
 * made, apply() gives them what was learnt; GT_E_NOTFOUND: the cache was made of other needles. */
int gt_build_read(struct gt_ruleset *ruleset, const char *path, struct gt_cached *ret_cached);
int gt_build_apply(struct gt_ruleset *ruleset, const struct gt_cached *cached);
/* Learns, compiles, proves; writes the cache (path may be NULL). */
int gt_build(struct gt_ruleset *ruleset, const char *path, struct gt_error *err);

/* How often each rule's examples are confirmed through the production path; a rule with one that is
 * not gets `alone`. For the time of building only. */
int gt_ruleset_fall_back(struct gt_ruleset *ruleset, struct gt_error *err);

#endif
