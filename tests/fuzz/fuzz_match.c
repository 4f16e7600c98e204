/* Any bytes as a document, judged by the built-in rules and a brand. */
#include "matchers/matchers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gt_ruleset *ruleset;
static struct gt_scratch *scratch;

static void open_once(void)
{
    static const char *domains[] = {"acme.example"};
    static struct gt_keyword keywords[] = {{"Écluse", GT_LOW}, {"acme", GT_LOW}};
    static struct gt_pattern patterns[] = {{"project", "PRJ-[0-9]{4}", GT_LOW}};
    static const struct gt_brand brand = {.name = "Acme",
                                          .domains = {domains, 1},
                                          .keywords = {keywords, 2},
                                          .patterns = {patterns, 1}};
    static const struct gt_ruleset_settings settings = {
        .brands = &brand, .brand_count = 1, .without_brand = true, .document_ms = 60000};
    if (gt_ruleset_open(&settings, &ruleset, NULL, NULL) < 0 ||
        gt_scratch_new(ruleset, &scratch, NULL) < 0)
        abort();
}

static int on_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    if (!finding->rule || !finding->line || !finding->column || finding->score > 100)
        abort();
    if (finding->context && !gt_utf8_valid(finding->context, strlen(finding->context)))
        abort();
    if (secret.len >= 20 && finding->preview &&
        memmem(finding->preview, strlen(finding->preview), secret.ptr, secret.len))
        abort(); /* the plain secret in its preview */
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gt_match_summary summary;
    struct gt_document document = {
        .source = "fuzz", .key = "1", .body = (const char *)data, .body_len = size};
    if (!ruleset)
        open_once();
    if (gt_match(ruleset, scratch, &document, 0, on_finding, NULL, &summary, NULL) < 0)
        abort();
    return 0;
}
