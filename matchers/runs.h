/* Runs: stretches of a text that may be a key without a form of its own. Prose and code have few of
 * them, so that what is looked for only near one costs little. */
#ifndef GT_MATCHERS_RUNS_H
#define GT_MATCHERS_RUNS_H

#include "matchers/regex.h"

#define GT_RUN_MIN ((size_t)16)

/* Letters, digits and what base64, URLs and UUIDs have beside them. */
bool gt_run_byte(char c);

/* The next run at or behind `from`: GT_RUN_MIN such bytes or more with a digit among them, or with
 * capitals and small letters in turn as chance has them, that do not read like words. Of random
 * values of 16 letters and digits some 5 in 1,000 are missed, of longer ones fewer. */
bool gt_run_next(const char *text, size_t len, size_t from, struct gt_span *ret);

#endif
