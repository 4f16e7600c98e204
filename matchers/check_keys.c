/* Keys whose structure can be read. */
#include "matchers/check_parts.h"

#include "core/core.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

/* Since about 2019 the 16 characters after AKIA, ASIA... are base32; their first bit is 1 and the
 * next 40 are the account number (no more than 12 digits). About one random key in eleven is
 * refused: too weak for a yes. */
enum gt_verdict gt_check_aws_account(const char *key, size_t len)
{
    uint64_t bits = 0;
    if (len != 20 || !gt_all_in_set(key + 4, 16, BASE32))
        return GT_VERDICT_NO;
    for (size_t i = 4; i < 14; i++)
        bits = bits << 5 | (uint64_t)(strchr(BASE32, key[i]) - BASE32);
    bool first_bit = bits >> 49 != 0;
    uint64_t account = bits >> 9 & (((uint64_t)1 << 40) - 1);
    return first_bit && account > 999999999999 ? GT_VERDICT_NO : GT_VERDICT_UNKNOWN;
}

/* base64 of "OpenAI", in the middle of every key but those of the first years. */
enum gt_verdict gt_check_openai_marker(const char *key, size_t len)
{
    return gt_verdict_of(memmem(key, len, "T3BlbkFJ", 8) != NULL);
}

/* base64 of user:password (RFC 7617), as Authorization: Basic, .npmrc and Docker's configuration
 * have it. A password that is the user's name again is a sample. */
