/* What a commit brings, found in packs. Inside git/ only. */
#ifndef GT_GIT_TREES_H
#define GT_GIT_TREES_H

#include "git/reader.h"

struct gt_trees;
struct gt_trees *gt_trees_new(const struct gt_git *git); /* NULL: out of memory */
void gt_trees_free(struct gt_trees *trees);
/* As gt_git_changes, of one commit. Negative: git has to be asked, though some may have been told;
 * GT_E_LIMIT: it holds more than any tree should. */
int gt_trees_changes(struct gt_trees *trees, const struct gt_git *git, const struct gt_oid *oid,
                     size_t commit, gt_git_change *change, void *user);

#endif
