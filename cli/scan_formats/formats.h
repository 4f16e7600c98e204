/* What several formats share. Inside cli/scan_formats/ only. */
#ifndef GT_CLI_SCAN_FORMATS_H
#define GT_CLI_SCAN_FORMATS_H

#include "cli/scan_parts.h"

extern const struct gt_scan_format gt_scan_format_table, gt_scan_format_json, gt_scan_format_jsonl,
    gt_scan_format_csv, gt_scan_format_sarif, gt_scan_format_html, gt_scan_format_gitlab;

/* NULL becomes null. */
void gt_scan_put(json_t *object, const char *key, const char *value);
/* NULL is left out. */
void gt_scan_put_given(json_t *object, const char *key, const char *value);
void gt_scan_put_number(json_t *object, const char *key, uint64_t value);
/* An object of its own under the key, borrowed. */
json_t *gt_scan_put_object(json_t *object, const char *key);
/* What was counted, in all: for the end of a report. New reference. */
json_t *gt_scan_summary(const struct gt_scan_report *report);
/* Whether all that should be looked through was. */
bool gt_scan_complete(const struct gt_scan_report *report);

#endif
