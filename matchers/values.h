/* Would a person call this value a real password or token? Entropy alone does not tell: what
 * drowns a reader are placeholders, names, words, paths, templates and code. */
#ifndef GT_MATCHERS_VALUES_H
#define GT_MATCHERS_VALUES_H

#include "matchers/checks.h"

/* Checks for rules (matchers/checks.h). no: it is something else; yes: nothing else looks so;
 * unknown: it may be one. */
enum gt_verdict gt_check_password(const char *value, size_t len);
enum gt_verdict gt_check_random_token(const char *value, size_t len);

enum gt_verdict gt_check_not_placeholder(const char *value, size_t len);

/* Mean over the letter pairs of how much more often words have them than chance has: above 0 for
 * words of European languages and for names made of them, about -2 for random letters; 0 for fewer
 * than two letters in a row. */
extern const signed char gt_letter_pairs[26][26]; /* what it adds up */
#define GT_WORDY -0.3                             /* what reads like words is above it */
double gt_wordiness(const char *text, size_t len);

#endif
