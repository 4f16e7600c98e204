/* Processes that die at any instant, and several at once. */
#include "store_test.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define FINDINGS 400
#define KILLS 25

/* What the parent and its children both see. */
struct shared {
    volatile unsigned acked; /* findings 0..acked-1 were put for sure */
    volatile unsigned sent[FINDINGS];
    volatile unsigned overlaps;
};

static struct shared *share(void)
{
    void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

/* Puts findings one after another, as the notifier does: ack only after the put. */
static void put_until_killed(const char *path, struct shared *shared)
{
    struct gt_store *store = NULL;
    struct gt_error err;
    struct wish wish = {.channels = two_channels, .due_ms = 1};
    if (gt_store_open(path, false, &store, &err) < 0)
        _exit(1);
    while (shared->acked < FINDINGS) {
        struct gt_finding finding = make_finding(shared->acked, 0);
        if (gt_store_put(store, &finding, fulfil, &wish, &err) < 0)
            _exit(1);
        shared->acked++;
    }
    _exit(0);
}

static pid_t start(void (*work)(const char *, struct shared *), const char *path,
                   struct shared *shared)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        work(path, shared);
    return child;
}

static void assert_died_or_done(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void test_killed_writers_lose_nothing(void **state)
{
    struct place *place = *state;
    struct shared *shared = share();
    gt_store_close(place->store);
    for (int i = 0; i < KILLS && shared->acked < FINDINGS; i++) {
        pid_t child = start(put_until_killed, place->path, shared);
        usleep(1000 + gt_random(30000));
        kill(child, SIGKILL);
        assert_died_or_done(child);
    }
    assert_died_or_done(start(put_until_killed, place->path, shared));
    place->store = open_store(place->path);
    assert_int_equal(shared->acked, FINDINGS);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM findings"), FINDINGS);
    assert_int_equal(count_of(place->store, "SELECT sum(occurrences) FROM findings"), FINDINGS);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM occurrences"), FINDINGS);
    assert_int_equal(count_of(place->store, "SELECT count(*) FROM deliveries"), 2 * FINDINGS);
    assert_int_equal(count_of(place->store,
                              "SELECT count(*) FROM findings f WHERE 2 <> (SELECT count(*) FROM"
                              " deliveries d WHERE d.finding_id = f.id AND state = 'pending')"),
                     0);
    GT_SQL_AUTO sqlite3_stmt *check = NULL;
    struct gt_error err = {0};
    must(gt_sql_prepare(place->store, &check, &err, "PRAGMA integrity_check"), &err);
    assert_int_equal(gt_sql_step(place->store, check, &err), 1);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    munmap(shared, sizeof(*shared));
}

/* Takes from the outbox with leases that outlive the test: nobody else may get the same one. */
static void claim_all(const char *path, struct shared *shared)
{
    struct gt_store *store = NULL;
    struct gt_error err;
    struct gt_delivery taken[7];
    struct gt_arena *arena = gt_arena_new(1 << 20);
    if (gt_store_open(path, false, &store, &err) < 0)
        _exit(1);
    int count;
    while ((count = gt_store_claim(store, 10, GT_DAY, NULL, 7, arena, taken, &err)) > 0) {
        for (int i = 0; i < count; i++) {
            unsigned number = (unsigned)strtoul(taken[i].alert_id, NULL, 16);
            if (__atomic_fetch_add(&shared->sent[number], 1, __ATOMIC_SEQ_CST) != 0)
                shared->overlaps++;
            if (gt_store_delivered(store, taken[i].id, 10, &err) < 0)
                _exit(1);
        }
        gt_arena_reset(arena);
    }
    _exit(count < 0);
}

static void test_claims_of_processes_never_overlap(void **state)
{
    struct place *place = *state;
    struct shared *shared = share();
    struct gt_error err = {0};
    pid_t children[4];
    must(gt_sql_run(place->store, &err, "INSERT INTO channels (name) VALUES ('hook')"), &err);
    must(gt_sql_run(place->store, &err,
                    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
                    "INSERT INTO deliveries (id, alert_id, finding_id, channel, alert, state,"
                    " created_ms, due_ms) SELECT 'd' || i, printf('%x', i), i, 'hook', '{}',"
                    " 'pending', 1, 1 FROM n",
                    GT_SQL_N(FINDINGS - 1)),
         &err);
    gt_store_close(place->store);
    for (size_t i = 0; i < 4; i++)
        children[i] = start(claim_all, place->path, shared);
    for (size_t i = 0; i < 4; i++)
        assert_died_or_done(children[i]);
    place->store = open_store(place->path);
    assert_int_equal(shared->overlaps, 0);
    for (size_t i = 0; i < FINDINGS; i++)
        assert_int_equal(shared->sent[i], 1);
    assert_int_equal(
        count_of(place->store, "SELECT count(*) FROM deliveries WHERE state = 'delivered'"),
        FINDINGS);
    munmap(shared, sizeof(*shared));
}

static void open_and_put(const char *path, struct shared *shared)
{
    struct gt_store *store = NULL;
    struct gt_error err;
    struct wish wish = {.channels = one_channel, .due_ms = 1};
    struct gt_finding finding = make_finding(shared->acked, 0);
    if (gt_store_open(path, false, &store, &err) < 0 ||
        gt_store_put(store, &finding, fulfil, &wish, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        _exit(1);
    }
    _exit(0);
}

/* Everybody makes and migrates the same new file at once. */
static void test_processes_start_together(void **state)
{
    struct place *place = *state;
    struct shared *shared = share();
    char path[128];
    pid_t children[8];
    snprintf(path, sizeof(path), "%s/new.db", place->directory);
    for (size_t i = 0; i < 8; i++)
        children[i] = start(open_and_put, path, shared);
    for (size_t i = 0; i < 8; i++)
        assert_died_or_done(children[i]);
    struct gt_store *store = open_store(path);
    assert_int_equal(count_of(store, "SELECT count(*) FROM findings"), 1);
    assert_int_equal(count_of(store, "SELECT count(*) FROM deliveries"), 1);
    gt_store_close(store);
    unlink(path);
    munmap(shared, sizeof(*shared));
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, set_up_place, tear_down_place)
    const struct CMUnitTest tests[] = {
        PLACE(test_killed_writers_lose_nothing),
        PLACE(test_claims_of_processes_never_overlap),
        PLACE(test_processes_start_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
