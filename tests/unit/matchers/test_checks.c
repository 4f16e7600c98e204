/* Vectors are made up: bodies from Python's seeded random, digits by Python's zlib, hashlib and
 * base64, for example body = ''.join(random.Random(1).choice(string.ascii_letters + string.digits)
 * for _ in range(30)) n = zlib.crc32(body.encode()); six digits of n in base 62, "0-9A-Za-z",
 * zero-padded The literals are cut after the prefix to keep push protection of code hosts quiet. */
#include "core/core.h"
#include "matchers/checks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct vector {
    const char *check, *secret;
    enum gt_verdict verdict;
};

#define YES GT_VERDICT_YES
#define NO GT_VERDICT_NO
#define UNKNOWN GT_VERDICT_UNKNOWN
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum gt_verdict run(const char *name, const char *secret, size_t len)
{
    const struct gt_check *check = gt_check_find(name);
    assert_non_null(check);
    return check->check(secret, len);
}

static void assert_verdicts(const struct vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum gt_verdict got = run(vectors[i].check, vectors[i].secret, strlen(vectors[i].secret));
        if (got != vectors[i].verdict)
            fail_msg("%s says %d, not %d, of %s", vectors[i].check, got, vectors[i].verdict,
                     vectors[i].secret);
    }
}

static const struct vector tokens[] = {
    {"github-token",
     "ghp_"
     "5NmiFF0CaYoOuCqaKw5KRwZP8Wpou83cVBCk",
     YES},
    {"github-token",
     "ghp_"
     "C5iZgVDNQ5o5lYcTCWZ9LqJqKFWnVJ09PyV0",
     YES}, /* zero-padded */
    {"github-token",
     "gho_"
     "EUhfaBtdJgOgMf5UrkKFxMfBuBKTt14H6Qnn",
     YES},
    {"github-token",
     "ghu_"
     "FCxHesBCvu3NmllVsvpNnhON0uflLQ3OvQmI",
     YES},
    {"github-token",
     "ghs_"
     "0zjEB6fC9ZrEfk4ekkQ8Xm5dXQA2m40jUkZR",
     YES},
    {"github-token",
     "ghr_"
     "ev1ntxn4wEUKJnPejkbpjQoC3KegXYqhCXFuJMYgmJ2DonckxyR06RyI8unfA6QhmE44EL0Boraw",
     YES},
    {"github-fine-grained",
     "github_"
     "pat_115NFF0CYOCK5KRZP8W8SN_fnXxBGjtdyZaKZYDIc6wJVQKObJ3NS4UUnzh3RsnaPFROKRZJBSchCLGrtm",
     YES},
    {"npm-token",
     "npm_"
     "vQET8FGqNvStGYm0NTBkmgvshJ14vP18p8a4",
     YES},
    {"vercel-token",
     "vcp_"
     "JrXyNLxdrKgjtmsVfzaUd1NlgLjxPCI58vseQe706fa7htDyQm1p9RY2",
     YES},
    {"gitlab-routable",
     "glpat-"
     "NlSndVucpJgH31U_-9oaDGYyXxx88TYQxhs17oo9tOZ5BEGfA6Ct.01.1g1twwckj",
     YES},
    {"confluent-key",
     "cflt"
     "BGVIW52b1YWkPPgTgCiwRMEPt+L3yJoaW+bsGvl3pVO+FbggniXpinhVjZEw",
     YES},
    {"zuplo-key",
     "zpka_"
     "06788k8ld6kggf112en6uknclljoowy7_cacc157a",
     YES},
    {"grafana-service-account",
     "glsa_"
     "sIRsyydCgb1c4GdH5JSF5wAoSJe7on3O_27881335",
     YES},
    {"atlassian-token",
     "ATATT3"
     "EwT0W5uZ3LfFKxfBF7U7qTePkFNRxr3jrQ6yY873KNXgGymZL24WP1rZObUid6QEzf2O2zseS6OLvLQx5Gy6m"
     "norZU5uNfIEax6tSCwe4l3GUOxCZqSJcF7LoHmsY3GsI1IgHvFwlzYsrMq7zuaEDnRU7GewaA5wHVQ2teOAM3="
     "1FC25804",
     YES},
    {"atlassian-token",
     "ATBB"
     "aojhJ2MUw8APWyKjtst7imDO70872430",
     YES},
    {"apify-token",
     "apify_"
     "api_3GSyBEzf1tMrI6fMB34FwklS05fE5F1e5X8j",
     YES},
    {"wandb-key",
     "wandb_"
     "v1_Ix1Ip8fUN9RZ7oJffAxjc7vCySn_NoZPBi54xRkVNFZBuvA5LacytJYBwrdhZ9s60etQqnG4LlY3V",
     YES},
    {"saladcloud-key",
     "salad_"
     "cloud_6bumwQ_aOA9mO8a4sRbDoQPpAVStfEodi7q74ztDjKV6AIv4f2dxu",
     YES},
    {"cloudflare-key",
     "cfk_"
     "tqDEI3MtYguvArxi96QAZOmhOw1B3sQLDh508HgC6834eada",
     YES},
    {"cloudflare-key",
     "cfut_"
     "P2uZOCnUQUrXvmKls43qONb3t1kVPHIx98LjVus6b265ec59",
     YES},
    {"openai-marker", "sk-proj-abcT3BlbkFJdef", YES},
    {"openai-marker", "sk-proj-abcT3BlbkFjdef", NO},
};

