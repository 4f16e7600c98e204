/* Keys whose structure can be read. */
#include "matchers/check_parts.h"

#include "core/core.h"
#include "matchers/values.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* base32 of the characters 5 to 14. */
static uint64_t aws_bits(const char *key)
{
    uint64_t bits = 0;
    for (size_t i = 4; i < 14; i++)
        bits = bits << 5 | (uint64_t)(strchr(BASE32, key[i]) - BASE32);
    return bits;
}

#define AWS_ACCOUNT(bits) ((bits) >> 9 & (((uint64_t)1 << 40) - 1))

/* Since about 2019 the 16 characters after AKIA, ASIA... are base32; their first bit is 1 and the
 * next 40 are the account number (no more than 12 digits). About one random key in eleven is
 * refused: too weak for a yes. */
enum gt_verdict gt_check_aws_account(const char *key, size_t len)
{
    if (len != 20 || !gt_all_in_set(key + 4, 16, BASE32))
        return GT_VERDICT_NO;
    uint64_t bits = aws_bits(key);
    bool wrong = bits >> 49 != 0 && AWS_ACCOUNT(bits) > 999999999999;
    return wrong ? GT_VERDICT_NO : GT_VERDICT_UNKNOWN;
}

void gt_describe_aws_account(const char *key, size_t len, enum gt_lang lang,
                             struct gt_detail *ret_detail)
{
    char account[16];
    if (gt_check_aws_account(key, len) == GT_VERDICT_NO || aws_bits(key) >> 49 == 0)
        return;
    snprintf(account, sizeof account, "%012llu",
             (unsigned long long)AWS_ACCOUNT(aws_bits(key)) % 1000000000000);
    gt_detail_add(ret_detail, lang == GT_FRENCH ? "compte AWS " : "AWS account ", account);
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

/* ---- tokens that are base64 of something ---- */

/* Either alphabet, with or without padding; 0: it is no base64. */
static size_t decode(const char *text, size_t len, unsigned char *ret_bytes, size_t room)
{
    static const int variants[] = {
        sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
        sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    size_t count = 0;
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (sodium_base642bin(ret_bytes, room, text, len, NULL, &count, NULL, variants[i]) == 0)
            return count;
    return 0;
}

static size_t digits_at(const unsigned char *bytes, size_t len)
{
    size_t count = 0;
    while (count < len && gt_in_set((char)bytes[count], DIGITS))
        count++;
    return count;
}

/* The number of the bot (17 to 20 digits: a snowflake) is the first part; 0: it is not. */
static size_t discord_bot(const char *token, size_t len, unsigned char ret_id[32])
{
    const char *dot = memchr(token, '.', len);
    size_t count = dot ? decode(token, (size_t)(dot - token), ret_id, 31) : 0;
    return count >= 17 && count <= 20 && digits_at(ret_id, count) == count ? count : 0;
}

enum gt_verdict gt_check_discord(const char *token, size_t len)
{
    unsigned char id[32];
    return gt_verdict_of(discord_bot(token, len, id) > 0);
}

void gt_describe_discord(const char *token, size_t len, enum gt_lang lang,
                         struct gt_detail *ret_detail)
{
    unsigned char id[32] = {0};
    if (discord_bot(token, len, id) > 0)
        gt_detail_add(ret_detail, lang == GT_FRENCH ? "robot " : "bot ", (const char *)id);
}

/* glc_ and the base64 of {"o": organisation, "n": name, "k": key, "m": {"r": region}}. */
static json_t *grafana_cloud(const char *token, size_t len)
{
    unsigned char text[1024];
    struct gt_error err = {0};
    if (!gt_has_prefix(token, len, "glc_"))
        return NULL;
    size_t count = decode(token + 4, len - 4, text, sizeof text);
    return gt_json_parse((const char *)text, count, &err);
}

enum gt_verdict gt_check_grafana_cloud(const char *token, size_t len)
{
    GT_JSON_AUTO json_t *parts = grafana_cloud(token, len);
    return gt_verdict_of(json_object_get(parts, "o") && gt_json_string(parts, "k", NULL));
}

void gt_describe_grafana_cloud(const char *token, size_t len, enum gt_lang lang,
                               struct gt_detail *ret_detail)
{
    GT_JSON_AUTO json_t *parts = grafana_cloud(token, len);
    const char *organisation = gt_json_string(parts, "o", "");
    size_t digits = strspn(organisation, DIGITS);
    if (digits > 0 && digits < 20 && organisation[digits] == '\0')
        gt_detail_add(ret_detail, "organisation ", organisation);
}

/* base64 of "reftkn:01:" and more (JFrog reference tokens). */
enum gt_verdict gt_check_jfrog_reference(const char *token, size_t len)
{
    unsigned char text[128];
    size_t count = decode(token, len, text, sizeof text);
    return gt_verdict_of(count > 20 && memcmp(text, "reftkn:", 7) == 0);
}

/* BBDC- and the base64 of a number, ':' and random bytes (Bitbucket Data Center). */
enum gt_verdict gt_check_bitbucket(const char *token, size_t len)
{
    unsigned char text[128];
    if (!gt_has_prefix(token, len, "BBDC-"))
        return GT_VERDICT_UNKNOWN;
    size_t count = decode(token + 5, len - 5, text, sizeof text), digits = digits_at(text, count);
    return gt_verdict_of(digits > 0 && digits + 16 <= count && text[digits] == ':');
}

/* Microsoft's marks inside keys made since about 2022 ("common annotated security key" and what
 * came before it): of those lengths, keys without one are older or altered. */
enum gt_verdict gt_check_azure_marker(const char *key, size_t len)
{
    static const struct {
        const char *mark;
        size_t len; /* of the key */
    } marks[] = {
        {"JQQJ99", 84}, {"AZDO", 84}, {"+ASt", 88}, {"ACDb", 88}, {"+ABa", 88},
        {"AIoT", 44},   {"+ASb", 44}, {"+AEh", 44}, {"+ARm", 44}, {"+ACR", 52},
        {"AzSe", 52},   {"AzFu", 56}, {"AzCa", 44}, {"APIM", 88}, {"8Q~", 40},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (len == marks[i].len && memmem(key, len, marks[i].mark, strlen(marks[i].mark)))
            return GT_VERDICT_YES;
    return len == 84 ? GT_VERDICT_NO : GT_VERDICT_UNKNOWN;
}

/* What a Kubernetes Secret holds of use: base64 of anything but a certificate, a template or a word
 * of samples. */
enum gt_verdict gt_check_kubernetes_value(const char *value, size_t len)
{
    unsigned char text[4096];
    size_t count = decode(value, len, text, sizeof text);
    if (count < 6 || memmem(text, count, "BEGIN CERTIFICATE", 17))
        return GT_VERDICT_NO;
    while (count > 0 && text[count - 1] == '\n')
        count--;
    bool printable = true;
    for (size_t i = 0; i < count; i++)
        printable &= text[i] >= 0x20 && text[i] < 0x7f;
    return printable && memchr(text, ' ', count) == NULL
               ? gt_check_not_placeholder((const char *)text, count)
               : GT_VERDICT_UNKNOWN;
}

/* base64 of [identity] NUL user NUL password (RFC 4616). A password that is the user's name again
 * is a sample. */
enum gt_verdict gt_check_sasl_plain(const char *secret, size_t len)
{
    unsigned char text[512];
    size_t count = decode(secret, len, text, sizeof text);
    const unsigned char *end = text + count;
    const unsigned char *user = count ? memchr(text, 0, count) : NULL;
    const unsigned char *password = user ? memchr(user + 1, 0, (size_t)(end - user - 1)) : NULL;
    if (password == NULL || password - user < 2 || end - password < 5 ||
        memchr(password + 1, 0, (size_t)(end - password - 1)))
        return GT_VERDICT_NO;
    bool same =
        end - password == password - user && memcmp(user, password, (size_t)(end - password)) == 0;
    return same
               ? GT_VERDICT_NO
               : gt_check_not_placeholder((const char *)password + 1, (size_t)(end - password - 1));
}
