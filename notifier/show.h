/* Hostile text made fit to be shown to a person. */
#ifndef GT_NOTIFIER_SHOW_H
#define GT_NOTIFIER_SHOW_H

#include "core/core.h"

/* One line of clean UTF-8: controls, ill-formed sequences and marks that reorder text are gone,
 * runs of white space are one blank, at most `most` columns (cut with an ellipsis). NULL is empty.
 * The buffer's overflow tells. */
void gt_show_line(struct gt_buffer *out, const char *text, size_t most);
/* The same, with every URL in it defanged, so that no client makes a link of it:
 * "hxxps://paste[.]example/x" (the convention of incident reports; only the scheme and the host
 * change). */
void gt_show_defanged(struct gt_buffer *out, const char *text, size_t most);
/* Columns on a terminal: 0 for combining marks, 2 for East Asian wide characters and emoji. */
size_t gt_show_width(const char *text);
/* Words of a clean line, wrapped: the cursor is at `column`; further lines begin with `indent`
 * blanks; no line passes `width` columns (a longer word is broken). */
void gt_show_wrapped(struct gt_buffer *out, const char *line, size_t column, size_t indent,
                     size_t width);
/* A line of a table: each cell cleaned, cut and padded to its width, "-" for an empty one; two
 * blanks between. */
void gt_show_row(struct gt_buffer *out, const char *const *cells, const size_t *widths,
                 size_t count);
/* "2026-11-23 17:41 UTC"; "-" when not known. */
#define GT_SHOW_TIME 40
const char *gt_show_time(int64_t ms, char buf[GT_SHOW_TIME]);

#endif
