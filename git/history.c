#include "git/trees.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES ((size_t)128 * 1024)
#define BRANCHES_MAX 1000
#define NAME_BYTES 1024

/* ---- range ---- */

static int tell_line(struct gt_git *git, const char *const *arguments, int input,
                     struct gt_buffer *line, struct gt_error *err)
{
    struct gt_git_child *child = NULL;
    int rc = gt_git_child_start(git->directory, arguments, input, &child, err);
    if (rc < 0)
        return rc;
    gt_git_child_line(child, '\n', line);
    return gt_git_child_finish(child, err);
}

/* A branch by its name here or at a remote, or any other name that git knows for a commit. */
static int resolve(struct gt_git *git, const char *name, struct gt_buffer *line,
                   struct gt_error *err)
{
    static const char *const forms[] = {"refs/heads/%s^{commit}", "refs/remotes/%s^{commit}",
                                        "refs/remotes/origin/%s^{commit}", "%s^{commit}"};
    char text[NAME_BYTES];
    struct gt_error why;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        GT_BUFFER_AUTO struct gt_buffer form = GT_BUFFER(sizeof text);
        const char *mark = strstr(forms[i], "%s");
        gt_buffer_append(&form, forms[i], (size_t)(mark - forms[i]));
        gt_buffer_puts(&form, name);
        gt_buffer_puts(&form, mark + 2);
        if (!gt_buffer_ok(&form))
            break;
        const char *arguments[] = {"rev-parse",        "--verify", "--quiet",
                                   "--end-of-options", form.data,  NULL};
        if (tell_line(git, arguments, -1, line, &why) == 0 && line->len == 2 * git->hash)
            return 0;
    }
    return gt_fail(err, GT_E_INVALID, "there is no branch \"%s\"", name);
}

/* git takes any text for a date; what it does not understand is now. */
static int check_date(struct gt_git *git, const char *since, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(NAME_BYTES), option = GT_BUFFER(NAME_BYTES);
    gt_buffer_puts(&option, "--since=");
    gt_buffer_puts(&option, since);
    if (!gt_buffer_ok(&option))
        return gt_fail(err, GT_E_INVALID, "\"%.40s...\" is no date", since);
    const char *arguments[] = {"rev-parse", option.data, NULL};
    int rc = tell_line(git, arguments, -1, &line, err);
    if (rc < 0)
        return rc;
    static const char prefix[] = "--max-age=";
    long long when = line.len > sizeof prefix - 1 && gt_starts_with(line.data, prefix)
                         ? strtoll(line.data + sizeof prefix - 1, NULL, 10)
                         : 0;
    if (when <= 0 || when >= (long long)time(NULL) - 2)
        return gt_fail(err, GT_E_INVALID,
                       "\"%s\" is no date in the past; write it as 2024-12-31 or \"2 weeks ago\"",
                       since);
    return 0;
}

int gt_git_check_range(struct gt_git *git, const struct gt_git_range *range, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(NAME_BYTES);
    int rc = range->since ? check_date(git, range->since, err) : 0;
    for (size_t i = 0; i < range->branch_count && rc >= 0; i++)
        rc = resolve(git, range->branches[i], &line, err);
    return rc;
}

