#include "core/hash.h"

#include "core/files.h"
#include "core/strings.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

int gt_hash_start(struct gt_error *err)
{
    if (sodium_init() < 0)
        return gt_fail(err, GT_E_UNSUPPORTED, "libsodium could not start: no source of randomness");
    return 0;
}

static void add_part(crypto_generichash_state *state, const void *bytes, size_t len)
{
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)len >> (8 * i));
    crypto_generichash_update(state, length, sizeof length);
    if (len)
        crypto_generichash_update(state, bytes, len);
}

struct gt_part gt_part(const char *text)
{
    return (struct gt_part){text, text ? strlen(text) : 0};
}

void gt_id_make(const char *kind, const struct gt_part *parts, size_t count,
                char ret_id[GT_ID_TEXT])
{
    crypto_generichash_state state;
    unsigned char id[GT_ID_BYTES];
    crypto_generichash_init(&state, NULL, 0, sizeof id);
    add_part(&state, kind, strlen(kind));
    for (size_t i = 0; i < count; i++)
        add_part(&state, parts[i].bytes, parts[i].len);
    crypto_generichash_final(&state, id, sizeof id);
    sodium_bin2hex(ret_id, GT_ID_TEXT, id, sizeof id);
}

int gt_key_create(const char *path, struct gt_error *err)
{
    if (gt_file_exists(path))
        return gt_fail(err, GT_E_CONFLICT, "%s is there already; it is kept as it is", path);
    char directory[4096];
    const char *slash = strrchr(path, '/');
    if (slash && slash != path && (size_t)(slash - path) < sizeof directory) {
        memcpy(directory, path, (size_t)(slash - path));
        directory[slash - path] = '\0';
        int rc = gt_directory_make(directory, 0700, err);
        if (rc)
            return rc;
    }
    unsigned char key[GT_KEY_BYTES];
    char text[2 * GT_KEY_BYTES + 2];
    randombytes_buf(key, sizeof key);
    sodium_bin2hex(text, sizeof text, key, sizeof key);
    text[2 * GT_KEY_BYTES] = '\n';
    int rc = gt_file_write(path, text, 2 * GT_KEY_BYTES + 1, 0600, err);
    sodium_memzero(key, sizeof key);
    sodium_memzero(text, sizeof text);
    return rc;
}

/* Container engines mount secrets world-readable under /run/secrets; elsewhere only the owner (and
 * a group that the operator chose) may read the key. */
static int check_mode(const char *path, struct gt_error *err)
{
    struct stat st;
    if (stat(path, &st))
        return gt_fail(
            err, errno == ENOENT ? GT_E_NOTFOUND : GT_E_IO,
            errno == ENOENT
                ? "there is no key at %s; `guette init` makes one (copy the one the other "
                  "workers use, if there are any)"
                : "%s cannot be read; check its permissions",
            path);
    bool mounted =
        gt_starts_with(path, "/run/secrets/") || gt_starts_with(path, "/var/run/secrets/");
    if (!mounted && (st.st_mode & 0027))
        return gt_fail(err, GT_E_REFUSED, "%s is open to others (mode %04o); run: chmod 600 %s",
                       path, (unsigned)(st.st_mode & 07777), path);
    return 0;
}

int gt_key_load(const char *path, struct gt_key *ret_key, struct gt_error *err)
{
    int rc = check_mode(path, err);
    if (rc)
        return rc;
    struct gt_buffer text = GT_BUFFER(1024);
    rc = gt_file_read(path, &text, err);
    if (rc == 0) {
        struct gt_str hex = gt_str_trim((struct gt_str){text.data, text.len});
        struct gt_key key;
        size_t len = 0;
        if (hex.len != 2 * GT_KEY_BYTES ||
            sodium_hex2bin(key.bytes, sizeof key.bytes, hex.ptr, hex.len, NULL, &len, NULL) ||
            len != GT_KEY_BYTES)
            rc = gt_fail(err, GT_E_INVALID,
                         "%s is not a fingerprint key: it must hold %d hexadecimal digits", path,
                         2 * GT_KEY_BYTES);
        else
            *ret_key = key;
        sodium_memzero(&key, sizeof key);
    }
    gt_buffer_wipe(&text);
    return rc;
}

void gt_key_id(const struct gt_key *key, char ret_id[GT_ID_TEXT])
{
    /* A keyed hash of nothing: tells keys apart and tells nothing of them. */
    unsigned char id[GT_ID_BYTES];
    crypto_generichash(id, sizeof id, (const unsigned char *)"key id", 6, key->bytes,
                       sizeof key->bytes);
    sodium_bin2hex(ret_id, GT_ID_TEXT, id, sizeof id);
}

void gt_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                    unsigned char ret_mac[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, bytes, len);
    crypto_auth_hmacsha256_final(&state, ret_mac);
    sodium_memzero(&state, sizeof state);
}

void gt_fingerprint(const struct gt_key *key, const void *secret, size_t len,
                    char ret_text[GT_FINGERPRINT_TEXT])
{
    unsigned char mac[32];
    gt_hmac_sha256(key->bytes, sizeof key->bytes, secret, len, mac);
    sodium_bin2hex(ret_text, GT_FINGERPRINT_TEXT, mac, sizeof mac);
}

uint32_t gt_crc32(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}
