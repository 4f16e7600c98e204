/* Findings and their occurrences. */
#include "store/sql.h"
#include "store/store.h"

#include <string.h>

#define BODY_MAX ((size_t)1024 * 1024) /* what gt_finding_decode takes */
#define DECODED_MAX ((size_t)4 * 1024 * 1024)

static int64_t seen_ms(const struct gt_finding *finding)
{
    return finding->detected_ms ? finding->detected_ms
                                : (finding->fetched_ms ? finding->fetched_ms : gt_now());
}

/* 1: it is new, 0: it was there, or a code. */
static int insert_finding(struct gt_store *store, const struct gt_finding *finding,
                          struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer body = GT_BUFFER(BODY_MAX);
    int code = gt_finding_encode(finding, &body, err);
    if (code < 0)
        return code;
    return gt_sql_run(store, err,
                      "INSERT OR IGNORE INTO findings"
                      " (id, body, occurrences, first_seen_ms, last_seen_ms)"
                      " VALUES (?1, ?2, 0, ?3, ?3)",
                      GT_SQL_T(finding->id), GT_SQL_T(body.data), GT_SQL_N(seen_ms(finding)));
}

static int insert_occurrence(struct gt_store *store, const struct gt_finding *f,
                             struct gt_error *err)
{
    int code = gt_sql_run(
        store, err,
        "INSERT OR IGNORE INTO occurrences (id, finding_id, document, source, url, title,"
        " author, line, byte_column, published_ms, fetched_ms, detected_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        GT_SQL_T(f->occurrence), GT_SQL_T(f->id), GT_SQL_T(f->document), GT_SQL_T(f->source),
        GT_SQL_T(f->url), GT_SQL_T(f->document_title), GT_SQL_T(f->author), GT_SQL_N(f->line),
        GT_SQL_N(f->column), GT_SQL_N(f->published_ms), GT_SQL_N(f->fetched_ms),
        GT_SQL_N(seen_ms(f)));
    if (code <= 0)
        return code;
    return gt_sql_run(store, err,
                      "UPDATE findings SET occurrences = occurrences + 1,"
                      " first_seen_ms = min(first_seen_ms, ?2),"
                      " last_seen_ms = max(last_seen_ms, ?2) WHERE id = ?1",
                      GT_SQL_T(f->id), GT_SQL_N(seen_ms(f)));
}

#define COLUMNS "body, occurrences, first_seen_ms, last_seen_ms"

static int read_finding(sqlite3_stmt *row, struct gt_arena *arena, struct gt_stored_finding *ret,
                        struct gt_error *err)
{
    struct gt_stored_finding stored = {
        .occurrences = (uint64_t)sqlite3_column_int64(row, 1),
        .first_seen_ms = sqlite3_column_int64(row, 2),
        .last_seen_ms = sqlite3_column_int64(row, 3),
    };
    const void *body = sqlite3_column_text(row, 0);
    int code =
        gt_finding_decode(body, (size_t)sqlite3_column_bytes(row, 0), arena, &stored.finding, err);
    if (code < 0)
        return gt_error_prefix(err, "stored finding");
    *ret = stored;
    return 0;
}

static int select_finding(struct gt_store *store, const char *id, struct gt_arena *arena,
                          struct gt_stored_finding *ret, struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    int code = gt_sql_prepare(store, &row, err, "SELECT " COLUMNS " FROM findings WHERE id = ?1",
                              GT_SQL_T(id));
    if (code == 0)
        code = gt_sql_step(store, row, err);
    if (code == 0)
        return gt_fail(err, GT_E_NOTFOUND, "no finding %s in the store", id);
    return code < 0 ? code : read_finding(row, arena, ret, err);
}

static int put(struct gt_store *store, const struct gt_finding *finding, gt_store_plan *plan,
               void *user, struct gt_error *err)
{
    struct gt_store_txn txn = {.store = store, .now_ms = gt_now()};
    int is_new = insert_finding(store, finding, err);
    if (is_new < 0)
        return is_new;
    int code = insert_occurrence(store, finding, err);
    if (code >= 0 && is_new)
        code =
            gt_store_audit(store, txn.now_ms, "finding.created", finding->id, finding->rule, err);
    if (code < 0 || !plan)
        return code < 0 ? code : 0;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(DECODED_MAX);
    struct gt_stored_finding stored;
    if (!arena)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    code = select_finding(store, finding->id, arena, &stored, err);
    return code < 0 ? code : plan(user, &stored, is_new == 1, &txn, err);
}

int gt_store_put(struct gt_store *store, const struct gt_finding *finding, gt_store_plan *plan,
                 void *user, struct gt_error *err)
{
    if (!finding->id[0] || !finding->occurrence[0])
        return gt_fail(err, GT_E_INVALID, "a finding without an id cannot be stored");
    int code = gt_sql_begin(store, err);
    if (code < 0)
        return code;
    code = gt_sql_end(store, put(store, finding, plan, user, err), err);
    return code < 0 ? code : 0;
}

int gt_store_findings(struct gt_store *store, size_t most, struct gt_arena *arena,
                      struct gt_stored_finding *ret, struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    int count = 0;
    int code = gt_sql_prepare(store, &row, err,
                              "SELECT " COLUMNS " FROM findings"
                              " ORDER BY first_seen_ms DESC, id DESC LIMIT ?1",
                              GT_SQL_N(most));
    while (code == 0 && (code = gt_sql_step(store, row, err)) == 1) {
        code = read_finding(row, arena, &ret[count], err);
        count += code == 0;
    }
    return code < 0 ? code : count;
}

int gt_store_finding(struct gt_store *store, const char *id, struct gt_arena *arena,
                     struct gt_stored_finding *ret, struct gt_error *err)
{
    char whole[GT_ID_TEXT];
    int code = gt_store_resolve(store, "findings", id, whole, err);
    return code < 0 ? code : select_finding(store, whole, arena, ret, err);
}

static int read_occurrence(sqlite3_stmt *row, struct gt_arena *arena, struct gt_occurrence *ret,
                           struct gt_error *err)
{
    struct gt_occurrence occurrence = {
        .line = (unsigned)sqlite3_column_int64(row, 6),
        .column = (unsigned)sqlite3_column_int64(row, 7),
        .published_ms = sqlite3_column_int64(row, 8),
        .fetched_ms = sqlite3_column_int64(row, 9),
        .detected_ms = sqlite3_column_int64(row, 10),
    };
    const char **const texts[] = {&occurrence.id,  &occurrence.document,       &occurrence.source,
                                  &occurrence.url, &occurrence.document_title, &occurrence.author};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int code = gt_sql_text(row, (int)i, arena, texts[i], err);
        if (code < 0)
            return code;
    }
    *ret = occurrence;
    return 0;
}

int gt_store_occurrences(struct gt_store *store, const char *finding_id, size_t most,
                         struct gt_arena *arena, struct gt_occurrence *ret, struct gt_error *err)
{
    GT_SQL_AUTO sqlite3_stmt *row = NULL;
    int count = 0;
    int code = gt_sql_prepare(store, &row, err,
                              "SELECT id, document, source, url, title, author, line,"
                              " byte_column, published_ms, fetched_ms, detected_ms"
                              " FROM occurrences WHERE finding_id = ?1"
                              " ORDER BY detected_ms DESC LIMIT ?2",
                              GT_SQL_T(finding_id), GT_SQL_N(most));
    while (code == 0 && (code = gt_sql_step(store, row, err)) == 1) {
        code = read_occurrence(row, arena, &ret[count], err);
        count += code == 0;
    }
    return code < 0 ? code : count;
}
