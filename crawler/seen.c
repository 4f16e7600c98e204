#include "crawler/seen.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t hash;  /* 0: empty slot */
    uint64_t stamp; /* when it was confirmed last */
};

struct gt_seen {
    struct entry *table; /* open addressing, linear probing, at most 3/4 full */
    size_t slots;        /* a power of two */
    size_t count, most;
    uint64_t clock, round;
};

struct gt_seen *gt_seen_new(size_t most)
{
    struct gt_seen *seen = calloc(1, sizeof *seen);
    if (seen)
        seen->most = most ? most : 1;
    return seen;
}

void gt_seen_free(struct gt_seen *seen)
{
    if (!seen)
        return;
    free(seen->table);
    free(seen);
}

size_t gt_seen_count(const struct gt_seen *seen)
{
    return seen->count;
}

uint64_t gt_seen_hash(const char *item, const char *revision)
{
    char id[GT_ID_TEXT];
    const struct gt_part parts[] = {gt_part(item), gt_part(revision)};

    gt_id_make("seen", parts, 2, id);
    id[16] = '\0';
    uint64_t hash = strtoull(id, NULL, 16);
    return hash ? hash : 1;
}

/* The slot of hash, or the empty one where it would go. */
static struct entry *slot_of(struct entry *table, size_t slots, uint64_t hash)
{
    size_t at = hash & (slots - 1);
    while (table[at].hash && table[at].hash != hash)
        at = (at + 1) & (slots - 1);
    return &table[at];
}

bool gt_seen_has(const struct gt_seen *seen, uint64_t hash)
{
    return seen->slots && slot_of(seen->table, seen->slots, hash)->hash == hash;
}

/* A new table of `slots` with the entries whose stamp is at least `least`. */
static int rebuild(struct gt_seen *seen, size_t slots, uint64_t least)
{
    struct entry *table = calloc(slots, sizeof *table);
    if (!table)
        return GT_E_NOMEM;

    size_t count = 0;
    for (size_t i = 0; i < seen->slots; i++) {
        if (!seen->table[i].hash || seen->table[i].stamp < least)
            continue;
        *slot_of(table, slots, seen->table[i].hash) = seen->table[i];
        count++;
    }
    free(seen->table);
    seen->table = table;
    seen->slots = slots;
    seen->count = count;
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    return left->stamp < right->stamp ? 1 : left->stamp > right->stamp ? -1 : 0;
}

/* All entries, newest first; the caller frees. */
static struct entry *sorted(const struct gt_seen *seen)
{
    struct entry *list = calloc(seen->count ? seen->count : 1, sizeof *list);
    if (!list)
        return NULL;
    size_t count = 0;
    for (size_t i = 0; i < seen->slots; i++)
        if (seen->table[i].hash)
            list[count++] = seen->table[i];
    qsort(list, count, sizeof *list, newest_first);
    return list;
}

/* Drops the oldest quarter, so that dropping is rare. */
static int make_room(struct gt_seen *seen)
{
    struct entry *list = sorted(seen);
    if (!list)
        return GT_E_NOMEM;
    size_t keep = seen->most - seen->most / 4 - 1;
    uint64_t least = keep ? list[keep - 1].stamp : seen->clock + 1;
    free(list);
    return rebuild(seen, seen->slots, least);
}

int gt_seen_add(struct gt_seen *seen, uint64_t hash)
{
    int code = 0;

    if (!gt_seen_has(seen, hash)) {
        if (seen->count >= seen->most)
            code = make_room(seen);
        if (!code && 4 * (seen->count + 1) > 3 * seen->slots)
            code = rebuild(seen, seen->slots ? 2 * seen->slots : 64, 0);
        if (code)
            return code;
        seen->count++;
    }
    *slot_of(seen->table, seen->slots, hash) = (struct entry){hash, ++seen->clock};
    return 0;
}

void gt_seen_begin(struct gt_seen *seen)
{
    seen->round = seen->clock + 1;
}

void gt_seen_forget(struct gt_seen *seen)
{
    if (seen->slots) /* out of memory: they simply stay a round longer */
        (void)rebuild(seen, seen->slots, seen->round);
}

int gt_seen_append(const struct gt_seen *seen, size_t most, struct gt_buffer *out)
{
    struct entry *list = sorted(seen);
    size_t count = seen->count < most ? seen->count : most;
    unsigned char *bytes = malloc(8 * count + 1);
    size_t size = sodium_base64_ENCODED_LEN(8 * count, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    int code = GT_E_NOMEM;

    if (list && bytes && text) {
        for (size_t i = 0; i < count; i++)
            for (int b = 0; b < 8; b++)
                bytes[8 * i + b] = (unsigned char)(list[i].hash >> (56 - 8 * b));
        sodium_bin2base64(text, size, bytes, 8 * count, sodium_base64_VARIANT_ORIGINAL);
        code = gt_buffer_puts(out, text);
    }
    free(list);
    free(bytes);
    free(text);
    return code;
}

int gt_seen_load(struct gt_seen *seen, const char *text)
{
    size_t len = strlen(text), size = len / 4 * 3 + 3, got = 0;
    unsigned char *bytes = malloc(size);
    int code = 0;

    if (!bytes)
        return GT_E_NOMEM;
    if (sodium_base642bin(bytes, size, text, len, NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        got = 0;
    size_t count = got / 8 < seen->most ? got / 8 : seen->most;
    for (size_t i = count; i > 0 && !code; i--) {
        uint64_t hash = 0;
        for (int b = 0; b < 8; b++)
            hash = hash << 8 | bytes[8 * (i - 1) + b];
        code = gt_seen_add(seen, hash ? hash : 1);
    }
    free(bytes);
    return code;
}
