/* The scheduler, with a net of its own (below) that answers as the test says, and a sink that may
 * refuse. */
#include "rig.h"

#include "crawler/poll.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the net: these take the place of net/'s --- */

struct sent {
    char *url;
    bool allow_private;
    int64_t timeout_ms;
    size_t max_bytes;
    gt_http_done *done;
    void *user;
};

static struct sent sent[5000];
static size_t sent_count, answered_count, most_at_once;
static struct gt_http_response (*respond)(const char *url);

const char *gt_http_header(const struct gt_http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

int gt_net_http(struct gt_net *net, const struct gt_http_request *request, gt_http_done *done,
                void *user, struct gt_error *err)
{
    if (gt_starts_with(request->url, "bad"))
        return gt_fail(err, GT_E_INVALID, "\"%s\" is no URL", request->url);
    sent[sent_count++] = (struct sent){strdup(request->url),
                                       request->allow_private,
                                       request->timeout_ms,
                                       request->max_bytes,
                                       done,
                                       user};
    if (sent_count - answered_count > most_at_once)
        most_at_once = sent_count - answered_count;
    return 0;
}

/* One answer a turn, if there is one; else waits for the descriptors. */
int gt_net_run(struct gt_net *net, int64_t timeout_ms, const int *fds, size_t fd_count,
               uint32_t *ret_ready, struct gt_error *err)
{
    struct pollfd polled[32];
    *ret_ready = 0;
    if (respond && answered_count < sent_count) {
        struct sent *one = &sent[answered_count++];
        struct gt_http_response response = respond(one->url);
        response.url = one->url;
        one->done(one->user, &response);
        return 0;
    }
    for (size_t i = 0; i < fd_count; i++)
        polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    poll(polled, fd_count, timeout_ms < 5 ? (int)timeout_ms : 5);
    for (size_t i = 0; i < fd_count; i++)
        if (polled[i].revents)
            *ret_ready |= UINT32_C(1) << i;
    return 0;
}

/* --- the sink --- */

struct sink {
    int refuse; /* commits still to be refused */
    int code;   /* with this */
    size_t commits, documents, refused;
    size_t most_documents, most_bytes;
    char ids[5000][GT_ID_TEXT];
    char title[64];
    char source[64], state[32], error[GT_ERROR_MAX], cursor[8192];
    size_t reports, cursors;
    uint64_t failures;
    int64_t next_try_ms;
    bool poison; /* documents with "poison" in them are refused for good */
};

static struct sink sink;

static bool is_poisoned(const struct gt_document *documents, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sink.poison && memmem(documents[i].body, documents[i].body_len, "poison", 6))
            return true;
    return false;
}

static int commit(void *user, const char *source, const struct gt_document *documents, size_t count,
                  const char *cursor, size_t *ret_fresh, struct gt_error *err)
{
    if (sink.refuse > 0) {
        sink.refuse--;
        sink.refused++;
        return gt_fail(err, sink.code, "the queue is full");
    }
    if (is_poisoned(documents, count))
        return gt_fail(err, GT_E_INVALID, "bad document");
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(sink.ids[sink.documents++], documents[i].id, GT_ID_TEXT);
        bytes += documents[i].body_len;
        snprintf(sink.title, sizeof sink.title, "%s", documents[i].title);
        assert_string_equal(documents[i].source, source);
        assert_true(documents[i].fetched_ms > 0);
    }
    sink.commits++;
    sink.most_documents = count > sink.most_documents ? count : sink.most_documents;
    sink.most_bytes = bytes > sink.most_bytes ? bytes : sink.most_bytes;
    if (cursor) {
        sink.cursors++;
        snprintf(sink.cursor, sizeof sink.cursor, "%s", cursor);
    }
    *ret_fresh = count;
    return 0;
}

