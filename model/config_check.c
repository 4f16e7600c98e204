#include "model/config_parts.h"

#include <stdio.h>
#include <string.h>

/* Names are compared pairwise. */
#define ITEMS_MAX 10000

struct checker {
    struct gt_config *config;
    const struct gt_config_kinds *kinds;
    const struct gt_node *root;
    struct gt_mistakes *mistakes;
};

/* The first item of a list's node; one that is no list is its only item. The others follow by
 * `next`. */
static const struct gt_node *first_item(const struct gt_node *list)
{
    return list && list->type == GT_NODE_LIST ? list->first : list;
}

static const struct gt_node *place_of(const struct gt_node *item, const char *key)
{
    const struct gt_node *member = gt_node_member(item, key);
    return member ? member : item;
}

static const char **name_of_brand(const struct gt_list *list, size_t i)
{
    return &GT_LIST_ITEM(*list, struct gt_brand, i)->name;
}

static const char **name_of_source(const struct gt_list *list, size_t i)
{
    return &GT_LIST_ITEM(*list, struct gt_source_config, i)->name;
}

static const char **name_of_channel(const struct gt_list *list, size_t i)
{
    return &GT_LIST_ITEM(*list, struct gt_channel_config, i)->name;
}

/* ---- names ---- */

/* See gt_config_kinds: what the kind's row of its own name says, else the kind's name. */
static const char *default_name(const struct gt_kind *kind, const void *options)
{
    if (!kind)
        return NULL;
    for (const struct gt_option *o = kind->options; o->type; o++) {
        if (o->type != GT_OPTION_STRING || o->flags & GT_OPTION_LIST ||
            strcmp(o->name, kind->name) != 0)
            continue;
        const char *value = *(const char *const *)((const char *)options + o->offset);
        return value && gt_config_check_name(value, NULL) == 0 ? value : kind->name;
    }
    return kind->name;
}

static void fill_names(struct gt_config *config)
{
    for (size_t i = 0; i < config->sources.count; i++) {
        struct gt_source_config *s = GT_LIST_ITEM(config->sources, struct gt_source_config, i);
        if (!s->name)
            s->name = default_name(s->kind, s->options);
    }
    for (size_t i = 0; i < config->channels.count; i++) {
        struct gt_channel_config *c = GT_LIST_ITEM(config->channels, struct gt_channel_config, i);
        if (!c->name)
            c->name = default_name(c->kind, c->options);
    }
}

/* A list whose items have names; `name` says where. */
struct named {
    const char *key, *one;
    size_t list;
    const char **(*name)(const struct gt_list *list, size_t i);
};

static const struct named brands = {"brands", "brand", offsetof(struct gt_config, brands),
                                    name_of_brand};
static const struct named sources = {"sources", "source", offsetof(struct gt_config, sources),
                                     name_of_source};
static const struct named channels = {"channels", "channel", offsetof(struct gt_config, channels),
                                      name_of_channel};

static const struct gt_list *list_of(const struct checker *self, const struct named *named)
{
    return (const void *)((const char *)self->config + named->list);
}

static void check_unique(const struct checker *self, const struct named *named)
{
    const struct gt_list *list = list_of(self, named);
    const struct gt_node *node = first_item(gt_node_member(self->root, named->key));
    if (list->count > ITEMS_MAX) {
        gt_mistake(self->mistakes, node, named->key, "more than %d; use fewer", ITEMS_MAX);
        return;
    }
    for (size_t i = 0; i < list->count; i++, node = node->next) {
        const char *name = *named->name(list, i);
        char path[64];
        size_t earlier = 0;
        while (name && earlier < i &&
               (!*named->name(list, earlier) || strcmp(*named->name(list, earlier), name) != 0))
            earlier++;
        if (!name || earlier == i)
            continue;
        snprintf(path, sizeof path, "%s[%zu].name", named->key, i);
        gt_mistake(self->mistakes, place_of(node, "name"), path,
                   "another %s is called \"%s\", too; give each a name of its own", named->one,
                   name);
    }
}

/* ---- references ---- */

static bool is_known(const struct gt_list *list,
                     const char **(*name)(const struct gt_list *list, size_t i), const char *wanted,
                     struct gt_nearest *nearest)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *known = *name(list, i);
        if (known && strcmp(known, wanted) == 0)
            return true;
        if (known)
            gt_nearest_offer(nearest, known);
    }
    return false;
}

static void check_reference(const struct checker *self, const struct named *named,
                            const char *wanted, const struct gt_node *at, const char *path)
{
    const struct gt_list *list = list_of(self, named);
    struct gt_nearest nearest = {.word = wanted ? wanted : ""};
    if (!wanted || is_known(list, named->name, wanted, &nearest))
        return;
    if (nearest.best)
        gt_mistake(self->mistakes, at, path, "there is no %s \"%.60s\"; did you mean \"%s\"?",
                   named->one, wanted, nearest.best);
    else
        gt_mistake(self->mistakes, at, path, "there is no %s \"%.60s\"; add it under %s",
                   named->one, wanted, named->key);
}

static void check_references(const struct checker *self, const struct named *named,
                             const struct gt_list *wanted, const struct gt_node *item,
                             const char *path, const char *key)
{
    const struct gt_node *node = first_item(gt_node_member(item, key));
    for (size_t i = 0; i < wanted->count; i++, node = node->next) {
        char full[96];
        snprintf(full, sizeof full, "%s.%s[%zu]", path, key, i);
        check_reference(self, named, *GT_LIST_ITEM(*wanted, const char *, i), node, full);
    }
}

