/* The parts of `guette scan --git`. Inside cli/ only.
 *
 * Every object is judged once, in no order (scan_git_judge.c); of those with findings only the
 * names and what was found are kept (scan_git_hits.c). Then the history is asked which commit
 * brought each of them first (scan_git_place.c), and the chosen ones are read and judged again, in
 * the order of the history, to be told (scan_git.c). */
#ifndef GT_CLI_SCAN_GIT_H
#define GT_CLI_SCAN_GIT_H

#include "cli/scan_parts.h"
#include "git/git.h"

#include <pthread.h>

#define GT_GIT_COMMIT_PATH "(commit message)"
#define GT_GIT_TAG_PATH "(tag message)"
#define GT_GIT_NO_COMMIT UINT32_MAX

/* ---- what was found ---- */

struct gt_scan_hit {
    struct gt_oid oid;
    uint32_t set; /* of keys */
    enum gt_git_type type;
};

struct gt_scan_set {
    struct gt_scan_key id; /* hash of the keys */
    size_t from;
    uint32_t count;
};

/* Objects and the keys found in each. The same keys in the next version of a file are kept once. */
struct gt_scan_hits {
    pthread_mutex_t lock;
    struct gt_scan_hit *items; /* by name once sorted */
    size_t count, capacity;
    struct gt_scan_key *keys;
    size_t key_count, key_capacity;
    struct gt_scan_set *sets;
    size_t set_count, set_capacity;
    uint32_t *slots; /* hash table of sets: index + 1 */
    size_t slot_count;
    bool full; /* some were not kept */
};

void gt_scan_hits_init(struct gt_scan_hits *hits);
void gt_scan_hits_free(struct gt_scan_hits *hits);
/* Sorts and thins out `keys`. */
void gt_scan_hits_add(struct gt_scan_hits *hits, const struct gt_oid *oid, enum gt_git_type type,
                      struct gt_scan_key *keys, size_t count);
void gt_scan_hits_sort(struct gt_scan_hits *hits);
/* NULL: nothing was found in it. */
const struct gt_scan_hit *gt_scan_hits_find(const struct gt_scan_hits *hits,
                                            const struct gt_oid *oid);

/* ---- judging ---- */

struct gt_scan_judge;
int gt_scan_judge_new(const struct gt_scan_settings *settings, unsigned threads, bool list_commits,
                      struct gt_scan_judge **ret_judge, struct gt_error *err);
void gt_scan_judge_free(struct gt_scan_judge *judge);
/* Judges all objects (only: those), adds to `hits` and `counts`; commits: all that were seen. */
int gt_scan_judge_run(struct gt_scan_judge *judge, struct gt_git *git, const struct gt_oids *only,
                      struct gt_scan_hits *hits, struct gt_scan_counts *counts,
                      struct gt_oids *commits, struct gt_error *err);
/* Message of a commit or tag; the whole of anything else. */
struct gt_str gt_scan_git_text(enum gt_git_type type, const char *bytes, size_t len);

/* ---- places ---- */

/* A found object at a path, brought there by a commit. */
struct gt_scan_place {
    uint32_t hit, path, commit; /* numbers; GT_GIT_NO_COMMIT: none that is known */
    const char *name;           /* the path, once chosen */
    size_t keys;                /* told here: from here on in the list of chosen keys */
    uint32_t key_count;
};

struct gt_scan_places {
    struct gt_scan_place *items;
    size_t count, capacity;
    struct gt_buffer texts; /* of paths */
    size_t *paths;          /* where in texts each begins */
    size_t path_count, path_capacity;
    uint32_t *slots; /* hash table of paths: number + 1 */
    size_t slot_count;
    struct gt_scan_key *keys; /* chosen ones */
    size_t key_count;
    bool full;
};

void gt_scan_places_init(struct gt_scan_places *places);
void gt_scan_places_free(struct gt_scan_places *places);
void gt_scan_places_add(struct gt_scan_places *places, size_t hit, const char *path,
                        uint32_t commit);
/* Leaves, for each rule, secret and path, the first place, in the order of the history. */
int gt_scan_places_choose(struct gt_scan_places *places, const struct gt_scan_hits *hits,
                          struct gt_error *err);

/* ---- telling ---- */

/* Who made a commit or tag, when, and what its message begins with. */
struct gt_scan_maker {
    char *author, *email, *date, *subject; /* NULL: not known */
};
void gt_scan_maker_parse(const char *object, size_t len, struct gt_scan_maker *ret_maker);
void gt_scan_maker_free(struct gt_scan_maker *maker);

/* Reads the chosen objects again and hands them to the pool in their order. */
int gt_scan_git_tell(struct gt_git *git, const struct gt_scan_walk *walk,
                     const struct gt_scan_hits *hits, const struct gt_scan_places *places,
                     const struct gt_oids *commits, struct gt_scan_counts *counts,
                     struct gt_error *err);

/* A line about an object, or (NULL) the repository, on standard error; counts a failure. */
void gt_scan_git_complain(const struct gt_git *git, const struct gt_oid *oid, const char *what,
                          struct gt_scan_progress *progress, struct gt_scan_counts *counts);

#endif
