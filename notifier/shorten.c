#include "notifier/shorten.h"

#include <string.h>

#define SHORT_ENOUGH ((size_t)64) /* nothing shorter is cut: ids and fingerprints stay whole */

/* The longest text below `value`: where it is (an object's key or an array's index) and how long.
 */
struct longest {
    json_t *holder;
    const char *key;
    size_t index, len;
    const char *name; /* for data.shortened */
};

static void look(json_t *value, const char *name, struct longest *found)
{
    const char *key;
    json_t *item;
    size_t index;
    json_object_foreach(value, key, item)
    {
        if (json_string_length(item) > found->len)
            *found = (struct longest){value, key, 0, json_string_length(item), key};
        look(item, key, found);
    }
    json_array_foreach(value, index, item)
    {
        if (json_string_length(item) > found->len)
            *found = (struct longest){value, NULL, index, json_string_length(item), name};
        look(item, name, found);
    }
}

static json_t *halved(const char *text, size_t len)
{
    size_t keep = len / 2;
    while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
        keep--;
    return json_sprintf("%.*s\u2026", (int)keep, text);
}

static int halve(const struct longest *found)
{
    const json_t *old = found->key ? json_object_get(found->holder, found->key)
                                   : json_array_get(found->holder, found->index);
    json_t *half = halved(json_string_value(old), json_string_length(old));
    if (!half)
        return -1;
    return found->key ? json_object_set_new(found->holder, found->key, half)
                      : json_array_set_new(found->holder, found->index, half);
}

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

static int note(json_t *data, const char *name)
{
    json_t *list = json_object_get(data, "shortened");
    if (!list) {
        list = json_array();
        if (json_object_set_new(data, "shortened", list) != 0)
            return -1;
    }
    return is_listed(list, name) ? 0 : json_array_append_new(list, json_string(name));
}

static int cut_longest(json_t *body, struct gt_error *err)
{
    json_t *data = json_object_get(body, "data");
    struct longest found = {.len = SHORT_ENOUGH};
    look(json_object_get(data, "finding"), "finding", &found);
    if (!found.holder)
        return gt_fail(err, GT_E_LIMIT, "the alert cannot be made short enough");
    /* The key is the object's own memory and lives on: setting replaces the value alone. */
    if (halve(&found) != 0 || note(data, found.name) != 0)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    return 0;
}

int gt_json_shortened(json_t *body, size_t most, struct gt_buffer *out, struct gt_error *err)
{
    int code = 0;
    while (code == 0 && json_dumpb(body, NULL, 0, JSON_COMPACT) > most)
        code = cut_longest(body, err);
    if (code == 0 && gt_json_append(body, out) < 0)
        code = gt_fail(err, GT_E_LIMIT, "the alert does not fit in memory");
    return code;
}
