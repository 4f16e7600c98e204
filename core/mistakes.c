#include "core/options.h"

#include "core/strings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 2048

/* One line, and nothing in it that a terminal would obey: keys and values come from the file. */
static const char *clean_line(struct gt_arena *arena, const char *text)
{
    GT_BUFFER_AUTO struct gt_buffer clean = GT_BUFFER((size_t)4 * TEXT_MAX);
    gt_utf8_append_clean(&clean, text, strlen(text));
    for (size_t i = 0; i < clean.len; i++)
        if (clean.data[i] == '\n' || clean.data[i] == '\t')
            clean.data[i] = ' ';
    return gt_arena_memdup(arena, clean.data, clean.len);
}

static bool make_room(struct gt_mistakes *mistakes)
{
    if (mistakes->count < mistakes->capacity)
        return true;
    size_t capacity = mistakes->capacity ? 2 * mistakes->capacity : 8;
    struct gt_mistake_item *items =
        gt_arena_grow(mistakes->arena, mistakes->items, mistakes->count * sizeof *items,
                      capacity * sizeof *items);
    if (!items)
        return false;
    mistakes->items = items;
    mistakes->capacity = capacity;
    return true;
}

static void add(struct gt_mistakes *mistakes, const char *file, unsigned line, unsigned column,
                const char *path, const char *what)
{
    mistakes->found++;
    if (mistakes->count >= GT_MISTAKES_MAX || !make_room(mistakes))
        return;
    char text[TEXT_MAX];
    const char *colon = path && *path ? ": " : "";
    if (*file)
        snprintf(text, sizeof text, "%s:%u:%u: %.256s%s%s", file, line, column, path ? path : "",
                 colon, what);
    else
        snprintf(text, sizeof text, "%.256s%s%s", path ? path : "", colon, what);
    const char *kept = clean_line(mistakes->arena, text);
    if (kept)
        mistakes->items[mistakes->count++] = (struct gt_mistake_item){kept, file, line, column};
}

void gt_mistake(struct gt_mistakes *mistakes, const struct gt_node *at, const char *path,
                const char *format, ...)
{
    char what[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    add(mistakes, at && at->file ? at->file : "", at ? at->line : 0, at ? at->column : 0, path,
        what);
}

void gt_mistake_key(struct gt_mistakes *mistakes, const struct gt_node *at, const char *path,
                    const char *format, ...)
{
    char what[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    add(mistakes, at->file ? at->file : "", at->key_line, at->key_column, path, what);
}

static bool comes_before(const struct gt_mistake_item *a, const struct gt_mistake_item *b)
{
    int order = strcmp(a->file, b->file);
    if (order)
        return order < 0;
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Insertion: few items, mostly in order already, and equal places keep theirs. */
void gt_mistakes_sort(struct gt_mistakes *mistakes)
{
    for (size_t i = 1; i < mistakes->count; i++) {
        struct gt_mistake_item item = mistakes->items[i];
        size_t at = i;
        for (; at && comes_before(&item, &mistakes->items[at - 1]); at--)
            mistakes->items[at] = mistakes->items[at - 1];
        mistakes->items[at] = item;
    }
}

void gt_nearest_offer(struct gt_nearest *nearest, const char *known)
{
    size_t len = strlen(nearest->word);
    size_t most = len / 3 > 2 ? len / 3 : len > 3 ? 2 : 1;
    size_t distance =
        gt_equals_ignoring_case(nearest->word, known) ? 0 : gt_edit_distance(nearest->word, known);
    if (distance > most || (nearest->best && distance >= nearest->distance))
        return;
    nearest->best = known;
    nearest->distance = distance;
}
