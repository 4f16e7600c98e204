/* PCRE2 on bytes (no UTF mode), compiled once at its first use, shared by threads; with match,
 * depth and heap limits.
 *
 * A search looks at the whole subject, so that `\b` and look-behinds see what really stands there,
 * but a match may start only in [start, limit] (PCRE2_USE_OFFSET_LIMIT). */
#ifndef GT_MATCHERS_REGEX_H
#define GT_MATCHERS_REGEX_H

#include "matchers/matchers.h"

struct gt_regex;
struct gt_runner; /* what one thread needs to search: JIT stack, match data, limits */

struct gt_span {
    size_t start, end;
};

/* GT_E_INVALID names the offset in the pattern. The secret is the group named `secret`, else group
 * 1, else all. */
int gt_regex_compile(const char *pattern, struct gt_regex **ret_regex, struct gt_error *err);
/* The same for a pattern that is known to be sound: compiled when it is first looked for, since
 * most of hundreds of rules are never needed. The pattern is borrowed. */
int gt_regex_new(const char *pattern, struct gt_regex **ret_regex, struct gt_error *err);
void gt_regex_free(struct gt_regex *regex);
/* Makes searches through a whole document up to fifty times faster, those near many hits slow. Only
 * before threads use it. */
void gt_regex_hasten(struct gt_regex *regex);

int gt_runner_new(struct gt_runner **ret_runner, struct gt_error *err);
void gt_runner_free(struct gt_runner *runner);

struct gt_search {
    const char *subject;
    size_t len, start, limit; /* limit: last offset where a match may start */
};
/* 1: found, 0: not, GT_E_LIMIT: the pattern backtracked too much and was stopped. ret_secret may be
 * NULL. */
int gt_regex_find(struct gt_regex *regex, struct gt_runner *runner, const struct gt_search *search,
                  struct gt_span *ret_match, struct gt_span *ret_secret);
/* Does it stand anywhere in these bytes? A stopped pattern counts as no. */
bool gt_regex_in(struct gt_regex *regex, struct gt_runner *runner, const char *bytes, size_t len);

#endif
