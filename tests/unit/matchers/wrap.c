#include "wrap.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

static void encode64(struct gt_buffer *out, const char *text, size_t len, const char *letters)
{
    const unsigned char *in = (const unsigned char *)text;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= i + 2 < len ? in[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            if (i + k < len + 1)
                gt_buffer_putc(out, letters[bits >> (18 - 6 * k) & 63]);
    }
}

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void wrap_base64(struct gt_buffer *out, const char *text, size_t len)
{
    encode64(out, text, len, ALNUM "+/");
    gt_buffer_puts(out, len % 3 == 1 ? "==" : len % 3 == 2 ? "=" : "");
}

void wrap_base64url(struct gt_buffer *out, const char *text, size_t len)
{
    encode64(out, text, len, ALNUM "-_");
}

void wrap_base64_lines(struct gt_buffer *out, const char *text, size_t len)
{
    GT_BUFFER_AUTO struct gt_buffer flat = GT_BUFFER(SIZE_MAX / 2);
    wrap_base64(&flat, text, len);
    for (size_t i = 0; i < flat.len; i += 64) {
        gt_buffer_puts(out, i > 0 ? "\n  " : "");
        gt_buffer_append(out, flat.data + i, flat.len - i < 64 ? flat.len - i : 64);
    }
}

static void each(struct gt_buffer *out, const char *text, size_t len, const char *format)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < len; i++)
        gt_buffer_printf(out, format, (unsigned char)text[i]);
#pragma GCC diagnostic pop
}

void wrap_hex(struct gt_buffer *out, const char *text, size_t len)
{
    each(out, text, len, "%02x");
}

void wrap_hex_bytes(struct gt_buffer *out, const char *text, size_t len)
{
    each(out, text, len, "0x%02X, ");
}

void wrap_percent(struct gt_buffer *out, const char *text, size_t len)
{
    each(out, text, len, "%%%02X");
}

void wrap_unicode(struct gt_buffer *out, const char *text, size_t len)
{
    each(out, text, len, "\\u%04x");
}

void wrap_bytes(struct gt_buffer *out, const char *text, size_t len)
{
    each(out, text, len, "\\x%02x");
}

void wrap_entities(struct gt_buffer *out, const char *text, size_t len)
{
    each(out, text, len, "&#x%x;");
}

void wrap_decimal(struct gt_buffer *out, const char *text, size_t len)
{
    each(out, text, len, "&#%d;");
}

/* A text in a JSON text in a JSON text. */
void wrap_json(struct gt_buffer *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            gt_buffer_puts(out, "\\\\n");
        else if (text[i] == '"')
            gt_buffer_puts(out, "\\\\\\\"");
        else if (text[i] == '\\')
            gt_buffer_puts(out, "\\\\\\\\");
        else if (text[i] == '/')
            gt_buffer_puts(out, "\\\\/");
        else if (text[i] == '\t')
            gt_buffer_puts(out, "\\\\t");
        else
            gt_buffer_putc(out, text[i]);
    }
}

void wrap_quoted(struct gt_buffer *out, const char *text, size_t len)
{
    size_t column = 0;
    for (size_t i = 0; i < len; i++) {
        if (column >= 72) {
            gt_buffer_puts(out, "=\r\n");
            column = 0;
        }
        if (text[i] == '=' || (text[i] & 0x80))
            gt_buffer_printf(out, "=%02X", (unsigned char)text[i]);
        else
            gt_buffer_putc(out, text[i]);
        column = text[i] == '\n' ? 0 : column + (text[i] == '=' ? 3 : 1);
    }
}

static void units(struct gt_buffer *out, const char *text, size_t len, size_t width, bool big)
{
    for (size_t i = 0; i < len; i++)
        for (size_t k = 0; k < width; k++)
            gt_buffer_putc(out, k == (big ? width - 1 : 0) ? text[i] : 0);
}

void wrap_utf16le(struct gt_buffer *out, const char *text, size_t len)
{
    units(out, text, len, 2, false);
}

void wrap_utf16be(struct gt_buffer *out, const char *text, size_t len)
{
    units(out, text, len, 2, true);
}

void wrap_utf16_mark(struct gt_buffer *out, const char *text, size_t len)
{
    gt_buffer_puts(out, "\xFF\xFE");
    units(out, text, len, 2, false);
}

void wrap_utf32le(struct gt_buffer *out, const char *text, size_t len)
{
    units(out, text, len, 4, false);
}

void wrap_utf32be(struct gt_buffer *out, const char *text, size_t len)
{
    units(out, text, len, 4, true);
}

void wrap_archive(struct gt_buffer *out, int format, int filter, const char *name, const char *text,
                  size_t len)
{
    size_t room = len + len / 4 + (size_t)1024 * 1024, used = 0;
    char *bytes = malloc(room);
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    if (format == ARCHIVE_FORMAT_AR_GNU) /* has no number there */
        archive_write_set_format_ar_svr4(archive);
    else
        archive_write_set_format(archive, format);
    archive_write_add_filter(archive, filter);
    archive_write_set_bytes_in_last_block(archive, 1);
    archive_write_open_memory(archive, bytes, room, &used);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)len);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(archive, entry);
    archive_write_data(archive, text, len);
    archive_entry_free(entry);
    archive_write_close(archive);
    gt_buffer_append(out, bytes, used);
    archive_write_free(archive);
    free(bytes);
}

void wrap_zip(struct gt_buffer *out, const char *text, size_t len)
{
    wrap_archive(out, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "a/.env", text, len);
}
