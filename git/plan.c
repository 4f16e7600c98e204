#include "git/plan.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)1024 * 1024)
#define CLIMB_MAX 10000 /* links from a delta to its base; git makes at most 4095 */

static int by_offset(const void *a, const void *b)
{
    const struct gt_entry *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static uint32_t find_offset(const struct gt_plan *plan, uint64_t offset)
{
    uint32_t low = 0, high = plan->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->entries[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < plan->count && plan->entries[low].offset == offset ? low : GT_PACK_NONE;
}

uint64_t gt_plan_end(const struct gt_plan *plan, uint32_t number)
{
    return number + 1 < plan->count ? plan->entries[number + 1].offset : plan->pack->size;
}

/* ---- heads ---- */

struct chunk {
    unsigned char *bytes;
    uint64_t offset;
    size_t len;
};

/* The bytes of the pack at offset: as many as a head may have, fewer at its end. */
static const unsigned char *look(const struct gt_pack *pack, struct chunk *chunk, uint64_t offset,
                                 size_t *ret_len)
{
    uint64_t left = pack->size - offset;
    size_t len = left < GT_PACK_HEAD_MAX ? (size_t)left : GT_PACK_HEAD_MAX;
    if (offset < chunk->offset || offset + len > chunk->offset + chunk->len) {
        chunk->offset = offset;
        chunk->len = left < CHUNK ? (size_t)left : CHUNK;
        if (gt_pack_read(pack, offset, chunk->bytes, chunk->len) < 0) {
            chunk->len = 0;
            return NULL;
        }
    }
    *ret_len = len;
    return chunk->bytes + (offset - chunk->offset);
}

static void read_head(struct gt_plan *plan, struct gt_entry *entry, struct chunk *chunk)
{
    struct gt_pack_head head;
    size_t len = 0;
    const unsigned char *at = entry->offset > 0 && entry->offset < plan->pack->size
                                  ? look(plan->pack, chunk, entry->offset, &len)
                                  : NULL;
    if (!at || gt_pack_head_parse(at, len, entry->offset, plan->pack->hash, &head) < 0)
        return;
    entry->size = head.size < UINT32_MAX ? (uint32_t)head.size : UINT32_MAX;
    entry->head = (uint8_t)head.len;
    if (head.type <= GT_GIT_TAG) {
        entry->type = (uint8_t)head.type;
        return;
    }
    entry->flags |= GT_ENTRY_DELTA;
    uint64_t base = head.base_offset;
    if (head.type == GT_PACK_DELTA_NAME) {
        uint32_t index = gt_pack_find(plan->pack, head.base_name);
        base = index == GT_PACK_NONE ? 0 : gt_pack_offset(plan->pack, index);
    }
    entry->parent = base ? find_offset(plan, base) : GT_PACK_NONE;
}

static int read_heads(struct gt_plan *plan, struct gt_error *err)
{
    struct chunk chunk = {.bytes = malloc(CHUNK)};
    if (!chunk.bytes)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < plan->count; i++)
        read_head(plan, &plan->entries[i], &chunk);
    free(chunk.bytes);
    return 0;
}

static int list_entries(struct gt_plan *plan, struct gt_error *err)
{
    plan->entries = reallocarray(NULL, plan->count + (size_t)1, sizeof *plan->entries);
    if (!plan->entries)
        return gt_fail(err, GT_E_NOMEM, "out of memory for a pack of %u objects", plan->count);
    for (uint32_t i = 0; i < plan->count; i++)
        plan->entries[i] = (struct gt_entry){.offset = gt_pack_offset(plan->pack, i),
                                             .index = i,
                                             .parent = GT_PACK_NONE,
                                             .child = GT_PACK_NONE,
                                             .sibling = GT_PACK_NONE};
    qsort(plan->entries, plan->count, sizeof *plan->entries, by_offset);
    return 0;
}

/* ---- families ---- */

/* A delta is of its base's type. Names may lead in circles: those never end at a type, and every
 * entry on the way there is lost. */
static void resolve_type(struct gt_plan *plan, uint32_t number)
{
    uint32_t at = number;
    for (unsigned steps = 0; at != GT_PACK_NONE && !plan->entries[at].type; steps++) {
        if (steps == CLIMB_MAX || plan->entries[at].flags & GT_ENTRY_LOST) {
            at = GT_PACK_NONE;
            break;
        }
        at = plan->entries[at].parent;
    }
    uint8_t type = at == GT_PACK_NONE ? 0 : plan->entries[at].type;
    for (uint32_t i = number; i != at && i != GT_PACK_NONE; i = plan->entries[i].parent) {
        if (plan->entries[i].type || plan->entries[i].flags & GT_ENTRY_LOST)
            break;
        plan->entries[i].type = type;
        plan->entries[i].flags |= type ? 0 : GT_ENTRY_LOST;
    }
}

/* From the last to the first, so that lists come in the order of the pack. */
static void link_entries(struct gt_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++)
        resolve_type(plan, i);
    for (uint32_t i = plan->count; i-- > 0;) {
        struct gt_entry *entry = &plan->entries[i];
        if (!entry->type || entry->parent == GT_PACK_NONE)
            continue;
        entry->sibling = plan->entries[entry->parent].child;
        plan->entries[entry->parent].child = i;
    }
}

static void want(struct gt_plan *plan, uint32_t number)
{
    plan->entries[number].flags |= GT_ENTRY_WANTED;
    plan->wanted++;
    for (uint32_t at = number; at != GT_PACK_NONE && !(plan->entries[at].flags & GT_ENTRY_NEEDED);
         at = plan->entries[at].parent)
        plan->entries[at].flags |= GT_ENTRY_NEEDED;
}

static int choose(const struct gt_git *git, size_t number, const struct gt_oids *only,
                  struct gt_plan *plan, struct gt_oids *fetch)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct gt_entry *entry = &plan->entries[i];
        struct gt_oid oid;
        if (entry->type == GT_GIT_TREE)
            continue;
        gt_pack_name(plan->pack, entry->index, &oid);
        if ((only && !gt_oids_have(only, &oid)) || gt_git_packed(git, &oid, number))
            continue;
        if (entry->type)
            want(plan, i);
        else if (gt_oids_add(fetch, &oid) < 0)
            return GT_E_NOMEM;
    }
    return 0;
}

int gt_plan_make(const struct gt_git *git, size_t number, const struct gt_oids *only_or_null,
                 struct gt_plan *ret_plan, struct gt_oids *fetch, struct gt_error *err)
{
    struct gt_plan plan = {.pack = git->packs[number], .count = git->packs[number]->count};
    int rc = list_entries(&plan, err);
    if (rc >= 0)
        rc = read_heads(&plan, err);
    if (rc >= 0) {
        link_entries(&plan);
        rc = choose(git, number, only_or_null, &plan, fetch);
        if (rc < 0)
            gt_fail(err, rc, "out of memory for a pack of %u objects", plan.count);
    }
    if (rc < 0) {
        gt_plan_free(&plan);
        return rc;
    }
    *ret_plan = plan;
    return 0;
}

void gt_plan_free(struct gt_plan *plan)
{
    free(plan->entries);
    *plan = (struct gt_plan){0};
}
