/* The configuration's steps: read and merge files, decode (config_options.c), check what rows
 * cannot. Inside model/ only. */
#ifndef GT_MODEL_CONFIG_PARTS_H
#define GT_MODEL_CONFIG_PARTS_H

#include "model/config.h"

/* Merges every file that root includes, directly or not, into root: lists are concatenated, for
 * anything else the main file wins. directory: of the main file, as the user wrote it. */
void gt_config_include(struct gt_node *root, const char *directory, struct gt_arena *arena,
                       struct gt_mistakes *mistakes);

/* Checks of single values, for the rows. */
int gt_config_check_name(const char *value, struct gt_error *err);
int gt_config_check_proxy(const char *value, struct gt_error *err);
int gt_config_check_listen(const char *value, struct gt_error *err);

/* Fills default names, lowers domains and checks what one row cannot know: names are unique, brands
 * and channels that are named exist. root is the tree config was decoded from. */
void gt_config_cross_check(struct gt_config *config, const struct gt_config_kinds *kinds,
                           const struct gt_node *root, struct gt_mistakes *mistakes);

#endif
