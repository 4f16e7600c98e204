/* A bounded set of hashes: which items of a source were handed over already.
 *
 * It is part of a cursor, so it must stay small: the least recently confirmed hashes go first. A
 * hash that was dropped costs a replay, which the ids of documents collapse; it never costs a
 * document. */
#ifndef GT_CRAWLER_SEEN_H
#define GT_CRAWLER_SEEN_H

#include "core/core.h"

struct gt_seen;

/* most: hashes held at once. NULL when memory is out. */
struct gt_seen *gt_seen_new(size_t most);
void gt_seen_free(struct gt_seen *seen);
size_t gt_seen_count(const struct gt_seen *seen);

/* 64 bits of BLAKE2b over both texts (NULL counts as empty): the item and its revision. */
uint64_t gt_seen_hash(const char *item, const char *revision);
bool gt_seen_has(const struct gt_seen *seen, uint64_t hash);
/* Adds or confirms. GT_E_NOMEM. */
int gt_seen_add(struct gt_seen *seen, uint64_t hash);

/* A round begins; gt_seen_forget drops what no gt_seen_add of this round confirmed. */
void gt_seen_begin(struct gt_seen *seen);
void gt_seen_forget(struct gt_seen *seen);

/* The `most` latest, newest first, as base64 of 8 big-endian bytes each; and back. Text that is
 * none is ignored from there on: a damaged cursor costs replays only. */
int gt_seen_append(const struct gt_seen *seen, size_t most, struct gt_buffer *out);
int gt_seen_load(struct gt_seen *seen, const char *text);

#endif
