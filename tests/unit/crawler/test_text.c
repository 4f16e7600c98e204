/* Seen sets, HTML to text, JSON pointers and records: the small tools of the sources. */
#include "rig.h"

#include "crawler/html.h"
#include "crawler/pointer.h"
#include "crawler/record.h"
#include "crawler/seen.h"

static void a_seen_set_is_bounded_and_survives_as_text(void **state)
{
    struct gt_seen *seen = gt_seen_new(1000), *loaded = gt_seen_new(1000);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(1 << 20);
    char item[32];

    for (int i = 0; i < 5000; i++) {
        snprintf(item, sizeof item, "item %d", i);
        assert_int_equal(gt_seen_add(seen, gt_seen_hash(item, NULL)), 0);
        assert_true(gt_seen_count(seen) <= 1000);
    }
    assert_true(gt_seen_has(seen, gt_seen_hash("item 4999", NULL)));
    assert_false(gt_seen_has(seen, gt_seen_hash("item 0", NULL)));
    assert_false(gt_seen_has(seen, gt_seen_hash("item 4999", "edited")));
    assert_int_equal(gt_seen_append(seen, 10, &text), 0);
    assert_int_equal(gt_seen_load(loaded, text.data), 0);
    assert_int_equal(gt_seen_count(loaded), 10);
    assert_true(gt_seen_has(loaded, gt_seen_hash("item 4999", NULL)));
    assert_true(gt_seen_has(loaded, gt_seen_hash("item 4990", NULL)));
    assert_false(gt_seen_has(loaded, gt_seen_hash("item 4989", NULL)));
    gt_seen_begin(loaded);
    gt_seen_add(loaded, gt_seen_hash("item 4990", NULL));
    gt_seen_forget(loaded);
    assert_int_equal(gt_seen_count(loaded), 1);
    assert_int_equal(gt_seen_load(loaded, "no base64 at all!"), 0);
    gt_seen_free(seen);
    gt_seen_free(loaded);
}

static const struct {
    const char *html, *text;
} conversions[] = {
    {"", ""},
    {"plain  text\n", "plain text"},
    {"<p>one</p><p>two</p>", "one\n\ntwo"},
    {"a<br>b<br/>c", "a\nb\nc"},
    {"a &amp; b &lt;c&gt; &#65;&#x42; &eacute; &unknown; &", "a & b <c> AB \xC3\xA9 &unknown; &"},
    {"<a href=\"https://x.example/?a=1&amp;b=2\">here</a>", "here <https://x.example/?a=1&b=2>"},
    {"<a href='https://x.example/'>https://x.example/</a> then", "https://x.example/ then"},
    {"<a href=https://x.example/>x</a>", "x <https://x.example/>"},
    {"<pre>KEY=1\n  X</pre>", "KEY=1\n  X"},
    {"<img src=\"/a.png\" alt=\"a chart\">", "/a.png a chart"},
    {"<script>var key = \"a<b\";</script>after", "var key = \"a<b\";\nafter"},
    {"<style>p { }</style>after", "after"},
    {"x <!-- hidden --> y", "x y"},
    {"1 < 2 and <3", "1 < 2 and <3"},
    {"AK<b>IA</b>12", "AKIA12"},
    {"AK&shy;IA&#8203;12", "AKIA12"},
    {"cut <a href=\"x", "cut <a href=\"x"},
    {"<![CDATA[inside]]>", "inside]]>"},
    {"<td>a</td><td>b</td>", "a b"},
    {"<p title='a > b'>t</p>", "a > b t"},
    {"&#0;&#xD800;&#99999999;", "&#0;&#xD800;&#99999999;"},
};

static void html_becomes_readable_text(void **state)
{
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++) {
        GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4096);
        assert_int_equal(gt_html_to_text(conversions[i].html, strlen(conversions[i].html), &out),
                         0);
        assert_string_equal(out.data ? out.data : "", conversions[i].text);
    }
}

