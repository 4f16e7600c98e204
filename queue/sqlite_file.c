/* Opening the file, its schema, and SQLite's errors in words.
 *
 * Write-ahead log, one writer at a time, BEGIN IMMEDIATE for every change
 * (https://www.sqlite.org/wal.html). With synchronous=NORMAL a power cut may take back the last
 * transactions, but only whole and in order: a cursor never survives the push it was saved with, an
 * ack never survives the findings pushed before it. */
#include "queue/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x47545145 /* "GTQE" */
#define SCHEMA_VERSION 1
#define PAGE_SIZE 8192
#define BUSY_MOST (10 * GT_SECOND)
#define SHRINK_EVERY (250)
#define SHRINK_PAGES "1024"
#define FREE_PAGES_KEPT 64

/* Bodies lie apart from entries, so that a lease rewrites a few bytes and not the payload. Entry
 * numbers are never used again (AUTOINCREMENT): acking twice must not hit a younger entry.
 * available_ms: 0 never pulled; else when the lease or the delay ends. */
static const char schema[] =
    "CREATE TABLE topic (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " depth INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,"
    " dead INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE body (n INTEGER PRIMARY KEY, payload BLOB NOT NULL);"
    "CREATE TABLE entry (n INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL,"
    " available_ms INTEGER NOT NULL, deliveries INTEGER NOT NULL, owner TEXT,"
    " pushed_ms INTEGER NOT NULL, len INTEGER NOT NULL, body INTEGER NOT NULL, id TEXT NOT NULL);"
    "CREATE INDEX entry_available ON entry (topic, available_ms);"
    "CREATE TABLE dead (n INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL,"
    " deliveries INTEGER NOT NULL, pushed_ms INTEGER NOT NULL, buried_ms INTEGER NOT NULL,"
    " len INTEGER NOT NULL, body INTEGER NOT NULL, id TEXT NOT NULL, why TEXT NOT NULL);"
    "CREATE TABLE seen (topic INTEGER NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (topic, digest)) WITHOUT ROWID;"
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE fact (name TEXT PRIMARY KEY, until INTEGER NOT NULL, value BLOB NOT NULL)"
    " WITHOUT ROWID;";

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_TOPIC_ADD] = "INSERT INTO topic (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
    [SQL_TOPIC] = "SELECT n, depth, bytes, dead FROM topic WHERE name = ?1",
    [SQL_TOPIC_CHANGE] = "UPDATE topic SET depth = depth + ?2, bytes = bytes + ?3, dead = dead + ?4"
                         " WHERE n = ?1",
    /* Changes one row when the id is new, or was seen longer ago than it is remembered. */
    [SQL_SEEN_ADD] = "INSERT INTO seen (topic, digest, at) VALUES (?1, ?2, ?3)"
                     " ON CONFLICT (topic, digest) DO UPDATE SET at = excluded.at WHERE at <= ?4",
    /* A few rows from a random place on: no state, and no index by time. */
    [SQL_SEEN_SWEEP] =
        "DELETE FROM seen WHERE topic = ?1 AND at <= ?3 AND digest IN (SELECT digest FROM seen"
        " WHERE topic = ?1 AND digest >= ?2 ORDER BY digest LIMIT ?4)",
    [SQL_BODY_ADD] = "INSERT INTO body (payload) VALUES (?1)",
    [SQL_BODY] = "SELECT payload FROM body WHERE n = ?1",
    [SQL_BODY_DELETE] = "DELETE FROM body WHERE n = ?1",
    [SQL_ENTRY_ADD] =
        "INSERT INTO entry (topic, available_ms, deliveries, pushed_ms, len, body, id)"
        " VALUES (?1, 0, 0, ?2, ?3, ?4, ?5)",
    [SQL_ANY] = "SELECT 1 FROM entry WHERE topic = (SELECT n FROM topic WHERE name = ?1)"
                " AND available_ms <= ?2 LIMIT 1",
    [SQL_DUE] = "SELECT n, deliveries, owner, pushed_ms, len, body, id FROM entry WHERE topic = ?1"
                " AND available_ms > 0 AND available_ms <= ?2 ORDER BY available_ms LIMIT 1",
    [SQL_NEW] = "SELECT n, deliveries, owner, pushed_ms, len, body, id FROM entry WHERE topic = ?1"
                " AND available_ms = 0 ORDER BY n LIMIT 1",
    [SQL_LEASE] = "UPDATE entry SET owner = ?2, deliveries = ?3, available_ms = ?4 WHERE n = ?1",
    [SQL_ENTRY] = "SELECT n, deliveries, owner, pushed_ms, len, body, id FROM entry"
                  " WHERE n = ?1 AND topic = (SELECT n FROM topic WHERE name = ?2)",
    [SQL_ENTRY_DELETE] = "DELETE FROM entry WHERE n = ?1"
                         " AND topic = (SELECT n FROM topic WHERE name = ?2)"
                         " RETURNING topic, len, body",
    [SQL_ENTRY_CHANGE] = "UPDATE entry SET available_ms = ?5,"
                         " owner = CASE WHEN ?6 THEN owner END, deliveries = deliveries - ?7"
                         " WHERE n = ?1 AND owner = ?2 AND deliveries = ?3"
                         " AND topic = (SELECT n FROM topic WHERE name = ?4)",
    [SQL_DEAD_ADD] =
        "INSERT INTO dead (topic, deliveries, pushed_ms, buried_ms, len, body, id, why)"
        " SELECT topic, deliveries, pushed_ms, ?2, len, body, id, ?3 FROM entry"
        " WHERE n = ?1",
    [SQL_DEAD_LIST] =
        "SELECT n, deliveries, pushed_ms, buried_ms, body, id, why FROM dead"
        " WHERE n > ?1 AND topic = (SELECT n FROM topic WHERE name = ?2) ORDER BY n LIMIT 1",
    [SQL_DEAD_ONE] = "SELECT topic, len, body, id FROM dead"
                     " WHERE n = ?1 AND topic = (SELECT n FROM topic WHERE name = ?2)",
    [SQL_DEAD_DELETE] = "DELETE FROM dead WHERE n = ?1",
    [SQL_STATS] = "SELECT depth, bytes, dead,"
                  " (SELECT count(*) FROM entry WHERE topic = topic.n AND available_ms > 0"
                  "  AND owner IS NOT NULL),"
                  " (SELECT min(at) FROM (SELECT pushed_ms AS at FROM (SELECT pushed_ms FROM entry"
                  "   WHERE topic = topic.n AND available_ms = 0 ORDER BY n LIMIT 1)"
                  "  UNION ALL SELECT pushed_ms FROM entry"
                  "   WHERE topic = topic.n AND available_ms > 0))"
                  " FROM topic WHERE name = ?1",
    [SQL_CURSOR_SET] = "INSERT INTO cursor (name, value) VALUES (?1, ?2)"
                       " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [SQL_CURSOR] = "SELECT value FROM cursor WHERE name = ?1",
    [SQL_FACT_SET] = "INSERT INTO fact (name, until, value) VALUES (?1, ?2, ?3) ON CONFLICT (name)"
                     " DO UPDATE SET until = excluded.until, value = excluded.value",
    [SQL_FACT_ONCE] = "INSERT INTO fact (name, until, value) VALUES (?1, 0, ?2) ON CONFLICT (name)"
                      " DO UPDATE SET until = 0, value = excluded.value"
                      " WHERE until > 0 AND until <= ?3",
    [SQL_FACT] = "SELECT value FROM fact WHERE name = ?1 AND (until = 0 OR until > ?2)",
    [SQL_FACT_LIST] = "SELECT name, value FROM fact WHERE name >= ?1 AND (until = 0 OR until > ?2)"
                      " ORDER BY name",
    [SQL_FACT_SWEEP] = "DELETE FROM fact WHERE until > 0 AND until <= ?1",
    [SQL_PAGES] = "PRAGMA page_count",
    [SQL_FREE_PAGES] = "PRAGMA freelist_count",
};

