#include "matchers/check_parts.h"

#include "core/core.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Tokens that end in a CRC-32 of what stands before. */

/* How the 32 bits are spelt: as digits of the alphabet, most significant first, zero-padded to len.
 */
struct spelling {
    const char *alphabet;
    size_t len;
    bool swap;      /* the bytes of the CRC are taken least significant first */
    unsigned shift; /* bits appended to fill the last digit */
};

static const struct spelling base62 = {DIGITS UPPER LOWER, 6, false, 0};
static const struct spelling base62_lower_first = {DIGITS LOWER UPPER, 6, false, 0};
static const struct spelling base36 = {DIGITS LOWER, 7, false, 0};
static const struct spelling hex = {DIGITS "abcdef", 8, false, 0};
static const struct spelling hex_upper = {DIGITS "ABCDEF", 8, false, 0};
static const struct spelling hex_swapped = {DIGITS "abcdef", 8, true, 0};
static const struct spelling base64_swapped = {BASE64, 6, true, 4};

enum cover { AFTER_PREFIX, WITH_PREFIX, LAST_SEGMENT };

struct token_form {
    const char *check;
    const char *prefix;
    size_t min, max; /* length of the whole token */
    enum cover cover;
    size_t gap; /* bytes between what is covered and the digits */
    const struct spelling *spelling;
};

/* GitHub: "Behind GitHub's new authentication token formats" (github.blog, 2021). Grafana: its
 * service account token package. GitLab: docs.gitlab.com, "Token overview". The others were read
 * off example tokens of the providers' pages: likely rather than published. */
static const struct token_form token_forms[] = {
    {"github-token", "ghp_", 40, 40, AFTER_PREFIX, 0, &base62},
    {"github-token", "gho_", 40, 40, AFTER_PREFIX, 0, &base62},
    {"github-token", "ghu_", 40, 40, AFTER_PREFIX, 0, &base62},
    {"github-token", "ghs_", 40, 40, AFTER_PREFIX, 0, &base62},
    {"github-token", "ghr_", 80, 80, AFTER_PREFIX, 0, &base62},
    {"npm-token", "npm_", 40, 40, AFTER_PREFIX, 0, &base62},
    {"vercel-token", "vcp_", 60, 60, AFTER_PREFIX, 0, &base62},
    {"vercel-token", "vci_", 60, 60, AFTER_PREFIX, 0, &base62},
    {"vercel-token", "vca_", 60, 60, AFTER_PREFIX, 0, &base62},
    {"vercel-token", "vcr_", 60, 60, AFTER_PREFIX, 0, &base62},
    {"vercel-token", "vck_", 60, 60, AFTER_PREFIX, 0, &base62},
    {"gitlab-routable", "gl", 40, 400, WITH_PREFIX, 0, &base36},
    {"confluent-key", "cflt", 64, 64, AFTER_PREFIX, 0, &base64_swapped},
    {"zuplo-key", "zpka_", 46, 46, AFTER_PREFIX, 1, &hex},
    {"grafana-service-account", "glsa_", 46, 46, WITH_PREFIX, 1, &hex_swapped},
    {"atlassian-token", "ATATT3", 40, 300, WITH_PREFIX, 0, &hex_upper},
    {"atlassian-token", "ATCTT3", 40, 300, WITH_PREFIX, 0, &hex_upper},
    {"atlassian-token", "ATBB", 36, 36, WITH_PREFIX, 0, &hex_upper},
    {"apify-token", "apify_api_", 30, 60, WITH_PREFIX, 0, &base62_lower_first},
    {"wandb-key", "wandb_v1_", 60, 120, WITH_PREFIX, 0, &base62},
    {"saladcloud-key", "salad_cloud_", 30, 300, LAST_SEGMENT, 0, &base62},
    {"cloudflare-key", "cfk_", 52, 52, AFTER_PREFIX, 0, &hex},
    {"cloudflare-key", "cfut_", 53, 53, AFTER_PREFIX, 0, &hex},
    {"cloudflare-key", "cfat_", 53, 53, AFTER_PREFIX, 0, &hex},
};

