/* Feeds: what is read out of them, what a cursor does, and every feed of the shared fixtures. */
#include "rig.h"

#include "crawler/sources/feed.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static const char *url = "https://news.example/feed";

static struct rig *open_feed(const char *cursor)
{
    return rig_new(&gt_source_feed, &url, cursor);
}

static int poll(struct rig *rig, int status, const char *body, const char *const *headers)
{
    assert_int_equal(rig_plan(rig), 0);
    int code = rig_answer(rig, status, body, headers);
    assert_null(rig_next(rig));
    rig_save(rig);
    return code;
}

static const char rss[] =
    "<?xml version=\"1.0\"?><rss version=\"2.0\" "
    "xmlns:content=\"http://purl.org/rss/1.0/modules/content/\""
    " xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
    "xmlns:media=\"http://search.yahoo.com/mrss/\"><channel>"
    "<title>News</title><ttl>30</ttl>"
    "<item><guid isPermaLink=\"false\">n-1</guid><title>One &amp;amp; "
    "only</title><link>/posts/1</link>"
    "<dc:creator>alice</dc:creator><pubDate>Sat, 31 Jan 2026 08:30:00 GMT</pubDate>"
    "<description>&lt;p&gt;See &lt;a "
    "href=\"https://paste.example/x?a=1&amp;amp;b=2\"&gt;here&lt;/a&gt;&lt;/p&gt;</description>"
    "<content:encoded><![CDATA[<pre>KEY=1\n  KEY=2</pre>]]></content:encoded>"
    "<media:title>not the title</media:title><enclosure url=\"https://cdn.example/a.zip\"/></item>"
    "<item><title>Two</title><link>https://news.example/posts/2</link></item>"
    "</channel></rss>";

static void rss_is_read_with_links_and_content(void **state)
{
    struct rig *rig = open_feed(NULL);
    assert_int_equal(poll(rig, 200, rss, NULL), GT_PARSED);
    assert_int_equal(rig->count, 2);
    const struct gt_document *one = rig_find(rig, "n-1");
    assert_non_null(one);
    assert_string_equal(one->title, "One & only");
    assert_string_equal(one->url, "https://news.example/posts/1");
    assert_string_equal(one->author, "alice");
    assert_int_equal(one->published_ms, INT64_C(1769848200000));
    assert_true(rig_body_has(one, "See here <https://paste.example/x?a=1&b=2>"));
    assert_true(rig_body_has(one, "KEY=1\n  KEY=2"));
    assert_true(rig_body_has(one, "https://cdn.example/a.zip"));
    assert_false(rig_body_has(one, "not the title"));
    assert_non_null(rig_find(rig, "https://news.example/posts/2"));
    assert_int_equal(gt_source_feed.wait_ms(rig->self), 30 * GT_MINUTE);
    rig_free(rig);
}

