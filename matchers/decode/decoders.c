#include "matchers/decode/decode.h"

#include <stdlib.h>
#include <string.h>

/* Those of spans first: of one sign the first that finds something is asked. Then containers, in
 * the order in which they are recognised. The rows' contents stand in their files. */
const struct gt_decoder *const gt_decoders[] = {
    &gt_decoder_hex,      &gt_decoder_base64, &gt_decoder_escapes,   &gt_decoder_percent,
    &gt_decoder_entities, &gt_decoder_quoted, &gt_decoder_hex_bytes, &gt_decoder_archive,
    &gt_decoder_unicode,  &gt_decoder_mail,   &gt_decoder_notebook,  &gt_decoder_office,
};

const size_t gt_decoder_count = sizeof gt_decoders / sizeof *gt_decoders;

const struct gt_decoder *gt_container_of(const char *head, size_t len, bool quick)
{
    for (size_t i = 0; i < gt_decoder_count; i++)
        if (gt_decoders[i]->recognise && (gt_decoders[i]->quick || !quick) &&
            gt_decoders[i]->recognise(head, len))
            return gt_decoders[i];
    return NULL;
}

bool gt_decoded_mark(struct gt_decoded *decoded, size_t from)
{
    if (decoded->mark_count == decoded->mark_capacity) {
        size_t capacity = decoded->mark_capacity ? 2 * decoded->mark_capacity : 1024;
        struct gt_mark *more = realloc(decoded->marks, capacity * sizeof *more);
        if (!more)
            return false;
        decoded->marks = more;
        decoded->mark_capacity = capacity;
    }
    decoded->marks[decoded->mark_count++] =
        (struct gt_mark){(uint32_t)decoded->bytes.len, (uint32_t)from};
    return true;
}

void gt_decoded_free(struct gt_decoded *decoded)
{
    gt_buffer_wipe(&decoded->bytes);
    gt_buffer_free(&decoded->bytes);
    free(decoded->marks);
    *decoded = (struct gt_decoded){.bytes = GT_BUFFER(GT_DECODED_MAX)};
}

int gt_hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int gt_append_char(struct gt_buffer *out, uint32_t c)
{
    char utf8[4];
    size_t len = 0;
    if (c < 0x80) {
        utf8[len++] = (char)c;
    } else if (c < 0x800) {
        utf8[len++] = (char)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        utf8[len++] = (char)(0xE0 | c >> 12);
        utf8[len++] = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        utf8[len++] = (char)(0xF0 | (c >> 18 & 7));
        utf8[len++] = (char)(0x80 | (c >> 12 & 0x3F));
        utf8[len++] = (char)(0x80 | (c >> 6 & 0x3F));
    }
    if (c >= 0x80)
        utf8[len++] = (char)(0x80 | (c & 0x3F));
    return gt_buffer_append(out, utf8, len);
}

/* How many bytes of a character of UTF-8 stand here; 0: none. */
static size_t utf8_length(const unsigned char *at, size_t len)
{
    size_t size = at[0] >= 0xC2 && at[0] < 0xE0   ? 2
                  : at[0] >= 0xE0 && at[0] < 0xF0 ? 3
                  : at[0] >= 0xF0 && at[0] < 0xF5 ? 4
                                                  : 0;
    for (size_t i = 1; i < size; i++)
        if (i >= len || (at[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

bool gt_looks_text(const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t good = 0;
    for (size_t i = 0; i < len;) {
        unsigned char c = at[i];
        bool plain = (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t' || c == '\r';
        size_t size = plain ? 1 : c >= 0x80 ? utf8_length(at + i, len - i) : 0;
        good += size;
        i += size ? size : 1;
    }
    return len > 0 && good * 10 >= len * 9;
}

#define BEFORE ((size_t)256)
#define BEHIND ((size_t)512)
#define REGION ((size_t)64 * 1024)

static size_t line_start(struct gt_str text, size_t at, size_t least)
{
    while (at > least && text.ptr[at - 1] != '\n')
        at--;
    return at;
}

struct gt_span gt_line_around(struct gt_str text, size_t at, size_t least, char sign)
{
    size_t most = at > BEFORE && at - BEFORE > least ? at - BEFORE : least;
    size_t limit = text.len - at > REGION ? at + REGION : text.len;
    const char *newline = memchr(text.ptr + at, '\n', limit - at);
    size_t end = newline ? (size_t)(newline - text.ptr) : limit, last = at;
    while (end - last > BEHIND) {
        const char *next = memrchr(text.ptr + last + 1, sign, BEHIND - 1);
        if (!next)
            return (struct gt_span){line_start(text, at, most), last + BEHIND};
        last = (size_t)(next - text.ptr);
    }
    return (struct gt_span){line_start(text, at, most), end};
}
