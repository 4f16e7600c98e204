#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"

#define KIB64 ((size_t)64 * 1024)

static const char *const reasons[] = {"checksum is right", "names the brand"};
static const struct gt_finding sample = {
    .fingerprint = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    .brand = "Acme Corp",
    .rule = "github.token",
    .title = "GitHub token",
    .provider = "GitHub",
    .category = "credential",
    .score = 90,
    .severity = GT_CRITICAL,
    .confidence = GT_LIKELY,
    .reasons = {(void *)(uintptr_t)reasons, 2},
    .preview = "ghp_****9f",
    .context = "token = ghp_****9f",
    .remediation = "Revoke it.",
    .line = 3,
    .column = 9,
    .document = "0123456789abcdef0123456789abcdef",
    .source = "inbox",
    .url = "https://paste.example/1",
    .document_title = "dump.txt",
    .author = "somebody",
    .published_ms = 1700000000000,
    .fetched_ms = 1700000000123,
    .detected_ms = 1700000001000,
};

static void finding_id_is_of_the_secret_not_the_place(void **state)
{
    struct gt_finding first = sample, elsewhere = sample, other = sample, line = sample;
    elsewhere.document = "ffffffffffffffffffffffffffffffff";
    line.line = 4;
    other.fingerprint[0] = 'f';
    gt_finding_identify(&first);
    gt_finding_identify(&elsewhere);
    gt_finding_identify(&line);
    gt_finding_identify(&other);
    assert_string_equal(first.id, elsewhere.id);
    assert_string_equal(first.id, line.id);
    assert_string_not_equal(first.id, other.id);
    assert_string_not_equal(first.occurrence, elsewhere.occurrence);
    assert_string_not_equal(first.occurrence, line.occurrence);

    struct gt_finding nobody = sample, brandless = sample;
    nobody.brand = brandless.brand = NULL;
    brandless.rule = "github.other";
    gt_finding_identify(&nobody);
    gt_finding_identify(&brandless);
    assert_string_not_equal(nobody.id, first.id);
    assert_string_not_equal(nobody.id, brandless.id);
}

static void expect_same(const struct gt_finding *a, const struct gt_finding *b)
{
    GT_JSON_AUTO json_t *x = gt_finding_to_json(a), *y = gt_finding_to_json(b);
    assert_true(x && json_equal(x, y));
}

static void finding_comes_back_as_it_was(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(KIB64);
    struct gt_finding finding = sample, again;
    struct gt_buffer wire = GT_BUFFER(KIB64);
    gt_finding_identify(&finding);
    assert_int_equal(gt_finding_encode(&finding, &wire, NULL), 0);
    assert_int_equal(gt_finding_decode(wire.data, wire.len, arena, &again, NULL), 0);
    gt_buffer_free(&wire);
    expect_same(&finding, &again);
    assert_string_equal(again.id, finding.id);
    assert_string_equal(again.occurrence, finding.occurrence);
    assert_int_equal(again.severity, GT_CRITICAL);
    assert_int_equal(again.confidence, GT_LIKELY);
    assert_int_equal(again.reasons.count, 2);
    assert_string_equal(*GT_LIST_ITEM(again.reasons, const char *, 1), reasons[1]);
    assert_int_equal(again.fetched_ms, sample.fetched_ms);
    assert_int_equal(again.line, 3);
}

static void finding_without_the_optional_parts_comes_back(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(KIB64);
    struct gt_finding finding = {.rule = "r"}, again;
    struct gt_buffer wire = GT_BUFFER(KIB64);
    gt_finding_identify(&finding);
    memcpy(finding.fingerprint, sample.fingerprint, sizeof finding.fingerprint);
    assert_int_equal(gt_finding_encode(&finding, &wire, NULL), 0);
    assert_int_equal(gt_finding_decode(wire.data, wire.len, arena, &again, NULL), 0);
    gt_buffer_free(&wire);
    expect_same(&finding, &again);
    assert_null(again.brand);
    assert_null(again.url);
    assert_int_equal(again.published_ms, 0);
    assert_int_equal(again.reasons.count, 0);
}

