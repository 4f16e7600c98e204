#include "matchers/scan.h"

#include "matchers/fold.h"

#include <string.h>

#define TITLE_MAX ((size_t)16 * 1024)

/* In a folded text; at any place where it stands alone. */
static bool stands_in(const struct gt_term *term, const char *text, size_t len)
{
    GT_BUFFER_AUTO struct gt_buffer word = GT_BUFFER(TITLE_MAX);
    if (gt_fold(term->text, strlen(term->text), &word) < 0 || word.len == 0)
        return false;
    const char *at = text, *end = text + len;
    for (; (at = memmem(at, (size_t)(end - at), word.data, word.len)); at++) {
        size_t start = (size_t)(at - text), stop = start + word.len;
        if (term->kind == GT_TERM_DOMAIN ? gt_domain_stands(text, len, start, stop)
                                         : gt_stands_alone(text, len, start, stop))
            return true;
    }
    return false;
}

/* Titles are short and few: no database for them. */
int gt_scan_title(struct gt_scratch *scratch, const char *title)
{
    const struct gt_brands *brands = &scratch->ruleset->brands;
    GT_BUFFER_AUTO struct gt_buffer folded = GT_BUFFER(2 * TITLE_MAX);
    if (!title || brands->count == 0)
        return 0;
    size_t len = strnlen(title, TITLE_MAX);
    if (gt_fold(title, len, &folded) < 0 || folded.len == 0)
        return 0;
    for (uint32_t i = 0; i < brands->term_count; i++) {
        const struct gt_term *term = &brands->terms[i];
        bool found = term->kind == GT_TERM_PATTERN
                         ? gt_regex_in(term->regex, scratch->runner, title, len)
                         : stands_in(term, folded.data, folded.len);
        if (found && gt_mention_add(scratch, i, GT_IN_TITLE, GT_IN_TITLE))
            return GT_E_LIMIT;
    }
    return 0;
}
