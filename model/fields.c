#include "model/fields.h"

#include <limits.h>
#include <string.h>

/* Any struct's member at its offset; the table vouches for the type. */
static const void *place(const void *base, const struct gt_member *member)
{
    return (const char *)base + member->offset;
}

#define YEAR_10000 INT64_C(253402300800000) /* RFC 3339 has four digits for the year */

static json_t *time_to_json(int64_t ms)
{
    char text[GT_TIME_TEXT];
    return ms > 0 && ms < YEAR_10000 ? json_string(gt_time_format(ms, text)) : json_null();
}

static json_t *member_to_json(const struct gt_member *member, const void *from)
{
    switch (member->type) {
    case GT_FIELD_TEXT:
        return gt_json_text_c(*(const char *const *)from);
    case GT_FIELD_ID:
        return json_string(from);
    case GT_FIELD_TIME:
        return time_to_json(*(const int64_t *)from);
    case GT_FIELD_COUNT:
        return json_integer(*(const unsigned *)from);
    case GT_FIELD_BOOL:
        return json_boolean(*(const bool *)from);
    case GT_FIELD_END:
        break;
    }
    return NULL;
}

int gt_members_write(json_t *object, const struct gt_member *members, const void *from)
{
    for (const struct gt_member *m = members; m->type; m++)
        if (json_object_set_new(object, m->key, member_to_json(m, place(from, m))))
            return GT_E_NOMEM;
    return 0;
}

static int wrong(const char *key, const char *expected, struct gt_error *err)
{
    return gt_fail(err, GT_E_INVALID, "\"%s\" is not %s", key, expected);
}

static int read_text(const struct gt_member *member, const json_t *value, struct gt_arena *arena,
                     const char **ret, struct gt_error *err)
{
    if (!json_is_string(value))
        return wrong(member->key, "a string", err);
    const char *copy = gt_arena_memdup(arena, json_string_value(value), json_string_length(value));
    if (!copy)
        return gt_fail(err, GT_E_LIMIT, "\"%s\" does not fit in memory", member->key);
    *ret = copy;
    return 0;
}

static int read_id(const struct gt_member *member, const json_t *value, char *ret,
                   struct gt_error *err)
{
    const char *text = json_string_value(value);
    size_t len = text ? strlen(text) : 0;
    if (!text || (len && len != member->size - 1) || strspn(text, "0123456789abcdef") != len)
        return wrong(member->key, "an id (lower-case hex digits)", err);
    memcpy(ret, text, len + 1);
    return 0;
}

static int read_time(const struct gt_member *member, const json_t *value, int64_t *ret,
                     struct gt_error *err)
{
    int64_t ms = json_is_string(value) ? gt_time_parse(json_string_value(value)) : 0;
    if (!ms)
        return wrong(member->key, "a time (RFC 3339)", err);
    *ret = ms;
    return 0;
}

static int read_count(const struct gt_member *member, const json_t *value, unsigned *ret,
                      struct gt_error *err)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    if (number < 0 || number > UINT_MAX)
        return wrong(member->key, "a whole number from 0", err);
    *ret = (unsigned)number;
    return 0;
}

static int read_member(const struct gt_member *member, const json_t *value, struct gt_arena *arena,
                       void *to, struct gt_error *err)
{
    switch (member->type) {
    case GT_FIELD_TEXT:
        return read_text(member, value, arena, to, err);
    case GT_FIELD_ID:
        return read_id(member, value, to, err);
    case GT_FIELD_TIME:
        return read_time(member, value, to, err);
    case GT_FIELD_COUNT:
        return read_count(member, value, to, err);
    case GT_FIELD_BOOL:
        if (!json_is_boolean(value))
            return wrong(member->key, "true or false", err);
        *(bool *)to = json_is_true(value);
        return 0;
    case GT_FIELD_END:
        break;
    }
    return 0;
}

int gt_members_read(const json_t *object, const struct gt_member *members, struct gt_arena *arena,
                    void *to, struct gt_error *err)
{
    if (!json_is_object(object))
        return gt_fail(err, GT_E_INVALID, "this is not a JSON object");
    for (const struct gt_member *m = members; m->type; m++) {
        const json_t *value = json_object_get(object, m->key);
        if (!value || json_is_null(value)) {
            if (m->required)
                return gt_fail(err, GT_E_INVALID, "\"%s\" is missing", m->key);
            continue;
        }
        int rc = read_member(m, value, arena, (char *)to + m->offset, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int gt_member_choice(const json_t *object, const char *key, const char *const *names,
                     struct gt_error *err)
{
    const char *text = json_string_value(json_object_get(object, key));
    for (int i = 0; text && names[i]; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return wrong(key, "a known name", err);
}
