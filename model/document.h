/* A document: one fetched text (a paste, a file of a gist, a post, a file of the inbox).
 *
 * Its id is a hash of source, key and body, so that fetching the same thing twice makes the same
 * document, and an edited one makes a new one. */
#ifndef GT_MODEL_DOCUMENT_H
#define GT_MODEL_DOCUMENT_H

#include "core/core.h"

#define GT_DOCUMENT_BODY_MAX ((size_t)64 * 1024 * 1024)

struct gt_document {
    char id[GT_ID_TEXT];
    const char *source;   /* name of the source in the configuration */
    const char *key;      /* the item's id at its source, with the part ("gist id/file name") */
    const char *url;      /* permanent link for a person; NULL: none */
    const char *title;    /* file name or title; NULL: none */
    const char *author;   /* NULL: not known */
    const char *type;     /* media type as the source said; NULL: not known */
    int64_t published_ms; /* 0: not known */
    int64_t fetched_ms;
    bool owned;        /* the source is marked `owner: brand`: every credential in it is ours */
    const char *brand; /* of an owned source: which brand; NULL: the only one, or all */
    const char *body;  /* raw bytes, not NUL-terminated for sure */
    size_t body_len;
};

/* Fills id from source, key and body. */
void gt_document_identify(struct gt_document *document);

/* Wire form, version 1: "GTD1", flags (1 byte: 1 = body is zstd), meta length (4 bytes,
 * little-endian), meta (JSON object), body. A body over 1 KiB is compressed when that makes it
 * shorter. Decoding checks every length, caps the body at GT_DOCUMENT_BODY_MAX and copies into the
 * arena. */
int gt_document_encode(const struct gt_document *document, struct gt_buffer *out,
                       struct gt_error *err);
int gt_document_decode(const void *bytes, size_t len, struct gt_arena *arena,
                       struct gt_document *ret, struct gt_error *err);

#endif
