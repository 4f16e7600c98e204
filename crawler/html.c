#include "crawler/html.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#define NAME_MAX_LEN 15
#define LINK_MAX 4096

struct text {
    struct gt_buffer *out;
    size_t start; /* what was in out before */
    const char *at, *end;
    int pre;             /* depth of <pre> */
    bool space;          /* white space waits to be written before the next word */
    int breaks;          /* line breaks that wait, at most 2 */
    bool literal;        /* no tag is closed from here on: the rest is text */
    char link[LINK_MAX]; /* href of the open <a>; "": none */
    size_t link_text;    /* where its text starts in out */
};

struct tag {
    char name[NAME_MAX_LEN + 1]; /* lower case */
    bool closing;
    const char *attributes, *end; /* end: behind the '>' */
};

void gt_utf8_put(struct gt_buffer *out, unsigned c)
{
    if (c < 0x80) {
        gt_buffer_putc(out, (char)c);
    } else if (c < 0x800) {
        gt_buffer_putc(out, (char)(0xC0 | c >> 6));
        gt_buffer_putc(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        gt_buffer_putc(out, (char)(0xE0 | c >> 12));
        gt_buffer_putc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        gt_buffer_putc(out, (char)(0x80 | (c & 0x3F)));
    } else {
        gt_buffer_putc(out, (char)(0xF0 | c >> 18));
        gt_buffer_putc(out, (char)(0x80 | (c >> 12 & 0x3F)));
        gt_buffer_putc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        gt_buffer_putc(out, (char)(0x80 | (c & 0x3F)));
    }
}

unsigned gt_html_entity(const char *name, size_t len)
{
    char copy[16];
    if (len == 0 || len >= sizeof copy)
        return 0;
    memcpy(copy, name, len);
    copy[len] = '\0';
    if (strcmp(copy, "apos") == 0)
        return '\'';
    const htmlEntityDesc *entity = htmlEntityLookup((const xmlChar *)copy);
    return entity ? entity->value : 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static unsigned numeric_entity(const char *digits, size_t len)
{
    unsigned base = len && (*digits == 'x' || *digits == 'X') ? 16 : 10, value = 0;

    for (size_t i = base == 16; i < len; i++) {
        char c = digits[i];
        unsigned digit =
            c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a') + 10;
        if (digit >= base || value > 0x10FFFF)
            return 0;
        value = value * base + digit;
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    return value;
}

/* The character of the entity at `at` ("&amp;", "&#38;", also without ';'), 0: it is none. */
static unsigned entity_at(const char *at, const char *end, size_t *ret_len)
{
    const char *name = at + 1, *stop = name;
    bool number = stop < end && *stop == '#';

    stop += number;
    while (stop < end && stop - name < 16 && is_alnum(*stop))
        stop++;
    size_t len = (size_t)(stop - name);
    unsigned c = number ? numeric_entity(name + 1, len - 1) : gt_html_entity(name, len);
    if (c && !(c < 32 && !is_space((char)c))) {
        *ret_len = len + 1 + (stop < end && *stop == ';');
        return c;
    }
    return 0;
}

/* Writes the white space and line breaks that wait; none at the start. */
static void flush_space(struct text *text)
{
    if (text->out->len > text->start) {
        for (int i = 0; i < text->breaks; i++)
            gt_buffer_putc(text->out, '\n');
        if (!text->breaks && text->space)
            gt_buffer_putc(text->out, ' ');
    }
    text->breaks = 0;
    text->space = false;
}

static void put_char(struct text *text, unsigned c)
{
    if (c == 0xA0)
        c = ' ';
    if (c == 0 || c == 0xAD ||
        c == 0x200B) /* what only breaks words for the eye breaks tokens for us */
        return;
    if (c < 128 && is_space((char)c) && !text->pre) {
        text->space = true;
        return;
    }
    flush_space(text);
    gt_utf8_put(text->out, c);
}

static void put_text(struct text *text, const char *at, const char *end)
{
    while (at < end) {
        size_t len = 1;
        unsigned c = *at == '&' ? entity_at(at, end, &len) : 0;
        if (c) {
            put_char(text, c);
        } else if ((unsigned char)*at < 128) {
            put_char(text, (unsigned char)*at);
        } else { /* part of a longer character: as it is */
            flush_space(text);
            gt_buffer_putc(text->out, *at);
        }
        at += len;
    }
}

static void line_break(struct text *text, int lines)
{
    text->space = false;
    if (text->breaks < lines)
        text->breaks = lines;
}

/* Attributes that hold what a leak may sit in. */
static const char *const kept_attributes[] = {"href", "src", "alt", "title", "action", "content"};

/* The next attribute from *at on; false at the end of the tag. Value without quotes, entities as
 * they are. */
static bool next_attribute(const char **at, const char *end, struct gt_str *ret_name,
                           struct gt_str *ret_value)
{
    const char *p = *at;

    while (p < end && (is_space(*p) || *p == '/'))
        p++;
    const char *name = p;
    while (p < end && !is_space(*p) && *p != '=' && *p != '/')
        p++;
    *ret_name = (struct gt_str){name, (size_t)(p - name)};
    *ret_value = (struct gt_str){"", 0};
    while (p < end && is_space(*p))
        p++;
    if (p < end && *p == '=') {
        for (p++; p < end && is_space(*p); p++)
            ;
        char quote = p < end && (*p == '"' || *p == '\'') ? *p++ : '\0';
        const char *value = p;
        while (p < end && (quote ? *p != quote : !is_space(*p)))
            p++;
        *ret_value = (struct gt_str){value, (size_t)(p - value)};
        p += quote && p < end;
    }
    bool more = p > *at && (ret_name->len || ret_value->len);
    *at = p;
    return more;
}

static bool name_is(struct gt_str name, const char *lower)
{
    if (name.len != strlen(lower))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((is_letter(name.ptr[i]) ? name.ptr[i] | 32 : name.ptr[i]) != lower[i])
            return false;
    return true;
}

static void decode(struct gt_str value, struct gt_buffer *out)
{
    struct text plain = {.out = out, .start = out->len, .pre = 1};
    put_text(&plain, value.ptr, value.ptr + value.len);
}

static void open_link(struct text *text, struct gt_str href)
{
    GT_BUFFER_AUTO struct gt_buffer link = GT_BUFFER(LINK_MAX - 1);
    decode(href, &link);
    if (!link.data)
        return;
    flush_space(text);
    memcpy(text->link, link.data, link.len + 1);
    text->link_text = text->out->len;
}

static void close_link(struct text *text)
{
    size_t len = strlen(text->link);
    const char *shown = text->out->data ? text->out->data + text->link_text : "";
    size_t shown_len = text->out->len - text->link_text;

    if (len && !(shown_len == len && memcmp(shown, text->link, len) == 0)) {
        flush_space(text);
        gt_buffer_printf(text->out, "%s<%s>", shown_len ? " " : "", text->link);
        text->space = true;
    }
    text->link[0] = '\0';
}

static void put_attributes(struct text *text, const struct tag *tag)
{
    const char *at = tag->attributes;
    struct gt_str name, value;
    bool link = strcmp(tag->name, "a") == 0;

    while (next_attribute(&at, tag->end - 1, &name, &value)) {
        if (link && name_is(name, "href")) {
            open_link(text, value);
            continue;
        }
        for (size_t i = 0; value.len && i < sizeof kept_attributes / sizeof *kept_attributes; i++)
            if (name_is(name, kept_attributes[i])) {
                text->space = true;
                put_text(text, value.ptr, value.ptr + value.len);
                text->space = true;
            }
    }
}

static const struct block {
    const char *name;
    int lines;
} blocks[] = {
    {"p", 2},       {"div", 1},     {"br", 1},       {"li", 1},    {"ul", 1}, {"ol", 1},
    {"tr", 1},      {"h1", 2},      {"h2", 2},       {"h3", 2},    {"h4", 2}, {"blockquote", 2},
    {"table", 1},   {"pre", 1},     {"hr", 1},       {"dt", 1},    {"dd", 1}, {"dl", 1},
    {"section", 1}, {"article", 1}, {"header", 1},   {"h5", 2},    {"h6", 2}, {"form", 1},
    {"script", 1},  {"option", 1},  {"textarea", 1}, {"title", 1},
};

/* Past the content of script and style, which is not markup; a script's is kept. */
static void raw_content(struct text *text, const struct tag *tag)
{
    size_t len = strlen(tag->name);
    const char *at = text->at;

    for (; at < text->end; at++) {
        if (*at != '<' || (size_t)(text->end - at) < len + 2 || at[1] != '/')
            continue;
        if (name_is((struct gt_str){at + 2, len}, tag->name))
            break;
    }
    if (strcmp(tag->name, "script") == 0)
        gt_buffer_append(text->out, text->at, (size_t)(at - text->at));
    text->at = at;
}

static void apply_tag(struct text *text, const struct tag *tag)
{
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (strcmp(tag->name, blocks[i].name) == 0)
            line_break(text, blocks[i].lines);
    if (strcmp(tag->name, "td") == 0 || strcmp(tag->name, "th") == 0)
        text->space = true;
    if (strcmp(tag->name, "a") == 0)
        close_link(text);
    if (strcmp(tag->name, "pre") == 0 || strcmp(tag->name, "textarea") == 0)
        text->pre = !tag->closing;
    if (tag->closing)
        return;
    put_attributes(text, tag);
    if (strcmp(tag->name, "script") == 0 || strcmp(tag->name, "style") == 0) {
        flush_space(text);
        raw_content(text, tag);
    }
}

/* The tag at `at`, which is at '<'. False when it is none, or has no end: then all the rest has
 * none. */
static bool read_tag(struct text *text, struct tag *tag)
{
    const char *p = text->at + 1;
    char quote = '\0', before = '\0';
    size_t len = 0;

    tag->closing = p < text->end && *p == '/';
    p += tag->closing;
    if (p >= text->end || !is_letter(*p))
        return false;
    for (; p < text->end && is_alnum(*p); p++)
        if (len < NAME_MAX_LEN)
            tag->name[len++] = is_letter(*p) ? *p | 32 : *p;
    tag->name[len] = '\0';
    tag->attributes = p;
    for (; p < text->end && (quote || *p != '>'); p++) {
        if (quote && *p == quote)
            quote = '\0';
        else if (!quote && before == '=' && (*p == '"' || *p == '\''))
            quote = *p;
        if (!is_space(*p))
            before = *p;
    }
    tag->end = p + 1;
    text->literal = p >= text->end;
    return !text->literal;
}

/* Past a comment, declaration or processing instruction at `at`; the markers of a CDATA section
 * alone. */
static bool skip_declaration(struct text *text)
{
    static const char cdata[] = "<![CDATA[";
    const char *at = text->at, *close;
    size_t left = (size_t)(text->end - at);

    if (left >= sizeof cdata - 1 && memcmp(at, cdata, sizeof cdata - 1) == 0) {
        text->at += sizeof cdata - 1;
        return true;
    }
    if (left < 2 || (at[1] != '!' && at[1] != '?'))
        return false;
    bool comment = left >= 4 && memcmp(at, "<!--", 4) == 0;
    close = comment ? memmem(at + 4, left - 4, "-->", 3) : memchr(at, '>', left);
    if (!close) {
        text->literal = true;
        return false;
    }
    text->at = close + (comment ? 3 : 1);
    return true;
}

int gt_html_to_text(const char *html, size_t len, struct gt_buffer *out)
{
    struct text text = {.out = out, .start = out->len, .at = html, .end = html + len};
    bool overflow = out->overflow;

    while (text.at < text.end && !out->overflow) {
        struct tag tag;
        const char *start = text.at;
        const char *mark = text.literal ? NULL : memchr(start, '<', (size_t)(text.end - start));

        put_text(&text, start, mark ? mark : text.end);
        text.at = mark ? mark : text.end;
        if (!mark || skip_declaration(&text))
            continue;
        if (!text.literal && read_tag(&text, &tag)) {
            text.at = tag.end;
            apply_tag(&text, &tag);
        } else {
            put_char(&text, '<');
            text.at++;
        }
    }
    close_link(&text);
    return out->overflow && !overflow ? GT_E_LIMIT : 0;
}
