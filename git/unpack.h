/* Unpacks entries of a pack. One a worker. Inside git/ only. */
#ifndef GT_GIT_UNPACK_H
#define GT_GIT_UNPACK_H

#include "git/plan.h"

struct gt_unpacker;

/* An object in memory. */
struct gt_whole {
    char *bytes;
    size_t len, capacity;
};

struct gt_unpacker *gt_unpacker_new(void); /* NULL: out of memory */
void gt_unpacker_free(struct gt_unpacker *unpacker);
/* It will read here and there: many small pieces of the pack are kept, instead of one. */
void gt_unpacker_scatter(struct gt_unpacker *unpacker);

/* Into `whole`, whose memory is used again or grows. base: the unpacked object that a delta is made
 * from, else NULL; changes: where it differs from that. GT_E_INVALID: damaged; GT_E_LIMIT: longer
 * than GT_GIT_WHOLE_MAX. */
int gt_unpacker_run(struct gt_unpacker *unpacker, const struct gt_plan *plan, uint32_t number,
                    const struct gt_whole *base, struct gt_whole *whole,
                    struct gt_changes *changes);

/* Its parts: bytes packed between two places of the pack (the end at the latest; zlib's worst case
 * is a few bytes more than its input a block, and no longer gap is read); an entry's head
 * (base_name lives until the next call); a difference applied. */
int gt_unpacker_inflate(struct gt_unpacker *unpacker, const struct gt_pack *pack, uint64_t from,
                        uint64_t end, size_t size, struct gt_whole *to);
int gt_unpacker_head(struct gt_unpacker *unpacker, const struct gt_pack *pack, uint64_t offset,
                     struct gt_pack_head *ret_head);
int gt_unpacker_change(const struct gt_whole *delta, const struct gt_whole *base,
                       struct gt_whole *whole, struct gt_changes *changes);

#endif
