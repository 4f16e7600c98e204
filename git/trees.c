#include "git/trees.h"

#include <stdlib.h>
#include <string.h>

#define PARENTS_MAX 16 /* more: git does it */
#define SAME_STEP ((size_t)256)
#define DEPTH_MAX 200        /* folders in folders */
#define ENTRIES_MAX 10000000 /* of one commit: names may lead in circles where hashes are wrong */

struct gt_trees {
    struct gt_pack_reader *reader;
    size_t hash;
    struct gt_buffer path;
    /* Of the commit at work. */
    gt_git_change *change;
    void *user;
    size_t commit, entries;
    unsigned depth;
};

struct gt_trees *gt_trees_new(const struct gt_git *git)
{
    struct gt_trees *trees = calloc(1, sizeof *trees);
    if (!trees)
        return NULL;
    trees->hash = git->hash;
    trees->path = GT_BUFFER(GT_GIT_PATH_MAX);
    trees->reader = gt_pack_reader_new(git);
    if (!trees->reader) {
        free(trees);
        return NULL;
    }
    return trees;
}

void gt_trees_free(struct gt_trees *trees)
{
    if (!trees)
        return;
    gt_pack_reader_free(trees->reader);
    gt_buffer_free(&trees->path);
    free(trees);
}

/* ---- entries ---- */

/* "MODE NAME\0" and the object's name in bytes. */
struct entry {
    const char *start, *name;
    size_t name_len;
    const char *oid;
    bool folder, file; /* else a submodule */
};

struct cursor {
    struct gt_read *read; /* NULL: no such tree */
    const char *at, *end;
};

static struct cursor cursor_of(struct gt_read *read)
{
    if (!read)
        return (struct cursor){0};
    return (struct cursor){read, read->whole.bytes, read->whole.bytes + read->whole.len};
}

/* 1, 0 at the end, negative when it is none. Does not go on. */
static int look(const struct gt_trees *trees, const struct cursor *cursor, struct entry *ret)
{
    if (cursor->at == cursor->end)
        return 0;
    size_t left = (size_t)(cursor->end - cursor->at);
    const char *gap = memchr(cursor->at, ' ', left < 8 ? left : 8);
    const char *stop = gap ? memchr(gap, '\0', (size_t)(cursor->end - gap)) : NULL;
    if (!stop || (size_t)(cursor->end - stop) < 1 + trees->hash || stop == gap + 1)
        return GT_E_INVALID;
    const char *mode = cursor->at;
    *ret = (struct entry){.start = mode,
                          .name = gap + 1,
                          .name_len = (size_t)(stop - gap - 1),
                          .oid = stop + 1,
                          .folder = *mode == '4',
                          .file = mode[0] == '1' && (mode[1] == '0' || mode[1] == '2')};
    return 1;
}

static void pass(const struct gt_trees *trees, struct cursor *cursor, const struct entry *entry)
{
    cursor->at = entry->oid + trees->hash;
}

/* git's order: a folder's name counts as if it ended in a slash. */
static int order(const struct entry *x, const struct entry *y)
{
    size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
    int by_bytes = memcmp(x->name, y->name, len);
    if (by_bytes)
        return by_bytes;
    unsigned char a = len < x->name_len ? (unsigned char)x->name[len] : x->folder ? '/' : 0;
    unsigned char b = len < y->name_len ? (unsigned char)y->name[len] : y->folder ? '/' : 0;
    return a < b ? -1 : a > b;
}

/* Goes to the parent's entry of this name and kind. 1: there is one. */
static int follow(const struct gt_trees *trees, struct cursor *parent, const struct entry *entry,
                  struct entry *ret)
{
    int rc;
    while ((rc = look(trees, parent, ret)) == 1) {
        int before = order(ret, entry);
        if (before >= 0)
            return before == 0;
        pass(trees, parent, ret);
    }
    return rc;
}

/* How many bytes are the same. */
static size_t same_bytes(const char *x, const char *y, size_t len)
{
    size_t at = 0;
    while (len - at >= SAME_STEP && memcmp(x + at, y + at, SAME_STEP) == 0)
        at += SAME_STEP;
    while (at < len && x[at] == y[at])
        at++;
    return at;
}

/* Most of a folder is as it was, byte for byte: such entries are only counted off. */
static void skip_same(const struct gt_trees *trees, struct cursor *cursor, struct cursor *parent)
{
    size_t left = (size_t)(cursor->end - cursor->at), theirs = (size_t)(parent->end - parent->at);
    size_t same = same_bytes(cursor->at, parent->at, left < theirs ? left : theirs);
    const char *at = cursor->at, *end = at + same;
    while ((size_t)(end - at) > trees->hash) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        if (!stop || (size_t)(end - stop) < 1 + trees->hash)
            break;
        at = stop + 1 + trees->hash;
    }
    parent->at += at - cursor->at;
    cursor->at = at;
}

/* ---- trees ---- */

static int walk(struct gt_trees *trees, struct gt_read *tree, struct gt_read *const *parents,
                size_t count);

static struct gt_oid oid_of(const struct gt_trees *trees, const char *bytes)
{
    struct gt_oid oid = {{0}};
    memcpy(oid.bytes, bytes, trees->hash);
    return oid;
}

static int get_tree(struct gt_trees *trees, const char *name, struct gt_read **ret)
{
    struct gt_oid oid = oid_of(trees, name);
    int rc = gt_pack_reader_get(trees->reader, &oid, ret);
    if (rc >= 0 && (*ret)->type != GT_GIT_TREE) {
        gt_pack_reader_put(*ret);
        *ret = NULL;
        return GT_E_INVALID;
    }
    return rc;
}

