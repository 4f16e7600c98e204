#include "cli/config_parts.h"

#include <stdio.h>
#include <string.h>

/* Where the printing stands. `dash`: the next line begins an item of a list. */
struct printer {
    int indent;
    bool dash;
};

static void begin_line(struct printer *printer)
{
    printf("%*s", printer->dash ? printer->indent - 2 : printer->indent, "");
    if (printer->dash)
        fputs("- ", stdout);
    printer->dash = false;
}

static void print_text(const char *text)
{
    GT_BUFFER_AUTO struct gt_buffer quoted = GT_BUFFER(16 * strlen(text) + 16);
    gt_append_quoted(&quoted, text);
    fputs(quoted.data ? quoted.data : "\"\"", stdout);
}

/* A password before the host of a URL ("redis://user:password@host") is a secret, too. */
static void print_masking_url(const char *text)
{
    const char *authority = strstr(text, "://");
    const char *end = authority ? authority + 3 + strcspn(authority + 3, "/?#") : NULL;
    const char *at = authority ? memrchr(authority, '@', (size_t)(end - authority)) : NULL;
    GT_BUFFER_AUTO struct gt_buffer masked = GT_BUFFER((size_t)128 * 1024);
    if (!at) {
        print_text(text);
        return;
    }
    gt_buffer_append(&masked, text, (size_t)(authority + 3 - text));
    gt_buffer_puts(&masked, "****");
    gt_buffer_puts(&masked, at);
    print_text(masked.data ? masked.data : "****");
}

static void print_with_unit(uint64_t value, const char *const *units, const uint64_t *factors,
                            size_t count)
{
    size_t i = 0;
    while (i + 1 < count && (value == 0 || value % factors[i]))
        i++;
    printf("%llu%s", (unsigned long long)(value / factors[i]), units[i]);
}

static void print_duration(int64_t ms)
{
    static const char *const units[] = {"d", "h", "m", "s", "ms"};
    static const uint64_t factors[] = {GT_DAY, GT_HOUR, GT_MINUTE, GT_SECOND, 1};
    print_with_unit((uint64_t)ms, units, factors, 5);
}

static void print_size(uint64_t bytes)
{
    static const char *const units[] = {"GiB", "MiB", "KiB", ""};
    static const uint64_t factors[] = {1 << 30, 1 << 20, 1 << 10, 1};
    print_with_unit(bytes, units, factors, 4);
}

static void print_scalar(const struct gt_option *option, const void *at)
{
    switch (option->type) {
    case GT_OPTION_BOOL:
        fputs(*(const bool *)at ? "true" : "false", stdout);
        break;
    case GT_OPTION_INT:
        printf("%lld", (long long)*(const int64_t *)at);
        break;
    case GT_OPTION_NUMBER:
        printf("%.15g", *(const double *)at);
        break;
    case GT_OPTION_DURATION:
        print_duration(*(const int64_t *)at);
        break;
    case GT_OPTION_SIZE:
        print_size(*(const uint64_t *)at);
        break;
    case GT_OPTION_ENUM:
        fputs(option->choices[*(const int *)at], stdout);
        break;
    case GT_OPTION_SECRET:
        fputs("\"********\"", stdout);
        break;
    default:
        print_masking_url(*(const char *const *)at);
    }
}

static bool is_unset(const struct gt_option *option, const void *at)
{
    if (option->flags & GT_OPTION_HIDDEN)
        return true;
    if (option->flags & GT_OPTION_LIST)
        return ((const struct gt_list *)at)->count == 0;
    bool text = option->type == GT_OPTION_STRING || option->type == GT_OPTION_SECRET;
    const char *const *value = at;
    return text && !(*value && **value);
}

static void print_row(struct printer *printer, const struct gt_option *option, const void *at);

static void print_rows(struct printer *printer, const struct gt_option *options, const void *base)
{
    for (const struct gt_option *o = options; o->type; o++)
        if (!is_unset(o, (const char *)base + o->offset))
            print_row(printer, o, (const char *)base + o->offset);
}

static void print_map(struct printer *printer, const struct gt_option *option, const void *at)
{
    print_rows(printer, option->nested, at);
    if (!option->kinds)
        return;
    const struct gt_kind *kind =
        *(const struct gt_kind *const *)((const char *)at + option->kind_offset);
    const void *own = *(const void *const *)((const char *)at + option->kind_options_offset);
    if (kind && own)
        print_rows(printer, kind->options, own);
}

static void print_maps(struct printer *printer, const struct gt_option *option,
                       const struct gt_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        printer->indent += 2;
        printer->dash = true;
        print_map(printer, option, (const char *)list->items + i * option->nested_size);
        printer->indent -= 2;
    }
}

static void print_scalars(const struct gt_option *option, const struct gt_list *list)
{
    size_t size = gt_option_size(option);
    fputs(" [", stdout);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i ? ", " : "", stdout);
        print_scalar(option, (const char *)list->items + i * size);
    }
    fputs("]\n", stdout);
}

static void print_row(struct printer *printer, const struct gt_option *option, const void *at)
{
    bool list = option->flags & GT_OPTION_LIST, map = option->type == GT_OPTION_STRUCT;
    begin_line(printer);
    printf("%s:", option->name);
    if (map)
        putchar('\n');
    if (map && list) {
        print_maps(printer, option, at);
    } else if (map) {
        printer->indent += 2;
        print_map(printer, option, at);
        printer->indent -= 2;
    } else if (list) {
        print_scalars(option, at);
    } else {
        putchar(' ');
        print_scalar(option, at);
        putchar('\n');
    }
}

void gt_config_show(const struct gt_config *config)
{
    struct printer printer = {0};
    struct gt_config whole = *config;
    whole.include = (struct gt_list){0}; /* what was included is in it already */
    print_rows(&printer, gt_config_options, &whole);
}
