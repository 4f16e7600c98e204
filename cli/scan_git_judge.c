#include "cli/scan_git.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX ((size_t)1 << 20) /* of one object */
/* What changed is judged with so much around it, so that a match of up to this length, and what
 * must stand near it, is seen whole. */
#define AROUND ((size_t)4 * 1024)
/* More than so much of an object: all of it. */
#define PART_MAX(len) ((len) / 4 * 3)
/* So far it goes to whole lines, of which much depends: where an encoded text begins, what `^` is.
 * A longer line means all of the object. */
#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define COMPLAINTS_MAX 100
#define TEXT_BYTES ((size_t)8 * 1024)      /* of a start without control characters: no archive */
#define ENCODED_MIN 32                     /* a shorter line is not taken for part of one */
#define HELD_MAX ((size_t)1 * 1024 * 1024) /* longer streams go to the matcher in windows */

struct worker {
    struct gt_scratch *scratch;
    char *bytes; /* HELD_MAX; NULL until a stream needs them */
    struct gt_scan_key *keys;
    size_t key_count, key_capacity;
    bool lost; /* not all of the object's findings are known */
    struct gt_scan_counts counts;
    struct gt_oids commits;
};

struct gt_scan_judge {
    const struct gt_scan_settings *settings;
    const struct gt_git *git;
    struct gt_scan_hits *hits;
    bool list_commits;
    unsigned threads;
    pthread_mutex_t lock; /* of failed */
    struct gt_scan_counts failed;
    struct worker workers[];
};

void gt_scan_git_complain(const struct gt_git *git, const struct gt_oid *oid, const char *what,
                          struct gt_scan_progress *progress, struct gt_scan_counts *counts)
{
    char name[GT_GIT_OID_TEXT] = "";
    if (gt_scan_stopped()) /* Ctrl-C ends git, too */
        return;
    counts->failed++;
    if (counts->failed == COMPLAINTS_MAX + 1)
        fprintf(stderr, "guette scan: there is more of this kind, which is not told\n");
    if (counts->failed > COMPLAINTS_MAX)
        return;
    if (oid)
        gt_git_oid_format(git, oid, name);
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(4096);
    gt_buffer_printf(&line, "guette scan: %s%s%s", oid ? "object " : "", name, oid ? ": " : "");
    gt_scan_put_clean(&line, what);
    gt_scan_progress_pause(progress);
    fprintf(stderr, "%s\n", line.data ? line.data : "");
    gt_scan_progress_resume(progress);
}

static void complain(void *user, const struct gt_oid *oid, const char *what)
{
    struct gt_scan_judge *judge = user;
    pthread_mutex_lock(&judge->lock);
    gt_scan_git_complain(judge->git, oid, what, judge->settings->progress, &judge->failed);
    pthread_mutex_unlock(&judge->lock);
}

struct gt_str gt_scan_git_text(enum gt_git_type type, const char *bytes, size_t len)
{
    const char *gap = type == GT_GIT_BLOB ? NULL : memmem(bytes, len, "\n\n", 2);
    if (type == GT_GIT_BLOB)
        return (struct gt_str){bytes, len};
    return gap ? (struct gt_str){gap + 2, len - (size_t)(gap + 2 - bytes)}
               : (struct gt_str){bytes, 0};
}

/* ---- bytes ---- */

static int on_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    struct worker *worker = user;
    if (worker->key_count == worker->key_capacity) {
        size_t capacity = worker->key_capacity ? 2 * worker->key_capacity : 64;
        void *more = capacity <= KEYS_MAX
                         ? reallocarray(worker->keys, capacity, sizeof *worker->keys)
                         : NULL;
        if (!more)
            return GT_E_LIMIT;
        worker->keys = more;
        worker->key_capacity = capacity;
    }
    gt_scan_key_of(finding, secret, &worker->keys[worker->key_count++]);
    return 0;
}

