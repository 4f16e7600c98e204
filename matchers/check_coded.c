/* Keys whose encoding carries a checksum or a mark. */
#include "matchers/check_parts.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- Bech32 (BIP-173) and Bech32m (BIP-350) ---- */

#define BECH32 "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
#define BECH32_MAX 1023 /* BIP-173 says 90, what its code detects; others go further */
#define BECH32_SUM 1u
#define BECH32M_SUM 0x2bc830a3u

static uint32_t bech32_step(uint32_t sum, uint32_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        sum ^= top >> i & 1 ? generator[i] : 0;
    return sum;
}

/* All in one case, in lower case; false: neither. */
static bool one_case(const char *text, size_t len, char *ret_lower)
{
    bool upper = false, lower = false;
    for (size_t i = 0; i < len; i++) {
        bool is_upper = text[i] >= 'A' && text[i] <= 'Z';
        upper |= is_upper;
        lower |= text[i] >= 'a' && text[i] <= 'z';
        ret_lower[i] = is_upper ? (char)(text[i] + 32) : text[i];
    }
    return !(upper && lower);
}

enum gt_verdict gt_check_bech32(const char *secret, size_t len)
{
    char text[BECH32_MAX];
    if (len > sizeof text || !one_case(secret, len, text))
        return GT_VERDICT_NO;
    const char *one = memrchr(text, '1', len);
    size_t part = one ? (size_t)(one - text) : 0;
    if (part == 0 || len - part - 1 < 6 || !gt_all_in_set(one + 1, len - part - 1, BECH32))
        return GT_VERDICT_NO;
    uint32_t sum = 1;
    for (size_t i = 0; i < part; i++)
        sum = bech32_step(sum, (unsigned char)text[i] >> 5);
    sum = bech32_step(sum, 0);
    for (size_t i = 0; i < part; i++)
        sum = bech32_step(sum, (unsigned char)text[i] & 31);
    for (size_t i = part + 1; i < len; i++)
        sum = bech32_step(sum, (uint32_t)(strchr(BECH32, text[i]) - BECH32));
    return gt_verdict_of(sum == BECH32_SUM || sum == BECH32M_SUM);
}

/* ---- Base58Check (Bitcoin): the last four bytes are of SHA-256 twice ---- */

#define BASE58 "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
#define BASE58_MAX 128 /* digits, and bytes */

/* Bytes, big-endian; 0 when it is no base 58. */
static size_t base58_decode(const char *text, size_t len, unsigned char ret_bytes[BASE58_MAX])
{
    unsigned char little[BASE58_MAX] = {0};
    size_t count = 0, zeros = 0;
    if (len > BASE58_MAX || !gt_all_in_set(text, len, BASE58))
        return 0;
    while (zeros < len && text[zeros] == '1')
        zeros++;
    for (size_t i = zeros; i < len; i++) {
        unsigned carry = (unsigned)(strchr(BASE58, text[i]) - BASE58);
        for (size_t j = 0; j < count; j++, carry >>= 8) {
            carry += little[j] * 58u;
            little[j] = (unsigned char)carry;
        }
        if (carry > 0)
            little[count++] = (unsigned char)carry;
    }
    if (zeros + count > BASE58_MAX)
        return 0;
    memset(ret_bytes, 0, zeros);
    for (size_t j = 0; j < count; j++)
        ret_bytes[zeros + j] = little[count - 1 - j];
    return zeros + count;
}

enum gt_verdict gt_check_base58check(const char *secret, size_t len)
{
    unsigned char bytes[BASE58_MAX], hash[crypto_hash_sha256_BYTES];
    size_t count = base58_decode(secret, len, bytes);
    if (count < 5)
        return GT_VERDICT_NO;
    crypto_hash_sha256(hash, bytes, count - 4);
    crypto_hash_sha256(hash, hash, sizeof hash);
    return gt_verdict_of(memcmp(hash, bytes + count - 4, 4) == 0);
}

/* ---- 32 bytes of Curve25519 in base64 ---- */

/* `wg genkey` clamps (RFC 7748, 5): five of the bits are fixed. Other tools may not. */
enum gt_verdict gt_check_wireguard_key(const char *secret, size_t len)
{
    unsigned char key[32];
    size_t count = 0;
    if (sodium_base642bin(key, sizeof key, secret, len, NULL, &count, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        count != sizeof key || sodium_is_zero(key, sizeof key))
        return GT_VERDICT_NO;
    bool clamped = (key[0] & 7) == 0 && (key[31] & 0xc0) == 0x40;
    return clamped ? GT_VERDICT_YES : GT_VERDICT_UNKNOWN;
}

/* ---- an Ethereum key ---- */

static int hex_value(char digit)
{
    const char *at = digit ? strchr("0123456789abcdef", digit | 32) : NULL;
    return at ? (int)(at - "0123456789abcdef") : -1;
}

/* 32 bytes, with 0x or without, of which the order of secp256k1 (SEC 2) allows nearly all. Small
 * numbers and the keys that Hardhat, Ganache and Anvil give everybody are refused. */
enum gt_verdict gt_check_secp256k1_key(const char *secret, size_t len)
{
    static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                            0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                            0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    static const char *const samples[] = {
        "ac0974bec39a17e3", "59c6995e998f97a5", "5de4111afa1a4b94", "7c852118294e51e6",
        "47e179ec19748859", "8b3a350cf5c34c91", "92db14e403b83dfe", "4bbbf85ce3377467",
        "dbda1821b80551c9", "2a871d0798f97d79", "4f3edf983ac636a6", "6cbed15c793ce576",
        "4c0883a69102937d", "c87509a1c067bbde", "ae6ae8e5ccbfb045", NULL,
    };
    unsigned char key[32];
    if (len == 66 && secret[0] == '0' && (secret[1] | 32) == 'x') {
        secret += 2;
        len -= 2;
    }
    if (len != 64)
        return GT_VERDICT_NO;
    for (size_t i = 0; i < 32; i++) {
        int high = hex_value(secret[2 * i]), low = hex_value(secret[2 * i + 1]);
        if (high < 0 || low < 0)
            return GT_VERDICT_NO;
        key[i] = (unsigned char)(high << 4 | low);
    }
    for (const char *const *sample = samples; *sample; sample++)
        if (strncasecmp(secret, *sample, 16) == 0)
            return GT_VERDICT_NO;
    bool sound = !sodium_is_zero(key, 16) && memcmp(key, order, sizeof key) < 0;
    return sound ? GT_VERDICT_UNKNOWN : GT_VERDICT_NO;
}
