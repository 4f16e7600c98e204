/* Documents on their way to the sink: copies, handed over in commits of bounded size.
 *
 * A commit that cannot be done now keeps them here; the cursor goes with the last commit only. */
#ifndef GT_CRAWLER_BATCH_H
#define GT_CRAWLER_BATCH_H

#include "crawler/crawler.h"

#define GT_BATCH_COMMIT_BYTES ((size_t)4 << 20) /* bodies in one commit */
#define GT_BATCH_COMMIT_COUNT 200
#define GT_BATCH_BYTES ((size_t)96 << 20) /* kept while the sink is full */

struct gt_batch {
    struct gt_arena *arena; /* made with the first document */
    struct gt_document *documents;
    size_t count, capacity, done, bytes;
};

/* Copies. GT_E_FULL when GT_BATCH_BYTES are waiting: the document was not taken. */
int gt_batch_add(struct gt_batch *batch, const struct gt_document *document, struct gt_error *err);
/* Enough for a commit of its own. */
bool gt_batch_is_large(const struct gt_batch *batch);
/* Commits everything; `cursor` (NULL: none) with the last part. A single document that the sink
 * refuses for good (GT_E_INVALID, GT_E_LIMIT) is dropped and counted in *refused, its words are in
 * err. Adds to *fresh. On another failure what was not committed stays. */
int gt_batch_commit(struct gt_batch *batch, const struct gt_crawl_sink *sink, const char *source,
                    const char *cursor, size_t *fresh, size_t *refused, struct gt_error *err);
void gt_batch_free(struct gt_batch *batch);

#endif
