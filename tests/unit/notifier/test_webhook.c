#include "notifier/shorten.h"
#include "notifier/sign.h"
#include "notifier_test.h"

#define URL "url: https://hooks.acme.example/guette/s3cret-path\n"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const char *header(const struct gt_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

static void test_published_vectors(void **state)
{
    struct gt_error err;
    struct gt_webhook_key key;
    char signature[GT_WEBHOOK_SIGNATURE], hub[GT_HUB_SIGNATURE];
    static const char body[] = "{\"test\": 2432232314}";
    must(gt_webhook_key_decode(SECRET, &key, &err), &err);
    must(gt_webhook_sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body),
                         signature, &err),
         &err);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    gt_hub_sign("It's a Secret to Everybody", "Hello, World!", 13, hub);
    assert_string_equal(hub,
                        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

static void test_request(void **state)
{
    struct opened hook = must_open(
        "webhook", URL "secret: " SECRET "\nhub_secret: a-rather-long-secret\n"
                       "headers: [\"Authorization: Bearer made-up\", \"X-Empty:\"]\ntimeout: 5s\n");
    struct gt_alert alert = make_alert();
    struct gt_outgoing out = render_with(&hook, &alert, NOW);
    char id[64], expected[GT_HUB_SIGNATURE], signature[GT_WEBHOOK_SIGNATURE];
    struct gt_webhook_key key;
    assert_int_equal(out.type, GT_OUTGOING_HTTP);
    assert_string_equal(out.http.method, "POST");
    assert_int_equal(out.http.max_redirects, -1);
    assert_int_equal(out.http.timeout_ms, 5000);
    assert_false(out.http.allow_private);
    assert_string_equal(header(&out.http, "Content-Type"), "application/json");
    snprintf(id, sizeof(id), "msg_%s", alert.id);
    assert_string_equal(header(&out.http, "webhook-id"), id);
    assert_string_equal(header(&out.http, "webhook-timestamp"), "1795455665");
    must(gt_webhook_key_decode(SECRET, &key, NULL), &hook.err);
    must(gt_webhook_sign(&key, id, 1795455665, out.http.body, out.http.body_len, signature, NULL),
         &hook.err);
    assert_string_equal(header(&out.http, "webhook-signature"), signature);
    gt_hub_sign("a-rather-long-secret", out.http.body, out.http.body_len, expected);
    assert_string_equal(header(&out.http, "X-Hub-Signature-256"), expected);
    assert_string_equal(header(&out.http, "Authorization"), "Bearer made-up");
    assert_string_equal(header(&out.http, "X-Empty"), "");

    /* A retry is the same message, signed anew. */
    struct gt_outgoing later = render_with(&hook, &alert, NOW + GT_HOUR);
    assert_string_equal(header(&later.http, "webhook-id"), id);
    assert_string_equal(header(&later.http, "webhook-timestamp"), "1795459265");
    assert_string_not_equal(header(&later.http, "webhook-signature"), signature);
    assert_memory_equal(later.http.body, out.http.body, out.http.body_len);
    close_opened(&hook);
}

static void test_unsigned_without_secrets(void **state)
{
    struct opened hook = must_open("webhook", URL);
    struct gt_alert alert = make_alert();
    struct gt_outgoing out = render_with(&hook, &alert, NOW);
    assert_null(header(&out.http, "webhook-signature"));
    assert_null(header(&out.http, "X-Hub-Signature-256"));
    assert_non_null(header(&out.http, "webhook-id"));
    close_opened(&hook);
}

static void test_two_secrets_sign_twice(void **state)
{
    struct opened hook = must_open("webhook", URL "secret: [" SECRET
                                                  ", whsec_bWFkZSB1cCBmb3IgYSB0ZXN0IG9ubHkhISE=]");
    struct gt_alert alert = make_alert();
    struct gt_outgoing out = render_with(&hook, &alert, NOW);
    const char *value = header(&out.http, "webhook-signature");
    assert_int_equal(strlen(value), 2 * 47 + 1);
    assert_int_equal(strncmp(value, "v1,", 3), 0);
    assert_int_equal(strncmp(value + 47, " v1,", 4), 0);
    close_opened(&hook);
}

static void assert_text(const json_t *object, const char *key, const char *expected)
{
    assert_string_equal(gt_json_string(object, key, "(missing)"), expected);
}

/* The body's shape is an interface: receivers parse it. */
static void test_body(void **state)
{
    struct opened hook = must_open("webhook", URL);
    struct gt_alert alert = make_alert();
    struct gt_outgoing out = render_with(&hook, &alert, NOW);
    GT_JSON_AUTO json_t *body = gt_json_parse(out.http.body, out.http.body_len, &hook.err);
    assert_non_null(body);
    assert_text(body, "type", "finding.created");
    assert_text(body, "timestamp", "2026-11-23T17:41:05Z");
    const json_t *data = json_object_get(body, "data"), *finding = json_object_get(data, "finding");
    assert_text(data, "alert_id", alert.id);
    assert_int_equal(gt_json_int(data, "occurrences", 0), 3);
    assert_null(json_object_get(data, "shortened"));
    assert_text(finding, "id", alert.finding.id);
    assert_text(finding, "brand", "Acme Corp");
    assert_text(finding, "rule", "github.personal-access-token");
    assert_text(finding, "severity", "critical");
    assert_text(finding, "confidence", "certain");
    assert_text(finding, "preview", alert.finding.preview);
    assert_text(json_object_get(finding, "document"), "url", alert.finding.url);
    assert_int_equal(json_array_size(json_object_get(finding, "reasons")), 2);
    close_opened(&hook);
}

static void test_long_alert_is_shortened(void **state)
{
    struct opened hook = must_open("webhook", URL);
    struct gt_alert alert = make_alert();
    char *context = malloc(300001);
    for (size_t i = 0; i < 300000; i += 3)
        memcpy(context + i, "\xe2\x82\xac", 3);
    context[300000] = '\0';
    alert.finding.context = context;
    struct gt_outgoing out = render_with(&hook, &alert, NOW);
    assert_in_range(out.http.body_len, 5000, 19999);
    GT_JSON_AUTO json_t *body = gt_json_parse(out.http.body, out.http.body_len, &hook.err);
    const json_t *data = json_object_get(body, "data"), *cut = json_object_get(data, "shortened");
    assert_int_equal(json_array_size(cut), 1);
    assert_string_equal(json_string_value(json_array_get(cut, 0)), "context");
    assert_true(
        gt_ends_with(gt_json_string(json_object_get(data, "finding"), "context", ""), "\u2026"));
    free(context);
    close_opened(&hook);
}

/* Every text huge at once, and quotes that double in JSON. */
static void test_everything_huge(void **state)
{
    struct opened hook = must_open("webhook", URL);
    struct gt_alert alert = make_alert();
    static char huge[50001];
    static const char *reasons[64];
    memset(huge, '"', sizeof(huge) - 1);
    for (size_t i = 0; i < 64; i++)
        reasons[i] = huge;
    alert.finding.reasons = (struct gt_list){reasons, 64};
    alert.finding.context = alert.finding.url = alert.finding.author = huge;
    alert.finding.document_title = alert.finding.title = alert.finding.remediation = huge;
    struct gt_outgoing out = render_with(&hook, &alert, NOW);
    assert_in_range(out.http.body_len, 1, 19999);
    GT_JSON_AUTO json_t *body = gt_json_parse(out.http.body, out.http.body_len, &hook.err);
    assert_non_null(body);
    const json_t *data = json_object_get(body, "data");
    assert_int_equal(json_array_size(json_object_get(data, "shortened")), 6);
    assert_text(json_object_get(data, "finding"), "fingerprint", alert.finding.fingerprint);
    close_opened(&hook);
}

static void test_wrong_options(void **state)
{
#define KEY "secret: "
    assert_mistake("webhook", "url: ftp://acme.example/", "not a web address");
    assert_mistake("webhook", "url: https://", "not a web address");
    assert_mistake("webhook", "url: \"https://acme.example/a b\"", "not a web address");
    assert_mistake("webhook", "url: https://me:pw@acme.example/", "credentials in headers");
    assert_mistake("webhook", "timeout: 5s", "url");
    assert_mistake("webhook", URL KEY "bm90LXdoc2Vj", "whsec_");
    assert_mistake("webhook", URL KEY "whsec_AAAA", "too short");
    assert_mistake("webhook", URL KEY "whsec_not*base64", "base64");
    assert_mistake("webhook", URL KEY "whsec_", "too short");
    assert_mistake("webhook", URL "hub_secret: short", "16 characters");
    assert_mistake("webhook", URL "headers: [no colon]", "not a header");
    assert_mistake("webhook", URL "headers: [\"X-A: b\\r\\nX-C: d\"]", "line break");
    assert_mistake("webhook", URL "headers: [\"Webhook-Id: x\"]", "sets itself");
    assert_mistake("webhook", URL "timeout: 5m", "too large");
    struct opened hook = try_open("webhook", URL KEY "whsec_super+secret+value");
    assert_null(strstr(hook.mistake, "super"));
    close_opened(&hook);
}

static void test_answers(void **state)
{
    static const struct {
        int error, status;
        enum gt_outcome_type type;
    } cases[] = {
        {0, 200, GT_DELIVERED},      {0, 202, GT_DELIVERED}, {0, 204, GT_DELIVERED},
        {0, 301, GT_RETRY},          {0, 400, GT_RETRY},     {0, 401, GT_RETRY},
        {0, 404, GT_RETRY},          {0, 410, GT_GONE},      {0, 429, GT_RETRY},
        {0, 500, GT_RETRY},          {0, 502, GT_RETRY},     {0, 503, GT_RETRY},
        {0, 504, GT_RETRY},          {GT_E_IO, 0, GT_RETRY}, {GT_E_TIMEOUT, 0, GT_RETRY},
        {GT_E_REFUSED, 0, GT_RETRY}, {0, 199, GT_RETRY},     {GT_E_INVALID, 0, GT_REJECTED},
    };
    struct opened hook = must_open("webhook", URL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gt_outcome outcome;
        struct gt_http_response response = {.error = cases[i].error,
                                            .words = cases[i].error ? "no connection" : NULL,
                                            .status = cases[i].status,
                                            .retry_after_ms = 120000};
        gt_channel_classify(hook.channel, &response, &outcome);
        assert_int_equal(outcome.type, cases[i].type);
        assert_true(outcome.why[0]);
        assert_null(strstr(outcome.why, "s3cret-path"));
        assert_int_equal(outcome.after_ms, cases[i].type == GT_RETRY ? 120000 : -1);
    }
    close_opened(&hook);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_unsigned_without_secrets),
        cmocka_unit_test(test_two_secrets_sign_twice),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_long_alert_is_shortened),
        cmocka_unit_test(test_everything_huge),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, start_hashes, NULL);
}
