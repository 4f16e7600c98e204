/* The outbox: what is to be sent, was sent, or was given up. */
#include "store/sql.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

static const char COLUMNS[] = "id, alert_id, finding_id, channel, alert, state, last_error,"
                              " created_ms, due_ms, attempts, seq";
#define SEQ 10

static int insert_delivery(struct gt_store *store, const struct gt_delivery *d, bool held,
                           struct gt_error *err)
{
    return gt_sql_run(store, err,
                      "INSERT OR IGNORE INTO deliveries (id, alert_id, finding_id, channel,"
                      " alert, state, held, created_ms, due_ms, last_error)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                      GT_SQL_T(d->id), GT_SQL_T(d->alert_id), GT_SQL_T(d->finding_id),
                      GT_SQL_T(d->channel), GT_SQL_T(d->alert_json), GT_SQL_T(d->state),
                      GT_SQL_N(held), GT_SQL_N(d->created_ms), GT_SQL_N(d->due_ms),
                      GT_SQL_T(d->last_error));
}

int gt_store_deliver(struct gt_store_txn *txn, const char *delivery_id, const char *alert_id,
                     const char *finding_id, const char *channel, const char *alert_json,
                     int64_t due_ms, struct gt_error *err)
{
    struct gt_store *store = txn->store;
    char why[256];
    if (strlen(alert_json) > GT_STORE_ALERT_MAX)
        return gt_fail(err, GT_E_LIMIT, "the alert %s is longer than %zu bytes", alert_id,
                       (size_t)GT_STORE_ALERT_MAX);
    int code = gt_sql_run(store, err, "INSERT OR IGNORE INTO channels (name) VALUES (?1)",
                          GT_SQL_T(channel));
    if (code < 0)
        return code;
    int disabled = gt_store_channel_disabled(store, channel, why, sizeof(why), err);
    if (disabled < 0)
        return disabled;
    struct gt_delivery delivery = {
        .id = delivery_id,
        .alert_id = alert_id,
        .finding_id = finding_id,
        .channel = channel,
        .alert_json = alert_json,
        .state = disabled ? "dead" : "pending",
        .created_ms = txn->now_ms,
        .due_ms = due_ms,
        .last_error = disabled ? why : NULL,
    };
    code = insert_delivery(store, &delivery, disabled, err);
    if (code <= 0)
        return code;
    return gt_store_audit(store, txn->now_ms, "delivery.created", delivery_id, channel, err);
}

static int read_delivery(sqlite3_stmt *row, struct gt_arena *arena, struct gt_delivery *ret,
                         struct gt_error *err)
{
    struct gt_delivery d = {
        .created_ms = sqlite3_column_int64(row, 7),
        .due_ms = sqlite3_column_int64(row, 8),
        .attempts = sqlite3_column_int64(row, 9),
    };
    const char **const texts[] = {&d.id,         &d.alert_id, &d.finding_id, &d.channel,
                                  &d.alert_json, &d.state,    &d.last_error};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int code = gt_sql_text(row, (int)i, arena, texts[i], err);
        if (code < 0)
            return code;
    }
    *ret = d;
    return 0;
}

/* A delivery waits while an earlier one of the same finding and channel is open, so that a reader
 * hears of things in their order. e is the candidate. */
#define FIRST_OF_ITS_FINDING                                                                       \
    " NOT EXISTS (SELECT 1 FROM deliveries b WHERE b.finding_id = e.finding_id"                    \
    "  AND b.channel = e.channel AND b.state = 'pending' AND b.seq < e.seq)"

/* The oldest due ones of every channel by its index, then the oldest of those: costs channels *
 * most, however many are pending. ?1 now, ?2 most, ?3 JSON array of the channels to leave. */
static const char CLAIM[] =
    "SELECT %s FROM deliveries WHERE seq IN ("
    "  SELECT d.seq FROM channels c CROSS JOIN deliveries d ON d.seq IN ("
    "    SELECT e.seq FROM deliveries e WHERE e.channel = c.name AND e.state = 'pending'"
    "    AND e.due_ms <= ?1 AND" FIRST_OF_ITS_FINDING " ORDER BY e.due_ms, e.seq LIMIT ?2)"
    "  WHERE c.disabled_ms = 0 AND c.name NOT IN (SELECT value FROM json_each(?3)))"
    " ORDER BY due_ms, seq LIMIT ?2";

static char *names_to_json(const char *const *names)
{
    GT_JSON_AUTO json_t *array = json_array();
    for (size_t i = 0; array && names && names[i]; i++)
        json_array_append_new(array, gt_json_text_c(names[i]));
    return array ? json_dumps(array, JSON_COMPACT) : NULL;
}

