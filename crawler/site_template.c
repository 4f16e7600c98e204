#include "crawler/site_template.h"

#include <string.h>

#define SELECTOR_MAX 1024
#define VALUE_MAX ((size_t)64 * 1024)

/* The next "{...}" from `at` on; false: none. A "{" that is never closed is plain text. */
static bool next_reference(const char *at, const char **ret_open, const char **ret_close)
{
    const char *open = strchr(at, '{'), *close = open ? strchr(open, '}') : NULL;
    if (!close)
        return false;
    *ret_open = open;
    *ret_close = close;
    return true;
}

int gt_template_references(const char *text, int (*each)(void *user, const char *name, size_t len),
                           void *user, struct gt_error *err)
{
    const char *open, *close;

    while (next_reference(text, &open, &close)) {
        const char *name = open + 1 + (open[1] == '+');
        int code = each(user, name, (size_t)(close - name));
        if (code)
            return code;
        text = close + 1;
    }
    if (strchr(text, '{'))
        return gt_fail(err, GT_E_INVALID, "has a { that is never closed; write {name}");
    return 0;
}

struct looking {
    const char *name;
};

static int is_name(void *user, const char *name, size_t len)
{
    const struct looking *looking = user;
    return strlen(looking->name) == len && memcmp(looking->name, name, len) == 0;
}

bool gt_template_has(const char *text, const char *name)
{
    struct looking looking = {name};
    return gt_template_references(text, is_name, &looking, NULL) == 1;
}

const char *gt_site_param_value(const struct gt_site *site, const struct gt_site_options *options,
                                const char *name, size_t len)
{
    for (size_t i = 0; options && i < options->params.count; i++) {
        const char *row = *GT_LIST_ITEM(options->params, const char *, i);
        if (strncmp(row, name, len) == 0 && row[len] == '=')
            return row + len + 1;
    }
    for (size_t i = 0; i < site->params.count; i++) {
        const struct gt_site_param *param = GT_LIST_ITEM(site->params, struct gt_site_param, i);
        if (strlen(param->name) == len && memcmp(param->name, name, len) == 0)
            return param->fallback ? param->fallback : "";
    }
    return NULL;
}

/* A name that the engine gives; NULL: none of them. */
static const char *engine_value(const struct gt_scope *scope, const char *name, size_t len)
{
    const struct {
        const char *name, *value;
    } values[] = {
        {"base", scope->base},         {"token", scope->options ? scope->options->token : NULL},
        {"cursor", scope->cursor},     {"cursor_iso", scope->cursor_iso},
        {"page", scope->page},         {"id", scope->id},
        {"revision", scope->revision},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0)
            return values[i].value ? values[i].value : "";
    return gt_site_param_value(scope->site, scope->options, name, len);
}

static void put(struct gt_buffer *out, const char *value, size_t len, bool encode)
{
    if (encode)
        gt_append_percent_encoded(out, value, len);
    else
        gt_buffer_append(out, value, len);
}

/* 1: something was put. `base` is the operator's or the definition's, never data. */
static int put_reference(const struct gt_scope *scope, const char *name, size_t len, bool encode,
                         struct gt_buffer *out)
{
    GT_BUFFER_AUTO struct gt_buffer found = GT_BUFFER(VALUE_MAX);
    char selector[SELECTOR_MAX];
    const char *value = engine_value(scope, name, len);

    if (value) {
        put(out, value, strlen(value), encode && !(len == 4 && memcmp(name, "base", 4) == 0));
        return *value != '\0';
    }
    if (!scope->record || len >= sizeof selector)
        return 0;
    memcpy(selector, name, len);
    selector[len] = '\0';
    gt_record_text(scope->record, selector, NULL, &found);
    if (found.overflow || !found.len)
        return 0;
    put(out, found.data, found.len, encode);
    return 1;
}

int gt_template(const struct gt_scope *scope, const char *text, enum gt_template_mode mode,
                struct gt_buffer *out)
{
    size_t before = out->len;
    const char *open, *close;
    int whole = 1;

    while (whole && next_reference(text, &open, &close)) {
        bool plain = open[1] == '+' || mode == GT_TEMPLATE_PLAIN;
        const char *name = open + 1 + (open[1] == '+');
        gt_buffer_append(out, text, (size_t)(open - text));
        whole = put_reference(scope, name, (size_t)(close - name), !plain, out);
        text = close + 1;
    }
    if (whole)
        gt_buffer_puts(out, text);
    if (whole && gt_buffer_ok(out) && out->len > before)
        return 1;
    if (out->data)
        out->data[before] = '\0';
    out->len = before;
    out->overflow = false;
    return 0;
}

int gt_value(const struct gt_scope *scope, const char *text, struct gt_buffer *out)
{
    size_t before = out->len;

    if (strchr(text, '{'))
        return gt_template(scope, text, GT_TEMPLATE_PLAIN, out);
    if (!scope->record || gt_record_text(scope->record, text, NULL, out) == 0)
        return 0;
    if (!gt_buffer_ok(out) || out->len == before) { /* too long to be what it should be */
        out->overflow = false;
        return 0;
    }
    return 1;
}

int gt_first_value(const struct gt_scope *scope, const struct gt_list *values,
                   struct gt_buffer *out)
{
    for (size_t i = 0; i < values->count; i++)
        if (gt_value(scope, *GT_LIST_ITEM(*values, const char *, i), out))
            return 1;
    return 0;
}

int gt_template_url(const struct gt_scope *scope, const char *url, const struct gt_list *query,
                    struct gt_buffer *out)
{
    if (!gt_template(scope, url, GT_TEMPLATE_URL, out))
        return 0;
    for (size_t i = 0; query && i < query->count; i++) {
        GT_BUFFER_AUTO struct gt_buffer row = GT_BUFFER(out->max);
        if (!gt_template(scope, *GT_LIST_ITEM(*query, const char *, i), GT_TEMPLATE_URL, &row))
            continue;
        gt_buffer_putc(out, strchr(out->data, '?') ? '&' : '?');
        gt_buffer_append(out, row.data, row.len);
    }
    return gt_buffer_ok(out);
}
