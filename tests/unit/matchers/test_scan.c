/* `guette scan` itself: files, folders, windows of long files, order, exit codes. */
#include "cli/cli.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The parts of the command line that main.c gives it. */
struct gt_config *gt_cli_config(const char *path)
{
    return NULL;
}

int gt_cli_usage(const char *command, const char *format, ...)
{
    return GT_EXIT_USAGE;
}

bool gt_cli_colour(void)
{
    return false;
}

static char home[] = "/tmp/guette-test-XXXXXX";
#define WINDOW ((size_t)16 * 1024 * 1024)
#define OUT_MAX ((size_t)16 * 1024 * 1024)

static const char rules[] =
    "provider: Testco\nrules:\n"
    "  - {id: testco.token, name: Token, severity: high, confidence: likely, keywords: [tco_],\n"
    "     regex: '\\btco_[0-9]{8,32}\\b', revoke: Revoke it., examples: [tco_01234567]}\n";

static const char *in_home(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", home, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    assert_int_equal(gt_file_write(in_home(name), text, strlen(text), 0600, NULL), 0);
}

/* Runs `guette scan --rules HOME/rules ARGUMENTS`; gives the exit code and what it printed. */
static int scan(struct gt_buffer *out, const char *const *arguments)
{
    char *argv[32] = {(char[]){"scan"}, (char[]){"--rules"}};
    char rules_path[256];
    int argc = 2, saved = dup(STDOUT_FILENO), saved_errors = dup(STDERR_FILENO);
    snprintf(rules_path, sizeof rules_path, "%s", in_home("rules"));
    argv[argc++] = rules_path;
    for (; *arguments; arguments++)
        argv[argc++] = strdup(*arguments);
    fflush(stdout);
    fflush(stderr);
    int fd = open(in_home("out"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    int code = gt_command_scan.run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(saved, STDOUT_FILENO);
    dup2(saved_errors, STDERR_FILENO);
    close(saved);
    close(saved_errors);
    close(fd);
    for (int i = 3; i < argc; i++)
        free(argv[i]);
    *out = GT_BUFFER(OUT_MAX);
    assert_int_equal(gt_file_read(in_home("out"), out, NULL), 0);
    if (!out->data)
        gt_buffer_puts(out, "");
    return code;
}

#define SCAN(out, ...) scan(out, (const char *const[]){__VA_ARGS__, NULL})

static size_t count(const char *text, const char *piece)
{
    size_t found = 0;
    for (; (text = strstr(text, piece)); text++)
        found++;
    return found;
}

static int make_home(void **state)
{
    assert_non_null(mkdtemp(home));
    setenv("XDG_CACHE_HOME", home, 1);
    setenv("XDG_CONFIG_HOME", home, 1);
    unsetenv("GUETTE_FINGERPRINT_KEY");
    static const char *const folders[] = {"rules", "files", "files/.git", "files/deep", "empty"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(in_home(folders[i]), 0700), 0);
    write_file("rules/r.yaml", rules);
    write_file("files/a.txt", "first\nk = tco_00000001\n");
    write_file("files/.git/b", "tco_00000002");
    write_file("files/deep/c\x1b[2J", "tco_00000003 tco_00000004");
    write_file("files/deep/nothing", "");
    assert_int_equal(symlink("/etc/passwd", in_home("files/link")), 0);
    assert_int_equal(mkfifo(in_home("files/pipe"), 0600), 0);
    return 0;
}

static int remove_home(void **state)
{
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", home);
    return system(command);
}

static void folders(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer out = {0};
    assert_int_equal(SCAN(&out, in_home("files")), 1);
    assert_int_equal(count(out.data, "testco.token"), 4);
    assert_non_null(strstr(out.data, "a.txt:2:5"));
    assert_null(strchr(out.data, '\x1b'));
    assert_null(strstr(out.data, "tco_00000001"));
    assert_non_null(strstr(out.data, "1 symbolic link, 1 device, socket or pipe"));
    assert_non_null(strstr(out.data, "4 findings (4 high) in 3 of 4 files"));
    const char *first = strstr(out.data, "/.git/"), *second = strstr(out.data, "a.txt");
    assert_true(first && second && first < second);
}

static void exit_codes(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer out = {0};
    assert_int_equal(SCAN(&out, in_home("empty")), 0);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, in_home("files/a.txt")), 1);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, in_home("no-such-file"), in_home("files/a.txt")), 2);
    assert_non_null(strstr(out.data, "no-such-file: No such file"));
    assert_int_equal(count(out.data, "testco.token"), 1);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, "/dev/null"), 2);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, in_home("files/pipe")), 2);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, "--format", "xml", in_home("empty")), 2);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, "--threads", "0", in_home("empty")), 2);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, "--unknown", in_home("empty")), 2);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, "--format", "table"), 2);
    gt_buffer_free(&out);
    assert_int_equal(SCAN(&out, "--max-size", "10", in_home("files")), 0);
    assert_non_null(strstr(out.data, "3 larger files"));
}

