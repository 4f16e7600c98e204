/* Inside notifier/: what guette says to analysts, in every language it knows. */
#ifndef GT_NOTIFIER_PHRASES_H
#define GT_NOTIFIER_PHRASES_H

#include "model/model.h"

enum gt_phrase {
    GT_SAY_PREVIEW,
    GT_SAY_WHERE,
    GT_SAY_INSIDE,
    GT_SAY_LINE,
    GT_SAY_LINK,
    GT_SAY_SOURCE,
    GT_SAY_BY,
    GT_SAY_PUBLISHED,
    GT_SAY_FOUND,
    GT_SAY_SEEN,
    GT_SAY_ONCE,
    GT_SAY_TIMES, /* after a number */
    GT_SAY_SINCE, /* before a time */
    GT_SAY_CONFIDENCE,
    GT_SAY_SCORE,
    GT_SAY_WHY,
    GT_SAY_CONTEXT,
    GT_SAY_NOW,
    GT_SAY_NO_REMEDIATION,
    GT_SAY_FINDING,
    GT_SAY_RULE,
    GT_SAY_REDACTED,
    GT_SAY_DEFANGED,
    GT_SAY_TEST,
    GT_SAY_FOOTER,
    GT_PHRASES,
};
const char *gt_say(enum gt_lang lang, enum gt_phrase phrase);
const char *gt_say_severity(enum gt_lang lang, enum gt_severity severity); /* "CRITICAL" */
const char *gt_say_confidence(enum gt_lang lang, enum gt_confidence confidence);

/* What a severity looks like. */
struct gt_shade {
    const char *badge, *title; /* ANSI escape sequences */
    const char *light, *dark;  /* CSS colours on white and on black */
};
const struct gt_shade *gt_shade_of(enum gt_severity severity);

#endif