static const char *const durabilities[] = {"normal", "full", NULL};

/* SQLite says FULL when the system said ENOSPC; a quota or a limit to the size of files, or no room
 * for the -shm file, looks like any failed write to it. */
static bool lacks_space(sqlite3 *db)
{
    int code = sqlite3_extended_errcode(db);
    return code == SQLITE_FULL || code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE;
}

static const struct {
    int sqlite, code;
    const char *words;
} failures[] = {
    {SQLITE_BUSY, GT_E_AGAIN,
     "the queue's file was busy for too long (another process holds it); trying again helps"},
    {SQLITE_LOCKED, GT_E_AGAIN, "the queue's file is locked; trying again helps"},
    {SQLITE_CORRUPT, GT_E_INVALID,
     "the queue's file is damaged; stop guette, move the file and those with the same name plus "
     "-wal and -shm away, and start again: crawlers fetch anew what was in it"},
    {SQLITE_NOTADB, GT_E_INVALID,
     "this is not a queue file (no SQLite database); `queue: path:` must name a file of guette's "
     "own"},
    {SQLITE_READONLY, GT_E_REFUSED,
     "the queue's file may not be written; give guette's user write access to it and its folder"},
    {SQLITE_PERM, GT_E_REFUSED,
     "no permission; give guette's user access to the file and its folder"},
    {SQLITE_CANTOPEN, GT_E_IO,
     "cannot open the queue's file; its folder must be there and writable by guette's user"},
    {SQLITE_NOMEM, GT_E_NOMEM, "out of memory"},
    {SQLITE_TOOBIG, GT_E_LIMIT, "a value is too long for the queue's file"},
};

