#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

static void compares_runs_of_bytes(void **state)
{
    assert_true(gt_str_eq(GT_STR("abc"), gt_str_of("abc")));
    assert_false(gt_str_eq(GT_STR("abc"), GT_STR("abd")));
    assert_false(gt_str_eq(GT_STR("ab"), GT_STR("abc")));
    assert_true(gt_str_eq_c(gt_str_of(NULL), ""));
    assert_true(gt_str_eq_c(gt_str_trim(GT_STR(" \t\r\na b\n ")), "a b"));
    assert_int_equal(gt_str_trim(GT_STR(" \n ")).len, 0);
    assert_true(gt_starts_with("abc", "ab"));
    assert_true(gt_starts_with("abc", ""));
    assert_false(gt_starts_with("a", "ab"));
    assert_true(gt_ends_with("abc", "bc"));
    assert_false(gt_ends_with("c", "bc"));
    assert_true(gt_equals_ignoring_case("AbC", "aBc"));
    assert_false(gt_equals_ignoring_case("abc", "abcd"));
    assert_false(gt_equals_ignoring_case("@", "`"));
}

static void tells_utf8_from_other_bytes(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xed\x9f\xbf",
                                       "\xef\xbf\xbd"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x82",
                                      "a\xc3(",
                                      "\xf0\x9f\x98"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(gt_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gt_utf8_valid(bad[i], strlen(bad[i])))
            fail_msg("case %zu counts as UTF-8", i);
    assert_true(gt_utf8_valid("a\0b", 3));
}

static void cleans_text_for_a_screen(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"caf\xc3\xa9\tx\n", "caf\xc3\xa9\tx\n"},
        {"a\x1b[2Jb\x07", "a[2Jb"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xe2\x80\xae"
         "b",
         "ab"},
        {"a\xc2\x9b"
         "1mb",
         "a1mb"},
        {"\x7f\r", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gt_buffer out = GT_BUFFER(100);
        gt_buffer_puts(&out, "");
        assert_int_equal(gt_utf8_append_clean(&out, cases[i].in, strlen(cases[i].in)), 0);
        assert_string_equal(out.data, cases[i].out);
        gt_buffer_free(&out);
    }
    struct gt_buffer small = GT_BUFFER(2);
    assert_int_equal(gt_utf8_append_clean(&small, "abc", 3), GT_E_LIMIT);
    gt_buffer_free(&small);
}

static void measures_typing_mistakes(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {{"", "", 0},
                 {"abc", "abc", 0},
                 {"abc", "", 3},
                 {"domian", "domain", 1},
                 {"kitten", "sitting", 3},
                 {"ca", "abc", 3},
                 {"brand", "brands", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(gt_edit_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(gt_edit_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    char longest[66];
    memset(longest, 'a', 65);
    longest[65] = '\0';
    assert_int_equal(gt_edit_distance(longest, "a"), SIZE_MAX);
    assert_int_equal(gt_edit_distance(longest + 1, "a"), 63);
}

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"90", 90000},      {"90s", 90000},      {"5m", 300000},  {"12h", 43200000},
                {"3d", 3 * GT_DAY}, {"250ms", 250},      {"1.5s", 1500},  {"1 h", 3600000},
                {"0", 0},           {"2w", 14 * GT_DAY}, {"5min", 300000}};
    static const char *const bad[] = {"",    "s",   "5 parsecs",           "-5s", "1.2.3s", "5ss",
                                      " 5s", "1e3", "999999999999999999d", "0x5", "5s "};
    int64_t ms = 77;
    struct gt_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (gt_parse_duration(good[i].text, &ms, &err))
            fail_msg("\"%s\" %s", good[i].text, err.message);
        assert_int_equal(ms, good[i].ms);
    }
    ms = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gt_parse_duration(bad[i], &ms, &err) == 0)
            fail_msg("\"%s\" counts as a duration", bad[i]);
    assert_int_equal(ms, 77);
    assert_non_null(strstr(err.message, "is not a duration; write"));
}

static void reads_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"512", 512},         {"64KiB", 65536}, {"10MiB", 10485760},
                {"2GiB", 2147483648}, {"1kB", 1000},    {"1.5MB", 1500000},
                {"3 GB", 3000000000}, {"0", 0},         {"1TiB", 1099511627776}};
    static const char *const bad[] = {"", "KiB", "-1", "ten", "1 bit", "9999999999999TiB", "1..2"};
    uint64_t bytes = 77;
    struct gt_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (gt_parse_size(good[i].text, &bytes, &err))
            fail_msg("\"%s\" %s", good[i].text, err.message);
        assert_int_equal(bytes, good[i].bytes);
    }
    bytes = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gt_parse_size(bad[i], &bytes, &err) == 0)
            fail_msg("\"%s\" counts as a size", bad[i]);
    assert_int_equal(bytes, 77);
}

static void writes_sizes_and_durations(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(65536);
    assert_string_equal(gt_format_size(arena, 0), "0 B");
    assert_string_equal(gt_format_size(arena, 1536), "1.5 KiB");
    assert_string_equal(gt_format_size(arena, 10485760), "10.0 MiB");
    assert_string_equal(gt_format_duration(arena, 0), "0 ms");
    assert_string_equal(gt_format_duration(arena, 999), "999 ms");
    assert_string_equal(gt_format_duration(arena, 1000), "1 s");
    assert_string_equal(gt_format_duration(arena, 1500), "1.5 s");
    assert_string_equal(gt_format_duration(arena, 90000), "1 min 30 s");
    assert_string_equal(gt_format_duration(arena, 3 * GT_DAY + 4 * GT_HOUR), "3 d 4 h");
    assert_string_equal(gt_format_duration(arena, -5), "0 ms");
    assert_non_null(gt_format_duration(arena, INT64_MAX));
    assert_non_null(gt_format_size(arena, UINT64_MAX));
}

static void percent_encodes_all_but_unreserved_bytes(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(100);
    assert_int_equal(gt_append_percent_encoded(&out, "aZ0-._~ /?&=%\xc3\xa9\0", 16), 0);
    assert_string_equal(out.data, "aZ0-._~%20%2F%3F%26%3D%25%C3%A9%00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_runs_of_bytes),
        cmocka_unit_test(tells_utf8_from_other_bytes),
        cmocka_unit_test(cleans_text_for_a_screen),
        cmocka_unit_test(measures_typing_mistakes),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(writes_sizes_and_durations),
        cmocka_unit_test(percent_encodes_all_but_unreserved_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
