/* Inside notifier/: the seam of a channel. One const table each, in channels/. */
#ifndef GT_NOTIFIER_CHANNEL_H
#define GT_NOTIFIER_CHANNEL_H

#include "notifier/notifier.h"

struct gt_channel_type {
    struct gt_kind kind; /* name, summary, options: for the configuration */
    size_t self_size;    /* allocated, zeroed and freed by the framework */
    int (*open)(void *self, const struct gt_config *config,
                const struct gt_channel_config *settings, struct gt_error *err);
    int (*render)(const void *self, const struct gt_alert *alert, int64_t now_ms,
                  struct gt_arena *arena, struct gt_outgoing *ret, struct gt_error *err);
    void (*classify)(const struct gt_http_response *response, struct gt_outcome *ret);
    void (*close)(void *self); /* may be NULL */
};

extern const struct gt_channel_type gt_channel_webhook, gt_channel_email, gt_channel_terminal,
    gt_channel_file;

/* Fills the outcome; returns nothing worth keeping. */
void gt_outcome_set(struct gt_outcome *ret, enum gt_outcome_type type, int64_t after_ms,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* For channels that only write. */
void gt_classify_write(const struct gt_http_response *response, struct gt_outcome *ret);

/* A buffer's content as the arena's memory. GT_E_LIMIT when the buffer had overflowed or the arena
 * is full. */
int gt_take_bytes(const struct gt_buffer *buffer, struct gt_arena *arena, const char **ret_bytes,
                  struct gt_error *err);

#endif
