/* A watched folder: what is dropped in becomes a document, once. */
#include "rig.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct options { /* as in sources/folder.c */
    const char *path;
    bool recursive;
};

static struct options options;
static char *folder;

static int make_folder(void **state)
{
    folder = rig_folder();
    options = (struct options){folder, true};
    return 0;
}

static int remove_folder(void **state)
{
    rig_remove(folder);
    free(folder);
    return 0;
}

static void drop(const char *name, const char *text)
{
    rig_write(folder, name, text, strlen(text));
}

static struct rig *open_folder(const char *cursor)
{
    return rig_new(&gt_source_folder, &options, cursor);
}

/* Handles events until the source has no more work. */
static int work(struct rig *rig)
{
    struct pollfd fd = {.fd = gt_source_folder.fd(rig->self), .events = POLLIN};
    int code = GT_PARSE_UNCHANGED;
    while (poll(&fd, 1, 0) > 0) {
        int one = rig_events(rig);
        code = one < 0 ? one : code;
    }
    return code;
}

static int scan(struct rig *rig)
{
    int code = rig_plan(rig);
    int more = work(rig);
    return code < 0 ? code : more < 0 ? more : 0;
}

static void a_link_names_where_the_file_lies(void **state)
{
    char roundabout[256], expected[256];
    drop("a.txt", "one");
    snprintf(roundabout, sizeof roundabout, "%s/../%s", folder, strrchr(folder, '/') + 1);
    snprintf(expected, sizeof expected, "file://%s/a.txt", folder);
    options.path = roundabout;
    struct rig *rig = open_folder(NULL);
    assert_int_equal(scan(rig), 0);
    assert_int_equal(rig->count, 1);
    assert_string_equal(rig->documents[0].url, expected);
    rig_free(rig);
}

static void files_there_and_dropped_later_are_read_once(void **state)
{
    drop("a.txt", "one");
    struct rig *rig = open_folder(NULL);
    assert_int_equal(scan(rig), 0);
    assert_int_equal(rig->count, 1);
    assert_string_equal(rig->documents[0].key, "a.txt");
    assert_true(gt_starts_with(rig->documents[0].url, "file:///tmp/"));
    drop("b.txt", "two");
    work(rig);
    assert_int_equal(rig->count, 2);
    assert_int_equal(scan(rig), 0);
    assert_int_equal(rig->count, 2);
    rig_save(rig);
    rig = rig_again(rig);
    scan(rig);
    assert_int_equal(rig->count, 0);
    drop("a.txt", "one, changed");
    work(rig);
    assert_int_equal(rig->count, 1);
    assert_true(rig_body_has(&rig->documents[0], "changed"));
    rig_free(rig);
}

static void moved_in_files_and_new_subfolders_are_seen(void **state)
{
    char from[256], to[256];
    struct rig *rig = open_folder(NULL);
    scan(rig);
    snprintf(from, sizeof from, "%s/.hidden", folder);
    snprintf(to, sizeof to, "%s/shown.txt", folder);
    drop(".hidden", "moved");
    work(rig);
    assert_int_equal(rig->count, 0);
    assert_int_equal(rename(from, to), 0);
    work(rig);
    assert_int_equal(rig->count, 1);
    snprintf(to, sizeof to, "%s/sub", folder);
    assert_int_equal(mkdir(to, 0700), 0);
    drop("sub/early.txt", "early"); /* before the folder is watched */
    work(rig);
    drop("sub/late.txt", "late");
    work(rig);
    assert_non_null(rig_find(rig, "sub/early.txt"));
    assert_non_null(rig_find(rig, "sub/late.txt"));
    snprintf(from, sizeof from, "%s/renamed", folder);
    assert_int_equal(rename(to, from), 0);
    work(rig);
    assert_non_null(rig_find(rig, "renamed/early.txt"));
    drop("renamed/x.txt", "after the renaming");
    work(rig);
    assert_non_null(rig_find(rig, "renamed/x.txt"));
    rig_free(rig);
}

static void what_is_no_plain_file_is_left_alone(void **state)
{
    char path[256];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/link", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/linked", folder);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    drop("note~", "x");
    drop("a.swp", "x");
    drop("a.part", "x");
    drop("empty", "");
    drop("good", "x");
    struct rig *rig = open_folder(NULL);
    assert_int_equal(scan(rig), 0);
    assert_int_equal(rig->count, 1);
    assert_string_equal(rig->documents[0].key, "good");
    close(listener);
    rig_free(rig);
}

