/* Opening the store: the file, SQLite's settings and the schema's migrations. */
#include "store/sql.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 10000
/* "guet": tells our file from another program's
 * (https://www.sqlite.org/pragma.html#pragma_application_id). */
#define APPLICATION_ID 0x67756574

/* Step i takes the schema from user_version i to i + 1, in one transaction. Never edit one that was
 * released.
 *
 * deliveries: `alert` is emptied after the delivery; `held` marks what is dead only because its
 * channel is disabled. The partial indexes hold the open deliveries alone, so that claiming costs
 * the same whatever lies in the past. */
static const char *const migrations[] = {
    "CREATE TABLE findings ("
    "  id TEXT PRIMARY KEY NOT NULL,"
    "  body TEXT NOT NULL,"
    "  occurrences INTEGER NOT NULL,"
    "  first_seen_ms INTEGER NOT NULL,"
    "  last_seen_ms INTEGER NOT NULL);"
    "CREATE INDEX findings_newest ON findings (first_seen_ms, id);"
    "CREATE TABLE occurrences ("
    "  id TEXT PRIMARY KEY NOT NULL,"
    "  finding_id TEXT NOT NULL REFERENCES findings (id),"
    "  document TEXT, source TEXT, url TEXT, title TEXT, author TEXT,"
    "  line INTEGER NOT NULL, byte_column INTEGER NOT NULL,"
    "  published_ms INTEGER NOT NULL, fetched_ms INTEGER NOT NULL,"
    "  detected_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX occurrences_newest ON occurrences (finding_id, detected_ms);"
    "CREATE TABLE channels ("
    "  name TEXT PRIMARY KEY NOT NULL,"
    "  disabled_ms INTEGER NOT NULL DEFAULT 0,"
    "  why TEXT) WITHOUT ROWID;"
    "CREATE TABLE deliveries ("
    "  seq INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  alert_id TEXT NOT NULL, finding_id TEXT NOT NULL,"
    "  channel TEXT NOT NULL REFERENCES channels (name),"
    "  alert TEXT,"
    "  state TEXT NOT NULL CHECK (state IN ('pending', 'dead', 'delivered')),"
    "  held INTEGER NOT NULL DEFAULT 0,"
    "  created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL,"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  last_error TEXT);"
    "CREATE INDEX deliveries_due ON deliveries (channel, due_ms, seq) WHERE state = 'pending';"
    "CREATE INDEX deliveries_order ON deliveries (finding_id, channel, seq)"
    "  WHERE state = 'pending';"
    "CREATE INDEX deliveries_open ON deliveries (state, created_ms, seq)"
    "  WHERE state <> 'delivered';"
    "CREATE TABLE audit ("
    "  seq INTEGER PRIMARY KEY,"
    "  at_ms INTEGER NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT);"
    "CREATE INDEX audit_subject ON audit (subject);",
};
#define NEWEST ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

static int check_ours(struct gt_store *store, int64_t version, struct gt_error *err)
{
    int64_t application = 0;
    int code = gt_sql_number(store, &application, err, "PRAGMA application_id");
    if (code < 0)
        return code;
    if (application != APPLICATION_ID && (application != 0 || version != 0))
        return gt_fail(err, GT_E_INVALID,
                       "store %s is another program's database; set store.path to a file of "
                       "guette's own",
                       store->path);
    if (version > NEWEST)
        return gt_fail(err, GT_E_UNSUPPORTED,
                       "store %s has schema version %lld, this guette knows up to %lld; run the "
                       "newer guette that wrote it, or set store.path to another file",
                       store->path, (long long)version, (long long)NEWEST);
    return 0;
}

static int version_of(struct gt_store *store, int64_t *ret_version, struct gt_error *err)
{
    int64_t version = 0;
    int code = gt_sql_number(store, &version, err, "PRAGMA user_version");
    if (code == 0)
        code = check_ours(store, version, err);
    if (code == 0)
        *ret_version = version;
    return code;
}

static int run_script(struct gt_store *store, const char *script, struct gt_error *err)
{
    int result = sqlite3_exec(store->db, script, NULL, NULL, NULL);
    return result == SQLITE_OK ? 0 : gt_sql_fail(store, err, result);
}

