/* A pattern made easier for Vectorscan, which only has to lead near its matches. */
#ifndef GT_MATCHERS_LOOSEN_H
#define GT_MATCHERS_LOOSEN_H

#include "core/core.h"

/* Wherever the pattern matches, the looser one does, from the same start. It lacks every look-around
 * and the `\b` at both ends; atomic groups, possessive repeats and branch reset become plain ones;
 * and, with `shorter`, the optional part of a repeat at the end goes: `[0-9]{20,40}(?!\d)` becomes
 * `[0-9]{20}`. Such bounded repeats at the end cost Vectorscan up to ten times the speed.
 * Patterns with constructs that this does not know come back as they are. NULL: out of memory. */
const char *gt_pattern_loosen(struct gt_arena *arena, const char *pattern, bool shorter);

#endif
