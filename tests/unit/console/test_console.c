/* The health page over a real socket. */
#include "console/console.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct gt_console *console;
static int port;

static int open_it(void **state)
{
    (void)state;
    struct gt_error err;
    return gt_console_open("127.0.0.1:0", 3, "match", &console, &port, &err);
}

static int close_it(void **state)
{
    (void)state;
    gt_console_close(console);
    return 0;
}

static int connect_to(int to)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)to),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends the bytes and reads all that comes. Returns the status. */
static int talk(const char *bytes, size_t len, struct gt_buffer *answer)
{
    char chunk[4096];
    ssize_t n;
    int fd = connect_to(port), status = 0;
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    while ((n = recv(fd, chunk, sizeof chunk, 0)) > 0)
        assert_int_equal(gt_buffer_append(answer, chunk, (size_t)n), 0);
    close(fd);
    if (answer->data)
        sscanf(answer->data, "HTTP/1.%*d %d", &status);
    return status;
}

static int ask(const char *method, const char *path, struct gt_buffer *answer)
{
    char request[512];
    int len = snprintf(request, sizeof request,
                       "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path);
    return talk(request, (size_t)len, answer);
}

static void assert_page(const char *path, int status, const char *body)
{
    GT_BUFFER_AUTO struct gt_buffer answer = GT_BUFFER(1024 * 1024);
    assert_int_equal(ask("GET", path, &answer), status);
    const char *start = strstr(answer.data, "\r\n\r\n");
    assert_non_null(start);
    assert_string_equal(start + 4, body);
}

static void ready_follows_the_role(void **state)
{
    (void)state;
    assert_page("/healthz", 200, "match: ok\n");
    assert_page("/readyz", 503, "match: starting\n");
    gt_console_ready(console, true, NULL);
    assert_page("/readyz", 200, "match: ready\n");
    gt_console_ready(console, false, "the queue is away");
    assert_page("/readyz", 503, "match: the queue is away\n");
    assert_page("/healthz", 200, "match: ok\n");
    gt_console_beat(console);
}

static void other_paths_and_methods(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS"};
    GT_BUFFER_AUTO struct gt_buffer missing = GT_BUFFER(65536);
    assert_int_equal(ask("GET", "/healthz/../etc/passwd", &missing), 404);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        GT_BUFFER_AUTO struct gt_buffer answer = GT_BUFFER(65536);
        assert_int_equal(ask(methods[i], "/metrics", &answer), 405);
        assert_non_null(strstr(answer.data, "Allow: GET, HEAD\r\n"));
    }
    GT_BUFFER_AUTO struct gt_buffer head = GT_BUFFER(65536);
    assert_int_equal(ask("HEAD", "/healthz", &head), 200);
    assert_string_equal(strstr(head.data, "\r\n\r\n"), "\r\n\r\n");
}

/* Every line is a comment or `name{labels} number`. */
static void metrics_can_be_read(void **state)
{
    (void)state;
    char label[128];
    gt_label(label, sizeof label, "source", "a \"quoted\\\nname");
    gt_gauge_set("guette_source_failures", label, 2);
    GT_BUFFER_AUTO struct gt_buffer answer = GT_BUFFER(4 * 1024 * 1024);
    assert_int_equal(ask("GET", "/metrics", &answer), 200);
    assert_non_null(strstr(answer.data, "Content-Type: text/plain; version=0.0.4"));
    char *rest = strstr(answer.data, "\r\n\r\n") + 4, *line;
    assert_non_null(strstr(rest, "guette_source_failures{source=\"a \\\"quoted\\\\ name\"} 2\n"));
    while ((line = strsep(&rest, "\n")) && rest) {
        char *end, *space = strrchr(line, ' ');
        if (gt_starts_with(line, "# HELP guette_") || gt_starts_with(line, "# TYPE guette_"))
            continue;
        assert_true(gt_starts_with(line, "guette_"));
        assert_non_null(space);
        strtod(space + 1, &end);
        assert_int_equal(*end, '\0');
    }
}

/* Bad requests of strangers do no harm. */
static void nonsense_is_refused(void **state)
{
    (void)state;
    static char much[128 * 1024];
    memset(much, 'a', sizeof much);
    memcpy(much, "GET /", 5);
    GT_BUFFER_AUTO struct gt_buffer nonsense = GT_BUFFER(65536);
    assert_int_not_equal(talk("\r\nnonsense\r\n\r\n", 14, &nonsense), 200);
    int fd = connect_to(port); /* more than fits; it may be cut off while we send */
    (void)send(fd, much, sizeof much, MSG_NOSIGNAL);
    close(fd);
    assert_page("/healthz", 200, "match: ok\n");
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "9090",
                                        "localhost:9090",
                                        "127.0.0.1:",
                                        "127.0.0.1:http",
                                        "127.0.0.1:99999",
                                        "127.0.0.1:65535"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct gt_console *other = NULL;
        struct gt_error err = {0};
        assert_int_equal(gt_console_open(wrong[i], 1, "match", &other, NULL, &err), GT_E_INVALID);
        assert_null(other);
        assert_non_null(strstr(err.message, wrong[i]));
    }
    struct gt_console *other = NULL;
    struct gt_error err = {0};
    char taken[64];
    snprintf(taken, sizeof taken, "127.0.0.1:%d", port);
    assert_int_equal(gt_console_open(taken, 0, "match", &other, NULL, &err), GT_E_IO);
    assert_non_null(strstr(err.message, taken));
}

static volatile sig_atomic_t taken_by_main;
static pthread_t main_thread;

static void on_signal(int number)
{
    (void)number;
    taken_by_main = pthread_equal(pthread_self(), main_thread) != 0;
}

/* While this thread holds the signal back, no other may take it. */
static void signals_are_for_the_role(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t one, before, pending;
    main_thread = pthread_self();
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, &before);
    kill(getpid(), SIGUSR1);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGUSR1));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_true(taken_by_main);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_follows_the_role), cmocka_unit_test(other_paths_and_methods),
        cmocka_unit_test(metrics_can_be_read),    cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(addresses_are_checked),  cmocka_unit_test(signals_are_for_the_role),
    };
    return cmocka_run_group_tests(tests, open_it, close_it);
}