static int spool_branches(struct gt_git *git, const struct gt_git_range *range,
                          struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(NAME_BYTES);
    int fd = gt_git_spool(), rc = 0;
    for (size_t i = 0; i < range->branch_count && fd >= 0 && rc >= 0; i++) {
        rc = resolve(git, range->branches[i], &line, err);
        if (rc >= 0)
            rc = gt_buffer_putc(&line, '\n');
        if (rc >= 0)
            rc = gt_git_spool_write(fd, line.data, line.len);
    }
    if (fd >= 0 && rc >= 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return rc < 0 ? rc : gt_fail(err, GT_E_IO, "no temporary file for git");
}

/* ---- commits ---- */

static int read_names(struct gt_git *git, const char *const *arguments, int input,
                      struct gt_oids *ret_oids, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(NAME_BYTES);
    struct gt_git_child *child = NULL;
    struct gt_oids oids = {0};
    struct gt_oid oid;
    int rc = gt_git_child_start(git->directory, arguments, input, &child, err);
    if (rc < 0)
        return rc;
    while (rc >= 0 && gt_git_child_line(child, '\n', &line) == 1) {
        if (line.len != 2 * git->hash || !gt_git_oid_parse(git, line.data, &oid))
            rc = gt_fail(err, GT_E_IO, "git's list of commits is not understood");
        else if (gt_oids_add(&oids, &oid) < 0)
            rc = gt_fail(err, GT_E_NOMEM, "out of memory for the list of commits");
    }
    if (rc >= 0)
        rc = gt_git_child_finish(child, err);
    else
        gt_git_child_free(child);
    if (rc < 0)
        gt_oids_free(&oids);
    else
        *ret_oids = oids;
    return rc;
}

int gt_git_commits(struct gt_git *git, const struct gt_git_range *range, struct gt_oids *ret_oids,
                   struct gt_error *err)
{
    const char *arguments[8] = {"rev-list", "--date-order", "--reverse"};
    size_t count = 3;
    int input = -1;
    GT_BUFFER_AUTO struct gt_buffer since = GT_BUFFER(NAME_BYTES);
    if (range && range->since) {
        gt_buffer_printf(&since, "--since=%s", range->since);
        arguments[count++] = since.data;
    }
    if (range && range->branch_count > 0) {
        input = spool_branches(git, range, err);
        if (input < 0)
            return input;
        arguments[count++] = "--stdin";
    } else {
        arguments[count++] = "--all";
    }
    arguments[count] = NULL;
    int rc = read_names(git, arguments, input, ret_oids, err);
    if (input >= 0)
        close(input);
    return rc;
}

/* ---- changes ---- */

typedef void complain_about(void *user, const struct gt_oid *oid, const char *what);

struct changes {
    struct gt_git *git;
    const struct gt_oids *commits;
    gt_git_change *change;
    void *user;
    size_t at; /* commit that git tells of now; SIZE_MAX: none yet */
};

/* ":MODE... MODE NAME... NAME STATUS", one mode and name more than parents, with a colon a parent
 * in front. The last ones are the result's. */
static bool parse_record(const struct changes *changes, const char *line, size_t len,
                         struct gt_oid *ret_oid)
{
    size_t parents = 0, text = 2 * changes->git->hash;
    while (line[parents] == ':')
        parents++;
    size_t modes = parents + (parents + 1) * 7, names = (parents + 1) * (text + 1);
    if (parents == 0 || len < modes + names + 1)
        return false;
    const char *mode = line + modes - 7, *name = line + modes + names - text - 1;
    bool file = gt_starts_with(mode, "100") || gt_starts_with(mode, "120");
    return file && gt_git_oid_parse(changes->git, name, ret_oid);
}

/* The commit that a line names, if it is the next one or an earlier one. */
static void go_to_commit(struct changes *changes, const char *line, size_t from, size_t to)
{
    struct gt_oid oid;
    if (!gt_git_oid_parse(changes->git, line, &oid))
        return;
    for (size_t i = changes->at == SIZE_MAX ? to : changes->at; i-- > from;) {
        if (memcmp(&changes->commits->items[i], &oid, sizeof oid) == 0) {
            changes->at = i;
            return;
        }
    }
}

static void read_changes(struct changes *changes, struct gt_git_child *child, size_t from,
                         size_t to)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(LINE_BYTES), path = GT_BUFFER(LINE_BYTES);
    struct gt_oid oid;
    while (gt_git_child_line(child, '\0', &line) == 1) {
        if (line.len == 2 * changes->git->hash) {
            go_to_commit(changes, line.data, from, to);
            continue;
        }
        if (line.len == 0 || line.data[0] != ':')
            continue;
        bool file = parse_record(changes, line.data, line.len, &oid);
        if (gt_git_child_line(child, '\0', &path) != 1)
            return;
        if (file && changes->at != SIZE_MAX)
            changes->change(changes->user, changes->at, &oid, path.len ? path.data : "");
    }
}