static void tokens_pass_their_own_check(void **state)
{
    assert_verdicts(tokens, COUNT(tokens));
}

/* A CRC-32 sees every change of one byte; so does SHA-256 among its first 40 bits. */
static void any_changed_byte_is_a_no(void **state)
{
    for (size_t i = 0; i < COUNT(tokens); i++) {
        char copy[256];
        size_t len = strlen(tokens[i].secret);
        if (strcmp(tokens[i].check, "openai-marker") == 0)
            continue;
        memcpy(copy, tokens[i].secret, len);
        copy[40 < len ? 30 : 20] ^= 1;
        assert_int_equal(run(tokens[i].check, copy, len), NO);
        memcpy(copy, tokens[i].secret, len);
        if (strcmp(tokens[i].check, "github-fine-grained") != 0) {
            copy[len - 1] = copy[len - 1] == '1' ? '2' : '1';
            assert_int_equal(run(tokens[i].check, copy, len), NO);
        }
    }
}

/* Another length or prefix is another form, about which the check knows nothing. */
static void other_forms_are_unknown(void **state)
{
    static const struct vector others[] = {
        {"github-token",
         "ghp_"
         "5NmiFF0CaYoOuCqaKw5KRwZP8Wpou83cVBC",
         UNKNOWN},
        {"github-token",
         "ghs_"
         "1234567_eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2ln",
         UNKNOWN},
        {"github-token",
         "npm_"
         "vQET8FGqNvStGYm0NTBkmgvshJ14vP18p8a4",
         UNKNOWN},
        {"github-fine-grained",
         "github_"
         "pat_short",
         UNKNOWN},
        {"gitlab-routable",
         "glpat-"
         "0123456789abcdefghij",
         UNKNOWN},
        {"npm-token", "", UNKNOWN},
    };
    assert_verdicts(others, COUNT(others));
}

static void aws_key_ids_hold_an_account(void **state)
{
    static const struct vector keys[] = {
        {"aws-account",
         "AK"
         "IARZPUZDIKBICKZZZZ",
         UNKNOWN}, /* 123456789012 */
        {"aws-account",
         "AK"
         "IA7I6HAQQAJKS2JA2L",
         NO}, /* 1050000000000: 13 digits */
        {"aws-account",
         "AK"
         "IAIABCDEFGHIJKLMNO",
         UNKNOWN}, /* before account numbers were in it */
        {"aws-account",
         "AK"
         "IA0123456789ABCDEF",
         NO}, /* 0, 1, 8 and 9 are not base32 */
        {"aws-account",
         "AK"
         "IARZPUZDIKBICKZZZ",
         NO},
    };
    assert_verdicts(keys, COUNT(keys));
}

static void numbers_have_their_check_digits(void **state)
{
    static const struct vector numbers[] = {
        {"luhn", "812345676", YES},
        {"luhn", "812345677", NO},
        {"luhn", "000000000", NO},
        {"luhn", "81234567x", NO},
        {"luhn", "8", NO},
        {"payment-card", "4203465598616094", YES},
        {"payment-card", "4203 4655 9861 6094", YES},
        {"payment-card", "4203-4655-9861-6094", YES},
        {"payment-card", "4203  4655 9861 6094", NO}, /* a table, not a card */
        {"payment-card", "4203465598616095", NO},
        {"payment-card", "4609212981922787626", YES},
        {"payment-card", "5481457126219574", YES},
        {"payment-card", "2221135021054286", YES},
        {"payment-card", "375265564951206", YES},
        {"payment-card", "3528595006736595", YES},
        {"payment-card", "9618891599865133", NO}, /* Luhn holds, no network issues it */
        {"payment-card", "518398532832311", NO},  /* Mastercard has 16 */
        {"iban", "FR540046633296VATIQ9PLFFL06", YES},
        {"iban", "FR54 0046 6332 96VA TIQ9 PLFF L06", YES},
        {"iban", "FR550046633296VATIQ9PLFFL06", NO},
        {"iban", "DE42895891603287646035", YES},
        {"iban", "DE2189589160328764603", NO}, /* modulo 97 holds, Germany has 22 */
        {"iban", "ZZ42895891603287646035", NO},
        {"iban", "FR54", NO},
        {"nir", "284057645121747", YES},
        {"nir", "2 84 05 76 451 217 47", YES},
        {"nir", "284057645121748", NO},
        {"nir", "199032A00456758", YES},
        {"nir", "190072B12304564", YES},
        {"nir", "169149912345662", NO}, /* the key holds, month 14 does not exist */
        {"nir", "28405764512174", NO},
        {"siren", "812345676", YES},
        {"siren", "812 345 676", YES},
        {"siren", "812345675", NO},
        {"siret", "81234567600017", YES},
        {"siret", "812 345 676 00017", YES},
        {"siret", "81234567600018", NO},
        {"siret", "35600000000048", YES}, /* La Poste's head office: Luhn holds */
        {"siret", "35600000012349", NO},
        {"siret", "35600000012342", NO},
        {"siret", "35600000012347", NO},
        {"siret", "35600000012341", YES}, /* Luhn fails, the digits' sum is 25 */
    };
    assert_verdicts(numbers, COUNT(numbers));
}

