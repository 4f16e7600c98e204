#include "cli/scan_parts.h"

const struct gt_scan_format *const gt_scan_formats[] = {
    &gt_scan_format_table,
    &gt_scan_format_jsonl,
    NULL,
};
