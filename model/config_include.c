#include "model/config_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define FILES_MAX 256

/* The files on the way from the main one to the current one, to tell cycles. */
struct chain {
    const struct chain *up;
    const char *real; /* realpath */
    const char *shown;
    size_t depth;
};

struct includer {
    struct gt_node *root;
    const char *directory;
    struct gt_arena *arena;
    struct gt_mistakes *mistakes;
    const char *seen[FILES_MAX]; /* realpaths; a file is read once */
    size_t count;
};

static void append_child(struct gt_node *parent, struct gt_node *child)
{
    struct gt_node **end = &parent->first;
    while (*end)
        end = &(*end)->next;
    *end = child;
    child->next = NULL;
    parent->count++;
}

static bool is_list_row(const char *key)
{
    for (const struct gt_option *o = gt_config_options; o->type; o++)
        if (strcmp(o->name, key) == 0)
            return o->flags & GT_OPTION_LIST;
    return false;
}

/* A single value where a list is expected is a list of one. */
static bool make_list(struct gt_arena *arena, struct gt_node *node)
{
    if (node->type == GT_NODE_LIST)
        return true;
    struct gt_node *only = gt_arena_alloc(arena, sizeof *only);
    if (!only)
        return false;
    *only = *node;
    only->next = NULL;
    node->type = GT_NODE_LIST;
    node->first = gt_node_is_null(only) ? NULL : only;
    node->count = node->first ? 1 : 0;
    return true;
}

static void join_lists(struct gt_arena *arena, struct gt_node *into, struct gt_node *from)
{
    if (!make_list(arena, into) || !make_list(arena, from) || !from->first)
        return;
    struct gt_node **end = &into->first;
    while (*end)
        end = &(*end)->next;
    *end = from->first;
    into->count += from->count;
}

static void merge_maps(struct gt_arena *arena, struct gt_node *into, struct gt_node *from,
                       bool at_root)
{
    for (struct gt_node *node = from->first, *next; node; node = next) {
        next = node->next;
        struct gt_node *own = gt_node_member(into, node->key);
        if (at_root && strcmp(node->key, "include") == 0)
            continue;
        if (!own)
            append_child(into, node);
        else if (at_root && is_list_row(node->key))
            join_lists(arena, own, node);
        else if (own->type == GT_NODE_MAP && node->type == GT_NODE_MAP)
            merge_maps(arena, own, node, false);
    }
}

static const struct chain *find_in_chain(const struct chain *chain, const char *real)
{
    while (chain && strcmp(chain->real, real) != 0)
        chain = chain->up;
    return chain;
}

/* "a.yaml includes b.yaml includes a.yaml": the way back down from the file that comes again. */
static void complain_cycle(const struct includer *self, const struct gt_node *at,
                           const struct chain *chain, const struct chain *again)
{
    const struct chain *way[DEPTH_MAX + 1];
    size_t count = 0;
    for (const struct chain *c = chain; count <= DEPTH_MAX; c = c->up) {
        way[count++] = c;
        if (c == again)
            break;
    }
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(1024);
    while (count)
        gt_buffer_printf(&text, "%s includes ", way[--count]->shown);
    gt_mistake(self->mistakes, at, "include", "files include each other: %s%s; remove one include",
               text.data ? text.data : "", again->shown);
}

static bool was_seen(struct includer *self, const char *real)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->seen[i], real) == 0)
            return true;
    self->seen[self->count++] = real;
    return false;
}

static void include_all(struct includer *self, const struct gt_node *map,
                        const struct chain *chain);

static void include_file(struct includer *self, const struct gt_node *at, const char *path,
                         const struct chain *chain)
{
    char real[PATH_MAX];
    struct gt_error err = {0};
    struct gt_node *map;
    if (!realpath(path, real)) {
        gt_mistake(self->mistakes, at, "include", "cannot read %s: %m; check the path", path);
        return;
    }
    const struct chain *again = find_in_chain(chain, real);
    if (again) {
        complain_cycle(self, at, chain, again);
        return;
    }
    if (chain->depth == DEPTH_MAX || self->count == FILES_MAX) {
        gt_mistake(self->mistakes, at, "include",
                   "more than %d files, or deeper than %d levels; include fewer", FILES_MAX,
                   DEPTH_MAX);
        return;
    }
    const struct chain here = {chain, gt_arena_strdup(self->arena, real), path, chain->depth + 1};
    if (!here.real || was_seen(self, here.real))
        return;
    if (gt_yaml_load(path, self->arena, &map, &err) < 0) {
        gt_mistake(self->mistakes, NULL, "", "%s", err.message);
    } else if (map->type == GT_NODE_MAP) {
        include_all(self, map, &here);
        merge_maps(self->arena, self->root, map, true);
    } else if (!gt_node_is_null(map)) {
        gt_mistake(self->mistakes, map, "", "not a map; write \"key: value\" lines");
    }
}

static void include_one(struct includer *self, const struct gt_node *node,
                        const struct chain *chain)
{
    struct gt_error err = {0};
    const char *path;
    if (node->type != GT_NODE_SCALAR || gt_node_is_null(node) ||
        memchr(node->text, '\0', node->len))
        return; /* the row's decoder complains of it, or it is empty */
    if (gt_expand(node->text, self->arena, &path, &err) < 0) {
        if (chain->up) /* the decoder complains of the main file's */
            gt_mistake(self->mistakes, node, "include", "\"%s\" %s", node->text, err.message);
        return;
    }
    if (path[0] != '/' && *self->directory)
        path = gt_arena_printf(self->arena, "%s/%s", self->directory, path);
    if (path)
        include_file(self, node, path, chain);
}

static void include_all(struct includer *self, const struct gt_node *map, const struct chain *chain)
{
    const struct gt_node *include = gt_node_member(map, "include");
    if (!include)
        return;
    if (include->type == GT_NODE_SCALAR)
        include_one(self, include, chain);
    else if (include->type == GT_NODE_LIST)
        for (const struct gt_node *n = include->first; n; n = n->next)
            include_one(self, n, chain);
    else if (chain->up)
        gt_mistake(self->mistakes, include, "include", "not a list of files");
}

void gt_config_include(struct gt_node *root, const char *directory, struct gt_arena *arena,
                       struct gt_mistakes *mistakes)
{
    char real[PATH_MAX];
    struct includer self = {
        .root = root, .directory = directory, .arena = arena, .mistakes = mistakes};
    const char *path = realpath(root->file, real) ? real : root->file;
    const struct chain main_file = {NULL, path, root->file, 0};
    if (root->type == GT_NODE_MAP)
        include_all(&self, root, &main_file);
}
