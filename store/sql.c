#include "store/sql.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

void gt_sql_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
    *statement = NULL;
}

/* What each of SQLite's primary result codes means to us (https://www.sqlite.org/rescode.html). */
static const struct meaning {
    int result, code;
    const char *advice;
} meanings[] = {
    {SQLITE_FULL, GT_E_FULL, "the disk is full; make room, nothing was lost"},
    {SQLITE_BUSY, GT_E_AGAIN, "another process holds the store; try again"},
    {SQLITE_LOCKED, GT_E_AGAIN, "another connection holds the store; try again"},
    {SQLITE_NOMEM, GT_E_NOMEM, "out of memory"},
    {SQLITE_CORRUPT, GT_E_INVALID,
     "the file is damaged; restore it from a backup, or move it away and start anew"},
    {SQLITE_NOTADB, GT_E_INVALID,
     "this is not a database; check store.path, or move the file away"},
    {SQLITE_READONLY, GT_E_REFUSED, "the file may not be written; check its owner and mode"},
    {SQLITE_PERM, GT_E_REFUSED, "the file may not be opened; check its owner and mode"},
    {SQLITE_AUTH, GT_E_REFUSED, "the file may not be opened; check its owner and mode"},
    {SQLITE_CANTOPEN, GT_E_IO,
     "the file cannot be opened; check that its folder is there and yours"},
    {SQLITE_TOOBIG, GT_E_LIMIT, "a value is too long"},
};

static const struct meaning *meaning_of(int result)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].result == (result & 0xff))
            return &meanings[i];
    }
    return NULL;
}

int gt_sql_fail(struct gt_store *store, struct gt_error *err, int result)
{
    int system = sqlite3_system_errno(store->db);
    if ((result & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT))
        result = SQLITE_FULL;
    const struct meaning *meaning = meaning_of(result);
    return gt_fail(err, meaning ? meaning->code : GT_E_IO, "store %s: %s%s%s", store->path,
                   sqlite3_errstr(result & 0xff), meaning ? ": " : "",
                   meaning ? meaning->advice : "");
}

static int bind(sqlite3_stmt *statement, int index, const struct gt_sql_value *value)
{
    if (value->type == GT_SQL_NUMBER)
        return sqlite3_bind_int64(statement, index, value->number);
    return sqlite3_bind_text(statement, index, value->text, -1, SQLITE_STATIC);
}

int gt_sql_prepare_values(struct gt_store *store, sqlite3_stmt **ret_statement,
                          struct gt_error *err, const char *sql, const struct gt_sql_value *values,
                          size_t count)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    for (size_t i = 0; i < count && result == SQLITE_OK; i++)
        result = bind(statement, (int)i + 1, &values[i]);
    if (result != SQLITE_OK) {
        sqlite3_finalize(statement);
        return gt_sql_fail(store, err, result);
    }
    *ret_statement = statement;
    return 0;
}

int gt_sql_step(struct gt_store *store, sqlite3_stmt *statement, struct gt_error *err)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        return 1;
    return result == SQLITE_DONE ? 0 : gt_sql_fail(store, err, result);
}

int gt_sql_run_values(struct gt_store *store, struct gt_error *err, const char *sql,
                      const struct gt_sql_value *values, size_t count)
{
    GT_SQL_AUTO sqlite3_stmt *statement = NULL;
    int code = gt_sql_prepare_values(store, &statement, err, sql, values, count);
    while (code == 0 && (code = gt_sql_step(store, statement, err)) == 1)
        code = 0;
    return code < 0 ? code : sqlite3_changes(store->db);
}

int gt_sql_number_values(struct gt_store *store, int64_t *ret_number, struct gt_error *err,
                         const char *sql, const struct gt_sql_value *values, size_t count)
{
    GT_SQL_AUTO sqlite3_stmt *statement = NULL;
    int code = gt_sql_prepare_values(store, &statement, err, sql, values, count);
    if (code == 0)
        code = gt_sql_step(store, statement, err);
    if (code == 0)
        return gt_fail(err, GT_E_NOTFOUND, "store %s: no such thing", store->path);
    if (code == 1)
        *ret_number = sqlite3_column_int64(statement, 0);
    return code < 0 ? code : 0;
}

