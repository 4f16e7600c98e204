/* A signed POST of the alert as JSON. */
#include "notifier/channel.h"
#include "notifier/shorten.h"
#include "notifier/sign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX ((size_t)19999) /* the specification asks for less than 20 kB */
#define KEYS_MAX 4
#define ANSWER_MAX ((size_t)4096) /* only the status counts */
#define SIGNATURES_MAX (KEYS_MAX * GT_WEBHOOK_SIGNATURE)

struct webhook_options {
    const char *url;
    struct gt_list secrets; /* const char * */
    const char *hub_secret;
    struct gt_list headers; /* const char *: "Name: value" */
    bool allow_private;
    int64_t timeout_ms;
};

struct webhook {
    const struct webhook_options *options;
    struct gt_webhook_key keys[KEYS_MAX];
    size_t key_count;
};

/* ---- options ---- */

static bool is_visible(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

static int check_url(const char *url, struct gt_error *err)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    size_t host = scheme ? strcspn(url + scheme, "/?#") : 0;
    if (!host || url[scheme] == ':' || !is_visible(url) || memchr(url + scheme, '@', host))
        return gt_fail(err, GT_E_INVALID,
                       "is not a web address; write one like https://hooks.acme.example/guette (no "
                       "blanks, no user name: put credentials in headers)");
    return 0;
}

static int check_secret(const char *secret, struct gt_error *err)
{
    struct gt_webhook_key key;
    int code = gt_webhook_key_decode(secret, &key, err);
    sodium_memzero(&key, sizeof(key));
    return code;
}

static int check_hub_secret(const char *secret, struct gt_error *err)
{
    if (strlen(secret) < 16)
        return gt_fail(err, GT_E_INVALID,
                       "is shorter than 16 characters; make one by: openssl rand -hex 32");
    return 0;
}

static bool is_ours(const char *name, size_t len)
{
    static const char *const ours[] = {
        "content-type",      "content-length",     "host",
        "transfer-encoding", "webhook-id",         "webhook-timestamp",
        "webhook-signature", "x-hub-signature-256"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strlen(ours[i]) == len && strncasecmp(ours[i], name, len) == 0)
            return true;
    }
    return false;
}

static int check_header(const char *header, struct gt_error *err)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"; /* RFC 9110, 5.6.2 */
    size_t len = strspn(header, token);
    if (len == 0 || header[len] != ':')
        return gt_fail(err, GT_E_INVALID, "is not a header; write one like \"X-Team: soc\"");
    for (const char *c = header; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return gt_fail(err, GT_E_INVALID, "holds a line break or a control character");
    }
    if (is_ours(header, len))
        return gt_fail(err, GT_E_INVALID, "sets %.*s, which guette sets itself; remove it",
                       (int)len, header);
    return 0;
}

#define AT(field) offsetof(struct webhook_options, field)
static const struct gt_option options[] = {
    {.name = "url",
     .type = GT_OPTION_SECRET,
     .offset = AT(url),
     .help = "where the alert is posted",
     .flags = GT_OPTION_REQUIRED,
     .check = check_url},
    {.name = "secret",
     .type = GT_OPTION_SECRET,
     .offset = AT(secrets),
     .help = "whsec_ and base64: signs after Standard Webhooks; two while you change it",
     .flags = GT_OPTION_LIST,
     .check = check_secret},
    {.name = "hub_secret",
     .type = GT_OPTION_SECRET,
     .offset = AT(hub_secret),
     .help = "signs with X-Hub-Signature-256, as GitHub does",
     .check = check_hub_secret},
    {.name = "headers",
     .type = GT_OPTION_SECRET,
     .offset = AT(headers),
     .help = "further headers, \"Name: value\"",
     .flags = GT_OPTION_LIST,
     .check = check_header},
    {.name = "allow_private",
     .type = GT_OPTION_BOOL,
     .offset = AT(allow_private),
     .fallback = "false",
     .help = "the receiver may be at a loopback or private address"},
    {.name = "timeout",
     .type = GT_OPTION_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "20s",
     .help = "how long the receiver may take",
     .least = GT_SECOND,
     .most = GT_MINUTE},
    {.type = GT_OPTION_END},
};

