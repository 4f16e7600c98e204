/* Requests of the site source: whose they are, and which headers they carry. */
#include "crawler/sources/site_state.h"

#include <string.h>
#include <strings.h>

#define HEADERS_MAX 20

/* scheme://host:port of a URL, in length. */
static size_t origin_len(const char *url)
{
    const char *slashes = strstr(url, "://");
    return slashes ? (size_t)(slashes - url) + 3 + strcspn(slashes + 3, "/?#\\") : 0;
}

/* True when the URL belongs to the base's server: only there goes the token, and only there may a
 * private address be meant. */
static bool is_own(const struct gt_site_source *self, const char *url)
{
    size_t ours = origin_len(self->base), theirs = origin_len(url);
    return ours && ours == theirs && strncasecmp(self->base, url, ours) == 0;
}

struct headers {
    struct gt_header rows[HEADERS_MAX];
    struct gt_buffer texts[HEADERS_MAX];
    size_t count;
};

static void free_headers(struct headers *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        gt_buffer_free(&headers->texts[i]);
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 32 || *text == 127)
            return true;
    return false;
}

/* A later header of the same name takes the earlier one's place. */
static size_t place_of(const struct headers *headers, const char *name)
{
    size_t i = 0;
    while (i < headers->count && strcasecmp(headers->rows[i].name, name) != 0)
        i++;
    return i;
}

/* "Name: value" */
static void put_header(struct headers *headers, struct gt_buffer text)
{
    char *colon = text.data ? strchr(text.data, ':') : NULL;

    if (!colon || has_control(text.data)) {
        gt_buffer_free(&text);
        return;
    }
    *colon = '\0';
    size_t at = place_of(headers, text.data);
    if (at == HEADERS_MAX) {
        gt_buffer_free(&text);
        return;
    }
    if (at < headers->count)
        gt_buffer_free(&headers->texts[at]);
    else
        headers->count++;
    headers->texts[at] = text;
    headers->rows[at] = (struct gt_header){text.data, colon + 1 + strspn(colon + 1, " ")};
}

static void put_headers(struct headers *headers, const struct gt_list *rows,
                        const struct gt_scope *scope, bool own)
{
    for (size_t i = 0; rows && i < rows->count; i++) {
        const char *row = *GT_LIST_ITEM(*rows, const char *, i);
        struct gt_buffer text = GT_BUFFER(4096);
        if (!own && gt_template_has(row, "token"))
            continue;
        if (gt_template(scope, row, GT_TEMPLATE_PLAIN, &text))
            put_header(headers, text);
        else
            gt_buffer_free(&text);
    }
}

static void put_validator(struct headers *headers, const char *name, const char *value)
{
    struct gt_buffer text = GT_BUFFER(4096);
    if (!value)
        return;
    gt_buffer_printf(&text, "%s: %s", name, value);
    put_header(headers, text);
}

int gt_site_request(struct gt_site_source *self, const struct gt_source_output *out,
                    const char *url, const struct gt_list *extra, const struct gt_scope *scope,
                    bool may_cut, bool validate, const char *tag, struct gt_error *err)
{
    struct headers headers = {.count = 0};
    bool own = is_own(self, url);

    put_headers(&headers, &self->site->headers, scope, own);
    put_headers(&headers, extra, scope, own);
    if (validate) {
        put_validator(&headers, "If-None-Match", self->etag);
        put_validator(&headers, "If-Modified-Since", self->modified);
    }
    const struct gt_http_request request = {
        .url = url,
        .headers = headers.rows,
        .header_count = headers.count,
        .may_cut = may_cut,
        .allow_private = own,
        .per_second = self->site->rate,
    };
    int code = out->request(out->user, &request, tag, err);
    free_headers(&headers);
    return code;
}
