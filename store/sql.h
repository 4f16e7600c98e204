/* Inside store/: one SQLite connection and the few verbs everything here is written with. */
#ifndef GT_STORE_SQL_H
#define GT_STORE_SQL_H

#include "core/core.h"

#include <sqlite3.h>

struct gt_store {
    sqlite3 *db;
    char *path; /* for messages */
};

/* The handle a plan gets inside its transaction. */
struct gt_store_txn {
    struct gt_store *store;
    int64_t now_ms;
};

struct gt_sql_value {
    enum { GT_SQL_NULL, GT_SQL_NUMBER, GT_SQL_TEXT } type;
    int64_t number;
    const char *text;
};
#define GT_SQL_N(n) ((struct gt_sql_value){.type = GT_SQL_NUMBER, .number = (int64_t)(n)})
/* NULL becomes SQL NULL. The text must live until the statement is finalised. */
#define GT_SQL_T(t) ((struct gt_sql_value){.type = GT_SQL_TEXT, .text = (t)})

#define GT_SQL_VALUES(...)                                                                         \
    (const struct gt_sql_value[]){{0}, ##__VA_ARGS__} + 1,                                         \
        sizeof((const struct gt_sql_value[]){{0}, ##__VA_ARGS__}) / sizeof(struct gt_sql_value) -  \
            1

void gt_sql_finalize(sqlite3_stmt **statement);
#define GT_SQL_AUTO __attribute__((cleanup(gt_sql_finalize)))

/* Turns SQLite's result into a GT_E_ code with words. */
int gt_sql_fail(struct gt_store *store, struct gt_error *err, int result);

/* gt_sql_prepare(store, &statement, err, "... ?1 ...", GT_SQL_T(id)) */
int gt_sql_prepare_values(struct gt_store *store, sqlite3_stmt **ret_statement,
                          struct gt_error *err, const char *sql, const struct gt_sql_value *values,
                          size_t count);
#define gt_sql_prepare(store, ret_statement, err, sql, ...)                                        \
    gt_sql_prepare_values(store, ret_statement, err, sql, GT_SQL_VALUES(__VA_ARGS__))
/* 1: a row, 0: no more, or a code. */
int gt_sql_step(struct gt_store *store, sqlite3_stmt *statement, struct gt_error *err);
/* Runs one statement to its end; returns the rows it changed. */
int gt_sql_run_values(struct gt_store *store, struct gt_error *err, const char *sql,
                      const struct gt_sql_value *values, size_t count);
#define gt_sql_run(store, err, sql, ...)                                                           \
    gt_sql_run_values(store, err, sql, GT_SQL_VALUES(__VA_ARGS__))
/* The first column of the first row, a number; GT_E_NOTFOUND when there is no row. */
int gt_sql_number_values(struct gt_store *store, int64_t *ret_number, struct gt_error *err,
                         const char *sql, const struct gt_sql_value *values, size_t count);
#define gt_sql_number(store, ret_number, err, sql, ...)                                            \
    gt_sql_number_values(store, ret_number, err, sql, GT_SQL_VALUES(__VA_ARGS__))

/* Begins a writing transaction (waits for another writer); gt_sql_end commits it when `result` is
 * no error, else rolls it back, and returns `result` or why the commit failed. */
int gt_sql_begin(struct gt_store *store, struct gt_error *err);
int gt_sql_end(struct gt_store *store, int result, struct gt_error *err);

/* A copy of a text column; NULL stays NULL. GT_E_LIMIT when the arena is full. */
int gt_sql_text(sqlite3_stmt *statement, int column, struct gt_arena *arena, const char **ret_text,
                struct gt_error *err);

/* The one id of the table that begins with `prefix` (at least 6 hex digits). */
int gt_store_resolve(struct gt_store *store, const char *table, const char *prefix,
                     char ret_id[GT_ID_TEXT], struct gt_error *err);

/* One line of the audit trail, in the caller's transaction. detail may be NULL. */
int gt_store_audit(struct gt_store *store, int64_t now_ms, const char *what, const char *subject,
                   const char *detail, struct gt_error *err);

#endif
