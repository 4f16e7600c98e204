/* Definitions: mistakes are told where they stand, folders come before the built-in ones, the page
 * for people is true. */
#include "rig.h"

#include "crawler/site.h"

#include <stdio.h>
#include <stdlib.h>

static const char shop[] = "name: shop\ntitle: Shop\nhome: https://shop.example/\ncategory: "
                           "paste\nbase: https://shop.example\n"
                           "list: {url: '{base}/list', items: '/[*]'}\n"
                           "item: {id: /id, fetch: ['{base}/raw/{id}']}\n"
                           "examples:\n"
                           "  - name: one\n"
                           "    exchanges:\n"
                           "      - {request: /list, body: '[{\"id\": 1}]'}\n"
                           "      - {request: /raw/1, body: text}\n"
                           "    yields:\n"
                           "      - {key: '1', body: text}\n";

/* The first mistake in this text; "" for none. */
static void expect_mistake(const char *text, const char *words)
{
    struct gt_arena *arena = gt_arena_new(16 << 20);
    struct gt_mistakes mistakes = {.arena = arena};
    struct gt_error err = {0};
    struct gt_site site;
    int code = gt_site_parse("shop.yaml", text, strlen(text), arena, &mistakes, &site, &err);
    bool found = false;
    for (size_t i = 0; i < mistakes.count; i++)
        found = found || strstr(mistakes.items[i].text, words);
    if (*words && !found && !strstr(err.message, words))
        fail_msg("\"%s\" is not said; but: %s", words, err.message);
    assert_int_equal(code, *words ? GT_E_INVALID : 0);
    gt_arena_free(arena);
}

/* `shop` with one piece replaced. */
static char *with(const char *piece, const char *other)
{
    const char *at = strstr(shop, piece);
    char *text = NULL;
    assert_non_null(at);
    assert_true(asprintf(&text, "%.*s%s%s", (int)(at - shop), shop, other, at + strlen(piece)) > 0);
    return text;
}

static const struct {
    const char *piece, *other, *words;
} wrong[] = {
    {"{base}/list", "{bse}/list", "did you mean {base}"},
    {"{base}/list", "{base/list", "never closed"},
    {"id: /id", "id: id", "JSON pointer"},
    {"'/[*]'", "'[*]'", "JSON pointer"},
    {"items:", "itmes:", "did you mean \"items\""},
    {"name: shop\n", "name: Shop!\n", "lower-case"},
    {"name: shop\n", "name: stop\n", "NAME.yaml"},
    {"category: paste", "category: pasta", "did you mean \"paste\""},
    {"base: https://shop.example\n", "", "base"},
    {"fetch: ['{base}/raw/{id}']", "title: /t", "has no text"},
    {"{id: /id, fetch: ['{base}/raw/{id}']}",
     "{id: /id, fetch: [{url: '{base}/{id}', kind: json}]}", "selectors of the text"},
    {"list: {", "list: {kind: html, ", "XPath"},
    {"list: {", "list: {kind: raw, ", "cannot be raw"},
    {"list: {", "list: {paging: cursor, ", "cursor.field"},
    {"list: {", "list: {query: [nonsense], ", "name=value"},
    {"list: {", "list: {headers: [nonsense], ", "Name: value"},
    {"list: {", "list: {errors: [{pattern: '(', says: x}], ", "no regex"},
};

static void mistakes_are_told_with_what_to_do(void **state)
{
    expect_mistake(shop, "");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *text = with(wrong[i].piece, wrong[i].other);
        expect_mistake(text, wrong[i].words);
        free(text);
    }
}

static const struct {
    const char *piece, *other, *words;
} differing[] = {
    {"key: '1'", "key: '2'", "its key is \"1\", not \"2\""},
    {"key: '1', body: text", "key: '1', body: test", "has no \"test\""},
    {"{request: /raw/1, body: text}", "{request: /raw/2, body: text}",
     "asks for https://shop.example/raw/1"},
    {"    yields:\n      - {key: '1', body: text}\n", "", "not in `yields`"},
    {"'[{\"id\": 1}]'", "'[]'", "never asks for /raw/1"},
    {"'[{\"id\": 1}]'", "'nonsense'", "not JSON"},
};

