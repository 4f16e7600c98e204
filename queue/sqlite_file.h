/* The file of the embedded queue: opening, schema, prepared statements, transactions, errors in
 * words. */
#ifndef GT_QUEUE_SQLITE_FILE_H
#define GT_QUEUE_SQLITE_FILE_H

#include "queue/backend.h"

#include <sqlite3.h>

/* Every statement by name; their text is the table in sqlite_file.c. */
enum gt_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_TOPIC_ADD,
    SQL_TOPIC,
    SQL_TOPIC_CHANGE,
    SQL_SEEN_ADD,
    SQL_SEEN_SWEEP,
    SQL_BODY_ADD,
    SQL_BODY,
    SQL_BODY_DELETE,
    SQL_ENTRY_ADD,
    SQL_ANY,
    SQL_DUE,
    SQL_NEW,
    SQL_LEASE,
    SQL_ENTRY,
    SQL_ENTRY_DELETE,
    SQL_ENTRY_CHANGE,
    SQL_DEAD_ADD,
    SQL_DEAD_LIST,
    SQL_DEAD_ONE,
    SQL_DEAD_DELETE,
    SQL_STATS,
    SQL_CURSOR_SET,
    SQL_CURSOR,
    SQL_FACT_SET,
    SQL_FACT_ONCE,
    SQL_FACT,
    SQL_FACT_LIST,
    SQL_FACT_SWEEP,
    SQL_PAGES,
    SQL_FREE_PAGES,
    SQL_COUNT,
};

struct gt_sqlite {
    struct gt_queue_settings settings;
    sqlite3 *db;
    char *path;
    uint64_t max_size, page_size;
    sqlite3_stmt *statements[SQL_COUNT];
    int64_t busy_since, sweep_due, shrink_due; /* monotonic */
    bool shrunk;
};

struct gt_sqlite_options {
    struct gt_queue_common common;
    const char *path;
    int durability;
    uint64_t max_size;
};

int gt_sqlite_open(const struct gt_queue_settings *settings, void **ret_self, struct gt_error *err);
void gt_sqlite_close(void *self);

/* What SQLite said last, in words that name the file and what to do; returns the GT_E_ code. */
int gt_sqlite_fail(struct gt_sqlite *self, struct gt_error *err);

/* Runs a statement that gives no rows. The caller has bound its parameters; they are cleared. */
int gt_sqlite_run(struct gt_sqlite *self, enum gt_sql which, struct gt_error *err);
/* 1: a row is there, read it from the statement and gt_sqlite_done() it; 0: none; or an error. */
int gt_sqlite_row(struct gt_sqlite *self, enum gt_sql which, struct gt_error *err);
void gt_sqlite_done(struct gt_sqlite *self, enum gt_sql which);

void gt_sqlite_bind_int(struct gt_sqlite *self, enum gt_sql which, int at, int64_t value);
/* Bytes and text are borrowed until the statement is done. */
void gt_sqlite_bind_bytes(struct gt_sqlite *self, enum gt_sql which, int at, const void *bytes,
                          size_t len);
void gt_sqlite_bind_text(struct gt_sqlite *self, enum gt_sql which, int at, const char *text);

/* A write transaction. gt_sqlite_end commits when rc is 0, else rolls back; returns rc or the
 * commit's error. */
int gt_sqlite_begin(struct gt_sqlite *self, struct gt_error *err);
int gt_sqlite_end(struct gt_sqlite *self, int rc, struct gt_error *err);

/* Bytes in use, after what the running transaction wrote. */
int gt_sqlite_used(struct gt_sqlite *self, uint64_t *ret_bytes, struct gt_error *err);
/* Gives a step of unused pages back to the file system; for idle moments. Never fails: it will be
 * tried again. */
void gt_sqlite_shrink(struct gt_sqlite *self);

/* sqlite_dead.c: dead letters, and what they share with live entries. */
/* Handles are the row's number in decimal. */
bool gt_sqlite_read_handle(const char *handle, int64_t *ret);
int gt_sqlite_topic_change(struct gt_sqlite *self, int64_t topic, int64_t depth, int64_t bytes,
                           int64_t dead, struct gt_error *err);
/* 1: in arena memory at *ret; 0: no room there. */
int gt_sqlite_read_body(struct gt_sqlite *self, int64_t body, struct gt_arena *arena,
                        const void **ret, size_t *ret_len, struct gt_error *err);
int gt_sqlite_dead(void *self, const char *topic, const char *after, size_t most,
                   struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err);
int gt_sqlite_replay(void *self, const char *topic, const char *dead, struct gt_error *err);
int gt_sqlite_drop(void *self, const char *topic, const char *dead, struct gt_error *err);

/* sqlite_facts.c: cursors and facts. */
int gt_sqlite_cursor_set(struct gt_sqlite *self, const struct gt_cursor *cursor,
                         struct gt_error *err);
int gt_sqlite_cursor(void *self, const char *name, struct gt_buffer *ret_value,
                     struct gt_error *err);
int gt_sqlite_put(void *self, const char *name, const void *value, size_t len, int64_t ttl_ms,
                  struct gt_error *err);
int gt_sqlite_put_once(void *self, const char *name, const void *value, size_t len,
                       struct gt_buffer *ret_value, struct gt_error *err);
int gt_sqlite_get(void *self, const char *name, struct gt_buffer *ret_value, struct gt_error *err);
int gt_sqlite_list(void *self, const char *prefix, size_t most, struct gt_arena *arena,
                   struct gt_fact *ret_facts, struct gt_error *err);

#endif
