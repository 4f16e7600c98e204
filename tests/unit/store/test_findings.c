#include "store_test.h"

#include <sys/stat.h>

static void test_put_stores_counts_and_plans(void **state)
{
    struct place *place = *state;
    struct wish wish = {.channels = two_channels};
    put_finding(place->store, 1, &wish);
    assert_int_equal(wish.is_new, 1);
    assert_int_equal(wish.occurrences, 1);

    struct gt_error err = {0};
    struct gt_finding again = make_finding(1, 7);
    must(gt_store_put(place->store, &again, fulfil, &wish, &err), &err);
    assert_int_equal(wish.called, 2);
    assert_int_equal(wish.is_new, 0);
    assert_int_equal(wish.occurrences, 2);

    struct gt_store_stats stats;
    must(gt_store_stats(place->store, &stats, &err), &err);
    assert_int_equal(stats.findings, 1);
    assert_int_equal(stats.occurrences, 2);
    assert_int_equal(stats.pending, 2);
    assert_int_equal(stats.dead + stats.delivered, 0);
    assert_true(stats.oldest_pending_ms > 0);
}

static void test_replay_changes_nothing(void **state)
{
    struct place *place = *state;
    struct wish wish = {.channels = two_channels};
    for (int i = 0; i < 5; i++)
        put_finding(place->store, 1, &wish);
    assert_int_equal(wish.occurrences, 1);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM deliveries"), 2);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM audit"), 3);
}

/* The outbox's whole point: all of it or nothing. */
static void test_failed_plan_undoes_the_put(void **state)
{
    struct place *place = *state;
    struct wish wish = {.channels = two_channels, .answer = GT_E_IO};
    struct gt_finding finding = make_finding(1, 0);
    assert_int_equal(gt_store_put(place->store, &finding, fulfil, &wish, NULL), GT_E_IO);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM findings"), 0);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM occurrences"), 0);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM deliveries"), 0);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM audit"), 0);
    wish.answer = 0;
    put_finding(place->store, 1, &wish);
    assert_int_equal(wish.is_new, 1);
}

static void test_find_by_id_and_prefix(void **state)
{
    struct place *place = *state;
    struct wish wish = {.channels = one_channel};
    struct gt_error err = {0};
    struct gt_stored_finding stored;
    struct gt_finding finding = make_finding(3, 0);
    put_finding(place->store, 3, &wish);
    char prefix[GT_ID_TEXT];
    snprintf(prefix, sizeof(prefix), "%.6s", finding.id);
    for (char *c = prefix; *c; c++)
        *c = *c >= 'a' ? (char)(*c - 32) : *c;
    must(gt_store_finding(place->store, prefix, place->arena, &stored, &err), &err);
    assert_string_equal(stored.finding.id, finding.id);
    assert_string_equal(stored.finding.preview, "ghp_****9f");
    assert_int_equal(stored.first_seen_ms, finding.detected_ms);
    must(gt_store_finding(place->store, finding.id, place->arena, &stored, &err), &err);

    static const struct {
        const char *id;
        int code;
    } wrong[] = {{"abc", GT_E_INVALID},
                 {"", GT_E_INVALID},
                 {"zzzzzz", GT_E_INVALID},
                 {"00000' OR 1=1 --", GT_E_INVALID},
                 {"0123456789abcdef0123456789abcdef0", GT_E_INVALID},
                 {"0123456789abcdef0123456789abcdef", GT_E_NOTFOUND}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(gt_store_finding(place->store, wrong[i].id, place->arena, &stored, &err),
                         wrong[i].code);
}

static void test_ambiguous_prefix_is_a_conflict(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_stored_finding stored;
    for (unsigned i = 0; i < 2; i++) {
        struct gt_finding finding = make_finding(i, 0);
        memcpy(finding.id, "fffffff", 7);
        must(gt_store_put(place->store, &finding, NULL, NULL, &err), &err);
    }
    assert_int_equal(gt_store_finding(place->store, "ffffff", place->arena, &stored, &err),
                     GT_E_CONFLICT);
    assert_non_null(strstr(err.message, "more digits"));
}

static void test_lists_are_newest_first(void **state)
{
    struct place *place = *state;
    struct gt_stored_finding found[4];
    struct gt_occurrence seen[4];
    struct gt_error err = {0};
    struct wish wish = {.channels = one_channel};
    for (unsigned i = 0; i < 3; i++)
        put_finding(place->store, i, &wish);
    struct gt_finding again = make_finding(0, 5);
    again.url = "https://paste.example/x";
    must(gt_store_put(place->store, &again, NULL, NULL, &err), &err);

    assert_int_equal(gt_store_findings(place->store, 4, place->arena, found, &err), 3);
    assert_string_equal(found[0].finding.id, make_finding(2, 0).id);
    assert_int_equal(found[2].occurrences, 2);
    assert_int_equal(found[2].last_seen_ms, again.detected_ms);
    assert_int_equal(gt_store_findings(place->store, 2, place->arena, found, &err), 2);

    assert_int_equal(gt_store_occurrences(place->store, again.id, 4, place->arena, seen, &err), 2);
    assert_string_equal(seen[0].url, again.url);
    assert_int_equal(seen[0].line, 6);
    assert_null(seen[1].url);
}

static void test_hundred_thousand_findings(void **state)
{
    struct place *place = *state;
    struct gt_stored_finding found[100];
    struct gt_error err = {0};
    struct gt_finding finding = make_finding(0, 0);
    GT_BUFFER_AUTO struct gt_buffer body = GT_BUFFER(65536);
    must(gt_finding_encode(&finding, &body, &err), &err);
    must(gt_sql_run(place->store, &err,
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                    "100000) INSERT INTO findings SELECT printf('%032x', i), ?1, 1, i, i FROM n",
                    GT_SQL_T(body.data)),
         &err);
    assert_int_equal(gt_store_findings(place->store, 100, place->arena, found, &err), 100);
    assert_int_equal(found[0].first_seen_ms, 100000);
    assert_int_equal(found[99].first_seen_ms, 99901);
    GT_SQL_AUTO sqlite3_stmt *plan = NULL;
    must(gt_sql_prepare(place->store, &plan, &err,
                        "EXPLAIN QUERY PLAN SELECT body FROM findings"
                        " ORDER BY first_seen_ms DESC, id DESC LIMIT 100"),
         &err);
    while (gt_sql_step(place->store, plan, &err) == 1)
        assert_null(strstr((const char *)sqlite3_column_text(plan, 3), "B-TREE"));
}

static void test_file_is_private(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct place *place = *state;
    struct wish wish = {.channels = one_channel};
    put_finding(place->store, 1, &wish);
    for (size_t i = 0; i < 3; i++) {
        char name[128];
        struct stat status;
        snprintf(name, sizeof(name), "%s%s", place->path, ends[i]);
        assert_int_equal(stat(name, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    assert_int_equal(count_of(place->store, "PRAGMA synchronous"), 2);
    assert_int_equal(count_of(place->store, "PRAGMA secure_delete"), 1);
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, set_up_place, tear_down_place)
    const struct CMUnitTest tests[] = {
        PLACE(test_put_stores_counts_and_plans),    PLACE(test_replay_changes_nothing),
        PLACE(test_failed_plan_undoes_the_put),     PLACE(test_find_by_id_and_prefix),
        PLACE(test_ambiguous_prefix_is_a_conflict), PLACE(test_lists_are_newest_first),
        PLACE(test_hundred_thousand_findings),      PLACE(test_file_is_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
