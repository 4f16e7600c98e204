/* jsonl: one JSON object a line, the same columns on each. */
#include "cli/scan_parts.h"

static void put(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, gt_json_text_c(value));
}

static void put_given(json_t *object, const char *key, const char *value)
{
    if (value)
        put(object, key, value);
}

static void put_rule(json_t *object, const struct gt_finding *finding)
{
    put(object, "rule", finding->rule);
    put(object, "provider", finding->provider);
    put(object, "category", finding->category);
    put(object, "severity", gt_severity_name(finding->severity));
    put(object, "confidence", gt_confidence_name(finding->confidence));
    json_object_set_new(object, "score", json_integer(finding->score));
    put(object, "brand", finding->brand);
}

static void put_place(json_t *object, const struct gt_scan_found *found)
{
    put(object, "path", found->origin->path);
    json_object_set_new(object, "line", json_integer(found->finding->line));
    json_object_set_new(object, "column", json_integer(found->finding->column));
    put(object, "decoded_via", found->finding->decoded_via);
}

static void put_origin(json_t *object, const struct gt_scan_origin *origin)
{
    put(object, "commit", origin->commit);
    put_given(object, "author", origin->author);
    put_given(object, "email", origin->email);
    put_given(object, "date", origin->date);
    put_given(object, "subject", origin->subject);
    put_given(object, "source", origin->source);
    put_given(object, "url", origin->url);
}

static void print_line(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                       struct gt_buffer *out)
{
    const struct gt_finding *finding = found->finding;
    struct gt_str secret = gt_scan_shown(settings, found);
    GT_JSON_AUTO json_t *object = json_object();
    put_rule(object, finding);
    put_place(object, found);
    json_object_set_new(object, "secret", gt_json_text(secret.ptr, secret.len));
    put(object, "fingerprint", finding->fingerprint);
    put_origin(object, found->origin);
    put(object, "title", finding->title);
    put(object, "context", finding->context);
    put(object, "remediation", finding->remediation);
    put(object, "id", finding->id);
    gt_json_append(object, out);
    gt_buffer_putc(out, '\n');
}

const struct gt_scan_format gt_scan_format_jsonl = {.name = "jsonl", .finding = print_line};
