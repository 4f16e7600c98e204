#include "net/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void gt_answer_reset(struct transfer *t)
{
    t->net->held -= t->received.len;
    gt_buffer_reset(&t->received);
    gt_buffer_reset(&t->head);
    t->header_count = 0;
    t->status = 0;
    t->cut = false;
    t->too_much = NULL;
    t->refused[0] = '\0';
    t->retry_after_ms = -1;
}

static void new_head(struct transfer *t)
{
    gt_buffer_reset(&t->head);
    t->header_count = 0;
}

static int keep_header(struct transfer *t, struct gt_str name, struct gt_str value)
{
    gt_buffer_append(&t->head, name.ptr, name.len);
    for (size_t i = t->head.len - name.len; i < t->head.len; i++)
        t->head.data[i] = (char)tolower((unsigned char)t->head.data[i]);
    gt_buffer_putc(&t->head, '\0');
    gt_buffer_append(&t->head, value.ptr, value.len);
    gt_buffer_putc(&t->head, '\0');
    t->header_count++;
    return gt_buffer_ok(&t->head) && t->header_count <= GT_NET_HEADERS ? 0 : GT_E_LIMIT;
}

/* One line, its end included; the status line of each answer, and an empty one at the end. */
size_t gt_answer_header(char *bytes, size_t size, size_t count, void *transfer)
{
    struct transfer *t = transfer;
    size_t len = size * count;
    struct gt_str line = gt_str_trim((struct gt_str){bytes, len});
    if (line.len >= 5 && memcmp(line.ptr, "HTTP/", 5) == 0) {
        new_head(t); /* after 100 Continue and the like another one comes */
        return len;
    }
    const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    if (!colon || line.ptr != bytes || memchr(line.ptr, '\0', line.len))
        return len; /* the end, a folded line (RFC 9112 forbids them), or rubbish */
    size_t name_len = (size_t)(colon - line.ptr);
    struct gt_str value = {colon + 1, line.len - name_len - 1};
    if (keep_header(t, (struct gt_str){line.ptr, name_len}, gt_str_trim(value)) == 0)
        return len;
    t->too_much = "the headers of the answer are too many or too long";
    return 0;
}

/* Gets decompressed bytes, so a decompression bomb ends here like any long body. */
size_t gt_answer_body(char *bytes, size_t size, size_t count, void *transfer)
{
    struct transfer *t = transfer;
    size_t len = size * count, room = t->max_bytes - t->received.len;
    size_t keep = len <= room ? len : t->may_cut ? room : 0;
    if (gt_buffer_append(&t->received, bytes, keep))
        return 0;
    t->net->held += keep;
    if (keep == len)
        return len;
    if (t->may_cut)
        t->cut = true;
    else
        t->too_much = "the answer is larger than allowed; raise the source's size limit if it is "
                      "meant to be";
    return 0; /* curl ends the transfer when not all is taken */
}

const char *gt_answer_find(const struct transfer *t, const char *name)
{
    const char *at = t->head.data;
    for (size_t i = 0; i < t->header_count; i++) {
        const char *value = at + strlen(at) + 1;
        if (strcmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

size_t gt_answer_list(const struct transfer *t, struct gt_header out[GT_NET_HEADERS])
{
    const char *at = t->head.data;
    for (size_t i = 0; i < t->header_count; i++) {
        out[i].name = at;
        out[i].value = at + strlen(at) + 1;
        at = out[i].value + strlen(out[i].value) + 1;
    }
    return t->header_count;
}

void gt_answer_deliver(struct transfer *t)
{
    struct gt_header headers[GT_NET_HEADERS];
    char *url = gt_place_public_url(&t->at);
    struct gt_http_response response = {
        .error = t->failure.code,
        .words = t->failure.code ? t->failure.message : NULL,
        .status = t->status,
        .url = url ? url : t->at.origin,
        .moved = t->redirected && t->only_permanent,
        .retry_after_ms = t->retry_after_ms,
        .took_ms = t->took_ms,
    };
    if (!t->failure.code) {
        response.headers = headers;
        response.header_count = t->kind == &gt_kind_http ? gt_answer_list(t, headers) : 0;
        response.body = t->received.data ? t->received.data : "";
        response.body_len = t->received.len;
        response.cut = t->cut;
    }
    t->done(t->user, &response);
    free(url);
}

const char *gt_http_header(const struct gt_http_response *response, const char *lower_case_name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, lower_case_name) == 0)
            return response->headers[i].value;
    return NULL;
}
