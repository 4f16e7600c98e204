/* TLS to Redis; built only where hiredis has it. The server's certificate is made here, for
 * localhost. */
#include "queue_harness.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define T GT_TOPIC_DOCUMENTS

static void add_extension(X509 *certificate, int which, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* Its own authority, in cert.pem and key.pem of the folder. */
static void make_certificate(const char *directory)
{
    char path[128];
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *certificate = X509_new();
    assert_true(key && certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_subject_alt_name, "DNS:localhost");
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    snprintf(path, sizeof(path), "%s/cert.pem", directory);
    FILE *file = fopen(path, "w");
    assert_true(file && PEM_write_X509(file, certificate) == 1 && fclose(file) == 0);
    snprintf(path, sizeof(path), "%s/key.pem", directory);
    file = fopen(path, "w");
    assert_true(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                fclose(file) == 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static struct harness redis = {.type = "redis"};
static char port[8], cert_path[128], key_path[128];

static int setup(void **state)
{
    static const char *const arguments[] = {"--tls-port",
                                            port,
                                            "--tls-cert-file",
                                            cert_path,
                                            "--tls-key-file",
                                            key_path,
                                            "--bind",
                                            "127.0.0.1",
                                            "--tls-auth-clients",
                                            "optional",
                                            "--tls-ca-cert-file",
                                            cert_path,
                                            NULL};
    struct gt_error err;
    *state = &redis;
    assert_int_equal(gt_hash_start(&err), 0);
    snprintf(redis.directory, sizeof(redis.directory), "/tmp/guette-queue-XXXXXX");
    assert_non_null(mkdtemp(redis.directory));
    make_certificate(redis.directory);
    snprintf(port, sizeof(port), "%d", free_port());
    snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", redis.directory);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", redis.directory);
    server_start(&redis.server, redis.directory, arguments);
    return 0;
}

static void use(struct harness *harness, const char *form)
{
    char options[400];
    snprintf(options, sizeof(options), "prefix: q%d, %s%s", harness->queues, form, port);
    harness_options(harness, options);
}

static void refused(struct harness *harness, const char *words)
{
    struct gt_error err = {0};
    struct gt_queue *queue = NULL;
    assert_true(gt_queue_open(&harness->config, "host:1", &queue, &err) < 0);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void a_trusted_server_is_talked_to(void **state)
{
    struct harness *harness = *state;
    struct gt_error err = {0};
    use(harness, "tls: {ca: cert.pem}, host: localhost, port: ");
    struct gt_queue *queue = harness_open(harness, "host:1");
    static char big[3000000];
    memset(big, 'b', sizeof(big));
    const struct gt_push entry = {.id = "big", .payload = big, .len = sizeof(big)};
    struct gt_job job;
    assert_ok(push_numbers(queue, T, 0, 3, NULL, &err));
    assert_ok(gt_queue_push(queue, T, &entry, 1, NULL, NULL, &err));
    for (int i = 0; i < 4; i++) {
        assert_code(1, gt_queue_pull(queue, T, 1, 0, harness->arena, &job, &err));
        assert_ok(gt_queue_ack(queue, T, &job, &err));
    }
    assert_int_equal(job.len, sizeof(big));
    assert_memory_equal(job.payload, big, sizeof(big));
    server_kill(&harness->server);
    assert_code(GT_E_AGAIN, push_numbers(queue, T, 5, 1, NULL, &err));
    server_restart(&harness->server);
    assert_ok(push_numbers(queue, T, 5, 1, NULL, &err));
    gt_queue_close(queue);
}

static void a_client_certificate_is_shown(void **state)
{
    struct harness *harness = *state;
    use(harness, "tls: {ca: cert.pem, cert: cert.pem, key: key.pem}, host: localhost, port: ");
    gt_queue_close(harness_open(harness, "host:1"));
    use(harness, "tls: {ca: cert.pem, cert: cert.pem}, host: localhost, port: ");
    refused(harness, "both");
    use(harness, "tls: {ca: none.pem}, host: localhost, port: ");
    refused(harness, "authorities");
}

static void a_certificate_that_is_not_trusted_is_refused(void **state)
{
    struct harness *harness = *state;
    use(harness, "tls: true, host: localhost, port: ");
    refused(harness, "not trusted");
    use(harness, "url: rediss://localhost:");
    refused(harness, "not trusted");
}

static void a_certificate_of_another_host_is_refused(void **state)
{
    struct harness *harness = *state;
    use(harness, "tls: {ca: cert.pem}, host: 127.0.0.1, port: ");
    refused(harness, "not trusted");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
static const struct CMUnitTest cases[] = {
    CASE(a_trusted_server_is_talked_to),
    CASE(a_client_certificate_is_shown),
    CASE(a_certificate_that_is_not_trusted_is_refused),
    CASE(a_certificate_of_another_host_is_refused),
};

int main(void)
{
    if (!server_installed()) {
        printf("SKIPPED: there is no redis-server of 6.2 or later\n");
        return 77;
    }
    return cmocka_run_group_tests(cases, setup, harness_group_teardown);
}
