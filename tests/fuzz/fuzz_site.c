/* Site definitions: whatever the file says, it is taken or refused with words; a taken one may be
 * proved. */
#include "crawler/site.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gt_arena *arena = gt_arena_new((size_t)16 << 20);
    struct gt_mistakes mistakes = {.arena = arena};
    struct gt_error err = {0};
    struct gt_site site;

    if (gt_hash_start(NULL) < 0 || !arena)
        abort();
    int code = gt_site_parse("shop.yaml", (const char *)data, size, arena, &mistakes, &site, &err);
    if (code < 0 && !err.message[0])
        abort();
    for (size_t i = 0; code >= 0 && i < site.examples.count; i++)
        if (gt_site_prove(&site, GT_LIST_ITEM(site.examples, struct gt_site_example, i), &err) <
                0 &&
            !err.message[0])
            abort();
    gt_arena_free(arena);
    return 0;
}
