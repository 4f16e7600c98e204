#include "matchers/decode/decode.h"

#include <string.h>

/* The one pass over a text that tells where decoding may be worth while. It reads every byte that
 * Vectorscan reads, so it must cost little: it looks at 64 bytes at a time, as two masks with a bit
 * for each byte, and most blocks have neither a sign nor a long run. */
#define BLOCK ((size_t)64)
#define BEYOND ((size_t)4) /* so many bytes behind a block are looked at */

struct masks {
    uint64_t signs;   /* one may start here; sign_at knows */
    uint64_t letters; /* letters and digits */
};
typedef struct masks masks_of(const char *block);

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* The same twice: for every x86-64, and for those with AVX2. In compares a byte from 0x80 on is
 * negative, so that it is within no range. */
#define IS(bytes, c) EQUAL(bytes, ALL(c))
#define WITHIN(bytes, least, most)                                                                 \
    AND(GREATER(bytes, ALL((char)((least)-1))), GREATER(ALL((char)((most) + 1)), bytes))
#define SIGNS(a, b, d, end)                                                                        \
    OR(OR(ANDNOT(end, IS(a, '\\')), AND(IS(a, '%'), WITHIN(b, '0', '7'))),                         \
       OR(OR(ANDNOT(IS(b, ' '), IS(a, '&')), AND(IS(a, '='), OR(end, IS(b, '3')))),                \
          AND(AND(IS(a, '0'), IS(b, 'x')), IS(d, ','))))
#define LETTERS(a) OR(WITHIN(OR(a, ALL(0x20)), 'a', 'z'), WITHIN(a, '0', '9'))

#define EQUAL _mm_cmpeq_epi8
#define GREATER _mm_cmpgt_epi8
#define ALL _mm_set1_epi8
#define AND _mm_and_si128
#define ANDNOT _mm_andnot_si128
#define OR _mm_or_si128
static struct masks masks_sse2(const char *block)
{
    struct masks masks = {0};
    for (size_t i = 0; i < BLOCK; i += sizeof(__m128i)) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(block + i + 1));
        __m128i d = _mm_loadu_si128((const __m128i *)(const void *)(block + i + 4));
        __m128i end = OR(IS(b, '\n'), IS(b, '\r'));
        masks.signs |= (uint64_t)(unsigned)_mm_movemask_epi8(SIGNS(a, b, d, end)) << i;
        masks.letters |= (uint64_t)(unsigned)_mm_movemask_epi8(LETTERS(a)) << i;
    }
    return masks;
}
#undef EQUAL
#undef GREATER
#undef ALL
#undef AND
#undef ANDNOT
#undef OR

#define EQUAL _mm256_cmpeq_epi8
#define GREATER _mm256_cmpgt_epi8
#define ALL _mm256_set1_epi8
#define AND _mm256_and_si256
#define ANDNOT _mm256_andnot_si256
#define OR _mm256_or_si256
__attribute__((target("avx2"))) static struct masks masks_avx2(const char *block)
{
    struct masks masks = {0};
    for (size_t i = 0; i < BLOCK; i += sizeof(__m256i)) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(block + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(block + i + 1));
        __m256i d = _mm256_loadu_si256((const __m256i *)(const void *)(block + i + 4));
        __m256i end = OR(IS(b, '\n'), IS(b, '\r'));
        masks.signs |= (uint64_t)(unsigned)_mm256_movemask_epi8(SIGNS(a, b, d, end)) << i;
        masks.letters |= (uint64_t)(unsigned)_mm256_movemask_epi8(LETTERS(a)) << i;
    }
    return masks;
}

