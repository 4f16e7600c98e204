#include "console/console.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STALLED_AFTER_MS (30 * GT_SECOND)
#define ANSWER_MAX ((size_t)8 * 1024 * 1024)

struct gt_console {
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    char role[32];
    int64_t beat_ms;
    bool ready;
    char why_not[256];
};

static bool read_state(struct gt_console *console, bool *ret_ready, char *ret_why, size_t size)
{
    pthread_mutex_lock(&console->lock);
    bool alive = gt_monotonic() - console->beat_ms < STALLED_AFTER_MS;
    *ret_ready = alive && console->ready;
    snprintf(ret_why, size, "%s", alive ? console->why_not : "the role's loop has stalled");
    pthread_mutex_unlock(&console->lock);
    return alive;
}

static unsigned answer_healthz(struct gt_console *console, struct gt_buffer *out)
{
    char why[256];
    bool ready, alive = read_state(console, &ready, why, sizeof why);
    gt_buffer_printf(out, "%s: %s\n", console->role, alive ? "ok" : why);
    return alive ? 200 : 503;
}

static unsigned answer_readyz(struct gt_console *console, struct gt_buffer *out)
{
    char why[256];
    bool ready;
    read_state(console, &ready, why, sizeof why);
    gt_buffer_printf(out, "%s: %s\n", console->role, ready ? "ready" : why);
    return ready ? 200 : 503;
}

static unsigned answer_metrics(struct gt_console *console, struct gt_buffer *out)
{
    (void)console;
    return gt_metrics_append(out) ? 500 : 200;
}

static const struct page {
    const char *path, *type;
    unsigned (*answer)(struct gt_console *console, struct gt_buffer *out);
} pages[] = {
    {"/healthz", "text/plain; charset=utf-8", answer_healthz},
    {"/readyz", "text/plain; charset=utf-8", answer_readyz},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", answer_metrics},
};

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status,
                                 const char *type, const struct gt_buffer *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text->len, text->data, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == 405)
        MHD_add_response_header(response, "Allow", "GET, HEAD"); /* RFC 9110, 15.5.6 */
    enum MHD_Result rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **per_request)
{
    (void)version, (void)upload, (void)per_request;
    struct gt_console *console = context;
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(ANSWER_MAX);
    unsigned status = 404;
    const char *type = pages[0].type;
    bool known_method = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    *upload_size = 0;
    if (!known_method)
        status = 405;
    for (size_t i = 0; known_method && i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(url, pages[i].path) != 0)
            continue;
        type = pages[i].type;
        status = pages[i].answer(console, &out);
    }
    if (status == 404 || status == 405)
        gt_buffer_puts(&out, "guette serves GET /healthz, /readyz and /metrics here\n");
    return out.data ? send_text(connection, status, type, &out) : MHD_NO;
}

/* "127.0.0.1:9090", "[::1]:9090", ":9090" (all addresses). */
static int parse_listen(const char *listen, int offset, struct sockaddr_storage *ret,
                        struct gt_error *err)
{
    char host[256];
    const char *colon = strrchr(listen, ':');
    size_t len = colon ? (size_t)(colon - listen) : 0;
    if (!colon || len >= sizeof host)
        return gt_fail(err, GT_E_INVALID,
                       "health address \"%s\" must be ADDRESS:PORT, like 127.0.0.1:9090", listen);
    bool bracketed = len >= 2 && listen[0] == '[' && listen[len - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len),
             bracketed ? listen + 1 : listen);
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end || port + (unsigned long)offset > UINT16_MAX)
        return gt_fail(
            err, GT_E_INVALID,
            "health address \"%s\" must end in a port; with the roles counted in (+%d) it "
            "is at most 65535",
            listen, offset);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
    if (rc)
        return gt_fail(err, GT_E_INVALID,
                       "health address \"%s\": %s; write a numeric address and a port", listen,
                       gai_strerror(rc));
    memcpy(ret, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static void be_quiet(void *context, const char *format, va_list args)
{
    (void)context, (void)format, (void)args; /* bad requests of strangers are no news */
}

/* Signals are for the role's own thread: one taken here would not end what that one waits for. */
static struct MHD_Daemon *start_daemon(struct gt_console *console, unsigned flags,
                                       const struct sockaddr_storage *address)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, answer, console, MHD_OPTION_EXTERNAL_LOGGER,
                         be_quiet, NULL, MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_CONNECTION_LIMIT,
                         64u, MHD_OPTION_CONNECTION_TIMEOUT, 10u,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

int gt_console_open(const char *listen, int port_offset, const char *role,
                    struct gt_console **ret_console, int *ret_port, struct gt_error *err)
{
    struct sockaddr_storage address = {0};
    int rc = parse_listen(listen, port_offset, &address, err);
    if (rc)
        return rc;
    /* sin_port and sin6_port lie at the same place (RFC 3493). */
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    if (in->sin_port)
        in->sin_port = htons((uint16_t)(ntohs(in->sin_port) + port_offset));

    struct gt_console *console = calloc(1, sizeof *console);
    if (!console)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    pthread_mutex_init(&console->lock, NULL);
    snprintf(console->role, sizeof console->role, "%s", role);
    snprintf(console->why_not, sizeof console->why_not, "starting");
    console->beat_ms = gt_monotonic();
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    console->daemon = start_daemon(console, flags, &address);
    if (!console->daemon) {
        gt_console_close(console);
        return gt_fail(err, GT_E_IO,
                       "cannot serve health on %s (port %u): is something else using it?", listen,
                       ntohs(in->sin_port));
    }
    if (ret_port)
        *ret_port = MHD_get_daemon_info(console->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    *ret_console = console;
    return 0;
}

void gt_console_beat(struct gt_console *console)
{
    if (!console)
        return;
    pthread_mutex_lock(&console->lock);
    console->beat_ms = gt_monotonic();
    pthread_mutex_unlock(&console->lock);
}

void gt_console_ready(struct gt_console *console, bool ready, const char *why_not)
{
    if (!console)
        return;
    pthread_mutex_lock(&console->lock);
    console->ready = ready;
    snprintf(console->why_not, sizeof console->why_not, "%s", why_not ? why_not : "");
    pthread_mutex_unlock(&console->lock);
}

void gt_console_close(struct gt_console *console)
{
    if (!console)
        return;
    if (console->daemon)
        MHD_stop_daemon(console->daemon);
    pthread_mutex_destroy(&console->lock);
    free(console);
}
