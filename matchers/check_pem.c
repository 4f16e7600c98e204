/* Private keys in textual armour. */
#include "matchers/check_parts.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

#define PEM_START 48  /* characters of the body that tell what is in it */
#define PEM_READ 1200 /* that are looked at for more: the public half stands first */

/* Counts the base64 characters and copies the first ones of them; 0 when anything else stands among
 * them. Padding may be followed by more: an OpenPGP block ends in "=" and four characters of
 * CRC-24. */
static size_t read_base64(const char *bytes, size_t len, char *ret_start, size_t room)
{
    size_t count = 0, padding = 0;
    for (size_t at = skip_layout(bytes, len, 0); at < len; at = skip_layout(bytes, len, at + 1)) {
        if (bytes[at] == '=') {
            padding++;
        } else if (!gt_in_set(bytes[at], BASE64)) {
            return 0;
        } else {
            if (count < room)
                ret_start[count] = bytes[at];
            count++;
        }
    }
    return padding <= 3 ? count : 0;
}

static enum gt_verdict judge_openssh(const char *start)
{
    if (!gt_has_prefix(start, PEM_START, "b3BlbnNzaC1rZXktdjEA")) /* "openssh-key-v1" and NUL */
        return GT_VERDICT_NO;
    /* The cipher's name follows: length 4 and "none", or an encryption. */
    bool plain = gt_has_prefix(start + 20, PEM_START - 20, "AAAABG5vbmU");
    return plain ? GT_VERDICT_YES : GT_VERDICT_UNKNOWN;
}

static enum gt_verdict judge_start(const struct pem *pem, const char *start, bool encrypted)
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

/* A key that was found: its kind, whether encrypted, and how its body begins. */
struct key {
    struct pem pem;
    bool encrypted;
    char start[PEM_READ];
    size_t count; /* base64 characters of the body */
};

static bool read_key(const char *text, size_t len, struct key *ret_key)
{
    *ret_key = (struct key){0};
    if (!pem_split(text, len, &ret_key->pem) || !label_has(&ret_key->pem, "PRIVATE KEY"))
        return false;
    const struct pem *pem = &ret_key->pem;
    size_t at = skip_headers(pem, &ret_key->encrypted);
    ret_key->encrypted |= label_has(pem, "ENCRYPTED");
    ret_key->count = read_base64(pem->body + at, pem->body_len - at, ret_key->start, PEM_READ);
    return ret_key->count >= PEM_START;
}

enum gt_verdict gt_check_pem_private_key(const char *text, size_t len)
{
    struct key key;
    return read_key(text, len, &key) ? judge_start(&key.pem, key.start, key.encrypted)
                                     : GT_VERDICT_NO;
}

/* ---- what it tells ---- */

/* A string with its length before it (RFC 4251, 5). */
static bool next_string(const unsigned char *bytes, size_t len, size_t *at, struct gt_str *ret)
{
    if (len - *at < 4)
        return false;
    const unsigned char *b = bytes + *at;
    size_t size = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    if (size > len - *at - 4)
        return false;
    *ret = (struct gt_str){(const char *)b + 4, size};
    *at += 4 + size;
    return true;
}

/* The fingerprint that `ssh-keygen -l` shows of the public half. */
static void add_fingerprint(struct gt_str key, struct gt_detail *ret_detail)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[64];
    crypto_hash_sha256(hash, (const unsigned char *)key.ptr, key.len);
    sodium_bin2base64(text, sizeof text, hash, sizeof hash,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    gt_detail_add(ret_detail, "SHA256:", text);
}

static void add_word(struct gt_str word, const char *before, struct gt_detail *ret_detail)
{
    char text[40];
    if (word.len == 0 || word.len >= sizeof text ||
        !gt_all_in_set(word.ptr, word.len, UPPER LOWER DIGITS "-@."))
        return;
    memcpy(text, word.ptr, word.len);
    text[word.len] = '\0';
    gt_detail_add(ret_detail, before, text);
}

/* OpenSSH's PROTOCOL.key: magic, cipher, key derivation and its options, number of keys, public
 * key, all else. */
static void describe_openssh(const struct key *key, enum gt_lang lang, struct gt_detail *ret_detail)
{
    unsigned char bytes[PEM_READ];
    size_t room = key->count < PEM_READ ? key->count : PEM_READ, len = 0, at = 15, in_key = 0;
    struct gt_str cipher, kdf, options, public, type;
    if (sodium_base642bin(bytes, sizeof bytes, key->start, room / 4 * 4, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        len < 15 || !next_string(bytes, len, &at, &cipher) || !next_string(bytes, len, &at, &kdf) ||
        !next_string(bytes, len, &at, &options) || len - at < 4)
        return;
    at += 4;
    if (cipher.len == 4 && memcmp(cipher.ptr, "none", 4) == 0)
        gt_detail_add(ret_detail, lang == GT_FRENCH ? "non chiffrée" : "not encrypted", "");
    else
        add_word(cipher, lang == GT_FRENCH ? "chiffrée par " : "encrypted with ", ret_detail);
    if (!next_string(bytes, len, &at, &public) ||
        !next_string((const unsigned char *)public.ptr, public.len, &in_key, &type))
        return;
    add_word(type, "", ret_detail);
    add_fingerprint(public, ret_detail);
}

/* PKCS#8 (RFC 5958) names the algorithm; the object identifiers as they stand in DER. */
static const char *pkcs8_algorithm(const struct key *key)
{
    static const struct {
        const char *oid, *name;
    } rows[] = {
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", "RSA"},
        {"\x2a\x86\x48\xce\x3d\x02\x01", "EC"},
        {"\x2a\x86\x48\xce\x38\x04\x01", "DSA"},
        {"\x2b\x65\x70", "Ed25519"},
        {"\x2b\x65\x6e", "X25519"},
        {"\x2b\x65\x71", "Ed448"},
    };
    unsigned char bytes[36];
    size_t len = 0;
    if (sodium_base642bin(bytes, sizeof bytes, key->start, PEM_START, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (memmem(bytes, len, rows[i].oid, strlen(rows[i].oid)))
            return rows[i].name;
    return NULL;
}

void gt_describe_pem(const char *text, size_t len, enum gt_lang lang, struct gt_detail *ret_detail)
{
    struct key key;
    if (!read_key(text, len, &key))
        return;
    if (label_has(&key.pem, "OPENSSH")) {
        describe_openssh(&key, lang, ret_detail);
        return;
    }
    if (label_has(&key.pem, "PGP"))
        return;
    if (key.encrypted)
        gt_detail_add(ret_detail, lang == GT_FRENCH ? "chiffrée" : "encrypted", "");
    else
        gt_detail_add(ret_detail, lang == GT_FRENCH ? "non chiffrée" : "not encrypted", "");
    static const char *const names[] = {"RSA", "EC", "DSA", NULL};
    const char *algorithm = key.encrypted ? NULL : pkcs8_algorithm(&key);
    for (const char *const *name = names; *name && !algorithm; name++)
        algorithm = label_has(&key.pem, *name) && !label_has(&key.pem, "ENCRYPTED") ? *name : NULL;
    if (algorithm)
        gt_detail_add(ret_detail, "", algorithm);
}
