/* Curl's error codes in words for an operator. Only the origin of the URL is named: paths (chat
 * webhooks), query strings and user names may be credentials. */
#include "net/internal.h"

static const struct {
    CURLcode code;
    int error;
    const char *words;
} table[] = {
    {CURLE_COULDNT_RESOLVE_HOST, GT_E_IO,
     "cannot resolve the host name; check its spelling and this machine's network and DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, GT_E_IO,
     "cannot resolve the proxy's host name; check its spelling and this machine's DNS"},
    {CURLE_COULDNT_CONNECT, GT_E_IO,
     "cannot connect; check that the service runs there and that no firewall is between"},
    {CURLE_OUT_OF_MEMORY, GT_E_NOMEM, "out of memory"},
    {CURLE_GOT_NOTHING, GT_E_IO, "the server closed the connection without an answer"},
    {CURLE_PARTIAL_FILE, GT_E_IO, "the connection ended in the middle of the answer"},
    {CURLE_SEND_ERROR, GT_E_IO, "the connection broke while sending"},
    {CURLE_RECV_ERROR, GT_E_IO, "the connection broke while receiving"},
    {CURLE_UNSUPPORTED_PROTOCOL, GT_E_IO, "what answers there does not speak HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, GT_E_IO, "the server's answer cannot be understood"},
    {CURLE_BAD_CONTENT_ENCODING, GT_E_IO, "the server's compressed answer is damaged"},
    {CURLE_HTTP2, GT_E_IO, "the server broke the HTTP/2 protocol"},
    {CURLE_HTTP2_STREAM, GT_E_IO, "the server broke off the HTTP/2 stream"},
    {CURLE_PROXY, GT_E_IO, "the proxy did not connect"},
    {CURLE_SSL_CACERT_BADFILE, GT_E_INVALID, "the file of trusted certificates cannot be read"},
    {CURLE_SSL_CONNECT_ERROR, GT_E_IO, "no TLS connection; the port may not speak TLS"},
    {CURLE_PEER_FAILED_VERIFICATION, GT_E_IO,
     "the server's TLS certificate is not trusted; name the issuing authority's file as ca_file if "
     "it is your own"},
    {CURLE_USE_SSL_FAILED, GT_E_REFUSED,
     "the mail server offers no STARTTLS but TLS is required; use smtps:// or another port"},
    {CURLE_LOGIN_DENIED, GT_E_REFUSED,
     "the mail server does not accept this user name and password"},
};

static const char *details(const struct transfer *t, CURLcode code)
{
    bool tls = code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION;
    return tls && t->curl_words && *t->curl_words ? t->curl_words : NULL;
}

static void from_table(struct transfer *t, CURLcode code)
{
    int error = GT_E_IO;
    const char *words = curl_easy_strerror(code);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].code == code) {
            error = table[i].error;
            words = table[i].words;
        }
    }
    const char *more = details(t, code);
    gt_fail(&t->failure, error, "%s: %s%s%s%s", t->at.origin, words, more ? " (" : "",
            more ? more : "", more ? ")" : "");
}

static void timed_out(struct transfer *t)
{
    if (t->timeout_ms > 0) /* not all of it was used */
        gt_fail(
            &t->failure, GT_E_TIMEOUT,
            "%s: no connection within 10 s, or nothing came for 20 s; the server is unreachable "
            "or stuck",
            t->at.origin);
    else
        gt_fail(&t->failure, GT_E_TIMEOUT,
                "%s: no complete answer within %lld ms; the server is slow, or the answer too long "
                "for this timeout",
                t->at.origin, (long long)(t->timeout_ms + t->took_ms));
}

void gt_words(struct transfer *t, CURLcode code)
{
    bool guarded = code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK;
    if (t->too_much)
        gt_fail(&t->failure, GT_E_LIMIT, "%s: %s", t->at.origin, t->too_much);
    else if (guarded && t->refused[0])
        gt_fail(&t->failure, GT_E_REFUSED,
                "%s: refused to connect to %s, which is not a public address; set allow_private: "
                "true if it is meant",
                t->at.origin, t->refused);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        timed_out(t);
    else
        from_table(t, code);
}
