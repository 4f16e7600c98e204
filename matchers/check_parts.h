/* Inside matchers/ only: the checks that the list in checks.c names, and what they share. */
#ifndef GT_MATCHERS_CHECK_PARTS_H
#define GT_MATCHERS_CHECK_PARTS_H

#include "core/core.h"
#include "matchers/checks.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define BASE32 UPPER "234567"
#define BASE64 UPPER LOWER DIGITS "+/"

enum gt_verdict gt_verdict_of(bool passed); /* yes or no */
bool gt_in_set(char byte, const char *set);
bool gt_all_in_set(const char *bytes, size_t len, const char *set);
bool gt_has_prefix(const char *bytes, size_t len, const char *prefix);

typedef enum gt_verdict gt_check_function(const char *secret, size_t len);

gt_check_function gt_check_apify, gt_check_atlassian, gt_check_cloudflare, gt_check_confluent,
    gt_check_github, gt_check_github_fine_grained, gt_check_gitlab, gt_check_grafana, gt_check_npm,
    gt_check_saladcloud, gt_check_vercel, gt_check_wandb, gt_check_zuplo;
gt_check_function gt_check_aws_account, gt_check_azure_marker, gt_check_basic_credentials,
    gt_check_bitbucket, gt_check_discord, gt_check_grafana_cloud, gt_check_jfrog_reference,
    gt_check_kubernetes_value, gt_check_openai_marker, gt_check_sasl_plain;
gt_check_function gt_check_base58check, gt_check_bech32, gt_check_bip39, gt_check_jwk_private_key,
    gt_check_jwt, gt_check_pem_private_key, gt_check_secp256k1_key, gt_check_wireguard_key;
gt_check_function gt_check_iban, gt_check_luhn, gt_check_nir, gt_check_payment_card, gt_check_siren,
    gt_check_siret;

/* Adds "before" and "what", behind ", " when something stands there. What does not fit is left out.
 */
void gt_detail_add(struct gt_detail *detail, const char *before, const char *what);

typedef void gt_describe_function(const char *secret, size_t len, enum gt_lang lang,
                                  struct gt_detail *ret_detail);

gt_describe_function gt_describe_aws_account, gt_describe_bip39, gt_describe_discord,
    gt_describe_grafana_cloud, gt_describe_iban, gt_describe_jwk, gt_describe_jwt,
    gt_describe_payment_card, gt_describe_pem;

#endif
