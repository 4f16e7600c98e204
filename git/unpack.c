#include "git/unpack.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define READ_AHEAD ((size_t)32 * 1024)

struct gt_unpacker {
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
    free(unpacker);
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

static const char *read_packed(struct gt_unpacker *unpacker, const struct gt_pack *pack,
                               uint64_t offset, size_t len)
{
    struct gt_whole *packed = &unpacker->packed;
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

/* What one entry holds: the object, or how it differs. zlib's worst case is a few bytes more than
 * its input a block; a longer gap to the next entry is not read. */
static int inflate(struct gt_unpacker *unpacker, const struct gt_plan *plan, uint32_t number,
                   struct gt_whole *to)
{
    const struct gt_entry *entry = &plan->entries[number];
    if (entry->size > GT_GIT_WHOLE_MAX)
        return GT_E_LIMIT;
    uint64_t from = entry->offset + entry->head, end = gt_plan_end(plan, number);
    uint64_t most = (uint64_t)entry->size + entry->size / 2 + 1024;
    if (end <= from)
        return GT_E_INVALID;
    size_t len = (size_t)(end - from < most ? end - from : most), used;
    const char *packed = read_packed(unpacker, plan->pack, from, len);
    if (!packed || reserve(to, entry->size) < 0)
        return packed ? GT_E_NOMEM : GT_E_IO;
    if (libdeflate_zlib_decompress_ex(unpacker->inflate, packed, len, to->bytes, entry->size, &used,
                                      NULL) != LIBDEFLATE_SUCCESS)
        return GT_E_INVALID;
    to->len = entry->size;
    return 0;
}

int gt_unpacker_run(struct gt_unpacker *unpacker, const struct gt_plan *plan, uint32_t number,
                    const struct gt_whole *base, struct gt_whole *whole, struct gt_changes *changes)
{
    uint64_t from, size;
    if (!(plan->entries[number].flags & GT_ENTRY_DELTA))
        return inflate(unpacker, plan, number, whole);
    int rc = base ? inflate(unpacker, plan, number, &unpacker->delta) : GT_E_INVALID;
    if (rc < 0)
        return rc;
    const unsigned char *delta = (const unsigned char *)unpacker->delta.bytes;
    if (gt_delta_sizes(delta, unpacker->delta.len, &from, &size) < 0)
        return GT_E_INVALID;
    if (size > GT_GIT_WHOLE_MAX)
        return GT_E_LIMIT;
    if (reserve(whole, (size_t)size) < 0)
        return GT_E_NOMEM;
    rc = gt_delta_apply(delta, unpacker->delta.len, base->bytes, base->len, whole->bytes,
                        (size_t)size, changes);
    whole->len = rc < 0 ? 0 : (size_t)size;
    return rc;
}
