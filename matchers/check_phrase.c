/* Seed phrases of wallets (BIP-39, English): 12 to 24 words of 11 bits, of which the last 4 to 8
 * are of SHA-256 over those before. */
#include "matchers/check_parts.h"

#include "core/core.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define WORD_BITS 11
#define PHRASE_MIN 12
#define PHRASE_MAX 24

extern const struct gt_embedded gt_word_lists[];

/* Its place in the list, which is in the alphabet's order; -1: it is not there. The list is short
 * and phrases are rare. */
static int find_word(const char *text, size_t len)
{
    const char *at = (const char *)gt_word_lists[0].bytes, *end = at + gt_word_lists[0].len;
    int number = 0;
    for (const char *line; (line = memchr(at, '\n', (size_t)(end - at))); at = line + 1, number++)
        if ((size_t)(line - at) == len && memcmp(at, text, len) == 0)
            return number;
    return -1;
}

/* The numbers of all words, whatever stands between them; 0 when one is none or they are too many.
 */
static size_t read_phrase(const char *text, size_t len, unsigned ret_numbers[PHRASE_MAX])
{
    size_t count = 0;
    for (size_t at = 0; at < len;) {
        char word[16];
        size_t size = 0;
        for (; at < len && size < sizeof word && gt_in_set(text[at], UPPER LOWER); at++)
            word[size++] = (char)(text[at] | 32);
        at += size == 0;
        int number = size > 0 ? find_word(word, size) : 0;
        if (number < 0 || (size > 0 && count == PHRASE_MAX))
            return 0;
        if (size > 0)
            ret_numbers[count++] = (unsigned)number;
    }
    return count;
}

/* Ganache's, and phrases of one repeated byte or word (BIP-39's own examples). */
static bool is_sample(const unsigned *numbers, size_t count, const unsigned char *bytes)
{
    size_t same = 0, repeated = 0;
    for (size_t i = 1; i < count; i++) {
        same += bytes[i] == bytes[0];
        repeated += numbers[i] == numbers[i - 1];
    }
    return same > count / 2 || repeated > 2 || numbers[0] == (unsigned)find_word("candy", 5);
}

enum gt_verdict gt_check_bip39(const char *secret, size_t len)
{
    unsigned numbers[PHRASE_MAX];
    unsigned char bytes[PHRASE_MAX * WORD_BITS / 8 + 1] = {0}, hash[crypto_hash_sha256_BYTES];
    size_t count = read_phrase(secret, len, numbers);
    if (count < PHRASE_MIN || count % 3 != 0)
        return GT_VERDICT_NO;
    for (size_t i = 0; i < count * WORD_BITS; i++)
        if (numbers[i / WORD_BITS] >> (WORD_BITS - 1 - i % WORD_BITS) & 1)
            bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
    size_t entropy = count * 4 / 3, check_bits = count / 3; /* bytes, bits */
    crypto_hash_sha256(hash, bytes, entropy);
    unsigned mask = 0xff00u >> check_bits & 0xff;
    bool sound = ((hash[0] ^ bytes[entropy]) & mask) == 0 && !is_sample(numbers, count, bytes);
    return gt_verdict_of(sound);
}

void gt_describe_bip39(const char *secret, size_t len, enum gt_lang lang,
                       struct gt_detail *ret_detail)
{
    unsigned numbers[PHRASE_MAX];
    char count[8];
    snprintf(count, sizeof count, "%zu", read_phrase(secret, len, numbers));
    gt_detail_add(ret_detail, lang == GT_FRENCH ? "nombre de mots : " : "number of words: ", count);
}
