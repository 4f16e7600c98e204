/* TLS to the Redis server, where hiredis was built with it. hiredis itself does not look at the
 * name in the certificate, so the session is made here
 * (https://docs.openssl.org/3.0/man3/SSL_set1_host/). */
#include "queue/redis_link.h"

#ifdef GT_QUEUE_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

static int tls_failure(const struct gt_redis_link *link, int code, const char *what,
                       struct gt_error *err)
{
    char words[200] = "no further words";
    unsigned long last = ERR_peek_last_error();
    if (last)
        ERR_error_string_n(last, words, sizeof(words));
    ERR_clear_error();
    return gt_fail(err, code, "redis %s: TLS: %s (%s)", link->address.name, what, words);
}

static int load(const struct gt_redis_link *link, SSL_CTX *context, struct gt_error *err)
{
    const struct gt_redis_address *address = &link->address;
    int good = address->ca ? SSL_CTX_load_verify_locations(context, address->ca, NULL)
                           : SSL_CTX_set_default_verify_paths(context);
    if (good != 1)
        return tls_failure(link, GT_E_INVALID,
                           "cannot read the authorities; `queue: tls: ca:` must name a PEM file",
                           err);
    if (!address->cert && !address->key)
        return 0;
    if (!address->cert || !address->key)
        return gt_fail(err, GT_E_INVALID, "queue: tls: give both `cert:` and `key:`, or neither");
    if (SSL_CTX_use_certificate_chain_file(context, address->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, address->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return tls_failure(
            link, GT_E_INVALID,
            "cannot use the client certificate; `queue: tls: cert:` and `key:` must be "
            "PEM files that belong together",
            err);
    return 0;
}

static int make_context(struct gt_redis_link *link, struct gt_error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context)
        return tls_failure(link, GT_E_NOMEM, "cannot start", err);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    int rc = load(link, context, err);
    if (rc) {
        SSL_CTX_free(context);
        return rc;
    }
    link->tls = context;
    return 0;
}

static bool is_ip_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool expect_host(SSL *session, const char *host)
{
    if (is_ip_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
    return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

int gt_redis_tls_start(struct gt_redis_link *link, struct gt_error *err)
{
    int rc = link->tls ? 0 : make_context(link, err);
    if (rc)
        return rc;
    SSL *session = SSL_new(link->tls);
    if (!session || !expect_host(session, link->address.host)) {
        SSL_free(session);
        return tls_failure(link, GT_E_NOMEM, "cannot start", err);
    }
    /* From here on the session is the connection's, unless it failed. */
    if (redisInitiateSSL(link->context, session) == REDIS_OK)
        return 0;
    long verdict = SSL_get_verify_result(session);
    SSL_free(session);
    ERR_clear_error();
    if (verdict != X509_V_OK)
        return gt_fail(err, GT_E_REFUSED,
                       "redis %s: its certificate is not trusted: %s; check the host name, or set "
                       "`queue: tls: ca:`",
                       link->address.name, X509_verify_cert_error_string(verdict));
    return gt_fail(err, GT_E_AGAIN, "redis %s: no TLS there (%s); is this its TLS port?",
                   link->address.name, link->context->errstr);
}

void gt_redis_tls_free(struct gt_redis_link *link)
{
    SSL_CTX_free(link->tls);
    link->tls = NULL;
}

#else

int gt_redis_tls_start(struct gt_redis_link *link, struct gt_error *err)
{
    return gt_fail(
        err, GT_E_UNSUPPORTED,
        "redis %s: this guette was built with a hiredis that has no TLS (Debian 12); use "
        "the container image or Debian 13, or put stunnel before the server",
        link->address.name);
}

void gt_redis_tls_free(struct gt_redis_link *link)
{
    link->tls = NULL;
}

#endif
