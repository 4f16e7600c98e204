/* The event loop: starts what may start, lets curl work, ends what has ended. Callbacks run only
 * from gt_net_run, when no list is being walked, so they may submit. */
#include "net/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY ((size_t)256 * 1024 * 1024)

static bool open_pipe(int ends[2])
{
    if (pipe(ends))
        return false;
    for (int i = 0; i < 2; i++)
        if (fcntl(ends[i], F_SETFL, O_NONBLOCK) || fcntl(ends[i], F_SETFD, FD_CLOEXEC))
            return false;
    return true;
}

static bool make_user_agent(struct gt_net *net, const char *contact)
{
    struct gt_buffer text = GT_BUFFER(GT_NET_URL_BYTES);
    gt_buffer_printf(&text, "guette/%s", gt_version());
    if (contact && *contact)
        gt_buffer_printf(&text, " (+%s)", contact);
    net->user_agent = text.data;
    return gt_buffer_ok(&text);
}

static int check(const struct gt_net_settings *s, struct gt_error *err)
{
    if (s->connections < 1 || s->connections > 10000 || s->per_host < 1 || s->per_second < 0)
        return gt_fail(err, GT_E_INVALID,
                       "limits of the network: 1 to 10000 connections, at least 1 "
                       "per host, a rate of 0 (none) or more");
    if (s->contact && (!gt_one_line(s->contact) || strlen(s->contact) > 200))
        return gt_fail(err, GT_E_INVALID,
                       "the contact is one line of at most 200 bytes, such as a "
                       "mail address or a web page");
    if (s->ca_file && access(s->ca_file, R_OK))
        return gt_fail(err, GT_E_INVALID, "%s: cannot read the file of trusted certificates: %s",
                       s->ca_file, strerror(errno));
    return 0;
}

static bool build(struct gt_net *net, const struct gt_net_settings *s)
{
    net->wake[0] = net->wake[1] = -1;
    net->memory = s->memory ? s->memory : MEMORY;
    net->connections = (size_t)s->connections;
    net->multi = curl_multi_init();
    net->hosts = gt_hosts_new(s);
    net->spare = calloc(net->connections, sizeof *net->spare);
    return net->multi && net->hosts && net->spare && open_pipe(net->wake) &&
           make_user_agent(net, s->contact) && gt_copy(&net->ca_file, s->ca_file) &&
           !curl_multi_setopt(net->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)s->connections) &&
           !curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, (long)s->connections);
}

int gt_net_open(const struct gt_net_settings *settings, struct gt_net **ret_net,
                struct gt_error *err)
{
    int rc = check(settings, err);
    if (rc)
        return rc;
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return gt_fail(err, GT_E_NOMEM, "libcurl does not start");
    struct gt_net *net = calloc(1, sizeof *net);
    if (!net || !build(net, settings)) {
        gt_net_close(net);
        return gt_fail(err, GT_E_NOMEM, "no memory or file descriptors left for the network");
    }
    *ret_net = net;
    return 0;
}

void gt_net_close(struct gt_net *net)
{
    if (!net)
        return;
    for (struct transfer *t; (t = gt_list_pop(&net->running)); gt_transfer_free(t)) {
        curl_multi_remove_handle(net->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    for (struct transfer *t; (t = gt_list_pop(&net->ended));)
        gt_transfer_free(t);
    gt_hosts_free(net->hosts);
    while (net->spare_count)
        curl_easy_cleanup(net->spare[--net->spare_count]);
    curl_multi_cleanup(net->multi);
    for (int i = 0; i < 2; i++)
        if (net->wake[i] >= 0)
            close(net->wake[i]);
    free(net->spare);
    free(net->user_agent);
    free(net->ca_file);
    free(net);
    curl_global_cleanup();
}

const char *gt_net_user_agent(const struct gt_net *net)
{
    return net->user_agent;
}

int gt_net_submit(struct transfer *take_t, struct gt_error *err)
{
    int rc = gt_hosts_wait(take_t->net->hosts, take_t, false, gt_monotonic(), err);
    if (rc)
        gt_transfer_free(take_t);
    return rc;
}

static bool may_start(const struct gt_net *net)
{
    return net->running.count < net->connections && net->held < net->memory;
}

static CURLcode begin(struct gt_net *net, struct transfer *t)
{
    t->easy = net->spare_count ? net->spare[--net->spare_count] : curl_easy_init();
    if (!t->easy)
        return CURLE_OUT_OF_MEMORY;
    CURLcode rc = t->kind->prepare(t);
    if (rc == CURLE_OK && curl_multi_add_handle(net->multi, t->easy))
        rc = CURLE_OUT_OF_MEMORY;
    return rc;
}

static void put_back(struct gt_net *net, struct transfer *t)
{
    if (!t->easy)
        return;
    curl_easy_reset(t->easy);
    net->spare[net->spare_count++] = t->easy; /* never more than connections are out */
    t->easy = NULL;
}

static void end(struct gt_net *net, struct transfer *t, CURLcode code)
{
    int64_t now = gt_monotonic();
    t->took_ms += now - t->started_at;
    t->timeout_ms -= now - t->started_at;
    bool again = t->kind->finish(t, code);
    gt_hosts_ended(t, now);
    put_back(net, t);
    if (again && t->timeout_ms <= 0) {
        gt_words(t, CURLE_OPERATION_TIMEDOUT);
        again = false;
    }
    if (again)
        gt_answer_reset(t);
    if (!again || gt_hosts_wait(net->hosts, t, true, now, &t->failure))
        gt_list_push(&net->ended, t);
}

static void start_due(struct gt_net *net, int64_t now)
{
    struct transfer *t;
    gt_hosts_expire(net->hosts, now, &net->ended);
    while (may_start(net) && (t = gt_hosts_next(net->hosts, now))) {
        CURLcode rc = begin(net, t);
        if (rc)
            end(net, t, rc);
        else
            gt_list_push(&net->running, t);
    }
}

static void collect(struct gt_net *net)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(net->multi, &left))) {
        struct transfer *t = NULL;
        long status = 0;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result; /* the message dies with remove_handle */
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(net->multi, easy);
        gt_list_remove(&net->running, t);
        t->status = (int)status;
        end(net, t, code);
    }
}

