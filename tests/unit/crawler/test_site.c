/* The site source: what its cursor keeps when things go wrong, and hostile or odd lists. */
#include "rig.h"

#include "crawler/site.h"

#include <stdio.h>
#include <stdlib.h>

static struct gt_site_options options;

static struct rig *open_site(const char *name, const char *base)
{
    options = (struct gt_site_options){.site = name, .base = base};
    return rig_new(&gt_source_site, &options, NULL);
}

/* A list of Pastebin's shape; dates count up with the key's number. */
static char *pastes(int from, int to)
{
    struct gt_buffer text = GT_BUFFER((size_t)4 << 20);
    gt_buffer_putc(&text, '[');
    for (int i = from; i <= to; i++)
        gt_buffer_printf(&text,
                         "%s{\"key\":\"k%d\",\"date\":\"%d\",\"title\":\"t\",\"full_url\":\"https:/"
                         "/pastebin.com/k%d\"}",
                         i == from ? "" : ",", i, 1770000000 + i, i);
    gt_buffer_putc(&text, ']');
    return text.data;
}

static int list(struct rig *rig, const char *body)
{
    assert_int_equal(rig_plan(rig), 0);
    return rig_answer(rig, 200, body, NULL);
}

/* Answers all that is asked with the same. */
static void answer_all(struct rig *rig, int status, const char *body)
{
    while (rig_next(rig))
        rig_answer(rig, status, body, NULL);
}

static void an_item_that_fails_stays_in_the_cursor(void **state)
{
    char *two = pastes(1, 2);
    struct rig *rig = open_site("pastebin", NULL);
    assert_int_equal(list(rig, two), GT_PARSED);
    assert_int_equal(rig_answer(rig, 500, "", NULL), GT_PARSE_UNCHANGED);
    assert_int_equal(rig_answer(rig, 200, "text", NULL), GT_PARSED);
    assert_int_equal(rig->count, 1);
    rig_save(rig);
    rig = rig_again(rig);
    assert_int_equal(list(rig, two), GT_PARSE_UNCHANGED);
    assert_non_null(rig_next(rig));
    assert_non_null(strstr(rig_next(rig)->url, "i=k1"));
    assert_int_equal(rig_answer(rig, 200, "late", NULL), GT_PARSED);
    assert_null(rig_next(rig));
    assert_string_equal(rig->documents[0].key, "k1");
    assert_string_equal(rig->documents[0].title, "t");
    assert_int_equal(rig->documents[0].published_ms, INT64_C(1770000001000));
    rig_save(rig);
    rig = rig_again(rig);
    list(rig, two);
    assert_null(rig_next(rig));
    rig_free(rig);
    free(two);
}

static void an_item_that_never_comes_is_given_up_and_told(void **state)
{
    char *one = pastes(1, 1);
    struct rig *rig = open_site("pastebin", NULL);
    for (int i = 0; i < 8; i++) {
        assert_null(gt_source_site.warning(rig->self));
        list(rig, one);
        assert_int_equal(rig_answer(rig, 500, "", NULL), GT_PARSE_UNCHANGED);
    }
    assert_non_null(strstr(gt_source_site.warning(rig->self), "1 items were given up"));
    list(rig, one);
    assert_null(rig_next(rig));
    rig_free(rig);
    free(one);
}

/* An outage is nobody's fault: no attempt is counted. */
static void an_outage_gives_no_item_up(void **state)
{
    char *one = pastes(1, 1);
    struct rig *rig = open_site("pastebin", NULL);
    list(rig, one);
    assert_int_equal(rig_answer(rig, 429, "", NULL), GT_E_AGAIN);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(rig_plan(rig), 0);
        assert_int_equal(rig_fail(rig, GT_E_IO), GT_E_IO);
        assert_null(rig_next(rig));
        rig_save(rig);
        rig = rig_again(rig);
    }
    list(rig, one);
    assert_int_equal(rig_answer(rig, 200, "text", NULL), GT_PARSED);
    rig_free(rig);
    free(one);
}

static void many_failing_items_fail_the_poll(void **state)
{
    char *ten = pastes(1, 10);
    int worst = 0;
    struct rig *rig = open_site("pastebin", NULL);
    list(rig, ten);
    while (rig_next(rig)) {
        int code = rig_answer(rig, 500, "", NULL);
        worst = code < worst ? code : worst;
    }
    assert_int_equal(worst, GT_E_IO);
    rig_free(rig);
    free(ten);
}

