/* Which channels are disabled, and the counts. */
#include "store/sql.h"
#include "store/store.h"

#include <string.h>

static int disable(struct gt_store *store, const char *channel, const char *why, int64_t now_ms,
                   struct gt_error *err)
{
    int code = gt_sql_run(store, err,
                          "INSERT INTO channels (name, disabled_ms, why) VALUES (?1, ?2, ?3)"
                          " ON CONFLICT (name) DO UPDATE SET disabled_ms = ?2, why = ?3"
                          " WHERE disabled_ms = 0",
                          GT_SQL_T(channel), GT_SQL_N(now_ms), GT_SQL_T(why));
    if (code <= 0)
        return code; /* 0: it was disabled before */
    code = gt_sql_run(store, err,
                      "UPDATE deliveries SET state = 'dead', held = 1, last_error = ?2"
                      " WHERE channel = ?1 AND state = 'pending'",
                      GT_SQL_T(channel), GT_SQL_T(why));
    return code < 0 ? code : gt_store_audit(store, now_ms, "channel.disabled", channel, why, err);
}

int gt_store_disable_channel(struct gt_store *store, const char *channel, const char *why,
                             int64_t now_ms, struct gt_error *err)
{
    int code = gt_sql_begin(store, err);
    return code < 0 ? code : gt_sql_end(store, disable(store, channel, why, now_ms, err), err);
}

static int enable(struct gt_store *store, const char *channel, int64_t now_ms, struct gt_error *err)
{
    int code = gt_sql_run(store, err,
                          "UPDATE channels SET disabled_ms = 0, why = NULL"
                          " WHERE name = ?1 AND disabled_ms <> 0",
                          GT_SQL_T(channel));
    if (code <= 0)
        return code;
    int revived =
        gt_sql_run(store, err,
                   "UPDATE deliveries SET state = 'pending', held = 0, attempts = 0,"
                   " created_ms = ?2, due_ms = ?2"
                   " WHERE channel = ?1 AND state = 'dead' AND state <> 'delivered' AND held",
                   GT_SQL_T(channel), GT_SQL_N(now_ms));
    code = revived < 0 ? revived
                       : gt_store_audit(store, now_ms, "channel.enabled", channel, NULL, err);
    return code < 0 ? code : revived;
}

int gt_store_enable_channel(struct gt_store *store, const char *channel, struct gt_error *err)
{
    int code = gt_sql_begin(store, err);
    return code < 0 ? code : gt_sql_end(store, enable(store, channel, gt_now(), err), err);
}

int gt_store_channel_disabled(struct gt_store *store, const char *channel, char *ret_why,
                              size_t why_size, struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    int code = gt_sql_prepare(store, &row, err,
                              "SELECT why FROM channels WHERE name = ?1 AND disabled_ms <> 0",
                              GT_SQL_T(channel));
    if (code == 0)
        code = gt_sql_step(store, row, err);
    if (code == 1 && ret_why) {
        const char *why = (const char *)sqlite3_column_text(row, 0);
        snprintf(ret_why, why_size, "%s", why ? why : "");
    }
    return code;
}

int gt_store_disabled_channels(struct gt_store *store, size_t most, struct gt_arena *arena,
                               const char **ret_names, struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    int count = 0;
    int code = gt_sql_prepare(store, &row, err,
                              "SELECT name FROM channels WHERE disabled_ms <> 0"
                              " ORDER BY name LIMIT ?1",
                              GT_SQL_N(most));
    while (code == 0 && (code = gt_sql_step(store, row, err)) == 1) {
        code = gt_sql_text(row, 0, arena, &ret_names[count], err);
        count += code == 0;
    }
    return code < 0 ? code : count;
}

/* Open deliveries of one state, by the partial index. */
#define OPEN(state)                                                                                \
    " FROM deliveries INDEXED BY deliveries_open WHERE state <> 'delivered' AND state = '" state "'"

/* Pending and dead ones come from partial indexes; delivered ones are the rest. */
int gt_store_stats(struct gt_store *store, struct gt_store_stats *ret, struct gt_error *err)
{
    int64_t n[6];
    static const char *const queries[] = {
        "SELECT count(*) FROM findings",   "SELECT count(*) FROM occurrences",
        "SELECT count(*)" OPEN("pending"), "SELECT count(*)" OPEN("dead"),
        "SELECT count(*) FROM deliveries", "SELECT coalesce(min(created_ms), 0)" OPEN("pending"),
    };
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        int code = gt_sql_number(store, &n[i], err, queries[i]);
        if (code < 0)
            return code;
    }
    *ret = (struct gt_store_stats){
        .findings = (uint64_t)n[0],
        .occurrences = (uint64_t)n[1],
        .pending = (uint64_t)n[2],
        .dead = (uint64_t)n[3],
        .delivered = (uint64_t)(n[4] > n[2] + n[3] ? n[4] - n[2] - n[3] : 0),
        .oldest_pending_ms = n[5],
    };
    return 0;
}
