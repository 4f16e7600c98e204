/* Files that are not what they should be, and a disk that is full. */
#include "store_test.h"

static void assert_open_fails(const char *path, bool read_only, int code, const char *words)
{
    struct gt_store *store = NULL;
    struct gt_error err = {0};
    assert_int_equal(gt_store_open(path, read_only, &store, &err), code);
    assert_null(store);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void test_newer_schema(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    must(gt_sql_run(place->store, &err, "PRAGMA user_version = 99"), &err);
    assert_open_fails(place->path, false, GT_E_UNSUPPORTED, "newer guette");
    assert_open_fails(place->path, true, GT_E_UNSUPPORTED, "newer guette");
}

static void test_reader_does_not_migrate(void **state)
{
    struct place *place = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/empty.db", place->directory);
    assert_open_fails(path, true, GT_E_NOTFOUND, "when it first runs");
    fclose(fopen(path, "w"));
    assert_open_fails(path, true, GT_E_UNSUPPORTED, "migrates the file");
    unlink(path);
}

static void test_reader_reads_beside_the_writer(void **state)
{
    struct place *place = *state;
    struct gt_store *reader = NULL;
    struct gt_error err = {0};
    struct gt_store_stats stats;
    struct wish wish = {.channels = one_channel};
    must(gt_store_open(place->path, true, &reader, &err), &err);
    put_finding(place->store, 1, &wish);
    must(gt_store_stats(reader, &stats, &err), &err);
    assert_int_equal(stats.findings, 1);
    struct gt_finding finding = make_finding(2, 0);
    assert_int_equal(gt_store_put(reader, &finding, NULL, NULL, &err), GT_E_REFUSED);
    gt_store_close(reader);
}

static void test_other_files(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s/other.db", place->directory);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 200; i++)
        fputs("not a database, but a rather long letter to a friend\n", file);
    fclose(file);
    assert_open_fails(path, false, GT_E_INVALID, "not a database");
    unlink(path);
    struct gt_store other = {.path = path};
    assert_int_equal(sqlite3_open(path, &other.db), SQLITE_OK);
    must(gt_sql_run(&other, &err, "PRAGMA user_version = 1"), &err);
    sqlite3_close(other.db);
    assert_open_fails(path, false, GT_E_INVALID, "another program's");
    unlink(path);
    assert_open_fails("/nonexistent-folder/store.db", false, GT_E_IO, "folder");
    assert_open_fails(place->directory, false, GT_E_IO, place->directory);
}

static void test_full_disk_keeps_everything(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    char sql[64];
    struct wish wish = {.channels = two_channels, .due_ms = 1};
    put_finding(place->store, 0, &wish);
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d",
             (int)count_of(place->store, "PRAGMA page_count") + 4);
    must(gt_sql_run(place->store, &err, sql), &err);
    unsigned n = 0;
    int code = 0;
    while (code == 0 && n < 1000) {
        struct gt_finding finding = make_finding(++n, 0);
        code = gt_store_put(place->store, &finding, fulfil, &wish, &err);
    }
    assert_int_equal(code, GT_E_FULL);
    assert_non_null(strstr(err.message, "disk is full"));
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM findings"), n);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM deliveries"), 2 * n);

    must(gt_sql_run(place->store, &err, "PRAGMA max_page_count = 100000"), &err);
    wish.is_new = 0;
    put_finding(place->store, n, &wish);
    assert_int_equal(wish.is_new, 1);
}

static void test_busy_store(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_store *other = open_store(place->path);
    struct gt_finding finding = make_finding(1, 0);
    must(gt_sql_begin(other, &err), &err);
    sqlite3_busy_timeout(place->store->db, 20);
    assert_int_equal(gt_store_put(place->store, &finding, NULL, NULL, &err), GT_E_AGAIN);
    must(gt_sql_end(other, 0, &err), &err);
    must(gt_store_put(place->store, &finding, NULL, NULL, &err), &err);
    gt_store_close(other);
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, set_up_place, tear_down_place)
    const struct CMUnitTest tests[] = {
        PLACE(test_newer_schema),
        PLACE(test_reader_does_not_migrate),
        PLACE(test_reader_reads_beside_the_writer),
        PLACE(test_other_files),
        PLACE(test_full_disk_keeps_everything),
        PLACE(test_busy_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
