/* A site: how its items are listed and fetched, as data (crawler/sites/NAME.yaml).
 * docs/ADD-A-SITE.md tells people how to write one; the option tables in site_definition.c have the
 * help of every key.
 *
 * Two small languages occur in a definition:
 *   selector: picks texts out of an answer (record.h).
 *   template: text with {name} replaced by base, token, cursor, cursor_iso, page, id, revision, a
 * param, or else by what the selector `name` finds in the item. In URLs and queries values are
 * percent-encoded; {+name} inserts as it is (RFC 6570, level 2). Where a value is expected (id,
 * title...), text without braces is a selector. */
#ifndef GT_CRAWLER_SITE_H
#define GT_CRAWLER_SITE_H

#include "crawler/record.h"
#include "crawler/source.h"

/* A part of a body. */
struct gt_site_part {
    const char *from; /* selector */
    bool html;        /* turn it into text */
};

struct gt_site_condition {
    const char *field;         /* selector */
    struct gt_list is, is_not; /* const char *; both empty: it must be there */
};

/* An answer that says no though its status is 200. */
struct gt_site_error {
    const char *pattern; /* PCRE2, of the whole answer, which is at most 1 KiB */
    const char *says;    /* what it means and what to do */
    bool gone;           /* the item does not exist (any more) */
};

/* What a document says of itself; lists are values of which the first that is not empty counts. */
struct gt_site_fields {
    struct gt_list link, title, author, published, type;
    struct gt_list body; /* struct gt_site_part: joined by empty lines */
};

/* Several files in one item. */
struct gt_site_files {
    const char *items;      /* selector; NULL: no files */
    const char *name;       /* value */
    struct gt_list content; /* struct gt_site_part */
    const char *truncated;  /* selector: "true" when the content is not whole; NULL: never */
    const char *url;        /* template: where the whole file is; NULL: nowhere */
};

enum gt_site_form {
    GT_FORM_JSON,
    GT_FORM_HTML,
    GT_FORM_XML,
    GT_FORM_TEXT,
    GT_FORM_RAW,
    GT_FORM_COUNTER
};

struct gt_site_fetch {
    struct gt_list when; /* struct gt_site_condition, on the item of the list; all must hold */
    bool needs_token;    /* leave it out without a token */
    const char *url;
    struct gt_list query, headers; /* const char *: "name=template", "Name: template" */
    int form;
    bool null_is_early; /* a JSON null is an item that is not there yet */
    struct gt_site_fields fields;
    struct gt_site_files files;
    struct gt_list errors; /* struct gt_site_error */
};

enum gt_site_paging { GT_PAGING_NONE, GT_PAGING_LINK, GT_PAGING_PAGE, GT_PAGING_CURSOR };

struct gt_site_list {
    const char *url;
    struct gt_list query, headers;
    int form;
    const char *items;           /* selector of the items */
    const char *must_start_with; /* NULL: anything */
    struct gt_list errors;
    int paging;
    bool pages_need_token; /* only the first page without one */
    int64_t pages;         /* at most, in one poll */
    int64_t first;         /* counter: how many below the counter the first poll reads */
    int64_t most;          /* items in one poll */
    int64_t window;        /* counter: farther behind than this, the rest is given up */
};

struct gt_site_item {
    const char *id, *revision; /* values */
    struct gt_list when;
    struct gt_site_fields fields;
    struct gt_site_files files;
    struct gt_list fetch; /* struct gt_site_fetch: the first whose conditions hold */
};

enum gt_cursor_order { GT_ORDER_NUMBER, GT_ORDER_TIME, GT_ORDER_TEXT };

struct gt_site_cursor {
    const char *field; /* value; NULL: no cursor, only seen items */
    int order;
    int64_t overlap_ms; /* of times: ask again from so much earlier */
};

struct gt_site_param {
    const char *name, *fallback, *help;
};

struct gt_site_exchange {
    const char *request; /* URL, or what follows the base */
    int64_t status;
    struct gt_list headers; /* const char *: "Name: value" */
    const char *body;
};

struct gt_site_yield {
    const char *key, *title, *link, *author, *body; /* body: a part of it; NULL: not looked at */
};

struct gt_site_example {
    const char *name, *token, *from,
        *cursor;           /* value of the cursor before and after; NULL: none, not looked at */
    struct gt_list params; /* const char *: "name=value" */
    struct gt_list exchanges, yields;
};

struct gt_site {
    const char *name, *title, *home, *terms;
    int category;          /* of gt_site_categories */
    struct gt_list needs;  /* int of gt_site_needs */
    struct gt_list params; /* struct gt_site_param */
    const char *base;      /* template over params */
    struct gt_list headers;
    int64_t interval_ms; /* least time between polls */
    double rate;         /* requests per second */
    struct gt_site_list list;
    struct gt_site_item item;
    struct gt_site_cursor cursor;
    struct gt_list examples;
};
extern const char *const gt_site_categories[], *const gt_site_needs[];

/* Decodes and checks a definition; all mistakes go to `mistakes`. Everything lives in the arena.
 * Returns GT_E_INVALID when there was one. */
int gt_site_parse(const char *file, const char *bytes, size_t len, struct gt_arena *arena,
                  struct gt_mistakes *mistakes, struct gt_site *ret, struct gt_error *err);
/* Looks for NAME.yaml in the directories, then among the built-in ones. err has every mistake of
 * it. */
int gt_site_find(const char *name, const struct gt_list *directories, struct gt_arena *arena,
                 struct gt_site *ret, struct gt_error *err);

/* Options of a source of type site. */
struct gt_site_options {
    const char *site, *token, *base;
    struct gt_list params; /* const char *: "name=value" */
};

/* A source on this definition; `site`, `options` and `limits` must outlive it. Closed by
 * gt_source_site.close. */
int gt_site_source_new(const struct gt_site *site, const struct gt_site_options *options,
                       const char *cursor, void **ret_self, struct gt_error *err);
/* For examples: sets and reads the value of {cursor}. */
int gt_site_source_set_cursor(void *self, const char *value);
const char *gt_site_source_cursor(const void *self);

/* Runs one example without network; on failure err says what differs. */
int gt_site_prove(const struct gt_site *site, const struct gt_site_example *example,
                  struct gt_error *err);

#endif