static void spell(const struct spelling *spelling, uint32_t crc, char *ret_digits)
{
    uint64_t number = (uint64_t)(spelling->swap ? __builtin_bswap32(crc) : crc) << spelling->shift;
    size_t base = strlen(spelling->alphabet);
    for (size_t i = spelling->len; i-- > 0; number /= base)
        ret_digits[i] = spelling->alphabet[number % base];
}

static size_t covered_from(const struct token_form *form, const char *token, size_t end)
{
    if (form->cover == WITH_PREFIX)
        return 0;
    size_t start = strlen(form->prefix);
    if (form->cover == LAST_SEGMENT)
        for (size_t i = start; i < end; i++)
            if (token[i] == '_')
                start = i + 1;
    return start;
}

static enum gt_verdict verify_form(const struct token_form *form, const char *token, size_t len)
{
    char digits[8];
    size_t check_at = len - form->spelling->len;
    size_t end = check_at - form->gap;
    size_t start = covered_from(form, token, end);
    if (!gt_all_in_set(token + check_at, form->spelling->len, form->spelling->alphabet))
        return GT_VERDICT_NO;
    spell(form->spelling, gt_crc32(token + start, end - start), digits);
    return gt_verdict_of(memcmp(digits, token + check_at, form->spelling->len) == 0);
}

/* Every form is longer than its prefix, gap and digits together. */
static enum gt_verdict verify_token(const char *check, const char *token, size_t len)
{
    for (size_t i = 0; i < COUNT(token_forms); i++) {
        const struct token_form *form = &token_forms[i];
        if (strcmp(form->check, check) == 0 && len >= form->min && len <= form->max &&
            gt_has_prefix(token, len, form->prefix))
            return verify_form(form, token, len);
    }
    return GT_VERDICT_UNKNOWN;
}

enum gt_verdict gt_check_github(const char *token, size_t len)
{
    return verify_token("github-token", token, len);
}

enum gt_verdict gt_check_npm(const char *token, size_t len)
{
    return verify_token("npm-token", token, len);
}

enum gt_verdict gt_check_vercel(const char *token, size_t len)
{
    return verify_token("vercel-token", token, len);
}

/* Only the routable form, PREFIX-PAYLOAD.01.LL and 7 digits, has one. */
enum gt_verdict gt_check_gitlab(const char *token, size_t len)
{
    if (len < 13 || memcmp(token + len - 13, ".01.", 4) != 0)
        return GT_VERDICT_UNKNOWN;
    return verify_token("gitlab-routable", token, len);
}

enum gt_verdict gt_check_confluent(const char *token, size_t len)
{
    return verify_token("confluent-key", token, len);
}

enum gt_verdict gt_check_zuplo(const char *token, size_t len)
{
    return verify_token("zuplo-key", token, len);
}

enum gt_verdict gt_check_grafana(const char *token, size_t len)
{
    return verify_token("grafana-service-account", token, len);
}

enum gt_verdict gt_check_atlassian(const char *token, size_t len)
{
    return verify_token("atlassian-token", token, len);
}

enum gt_verdict gt_check_apify(const char *token, size_t len)
{
    return verify_token("apify-token", token, len);
}

enum gt_verdict gt_check_wandb(const char *token, size_t len)
{
    return verify_token("wandb-key", token, len);
}

enum gt_verdict gt_check_saladcloud(const char *token, size_t len)
{
    return verify_token("saladcloud-key", token, len);
}

enum gt_verdict gt_check_cloudflare(const char *token, size_t len)
{
    return verify_token("cloudflare-key", token, len);
}

/* github_pat_ + 22 + '_' + 59: characters 78 to 85 are the first 8 of base32(SHA-256(the first
 * 77)). Read off example tokens. */
enum gt_verdict gt_check_github_fine_grained(const char *token, size_t len)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    if (len != 93 || !gt_has_prefix(token, len, "github_pat_"))
        return GT_VERDICT_UNKNOWN;
    crypto_hash_sha256(hash, (const unsigned char *)token, 77);
    uint64_t bits = 0;
    for (size_t i = 0; i < 5; i++)
        bits = bits << 8 | hash[i];
    for (size_t i = 0; i < 8; i++)
        if (token[77 + i] != BASE32[bits >> (35 - 5 * i) & 31])
            return GT_VERDICT_NO;
    return GT_VERDICT_YES;
}
