#include "crawler/batch.h"

#include <string.h>

static char *copy_text(struct gt_arena *arena, const char *text, bool *failed)
{
    if (!text)
        return NULL;
    char *copy = gt_arena_strdup(arena, text);
    *failed = *failed || !copy;
    return copy;
}

static int grow(struct gt_batch *batch)
{
    size_t capacity = batch->capacity ? 2 * batch->capacity : 32;
    struct gt_document *documents =
        gt_arena_grow(batch->arena, batch->documents, batch->capacity * sizeof *documents,
                      capacity * sizeof *documents);
    if (!documents)
        return GT_E_NOMEM;
    batch->documents = documents;
    batch->capacity = capacity;
    return 0;
}

static int copy_document(struct gt_batch *batch, const struct gt_document *document)
{
    bool failed = false;
    struct gt_arena *arena = batch->arena;

    if (batch->count == batch->capacity && grow(batch) < 0)
        return GT_E_NOMEM;
    struct gt_document *copy = &batch->documents[batch->count];
    *copy = *document;
    copy->source = copy_text(arena, document->source, &failed);
    copy->key = copy_text(arena, document->key, &failed);
    copy->url = copy_text(arena, document->url, &failed);
    copy->title = copy_text(arena, document->title, &failed);
    copy->author = copy_text(arena, document->author, &failed);
    copy->type = copy_text(arena, document->type, &failed);
    copy->brand = copy_text(arena, document->brand, &failed);
    copy->body = gt_arena_memdup(arena, document->body, document->body_len);
    return failed || !copy->body ? GT_E_NOMEM : 0;
}

int gt_batch_add(struct gt_batch *batch, const struct gt_document *document, struct gt_error *err)
{
    if (batch->bytes + document->body_len > GT_BATCH_BYTES)
        return gt_fail(err, GT_E_FULL,
                       "documents wait for the queue; the rest is read again later");
    if (!batch->arena)
        batch->arena = gt_arena_new(2 * GT_BATCH_BYTES);
    if (!batch->arena || copy_document(batch, document) < 0)
        return gt_fail(err, GT_E_FULL, "no memory for another document; it is read again later");
    batch->count++;
    batch->bytes += document->body_len;
    return 0;
}

bool gt_batch_is_large(const struct gt_batch *batch)
{
    return batch->bytes >= GT_BATCH_COMMIT_BYTES ||
           batch->count - batch->done >= GT_BATCH_COMMIT_COUNT;
}

/* How many documents from `done` on make one commit: at least one, if there is any. */
static size_t next_part(const struct gt_batch *batch)
{
    size_t count = 0, bytes = 0;
    while (batch->done + count < batch->count && count < GT_BATCH_COMMIT_COUNT) {
        bytes += batch->documents[batch->done + count].body_len;
        if (count && bytes > GT_BATCH_COMMIT_BYTES)
            break;
        count++;
    }
    return count;
}

static bool refused_for_good(int code)
{
    return code == GT_E_INVALID || code == GT_E_LIMIT;
}

static void take_off(struct gt_batch *batch, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batch->bytes -= batch->documents[batch->done + i].body_len;
    batch->done += count;
}

static void reset(struct gt_batch *batch)
{
    struct gt_arena *arena = batch->arena;
    if (arena)
        gt_arena_reset(arena);
    *batch = (struct gt_batch){.arena = arena};
}

int gt_batch_commit(struct gt_batch *batch, const struct gt_crawl_sink *sink, const char *source,
                    const char *cursor, size_t *fresh, size_t *refused, struct gt_error *err)
{
    size_t alone = 0; /* documents still to be tried one by one, after their commit was refused */
    bool saved = cursor == NULL;

    while (batch->done < batch->count || !saved) {
        size_t count = alone ? 1 : next_part(batch), new = 0;
        bool last = batch->done + count == batch->count;
        int code = sink->commit(sink->user, source,
                                batch->documents ? batch->documents + batch->done : NULL, count,
                                last ? cursor : NULL, &new, err);
        if (refused_for_good(code) && count > 1) {
            alone = count;
            continue;
        }
        if (refused_for_good(code) && count == 1) {
            (*refused)++;
            last = false; /* the cursor goes alone, next */
        } else if (code < 0) {
            return code;
        }
        *fresh += new;
        take_off(batch, count);
        alone -= alone > 0;
        saved = saved || last;
    }
    reset(batch);
    return 0;
}

void gt_batch_free(struct gt_batch *batch)
{
    gt_arena_free(batch->arena);
    *batch = (struct gt_batch){0};
}
