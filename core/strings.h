/* Text helpers. Bytes are bytes: nothing here depends on the locale. */
#ifndef GT_CORE_STRINGS_H
#define GT_CORE_STRINGS_H

#include "core/arena.h"
#include "core/buffer.h"
#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed run of bytes, not NUL-terminated. */
struct gt_str {
    const char *ptr;
    size_t len;
};

#define GT_STR(literal) ((struct gt_str){(literal), sizeof(literal) - 1})
struct gt_str gt_str_of(const char *text); /* NULL gives an empty one */
bool gt_str_eq(struct gt_str a, struct gt_str b);
bool gt_str_eq_c(struct gt_str a, const char *b);
struct gt_str gt_str_trim(struct gt_str text); /* ASCII white space off both ends */

bool gt_starts_with(const char *text, const char *prefix);
bool gt_ends_with(const char *text, const char *suffix);
bool gt_equals_ignoring_case(const char *a, const char *b); /* ASCII */

/* True when all len bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool gt_utf8_valid(const char *bytes, size_t len);
/* Appends bytes with every ill-formed sequence replaced by U+FFFD and C0 controls other than tab
 * and newline dropped: for showing hostile text to a person. */
int gt_utf8_append_clean(struct gt_buffer *out, const char *bytes, size_t len);

/* Damerau-Levenshtein distance of two short ASCII words (at most 64 bytes each; longer: SIZE_MAX).
 */
size_t gt_edit_distance(const char *a, const char *b);

/* "90", "90s", "5m", "12h", "3d", "250ms" to milliseconds; a bare number is seconds. */
int gt_parse_duration(const char *text, int64_t *ret_ms, struct gt_error *err);
/* "512", "64KiB", "10MiB", "2GiB", also kB/MB/GB (powers of ten) to bytes. */
int gt_parse_size(const char *text, uint64_t *ret_bytes, struct gt_error *err);
/* The shortest honest spelling: "1.5 KiB", "3 d 4 h". */
char *gt_format_size(struct gt_arena *arena, uint64_t bytes);
char *gt_format_duration(struct gt_arena *arena, int64_t ms);

/* RFC 3986 percent-encoding of everything but unreserved characters. */
int gt_append_percent_encoded(struct gt_buffer *out, const char *bytes, size_t len);

#endif
