/* Cursors and small shared facts of the embedded queue. */
#include "queue/sqlite_file.h"

#include <string.h>

#define SWEEP_EVERY (10 * GT_SECOND)

int gt_sqlite_cursor_set(struct gt_sqlite *self, const struct gt_cursor *cursor,
                         struct gt_error *err)
{
    gt_sqlite_bind_text(self, SQL_CURSOR_SET, 1, cursor->name);
    gt_sqlite_bind_bytes(self, SQL_CURSOR_SET, 2, cursor->value, cursor->len);
    return gt_sqlite_run(self, SQL_CURSOR_SET, err);
}

/* The blob in the first column of the statement's row, whose parameters are bound. 0: there is no
 * row. */
static int read_value(struct gt_sqlite *self, enum gt_sql which, struct gt_buffer *ret_value,
                      struct gt_error *err)
{
    int rc = gt_sqlite_row(self, which, err);
    if (rc <= 0)
        return rc;
    sqlite3_stmt *row = self->statements[which];
    const void *bytes = sqlite3_column_blob(row, 0);
    rc = gt_queue_value(ret_value, bytes, (size_t)sqlite3_column_bytes(row, 0), err);
    gt_sqlite_done(self, which);
    return rc ? rc : 1;
}

int gt_sqlite_cursor(void *handle, const char *name, struct gt_buffer *ret_value,
                     struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    gt_sqlite_bind_text(self, SQL_CURSOR, 1, name);
    int rc = read_value(self, SQL_CURSOR, ret_value, err);
    if (rc)
        return rc < 0 ? rc : 0;
    return gt_fail(err, GT_E_NOTFOUND, "%s has no cursor yet", name);
}

/* Expired facts are few and in nobody's way: now and then is enough, and failing at it harms
 * nobody. */
static void sweep(struct gt_sqlite *self)
{
    int64_t now = gt_monotonic();
    if (now < self->sweep_due)
        return;
    self->sweep_due = now + SWEEP_EVERY;
    gt_sqlite_bind_int(self, SQL_FACT_SWEEP, 1, gt_now());
    gt_sqlite_run(self, SQL_FACT_SWEEP, NULL);
}

int gt_sqlite_put(void *handle, const char *name, const void *value, size_t len, int64_t ttl_ms,
                  struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    sweep(self);
    gt_sqlite_bind_text(self, SQL_FACT_SET, 1, name);
    gt_sqlite_bind_int(self, SQL_FACT_SET, 2, ttl_ms ? gt_now() + ttl_ms : 0);
    gt_sqlite_bind_bytes(self, SQL_FACT_SET, 3, value, len);
    return gt_sqlite_run(self, SQL_FACT_SET, err);
}

static int fact(struct gt_sqlite *self, const char *name, struct gt_buffer *ret_value,
                struct gt_error *err)
{
    gt_sqlite_bind_text(self, SQL_FACT, 1, name);
    gt_sqlite_bind_int(self, SQL_FACT, 2, gt_now());
    return read_value(self, SQL_FACT, ret_value, err);
}

int gt_sqlite_get(void *handle, const char *name, struct gt_buffer *ret_value, struct gt_error *err)
{
    int rc = fact(handle, name, ret_value, err);
    if (rc)
        return rc < 0 ? rc : 0;
    return gt_fail(err, GT_E_NOTFOUND, "there is no fact \"%s\"", name);
}

int gt_sqlite_put_once(void *handle, const char *name, const void *value, size_t len,
                       struct gt_buffer *ret_value, struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    gt_sqlite_bind_text(self, SQL_FACT_ONCE, 1, name);
    gt_sqlite_bind_bytes(self, SQL_FACT_ONCE, 2, value, len);
    gt_sqlite_bind_int(self, SQL_FACT_ONCE, 3, gt_now());
    int rc = gt_sqlite_run(self, SQL_FACT_ONCE, err);
    return rc ? rc : gt_sqlite_get(self, name, ret_value, err);
}

static int list_row(sqlite3_stmt *row, struct gt_arena *arena, struct gt_fact *ret)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    const void *value = sqlite3_column_blob(row, 1);
    size_t len = (size_t)sqlite3_column_bytes(row, 1);
    *ret = (struct gt_fact){.name = gt_arena_strdup(arena, name ? name : ""),
                            .value = gt_arena_memdup(arena, len ? value : "", len),
                            .len = len};
    return ret->name && ret->value ? 0 : GT_E_LIMIT;
}

int gt_sqlite_list(void *handle, const char *prefix, size_t most, struct gt_arena *arena,
                   struct gt_fact *ret_facts, struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    sqlite3_stmt *row = self->statements[SQL_FACT_LIST];
    size_t got = 0;
    int rc = 1;
    gt_sqlite_bind_text(self, SQL_FACT_LIST, 1, prefix);
    gt_sqlite_bind_int(self, SQL_FACT_LIST, 2, gt_now());
    while (got < most && (rc = gt_sqlite_row(self, SQL_FACT_LIST, err)) > 0) {
        if (!gt_starts_with((const char *)sqlite3_column_text(row, 0), prefix))
            break;
        if (list_row(row, arena, &ret_facts[got])) {
            rc = gt_fail(err, GT_E_LIMIT, "the facts under \"%s\" do not fit in memory", prefix);
            break;
        }
        got++;
    }
    gt_sqlite_done(self, SQL_FACT_LIST);
    return rc < 0 ? rc : (int)got;
}