static void a_large_file_is_read_up_to_the_limit_and_says_so(void **state)
{
    struct rig *rig = open_folder(NULL);
    rig_free(rig);
    char *bytes = calloc(1, 300000);
    assert_non_null(bytes);
    memset(bytes, 'x', 300000);
    rig_write(folder, "big", bytes, 300000);
    rig_write(folder, "binary", "\0\xFF\0", 3);
    free(bytes);
    rig = open_folder(NULL);
    rig->source->close(rig->self);
    rig->config.max_size = 1000;
    const struct gt_source_settings settings = {NULL, &rig->config, NULL};
    assert_int_equal(gt_source_folder.open(&settings, &rig->self, NULL), 0);
    assert_int_equal(scan(rig), 0);
    const struct gt_document *big = rig_find(rig, "big");
    assert_non_null(big);
    assert_int_equal(big->body_len, 1000);
    assert_string_equal(big->title, "big (first 1000 of 300000 bytes)");
    assert_int_equal(rig_find(rig, "binary")->body_len, 3);
    rig_free(rig);
}

static void a_missing_folder_fails_and_is_found_later(void **state)
{
    rig_remove(folder);
    struct rig *rig = open_folder(NULL);
    assert_int_equal(scan(rig), GT_E_IO);
    assert_non_null(strstr(rig->err.message, "create the folder"));
    assert_int_equal(mkdir(folder, 0700), 0);
    drop("a", "x");
    assert_int_equal(scan(rig), 0);
    assert_int_equal(rig->count, 1);
    rig_remove(folder); /* again, while it is watched */
    work(rig);
    assert_int_equal(scan(rig), GT_E_IO);
    assert_int_equal(mkdir(folder, 0700), 0);
    drop("b", "y");
    assert_int_equal(scan(rig), 0);
    assert_non_null(rig_find(rig, "b"));
    drop("c", "z");
    work(rig);
    assert_non_null(rig_find(rig, "c"));
    rig_free(rig);
}

/* Root reads everything, so it lays that down for a while. */
static void an_unreadable_file_is_told_and_tried_again(void **state)
{
    char path[256];
    drop("secret", "x");
    drop("good", "y");
    snprintf(path, sizeof path, "%s/secret", folder);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    struct rig *rig = open_folder(NULL);
    uid_t me = geteuid();
    if (me == 0)
        assert_int_equal(seteuid(65534), 0);
    int code = scan(rig);
    if (me == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(code, GT_E_IO);
    assert_non_null(strstr(rig->err.message, "secret"));
    assert_int_equal(rig->count, 1);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(scan(rig), 0);
    assert_int_equal(rig->count, 2);
    rig_free(rig);
}

static void a_file_not_taken_is_read_again(void **state)
{
    drop("a", "x");
    drop("b", "y");
    struct rig *rig = open_folder(NULL);
    rig->room = 1;
    assert_int_equal(scan(rig), GT_E_FULL);
    rig_save(rig);
    const char *first = rig->documents[0].key[0] == 'a' ? "a" : "b";
    rig = rig_again(rig);
    assert_int_equal(scan(rig), 0);
    assert_int_equal(rig->count, 1);
    assert_string_not_equal(rig->documents[0].key, first);
    rig_free(rig);
}

/* In steps, so that neither the loop nor memory suffers; and the cursor stays small. */
static void many_files_are_read_in_steps(void **state)
{
    for (int i = 0; i < 1500; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d", i);
        drop(name, name);
    }
    struct rig *rig = open_folder(NULL);
    assert_int_equal(rig_plan(rig), 0);
    assert_true(rig->count > 0 && rig->count < 500);
    work(rig);
    assert_int_equal(rig->count, 1500);
    rig_save(rig);
    assert_true(strlen(rig->cursor) < 1500 * 11 + 16);
    for (int i = 0; i < 1500; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/f%d", folder, i);
        unlink(path);
    }
    scan(rig);
    rig_save(rig);
    assert_string_equal(rig->cursor, ""); /* files that went are forgotten */
    rig_free(rig);
}

static void subfolders_are_left_alone_when_asked(void **state)
{
    char path[256];
    options.recursive = false;
    snprintf(path, sizeof path, "%s/sub", folder);
    mkdir(path, 0700);
    drop("sub/a", "x");
    drop("b", "y");
    struct rig *rig = open_folder(NULL);
    scan(rig);
    assert_int_equal(rig->count, 1);
    rig_free(rig);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_link_names_where_the_file_lies),
        IN_FOLDER(files_there_and_dropped_later_are_read_once),
        IN_FOLDER(moved_in_files_and_new_subfolders_are_seen),
        IN_FOLDER(what_is_no_plain_file_is_left_alone),
        IN_FOLDER(a_large_file_is_read_up_to_the_limit_and_says_so),
        IN_FOLDER(a_missing_folder_fails_and_is_found_later),
        IN_FOLDER(an_unreadable_file_is_told_and_tried_again),
        IN_FOLDER(a_file_not_taken_is_read_again),
        IN_FOLDER(many_files_are_read_in_steps),
        IN_FOLDER(subfolders_are_left_alone_when_asked),
    };
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
