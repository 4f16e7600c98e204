/* The brands watched for: what names them (terms), and where a document does (mentions). */
#ifndef GT_MATCHERS_BRAND_H
#define GT_MATCHERS_BRAND_H

#include "core/core.h"
#include "matchers/needles.h"
#include "matchers/regex.h"
#include "model/model.h"

enum gt_term_kind { GT_TERM_DOMAIN, GT_TERM_KEYWORD, GT_TERM_PATTERN };

/* One domain, keyword or pattern of a brand. */
struct gt_term {
    enum gt_term_kind kind;
    size_t brand;           /* index */
    const char *text;       /* as configured; a pattern's name */
    int severity;           /* of a trace alone */
    struct gt_regex *regex; /* of a pattern */
    const char *pattern;
};

struct gt_brands {
    const char **names;
    size_t count;
    struct gt_term *terms;
    size_t term_count;
};

/* Copies what it needs into the arena; compiles the patterns. */
int gt_brands_open(const struct gt_brand *brands, size_t count, struct gt_arena *arena,
                   struct gt_brands *ret_brands, struct gt_error *err);
void gt_brands_close(struct gt_brands *brands);
/* `plain` is looked for in the document as it is, `folded` in its folded copy (matchers/fold.h).
 * Patterns are the caller's. */
int gt_brands_needles(const struct gt_brands *brands, struct gt_needles *plain,
                      struct gt_needles *folded, struct gt_error *err);

/* text[start, end) is the domain's name: is it that domain or a host under it, and not a part of
 * another name? */
bool gt_domain_stands(const char *text, size_t len, size_t start, size_t end);

#endif
