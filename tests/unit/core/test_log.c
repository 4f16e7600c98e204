#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/core.h"

/* What the calls between begin() and end() wrote to standard error. */
static int saved = -1;
static FILE *captured;

static void begin(void)
{
    captured = tmpfile();
    assert_non_null(captured);
    saved = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
}

static void end(char *ret, size_t size)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(captured);
    size_t len = fread(ret, 1, size - 1, captured);
    ret[len] = '\0';
    fclose(captured);
}

static void writes_one_json_object_a_line(void **state)
{
    char text[4096];
    begin();
    gt_log_start("crawl", GT_LOG_AUTO, GT_INFO); /* a file is no terminal */
    gt_log(GT_WARNING, "crawler.poll", "it \"failed\"\nbadly", GT_F("source", "hn"), GT_N("n", 42));
    gt_log(GT_INFO, "plain", "no fields");
    end(text, sizeof text);
    char *newline = strchr(text, '\n');
    assert_non_null(newline);
    GT_JSON_AUTO json_t *line = gt_json_parse(text, (size_t)(newline - text), NULL);
    assert_non_null(line);
    assert_string_equal(gt_json_string(line, "level", ""), "warning");
    assert_string_equal(gt_json_string(line, "role", ""), "crawl");
    assert_string_equal(gt_json_string(line, "event", ""), "crawler.poll");
    assert_string_equal(gt_json_string(line, "message", ""), "it \"failed\"\nbadly");
    assert_string_equal(gt_json_string(line, "source", ""), "hn");
    assert_int_equal(gt_json_int(line, "n", 0), 42);
    assert_true(gt_time_parse(gt_json_string(line, "time", "")) > 0);
    GT_JSON_AUTO json_t *next = gt_json_parse(newline + 1, strlen(newline + 1), NULL);
    assert_string_equal(gt_json_string(next, "event", ""), "plain");
}

static void drops_what_is_below_the_level(void **state)
{
    char text[4096];
    begin();
    gt_log_start("match", GT_LOG_JSON, GT_WARNING);
    gt_log(GT_DEBUG, "a", "a");
    gt_log(GT_INFO, "b", "b");
    gt_log(GT_ERROR, "c", "c");
    end(text, sizeof text);
    assert_null(strstr(text, "\"event\":\"b\""));
    assert_non_null(strstr(text, "\"event\":\"c\""));
}

/* Standard error is a terminal of 60 columns meanwhile. */
static void text_is_folded_between_words(void **state)
{
    char text[4096], *at = text;
    struct winsize size = {.ws_col = 60, .ws_row = 24};
    int reads, terminal;
    if (openpty(&reads, &terminal, NULL, NULL, &size))
        skip();
    setenv("NO_COLOR", "1", 1);
    int kept = dup(STDERR_FILENO);
    dup2(terminal, STDERR_FILENO);
    gt_log_start("crawl", GT_LOG_AUTO, GT_INFO);
    gt_log(GT_WARNING, "a",
           "the host of this source cannot be found, \u00e9 \u00e9 \u00e9, it is tried again",
           GT_F("source", "hacker-news"), GT_N("failures", 1));
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(terminal);
    ssize_t len = read(reads, text, sizeof text - 1);
    close(reads);
    unsetenv("NO_COLOR");
    assert_true(len > 0);
    text[len] = '\0';
    assert_non_null(strstr(text, "(source=hacker-news,"));
    int lines = 0;
    for (char *line; (line = strsep(&at, "\n")) && *line; lines++) {
        assert_true(strcspn(line, "\r") <= 60);
        if (lines > 0)
            assert_true(strspn(line, " ") == 19);
    }
    assert_true(lines > 1);
}

static void text_is_safe_for_a_terminal(void **state)
{
    char text[4096];
    begin();
    gt_log_start("match", GT_LOG_TEXT, GT_INFO);
    gt_log(GT_WARNING, "a", "x\033[2Jy", GT_F("title", "p\033q"), GT_N("n", 7), GT_F("none", NULL));
    end(text, sizeof text);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "match"));
    assert_non_null(strstr(text, "warning: x[2Jy (title=pq, n=7, none=)\n"));
}

static void a_long_message_ends_with_its_line(void **state)
{
    static char text[65536], message[40000];
    memset(message, 'x', sizeof message - 1);
    begin();
    gt_log_start("match", GT_LOG_TEXT, GT_INFO);
    gt_log(GT_INFO, "a", message);
    end(text, sizeof text);
    size_t len = strlen(text);
    assert_in_range(len, 1, 20000);
    assert_int_equal(text[len - 1], '\n');
}

static void says_the_same_thing_once_a_minute(void **state)
{
    int64_t held = -1;
    assert_true(gt_log_allow("source a down", &held));
    assert_int_equal(held, 0);
    for (int i = 0; i < 5; i++)
        assert_false(gt_log_allow("source a down", &held));
    assert_true(gt_log_allow("source b down", NULL));
    assert_false(gt_log_allow("source b down", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_json_object_a_line),
        cmocka_unit_test(drops_what_is_below_the_level),
        cmocka_unit_test(text_is_safe_for_a_terminal),
        cmocka_unit_test(text_is_folded_between_words),
        cmocka_unit_test(a_long_message_ends_with_its_line),
        cmocka_unit_test(says_the_same_thing_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