static void jwt_parts_must_decode(void **state)
{
    static const struct vector jwts[] = {
        {"jwt",
         "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
         ".eyJzdWIiOiI0MiJ9.0SNCPJT9qHBqL48AsWb",
         UNKNOWN},
        {"jwt",
         "eyJhbGciOiJub25lIn0"
         ".eyJzdWIiOiI0MiJ9.",
         UNKNOWN}, /* alg none */
        {"jwt",
         "eyJ0eXAiOiJKV1QifQ"
         ".eyJzdWIiOiI0MiJ9.0SNCPJT9",
         NO}, /* no alg */
        {"jwt",
         "eyJhbGciOiJub25lIn0"
         ".eyJzdWIiOiI0M.0SNCPJT9",
         NO}, /* cut claims */
        {"jwt",
         "eyJhbGciOiJub25lIn0"
         ".WzFd.0SNCPJT9",
         NO}, /* claims are [1] */
        {"jwt",
         "eyJhbGciOiJub25lIn0"
         ".eyJzdWIiOiI0MiJ9",
         NO},
        {"jwt",
         "eyJhbGciOiJub25lIn0"
         ".eyJzdWIiOiI0MiJ9.a.b",
         NO},
        {"jwt", "..", NO},
        {"jwt", "", NO},
    };
    assert_verdicts(jwts, COUNT(jwts));
}

static void basic_credentials_are_user_and_password(void **state)
{
    static const struct vector pairs[] = {
        {"basic-credentials", "c3ZjLXJlcG9ydDpLOHYjcVoyIQ==", UNKNOWN}, /* svc-report:K8v#qZ2! */
        {"basic-credentials", "dXRpbGlzw6k6bW90ZGVwYXNzZQ==", UNKNOWN}, /* utilisé:motdepasse */
        {"basic-credentials", "c3ZjLXJlcG9ydDpLOHYjcVoyIQ", NO},        /* padding lost */
        {"basic-credentials", "Z3VldHRlOmd1ZXR0ZQ==", NO},              /* guette:guette */
        {"basic-credentials", "dGhpc2lzYWxvbmdzdHJpbmc=", NO},          /* no colon */
        {"basic-credentials", "YTpi", NO},                              /* a:b */
        {"basic-credentials", "OnNlY3JldDEy", NO},                      /* :secret12 */
        {"basic-credentials", "/////zpzZWNyZXQxMg==", NO},              /* not text */
        {"basic-credentials", "YQE6c2VjcmV0MTI=", NO},                  /* a control character */
        {"basic-credentials", "", NO},
    };
    assert_verdicts(pairs, COUNT(pairs));
}

#define BEGIN(label) "-----BEGIN " label "-----\n"
#define END(label) "-----END " label "-----\n"
#define PKCS8 "MC4CAQAwBQYDK2VwBCIEIGd1ZXR0ZSBtYWRlIHRoaXMgdXAgZm9yIGEgdGVzdAo=\n"
#define RANDOM64 "q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq83v\n"
#define OPENSSH_NONE "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz\n"
#define OPENSSH_AES "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAx\n"