static void finding_has_the_keys_that_receivers_know(void **state)
{
    static const char *const keys[] = {"id",      "occurrence", "fingerprint", "brand",
                                       "rule",    "title",      "provider",    "category",
                                       "score",   "severity",   "confidence",  "reasons",
                                       "preview", "context",    "remediation", "line",
                                       "column",  "document",   "detected",    "decoded_via"};
    static const char *const document_keys[] = {"id",     "source",    "url",    "title",
                                                "author", "published", "fetched"};
    GT_JSON_AUTO json_t *object = gt_finding_to_json(&sample);
    assert_int_equal(json_object_size(object), sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(object, keys[i]));
    const json_t *document = json_object_get(object, "document");
    assert_int_equal(json_object_size(document), 7);
    for (size_t i = 0; i < 7; i++)
        assert_non_null(json_object_get(document, document_keys[i]));
    assert_string_equal(gt_json_string(object, "severity", ""), "critical");
    assert_string_equal(gt_json_string(object, "confidence", ""), "likely");
    assert_string_equal(gt_json_string(document, "fetched", ""), "2023-11-14T22:13:20.123Z");
}

static void finding_with_a_wrong_member_is_refused(void **state)
{
    static const struct {
        const char *key, *json, *message;
    } cases[] = {
        {"id", "\"xyz\"", "finding: \"id\" is not an id"},
        {"id", "null", "finding: \"id\" is missing"},
        {"id", "\"00112233445566778899AABBCCDDEEFF\"", "finding: \"id\" is not an id"},
        {"rule", "null", "finding: \"rule\" is missing"},
        {"rule", "7", "finding: \"rule\" is not a string"},
        {"fingerprint", "\"00\"", "finding: \"fingerprint\" is not an id"},
        {"line", "-1", "finding: \"line\" is not a whole number from 0"},
        {"line", "4294967296", "finding: \"line\" is not a whole number from 0"},
        {"line", "1.5", "finding: \"line\" is not a whole number from 0"},
        {"score", "101", "finding: \"score\" is not a whole number from 0 to 100"},
        {"severity", "\"dire\"", "finding: \"severity\" is not a known name"},
        {"confidence", "null", "finding: \"confidence\" is not a known name"},
        {"reasons", "7", "finding: \"reasons\" is not a list"},
        {"reasons", "[7]", "finding: \"reasons\" holds something else"},
        {"detected", "\"yesterday\"", "finding: \"detected\" is not a time"},
        {"document", "[]", "finding: this is not a JSON object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(KIB64);
        struct gt_finding finding = sample, untouched = {.rule = "untouched"};
        struct gt_error err = {0};
        gt_finding_identify(&finding);
        GT_JSON_AUTO json_t *object = gt_finding_to_json(&finding);
        json_object_set_new(object, cases[i].key,
                            gt_json_parse(cases[i].json, strlen(cases[i].json), NULL));
        assert_int_equal(gt_finding_from_json(object, arena, &untouched, &err), GT_E_INVALID);
        assert_string_equal(untouched.rule, "untouched");
        if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s %s: %s", cases[i].key, cases[i].json, err.message);
    }
}

static void finding_that_is_too_large_is_refused(void **state)
{
    size_t len = (size_t)1024 * 1024 + 1;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, ' ', len);
    struct gt_finding untouched;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(256);
    assert_int_equal(gt_finding_decode(bytes, len, arena, &untouched, NULL), GT_E_LIMIT);
    free(bytes);

    struct gt_finding finding = sample;
    struct gt_buffer wire = GT_BUFFER(100);
    gt_finding_identify(&finding);
    assert_int_equal(gt_finding_encode(&finding, &wire, NULL), GT_E_LIMIT);
    gt_buffer_free(&wire);
    GT_JSON_AUTO json_t *object = gt_finding_to_json(&finding);
    assert_int_equal(gt_finding_from_json(object, arena, &untouched, NULL), GT_E_LIMIT);
}

