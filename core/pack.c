#include "core/pack.h"

#include <string.h>

#define NO_TEXT UINT32_MAX

/* Bytes of a value without strings; 0: a value of another shape. */
static size_t plain_size(const struct gt_option *option)
{
    switch (option->type) {
    case GT_OPTION_BOOL:
    case GT_OPTION_INT:
    case GT_OPTION_NUMBER:
    case GT_OPTION_DURATION:
    case GT_OPTION_SIZE:
    case GT_OPTION_ENUM:
        return gt_option_size(option);
    default:
        return 0;
    }
}

/* ---- writing ---- */

void gt_pack_text(const char *text, struct gt_buffer *out)
{
    uint32_t len = text ? (uint32_t)strlen(text) : NO_TEXT;
    gt_buffer_append(out, &len, sizeof len);
    if (text)
        gt_buffer_append(out, text, len + 1);
}

static void pack_value(const struct gt_option *option, const char *from, struct gt_buffer *out)
{
    size_t size = plain_size(option);
    if (size > 0)
        gt_buffer_append(out, from, size);
    else if (option->type == GT_OPTION_STRUCT)
        gt_pack(option->nested, from, out);
    else
        gt_pack_text(*(const char *const *)from, out);
}

static void pack_list(const struct gt_option *option, const struct gt_list *list,
                      struct gt_buffer *out)
{
    uint32_t count = (uint32_t)list->count;
    size_t size = gt_option_size(option);
    gt_buffer_append(out, &count, sizeof count);
    for (size_t i = 0; i < list->count; i++)
        pack_value(option, (const char *)list->items + i * size, out);
}

void gt_pack(const struct gt_option *options, const void *from, struct gt_buffer *out)
{
    for (; options->type != GT_OPTION_END; options++) {
        const char *at = (const char *)from + options->offset;
        if (options->flags & GT_OPTION_LIST)
            pack_list(options, (const struct gt_list *)(const void *)at, out);
        else
            pack_value(options, at, out);
    }
}

/* ---- reading ---- */

static int take(struct gt_str *rest, void *to, size_t len)
{
    if (rest->len < len)
        return GT_E_INVALID;
    memcpy(to, rest->ptr, len);
    *rest = (struct gt_str){rest->ptr + len, rest->len - len};
    return 0;
}

int gt_unpack_text(struct gt_str *rest, const char **ret_text)
{
    uint32_t len;
    if (take(rest, &len, sizeof len) < 0)
        return GT_E_INVALID;
    if (len == NO_TEXT) {
        *ret_text = NULL;
        return 0;
    }
    if (len >= rest->len || rest->ptr[len] != '\0')
        return GT_E_INVALID;
    *ret_text = rest->ptr;
    *rest = (struct gt_str){rest->ptr + len + 1, rest->len - len - 1};
    return 0;
}

static int unpack_value(const struct gt_option *option, struct gt_str *rest, struct gt_arena *arena,
                        char *to)
{
    size_t size = plain_size(option);
    if (size > 0)
        return take(rest, to, size);
    if (option->type == GT_OPTION_STRUCT)
        return gt_unpack(option->nested, rest, arena, to);
    return gt_unpack_text(rest, (const char **)(void *)to);
}

static int unpack_list(const struct gt_option *option, struct gt_str *rest, struct gt_arena *arena,
                       struct gt_list *ret)
{
    uint32_t count;
    size_t size = gt_option_size(option);
    if (take(rest, &count, sizeof count) < 0 || count > rest->len)
        return GT_E_INVALID;
    char *items = gt_arena_array(arena, count ? count : 1, size);
    if (!items)
        return GT_E_NOMEM;
    memset(items, 0, (count ? count : 1) * size);
    int rc = 0;
    for (uint32_t i = 0; i < count && rc >= 0; i++)
        rc = unpack_value(option, rest, arena, items + i * size);
    *ret = (struct gt_list){items, count};
    return rc;
}

int gt_unpack(const struct gt_option *options, struct gt_str *rest, struct gt_arena *arena,
              void *ret)
{
    int rc = 0;
    for (; options->type != GT_OPTION_END && rc >= 0; options++) {
        char *at = (char *)ret + options->offset;
        if (options->flags & GT_OPTION_LIST)
            rc = unpack_list(options, rest, arena, (struct gt_list *)(void *)at);
        else
            rc = unpack_value(options, rest, arena, at);
    }
    return rc;
}
