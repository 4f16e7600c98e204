/* Built-in sites against answers recorded from the real ones. Skips where those are not at hand. */
#include "rig.h"

#include "crawler/site.h"

#include <stdio.h>
#include <stdlib.h>

static struct gt_site_options options;

static struct rig *open_site(const char *name, const char *token)
{
    options = (struct gt_site_options){.site = name, .token = token};
    return rig_new(&gt_source_site, &options, NULL);
}

/* Answers rig_next() with a recorded response. */
static int replay(struct rig *rig, const char *file, const char *url, size_t n)
{
    GT_JSON_AUTO json_t *response = rig_exchange(file, url, n);
    const json_t *headers = json_object_get(response, "headers");
    const char *rows[81] = {NULL};
    char names[40][64];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(headers) && count < 39; i++) {
        const char *name = json_string_value(json_array_get(json_array_get(headers, i), 0));
        size_t len = strlen(name) < 63 ? strlen(name) : 63;
        for (size_t c = 0; c < len; c++)
            names[count][c] = name[c] >= 'A' && name[c] <= 'Z' ? name[c] | 32 : name[c];
        names[count][len] = '\0';
        rows[2 * count] = names[count];
        rows[2 * count + 1] = json_string_value(json_array_get(json_array_get(headers, i), 1));
        count++;
    }
    return rig_answer(rig, (int)gt_json_int(response, "status", 0),
                      gt_json_string(response, "body", ""), rows);
}

static void plain(struct rig *rig, const char *file)
{
    char path[1024];
    size_t len;
    snprintf(path, sizeof path, "%s/fixtures/%s", rig_shared(), file);
    char *text = rig_read(path, &len);
    assert_true(rig_answer(rig, 200, text, NULL) >= 0);
    free(text);
}

/* Answers the requests for pushed patches, which were not recorded. */
static void no_patches(struct rig *rig)
{
    while (rig_next(rig) && strstr(rig_next(rig)->url, "/repos/"))
        rig_answer(rig, 404, "", NULL);
}

static void github_events(void **state)
{
    static const char file[] = "github/hub4j-events.exchanges.json";
    if (!rig_shared())
        skip();
    struct rig *rig = open_site("github-events", NULL);
    rig_plan(rig);
    assert_int_equal(replay(rig, file, "/events", 0), GT_PARSED);
    assert_null(rig_next(rig)); /* a visitor reads one page: 60 requests an hour */
    rig_free(rig);
    rig = open_site("github-events", "made-up");
    rig_plan(rig);
    assert_int_equal(replay(rig, file, "/events", 0), GT_PARSED);
    assert_int_equal(gt_source_site.wait_ms(rig->self), 60000);
    no_patches(rig);
    assert_string_equal(rig_next(rig)->url, "https://api.github.com/events?page=2");
    assert_int_equal(replay(rig, file, "/events", 1), GT_PARSED);
    no_patches(rig);
    assert_non_null(rig_next(rig));
    assert_int_equal(replay(rig, file, "/events", 2), GT_PARSED);
    no_patches(rig);
    assert_null(rig_next(rig));
    assert_true(rig->count > 30);
    const struct gt_document *comment = rig_find(rig, "10680625419");
    assert_true(rig_body_has(comment, "-from .cloudinit import CloudInitProvisionHandler"));
    assert_string_equal(comment->author, "rjschwei");
    assert_true(comment->published_ms > 0);
    rig_save(rig);
    rig = rig_again(rig);
    rig_plan(rig);
    assert_non_null(rig_next(rig)->etag);
    assert_int_equal(replay(rig, file, "/events", 0), GT_PARSE_UNCHANGED);
    assert_int_equal(rig->count, 0);
    rig_free(rig);
}

static void github_pushes(void **state)
{
    char path[1024], *list = NULL;
    size_t len;
    if (!rig_shared())
        skip();
    snprintf(path, sizeof path, "%s/fixtures/github/octocrab-push_event.json", rig_shared());
    char *event = rig_read(path, &len);
    assert_true(asprintf(&list, "[%.*s]", (int)len, event) > 0);
    struct rig *rig = open_site("github-events", "made-up");
    rig_plan(rig);
    assert_int_equal(rig_answer(rig, 200, list, NULL), GT_PARSED);
    assert_string_equal(
        rig_next(rig)->url,
        "https://api.github.com/repos/orhanarifoglu/orhanarifoglu/compare/"
        "9b2afb3a8e03fb30cc09e5efb64823bde802cf59...eb1a60c03544dcea290f2d57bb66ae188ce25778");
    assert_int_equal(rig_answer(rig, 200, "From eb1a60c\n+secret\n", NULL), GT_PARSED);
    assert_string_equal(rig->documents[0].title, "PushEvent: orhanarifoglu/orhanarifoglu");
    rig_free(rig);
    free(list);
    free(event);
}