static void atom_and_json_feed_are_read(void **state)
{
    static const char atom[] =
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>urn:1</id><title type=\"text\">a "
        "&lt;b&gt;</title>"
        "<link rel=\"self\" href=\"https://a.example/self\"/><link href=\"https://a.example/1\"/>"
        "<author><name>bob</name><email>bob@acme.example</email></"
        "author><updated>2026-01-31T08:30:00Z</updated>"
        "<content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>one</p><p>two <a "
        "href=\"https://l.example/\">"
        "l</a></p></div></content></entry></feed>";
    static const char json[] =
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{\"id\":7,\"url\":\"https://"
        "j.example/7\","
        "\"title\":\"J\",\"content_html\":\"<b>x</b>\",\"authors\":[{\"name\":\"carol\"}],"
        "\"attachments\":[{\"url\":\"https://j.example/f.bin\"}]},17,{\"content_text\":\"no "
        "id\"}]}";
    struct rig *rig = open_feed(NULL);
    assert_int_equal(poll(rig, 200, atom, NULL), GT_PARSED);
    const struct gt_document *entry = rig_find(rig, "urn:1");
    assert_non_null(entry);
    assert_string_equal(entry->title, "a <b>");
    assert_string_equal(entry->url, "https://a.example/1");
    assert_string_equal(entry->author, "bob");
    assert_true(rig_body_has(entry, "one\n\ntwo l <https://l.example/>"));
    assert_int_equal(poll(rig, 200, json, NULL), GT_PARSED);
    assert_int_equal(rig->count, 3);
    entry = rig_find(rig, "7");
    assert_non_null(entry);
    assert_string_equal(entry->author, "carol");
    assert_true(rig_body_has(entry, "https://j.example/f.bin"));
    rig_free(rig);
}

static void known_entries_are_not_repeated_and_edits_are_new(void **state)
{
    static const char edited[] = "<rss><channel><item><guid>n-1</guid><description>edited</"
                                 "description></item></channel></rss>";
    struct rig *rig = open_feed(NULL);
    poll(rig, 200, rss, NULL);
    assert_int_equal(poll(rig, 200, rss, NULL), GT_PARSE_UNCHANGED);
    assert_int_equal(rig->count, 2);
    rig = rig_again(rig);
    assert_int_equal(poll(rig, 200, rss, NULL), GT_PARSE_UNCHANGED);
    assert_int_equal(rig->count, 0);
    assert_int_equal(poll(rig, 200, edited, NULL), GT_PARSED);
    assert_int_equal(rig->count, 1);
    assert_true(rig_body_has(&rig->documents[0], "edited"));
    rig_free(rig);
}

/* A crash before the commit: the old cursor makes the same documents. */
static void a_replay_makes_the_same_documents(void **state)
{
    struct rig *one = open_feed(NULL), *two = open_feed(NULL);
    poll(one, 200, rss, NULL);
    poll(two, 200, rss, NULL);
    assert_int_equal(one->count, two->count);
    for (size_t i = 0; i < one->count; i++)
        assert_string_equal(one->documents[i].id, two->documents[i].id);
    rig_free(one);
    rig_free(two);
}

static void entries_that_were_not_taken_come_again(void **state)
{
    static const char *const headers[] = {"etag", "\"x\"", NULL};
    struct rig *rig = open_feed(NULL);
    rig->room = 1;
    assert_int_equal(poll(rig, 200, rss, headers), GT_E_FULL);
    rig = rig_again(rig);
    assert_int_equal(rig_plan(rig), 0);
    assert_null(rig_next(rig)->etag); /* else the server would say 304 */
    assert_int_equal(rig_answer(rig, 200, rss, headers), GT_PARSED);
    assert_int_equal(rig->count, 1);
    assert_string_equal(rig->documents[0].title, "Two");
    rig_free(rig);
}

static void validators_are_sent_back_byte_for_byte(void **state)
{
    static const char *const headers[] = {"etag", "W/\"a b\"", "last-modified",
                                          "Sat, 31 Jan 2026 08:30:00 GMT", NULL};
    struct rig *rig = open_feed(NULL);
    poll(rig, 200, rss, headers);
    rig = rig_again(rig);
    assert_int_equal(rig_plan(rig), 0);
    assert_string_equal(rig_next(rig)->etag, "W/\"a b\"");
    assert_string_equal(rig_next(rig)->since, "Sat, 31 Jan 2026 08:30:00 GMT");
    assert_int_equal(rig_answer(rig, 304, NULL, NULL), GT_PARSE_UNCHANGED);
    rig_free(rig);
}

static void moves_and_ends_are_understood(void **state)
{
    struct rig *rig = open_feed(NULL);
    struct gt_http_response moved = {.status = 200,
                                     .body = rss,
                                     .body_len = strlen(rss),
                                     .url = "https://new.example/feed",
                                     .moved = true};
    const struct gt_source_output none = {0};
    poll(rig, 200, rss, NULL); /* so that the moved answer has nothing new */
    assert_int_equal(gt_source_feed.parse(rig->self, "feed", &moved, gt_now(), &none, &rig->err),
                     GT_PARSE_UNCHANGED);
    rig_save(rig);
    rig = rig_again(rig);
    rig_plan(rig);
    assert_string_equal(rig_next(rig)->url, "https://new.example/feed");
    assert_int_equal(rig_answer(rig, 410, NULL, NULL), GT_PARSE_GONE);
    rig_plan(rig);
    assert_int_equal(rig_answer(rig, 503, NULL, NULL), GT_E_IO);
    rig_plan(rig);
    assert_int_equal(rig_answer(rig, 200, "<html><body>no feed</body></html>", NULL), GT_E_INVALID);
    assert_non_null(strstr(rig->err.message, "no feed"));
    rig_free(rig);
}

static int count_entry(void *user, const struct gt_feed_entry *entry)
{
    size_t *total = user;
    *total += entry->text_len;
    return 0;
}

static size_t entries_in(const char *bytes, size_t len, const char *type)
{
    struct gt_feed_info info = {0};
    size_t total = 0;
    struct gt_error err;
    return gt_feed_parse(bytes, len, type, count_entry, &total, &info, &err) < 0 ? SIZE_MAX
                                                                                 : info.entries;
}

static void hostile_feeds_do_no_harm(void **state)
{
    static const char laughs[] =
        "<!DOCTYPE rss [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c "
        "\"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">"
        "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
        "<rss><channel><item><title>&d;&x;</title><description>ok&nbsp;then "
        "&d;</description></item></channel></rss>";
    struct rig *rig = open_feed(NULL);
    poll(rig, 200, laughs, NULL);
    assert_true(rig->count <= 1);
    for (size_t i = 0; i < rig->count; i++) {
        assert_true(rig->documents[i].body_len < 100);
        assert_false(rig_body_has(&rig->documents[i], "root:"));
    }
    rig_free(rig);

    GT_BUFFER_AUTO struct gt_buffer deep = GT_BUFFER((size_t)4 << 20);
    gt_buffer_puts(&deep, "<rss><channel><item><description>");
    for (int i = 0; i < 100000; i++)
        gt_buffer_puts(&deep, "<b>");
    assert_true(entries_in(deep.data, deep.len, NULL) <= 1);
    assert_int_equal(entries_in("", 0, NULL), SIZE_MAX);
    assert_int_equal(entries_in("{\"items\":[[[[", 13, NULL), SIZE_MAX);
    assert_int_equal(entries_in("\xFF\xFE<\0r\0", 6, NULL), SIZE_MAX);
}

static void charset_troubles_are_tolerated(void **state)
{
    static const char latin[] =
        "<rss><channel><item><title>caf\xE9 KEY=1</title></item></channel></rss>";
    static const char declared[] = "<?xml version=\"1.0\" "
                                   "encoding=\"iso-8859-1\"?><rss><channel><item><title>caf\xE9</"
                                   "title></item></channel></rss>";
    static const char unknown[] =
        "<?xml version=\"1.0\" "
        "encoding=\"x-klingon\"?><rss><channel><item><title>KEY=1</title></item></channel></rss>";
    struct rig *rig = open_feed(NULL);
    poll(rig, 200, latin, NULL);
    poll(rig, 200, declared, NULL);
    poll(rig, 200, unknown, NULL);
    assert_int_equal(rig->count, 3);
    assert_true(rig_body_has(&rig->documents[0], "KEY=1"));
    assert_string_equal(rig->documents[1].title, "caf\xC3\xA9");
    assert_true(rig_body_has(&rig->documents[2], "KEY=1"));
    rig_free(rig);
}

static void ten_thousand_entries_are_bounded(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer many = GT_BUFFER((size_t)8 << 20);
    gt_buffer_puts(&many, "<rss><channel>");
    for (int i = 0; i < 12000; i++)
        gt_buffer_printf(&many, "<item><guid>g%d</guid><title>t%d</title></item>", i, i);
    gt_buffer_puts(&many, "</channel></rss>");
    struct rig *rig = open_feed(NULL);
    poll(rig, 200, many.data, NULL);
    assert_int_equal(rig->count, GT_FEED_ENTRIES);
    assert_true(strlen(rig->cursor) < 300000);
    rig = rig_again(rig);
    assert_int_equal(poll(rig, 200, many.data, NULL), GT_PARSE_UNCHANGED);
    rig_free(rig);
}

/* "<item" or "<entry", with or without a prefix. */
static bool is_entry_tag(const char *at, const char *end)
{
    static const char *const names[] = {"item", "entry"};
    const char *name = at + 1, *colon = name;
    while (colon < end && strchr("abcdefghijklmnopqrstuvwxyz0123456789", *colon))
        colon++;
    name = colon < end && *colon == ':' ? colon + 1 : name;
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(names[i]);
        if ((size_t)(end - name) > len && memcmp(name, names[i], len) == 0 &&
            strchr(" >/\n\t\r", name[len]))
            return true;
    }
    return false;
}