static void json_lines(void **state)
{
    static const char *const keys[] = {"rule",        "provider",   "category", "severity",
                                       "confidence",  "path",       "secret",   "title",
                                       "fingerprint", "remediation"};
    GT_BUFFER_AUTO struct gt_buffer out = {0};
    assert_int_equal(SCAN(&out, "--format", "jsonl", in_home("files/a.txt")), 1);
    GT_JSON_AUTO json_t *object = gt_json_parse(out.data, out.len, NULL);
    assert_non_null(object);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(gt_json_string(object, keys[i], NULL));
    assert_int_equal(gt_json_int(object, "line", 0), 2);
    assert_int_equal(gt_json_int(object, "column", 0), 5);
    /* The user's own key was made: the same secret has the same fingerprint the next time. */
    GT_BUFFER_AUTO struct gt_buffer again = {0};
    assert_int_equal(SCAN(&again, "--format", "jsonl", in_home("files/a.txt")), 1);
    assert_string_equal(out.data, again.data);
    struct stat st;
    assert_int_equal(stat(in_home("guette/fingerprint.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void standard_input(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer out = {0};
    int saved = dup(STDIN_FILENO), fd = open(in_home("files/a.txt"), O_RDONLY);
    dup2(fd, STDIN_FILENO);
    int code = SCAN(&out, "-");
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(fd);
    assert_int_equal(code, 1);
    assert_int_equal(count(out.data, "-:2:5"), 1);
}

/* The same output whatever the number of threads. */
static void any_number_of_threads(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer one = {0};
    GT_BUFFER_AUTO struct gt_buffer four = {0};
    assert_int_equal(mkdir(in_home("many"), 0700), 0);
    for (unsigned i = 0; i < 300; i++) {
        char name[64], text[4000] = "";
        snprintf(name, sizeof name, "many/%03u", i);
        for (unsigned k = 0; k < i % 7; k++)
            sprintf(text + strlen(text), "line %u tco_%08u\n", k, i * 10 + k);
        write_file(name, text);
    }
    assert_int_equal(SCAN(&one, "--format", "jsonl", "--threads", "1", in_home("many")), 1);
    assert_int_equal(SCAN(&four, "--format", "jsonl", "--threads", "4", in_home("many")), 1);
    assert_int_equal(count(one.data, "testco.token"), 42 * (1 + 2 + 3 + 4 + 5 + 6) + 15);
    assert_string_equal(one.data, four.data);
}

/* A file of several windows: a secret at every place around the edges is found once, whole, at its
 * line. */
static void long_file(void **state)
{
    enum { KIB = 1024 };
    static const long shifts[] = {/* each 24 apart at least */
                                  -68 * KIB,
                                  -64 * KIB - 61,
                                  -64 * KIB - 30,
                                  -64 * KIB - 5,
                                  -64 * KIB + 25,
                                  -40 * KIB,
                                  -60,
                                  -30,
                                  -5,
                                  25,
                                  5 * KIB};
    const size_t len = 2 * WINDOW + 4 * KIB * KIB, shift_count = sizeof shifts / sizeof *shifts;
    char *text = malloc(len);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 100 == 99 ? '\n' : ' ';
    size_t next_window = WINDOW - 68 * KIB; /* the second one's start */
    for (size_t i = 0; i < 2 * shift_count; i++) {
        size_t edge = i < shift_count ? WINDOW : next_window + WINDOW;
        size_t at = edge + (size_t)shifts[i % shift_count];
        char token[32];
        snprintf(token, sizeof token, " tco_%016zu ", at);
        memcpy(text + at, token, strlen(token));
    }
    assert_int_equal(gt_file_write(in_home("long"), text, len, 0600, NULL), 0);
    GT_BUFFER_AUTO struct gt_buffer out = {0};
    assert_int_equal(SCAN(&out, "--format", "jsonl", "--show-secrets", in_home("long")), 1);
    for (size_t i = 0; i < 2 * shift_count; i++) {
        size_t edge = i < shift_count ? WINDOW : next_window + WINDOW;
        size_t at = edge + (size_t)shifts[i % shift_count];
        char secret[64];
        snprintf(secret, sizeof secret, "\"secret\":\"tco_%016zu\"", at);
        if (count(out.data, secret) != 1)
            fail_msg("%s is found %zu times", secret, count(out.data, secret));
        size_t newlines = 0, start = 0;
        for (size_t k = 0; k <= at; k++) {
            if (text[k] == '\n') {
                newlines++;
                start = k + 1;
            }
        }
        char place[192];
        snprintf(place, sizeof place, "\"line\":%zu,\"column\":%zu,\"decoded_via\":null,%s",
                 newlines + 1, at + 2 - start, secret);
        if (!strstr(out.data, place))
            fail_msg("%s is not where it should be: %s", place, strstr(out.data, secret) - 80);
    }
    assert_int_equal(count(out.data, "\"rule\""), 2 * shift_count);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(standard_input),
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(long_file),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
