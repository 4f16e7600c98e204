#include "cli/scan_git.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMITS_PER_THREAD 500 /* fewer are not worth a child of their own */

struct history {
    const struct gt_scan_walk *walk;
    const struct gt_scan_options *options;
    struct gt_git *git;
    struct gt_git_range range;
    struct gt_oids commits;  /* in order; those that nothing reaches last */
    struct gt_oids existing; /* every commit there is, unless --since or --branch is given */
    bool all;                /* what nothing reaches counts, too */
    struct gt_oids wanted;   /* with --since or --branch: all that may be judged */
    struct gt_scan_hits hits;
    struct gt_scan_places places;
    pthread_mutex_t lock; /* while changes are read: of wanted, places and failures */
};

static bool is_part(const struct history *history)
{
    return history->range.since || history->range.branch_count > 0;
}

static void complain(void *user, const struct gt_oid *oid, const char *what)
{
    struct history *history = user;
    pthread_mutex_lock(&history->lock);
    gt_scan_git_complain(history->git, oid, what, history->walk->settings->progress,
                         history->walk->counts);
    pthread_mutex_unlock(&history->lock);
}

/* ---- changes of all commits, by several children ---- */

struct share {
    struct history *history;
    gt_git_change *change;
    size_t from, to;
    pthread_t thread;
    bool started;
    int rc;
    struct gt_error err;
};

static void *read_share(void *user)
{
    struct share *share = user;
    share->rc = gt_git_changes(share->history->git, &share->history->commits, share->from,
                               share->to, share->change, complain, share->history, &share->err);
    return NULL;
}

static int read_changes(struct history *history, gt_git_change *change, struct gt_error *err)
{
    gt_git_open_packs(history->git);
    size_t count = history->commits.count, shares = count / COMMITS_PER_THREAD + 1;
    struct share share[GT_SCAN_THREADS_MAX];
    int rc = 0;
    if (shares > history->options->threads)
        shares = history->options->threads;
    for (size_t i = 0; i < shares; i++) {
        share[i] = (struct share){.history = history,
                                  .change = change,
                                  .from = count * i / shares,
                                  .to = count * (i + 1) / shares};
        share[i].started = pthread_create(&share[i].thread, NULL, read_share, &share[i]) == 0;
        if (!share[i].started)
            read_share(&share[i]);
    }
    for (size_t i = 0; i < shares; i++) {
        if (share[i].started)
            pthread_join(share[i].thread, NULL);
        if (share[i].rc < 0 && rc >= 0)
            rc = gt_fail(err, share[i].rc, "%s", share[i].err.message);
    }
    return rc;
}

/* ---- what may be judged ---- */

static void want(void *user, size_t commit, const struct gt_oid *blob, const char *path)
{
    struct history *history = user;
    pthread_mutex_lock(&history->lock);
    bool kept = gt_oids_add(&history->wanted, blob) == 0;
    pthread_mutex_unlock(&history->lock);
    if (!kept)
        complain(history, blob, "out of memory");
}

/* Tags are left out: they say nothing of when their commits were made, or where they are. */
static int choose_objects(struct history *history, struct gt_error *err)
{
    int rc = gt_git_check_range(history->git, &history->range, err);
    if (rc >= 0)
        rc = gt_git_commits(history->git, &history->range, &history->commits, err);
    if (rc >= 0)
        rc = read_changes(history, want, err);
    for (size_t i = 0; i < history->commits.count && rc >= 0; i++)
        if (gt_oids_add(&history->wanted, &history->commits.items[i]) < 0)
            rc = gt_fail(err, GT_E_NOMEM, "out of memory for the list of objects");
    gt_oids_sort(&history->wanted);
    return rc;
}

static int judge(struct history *history, struct gt_error *err)
{
    struct gt_scan_judge *judge = NULL;
    int rc = gt_scan_judge_new(history->walk->settings, history->options->threads,
                               !is_part(history), &judge, err);
    if (rc < 0)
        return rc;
    rc = gt_scan_judge_run(judge, history->git, is_part(history) ? &history->wanted : NULL,
                           &history->hits, history->walk->counts, &history->existing, err);
    gt_scan_judge_free(judge);
    return rc;
}

/* ---- where it came from ---- */

/* Read while objects are judged, and always: that a history cannot be walked has to be known even
 * when nothing is found. */
struct reading {
    struct history *history;
    pthread_t thread;
    bool started;
    int rc;
    struct gt_error err;
};

static void *read_commits(void *user)
{
    struct reading *reading = user;
    struct history *history = reading->history;
    reading->rc = gt_git_commits(history->git, NULL, &history->commits, &reading->err);
    return NULL;
}

static int judge_all(struct history *history, struct gt_error *err)
{
    struct reading reading = {.history = history};
    reading.started = pthread_create(&reading.thread, NULL, read_commits, &reading) == 0;
    int rc = judge(history, err);
    if (reading.started)
        pthread_join(reading.thread, NULL);
    else
        read_commits(&reading);
    if (reading.rc >= 0)
        return rc;
    complain(history, NULL, reading.err.message);
    complain(history, NULL,
             "the history is damaged, so that all that is in the repository counts as "
             "reached");
    history->all = true;
    return rc;
}

