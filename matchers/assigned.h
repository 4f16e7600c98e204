/* A value that somebody assigns to a name: `DB_PASSWORD=…`, `"apiKey": "…"`, `define('SECRET',
 * '…')`,
 * `<password>…</password>`, `--token …`. Reads one assignment around a word that stands in the
 * text; the notations it knows are those of tests/unit/matchers/test_assigned.c. */
#ifndef GT_MATCHERS_ASSIGNED_H
#define GT_MATCHERS_ASSIGNED_H

#include "core/core.h"
#include "matchers/regex.h"

#define GT_NAME_MAX ((size_t)64)
#define GT_VALUE_MAX ((size_t)200)

struct gt_assignment {
    struct gt_span name, value;
    bool quoted; /* the value stood in quotes or tags */
};

/* [from, to) is the word. False: nothing is assigned to a name that holds it, or the name says by
 * its other words that the value is no secret (password_file, next_page_token). */
bool gt_assignment_read(const char *text, size_t len, struct gt_span word,
                        struct gt_assignment *ret);

#endif
