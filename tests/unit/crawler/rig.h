/* A source on the bench: its requests are answered by the test, its documents are kept for looking
 * at. */
#ifndef GT_TESTS_CRAWLER_RIG_H
#define GT_TESTS_CRAWLER_RIG_H

#include "crawler/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RIG_MAX 20000

struct rig_request {
    char *url, *tag, *etag, *since, *token; /* headers; NULL: not sent */
    bool allow_private;
};

struct rig {
    const struct gt_source *source;
    void *self;
    struct gt_arena *arena; /* of what is kept */
    struct gt_document documents[RIG_MAX];
    size_t count;
    struct rig_request requests[RIG_MAX];
    size_t asked, answered;
    size_t room; /* documents taken before GT_E_FULL; 0: no limit */
    struct gt_source_config config;
    char *cursor; /* as saved last */
    struct gt_error err;
};

/* Heap, because it is large. config: name and max_size are set when they are not; cursor NULL: the
 * first time. */
struct rig *rig_new(const struct gt_source *source, void *options, const char *cursor);
void rig_free(struct rig *rig);
/* The same source reopened from its saved cursor, with nothing kept. */
struct rig *rig_again(struct rig *rig);

int rig_plan(struct rig *rig);
int rig_events(struct rig *rig);
/* The next request that was not answered; NULL: none. */
const struct rig_request *rig_next(struct rig *rig);
/* headers: "name", "value", ..., NULL. Answers rig_next(). */
int rig_answer(struct rig *rig, int status, const char *body, const char *const *headers);
int rig_fail(struct rig *rig, int error);
/* Saves the cursor into rig->cursor. */
void rig_save(struct rig *rig);
/* The document of this key; NULL: none. */
const struct gt_document *rig_find(const struct rig *rig, const char *key);
bool rig_body_has(const struct gt_document *document, const char *text);

/* The shared fixtures; NULL: not there, and that was said. */
const char *rig_shared(void);
/* A file below the shared folder; fails the test when it cannot be read. Heap. */
char *rig_read(const char *path, size_t *ret_len);
/* Body of the n-th exchange whose URL contains `url`, of a *.exchanges.json. New reference of the
 * response. */
json_t *rig_exchange(const char *file, const char *url, size_t n);

/* A temporary folder, removed by rig_remove. */
char *rig_folder(void);
void rig_remove(const char *folder);
void rig_write(const char *folder, const char *name, const void *bytes, size_t len);

#endif
