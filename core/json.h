/* JSON: jansson, with what every reader of hostile JSON needs around it. */
#ifndef GT_CORE_JSON_H
#define GT_CORE_JSON_H

#include "core/buffer.h"
#include "core/error.h"

#include <jansson.h>
#include <stdint.h>

/* Strict parse (RFC 8259, depth at most 100, size at most GT_JSON_MAX). NULL and err with line and
 * column on a mistake. The caller owns the reference. */
#define GT_JSON_MAX ((size_t)64 * 1024 * 1024)
json_t *gt_json_parse(const char *bytes, size_t len, struct gt_error *err);
/* Appends compact JSON. */
int gt_json_append(const json_t *value, struct gt_buffer *out);
/* Members with a fallback; the string is borrowed from the object. Any type mismatch gives the
 * fallback. */
const char *gt_json_string(const json_t *object, const char *key, const char *fallback);
int64_t gt_json_int(const json_t *object, const char *key, int64_t fallback);
/* A JSON string of any bytes: ill-formed UTF-8 becomes U+FFFD. Never NULL but on out of memory. */
json_t *gt_json_text(const char *bytes, size_t len);
json_t *gt_json_text_c(const char *text); /* NULL gives JSON null */

void gt_json_cleanup(json_t **value);
#define GT_JSON_AUTO __attribute__((cleanup(gt_json_cleanup)))

#endif
