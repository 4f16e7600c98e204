/* What the store's tests share: a store in a folder of its own, and made-up findings. */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include "store/sql.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char directory[64], path[96];
    struct gt_store *store;
    struct gt_arena *arena;
};

static inline void must(int code, const struct gt_error *err)
{
    if (code < 0)
        fail_msg("%s: %s", gt_code_name(code), err->message);
}

static inline struct gt_store *open_store(const char *path)
{
    struct gt_error err = {0};
    struct gt_store *store = NULL;
    must(gt_store_open(path, false, &store, &err), &err);
    return store;
}

static inline int set_up_place(void **state)
{
    struct gt_error err;
    struct place *place = calloc(1, sizeof(*place));
    assert_int_equal(gt_hash_start(&err), 0);
    strcpy(place->directory, "/tmp/guette-store-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof(place->path), "%s/store.db", place->directory);
    place->store = open_store(place->path);
    place->arena = gt_arena_new(64 * 1024 * 1024);
    *state = place;
    return 0;
}

static inline int tear_down_place(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct place *place = *state;
    char name[128];
    gt_store_close(place->store);
    gt_arena_free(place->arena);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s%s", place->path, ends[i]);
        unlink(name);
    }
    rmdir(place->directory);
    free(place);
    return 0;
}

/* Finding number `n`, its occurrence in document number `where`. */
static inline struct gt_finding make_finding(unsigned n, unsigned where)
{
    struct gt_finding finding = {
        .brand = "Acme Corp",
        .rule = "github.personal-access-token",
        .title = "GitHub personal access token",
        .category = "credential",
        .score = 90,
        .severity = GT_CRITICAL,
        .confidence = GT_CERTAIN,
        .preview = "ghp_****9f",
        .source = "inbox",
        .line = where + 1,
        .column = 1,
        .document = "d0c",
        .detected_ms = 1700000000000 + n * GT_SECOND + where,
    };
    snprintf(finding.fingerprint, sizeof(finding.fingerprint), "%064x", n);
    gt_finding_identify(&finding);
    return finding;
}

/* A plan: one delivery to each of the channels, when the finding is new. */
struct wish {
    const char *const *channels; /* NULL-ended */
    int64_t due_ms;
    int called, is_new;
    uint64_t occurrences;
    int answer; /* below 0: the plan fails after its deliveries */
};

static inline int fulfil(void *user, const struct gt_stored_finding *stored, bool is_new,
                         struct gt_store_txn *txn, struct gt_error *err)
{
    struct wish *wish = user;
    struct gt_alert alert = {.event = "finding.created", .finding = stored->finding};
    char id[GT_ID_TEXT];
    int code = 0;
    wish->called++;
    wish->is_new = is_new;
    wish->occurrences = stored->occurrences;
    gt_alert_identify(&alert);
    for (size_t i = 0; is_new && code >= 0 && wish->channels[i]; i++) {
        gt_delivery_id(alert.id, wish->channels[i], id);
        code = gt_store_deliver(txn, id, alert.id, stored->finding.id, wish->channels[i],
                                "{\"type\":\"finding.created\"}", wish->due_ms, err);
    }
    return code < 0 ? code : wish->answer;
}

static const char *const one_channel[] = {"hook", NULL};
static const char *const two_channels[] = {"hook", "mail", NULL};

static inline void put_finding(struct gt_store *store, unsigned n, struct wish *wish)
{
    struct gt_error err = {0};
    struct gt_finding finding = make_finding(n, 0);
    must(gt_store_put(store, &finding, fulfil, wish, &err), &err);
}

static inline int64_t count_of(struct gt_store *store, const char *sql)
{
    struct gt_error err = {0};
    int64_t number = 0;
    must(gt_sql_number(store, &number, &err, sql), &err);
    return number;
}

static inline int claim_some(struct place *place, int64_t now_ms, size_t most,
                             struct gt_delivery *ret)
{
    struct gt_error err = {0};
    int count = gt_store_claim(place->store, now_ms, 1000, NULL, most, place->arena, ret, &err);
    must(count, &err);
    return count;
}

#endif
