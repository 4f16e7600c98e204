#include "matchers/needles.h"

#include "matchers/loosen.h"

#include <stdlib.h>
#include <string.h>

#define PART_MIN 5 /* shorter parts of words stand everywhere */

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

/* FNV-1a over what makes two needles the same. */
static size_t hash_of(const struct gt_needle *needle)
{
    uint64_t hash = 14695981039346656037u ^ needle->kind ^ (uint64_t)needle->flags << 8;
    for (const char *at = needle->expression; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

static bool same(const struct gt_needle *a, const struct gt_needle *b)
{
    return a->kind == b->kind && a->flags == b->flags && strcmp(a->expression, b->expression) == 0;
}

/* The slot of this needle, or the free one where it goes. There is always a free one. */
static uint32_t *find_slot(const struct gt_needles *needles, const struct gt_needle *wanted)
{
    size_t slot = hash_of(wanted) & (needles->slot_count - 1);
    while (needles->slots[slot] && !same(&needles->items[needles->slots[slot] - 1], wanted))
        slot = (slot + 1) & (needles->slot_count - 1);
    return &needles->slots[slot];
}

/* At most half of the slots are taken. */
static int make_slots(struct gt_needles *needles)
{
    if (2 * (needles->count + 1) <= needles->slot_count)
        return 0;
    size_t count = needles->slot_count ? 2 * needles->slot_count : 256;
    uint32_t *slots = gt_arena_array(needles->arena, count, sizeof *slots);
    if (!slots)
        return GT_E_NOMEM;
    memset(slots, 0, count * sizeof *slots);
    needles->slots = slots;
    needles->slot_count = count;
    for (size_t i = 0; i < needles->count; i++)
        *find_slot(needles, &needles->items[i]) = (uint32_t)i + 1;
    return 0;
}

static int add_part(struct gt_needles *needles, struct gt_needle *needle,
                    const struct gt_word_part *part)
{
    size_t size = needle->target_count * sizeof *part;
    struct gt_word_part *more =
        gt_arena_grow(needles->arena, needle->parts, size, size + sizeof *part);
    if (!more)
        return GT_E_NOMEM;
    more[needle->target_count] = *part;
    needle->parts = more;
    return 0;
}

/* part: of a WORD, else NULL. */
static int add_target(struct gt_needles *needles, struct gt_needle *needle, uint32_t target,
                      const struct gt_word_part *part)
{
    size_t size = needle->target_count * sizeof *needle->targets;
    uint32_t *more =
        gt_arena_grow(needles->arena, needle->targets, size, size + sizeof *needle->targets);
    if (!more || (part && add_part(needles, needle, part) < 0))
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

static int add_with(struct gt_needles *needles, const struct gt_needle *wanted, uint32_t target,
                    const struct gt_word_part *part, struct gt_error *err)
{
    uint32_t *slot = make_slots(needles) == 0 ? find_slot(needles, wanted) : NULL;
    struct gt_needle *needle = slot && *slot ? &needles->items[*slot - 1] : NULL;
    if (slot && !needle && (needle = push(needles, wanted)))
        *slot = (uint32_t)needles->count;
    if (!needle || add_target(needles, needle, target, part) < 0)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    return 0;
}

static int add(struct gt_needles *needles, const struct gt_needle *wanted, uint32_t target,
               struct gt_error *err)
{
    return add_with(needles, wanted, target, NULL, err);
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

/* With or without separators for its '_'. */
static const char *name_expression(struct gt_arena *arena, const char *word)
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

int gt_needles_add_name(struct gt_needles *needles, const char *word, uint32_t target,
                        struct gt_error *err)
{
    struct gt_needle needle = {.kind = GT_NEEDLE_NAME, .flags = HS_FLAG_CASELESS};
    needle.expression = name_expression(needles->arena, word);
    for (const char *at = word; *at; at++)
        needle.least += *at != '_';
    needle.most = strlen(word);
    if (!needle.expression)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    return add(needles, &needle, target, err);
}

/* The first part between '_', which is the provider's name as a rule. A short one takes its
 * neighbours with it. */
static struct gt_word_part rare_part(const char *word)
{
    struct gt_word_part part = {word, 0, (uint32_t)strcspn(word, "_")};
    while (part.to < PART_MIN && word[part.to] == '_')
        part.to += 1 + (uint32_t)strcspn(word + part.to + 1, "_");
    return part;
}

static int add_part_literal(struct gt_needles *needles, const struct gt_word_part *part,
                            const char *separator, uint32_t target, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(2 * strlen(part->word) + 2);
    for (uint32_t i = part->from; i < part->to; i++) {
        if (part->word[i] == '_')
            gt_buffer_puts(&text, separator);
        else
            gt_buffer_putc(&text, part->word[i]);
    }
    if (!gt_buffer_ok(&text))
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    struct gt_needle needle = {
        .kind = GT_NEEDLE_WORD, .flags = HS_FLAG_CASELESS, .least = text.len, .most = text.len};
    needle.expression = escape(needles->arena, text.data, text.len);
    if (!needle.expression)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    return add_with(needles, &needle, target, part, err);
}

int gt_needles_add_word(struct gt_needles *needles, const char *word, uint32_t target,
                        struct gt_error *err)
{
    static const char *const separators[] = {"", "_", "-", ".", " "};
    struct gt_word_part part = rare_part(word);
    bool joined = memchr(word + part.from, '_', part.to - part.from) != NULL;
    int rc = 0;
    for (size_t i = 0; i < (joined ? sizeof separators / sizeof *separators : 1) && rc >= 0; i++)
        rc = add_part_literal(needles, &part, separators[i], target, err);
    return rc;
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
    needles->slot_count = 0; /* the slots are made anew when one more is added */
}

size_t gt_pattern_width(struct gt_arena *arena, const char *pattern)
{
    size_t least, most;
    const char *looser = gt_pattern_loosen(arena, pattern, false);
    if (!looser || inspect(looser, HS_FLAG_ALLOWEMPTY, &least, &most) < 0)
        return SIZE_MAX;
    return most;
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

static int compile(struct gt_needles *needles, const struct table *table, size_t *ret_bad,
                   struct gt_error *err)
{
    for (size_t i = 0; i < needles->count; i++) {
        table->expressions[i] = needles->items[i].expression;
        table->flags[i] = needles->items[i].flags;
        table->ids[i] = (unsigned)i;
    }
    hs_compile_error_t *why = NULL;
    if (hs_compile_multi(table->expressions, table->flags, table->ids, (unsigned)needles->count,
                         HS_MODE_BLOCK, NULL, &needles->database, &why) == HS_SUCCESS)
        return 0;
    int bad = why ? why->expression : -1;
    int code = bad >= 0 ? GT_E_INVALID : GT_E_NOMEM;
    gt_fail(err, code, "Vectorscan: %s", why ? why->message : "does not compile the patterns");
    hs_free_compile_error(why);
    if (bad >= 0)
        *ret_bad = (size_t)bad;
    return code;
}

int gt_database_compile(struct gt_needles *needles, size_t *ret_bad, struct gt_error *err)
{
    if (needles->count == 0)
        return 0;
    struct table table = {
        .expressions = calloc(needles->count, sizeof *table.expressions),
        .flags = calloc(needles->count, sizeof *table.flags),
        .ids = calloc(needles->count, sizeof *table.ids),
    };
    int rc = table.expressions && table.flags && table.ids
                 ? compile(needles, &table, ret_bad, err)
                 : gt_fail(err, GT_E_NOMEM, "out of memory for the patterns");
    free(table.expressions);
    free(table.flags);
    free(table.ids);
    return rc;
}
