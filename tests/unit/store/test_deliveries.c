#include "store_test.h"

#define NOW 1000000

static void test_claim_gives_the_oldest_first_once(void **state)
{
    struct place *place = *state;
    struct gt_delivery taken[8];
    for (unsigned i = 0; i < 4; i++) {
        struct wish wish = {.channels = two_channels, .due_ms = NOW - i};
        put_finding(place->store, i, &wish);
    }
    assert_int_equal(claim_some(place, NOW - 4, 8, taken), 0);
    assert_int_equal(claim_some(place, NOW, 3, taken), 3);
    assert_string_equal(taken[0].finding_id, make_finding(3, 0).id);
    assert_string_equal(taken[1].finding_id, make_finding(3, 0).id);
    assert_string_equal(taken[2].finding_id, make_finding(2, 0).id);
    assert_string_equal(taken[0].state, "pending");
    assert_string_equal(taken[0].alert_json, "{\"type\":\"finding.created\"}");
    assert_int_equal(taken[0].due_ms, NOW + 1000);
    assert_int_equal(taken[0].attempts, 0);
    assert_int_equal(claim_some(place, NOW, 8, taken), 5);
    assert_int_equal(claim_some(place, NOW, 8, taken), 0);
}

static void test_expired_lease_is_claimable(void **state)
{
    struct place *place = *state;
    struct gt_delivery taken[2];
    struct wish wish = {.channels = one_channel, .due_ms = NOW};
    put_finding(place->store, 1, &wish);
    assert_int_equal(claim_some(place, NOW, 2, taken), 1);
    assert_int_equal(claim_some(place, NOW + 999, 2, taken), 0);
    assert_int_equal(claim_some(place, NOW + 1000, 2, taken), 1);
}

static void test_claim_leaves_channels(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_delivery taken[8];
    static const char *const except[] = {"nobody", "mail", NULL};
    struct wish wish = {.channels = two_channels, .due_ms = NOW};
    put_finding(place->store, 1, &wish);
    assert_int_equal(gt_store_claim(place->store, NOW, 10, except, 8, place->arena, taken, &err),
                     1);
    assert_string_equal(taken[0].channel, "hook");
}

static void test_small_arena_takes_fewer(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_delivery taken[8];
    static char alert[16384];
    memset(alert, 'x', sizeof(alert) - 1);
    struct wish wish = {.channels = one_channel, .due_ms = NOW};
    for (unsigned i = 0; i < 8; i++)
        put_finding(place->store, i, &wish);
    must(gt_sql_run(place->store, &err, "UPDATE deliveries SET alert = ?1", GT_SQL_T(alert)), &err);
    struct gt_arena *arena = gt_arena_new(80 * 1024);
    int count = gt_store_claim(place->store, NOW, 10, NULL, 8, arena, taken, &err);
    must(count, &err);
    assert_in_range(count, 1, 7);
    gt_arena_free(arena);
    assert_int_equal(claim_some(place, NOW, 8, taken), 8 - count);
    arena = gt_arena_new(4096);
    assert_int_equal(gt_store_claim(place->store, NOW + 5000, 10, NULL, 8, arena, taken, &err),
                     GT_E_LIMIT);
    gt_arena_free(arena);
}

/* A second event of a finding waits for the first, on each channel alone. */
static int deliver_update(void *user, const struct gt_stored_finding *stored, bool is_new,
                          struct gt_store_txn *txn, struct gt_error *err)
{
    return gt_store_deliver(txn, user, "a2", stored->finding.id, "hook", "{}", NOW, err);
}

static void test_order_within_a_finding(void **state)
{
    char second[] = "second";
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_delivery taken[8];
    struct gt_finding finding = make_finding(1, 0);
    struct wish wish = {.channels = two_channels, .due_ms = NOW};
    put_finding(place->store, 1, &wish);
    must(gt_store_put(place->store, &finding, deliver_update, second, &err), &err);

    assert_int_equal(claim_some(place, NOW, 8, taken), 2);
    const char *first = strcmp(taken[0].channel, "hook") == 0 ? taken[0].id : taken[1].id;
    assert_int_equal(claim_some(place, NOW, 8, taken), 0);
    must(gt_store_retry(place->store, first, NOW + 5000, "HTTP 503", true, &err), &err);
    int64_t due = 0;
    must(gt_store_next_due(place->store, &due, &err), &err);
    assert_int_equal(due, NOW + 1000); /* the mail's lease; the second must not wake anybody */
    assert_int_equal(claim_some(place, NOW + 900, 8, taken), 0);
    must(gt_store_delivered(place->store, first, NOW, &err), &err);
    assert_int_equal(claim_some(place, NOW, 8, taken), 1);
    assert_string_equal(taken[0].id, "second");
}

