/* What a pattern tells of all its matches, from its text alone: how long they are, and whether each
 * holds a run (matchers/runs.h). Cheap: it is asked whenever rules are loaded. */
#ifndef GT_MATCHERS_SHAPE_H
#define GT_MATCHERS_SHAPE_H

#include "core/core.h"

#include <limits.h>

struct gt_shape {
    size_t least, most; /* bytes; most: SIZE_MAX when it has no bound */
    double missed;      /* the part of all matches that hold no run which gt_run_next() finds */
    bool alphabet[UCHAR_MAX + 1]; /* bytes of which matches are made; perhaps more */
};

/* A pattern with constructs that are not known here may be anything: least 1, most SIZE_MAX, missed
 * 1, every byte. */
void gt_pattern_shape(const char *pattern, struct gt_shape *ret);

/* So few matches hold no run that they need be looked for only around runs. */
bool gt_shape_in_runs(const struct gt_shape *shape);

#endif