static void pem_keys_tell_whether_they_are_encrypted(void **state)
{
    static const struct vector keys[] = {
        {"pem-private-key", BEGIN("PRIVATE KEY") PKCS8 END("PRIVATE KEY"), YES},
        {"pem-private-key",
         "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIGd1ZXR0ZSBtYWRlIHRoaXMg\\n"
         "dXAgZm9yIGEgdGVzdAo=\\n-----END PRIVATE KEY-----\\n",
         YES},
        {"pem-private-key", BEGIN("ENCRYPTED PRIVATE KEY") PKCS8 END("ENCRYPTED PRIVATE KEY"),
         UNKNOWN},
        {"pem-private-key",
         BEGIN("RSA PRIVATE KEY") "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011\n\n" RANDOM64
             END("RSA PRIVATE KEY"),
         UNKNOWN},
        {"pem-private-key", BEGIN("RSA PRIVATE KEY") RANDOM64 END("RSA PRIVATE KEY"), NO},
        {"pem-private-key", BEGIN("OPENSSH PRIVATE KEY") OPENSSH_NONE END("OPENSSH PRIVATE KEY"),
         YES},
        {"pem-private-key", BEGIN("OPENSSH PRIVATE KEY") OPENSSH_AES END("OPENSSH PRIVATE KEY"),
         UNKNOWN},
        {"pem-private-key", BEGIN("OPENSSH PRIVATE KEY") PKCS8 END("OPENSSH PRIVATE KEY"), NO},
        {"pem-private-key",
         BEGIN("PGP PRIVATE KEY BLOCK") "Version: 1\n\nl" RANDOM64
                                        "=abcd\n" END("PGP PRIVATE KEY BLOCK"),
         UNKNOWN},
        {"pem-private-key", BEGIN("PRIVATE KEY") PKCS8 END("PUBLIC KEY"), NO},
        {"pem-private-key", BEGIN("PUBLIC KEY") PKCS8 END("PUBLIC KEY"), NO},
        {"pem-private-key", BEGIN("PRIVATE KEY") PKCS8, NO},
        {"pem-private-key", BEGIN("PRIVATE KEY") "...\n" END("PRIVATE KEY"), NO},
        {"pem-private-key", BEGIN("PRIVATE KEY") "Mshort\n" END("PRIVATE KEY"), NO},
        {"pem-private-key", "-----BEGIN PRIVATE KEY-----END PRIVATE KEY", NO},
    };
    assert_verdicts(keys, COUNT(keys));
}

/* Every check on every cut of every vector, in exactly its bytes, so that a read outside is seen.
 */
static void checks_are_safe_on_any_bytes(void **state)
{
    unsigned char noise[300];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)(i * 167 + 13);
    for (const struct gt_check *check = gt_checks; check->name != NULL; check++) {
        for (size_t len = 0; len <= sizeof noise; len++) {
            char *exact = malloc(len + 1);
            memcpy(exact, noise, len);
            char *cut = realloc(exact, len > 0 ? len : 1);
            assert_int_not_equal(check->check(cut, len), YES);
            free(cut);
        }
        for (size_t i = 0; i < COUNT(tokens); i++)
            for (size_t len = 0; len < strlen(tokens[i].secret); len++) {
                char *cut = malloc(len > 0 ? len : 1);
                memcpy(cut, tokens[i].secret, len);
                enum gt_verdict got = check->check(cut, len);
                assert_true(got >= NO && got <= YES);
                free(cut);
            }
    }
}

static void the_list_is_sorted_and_found_by_name(void **state)
{
    for (const struct gt_check *check = gt_checks; check->name != NULL; check++) {
        assert_ptr_equal(gt_check_find(check->name), check);
        assert_true(strlen(check->help) > 10);
        if (check != gt_checks)
            assert_true(strcmp(check[-1].name, check->name) < 0);
    }
    assert_null(gt_check_find("luhm"));
}

static void entropy_is_shannons(void **state)
{
    char all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    assert_true(fabs(gt_entropy("", 0)) < 1e-9);
    assert_true(fabs(gt_entropy("aaaa", 4)) < 1e-9);
    assert_true(fabs(gt_entropy("abab", 4) - 1) < 1e-9);
    /* 0.75 log2(4/3) + 0.25 log2(4) */
    assert_true(fabs(gt_entropy("aaab", 4) - 0.811278124459) < 1e-9);
    assert_true(fabs(gt_entropy(all, sizeof all) - 8) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_pass_their_own_check),
        cmocka_unit_test(any_changed_byte_is_a_no),
        cmocka_unit_test(other_forms_are_unknown),
        cmocka_unit_test(aws_key_ids_hold_an_account),
        cmocka_unit_test(numbers_have_their_check_digits),
        cmocka_unit_test(jwt_parts_must_decode),
        cmocka_unit_test(basic_credentials_are_user_and_password),
        cmocka_unit_test(pem_keys_tell_whether_they_are_encrypted),
        cmocka_unit_test(checks_are_safe_on_any_bytes),
        cmocka_unit_test(the_list_is_sorted_and_found_by_name),
        cmocka_unit_test(entropy_is_shannons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
