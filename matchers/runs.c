#include "matchers/runs.h"

#include "matchers/values.h"

#include <stdint.h>
#include <string.h>

#define WORDY_TENTHS 3 /* gt_wordiness() of 0.3, which random letters reach once in thousands */
#define STRANGE_MIN 12 /* bytes of a run that must not read like words */
#define AZ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1

static const unsigned char in_run[256] = {
    ['+'] = 1, ['-'] = 1, ['/'] = 1, ['_'] = 1, ['~'] = 1, ['0'] = 1, 1,          1,          1,
    1,         1,         1,         1,         1,         1,         ['A'] = AZ, ['a'] = AZ,
};

static const bool is_separator[256] = {
    ['+'] = true, ['-'] = true, ['/'] = true, ['_'] = true, ['~'] = true,
};

bool gt_run_byte(char c)
{
    return in_run[(unsigned char)c];
}

/* ---- finding ---- */

/* A run of 15 bytes or more covers 8 bytes that begin at a multiple of 8, whichever way it lies. So
 * 16 bytes are classified at once, by vectors of the compiler (which makes of them what the machine
 * has), and only where 8 of them are all in a run is it looked at closer. */
#define BLOCK ((size_t)16)
#define LANE ((size_t)8)

typedef unsigned char vector __attribute__((vector_size(16)));
typedef uint64_t lanes __attribute__((vector_size(16)));

static lanes classify(const unsigned char *at)
{
    vector v;
    memcpy(&v, at, sizeof v);
    vector in =
        (vector)((v | 0x20) - 'a' < 26) | (vector)(v - '/' < 11); /* letters; '/' and digits */
    in |= (vector)(v == '+') | (vector)(v == '-') | (vector)(v == '_') | (vector)(v == '~');
    return (lanes)in;
}

/* 8 bytes around `at` are all in a run: is it too short, by what stands next to them? Saves most
 * runs from being walked byte by byte. */
static bool is_short(const unsigned char *text, size_t len, size_t at)
{
    if (at < LANE || at + LANE + BLOCK > len || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return false;
    uint64_t before = ~classify(text + at - LANE)[0], behind = ~classify(text + at + LANE)[0];
    size_t left = before ? (size_t)__builtin_clzll(before) / 8 : LANE;
    size_t right = behind ? (size_t)__builtin_ctzll(behind) / 8 : LANE;
    return left + LANE + right < GT_RUN_MIN;
}

/* The next 8 bytes at or behind `at`, a multiple of 8, that are in a run of GT_RUN_MIN perhaps;
 * len: none. */
static size_t next_lane(const unsigned char *text, size_t len, size_t at)
{
    for (; at + BLOCK <= len; at += BLOCK) {
        lanes in = classify(text + at);
        for (size_t i = 0; i < BLOCK / LANE; i++)
            if (in[i] == UINT64_MAX && !is_short(text, len, at + i * LANE))
                return at + i * LANE;
    }
    for (; at + LANE <= len; at += LANE) {
        size_t i = 0;
        while (i < LANE && in_run[text[at + i]])
            i++;
        if (i == LANE)
            return at;
    }
    return len;
}

static bool find_run(const unsigned char *text, size_t len, size_t from, struct gt_span *ret)
{
    size_t at = (from + LANE - 1) / LANE * LANE;
    while ((at = next_lane(text, len, at)) < len) {
        size_t start = at, end = at + LANE;
        while (start > from && in_run[text[start - 1]])
            start--;
        while (end < len && in_run[text[end]])
            end++;
        if (end - start >= GT_RUN_MIN) {
            *ret = (struct gt_span){start, end};
            return true;
        }
        at = (end + LANE) / LANE * LANE;
    }
    return false;
}

/* ---- judging ---- */

#define SHORT_PART 3 /* says nothing by its letters */

/* What is counted of a part between separators. */
struct part {
    unsigned len, digits, changes; /* changes: of case from letter to letter */
    int pairs, sum;                /* of letters; as gt_wordiness() adds them up */
};

/* Bytes of this part that are no word, perhaps with a number. Random letters change their case
 * every second time, and seldom less than every fourth; those of names do, too, but read like
 * words. Hex digits may read like words, but a quarter of theirs at least are no letters. */
static unsigned strange_bytes(const struct part *part)
{
    if (part->digits == 0 && (part->len <= SHORT_PART || 4 * part->changes < part->len))
        return 0;
    bool word = 4 * part->digits < part->len && 10 * part->sum > WORDY_TENTHS * part->pairs;
    return word ? 0 : part->len;
}

static void count(struct part *part, unsigned before, unsigned byte)
{
    unsigned a = (before | 0x20) - 'a', b = (byte | 0x20) - 'a';
    part->len++;
    part->digits += byte - '0' < 10;
    if (a < 26 && b < 26) {
        part->changes += (before ^ byte) >> 5 & 1;
        part->sum += gt_letter_pairs[a][b];
        part->pairs++;
    }
}

static bool any(vector mask)
{
    lanes in = (lanes)mask;
    return (in[0] | in[1]) != 0;
}

/* No digit, and letters of one case: names, lines of dashes. Most runs end here. */
static bool is_plain(const unsigned char *text, struct gt_span run)
{
    vector digits = {0}, capitals = {0}, small = {0}, v;
    for (size_t at = run.start; at < run.end; at += sizeof v) {
        size_t from = run.end - at < sizeof v ? run.end - sizeof v : at;
        memcpy(&v, text + from, sizeof v);
        digits |= (vector)(v - '0' < 10);
        capitals |= (vector)(v - 'A' < 26);
        small |= (vector)(v - 'a' < 26);
    }
    return !any(digits) && !(any(capitals) && any(small));
}

/* Paths and names with a number in them, which are most runs of ordinary text, read like words. */
static bool looks_random(const unsigned char *text, struct gt_span run)
{
    struct part part = {0};
    unsigned strange = 0, before = 0;
    if (is_plain(text, run))
        return false;
    for (size_t i = run.start; i < run.end && strange < STRANGE_MIN; i++) {
        if (!is_separator[text[i]]) {
            count(&part, before, text[i]);
        } else {
            strange += strange_bytes(&part);
            part = (struct part){0};
        }
        before = text[i];
    }
    return strange + strange_bytes(&part) >= STRANGE_MIN;
}

bool gt_run_next(const char *text, size_t len, size_t from, struct gt_span *ret)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct gt_span run = {from, from};
    while (find_run(bytes, len, run.end, &run)) {
        if (looks_random(bytes, run)) {
            *ret = run;
            return true;
        }
    }
    return false;
}
