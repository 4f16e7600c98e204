/* Answers to a site: the first byte picks a definition, the rest, cut at lines of "--", answers its
 * requests one after the other. Then the cursor is saved and read again. */
#include "crawler/site.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUESTS 64

struct bench {
    char tags[REQUESTS][32];
    char *urls[REQUESTS];
    size_t count;
};

static int on_request(void *user, const struct gt_http_request *request, const char *tag,
                      struct gt_error *err)
{
    struct bench *bench = user;
    if (bench->count == REQUESTS)
        return gt_fail(err, GT_E_LIMIT, "enough");
    for (size_t i = 0; i < request->header_count; i++)
        if (strpbrk(request->headers[i].value, "\r\n"))
            abort();
    snprintf(bench->tags[bench->count], sizeof bench->tags[0], "%s", tag);
    bench->urls[bench->count++] = strdup(request->url);
    return 0;
}

static int on_document(void *user, const struct gt_document *document, struct gt_error *err)
{
    struct gt_document copy = *document;
    copy.source = "fuzz";
    gt_document_identify(&copy);
    return 0;
}

/* The next answer of the input. */
static struct gt_str next_answer(struct gt_str *rest)
{
    const char *cut = memmem(rest->ptr, rest->len, "\n--\n", 4);
    struct gt_str answer = {rest->ptr, cut ? (size_t)(cut - rest->ptr) : rest->len};
    size_t used = answer.len + (cut ? 4 : 0);
    *rest = (struct gt_str){rest->ptr + used, rest->len - used};
    return answer;
}

static void save_and_reload(void *self, const struct gt_source_config *config)
{
    struct gt_buffer cursor = GT_BUFFER((size_t)8 << 20);
    void *again = NULL;
    if (gt_source_site.save(self, &cursor, NULL) < 0)
        abort();
    const struct gt_source_settings settings = {NULL, config, cursor.data};
    if (gt_source_site.open(&settings, &again, NULL) < 0)
        abort();
    gt_source_site.close(again);
    gt_buffer_free(&cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sites[] = {"pastebin",        "github-gists", "github-events",
                                        "gitlab-snippets", "hacker-news",  "mastodon-public"};
    struct bench bench = {.count = 0};
    const struct gt_source_output out = {&bench, on_request, on_document};
    void *self = NULL;

    if (gt_hash_start(NULL) < 0)
        abort();
    if (!size)
        return 0;
    struct gt_site_options options = {.site = sites[data[0] % 6], .token = "made-up"};
    const struct gt_source_config config = {.name = "fuzz", .options = &options};
    const struct gt_source_settings settings = {NULL, &config, NULL};
    if (gt_source_site.open(&settings, &self, NULL) < 0)
        abort();
    struct gt_str rest = {(const char *)data + 1, size - 1};
    gt_source_site.plan(self, gt_now(), &out, NULL);
    for (size_t i = 0; i < bench.count; i++) {
        struct gt_str body = next_answer(&rest);
        const struct gt_header link = {"link", "<https://api.github.com/next>; rel=\"next\""};
        const struct gt_http_response response = {.status = 200,
                                                  .headers = &link,
                                                  .header_count = 1,
                                                  .body = body.ptr,
                                                  .body_len = body.len,
                                                  .url = bench.urls[i],
                                                  .retry_after_ms = -1};
        gt_source_site.parse(self, bench.tags[i], &response, gt_now(), &out, NULL);
    }
    save_and_reload(self, &config);
    gt_source_site.close(self);
    for (size_t i = 0; i < bench.count; i++)
        free(bench.urls[i]);
    return 0;
}
