#include "matchers/checks.h"

#include "matchers/check_parts.h"
#include "matchers/values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct gt_check gt_checks[] = {
    {"apify-token", "CRC-32 at the end of an Apify API token", gt_check_apify},
    {"atlassian-token", "CRC-32 at the end of an Atlassian API token (ATATT3, ATCTT3, ATBB)",
     gt_check_atlassian},
    {"aws-account", "an AWS access key id holds a possible account number", gt_check_aws_account,
     gt_describe_aws_account},
    {"azure-marker",
     "holds the mark of a Microsoft key (JQQJ99, AZDO...) at its length: no in 84 characters "
     "without",
     gt_check_azure_marker},
    {"base58check", "the SHA-256 sum at the end of Base58Check (Bitcoin keys)",
     gt_check_base58check},
    {"basic-credentials", "base64 of user:password: no when it is not, else unknown",
     gt_check_basic_credentials},
    {"bech32", "the checksum of Bech32 or Bech32m (age keys)", gt_check_bech32},
    {"bip39", "seed phrase of 12 to 24 English words with its SHA-256 bits", gt_check_bip39,
     gt_describe_bip39},
    {"bitbucket-token", "a number and ':' in the base64 of a Bitbucket Data Center token (BBDC-)",
     gt_check_bitbucket},
    {"cloudflare-key", "CRC-32 at the end of a Cloudflare key (cfk_, cfut_)", gt_check_cloudflare},
    {"confluent-key", "CRC-32 at the end of a Confluent secret (cflt)", gt_check_confluent},
    {"discord-token", "the number of the bot in the base64 of a Discord token", gt_check_discord,
     gt_describe_discord},
    {"github-fine-grained", "SHA-256 digits inside a GitHub fine-grained token",
     gt_check_github_fine_grained},
    {"github-token", "CRC-32 at the end of a GitHub token (ghp_, gho_, ghu_, ghs_, ghr_)",
     gt_check_github},
    {"gitlab-routable", "CRC-32 at the end of a routable GitLab token (….01.…)", gt_check_gitlab},
    {"grafana-cloud", "organisation and key in the base64 of a Grafana Cloud token (glc_)",
     gt_check_grafana_cloud, gt_describe_grafana_cloud},
    {"grafana-service-account", "CRC-32 at the end of a Grafana service account token (glsa_)",
     gt_check_grafana},
    {"iban", "bank account number: length of its country and modulo 97", gt_check_iban,
     gt_describe_iban},
    {"jfrog-reference", "reftkn: in the base64 of a JFrog reference token",
     gt_check_jfrog_reference},
    {"jwk-private-key", "JSON Web Key with its private or symmetric part, not of the RFCs",
     gt_check_jwk_private_key, gt_describe_jwk},
    {"jwt", "JSON Web Token: no when its header or claims are not JSON, else unknown", gt_check_jwt,
     gt_describe_jwt},
    {"kubernetes-value",
     "base64 of a Kubernetes Secret: no for certificates, templates and samples",
     gt_check_kubernetes_value},
    {"luhn", "digits that pass the Luhn sum", gt_check_luhn},
    {"nir", "French social security number: month and key", gt_check_nir},
    {"not-placeholder",
     "no for templates, placeholders, words of samples and passwords that everybody knows, else "
     "unknown",
     gt_check_not_placeholder},
    {"npm-token", "CRC-32 at the end of an npm access token", gt_check_npm},
    {"openai-marker", "holds T3BlbkFJ, the base64 of OpenAI", gt_check_openai_marker},
    {"password", "reads like a password that a person or program chose, not like code or words",
     gt_check_password},
    {"payment-card", "card number: issuer's range, its length, Luhn", gt_check_payment_card,
     gt_describe_payment_card},
    {"pem-private-key",
     "armoured private key: yes when whole and unprotected, unknown when encrypted",
     gt_check_pem_private_key, gt_describe_pem},
    {"random-token", "reads like a random token, not like code, words, a path or an identifier",
     gt_check_random_token},
    {"saladcloud-key", "CRC-32 at the end of a SaladCloud key", gt_check_saladcloud},
    {"sasl-plain", "base64 of NUL, user, NUL, password: no when it is not, else unknown",
     gt_check_sasl_plain},
    {"secp256k1-key",
     "64 hexadecimal digits in the order of secp256k1, not a development key that everybody has",
     gt_check_secp256k1_key},
    {"siren", "French company number: 9 digits, Luhn", gt_check_siren},
    {"siret", "French establishment number: 14 digits, Luhn", gt_check_siret},
    {"vercel-token", "CRC-32 at the end of a Vercel token (vcp_, vci_, vca_, vcr_, vck_)",
     gt_check_vercel},
    {"wandb-key", "CRC-32 at the end of a Weights & Biases key (wandb_v1_)", gt_check_wandb},
    {"wireguard-key", "base64 of 32 bytes: yes when clamped as wg genkey does",
     gt_check_wireguard_key},
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

void gt_detail_add(struct gt_detail *detail, const char *before, const char *what)
{
    size_t used = strlen(detail->words);
    size_t needed = strlen(before) + strlen(what) + (used > 0 ? 2 : 0);
    if (used + needed < sizeof detail->words)
        snprintf(detail->words + used, sizeof detail->words - used, "%s%s%s", used > 0 ? ", " : "",
                 before, what);
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
