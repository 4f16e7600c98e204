/* How bad and how sure. */
#ifndef GT_MODEL_SEVERITY_H
#define GT_MODEL_SEVERITY_H

#include "core/core.h"

/* A score from 0 to 100; the level is its name: info < 20 <= low < 40 <= medium < 65 <= high < 85
 * <= critical. */
enum gt_severity { GT_INFORMATIONAL, GT_LOW, GT_MEDIUM, GT_HIGH, GT_CRITICAL };
extern const char *const gt_severity_names[]; /* info low medium high critical, NULL-ended */
const char *gt_severity_name(enum gt_severity severity);
int gt_severity_parse(const char *text); /* -1: none */
enum gt_severity gt_severity_of_score(int score);
int gt_severity_score(enum gt_severity severity); /* the middle of the level */

enum gt_confidence { GT_POSSIBLE, GT_LIKELY, GT_CERTAIN };
extern const char *const gt_confidence_names[];
const char *gt_confidence_name(enum gt_confidence confidence);

/* Language of messages to analysts. */
enum gt_lang { GT_ENGLISH, GT_FRENCH };
extern const char *const gt_lang_names[]; /* en fr */

#endif
