#include "git/repository.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)16 * 1024 * 1024)
#define DOUBTS_MAX ((size_t)64 * 1024)
#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define STORES_MAX 256
#define PACKS_MAX 100000

/* ---- names ---- */

void gt_git_oid_format(const struct gt_git *git, const struct gt_oid *oid,
                       char ret_text[GT_GIT_OID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < git->hash; i++) {
        ret_text[2 * i] = digits[oid->bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[oid->bytes[i] & 15];
    }
    ret_text[2 * git->hash] = '\0';
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gt_git_oid_parse(const struct gt_git *git, const char *text, struct gt_oid *ret_oid)
{
    struct gt_oid oid = {0};
    for (size_t i = 0; i < git->hash; i++) {
        int high = digit_of(text[2 * i]), low = high < 0 ? -1 : digit_of(text[2 * i + 1]);
        if (low < 0)
            return false;
        oid.bytes[i] = (unsigned char)(high << 4 | low);
    }
    *ret_oid = oid;
    return true;
}

bool gt_git_packed(const struct gt_git *git, const struct gt_oid *oid, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (gt_pack_find(git->packs[i], oid->bytes) != GT_PACK_NONE)
            return true;
    return false;
}

/* ---- object directories ---- */

static void doubt(struct gt_git *git, const char *what)
{
    gt_utf8_append_clean(&git->doubts, what, strlen(what));
    gt_buffer_append(&git->doubts, "", 1);
}

static int add_pack(struct gt_git *git, const char *index_path, struct gt_error *err)
{
    if (git->pack_count == git->pack_capacity) {
        size_t capacity = git->pack_capacity ? 2 * git->pack_capacity : 16;
        struct gt_pack **more = reallocarray(git->packs, capacity, sizeof(struct gt_pack *));
        if (!more || git->pack_count > PACKS_MAX) {
            free(more == git->packs ? NULL : more);
            return gt_fail(err, GT_E_LIMIT, "too many packs in the repository");
        }
        git->packs = more;
        git->pack_capacity = capacity;
    }
    struct gt_error why;
    if (gt_pack_open(index_path, git->hash, &git->packs[git->pack_count], &why) < 0)
        doubt(git, why.message);
    else
        git->pack_count++;
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_index(const struct dirent *entry)
{
    return gt_starts_with(entry->d_name, "pack-") && gt_ends_with(entry->d_name, ".idx");
}

/* A pack from a server that was asked to leave some objects out. */
static int is_partial(const struct dirent *entry)
{
    return gt_ends_with(entry->d_name, ".promisor");
}

static void look_for_partial(struct gt_git *git, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_partial, by_name);
    if (count > 0)
        doubt(git, "the clone is partial: what git left out of it cannot be looked at (git fetch "
                   "--refetch --no-filter gets it)");
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

static int add_packs(struct gt_git *git, const char *store, struct gt_error *err)
{
    struct dirent **entries = NULL;
    char *folder = gt_arena_printf(git->arena, "%s/pack", store);
    int count = folder ? scandir(folder, &entries, is_index, by_name) : 0, rc = 0;
    if (folder)
        look_for_partial(git, folder);
    for (int i = 0; i < count; i++) {
        char *path = gt_arena_printf(git->arena, "%s/%s", folder, entries[i]->d_name);
        if (rc >= 0)
            rc = path ? add_pack(git, path, err)
                      : gt_fail(err, GT_E_LIMIT, "too many packs in the repository");
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int add_loose_of(struct gt_git *git, const char *store, unsigned first, struct gt_error *err)
{
    char text[GT_GIT_OID_TEXT + 256];
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    const char *path = arena ? gt_arena_printf(arena, "%s/%02x", store, first) : NULL;
    DIR *folder = path ? opendir(path) : NULL;
    int rc = 0;
    for (struct dirent *entry; folder && rc >= 0 && (entry = readdir(folder));) {
        struct gt_oid oid;
        snprintf(text, sizeof text, "%02x%s", first, entry->d_name);
        if (strlen(text) == 2 * git->hash && gt_git_oid_parse(git, text, &oid) &&
            !gt_git_packed(git, &oid, git->pack_count))
            rc = gt_oids_add(&git->loose, &oid);
    }
    if (folder)
        closedir(folder);
    return rc < 0 ? gt_fail(err, rc, "out of memory") : 0;
}

static int add_loose(struct gt_git *git, const char *store, struct gt_error *err)
{
    int rc = 0;
    for (unsigned first = 0; first < 256 && rc >= 0; first++)
        rc = add_loose_of(git, store, first, err);
    return rc;
}

static int add_stores(struct gt_git *git, const char *const *stores, size_t count,
                      struct gt_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < count && rc >= 0; i++)
        rc = add_packs(git, stores[i], err);
    for (size_t i = 0; i < count && rc >= 0; i++)
        rc = add_loose(git, stores[i], err);
    gt_oids_sort(&git->loose);
    return rc;
}

/* ---- asking git ---- */

/* Until the first line that is not longer than it should be, or all; each without its end. */
static int ask(struct gt_git *git, const char *const *arguments,
               int (*take)(void *user, const char *line), void *user, struct gt_error *err)
{
    struct gt_git_child *child = NULL;
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(LINE_MAX_BYTES);
    int rc = gt_git_child_start(git->directory, arguments, -1, &child, err), got;
    if (rc < 0)
        return rc;
    while (rc >= 0 && (got = gt_git_child_line(child, '\n', &line)) == 1)
        rc = take(user, line.len ? line.data : "");
    if (rc >= 0)
        return gt_git_child_finish(child, err);
    gt_git_child_free(child);
    return gt_fail(err, rc, "git's answer is not understood");
}

struct layout {
    struct gt_git *git;
    const char *stores[STORES_MAX];
    size_t count, line;
};

static int take_layout(void *user, const char *line)
{
    struct layout *layout = user;
    size_t number = layout->line++;
    if (number == 0) {
        layout->git->hash = strcmp(line, "sha256") == 0 ? 32 : strcmp(line, "sha1") == 0 ? 20 : 0;
        return layout->git->hash ? 0 : GT_E_UNSUPPORTED;
    }
    if (number == 1) {
        layout->git->shallow = strcmp(line, "true") == 0;
        return 0;
    }
    if (number > 2) /* a line break in the path */
        return GT_E_UNSUPPORTED;
    layout->stores[layout->count++] = gt_arena_strdup(layout->git->arena, line);
    return layout->stores[0] ? 0 : GT_E_NOMEM;
}

static int take_alternate(void *user, const char *line)
{
    static const char prefix[] = "alternate: ";
    struct layout *layout = user;
    if (!gt_starts_with(line, prefix))
        return 0;
    const char *path = line + sizeof prefix - 1;
    if (layout->count == STORES_MAX || *path != '/') {
        doubt(layout->git, "an alternate object directory has a strange name or is one too many");
        return 0;
    }
    layout->stores[layout->count++] = gt_arena_strdup(layout->git->arena, path);
    return layout->stores[layout->count - 1] ? 0 : GT_E_NOMEM;
}

static int read_layout(struct gt_git *git, struct gt_error *err)
{
    static const char *const about[] = {"rev-parse",
                                        "--path-format=absolute",
                                        "--show-object-format",
                                        "--is-shallow-repository",
                                        "--git-path",
                                        "objects",
                                        NULL};
    static const char *const alternates[] = {"count-objects", "-v", NULL};
    struct layout layout = {.git = git};
    struct gt_error why;
    int rc = ask(git, about, take_layout, &layout, &why);
    if (rc == GT_E_UNSUPPORTED || rc == GT_E_NOMEM)
        return gt_fail(err, rc, "%s", why.message);
    if (rc < 0 || layout.count == 0)
        return gt_fail(err, GT_E_NOTFOUND,
                       "is no git repository; name the top of a working tree, a .git folder or a "
                       "bare repository (%s)",
                       rc < 0 ? why.message : "git 2.31 or newer is needed");
    rc = ask(git, alternates, take_alternate, &layout, err);
    return rc < 0 ? rc : add_stores(git, layout.stores, layout.count, err);
}

int gt_git_open(const char *path, struct gt_git **ret_git, struct gt_error *err)
{
    struct gt_git *git = calloc(1, sizeof *git);
    char *real = realpath(path, NULL);
    int rc = 0;
    if (git)
        git->arena = gt_arena_new(ARENA_MAX);
    if (!git || !git->arena)
        rc = gt_fail(err, GT_E_NOMEM, "out of memory");
    else if (!real)
        rc = gt_fail(err, GT_E_NOTFOUND, "%s", strerror(errno));
    if (rc >= 0) {
        git->doubts = GT_BUFFER(DOUBTS_MAX);
        git->directory = gt_arena_strdup(git->arena, real);
        rc = git->directory ? read_layout(git, err) : gt_fail(err, GT_E_LIMIT, "path too long");
    }
    free(real);
    if (rc < 0) {
        gt_git_close(git);
        return rc;
    }
    *ret_git = git;
    return 0;
}

#define OPEN_MAX 200 /* files; what is in further packs, git looks for */

void gt_git_open_packs(struct gt_git *git)
{
    for (size_t i = 0; i < git->pack_count && i < OPEN_MAX; i++)
        if (git->packs[i]->fd < 0)
            gt_pack_start(git->packs[i], NULL);
}

bool gt_git_is_shallow(const struct gt_git *git)
{
    return git->shallow;
}

void gt_git_close(struct gt_git *git)
{
    if (!git)
        return;
    for (size_t i = 0; i < git->pack_count; i++)
        gt_pack_close(git->packs[i]);
    free(git->packs);
    gt_oids_free(&git->loose);
    gt_buffer_free(&git->doubts);
    gt_arena_free(git->arena);
    free(git);
}
