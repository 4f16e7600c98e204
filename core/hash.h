/* Hashes and keys, all by libsodium. Call gt_hash_start() once in main before any of them. */
#ifndef GT_CORE_HASH_H
#define GT_CORE_HASH_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

#define GT_ID_BYTES 16
#define GT_ID_TEXT (2 * GT_ID_BYTES + 1) /* lower-case hex and NUL */
#define GT_KEY_BYTES 32
#define GT_FINGERPRINT_TEXT 65 /* HMAC-SHA-256, lower-case hex and NUL */

int gt_hash_start(struct gt_error *err);

/* BLAKE2b-128 over the parts, each preceded by its length, so that ("ab","c") and ("a","bc")
 * differ. `kind` separates domains ("document", "finding"...). */
struct gt_part {
    const void *bytes;
    size_t len;
};
struct gt_part gt_part(const char *text); /* NULL counts as empty */
void gt_id_make(const char *kind, const struct gt_part *parts, size_t count,
                char ret_id[GT_ID_TEXT]);

/* The deployment's fingerprint key: 32 random bytes as 64 hex digits in a file of mode 0600. */
struct gt_key {
    unsigned char bytes[GT_KEY_BYTES];
};
/* Makes the file; GT_E_CONFLICT when it is there already. Directory is created (0700) when missing.
 */
int gt_key_create(const char *path, struct gt_error *err);
/* GT_E_NOTFOUND when there is none; GT_E_REFUSED when group or others may write to it or others may
 * read it and it lies outside a secrets mount (/run/secrets, /var/run/secrets). */
int gt_key_load(const char *path, struct gt_key *ret_key, struct gt_error *err);
/* Names the key without telling it: to check that all workers hold the same one. */
void gt_key_id(const struct gt_key *key, char ret_id[GT_ID_TEXT]);

/* HMAC-SHA-256 (RFC 2104) of a secret under the deployment's key, hex. */
void gt_fingerprint(const struct gt_key *key, const void *secret, size_t len,
                    char ret_text[GT_FINGERPRINT_TEXT]);
/* HMAC-SHA-256 under any key; raw 32 bytes. */
void gt_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                    unsigned char ret_mac[32]);

/* CRC-32 (IEEE 802.3), as zlib's. */
uint32_t gt_crc32(const void *bytes, size_t len);

#endif
