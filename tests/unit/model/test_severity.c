#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"

static void names_the_levels_of_scores(void **state)
{
    static const struct {
        int score;
        enum gt_severity severity;
        const char *name;
    } cases[] = {
        {-5, GT_INFORMATIONAL, "info"},
        {0, GT_INFORMATIONAL, "info"},
        {19, GT_INFORMATIONAL, "info"},
        {20, GT_LOW, "low"},
        {39, GT_LOW, "low"},
        {40, GT_MEDIUM, "medium"},
        {64, GT_MEDIUM, "medium"},
        {65, GT_HIGH, "high"},
        {84, GT_HIGH, "high"},
        {85, GT_CRITICAL, "critical"},
        {100, GT_CRITICAL, "critical"},
        {999, GT_CRITICAL, "critical"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum gt_severity severity = gt_severity_of_score(cases[i].score);
        assert_int_equal(severity, cases[i].severity);
        assert_string_equal(gt_severity_name(severity), cases[i].name);
        assert_int_equal(gt_severity_parse(cases[i].name), severity);
    }
}

static void a_level_s_score_is_of_that_level(void **state)
{
    for (int i = GT_INFORMATIONAL; i <= GT_CRITICAL; i++)
        assert_int_equal(gt_severity_of_score(gt_severity_score((enum gt_severity)i)), i);
}

static void knows_no_other_names(void **state)
{
    assert_int_equal(gt_severity_parse("dire"), -1);
    assert_int_equal(gt_severity_parse("LOW"), -1);
    assert_int_equal(gt_severity_parse(""), -1);
    assert_int_equal(gt_severity_parse(NULL), -1);
}

static void survives_values_out_of_range(void **state)
{
    assert_string_equal(gt_severity_name((enum gt_severity)77), "info");
    assert_string_equal(gt_confidence_name((enum gt_confidence)77), "possible");
    assert_int_equal(gt_severity_score((enum gt_severity)77), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_levels_of_scores),
        cmocka_unit_test(a_level_s_score_is_of_that_level),
        cmocka_unit_test(knows_no_other_names),
        cmocka_unit_test(survives_values_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