int gt_sql_begin(struct gt_store *store, struct gt_error *err)
{
    int code = gt_sql_run(store, err, "BEGIN IMMEDIATE");
    return code < 0 ? code : 0;
}

int gt_sql_end(struct gt_store *store, int result, struct gt_error *err)
{
    if (result >= 0) {
        int code = gt_sql_run(store, err, "COMMIT");
        if (code >= 0)
            return result;
        result = code;
    }
    /* SQLite may have rolled back by itself (full disk, out of memory). */
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

int gt_sql_text(sqlite3_stmt *statement, int column, struct gt_arena *arena, const char **ret_text,
                struct gt_error *err)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    const char *copy = NULL;
    if (text) {
        copy = gt_arena_strdup(arena, text);
        if (!copy)
            return gt_fail(err, GT_E_LIMIT, "the answer does not fit in memory; ask for fewer");
    } else if (sqlite3_column_type(statement, column) != SQLITE_NULL) {
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    *ret_text = copy;
    return 0;
}

/* Lower-case copy of a prefix made of hex digits; `after` is the first text that sorts behind all
 * it begins. */
static int check_prefix(const char *prefix, char *low, char *after, struct gt_error *err)
{
    size_t len = strlen(prefix);
    if (len < 6 || len >= GT_ID_TEXT || strspn(prefix, "0123456789abcdefABCDEF") != len)
        return gt_fail(err, GT_E_INVALID,
                       "\"%.64s\" is not an id; give its first 6 to %d hex digits", prefix,
                       GT_ID_TEXT - 1);
    for (size_t i = 0; i <= len; i++)
        low[i] = (char)tolower((unsigned char)prefix[i]);
    memcpy(after, low, len + 1);
    after[len - 1]++; /* '9' + 1 and 'f' + 1 both sort behind every digit that may follow */
    return 0;
}

int gt_store_resolve(struct gt_store *store, const char *table, const char *prefix,
                     char ret_id[GT_ID_TEXT], struct gt_error *err)
{
    char low[GT_ID_TEXT], after[GT_ID_TEXT], id[GT_ID_TEXT] = "", sql[128];
    int code = check_prefix(prefix, low, after, err);
    if (code < 0)
        return code;
    GT_SQL_AUTO sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof(sql), "SELECT id FROM %s WHERE id >= ?1 AND id < ?2 LIMIT 2", table);
    code = gt_sql_prepare(store, &statement, err, sql, GT_SQL_T(low), GT_SQL_T(after));
    int rows = 0;
    while (code == 0 && (code = gt_sql_step(store, statement, err)) == 1) {
        rows++;
        snprintf(id, sizeof(id), "%s", (const char *)sqlite3_column_text(statement, 0));
        code = 0;
        if (rows == 2)
            return gt_fail(err, GT_E_CONFLICT, "several %s begin with %s; give more digits", table,
                           low);
    }
    if (code < 0)
        return code;
    if (rows == 0)
        return gt_fail(err, GT_E_NOTFOUND, "none of the %s begins with %s", table, low);
    memcpy(ret_id, id, sizeof(id));
    return 0;
}

int gt_store_audit(struct gt_store *store, int64_t now_ms, const char *what, const char *subject,
                   const char *detail, struct gt_error *err)
{
    int code = gt_sql_run(
        store, err, "INSERT INTO audit (at_ms, what, subject, detail) VALUES (?1, ?2, ?3, ?4)",
        GT_SQL_N(now_ms), GT_SQL_T(what), GT_SQL_T(subject), GT_SQL_T(detail));
    return code < 0 ? code : 0;
}
