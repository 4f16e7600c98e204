/* What the files of net/ share. Nothing outside the folder includes it, but its own tests.
 *
 * A transfer is one request from submission to callback. It waits in its host's queue, runs as a
 * curl easy handle in the multi, and ends in net->ended, from which callbacks are run; a followed
 * redirect puts it back into the queue of the host it leads to, so that every hop is polite. */
#ifndef GT_NET_INTERNAL_H
#define GT_NET_INTERNAL_H

#include "net/net.h"

#include <curl/curl.h>
#include <netinet/in.h>

#define GT_NET_PATIENCE_MS (10 * GT_MINUTE) /* waiting for politeness, by default */

/* Spelled CURLOPT_PROTOCOLS_STR since 7.85, the number form is deprecated there. */
#if LIBCURL_VERSION_NUM >= 0x075500
#define GT_CURL_PROTOCOLS CURLOPT_PROTOCOLS_STR
#define GT_PROTOCOLS_HTTP "http,https"
#define GT_PROTOCOLS_SMTP "smtp,smtps"
#else
#define GT_CURL_PROTOCOLS CURLOPT_PROTOCOLS
#define GT_PROTOCOLS_HTTP ((long)(CURLPROTO_HTTP | CURLPROTO_HTTPS))
#define GT_PROTOCOLS_SMTP ((long)(CURLPROTO_SMTP | CURLPROTO_SMTPS))
#endif

enum {
    GT_NET_HEADERS = 128,            /* of one answer */
    GT_NET_HEADER_BYTES = 64 * 1024, /* of one answer */
    GT_NET_URL_BYTES = 8 * 1024,
    GT_NET_WAITING = 100 * 1000, /* requests */
    GT_NET_HOSTS = 64 * 1024,
    GT_NET_FDS = 32,
};

struct transfer;

struct transfer_list {
    struct transfer *first, *last;
    size_t count;
};
void gt_list_push(struct transfer_list *list, struct transfer *t);
void gt_list_push_front(struct transfer_list *list, struct transfer *t);
void gt_list_remove(struct transfer_list *list, struct transfer *t);
struct transfer *gt_list_pop(struct transfer_list *list);

/* place.c: where a request goes. */
struct place {
    char *url;        /* as curl gets it, with user and password if it has them */
    char *origin;     /* "https://host" or "http://host:8080", lower-case: politeness, messages */
    bool credentials; /* the URL holds a user or password */
};
/* schemes: NULL-ended list of those allowed. base: NULL, or what a relative one is relative to. */
int gt_place_parse(const char *base, const char *url, const char *const *schemes,
                   struct place *ret_place, struct gt_error *err);
void gt_place_free(struct place *place);
/* The URL without user and password; the caller frees. NULL when memory is out. */
char *gt_place_public_url(const struct place *place);
extern const char *const gt_schemes_http[], *const gt_schemes_smtp[];

/* What differs between HTTP and mail. */
struct transfer_kind {
    CURLcode (*prepare)(struct transfer *t);
    /* Fills t's answer, or returns true when t is to run again (a redirect). */
    bool (*finish)(struct transfer *t, CURLcode code);
};
extern const struct transfer_kind gt_kind_http, gt_kind_mail;

struct transfer {
    struct transfer *next, *prev;
    struct gt_net *net;
    const struct transfer_kind *kind;
    struct gt_host *host;
    gt_http_done *done;
    void *user;

    /* the request */
    struct place at;
    char *method, *proxy;
    struct curl_slist *headers; /* "Name: value" */
    char *body;
    size_t body_len, sent;
    size_t max_bytes;
    bool may_cut, allow_private;
    int redirects_left;
    double per_second;
    int64_t timeout_ms, patience_ms; /* what is left of both */

    /* mail only */
    bool require_tls;
    char *login, *password, *from;
    struct curl_slist *to;

