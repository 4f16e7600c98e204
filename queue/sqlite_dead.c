/* Dead letters of the embedded queue, and what they share with live entries. */
#include "queue/sqlite_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool gt_sqlite_read_handle(const char *handle, int64_t *ret)
{
    size_t len = strlen(handle);
    if (!len || len > 18 || strspn(handle, "0123456789") != len)
        return false;
    *ret = strtoll(handle, NULL, 10);
    return true;
}

int gt_sqlite_topic_change(struct gt_sqlite *self, int64_t topic, int64_t depth, int64_t bytes,
                           int64_t dead, struct gt_error *err)
{
    gt_sqlite_bind_int(self, SQL_TOPIC_CHANGE, 1, topic);
    gt_sqlite_bind_int(self, SQL_TOPIC_CHANGE, 2, depth);
    gt_sqlite_bind_int(self, SQL_TOPIC_CHANGE, 3, bytes);
    gt_sqlite_bind_int(self, SQL_TOPIC_CHANGE, 4, dead);
    return gt_sqlite_run(self, SQL_TOPIC_CHANGE, err);
}

int gt_sqlite_read_body(struct gt_sqlite *self, int64_t body, struct gt_arena *arena,
                        const void **ret, size_t *ret_len, struct gt_error *err)
{
    gt_sqlite_bind_int(self, SQL_BODY, 1, body);
    int rc = gt_sqlite_row(self, SQL_BODY, err);
    if (rc <= 0)
        return rc ? rc
                  : gt_fail(err, GT_E_INVALID,
                            "%s: the queue's file is damaged (an entry has no payload); move it "
                            "away and start again",
                            self->path);
    sqlite3_stmt *row = self->statements[SQL_BODY];
    const void *bytes = sqlite3_column_blob(row, 0);
    size_t len = (size_t)sqlite3_column_bytes(row, 0);
    const void *copy = gt_arena_memdup(arena, len ? bytes : "", len);
    gt_sqlite_done(self, SQL_BODY);
    if (!copy)
        return 0;
    *ret = copy;
    *ret_len = len;
    return 1;
}

/* 1: the first dead letter after n; *ret_body names its payload. */
static int dead_row(struct gt_sqlite *self, const char *name, int64_t after, struct gt_arena *arena,
                    struct gt_dead *ret, int64_t *ret_body, struct gt_error *err)
{
    gt_sqlite_bind_int(self, SQL_DEAD_LIST, 1, after);
    gt_sqlite_bind_text(self, SQL_DEAD_LIST, 2, name);
    int rc = gt_sqlite_row(self, SQL_DEAD_LIST, err);
    if (rc <= 0)
        return rc;
    sqlite3_stmt *row = self->statements[SQL_DEAD_LIST];
    const char *id = (const char *)sqlite3_column_text(row, 5);
    const char *why = (const char *)sqlite3_column_text(row, 6);
    *ret = (struct gt_dead){.deliveries = sqlite3_column_int64(row, 1),
                            .pushed_ms = sqlite3_column_int64(row, 2),
                            .buried_ms = sqlite3_column_int64(row, 3),
                            .id = gt_arena_strdup(arena, id ? id : ""),
                            .why = gt_arena_strdup(arena, why ? why : "")};
    snprintf(ret->handle, sizeof(ret->handle), "%lld", (long long)sqlite3_column_int64(row, 0));
    *ret_body = sqlite3_column_int64(row, 4);
    gt_sqlite_done(self, SQL_DEAD_LIST);
    return 1;
}

/* Each letter by itself, without a transaction: a letter replayed or dropped meanwhile is left out.
 */