int gt_sqlite_fail(struct gt_sqlite *self, struct gt_error *err)
{
    int code = sqlite3_errcode(self->db) & 0xff;
    if (lacks_space(self->db))
        return gt_fail(
            err, GT_E_FULL,
            "%s: no space left to write the queue (disk full, quota or file size limit "
            "reached, or the disk fails); free space there or move `queue: path:`. Nothing "
            "was lost, and work goes on by itself then",
            self->path);
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i].sqlite == code)
            return gt_fail(err, failures[i].code, "%s: %s (SQLite: %s)", self->path,
                           failures[i].words, sqlite3_errmsg(self->db));
    return gt_fail(err, GT_E_IO, "%s: the queue's file failed (SQLite: %s)", self->path,
                   sqlite3_errmsg(self->db));
}

/* Short random naps instead of SQLite's own, which grow to 100 ms and starve whoever waits longest.
 */
static int when_busy(void *handle, int tries)
{
    struct gt_sqlite *self = handle;
    int64_t now = gt_monotonic();
    if (tries == 0)
        self->busy_since = now;
    if (now - self->busy_since > BUSY_MOST)
        return 0;
    usleep(200 + gt_random(tries < 10 ? 800 : 4000));
    return 1;
}

void gt_sqlite_bind_int(struct gt_sqlite *self, enum gt_sql which, int at, int64_t value)
{
    sqlite3_bind_int64(self->statements[which], at, value);
}

void gt_sqlite_bind_bytes(struct gt_sqlite *self, enum gt_sql which, int at, const void *bytes,
                          size_t len)
{
    sqlite3_bind_blob64(self->statements[which], at, len ? bytes : "", len, SQLITE_STATIC);
}

void gt_sqlite_bind_text(struct gt_sqlite *self, enum gt_sql which, int at, const char *text)
{
    sqlite3_bind_text(self->statements[which], at, text, -1, SQLITE_STATIC);
}

void gt_sqlite_done(struct gt_sqlite *self, enum gt_sql which)
{
    sqlite3_reset(self->statements[which]);
    sqlite3_clear_bindings(self->statements[which]);
}

int gt_sqlite_row(struct gt_sqlite *self, enum gt_sql which, struct gt_error *err)
{
    int code = sqlite3_step(self->statements[which]);
    if (code == SQLITE_ROW)
        return 1;
    int rc = code == SQLITE_DONE ? 0 : gt_sqlite_fail(self, err);
    gt_sqlite_done(self, which);
    return rc;
}

int gt_sqlite_run(struct gt_sqlite *self, enum gt_sql which, struct gt_error *err)
{
    int rc = gt_sqlite_row(self, which, err);
    if (rc > 0)
        gt_sqlite_done(self, which);
    return rc < 0 ? rc : 0;
}

int gt_sqlite_begin(struct gt_sqlite *self, struct gt_error *err)
{
    return gt_sqlite_run(self, SQL_BEGIN, err);
}

int gt_sqlite_end(struct gt_sqlite *self, int rc, struct gt_error *err)
{
    if (!rc)
        rc = gt_sqlite_run(self, SQL_COMMIT, err);
    /* Some errors have rolled back by themselves. */
    if (rc && !sqlite3_get_autocommit(self->db))
        gt_sqlite_run(self, SQL_ROLLBACK, NULL);
    return rc;
}

