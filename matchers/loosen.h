/* A pattern made easier for Vectorscan, which only has to lead near its matches. */
#ifndef GT_MATCHERS_LOOSEN_H
#define GT_MATCHERS_LOOSEN_H

#include "core/core.h"

/* Wherever the pattern matches, the looser one does, from the same start. It lacks every
 * look-around and the `\b` at both ends; atomic groups, possessive repeats and branch reset become
 * plain ones; and, with `shorter`, the optional part of a repeat at the end goes:
 * `[0-9]{20,40}(?!\d)` becomes
 * `[0-9]{20}`. Such bounded repeats at the end cost Vectorscan up to ten times the speed.
 * Patterns with constructs that this does not know come back as they are. NULL: out of memory. */
const char *gt_pattern_loosen(struct gt_arena *arena, const char *pattern, bool shorter);

/* `\n`, `\t`, `%0A` and such before a match end in a letter or digit that belongs to the text
 * around, so that a `\b` or negative look-behind fails there. In the pattern that comes back, each
 * such condition at its start (of any alternative) holds behind an escape, too. Patterns with
 * constructs that this does not know come back as they are. NULL: out of memory. */
const char *gt_pattern_after_escapes(struct gt_arena *arena, const char *pattern);

/* A pattern that begins with (?x) without that, and without its blanks and comments, which are none
 * in a class or behind a backslash. Other patterns come back as they are. NULL: out of memory. */
const char *gt_pattern_compact(struct gt_arena *arena, const char *pattern);

/* How far behind the start of a match one of the keywords stands at most: the greatest width before
 * any place where the pattern spells one, which no other trigger goes before. Counts places made of
 * letters, optional parts, alternatives and small classes, in any case. SIZE_MAX: a trigger is
 * spelled nowhere, or the width has no bound. Takes milliseconds. */
size_t gt_pattern_before(struct gt_arena *arena, const char *pattern,
                         const struct gt_list *keywords);

#endif
