#include "matchers/brand.h"

#include "matchers/fold.h"

#include <string.h>

#define KEYWORD_MAX 200

static size_t count_terms(const struct gt_brand *brands, size_t count)
{
    size_t terms = 0;
    for (size_t i = 0; i < count; i++)
        terms += brands[i].domains.count + brands[i].keywords.count + brands[i].patterns.count;
    return terms;
}

static void add_term(struct gt_brands *brands, struct gt_arena *arena, const struct gt_term *term)
{
    struct gt_term *added = &brands->terms[brands->term_count++];
    *added = *term;
    added->text = gt_arena_strdup(arena, term->text ? term->text : "");
    if (term->pattern)
        added->pattern = gt_arena_strdup(arena, term->pattern);
}

static void add_terms(struct gt_brands *brands, struct gt_arena *arena, const struct gt_brand *from,
                      size_t brand)
{
    for (size_t i = 0; i < from->domains.count; i++)
        add_term(brands, arena,
                 &(struct gt_term){.kind = GT_TERM_DOMAIN,
                                   .brand = brand,
                                   .text = *GT_LIST_ITEM(from->domains, const char *, i),
                                   .severity = GT_LOW});
    for (size_t i = 0; i < from->keywords.count; i++) {
        const struct gt_keyword *keyword = GT_LIST_ITEM(from->keywords, struct gt_keyword, i);
        add_term(brands, arena,
                 &(struct gt_term){.kind = GT_TERM_KEYWORD,
                                   .brand = brand,
                                   .text = keyword->text,
                                   .severity = keyword->severity});
    }
    for (size_t i = 0; i < from->patterns.count; i++) {
        const struct gt_pattern *pattern = GT_LIST_ITEM(from->patterns, struct gt_pattern, i);
        add_term(brands, arena,
                 &(struct gt_term){.kind = GT_TERM_PATTERN,
                                   .brand = brand,
                                   .text = pattern->name,
                                   .severity = pattern->severity,
                                   .pattern = pattern->regex});
    }
}

static int compile_terms(struct gt_brands *brands, struct gt_error *err)
{
    for (size_t i = 0; i < brands->term_count; i++) {
        struct gt_term *term = &brands->terms[i];
        if (!term->text)
            return gt_fail(err, GT_E_NOMEM, "out of memory for the brands");
        if (term->kind != GT_TERM_PATTERN)
            continue;
        int rc = gt_regex_compile(term->pattern ? term->pattern : "", &term->regex, err);
        if (rc < 0) {
            gt_error_prefix(err, "brand %s: pattern %s", brands->names[term->brand], term->text);
            return rc;
        }
    }
    return 0;
}

int gt_brands_open(const struct gt_brand *brands, size_t count, struct gt_arena *arena,
                   struct gt_brands *ret_brands, struct gt_error *err)
{
    struct gt_brands opened = {.count = count};
    opened.names = gt_arena_array(arena, count + 1, sizeof *opened.names);
    opened.terms = gt_arena_array(arena, count_terms(brands, count) + 1, sizeof *opened.terms);
    if (!opened.names || !opened.terms)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the brands");
    for (size_t i = 0; i < count; i++) {
        opened.names[i] = gt_arena_strdup(arena, brands[i].name);
        add_terms(&opened, arena, &brands[i], i);
    }
    int rc = compile_terms(&opened, err);
    if (rc < 0) {
        gt_brands_close(&opened);
        return rc;
    }
    *ret_brands = opened;
    return 0;
}

void gt_brands_close(struct gt_brands *brands)
{
    for (size_t i = 0; i < brands->term_count; i++)
        gt_regex_free(brands->terms[i].regex);
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

/* A keyword is looked for twice: as it is folded, in the document's own bytes (any case), and in a
 * folded copy of those parts of the document that have other letters than ASCII's. */
static int keyword_needles(const struct gt_term *term, uint32_t index, struct gt_needles *plain,
                           struct gt_needles *folded, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer fold = GT_BUFFER(2 * KEYWORD_MAX);
    size_t len = strlen(term->text);
    if (len > KEYWORD_MAX || gt_fold(term->text, len, &fold) < 0)
        return gt_fail(err, GT_E_INVALID, "keyword \"%.40s...\" is longer than %d bytes",
                       term->text, KEYWORD_MAX);
    if (fold.len == 0)
        return gt_fail(err, GT_E_INVALID, "keyword \"%s\" has no letter", term->text);
    int rc = is_ascii(fold.data, fold.len)
                 ? gt_needles_add_literal(plain, GT_NEEDLE_KEYWORD, fold.data, fold.len, true,
                                          index, err)
                 : 0;
    return rc < 0 ? rc
                  : gt_needles_add_literal(folded, GT_NEEDLE_KEYWORD, fold.data, fold.len, false,
                                           index, err);
}

int gt_brands_needles(const struct gt_brands *brands, struct gt_needles *plain,
                      struct gt_needles *folded, struct gt_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < brands->term_count && rc >= 0; i++) {
        const struct gt_term *term = &brands->terms[i];
        if (term->kind == GT_TERM_DOMAIN && *term->text)
            rc = gt_needles_add_literal(plain, GT_NEEDLE_DOMAIN, term->text, strlen(term->text),
                                        true, (uint32_t)i, err);
        else if (term->kind == GT_TERM_KEYWORD)
            rc = keyword_needles(term, (uint32_t)i, plain, folded, err);
    }
    return rc;
}

/* Letters, digits, '-' and '_' make a label (RFC 1123 with what DNS really carries); letters beyond
 * ASCII make another, internationalised one. */
static bool is_label(uint32_t c)
{
    return c == '-' || c == '_' || gt_char_is_word(c);
}

static bool ends_name(const char *text, size_t len, size_t end)
{
    uint32_t c, next = 0;
    if (end == len)
        return true;
    size_t size = gt_char_next(text + end, len - end, &c);
    if (end + size < len)
        gt_char_next(text + end + size, len - end - size, &next);
    /* A dot or hyphen may be the sentence's own; when the name goes on behind it, it is another's.
     */
    return c == '.' || c == '-' ? !is_label(next) : !is_label(c);
}

bool gt_domain_stands(const char *text, size_t len, size_t start, size_t end)
{
    uint32_t before = 0;
    if (start > 0)
        gt_char_previous(text, start, &before);
    return (!is_label(before) || gt_escape_ends(text, start)) && ends_name(text, len, end);
}