/* Each of these took quadratic time in a careless reader: 1 MB must pass. */
static void hostile_html_is_linear(void **state)
{
    static const char *const pieces[] = {"<",   "<!--", "<a ",      "<a href=\"", "&",
                                         "<![", "</",   "<script>", "<pre>",      "&#"};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct gt_buffer in = GT_BUFFER(2 << 20), out = GT_BUFFER(4 << 20);
        while (in.len < 1 << 20)
            gt_buffer_puts(&in, pieces[p]);
        gt_html_to_text(in.data, in.len, &out);
        gt_buffer_free(&in);
        gt_buffer_free(&out);
    }
    struct gt_buffer small = GT_BUFFER(10);
    assert_int_equal(gt_html_to_text("longer than ten bytes", 21, &small), GT_E_LIMIT);
    gt_buffer_free(&small);
}

struct picked {
    char text[256];
};

static int pick(void *user, const json_t *value)
{
    struct picked *picked = user;
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(200);
    gt_json_append(value, &text);
    strncat(picked->text, text.data, sizeof picked->text - strlen(picked->text) - 1);
    strncat(picked->text, ";", sizeof picked->text - strlen(picked->text) - 1);
    return 0;
}

static void pointers_follow_rfc_6901_and_stars(void **state)
{
    static const char text[] = "{\"a/b\": 1, \"m~n\": 2, \"\": 3, \"list\": [10, [20, 30], {\"k\": "
                               "40}], \"o\": {\"x\": {\"v\": 5}, \"y\": {\"v\": 6}}}";
    static const struct {
        const char *pointer, *found;
    } cases[] = {
        {"/a~1b", "1;"},           {"/m~0n", "2;"},           {"/", "3;"},
        {"/list/0", "10;"},        {"/list/1/1", "30;"},      {"/list/00", ""},
        {"/list/-", ""},           {"/list/9", ""},           {"/nothing/at/all", ""},
        {"/list/[*]/k", "40;"},    {"/list/1/[*]", "20;30;"}, {"/o/[*]/v", "5;6;"},
        {"/list/99999999999", ""},
    };
    GT_JSON_AUTO json_t *json = gt_json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct picked picked = {""};
        gt_pointer_each(json, cases[i].pointer, pick, &picked);
        assert_string_equal(picked.text, cases[i].found);
    }
    assert_int_equal(gt_pointer_check("no-slash", NULL), GT_E_INVALID);
    assert_int_equal(gt_pointer_check("/bad~2escape", NULL), GT_E_INVALID);
    assert_int_equal(gt_pointer_check("/a/[*]/b", NULL), 0);
}

struct collected {
    struct gt_buffer text;
    const char *selector;
};

static int collect(void *user, const struct gt_record *record)
{
    struct collected *collected = user;
    gt_record_text(record, collected->selector, ",", &collected->text);
    gt_buffer_putc(&collected->text, '|');
    return 0;
}

/* Items by `items`, and in each what `selector` finds. */
static void expect(enum gt_answer_kind kind, const char *answer, const char *items,
                   const char *selector, const char *found)
{
    struct gt_answer *parsed = NULL;
    struct collected collected = {GT_BUFFER(4096), selector};
    struct gt_error err;
    assert_int_equal(gt_answer_parse(kind, answer, strlen(answer), &parsed, &err), 0);
    assert_int_equal(gt_records(gt_answer_root(parsed), items, 3, collect, &collected, &err), 0);
    assert_string_equal(collected.text.data ? collected.text.data : "", found);
    gt_buffer_free(&collected.text);
    gt_answer_free(parsed);
}

