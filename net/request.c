/* HTTP requests: from gt_http_request to an easy handle, and what its end means. */
#include "net/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { REDIRECTS = 5, METHOD_MAX = 16 };

#define MAX_BYTES ((size_t)16 * 1024 * 1024)
#define TIMEOUT_MS (30 * GT_SECOND)

/* A token of RFC 9110. */
static bool is_token(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
            return false;
    return *text != '\0';
}

static int check_words(const struct gt_http_request *r, struct gt_error *err)
{
    if (r->method && (!is_token(r->method) || strlen(r->method) < strlen("GET") ||
                      strlen(r->method) > METHOD_MAX))
        return gt_fail(err, GT_E_INVALID, "not an HTTP method; write GET, POST, ...");
    for (size_t i = 0; i < r->header_count; i++) {
        if (!is_token(r->headers[i].name))
            return gt_fail(err, GT_E_INVALID, "header %zu has no proper name", i + 1);
        if (!gt_one_line(r->headers[i].value))
            return gt_fail(err, GT_E_INVALID,
                           "the value of header %s holds a line break or another "
                           "control character",
                           r->headers[i].name);
    }
    return 0;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(GT_NET_HEADER_BYTES);
    /* curl's spelling of a header with an empty value is "Name;" */
    gt_buffer_printf(&line, *value ? "%s: %s" : "%s;", name, value);
    return gt_buffer_ok(&line) && gt_slist_add(list, line.data);
}

static bool copy_headers(struct transfer *t, const struct gt_http_request *r)
{
    bool typed = false;
    for (size_t i = 0; i < r->header_count; i++) {
        typed |= gt_equals_ignoring_case(r->headers[i].name, "content-type");
        if (!add_header(&t->headers, r->headers[i].name, r->headers[i].value))
            return false;
    }
    /* Without a value curl leaves the header out: no waiting for 100 Continue, no made-up type. */
    return !r->body_len || (gt_slist_add(&t->headers, "Expect:") &&
                            (typed || gt_slist_add(&t->headers, "Content-Type:")));
}

static bool copy_body(struct transfer *t, const struct gt_http_request *r)
{
    if (!r->body_len)
        return true;
    t->body = malloc(r->body_len);
    if (!t->body)
        return false;
    memcpy(t->body, r->body, r->body_len);
    t->body_len = r->body_len;
    return true;
}

static int copy(struct transfer *t, const struct gt_http_request *r, struct gt_error *err)
{
    int rc = gt_place_parse(NULL, r->url ? r->url : "", gt_schemes_http, &t->at, err);
    if (rc)
        return rc;
    const char *method = r->method ? r->method : r->body_len ? "POST" : "GET";
    if (!gt_copy(&t->method, method) || !gt_copy(&t->proxy, r->proxy) || !copy_headers(t, r) ||
        !copy_body(t, r))
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    t->max_bytes = r->max_bytes ? r->max_bytes : MAX_BYTES;
    t->received = GT_BUFFER(t->max_bytes);
    t->may_cut = r->may_cut;
    t->allow_private = r->allow_private;
    t->redirects_left = r->max_redirects ? r->max_redirects : REDIRECTS;
    t->per_second = r->per_second;
    t->timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : TIMEOUT_MS;
    t->patience_ms = r->patience_ms > 0 ? r->patience_ms : GT_NET_PATIENCE_MS;
    return 0;
}

int gt_net_http(struct gt_net *net, const struct gt_http_request *request, gt_http_done *done,
                void *user, struct gt_error *err)
{
    int rc = check_words(request, err);
    if (rc)
        return rc;
    struct transfer *t = gt_transfer_new(net, &gt_kind_http, done, user);
    if (!t)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    rc = copy(t, request, err);
    if (rc) {
        gt_transfer_free(t);
        return rc;
    }
    return gt_net_submit(t, err);
}

static CURLcode set_method(struct transfer *t)
{
    if (strcmp(t->method, "HEAD") == 0)
        return curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    CURLcode rc = CURLE_OK;
    if (t->body_len || strcmp(t->method, "POST") == 0) {
        rc = curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
        rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body_len ? t->body : "");
    }
    if (strcmp(t->method, t->body_len ? "POST" : "GET") != 0)
        rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->method);
    return rc;
}

static CURLcode prepare(struct transfer *t)
{
    CURLcode rc = gt_transfer_prepare(t);
    rc = rc ? rc : set_method(t);
    rc = rc ? rc : curl_easy_setopt(t->easy, GT_CURL_PROTOCOLS, GT_PROTOCOLS_HTTP);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_USERAGENT, t->net->user_agent);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, gt_answer_header);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* Every compression that this libcurl knows: gzip, deflate, br, zstd. */
    return rc ? rc : curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "");
}

static void count(int status, bool failed)
{
    static const char *const classes[] = {
        "class=\"error\"", "class=\"1xx\"", "class=\"2xx\"",
        "class=\"3xx\"",   "class=\"4xx\"", "class=\"5xx\"",
    };
    size_t class = failed ? 0 : (size_t)status / 100;
    if (class >= sizeof classes / sizeof *classes)
        class = 0;
    gt_counter_add("guette_net_requests_total", classes[class], 1);
}

static bool finish(struct transfer *t, CURLcode code)
{
    count(t->status, code != CURLE_OK && !t->cut);
    if (code != CURLE_OK && !t->cut) {
        gt_words(t, code);
        return false;
    }
    struct gt_header headers[GT_NET_HEADERS];
    size_t count = gt_answer_list(t, headers);
    t->retry_after_ms = gt_retry_after(t->status, headers, count, gt_now());
    return gt_redirect(t) == 1;
}

const struct transfer_kind gt_kind_http = {prepare, finish};
