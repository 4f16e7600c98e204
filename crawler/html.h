/* HTML to readable text: tags go, block elements break lines, entities become characters.
 *
 * What a reader of the page does not see but a leak may sit in is kept: link targets (" <href>"
 * after the link's text unless the text says the same), src, alt and title, and scripts. Styles and
 * comments go. Works on fragments and broken markup in linear time; never fails but on the buffer's
 * limit. */
#ifndef GT_CRAWLER_HTML_H
#define GT_CRAWLER_HTML_H

#include "core/core.h"

int gt_html_to_text(const char *html, size_t len, struct gt_buffer *out);
/* The character an HTML 4 entity name stands for, 0: none. name is not NUL-terminated. */
unsigned gt_html_entity(const char *name, size_t len);
void gt_utf8_put(struct gt_buffer *out, unsigned code_point);

#endif