static int spool_commits(const struct changes *changes, size_t from, size_t to)
{
    int fd = gt_git_spool(), rc = 0;
    char text[GT_GIT_OID_TEXT + 1];
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(LINE_BYTES);
    for (size_t i = to; i-- > from && fd >= 0 && rc >= 0;) {
        gt_git_oid_format(changes->git, &changes->commits->items[i], text);
        gt_buffer_puts(&out, text);
        rc = gt_buffer_putc(&out, '\n');
        if (rc >= 0 && (out.len > LINE_BYTES / 2 || i == from)) {
            rc = gt_git_spool_write(fd, out.data, out.len);
            gt_buffer_reset(&out);
        }
    }
    if (fd >= 0 && rc >= 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One child over commits [from, to). The last comes first: a pack has the newest trees whole and
 * older ones as differences, so that git finds what it needs in its cache. Returns 0, or why it
 * ended early; changes->at tells where. */
static int run_diff(struct changes *changes, size_t from, size_t to, bool *ret_started,
                    struct gt_error *err)
{
    static const char *const arguments[] = {
        "diff-tree",     "--stdin",  "-r",           "-c",          "--root",
        "--raw",         "-z",       "--no-renames", "--no-abbrev", "--no-ext-diff",
        "--no-textconv", "--always", "--no-color",   NULL};
    struct gt_git_child *child = NULL;
    int input = spool_commits(changes, from, to);
    if (input < 0)
        return gt_fail(err, GT_E_IO, "no temporary file for git; is there room in $TMPDIR?");
    int rc = gt_git_child_start(changes->git->directory, arguments, input, &child, err);
    close(input);
    if (rc < 0)
        return rc;
    *ret_started = true;
    changes->at = SIZE_MAX;
    read_changes(changes, child, from, to);
    return gt_git_child_finish(child, err);
}

static int ask_git(struct changes *changes, complain_about *complain, struct gt_error *err)
{
    size_t to = changes->commits->count;
    while (to > 0) {
        struct gt_error why = {0};
        bool started = false;
        int rc = run_diff(changes, 0, to, &started, &why);
        if (!started)
            return gt_fail(err, rc, "%s", why.message);
        if (rc >= 0)
            return 0;
        /* It names a commit once its trees are read. */
        to = changes->at == SIZE_MAX ? to : changes->at;
        if (to > 0)
            complain(changes->user, &changes->commits->items[--to], why.message);
    }
    return 0;
}

/* What git tells of some commits, by their numbers among all. */
struct some {
    size_t *numbers;
    gt_git_change *change;
    void *user;
    complain_about *complain;
};

static void change_of_some(void *user, size_t commit, const struct gt_oid *blob, const char *path)
{
    const struct some *some = user;
    some->change(some->user, some->numbers[commit], blob, path);
}

static void complain_of_some(void *user, const struct gt_oid *oid, const char *what)
{
    const struct some *some = user;
    some->complain(some->user, oid, what);
}

/* Those that the packs tell of; the numbers and names of the others, the last first, are left. */
static int read_packed(struct gt_git *git, const struct gt_oids *commits, size_t from, size_t to,
                       const struct some *some, struct gt_oids *left)
{
    struct gt_trees *trees = git->shallow ? NULL : gt_trees_new(git);
    int rc = 0;
    for (size_t i = to; i-- > from && rc >= 0;) {
        int told =
            trees ? gt_trees_changes(trees, git, &commits->items[i], i, some->change, some->user)
                  : GT_E_NOTFOUND;
        if (told == GT_E_LIMIT)
            some->complain(some->user, &commits->items[i], "its trees have no end");
        if (told >= 0 || told == GT_E_LIMIT)
            continue;
        some->numbers[left->count] = i;
        rc = gt_oids_add(left, &commits->items[i]);
    }
    gt_trees_free(trees);
    return rc;
}

/* The last comes first, in a pack too: older trees are differences of newer ones. */
static void turn_round(struct gt_oids *oids, size_t *numbers)
{
    for (size_t i = 0, k = oids->count; i + 1 < k; i++) {
        k--;
        struct gt_oid oid = oids->items[i];
        size_t number = numbers[i];
        oids->items[i] = oids->items[k];
        numbers[i] = numbers[k];
        oids->items[k] = oid;
        numbers[k] = number;
    }
}

int gt_git_changes(struct gt_git *git, const struct gt_oids *commits, size_t from, size_t to,
                   gt_git_change *change, complain_about *complain, void *user,
                   struct gt_error *err)
{
    struct gt_oids left = {0};
    struct some some = {calloc(to - from + 1, sizeof *some.numbers), change, user, complain};
    int rc = some.numbers ? read_packed(git, commits, from, to, &some, &left) : GT_E_NOMEM;
    if (rc < 0) {
        gt_fail(err, rc, "out of memory for the list of commits");
    } else {
        turn_round(&left, some.numbers);
        struct changes changes = {git, &left, change_of_some, &some, SIZE_MAX};
        rc = ask_git(&changes, complain_of_some, err);
    }
    gt_oids_free(&left);
    free(some.numbers);
    return rc;
}

/* ---- tags ---- */

struct tags {
    struct gt_git *git;
    gt_git_named *named;
    void *user;
    int spool; /* names of what git has to walk */
    bool any;
};

/* "NAME PATH" */
static int take_named(struct tags *tags, const char *line)
{
    struct gt_oid oid;
    size_t text = 2 * tags->git->hash;
    if (strlen(line) < text || !gt_git_oid_parse(tags->git, line, &oid))
        return GT_E_INVALID;
    tags->named(tags->user, &oid, line[text] == ' ' ? line + text + 1 : "");
    return 0;
}

/* "TYPE TARGET'S-TYPE NAME REF". A tag of a commit is all that it is; what a tag of something else
 * leads to is walked. */
static int take_ref(struct tags *tags, const char *line)
{
    const char *name = strchr(line, ' ');
    name = name ? strchr(name + 1, ' ') : NULL;
    if (!name)
        return GT_E_INVALID;
    name++;
    if (gt_starts_with(line, "commit "))
        return 0;
    if (gt_starts_with(line, "tag commit "))
        return take_named(tags, name);
    size_t text = 2 * tags->git->hash;
    if (strlen(name) < text)
        return GT_E_INVALID;
    tags->any = true;
    int rc = gt_git_spool_write(tags->spool, name, text);
    return rc < 0 ? rc : gt_git_spool_write(tags->spool, "\n", 1);
}

static int each_line(struct tags *tags, const char *const *arguments, int input,
                     int (*take)(struct tags *, const char *), struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(LINE_BYTES);
    struct gt_git_child *child = NULL;
    int rc = gt_git_child_start(tags->git->directory, arguments, input, &child, err);
    if (rc < 0)
        return rc;
    while (rc >= 0 && gt_git_child_line(child, '\n', &line) == 1)
        rc = take(tags, line.data ? line.data : "");
    if (rc >= 0)
        return gt_git_child_finish(child, err);
    gt_git_child_free(child);
    return gt_fail(err, rc, "git's list of refs is not understood");
}

int gt_git_tags(struct gt_git *git, gt_git_named *named, void *user, struct gt_error *err)
{
    static const char *const refs[] = {
        "for-each-ref", "--format=%(objecttype) %(*objecttype) %(objectname) %(refname)", NULL};
    static const char *const walk[] = {"rev-list", "--objects", "--no-walk", "--stdin", NULL};
    struct tags tags = {.git = git, .named = named, .user = user, .spool = gt_git_spool()};
    if (tags.spool < 0)
        return gt_fail(err, GT_E_IO, "no temporary file for git; is there room in $TMPDIR?");
    int rc = each_line(&tags, refs, -1, take_ref, err);
    if (rc >= 0 && tags.any && lseek(tags.spool, 0, SEEK_SET) == 0)
        rc = each_line(&tags, walk, tags.spool, take_named, err);
    close(tags.spool);
    return rc;
}
