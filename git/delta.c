#include "git/pack.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 4096 /* an object with more of them is as good as new */

static int read_size(const unsigned char *delta, size_t len, size_t *at, uint64_t *ret)
{
    uint64_t size = 0;
    for (unsigned shift = 0; shift <= 56; shift += 7) {
        if (*at >= len)
            return GT_E_INVALID;
        unsigned char c = delta[(*at)++];
        size |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80)) {
            *ret = size;
            return 0;
        }
    }
    return GT_E_INVALID;
}

int gt_delta_sizes(const unsigned char *delta, size_t len, uint64_t *ret_base, uint64_t *ret_result)
{
    size_t at = 0;
    return read_size(delta, len, &at, ret_base) < 0 || read_size(delta, len, &at, ret_result) < 0
               ? GT_E_INVALID
               : 0;
}

static void note(struct gt_changes *changes, size_t start, size_t end)
{
    struct gt_git_span *last = changes->count ? &changes->items[changes->count - 1] : NULL;
    if (last && start <= last->end) {
        last->end = end;
        return;
    }
    if (changes->count == changes->capacity) {
        size_t capacity = changes->capacity ? 2 * changes->capacity : 64;
        struct gt_git_span *more =
            capacity <= CHANGES_MAX ? reallocarray(changes->items, capacity, sizeof *more) : NULL;
        if (!more) {
            changes->lost = true;
            return;
        }
        changes->items = more;
        changes->capacity = capacity;
    }
    changes->items[changes->count++] = (struct gt_git_span){start, end};
}

struct copy {
    size_t offset, size;
};

/* A copy's offset and size: little-endian, of each only the bytes whose bit is set. */
static int read_copy(const unsigned char *delta, size_t len, size_t *at, unsigned char op,
                     struct copy *ret)
{
    size_t fields[2] = {0, 0};
    for (unsigned bit = 0; bit < 7; bit++) {
        if (!(op & 1u << bit))
            continue;
        if (*at >= len)
            return GT_E_INVALID;
        fields[bit / 4] |= (size_t)delta[(*at)++] << 8 * (bit % 4);
    }
    *ret = (struct copy){fields[0], fields[1] ? fields[1] : 0x10000};
    return 0;
}

int gt_delta_apply(const unsigned char *delta, size_t len, const char *base, size_t base_len,
                   char *to, size_t to_len, struct gt_changes *changes)
{
    uint64_t size;
    size_t at = 0, out = 0, next = 0; /* next: where in the base an unchanged text would go on */
    if (read_size(delta, len, &at, &size) < 0 || size != base_len ||
        read_size(delta, len, &at, &size) < 0 || size != to_len)
        return GT_E_INVALID;
    changes->count = 0;
    changes->lost = false;
    while (at < len) {
        unsigned char op = delta[at++];
        struct copy copy = {0, op};
        const char *from = (const char *)delta + at;
        if (op & 0x80) {
            if (read_copy(delta, len, &at, op, &copy) < 0 || copy.offset > base_len ||
                copy.size > base_len - copy.offset)
                return GT_E_INVALID;
            from = base + copy.offset;
            if (copy.offset != next)
                note(changes, out, out);
            next = copy.offset + copy.size;
        } else if (op == 0 || op > len - at) {
            return GT_E_INVALID;
        } else {
            at += op;
            note(changes, out, out + op);
        }
        if (copy.size > to_len - out)
            return GT_E_INVALID;
        memcpy(to + out, from, copy.size);
        out += copy.size;
    }
    if (next != base_len)
        note(changes, out, out);
    return out == to_len ? 0 : GT_E_INVALID;
}
