/* What is checked of a site definition beyond its option tables, so that a mistake shows when the
 * file is read and not when the site answers. */
#include "crawler/site_definition.h"
#include "crawler/site_template.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

struct inspection {
    const struct gt_site *site;
    struct gt_mistakes *mistakes;
    const struct gt_node *root, *at; /* at: the section looked at */
    const char *path;                /* its name in messages */
    int kind; /* of selectors here (enum gt_answer_kind); -1: none may stand here */
};

static void say(const struct inspection *in, const char *key, const struct gt_error *err)
{
    char path[160];
    snprintf(path, sizeof path, "%s%s%s", in->path, *in->path && *key ? "." : "", key);
    gt_mistake(in->mistakes, in->at, path, "%s", err->message);
}

static void complain(const struct inspection *in, const char *key, const char *words)
{
    struct gt_error err;
    gt_fail(&err, GT_E_INVALID, "%s", words);
    say(in, key, &err);
}

static const char *const engine_names[] = {"base", "token", "cursor",   "cursor_iso",
                                           "page", "id",    "revision", NULL};

static bool is_known_name(const struct gt_site *site, const char *name, size_t len)
{
    for (size_t i = 0; engine_names[i]; i++)
        if (strlen(engine_names[i]) == len && memcmp(engine_names[i], name, len) == 0)
            return true;
    return gt_site_param_value(site, NULL, name, len) != NULL;
}

static void offer_names(const struct gt_site *site, struct gt_nearest *nearest)
{
    for (size_t i = 0; engine_names[i]; i++)
        gt_nearest_offer(nearest, engine_names[i]);
    for (size_t i = 0; i < site->params.count; i++)
        gt_nearest_offer(nearest, GT_LIST_ITEM(site->params, struct gt_site_param, i)->name);
}

struct referring {
    const struct inspection *in;
    const char *key;
};

static int check_reference(void *user, const char *name, size_t len)
{
    const struct referring *referring = user;
    const struct inspection *in = referring->in;
    struct gt_error err;
    char selector[256];

    snprintf(selector, sizeof selector, "%.*s", (int)len, name);
    if (is_known_name(in->site, name, len))
        return 0;
    if (in->kind >= 0 && gt_selector_check(in->kind, selector, false, &err) == 0)
        return 0;
    struct gt_nearest nearest = {.word = selector};
    offer_names(in->site, &nearest);
    if (nearest.best)
        gt_fail(&err, GT_E_INVALID, "{%s} is not known here; did you mean {%s}?", selector,
                nearest.best);
    else
        gt_fail(&err, GT_E_INVALID, "{%s} is not known here; write a param%s", selector,
                in->kind < 0 ? "" : " or a selector of the item");
    say(in, referring->key, &err);
    return 0;
}

static void check_template(const struct inspection *in, const char *key, const char *text)
{
    struct referring referring = {in, key};
    struct gt_error err;

    if (text && gt_template_references(text, check_reference, &referring, &err) < 0)
        say(in, key, &err);
}

static void check_selector(const struct inspection *in, const char *key, const char *text,
                           bool items)
{
    struct gt_error err;

    if (!text)
        return;
    if (in->kind < 0)
        complain(in, key,
                 "there is nothing to select from here; set `kind` to json, html, xml or text");
    else if (gt_selector_check(in->kind, text, items, &err) < 0)
        say(in, key, &err);
}

static void check_value(const struct inspection *in, const char *key, const char *text)
{
    if (text && strchr(text, '{'))
        check_template(in, key, text);
    else
        check_selector(in, key, text, false);
}

static void check_values(const struct inspection *in, const char *key, const struct gt_list *values)
{
    for (size_t i = 0; i < values->count; i++)
        check_value(in, key, *GT_LIST_ITEM(*values, const char *, i));
}

static void check_parts(const struct inspection *in, const char *key, const struct gt_list *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        check_selector(in, key, GT_LIST_ITEM(*parts, struct gt_site_part, i)->from, false);
}

static void check_rows(const struct inspection *in, const char *key, const struct gt_list *rows,
                       char mark)
{
    for (size_t i = 0; i < rows->count; i++) {
        const char *row = *GT_LIST_ITEM(*rows, const char *, i), *at = strchr(row, mark);
        if (!at || at == row)
            complain(in, key,
                     mark == '=' ? "is no query row; write \"name=value\""
                                 : "is no header; write \"Name: value\"");
        check_template(in, key, row);
    }
}

static void check_conditions(const struct inspection *in, const struct gt_list *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        check_selector(in, "when", GT_LIST_ITEM(*conditions, struct gt_site_condition, i)->field,
                       false);
}

static void check_errors(const struct inspection *in, const struct gt_list *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        const char *pattern = GT_LIST_ITEM(*errors, struct gt_site_error, i)->pattern;
        int number;
        PCRE2_SIZE offset;
        pcre2_code *code = pattern ? pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0,
                                                   &number, &offset, NULL)
                                   : NULL;
        if (pattern && !code)
            complain(in, "errors", "the pattern is no regex (PCRE2)");
        pcre2_code_free(code);
    }
}

