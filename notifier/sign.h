/* Inside notifier/: signatures of webhooks. */
#ifndef GT_NOTIFIER_SIGN_H
#define GT_NOTIFIER_SIGN_H

#include "core/core.h"

#define GT_WEBHOOK_KEY_LEAST 24 /* bytes, after the specification */
#define GT_WEBHOOK_KEY_MOST 64
#define GT_WEBHOOK_SIGNATURE 48
#define GT_HUB_SIGNATURE 72

struct gt_webhook_key {
    unsigned char bytes[GT_WEBHOOK_KEY_MOST];
    size_t len;
};
/* From "whsec_BASE64". Says in err what is wrong, as an option's check does. */
int gt_webhook_key_decode(const char *secret, struct gt_webhook_key *ret_key, struct gt_error *err);
/* Standard Webhooks 1.0: "v1," and the base64 of HMAC-SHA-256 over "id.seconds.body". */
int gt_webhook_sign(const struct gt_webhook_key *key, const char *id, int64_t seconds,
                    const void *body, size_t len, char ret_signature[GT_WEBHOOK_SIGNATURE],
                    struct gt_error *err);
/* GitHub's X-Hub-Signature-256: "sha256=" and the hex of HMAC-SHA-256 over the body. */
void gt_hub_sign(const char *secret, const void *body, size_t len,
                 char ret_signature[GT_HUB_SIGNATURE]);

#endif