static void tell_limits(struct gt_scan_judge *judge, struct worker *worker,
                        const struct gt_oid *oid, int rc, const struct gt_match_summary *summary,
                        const struct gt_error *err)
{
    bool cut = summary->gave_up || summary->cut_rule || summary->cut_inside;
    worker->counts.encrypted += summary->encrypted;
    worker->counts.damaged += summary->cut_inside && !summary->gave_up;
    worker->lost |= rc < 0 || cut || summary->encrypted;
    if (rc < 0 && rc != GT_E_LIMIT)
        complain(judge, oid, err->message);
    else if (rc < 0 || summary->gave_up)
        complain(judge, oid, "took too long or has too many findings; some may be missing");
    else if (summary->cut_rule)
        complain(judge, oid,
                 "a rule's pattern backtracks too much here; what it would find may be "
                 "missing");
}

static void match(struct gt_scan_judge *judge, struct worker *worker, const struct gt_oid *oid,
                  const char *bytes, size_t len)
{
    struct gt_document document = {.source = "scan", .key = "", .body = bytes, .body_len = len};
    struct gt_match_summary summary = {0};
    struct gt_error err;
    int rc = gt_match(judge->settings->ruleset, worker->scratch, &document, 0, on_finding, worker,
                      &summary, &err);
    tell_limits(judge, worker, oid, rc, &summary, &err);
}

static bool finish(struct gt_scan_judge *judge, struct worker *worker, const struct gt_oid *oid,
                   enum gt_git_type type)
{
    bool clean = worker->key_count == 0 && !worker->lost;
    gt_scan_hits_add(judge->hits, oid, type, worker->keys, worker->key_count);
    return clean;
}

/* False: it is left out. */
static bool begin(struct gt_scan_judge *judge, struct worker *worker, const struct gt_oid *oid,
                  enum gt_git_type type, uint64_t size)
{
    uint64_t max = judge->settings->max_size;
    worker->key_count = 0;
    worker->lost = false;
    if (type == GT_GIT_COMMIT && judge->list_commits && gt_oids_add(&worker->commits, oid) < 0)
        complain(judge, oid, "out of memory");
    if (max > 0 && size > max) {
        worker->counts.large++;
        return false;
    }
    worker->counts.files++;
    worker->counts.bytes += size;
    gt_scan_progress_add(judge->settings->progress, 1, size, 0);
    return true;
}

/* ---- what changed ---- */

static size_t line_start(const struct gt_git_object *object, size_t at)
{
    size_t from = at > LINE_MAX_BYTES ? at - LINE_MAX_BYTES : 0;
    const char *line = memrchr(object->bytes + from, '\n', at - from);
    return line ? (size_t)(line + 1 - object->bytes) : 0;
}

static size_t line_end(const struct gt_git_object *object, size_t at)
{
    size_t left = object->len - at;
    const char *line =
        memchr(object->bytes + at, '\n', left < LINE_MAX_BYTES ? left : LINE_MAX_BYTES);
    return line ? (size_t)(line + 1 - object->bytes) : object->len;
}

/* One long word: likely a line of base64 or hex. */
static bool is_encoded(const struct gt_git_object *object, size_t start, size_t end)
{
    while (start < end && object->bytes[start] == ' ')
        start++;
    const char *word = object->bytes + start;
    return end - start >= ENCODED_MIN && !memchr(word, ' ', end - start);
}

/* What is encoded cannot be read from its middle: it is taken from the line before it, and up to
 * the line behind it. Returns false when it is too long for that. */
static bool widen_encoded(const struct gt_git_object *object, struct gt_git_span *span)
{
    size_t first = span->start, last = span->end;
    for (bool encoded = true; encoded && span->start > 0;) {
        size_t start = line_start(object, span->start - 1);
        encoded = is_encoded(object, start, span->start - 1);
        span->start = start;
        if (first - start > LINE_MAX_BYTES)
            return false;
    }
    for (bool encoded = true; encoded && span->end < object->len;) {
        size_t end = line_end(object, span->end);
        encoded = is_encoded(object, span->end, end);
        span->end = end;
        if (end - last > LINE_MAX_BYTES)
            return false;
    }
    return true;
}

