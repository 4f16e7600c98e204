#include "model/document.h"
#include "model/fields.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define MAGIC "GTD1"
#define HEADER_SIZE 9 /* magic, flags, length of the meta object */
#define FLAG_ZSTD 1
#define META_MAX ((size_t)1024 * 1024)
#define COMPRESS_OVER 1024
/* Level 1: several hundred MB/s, and pastes are text that any level halves. */
#define COMPRESS_LEVEL 1

#define TEXT(key, field)                                                                           \
    {                                                                                              \
        key, GT_FIELD_TEXT, offsetof(struct gt_document, field), 0, false                          \
    }
#define NEED(key, field)                                                                           \
    {                                                                                              \
        key, GT_FIELD_TEXT, offsetof(struct gt_document, field), 0, true                           \
    }
static const struct gt_member members[] = {
    {"id", GT_FIELD_ID, offsetof(struct gt_document, id), GT_ID_TEXT, true},
    NEED("source", source),
    NEED("key", key),
    TEXT("url", url),
    TEXT("title", title),
    TEXT("author", author),
    TEXT("type", type),
    {"published", GT_FIELD_TIME, offsetof(struct gt_document, published_ms), 0, false},
    {"fetched", GT_FIELD_TIME, offsetof(struct gt_document, fetched_ms), 0, false},
    {"owned", GT_FIELD_BOOL, offsetof(struct gt_document, owned), 0, false},
    TEXT("brand", brand),
    {0},
};

void gt_document_identify(struct gt_document *document)
{
    const struct gt_part parts[] = {
        gt_part(document->source), gt_part(document->key), {document->body, document->body_len}};
    gt_id_make("document", parts, 3, document->id);
}

static int append_header(struct gt_buffer *out, unsigned char flags, size_t meta_len)
{
    const unsigned char header[HEADER_SIZE] = {'G',
                                               'T',
                                               'D',
                                               '1',
                                               flags,
                                               (unsigned char)meta_len,
                                               (unsigned char)(meta_len >> 8),
                                               (unsigned char)(meta_len >> 16),
                                               (unsigned char)(meta_len >> 24)};
    return gt_buffer_append(out, header, sizeof header);
}

static int append_meta(const struct gt_document *document, struct gt_buffer *meta,
                       struct gt_error *err)
{
    GT_JSON_AUTO json_t *object = json_object();
    if (!object || gt_members_write(object, members, document) < 0)
        return gt_fail(err, GT_E_NOMEM, "out of memory while encoding a document");
    if (gt_json_append(object, meta) < 0)
        return gt_fail(err, GT_E_LIMIT, "the document's title and links are longer than 1 MiB");
    return 0;
}

/* The body made smaller; 0 when it is short or does not shrink, else its compressed size. */
static size_t compress_body(const struct gt_document *document, struct gt_buffer *packed)
{
    if (document->body_len <= COMPRESS_OVER)
        return 0;
    size_t bound = ZSTD_compressBound(document->body_len);
    *packed = GT_BUFFER(bound);
    packed->data = malloc(bound + 1);
    if (!packed->data)
        return 0;
    packed->capacity = bound + 1;
    size_t size =
        ZSTD_compress(packed->data, bound, document->body, document->body_len, COMPRESS_LEVEL);
    if (ZSTD_isError(size) || size >= document->body_len)
        return 0;
    packed->len = size;
    return size;
}

int gt_document_encode(const struct gt_document *document, struct gt_buffer *out,
                       struct gt_error *err)
{
    if (document->body_len > GT_DOCUMENT_BODY_MAX)
        return gt_fail(err, GT_E_LIMIT, "the document is longer than 64 MiB");
    GT_BUFFER_AUTO struct gt_buffer meta = GT_BUFFER(META_MAX), packed = GT_BUFFER(0);
    int rc = append_meta(document, &meta, err);
    if (rc < 0)
        return rc;
    size_t before = out->len, packed_len = compress_body(document, &packed);
    append_header(out, packed_len ? FLAG_ZSTD : 0, meta.len);
    gt_buffer_append(out, meta.data, meta.len);
    gt_buffer_append(out, packed_len ? packed.data : document->body,
                     packed_len ? packed_len : document->body_len);
    if (gt_buffer_ok(out))
        return 0;
    out->len = before;
    return gt_fail(err, GT_E_LIMIT, "the document does not fit in %zu bytes", out->max);
}

static int unpack_body(const unsigned char *bytes, size_t len, struct gt_arena *arena,
                       struct gt_document *ret, struct gt_error *err)
{
    unsigned long long size = ZSTD_getFrameContentSize(bytes, len);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
        return gt_fail(err, GT_E_INVALID, "the document's body is not a zstd frame of known size");
    if (size > GT_DOCUMENT_BODY_MAX)
        return gt_fail(err, GT_E_LIMIT, "the document's body is longer than 64 MiB");
    char *body = gt_arena_alloc(arena, (size_t)size + 1);
    if (!body)
        return gt_fail(err, GT_E_LIMIT, "the document's body does not fit in memory");
    size_t got = ZSTD_decompress(body, (size_t)size, bytes, len);
    if (ZSTD_isError(got) || got != size)
        return gt_fail(err, GT_E_INVALID, "the document's body is damaged");
    ret->body = body;
    ret->body_len = got;
    return 0;
}

static int copy_body(const unsigned char *bytes, size_t len, struct gt_arena *arena,
                     struct gt_document *ret, struct gt_error *err)
{
    if (len > GT_DOCUMENT_BODY_MAX)
        return gt_fail(err, GT_E_LIMIT, "the document's body is longer than 64 MiB");
    ret->body = gt_arena_memdup(arena, bytes, len);
    ret->body_len = len;
    return ret->body ? 0 : gt_fail(err, GT_E_LIMIT, "the document's body does not fit in memory");
}

static size_t read_length(const unsigned char *at)
{
    return at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

static int check_header(const unsigned char *bytes, size_t len, struct gt_error *err)
{
    if (len < HEADER_SIZE || memcmp(bytes, MAGIC, 4) != 0)
        return gt_fail(err, GT_E_INVALID, "this is not a document of wire form " MAGIC);
    if (bytes[4] & ~FLAG_ZSTD)
        return gt_fail(err, GT_E_UNSUPPORTED, "the document was written by a newer guette");
    size_t meta_len = read_length(bytes + 5);
    if (meta_len > META_MAX || meta_len > len - HEADER_SIZE)
        return gt_fail(err, GT_E_INVALID, "the document is cut short");
    return 0;
}

int gt_document_decode(const void *bytes, size_t len, struct gt_arena *arena,
                       struct gt_document *ret, struct gt_error *err)
{
    const unsigned char *at = bytes;
    int rc = check_header(at, len, err);
    if (rc < 0)
        return rc;
    size_t meta_len = read_length(at + 5);
    GT_JSON_AUTO json_t *object = gt_json_parse((const char *)at + HEADER_SIZE, meta_len, err);
    if (!object)
        return GT_E_INVALID;
    struct gt_document document = {0};
    rc = gt_members_read(object, members, arena, &document, err);
    if (rc < 0)
        return rc;
    const unsigned char *body = at + HEADER_SIZE + meta_len;
    size_t body_len = len - HEADER_SIZE - meta_len;
    rc = at[4] & FLAG_ZSTD ? unpack_body(body, body_len, arena, &document, err)
                           : copy_body(body, body_len, arena, &document, err);
    if (rc < 0)
        return rc;
    *ret = document;
    return 0;
}
