/* How bad a finding is, and why, in words. */
#ifndef GT_MATCHERS_SCORING_H
#define GT_MATCHERS_SCORING_H

#include "matchers/scan.h"

/* How near to the credential the brand is named. */
enum gt_nearness {
    GT_NEAR_NOT,      /* no brand is named */
    GT_NEAR_TITLE,    /* in the title, or as its author */
    GT_NEAR_DOCUMENT, /* somewhere in the text */
    GT_NEAR_LINES,    /* within GT_NEAR_BYTES */
    GT_NEAR_LINE,     /* on the same line */
};
#define GT_NEAR_BYTES 512

struct gt_evidence {
    const struct gt_candidate *candidate; /* NULL: a brand trace alone */
    struct gt_str secret;                 /* the candidate's */
    int64_t now_ms;                       /* 0: not known */
    const struct gt_term *term;           /* what names the brand nearest; NULL: nothing */
    const char *brand;                    /* NULL: none */
    enum gt_nearness nearness;
    bool owned; /* the document's source is the brand's own */
};

struct gt_score {
    int score;
    enum gt_severity severity;
    struct gt_list reasons; /* const char *, arena memory */
};
int gt_score(const struct gt_evidence *evidence, enum gt_lang lang, struct gt_arena *arena,
             struct gt_score *ret_score);

#endif