static void the_same_poll_from_the_old_cursor_makes_the_same_documents(void **state)
{
    char *list_text = pastes(1, 5);
    struct rig *one = open_site("pastebin", NULL), *two = rig_new(&gt_source_site, &options, NULL);
    list(one, list_text);
    answer_all(one, 200, "the text");
    list(two, list_text);
    answer_all(two, 200, "the text");
    assert_int_equal(one->count, 5);
    assert_int_equal(two->count, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(one->documents[i].id, two->documents[i].id);
    rig_free(one);
    rig_free(two);
    free(list_text);
}

static void a_full_sink_keeps_items_for_later(void **state)
{
    char *five = pastes(1, 5);
    struct rig *rig = open_site("pastebin", NULL);
    rig->room = 2;
    list(rig, five);
    answer_all(rig, 200, "text");
    assert_int_equal(rig->count, 2);
    rig_save(rig);
    rig = rig_again(rig);
    list(rig, five);
    answer_all(rig, 200, "text");
    assert_int_equal(rig->count, 3);
    rig_free(rig);
    free(five);
}

static void ten_thousand_items_are_caught_up_with_in_bounded_steps(void **state)
{
    char *many = pastes(1, 10000);
    struct rig *rig = open_site("pastebin", NULL);
    size_t documents = 0;
    for (int poll = 0; poll < 25; poll++) {
        list(rig, many);
        assert_true(rig->asked - rig->answered <= 500);
        answer_all(rig, 200, "x");
        rig_save(rig);
        assert_true(strlen(rig->cursor) < 600000);
        documents += rig->count;
        rig = rig_again(rig);
    }
    assert_int_equal(documents, 10000);
    rig_free(rig);
    free(many);
}

static void answers_that_say_no_with_200_are_errors(void **state)
{
    struct rig *rig = open_site("pastebin", NULL);
    assert_int_equal(list(rig, "YOUR IP: 203.0.113.7 DOES NOT HAVE ACCESS.\nVISIT: "
                               "https://pastebin.com/ TO GET ACCESS!\n"),
                     GT_E_REFUSED);
    assert_non_null(strstr(rig->err.message, "whitelist"));
    assert_int_equal(list(rig, "<html>blocked</html>"), GT_E_INVALID);
    assert_int_equal(list(rig, "[{\"key\": "), GT_E_INVALID);
    assert_int_equal(list(rig, ""), GT_E_INVALID);
    rig_free(rig);
}

static void odd_items_do_no_harm(void **state)
{
    struct rig *rig = open_site("pastebin", NULL);
    /* no key, wrong types, twice the same id, the same id with another revision, control
     * characters, a huge key */
    assert_int_equal(
        list(rig,
             "[17, null, \"x\", [], {}, {\"key\": null}, {\"key\": {\"a\": 1}, \"date\": []},"
             "{\"key\": \"a\", \"date\": \"5\"}, {\"key\": \"a\", \"date\": \"5\"}, {\"key\": "
             "\"a\", \"date\": \"6\"},"
             "{\"key\": \"../../x?y#z&i=\\r\\nHost: evil\", \"date\": \"-99999999999999999999\"}]"),
        GT_PARSED);
    size_t a = 0, evil = 0;
    while (rig_next(rig)) {
        const char *url = rig_next(rig)->url;
        assert_true(gt_starts_with(url, "https://scrape.pastebin.com/api_scrape_item.php?i="));
        assert_null(strpbrk(url, "\r\n "));
        a += gt_ends_with(url, "?i=a");
        evil += strstr(url, "%2F..%2Fx%3Fy%23z%26i%3D%0D%0AHost") != NULL;
        rig_answer(rig, 200, "x", NULL);
    }
    assert_int_equal(a, 2);
    assert_int_equal(evil, 1);
    rig_save(rig);
    rig_free(rig);
}

static void time_that_goes_back_skips_nothing(void **state)
{
    char *late = pastes(100, 101), *early = pastes(1, 2);
    struct rig *rig = open_site("pastebin", NULL);
    list(rig, late);
    answer_all(rig, 200, "x");
    list(rig, early);
    answer_all(rig, 200, "y");
    assert_int_equal(rig->count, 4);
    assert_string_equal(gt_site_source_cursor(rig->self), "1770000101");
    rig_free(rig);
    free(late);
    free(early);
}

static const char *const next_page[] = {
    "link",
    "<https://api.github.com/gists/public?page=2>; rel=\"next\", <https://x/>; rel=\"last\"", NULL};

static char *gist(const char *id, const char *updated)
{
    char *text = NULL;
    assert_true(asprintf(&text,
                         "[{\"id\":\"%s\",\"updated_at\":\"%s\",\"owner\":{\"login\":\"m\"}}]", id,
                         updated) > 0);
    return text;
}

/* A listing that broke off is repeated from where it began. */
static void the_cursor_moves_only_when_a_listing_is_whole(void **state)
{
    char *first = gist("b", "2026-01-31T08:30:00Z"), *second = gist("a", "2026-01-31T08:20:00Z");
    struct rig *rig = open_site("github-gists", NULL);
    rig_plan(rig);
    assert_int_equal(rig_answer(rig, 200, first, next_page), GT_PARSED);
    assert_non_null(strstr(rig_next(rig)->url, "/gists/b"));
    assert_int_equal(
        rig_answer(rig, 200, "{\"files\":{\"f\":{\"filename\":\"f\",\"content\":\"x\"}}}", NULL),
        GT_PARSED);
    assert_non_null(strstr(rig_next(rig)->url, "page=2"));
    assert_int_equal(rig_fail(rig, GT_E_TIMEOUT), GT_E_TIMEOUT);
    assert_null(gt_site_source_cursor(rig->self));
    rig_save(rig);
    rig = rig_again(rig);
    rig_plan(rig);
    assert_int_equal(rig_answer(rig, 200, first, next_page), GT_PARSE_UNCHANGED);
    assert_non_null(rig_next(rig)); /* a page of known items does not end it this time */
    assert_int_equal(rig_answer(rig, 200, second, NULL), GT_PARSED);
    assert_non_null(strstr(rig_next(rig)->url, "/gists/a"));
    assert_int_equal(rig_answer(rig, 200, "{\"files\":{}}", NULL), GT_PARSED);
    assert_string_equal(gt_site_source_cursor(rig->self), "1769848200000");
    rig_free(rig);
    free(first);
    free(second);
}

static void a_token_goes_to_its_own_host_only(void **state)
{
    struct rig *rig = open_site("github-gists", "http://127.0.0.1:8080");
    options.token = "made-up";
    rig->source->close(rig->self);
    const struct gt_source_settings settings = {NULL, &rig->config, NULL};
    assert_int_equal(gt_source_site.open(&settings, &rig->self, NULL), 0);
    char *one = gist("b", "2026-01-31T08:30:00Z");
    static const char *const hostile[] = {"link",
                                          "<http://127.0.0.1:8080@evil.example/2>; rel=next", NULL};
    rig_plan(rig);
    assert_string_equal(rig_next(rig)->token, "Bearer made-up");
    assert_true(rig_next(rig)->allow_private);
    rig_answer(rig, 200, one, hostile);
    assert_string_equal(rig_next(rig)->token, "Bearer made-up");
    rig_answer(rig, 200,
               "{\"files\":{\"f\":{\"filename\":\"f\",\"truncated\":true,\"content\":\"x\",\"raw_"
               "url\":\"http://169.254.169.254/x\"}}}",
               NULL);
    assert_string_equal(rig_next(rig)->url, "http://127.0.0.1:8080@evil.example/2");
    assert_null(rig_next(rig)->token);
    assert_false(rig_next(rig)->allow_private);
    rig_answer(rig, 404, "", NULL);
    assert_string_equal(rig_next(rig)->url, "http://169.254.169.254/x");
    assert_null(rig_next(rig)->token);
    assert_false(rig_next(rig)->allow_private);
    rig_free(rig);
    free(one);
}

static void validators_belong_to_their_url(void **state)
{
    static const char *const headers[] = {"etag", "W/\"1\"", "x-poll-interval", "90", NULL};
    struct rig *rig = open_site("github-events", NULL);
    rig_plan(rig);
    assert_null(rig_next(rig)->etag);
    rig_answer(rig, 200, "[]", headers);
    assert_int_equal(gt_source_site.wait_ms(rig->self), 90000);
    rig_save(rig);
    rig = rig_again(rig);
    rig_plan(rig);
    assert_string_equal(rig_next(rig)->etag, "W/\"1\"");
    assert_int_equal(rig_answer(rig, 304, NULL, NULL), GT_PARSE_UNCHANGED);
    rig_save(rig);
    options.base = "https://other.example";
    rig = rig_again(rig);
    rig_plan(rig);
    assert_null(rig_next(rig)->etag);
    rig_free(rig);
}

static void a_counter_catches_up_in_steps_and_says_what_it_gives_up(void **state)
{
    struct rig *rig = open_site("hacker-news", NULL);
    rig_plan(rig);
    rig_answer(rig, 200, "1000", NULL);
    assert_int_equal(rig->asked, 1 + 30);
    answer_all(rig, 200, "{\"type\":\"comment\",\"text\":\"x\",\"by\":\"a\"}");
    assert_int_equal(rig->count, 30);
    rig_plan(rig);
    rig_answer(rig, 200, "2000", NULL);
    assert_string_equal(gt_site_source_cursor(rig->self), "1300");
    answer_all(rig, 200, "{\"type\":\"comment\",\"text\":\"x\",\"by\":\"a\"}");
    rig_plan(rig);
    rig_answer(rig, 200, "10", NULL); /* back in time */
    assert_string_equal(gt_site_source_cursor(rig->self), "1300");
    assert_null(gt_source_site.warning(rig->self));
    rig_plan(rig);
    rig_answer(rig, 200, "1000000", NULL);
    assert_non_null(strstr(gt_source_site.warning(rig->self), "missed"));
    assert_string_equal(gt_site_source_cursor(rig->self), "980300");
    rig_free(rig);
}

static void a_null_item_is_asked_for_again(void **state)
{
    struct rig *rig = open_site("hacker-news", NULL);
    gt_site_source_set_cursor(rig->self, "99");
    rig_plan(rig);
    rig_answer(rig, 200, "100", NULL);
    assert_int_equal(rig_answer(rig, 200, "null", NULL), GT_PARSE_UNCHANGED);
    rig_save(rig);
    rig = rig_again(rig);
    rig_plan(rig);
    rig_answer(rig, 200, "100", NULL);
    assert_non_null(strstr(rig_next(rig)->url, "/item/100.json"));
    assert_int_equal(
        rig_answer(rig, 200,
                   "{\"type\":\"story\",\"title\":\"A &amp; B\",\"url\":\"https://x.example/\"}",
                   NULL),
        GT_PARSED);
    assert_true(rig_body_has(rig_find(rig, "100"), "A & B\n\nhttps://x.example/"));
    rig_free(rig);
}

static void damaged_cursors_start_afresh(void **state)
{
    static const char *const cursors[] = {
        "",
        "{",
        "[]",
        "17",
        "null",
        "{\"base\": \"https://scrape.pastebin.com\", \"seen\": 7, \"pending\": [1, {}, {\"url\": "
        "\"x\", \"fetch\": 99}]}",
        "{\"base\": \"https://scrape.pastebin.com\", \"value\": "
        "\"999999999999999999999999999999\", \"seen\": \"AAAA\"}",
    };
    char *one = pastes(1, 1);
    options = (struct gt_site_options){.site = "pastebin"};
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        struct rig *rig = rig_new(&gt_source_site, &options, cursors[i]);
        list(rig, one);
        answer_all(rig, 200, "x");
        assert_int_equal(rig->count, 1);
        rig_free(rig);
    }
    free(one);
}