static void records_are_picked_from_every_kind_of_answer(void **state)
{
    expect(GT_ANSWER_JSON, "[{\"a\":[1,null,\"\",\"x\"]},{},{\"a\":true},{\"a\":[9]}]", "/[*]",
           "/a/[*]", "1,x|||");
    expect(GT_ANSWER_JSON, "{\"d\":{\"p\":{\"v\":1.5},\"q\":{\"v\":2}}}", "/d/[*]", "/v", "1.5|2|");
    expect(GT_ANSWER_HTML, "<ul><li><a href='/p/1'>One</a><li><a href='/p/2'>Two</a></ul>", "//li",
           "./a/@href", "/p/1|/p/2|");
    expect(GT_ANSWER_HTML, "<ul><li>a<li>b</ul>", "//li", "string(.)", "a|b|");
    expect(GT_ANSWER_XML, "<r><i n='1'>a</i><i n='2'>b</i></r>", "/r/i", "@n", "1|2|");
    expect(GT_ANSWER_TEXT, "id=aa t=x\nid=bb t=y\n", "^id=(?<id>\\w+) t=(.)$", "id", "aa|bb|");
    expect(GT_ANSWER_TEXT, "id=aa t=x\nid=bb t=y\n", "^id=(?<id>\\w+) t=(.)$", "2", "x|y|");
    expect(GT_ANSWER_TEXT, "aaaa", "", "0", "|||");              /* empty matches end */
    expect(GT_ANSWER_JSON, "[1,2,3,4,5]", "/[*]", "", "1|2|3|"); /* at most 3 */
}

static void hostile_answers_are_refused_or_bounded(void **state)
{
    static const char laughs[] =
        "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><r>&b;</r>";
    struct gt_answer *answer = NULL;
    struct gt_error err;
    assert_int_equal(gt_answer_parse(GT_ANSWER_XML, laughs, strlen(laughs), &answer, &err),
                     GT_E_INVALID);
    assert_int_equal(gt_answer_parse(GT_ANSWER_JSON, "[", 1, &answer, &err), GT_E_INVALID);
    assert_int_equal(gt_answer_parse(GT_ANSWER_JSON, NULL, 0, &answer, &err), GT_E_INVALID);

    struct gt_buffer many = GT_BUFFER(1 << 20);
    while (many.len < 200000)
        gt_buffer_puts(&many, "a");
    assert_int_equal(gt_answer_parse(GT_ANSWER_TEXT, many.data, many.len, &answer, &err), 0);
    struct collected none = {GT_BUFFER(100), "0"};
    assert_int_equal(
        gt_records(gt_answer_root(answer), "^(?:a|aa)+[bc]$", 10, collect, &none, &err),
        GT_E_LIMIT);
    gt_answer_free(answer);
    gt_buffer_free(&many);
    gt_buffer_free(&none.text);
}

/* One item with a broken escape must not blind us for the rest of the list. */
static void json_with_broken_text_is_still_read(void **state)
{
    expect(GT_ANSWER_JSON, "[{\"a\":\"x\\ud800y\"},{\"a\":\"ok\"}]", "/[*]", "/a",
           "x\xEF\xBF\xBDy|ok|");
    expect(GT_ANSWER_JSON, "[{\"a\":\"x\xFFy\"},{\"a\":\"\\ud83d\\ude00\"}]", "/[*]", "/a",
           "x\xEF\xBF\xBDy|\xF0\x9F\x98\x80|");
    expect(GT_ANSWER_JSON, "[{\"a\":\"\\\\ud800 \\udc00\"}]", "/[*]", "/a",
           "\\ud800 \xEF\xBF\xBD|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seen_set_is_bounded_and_survives_as_text),
        cmocka_unit_test(html_becomes_readable_text),
        cmocka_unit_test(hostile_html_is_linear),
        cmocka_unit_test(pointers_follow_rfc_6901_and_stars),
        cmocka_unit_test(records_are_picked_from_every_kind_of_answer),
        cmocka_unit_test(hostile_answers_are_refused_or_bounded),
        cmocka_unit_test(json_with_broken_text_is_still_read),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
