/* Metrics of this process, in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * Series are made on first use and live as long as the process; at most GT_METRICS_MAX of them:
 * what comes after is counted in guette_metrics_dropped_total. Safe from any thread. Label values
 * must come from the configuration or from tables, never from fetched bytes. */
#ifndef GT_CORE_METRICS_H
#define GT_CORE_METRICS_H

#include "core/buffer.h"

#define GT_METRICS_MAX 4096

/* label: NULL or one `key="value"` pair set, ready to print between braces (gt_label makes one). */
void gt_counter_add(const char *name, const char *label, double by);
void gt_gauge_set(const char *name, const char *label, double value);
/* Seconds or bytes; fixed buckets 0.001 ... 60 for names ending in _seconds, 1 KiB ... 64 MiB for
 * _bytes. */
void gt_histogram_observe(const char *name, const char *label, double value);
/* Help texts are a table in metrics.c (name, type, help); a name without help is a bug the meta
 * tests find. */
int gt_metrics_append(struct gt_buffer *out);
/* The sum of a counter over its labels; 0 when never used. For status and tests. */
double gt_counter_sum(const char *name);

/* Writes key="value" with the value escaped into buf; returns buf. */
const char *gt_label(char *buf, size_t size, const char *key, const char *value);

#endif