    /* under way */
    CURL *easy;
    char *curl_words; /* CURL_ERROR_SIZE while running */
    int64_t queued_at, started_at, took_ms;
    const char *too_much;               /* which cap was hit */
    char refused[INET6_ADDRSTRLEN + 1]; /* by the address guard */

    /* the answer */
    int status;
    struct gt_buffer head; /* name NUL value NUL ..., or a mail server's last refusal */
    size_t header_count;
    struct gt_buffer received;
    bool cut, redirected, only_permanent;
    int64_t retry_after_ms;
    struct gt_error failure; /* code 0: none */
};
struct transfer *gt_transfer_new(struct gt_net *net, const struct transfer_kind *kind,
                                 gt_http_done *done, void *user);
void gt_transfer_free(struct transfer *t);
/* Options that every transfer has: limits, guard, no environment. */
CURLcode gt_transfer_prepare(struct transfer *t);
/* NUL-ended copy; NULL gives NULL. False when memory is out. */
bool gt_copy(char **out, const char *text);
bool gt_slist_add(struct curl_slist **list, const char *line);
/* No control characters: nothing that could end a line of a protocol. */
bool gt_one_line(const char *text);

/* answer.c */
size_t gt_answer_header(char *bytes, size_t size, size_t count, void *transfer);
size_t gt_answer_body(char *bytes, size_t size, size_t count, void *transfer);
void gt_answer_reset(struct transfer *t);
void gt_answer_deliver(struct transfer *t);
const char *gt_answer_find(const struct transfer *t, const char *name);
size_t gt_answer_list(const struct transfer *t, struct gt_header out[GT_NET_HEADERS]);

/* redirect.c. 1: t->at and the request were changed, run it again; 0: there is nothing to follow;
 * negative: t->failure says why not. */
int gt_redirect(struct transfer *t);

/* retry_after.c. Milliseconds that the server asks for; -1: nothing. now: wall clock, used when the
 * answer has no Date. */
int64_t gt_retry_after(int status, const struct gt_header *headers, size_t count, int64_t now);

/* words.c: fills t->failure from curl's code. */
void gt_words(struct transfer *t, CURLcode code);

/* hosts.c: who may start when. now: gt_monotonic(). */
struct gt_hosts;
struct gt_hosts *gt_hosts_new(const struct gt_net_settings *settings);
void gt_hosts_free(struct gt_hosts *hosts); /* and everything that waits */
int gt_hosts_wait(struct gt_hosts *hosts, struct transfer *t, bool first, int64_t now,
                  struct gt_error *err);
/* The next that may start now, hosts in turn; NULL: none. Counts as running from here on. */
struct transfer *gt_hosts_next(struct gt_hosts *hosts, int64_t now);
/* Running no more; what was answered decides on a pause. status 0: nothing was. */
void gt_hosts_ended(struct transfer *t, int64_t now);
/* Moves those whose patience is over to `out`, with words. */
void gt_hosts_expire(struct gt_hosts *hosts, int64_t now, struct transfer_list *out);
/* Milliseconds until one may start (when may_start) or runs out of patience; -1: nothing waits. */
int64_t gt_hosts_due(const struct gt_hosts *hosts, int64_t now, bool may_start);
size_t gt_hosts_waiting(const struct gt_hosts *hosts);
int64_t gt_hosts_pause(const struct gt_hosts *hosts, const char *origin, int64_t now);

/* guard.c: callbacks of curl; they leave the refused address in t->refused. */
curl_socket_t gt_guard_socket(void *transfer, curlsocktype purpose, struct curl_sockaddr *address);
int gt_guard_reuse(void *transfer, char *remote, char *local, int remote_port, int local_port);

struct gt_net {
    CURLM *multi;
    struct gt_hosts *hosts;
    struct transfer_list running, ended;
    CURL **spare; /* handles to use again */
    size_t spare_count, connections;
    size_t memory, held; /* bytes of bodies: allowed, there now */
    int wake[2];         /* a pipe */
    char *user_agent, *ca_file;
};
int gt_net_submit(struct transfer *take_t, struct gt_error *err);

#endif
