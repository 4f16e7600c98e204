/* Backslash escapes of JSON (RFC 8259), C, JavaScript and their kin. */
#include "matchers/decode/decode.h"

#include <string.h>

/* So many hexadecimal digits; their value, or -1. */
static int64_t hex_at(struct gt_str text, size_t at, size_t digits)
{
    int64_t value = 0;
    if (at > text.len || text.len - at < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        int digit = gt_hex_digit((unsigned char)text.ptr[at + i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool is_surrogate(int64_t c)
{
    return c >= 0xD800 && c < 0xE000;
}

static size_t unicode_at(struct gt_str text, size_t at, uint32_t *ret_char)
{
    int64_t high = hex_at(text, at + 2, 4);
    if (high >= 0 && !is_surrogate(high)) {
        *ret_char = (uint32_t)high;
        return 6;
    }
    bool pair = high >= 0xD800 && high < 0xDC00 && text.len - at >= 12 &&
                text.ptr[at + 6] == '\\' && text.ptr[at + 7] == 'u';
    int64_t low = pair ? hex_at(text, at + 8, 4) : -1;
    if (low < 0xDC00 || low >= 0xE000)
        return 0;
    *ret_char = 0x10000 + ((uint32_t)(high & 0x3FF) << 10 | (uint32_t)(low & 0x3FF));
    return 12;
}

static size_t octal_at(struct gt_str text, size_t at, uint32_t *ret_char)
{
    uint32_t value = 0;
    if (text.len - at < 4 || text.ptr[at + 1] > '1')
        return 0;
    for (size_t i = 1; i < 4; i++) {
        if (text.ptr[at + i] < '0' || text.ptr[at + i] > '7')
            return 0;
        value = value << 3 | (uint32_t)(text.ptr[at + i] - '0');
    }
    *ret_char = value;
    return 4;
}

size_t gt_escape_at(struct gt_str text, size_t at, uint32_t *ret_char)
{
    static const char from[] = "ntr\"'/\\bf", to[] = "\n\t\r\"'/\\ \n";
    if (text.len - at < 2 || text.ptr[at] != '\\')
        return 0;
    char c = text.ptr[at + 1];
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        *ret_char = (unsigned char)to[simple - from];
        return 2;
    }
    if (c == 'u')
        return unicode_at(text, at, ret_char);
    if (c == '0' || c == '1')
        return octal_at(text, at, ret_char);
    int64_t value = c == 'x' ? hex_at(text, at + 2, 2) : -1;
    *ret_char = (uint32_t)value;
    return value < 0 ? 0 : 4;
}

/* What most text has at its lines' ends ("...\n") tells nothing new. */
static bool is_worth(struct gt_str text, size_t at, size_t size, uint32_t c)
{
    char next = at + size < text.len ? text.ptr[at + size] : 0;
    char kind = text.ptr[at + 1];
    if (kind == '\\' || kind == '\'')
        return false;
    if (strchr("ntrbf", kind))
        return (next >= '0' && next <= '9') || (next >= 'A' && next <= 'Z') || next == '-' ||
               (next >= 'a' && next <= 'z');
    return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t' || c == '\r';
}

static bool find(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span)
{
    uint32_t c = 0;
    size_t size = gt_escape_at(text, at, &c);
    if (size == 0 || !is_worth(text, at, size, c))
        return false;
    *ret_span = gt_line_around(text, at, least, '\\');
    return true;
}

static bool decode(struct gt_str text, struct gt_span span, struct gt_decoded *out)
{
    struct gt_str piece = {text.ptr, span.end};
    for (size_t at = span.start; at < span.end;) {
        const char *escape = memchr(text.ptr + at, '\\', span.end - at);
        size_t stop = escape ? (size_t)(escape - text.ptr) : span.end;
        uint32_t c = 0;
        if (!gt_decoded_mark(out, at) || gt_buffer_append(&out->bytes, text.ptr + at, stop - at))
            return false;
        at = stop;
        size_t size = escape ? gt_escape_at(piece, at, &c) : 0;
        if (escape && !gt_decoded_mark(out, at))
            return false;
        if (size > 0 && text.ptr[at + 1] == 'x')
            gt_buffer_putc(&out->bytes, (char)c); /* a byte of UTF-8, not a character */
        else if (size > 0)
            gt_append_char(&out->bytes, c);
        else if (escape)
            gt_buffer_putc(&out->bytes, '\\');
        at += size > 0 ? size : escape ? 1 : 0;
    }
    return gt_buffer_ok(&out->bytes);
}

const struct gt_decoder gt_decoder_escapes = {
    .name = "escapes",
    .summary = "\\\" \\/ \\n \\x41 \\u0041 \\101 as in JSON and source code",
    .sign = GT_SIGN_BACKSLASH,
    .view = true,
    .find = find,
    .decode = decode,
};
