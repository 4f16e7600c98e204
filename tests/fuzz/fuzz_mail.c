/* Any bytes behind the first headers of a mail. */
#include "matchers/matchers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] = "From a@a.example Mon Nov 23 10:00:00 2026\n"
                           "From: a@a.example\nMIME-Version: 1.0\n";
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

static int on_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    const char *via = finding->decoded_via;
    if (via && (!*via || !gt_utf8_valid(via, strlen(via))))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!ruleset)
        open_once();
    size_t len = strlen(head) + size;
    char *mail = malloc(len);
    if (!mail)
        return 0;
    memcpy(mail, head, strlen(head));
    if (size > 0)
        memcpy(mail + strlen(head), data, size);
    struct gt_match_summary summary;
    struct gt_document document = {.source = "fuzz", .key = "1", .body = mail, .body_len = len};
    if (gt_match(ruleset, scratch, &document, 0, on_finding, NULL, &summary, NULL) < 0)
        abort();
    free(mail);
    return 0;
}