/* The version is read again inside the transaction: another process may have been first. */
static int migrate_step(struct gt_store *store, int64_t *ret_version, struct gt_error *err)
{
    int64_t version = 0;
    char stamp[96];
    int code = version_of(store, &version, err);
    if (code < 0 || version == NEWEST) {
        if (code == 0)
            *ret_version = version;
        return code;
    }
    code = run_script(store, migrations[version], err);
    if (code < 0)
        return code;
    snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %lld;",
             APPLICATION_ID, (long long)version + 1);
    code = run_script(store, stamp, err);
    if (code == 0)
        *ret_version = version + 1;
    return code;
}

static int migrate(struct gt_store *store, struct gt_error *err)
{
    int64_t version = 0;
    int code = version_of(store, &version, err);
    while (code == 0 && version < NEWEST) {
        code = gt_sql_begin(store, err);
        if (code == 0)
            code = gt_sql_end(store, migrate_step(store, &version, err), err);
    }
    return code;
}

/* For a reader, who may not migrate. */
static int check_current(struct gt_store *store, struct gt_error *err)
{
    int64_t version = 0;
    int code = version_of(store, &version, err);
    if (code == 0 && version < NEWEST)
        return gt_fail(err, GT_E_UNSUPPORTED,
                       "store %s has schema version %lld, this guette needs %lld; start `guette "
                       "run` (or `guette notify`) once, it migrates the file",
                       store->path, (long long)version, (long long)NEWEST);
    return code;
}

/* Made before SQLite sees it, so that it is never readable by others; the WAL and its index take
 * over the mode. O_EXCL: a file that is there is not opened and closed here, which would drop this
 * process's locks on it. */
static int make_file(const char *path, struct gt_error *err)
{
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        fchmod(fd, 0600);
        close(fd);
        return 0;
    }
    if (errno == EEXIST)
        return 0;
    return gt_fail(err, errno == ENOSPC || errno == EDQUOT ? GT_E_FULL : GT_E_IO,
                   "store %s: cannot make the file: %s; check that the folder is there and yours",
                   path, strerror(errno));
}

static int check_readable(const char *path, struct gt_error *err)
{
    if (access(path, R_OK) == 0)
        return 0;
    if (errno == ENOENT)
        return gt_fail(err, GT_E_NOTFOUND,
                       "store %s is not there yet: guette makes it when it first runs", path);
    return gt_fail(err, errno == EACCES ? GT_E_REFUSED : GT_E_IO, "store %s: %s", path,
                   strerror(errno));
}

/* Turning WAL on may say "busy" at once while others open the same new file. */
static int turn_on_wal(struct gt_store *store, struct gt_error *err)
{
    int64_t end = gt_monotonic() + BUSY_MS;
    int code = run_script(store, "PRAGMA journal_mode = WAL", err);
    while (code == GT_E_AGAIN && gt_monotonic() < end) {
        gt_sleep(5);
        code = run_script(store, "PRAGMA journal_mode = WAL", err);
    }
    return code;
}

static int set_up(struct gt_store *store, bool read_only, struct gt_error *err)
{
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    int code = run_script(store, "PRAGMA trusted_schema = OFF", err);
    if (code < 0 || read_only)
        return code < 0 ? code : check_current(store, err);
    code = turn_on_wal(store, err);
    if (code == 0)
        code = run_script(store,
                          "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                          "PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;",
                          err);
    return code < 0 ? code : migrate(store, err);
}

int gt_store_open(const char *path, bool read_only, struct gt_store **ret_store,
                  struct gt_error *err)
{
    int code = read_only ? check_readable(path, err) : make_file(path, err);
    if (code < 0)
        return code;
    struct gt_store *store = calloc(1, sizeof(*store));
    if (!store || !(store->path = strdup(path))) {
        free(store);
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int result = sqlite3_open_v2(path, &store->db, flags, NULL);
    code = result == SQLITE_OK ? set_up(store, read_only, err) : gt_sql_fail(store, err, result);
    if (code < 0) {
        gt_store_close(store);
        return code;
    }
    *ret_store = store;
    return 0;
}

void gt_store_close(struct gt_store *store)
{
    if (!store)
        return;
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}
