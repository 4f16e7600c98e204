#include "crawler/pointer.h"

#include <string.h>

#define TOKEN_MAX 256

int gt_pointer_check(const char *text, struct gt_error *err)
{
    size_t tokens = 0, len = 0;

    if (*text && *text != '/')
        return gt_fail(err, GT_E_INVALID, "\"%s\" is no JSON pointer; begin it with '/'", text);
    for (const char *p = text; *p; p++) {
        len = *p == '/' ? 0 : len + 1;
        tokens += *p == '/';
        if (len >= TOKEN_MAX || tokens > GT_POINTER_TOKENS)
            return gt_fail(err, GT_E_INVALID, "\"%.80s...\" is too long for a JSON pointer", text);
        if (*p == '~' && p[1] != '0' && p[1] != '1')
            return gt_fail(err, GT_E_INVALID,
                           "\"%s\" is no JSON pointer; write '~' as ~0 and '/' in a name as ~1",
                           text);
    }
    return 0;
}

/* Copies the token after the '/' at *at, unescaped; *at then stands at the next '/' or the end. */
static bool next_token(const char **at, char token[TOKEN_MAX])
{
    const char *p = *at + 1;
    size_t len = 0;

    for (; *p && *p != '/'; p++) {
        if (len + 1 >= TOKEN_MAX)
            return false;
        token[len++] = *p;
        if (*p == '~' && (p[1] == '0' || p[1] == '1'))
            token[len - 1] = *++p == '0' ? '~' : '/';
    }
    token[len] = '\0';
    *at = p;
    return true;
}

static const json_t *element(const json_t *array, const char *token)
{
    size_t index = 0, len = strlen(token);

    if (len == 0 || len > 9 || (len > 1 && token[0] == '0'))
        return NULL;
    for (const char *p = token; *p; p++) {
        if (*p < '0' || *p > '9')
            return NULL;
        index = index * 10 + (size_t)(*p - '0');
    }
    return json_array_get(array, index);
}

/* Depth is that of the pointer, at most GT_POINTER_TOKENS. */
static int walk(const json_t *value, const char *rest, int (*each)(void *, const json_t *),
                void *user)
{
    char token[TOKEN_MAX];
    int code = 0;

    if (!*rest)
        return each(user, value);
    if (!next_token(&rest, token))
        return 0;
    if (strcmp(token, "[*]") != 0) {
        const json_t *child =
            json_is_array(value) ? element(value, token) : json_object_get(value, token);
        return child ? walk(child, rest, each, user) : 0;
    }
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value) && !code; i++)
        code = walk(json_array_get(value, i), rest, each, user);
    if (!json_is_object(value))
        return code;
    for (void *it = json_object_iter((json_t *)(uintptr_t)value); it && !code;
         it = json_object_iter_next((json_t *)(uintptr_t)value, it))
        code = walk(json_object_iter_value(it), rest, each, user);
    return code;
}

int gt_pointer_each(const json_t *root, const char *pointer,
                    int (*each)(void *user, const json_t *value), void *user)
{
    return root ? walk(root, pointer, each, user) : 0;
}