static void deliver(struct gt_net *net)
{
    for (struct transfer *t; (t = gt_list_pop(&net->ended));) {
        gt_answer_deliver(t);
        gt_transfer_free(t);
    }
}

static int64_t wait_ms(const struct gt_net *net, int64_t asked)
{
    int64_t due = gt_hosts_due(net->hosts, gt_monotonic(), may_start(net));
    if (due >= 0 && due < asked)
        asked = due;
    return asked < 0 ? 0 : asked > GT_DAY ? GT_DAY : asked;
}

static int wait_for(struct gt_net *net, int64_t timeout_ms, const int *fds, size_t fd_count,
                    uint32_t *ret_ready, struct gt_error *err)
{
    struct curl_waitfd extra[GT_NET_FDS + 1] = {{.fd = net->wake[0], .events = CURL_WAIT_POLLIN}};
    for (size_t i = 0; i < fd_count; i++)
        extra[i + 1] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
    CURLMcode rc =
        curl_multi_poll(net->multi, extra, (unsigned)fd_count + 1, (int)timeout_ms, NULL);
    if (rc)
        return gt_fail(err, GT_E_IO, "libcurl: %s", curl_multi_strerror(rc));
    uint32_t ready = 0;
    for (size_t i = 0; i < fd_count; i++)
        ready |= (uint32_t)(extra[i + 1].revents != 0) << i;
    if (extra[0].revents) {
        char bytes[64];
        while (read(net->wake[0], bytes, sizeof bytes) > 0)
            ;
    }
    *ret_ready = ready;
    return 0;
}

int gt_net_run(struct gt_net *net, int64_t timeout_ms, const int *fds, size_t fd_count,
               uint32_t *ret_ready, struct gt_error *err)
{
    if (fd_count > GT_NET_FDS)
        return gt_fail(err, GT_E_INVALID, "at most %d descriptors to wait for", GT_NET_FDS);
    uint32_t ready = 0;
    int running;
    start_due(net, gt_monotonic());
    int64_t wait = net->ended.count ? 0 : wait_ms(net, timeout_ms); /* 0 within curl for new ones */
    int rc = wait_for(net, wait, fds, fd_count, &ready, err);
    if (rc)
        return rc;
    start_due(net, gt_monotonic()); /* what was waited for may have been its turn */
    CURLMcode code = curl_multi_perform(net->multi, &running);
    if (code)
        return gt_fail(err, GT_E_IO, "libcurl: %s", curl_multi_strerror(code));
    collect(net);
    deliver(net);
    if (ret_ready)
        *ret_ready = ready;
    return 0;
}

void gt_net_wake(struct gt_net *net)
{
    int saved = errno; /* may be called from a signal handler */
    ssize_t written = write(net->wake[1], "", 1);
    (void)written; /* a full pipe wakes as well */
    errno = saved;
}

size_t gt_net_active(const struct gt_net *net)
{
    return gt_hosts_waiting(net->hosts) + net->running.count + net->ended.count;
}

int64_t gt_net_host_pause(const struct gt_net *net, const char *url)
{
    struct place place;
    if (gt_place_parse(NULL, url, gt_schemes_http, &place, NULL))
        return 0;
    int64_t pause = gt_hosts_pause(net->hosts, place.origin, gt_monotonic());
    gt_place_free(&place);
    return pause;
}
