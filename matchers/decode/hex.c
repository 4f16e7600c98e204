/* Hexadecimal: a run of digits, or bytes as C writes them in a list. */
#include "matchers/decode/decode.h"

#include <string.h>

#define DIGITS_MIN ((size_t)32)
#define BYTES_MIN 12

static bool find(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span)
{
    while (at > least && gt_hex_digit((unsigned char)text.ptr[at - 1]) >= 0)
        at--;
    size_t end = at;
    while (end < text.len && gt_hex_digit((unsigned char)text.ptr[end]) >= 0)
        end++;
    *ret_span = (struct gt_span){at, end};
    bool whole = end == text.len || gt_base64_value[(unsigned char)text.ptr[end]] < 0;
    return whole && end - at >= DIGITS_MIN && (end - at) % 2 == 0;
}

static bool decode(struct gt_str text, struct gt_span span, struct gt_decoded *out)
{
    for (size_t i = span.start; i < span.end; i += 2) {
        int high = gt_hex_digit((unsigned char)text.ptr[i]);
        int low = gt_hex_digit((unsigned char)text.ptr[i + 1]);
        gt_buffer_putc(&out->bytes, (char)(high << 4 | low));
        if (i == span.start + 2 * DIGITS_MIN - 2 &&
            !gt_looks_text(out->bytes.data + out->bytes.len - DIGITS_MIN, DIGITS_MIN) &&
            !gt_looks_utf16(out->bytes.data + out->bytes.len - DIGITS_MIN, DIGITS_MIN) &&
            span.end - span.start < 256)
            return false;
    }
    return gt_buffer_ok(&out->bytes);
}

const struct gt_decoder gt_decoder_hex = {
    .name = "hex",
    .summary = "an even number of 32 hexadecimal digits and more",
    .sign = GT_SIGN_RUN,
    .find = find,
    .decode = decode,
};

/* The length of "0x41, " or its like; 0: no such thing. */
static size_t byte_at(struct gt_str text, size_t at, int *ret_byte)
{
    if (text.len - at < 4 || text.ptr[at] != '0' || text.ptr[at + 1] != 'x')
        return 0;
    int high = gt_hex_digit((unsigned char)text.ptr[at + 2]);
    int low = gt_hex_digit((unsigned char)text.ptr[at + 3]);
    size_t end = at + 4;
    if (high < 0 || low < 0 || (end < text.len && gt_hex_digit((unsigned char)text.ptr[end]) >= 0))
        return 0;
    while (end < text.len && end < at + 64 && strchr(", \t\r\n", text.ptr[end]) && text.ptr[end])
        end++;
    *ret_byte = high << 4 | low;
    return end - at;
}

static bool find_bytes(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span)
{
    size_t end = at, size, count = 0;
    int byte;
    for (; (size = byte_at(text, end, &byte)) > 0; count++)
        end += size;
    *ret_span = (struct gt_span){at, end};
    return count >= BYTES_MIN;
}

static bool decode_bytes(struct gt_str text, struct gt_span span, struct gt_decoded *out)
{
    int byte;
    for (size_t at = span.start, size; at < span.end && (size = byte_at(text, at, &byte)) > 0;
         at += size)
        gt_buffer_putc(&out->bytes, (char)byte);
    return gt_buffer_ok(&out->bytes);
}

const struct gt_decoder gt_decoder_hex_bytes = {
    .name = "hex bytes",
    .summary = "12 and more of 0x41, 0x42, in a row",
    .sign = GT_SIGN_0X,
    .find = find_bytes,
    .decode = decode_bytes,
};