static int open_webhook(void *self, const struct gt_config *config,
                        const struct gt_channel_config *settings, struct gt_error *err)
{
    struct webhook *hook = self;
    hook->options = settings->options;
    const struct gt_list *secrets = &hook->options->secrets;
    if (secrets->count > KEYS_MAX)
        return gt_fail(err, GT_E_INVALID, "has more than %d secrets; remove the oldest", KEYS_MAX);
    for (size_t i = 0; i < secrets->count; i++) {
        const char *secret = *GT_LIST_ITEM(*secrets, const char *, i);
        int code = gt_webhook_key_decode(secret, &hook->keys[i], err);
        if (code < 0) {
            sodium_memzero(hook, sizeof(*hook));
            return gt_error_prefix(err, "secret");
        }
        hook->key_count++;
    }
    return 0;
}

static void close_webhook(void *self)
{
    sodium_memzero(self, sizeof(struct webhook));
}

/* ---- the request ---- */

/* One signature a key, so that a secret can be changed while both ends work. */
static int sign(const struct webhook *hook, const char *id, int64_t seconds,
                const struct gt_buffer *body, char signatures[SIGNATURES_MAX], struct gt_error *err)
{
    char one[GT_WEBHOOK_SIGNATURE];
    size_t used = 0;
    for (size_t i = 0; i < hook->key_count; i++) {
        int code = gt_webhook_sign(&hook->keys[i], id, seconds, body->data, body->len, one, err);
        if (code < 0)
            return code;
        used +=
            (size_t)snprintf(signatures + used, SIGNATURES_MAX - used, "%s%s", i ? " " : "", one);
    }
    return 0;
}

struct headers {
    struct gt_header *items;
    size_t count;
    bool failed;
};

static void add_header(struct headers *headers, const char *name, const char *value)
{
    headers->failed |= !name || !value;
    headers->items[headers->count++] = (struct gt_header){name, value};
}

static void add_configured(struct headers *headers, const struct gt_list *list,
                           struct gt_arena *arena)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *line = *GT_LIST_ITEM(*list, const char *, i);
        size_t len = strcspn(line, ":");
        struct gt_str value = gt_str_trim(gt_str_of(line + len + 1));
        add_header(headers, gt_arena_memdup(arena, line, len),
                   gt_arena_memdup(arena, value.len ? value.ptr : "", value.len));
    }
}

static int add_headers(const struct webhook *hook, const struct gt_alert *alert, int64_t now_ms,
                       const struct gt_buffer *body, struct gt_arena *arena,
                       struct headers *headers, struct gt_error *err)
{
    const struct webhook_options *o = hook->options;
    char signatures[SIGNATURES_MAX], hub[GT_HUB_SIGNATURE];
    const char *id = gt_arena_printf(arena, "msg_%s", alert->id);
    headers->items = gt_arena_array(arena, o->headers.count + 5, sizeof(*headers->items));
    if (!headers->items || !id)
        return gt_fail(err, GT_E_LIMIT, "the alert does not fit in memory");
    add_header(headers, "Content-Type", "application/json");
    add_header(headers, "webhook-id", id);
    add_header(headers, "webhook-timestamp",
               gt_arena_printf(arena, "%lld", (long long)(now_ms / 1000)));
    if (hook->key_count) {
        int code = sign(hook, id, now_ms / 1000, body, signatures, err);
        if (code < 0)
            return code;
        add_header(headers, "webhook-signature", gt_arena_strdup(arena, signatures));
    }
    if (o->hub_secret) {
        gt_hub_sign(o->hub_secret, body->data, body->len, hub);
        add_header(headers, "X-Hub-Signature-256", gt_arena_strdup(arena, hub));
    }
    add_configured(headers, &o->headers, arena);
    return headers->failed ? gt_fail(err, GT_E_LIMIT, "the alert does not fit in memory") : 0;
}