int gt_sqlite_dead(void *handle, const char *name, const char *after, size_t most,
                   struct gt_arena *arena, struct gt_dead *ret_dead, struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    int64_t n = 0, body = 0;
    size_t got = 0;
    int rc = 1;
    if (after && !gt_sqlite_read_handle(after, &n))
        return gt_fail(err, GT_E_INVALID, "\"%.63s\" is no dead letter's handle", after);
    while (got < most) {
        struct gt_dead *dead = &ret_dead[got];
        rc = dead_row(self, name, n, arena, dead, &body, err);
        if (rc <= 0)
            break;
        rc = gt_sqlite_read_body(self, body, arena, &dead->payload, &dead->len, err);
        if (rc < 0)
            break;
        if (!rc || !dead->id || !dead->why) {
            rc = gt_fail(err, GT_E_LIMIT, "dead letter %s does not fit in memory", dead->handle);
            break;
        }
        n = strtoll(dead->handle, NULL, 10);
        got++;
    }
    return got ? (int)got : rc < 0 ? rc : 0;
}

/* A dead letter taken out of the table. */
struct letter {
    int64_t n, topic, len, body;
    char id[160];
};

static int take_letter(struct gt_sqlite *self, const char *name, const char *handle,
                       struct letter *ret, struct gt_error *err)
{
    int rc = 0;
    if (gt_sqlite_read_handle(handle, &ret->n)) {
        gt_sqlite_bind_int(self, SQL_DEAD_ONE, 1, ret->n);
        gt_sqlite_bind_text(self, SQL_DEAD_ONE, 2, name);
        rc = gt_sqlite_row(self, SQL_DEAD_ONE, err);
    }
    if (rc <= 0)
        return rc ? rc
                  : gt_fail(err, GT_E_NOTFOUND, "there is no dead letter \"%.63s\" in %s", handle,
                            name);
    sqlite3_stmt *row = self->statements[SQL_DEAD_ONE];
    ret->topic = sqlite3_column_int64(row, 0);
    ret->len = sqlite3_column_int64(row, 1);
    ret->body = sqlite3_column_int64(row, 2);
    snprintf(ret->id, sizeof(ret->id), "%s", (const char *)sqlite3_column_text(row, 3));
    gt_sqlite_done(self, SQL_DEAD_ONE);
    gt_sqlite_bind_int(self, SQL_DEAD_DELETE, 1, ret->n);
    return gt_sqlite_run(self, SQL_DEAD_DELETE, err);
}

static int replay_letter(struct gt_sqlite *self, const char *name, const char *handle,
                         struct gt_error *err)
{
    struct letter letter = {0};
    int rc = take_letter(self, name, handle, &letter, err);
    if (rc)
        return rc;
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 1, letter.topic);
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 2, gt_now());
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 3, letter.len);
    gt_sqlite_bind_int(self, SQL_ENTRY_ADD, 4, letter.body);
    gt_sqlite_bind_text(self, SQL_ENTRY_ADD, 5, letter.id);
    rc = gt_sqlite_run(self, SQL_ENTRY_ADD, err);
    return rc ? rc : gt_sqlite_topic_change(self, letter.topic, 1, letter.len, -1, err);
}

int gt_sqlite_replay(void *handle, const char *name, const char *dead, struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    int rc = gt_sqlite_begin(self, err);
    return rc ? rc : gt_sqlite_end(self, replay_letter(self, name, dead, err), err);
}

static int drop_letter(struct gt_sqlite *self, const char *name, const char *handle,
                       struct gt_error *err)
{
    struct letter letter = {0};
    int rc = take_letter(self, name, handle, &letter, err);
    if (rc)
        return rc;
    gt_sqlite_bind_int(self, SQL_BODY_DELETE, 1, letter.body);
    rc = gt_sqlite_run(self, SQL_BODY_DELETE, err);
    return rc ? rc : gt_sqlite_topic_change(self, letter.topic, 0, 0, -1, err);
}

int gt_sqlite_drop(void *handle, const char *name, const char *dead, struct gt_error *err)
{
    struct gt_sqlite *self = handle;
    int rc = gt_sqlite_begin(self, err);
    return rc ? rc : gt_sqlite_end(self, drop_letter(self, name, dead, err), err);
}
