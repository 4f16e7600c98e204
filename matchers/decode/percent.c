/* Percent-encoding (RFC 3986). */
#include "matchers/decode/decode.h"

#include <string.h>

static int byte_at(struct gt_str text, size_t at)
{
    if (text.len - at < 3 || text.ptr[at] != '%')
        return -1;
    int high = gt_hex_digit((unsigned char)text.ptr[at + 1]);
    int low = gt_hex_digit((unsigned char)text.ptr[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool find(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span)
{
    int byte = byte_at(text, at);
    if (!(byte > 0x20 && byte < 0x7F) && byte != '\n' && byte != '\r') /* %20 hides nothing */
        return false;
    *ret_span = gt_line_around(text, at, least, '%');
    return true;
}

static bool decode(struct gt_str text, struct gt_span span, struct gt_decoded *out)
{
    struct gt_str piece = {text.ptr, span.end};
    for (size_t at = span.start; at < span.end;) {
        const char *escape = memchr(text.ptr + at, '%', span.end - at);
        size_t stop = escape ? (size_t)(escape - text.ptr) : span.end;
        if (!gt_decoded_mark(out, at) || gt_buffer_append(&out->bytes, text.ptr + at, stop - at))
            return false;
        at = stop;
        if (!escape)
            break;
        int byte = byte_at(piece, at);
        if (!gt_decoded_mark(out, at))
            return false;
        gt_buffer_putc(&out->bytes, (char)(byte >= 0 ? byte : '%'));
        at += byte >= 0 ? 3 : 1;
    }
    return gt_buffer_ok(&out->bytes);
}

const struct gt_decoder gt_decoder_percent = {
    .name = "percent-encoding",
    .summary = "%2F as in addresses and forms",
    .sign = GT_SIGN_PERCENT,
    .view = true,
    .find = find,
    .decode = decode,
};
