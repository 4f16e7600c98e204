#include "cli/scan_git.h"

#include <stdlib.h>
#include <string.h>

/* Enough for any history that a person could work through; together some 150 MB. */
#define HITS_MAX ((size_t)2 << 20)
#define KEYS_MAX ((size_t)4 << 20)

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct gt_scan_key));
}

static int compare_hits(const void *a, const void *b)
{
    const struct gt_scan_hit *x = a, *y = b;
    return memcmp(&x->oid, &y->oid, sizeof x->oid);
}

void gt_scan_hits_init(struct gt_scan_hits *hits)
{
    *hits = (struct gt_scan_hits){0};
    pthread_mutex_init(&hits->lock, NULL);
}

void gt_scan_hits_free(struct gt_scan_hits *hits)
{
    pthread_mutex_destroy(&hits->lock);
    free(hits->items);
    free(hits->keys);
    free(hits->sets);
    free(hits->slots);
    *hits = (struct gt_scan_hits){0};
}

/* The array with room for `more` items of this size beyond `count`, growing by doubling up to max;
 * NULL: none. */
static void *room(void *items, size_t size, size_t count, size_t more, size_t *capacity, size_t max)
{
    if (count + more <= *capacity)
        return items;
    size_t wanted = *capacity ? *capacity : 256;
    while (wanted < count + more)
        wanted *= 2;
    void *grown = count + more <= max ? reallocarray(items, wanted, size) : NULL;
    if (grown)
        *capacity = wanted;
    return grown;
}

static size_t slot_of(const struct gt_scan_hits *hits, const struct gt_scan_key *id)
{
    uint64_t hash;
    memcpy(&hash, id, sizeof hash);
    size_t slot = hash & (hits->slot_count - 1);
    while (hits->slots[slot] && compare_keys(&hits->sets[hits->slots[slot] - 1].id, id) != 0)
        slot = (slot + 1) & (hits->slot_count - 1);
    return slot;
}

static bool grow_slots(struct gt_scan_hits *hits)
{
    if (2 * (hits->set_count + 1) <= hits->slot_count)
        return true;
    size_t count = hits->slot_count ? 2 * hits->slot_count : 1024;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(hits->slots);
    hits->slots = slots;
    hits->slot_count = count;
    for (size_t i = 0; i < hits->set_count; i++)
        hits->slots[slot_of(hits, &hits->sets[i].id)] = (uint32_t)i + 1;
    return true;
}

/* The number of the set; SIZE_MAX: no room. */
static size_t intern(struct gt_scan_hits *hits, const struct gt_scan_key *keys, size_t count)
{
    struct gt_part part = {keys, count * sizeof *keys};
    struct gt_scan_set set = {.from = hits->key_count, .count = (uint32_t)count};
    if (!grow_slots(hits))
        return SIZE_MAX;
    gt_scan_key_make("scan-git-set", &part, 1, &set.id);
    size_t slot = slot_of(hits, &set.id);
    if (hits->slots[slot])
        return hits->slots[slot] - 1;
    void *all =
        room(hits->keys, sizeof *keys, hits->key_count, count, &hits->key_capacity, KEYS_MAX);
    void *sets = room(hits->sets, sizeof set, hits->set_count, 1, &hits->set_capacity, HITS_MAX);
    hits->keys = all ? all : hits->keys;
    hits->sets = sets ? sets : hits->sets;
    if (!all || !sets)
        return SIZE_MAX;
    memcpy(hits->keys + hits->key_count, keys, count * sizeof *keys);
    hits->key_count += count;
    hits->sets[hits->set_count++] = set;
    hits->slots[slot] = (uint32_t)hits->set_count;
    return hits->set_count - 1;
}

static size_t thin_out(struct gt_scan_key *keys, size_t count)
{
    size_t kept = 0;
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count; i++)
        if (compare_keys(&keys[kept], &keys[i]) != 0)
            keys[++kept] = keys[i];
    return kept + 1;
}

void gt_scan_hits_add(struct gt_scan_hits *hits, const struct gt_oid *oid, enum gt_git_type type,
                      struct gt_scan_key *keys, size_t count)
{
    if (count == 0)
        return;
    count = thin_out(keys, count);
    pthread_mutex_lock(&hits->lock);
    size_t set = intern(hits, keys, count);
    void *items = room(hits->items, sizeof *hits->items, hits->count, 1, &hits->capacity, HITS_MAX);
    hits->items = items ? items : hits->items;
    if (set != SIZE_MAX && items)
        hits->items[hits->count++] = (struct gt_scan_hit){*oid, (uint32_t)set, type};
    else
        hits->full = true;
    pthread_mutex_unlock(&hits->lock);
}

void gt_scan_hits_sort(struct gt_scan_hits *hits)
{
    if (hits->count > 1)
        qsort(hits->items, hits->count, sizeof *hits->items, compare_hits);
}

const struct gt_scan_hit *gt_scan_hits_find(const struct gt_scan_hits *hits,
                                            const struct gt_oid *oid)
{
    struct gt_scan_hit key = {.oid = *oid};
    return hits->count ? bsearch(&key, hits->items, hits->count, sizeof key, compare_hits) : NULL;
}
