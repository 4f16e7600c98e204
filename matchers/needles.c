#include "matchers/needles.h"

#include "matchers/loosen.h"

#include <stdlib.h>
#include <string.h>

/* Any byte may stand in a literal: what is not a letter or digit is written \xHH. */
static const char *escape(struct gt_arena *arena, const char *text, size_t len)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4 * len + 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (plain)
            gt_buffer_putc(&out, (char)c);
        else
            gt_buffer_printf(&out, "\\x%02x", c);
    }
    return gt_buffer_ok(&out) && out.data ? gt_arena_strdup(arena, out.data) : NULL;
}

static struct gt_needle *find_same(const struct gt_needles *needles, const struct gt_needle *wanted)
{
    for (size_t i = 0; i < needles->count; i++) {
        struct gt_needle *n = &needles->items[i];
        if (n->kind == wanted->kind && n->flags == wanted->flags &&
            strcmp(n->expression, wanted->expression) == 0)
            return n;
    }
    return NULL;
}

static int add_target(struct gt_needles *needles, struct gt_needle *needle, uint32_t target)
{
    size_t size = needle->target_count * sizeof *needle->targets;
    uint32_t *more =
        gt_arena_grow(needles->arena, needle->targets, size, size + sizeof *needle->targets);
    if (!more)
        return GT_E_NOMEM;
    more[needle->target_count++] = target;
    needle->targets = more;
    return 0;
}

static struct gt_needle *push(struct gt_needles *needles, const struct gt_needle *needle)
{
    if (needles->count == needles->capacity) {
        size_t capacity = needles->capacity ? 2 * needles->capacity : 64;
        struct gt_needle *more = gt_arena_grow(
            needles->arena, needles->items, needles->count * sizeof *more, capacity * sizeof *more);
        if (!more)
            return NULL;
        needles->items = more;
        needles->capacity = capacity;
    }
    needles->items[needles->count] = *needle;
    return &needles->items[needles->count++];
}

static int add(struct gt_needles *needles, const struct gt_needle *wanted, uint32_t target,
               struct gt_error *err)
{
    struct gt_needle *needle = find_same(needles, wanted);
    if (!needle)
        needle = push(needles, wanted);
    if (!needle || add_target(needles, needle, target) < 0)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    return 0;
}

int gt_needles_add_literal(struct gt_needles *needles, enum gt_needle_kind kind, const char *text,
                           size_t len, bool caseless, uint32_t target, struct gt_error *err)
{
    struct gt_needle needle = {
        .kind = kind,
        .expression = escape(needles->arena, text, len),
        .flags = caseless ? HS_FLAG_CASELESS : 0,
        .least = len,
        .most = len,
    };
    if (!needle.expression)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    return add(needles, &needle, target, err);
}

static const char *word_expression(struct gt_arena *arena, const char *word)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(16 * strlen(word) + 1);
    for (; *word; word++) {
        if (*word == '_')
            gt_buffer_puts(&out, "[_. -]?");
        else
            gt_buffer_putc(&out, *word);
    }
    return gt_buffer_ok(&out) && out.data ? gt_arena_strdup(arena, out.data) : NULL;
}

int gt_needles_add_word(struct gt_needles *needles, enum gt_needle_kind kind, const char *word,
                        uint32_t target, struct gt_error *err)
{
    struct gt_needle needle = {.kind = kind, .flags = HS_FLAG_CASELESS};
    needle.expression = word_expression(needles->arena, word);
    for (const char *at = word; *at; at++)
        needle.least += *at != '_';
    needle.most = strlen(word);
    if (!needle.expression)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    return add(needles, &needle, target, err);
}

int gt_needles_add_pattern(struct gt_needles *needles, const char *pattern, uint32_t target,
                           struct gt_error *err)
{
    struct gt_needle needle = {.kind = GT_NEEDLE_PATTERN, .least = 1, .most = SIZE_MAX};
    needle.expression = gt_pattern_loosen(needles->arena, pattern, true);
    if (!needle.expression)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    return add(needles, &needle, target, err);
}

