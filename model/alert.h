/* An alert: what a channel tells about a finding. One per finding and event; its id is a hash of
 * both, so a replay makes the same alert. A delivery is one alert to one channel. */
#ifndef GT_MODEL_ALERT_H
#define GT_MODEL_ALERT_H

#include "core/core.h"
#include "model/finding.h"

struct gt_alert {
    char id[GT_ID_TEXT];
    const char *event; /* "finding.created", "channel.test" */
    int64_t created_ms;
    uint64_t occurrences; /* known when it is made */
    int64_t first_seen_ms;
    enum gt_lang lang;
    struct gt_finding finding;
};

void gt_alert_identify(struct gt_alert *alert);
void gt_delivery_id(const char *alert_id, const char *channel, char ret_id[GT_ID_TEXT]);
/* {"type": event, "timestamp": RFC 3339, "data": {"alert_id", "finding": {...}, "occurrences",
 * ...}}: the body of a webhook (Standard Webhooks payload structure). */
json_t *gt_alert_to_json(const struct gt_alert *alert);
int gt_alert_from_json(const json_t *object, struct gt_arena *arena, struct gt_alert *ret,
                       struct gt_error *err);

#endif
