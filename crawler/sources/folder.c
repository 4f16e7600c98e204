/* A watched folder: every file that lies in it or is put there is a document.
 *
 * inotify tells of files that were closed after writing or moved in, so a drop is read at once; a
 * rescan at every interval finds what inotify does not tell (network folders, a full event queue, a
 * folder that was away). Work is done in steps of a few files, so that a large folder neither holds
 * up the loop nor fills memory; while work is left the descriptor stays readable.
 *
 * The cursor is the set of files handed over: path, modification time in nanoseconds, size and
 * inode. It holds the latest REMEMBERED ones; of a larger folder the rest is read again after a
 * restart, which the documents' ids collapse. So nothing is skipped, and a changed file is new. */
#include "crawler/seen.h"
#include "crawler/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMEMBERED 8192        /* files in the cursor: 88 KiB */
#define KNOWN 200000           /* files known while running: 6 MiB */
#define DEPTH 32               /* levels of folders */
#define FOLDERS 10000          /* waiting to be scanned, and watched */
#define STEP_FILES 200         /* read in one step */
#define STEP_ENTRIES 5000      /* looked at in one step */
#define STEP_BYTES (16u << 20) /* read in one step */

struct options {
    const char *path;
    bool recursive;
};

static const struct gt_option option_table[] = {
    {"path", GT_OPTION_STRING, offsetof(struct options, path), NULL,
     "folder to watch, relative to the configuration file", GT_OPTION_REQUIRED},
    {"recursive", GT_OPTION_BOOL, offsetof(struct options, recursive), "true",
     "watch its subfolders too (32 levels)"},
    {NULL, GT_OPTION_END},
};

const struct gt_kind gt_folder_kind = {"folder", "files put into a folder", option_table,
                                       sizeof(struct options)};

struct place { /* a folder below the watched one */
    struct place *next;
    int wd; /* its watch; -1: none */
    int depth;
    char path[]; /* relative; "" is the watched folder itself */
};

struct folder {
    char *root;
    bool recursive;
    size_t max_size;
    int inotify, more, epoll;
    struct gt_seen *seen;
    struct place *watched, *waiting, **waiting_end;
    size_t watched_count, waiting_count;
    struct place *open; /* being scanned */
    DIR *dir;
    bool scanning, rescan, missed; /* missed: a place or a file could not be read in this scan */
    char events[16384];
    size_t events_len, events_at;
    struct gt_error trouble; /* the first of this step; code 0: none */
};

struct step {
    struct folder *folder;
    const struct gt_source_output *out;
    size_t files, entries, bytes;
};

static bool step_is_full(const struct step *step)
{
    return step->files >= STEP_FILES || step->entries >= STEP_ENTRIES || step->bytes >= STEP_BYTES;
}

/* The first trouble is kept for the operator; the others are most often the same. */
static void note(struct folder *folder, const char *path, const char *advice)
{
    folder->missed = true;
    if (!folder->trouble.code)
        gt_fail(&folder->trouble, GT_E_IO, "%s%s%s: %s; %s", folder->root, *path ? "/" : "", path,
                strerror(errno), advice);
}

static void free_places(struct place *place)
{
    while (place) {
        struct place *next = place->next;
        free(place);
        place = next;
    }
}

/* parent/name, or name below the watched folder itself. False when it does not fit. */
static bool join(char path[PATH_MAX], const char *parent, const char *name)
{
    int len = snprintf(path, PATH_MAX, "%s%s%s", parent, *parent && *name ? "/" : "", name);
    return len >= 0 && len < PATH_MAX;
}

/* name "": a copy of the parent. */
static struct place *new_place(const char *parent, const char *name, int depth)
{
    char path[PATH_MAX];
    struct place *place =
        join(path, parent, name) ? calloc(1, sizeof *place + strlen(path) + 1) : NULL;
    if (!place)
        return NULL;
    strcpy(place->path, path);
    place->depth = depth;
    place->wd = -1;
    return place;
}