static int inspect(const char *pattern, unsigned flags, size_t *ret_least, size_t *ret_most)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *why = NULL;
    if (hs_expression_info(pattern, flags, &info, &why) != HS_SUCCESS) {
        hs_free_compile_error(why);
        return GT_E_UNSUPPORTED;
    }
    *ret_least = info->min_width;
    *ret_most = info->max_width == UINT32_MAX ? SIZE_MAX : info->max_width;
    free(info);
    return 0;
}

int gt_needle_inspect(struct gt_needle *needle)
{
    size_t least, most;
    if (inspect(needle->expression, 0, &least, &most) == 0 && least > 0) {
        needle->least = least;
        needle->most = most;
        return 0;
    }
    /* What Vectorscan cannot express (look-around, back-references) it may look for approximately:
     * lengths are not to be trusted then. */
    if (inspect(needle->expression, HS_FLAG_PREFILTER, &least, &most) < 0 || least == 0)
        return GT_E_UNSUPPORTED;
    needle->flags = HS_FLAG_PREFILTER;
    return 0;
}

void gt_needles_remove(struct gt_needles *needles, size_t index)
{
    needles->count--;
    memmove(&needles->items[index], &needles->items[index + 1],
            (needles->count - index) * sizeof *needles->items);
}

size_t gt_pattern_width(struct gt_arena *arena, const char *pattern)
{
    size_t least, most;
    const char *looser = gt_pattern_loosen(arena, pattern, false);
    if (!looser || inspect(looser, HS_FLAG_ALLOWEMPTY, &least, &most) < 0)
        return SIZE_MAX;
    return most;
}

size_t gt_pattern_least(struct gt_arena *arena, const char *pattern)
{
    size_t least, most;
    const char *looser = gt_pattern_loosen(arena, pattern, false);
    if (!looser || inspect(looser, HS_FLAG_ALLOWEMPTY, &least, &most) < 0 || least < 1)
        return 1;
    return least;
}

int gt_database_platform(struct gt_error *err)
{
    if (hs_valid_platform() == HS_SUCCESS)
        return 0;
    return gt_fail(err, GT_E_UNSUPPORTED,
                   "this processor cannot run Vectorscan %s, which needs SSSE3 or later (x86) or "
                   "NEON (ARM); run guette on a newer machine",
                   hs_version());
}

struct table {
    const char **expressions;
    unsigned *flags, *ids;
};

static int compile(const struct gt_needles *needles, const struct table *table,
                   hs_database_t **ret_database, size_t *ret_bad, struct gt_error *err)
{
    for (size_t i = 0; i < needles->count; i++) {
        table->expressions[i] = needles->items[i].expression;
        table->flags[i] = needles->items[i].flags;
        table->ids[i] = (unsigned)i;
    }
    hs_compile_error_t *why = NULL;
    if (hs_compile_multi(table->expressions, table->flags, table->ids, (unsigned)needles->count,
                         HS_MODE_BLOCK, NULL, ret_database, &why) == HS_SUCCESS)
        return 0;
    int bad = why ? why->expression : -1;
    int code = bad >= 0 ? GT_E_INVALID : GT_E_NOMEM;
    gt_fail(err, code, "Vectorscan: %s", why ? why->message : "does not compile the patterns");
    hs_free_compile_error(why);
    if (bad >= 0)
        *ret_bad = (size_t)bad;
    return code;
}

int gt_database_compile(const struct gt_needles *needles, hs_database_t **ret_database,
                        size_t *ret_bad, struct gt_error *err)
{
    if (needles->count == 0) {
        *ret_database = NULL;
        return 0;
    }
    struct table table = {
        .expressions = calloc(needles->count, sizeof *table.expressions),
        .flags = calloc(needles->count, sizeof *table.flags),
        .ids = calloc(needles->count, sizeof *table.ids),
    };
    int rc = table.expressions && table.flags && table.ids
                 ? compile(needles, &table, ret_database, ret_bad, err)
                 : gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    free(table.expressions);
    free(table.flags);
    free(table.ids);
    return rc;
}