static void check_routes(const struct checker *self)
{
    const struct gt_list *routes = &self->config->routes;
    const struct gt_node *node = first_item(gt_node_member(self->root, "routes"));
    for (size_t i = 0; i < routes->count; i++, node = node->next) {
        const struct gt_route *route = GT_LIST_ITEM(*routes, struct gt_route, i);
        char path[64];
        snprintf(path, sizeof path, "routes[%zu]", i);
        check_references(self, &brands, &route->brands, node, path, "brands");
        check_references(self, &channels, &route->channels, node, path, "channels");
    }
}

static void check_owners(const struct checker *self)
{
    const struct gt_list *list = &self->config->sources;
    const struct gt_node *node = first_item(gt_node_member(self->root, "sources"));
    for (size_t i = 0; i < list->count; i++, node = node->next) {
        const struct gt_source_config *s = GT_LIST_ITEM(*list, struct gt_source_config, i);
        char path[64];
        snprintf(path, sizeof path, "sources[%zu].brand", i);
        check_reference(self, &brands, s->brand, place_of(node, "brand"), path);
        if (s->brand && s->owner != GT_OWNER_BRAND)
            gt_mistake(self->mistakes, place_of(node, "brand"), path,
                       "has no effect without \"owner: brand\"; add that or remove this");
        if (s->owner == GT_OWNER_BRAND && self->config->brands.count == 0)
            gt_mistake(self->mistakes, place_of(node, "owner"), path,
                       "the source belongs to a brand, but there is none; add it under brands");
    }
}

/* ---- brands ---- */

/* Lower case of the scripts domains are commonly written in: ASCII, Latin-1, Greek, Cyrillic.
 * Others stay as typed. In place: both cases are equally long in UTF-8. */
static void lower_domain(char *domain)
{
    static const struct {
        unsigned first, last, add;
    } ranges[] = {{0xC0, 0xD6, 32},   {0xD8, 0xDE, 32},   {0x391, 0x3A1, 32},
                  {0x3A3, 0x3AB, 32}, {0x410, 0x42F, 32}, {0x400, 0x40F, 80}};
    for (unsigned char *c = (unsigned char *)domain; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c += 'a' - 'A';
        if (*c < 0xC2 || *c > 0xDF || !c[1])
            continue;
        unsigned point = (*c & 0x1Fu) << 6 | (c[1] & 0x3Fu);
        for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
            if (point < ranges[i].first || point > ranges[i].last)
                continue;
            point += ranges[i].add;
            c[0] = (unsigned char)(0xC0 | point >> 6);
            c[1] = (unsigned char)(0x80 | (point & 0x3F));
            break;
        }
    }
    size_t len = strlen(domain);
    if (len && domain[len - 1] == '.')
        domain[len - 1] = '\0';
}

static void lower_domains(const struct checker *self, const struct gt_brand *brand)
{
    for (size_t i = 0; i < brand->domains.count; i++) {
        const char **domain = GT_LIST_ITEM(brand->domains, const char *, i);
        char *copy = gt_arena_strdup(self->config->arena, *domain);
        if (!copy)
            continue; /* wrong, and said so */
        lower_domain(copy);
        *domain = copy;
    }
}

static void check_patterns(const struct checker *self, const struct gt_brand *brand,
                           const struct gt_node *item, size_t index)
{
    const struct gt_node *node = first_item(gt_node_member(item, "patterns"));
    for (size_t i = 0; i < brand->patterns.count; i++, node = node->next) {
        const struct gt_pattern *pattern = GT_LIST_ITEM(brand->patterns, struct gt_pattern, i);
        struct gt_error err = {0};
        char path[96];
        if (!pattern->regex || self->kinds->check_regex(pattern->regex, &err) == 0)
            continue;
        snprintf(path, sizeof path, "brands[%zu].patterns[%zu].regex", index, i);
        gt_mistake(self->mistakes, place_of(node, "regex"), path, "%s", err.message);
    }
}

static void check_brands(const struct checker *self)
{
    const struct gt_list *list = &self->config->brands;
    const struct gt_node *node = first_item(gt_node_member(self->root, "brands"));
    for (size_t i = 0; i < list->count; i++, node = node->next) {
        const struct gt_brand *brand = GT_LIST_ITEM(*list, struct gt_brand, i);
        char path[64];
        lower_domains(self, brand);
        if (self->kinds && self->kinds->check_regex)
            check_patterns(self, brand, node, i);
        if (brand->domains.count || brand->keywords.count || brand->patterns.count)
            continue;
        snprintf(path, sizeof path, "brands[%zu]", i);
        gt_mistake(self->mistakes, node, path,
                   "nothing says how to recognise it; add domains, keywords or patterns");
    }
}

void gt_config_cross_check(struct gt_config *config, const struct gt_config_kinds *kinds,
                           const struct gt_node *root, struct gt_mistakes *mistakes)
{
    const struct checker self = {config, kinds, root, mistakes};
    fill_names(config);
    check_unique(&self, &brands);
    check_unique(&self, &sources);
    check_unique(&self, &channels);
    check_brands(&self);
    check_owners(&self);
    check_routes(&self);
}
