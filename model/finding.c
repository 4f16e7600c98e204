#include "model/finding.h"
#include "model/fields.h"

#include <stdio.h>
#include <string.h>

#define ENCODED_MAX ((size_t)1024 * 1024)
#define REASONS_MAX 64

#define AT(field) offsetof(struct gt_finding, field)
static const struct gt_member members[] = {
    {"id", GT_FIELD_ID, AT(id), GT_ID_TEXT, true},
    {"occurrence", GT_FIELD_ID, AT(occurrence), GT_ID_TEXT, true},
    {"fingerprint", GT_FIELD_ID, AT(fingerprint), GT_FINGERPRINT_TEXT, true},
    {"brand", GT_FIELD_TEXT, AT(brand), 0, false},
    {"rule", GT_FIELD_TEXT, AT(rule), 0, true},
    {"title", GT_FIELD_TEXT, AT(title), 0, false},
    {"provider", GT_FIELD_TEXT, AT(provider), 0, false},
    {"category", GT_FIELD_TEXT, AT(category), 0, false},
    {"preview", GT_FIELD_TEXT, AT(preview), 0, false},
    {"context", GT_FIELD_TEXT, AT(context), 0, false},
    {"remediation", GT_FIELD_TEXT, AT(remediation), 0, false},
    {"line", GT_FIELD_COUNT, AT(line), 0, false},
    {"column", GT_FIELD_COUNT, AT(column), 0, false},
    {"decoded_via", GT_FIELD_TEXT, AT(decoded_via), 0, false},
    {"detected", GT_FIELD_TIME, AT(detected_ms), 0, false},
    {0},
};

static const struct gt_member document_members[] = {
    {"id", GT_FIELD_TEXT, AT(document), 0, false},
    {"source", GT_FIELD_TEXT, AT(source), 0, false},
    {"url", GT_FIELD_TEXT, AT(url), 0, false},
    {"title", GT_FIELD_TEXT, AT(document_title), 0, false},
    {"author", GT_FIELD_TEXT, AT(author), 0, false},
    {"published", GT_FIELD_TIME, AT(published_ms), 0, false},
    {"fetched", GT_FIELD_TIME, AT(fetched_ms), 0, false},
    {0},
};

void gt_finding_identify(struct gt_finding *finding)
{
    const struct gt_part what[] = {gt_part(finding->brand), gt_part(finding->rule),
                                   gt_part(finding->fingerprint)};
    gt_id_make("finding", what, 3, finding->id);

    char place[32];
    snprintf(place, sizeof place, "%u:%u", finding->line, finding->column);
    /* Occurrences that stand as they are keep the ids that they always had. */
    const struct gt_part where[] = {gt_part(finding->id), gt_part(finding->document),
                                    gt_part(place), gt_part(finding->decoded_via)};
    gt_id_make("occurrence", where, finding->decoded_via ? 4 : 3, finding->occurrence);
}

static json_t *reasons_to_json(const struct gt_list *reasons)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < reasons->count && i < REASONS_MAX; i++) {
        if (json_array_append_new(array,
                                  gt_json_text_c(*GT_LIST_ITEM(*reasons, const char *, i)))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static int add_assessment(json_t *object, const struct gt_finding *finding)
{
    if (json_object_set_new(object, "score", json_integer(finding->score)) ||
        json_object_set_new(object, "severity", json_string(gt_severity_name(finding->severity))) ||
        json_object_set_new(object, "confidence",
                            json_string(gt_confidence_name(finding->confidence))) ||
        json_object_set_new(object, "reasons", reasons_to_json(&finding->reasons)))
        return GT_E_NOMEM;
    return 0;
}

json_t *gt_finding_to_json(const struct gt_finding *finding)
{
    json_t *object = json_object(), *document = json_object();
    if (object && document && gt_members_write(object, members, finding) == 0 &&
        add_assessment(object, finding) == 0 &&
        gt_members_write(document, document_members, finding) == 0 &&
        json_object_set(object, "document", document) == 0) {
        json_decref(document);
        return object;
    }
    json_decref(document);
    json_decref(object);
    return NULL;
}

static int read_reasons(const json_t *object, struct gt_arena *arena, struct gt_list *ret,
                        struct gt_error *err)
{
    const json_t *array = json_object_get(object, "reasons");
    size_t count = json_array_size(array);
    if ((array && !json_is_array(array)) || count > REASONS_MAX)
        return gt_fail(err, GT_E_INVALID, "\"reasons\" is not a list of at most %d texts",
                       REASONS_MAX);
    const char **texts = gt_arena_array(arena, count, sizeof *texts);
    if (count && !texts)
        return gt_fail(err, GT_E_LIMIT, "the finding does not fit in memory");
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (!text)
            return gt_fail(err, GT_E_INVALID, "\"reasons\" holds something else than texts");
        texts[i] = gt_arena_strdup(arena, text);
        if (!texts[i])
            return gt_fail(err, GT_E_LIMIT, "the finding does not fit in memory");
    }
    *ret = (struct gt_list){texts, count};
    return 0;
}

static int read_assessment(const json_t *object, struct gt_finding *ret, struct gt_error *err)
{
    int severity = gt_member_choice(object, "severity", gt_severity_names, err);
    if (severity < 0)
        return severity;
    int confidence = gt_member_choice(object, "confidence", gt_confidence_names, err);
    if (confidence < 0)
        return confidence;
    int64_t score = gt_json_int(object, "score", -1);
    if (score < 0 || score > 100)
        return gt_fail(err, GT_E_INVALID, "\"score\" is not a whole number from 0 to 100");
    ret->severity = (enum gt_severity)severity;
    ret->confidence = (enum gt_confidence)confidence;
    ret->score = (int)score;
    return 0;
}

int gt_finding_from_json(const json_t *object, struct gt_arena *arena, struct gt_finding *ret,
                         struct gt_error *err)
{
    struct gt_finding finding = {0};
    int rc = gt_members_read(object, members, arena, &finding, err);
    if (rc == 0)
        rc = read_assessment(object, &finding, err);
    if (rc == 0)
        rc = read_reasons(object, arena, &finding.reasons, err);
    if (rc == 0)
        rc = gt_members_read(json_object_get(object, "document"), document_members, arena, &finding,
                             err);
    if (rc < 0)
        gt_error_prefix(err, "finding");
    else
        *ret = finding;
    return rc;
}

int gt_finding_encode(const struct gt_finding *finding, struct gt_buffer *out, struct gt_error *err)
{
    GT_JSON_AUTO json_t *object = gt_finding_to_json(finding);
    if (!object)
        return gt_fail(err, GT_E_NOMEM, "out of memory while encoding a finding");
    if (gt_json_append(object, out) < 0)
        return gt_fail(err, GT_E_LIMIT, "the finding does not fit in %zu bytes", out->max);
    return 0;
}

int gt_finding_decode(const void *bytes, size_t len, struct gt_arena *arena, struct gt_finding *ret,
                      struct gt_error *err)
{
    if (len > ENCODED_MAX)
        return gt_fail(err, GT_E_LIMIT, "the finding is longer than 1 MiB");
    GT_JSON_AUTO json_t *object = gt_json_parse(bytes, len, err);
    return object ? gt_finding_from_json(object, arena, ret, err) : GT_E_INVALID;
}