static bool is_text(const struct gt_git_object *object)
{
    size_t len = object->len < TEXT_BYTES ? object->len : TEXT_BYTES, controls = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)object->bytes[i];
        controls += c < '\t' || (c > '\r' && c < ' ');
    }
    return controls == 0;
}

/* The next run of changes, with what is around. */
static size_t widen(const struct gt_git_object *object, size_t from, struct gt_git_span *ret)
{
    const struct gt_git_span *changes = object->changes;
    size_t start = changes[from].start > AROUND ? changes[from].start - AROUND : 0;
    size_t end = changes[from].end, next = from + 1;
    while (next < object->change_count && changes[next].start <= end + 2 * AROUND)
        end = changes[next++].end;
    end = object->len - end > AROUND ? end + AROUND : object->len;
    *ret = (struct gt_git_span){line_start(object, start), line_end(object, end)};
    if (!widen_encoded(object, ret))
        *ret = (struct gt_git_span){0, object->len};
    return next;
}

static bool is_part(const struct gt_git_object *object)
{
    size_t sum = 0;
    struct gt_git_span span;
    if (!object->changes || object->type != GT_GIT_BLOB || !is_text(object))
        return false;
    for (size_t i = 0; i < object->change_count && sum <= PART_MAX(object->len);
         sum += span.end - span.start)
        i = widen(object, i, &span);
    return sum <= PART_MAX(object->len);
}

/* The rest is what a clean object has, too. False: there is something, and all has to be judged. */
static bool judge_changes(struct gt_scan_judge *judge, struct worker *worker,
                          const struct gt_git_object *object)
{
    struct gt_git_span span;
    for (size_t i = 0; i < object->change_count;) {
        i = widen(object, i, &span);
        match(judge, worker, object->oid, object->bytes + span.start, span.end - span.start);
        if (worker->key_count > 0 || worker->lost)
            return false;
    }
    return true;
}

static bool on_object(void *user, unsigned number, const struct gt_git_object *object)
{
    struct gt_scan_judge *judge = user;
    struct worker *worker = &judge->workers[number];
    if (!begin(judge, worker, object->oid, object->type, object->len))
        return false;
    if (is_part(object) && judge_changes(judge, worker, object))
        return true;
    worker->key_count = 0;
    worker->lost = false;
    struct gt_str text = gt_scan_git_text(object->type, object->bytes, object->len);
    match(judge, worker, object->oid, text.ptr, text.len);
    return finish(judge, worker, object->oid, object->type);
}

/* ---- streams ---- */

struct source {
    struct gt_git_stream *stream;
    bool failed;
};

static ssize_t on_read(void *user, void *to, size_t len)
{
    struct source *source = user;
    ssize_t got = gt_git_stream_read(source->stream, to, len);
    source->failed |= got < 0;
    return got;
}

/* False: it could not be read to its end, and is not what it says. */
static bool judge_stream(struct gt_scan_judge *judge, struct worker *worker,
                         const struct gt_oid *oid, struct gt_git_stream *stream)
{
    struct source source = {.stream = stream};
    struct gt_reader reader = {on_read, NULL, &source};
    struct gt_document document = {.source = "scan", .key = ""};
    struct gt_match_summary summary = {0};
    struct gt_error err;
    int rc = gt_match_stream(judge->settings->ruleset, worker->scratch, &document, &reader, 0,
                             on_finding, worker, &summary, &err);
    if (!source.failed)
        tell_limits(judge, worker, oid, rc, &summary, &err);
    return !source.failed;
}

