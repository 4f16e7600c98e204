/* Standard Webhooks 1.0
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md) and
 * GitHub's older form
 * (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries). */
#include "notifier/sign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

int gt_webhook_key_decode(const char *secret, struct gt_webhook_key *ret_key, struct gt_error *err)
{
    static const char advice[] = "make one by: echo \"whsec_$(openssl rand -base64 32)\"";
    struct gt_webhook_key key = {0};
    if (!gt_starts_with(secret, "whsec_"))
        return gt_fail(err, GT_E_INVALID, "does not begin with whsec_; %s", advice);
    const char *base64 = secret + strlen("whsec_");
    if (sodium_base642bin(key.bytes, sizeof(key.bytes), base64, strlen(base64), NULL, &key.len,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return gt_fail(err, GT_E_INVALID, "is not whsec_ and the base64 of %d to %d bytes; %s",
                       GT_WEBHOOK_KEY_LEAST, GT_WEBHOOK_KEY_MOST, advice);
    if (key.len < GT_WEBHOOK_KEY_LEAST)
        return gt_fail(err, GT_E_INVALID, "is too short, at least %d bytes are needed; %s",
                       GT_WEBHOOK_KEY_LEAST, advice);
    *ret_key = key;
    sodium_memzero(&key, sizeof(key));
    return 0;
}

int gt_webhook_sign(const struct gt_webhook_key *key, const char *id, int64_t seconds,
                    const void *body, size_t len, char ret_signature[GT_WEBHOOK_SIGNATURE],
                    struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer content = GT_BUFFER(len + 256);
    unsigned char mac[32];
    gt_buffer_printf(&content, "%s.%lld.", id, (long long)seconds);
    gt_buffer_append(&content, body, len);
    if (!gt_buffer_ok(&content))
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    gt_hmac_sha256(key->bytes, key->len, content.data, content.len, mac);
    memcpy(ret_signature, "v1,", 3);
    sodium_bin2base64(ret_signature + 3, GT_WEBHOOK_SIGNATURE - 3, mac, sizeof(mac),
                      sodium_base64_VARIANT_ORIGINAL);
    return 0;
}

void gt_hub_sign(const char *secret, const void *body, size_t len,
                 char ret_signature[GT_HUB_SIGNATURE])
{
    unsigned char mac[32];
    gt_hmac_sha256(secret, strlen(secret), body, len, mac);
    memcpy(ret_signature, "sha256=", 7);
    sodium_bin2hex(ret_signature + 7, GT_HUB_SIGNATURE - 7, mac, sizeof(mac));
}
