#include "git/repository.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOT ((size_t)256) /* objects a child is asked for, when several workers share them */
#define LOTS_ALONE 64     /* of these for one worker: fewer children */
#define LINE_BYTES ((size_t)1024)

struct gt_git_stream {
    struct gt_git_child *child;
    uint64_t left;
    bool broken;
};

/* An object that is not as long as git said ends where no line break is. */
ssize_t gt_git_stream_read(struct gt_git_stream *stream, void *to, size_t len)
{
    char end;
    if (len > stream->left)
        len = (size_t)stream->left;
    if (stream->broken)
        return GT_E_IO;
    if (stream->left == 0)
        return 0;
    ssize_t got = gt_git_child_read(stream->child, to, len);
    stream->left -= got > 0 ? (uint64_t)got : 0;
    stream->broken = got <= 0 || (stream->left == 0 &&
                                  (gt_git_child_read(stream->child, &end, 1) != 1 || end != '\n'));
    return stream->broken ? GT_E_IO : got;
}

struct fetch {
    struct gt_git *git;
    const struct gt_git_visitor *visitor;
    const struct gt_oids *oids;
    size_t lot;
    atomic_size_t next;
    pthread_mutex_t lock; /* of err */
    int rc;
    struct gt_error *err;
};

struct fetcher {
    struct fetch *fetch;
    unsigned number;
    pthread_t thread;
    bool started;
};

