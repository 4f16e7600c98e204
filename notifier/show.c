#include "notifier/show.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Nobody reads more than this of one field; the rest is not even looked at. */
#define INPUT_MAX ((size_t)64 * 1024)

/* Decodes one character of well-formed UTF-8. */
static uint32_t next_character(const char **at)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    size_t more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
    uint32_t c = more ? bytes[0] & (0x3fu >> more) : bytes[0];
    for (size_t i = 1; i <= more; i++)
        c = c << 6 | (bytes[i] & 0x3f);
    *at += more + 1;
    return c;
}

/* Ranges that matter for lining up text; after Unicode's EastAsianWidth.txt (W, F) and
 * DerivedGeneralCategory.txt (Mn). */
static const struct {
    uint32_t first, last;
    size_t width;
} wide[] = {
    {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x064b, 0x065f, 0},
    {0x1100, 0x115f, 2},   {0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},   {0x200b, 0x200f, 0},
    {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0x33ff, 2},   {0x3400, 0x4dbf, 2},
    {0x4e00, 0x9fff, 2},   {0xa000, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
    {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},
    {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
};

static size_t width_of(uint32_t c)
{
    for (size_t i = 0; c >= wide[0].first && i < sizeof(wide) / sizeof(wide[0]); i++) {
        if (c >= wide[i].first && c <= wide[i].last)
            return wide[i].width;
    }
    return 1;
}

size_t gt_show_width(const char *text)
{
    size_t width = 0;
    while (*text)
        width += width_of(next_character(&text));
    return width;
}

/* Appends clean text up to `most` columns, white space folded. */
static void append_folded(struct gt_buffer *out, const char *text, size_t most)
{
    size_t width = 0;
    bool blank = false;
    for (const char *at = text; *at;) {
        const char *start = at;
        uint32_t c = next_character(&at);
        if (c == ' ' || c == '\t' || c == '\n' || c == 0xa0) {
            blank = width > 0;
            continue;
        }
        if (width + blank + width_of(c) > most) {
            gt_buffer_puts(out, "\u2026");
            return;
        }
        if (blank)
            gt_buffer_putc(out, ' ');
        width += blank + width_of(c);
        blank = false;
        gt_buffer_append(out, start, (size_t)(at - start));
    }
}

void gt_show_line(struct gt_buffer *out, const char *text, size_t most)
{
    GT_BUFFER_AUTO struct gt_buffer clean = GT_BUFFER(3 * INPUT_MAX + 1);
    if (!text)
        return;
    if (gt_utf8_append_clean(&clean, text, strnlen(text, INPUT_MAX)) < 0) {
        out->overflow = true;
        return;
    }
    append_folded(out, clean.data ? clean.data : "", most);
}

/* Where the scheme before "://" begins. */
static const char *scheme_start(const char *line, const char *colon)
{
    while (colon > line && (isalnum((unsigned char)colon[-1]) || strchr("+-.", colon[-1])))
        colon--;
    return colon;
}

static void append_scheme(struct gt_buffer *out, const char *scheme, size_t len)
{
    if (strcmp(scheme + len, "://") == 0 || strncmp(scheme, "file:///", 8) == 0) {
        gt_buffer_append(out, scheme, len + 3); /* a local path, or nothing at all */
    } else if (len >= 4 && strncasecmp(scheme, "http", 4) == 0) {
        gt_buffer_puts(out, "hxxp");
        gt_buffer_append(out, scheme + 4, len - 4);
        gt_buffer_puts(out, "://");
    } else {
        gt_buffer_append(out, scheme, len);
        gt_buffer_puts(out, "[:]//");
    }
}

/* Appends a host with its dots in brackets; returns where it ended. */
static const char *append_host(struct gt_buffer *out, const char *at)
{
    for (; *at && !strchr("/?# \"'<>()", *at); at++) {
        if (*at == '.') {
            gt_buffer_puts(out, "[.]");
        } else if (strncmp(at, "://", 3) == 0) { /* a URL for a host: https://https://... */
            gt_buffer_puts(out, "[:]//");
            at += 2;
        } else {
            gt_buffer_putc(out, *at);
        }
    }
    return at;
}

/* The next thing in `at` that a client would make a link of: "://" or a word that begins with
 * "www."; NULL: none. */
static const char *next_link(const char *line, const char *at)
{
    for (; *at; at++) {
        if (strncmp(at, "://", 3) == 0 ||
            (strncasecmp(at, "www.", 4) == 0 && (at == line || !isalnum((unsigned char)at[-1]))))
            return at;
    }
    return NULL;
}

void gt_show_defanged(struct gt_buffer *out, const char *text, size_t most)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(4 * most + 16);
    gt_show_line(&line, text, most);
    const char *at = line.data ? line.data : "", *start = at, *link;
    out->overflow |= line.overflow;
    while ((link = next_link(start, at))) {
        const char *scheme = *link == ':' ? scheme_start(at, link) : link;
        gt_buffer_append(out, at, (size_t)(scheme - at));
        if (*link == ':')
            append_scheme(out, scheme, (size_t)(link - scheme));
        at = append_host(out, *link == ':' ? link + 3 : link);
    }
    gt_buffer_puts(out, at);
}

static void break_line(struct gt_buffer *out, size_t indent, size_t *column)
{
    gt_buffer_putc(out, '\n');
    for (size_t i = 0; i < indent; i++)
        gt_buffer_putc(out, ' ');
    *column = indent;
}

/* One word, broken wherever the line is full. */
static void append_word(struct gt_buffer *out, const char *word, const char *end, size_t *column,
                        size_t indent, size_t width)
{
    while (word < end) {
        const char *start = word;
        size_t w = width_of(next_character(&word));
        if (*column + w > width)
            break_line(out, indent, column);
        gt_buffer_append(out, start, (size_t)(word - start));
        *column += w;
    }
}

static size_t word_width(const char *word, const char *end)
{
    size_t width = 0;
    while (word < end)
        width += width_of(next_character(&word));
    return width;
}

void gt_show_wrapped(struct gt_buffer *out, const char *line, size_t column, size_t indent,
                     size_t width)
{
    bool first = true;
    while (*line && !out->overflow) {
        const char *end = line + strcspn(line, " ");
        size_t w = word_width(line, end);
        if (!first && column + 1 + w <= width) {
            gt_buffer_putc(out, ' ');
            column++;
        } else if (!first) {
            break_line(out, indent, &column);
        }
        append_word(out, line, end, &column, indent, width);
        first = false;
        line = end + strspn(end, " ");
    }
}

void gt_show_row(struct gt_buffer *out, const char *const *cells, const size_t *widths,
                 size_t count)
{
    size_t gap = 0; /* blanks owed before the next cell: none at the end of the line */
    for (size_t i = 0; i < count; i++) {
        GT_BUFFER_AUTO struct gt_buffer shown = GT_BUFFER(8 * widths[i] + 64);
        gt_show_line(&shown, cells[i] && *cells[i] ? cells[i] : "-", widths[i]);
        for (; gap > 0; gap--)
            gt_buffer_putc(out, ' ');
        size_t width = shown.len ? gt_show_width(shown.data) : 0;
        gt_buffer_append(out, shown.data ? shown.data : "", shown.len);
        gap = width < widths[i] + 1 ? widths[i] + 2 - width : 1;
    }
    gt_buffer_putc(out, '\n');
}

const char *gt_show_time(int64_t ms, char buf[GT_SHOW_TIME])
{
    char full[GT_TIME_TEXT];
    if (ms == 0 || strlen(gt_time_format(ms, full)) < 16)
        snprintf(buf, GT_SHOW_TIME, "-");
    else
        snprintf(buf, GT_SHOW_TIME, "%.10s %.5s UTC", full, full + 11);
    return buf;
}