static struct gt_alert make_alert(void)
{
    struct gt_alert alert = {.event = "finding.created",
                             .created_ms = 1700000002000,
                             .occurrences = 3,
                             .first_seen_ms = 1700000001000,
                             .lang = GT_FRENCH,
                             .finding = sample};
    gt_finding_identify(&alert.finding);
    gt_alert_identify(&alert);
    return alert;
}

static void alert_id_is_of_finding_and_event(void **state)
{
    struct gt_alert alert = make_alert(), later = make_alert(), test = make_alert();
    later.created_ms++;
    later.occurrences++;
    test.event = "channel.test";
    gt_alert_identify(&later);
    gt_alert_identify(&test);
    assert_string_equal(alert.id, later.id);
    assert_string_not_equal(alert.id, test.id);
    char mail[GT_ID_TEXT], hook[GT_ID_TEXT], again[GT_ID_TEXT];
    gt_delivery_id(alert.id, "mail", mail);
    gt_delivery_id(alert.id, "hook", hook);
    gt_delivery_id(later.id, "mail", again);
    assert_string_not_equal(mail, hook);
    assert_string_equal(mail, again);
}

static void alert_is_a_standard_webhooks_payload(void **state)
{
    struct gt_alert alert = make_alert();
    GT_JSON_AUTO json_t *object = gt_alert_to_json(&alert);
    assert_int_equal(json_object_size(object), 3);
    assert_string_equal(gt_json_string(object, "type", ""), "finding.created");
    assert_string_equal(gt_json_string(object, "timestamp", ""), "2023-11-14T22:13:22Z");
    const json_t *data = json_object_get(object, "data");
    assert_string_equal(gt_json_string(data, "alert_id", ""), alert.id);
    assert_string_equal(gt_json_string(data, "language", ""), "fr");
    assert_int_equal(gt_json_int(data, "occurrences", 0), 3);
    assert_string_equal(gt_json_string(json_object_get(data, "finding"), "rule", ""),
                        "github.token");
}

static void alert_comes_back_as_it_was(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(KIB64);
    struct gt_alert alert = make_alert(), again, untouched = {.event = "untouched"};
    struct gt_error err = {0};
    GT_JSON_AUTO json_t *object = gt_alert_to_json(&alert);
    assert_int_equal(gt_alert_from_json(object, arena, &again, NULL), 0);
    GT_JSON_AUTO json_t *same = gt_alert_to_json(&again);
    assert_true(json_equal(object, same));
    assert_int_equal(again.lang, GT_FRENCH);
    assert_string_equal(again.id, alert.id);

    json_object_del(json_object_get(json_object_get(object, "data"), "finding"), "rule");
    assert_int_equal(gt_alert_from_json(object, arena, &untouched, &err), GT_E_INVALID);
    assert_string_equal(err.message, "alert: finding: \"rule\" is missing");
    assert_string_equal(untouched.event, "untouched");
    json_object_del(object, "data");
    assert_int_equal(gt_alert_from_json(object, arena, &untouched, &err), GT_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_id_is_of_the_secret_not_the_place),
        cmocka_unit_test(finding_comes_back_as_it_was),
        cmocka_unit_test(finding_without_the_optional_parts_comes_back),
        cmocka_unit_test(finding_has_the_keys_that_receivers_know),
        cmocka_unit_test(finding_with_a_wrong_member_is_refused),
        cmocka_unit_test(finding_that_is_too_large_is_refused),
        cmocka_unit_test(alert_id_is_of_finding_and_event),
        cmocka_unit_test(alert_is_a_standard_webhooks_payload),
        cmocka_unit_test(alert_comes_back_as_it_was),
    };
    return gt_hash_start(NULL) < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
