/* Where site definitions are: built in, and in the directories of the configuration, which come
 * first. */
#include "crawler/site_definition.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SITE_MAX ((size_t)1 << 20)
#define ARENA_MAX ((size_t)32 << 20)

extern const struct gt_embedded gt_embedded_sites[];

int gt_site_parse(const char *file, const char *bytes, size_t len, struct gt_arena *arena,
                  struct gt_mistakes *mistakes, struct gt_site *ret, struct gt_error *err)
{
    const struct gt_option_decoder decoder = {.arena = arena, .mistakes = mistakes};
    struct gt_node *root = NULL;
    struct gt_site site;

    int code = gt_yaml_parse(file, bytes, len, arena, &root, err);
    if (code < 0)
        return code;
    if (gt_options_decode(&decoder, root, gt_site_table, &site, sizeof site) == 0)
        gt_site_inspect(&site, file, root, mistakes);
    if (mistakes->count)
        return gt_fail(err, GT_E_INVALID, "%s", mistakes->items[0].text);
    *ret = site;
    return 0;
}

/* All mistakes, one a line, as far as they fit. */
static int parse(const char *file, const char *bytes, size_t len, struct gt_arena *arena,
                 struct gt_site *ret, struct gt_error *err)
{
    struct gt_mistakes mistakes = {.arena = arena};
    GT_BUFFER_AUTO struct gt_buffer all = GT_BUFFER(GT_ERROR_MAX - 1);

    int code = gt_site_parse(file, bytes, len, arena, &mistakes, ret, err);
    for (size_t i = 0; i < mistakes.count; i++)
        gt_buffer_printf(&all, "%s%s", i ? "\n" : "", mistakes.items[i].text);
    return all.len ? gt_fail(err, code, "%s", all.data) : code;
}

static int load(const char *path, struct gt_arena *arena, struct gt_site *ret, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(SITE_MAX);
    int code = gt_file_read(path, &text, err);
    if (code < 0)
        return code;
    return parse(path, text.data ? text.data : "", text.len, arena, ret, err);
}

static int find_built_in(const char *name, struct gt_arena *arena, struct gt_site *ret,
                         struct gt_error *err)
{
    struct gt_nearest nearest = {.word = name};
    char stem[64];

    for (const struct gt_embedded *file = gt_embedded_sites; file->name; file++) {
        snprintf(stem, sizeof stem, "%.*s", (int)(strlen(file->name) - strlen(".yaml")),
                 file->name);
        if (strcmp(stem, name) == 0)
            return parse(file->name, (const char *)file->bytes, file->len, arena, ret, err);
        gt_nearest_offer(&nearest, gt_arena_strdup(arena, stem));
    }
    if (nearest.best)
        return gt_fail(err, GT_E_NOTFOUND, "there is no site \"%s\"; did you mean \"%s\"?", name,
                       nearest.best);
    return gt_fail(err, GT_E_NOTFOUND,
                   "there is no site \"%s\"; `guette sites list` shows those there are", name);
}

int gt_site_find(const char *name, const struct gt_list *directories, struct gt_arena *arena,
                 struct gt_site *ret, struct gt_error *err)
{
    if (strchr(name, '/') || *name == '.')
        return gt_fail(err, GT_E_INVALID, "\"%s\" is no name of a site; write its name alone",
                       name);
    for (size_t i = 0; directories && i < directories->count; i++) {
        const char *path = gt_arena_printf(arena, "%s/%s.yaml",
                                           *GT_LIST_ITEM(*directories, const char *, i), name);
        if (path && gt_file_exists(path))
            return load(path, arena, ret, err);
    }
    return find_built_in(name, arena, ret, err);
}

/* --- all of them --- */

typedef int each_site(void *user, const char *file, const struct gt_site *site,
                      struct gt_error *why);

/* site NULL: it could not be read, why says it. */
static int visit(const char *file, const char *bytes, size_t len, struct gt_arena *arena,
                 each_site *each, void *user)
{
    struct gt_error why = {0};
    struct gt_site site;

    int code = bytes ? parse(file, bytes, len, arena, &site, &why) : load(file, arena, &site, &why);
    return each(user, file, code < 0 ? NULL : &site, &why);
}

