/* Base64 and base64url (RFC 4648), one run or several lines, padded or not. */
#include "matchers/decode/decode.h"

#include <string.h>

#define RUN_MIN ((size_t)24)
#define LINE_MIN ((size_t)40) /* shorter lines are not taken for wrapped base64 */
#define SAMPLE ((size_t)64)
#define QUANTA 6

#define X -1
const signed char gt_base64_value[256] = {
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  62, X,  62, X,  63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  X,  X,  X,  X,  0,  1,  2,  3,  4,  5,  6,
    7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X,  X,  X,  X,  63,
    X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
};
#undef X

static int value_at(struct gt_str text, size_t at)
{
    return at < text.len ? gt_base64_value[(unsigned char)text.ptr[at]] : -1;
}

void gt_base64_append(struct gt_str text, struct gt_buffer *out)
{
    char piece[3 * 256];
    size_t len = 0;
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = gt_base64_value[(unsigned char)text.ptr[i]];
        if (value < 0)
            continue;
        bits = bits << 6 | (uint32_t)value;
        if (++count == 4) {
            piece[len++] = (char)(bits >> 16);
            piece[len++] = (char)(bits >> 8);
            piece[len++] = (char)bits;
            count = 0;
            if (len == sizeof piece) {
                gt_buffer_append(out, piece, len);
                len = 0;
            }
        }
    }
    bits <<= 6 * (4 - count) % 24;
    for (int i = 1; i < count; i++)
        piece[len++] = (char)(bits >> (24 - 8 * i));
    gt_buffer_append(out, piece, len);
}

/* ASCII has no eighth bit, so that three of the 24 bits of each four letters are 0. Words seldom
 * have that: it spares decoding them. */
static bool may_be_text(struct gt_str text, size_t at, size_t end)
{
    int quanta = 0, wrong = 0;
    for (; quanta < QUANTA && at + 4 <= end; quanta++, at += 4) {
        int a = value_at(text, at), b = value_at(text, at + 1), c = value_at(text, at + 2);
        if (a < 0 || b < 0 || c < 0)
            break;
        wrong += (a & 0x20) || (b & 0x08) || (c & 0x02);
        if (wrong > 2)
            return false;
    }
    return quanta > 2 * wrong;
}

static size_t sample(struct gt_str text, size_t at, size_t end, char bytes[SAMPLE])
{
    struct gt_buffer out = GT_BUFFER(2 * SAMPLE);
    size_t most = SAMPLE / 3 * 4, len = end - at < most ? end - at : most;
    gt_base64_append((struct gt_str){text.ptr + at, len}, &out);
    len = out.len < SAMPLE ? out.len : SAMPLE;
    if (len > 0)
        memcpy(bytes, out.data, len);
    gt_buffer_free(&out);
    return len;
}

static bool starts_text(struct gt_str text, size_t at, size_t end)
{
    char bytes[SAMPLE];
    if (end - at < 16 || !may_be_text(text, at, end))
        return false;
    size_t len = sample(text, at, end, bytes);
    return gt_looks_text(bytes, len) || gt_looks_utf16(bytes, len);
}

/* The first letters of gzip, zip, xz, bzip2, zstd, 7z. */
static bool starts_container(struct gt_str text, size_t at, size_t end)
{
    static const char *const starts[] = {"H4sI", "UEsD", "/Td6", "Qlpo", "KLUv", "N3q8"};
    for (size_t i = 0; end - at > RUN_MIN && i < sizeof starts / sizeof *starts; i++)
        if (memcmp(text.ptr + at, starts[i], 4) == 0)
            return true;
    return false;
}

static size_t run_end(struct gt_str text, size_t at)
{
    while (value_at(text, at) >= 0)
        at++;
    return at;
}

static bool is_line_end(struct gt_str text, size_t at)
{
    return at < text.len && (text.ptr[at] == '\n' || (text.ptr[at] == '\r' && at + 1 < text.len &&
                                                      text.ptr[at + 1] == '\n'));
}

/* Lines of the same length, and a last one that may be shorter. */
static size_t wrapped_end(struct gt_str text, size_t end, size_t length)
{
    while (length >= LINE_MIN && is_line_end(text, end)) {
        size_t next = end + (text.ptr[end] == '\r' ? 2 : 1);
        while (next < text.len && (text.ptr[next] == ' ' || text.ptr[next] == '\t'))
            next++;
        size_t stop = run_end(text, next);
        if (stop == next || stop - next > length)
            break;
        end = stop;
        if (stop - next < length)
            break;
    }
    return end;
}

static bool choose_start(struct gt_str text, size_t start, size_t end, size_t *ret_start)
{
    size_t after = start; /* the last of / - _, which may stand before it */
    for (size_t i = start; i < end && i < start + SAMPLE; i++)
        after = value_at(text, i) >= 62 && text.ptr[i] != '+' ? i + 1 : after;
    const size_t tries[] = {start, after, start + 1, start + 2, start + 3};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        if (tries[i] < end &&
            (starts_text(text, tries[i], end) || starts_container(text, tries[i], end))) {
            *ret_start = tries[i];
            return true;
        }
    }
    return false;
}

static bool find(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span)
{
    while (at > least && value_at(text, at - 1) >= 0)
        at--;
    size_t end = run_end(text, at);
    if (end - at < RUN_MIN || !choose_start(text, at, end, &ret_span->start))
        return false;
    ret_span->end = wrapped_end(text, end, end - at);
    return true;
}

static bool decode(struct gt_str text, struct gt_span span, struct gt_decoded *out)
{
    gt_base64_append((struct gt_str){text.ptr + span.start, span.end - span.start}, &out->bytes);
    return gt_buffer_ok(&out->bytes);
}

const struct gt_decoder gt_decoder_base64 = {
    .name = "base64",
    .summary = "base64 and base64url of 24 letters and more, in one run or in lines",
    .sign = GT_SIGN_RUN,
    .find = find,
    .decode = decode,
};
