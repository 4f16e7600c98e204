/* Case and accents folded, so that "ACMÉ", "Acmé" and "acme" are one word; and what a word is.
 *
 * Bytes that are no UTF-8 are read as ISO 8859-1, which is what they mostly are. */
#ifndef GT_MATCHERS_FOLD_H
#define GT_MATCHERS_FOLD_H

#include "core/core.h"

/* Length of the character at bytes (len > 0). */
size_t gt_char_next(const char *bytes, size_t len, uint32_t *ret_char);
/* Length of the character that ends at bytes + end (end > 0). */
size_t gt_char_previous(const char *bytes, size_t end, uint32_t *ret_char);

/* A letter or digit of a script that puts spaces between words. Not the underscore: ACME_API_KEY
 * names Acme. */
bool gt_char_is_word(uint32_t c);
bool gt_char_is_mark(uint32_t c); /* a combining accent */

#define GT_FOLD_CHAR_MAX 4
/* UTF-8 of the folded character; 0 bytes for a combining accent. */
size_t gt_fold_char(uint32_t c, char *ret_bytes);
/* Folds a text; it never grows by more than a half. */
int gt_fold(const char *bytes, size_t len, struct gt_buffer *out);

/* The bytes before `end` are an escape of another notation, whose last letter is no part of a word:
 * \n \t \r, \xHH, \uHHHH, %HH. Leaks are often quoted in JSON or URLs. */
bool gt_escape_ends(const char *text, size_t end);
/* No letter or digit touches text[start, end) on a side where the piece itself has one. */
bool gt_stands_alone(const char *text, size_t len, size_t start, size_t end);

#endif