enum gt_verdict gt_check_basic_credentials(const char *secret, size_t len)
{
    unsigned char text[1024];
    size_t text_len = 0;
    if (sodium_base642bin(text, sizeof text, secret, len, NULL, &text_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return GT_VERDICT_NO;
    const unsigned char *colon = memchr(text, ':', text_len);
    if (colon == NULL || !gt_utf8_valid((const char *)text, text_len))
        return GT_VERDICT_NO;
    for (size_t i = 0; i < text_len; i++)
        if (text[i] < 0x20 || text[i] == 0x7f)
            return GT_VERDICT_NO;
    size_t user_len = (size_t)(colon - text), password_len = text_len - user_len - 1;
    bool same = user_len == password_len && memcmp(text, colon + 1, user_len) == 0;
    bool sound = user_len > 0 && password_len >= 4 && !same;
    return sound ? GT_VERDICT_UNKNOWN : GT_VERDICT_NO;
}

#define JWT_PART_MAX 8192

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

/* RFC 7515 compact form with JSON claims (RFC 7519). Whether it is live, only its signer knows. */
enum gt_verdict gt_check_jwt(const char *token, size_t len)
{
    const char *dot = memchr(token, '.', len);
    if (dot == NULL)
        return GT_VERDICT_NO;
    size_t header_len = (size_t)(dot - token);
    const char *claims = dot + 1;
    const char *dot2 = memchr(claims, '.', len - header_len - 1);
    if (dot2 == NULL ||
        !gt_all_in_set(dot2 + 1, (size_t)(token + len - dot2 - 1), UPPER LOWER DIGITS "-_"))
        return GT_VERDICT_NO;
    GT_JSON_AUTO json_t *header = jwt_object(token, header_len);
    GT_JSON_AUTO json_t *body = jwt_object(claims, (size_t)(dot2 - claims));
    bool sound = gt_json_string(header, "alg", NULL) != NULL && body != NULL;
    return sound ? GT_VERDICT_UNKNOWN : GT_VERDICT_NO;
}

/* Private keys in textual armour (RFC 7468, RFC 1421, RFC 9580, OpenSSH PROTOCOL.key), also as
 * found inside a JSON or source string, where a line ends in backslash n. */
struct pem {
    const char *label; /* between "-----BEGIN " and "-----" */
    size_t label_len;
    const char *body;
    size_t body_len;
};

static bool pem_split(const char *text, size_t len, struct pem *ret_pem)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    const char *stop = text + len;
    const char *head = memmem(text, len, begin, sizeof begin - 1);
    if (head == NULL)
        return false;
    const char *label = head + sizeof begin - 1;
    const char *dashes = memmem(label, (size_t)(stop - label), "-----", 5);
    if (dashes == NULL || dashes - label > 64)
        return false;
    size_t label_len = (size_t)(dashes - label);
    const char *body = dashes + 5;
    const char *foot = memmem(body, (size_t)(stop - body), end, sizeof end - 1);
    if (foot == NULL || (size_t)(stop - foot) < sizeof end - 1 + label_len + 5 ||
        memcmp(foot + sizeof end - 1, label, label_len) != 0)
        return false;
    *ret_pem = (struct pem){label, label_len, body, (size_t)(foot - body)};
    return true;
}

static bool label_has(const struct pem *pem, const char *words)
{
    return memmem(pem->label, pem->label_len, words, strlen(words)) != NULL;
}

/* Skips white space, quotes and the escapes \n \r \t between two base64 characters. */
static size_t skip_layout(const char *bytes, size_t len, size_t at)
{
    while (at < len) {
        if (bytes[at] == '\\' && at + 1 < len && gt_in_set(bytes[at + 1], "nrt\\"))
            at += 2;
        else if (gt_in_set(bytes[at], " \t\r\n\"',\\"))
            at++;
        else
            break;
    }
    return at;
}

/* After the lines "Name: value" (RFC 1421 and OpenPGP), which the last ": " tells; `ret_encrypted`
 * when one says so. */
static size_t skip_headers(const struct pem *pem, bool *ret_encrypted)
{
    size_t at = skip_layout(pem->body, pem->body_len, 0);
    *ret_encrypted = memmem(pem->body, pem->body_len, "ENCRYPTED", 9) != NULL;
    for (;;) {
        size_t eol = at;
        while (eol < pem->body_len && pem->body[eol] != '\n' && pem->body[eol] != '\\')
            eol++;
        if (memmem(pem->body + at, eol - at, ": ", 2) == NULL)
            return at;
        at = skip_layout(pem->body, pem->body_len, eol);
    }
}

#define PEM_START 48 /* characters of the body that tell what is in it */

/* Counts the base64 characters and copies the first PEM_START of them; 0 when anything else stands
 * among them. Padding may be followed by more: an OpenPGP block ends in "=" and four characters of
 * CRC-24. */
static size_t read_base64(const char *bytes, size_t len, char ret_start[PEM_START])
{
    size_t count = 0, padding = 0;
    for (size_t at = skip_layout(bytes, len, 0); at < len; at = skip_layout(bytes, len, at + 1)) {
        if (bytes[at] == '=') {
            padding++;
        } else if (!gt_in_set(bytes[at], BASE64)) {
            return 0;
        } else {
            if (count < PEM_START)
                ret_start[count] = bytes[at];
            count++;
        }
    }
    return padding <= 3 ? count : 0;
}

static enum gt_verdict judge_openssh(const char start[PEM_START])
{
    if (!gt_has_prefix(start, PEM_START, "b3BlbnNzaC1rZXktdjEA")) /* "openssh-key-v1" and NUL */
        return GT_VERDICT_NO;
    /* The cipher's name follows: length 4 and "none", or an encryption. */
    bool plain = gt_has_prefix(start + 20, PEM_START - 20, "AAAABG5vbmU");
    return plain ? GT_VERDICT_YES : GT_VERDICT_UNKNOWN;
}

static enum gt_verdict judge_start(const struct pem *pem, const char start[PEM_START],
                                   bool encrypted)
{
    if (label_has(pem, "OPENSSH"))
        return judge_openssh(start);
    if (label_has(pem,
                  "PGP")) /* a secret-key packet, old or new form; a passphrase may protect it */
        return start[0] == 'l' || start[0] == 'x' ? GT_VERDICT_UNKNOWN : GT_VERDICT_NO;
    if (encrypted)
        return GT_VERDICT_UNKNOWN;
    return gt_verdict_of(start[0] == 'M'); /* an ASN.1 sequence, 0x30 */
}

enum gt_verdict gt_check_pem_private_key(const char *text, size_t len)
{
    struct pem pem;
    char start[PEM_START] = {0};
    bool encrypted = false;
    if (!pem_split(text, len, &pem) || !label_has(&pem, "PRIVATE KEY"))
        return GT_VERDICT_NO;
    size_t at = skip_headers(&pem, &encrypted);
    if (read_base64(pem.body + at, pem.body_len - at, start) < PEM_START)
        return GT_VERDICT_NO;
    return judge_start(&pem, start, encrypted || label_has(&pem, "ENCRYPTED"));
}