static int load(void *user, const char *source, struct gt_buffer *ret_cursor, struct gt_error *err)
{
    if (!*sink.cursor)
        return GT_E_NOTFOUND;
    return gt_buffer_puts(ret_cursor, sink.cursor);
}

static void report(void *user, const struct gt_source_state *state)
{
    GT_JSON_AUTO json_t *json = gt_source_state_to_json(state);
    assert_non_null(json);
    assert_string_equal(gt_json_string(json, "state", ""), state->state);
    assert_int_equal(gt_time_parse(gt_json_string(json, "last_success", "")),
                     state->last_success_ms);
    sink.reports++;
    sink.failures = state->failures;
    sink.next_try_ms = state->next_try_ms;
    snprintf(sink.source, sizeof sink.source, "%s", state->name);
    snprintf(sink.state, sizeof sink.state, "%s", state->state);
    snprintf(sink.error, sizeof sink.error, "%s", state->error ? state->error : "");
}

/* --- one crawler with one source --- */

struct folder_options {
    const char *path;
    bool recursive;
};

static const char *feed_url = "https://news.example/feed";
static struct gt_source_config source;
static struct gt_config config;
static struct gt_crawler *crawler;

static void use(const char *type, const void *options)
{
    source = (struct gt_source_config){.name = "watched",
                                       .type = type,
                                       .enabled = true,
                                       .interval_ms = 20,
                                       .max_size = 10 << 20,
                                       .timeout_ms = 1234,
                                       .allow_private = true,
                                       .options = (void *)(uintptr_t)options};
    config = (struct gt_config){.arena = gt_arena_new(1 << 20), .sources = {&source, 1}};
}

static void open_crawler(void)
{
    const struct gt_crawl_sink seam = {NULL, commit, load, report};
    struct gt_error err;
    if (gt_crawler_open(&config, NULL, &seam, &crawler, &err) < 0)
        fail_msg("%s", err.message);
}

static void turns(int count)
{
    struct gt_error err;
    while (count-- > 0)
        assert_int_equal(gt_crawler_run(crawler, 10, &err), 0);
}

/* Turns until the sink has so many documents; the many turns are only there so that a failure ends.
 */
static void until_documents(size_t count)
{
    for (int i = 0; i < 2000 && sink.documents < count; i++)
        turns(1);
    assert_int_equal(sink.documents, count);
}

static void until_state(const char *state)
{
    for (int i = 0; i < 2000 && strcmp(sink.state, state) != 0; i++)
        turns(1);
    assert_string_equal(sink.state, state);
}

static int setup(void **state)
{
    sink = (struct sink){.code = GT_E_FULL};
    sent_count = answered_count = most_at_once = 0;
    respond = NULL;
    return 0;
}

static int teardown(void **state)
{
    gt_crawler_close(crawler);
    crawler = NULL;
    gt_arena_free(config.arena);
    for (size_t i = 0; i < sent_count; i++)
        free(sent[i].url);
    return 0;
}

static struct gt_http_response ok(const char *body)
{
    return (struct gt_http_response){
        .status = 200, .body = body, .body_len = strlen(body), .retry_after_ms = -1};
}

static struct gt_http_response one_entry(const char *url)
{
    return ok("<rss><channel><item><guid>1</guid><title>one</title></item></channel></rss>");
}

static void documents_come_with_the_cursor_and_once(void **state)
{
    use("feed", &feed_url);
    respond = one_entry;
    open_crawler();
    until_documents(1);
    until_state("ok");
    assert_string_equal(sink.source, "watched");
    assert_int_equal(sink.cursors, 1);
    assert_non_null(strstr(sink.cursor, "news.example"));
    assert_true(sent[0].allow_private);
    assert_int_equal(sent[0].timeout_ms, 1234);
    assert_int_equal(sent[0].max_bytes, 10 << 20);
    for (int i = 0; i < 200 && answered_count < 4; i++)
        turns(1);
    assert_true(answered_count >= 4); /* polled on and on */
    assert_int_equal(sink.documents, 1);
    assert_int_equal(sink.cursors, 1); /* nothing new: nothing saved */
    gt_crawler_close(crawler);
    open_crawler(); /* from the cursor */
    size_t before = answered_count;
    for (int i = 0; i < 200 && answered_count < before + 2; i++)
        turns(1);
    assert_int_equal(sink.documents, 1);
}

