#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

static json_t *parse(const char *text, struct gt_error *err)
{
    return gt_json_parse(text, strlen(text), err);
}

static void reads_and_writes(void **state)
{
    GT_JSON_AUTO json_t *value = parse("{\"a\": [1, \"x\", null]}", NULL);
    assert_non_null(value);
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(100);
    assert_int_equal(gt_json_append(value, &out), 0);
    assert_string_equal(out.data, "{\"a\":[1,\"x\",null]}");
    GT_JSON_AUTO json_t *scalar = parse("7", NULL);
    assert_true(json_is_integer(scalar));
    GT_BUFFER_AUTO struct gt_buffer small = GT_BUFFER(5);
    assert_int_equal(gt_json_append(value, &small), GT_E_LIMIT);
}

static void says_where_a_mistake_is(void **state)
{
    static const char *const texts[] = {"",        "{",        "[1,]", "{\"a\":1} x",
                                        "{'a':1}", "\"\xff\"", "nul"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct gt_error err = {0};
        assert_null(parse(texts[i], &err));
        assert_int_equal(err.code, GT_E_INVALID);
        assert_non_null(strstr(err.message, "not JSON: line 1, column "));
    }
}

static void stops_at_depth_100(void **state)
{
    char text[203];
    struct gt_error err = {0};
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    text[200] = '\0';
    GT_JSON_AUTO json_t *value = parse(text, &err);
    assert_non_null(value);
    memset(text, '[', 101);
    memset(text + 101, ']', 101);
    text[202] = '\0';
    assert_null(parse(text, &err));
    assert_int_equal(err.code, GT_E_LIMIT);
    /* Brackets in strings are not depth. */
    memset(text, '[', 200);
    text[0] = text[199] = '"';
    text[200] = '\0';
    GT_JSON_AUTO json_t *string = parse(text, &err);
    assert_non_null(string);
}

static void gives_the_fallback_for_another_type(void **state)
{
    GT_JSON_AUTO json_t *value = parse("{\"s\":\"x\",\"i\":5,\"n\":null}", NULL);
    assert_string_equal(gt_json_string(value, "s", "f"), "x");
    assert_string_equal(gt_json_string(value, "i", "f"), "f");
    assert_string_equal(gt_json_string(value, "none", "f"), "f");
    assert_null(gt_json_string(value, "n", NULL));
    assert_int_equal(gt_json_int(value, "i", -1), 5);
    assert_int_equal(gt_json_int(value, "s", -1), -1);
    assert_int_equal(gt_json_int(NULL, "s", -1), -1);
}

static void makes_a_string_of_any_bytes(void **state)
{
    GT_JSON_AUTO json_t *good = gt_json_text("caf\xc3\xa9", 5);
    assert_string_equal(json_string_value(good), "caf\xc3\xa9");
    GT_JSON_AUTO json_t *bad = gt_json_text("a\xff", 2);
    assert_string_equal(json_string_value(bad), "a\xef\xbf\xbd");
    GT_JSON_AUTO json_t *null = gt_json_text_c(NULL);
    assert_true(json_is_null(null));
    GT_JSON_AUTO json_t *empty = gt_json_text_c("");
    assert_string_equal(json_string_value(empty), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(says_where_a_mistake_is),
        cmocka_unit_test(stops_at_depth_100),
        cmocka_unit_test(gives_the_fallback_for_another_type),
        cmocka_unit_test(makes_a_string_of_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
