/* JSON Web Tokens and JSON Web Keys. */
#include "matchers/check_parts.h"

#include "core/core.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define JWT_PART_MAX 8192
#define CLAIM_MAX 80

/* The part's JSON object; NULL when it is not one. */
static json_t *jwt_object(const char *part, size_t len)
{
    unsigned char text[JWT_PART_MAX];
    size_t text_len = 0;
    struct gt_error err = {0};
    if (sodium_base642bin(text, sizeof text, part, len, NULL, &text_len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return NULL;
    json_t *value = gt_json_parse((const char *)text, text_len, &err);
    if (value != NULL && !json_is_object(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

struct jwt {
    json_t *header, *claims;
};

static void jwt_cleanup(struct jwt *jwt)
{
    json_decref(jwt->header);
    json_decref(jwt->claims);
}

/* RFC 7515 compact form with JSON claims (RFC 7519). */
static bool jwt_read(const char *token, size_t len, struct jwt *ret_jwt)
{
    const char *dot = memchr(token, '.', len);
    if (dot == NULL)
        return false;
    size_t header_len = (size_t)(dot - token);
    const char *claims = dot + 1;
    const char *dot2 = memchr(claims, '.', len - header_len - 1);
    if (dot2 == NULL ||
        !gt_all_in_set(dot2 + 1, (size_t)(token + len - dot2 - 1), UPPER LOWER DIGITS "-_"))
        return false;
    ret_jwt->header = jwt_object(token, header_len);
    ret_jwt->claims = jwt_object(claims, (size_t)(dot2 - claims));
    return gt_json_string(ret_jwt->header, "alg", NULL) != NULL && ret_jwt->claims != NULL;
}

/* The subjects of jwt.io's samples, which half of the world's documentation copies. */
static bool is_sample(const json_t *claims)
{
    const char *name = gt_json_string(claims, "name", "");
    return strcmp(gt_json_string(claims, "sub", ""), "1234567890") == 0 ||
           strcmp(name, "John Doe") == 0 || strcmp(name, "Jane Doe") == 0;
}

/* Whether it is live, only its signer knows. */
enum gt_verdict gt_check_jwt(const char *token, size_t len)
{
    __attribute__((cleanup(jwt_cleanup))) struct jwt jwt = {0};
    bool sound = jwt_read(token, len, &jwt) && !is_sample(jwt.claims);
    return sound ? GT_VERDICT_UNKNOWN : GT_VERDICT_NO;
}

/* A claim to be shown: a word or an address, the first of several; NULL for anything else. */
static const char *shown_claim(const json_t *claims, const char *name)
{
    const json_t *value = json_object_get(claims, name);
    if (json_is_array(value))
        value = json_array_get(value, 0);
    const char *text = json_string_value(value);
    size_t len = text ? strlen(text) : 0;
    bool fit = len > 0 && len <= CLAIM_MAX && gt_utf8_valid(text, len);
    for (size_t i = 0; i < len && fit; i++)
        fit = (unsigned char)text[i] >= 0x20 && text[i] != 0x7f;
    return fit ? text : NULL;
}

/* NumericDate: seconds, also with a fraction; some write milliseconds. */
static int64_t expiry_ms(const json_t *claims)
{
    double seconds = json_number_value(json_object_get(claims, "exp"));
    if (seconds >= 1e11 && seconds < 1e14)
        seconds /= 1000;
    return seconds >= 1 && seconds < 1e11 ? (int64_t)seconds * 1000 : 0;
}

void gt_describe_jwt(const char *token, size_t len, enum gt_lang lang, struct gt_detail *ret_detail)
{
    static const char *const words[][2] = {
        {"issued by ", "émis par "},
        {"for ", "pour "},
        {"expires on ", "expire le "},
        {"it has no expiry date", "il n'a pas de date de fin"},
        {"not signed", "il n'est pas signé"},
    };
    __attribute__((cleanup(jwt_cleanup))) struct jwt jwt = {0};
    if (!jwt_read(token, len, &jwt))
        return;
    const char *issuer = shown_claim(jwt.claims, "iss"), *audience = shown_claim(jwt.claims, "aud");
    ret_detail->expires_ms = expiry_ms(jwt.claims);
    char day[32] = "";
    time_t expires = (time_t)(ret_detail->expires_ms / 1000);
    struct tm parts;
    if (expires > 0 && gmtime_r(&expires, &parts))
        strftime(day, sizeof day, "%Y-%m-%d", &parts);
    if (issuer)
        gt_detail_add(ret_detail, words[0][lang], issuer);
    if (audience)
        gt_detail_add(ret_detail, words[1][lang], audience);
    gt_detail_add(ret_detail, words[day[0] ? 2 : 3][lang], day);
    if (strcasecmp(gt_json_string(jwt.header, "alg", ""), "none") == 0)
        gt_detail_add(ret_detail, words[4][lang], "");
}

/* ---- keys (RFC 7517, RFC 7518) ---- */

#define JWK_MAX 16384

/* As it stands, or as it stands in another string's quotes. */
static json_t *jwk_object(const char *text, size_t len)
{
    char plain[JWK_MAX];
    size_t count = 0;
    struct gt_error err = {0};
    if (len > sizeof plain)
        return NULL;
    json_t *key = gt_json_parse(text, len, &err);
    if (key != NULL)
        return key;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\\')
            plain[count++] = text[i];
    return gt_json_parse(plain, count, &err);
}

static bool is_coded(const json_t *key, const char *name, size_t min)
{
    const char *value = gt_json_string(key, name, "");
    size_t len = strlen(value);
    return len >= min && gt_all_in_set(value, len, UPPER LOWER DIGITS "-_=");
}

/* The private member of each key type. The examples of RFC 7515, 7517, 7520 and 8037 are refused.
 */
enum gt_verdict gt_check_jwk_private_key(const char *text, size_t len)
{
    static const char *const samples[] = {
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ",
        "GawgguFyGrWKav7AX4VKUg",
        "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1",
        "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk4",
        "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5",
        "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcD",
        "AAhRON2r9cqXX1hg-RoI6R1tX5p2rUAYdm",
        "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-On",
        NULL,
    };
    GT_JSON_AUTO json_t *key = jwk_object(text, len);
    const char *type = gt_json_string(key, "kty", "");
    bool octets = strcmp(type, "oct") == 0;
    const char *secret = octets ? "k" : "d";
    for (const char *const *sample = samples; *sample; sample++)
        if (gt_starts_with(gt_json_string(key, secret, ""), *sample))
            return GT_VERDICT_NO;
    if (octets)
        return gt_verdict_of(is_coded(key, "k", 22));
    if (strcmp(type, "RSA") == 0)
        return gt_verdict_of(is_coded(key, "d", 80) && is_coded(key, "n", 80));
    bool curve = strcmp(type, "EC") == 0 || strcmp(type, "OKP") == 0;
    return gt_verdict_of(curve && is_coded(key, "d", 43) && is_coded(key, "x", 43));
}

void gt_describe_jwk(const char *text, size_t len, enum gt_lang lang, struct gt_detail *ret_detail)
{
    GT_JSON_AUTO json_t *key = jwk_object(text, len);
    const char *id = shown_claim(key, "kid"), *type = shown_claim(key, "kty");
    if (type && strlen(type) < 8)
        gt_detail_add(ret_detail, "type ", type);
    if (id)
        gt_detail_add(ret_detail, "kid ", id);
}