static void a_full_queue_holds_everything_and_loses_nothing(void **state)
{
    use("feed", &feed_url);
    respond = one_entry;
    sink.refuse = 1;
    open_crawler();
    until_state("waiting");
    for (int i = 0; i < 500 && sink.refused < 1; i++)
        turns(1);
    assert_string_equal(sink.error, "the queue is full");
    size_t before = sent_count;
    turns(20);
    assert_int_equal(sent_count, before); /* nothing new is planned */
    assert_int_equal(sink.documents, 0);
    until_documents(1);
    until_state("ok");
    assert_int_equal(sink.cursors, 1);
}

static struct gt_http_response unavailable(const char *url)
{
    struct gt_http_response response = ok("");
    response.status = 503;
    response.retry_after_ms = 3600 * 1000;
    return response;
}

static void failures_back_off_and_respect_retry_after(void **state)
{
    use("feed", &feed_url);
    respond = unavailable;
    open_crawler();
    until_state("retrying");
    assert_non_null(strstr(sink.error, "HTTP 503"));
    assert_int_equal(sink.failures, 1);
    assert_true(sink.next_try_ms > gt_now() + 3000 * 1000);
    size_t before = sent_count;
    turns(20);
    assert_int_equal(sent_count, before);
}

static struct gt_http_response gone(const char *url)
{
    struct gt_http_response response = ok("");
    response.status = 410;
    return response;
}

static void a_source_that_is_gone_stops(void **state)
{
    use("feed", &feed_url);
    respond = gone;
    open_crawler();
    until_state("disabled");
    assert_non_null(strstr(sink.error, "410"));
    turns(20);
    assert_int_equal(sent_count, 1);
}

static void a_source_that_cannot_be_opened_says_so(void **state)
{
    static const struct {
        const char *site, *token, *base;
        struct gt_list params;
    } options = {.site = "pastebim"};
    use("site", &options);
    open_crawler();
    turns(1);
    assert_string_equal(sink.state, "disabled");
    assert_non_null(strstr(sink.error, "did you mean \"pastebin\""));
}

static struct gt_http_response poisoned(const char *url)
{
    return ok("<rss><channel><item><title>fine</title></item><item><title>poison</title></item>"
              "<item><title>fine too</title></item></channel></rss>");
}

static void a_document_that_is_refused_for_good_does_not_block(void **state)
{
    use("feed", &feed_url);
    sink.poison = true;
    respond = poisoned;
    open_crawler();
    until_documents(2);
    until_state("retrying");
    assert_non_null(strstr(sink.error, "1 documents were refused"));
    assert_int_equal(sink.cursors, 1);
}

static char *large_feed;

static struct gt_http_response many_entries(const char *url)
{
    return ok(large_feed);
}

static void large_polls_are_committed_in_parts(void **state)
{
    struct gt_buffer text = GT_BUFFER((size_t)32 << 20);
    gt_buffer_puts(&text, "<rss><channel>");
    for (int i = 0; i < 300; i++) {
        gt_buffer_printf(&text, "<item><guid>%d</guid><description>", i);
        for (int j = 0; j < 6000; j++)
            gt_buffer_printf(&text, "%d ", i);
        gt_buffer_puts(&text, "</description></item>");
    }
    gt_buffer_puts(&text, "</channel></rss>");
    large_feed = text.data;
    use("feed", &feed_url);
    respond = many_entries;
    open_crawler();
    until_documents(300);
    until_state("ok");
    assert_true(sink.commits >= 2);
    assert_true(sink.most_documents <= GT_BATCH_COMMIT_COUNT);
    assert_true(sink.most_bytes <= GT_BATCH_COMMIT_BYTES);
    assert_int_equal(sink.cursors, 1);
    gt_buffer_free(&text);
}