static void test_answers(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_delivery one, taken[2];
    struct wish wish = {.channels = one_channel, .due_ms = NOW};
    put_finding(place->store, 1, &wish);
    assert_int_equal(claim_some(place, NOW, 2, taken), 1);
    const char *id = taken[0].id;
    must(gt_store_retry(place->store, id, NOW + 10, "HTTP 503", true, &err), &err);
    must(gt_store_retry(place->store, id, NOW + 20, "lease lost", false, &err), &err);
    must(gt_store_delivery(place->store, id, place->arena, &one, &err), &err);
    assert_int_equal(one.attempts, 1);
    assert_int_equal(one.due_ms, NOW + 20);
    assert_string_equal(one.last_error, "lease lost");

    must(gt_store_delivered(place->store, id, NOW + 30, &err), &err);
    must(gt_store_delivered(place->store, id, NOW + 40, &err), &err);
    /* Latecomers whose lease had run out. */
    must(gt_store_retry(place->store, id, NOW + 50, "late", true, &err), &err);
    must(gt_store_dead(place->store, id, "late", NOW + 50, &err), &err);
    must(gt_store_delivery(place->store, id, place->arena, &one, &err), &err);
    assert_string_equal(one.state, "delivered");
    assert_null(one.alert_json);
    assert_null(one.last_error);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM audit WHERE what LIKE 'del%'"),
                     2);
    assert_int_equal(gt_store_delivered(place->store, "none", NOW, &err), GT_E_NOTFOUND);
    put_finding(place->store, 1, &wish); /* and it is not sent again */
    assert_int_equal(claim_some(place, NOW + 10000, 2, taken), 0);
}

static void test_dead_and_revived(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_delivery taken[4], listed[4];
    struct wish wish = {.channels = two_channels, .due_ms = NOW};
    put_finding(place->store, 1, &wish);
    put_finding(place->store, 2, &wish);
    assert_int_equal(claim_some(place, NOW, 4, taken), 4);
    for (int i = 0; i < 4; i++)
        must(gt_store_dead(place->store, taken[i].id, "gave up", NOW, &err), &err);
    assert_int_equal(claim_some(place, NOW + 5000, 4, listed), 0);
    assert_int_equal(gt_store_deliveries(place->store, "dead", 4, place->arena, listed, &err), 4);
    assert_string_equal(listed[0].last_error, "gave up");

    char prefix[9];
    snprintf(prefix, sizeof(prefix), "%s", taken[0].id);
    assert_int_equal(gt_store_revive(place->store, prefix, NULL, NOW + 7, &err), 1);
    assert_int_equal(gt_store_revive(place->store, prefix, NULL, NOW + 7, &err), 0);
    assert_int_equal(gt_store_deliveries(place->store, NULL, 4, place->arena, listed, &err), 4);
    assert_int_equal(gt_store_deliveries(place->store, "pending", 4, place->arena, listed, &err),
                     1);
    assert_string_equal(listed[0].id, taken[0].id);
    assert_int_equal(listed[0].attempts, 0);
    assert_int_equal(listed[0].created_ms, NOW + 7); /* a new window of retries */
    assert_int_equal(gt_store_revive(place->store, NULL, "mail", NOW + 8, &err) +
                         gt_store_revive(place->store, NULL, "hook", NOW + 9, &err),
                     3);
    assert_int_equal(gt_store_revive(place->store, "123456", NULL, NOW, &err), GT_E_NOTFOUND);
    assert_int_equal(gt_store_deliveries(place->store, "asleep", 4, place->arena, listed, &err),
                     GT_E_INVALID);
    assert_int_equal(
        count_of(place->store, "SELECT count(*) FROM audit WHERE what = 'delivery.revived'"), 4);
}

