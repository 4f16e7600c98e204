/* net: the only user of libcurl. Bounded HTTP and SMTP transfers, many at once, in one event loop,
 * polite to every host.
 *
 * Requests wait their turn here: a host (scheme, name and port) gets at most `per_host` connections
 * and `per_second` new requests (token bucket); after 429 or 503, and after a 403 that says when to
 * come back, it is left alone for Retry-After or a full-jitter back-off, and requests to it wait
 * meanwhile (at most until their own deadline). Every redirect followed is such a request, too.
 *
 * Address guard: unless the request says allow_private, a connection to a loopback, private,
 * link-local, carrier-grade NAT, multicast, documentation, benchmark or metadata address is refused
 * after name resolution, for every redirect and every address tried (IANA special-purpose
 * registries, RFC 6890; IPv4-mapped, NAT64, 6to4 and Teredo forms included). With a proxy the guard
 * looks at the proxy's address; where that one connects to is the proxy's affair. So a proxy on a
 * private address needs allow_private.
 *
 * Only http and https. After a redirect to another origin only harmless headers (Accept,
 * If-None-Match, ...) are sent again; from https to http a request with credentials or content does
 * not follow. No cookies, no .netrc, no proxies from the environment.
 *
 * One thread uses a gt_net. The program ignores SIGPIPE. */
#ifndef GT_NET_H
#define GT_NET_H

#include "core/core.h"

struct gt_net;

struct gt_net_settings {
    const char *contact; /* in the User-Agent; NULL: none, which hosts may hold against us */
    int64_t connections; /* in all, 1 to 10000 */
    int64_t per_host;    /* at once */
    double per_second;   /* per host; 0: as fast as it goes */
    const char *ca_file; /* NULL: the system's */
    size_t memory;       /* all bodies together; above it new transfers wait. 0: 256 MiB */
};

int gt_net_open(const struct gt_net_settings *settings, struct gt_net **ret_net,
                struct gt_error *err);
/* Waiting and running requests end without a callback. */
void gt_net_close(struct gt_net *net);
/* "guette/0.1.0 (+contact)" */
const char *gt_net_user_agent(const struct gt_net *net);

struct gt_header {
    const char *name, *value;
};

struct gt_http_request {
    const char *method; /* NULL: GET, or POST with a body */
    const char *url;    /* user and password in it are sent as Basic authentication */
    const struct gt_header *headers;
    size_t header_count;
    const void *body; /* without a content-type header none is sent */
    size_t body_len;
    size_t max_bytes; /* of the decompressed body; more: GT_E_LIMIT, or a cut body with `cut` when
                         may_cut. 0: 16 MiB */
    bool may_cut;
    int64_t timeout_ms;  /* from start of the transfer; 0: 30 s. Slower than 1 byte/s for 20 s ends
                            it too */
    int64_t patience_ms; /* waiting for politeness; 0: 10 minutes */
    int max_redirects;   /* -1: follow none; 0: the default of 5 */
    bool allow_private;
    const char *proxy; /* NULL: none (the environment's proxies are not used) */
    double per_second; /* this host's rate if lower than the settings'; 0: the settings' */
};

struct gt_http_response {
    int error;         /* 0 when an answer came, whatever its status; else GT_E_ */
    const char *words; /* of the error; names scheme, host and port only: the rest of a URL may hold
                          credentials */
    int status;
    const struct gt_header *headers; /* of the last answer, names lower-case; at most 128, 64 KiB */
    size_t header_count;
    const char *body; /* NUL-terminated after body_len; never NULL when error is 0 */
    size_t body_len;
    bool cut;
    const char *url; /* the last one, after redirects, without user and password */
    bool moved;      /* every redirect was 301 or 308: store the new URL */
    int64_t
        retry_after_ms; /* what the server asked for (Retry-After, X-Retry-After, *RateLimit-Reset
                           with Remaining 0, or without Remaining on 403, 429, 503); -1: nothing */
    int64_t took_ms;    /* without the waiting */
};
const char *gt_http_header(const struct gt_http_response *response, const char *lower_case_name);

/* Called from gt_net_run; the response lives until it returns. It may submit further requests, but
 * not run or close the net. */
typedef void gt_http_done(void *user, const struct gt_http_response *response);

/* Copies the request. GT_E_INVALID for a URL that is none, or not http(s), and for header names or
 * values that would break the request; GT_E_FULL when 100,000 requests wait already. */
int gt_net_http(struct gt_net *net, const struct gt_http_request *request, gt_http_done *done,
                void *user, struct gt_error *err);

struct gt_mail {
    const char *url;  /* smtp://host:port, smtps://host:port; a path is the name said in EHLO */
    bool require_tls; /* STARTTLS or fail (smtp://); else TLS when it is offered */
    const char *user, *password; /* NULL: none */
    const char *from;            /* envelope; bare address, "" for the null sender */
    const char *const *to;       /* envelope; NULL-ended */
    const void *message;         /* RFC 5322, CRLF line ends */
    size_t message_len;
    int64_t timeout_ms;  /* 0: 60 s */
    int64_t patience_ms; /* waiting for politeness; 0: 10 minutes */
    bool allow_private;
};
/* status of the response is the SMTP reply code (250). Unlike with HTTP a refusal is an error,
 * whose words hold the server's reply: GT_E_AGAIN for 4xx, GT_E_REFUSED for 5xx. One refused
 * recipient refuses the mail for all. */
int gt_net_mail(struct gt_net *net, const struct gt_mail *mail, gt_http_done *done, void *user,
                struct gt_error *err);

/* One turn: waits up to timeout_ms for network, one of the extra fds (readable) or gt_net_wake;
 * runs callbacks. *ret_ready (may be NULL): bit i set when fds[i] is readable (at most 32 fds). It
 * may return earlier, with nothing done. */
int gt_net_run(struct gt_net *net, int64_t timeout_ms, const int *fds, size_t fd_count,
               uint32_t *ret_ready, struct gt_error *err);
/* From a signal handler or another thread. */
void gt_net_wake(struct gt_net *net);
size_t gt_net_active(const struct gt_net *net); /* waiting and running */
/* How long the host of url is left alone from now; 0: not at all. */
int64_t gt_net_host_pause(const struct gt_net *net, const char *url);

/* Address guard alone, for configuration checks and tests. True for an address that is public. */
struct sockaddr;
bool gt_address_public(const struct sockaddr *address);

#endif