static int render(const void *self, const struct gt_alert *alert, int64_t now_ms,
                  struct gt_arena *arena, struct gt_outgoing *ret, struct gt_error *err)
{
    const struct webhook *hook = self;
    struct headers headers = {0};
    const char *bytes;
    GT_BUFFER_AUTO struct gt_buffer body = GT_BUFFER(BODY_MAX);
    GT_JSON_AUTO json_t *json = gt_alert_to_json(alert);
    if (!json)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    int code = gt_json_shortened(json, BODY_MAX, &body, err);
    if (code == 0)
        code = gt_take_bytes(&body, arena, &bytes, err);
    if (code == 0)
        code = add_headers(hook, alert, now_ms, &body, arena, &headers, err);
    if (code < 0)
        return code;
    ret->type = GT_OUTGOING_HTTP;
    ret->http = (struct gt_http_request){
        .method = "POST",
        .url = hook->options->url,
        .headers = headers.items,
        .header_count = headers.count,
        .body = bytes,
        .body_len = body.len,
        .max_bytes = ANSWER_MAX,
        .may_cut = true,
        .timeout_ms = hook->options->timeout_ms,
        .max_redirects = -1, /* a signed alert goes where it was addressed, nowhere else */
        .allow_private = hook->options->allow_private,
    };
    return 0;
}

/* ---- the answer ---- */

/* Everything but 2xx is a failure and, but for 410, is tried again: a wrong path or secret is
 * mended within the three days more often than not, and an alert is worth the requests. */
static const struct {
    int status;
    const char *advice;
} advices[] = {
    {301, "it moved; set url to the new address (redirects are not followed)"},
    {302, "it redirects, which is not followed; set url to the final address"},
    {303, "it redirects, which is not followed; set url to the final address"},
    {307, "it redirects, which is not followed; set url to the final address"},
    {308, "it moved; set url to the new address (redirects are not followed)"},
    {400, "the receiver does not understand the alert; see its log"},
    {401, "the receiver wants other credentials; check secret, hub_secret and headers"},
    {403, "the receiver forbids it; check secret, hub_secret and headers"},
    {404, "the receiver knows no such path; check url"},
    {405, "the receiver takes no POST there; check url"},
    {413, "the alert is too long for the receiver; raise its limit to 20 kB"},
    {429, "the receiver asks for a pause"},
    {503, "the receiver is not available now"},
};

static const char *advice_for(int status)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
        if (advices[i].status == status)
            return advices[i].advice;
    }
    return status >= 500 ? "the receiver failed; see its log" : "the receiver did not take it";
}

static void classify(const struct gt_http_response *response, struct gt_outcome *ret)
{
    int status = response->status;
    if (response->error == GT_E_INVALID)
        gt_outcome_set(ret, GT_REJECTED, -1, "%s", response->words);
    else if (response->error)
        gt_outcome_set(ret, GT_RETRY, response->retry_after_ms, "%s", response->words);
    else if (status >= 200 && status <= 299)
        gt_outcome_set(ret, GT_DELIVERED, -1, "HTTP %d", status);
    else if (status == 410)
        gt_outcome_set(ret, GT_GONE, -1, "HTTP 410: the receiver wants no more alerts here");
    else
        gt_outcome_set(ret, GT_RETRY, response->retry_after_ms, "HTTP %d: %s", status,
                       advice_for(status));
}

const struct gt_channel_type gt_channel_webhook = {
    .kind = {.name = "webhook",
             .summary = "a signed HTTP POST of the alert as JSON (Standard Webhooks)",
             .options = options,
             .size = sizeof(struct webhook_options)},
    .self_size = sizeof(struct webhook),
    .open = open_webhook,
    .render = render,
    .classify = classify,
    .close = close_webhook,
};
