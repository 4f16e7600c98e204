/* git: reads a repository's objects and history, and nothing else of it.
 *
 * The repository is hostile: crafted packs, objects, names, refs and configuration. Packs are read
 * here (every delta family from its base on, each object unpacked once); what is not packed, is
 * large or looks wrong is left to `git cat-file`. Refs, commits and trees are read by git, too, as
 * child processes that get a clean environment and can execute, fetch and ask nothing
 * (git/child.c). Formats: git's Documentation/gitformat-pack. */
#ifndef GT_GIT_H
#define GT_GIT_H

#include "core/core.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GT_GIT_OID_MAX 32
#define GT_GIT_OID_TEXT (2 * GT_GIT_OID_MAX + 1)
/* Larger objects are not unpacked here but come as a stream. */
#define GT_GIT_WHOLE_MAX ((size_t)16 * 1024 * 1024)
#define GT_GIT_PATH_MAX ((size_t)64 * 1024)

/* An object's name; the bytes after a SHA-1 are zero. */
struct gt_oid {
    unsigned char bytes[GT_GIT_OID_MAX];
};

enum gt_git_type { GT_GIT_COMMIT = 1, GT_GIT_TREE, GT_GIT_BLOB, GT_GIT_TAG };

/* Names in a row. Starts as {0}. */
struct gt_oids {
    struct gt_oid *items;
    size_t count, capacity;
};
int gt_oids_add(struct gt_oids *oids, const struct gt_oid *oid); /* GT_E_NOMEM */
void gt_oids_sort(struct gt_oids *oids);                         /* and drops repeated ones */
bool gt_oids_have(const struct gt_oids *sorted, const struct gt_oid *oid);
void gt_oids_free(struct gt_oids *oids);

/* ---- repository ---- */

struct gt_git;

/* The top of a working tree, a .git or a bare repository. GT_E_NOTFOUND: it is none;
 * GT_E_UNSUPPORTED: git is missing or too old. */
int gt_git_open(const char *path, struct gt_git **ret_git, struct gt_error *err);
void gt_git_close(struct gt_git *git);
/* Its history was cut when it was cloned. */
bool gt_git_is_shallow(const struct gt_git *git);
void gt_git_oid_format(const struct gt_git *git, const struct gt_oid *oid,
                       char ret_text[GT_GIT_OID_TEXT]);
bool gt_git_oid_parse(const struct gt_git *git, const char *text, struct gt_oid *ret_oid);

/* ---- every object ---- */

struct gt_git_span {
    size_t start, end;
};

struct gt_git_object {
    const struct gt_oid *oid;
    enum gt_git_type type;
    const char *bytes;
    size_t len;
    /* Where it differs from an object that the visitor called clean: all other bytes, and their
     * order, are that one's. In order of place, empty ones where something is gone. NULL: it may
     * differ anywhere. */
    const struct gt_git_span *changes;
    size_t change_count;
};

/* Bytes of an object too large to be held. */
struct gt_git_stream;
/* Up to len bytes; 0 at its end, negative when git died. */
ssize_t gt_git_stream_read(struct gt_git_stream *stream, void *to, size_t len);

struct gt_git_visitor {
    void *user;
    /* One of `threads` workers at a time. True: clean, and objects that git keeps as its
     * differences may come with `changes`. */
    bool (*object)(void *user, unsigned worker, const struct gt_git_object *object);
    /* What is not read to its end is skipped. */
    void (*stream)(void *user, unsigned worker, const struct gt_oid *oid, enum gt_git_type type,
                   uint64_t size, struct gt_git_stream *stream);
    /* Names the object; NULL oid: a file of the repository. */
    void (*complain)(void *user, const struct gt_oid *oid, const char *what);
    /* How far it is; from any worker. May be NULL. */
    void (*progress)(void *user, uint64_t done, uint64_t total);
    /* True: nothing more is begun. May be NULL. */
    bool (*stopped)(void);
    /* Only these (sorted); NULL: every object there is. */
    const struct gt_oids *only;
    unsigned threads;
};

/* Every commit, blob and annotated tag of the object database once, in no order; trees are left
 * out. Damaged ones are complained of. */
int gt_git_visit(struct gt_git *git, const struct gt_git_visitor *visitor, struct gt_error *err);

/* These objects as streams, in their order, by one worker (number 0). */
int gt_git_fetch(struct gt_git *git, const struct gt_oids *oids,
                 const struct gt_git_visitor *visitor, struct gt_error *err);

/* A file without a name, for what cannot be held in memory; -1: none can be made. */
int gt_git_spool(void);
int gt_git_spool_write(int fd, const void *bytes, size_t len);

/* ---- history ---- */

/* Both borrowed; NULL or 0: all. */
struct gt_git_range {
    const char *since;
    const char *const *branches;
    size_t branch_count;
};

/* GT_E_INVALID: a branch that is not there, or a date that is none. */
int gt_git_check_range(struct gt_git *git, const struct gt_git_range *range, struct gt_error *err);

/* Commits that refs (or the range's) reach, parents first, else by date. */
int gt_git_commits(struct gt_git *git, const struct gt_git_range *range, struct gt_oids *ret_oids,
                   struct gt_error *err);

/* A blob that a commit brings to a path: it stood there in none of its parents. */
typedef void gt_git_change(void *user, size_t commit, const struct gt_oid *blob, const char *path);
/* Of the commits [from, to), by several threads if need be; complains of those that cannot be read,
 * and goes on. gt_git_open_packs comes first. */
void gt_git_open_packs(struct gt_git *git);
int gt_git_changes(struct gt_git *git, const struct gt_oids *commits, size_t from, size_t to,
                   gt_git_change *change,
                   void (*complain)(void *user, const struct gt_oid *oid, const char *what),
                   void *user, struct gt_error *err);

/* What refs name beside commits: annotated tags, and trees and blobs that are tagged themselves. */
typedef void gt_git_named(void *user, const struct gt_oid *oid, const char *path);
int gt_git_tags(struct gt_git *git, gt_git_named *named, void *user, struct gt_error *err);

#endif
