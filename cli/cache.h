/* Where a person's own commands keep things. Inside cli/ only. */
#ifndef GT_CLI_CACHE_H
#define GT_CLI_CACHE_H

#include "core/core.h"

/* $XDG_CACHE_HOME/guette, else ~/.cache/guette (XDG Base Directory Specification). NULL: no home.
 * Arena memory. */
const char *gt_cli_cache(struct gt_arena *arena);

/* The key of fingerprints for `scan`: the file of $GUETTE_FINGERPRINT_KEY, else that of the
 * configuration (may be NULL), else the user's own, ~/.config/guette/fingerprint.key, made at first
 * use. *ret_ephemeral: none of them can be had, so the key lives as long as the command; err says
 * why. */
int gt_cli_key(const char *configured, struct gt_arena *arena, struct gt_key *ret_key,
               bool *ret_ephemeral, struct gt_error *err);

#endif
