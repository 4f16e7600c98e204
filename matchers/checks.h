/* Offline checks: what a candidate's own bytes tell of it. Nothing is sent anywhere.
 *
 * A check is pure, keeps nothing and is safe on any bytes. It answers only what it knows: `unknown`
 * when the candidate is not of a form that carries this check, or when a sound form proves no more
 * than the pattern did. Many published example tokens were altered and fail their checksum, so a
 * `no` lowers confidence; it discards a candidate only where the rule says so (required_checks). */
#ifndef GT_MATCHERS_CHECKS_H
#define GT_MATCHERS_CHECKS_H

#include "model/model.h"

#include <stddef.h>
#include <stdint.h>

enum gt_verdict {
    GT_VERDICT_NO = -1,
    GT_VERDICT_UNKNOWN = 0,
    GT_VERDICT_YES = 1,
};

/* What can be read in a secret without giving it away: whose, of what kind, until when. */
#define GT_DETAIL_MAX 320
struct gt_detail {
    char words[GT_DETAIL_MAX]; /* UTF-8 without control characters; empty: nothing to tell */
    int64_t expires_ms;        /* worth nothing from then on; 0: not said */
};

struct gt_check {
    const char *name; /* as rule files write it */
    const char *help; /* one line for rule authors: what it verifies */
    enum gt_verdict (*check)(const char *secret, size_t len);
    /* NULL: it never tells anything. ret_detail comes zeroed. */
    void (*describe)(const char *secret, size_t len, enum gt_lang lang,
                     struct gt_detail *ret_detail);
};

/* All checks, sorted by name; ends with a NULL name. */
extern const struct gt_check gt_checks[];

/* NULL when there is none of this name. */
const struct gt_check *gt_check_find(const char *name);

/* Shannon entropy of the byte frequencies, bits per byte: 0 (empty, or one byte repeated) to 8. */
double gt_entropy(const char *bytes, size_t len);

#endif
