#include "matchers/checks.h"

#include "matchers/check_parts.h"
#include "matchers/values.h"

#include <math.h>
#include <string.h>

const struct gt_check gt_checks[] = {
    {"apify-token", "CRC-32 at the end of an Apify API token", gt_check_apify},
    {"atlassian-token", "CRC-32 at the end of an Atlassian API token (ATATT3, ATCTT3, ATBB)",
     gt_check_atlassian},
    {"aws-account", "an AWS access key id holds a possible account number", gt_check_aws_account},
    {"basic-credentials", "base64 of user:password: no when it is not, else unknown",
     gt_check_basic_credentials},
    {"cloudflare-key", "CRC-32 at the end of a Cloudflare key (cfk_, cfut_)", gt_check_cloudflare},
    {"confluent-key", "CRC-32 at the end of a Confluent secret (cflt)", gt_check_confluent},
    {"github-fine-grained", "SHA-256 digits inside a GitHub fine-grained token",
     gt_check_github_fine_grained},
    {"github-token", "CRC-32 at the end of a GitHub token (ghp_, gho_, ghu_, ghs_, ghr_)",
     gt_check_github},
    {"gitlab-routable", "CRC-32 at the end of a routable GitLab token (….01.…)", gt_check_gitlab},
    {"grafana-service-account", "CRC-32 at the end of a Grafana service account token (glsa_)",
     gt_check_grafana},
    {"iban", "bank account number: length of its country and modulo 97", gt_check_iban},
    {"jwt", "JSON Web Token: no when its header or claims are not JSON, else unknown",
     gt_check_jwt},
    {"luhn", "digits that pass the Luhn sum", gt_check_luhn},
    {"nir", "French social security number: month and key", gt_check_nir},
    {"npm-token", "CRC-32 at the end of an npm access token", gt_check_npm},
    {"openai-marker", "holds T3BlbkFJ, the base64 of OpenAI", gt_check_openai_marker},
    {"password", "reads like a password that a person or program chose, not like code or words",
     gt_check_password},
    {"payment-card", "card number: issuer's range, its length, Luhn", gt_check_payment_card},
    {"pem-private-key",
     "armoured private key: yes when whole and unprotected, unknown when encrypted",
     gt_check_pem_private_key},
    {"random-token", "reads like a random token, not like code, words, a path or an identifier",
     gt_check_random_token},
    {"saladcloud-key", "CRC-32 at the end of a SaladCloud key", gt_check_saladcloud},
    {"siren", "French company number: 9 digits, Luhn", gt_check_siren},
    {"siret", "French establishment number: 14 digits, Luhn", gt_check_siret},
    {"vercel-token", "CRC-32 at the end of a Vercel token (vcp_, vci_, vca_, vcr_, vck_)",
     gt_check_vercel},
    {"wandb-key", "CRC-32 at the end of a Weights & Biases key (wandb_v1_)", gt_check_wandb},
    {"zuplo-key", "CRC-32 at the end of a Zuplo key (zpka_)", gt_check_zuplo},
    {0},
};

const struct gt_check *gt_check_find(const char *name)
{
    for (const struct gt_check *check = gt_checks; check->name != NULL; check++)
        if (strcmp(check->name, name) == 0)
            return check;
    return NULL;
}

double gt_entropy(const char *bytes, size_t len)
{
    size_t counts[256] = {0};
    double bits = 0;
    for (size_t i = 0; i < len; i++)
        counts[(unsigned char)bytes[i]]++;
    for (size_t i = 0; i < 256; i++)
        if (counts[i] > 0)
            bits -= (double)counts[i] / (double)len * log2((double)counts[i] / (double)len);
    return bits;
}

enum gt_verdict gt_verdict_of(bool passed)
{
    return passed ? GT_VERDICT_YES : GT_VERDICT_NO;
}

bool gt_in_set(char byte, const char *set)
{
    return byte != 0 && strchr(set, byte) != NULL;
}

bool gt_all_in_set(const char *bytes, size_t len, const char *set)
{
    for (size_t i = 0; i < len; i++)
        if (!gt_in_set(bytes[i], set))
            return false;
    return true;
}

bool gt_has_prefix(const char *bytes, size_t len, const char *prefix)
{
    size_t prefix_len = strlen(prefix);
    return len >= prefix_len && memcmp(bytes, prefix, prefix_len) == 0;
}
