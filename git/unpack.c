#include "git/unpack.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define READ_AHEAD ((size_t)32 * 1024)

#define BLOCKS 256
#define BLOCK ((size_t)16 * 1024)
#define BLOCK_MORE ((size_t)2 * 1024) /* and so much of the next one: most entries are short */

struct block {
    const struct gt_pack *pack;
    uint64_t number;
    size_t len;
    char bytes[BLOCK + BLOCK_MORE];
};

struct gt_unpacker {
    struct block *blocks; /* BLOCKS; NULL: it reads straight on */
    struct libdeflate_decompressor *inflate;
    struct gt_whole delta;
    /* Bytes of the pack, a little more than asked for: its neighbour is often next. */
    struct gt_whole packed;
    const struct gt_pack *pack;
    uint64_t offset;
};

struct gt_unpacker *gt_unpacker_new(void)
{
    struct gt_unpacker *unpacker = calloc(1, sizeof *unpacker);
    if (!unpacker)
        return NULL;
    unpacker->inflate = libdeflate_alloc_decompressor();
    if (!unpacker->inflate) {
        free(unpacker);
        return NULL;
    }
    return unpacker;
}

void gt_unpacker_free(struct gt_unpacker *unpacker)
{
    if (!unpacker)
        return;
    libdeflate_free_decompressor(unpacker->inflate);
    free(unpacker->delta.bytes);
    free(unpacker->packed.bytes);
    free(unpacker->blocks);
    free(unpacker);
}

void gt_unpacker_scatter(struct gt_unpacker *unpacker)
{
    unpacker->blocks = calloc(BLOCKS, sizeof *unpacker->blocks);
}

static int reserve(struct gt_whole *whole, size_t len)
{
    if (len < whole->capacity)
        return 0;
    free(whole->bytes);
    whole->capacity = len + len / 8 + 64;
    whole->len = 0;
    whole->bytes = malloc(whole->capacity);
    if (!whole->bytes)
        whole->capacity = 0;
    return whole->bytes ? 0 : GT_E_NOMEM;
}

static const char *read_block(struct gt_unpacker *unpacker, const struct gt_pack *pack,
                              uint64_t offset, size_t len)
{
    uint64_t number = offset / BLOCK;
    size_t within = (size_t)(offset % BLOCK);
    struct block *block = &unpacker->blocks[number % BLOCKS];
    if (block->pack != pack || block->number != number) {
        uint64_t left = pack->size - number * BLOCK;
        block->pack = NULL;
        block->len = left < sizeof block->bytes ? (size_t)left : sizeof block->bytes;
        if (gt_pack_read(pack, number * BLOCK, block->bytes, block->len) < 0)
            return NULL;
        block->pack = pack;
        block->number = number;
    }
    return within + len <= block->len ? block->bytes + within : NULL;
}

static const char *read_packed(struct gt_unpacker *unpacker, const struct gt_pack *pack,
                               uint64_t offset, size_t len)
{
    struct gt_whole *packed = &unpacker->packed;
    const char *kept =
        unpacker->blocks && len < BLOCK_MORE ? read_block(unpacker, pack, offset, len) : NULL;
    if (kept)
        return kept;
    if (unpacker->pack == pack && offset >= unpacker->offset &&
        offset + len <= unpacker->offset + packed->len)
        return packed->bytes + (offset - unpacker->offset);
    uint64_t left = pack->size - offset;
    size_t more = len < READ_AHEAD ? READ_AHEAD : len;
    if (more > left)
        more = (size_t)left;
    unpacker->pack = NULL;
    if (reserve(packed, more) < 0 || gt_pack_read(pack, offset, packed->bytes, more) < 0)
        return NULL;
    packed->len = more;
    unpacker->pack = pack;
    unpacker->offset = offset;
    return packed->bytes;
}

int gt_unpacker_inflate(struct gt_unpacker *unpacker, const struct gt_pack *pack, uint64_t from,
                        uint64_t end, size_t size, struct gt_whole *to)
{
    uint64_t most = (uint64_t)size + size / 2 + 1024;
    if (size > GT_GIT_WHOLE_MAX)
        return GT_E_LIMIT;
    if (end <= from)
        return GT_E_INVALID;
    size_t len = (size_t)(end - from < most ? end - from : most), used;
    const char *packed = read_packed(unpacker, pack, from, len);
    if (!packed || reserve(to, size) < 0)
        return packed ? GT_E_NOMEM : GT_E_IO;
    if (libdeflate_zlib_decompress_ex(unpacker->inflate, packed, len, to->bytes, size, &used,
                                      NULL) != LIBDEFLATE_SUCCESS)
        return GT_E_INVALID;
    to->len = size;
    return 0;
}

int gt_unpacker_head(struct gt_unpacker *unpacker, const struct gt_pack *pack, uint64_t offset,
                     struct gt_pack_head *ret_head)
{
    uint64_t left = offset < pack->size ? pack->size - offset : 0;
    size_t len = left < GT_PACK_HEAD_MAX ? (size_t)left : GT_PACK_HEAD_MAX;
    const char *bytes = len > 0 && offset > 0 ? read_packed(unpacker, pack, offset, len) : NULL;
    return bytes
               ? gt_pack_head_parse((const unsigned char *)bytes, len, offset, pack->hash, ret_head)
               : GT_E_INVALID;
}

int gt_unpacker_change(const struct gt_whole *delta, const struct gt_whole *base,
                       struct gt_whole *whole, struct gt_changes *changes)
{
    const unsigned char *bytes = (const unsigned char *)delta->bytes;
    uint64_t from, size;
    if (gt_delta_sizes(bytes, delta->len, &from, &size) < 0)
        return GT_E_INVALID;
    if (size > GT_GIT_WHOLE_MAX)
        return GT_E_LIMIT;
    if (reserve(whole, (size_t)size) < 0)
        return GT_E_NOMEM;
    int rc = gt_delta_apply(bytes, delta->len, base->bytes, base->len, whole->bytes, (size_t)size,
                            changes);
    whole->len = rc < 0 ? 0 : (size_t)size;
    return rc;
}

int gt_unpacker_run(struct gt_unpacker *unpacker, const struct gt_plan *plan, uint32_t number,
                    const struct gt_whole *base, struct gt_whole *whole, struct gt_changes *changes)
{
    const struct gt_entry *entry = &plan->entries[number];
    bool delta = entry->flags & GT_ENTRY_DELTA;
    if (delta && !base)
        return GT_E_INVALID;
    int rc = gt_unpacker_inflate(unpacker, plan->pack, entry->offset + entry->head,
                                 gt_plan_end(plan, number), entry->size,
                                 delta ? &unpacker->delta : whole);
    return rc < 0 || !delta ? rc : gt_unpacker_change(&unpacker->delta, base, whole, changes);
}
