#include "cli/config_parts.h"

#include <stdio.h>
#include <string.h>

static void print_sections(const struct gt_option *options, const char *prefix,
                           const struct gt_config_kinds *kinds, struct gt_arena *arena);

/* Help is one line without a full stop; here it becomes a sentence. */
static void print_sentence(const char *help)
{
    char first = *help >= 'a' && *help <= 'z' ? (char)(*help - 'a' + 'A') : *help;
    printf("%c%s.\n", first, help + 1);
}

/* A `|` would end the cell. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
}

static void print_table(const struct gt_option *options, struct gt_arena *arena)
{
    if (!options->type) {
        puts("\nNo keys of its own.");
        return;
    }
    puts("\n| key | type | default | meaning |\n| --- | --- | --- | --- |");
    for (const struct gt_option *o = options; o->type; o++) {
        const char *type = gt_option_type_words(o, arena);
        if (o->flags & GT_OPTION_HIDDEN)
            continue;
        printf("| `%s` | ", o->name);
        print_cell(type ? type : "");
        fputs(o->flags & GT_OPTION_REQUIRED ? " | *required* | " : " | ", stdout);
        if (o->fallback)
            printf("`%s`", o->fallback);
        fputs(o->flags & GT_OPTION_REQUIRED ? "" : " | ", stdout);
        print_cell(o->help);
        puts(" |");
    }
}

static void print_kinds(const struct gt_option *option, const char *path,
                        const struct gt_config_kinds *kinds, struct gt_arena *arena)
{
    const struct gt_kind *const *kind = option->kinds((void *)(uintptr_t)kinds);
    for (; kind && *kind; kind++) {
        const char *inner = gt_arena_printf(arena, "%s.", path);
        printf("\n#### %s of `type: %s`\n\n", path, (*kind)->name);
        print_sentence((*kind)->summary);
        print_table((*kind)->options, arena);
        if (inner)
            print_sections((*kind)->options, inner, kinds, arena);
    }
}

/* A section for each map, however deep: "brands[].keywords[]". */
static void print_sections(const struct gt_option *options, const char *prefix,
                           const struct gt_config_kinds *kinds, struct gt_arena *arena)
{
    for (const struct gt_option *o = options; o->type; o++) {
        if (o->type != GT_OPTION_STRUCT || o->flags & GT_OPTION_HIDDEN)
            continue;
        const char *path = gt_arena_printf(arena, "%s%s%s", prefix, o->name,
                                           o->flags & GT_OPTION_LIST ? "[]" : "");
        const char *inner = path ? gt_arena_printf(arena, "%s.", path) : NULL;
        if (!inner)
            return;
        printf("\n### %s\n\n", path);
        print_sentence(o->help);
        if (o->shorthand)
            printf("A single value instead of keys is its `%s`.\n", o->shorthand);
        print_table(o->nested, arena);
        if (o->kinds)
            print_kinds(o, path, kinds, arena);
        print_sections(o->nested, inner, kinds, arena);
    }
}

void gt_config_reference(const struct gt_config_kinds *kinds)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new((size_t)1024 * 1024);
    if (!arena)
        return;
    puts("### guette.yaml");
    print_table(gt_config_options, arena);
    print_sections(gt_config_options, "", kinds, arena);
}