static int count_pages(struct gt_sqlite *self, enum gt_sql which, int64_t *ret,
                       struct gt_error *err)
{
    int rc = gt_sqlite_row(self, which, err);
    if (rc <= 0)
        return rc;
    *ret = sqlite3_column_int64(self->statements[which], 0);
    gt_sqlite_done(self, which);
    return 0;
}

int gt_sqlite_used(struct gt_sqlite *self, uint64_t *ret_bytes, struct gt_error *err)
{
    int64_t pages = 0, unused = 0;
    int rc = count_pages(self, SQL_PAGES, &pages, err);
    if (!rc)
        rc = count_pages(self, SQL_FREE_PAGES, &unused, err);
    if (!rc)
        *ret_bytes = (uint64_t)(pages - unused) * self->page_size;
    return rc;
}

void gt_sqlite_shrink(struct gt_sqlite *self)
{
    int64_t unused = 0, now = gt_monotonic();
    if (now < self->shrink_due || count_pages(self, SQL_FREE_PAGES, &unused, NULL))
        return;
    self->shrink_due = now + SHRINK_EVERY;
    if (unused > FREE_PAGES_KEPT) {
        sqlite3_exec(self->db, "PRAGMA incremental_vacuum(" SHRINK_PAGES ")", NULL, NULL, NULL);
        self->shrunk = true;
    } else if (self->shrunk) {
        /* The file itself gets shorter when the log is folded into it; if others read just now,
         * next time. */
        int log = -1;
        sqlite3_busy_handler(self->db, NULL, NULL);
        int code =
            sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &log, NULL);
        sqlite3_busy_handler(self->db, when_busy, self);
        self->shrunk = code != SQLITE_OK;
    }
}

static int run_text(struct gt_sqlite *self, const char *text, struct gt_error *err)
{
    return sqlite3_exec(self->db, text, NULL, NULL, NULL) ? gt_sqlite_fail(self, err) : 0;
}

static int read_number(struct gt_sqlite *self, const char *text, int64_t *ret, struct gt_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(self->db, text, -1, &statement, NULL);
    if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        *ret = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement) || code ? gt_sqlite_fail(self, err) : 0;
}

/* Decided under the write lock: two processes may start at once. */
static int make_schema(struct gt_sqlite *self, struct gt_error *err)
{
    int64_t version = -1, application = -1, tables = -1;
    int rc = read_number(self, "PRAGMA user_version", &version, err);
    if (!rc)
        rc = read_number(self, "PRAGMA application_id", &application, err);
    if (!rc)
        rc = read_number(self, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc || (application == APPLICATION_ID && version == SCHEMA_VERSION))
        return rc;
    if (application == APPLICATION_ID)
        return gt_fail(err, GT_E_UNSUPPORTED,
                       "%s: the queue's file has version %lld, this guette knows %d; run the newer "
                       "guette, or drain the queue with it and start with a new file",
                       self->path, (long long)version, SCHEMA_VERSION);
    if (tables > 0)
        return gt_fail(err, GT_E_INVALID,
                       "%s: this SQLite file belongs to something else; `queue: path:` must name a "
                       "file of guette's own",
                       self->path);
    char marks[96];
    snprintf(marks, sizeof(marks), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             APPLICATION_ID, SCHEMA_VERSION);
    rc = run_text(self, schema, err);
    return rc ? rc : run_text(self, marks, err);
}

static int prepare_all(struct gt_sqlite *self, enum gt_sql from, enum gt_sql to,
                       struct gt_error *err)
{
    for (unsigned i = from; i < to; i++)
        if (sqlite3_prepare_v3(self->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[i], NULL))
            return gt_sqlite_fail(self, err);
    return 0;
}

