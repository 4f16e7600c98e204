/* The wire form of documents. What decodes must come back the same from another round. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct gt_document *document, struct gt_arena *arena)
{
    GT_BUFFER_AUTO struct gt_buffer wire = GT_BUFFER((size_t)80 * 1024 * 1024);
    struct gt_document again;
    if (gt_document_encode(document, &wire, NULL) < 0)
        return;
    if (gt_document_decode(wire.data, wire.len, arena, &again, NULL) == GT_E_INVALID ||
        strcmp(again.id, document->id) != 0 || again.body_len != document->body_len ||
        memcmp(again.body, document->body, document->body_len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new((size_t)160 * 1024 * 1024);
    struct gt_document document;
    struct gt_error err;
    if (arena && gt_document_decode(data, size, arena, &document, &err) == 0)
        round_trip(&document, arena);
    return 0;
}
