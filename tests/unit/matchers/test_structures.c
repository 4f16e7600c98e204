/* Checks of structures, and what they tell. Vectors are from the standards named, else made up and
 * computed by Python's base64, hashlib and json. */
#include "matchers/checks.h"
#include "matchers/scoring.h"

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

/* In exactly its bytes, so that a read outside is seen. */
static enum gt_verdict run(const char *name, const char *secret, size_t len)
{
    const struct gt_check *check = gt_check_find(name);
    assert_non_null(check);
    char *exact = malloc(len > 0 ? len : 1);
    struct gt_detail detail = {0};
    memcpy(exact, secret, len);
    enum gt_verdict verdict = check->check(exact, len);
    if (check->describe)
        check->describe(exact, len, GT_ENGLISH, &detail);
    free(exact);
    return verdict;
}

/* Its cuts are safe, too. */
static void assert_verdicts(const struct vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(vectors[i].secret);
        enum gt_verdict got = run(vectors[i].check, vectors[i].secret, len);
        if (got != vectors[i].verdict)
            fail_msg("%s says %d, not %d, of %s", vectors[i].check, got, vectors[i].verdict,
                     vectors[i].secret);
        for (size_t cut = 0; cut < len; cut++)
            run(vectors[i].check, vectors[i].secret, cut);
    }
}