static int lease(struct gt_store *store, int64_t seq, int64_t until_ms, struct gt_error *err)
{
    int code = gt_sql_run(store, err, "UPDATE deliveries SET due_ms = ?2 WHERE seq = ?1",
                          GT_SQL_N(seq), GT_SQL_N(until_ms));
    return code < 0 ? code : 0;
}

/* Takes as many rows as the arena holds; only when not even one fits is that an error. */
static int take_due(struct gt_store *store, sqlite3_stmt *row, int64_t until_ms,
                    struct gt_arena *arena, struct gt_delivery *taken, struct gt_error *err)
{
    int count = 0, code;
    while ((code = gt_sql_step(store, row, err)) == 1) {
        code = read_delivery(row, arena, &taken[count], err);
        if (code == GT_E_LIMIT && count > 0)
            return count;
        if (code == 0)
            code = lease(store, sqlite3_column_int64(row, SEQ), until_ms, err);
        if (code < 0)
            return code;
        taken[count++].due_ms = until_ms;
    }
    return code < 0 ? code : count;
}

static int claim(struct gt_store *store, int64_t now_ms, int64_t until_ms, const char *except,
                 size_t most, struct gt_arena *arena, struct gt_delivery *taken,
                 struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    char sql[1024];
    snprintf(sql, sizeof(sql), CLAIM, COLUMNS);
    int code =
        gt_sql_prepare(store, &row, err, sql, GT_SQL_N(now_ms), GT_SQL_N(most), GT_SQL_T(except));
    return code < 0 ? code : take_due(store, row, until_ms, arena, taken, err);
}

int gt_store_claim(struct gt_store *store, int64_t now_ms, int64_t lease_ms,
                   const char *const *except, size_t most, struct gt_arena *arena,
                   struct gt_delivery *ret_deliveries, struct gt_error *err)
{
    struct gt_delivery *taken = gt_arena_array(arena, most, sizeof(*taken));
    char *names = names_to_json(except);
    int code = !taken   ? gt_fail(err, GT_E_LIMIT, "no memory to claim deliveries in")
               : !names ? gt_fail(err, GT_E_NOMEM, "out of memory")
                        : gt_sql_begin(store, err);
    if (code == 0)
        code = gt_sql_end(
            store, claim(store, now_ms, now_ms + lease_ms, names, most, arena, taken, err), err);
    free(names);
    if (code > 0)
        memcpy(ret_deliveries, taken, (size_t)code * sizeof(*taken));
    return code;
}

int gt_store_next_due(struct gt_store *store, int64_t *ret_due_ms, struct gt_error *err)
{
    return gt_sql_number(
        store, ret_due_ms, err,
        "SELECT coalesce(min((SELECT e.due_ms FROM deliveries e WHERE e.channel = c.name"
        " AND e.state = 'pending' AND" FIRST_OF_ITS_FINDING
        " ORDER BY e.due_ms, e.seq LIMIT 1)), 0) FROM channels c WHERE c.disabled_ms = 0");
}

/* A change of one delivery's state. `update` changes a row only from a state it may leave; 0 rows
 * of a delivery that is there mean another notifier was first, which is no error. audit NULL: none.
 */
static int change_values(struct gt_store *store, const char *id, int64_t now_ms, const char *audit,
                         const char *detail, struct gt_error *err, const char *update,
                         const struct gt_sql_value *values, size_t count)
{
    int64_t there;
    int code = gt_sql_begin(store, err);
    if (code < 0)
        return code;
    code =
        gt_sql_number(store, &there, err, "SELECT 1 FROM deliveries WHERE id = ?1", GT_SQL_T(id));
    if (code == GT_E_NOTFOUND)
        gt_fail(err, code, "no delivery %s in the store", id);
    if (code == 0)
        code = gt_sql_run_values(store, err, update, values, count);
    if (code > 0 && audit)
        code = gt_store_audit(store, now_ms, audit, id, detail, err);
    code = gt_sql_end(store, code, err);
    return code < 0 ? code : 0;
}
#define change(store, id, now, audit, detail, err, update, ...)                                    \
    change_values(store, id, now, audit, detail, err, update, GT_SQL_VALUES(__VA_ARGS__))

int gt_store_delivered(struct gt_store *store, const char *delivery_id, int64_t now_ms,
                       struct gt_error *err)
{
    return change(store, delivery_id, now_ms, "delivery.delivered", NULL, err,
                  "UPDATE deliveries SET state = 'delivered', held = 0, alert = NULL,"
                  " due_ms = ?2, attempts = attempts + 1, last_error = NULL"
                  " WHERE id = ?1 AND state <> 'delivered'",
                  GT_SQL_T(delivery_id), GT_SQL_N(now_ms));
}