static void files_are_documents_and_wait_for_a_full_queue(void **state)
{
    char *path = rig_folder();
    const struct folder_options options = {path, true};
    rig_write(path, "a", "one", 3);
    use("folder", &options);
    source.interval_ms = 3600 * 1000; /* so that events alone bring what follows */
    open_crawler();
    until_documents(1);
    rig_write(path, "b", "two", 3);
    until_documents(2);
    sink.refuse = 2;
    rig_write(path, "c", "three", 5);
    until_documents(3);
    assert_int_equal(sink.refused, 2);
    rig_write(path, "d", "four", 4);
    until_documents(4);
    rig_remove(path);
    free(path);
}

static void a_text_over_the_limit_is_cut_and_says_so(void **state)
{
    use("feed", &feed_url);
    config.limits.document_bytes = 2;
    respond = one_entry;
    open_crawler();
    until_documents(1);
    assert_string_equal(sink.title, "one (first 2 of 3 bytes)");
    assert_int_equal(sink.most_bytes, 2);
}

static void draining_ends_what_is_under_way(void **state)
{
    use("feed", &feed_url);
    open_crawler();
    for (int i = 0; i < 2000 && !sent_count; i++)
        turns(1);
    assert_int_equal(sent_count, 1);
    assert_false(gt_crawler_drain(crawler));
    respond = one_entry;
    for (int i = 0; i < 100 && !gt_crawler_drain(crawler); i++)
        turns(1);
    assert_true(gt_crawler_drain(crawler));
    assert_int_equal(sink.documents, 1);
    turns(10);
    assert_int_equal(sent_count, 1);
}

static void closing_with_requests_under_way_is_clean(void **state)
{
    use("feed", &feed_url);
    open_crawler();
    for (int i = 0; i < 2000 && !sent_count; i++)
        turns(1);
    assert_int_equal(sent_count, 1); /* and teardown closes */
}

static struct gt_http_response gists(const char *url)
{
    static char list[65536];
    static struct gt_buffer text;
    if (strstr(url, "/raw/"))
        return ok("x");
    text = GT_BUFFER(sizeof list - 1);
    gt_buffer_puts(&text, "[");
    for (int i = 0; i < 40; i++)
        gt_buffer_printf(&text, "%s{\"id\":%d,\"created_at\":\"2026-01-31T08:30:00Z\"}",
                         i ? "," : "", i);
    gt_buffer_puts(&text, "]");
    memcpy(list, text.data, text.len + 1);
    gt_buffer_free(&text);
    if (strstr(url, "/snippets/public"))
        return ok(list);
    return ok("x");
}

static void few_requests_are_under_way_at_once(void **state)
{
    static const struct {
        const char *site, *token, *base;
        struct gt_list params;
    } options = {.site = "gitlab-snippets", .base = "https://git.example"};
    use("site", &options);
    respond = gists;
    open_crawler();
    until_documents(40);
    assert_true(most_at_once <= GT_POLL_AT_ONCE);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(documents_come_with_the_cursor_and_once),
        ONE(a_full_queue_holds_everything_and_loses_nothing),
        ONE(failures_back_off_and_respect_retry_after),
        ONE(a_source_that_is_gone_stops),
        ONE(a_source_that_cannot_be_opened_says_so),
        ONE(a_document_that_is_refused_for_good_does_not_block),
        ONE(large_polls_are_committed_in_parts),
        ONE(files_are_documents_and_wait_for_a_full_queue),
        ONE(a_text_over_the_limit_is_cut_and_says_so),
        ONE(draining_ends_what_is_under_way),
        ONE(closing_with_requests_under_way_is_clean),
        ONE(few_requests_are_under_way_at_once),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
