#include "core/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT alignof(max_align_t)

struct chunk {
    struct chunk *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct gt_arena {
    struct chunk *head;
    size_t max, held, used;
};

struct gt_arena *gt_arena_new(size_t max)
{
    struct gt_arena *arena = calloc(1, sizeof *arena);
    if (arena)
        arena->max = max;
    return arena;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void gt_arena_free(struct gt_arena *arena)
{
    if (!arena)
        return;
    free_chunks(arena->head);
    free(arena);
}

void gt_arena_cleanup(struct gt_arena **arena)
{
    gt_arena_free(*arena);
}

void gt_arena_reset(struct gt_arena *arena)
{
    struct chunk *keep = NULL;
    for (struct chunk *c = arena->head, *next; c; c = next) {
        next = c->next;
        if (!keep && c->size == CHUNK_SIZE)
            keep = c;
        else
            free(c);
    }
    arena->head = keep;
    arena->held = keep ? keep->size : 0;
    arena->used = 0;
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
}

size_t gt_arena_used(const struct gt_arena *arena)
{
    return arena->used;
}

static struct chunk *add_chunk(struct gt_arena *arena, size_t size)
{
    size_t want = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    if (want > arena->max - arena->held)
        want = size; /* near the cap: exactly what is asked */
    if (size > arena->max - arena->held || want > SIZE_MAX - sizeof(struct chunk))
        return NULL;
    struct chunk *chunk = malloc(sizeof *chunk + want);
    if (!chunk)
        return NULL;
    chunk->size = want;
    chunk->used = 0;
    arena->held += want;
    /* A large block must not hide the room left in the current chunk. */
    if (arena->head && want > CHUNK_SIZE) {
        chunk->next = arena->head->next;
        arena->head->next = chunk;
    } else {
        chunk->next = arena->head;
        arena->head = chunk;
    }
    return chunk;
}

void *gt_arena_alloc(struct gt_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    struct chunk *chunk = arena->head;
    if (!chunk || chunk->size - chunk->used < size)
        chunk = add_chunk(arena, size);
    if (!chunk)
        return NULL;
    void *block = chunk->bytes + chunk->used;
    chunk->used += size;
    arena->used += size;
    return memset(block, 0, size);
}

void *gt_arena_array(struct gt_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return gt_arena_alloc(arena, bytes);
}

void *gt_arena_grow(struct gt_arena *arena, const void *old, size_t old_size, size_t new_size)
{
    void *block = gt_arena_alloc(arena, new_size);
    if (block && old_size)
        memcpy(block, old, old_size);
    return block;
}

char *gt_arena_memdup(struct gt_arena *arena, const void *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = gt_arena_alloc(arena, len + 1);
    if (copy && len)
        memcpy(copy, bytes, len);
    return copy;
}

char *gt_arena_strdup(struct gt_arena *arena, const char *text)
{
    return text ? gt_arena_memdup(arena, text, strlen(text)) : NULL;
}

char *gt_arena_printf(struct gt_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : gt_arena_alloc(arena, (size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}