/* What is short is read first: most of what is not packed. */
static bool judge_whole(struct gt_scan_judge *judge, struct worker *worker,
                        const struct gt_oid *oid, enum gt_git_type type, size_t size,
                        struct gt_git_stream *stream)
{
    size_t have = 0;
    if (!worker->bytes)
        worker->bytes = malloc(HELD_MAX);
    if (!worker->bytes) {
        complain(judge, oid, "out of memory");
        return false;
    }
    while (have < size) {
        ssize_t got = gt_git_stream_read(stream, worker->bytes + have, size - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    struct gt_str text = gt_scan_git_text(type, worker->bytes, size);
    match(judge, worker, oid, text.ptr, text.len);
    return true;
}

static void on_stream(void *user, unsigned number, const struct gt_oid *oid, enum gt_git_type type,
                      uint64_t size, struct gt_git_stream *stream)
{
    struct gt_scan_judge *judge = user;
    struct worker *worker = &judge->workers[number];
    if (!begin(judge, worker, oid, type, size))
        return;
    bool whole = size <= HELD_MAX ? judge_whole(judge, worker, oid, type, (size_t)size, stream)
                                  : judge_stream(judge, worker, oid, stream);
    if (whole)
        finish(judge, worker, oid, type);
}

/* ---- all ---- */

static void on_progress(void *user, uint64_t done, uint64_t total)
{
    struct gt_scan_judge *judge = user;
    gt_scan_progress_expect(judge->settings->progress, total, 0);
}

int gt_scan_judge_new(const struct gt_scan_settings *settings, unsigned threads, bool list_commits,
                      struct gt_scan_judge **ret_judge, struct gt_error *err)
{
    struct gt_scan_judge *judge = calloc(1, sizeof *judge + threads * sizeof *judge->workers);
    if (!judge)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    judge->settings = settings;
    judge->threads = threads;
    judge->list_commits = list_commits;
    pthread_mutex_init(&judge->lock, NULL);
    int rc = 0;
    for (unsigned i = 0; i < threads && rc >= 0; i++)
        rc = gt_scratch_new(settings->ruleset, &judge->workers[i].scratch, err);
    if (rc < 0) {
        gt_scan_judge_free(judge);
        return rc;
    }
    *ret_judge = judge;
    return 0;
}

void gt_scan_judge_free(struct gt_scan_judge *judge)
{
    if (!judge)
        return;
    for (unsigned i = 0; i < judge->threads; i++) {
        gt_scratch_free(judge->workers[i].scratch);
        free(judge->workers[i].bytes);
        free(judge->workers[i].keys);
        gt_oids_free(&judge->workers[i].commits);
    }
    pthread_mutex_destroy(&judge->lock);
    free(judge);
}

int gt_scan_judge_run(struct gt_scan_judge *judge, struct gt_git *git, const struct gt_oids *only,
                      struct gt_scan_hits *hits, struct gt_scan_counts *counts,
                      struct gt_oids *commits, struct gt_error *err)
{
    struct gt_git_visitor visitor = {.user = judge,
                                     .object = on_object,
                                     .stream = on_stream,
                                     .complain = complain,
                                     .progress = on_progress,
                                     .stopped = gt_scan_stopped,
                                     .only = only,
                                     .threads = judge->threads};
    judge->git = git;
    judge->hits = hits;
    int rc = gt_git_visit(git, &visitor, err);
    for (unsigned i = 0; i < judge->threads; i++) {
        struct worker *worker = &judge->workers[i];
        counts->files += worker->counts.files;
        counts->bytes += worker->counts.bytes;
        counts->large += worker->counts.large;
        counts->encrypted += worker->counts.encrypted;
        counts->damaged += worker->counts.damaged;
        for (size_t k = 0; k < worker->commits.count && rc >= 0; k++)
            if (gt_oids_add(commits, &worker->commits.items[k]) < 0)
                rc = gt_fail(err, GT_E_NOMEM, "out of memory for the list of commits");
    }
    counts->failed += judge->failed.failed;
    gt_scan_hits_sort(hits);
    return rc;
}
