#include "notifier/shorten.h"

#include <string.h>

#define CAP_FIRST ((size_t)16384)
#define CAP_LAST ((size_t)64) /* nothing shorter is cut: ids and fingerprints stay whole */

static bool is_listed(const json_t *list, const char *name)
{
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item)
    {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

/* Cuts one text to `cap` bytes, never through a character. */
static int cut_text(json_t *text, size_t cap)
{
    const char *old = json_string_value(text);
    size_t keep = cap;
    while (keep > 0 && ((unsigned char)old[keep] & 0xc0) == 0x80)
        keep--;
    json_t *cut = json_sprintf("%.*s\u2026", (int)keep, old);
    int code = cut ? json_string_setn(text, json_string_value(cut), json_string_length(cut)) : -1;
    json_decref(cut);
    return code;
}

/* Cuts every text below `value` that is longer than `cap` and notes its name. */
static int cut_all(json_t *value, const char *name, size_t cap, json_t *noted)
{
    const char *key;
    json_t *item;
    size_t index;
    int code = 0;
    if (json_string_length(value) > cap + strlen("\u2026")) {
        code = cut_text(value, cap);
        if (code == 0 && !is_listed(noted, name))
            code = json_array_append_new(noted, json_string(name));
    }
    json_object_foreach(value, key, item)
    {
        code = code ? code : cut_all(item, key, cap, noted);
    }
    json_array_foreach(value, index, item)
    {
        code = code ? code : cut_all(item, name, cap, noted);
    }
    return code;
}

static int shorten(json_t *body, size_t most, struct gt_error *err)
{
    json_t *data = json_object_get(body, "data"), *noted = json_array();
    int code = json_object_set_new(data, "shortened", noted);
    for (size_t cap = CAP_FIRST; code == 0 && cap >= CAP_LAST; cap /= 2) {
        code = cut_all(json_object_get(data, "finding"), "finding", cap, noted);
        if (code == 0 && json_dumpb(body, NULL, 0, JSON_COMPACT) <= most)
            return 0;
    }
    return code ? gt_fail(err, GT_E_NOMEM, "out of memory")
                : gt_fail(err, GT_E_LIMIT, "the alert cannot be made short enough");
}

int gt_json_shortened(json_t *body, size_t most, struct gt_buffer *out, struct gt_error *err)
{
    int code = json_dumpb(body, NULL, 0, JSON_COMPACT) > most ? shorten(body, most, err) : 0;
    if (code == 0 && gt_json_append(body, out) < 0)
        code = gt_fail(err, GT_E_LIMIT, "the alert does not fit in memory");
    return code;
}
