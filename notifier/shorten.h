/* Inside notifier/: keeping a JSON body under a size. */
#ifndef GT_NOTIFIER_SHORTEN_H
#define GT_NOTIFIER_SHORTEN_H

#include "core/core.h"

/* Appends `body` as compact JSON of at most `most` bytes. When it is longer, the longest texts of
 * data.finding are cut (they end with an ellipsis) and data.shortened lists which; ids are never
 * cut. */
int gt_json_shortened(json_t *body, size_t most, struct gt_buffer *out, struct gt_error *err);

#endif