static void bech32_of_the_standards(void **state)
{
    static const struct vector vectors[] = {
        {"bech32", "A12UEL5L", YES}, /* BIP-173 */
        {"bech32", "a12uel5l", YES},
        {"bech32", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", YES},
        {"bech32", "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", YES},
        {"bech32", "A1LQFN3A", YES}, /* BIP-350 */
        {"bech32", "A1G7SGD8", NO},  /* BIP-173: checksum of the upper case */
        {"bech32", "A12UEl5l", NO},  /* mixed case */
        {"bech32", "pzry9x0s0muk", NO},
        {"bech32", "1pzry9x0s0muk", NO},
        {"bech32", "x1b4n0q5v", NO},
        {"bech32",
         "AGE-SECRET-"
         "KEY-154XU5XP9XZA36MGN9N0DVGMM9MV3U0MJRL93JUGHGJ2DVJFUN4WQR9928S",
         YES},
        {"bech32",
         "AGE-SECRET-"
         "KEY-154XU5XP9XZA36MGN9N0DVGMM9MV3U0MJRL93JUGHGJ2DVJFUN4WQR9928Q",
         NO},
    };
    assert_verdicts(vectors, COUNT(vectors));
}

static void base58check_of_bitcoin(void **state)
{
    static const struct vector vectors[] = {
        {"base58check", "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", YES},
        {"base58check", "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK", NO},
        {"base58check",
         "L1ZpVJ8U8GSnqoLn5PTr"
         "sLduFy59RhWd3He8QSqzyRJDQf4kKng5",
         YES},
        {"base58check", /* BIP-32, test vector 1 */
         "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU"
         "3TGtRBeJgk33yuGBxrMPHi",
         YES},
        {"base58check", "1111", NO},
        {"base58check", "0OIl", NO},
        {"base58check", "", NO},
    };
    assert_verdicts(vectors, COUNT(vectors));
}

static void seed_phrases_carry_a_checksum(void **state)
{
    static const struct vector vectors[] = {
        {"bip39", "crucial album middle dizzy track youth hedgehog build trim smoke garlic ribbon",
         YES},
        {"bip39",
         "label error legal garlic float myth viable skin quantum hurt remind choose key firm sort",
         YES},
        {"bip39",
         "year empower slogan bicycle capital more knee mutual shield marriage will height glove "
         "wrap keen venue draw vicious",
         YES},
        {"bip39",
         "slim elevator medal profit fresh shrimp bread mushroom start safe outside olympic pizza "
         "chase supply this weapon umbrella piano afraid pet",
         YES},
        {"bip39",
         "stove unfair source daughter orient grass creek chase walnut happy success dynamic puppy "
         "praise tired select cross act erupt inject spoil cube abuse length",
         YES},
        {"bip39",
         "1. crucial 2. album 3. middle 4. dizzy 5. track 6. youth 7. hedgehog 8. build\n9. trim "
         "10. smoke 11. garlic 12. ribbon",
         YES},
        {"bip39", "crucial album middle dizzy track youth hedgehog build trim smoke garlic album",
         NO},
        {"bip39", "crucial album middle dizzy track youth hedgehog build trim smoke garlic", NO},
        {"bip39", "crucial album middle dizzy track youth hedgehog build trim smoke garlic ribbons",
         NO},
        /* BIP-39's own */
        {"bip39",
         "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
         "about",
         NO},
        {"bip39", "legal winner thank year wave sausage worth useful legal winner thank yellow",
         NO},
        {"bip39", "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
         NO},
        {"bip39", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong", NO},
        {"bip39", "test test test test test test test test test test test junk", NO},
    };
    assert_verdicts(vectors, COUNT(vectors));
}

static void keys_have_their_form(void **state)
{
    static const struct vector vectors[] = {
        {"wireguard-key", "eKaE1kMfterXQk0J4V0CTFhI8j0fpvc2HX9hjRUy504=", YES},
        {"wireguard-key",
         "eaaE1kMfterXQk0J4V0CTFhI8j0fpvc2HX9hjRUy504=", UNKNOWN},             /* not clamped */
        {"wireguard-key", "eKaE1kMfterXQk0J4V0CTFhI8j0fpvc2HX9hjRUy5w==", NO}, /* 31 bytes */
        {"wireguard-key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", NO},
        {"secp256k1-key", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         UNKNOWN},
        {"secp256k1-key", "0xE3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
         UNKNOWN},
        {"secp256k1-key", /* the order itself (SEC 2) */
         "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", NO},
        {"secp256k1-key", "0000000000000000000000000000000000000000000000000000000000000001", NO},
        {"secp256k1-key", /* Hardhat's first account */
         "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", NO},
        {"secp256k1-key", "e3b0", NO},
        {"jwk-private-key",
         "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
         "\"eKaE1kMfterXQk0J4V0CTFhI8j0fpvc2HX9hjRUy504\","
         "\"d\":\"aKaE1kMfterXQk0J4V0CTFhI8j0fpvc2HX9hjRUy504\"}",
         YES},
        {"jwk-private-key",
         "{\\\"kty\\\":\\\"oct\\\",\\\"k\\\":\\\"aKaE1kMfterXQk0J4V0CTFhI8j0fpvc2HX9hjRUy504\\\"}",
         YES},
        {"jwk-private-key",
         "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
         "\"eKaE1kMfterXQk0J4V0CTFhI8j0fpvc2HX9hjRUy504\"}",
         NO},
        {"jwk-private-key", /* RFC 8037, appendix A */
         "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_"
         "9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
         "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
         NO},
        {"jwk-private-key", "{\"kty\":\"RSA\",\"n\":\"...\",\"d\":\"...\"}", NO},
        {"jwk-private-key", "[]", NO},
    };
    assert_verdicts(vectors, COUNT(vectors));
}

static void tokens_are_base64_of_something(void **state)
{
    static const struct vector vectors[] = {
        {"discord-token", "OTgzMjE0NTY3MDEyMzQ1Njc4.GkT2vQ.Zk3vQ9xLw7TnRb2Ym5HdKq2mTx9sVd", YES},
        {"discord-token", "OTgzMjE0NTY3MDEyMzQ1Njc4", NO},
        {"discord-token", "b3BlbnNzaC1rZXktdjEA.GkT2vQ.Zk3vQ9xLw7TnRb2Ym5HdKq2mTx9sVd", NO},
        {"grafana-cloud",
         "glc_"
         "eyJvIjoiNjU0MzIxIiwibiI6ImNpIiwiayI6IlprM3ZROXhMdzdUblJiMlltNUhkIiwibSI6eyJyIjoiZXUifX0=",
         YES},
        {"grafana-cloud", "glc_eyJvIjoiNjU0MzIxIn0=", NO},
        {"grafana-cloud", "glc_Zk3vQ9xLw7TnRb2Ym5Hd", NO},
        {"jfrog-reference",
         "cmVmdGtu"
         "OjAxOjE3OTg3NjE2MDA6WmszdlE5eEx3N1RuUmIyWW01SGRLcTJtVHg5c1Zk",
         YES},
        {"jfrog-reference", "cmVmdGtXOjAxOjE3OTg3NjE2MDA6WmszdlE5eEx3N1RuUmIyWW01SGRL", NO},
        {"bitbucket-token",
         "BBDC-"
         "MTIzNDU2Nzg5MDEyOiDipmaN5/R+hGflRtU+yOKhJXvb",
         YES},
        {"bitbucket-token", "BBDC-QTIzNDU2Nzg5MDEyOiDipmaN5/R+hGflRtU+yOKhJXvb", NO},
        {"bitbucket-token", "MTIzNDU2Nzg5MDEyOiDipmaN5/R+hGflRtU+yOKhJXvb", UNKNOWN},
        {"azure-marker",
         "3tGk8vQ2xLw7TnRb2Ym5HdKq2mTx9sVd4uPz6aFc1eJh7iNo0BXWJQQJ99BAACYeBjFXJ3w3AAABACOGaXy",
         UNKNOWN}, /* 83 characters */
        {"azure-marker",
         "3tGk8vQ2xLw7TnRb2Ym5HdKq2mTx9sVd4uPz6aFc1eJh7iNo0BXWJQQJ99BAACYeBjFXJ3w3AAABACOGaXyZ",
         YES},
        {"azure-marker",
         "3tGk8vQ2xLw7TnRb2Ym5HdKq2mTx9sVd4uPz6aFc1eJh7iNo0BXW1QQJ99BAACYeBjFXJ3w3AAABACOGaXyZ",
         NO},
        {"sasl-plain", "AG5vcmVwbHkAazdHcTJ2VHg=", UNKNOWN}, /* NUL noreply NUL k7Gq2vTx */
        {"sasl-plain", "AHRlc3QAdGVzdA==", NO},
        {"sasl-plain", "bm9yZXBseQ==", NO},
        {"kubernetes-value", "azdHcTJ2VHg5dw==", UNKNOWN}, /* k7Gq2vTx9w */
        {"kubernetes-value", "Y2hhbmdlbWU=", NO},          /* changeme */
        {"kubernetes-value", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t", NO},
        {"kubernetes-value", "no base64!", NO},
    };
    assert_verdicts(vectors, COUNT(vectors));
}

static void placeholders_are_no_passwords(void **state)
{
    static const struct vector vectors[] = {
        {"not-placeholder", "k7Gq2vTx", UNKNOWN}, {"not-placeholder", "soleil-bleu", UNKNOWN},
        {"not-placeholder", "changeme", NO},      {"not-placeholder", "${DB_PASS}", NO},
        {"not-placeholder", "<password>", NO},    {"not-placeholder", "DB_PASSWORD", NO},
        {"not-placeholder", "your_password", NO}, {"not-placeholder", "********", NO},
        {"not-placeholder", "admin123", NO},      {"not-placeholder", "", NO},
    };
    assert_verdicts(vectors, COUNT(vectors));
}

static void published_numbers_are_samples(void **state)
{
    static const struct vector vectors[] = {
        {"payment-card", "4242424242424242", NO},
        {"payment-card", "4111 1111 1111 1111", NO},
        {"payment-card", "378282246310005", NO},
        {"payment-card", "5555-5555-5555-4444", NO},
        {"iban", "DE89 3704 0044 0532 0130 00", NO}, /* SWIFT's registry */
        {"iban", "FR14 2004 1010 0505 0001 3M02 606", NO},
        {"iban", "GB29 NWBK 6016 1331 9268 19", NO},
        {"nir", "2 55 08 14 168 025 38", NO},
        {"jwt", /* jwt.io's subject */
         "eyJhbGciOiJIUzI1NiJ9"
         ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.0SNCPJT9qHBqL48AsWb",
         NO},
    };
    assert_verdicts(vectors, COUNT(vectors));
}

#define OPENSSH_PLAIN                                                                              \
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"                     \
    "QyNTUxOQAAACDtv4hGXwOt7SmrFMJW59hQVnkaOEMgxDSVaHLXLIhrywAAAIhlZ6kEKkQI\n"                     \
    "K/5l1yPLYi9KWBUbikyJET7OeVIWuyyxOLvna81lCcKoAN05bXHjiqYtnZE0HA3D2/6xfy\n"                     \
    "HZdjHNvr1HlFeEDxlYhlQ9SwYYH+Zqx5YHtZFI9o5GLJc8IdfnSMRWjP2yMhiNQVgrU3EG\n"                     \
    "Z1ry6cYqWPaGIg7fniGZIHJGNDP76B76\n"
#define OPENSSH_LOCKED                                                                             \
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABCPrhZmAt\n"                     \
    "IcwftHDHnZOQE+AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIO2/iEZfA63tKasU\n"                     \
    "wlbn2FBWeRo4QyDENJVoctcsiGvLAAAAiBsOv3zqdr79fBIrGNHQIylgEVwrIQ+18PMNJq\n"                     \
    "orpATt5UzF9EY2snbnQmJxNzgaPSYqvjUM72a9KXgCg2UH4IELNNUdgPOhcB6MQ5kTX7TO\n"                     \
    "A5owD6LgftWk+7HM3GoojZrs7unhxV+ozR6mL1eiDWBsukYrrOTFbKsmCdfwdKUy7QGRaS\n"                     \
    "RyBaE=\n"
#define OPENSSH_FINGERPRINT "SHA256:fTIAW6hNfY1QEenezVKRk1EUbfNDMEhVqB5t9v/+wN0"

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END "-----END OPENSSH PRIVATE KEY-----\n"
#define TOKEN                                                                                      \
    "eyJhbGciOiJIUzI1NiJ9"                                                                         \
    ".eyJpc3MiOiJodHRwczovL2xvZ2luLmFjbWUuZXhhbXBsZSIsImF1ZCI6WyJhcGkiLCJ3ZWIiXSwiZXhwIjoxNzk4NzY" \
    "x"                                                                                            \
    "NjAwfQ.0SNCPJT9qHBqL48AsWb"

static void checks_tell_what_they_read(void **state)
{
    static const struct {
        const char *check, *secret, *words;
        int64_t expires_ms;
    } rows[] = {
        {"jwt", TOKEN, "issued by https://login.acme.example, for api, expires on 2027-01-01",
         1798761600000},
        {"jwt",
         "eyJhbGciOiJub25lIn0"
         ".eyJ1c2VyIjoiam1hcnRpbiJ9.",
         "it has no expiry date, not signed", 0},
        {"pem-private-key", BEGIN OPENSSH_PLAIN END,
         "not encrypted, ssh-ed25519, " OPENSSH_FINGERPRINT, 0},
        {"pem-private-key", BEGIN OPENSSH_LOCKED END,
         "encrypted with aes256-ctr, ssh-ed25519, " OPENSSH_FINGERPRINT, 0},
        {"pem-private-key",
         "-----BEGIN PRIVATE KEY-----\n"
         "MC4CAQAwBQYDK2VwBCIEIGd1ZXR0ZSBtYWRlIHRoaXMgdXAgZm9yIGEgdGVzdAo=\n"
         "-----END PRIVATE KEY-----\n",
         "not encrypted, Ed25519", 0},
        {"discord-token", "OTgzMjE0NTY3MDEyMzQ1Njc4.GkT2vQ.Zk3vQ9xLw7TnRb2Ym5HdKq2mTx9sVd",
         "bot 983214567012345678", 0},
        {"bip39", "crucial album middle dizzy track youth hedgehog build trim smoke garlic ribbon",
         "number of words: 12", 0},
        {"payment-card", "4203465598616094", "network Visa", 0},
        {"iban", "FR54 0046 6332 96VA TIQ9 PLFF L06", "country FR", 0},
        {"jwt", "no token", "", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gt_detail detail = {0};
        gt_check_find(rows[i].check)
            ->describe(rows[i].secret, strlen(rows[i].secret), GT_ENGLISH, &detail);
        assert_string_equal(detail.words, rows[i].words);
        assert_int_equal(detail.expires_ms, rows[i].expires_ms);
    }
}

static bool says(const struct gt_score *score, const char *words)
{
    for (size_t i = 0; i < score->reasons.count; i++)
        if (strstr(*GT_LIST_ITEM(score->reasons, const char *, i), words))
            return true;
    return false;
}

static void an_expired_token_is_worth_less(void **state)
{
    const char *checks[] = {"jwt"};
    struct gt_rule rule = {.id = "jwt.token",
                           .name = {.en = "token"},
                           .severity = GT_HIGH,
                           .confidence = GT_LIKELY,
                           .required_checks = {checks, 1}};
    struct gt_candidate candidate = {.rule = &rule, .confidence = GT_LIKELY};
    struct gt_evidence evidence = {.candidate = &candidate, .secret = GT_STR(TOKEN)};
    struct gt_arena *arena = gt_arena_new(1 << 20);
    struct gt_score live, expired;
    evidence.now_ms = 1798761600000 - 1;
    assert_int_equal(gt_score(&evidence, GT_ENGLISH, arena, &live), 0);
    evidence.now_ms = 1798761600000 + 1;
    assert_int_equal(gt_score(&evidence, GT_ENGLISH, arena, &expired), 0);
    assert_true(says(&live, "issued by https://login.acme.example") && !says(&live, "expired"));
    assert_true(says(&expired, "it has expired"));
    assert_int_equal(live.score - expired.score, 20);
    gt_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bech32_of_the_standards),
        cmocka_unit_test(base58check_of_bitcoin),
        cmocka_unit_test(seed_phrases_carry_a_checksum),
        cmocka_unit_test(keys_have_their_form),
        cmocka_unit_test(tokens_are_base64_of_something),
        cmocka_unit_test(placeholders_are_no_passwords),
        cmocka_unit_test(published_numbers_are_samples),
        cmocka_unit_test(checks_tell_what_they_read),
        cmocka_unit_test(an_expired_token_is_worth_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
