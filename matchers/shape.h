/* What a pattern tells of all its matches, from its text alone: how long they are, and whether each
 * holds a run (matchers/runs.h). Cheap: it is asked whenever rules are loaded. */
#ifndef GT_MATCHERS_SHAPE_H
#define GT_MATCHERS_SHAPE_H

#include "core/core.h"

#include <limits.h>

struct gt_shape {
    size_t least, most; /* bytes; most: SIZE_MAX when it has no bound */
    size_t run; /* so many bytes of a run, with digits possible in it, stand in every match */
    bool alphabet[UCHAR_MAX + 1]; /* bytes of which matches are made; perhaps more */
};

/* A pattern with constructs that are not known here may be anything: least 1, most SIZE_MAX, run 0,
 * every byte. */
void gt_pattern_shape(const char *pattern, struct gt_shape *ret);

#endif
