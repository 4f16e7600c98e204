#include "git/reader.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS ((size_t)1 << 14)
#define KEPT_MAX ((size_t)32 * 1024 * 1024)
#define KEPT_ONE ((size_t)1024 * 1024) /* longer ones are not kept */
#define CHAIN_MAX 5000                 /* git makes at most 4095 */

struct known {
    struct gt_oid oid;
    const struct gt_pack *pack;
    uint64_t offset;
};

struct gt_pack_reader {
    const struct gt_git *git;
    struct gt_unpacker *unpacker;
    struct gt_read *slots[SLOTS];
    size_t kept, hand;
    struct known known[SLOTS];
    struct gt_whole delta;
    struct gt_changes changes;
    uint64_t chain[CHAIN_MAX];
};

struct gt_pack_reader *gt_pack_reader_new(const struct gt_git *git)
{
    struct gt_pack_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->git = git;
    reader->unpacker = gt_unpacker_new();
    if (reader->unpacker)
        gt_unpacker_scatter(reader->unpacker);
    if (!reader->unpacker) {
        free(reader);
        return NULL;
    }
    return reader;
}

void gt_pack_reader_put(struct gt_read *read_or_null)
{
    if (read_or_null && --read_or_null->users == 0) {
        free(read_or_null->whole.bytes);
        free(read_or_null);
    }
}

static void drop(struct gt_pack_reader *reader, size_t slot)
{
    if (!reader->slots[slot])
        return;
    reader->kept -= reader->slots[slot]->whole.capacity;
    gt_pack_reader_put(reader->slots[slot]);
    reader->slots[slot] = NULL;
}

void gt_pack_reader_free(struct gt_pack_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        drop(reader, i);
    gt_unpacker_free(reader->unpacker);
    free(reader->delta.bytes);
    free(reader->changes.items);
    free(reader);
}

static size_t slot_of(uint64_t offset)
{
    return (size_t)(offset * 11400714819323198485u >> 50) & (SLOTS - 1);
}

static struct gt_read *find(struct gt_pack_reader *reader, const struct gt_pack *pack,
                            uint64_t offset)
{
    struct gt_read *kept = reader->slots[slot_of(offset)];
    if (!kept || kept->pack != pack || kept->offset != offset)
        return NULL;
    kept->users++;
    return kept;
}

static void keep(struct gt_pack_reader *reader, struct gt_read *read)
{
    size_t slot = slot_of(read->offset);
    if (read->whole.capacity > KEPT_ONE)
        return;
    drop(reader, slot);
    for (; reader->kept + read->whole.capacity > KEPT_MAX;
         reader->hand = (reader->hand + 1) % SLOTS)
        drop(reader, reader->hand); /* as good as any: slots are in no order */
    read->users++;
    reader->kept += read->whole.capacity;
    reader->slots[slot] = read;
}

static uint64_t base_of(const struct gt_pack *pack, const struct gt_pack_head *head)
{
    if (head->type == GT_PACK_DELTA_OFFSET)
        return head->base_offset;
    uint32_t index = gt_pack_find(pack, head->base_name);
    return index == GT_PACK_NONE ? 0 : gt_pack_offset(pack, index);
}

static struct gt_read *new_read(const struct gt_pack *pack, uint64_t offset, enum gt_git_type type)
{
    struct gt_read *read = calloc(1, sizeof *read);
    if (read)
        *read = (struct gt_read){.type = type, .users = 1, .pack = pack, .offset = offset};
    return read;
}

/* Down to an object that is kept or whole; the differences on the way are noted in chain. */
static int find_base(struct gt_pack_reader *reader, const struct gt_pack *pack, uint64_t offset,
                     size_t *ret_links, struct gt_read **ret_read)
{
    size_t links = 0;
    for (;; links++) {
        struct gt_pack_head head;
        *ret_links = links;
        if ((*ret_read = find(reader, pack, offset)))
            return 0;
        if (links == CHAIN_MAX || gt_unpacker_head(reader->unpacker, pack, offset, &head) < 0)
            return GT_E_INVALID;
        if (head.type <= GT_GIT_TAG) {
            struct gt_read *read = new_read(pack, offset, (enum gt_git_type)head.type);
            int rc = !read ? GT_E_NOMEM
                     : head.size > GT_GIT_WHOLE_MAX
                         ? GT_E_LIMIT
                         : gt_unpacker_inflate(reader->unpacker, pack, offset + head.len,
                                               pack->size, (size_t)head.size, &read->whole);
            if (rc < 0)
                gt_pack_reader_put(read);
            else
                keep(reader, *ret_read = read);
            return rc;
        }
        reader->chain[links] = offset;
        offset = base_of(pack, &head);
    }
}

static int apply(struct gt_pack_reader *reader, uint64_t offset, const struct gt_read *base,
                 struct gt_read **ret_read)
{
    struct gt_pack_head head;
    int rc = gt_unpacker_head(reader->unpacker, base->pack, offset, &head);
    if (rc >= 0)
        rc = head.size > GT_GIT_WHOLE_MAX
                 ? GT_E_LIMIT
                 : gt_unpacker_inflate(reader->unpacker, base->pack, offset + head.len,
                                       base->pack->size, (size_t)head.size, &reader->delta);
    struct gt_read *read = rc >= 0 ? new_read(base->pack, offset, base->type) : NULL;
    if (!read)
        return rc < 0 ? rc : GT_E_NOMEM;
    rc = gt_unpacker_change(&reader->delta, &base->whole, &read->whole, &reader->changes);
    if (rc < 0)
        gt_pack_reader_put(read);
    else
        keep(reader, *ret_read = read);
    return rc;
}

static int read_at(struct gt_pack_reader *reader, const struct gt_pack *pack, uint64_t offset,
                   struct gt_read **ret_read)
{
    struct gt_read *read = NULL;
    size_t links = 0;
    int rc = find_base(reader, pack, offset, &links, &read);
    while (rc >= 0 && links-- > 0) {
        struct gt_read *base = read;
        rc = apply(reader, reader->chain[links], base, &read);
        gt_pack_reader_put(base);
    }
    if (rc >= 0)
        *ret_read = read;
    return rc;
}

/* The tree that one commit has is the tree that the next one changes: most names are known from
 * shortly before. */
static struct known *known_at(struct gt_pack_reader *reader, const struct gt_oid *oid)
{
    uint32_t hash;
    memcpy(&hash, oid->bytes + 4, sizeof hash);
    return &reader->known[hash % SLOTS];
}

int gt_pack_reader_get(struct gt_pack_reader *reader, const struct gt_oid *oid,
                       struct gt_read **ret_read)
{
    struct known *known = known_at(reader, oid);
    if (known->pack && memcmp(&known->oid, oid, sizeof *oid) == 0)
        return read_at(reader, known->pack, known->offset, ret_read);
    for (size_t i = 0; i < reader->git->pack_count; i++) {
        const struct gt_pack *pack = reader->git->packs[i];
        uint32_t index = pack->fd < 0 ? GT_PACK_NONE : gt_pack_find(pack, oid->bytes);
        if (index == GT_PACK_NONE)
            continue;
        *known = (struct known){*oid, pack, gt_pack_offset(pack, index)};
        return read_at(reader, pack, known->offset, ret_read);
    }
    return GT_E_NOTFOUND;
}
