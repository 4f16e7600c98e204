#include "matchers/scan.h"

#include "matchers/fold.h"

#include <string.h>

#define TITLE_MAX ((size_t)16 * 1024)

struct title {
    struct gt_scratch *scratch;
    enum gt_needle_set set;
    const char *text;
    size_t len;
};

typedef bool stands(const char *text, size_t len, size_t start, size_t end);

static stands *const stands_by_kind[] = {
    [GT_NEEDLE_DOMAIN] = gt_domain_stands,
    [GT_NEEDLE_KEYWORD] = gt_stands_alone,
};

static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                  void *user)
{
    struct title *title = user;
    const struct gt_needle *needle = &title->scratch->ruleset->sets[title->set].items[id];
    if (needle->kind != GT_NEEDLE_DOMAIN && needle->kind != GT_NEEDLE_KEYWORD)
        return 0;
    if (!stands_by_kind[needle->kind](title->text, title->len, (size_t)to - needle->most,
                                      (size_t)to))
        return 0;
    for (size_t i = 0; i < needle->target_count; i++)
        if (gt_mention_add(title->scratch, needle->targets[i], GT_IN_TITLE, GT_IN_TITLE))
            return 1;
    return 0;
}

static int look(struct title *title)
{
    const struct gt_scratch *scratch = title->scratch;
    const hs_database_t *database = scratch->ruleset->sets[title->set].database;
    if (!database || title->len == 0)
        return 0;
    hs_error_t rc =
        hs_scan(database, title->text, (unsigned)title->len, 0, scratch->hs, on_hit, title);
    return rc == HS_SUCCESS ? 0 : GT_E_LIMIT;
}

static int look_for_patterns(struct gt_scratch *scratch, const char *title, size_t len)
{
    const struct gt_ruleset *ruleset = scratch->ruleset;
    for (size_t i = ruleset->rules.count; i < ruleset->probe_count; i++)
        if (gt_regex_in(ruleset->probes[i].regex, scratch->runner, title, len) &&
            gt_mention_add(scratch, ruleset->probes[i].term, GT_IN_TITLE, GT_IN_TITLE))
            return GT_E_LIMIT;
    return 0;
}

/* Domains are looked for as they are, keywords in a folded copy. */
int gt_scan_title(struct gt_scratch *scratch, const char *title)
{
    GT_BUFFER_AUTO struct gt_buffer folded = GT_BUFFER(2 * TITLE_MAX);
    if (!title || scratch->ruleset->brands.count == 0)
        return 0;
    size_t len = strnlen(title, TITLE_MAX);
    if (gt_fold(title, len, &folded) < 0)
        return 0;
    struct title plain = {scratch, GT_SET_BRANDS, title, len};
    struct title fold = {scratch, GT_SET_FOLDED, folded.data, folded.len};
    int rc = look(&plain);
    if (rc >= 0)
        rc = look(&fold);
    return rc < 0 ? rc : look_for_patterns(scratch, title, len);
}
