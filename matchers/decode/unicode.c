/* UTF-16 and UTF-32, little- and big-endian, with a byte order mark or known by their zero bytes,
 * as UTF-8. */
#include "matchers/decode/decode.h"

#include <string.h>

#define HEAD ((size_t)1024)
#define LEAST 16
#define RAW ((size_t)16 * 1024)

struct encoding {
    unsigned width; /* 2 or 4 */
    bool big;
};

struct transcoder {
    struct gt_source source;
    struct gt_source *outer;
    struct encoding encoding;
    unsigned char raw[RAW];
    size_t from, to;
    uint32_t high;   /* a surrogate that waits for its other half */
    char waiting[8]; /* a character that did not fit */
    size_t waiting_len;
};

static uint32_t unit_of(const unsigned char *b, struct encoding encoding)
{
    if (encoding.width == 2)
        return encoding.big ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[1] << 8 | b[0];
    return encoding.big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
                        : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* Tables of numbers have zero bytes, too: nearly all must be characters, and half of them ASCII. */
static bool is_plausible(const char *head, size_t len, struct encoding encoding)
{
    size_t units = (len < HEAD ? len : HEAD) / encoding.width, ascii = 0, other = 0;
    for (size_t i = 0; i < units; i++) {
        uint32_t c = unit_of((const unsigned char *)head + i * encoding.width, encoding);
        ascii += (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\r' || c == '\t';
        other += c >= 0xA0 && c < 0x30000;
    }
    return units * encoding.width >= LEAST && (ascii + other) * 20 >= units * 19 &&
           ascii * 2 >= units;
}

static bool guess(const char *head, size_t len, struct encoding *ret)
{
    static const struct encoding encodings[] = {{2, false}, {2, true}, {4, false}, {4, true}};
    if (len < LEAST || !memchr(head, 0, len < 256 ? len : 256))
        return false;
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        if (is_plausible(head, len, encodings[i])) {
            *ret = encodings[i];
            return true;
        }
    }
    return false;
}

bool gt_looks_utf16(const char *bytes, size_t len)
{
    struct encoding encoding;
    return guess(bytes, len, &encoding);
}

static bool encoding_of(const char *head, size_t len, struct encoding *ret)
{
    static const struct {
        const char *mark;
        size_t len;
        struct encoding encoding;
    } marks[] = {
        {"\xFF\xFE\0\0", 4, {4, false}},
        {"\0\0\xFE\xFF", 4, {4, true}},
        {"\xFF\xFE", 2, {2, false}},
        {"\xFE\xFF", 2, {2, true}},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (len >= marks[i].len && memcmp(head, marks[i].mark, marks[i].len) == 0) {
            *ret = marks[i].encoding;
            return true;
        }
    }
    return guess(head, len, ret);
}

static bool recognise(const char *head, size_t len)
{
    struct encoding encoding;
    return encoding_of(head, len, &encoding);
}

/* False at the end. An odd last byte is left. */
static bool fill(struct transcoder *t, ssize_t *ret_error)
{
    memmove(t->raw, t->raw + t->from, t->to - t->from);
    t->to -= t->from;
    t->from = 0;
    while (t->to < t->encoding.width) {
        ssize_t got = t->outer->read(t->outer, t->raw + t->to, RAW - t->to);
        if (got <= 0) {
            *ret_error = got;
            return false;
        }
        t->to += (size_t)got;
    }
    return true;
}

static void put(struct transcoder *t, uint32_t c, struct gt_buffer *out)
{
    if (c == 0xFEFF)
        return;
    if (c >= 0xD800 && c < 0xDC00) {
        t->high = c;
        return;
    }
    if (c >= 0xDC00 && c < 0xE000)
        c = t->high ? 0x10000 + ((t->high & 0x3FF) << 10 | (c & 0x3FF)) : 0xFFFD;
    t->high = 0;
    gt_append_char(out, c > 0x10FFFF ? 0xFFFD : c);
}

static ssize_t read_text(struct gt_source *source, void *to, size_t len)
{
    struct transcoder *t = (struct transcoder *)source;
    struct gt_buffer out = GT_BUFFER(8);
    size_t have = 0;
    ssize_t error = 0;
    while (have < len) {
        if (t->waiting_len > 0) {
            size_t most = len - have < t->waiting_len ? len - have : t->waiting_len;
            memcpy((char *)to + have, t->waiting, most);
            memmove(t->waiting, t->waiting + most, t->waiting_len - most);
            t->waiting_len -= most;
            have += most;
            continue;
        }
        if (t->to - t->from < t->encoding.width && !fill(t, &error))
            break;
        uint32_t c = unit_of(t->raw + t->from, t->encoding);
        t->from += t->encoding.width;
        if (c < 0x80) {
            ((char *)to)[have++] = (char)c;
            t->high = 0;
            continue;
        }
        gt_buffer_reset(&out);
        put(t, c, &out);
        memcpy(t->waiting, out.data ? out.data : "", out.len);
        t->waiting_len = out.len;
    }
    gt_buffer_free(&out);
    return have > 0 ? (ssize_t)have : error;
}

static int walk(struct gt_walk *walk, struct gt_source *source, struct gt_error *err)
{
    static const char *const names[2][2] = {{"UTF-16LE", "UTF-16BE"}, {"UTF-32LE", "UTF-32BE"}};
    struct transcoder transcoder = {.source = {.read = read_text}, .outer = source};
    if (!encoding_of(source->bytes, source->len, &transcoder.encoding))
        return 0;
    const struct encoding *encoding = &transcoder.encoding;
    return gt_walk_entry(walk, names[encoding->width == 4][encoding->big], &transcoder.source);
}

const struct gt_decoder gt_decoder_unicode = {
    .name = "UTF-16",
    .summary = "UTF-16 and UTF-32, by their mark or by their zero bytes",
    .recognise = recognise,
    .walk = walk,
    .quick = true,
};
