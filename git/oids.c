#include "git/git.h"

#include <stdlib.h>
#include <string.h>

int gt_oids_add(struct gt_oids *oids, const struct gt_oid *oid)
{
    if (oids->count == oids->capacity) {
        size_t capacity = oids->capacity ? 2 * oids->capacity : 256;
        struct gt_oid *more = reallocarray(oids->items, capacity, sizeof *more);
        if (!more)
            return GT_E_NOMEM;
        oids->items = more;
        oids->capacity = capacity;
    }
    oids->items[oids->count++] = *oid;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct gt_oid));
}

void gt_oids_sort(struct gt_oids *oids)
{
    size_t kept = 0;
    if (oids->count < 2)
        return;
    qsort(oids->items, oids->count, sizeof *oids->items, compare);
    for (size_t i = 1; i < oids->count; i++)
        if (compare(&oids->items[kept], &oids->items[i]) != 0)
            oids->items[++kept] = oids->items[i];
    oids->count = kept + 1;
}

bool gt_oids_have(const struct gt_oids *sorted, const struct gt_oid *oid)
{
    return sorted->count > 0 &&
           bsearch(oid, sorted->items, sorted->count, sizeof *sorted->items, compare);
}

void gt_oids_free(struct gt_oids *oids)
{
    free(oids->items);
    *oids = (struct gt_oids){0};
}
