/* Templates and values of site definitions (site.h). */
#ifndef GT_CRAWLER_SITE_TEMPLATE_H
#define GT_CRAWLER_SITE_TEMPLATE_H

#include "crawler/site.h"

struct gt_scope {
    const struct gt_site *site;
    const struct gt_site_options *options;
    const char *base, *cursor, *cursor_iso, *page; /* NULL: empty */
    const char *id, *revision;
    const struct gt_record *record; /* NULL: none */
};

enum gt_template_mode { GT_TEMPLATE_PLAIN, GT_TEMPLATE_URL };

/* Appends the text. Returns 1, or 0 when a reference in it was empty (or the result does not fit):
 * then it says nothing useful and *out is as before. */
int gt_template(const struct gt_scope *scope, const char *text, enum gt_template_mode mode,
                struct gt_buffer *out);
/* A selector, or a template when it has braces. 1 or 0 as above. */
int gt_value(const struct gt_scope *scope, const char *text, struct gt_buffer *out);
/* The first of a list of values that is not empty. */
int gt_first_value(const struct gt_scope *scope, const struct gt_list *values,
                   struct gt_buffer *out);
/* URL with its query ("name=template" rows; those with an empty reference are left out). */
int gt_template_url(const struct gt_scope *scope, const char *url, const struct gt_list *query,
                    struct gt_buffer *out);
/* The value of a param: as configured, else its default; NULL: there is no such param. */
const char *gt_site_param_value(const struct gt_site *site, const struct gt_site_options *options,
                                const char *name, size_t len);

/* Calls each with every reference of the template ("name", "+name" without the plus). GT_E_INVALID:
 * a brace is not closed. */
int gt_template_references(const char *text, int (*each)(void *user, const char *name, size_t len),
                           void *user, struct gt_error *err);
bool gt_template_has(const char *text, const char *name);

#endif
