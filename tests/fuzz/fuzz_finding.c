/* The JSON of findings. What decodes must come back the same from another round. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new((size_t)32 * 1024 * 1024);
    GT_BUFFER_AUTO struct gt_buffer first = GT_BUFFER((size_t)16 * 1024 * 1024),
                                    second = GT_BUFFER((size_t)16 * 1024 * 1024);
    struct gt_finding finding, again;
    struct gt_error err;
    if (!arena || gt_finding_decode(data, size, arena, &finding, &err) < 0 ||
        gt_finding_encode(&finding, &first, NULL) < 0 || first.len > 1024 * 1024)
        return 0;
    if (gt_finding_decode(first.data, first.len, arena, &again, &err) < 0 ||
        gt_finding_encode(&again, &second, NULL) < 0 || first.len != second.len ||
        memcmp(first.data, second.data, first.len) != 0)
        abort();
    return 0;
}