/* Entry tags in the text, outside comments: what a well-formed feed must yield. */
static size_t count_tags(const char *text, size_t len)
{
    size_t count = 0;
    for (const char *at = text, *end = text + len; at < end; at++) {
        if (end - at > 4 && memcmp(at, "<!--", 4) == 0) {
            const char *close = memmem(at, (size_t)(end - at), "-->", 3);
            at = close ? close : end;
        } else if (*at == '<') {
            count += is_entry_tag(at, end);
        }
    }
    return count;
}

struct tally {
    size_t files, counted, wrong;
};

static void try_file(struct tally *tally, const char *path, bool wellformed)
{
    size_t len, got;
    char *text = rig_read(path, &len);

    tally->files++;
    got = entries_in(text, len, NULL);
    if (wellformed && got != SIZE_MAX) {
        tally->counted++;
        tally->wrong += got != count_tags(text, len);
        if (got != count_tags(text, len))
            print_error("%s: %zu entries of %zu\n", path, got, count_tags(text, len));
    }
    free(text);
}

static void try_folder(struct tally *tally, const char *folder, bool wellformed)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            if (entries[i]->d_type == DT_DIR)
                try_folder(tally, path,
                           strcmp(entries[i]->d_name, "wellformed") == 0 || wellformed);
            else
                try_file(tally, path, wellformed);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void every_recorded_feed_is_survived(void **state)
{
    char path[1024];
    struct tally tally = {0};
    if (!rig_shared())
        skip();
    snprintf(path, sizeof path, "%s/fixtures/feeds", rig_shared());
    try_folder(&tally, path, false);
    print_message("%zu feeds, %zu of them counted\n", tally.files, tally.counted);
    assert_int_equal(tally.wrong, 0);
    assert_true(tally.files > 700);
    assert_true(tally.counted > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rss_is_read_with_links_and_content),
        cmocka_unit_test(atom_and_json_feed_are_read),
        cmocka_unit_test(known_entries_are_not_repeated_and_edits_are_new),
        cmocka_unit_test(a_replay_makes_the_same_documents),
        cmocka_unit_test(entries_that_were_not_taken_come_again),
        cmocka_unit_test(validators_are_sent_back_byte_for_byte),
        cmocka_unit_test(moves_and_ends_are_understood),
        cmocka_unit_test(hostile_feeds_do_no_harm),
        cmocka_unit_test(charset_troubles_are_tolerated),
        cmocka_unit_test(ten_thousand_entries_are_bounded),
        cmocka_unit_test(every_recorded_feed_is_survived),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
