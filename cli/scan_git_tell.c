#include "cli/scan_git.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)1000) /* of a name or subject */
#define HEAD_MAX ((size_t)64 * 1024)

/* ---- who and when ---- */

static char *copy(struct gt_str text)
{
    return text.len ? strndup(text.ptr, text.len < TEXT_MAX ? text.len : TEXT_MAX) : NULL;
}

/* RFC 3339 of "SECONDS +HHMM", in that zone. */
static char *date_of(struct gt_str text)
{
    char number[64], *rest, *date = NULL;
    if (text.len >= sizeof number)
        return NULL;
    memcpy(number, text.ptr, text.len);
    number[text.len] = '\0';
    long long seconds = strtoll(number, &rest, 10);
    long zone = strtol(rest, NULL, 10);
    long minutes = zone / 100 * 60 + zone % 100;
    if (seconds <= 0 || seconds > 253402214400 || zone < -1400 || zone > 1400 || minutes % 60 > 59)
        return NULL;
    time_t local = (time_t)(seconds + minutes * 60);
    struct tm tm;
    char day[32];
    if (!gmtime_r(&local, &tm) || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return NULL;
    long size = minutes < 0 ? -minutes : minutes;
    if (asprintf(&date, "%s%c%02ld:%02ld", day, minutes < 0 ? '-' : '+', size / 60, size % 60) < 0)
        return NULL;
    return date;
}

/* "NAME <EMAIL> SECONDS ZONE" */
static void parse_person(struct gt_str line, struct gt_scan_maker *maker)
{
    const char *open = memchr(line.ptr, '<', line.len);
    const char *shut = memrchr(line.ptr, '>', line.len);
    if (!open || !shut || shut < open)
        return;
    struct gt_str name = {line.ptr, (size_t)(open - line.ptr)};
    struct gt_str email = {open + 1, (size_t)(shut - open - 1)};
    struct gt_str rest = {shut + 1, line.len - (size_t)(shut + 1 - line.ptr)};
    maker->author = copy(gt_str_trim(name));
    maker->email = copy(gt_str_trim(email));
    maker->date = date_of(gt_str_trim(rest));
}

void gt_scan_maker_parse(const char *object, size_t len, struct gt_scan_maker *ret_maker)
{
    static const char *const heads[] = {"author ", "tagger "};
    struct gt_scan_maker maker = {0};
    const char *at = object, *end = object + len;
    while (at < end && *at != '\n') {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        for (size_t i = 0; i < 2; i++)
            if ((size_t)(stop - at) > 7 && memcmp(at, heads[i], 7) == 0 && !maker.author)
                parse_person((struct gt_str){at + 7, (size_t)(stop - at - 7)}, &maker);
        at = stop < end ? stop + 1 : end;
    }
    at = at < end ? at + 1 : end;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    maker.subject = copy((struct gt_str){at, (size_t)((stop ? stop : end) - at)});
    *ret_maker = maker;
}

void gt_scan_maker_free(struct gt_scan_maker *maker)
{
    free(maker->author);
    free(maker->email);
    free(maker->date);
    free(maker->subject);
    *maker = (struct gt_scan_maker){0};
}

/* ---- reading again ---- */

struct telling {
    struct gt_git *git;
    const struct gt_scan_walk *walk;
    const struct gt_scan_hits *hits;
    const struct gt_scan_places *places;
    const struct gt_oids *commits;
    struct gt_scan_counts *counts;

    /* Commits and tags that made something, in the order of their first place. */
    struct gt_oids names;
    struct gt_scan_maker *makers; /* one a name */
    size_t *maker_of;             /* per place; SIZE_MAX: none */
    size_t at;                    /* name or place that is read next */
};

static void complain(void *user, const struct gt_oid *oid, const char *what)
{
    struct telling *telling = user;
    gt_scan_git_complain(telling->git, oid, what, telling->walk->settings->progress,
                         telling->counts);
}

static const struct gt_scan_hit *hit_of(const struct telling *telling, size_t place)
{
    return &telling->hits->items[telling->places->items[place].hit];
}

/* The commit that brought it, or the tag that it is; NULL: none is known. */
static const struct gt_oid *maker_name(const struct telling *telling, size_t place)
{
    uint32_t commit = telling->places->items[place].commit;
    if (commit != GT_GIT_NO_COMMIT)
        return &telling->commits->items[commit];
    const struct gt_scan_hit *hit = hit_of(telling, place);
    return hit->type == GT_GIT_BLOB ? NULL : &hit->oid;
}

static size_t read_some(struct gt_git_stream *stream, char *to, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t got = gt_git_stream_read(stream, to + have, len - have);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    return have;
}

static void on_maker(void *user, unsigned worker, const struct gt_oid *oid, enum gt_git_type type,
                     uint64_t size, struct gt_git_stream *stream)
{
    struct telling *telling = user;
    char *head = malloc(HEAD_MAX);
    while (telling->at < telling->names.count &&
           memcmp(&telling->names.items[telling->at], oid, sizeof *oid) != 0)
        telling->at++;
    if (!head || telling->at == telling->names.count) {
        free(head);
        return;
    }
    size_t len = read_some(stream, head, HEAD_MAX);
    gt_scan_maker_parse(head, len, &telling->makers[telling->at++]);
    free(head);
}

static int read_makers(struct telling *telling, struct gt_error *err)
{
    struct gt_git_visitor visitor = {
        .user = telling, .stream = on_maker, .complain = complain, .threads = 1};
    size_t count = telling->places->count;
    telling->maker_of = calloc(count + 1, sizeof *telling->maker_of);
    for (size_t i = 0; i < count && telling->maker_of; i++) {
        const struct gt_oid *name = maker_name(telling, i);
        size_t last = telling->names.count;
        telling->maker_of[i] = SIZE_MAX;
        if (!name)
            continue;
        if (last == 0 || memcmp(&telling->names.items[last - 1], name, sizeof *name) != 0)
            if (gt_oids_add(&telling->names, name) < 0)
                return gt_fail(err, GT_E_NOMEM, "out of memory for the findings");
        telling->maker_of[i] = telling->names.count - 1;
    }
    telling->makers = calloc(telling->names.count + 1, sizeof *telling->makers);
    if (!telling->makers || !telling->maker_of)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the findings");
    return gt_git_fetch(telling->git, &telling->names, &visitor, err);
}

/* ---- telling ---- */

static struct gt_scan_origin origin_of(const struct telling *telling, size_t place,
                                       char ret_name[GT_GIT_OID_TEXT])
{
    size_t number = telling->maker_of[place];
    struct gt_scan_origin origin = {.path = telling->places->items[place].name};
    if (number == SIZE_MAX)
        return origin;
    const struct gt_scan_maker *maker = &telling->makers[number];
    gt_git_oid_format(telling->git, &telling->names.items[number], ret_name);
    origin.commit = ret_name;
    origin.author = maker->author;
    origin.email = maker->email;
    origin.date = maker->date;
    origin.subject = maker->subject;
    return origin;
}

/* What is too large to be held goes into a file. */
static int spool(struct gt_git_stream *stream)
{
    char *buffer = malloc(HEAD_MAX);
    int fd = buffer ? gt_git_spool() : -1, rc = 0;
    for (size_t len; fd >= 0 && rc >= 0 && (len = read_some(stream, buffer, HEAD_MAX)) > 0;)
        rc = gt_git_spool_write(fd, buffer, len);
    free(buffer);
    if (fd >= 0 && (rc < 0 || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void push(struct telling *telling, size_t place, enum gt_git_type type, uint64_t size,
                 struct gt_git_stream *stream)
{
    const struct gt_scan_place *p = &telling->places->items[place];
    char name[GT_GIT_OID_TEXT];
    struct gt_scan_origin origin = origin_of(telling, place, name);
    struct gt_scan_keys only = {telling->places->keys + p->keys, p->key_count};
    if (gt_scan_ignores_file(telling->walk->settings->ignores, p->name)) {
        telling->counts->ignored += p->key_count;
        return;
    }
    if (size > GT_SCAN_WINDOW) {
        int fd = spool(stream);
        if (fd < 0)
            complain(telling, &hit_of(telling, place)->oid, "no room for it in $TMPDIR");
        else
            gt_scan_pool_push_again(telling->walk->pool, &origin, NULL, 0, fd, only);
        return;
    }
    char *bytes = malloc((size_t)size + 1);
    if (!bytes) {
        complain(telling, &hit_of(telling, place)->oid, "out of memory");
        return;
    }
    struct gt_str text = gt_scan_git_text(type, bytes, read_some(stream, bytes, (size_t)size));
    memmove(bytes, text.ptr, text.len);
    gt_scan_pool_push_again(telling->walk->pool, &origin, bytes, text.len, -1, only);
}

static void on_object(void *user, unsigned worker, const struct gt_oid *oid, enum gt_git_type type,
                      uint64_t size, struct gt_git_stream *stream)
{
    struct telling *telling = user;
    while (telling->at < telling->places->count &&
           memcmp(&hit_of(telling, telling->at)->oid, oid, sizeof *oid) != 0)
        telling->at++;
    if (telling->at < telling->places->count)
        push(telling, telling->at++, type, size, stream);
}

static int push_all(struct telling *telling, struct gt_error *err)
{
    struct gt_git_visitor visitor = {.user = telling,
                                     .stream = on_object,
                                     .complain = complain,
                                     .stopped = gt_scan_stopped,
                                     .threads = 1};
    struct gt_oids objects = {0};
    int rc = 0;
    for (size_t i = 0; i < telling->places->count && rc >= 0; i++)
        rc = gt_oids_add(&objects, &hit_of(telling, i)->oid);
    telling->at = 0;
    rc = rc < 0 ? gt_fail(err, rc, "out of memory for the findings")
                : gt_git_fetch(telling->git, &objects, &visitor, err);
    gt_oids_free(&objects);
    return rc;
}

int gt_scan_git_tell(struct gt_git *git, const struct gt_scan_walk *walk,
                     const struct gt_scan_hits *hits, const struct gt_scan_places *places,
                     const struct gt_oids *commits, struct gt_scan_counts *counts,
                     struct gt_error *err)
{
    struct telling telling = {git, walk, hits, places, commits, counts};
    int rc = read_makers(&telling, err);
    if (rc >= 0)
        rc = push_all(&telling, err);
    for (size_t i = 0; i < telling.names.count && telling.makers; i++)
        gt_scan_maker_free(&telling.makers[i]);
    free(telling.makers);
    free(telling.maker_of);
    gt_oids_free(&telling.names);
    return rc;
}
