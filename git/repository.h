/* What a repository is inside. Inside git/ only. */
#ifndef GT_GIT_REPOSITORY_H
#define GT_GIT_REPOSITORY_H

#include "git/child.h"
#include "git/git.h"
#include "git/pack.h"

struct gt_git {
    struct gt_arena *arena;
    const char *directory; /* absolute, without links */
    size_t hash;           /* bytes of a name: 20 or 32 */
    bool shallow;
    struct gt_pack **packs;
    size_t pack_count, pack_capacity;
    struct gt_oids loose;    /* sorted */
    struct gt_buffer doubts; /* what could not be read when it was opened, NUL after each */
};

/* Pack numbers below `before` hold it. */
bool gt_git_packed(const struct gt_git *git, const struct gt_oid *oid, size_t before);

#endif