static void wrong_options_are_told(void **state)
{
    static const char *rows[] = {"instanze=x.example"};
    struct gt_site_options wrong = {.site = "mastodon-public", .params = {rows, 1}};
    struct gt_source_config config = {.name = "x", .options = &wrong};
    const struct gt_source_settings settings = {NULL, &config, NULL};
    struct gt_error err;
    void *self = NULL;
    assert_int_equal(gt_source_site.open(&settings, &self, &err), GT_E_INVALID);
    assert_non_null(strstr(err.message, "did you mean \"instance\""));
    wrong = (struct gt_site_options){.site = "../../etc/passwd"};
    assert_int_equal(gt_source_site.open(&settings, &self, &err), GT_E_INVALID);
    wrong = (struct gt_site_options){.site = "mastodonpublic"};
    assert_int_equal(gt_source_site.open(&settings, &self, &err), GT_E_NOTFOUND);
    assert_non_null(strstr(err.message, "did you mean \"mastodon-public\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_that_fails_stays_in_the_cursor),
        cmocka_unit_test(an_item_that_never_comes_is_given_up_and_told),
        cmocka_unit_test(an_outage_gives_no_item_up),
        cmocka_unit_test(many_failing_items_fail_the_poll),
        cmocka_unit_test(the_same_poll_from_the_old_cursor_makes_the_same_documents),
        cmocka_unit_test(a_full_sink_keeps_items_for_later),
        cmocka_unit_test(ten_thousand_items_are_caught_up_with_in_bounded_steps),
        cmocka_unit_test(answers_that_say_no_with_200_are_errors),
        cmocka_unit_test(odd_items_do_no_harm),
        cmocka_unit_test(time_that_goes_back_skips_nothing),
        cmocka_unit_test(the_cursor_moves_only_when_a_listing_is_whole),
        cmocka_unit_test(a_token_goes_to_its_own_host_only),
        cmocka_unit_test(validators_belong_to_their_url),
        cmocka_unit_test(a_counter_catches_up_in_steps_and_says_what_it_gives_up),
        cmocka_unit_test(a_null_item_is_asked_for_again),
        cmocka_unit_test(damaged_cursors_start_afresh),
        cmocka_unit_test(wrong_options_are_told),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
