/* An arena: memory of one unit of work, freed at once, with a cap.
 *
 * What is bad about it: nothing in it can be freed alone, a pointer into it dies with it, and
 * destructors do not run (a file or library handle does not belong here).
 * Allocation returns NULL only when the cap is reached or memory is out; callers turn that into
 * GT_E_LIMIT. Blocks are aligned for any type and zeroed. */
#ifndef GT_CORE_ARENA_H
#define GT_CORE_ARENA_H

#include <stddef.h>

struct gt_arena;

/* max: bytes the arena may ever hold. NULL when memory is out. */
struct gt_arena *gt_arena_new(size_t max);
void gt_arena_free(struct gt_arena *arena);
/* Forgets everything but keeps one chunk, for the next unit of work. */
void gt_arena_reset(struct gt_arena *arena);
size_t gt_arena_used(const struct gt_arena *arena);

void *gt_arena_alloc(struct gt_arena *arena, size_t size);
/* count * size with an overflow check. */
void *gt_arena_array(struct gt_arena *arena, size_t count, size_t size);
/* A longer copy of an array in the arena (the old one stays until reset). */
void *gt_arena_grow(struct gt_arena *arena, const void *old, size_t old_size, size_t new_size);
char *gt_arena_strdup(struct gt_arena *arena, const char *text);
/* len bytes and a NUL. */
char *gt_arena_memdup(struct gt_arena *arena, const void *bytes, size_t len);
char *gt_arena_printf(struct gt_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* __attribute__((cleanup)) helper: `GT_ARENA_AUTO struct gt_arena *a = ...;` */
void gt_arena_cleanup(struct gt_arena **arena);
#define GT_ARENA_AUTO __attribute__((cleanup(gt_arena_cleanup)))

#endif
