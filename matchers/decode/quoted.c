/* Quoted-printable (RFC 2045, 6.7): =3D, and lines that end with = go on. */
#include "matchers/decode/decode.h"

#include <string.h>

#define REGION ((size_t)64 * 1024)
#define SOFT_LINE ((size_t)60) /* a shorter line that ends with = is no wrapped one */
#define LINE_MAX ((size_t)78)

/* The length of a soft line break at `at`; 0: none. */
static size_t soft_break(struct gt_str text, size_t at)
{
    if (at + 1 >= text.len || text.ptr[at] != '=')
        return 0;
    if (text.ptr[at + 1] == '\n')
        return 2;
    return at + 2 < text.len && text.ptr[at + 1] == '\r' && text.ptr[at + 2] == '\n' ? 3 : 0;
}

static int byte_at(struct gt_str text, size_t at)
{
    if (text.len - at < 3 || text.ptr[at] != '=')
        return -1;
    int high = gt_hex_digit((unsigned char)text.ptr[at + 1]);
    int low = gt_hex_digit((unsigned char)text.ptr[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static size_t line_start(struct gt_str text, size_t at, size_t least)
{
    while (at > least && text.ptr[at - 1] != '\n')
        at--;
    return at;
}

/* Whether the line before the one that starts at `start` goes on in it. */
static bool goes_on(struct gt_str text, size_t start, size_t least)
{
    size_t end = start;
    if (end > least && text.ptr[end - 1] == '\n')
        end--;
    if (end > least && text.ptr[end - 1] == '\r')
        end--;
    return end > least && end < start && text.ptr[end - 1] == '=';
}

static size_t region_end(struct gt_str text, size_t at)
{
    size_t limit = text.len - at < REGION ? text.len : at + REGION;
    for (;;) {
        const char *newline = memchr(text.ptr + at, '\n', limit - at);
        if (!newline)
            return limit;
        size_t end = (size_t)(newline - text.ptr);
        if (!goes_on(text, end + 1, at))
            return end;
        at = end + 1;
    }
}

static bool find(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span)
{
    size_t most = at > 4096 && at - 4096 > least ? at - 4096 : least;
    size_t start = line_start(text, at, most);
    size_t length = at - start;
    if (soft_break(text, at) ? length < SOFT_LINE || length > LINE_MAX : byte_at(text, at) != '=')
        return false;
    while (start > most && goes_on(text, start, most))
        start = line_start(text, start - 1, most);
    *ret_span = (struct gt_span){start, region_end(text, at)};
    return true;
}

static bool append(struct gt_str text, struct gt_span span, struct gt_decoded *out,
                   struct gt_buffer *bytes)
{
    struct gt_str piece = {text.ptr, span.end};
    for (size_t at = span.start; at < span.end;) {
        const char *escape = memchr(text.ptr + at, '=', span.end - at);
        size_t stop = escape ? (size_t)(escape - text.ptr) : span.end;
        if ((out && !gt_decoded_mark(out, at)) || gt_buffer_append(bytes, text.ptr + at, stop - at))
            return false;
        at = stop;
        if (!escape)
            break;
        size_t soft = soft_break(piece, at);
        int byte = soft ? -1 : byte_at(piece, at);
        if (out && !gt_decoded_mark(out, at))
            return false;
        if (!soft)
            gt_buffer_putc(bytes, (char)(byte >= 0 ? byte : '='));
        at += soft ? soft : byte >= 0 ? 3 : 1;
    }
    return gt_buffer_ok(bytes);
}

void gt_quoted_append(struct gt_str text, struct gt_buffer *out)
{
    append(text, (struct gt_span){0, text.len}, NULL, out);
}

static bool decode(struct gt_str text, struct gt_span span, struct gt_decoded *out)
{
    return append(text, span, out, &out->bytes);
}

const struct gt_decoder gt_decoder_quoted = {
    .name = "quoted-printable",
    .summary = "=3D and lines that go on behind = as in mail",
    .sign = GT_SIGN_EQUALS,
    .view = true,
    .find = find,
    .decode = decode,
};
