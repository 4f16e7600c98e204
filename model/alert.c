#include "model/alert.h"
#include "model/fields.h"

static const struct gt_member members[] = {
    {"type", GT_FIELD_TEXT, offsetof(struct gt_alert, event), 0, true},
    {"timestamp", GT_FIELD_TIME, offsetof(struct gt_alert, created_ms), 0, true},
    {0},
};

static const struct gt_member data_members[] = {
    {"alert_id", GT_FIELD_ID, offsetof(struct gt_alert, id), GT_ID_TEXT, true},
    {"first_seen", GT_FIELD_TIME, offsetof(struct gt_alert, first_seen_ms), 0, false},
    {0},
};

void gt_alert_identify(struct gt_alert *alert)
{
    const struct gt_part parts[] = {gt_part(alert->finding.id), gt_part(alert->event)};
    gt_id_make("alert", parts, 2, alert->id);
}

void gt_delivery_id(const char *alert_id, const char *channel, char ret_id[GT_ID_TEXT])
{
    const struct gt_part parts[] = {gt_part(alert_id), gt_part(channel)};
    gt_id_make("delivery", parts, 2, ret_id);
}

static const char *lang_name(enum gt_lang lang)
{
    return gt_lang_names[lang == GT_FRENCH ? GT_FRENCH : GT_ENGLISH];
}

static json_t *data_to_json(const struct gt_alert *alert)
{
    json_t *data = json_object();
    if (data && gt_members_write(data, data_members, alert) == 0 &&
        json_object_set_new(data, "occurrences", json_integer((json_int_t)alert->occurrences)) ==
            0 &&
        json_object_set_new(data, "language", json_string(lang_name(alert->lang))) == 0 &&
        json_object_set_new(data, "finding", gt_finding_to_json(&alert->finding)) == 0)
        return data;
    json_decref(data);
    return NULL;
}

json_t *gt_alert_to_json(const struct gt_alert *alert)
{
    json_t *object = json_object();
    if (object && gt_members_write(object, members, alert) == 0 &&
        json_object_set_new(object, "data", data_to_json(alert)) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static int read_data(const json_t *data, struct gt_arena *arena, struct gt_alert *alert,
                     struct gt_error *err)
{
    int rc = gt_members_read(data, data_members, arena, alert, err);
    if (rc < 0)
        return rc;
    int lang = gt_member_choice(data, "language", gt_lang_names, err);
    if (lang < 0)
        return lang;
    int64_t occurrences = gt_json_int(data, "occurrences", -1);
    if (occurrences < 0)
        return gt_fail(err, GT_E_INVALID, "\"occurrences\" is not a whole number from 0");
    alert->lang = (enum gt_lang)lang;
    alert->occurrences = (uint64_t)occurrences;
    return gt_finding_from_json(json_object_get(data, "finding"), arena, &alert->finding, err);
}

int gt_alert_from_json(const json_t *object, struct gt_arena *arena, struct gt_alert *ret,
                       struct gt_error *err)
{
    struct gt_alert alert = {0};
    int rc = gt_members_read(object, members, arena, &alert, err);
    if (rc == 0)
        rc = read_data(json_object_get(object, "data"), arena, &alert, err);
    if (rc < 0)
        gt_error_prefix(err, "alert");
    else
        *ret = alert;
    return rc;
}