static void github_gists(void **state)
{
    if (!rig_shared())
        skip();
    struct rig *rig = open_site("github-gists", "made-up");
    rig_plan(rig);
    assert_int_equal(replay(rig, "github/pygithub-Github.testGetGistsWithSince.exchanges.json",
                            "/gists/public", 0),
                     GT_PARSED);
    assert_int_equal(rig->asked, 1 + 5);
    while (rig_next(rig))
        replay(rig, "github/pygithub-Gist.testAttributes.exchanges.json", "/gists/6296732", 0);
    assert_int_equal(rig->count, 3 + 5); /* descriptions and files */
    size_t files = 0;
    for (size_t i = 0; i < rig->count; i++)
        files += strchr(rig->documents[i].key, '/') != NULL;
    assert_int_equal(files, 5);
    rig_free(rig);
}

static void gitlab_snippets(void **state)
{
    if (!rig_shared())
        skip();
    struct rig *rig = open_site("gitlab-snippets", NULL);
    rig_plan(rig);
    plain(rig, "gitlab/docs-snippets-public.json");
    assert_int_equal(rig->asked, 3);
    assert_string_equal(rig_next(rig)->url, "https://gitlab.com/api/v4/snippets/49/raw");
    assert_int_equal(rig_answer(rig, 200, "puts 1", NULL), GT_PARSED);
    assert_string_equal(rig->documents[0].title, "Ratione cupiditate et laborum temporibus.");
    assert_string_equal(rig->documents[0].author, "elton_wehner");
    rig_free(rig);
}

static void hacker_news(void **state)
{
    if (!rig_shared())
        skip();
    struct rig *rig = open_site("hacker-news", NULL);
    rig_plan(rig);
    plain(rig, "hackernews/maxitem.json");
    assert_string_equal(gt_site_source_cursor(rig->self), "9130260");
    plain(rig, "hackernews/item-2921983.json");
    plain(rig, "hackernews/item-8863.json");
    assert_int_equal(rig->count, 2);
    assert_true(rig_body_has(
        &rig->documents[0],
        "Aw shucks, guys ... you make me blush with your compliments.\n\nTell you what"));
    assert_string_equal(rig->documents[0].author, "norvig");
    assert_true(rig_body_has(&rig->documents[1], "http://www.getdropbox.com/u/2/screencast.html"));
    rig_free(rig);
}

static void mastodon_public(void **state)
{
    static const char file[] = "mastodon/test_public_tl_anonymous.exchanges.json";
    if (!rig_shared())
        skip();
    struct rig *rig = open_site("mastodon-public", NULL);
    rig_plan(rig);
    assert_string_equal(rig_next(rig)->url,
                        "https://mastodon.social/api/v1/timelines/public?limit=40");
    assert_int_equal(replay(rig, file, "/timelines/public", 0), GT_PARSED);
    assert_int_equal(rig->count, 8);
    assert_string_equal(gt_site_source_cursor(rig->self), "117020593134559451");
    assert_non_null(strstr(rig_next(rig)->url, "min_id=117020593134559451"));
    assert_int_equal(rig_answer(rig, 200, "[]", NULL), GT_PARSE_UNCHANGED);
    assert_null(rig_next(rig));
    assert_true(rig_body_has(&rig->documents[0], "Toot, finally!"));
    rig_plan(rig);
    assert_int_equal(
        replay(rig, "mastodon/test_home_tl_anonymous_throws.exchanges.json", "/timelines/home", 0),
        GT_E_REFUSED);
    assert_non_null(strstr(rig->err.message, "token"));
    rig_free(rig);
}

static void pastebin(void **state)
{
    if (!rig_shared())
        skip();
    struct rig *rig = open_site("pastebin", NULL);
    rig_plan(rig);
    plain(rig, "pastebin/api_scraping.example.json");
    assert_int_equal(rig->asked, 3);
    assert_string_equal(rig_next(rig)->url,
                        "https://scrape.pastebin.com/api_scrape_item.php?i=0CeaNm8Y");
    assert_int_equal(rig_answer(rig, 200, "int main", NULL), GT_PARSED);
    assert_string_equal(rig->documents[0].url, "https://pastebin.com/0CeaNm8Y");
    rig_free(rig);
}

/* What GitHub answers when it will not: none of it is a document, all of it is an error. */
static void refusals(void **state)
{
    static const char *const files[] = {
        "github/pygithub-Exceptions.testBadAuthentication.exchanges.json",
        "github/pygithub-Exceptions.testUnknownObject.exchanges.json",
        "github/pygithub-Exceptions.testNonJsonDataReturnedByGithub.exchanges.json",
        "github/pygithub-SpecificExceptions.testRateLimitExceeded.exchanges.json"};
    if (!rig_shared())
        skip();
    struct rig *rig = open_site("github-events", NULL);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        GT_JSON_AUTO json_t *response = rig_exchange(files[i], "", 0);
        rig_plan(rig);
        int code = rig_answer(rig, (int)gt_json_int(response, "status", 0),
                              gt_json_string(response, "body", ""), NULL);
        if (gt_json_int(response, "status", 0) >= 400)
            assert_true(code < 0);
        assert_null(rig_next(rig));
    }
    assert_int_equal(rig->count, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(github_events), cmocka_unit_test(github_pushes),
        cmocka_unit_test(github_gists),  cmocka_unit_test(gitlab_snippets),
        cmocka_unit_test(hacker_news),   cmocka_unit_test(mastodon_public),
        cmocka_unit_test(pastebin),      cmocka_unit_test(refusals),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
