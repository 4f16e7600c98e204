#include "cli/scan_formats/formats.h"

const struct gt_scan_format *const gt_scan_formats[] = {
    &gt_scan_format_table, &gt_scan_format_json, &gt_scan_format_jsonl,  &gt_scan_format_csv,
    &gt_scan_format_sarif, &gt_scan_format_html, &gt_scan_format_gitlab, NULL,
};

void gt_scan_put(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, gt_json_text_c(value));
}

void gt_scan_put_given(json_t *object, const char *key, const char *value)
{
    if (value)
        gt_scan_put(object, key, value);
}

void gt_scan_put_number(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

json_t *gt_scan_put_object(json_t *object, const char *key)
{
    json_t *inner = json_object();
    json_object_set_new(object, key, inner);
    return inner;
}

bool gt_scan_complete(const struct gt_scan_report *report)
{
    return !report->interrupted && report->counts.failed == 0;
}

json_t *gt_scan_summary(const struct gt_scan_report *report)
{
    const struct gt_scan_counts *counts = &report->counts;
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {
        {"findings", counts->findings},
        {"files", counts->files},
        {"files_with_findings", counts->files_with},
        {"bytes", counts->bytes},
        {"milliseconds", (uint64_t)report->took_ms},
        {"failed", counts->failed},
        {"left_out_links", counts->links},
        {"left_out_special", counts->special},
        {"left_out_large", counts->large},
        {"ignored_paths", counts->ignored_paths},
        {"not_told_filtered", counts->filtered},
        {"not_told_baseline", counts->known},
        {"not_told_ignored", counts->ignored},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        gt_scan_put_number(object, rows[i].key, rows[i].value);
    json_t *severities = gt_scan_put_object(object, "by_severity");
    for (int i = GT_CRITICAL; i >= 0; i--)
        gt_scan_put_number(severities, gt_severity_names[i], counts->by_severity[i]);
    json_object_set_new(object, "interrupted", json_boolean(report->interrupted));
    return object;
}