/* names: of the same folder in the parents that have it. */
static int walk_folder(struct gt_trees *trees, const struct entry *entry, const char *const *names,
                       size_t count)
{
    struct gt_read *tree = NULL, *parents[PARENTS_MAX] = {NULL};
    int rc = trees->depth >= DEPTH_MAX ? GT_E_LIMIT : get_tree(trees, entry->oid, &tree);
    for (size_t i = 0; i < count && rc >= 0; i++)
        rc = get_tree(trees, names[i], &parents[i]);
    trees->depth++;
    if (rc >= 0)
        rc = walk(trees, tree, parents, count);
    trees->depth--;
    for (size_t i = 0; i < count; i++)
        gt_pack_reader_put(parents[i]);
    gt_pack_reader_put(tree);
    return rc;
}

static int tell(struct gt_trees *trees, const struct entry *entry, const char *const *names,
                size_t count)
{
    size_t len = trees->path.len;
    int rc = gt_buffer_append(&trees->path, entry->name, entry->name_len);
    if (rc >= 0 && entry->folder) {
        rc = gt_buffer_putc(&trees->path, '/');
        rc = rc < 0 ? rc : walk_folder(trees, entry, names, count);
    } else if (rc >= 0 && entry->file) {
        struct gt_oid oid = oid_of(trees, entry->oid);
        trees->change(trees->user, trees->commit, &oid, trees->path.data);
    }
    trees->path.len = len;
    trees->path.overflow = false;
    if (trees->path.data)
        trees->path.data[len] = '\0';
    return rc;
}

/* Only what no parent has as it is, is gone into. */
static int walk_entry(struct gt_trees *trees, const struct entry *entry, struct cursor *parents,
                      size_t count)
{
    const char *names[PARENTS_MAX];
    size_t known = 0;
    if (++trees->entries > ENTRIES_MAX)
        return GT_E_LIMIT;
    for (size_t i = 0; i < count; i++) {
        struct entry theirs;
        int rc = parents[i].read ? follow(trees, &parents[i], entry, &theirs) : 0;
        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        pass(trees, &parents[i], &theirs);
        if (memcmp(theirs.oid, entry->oid, trees->hash) == 0)
            return 0;
        names[known++] = theirs.oid;
    }
    return tell(trees, entry, names, known);
}

static int walk(struct gt_trees *trees, struct gt_read *tree, struct gt_read *const *parents,
                size_t count)
{
    struct cursor cursor = cursor_of(tree), others[PARENTS_MAX];
    struct entry entry;
    int rc = 0;
    for (size_t i = 0; i < count; i++)
        others[i] = cursor_of(parents[i]);
    while (rc >= 0) {
        for (size_t i = 0; i < count; i++)
            if (others[i].read)
                skip_same(trees, &cursor, &others[i]);
        rc = look(trees, &cursor, &entry);
        if (rc <= 0)
            return rc;
        rc = walk_entry(trees, &entry, others, count);
        pass(trees, &cursor, &entry);
    }
    return rc;
}

/* ---- commits ---- */

/* "tree HEX\nparent HEX\n..."; names[0] is the tree. Returns how many, negative when it is none. */
static int parse_commit(const struct gt_git *git, const struct gt_read *read, struct gt_oid *names)
{
    static const char *const heads[] = {"tree ", "parent "};
    const char *at = read->whole.bytes, *end = at + read->whole.len;
    int count = 0;
    for (;; count++) {
        const char *head = heads[count > 0];
        size_t len = strlen(head), line = len + 2 * git->hash + 1;
        if ((size_t)(end - at) < line || memcmp(at, head, len) != 0)
            return count > 0 ? count : GT_E_INVALID;
        if (count > PARENTS_MAX || at[line - 1] != '\n' ||
            !gt_git_oid_parse(git, at + len, &names[count]))
            return GT_E_INVALID;
        at += line;
    }
}

static int read_commit(struct gt_trees *trees, const struct gt_git *git, const struct gt_oid *oid,
                       struct gt_oid *names)
{
    struct gt_read *read = NULL;
    int rc = gt_pack_reader_get(trees->reader, oid, &read);
    if (rc < 0)
        return rc;
    rc = read->type == GT_GIT_COMMIT ? parse_commit(git, read, names) : GT_E_INVALID;
    gt_pack_reader_put(read);
    return rc;
}

int gt_trees_changes(struct gt_trees *trees, const struct gt_git *git, const struct gt_oid *oid,
                     size_t commit, gt_git_change *change, void *user)
{
    struct gt_oid names[PARENTS_MAX + 1], theirs[PARENTS_MAX + 1];
    const char *roots[PARENTS_MAX];
    struct gt_oid parent_roots[PARENTS_MAX];
    int count = read_commit(trees, git, oid, names), rc = count < 0 ? count : 0;
    size_t parents = count > 0 ? (size_t)count - 1 : 0;
    for (size_t i = 0; i < parents && rc >= 0; i++) {
        rc = read_commit(trees, git, &names[i + 1], theirs);
        parent_roots[i] = theirs[0];
        roots[i] = (const char *)parent_roots[i].bytes;
        if (rc >= 0 && memcmp(&theirs[0], &names[0], sizeof names[0]) == 0)
            return 0; /* an empty commit, or a merge that took one side */
    }
    if (rc < 0)
        return rc;
    struct entry root = {.oid = (const char *)names[0].bytes, .folder = true};
    trees->change = change;
    trees->user = user;
    trees->commit = commit;
    trees->entries = 0;
    gt_buffer_reset(&trees->path);
    return walk_folder(trees, &root, roots, parents);
}