static void place(void *user, size_t commit, const struct gt_oid *blob, const char *path)
{
    struct history *history = user;
    const struct gt_scan_hit *hit = gt_scan_hits_find(&history->hits, blob);
    if (!hit)
        return;
    pthread_mutex_lock(&history->lock);
    gt_scan_places_add(&history->places, (size_t)(hit - history->hits.items), path,
                       (uint32_t)commit);
    pthread_mutex_unlock(&history->lock);
}

static void place_named(void *user, const struct gt_oid *oid, const char *path)
{
    struct history *history = user;
    const struct gt_scan_hit *hit = gt_scan_hits_find(&history->hits, oid);
    if (hit)
        place(user, GT_GIT_NO_COMMIT, oid, hit->type == GT_GIT_TAG ? GT_GIT_TAG_PATH : path);
}

static void place_commits(struct history *history)
{
    for (size_t i = 0; i < history->commits.count; i++)
        place(history, i, &history->commits.items[i], GT_GIT_COMMIT_PATH);
}

/* Commits that no ref reaches, behind those that one does. By name: nothing says better. */
static int add_dangling(struct history *history, struct gt_error *err)
{
    struct gt_oids reached = {0};
    int rc = 0;
    for (size_t i = 0; i < history->commits.count && rc >= 0; i++)
        rc = gt_oids_add(&reached, &history->commits.items[i]);
    gt_oids_sort(&reached);
    gt_oids_sort(&history->existing);
    for (size_t i = 0; i < history->existing.count && rc >= 0; i++)
        if (!gt_oids_have(&reached, &history->existing.items[i]))
            rc = gt_oids_add(&history->commits, &history->existing.items[i]);
    gt_oids_free(&reached);
    return rc < 0 ? gt_fail(err, rc, "out of memory for the list of commits") : 0;
}

/* What no commit and no ref brings: dangling, if that was asked for. */
static void place_rest(struct history *history)
{
    char *placed = calloc(history->hits.count + 1, 1);
    if (!placed) {
        history->places.full = true;
        return;
    }
    for (size_t i = 0; i < history->places.count; i++)
        placed[history->places.items[i].hit] = 1;
    for (size_t i = 0; i < history->hits.count; i++) {
        const struct gt_scan_hit *hit = &history->hits.items[i];
        char name[GT_GIT_OID_TEXT];
        if (placed[i])
            continue;
        gt_git_oid_format(history->git, &hit->oid, name);
        gt_scan_places_add(&history->places, i, hit->type == GT_GIT_TAG ? GT_GIT_TAG_PATH : name,
                           GT_GIT_NO_COMMIT);
    }
    free(placed);
}

static int find_places(struct history *history, struct gt_error *err)
{
    int rc = history->all ? add_dangling(history, err) : 0;
    if (rc >= 0)
        rc = read_changes(history, place, err);
    if (rc < 0)
        return rc;
    place_commits(history);
    if (!is_part(history) && gt_git_tags(history->git, place_named, history, err) < 0)
        complain(history, NULL, err->message);
    if (history->all)
        place_rest(history);
    if (history->places.full || history->hits.full)
        complain(history, NULL, "there are too many findings to keep; some are missing");
    return gt_scan_places_choose(&history->places, &history->hits, err);
}

/* ---- all ---- */

static int look(struct history *history, struct gt_error *err)
{
    int rc = is_part(history) ? choose_objects(history, err) : 0;
    if (rc >= 0)
        rc = is_part(history) ? judge(history, err) : judge_all(history, err);
    if (rc < 0 || history->hits.count == 0 || gt_scan_stopped())
        return rc;
    rc = find_places(history, err);
    return rc < 0 ? rc
                  : gt_scan_git_tell(history->git, history->walk, &history->hits, &history->places,
                                     &history->commits, history->walk->counts, err);
}

void gt_scan_git(const struct gt_scan_walk *walk, const struct gt_scan_options *options)
{
    const struct gt_scan_git_options *asked = &options->git;
    struct history history = {.walk = walk,
                              .options = options,
                              .all = asked->unreachable,
                              .range = {asked->since, asked->branches, asked->branch_count}};
    struct gt_error err;
    pthread_mutex_init(&history.lock, NULL);
    gt_scan_hits_init(&history.hits);
    gt_scan_places_init(&history.places);
    int rc = gt_git_open(asked->repository, &history.git, &err);
    if (rc >= 0 && gt_git_is_shallow(history.git))
        fprintf(stderr, "guette scan: note: the clone is shallow, so that older commits are not in "
                        "it (git fetch --unshallow gets them)\n");
    if (rc >= 0)
        rc = look(&history, &err);
    if (rc < 0 && !gt_scan_stopped()) {
        walk->counts->failed++;
        gt_scan_pool_complain(walk->pool, asked->repository, err.message);
    }
    gt_scan_pool_drain(walk->pool);
    gt_scan_places_free(&history.places);
    gt_scan_hits_free(&history.hits);
    gt_oids_free(&history.commits);
    gt_oids_free(&history.existing);
    gt_oids_free(&history.wanted);
    gt_git_close(history.git);
    pthread_mutex_destroy(&history.lock);
}
