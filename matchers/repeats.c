#include "matchers/scan.h"

#include <string.h>

/* Where known secrets stand again: each is filed under its last bytes, and a line is looked through
 * byte by byte. So a line costs the same in a document with ten thousand secrets. */
#define KEY_LONG 8
#define KEY_SHORT 4          /* shorter secrets are not sought: they stand everywhere */
#define BEYOND ((size_t)512) /* a repeat may end so far behind the line */

static size_t bucket_of(const struct gt_repeats *repeats, const char *bytes, size_t len)
{
    uint64_t hash = 14695981039346656037u ^ len;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 29) & (repeats->size - 1);
}

static size_t key_length(size_t len)
{
    return len >= KEY_LONG ? KEY_LONG : len >= KEY_SHORT ? KEY_SHORT : 0;
}

int gt_repeats_build(struct gt_scratch *scratch)
{
    struct gt_repeats *repeats = &scratch->repeats;
    size_t size = 64;
    while (size < 2 * scratch->candidate_count)
        size *= 2;
    *repeats = (struct gt_repeats){.size = size};
    repeats->heads = gt_arena_array(scratch->arena, size, sizeof *repeats->heads);
    repeats->next =
        gt_arena_array(scratch->arena, scratch->candidate_count + 1, sizeof *repeats->next);
    if (!repeats->heads || !repeats->next)
        return GT_E_LIMIT;
    for (uint32_t i = 0; i < scratch->candidate_count; i++) {
        struct gt_span secret = scratch->candidates[i].secret;
        size_t len = secret.end - secret.start, key = key_length(len);
        if (len > repeats->longest)
            repeats->longest = len;
        if (key == 0)
            continue;
        size_t bucket = bucket_of(repeats, scratch->body + secret.end - key, key);
        repeats->next[i] = repeats->heads[bucket];
        repeats->heads[bucket] = i + 1;
    }
    return 0;
}

static void find_ending(const struct gt_scratch *scratch, size_t end, size_t key,
                        gt_repeat_found *found, void *user)
{
    const struct gt_repeats *repeats = &scratch->repeats;
    uint32_t i = repeats->heads[bucket_of(repeats, scratch->body + end - key, key)];
    for (; i; i = repeats->next[i - 1]) {
        const struct gt_candidate *candidate = &scratch->candidates[i - 1];
        size_t len = candidate->secret.end - candidate->secret.start;
        if (key_length(len) == key && len <= end &&
            memcmp(scratch->body + end - len, scratch->body + candidate->secret.start, len) == 0)
            found(user, candidate, (struct gt_span){end - len, end});
    }
}

void gt_repeats_find(const struct gt_scratch *scratch, struct gt_span line, gt_repeat_found *found,
                     void *user)
{
    size_t end = scratch->len - line.end > BEYOND ? line.end + BEYOND : scratch->len;
    if (scratch->candidate_count == 0)
        return;
    for (size_t at = line.start + 1; at <= end; at++) {
        if (at >= KEY_LONG)
            find_ending(scratch, at, KEY_LONG, found, user);
        if (at >= KEY_SHORT)
            find_ending(scratch, at, KEY_SHORT, found, user);
    }
}
