/* Inside of the site engine: the table of definitions and what is checked beyond it. */
#ifndef GT_CRAWLER_SITE_DEFINITION_H
#define GT_CRAWLER_SITE_DEFINITION_H

#include "crawler/site.h"

extern const struct gt_option gt_site_table[];

/* Selectors, templates, headers and patterns: everything that a table cannot say. */
void gt_site_inspect(const struct gt_site *site, const char *file, const struct gt_node *root,
                     struct gt_mistakes *mistakes);

#endif
