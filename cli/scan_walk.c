#include "cli/scan_parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 100
#define PATH_BYTES ((size_t)64 * 1024)

struct walk {
    const struct gt_scan_walk *scan;
    struct gt_buffer path;
    int depth;
};

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* By bytes, so that the order is the same in every locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void complain(struct walk *walk, const char *what)
{
    if (!walk->scan->pool)
        return;
    walk->scan->counts->failed++;
    gt_scan_pool_complain(walk->scan->pool, walk->path.data, what);
}

static void visit(struct walk *walk, bool named);

static void visit_entry(struct walk *walk, const char *name)
{
    size_t len = walk->path.len;
    if (len > 0 && walk->path.data[len - 1] != '/')
        gt_buffer_putc(&walk->path, '/');
    gt_buffer_puts(&walk->path, name);
    if (gt_buffer_ok(&walk->path))
        visit(walk, false);
    else
        complain(walk, "its path is too long");
    walk->path.len = len;
    walk->path.data[len] = '\0';
    walk->path.overflow = false;
}

static void visit_directory(struct walk *walk)
{
    struct dirent **entries = NULL;
    if (walk->depth >= DEPTH_MAX) {
        complain(walk, "folders lie too deep in one another");
        return;
    }
    int count = scandir(walk->path.data, &entries, is_entry, by_name);
    if (count < 0) {
        complain(walk, strerror(errno));
        return;
    }
    walk->depth++;
    for (int i = 0; i < count; i++) {
        if (!gt_scan_stopped() && !(walk->scan->cancelled && *walk->scan->cancelled))
            visit_entry(walk, entries[i]->d_name);
        free(entries[i]);
    }
    walk->depth--;
    free(entries);
}

static void push(struct walk *walk, const char *path, uint64_t size)
{
    struct gt_scan_origin origin = {.path = path};
    if (walk->scan->pool) {
        gt_scan_pool_push(walk->scan->pool, &origin, NULL, 0);
        return;
    }
    walk->scan->counts->files++;
    walk->scan->counts->bytes += size;
}

/* What is named is asked for its folders, too: those of a walk were asked on the way down. */
static bool is_ignored(const struct walk *walk, bool folder, bool named)
{
    const struct gt_scan_ignores *ignores = walk->scan->settings->ignores;
    const char *path = walk->path.data;
    return named && !folder ? gt_scan_ignores_file(ignores, path)
                            : gt_scan_ignores_path(ignores, path, folder);
}

static void visit_file(struct walk *walk, uint64_t size)
{
    if (walk->scan->settings->max_size > 0 && size > walk->scan->settings->max_size)
        walk->scan->counts->large++;
    else
        push(walk, walk->path.data, size);
}

static bool is_report(const struct walk *walk, const struct stat *st)
{
    return gt_scan_report_is(walk->scan->report, st) ||
           gt_scan_report_is(walk->scan->settings->new_baseline, st);
}

/* A link is followed only when the command line names it, as grep -r does. */
static void visit(struct walk *walk, bool named)
{
    struct stat st;
    if ((named ? stat : lstat)(walk->path.data, &st) < 0)
        complain(walk, strerror(errno));
    else if (is_report(walk, &st))
        return;
    else if (is_ignored(walk, S_ISDIR(st.st_mode), named))
        walk->scan->counts->ignored_paths++;
    else if (S_ISREG(st.st_mode))
        visit_file(walk, (uint64_t)st.st_size);
    else if (S_ISDIR(st.st_mode))
        visit_directory(walk);
    else if (S_ISLNK(st.st_mode))
        walk->scan->counts->links++;
    else if (named)
        complain(walk, "is a device, socket or pipe; name a file or folder, or read standard input "
                       "with \"-\"");
    else
        walk->scan->counts->special++;
}

void gt_scan_walk(const struct gt_scan_walk *scan, const char *path)
{
    struct walk walk = {scan, GT_BUFFER(PATH_BYTES), 0};
    if (strcmp(path, "-") == 0)
        push(&walk, path, 0);
    else if (gt_buffer_puts(&walk.path, path) < 0)
        gt_scan_pool_complain(scan->pool, path, "its path is too long");
    else
        visit(&walk, true);
    gt_buffer_free(&walk.path);
}