static void test_disabled_channel(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_delivery taken[8];
    char why[64] = "";
    int64_t due = 0;
    struct wish wish = {.channels = two_channels, .due_ms = NOW};
    put_finding(place->store, 1, &wish);
    put_finding(place->store, 2, &wish);
    assert_int_equal(claim_some(place, NOW, 2, taken), 2);
    const char *given_up = strcmp(taken[0].channel, "hook") == 0 ? taken[0].id : taken[1].id;
    must(gt_store_dead(place->store, given_up, "rejected", NOW, &err), &err);
    assert_int_equal(gt_store_channel_disabled(place->store, "hook", why, sizeof(why), &err), 0);
    must(gt_store_disable_channel(place->store, "hook", "HTTP 410", NOW, &err), &err);
    must(gt_store_disable_channel(place->store, "hook", "HTTP 410 again", NOW, &err), &err);
    assert_int_equal(gt_store_channel_disabled(place->store, "hook", why, sizeof(why), &err), 1);
    assert_string_equal(why, "HTTP 410");

    const char *disabled[4];
    assert_int_equal(gt_store_disabled_channels(place->store, 4, place->arena, disabled, &err), 1);
    assert_string_equal(disabled[0], "hook");

    put_finding(place->store, 3, &wish); /* its hook delivery is dead from the start */
    assert_int_equal(gt_store_deliveries(place->store, "dead", 8, place->arena, taken, &err), 3);
    assert_int_equal(claim_some(place, NOW + 5000, 8, taken), 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(taken[i].channel, "mail");
    must(gt_store_next_due(place->store, &due, &err), &err);
    assert_int_equal(due, NOW + 6000);

    assert_int_equal(gt_store_enable_channel(place->store, "hook", &err), 2);
    assert_int_equal(gt_store_enable_channel(place->store, "hook", &err), 0);
    assert_int_equal(gt_store_channel_disabled(place->store, "hook", NULL, 0, &err), 0);
    assert_int_equal(gt_store_deliveries(place->store, "dead", 8, place->arena, taken, &err), 1);
    assert_string_equal(taken[0].id, given_up);
    assert_int_equal(
        count_of(place->store, "SELECT count(*) FROM audit WHERE what LIKE 'channel.%'"), 2);
}

static void test_no_due_at_all(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    int64_t due = 5;
    must(gt_store_next_due(place->store, &due, &err), &err);
    assert_int_equal(due, 0);
}

static void test_too_long_alert(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    char *alert = calloc(1, GT_STORE_ALERT_MAX + 2);
    struct gt_store_txn txn = {.store = place->store, .now_ms = NOW};
    memset(alert, 'x', GT_STORE_ALERT_MAX + 1);
    assert_int_equal(gt_store_deliver(&txn, "d", "a", "f", "hook", alert, NOW, &err), GT_E_LIMIT);
    free(alert);
}

/* A hundred thousand delivered ones and as many waiting on a channel that is left out cost nothing:
 * every step of the claim goes by an index. */
static void test_claim_in_a_large_outbox(void **state)
{
    struct place *place = *state;
    struct gt_error err = {0};
    struct gt_delivery taken[4];
    struct wish wish = {.channels = two_channels, .due_ms = NOW + 1};
    put_finding(place->store, 1, &wish);
    must(gt_sql_run(place->store, &err,
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                    "200000) INSERT INTO deliveries (id, alert_id, finding_id, channel, alert,"
                    " state, created_ms, due_ms) SELECT printf('%032x', i), 'a', i, 'mail', '{}',"
                    " CASE i % 2 WHEN 0 THEN 'delivered' ELSE 'pending' END, ?1, ?1 FROM n",
                    GT_SQL_N(NOW)),
         &err);
    static const char *const except[] = {"mail", NULL};
    assert_int_equal(
        gt_store_claim(place->store, NOW + 1, 10, except, 4, place->arena, taken, &err), 1);
    assert_string_equal(taken[0].channel, "hook");
    assert_int_equal(claim_some(place, NOW + 1, 4, taken), 4);
    assert_string_equal(taken[0].channel, "mail");
    assert_int_equal(gt_store_deliveries(place->store, NULL, 2, place->arena, taken, &err), 2);
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, set_up_place, tear_down_place)
    const struct CMUnitTest tests[] = {
        PLACE(test_claim_gives_the_oldest_first_once),
        PLACE(test_expired_lease_is_claimable),
        PLACE(test_claim_leaves_channels),
        PLACE(test_small_arena_takes_fewer),
        PLACE(test_order_within_a_finding),
        PLACE(test_answers),
        PLACE(test_dead_and_revived),
        PLACE(test_disabled_channel),
        PLACE(test_no_due_at_all),
        PLACE(test_too_long_alert),
        PLACE(test_claim_in_a_large_outbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