static void report(void *user, const char *file, const char *site, const char *failure)
{
    char *last = user;
    if (failure)
        snprintf(last, GT_ERROR_MAX, "%s", failure);
}

/* What `check` says of the folder's definitions. */
static int check(const char *folder, char *said)
{
    const char *const directories[] = {folder, NULL};
    struct gt_error err;
    *said = '\0';
    return gt_sites_check(directories, report, said, &err);
}

static void examples_that_differ_are_told(void **state)
{
    char *folder = rig_folder(), said[GT_ERROR_MAX];
    rig_write(folder, "shop.yaml", shop, strlen(shop));
    assert_int_equal(check(folder, said), 0);
    for (size_t i = 0; i < sizeof differing / sizeof *differing; i++) {
        char *text = with(differing[i].piece, differing[i].other);
        rig_write(folder, "shop.yaml", text, strlen(text));
        if (check(folder, said) != 1 || !strstr(said, differing[i].words))
            fail_msg("\"%s\" is not said; but: %s", differing[i].words, said);
        free(text);
    }
    rig_write(folder, "shop.yaml", "\t: broken", 9);
    assert_int_equal(check(folder, said), 1);
    assert_int_equal(check("/nonexistent", said), GT_E_IO);
    rig_remove(folder);
    free(folder);
}

static void folders_come_before_what_is_built_in(void **state)
{
    char *folder = rig_folder();
    const char *directories[] = {folder};
    const struct gt_list list = {directories, 1};
    struct gt_arena *arena = gt_arena_new(16 << 20);
    struct gt_site_summary *sites;
    struct gt_site site;
    struct gt_error err;
    size_t count, before;

    assert_int_equal(gt_sites_list(NULL, arena, &sites, &before, &err), 0);
    assert_string_equal(sites[0].name, "github-events");
    assert_string_equal(sites[0].needs, "optional token");
    char *mine = with("name: shop\ntitle: Shop", "name: pastebin\ntitle: Mine");
    rig_write(folder, "pastebin.yaml", mine, strlen(mine));
    assert_int_equal(gt_site_find("pastebin", &list, arena, &site, &err), 0);
    assert_string_equal(site.title, "Mine");
    assert_int_equal(gt_site_find("hacker-news", &list, arena, &site, &err), 0);
    const char *const folders[] = {folder, NULL};
    assert_int_equal(gt_sites_list(folders, arena, &sites, &count, &err), 0);
    assert_int_equal(count, before + 1);
    gt_arena_free(arena);
    rig_remove(folder);
    free(mine);
    free(folder);
}

/* The definition that docs/ADD-A-SITE.md shows works as it stands there. */
static void the_page_shows_a_definition_that_works(void **state)
{
    char *folder = rig_folder(), said[GT_ERROR_MAX];
    size_t len;
    char *page = rig_read(DOCS "/ADD-A-SITE.md", &len);
    char *start = strstr(page, "```yaml\n"), *end = start ? strstr(start + 8, "```") : NULL;
    assert_non_null(end);
    size_t lines = 0;
    for (const char *p = start + 8; p < end; p++)
        lines += *p == '\n';
    assert_true(lines >= 12 && lines <= 20);
    rig_write(folder, "shop.yaml", start + 8, (size_t)(end - start) - 8);
    if (check(folder, said) != 0)
        fail_msg("%s", said);
    rig_remove(folder);
    free(page);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_with_what_to_do),
        cmocka_unit_test(examples_that_differ_are_told),
        cmocka_unit_test(folders_come_before_what_is_built_in),
        cmocka_unit_test(the_page_shows_a_definition_that_works),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