static int is_definition(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && gt_ends_with(entry->d_name, ".yaml");
}

static int visit_directory(const char *directory, struct gt_arena *arena, each_site *each,
                           void *user, struct gt_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_definition, alphasort), code = 0;

    if (count < 0)
        return gt_fail(err, GT_E_IO, "cannot list the sites in %s: %s", directory, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *path = gt_arena_printf(arena, "%s/%s", directory, entries[i]->d_name);
        if (code == 0)
            code = path ? visit(path, NULL, 0, arena, each, user)
                        : gt_fail(err, GT_E_LIMIT, "too many site definitions");
        free(entries[i]);
    }
    free(entries);
    return code;
}

static int visit_all(const char *const *directories, struct gt_arena *arena, each_site *each,
                     void *user, struct gt_error *err)
{
    int code = 0;

    for (const struct gt_embedded *file = gt_embedded_sites; file->name && !code; file++)
        code = visit(file->name, (const char *)file->bytes, file->len, arena, each, user);
    for (size_t i = 0; directories && directories[i] && !code; i++)
        code = visit_directory(directories[i], arena, each, user, err);
    return code;
}

struct checking {
    void (*report)(void *user, const char *file, const char *site, const char *failure);
    void *user;
    int failures;
};

static int check_one(void *user, const char *file, const struct gt_site *site, struct gt_error *why)
{
    struct checking *checking = user;
    bool failed = !site;

    for (size_t i = 0; site && !failed && i < site->examples.count; i++) {
        const struct gt_site_example *example =
            GT_LIST_ITEM(site->examples, struct gt_site_example, i);
        failed = gt_site_prove(site, example, why) < 0;
        if (failed)
            gt_error_prefix(why, "example \"%s\"", example->name);
    }
    checking->failures += failed;
    checking->report(checking->user, file, site ? site->name : NULL, failed ? why->message : NULL);
    return 0;
}

int gt_sites_check(const char *const *directories,
                   void (*report)(void *user, const char *file, const char *site,
                                  const char *failure),
                   void *user, struct gt_error *err)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(ARENA_MAX);
    struct checking checking = {report, user, 0};

    if (!arena)
        return gt_fail(err, GT_E_NOMEM, "out of memory for site definitions");
    int code = visit_all(directories, arena, check_one, &checking, err);
    return code < 0 ? code : checking.failures;
}

struct listing {
    struct gt_arena *arena;
    struct gt_site_summary *sites;
    size_t count, capacity;
};

static const char *needs_of(const struct gt_site *site, struct gt_arena *arena)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(256);
    for (size_t i = 0; i < site->needs.count; i++)
        gt_buffer_printf(&text, "%s%s", i ? ", " : "",
                         gt_site_needs[*GT_LIST_ITEM(site->needs, int, i)]);
    return gt_arena_strdup(arena, text.data ? text.data : "");
}

/* A broken file is for `check` to tell about. */
static int list_one(void *user, const char *file, const struct gt_site *site, struct gt_error *why)
{
    struct listing *listing = user;

    if (!site)
        return 0;
    if (listing->count == listing->capacity) {
        size_t size = sizeof *listing->sites,
               capacity = listing->capacity ? 2 * listing->capacity : 16;
        void *sites =
            gt_arena_grow(listing->arena, listing->sites, listing->count * size, capacity * size);
        if (!sites)
            return GT_E_LIMIT;
        listing->sites = sites;
        listing->capacity = capacity;
    }
    listing->sites[listing->count++] =
        (struct gt_site_summary){site->name, site->title, gt_site_categories[site->category],
                                 needs_of(site, listing->arena), site->home};
    return 0;
}

int gt_sites_list(const char *const *directories, struct gt_arena *arena,
                  struct gt_site_summary **ret_sites, size_t *ret_count, struct gt_error *err)
{
    struct listing listing = {.arena = arena};

    int code = visit_all(directories, arena, list_one, &listing, err);
    if (code < 0)
        return code == GT_E_LIMIT ? gt_fail(err, code, "too many site definitions") : code;
    *ret_sites = listing.sites;
    *ret_count = listing.count;
    return 0;
}
