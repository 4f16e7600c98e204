/* Single objects out of packs, with those read last kept: for walking trees, whose versions are
 * differences of each other. One a thread. Inside git/ only. */
#ifndef GT_GIT_READER_H
#define GT_GIT_READER_H

#include "git/unpack.h"

struct gt_pack_reader;

/* In memory while somebody uses it. */
struct gt_read {
    struct gt_whole whole;
    enum gt_git_type type;
    unsigned users;
    const struct gt_pack *pack;
    uint64_t offset;
};

/* All packs are open (gt_git_open_packs). NULL: out of memory. */
struct gt_pack_reader *gt_pack_reader_new(const struct gt_git *git);
void gt_pack_reader_free(struct gt_pack_reader *reader);
/* GT_E_NOTFOUND: not in a pack. GT_E_INVALID, GT_E_LIMIT: damaged, or longer than is held. */
int gt_pack_reader_get(struct gt_pack_reader *reader, const struct gt_oid *oid,
                       struct gt_read **ret_read);
void gt_pack_reader_put(struct gt_read *read_or_null);

#endif
