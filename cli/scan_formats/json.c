/* jsonl: one JSON object a line, the same columns on each. json: the same objects in one document,
 * with what was counted. */
#include "cli/scan_formats/formats.h"

#include <string.h>

static void put_rule(json_t *object, const struct gt_finding *finding)
{
    gt_scan_put(object, "rule", finding->rule);
    gt_scan_put(object, "provider", finding->provider);
    gt_scan_put(object, "category", finding->category);
    gt_scan_put(object, "severity", gt_severity_name(finding->severity));
    gt_scan_put(object, "confidence", gt_confidence_name(finding->confidence));
    gt_scan_put_number(object, "score", (uint64_t)finding->score);
    gt_scan_put(object, "brand", finding->brand);
}

static void put_place(json_t *object, const struct gt_scan_found *found)
{
    gt_scan_put(object, "path", found->origin->path);
    gt_scan_put_number(object, "line", found->finding->line);
    gt_scan_put_number(object, "column", found->finding->column);
    gt_scan_put(object, "decoded_via", found->finding->decoded_via);
}

static void put_origin(json_t *object, const struct gt_scan_origin *origin)
{
    gt_scan_put(object, "commit", origin->commit);
    gt_scan_put_given(object, "author", origin->author);
    gt_scan_put_given(object, "email", origin->email);
    gt_scan_put_given(object, "date", origin->date);
    gt_scan_put_given(object, "subject", origin->subject);
    gt_scan_put_given(object, "source", origin->source);
    gt_scan_put_given(object, "url", origin->url);
}

/* Why this severity and confidence, in words. */
static void put_reasons(json_t *object, const struct gt_list *reasons)
{
    json_t *list = json_array();
    for (size_t i = 0; i < reasons->count; i++) {
        const char *text = *GT_LIST_ITEM(*reasons, const char *, i);
        json_array_append_new(list, gt_json_text(text, strlen(text)));
    }
    json_object_set_new(object, "reasons", list);
}

static void print_object(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                         struct gt_buffer *out)
{
    const struct gt_finding *finding = found->finding;
    struct gt_str secret = gt_scan_shown(settings, found);
    GT_JSON_AUTO json_t *object = json_object();
    put_rule(object, finding);
    put_place(object, found);
    json_object_set_new(object, "secret", gt_json_text(secret.ptr, secret.len));
    gt_scan_put(object, "fingerprint", finding->fingerprint);
    put_origin(object, found->origin);
    gt_scan_put(object, "title", finding->title);
    gt_scan_put(object, "context", finding->context);
    put_reasons(object, &finding->reasons);
    gt_scan_put(object, "remediation", finding->remediation);
    gt_scan_put(object, "id", finding->id);
    gt_json_append(object, out);
}

static void print_line(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                       struct gt_buffer *out)
{
    print_object(settings, found, out);
    gt_buffer_putc(out, '\n');
}

static void begin(const struct gt_scan_report *report, struct gt_buffer *out)
{
    gt_buffer_printf(out, "{\"tool\":{\"name\":\"guette\",\"version\":\"%s\"},\"findings\":[\n",
                     gt_version());
}

static void end(const struct gt_scan_report *report, struct gt_buffer *out)
{
    GT_JSON_AUTO json_t *summary = gt_scan_summary(report);
    gt_buffer_puts(out, "\n],\"summary\":");
    gt_json_append(summary, out);
    gt_buffer_puts(out, "}\n");
}

const struct gt_scan_format gt_scan_format_json = {
    .name = "json", .separator = ",\n", .begin = begin, .finding = print_object, .end = end};
const struct gt_scan_format gt_scan_format_jsonl = {.name = "jsonl", .finding = print_line};