static masks_of *choose(void)
{
    return __builtin_cpu_supports("avx2") ? masks_avx2 : masks_sse2;
}
#else
static bool is_letter(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static struct masks masks_plain(const char *block)
{
    struct masks masks = {0};
    for (size_t i = 0; i < BLOCK; i++) {
        char c = block[i];
        uint64_t sign = c == '\\' || c == '%' || c == '&' || c == '=' || c == '0';
        masks.signs |= sign << i;
        masks.letters |= (uint64_t)is_letter((unsigned char)c) << i;
    }
    return masks;
}

static masks_of *choose(void)
{
    return masks_plain;
}
#endif

static enum gt_sign sign_at(struct gt_str text, size_t at)
{
    char next = at + 1 < text.len ? text.ptr[at + 1] : 0;
    switch (text.ptr[at]) {
    case '\\':
        return GT_SIGN_BACKSLASH;
    case '%':
        return GT_SIGN_PERCENT;
    case '&':
        return GT_SIGN_AMPERSAND;
    case '=':
        return next == '3' || next == '\n' || next == '\r' ? GT_SIGN_EQUALS : GT_SIGN_NONE;
    case '0':
        return next == 'x' ? GT_SIGN_0X : GT_SIGN_NONE;
    default:
        return GT_SIGN_NONE;
    }
}

struct pass {
    struct gt_str text;
    size_t next[GT_SIGNS]; /* earlier ones of this sign were looked at */
    size_t letters;        /* so many stand before the block */
    gt_sign_found *found;
    void *user;
};

static void tell(struct pass *pass, enum gt_sign sign, size_t at)
{
    if (sign && at >= pass->next[sign])
        pass->next[sign] = pass->found(pass->user, sign, at);
}

/* Bits at which GT_RUN_MIN set ones start: 20 is 16 + 4. */
static uint64_t runs_of(uint64_t letters)
{
    uint64_t two = letters & letters >> 1, four = two & two >> 2, eight = four & four >> 4;
    return eight & eight >> 8 & four >> 16;
}

static size_t ones(uint64_t bits) /* from the lowest on */
{
    return ~bits ? (size_t)__builtin_ctzll(~bits) : BLOCK;
}

static void find_runs(struct pass *pass, size_t at, uint64_t letters)
{
    size_t first = ones(letters), before = pass->letters;
    if (before < GT_RUN_MIN && before + first >= GT_RUN_MIN)
        tell(pass, GT_SIGN_RUN, at - before);
    uint64_t runs = first < BLOCK ? runs_of(letters) & ~UINT64_C(0) << first : 0;
    while (runs) {
        size_t start = (size_t)__builtin_ctzll(runs), end = start + ones(letters >> start);
        tell(pass, GT_SIGN_RUN, at + start);
        runs &= end < BLOCK ? ~UINT64_C(0) << end : 0;
    }
    pass->letters = first == BLOCK ? before + BLOCK : (size_t)__builtin_clzll(~letters);
}

static void look(struct pass *pass, size_t at, struct masks masks)
{
    for (; masks.signs; masks.signs &= masks.signs - 1) {
        size_t place = at + (size_t)__builtin_ctzll(masks.signs);
        tell(pass, sign_at(pass->text, place), place);
    }
    find_runs(pass, at, masks.letters);
}

void gt_signs_find(struct gt_str text, struct gt_span within, gt_sign_found *found, void *user)
{
    struct pass pass = {.text = text, .found = found, .user = user};
    masks_of *masks = choose();
    size_t at = within.start;
    for (; at + BLOCK <= within.end && at + BLOCK + BEYOND <= text.len; at += BLOCK)
        look(&pass, at, masks(text.ptr + at));
    while (at < within.end) {
        char rest[BLOCK + BEYOND] = {0};
        size_t own = within.end - at < BLOCK ? within.end - at : BLOCK;
        size_t len = text.len - at < sizeof rest ? text.len - at : sizeof rest;
        memcpy(rest, text.ptr + at, len);
        struct masks last = masks(rest);
        if (own < BLOCK) {
            last.signs &= ~(~UINT64_C(0) << own);
            last.letters &= ~(~UINT64_C(0) << own);
        }
        look(&pass, at, last);
        at += own;
    }
}
