#include "cli/scan_git.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_MAX ((size_t)2 << 20)
#define TEXTS_MAX ((size_t)64 * 1024 * 1024)

void gt_scan_places_init(struct gt_scan_places *places)
{
    *places = (struct gt_scan_places){.texts = GT_BUFFER(TEXTS_MAX)};
}

void gt_scan_places_free(struct gt_scan_places *places)
{
    free(places->items);
    gt_buffer_free(&places->texts);
    free(places->paths);
    free(places->slots);
    free(places->keys);
    *places = (struct gt_scan_places){0};
}

static const char *path_at(const struct gt_scan_places *places, uint32_t path)
{
    return places->texts.data + places->paths[path];
}

/* ---- paths ---- */

static size_t slot_of(const struct gt_scan_places *places, const char *path)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *at = path; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    size_t slot = (hash ^ hash >> 32) & (places->slot_count - 1);
    while (places->slots[slot] && strcmp(path_at(places, places->slots[slot] - 1), path) != 0)
        slot = (slot + 1) & (places->slot_count - 1);
    return slot;
}

static bool grow_slots(struct gt_scan_places *places)
{
    if (2 * (places->path_count + 1) <= places->slot_count)
        return true;
    size_t count = places->slot_count ? 2 * places->slot_count : 1024;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(places->slots);
    places->slots = slots;
    places->slot_count = count;
    for (size_t i = 0; i < places->path_count; i++)
        places->slots[slot_of(places, path_at(places, (uint32_t)i))] = (uint32_t)i + 1;
    return true;
}

static bool add_path(struct gt_scan_places *places, const char *path)
{
    size_t from = places->texts.len;
    if (places->path_count == places->path_capacity) {
        size_t capacity = places->path_capacity ? 2 * places->path_capacity : 256;
        size_t *more = reallocarray(places->paths, capacity, sizeof *more);
        if (!more)
            return false;
        places->paths = more;
        places->path_capacity = capacity;
    }
    if (gt_buffer_append(&places->texts, path, strlen(path) + 1) < 0)
        return false;
    places->paths[places->path_count++] = from;
    return true;
}

/* UINT32_MAX: no room. */
static uint32_t intern(struct gt_scan_places *places, const char *path)
{
    if (!grow_slots(places))
        return UINT32_MAX;
    size_t slot = slot_of(places, path);
    if (!places->slots[slot]) {
        if (!add_path(places, path))
            return UINT32_MAX;
        places->slots[slot] = (uint32_t)places->path_count;
    }
    return places->slots[slot] - 1;
}

void gt_scan_places_add(struct gt_scan_places *places, size_t hit, const char *path,
                        uint32_t commit)
{
    uint32_t number = intern(places, path);
    if (places->count == places->capacity) {
        size_t capacity = places->capacity ? 2 * places->capacity : 256;
        void *more = capacity <= PLACES_MAX
                         ? reallocarray(places->items, capacity, sizeof *places->items)
                         : NULL;
        if (!more) {
            places->full = true;
            return;
        }
        places->items = more;
        places->capacity = capacity;
    }
    if (number == UINT32_MAX)
        places->full = true;
    else
        places->items[places->count++] =
            (struct gt_scan_place){.hit = (uint32_t)hit, .path = number, .commit = commit};
}

/* ---- choosing ---- */

static int number(uint32_t x, uint32_t y)
{
    return x < y ? -1 : x > y;
}

static int by_path(const void *a, const void *b)
{
    const struct gt_scan_place *x = a, *y = b;
    int order = number(x->path, y->path);
    if (order == 0)
        order = number(x->commit, y->commit);
    return order ? order : number(x->hit, y->hit);
}

/* What one path had already. A hash set that forgets at once. */
struct seen {
    struct slot {
        struct gt_scan_key key;
        uint32_t path; /* number + 1 */
    } * slots;
    size_t slot_count, used;
};

static struct slot *find(struct seen *seen, const struct gt_scan_key *key, uint32_t path)
{
    uint64_t hash;
    memcpy(&hash, key, sizeof hash);
    size_t slot = hash & (seen->slot_count - 1);
    while (seen->slots[slot].path == path && memcmp(&seen->slots[slot].key, key, sizeof *key) != 0)
        slot = (slot + 1) & (seen->slot_count - 1);
    return &seen->slots[slot];
}

static bool grow_seen(struct seen *seen, uint32_t path)
{
    if (2 * (seen->used + 1) <= seen->slot_count)
        return true;
    struct seen more = {.slot_count = seen->slot_count ? 2 * seen->slot_count : 1024};
    more.slots = calloc(more.slot_count, sizeof *more.slots);
    if (!more.slots)
        return false;
    for (size_t i = 0; i < seen->slot_count; i++)
        if (seen->slots[i].path == path)
            *find(&more, &seen->slots[i].key, path) = seen->slots[i];
    more.used = seen->used;
    free(seen->slots);
    *seen = more;
    return true;
}

static int choose_keys(struct gt_scan_places *places, const struct gt_scan_hits *hits,
                       struct gt_scan_place *place, struct seen *seen, size_t *capacity)
{
    const struct gt_scan_set *set = &hits->sets[hits->items[place->hit].set];
    place->keys = places->key_count;
    if (places->key_count + set->count > *capacity) {
        *capacity = 2 * (places->key_count + set->count);
        void *more = reallocarray(places->keys, *capacity, sizeof *places->keys);
        if (!more)
            return GT_E_NOMEM;
        places->keys = more;
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct gt_scan_key *key = &hits->keys[set->from + i];
        if (!grow_seen(seen, place->path + 1))
            return GT_E_NOMEM;
        struct slot *slot = find(seen, key, place->path + 1);
        if (slot->path == place->path + 1)
            continue;
        *slot = (struct slot){*key, place->path + 1};
        seen->used++;
        places->keys[places->key_count++] = *key;
    }
    place->key_count = (uint32_t)(places->key_count - place->keys);
    return 0;
}

static int by_commit(const void *a, const void *b)
{
    const struct gt_scan_place *x = a, *y = b;
    int order = number(x->commit, y->commit);
    if (order == 0)
        order = strcmp(x->name, y->name);
    return order ? order : number(x->hit, y->hit);
}

int gt_scan_places_choose(struct gt_scan_places *places, const struct gt_scan_hits *hits,
                          struct gt_error *err)
{
    struct seen seen = {0};
    size_t kept = 0, capacity = 0;
    int rc = 0;
    if (places->count == 0)
        return 0;
    qsort(places->items, places->count, sizeof *places->items, by_path);
    for (size_t i = 0; i < places->count && rc >= 0; i++) {
        struct gt_scan_place *place = &places->items[i];
        if (i == 0 || place->path != places->items[kept ? kept - 1 : 0].path)
            seen.used = 0; /* slots of another path count as free */
        rc = choose_keys(places, hits, place, &seen, &capacity);
        if (place->key_count > 0)
            places->items[kept++] = *place;
    }
    free(seen.slots);
    if (rc < 0)
        return gt_fail(err, rc, "out of memory for the findings");
    places->count = kept;
    for (size_t i = 0; i < kept; i++)
        places->items[i].name = path_at(places, places->items[i].path);
    qsort(places->items, places->count, sizeof *places->items, by_commit);
    return 0;
}