/* Switching a new file to the write-ahead log needs it alone and does not ask the busy handler. */
static int set_wal(struct gt_sqlite *self, struct gt_error *err)
{
    int64_t start = gt_monotonic();
    for (;;) {
        int code = sqlite3_exec(self->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (code == SQLITE_OK)
            return 0;
        if ((code & 0xff) != SQLITE_BUSY || gt_monotonic() - start > BUSY_MOST)
            return gt_sqlite_fail(self, err);
        usleep(1000 + gt_random(4000));
    }
}

static int set_up(struct gt_sqlite *self, int durability, struct gt_error *err)
{
    char text[256];
    snprintf(text, sizeof(text),
             "PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = %s;"
             "PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -8192;"
             "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
             /* What was judged is forgotten: its bytes do not stay in free pages. */
             "PRAGMA secure_delete = ON",
             PAGE_SIZE, durabilities[durability]);
    int64_t page_size = PAGE_SIZE;
    int rc = run_text(self, text, err);
    if (!rc)
        rc = set_wal(self, err);
    if (!rc)
        rc = prepare_all(self, SQL_BEGIN, SQL_TOPIC_ADD, err);
    if (!rc)
        rc = gt_sqlite_begin(self, err);
    if (!rc)
        rc = gt_sqlite_end(self, make_schema(self, err), err);
    if (!rc)
        rc = prepare_all(self, SQL_TOPIC_ADD, SQL_COUNT, err);
    if (!rc)
        rc = read_number(self, "PRAGMA page_size", &page_size, err);
    self->page_size = (uint64_t)page_size;
    return rc;
}

/* Documents may hold anything: the file is for its owner alone from its first byte on. SQLite gives
 * the -wal and -shm files the same mode. */
static int touch(const char *path, struct gt_error *err)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        int rc = gt_directory_make(folder, 0700, err);
        if (rc)
            return rc;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return gt_fail(err, errno == EACCES || errno == EROFS ? GT_E_REFUSED : GT_E_IO,
                       "%s: cannot open the queue's file: %s; check `queue: path:` and the rights "
                       "of guette's user",
                       path, strerror(errno));
    close(fd);
    return 0;
}

static char *choose_path(const struct gt_config *config, const struct gt_sqlite_options *options)
{
    char *path = NULL;
    if (options->path && *options->path) {
        const char *resolved = gt_config_resolve(config, options->path);
        return resolved ? strdup(resolved) : NULL;
    }
    return asprintf(&path, "%s/queue.db", config->data ? config->data : ".") < 0 ? NULL : path;
}

static int open_file(struct gt_sqlite *self, const struct gt_sqlite_options *options,
                     struct gt_error *err)
{
    int rc = touch(self->path, err);
    if (rc)
        return rc;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(self->path, &self->db, flags, NULL);
    if (!self->db)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    if (code)
        return gt_sqlite_fail(self, err);
    sqlite3_extended_result_codes(self->db, 1);
    sqlite3_busy_handler(self->db, when_busy, self);
    return set_up(self, options->durability, err);
}

int gt_sqlite_open(const struct gt_queue_settings *settings, void **ret_self, struct gt_error *err)
{
    const struct gt_sqlite_options *options = settings->options;
    struct gt_sqlite *self = calloc(1, sizeof(*self));
    if (!self || !(self->path = choose_path(settings->config, options))) {
        free(self);
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    self->settings = *settings;
    self->max_size = options->max_size;
    int rc = open_file(self, options, err);
    if (rc) {
        gt_sqlite_close(self);
        return rc;
    }
    *ret_self = self;
    return 0;
}

void gt_sqlite_close(void *handle)
{
    struct gt_sqlite *self = handle;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(self->statements[i]);
    sqlite3_close(self->db);
    free(self->path);
    free(self);
}

static const struct gt_option rows[] = {
    GT_QUEUE_SEEN_OPTION,
    {.name = "path",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct gt_sqlite_options, path),
     .help = "the queue's file, on a local disk; queue.db in `data:` when not given"},
    {.name = "durability",
     .type = GT_OPTION_ENUM,
     .offset = offsetof(struct gt_sqlite_options, durability),
     .fallback = "normal",
     .choices = durabilities,
     .help = "normal: a power cut may take back the last moments, which are then done again; full: "
             "every push and ack waits for the disk"},
    {.name = "max_size",
     .type = GT_OPTION_SIZE,
     .offset = offsetof(struct gt_sqlite_options, max_size),
     .fallback = "0",
     .help = "pushes are refused while the file holds more than this; 0: no limit but the disk and "
             "the high-water mark"},
    {.type = GT_OPTION_END},
};

const struct gt_kind gt_queue_sqlite_kind = {
    .name = "sqlite",
    .summary =
        "in one file on this machine's disk: durable, shared by all processes of this machine",
    .options = rows,
    .size = sizeof(struct gt_sqlite_options),
};
