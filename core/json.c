#include "core/json.h"

#include "core/strings.h"

#include <string.h>

json_t *gt_json_parse(const char *bytes, size_t len, struct gt_error *err)
{
    if (len > GT_JSON_MAX) {
        gt_fail(err, GT_E_LIMIT, "the JSON is larger than %zu bytes", GT_JSON_MAX);
        return NULL;
    }
    /* jansson itself stops at JSON_PARSER_MAX_DEPTH (2048) levels; hostile nesting ends well
     * before. */
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if ((c == '[' || c == '{') && ++depth > 100) {
            gt_fail(err, GT_E_LIMIT, "the JSON is nested deeper than 100 levels");
            return NULL;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    json_error_t why;
    json_t *value = json_loadb(bytes, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!value)
        gt_fail(err, GT_E_INVALID, "not JSON: line %d, column %d: %.160s", why.line, why.column,
                why.text);
    return value;
}

static int append_chunk(const char *bytes, size_t len, void *data)
{
    struct gt_buffer *out = data;
    return gt_buffer_append(out, bytes, len);
}

int gt_json_append(const json_t *value, struct gt_buffer *out)
{
    if (json_dump_callback(value, append_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
        return 0;
    return out->overflow ? GT_E_LIMIT : GT_E_NOMEM;
}

const char *gt_json_string(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : fallback;
}

int64_t gt_json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

json_t *gt_json_text(const char *bytes, size_t len)
{
    json_t *text = json_stringn(bytes, len);
    if (text)
        return text;
    struct gt_buffer clean = GT_BUFFER(3 * len + 1);
    gt_utf8_append_clean(&clean, bytes, len);
    text = gt_buffer_ok(&clean) ? json_stringn(clean.data ? clean.data : "", clean.len) : NULL;
    gt_buffer_free(&clean);
    return text;
}

json_t *gt_json_text_c(const char *text)
{
    return text ? gt_json_text(text, strlen(text)) : json_null();
}

void gt_json_cleanup(json_t **value)
{
    json_decref(*value);
}
