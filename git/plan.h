/* Which entries of a pack are unpacked, and from which. Inside git/ only. */
#ifndef GT_GIT_PLAN_H
#define GT_GIT_PLAN_H

#include "git/repository.h"

#define GT_ENTRY_WANTED 1 /* the visitor is to see it */
#define GT_ENTRY_NEEDED 2 /* it, or what is made of it, is wanted */
#define GT_ENTRY_DELTA 4
#define GT_ENTRY_LOST 8 /* it leads to no type */

/* In the order of the pack. Links are numbers of entries or GT_PACK_NONE. */
struct gt_entry {
    uint64_t offset;
    uint32_t index; /* in the pack's index */
    uint32_t parent, child, sibling;
    uint32_t size; /* unpacked, of a delta itself; UINT32_MAX: that or more */
    uint8_t type;  /* enum gt_git_type; 0: damaged, or its base is not here */
    uint8_t head;  /* bytes before the compressed ones */
    uint8_t flags;
};

struct gt_plan {
    struct gt_pack *pack;
    struct gt_entry *entries;
    uint32_t count;
    uint64_t wanted;
};

/* number: the pack's; what packs before it hold is not wanted again. Names of entries that cannot
 * be understood are added to `fetch`. */
int gt_plan_make(const struct gt_git *git, size_t number, const struct gt_oids *only_or_null,
                 struct gt_plan *ret_plan, struct gt_oids *fetch, struct gt_error *err);
void gt_plan_free(struct gt_plan *plan);
/* End of the entry's compressed bytes, at the latest. */
uint64_t gt_plan_end(const struct gt_plan *plan, uint32_t number);

#endif