static int spool_names(const struct fetch *fetch, size_t from, size_t to)
{
    int fd = gt_git_spool(), rc = 0;
    if (fd < 0)
        return -1;
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(LOT * LOTS_ALONE * (GT_GIT_OID_TEXT + 1));
    for (size_t i = from; i < to; i++) {
        char text[GT_GIT_OID_TEXT];
        gt_git_oid_format(fetch->git, &fetch->oids->items[i], text);
        gt_buffer_puts(&out, text);
        gt_buffer_putc(&out, '\n');
    }
    rc = gt_buffer_ok(&out) ? gt_git_spool_write(fd, out.data, out.len) : GT_E_NOMEM;
    if (rc < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int start(const struct fetch *fetch, size_t from, size_t to, struct gt_git_child **ret_child,
                 struct gt_error *err)
{
    static const char *const arguments[] = {"cat-file", "--batch", "--buffer", NULL};
    int fd = spool_names(fetch, from, to);
    if (fd < 0)
        return gt_fail(err, GT_E_IO, "no temporary file for git; is there room in $TMPDIR?");
    int rc = gt_git_child_start(fetch->git->directory, arguments, fd, ret_child, err);
    close(fd);
    return rc;
}

/* "NAME TYPE SIZE"; what is not there is "NAME missing". */
static int parse_answer(const struct gt_git *git, const char *line, const struct gt_oid *asked,
                        enum gt_git_type *ret_type, uint64_t *ret_size)
{
    static const char *const types[] = {[GT_GIT_COMMIT] = "commit ",
                                        [GT_GIT_TREE] = "tree ",
                                        [GT_GIT_BLOB] = "blob ",
                                        [GT_GIT_TAG] = "tag "};
    struct gt_oid oid;
    if (strlen(line) < 2 * git->hash + 2 || !gt_git_oid_parse(git, line, &oid) ||
        memcmp(&oid, asked, sizeof oid) != 0)
        return GT_E_INVALID;
    const char *rest = line + 2 * git->hash + 1;
    for (int i = GT_GIT_COMMIT; i <= GT_GIT_TAG; i++) {
        if (!gt_starts_with(rest, types[i]))
            continue;
        char *end;
        *ret_type = (enum gt_git_type)i;
        *ret_size = strtoull(rest + strlen(types[i]), &end, 10);
        return *end ? GT_E_INVALID : 0;
    }
    return GT_E_NOTFOUND;
}

/* Reads to the object's end and its line break. False: it is not what git said. */
static bool skip_rest(struct gt_git_stream *stream, bool empty)
{
    char waste[16 * 1024];
    while (stream->left > 0)
        if (gt_git_stream_read(stream, waste, sizeof waste) <= 0)
            return false;
    return !stream->broken && (!empty || gt_git_child_read(stream->child, waste, 1) == 1);
}

enum taken { TAKEN, LOST, NOT_REACHED };

static bool is_stopped(const struct gt_git_visitor *visitor)
{
    return visitor->stopped && visitor->stopped();
}

static enum taken take_object(struct fetcher *fetcher, struct gt_git_child *child,
                              const struct gt_oid *oid, struct gt_buffer *line)
{
    const struct gt_git_visitor *visitor = fetcher->fetch->visitor;
    enum gt_git_type type = GT_GIT_BLOB;
    struct gt_git_stream stream = {.child = child};
    if (gt_git_child_line(child, '\n', line) != 1)
        return NOT_REACHED;
    int rc =
        parse_answer(fetcher->fetch->git, line->data ? line->data : "", oid, &type, &stream.left);
    if (rc == GT_E_NOTFOUND) {
        visitor->complain(visitor->user, oid, "is missing or damaged");
        return TAKEN;
    }
    if (rc < 0)
        return NOT_REACHED;
    bool empty = stream.left == 0;
    if (type != GT_GIT_TREE)
        visitor->stream(visitor->user, fetcher->number, oid, type, stream.left, &stream);
    return skip_rest(&stream, empty) ? TAKEN : LOST;
}

/* git dies of a damaged object, or gives less of it than it said: that one is named, and another
 * child does the rest. One that was not reached is to blame only if it is a child's first. */
static int do_lot(struct fetcher *fetcher, size_t from, size_t to, struct gt_error *err)
{
    const struct fetch *fetch = fetcher->fetch;
    const struct gt_git_visitor *visitor = fetch->visitor;
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(LINE_BYTES);
    while (from < to) {
        struct gt_git_child *child = NULL;
        struct gt_error why = {0};
        enum taken taken = TAKEN;
        size_t first = from;
        int rc = start(fetch, from, to, &child, err);
        if (rc < 0)
            return rc;
        while (from < to && !is_stopped(visitor) &&
               (taken = take_object(fetcher, child, &fetch->oids->items[from], &line)) == TAKEN)
            from++;
        rc = gt_git_child_finish(child, &why);
        if (is_stopped(visitor) || (from == to && rc == 0))
            return 0;
        if (taken == NOT_REACHED && from > first)
            continue;
        visitor->complain(visitor->user, from < to ? &fetch->oids->items[from] : NULL,
                          rc < 0 ? why.message : "is not as long as it says");
        from++;
    }
    return 0;
}

static void *work(void *user)
{
    struct fetcher *fetcher = user;
    struct fetch *fetch = fetcher->fetch;
    for (;;) {
        size_t from = atomic_fetch_add(&fetch->next, fetch->lot);
        if (from >= fetch->oids->count || is_stopped(fetch->visitor))
            return NULL;
        size_t left = fetch->oids->count - from;
        struct gt_error err = {0};
        int rc = do_lot(fetcher, from, from + (left < fetch->lot ? left : fetch->lot), &err);
        if (rc >= 0)
            continue;
        pthread_mutex_lock(&fetch->lock);
        if (fetch->rc >= 0)
            fetch->rc = gt_fail(fetch->err, rc, "%s", err.message);
        pthread_mutex_unlock(&fetch->lock);
        return NULL;
    }
}

int gt_git_fetch(struct gt_git *git, const struct gt_oids *oids,
                 const struct gt_git_visitor *visitor, struct gt_error *err)
{
    unsigned threads = visitor->threads;
    struct fetcher *fetchers = calloc(threads, sizeof *fetchers);
    if (!fetchers)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    struct fetch fetch = {.git = git,
                          .visitor = visitor,
                          .oids = oids,
                          .lot = threads > 1 ? LOT : LOT * LOTS_ALONE,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .err = err};
    for (unsigned i = 0; i < threads; i++) {
        fetchers[i] = (struct fetcher){.fetch = &fetch, .number = i};
        if (i > 0 && i * fetch.lot < oids->count)
            fetchers[i].started =
                pthread_create(&fetchers[i].thread, NULL, work, &fetchers[i]) == 0;
    }
    work(&fetchers[0]);
    for (unsigned i = 0; i < threads; i++)
        if (fetchers[i].started)
            pthread_join(fetchers[i].thread, NULL);
    free(fetchers);
    return fetch.rc;
}
