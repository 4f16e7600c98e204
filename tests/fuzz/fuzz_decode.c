/* Any bytes as a document with something inside: in memory or, by the first byte, read in small
 * pieces, so that containers are streamed. */
#include "matchers/matchers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gt_ruleset *ruleset;
static struct gt_scratch *scratch;

static void open_once(void)
{
    static const struct gt_ruleset_settings settings = {
        .without_brand = true, .document_ms = 60000, .decode_bytes = (uint64_t)256 * 1024};
    if (gt_ruleset_open(&settings, &ruleset, NULL, NULL) < 0 ||
        gt_scratch_new(ruleset, &scratch, NULL) < 0)
        abort();
}

static void check_shown(const char *text, struct gt_str secret)
{
    size_t len = text ? strlen(text) : 0;
    if (len == 0)
        return;
    if (!gt_utf8_valid(text, len))
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20)
            abort();
    if (secret.len >= 20 && memmem(text, len, secret.ptr, secret.len))
        abort(); /* the plain secret in what is shown */
}

static int on_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    if (!finding->rule || !finding->line || !finding->column || finding->score > 100)
        abort();
    check_shown(finding->decoded_via, secret);
    check_shown(finding->context, secret);
    check_shown(finding->preview, secret);
    return 0;
}

struct memory {
    const uint8_t *data;
    size_t size, at, step;
};

static ssize_t on_read(void *user, void *to, size_t len)
{
    struct memory *memory = user;
    size_t most = memory->size - memory->at < len ? memory->size - memory->at : len;
    most = most < memory->step ? most : memory->step;
    if (most > 0)
        memcpy(to, memory->data + memory->at, most);
    memory->at += most;
    return (ssize_t)most;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!ruleset)
        open_once();
    if (size == 0)
        return 0;
    struct gt_match_summary summary;
    struct gt_document document = {
        .source = "fuzz", .key = "1", .body = (const char *)data + 1, .body_len = size - 1};
    struct memory memory = {data + 1, size - 1, 0, data[0]};
    struct gt_reader reader = {on_read, NULL, &memory};
    int rc = data[0] == 0
                 ? gt_match(ruleset, scratch, &document, 0, on_finding, NULL, &summary, NULL)
                 : gt_match_stream(ruleset, scratch, &document, &reader, 0, on_finding, NULL,
                                   &summary, NULL);
    if (rc < 0)
        abort();
    return 0;
}
