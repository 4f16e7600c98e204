/* Texts in every wrapping that decoders undo, for tests. */
#ifndef GT_TESTS_WRAP_H
#define GT_TESTS_WRAP_H

#include "core/core.h"

/* Appends the wrapped text to `out`, which is as long as it must be. */
typedef void wrap(struct gt_buffer *out, const char *text, size_t len);

wrap wrap_base64, wrap_base64url, wrap_base64_lines, wrap_hex, wrap_hex_bytes, wrap_percent,
    wrap_unicode, wrap_bytes, wrap_json, wrap_decimal, wrap_entities, wrap_quoted, wrap_utf16le,
    wrap_utf16be, wrap_utf16_mark, wrap_utf32le, wrap_utf32be;

/* An archive of libarchive's format and filter with the text as its one file. */
void wrap_archive(struct gt_buffer *out, int format, int filter, const char *name, const char *text,
                  size_t len);
wrap wrap_zip;

#endif
