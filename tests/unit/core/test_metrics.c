#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "core/core.h"

static const char *text_of_all(struct gt_buffer *out)
{
    gt_buffer_reset(out);
    assert_int_equal(gt_metrics_append(out), 0);
    return out->data ? out->data : "";
}

static void expect_line(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("\"%s\" is not in:\n%s", line, text);
}

static void counts_by_label(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(1 << 20);
    gt_counter_add("guette_findings_total", "severity=\"low\"", 1);
    gt_counter_add("guette_findings_total", "severity=\"high\"", 2);
    gt_counter_add("guette_findings_total", "severity=\"low\"", 3);
    gt_gauge_set("guette_queue_depth", "topic=\"documents\"", 7);
    gt_gauge_set("guette_queue_depth", "topic=\"documents\"", 5);
    const char *text = text_of_all(&out);
    expect_line(text, "# TYPE guette_findings_total counter\n");
    expect_line(text, "\nguette_findings_total{severity=\"low\"} 4\n");
    expect_line(text, "\nguette_findings_total{severity=\"high\"} 2\n");
    expect_line(text, "\nguette_queue_depth{topic=\"documents\"} 5\n");
    assert_true(gt_counter_sum("guette_findings_total") == 6);
    assert_true(gt_counter_sum("guette_never_used") == 0);
    /* One header a metric. */
    const char *header = strstr(text, "# HELP guette_findings_total ");
    assert_non_null(header);
    assert_null(strstr(header + 1, "# HELP guette_findings_total "));
}

static void histograms_are_cumulative(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(1 << 20);
    gt_histogram_observe("guette_match_seconds", NULL, 0.002);
    gt_histogram_observe("guette_match_seconds", NULL, 0.2);
    gt_histogram_observe("guette_match_seconds", NULL, 600);
    const char *text = text_of_all(&out);
    expect_line(text, "# TYPE guette_match_seconds histogram\n");
    expect_line(text, "\nguette_match_seconds_bucket{le=\"0.001\"} 0\n");
    expect_line(text, "\nguette_match_seconds_bucket{le=\"0.005\"} 1\n");
    expect_line(text, "\nguette_match_seconds_bucket{le=\"0.25\"} 2\n");
    expect_line(text, "\nguette_match_seconds_bucket{le=\"60\"} 2\n");
    expect_line(text, "\nguette_match_seconds_bucket{le=\"+Inf\"} 3\n");
    expect_line(text, "\nguette_match_seconds_count 3\n");
}

static void labels_are_escaped(void **state)
{
    char buf[128];
    assert_string_equal(gt_label(buf, sizeof buf, "source", "hn"), "source=\"hn\"");
    assert_string_equal(gt_label(buf, sizeof buf, "source", "a\"b\\c\nd"),
                        "source=\"a\\\"b\\\\c d\"");
}

static void *add_many(void *argument)
{
    for (int i = 0; i < 10000; i++)
        gt_counter_add("guette_match_documents_total", NULL, 1);
    return argument;
}

static void threads_lose_nothing(void **state)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(gt_counter_sum("guette_match_documents_total") == 40000);
}

/* Last: it uses all series up. */
static void too_many_series_are_counted_as_dropped(void **state)
{
    char label[64];
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4 << 20);
    for (int i = 0; i < GT_METRICS_MAX + 10; i++) {
        snprintf(label, sizeof label, "source=\"%d\"", i);
        gt_counter_add("guette_crawl_documents_total", label, 1);
    }
    const char *text = text_of_all(&out);
    assert_null(strstr(text, "\nguette_metrics_dropped_total 0\n"));
    assert_true(gt_counter_sum("guette_crawl_documents_total") < GT_METRICS_MAX);
    struct gt_buffer small = GT_BUFFER(10);
    assert_int_equal(gt_metrics_append(&small), GT_E_LIMIT);
    gt_buffer_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_label),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(too_many_series_are_counted_as_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
