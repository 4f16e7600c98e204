/* Proves an example of a site definition: the real source is polled, the example's exchanges answer
 * it. */
#include "crawler/site.h"

#include <stdlib.h>
#include <string.h>

#define ANSWERS_MAX 1000
#define HEADERS_MAX 16
#define ARENA_MAX ((size_t)32 << 20)

struct asked {
    struct asked *next;
    const char *url, *tag;
};

struct proof {
    const struct gt_site *site;
    const struct gt_site_example *example;
    struct gt_arena *arena;
    struct asked *first, **end;
    size_t documents; /* so far */
    bool *used;       /* exchanges that were asked for */
    struct gt_buffer ids;
    struct gt_error *err;
    bool failed;
};

static int fail(struct proof *proof, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first difference is the one that is told. */
static int fail(struct proof *proof, const char *format, ...)
{
    char words[GT_ERROR_MAX];
    va_list args;

    if (!proof->failed) {
        va_start(args, format);
        vsnprintf(words, sizeof words, format, args);
        va_end(args);
        gt_fail(proof->err, GT_E_INVALID, "%s", words);
    }
    proof->failed = true;
    return GT_E_INVALID;
}

static int on_request(void *user, const struct gt_http_request *request, const char *tag,
                      struct gt_error *err)
{
    struct proof *proof = user;
    struct asked *asked = gt_arena_alloc(proof->arena, sizeof *asked);

    if (asked)
        *asked = (struct asked){.url = gt_arena_strdup(proof->arena, request->url),
                                .tag = gt_arena_strdup(proof->arena, tag)};
    if (!asked || !asked->url || !asked->tag)
        return gt_fail(err, GT_E_LIMIT, "the example is too large");
    *proof->end = asked;
    proof->end = &asked->next;
    return 0;
}

static void compare(struct proof *proof, const char *what, const char *wanted, const char *got)
{
    if (wanted && strcmp(wanted, got ? got : "") != 0)
        fail(proof, "document %zu: its %s is \"%.200s\", not \"%.200s\"", proof->documents, what,
             got ? got : "", wanted);
}

static void compare_document(struct proof *proof, const struct gt_document *document)
{
    const struct gt_list *yields = &proof->example->yields;

    if (proof->documents > yields->count) {
        fail(proof, "it yields a document that is not in `yields`: key \"%.200s\", text \"%.*s\"",
             document->key, (int)(document->body_len < 200 ? document->body_len : 200),
             document->body);
        return;
    }
    const struct gt_site_yield *wanted =
        GT_LIST_ITEM(*yields, struct gt_site_yield, proof->documents - 1);
    compare(proof, "key", wanted->key, document->key);
    compare(proof, "title", wanted->title, document->title);
    compare(proof, "link", wanted->link, document->url);
    compare(proof, "author", wanted->author, document->author);
    if (wanted->body &&
        !memmem(document->body, document->body_len, wanted->body, strlen(wanted->body)))
        fail(proof, "document %zu: its text has no \"%.200s\"; it is \"%.*s\"", proof->documents,
             wanted->body, (int)(document->body_len < 300 ? document->body_len : 300),
             document->body);
}

static int on_document(void *user, const struct gt_document *document, struct gt_error *err)
{
    struct proof *proof = user;
    struct gt_document copy = *document;

    copy.source = "example";
    gt_document_identify(&copy);
    gt_buffer_printf(&proof->ids, "%s\n", copy.id);
    proof->documents++;
    compare_document(proof, document);
    return 0;
}

static bool is_request(const struct proof *proof, const char *wanted, const char *url)
{
    const char *base = proof->site->base;
    size_t len = strlen(base);

    if (strstr(wanted, "://"))
        return strcmp(wanted, url) == 0;
    /* A base with params is compared by its end. */
    if (strchr(base, '{'))
        return gt_ends_with(url, wanted);
    return strncmp(url, base, len) == 0 && strcmp(url + len, wanted) == 0;
}

/* The same request twice is answered by its first exchange that was not used, else by the last one.
 */
static const struct gt_site_exchange *find_exchange(struct proof *proof, const char *url)
{
    const struct gt_list *exchanges = &proof->example->exchanges;
    const struct gt_site_exchange *found = NULL;

    for (size_t i = 0; i < exchanges->count; i++) {
        const struct gt_site_exchange *exchange =
            GT_LIST_ITEM(*exchanges, struct gt_site_exchange, i);
        if (!is_request(proof, exchange->request, url))
            continue;
        found = exchange;
        if (!proof->used[i]) {
            proof->used[i] = true;
            break;
        }
    }
    return found;
}

/* "Name: value" rows as an answer has them. */
static size_t read_headers(struct proof *proof, const struct gt_list *rows,
                           struct gt_header *headers)
{
    size_t count = 0;

    for (size_t i = 0; i < rows->count && count < HEADERS_MAX; i++) {
        char *row = gt_arena_strdup(proof->arena, *GT_LIST_ITEM(*rows, const char *, i));
        char *colon = row ? strchr(row, ':') : NULL;
        if (!colon)
            continue;
        *colon = '\0';
        for (char *p = row; *p; p++)
            *p = *p >= 'A' && *p <= 'Z' ? *p | 32 : *p;
        headers[count++] = (struct gt_header){row, colon + 1 + strspn(colon + 1, " ")};
    }
    return count;
}

static void answer(struct proof *proof, void *self, const struct asked *asked,
                   const struct gt_source_output *out)
{
    struct gt_header headers[HEADERS_MAX];
    struct gt_error why = {0};

    const struct gt_site_exchange *exchange = find_exchange(proof, asked->url);
    if (!exchange) {
        fail(proof, "it asks for %s, which `exchanges` does not answer", asked->url);
        return;
    }
    const struct gt_http_response response = {
        .status = (int)exchange->status,
        .headers = headers,
        .header_count = read_headers(proof, &exchange->headers, headers),
        .body = exchange->body,
        .body_len = strlen(exchange->body),
        .url = asked->url,
        .retry_after_ms = -1,
    };
    if (gt_source_site.parse(self, asked->tag, &response, gt_now(), out, &why) < 0 &&
        exchange->status < 400)
        fail(proof, "the answer to %s is refused: %s", asked->url, why.message);
}

/* One poll. The source is left for looking at. */
static void poll(struct proof *proof, void *self)
{
    const struct gt_source_output out = {proof, on_request, on_document};
    struct gt_error why = {0};
    size_t answers = 0;

    proof->first = NULL;
    proof->end = &proof->first;
    proof->documents = 0;
    gt_buffer_reset(&proof->ids);
    memset(proof->used, 0, proof->example->exchanges.count * sizeof *proof->used);
    if (gt_source_site.plan(self, gt_now(), &out, &why) < 0)
        fail(proof, "%s", why.message);
    for (const struct asked *asked = proof->first; asked && !proof->failed; asked = asked->next) {
        if (++answers > ANSWERS_MAX)
            fail(proof, "it asks more than %d times", ANSWERS_MAX);
        else
            answer(proof, self, asked, &out);
    }
}

static void check_totals(struct proof *proof, const void *self)
{
    const struct gt_site_example *example = proof->example;
    const char *cursor = gt_site_source_cursor(self);

    for (size_t i = 0; i < example->exchanges.count; i++)
        if (!proof->used[i])
            fail(proof, "it never asks for %s",
                 GT_LIST_ITEM(example->exchanges, struct gt_site_exchange, i)->request);
    if (proof->documents < example->yields.count)
        fail(proof, "it yields %zu documents, not %zu; the first missing has the key \"%s\"",
             proof->documents, example->yields.count,
             GT_LIST_ITEM(example->yields, struct gt_site_yield, proof->documents)->key);
    if (example->cursor && strcmp(example->cursor, cursor ? cursor : "") != 0)
        fail(proof, "{cursor} is \"%s\" afterwards, not \"%s\"", cursor ? cursor : "",
             example->cursor);
}

static void *open_source(struct proof *proof, const struct gt_site_options *options)
{
    void *self = NULL;
    struct gt_error why;

    if (gt_site_source_new(proof->site, options, NULL, &self, &why) < 0) {
        fail(proof, "%s", why.message);
        return NULL;
    }
    if (proof->example->from && gt_site_source_set_cursor(self, proof->example->from) < 0)
        fail(proof, "`from` is no value for this cursor");
    return self;
}

/* What a crash before the cursor was saved brings about: the same poll again must make the same
 * documents. */
static void check_replay(struct proof *proof, const struct gt_site_options *options)
{
    GT_BUFFER_AUTO struct gt_buffer before = GT_BUFFER(proof->ids.max);
    gt_buffer_append(&before, proof->ids.data ? proof->ids.data : "", proof->ids.len);

    void *again = open_source(proof, options);
    if (again)
        poll(proof, again);
    if (!proof->failed && (before.len != proof->ids.len ||
                           (before.len && memcmp(before.data, proof->ids.data, before.len) != 0)))
        fail(proof, "the same poll made other documents the second time");
    gt_source_site.close(again);
}

int gt_site_prove(const struct gt_site *site, const struct gt_site_example *example,
                  struct gt_error *err)
{
    const struct gt_site_options options = {
        .site = site->name, .token = example->token, .params = example->params};
    struct gt_error unheard;
    struct proof proof = {.site = site,
                          .example = example,
                          .arena = gt_arena_new(ARENA_MAX),
                          .used = calloc(example->exchanges.count + 1, sizeof(bool)),
                          .ids = GT_BUFFER((size_t)4 << 20),
                          .err = err ? err : &unheard};

    if (!proof.arena || !proof.used)
        fail(&proof, "out of memory for an example");
    void *self = proof.failed ? NULL : open_source(&proof, &options);
    if (self && !proof.failed) {
        poll(&proof, self);
        check_totals(&proof, self);
    }
    gt_source_site.close(self);
    if (!proof.failed)
        check_replay(&proof, &options);
    gt_arena_free(proof.arena);
    free(proof.used);
    gt_buffer_free(&proof.ids);
    return proof.failed ? GT_E_INVALID : 0;
}
