#include "core/options.h"

#include "core/files.h"
#include "core/strings.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX ((size_t)64 * 1024)
#define NAME_MAX_LEN 128

static const char name_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

/* One "${...}": appends its value, *ret_after points past it. */
static int expand_one(const char *at, struct gt_buffer *out, const char **ret_after,
                      struct gt_error *err)
{
    const char *name = at + 2, *end = strchr(name, '}');
    size_t len = strspn(name, name_bytes);
    if (!end)
        return gt_fail(err, GT_E_INVALID,
                       "has a ${ that is never closed; write ${NAME}, or $${ for a plain ${");
    bool fallback = gt_starts_with(name + len, ":-");
    if (len == 0 || len >= NAME_MAX_LEN || (name + len != end && !fallback))
        return gt_fail(err, GT_E_INVALID,
                       "has a ${...} that is no variable; write ${NAME} or ${NAME:-default}, or "
                       "$${ for a plain ${");
    char variable[NAME_MAX_LEN];
    memcpy(variable, name, len);
    variable[len] = '\0';
    const char *value = getenv(variable);
    *ret_after = end + 1;
    if (fallback && (!value || !*value))
        return gt_buffer_append(out, name + len + 2, (size_t)(end - name) - len - 2);
    if (!value)
        return gt_fail(err, GT_E_INVALID,
                       "needs the environment variable %s, which is not set; set it, or write "
                       "${%s:-default}",
                       variable, variable);
    return gt_buffer_puts(out, value);
}

static int expand_all(const char *text, struct gt_buffer *out, struct gt_error *err)
{
    while (*text) {
        int rc;
        if (gt_starts_with(text, "$${")) {
            rc = gt_buffer_puts(out, "${");
            text += 3;
        } else if (gt_starts_with(text, "${")) {
            rc = expand_one(text, out, &text, err);
        } else {
            rc = gt_buffer_putc(out, *text++);
        }
        if (rc == GT_E_INVALID)
            return rc;
        if (rc < 0)
            return gt_fail(err, rc, "is longer than 64 KiB once its variables are filled in");
    }
    return 0;
}

int gt_expand(const char *text, struct gt_arena *arena, const char **ret_text, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(VALUE_MAX);
    if (strlen(text) > VALUE_MAX)
        return gt_fail(err, GT_E_LIMIT, "is longer than 64 KiB");
    int rc = expand_all(text, &out, err);
    if (rc == 0 && !gt_utf8_valid(out.data, out.len))
        rc = gt_fail(err, GT_E_INVALID, "is not UTF-8 text once its variables are filled in");
    const char *copy = rc == 0 ? gt_arena_memdup(arena, out.data, out.len) : NULL;
    if (rc == 0 && !copy)
        rc = gt_fail(err, GT_E_LIMIT, "does not fit in memory");
    if (out.data)
        explicit_bzero(out.data, out.len); /* it may be a secret */
    if (rc == 0)
        *ret_text = copy;
    return rc;
}

int gt_append_quoted(struct gt_buffer *out, const char *text)
{
    GT_BUFFER_AUTO struct gt_buffer plain = GT_BUFFER(2 * strlen(text) + 1);
    for (const char *c = text; *c; c++)
        gt_buffer_puts(&plain, gt_starts_with(c, "${") ? "$$" : (const char[]){*c, '\0'});
    GT_JSON_AUTO json_t *string = gt_json_text(plain.data ? plain.data : "", plain.len);
    /* JSON's quotes are YAML's, too. */
    return string ? gt_json_append(string, out) : GT_E_NOMEM;
}

static int read_secret(const char *path, struct gt_arena *arena, const char **ret_text,
                       struct gt_error *err)
{
    struct gt_buffer content = GT_BUFFER(VALUE_MAX);
    int rc = gt_file_read(path, &content, err);
    size_t len = content.len;
    if (len && content.data[len - 1] == '\n')
        len--;
    if (len && content.data[len - 1] == '\r')
        len--;
    if (rc < 0)
        gt_error_prefix(err, "cannot be read from its file");
    else if (len == 0)
        rc = gt_fail(err, GT_E_INVALID, "is empty: write it into %s", path);
    else if (memchr(content.data, '\0', len) || !gt_utf8_valid(content.data, len))
        rc = gt_fail(err, GT_E_INVALID, "is not text: check %s", path);
    const char *copy = rc == 0 ? gt_arena_memdup(arena, content.data, len) : NULL;
    gt_buffer_wipe(&content);
    if (rc < 0)
        return rc;
    if (!copy)
        return gt_fail(err, GT_E_LIMIT, "does not fit in memory");
    *ret_text = copy;
    return 0;
}

int gt_expand_secret(const char *text, const char *directory, struct gt_arena *arena,
                     const char **ret_text, struct gt_error *err)
{
    const char *value;
    int rc = gt_expand(text, arena, &value, err);
    if (rc < 0)
        return rc;
    if (!gt_starts_with(value, "file:")) {
        *ret_text = value;
        return 0;
    }
    const char *path = value + strlen("file:");
    if (!directory)
        return gt_fail(err, GT_E_REFUSED, "may not name a file here");
    if (path[0] != '/')
        path = gt_arena_printf(arena, "%s/%s", directory, path);
    if (!path)
        return gt_fail(err, GT_E_LIMIT, "does not fit in memory");
    return read_secret(path, arena, ret_text, err);
}