int gt_store_retry(struct gt_store *store, const char *delivery_id, int64_t due_ms, const char *why,
                   bool counted, struct gt_error *err)
{
    return change(store, delivery_id, 0, NULL, NULL, err,
                  "UPDATE deliveries SET due_ms = ?2, last_error = ?3, attempts = attempts + ?4"
                  " WHERE id = ?1 AND state = 'pending'",
                  GT_SQL_T(delivery_id), GT_SQL_N(due_ms), GT_SQL_T(why), GT_SQL_N(counted));
}

int gt_store_dead(struct gt_store *store, const char *delivery_id, const char *why, int64_t now_ms,
                  struct gt_error *err)
{
    return change(store, delivery_id, now_ms, "delivery.dead", why, err,
                  "UPDATE deliveries SET state = 'dead', held = 0, last_error = ?2,"
                  " attempts = attempts + 1 WHERE id = ?1 AND state = 'pending'",
                  GT_SQL_T(delivery_id), GT_SQL_T(why));
}

static int read_deliveries(struct gt_store *store, sqlite3_stmt *row, struct gt_arena *arena,
                           struct gt_delivery *ret, struct gt_error *err)
{
    int count = 0, code;
    while ((code = gt_sql_step(store, row, err)) == 1) {
        code = read_delivery(row, arena, &ret[count], err);
        if (code < 0)
            return code;
        count++;
    }
    return code < 0 ? code : count;
}

#define OPEN                                                                                       \
    "SELECT seq FROM deliveries INDEXED BY deliveries_open WHERE state <> 'delivered' AND state"
#define NEWEST_FIRST " ORDER BY created_ms DESC, seq DESC LIMIT ?1"

/* Each state by its index, then the newest of both: costs `most`, however many are open. */
static const char LIST[] =
    "SELECT %s FROM deliveries WHERE seq IN ("
    " SELECT * FROM (" OPEN " = 'pending' AND ?2 IS NOT 'dead'" NEWEST_FIRST ") UNION ALL"
    " SELECT * FROM (" OPEN " = 'dead' AND ?2 IS NOT 'pending'" NEWEST_FIRST "))" NEWEST_FIRST;

int gt_store_deliveries(struct gt_store *store, const char *state, size_t most,
                        struct gt_arena *arena, struct gt_delivery *ret, struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    char sql[1024];
    if (state && strcmp(state, "pending") != 0 && strcmp(state, "dead") != 0)
        return gt_fail(err, GT_E_INVALID, "\"%.40s\" is no state; choose pending or dead", state);
    snprintf(sql, sizeof(sql), LIST, COLUMNS);
    int code = gt_sql_prepare(store, &row, err, sql, GT_SQL_N(most), GT_SQL_T(state));
    return code < 0 ? code : read_deliveries(store, row, arena, ret, err);
}

int gt_store_delivery(struct gt_store *store, const char *id, struct gt_arena *arena,
                      struct gt_delivery *ret, struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    char whole[GT_ID_TEXT], sql[256];
    int code = gt_store_resolve(store, "deliveries", id, whole, err);
    if (code < 0)
        return code;
    snprintf(sql, sizeof(sql), "SELECT %s FROM deliveries WHERE id = ?1", COLUMNS);
    code = gt_sql_prepare(store, &row, err, sql, GT_SQL_T(whole));
    if (code == 0)
        code = gt_sql_step(store, row, err);
    return code == 1 ? read_delivery(row, arena, ret, err) : code;
}

/* The window of retries begins anew, hence created_ms. */
static int revive(struct gt_store *store, const char *id, const char *channel, int64_t now_ms,
                  struct gt_error *err)
{
    int code =
        gt_sql_run(store, err,
                   "INSERT INTO audit (at_ms, what, subject, detail)"
                   " SELECT ?3, 'delivery.revived', id, channel FROM deliveries"
                   " WHERE state = 'dead' AND state <> 'delivered' AND (?1 IS NULL OR id = ?1)"
                   " AND (?2 IS NULL OR channel = ?2)",
                   GT_SQL_T(id), GT_SQL_T(channel), GT_SQL_N(now_ms));
    if (code <= 0)
        return code;
    return gt_sql_run(store, err,
                      "UPDATE deliveries SET state = 'pending', held = 0, attempts = 0,"
                      " created_ms = ?3, due_ms = ?3 WHERE state = 'dead' AND state <> 'delivered'"
                      " AND (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR channel = ?2)",
                      GT_SQL_T(id), GT_SQL_T(channel), GT_SQL_N(now_ms));
}

int gt_store_revive(struct gt_store *store, const char *id, const char *channel, int64_t now_ms,
                    struct gt_error *err)
{
    char whole[GT_ID_TEXT];
    int code = id ? gt_store_resolve(store, "deliveries", id, whole, err) : 0;
    if (code == 0)
        code = gt_sql_begin(store, err);
    return code < 0
               ? code
               : gt_sql_end(store, revive(store, id ? whole : NULL, channel, now_ms, err), err);
}
