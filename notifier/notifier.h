/* notifier: which channels hear of a finding, what each is sent and what its answer means.
 *
 * It sends nothing: workers/ carries out the requests and keeps the outbox. */
#ifndef GT_NOTIFIER_H
#define GT_NOTIFIER_H

#include "core/core.h"
#include "model/model.h"
#include "net/net.h"
#include "notifier/show.h"

extern const struct gt_kind *const gt_channel_kinds[]; /* NULL-ended, for the configuration */

/* Names of the channels for a finding, each once, in configuration order. No route at all: every
 * enabled channel. Returns their number (at most `most`). */
size_t gt_route(const struct gt_config *config, const struct gt_finding *finding,
                const char **ret_channels, size_t most);

/* What to send, in one of three forms. Memory is the arena's. */
enum gt_outgoing_type { GT_OUTGOING_HTTP, GT_OUTGOING_MAIL, GT_OUTGOING_WRITE };
struct gt_outgoing {
    enum gt_outgoing_type type;
    struct gt_http_request http;
    struct gt_mail mail;
    struct {
        const char *path; /* NULL: standard output */
        const char *bytes;
        size_t len;
        int mode; /* of a new file */
    } write;
};

enum gt_outcome_type {
    GT_DELIVERED,
    GT_RETRY,    /* later; after_ms if the receiver said when, else -1 */
    GT_REJECTED, /* never: dead letter */
    GT_GONE,     /* never, and disable the endpoint */
};
struct gt_outcome {
    enum gt_outcome_type type;
    int64_t after_ms;
    char why[256]; /* no secrets, no URL path */
};

/* Channel seam (also notifier/channel.h inside the folder). */
struct gt_channel;
int gt_channel_open(const struct gt_config *config, const struct gt_channel_config *settings,
                    struct gt_channel **ret_channel, struct gt_error *err);
void gt_channel_close(struct gt_channel *channel);
const char *gt_channel_name(const struct gt_channel *channel);
/* attempt counts from 0; now_ms is the signing time. */
int gt_channel_render(struct gt_channel *channel, const struct gt_alert *alert, int64_t now_ms,
                      int attempt, struct gt_arena *arena, struct gt_outgoing *ret,
                      struct gt_error *err);
/* For HTTP and mail; a write is judged by the writer. */
void gt_channel_classify(struct gt_channel *channel, const struct gt_http_response *response,
                         struct gt_outcome *ret);

/* Full jitter, 5 s doubling to 3 h; after delivery_for (about three days) it is given up: returns
 * -1. */
int64_t gt_delivery_backoff(int64_t attempts, int64_t created_ms, int64_t now_ms,
                            int64_t delivery_for_ms, int64_t after_ms);

/* The alert as text for a terminal (colour: ANSI) or a mail's text part. */
int gt_alert_text(const struct gt_alert *alert, bool colour, struct gt_buffer *out);

#endif