static void check_fields(const struct inspection *in, const struct gt_site_fields *fields)
{
    check_values(in, "link", &fields->link);
    check_values(in, "title", &fields->title);
    check_values(in, "author", &fields->author);
    check_values(in, "published", &fields->published);
    check_values(in, "type", &fields->type);
    check_parts(in, "body", &fields->body);
}

static void check_files(const struct inspection *in, const struct gt_site_files *files)
{
    if (!files->items)
        return;
    check_selector(in, "files.items", files->items, true);
    if (!files->name)
        complain(in, "files.name", "missing; write the selector of the file's name");
    check_value(in, "files.name", files->name);
    check_parts(in, "files.content", &files->content);
    check_selector(in, "files.truncated", files->truncated, false);
    check_template(in, "files.url", files->url);
}

static int kind_of(int form)
{
    return form == GT_FORM_RAW || form == GT_FORM_COUNTER ? -1 : form;
}

/* Request templates see the item of the list; fields see the answer. */
static void check_fetch(struct inspection *in, const struct gt_site_fetch *fetch, int list_kind)
{
    in->path = "item.fetch";
    in->kind = list_kind;
    check_conditions(in, &fetch->when);
    check_template(in, "url", fetch->url);
    check_rows(in, "query", &fetch->query, '=');
    check_rows(in, "headers", &fetch->headers, ':');
    check_errors(in, &fetch->errors);
    in->kind = kind_of(fetch->form);
    if (fetch->form == GT_FORM_COUNTER)
        complain(in, "kind", "a counter is for lists only; write raw, json, html, xml or text");
    else if (fetch->form != GT_FORM_RAW && !fetch->fields.body.count && !fetch->files.items)
        complain(in, "body", "missing; write selectors of the text, or `files`");
    check_fields(in, &fetch->fields);
    check_files(in, &fetch->files);
}

static void enter(struct inspection *in, const char *section, int kind)
{
    const struct gt_node *node = gt_node_member(in->root, section);
    in->at = node ? node : in->root;
    in->path = section;
    in->kind = kind;
}

static void check_list(struct inspection *in, const struct gt_site_list *list)
{
    enter(in, "list", -1);
    check_template(in, "url", list->url);
    check_rows(in, "query", &list->query, '=');
    check_rows(in, "headers", &list->headers, ':');
    check_errors(in, &list->errors);
    if (list->form == GT_FORM_RAW)
        complain(in, "kind", "a list cannot be raw; write json, html, xml, text or counter");
    if (list->paging == GT_PAGING_CURSOR && !in->site->cursor.field)
        complain(in, "paging", "needs `cursor.field`");
    in->kind = kind_of(list->form);
    if (in->kind >= 0)
        check_selector(in, "items", list->items, true);
}

static void check_item(struct inspection *in, const struct gt_site *site)
{
    const struct gt_site_item *item = &site->item;
    int kind = kind_of(site->list.form);

    enter(in, "item", kind);
    if (kind >= 0) {
        check_value(in, "id", item->id);
        check_value(in, "revision", item->revision);
    }
    check_conditions(in, &item->when);
    check_fields(in, &item->fields);
    check_files(in, &item->files);
    if (!item->fields.body.count && !item->files.items && !item->fetch.count)
        complain(in, "", "has no text; write `body`, `files` or `fetch`");
    for (size_t i = 0; i < item->fetch.count; i++)
        check_fetch(in, GT_LIST_ITEM(item->fetch, struct gt_site_fetch, i), kind);
}

static void check_name(struct inspection *in, const struct gt_site *site, const char *file)
{
    const char *slash = strrchr(file, '/'), *stem = slash ? slash + 1 : file;
    size_t len = site->name ? strlen(site->name) : 0;

    enter(in, "name", -1);
    if (!len)
        return;
    if (strspn(site->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
        complain(in, "", "a site's name has lower-case letters, digits and hyphens only");
    if (strncmp(stem, site->name, len) != 0 || strcmp(stem + len, ".yaml") != 0)
        complain(in, "", "the file must be called NAME.yaml, so that it is found");
}

void gt_site_inspect(const struct gt_site *site, const char *file, const struct gt_node *root,
                     struct gt_mistakes *mistakes)
{
    struct inspection in = {.site = site, .mistakes = mistakes, .root = root};

    check_name(&in, site, file);
    enter(&in, "base", -1);
    check_template(&in, "", site->base);
    enter(&in, "headers", -1);
    check_rows(&in, "", &site->headers, ':');
    check_list(&in, &site->list);
    check_item(&in, site);
    enter(&in, "cursor", kind_of(site->list.form));
    if (site->list.form != GT_FORM_COUNTER)
        check_value(&in, "field", site->cursor.field);
}