static void add_waiting(struct folder *folder, struct place *place)
{
    if (!place || folder->waiting_count >= FOLDERS) {
        free(place);
        errno = place ? EMFILE : ENAMETOOLONG;
        note(folder, "", "watch a smaller folder");
        return;
    }
    *folder->waiting_end = place;
    folder->waiting_end = &place->next;
    folder->waiting_count++;
}

static void clear_waiting(struct folder *folder)
{
    free_places(folder->waiting);
    folder->waiting = NULL;
    folder->waiting_end = &folder->waiting;
    folder->waiting_count = 0;
    if (folder->dir)
        closedir(folder->dir);
    folder->dir = NULL;
    free(folder->open);
    folder->open = NULL;
}

/* Names that editors, browsers and copy tools give to files that are not finished. */
static bool ignored(const char *name)
{
    static const char *const endings[] = {"~", ".swp", ".tmp", ".part", ".partial", ".crdownload"};

    if (name[0] == '.' || name[0] == '\0')
        return true;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (gt_ends_with(name, endings[i]))
            return true;
    return false;
}

/* Opens root/path without following a link at its end; the watched folder itself may be one. */
static int open_below(const struct folder *folder, const char *path, int flags)
{
    char full[PATH_MAX];
    if (!join(full, folder->root, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    flags |= *path ? O_NOFOLLOW : 0;
    return open(full, flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static uint64_t hash_of(const char *path, const struct stat *st)
{
    char state[96];
    snprintf(state, sizeof state, "%jd.%09ld %jd %ju", (intmax_t)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (intmax_t)st->st_size, (uintmax_t)st->st_ino);
    return gt_seen_hash(path, state);
}

/* Reads at most max_size bytes. */
static int read_all(int fd, size_t max_size, char **ret_bytes, size_t *ret_len)
{
    struct stat st;
    size_t size = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
    size_t room = (size < max_size ? size : max_size) + 1, len = 0;
    char *bytes = malloc(room);

    while (bytes && len < room - 1) {
        ssize_t got = read(fd, bytes + len, room - 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(bytes);
            return -1;
        }
        if (got == 0)
            break;
        len += (size_t)got;
    }
    if (!bytes)
        return -1;
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

/* file:// with every byte that is not a plain path character encoded (RFC 8089). It names where the
 * file lies, without the links and dots by which the configuration found it. */
static void append_url(const struct folder *folder, const char *path, struct gt_buffer *out)
{
    char real[PATH_MAX], full[PATH_MAX];
    if (!join(full, realpath(folder->root, real) ? real : folder->root, path))
        return;
    gt_buffer_puts(out, "file://");
    for (char *part = full, *slash; *part; part = slash) {
        slash = strchrnul(part + 1, '/');
        gt_buffer_putc(out, '/');
        gt_append_percent_encoded(out, part + (*part == '/'),
                                  (size_t)(slash - part) - (*part == '/'));
    }
}

static int hand_over(struct step *step, const char *path, const struct stat *st, const char *bytes,
                     size_t len)
{
    GT_BUFFER_AUTO struct gt_buffer url = GT_BUFFER(4 * PATH_MAX);
    GT_BUFFER_AUTO struct gt_buffer title = GT_BUFFER(2 * PATH_MAX);
    struct gt_error err;

    append_url(step->folder, path, &url);
    gt_utf8_append_clean(&title, path, strlen(path));
    if ((uintmax_t)st->st_size > len)
        gt_buffer_printf(&title, " (first %zu of %jd bytes)", len, (intmax_t)st->st_size);
    struct gt_document document = {
        .key = path,
        .url = gt_buffer_ok(&url) ? url.data : NULL,
        .title = gt_buffer_ok(&title) ? title.data : path,
        .published_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000,
        .body = bytes,
        .body_len = len,
    };
    int code = step->out->document(step->out->user, &document, &err);
    if (code < 0 && !step->folder->trouble.code)
        step->folder->trouble = err;
    return code;
}

/* Hands the file over unless it was already. A file that cannot be read is left out of the cursor,
 * so that the next scan tries it again. */
static void read_file(struct step *step, const char *path)
{
    struct folder *folder = step->folder;
    int fd = open_below(folder, path, 0);
    struct stat st;
    char *bytes = NULL;
    size_t len = 0;

    if (fd < 0) {
        if (errno != ENOENT && errno != ELOOP && errno != ENXIO) /* gone, a link, a socket */
            note(folder, path, "make it readable for guette, or take it out of the folder");
        return;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        uint64_t hash = hash_of(path, &st);
        int code = 0;
        if (!gt_seen_has(folder->seen, hash) && st.st_size > 0) {
            if (read_all(fd, folder->max_size, &bytes, &len) < 0) {
                code = GT_E_IO;
                note(folder, path, "it is tried again");
            } else {
                code = hand_over(step, path, &st, bytes, len);
                step->files++;
                step->bytes += len;
            }
        }
        if (code >= 0)
            (void)gt_seen_add(folder->seen, hash); /* out of memory: it is read again */
        else
            folder->missed = true;
    }
    free(bytes);
    close(fd);
}

static struct place **find_watch(struct folder *folder, int wd)
{
    struct place **at = &folder->watched;
    while (*at && (*at)->wd != wd)
        at = &(*at)->next;
    return at;
}

static void drop_watch(struct folder *folder, int wd)
{
    struct place **at = find_watch(folder, wd), *place = *at;
    if (!place)
        return;
    *at = place->next;
    free(place);
    folder->watched_count--;
}

static void drop_watches(struct folder *folder)
{
    for (struct place *place = folder->watched; place; place = place->next)
        inotify_rm_watch(folder->inotify, place->wd);
    free_places(folder->watched);
    folder->watched = NULL;
    folder->watched_count = 0;
}

/* A folder that cannot be watched (too many watches, no inotify there) is still rescanned. */
static void watch(struct folder *folder, const struct place *place)
{
    char full[PATH_MAX];

    if (folder->inotify < 0 || folder->watched_count >= FOLDERS ||
        !join(full, folder->root, place->path))
        return;
    uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MOVED_FROM | IN_DELETE_SELF |
                      IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;
    int wd = inotify_add_watch(folder->inotify, full, events | (*place->path ? IN_DONT_FOLLOW : 0));
    if (wd < 0 || *find_watch(folder, wd))
        return;
    struct place *copy = new_place(place->path, "", place->depth);
    if (!copy)
        return;
    copy->wd = wd;
    copy->next = folder->watched;
    folder->watched = copy;
    folder->watched_count++;
}

/* Watched first and read then, so that no file falls between. */
static bool open_next(struct folder *folder)
{
    struct place *place = folder->waiting;
    if (!place)
        return false;
    folder->waiting = place->next;
    if (!folder->waiting)
        folder->waiting_end = &folder->waiting;
    folder->waiting_count--;

    watch(folder, place);
    int fd = open_below(folder, place->path, O_DIRECTORY);
    folder->dir = fd < 0 ? NULL : fdopendir(fd);
    if (!folder->dir) {
        if (!*place->path || (errno != ENOENT && errno != ELOOP && errno != ENOTDIR))
            note(folder, place->path, "create the folder, or correct its permissions or `path`");
        if (fd >= 0)
            close(fd);
        free(place);
        return true;
    }
    folder->open = place;
    return true;
}

static void close_open(struct folder *folder)
{
    closedir(folder->dir);
    folder->dir = NULL;
    free(folder->open);
    folder->open = NULL;
}

static bool is_folder(DIR *dir, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void look_at(struct step *step, const struct dirent *entry)
{
    struct folder *folder = step->folder;
    char path[PATH_MAX];

    if (ignored(entry->d_name))
        return;
    if (is_folder(folder->dir, entry)) {
        if (folder->recursive && folder->open->depth < DEPTH)
            add_waiting(folder,
                        new_place(folder->open->path, entry->d_name, folder->open->depth + 1));
        return;
    }
    if (join(path, folder->open->path, entry->d_name))
        read_file(step, path);
}

static void scan(struct step *step)
{
    struct folder *folder = step->folder;

    while (!step_is_full(step)) {
        if (!folder->dir && !open_next(folder))
            break;
        if (!folder->dir)
            continue;
        struct dirent *entry = readdir(folder->dir);
        if (entry) {
            step->entries++;
            look_at(step, entry);
        } else {
            close_open(folder);
        }
    }
    if (folder->scanning && !folder->dir && !folder->waiting) {
        folder->scanning = false;
        if (!folder->missed) /* what is no longer there need not be remembered */
            gt_seen_forget(folder->seen);
    }
}

static void start_scan(struct folder *folder)
{
    struct place *root = new_place("", "", 0);
    clear_waiting(folder);
    folder->rescan = false;
    folder->missed = false;
    folder->scanning = true;
    gt_seen_begin(folder->seen);
    add_waiting(folder, root);
}

static void handle_folder_event(struct folder *folder, const struct place *place,
                                const struct inotify_event *event)
{
    if (event->mask & IN_MOVED_FROM) { /* the paths of its watches are wrong from now on */
        drop_watches(folder);
        folder->rescan = true;
    } else if (folder->recursive && place->depth < DEPTH && !ignored(event->name)) {
        add_waiting(folder, new_place(place->path, event->name, place->depth + 1));
    }
}

static void handle_event(struct step *step, const struct inotify_event *event)
{
    struct folder *folder = step->folder;
    char path[PATH_MAX];

    if (event->mask & IN_Q_OVERFLOW) {
        folder->rescan = true;
        return;
    }
    const struct place *place = *find_watch(folder, event->wd);
    if (!place)
        return;
    if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
        folder->rescan = folder->rescan || event->mask & IN_MOVE_SELF;
        drop_watch(folder, event->wd);
    } else if (event->len && event->mask & IN_ISDIR) {
        handle_folder_event(folder, place, event);
    } else if (event->len && event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO) &&
               !ignored(event->name)) {
        if (join(path, place->path, event->name))
            read_file(step, path);
    }
}

/* False when there are no more events for now. */
static bool take_event(struct step *step)
{
    struct folder *folder = step->folder;

    if (folder->events_at == folder->events_len) {
        ssize_t got = read(folder->inotify, folder->events, sizeof folder->events);
        if (got <= 0)
            return false;
        folder->events_at = 0;
        folder->events_len = (size_t)got;
    }
    /* Copied because an event in the buffer need not be aligned for the struct. */
    union {
        struct inotify_event event;
        char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
    } one;
    struct inotify_event *event = &one.event;
    memcpy(event, folder->events + folder->events_at, sizeof *event);
    size_t size = sizeof *event + event->len;
    memcpy(one.bytes, folder->events + folder->events_at, size);
    folder->events_at += size;
    step->entries++;
    handle_event(step, event);
    return true;
}

static int work(struct folder *folder, const struct gt_source_output *out, struct gt_error *err)
{
    struct step step = {.folder = folder, .out = out};
    uint64_t count;

    (void)!read(folder->more, &count, sizeof count);
    folder->trouble.code = 0;
    while (!step_is_full(&step) && folder->inotify >= 0 && take_event(&step))
        ;
    if (folder->rescan && !folder->scanning)
        start_scan(folder);
    scan(&step);
    if (folder->dir || folder->waiting || folder->rescan ||
        folder->events_at < folder->events_len) {
        count = 1;
        (void)!write(folder->more, &count, sizeof count);
    }
    if (folder->trouble.code)
        return gt_fail(err, folder->trouble.code, "%s", folder->trouble.message);
    return step.files ? GT_PARSED : GT_PARSE_UNCHANGED;
}

static int folder_plan(void *self, int64_t now_ms, const struct gt_source_output *out,
                       struct gt_error *err)
{
    struct folder *folder = self;
    folder->rescan = true;
    int code = work(folder, out, err);
    return code < 0 ? code : 0;
}

static int folder_events(void *self, int64_t now_ms, const struct gt_source_output *out,
                         struct gt_error *err)
{
    return work(self, out, err);
}

static int folder_fd(void *self)
{
    return ((struct folder *)self)->epoll;
}

/* A folder has no requests. */
static int folder_parse(void *self, const char *tag, const struct gt_http_response *response,
                        int64_t now_ms, const struct gt_source_output *out, struct gt_error *err)
{
    return gt_fail(err, GT_E_INVALID, "a folder makes no requests");
}

static int folder_save(void *self, struct gt_buffer *ret_cursor, struct gt_error *err)
{
    const struct folder *folder = self;
    int code = gt_seen_append(folder->seen, REMEMBERED, ret_cursor);
    return code < 0 ? gt_fail(err, code, "out of memory for the cursor of a folder") : 0;
}

static void folder_close(void *self)
{
    struct folder *folder = self;
    if (!folder)
        return;
    clear_waiting(folder);
    free_places(folder->watched);
    if (folder->inotify >= 0)
        close(folder->inotify);
    if (folder->more >= 0)
        close(folder->more);
    if (folder->epoll >= 0)
        close(folder->epoll);
    gt_seen_free(folder->seen);
    free(folder->root);
    free(folder);
}

static int add_fd(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_fds(struct folder *folder, struct gt_error *err)
{
    folder->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); /* none left: rescans do */
    folder->more = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    folder->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (folder->more < 0 || folder->epoll < 0 || add_fd(folder->epoll, folder->more) < 0 ||
        (folder->inotify >= 0 && add_fd(folder->epoll, folder->inotify) < 0))
        return gt_fail(err, GT_E_IO,
                       "no file descriptor left for a watched folder: %s; raise the limit "
                       "of open files",
                       strerror(errno));
    return 0;
}

static char *absolute(const struct gt_source_settings *settings, const char *path)
{
    const char *found = settings->config ? gt_config_resolve(settings->config, path) : path;
    char cwd[PATH_MAX], *full = NULL;

    if (!found)
        return NULL;
    if (*found == '/' || !getcwd(cwd, sizeof cwd))
        full = strdup(found);
    else if (asprintf(&full, "%s/%s", cwd, gt_starts_with(found, "./") ? found + 2 : found) < 0)
        return NULL;
    for (size_t len = full ? strlen(full) : 0; len > 1 && full[len - 1] == '/'; len--)
        full[len - 1] = '\0';
    return full;
}

static int folder_open(const struct gt_source_settings *settings, void **ret_self,
                       struct gt_error *err)
{
    const struct options *options = settings->source->options;
    struct folder *folder = calloc(1, sizeof *folder);
    if (!folder)
        return gt_fail(err, GT_E_NOMEM, "out of memory for a watched folder");

    folder->inotify = folder->more = folder->epoll = -1;
    folder->waiting_end = &folder->waiting;
    folder->recursive = options->recursive;
    folder->max_size = settings->source->max_size ? settings->source->max_size : 8u << 20;
    folder->root = absolute(settings, options->path);
    folder->seen = gt_seen_new(KNOWN);
    int code = folder->root && folder->seen
                   ? open_fds(folder, err)
                   : gt_fail(err, GT_E_NOMEM, "out of memory for a watched folder");
    if (!code && settings->cursor)
        code = gt_seen_load(folder->seen, settings->cursor);
    if (code < 0) {
        folder_close(folder);
        return code;
    }
    *ret_self = folder;
    return 0;
}

const struct gt_source gt_source_folder = {
    .name = "folder",
    .kind = &gt_folder_kind,
    .open = folder_open,
    .plan = folder_plan,
    .parse = folder_parse,
    .save = folder_save,
    .close = folder_close,
    .fd = folder_fd,
    .events = folder_events,
};
