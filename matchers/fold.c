#include "matchers/fold.h"

#include <string.h>

struct range {
    uint32_t first, last;
};

/* Scripts with spaces between words (Unicode 15, Blocks.txt, their letters and digits roughly).
 * Chinese, Japanese, Korean, Thai... are left out on purpose: there a name touches its neighbours.
 * Sorted. */
static const struct range word_ranges[] = {
    {'0', '9'},       {'A', 'Z'},       {'a', 'z'},       {0xAA, 0xAA},     {0xB5, 0xB5},
    {0xBA, 0xBA},     {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x2C1},    {0x300, 0x373},
    {0x376, 0x37D},   {0x37F, 0x37F},   {0x386, 0x386},   {0x388, 0x481},   {0x48A, 0x559},
    {0x560, 0x588},   {0x5D0, 0x5F2},   {0x620, 0x669},   {0x66E, 0x6D3},   {0x6EE, 0x6FC},
    {0x900, 0x963},   {0x966, 0xDF3},   {0x10A0, 0x10FA}, {0x10FC, 0x10FF}, {0x1200, 0x135A},
    {0x1C80, 0x1CBF}, {0x1D00, 0x1FBC}, {0x1FC2, 0x1FCC}, {0x1FD0, 0x1FDB}, {0x1FE0, 0x1FEC},
    {0x1FF2, 0x1FFC}, {0x2C00, 0x2DFF}, {0xA640, 0xA6EF}, {0xA722, 0xA7FF}, {0xFB00, 0xFB06},
    {0xFF10, 0xFF19}, {0xFF21, 0xFF3A}, {0xFF41, 0xFF5A},
};

/* Base letters of U+00C0-017F and U+1E00-1EFF, two columns each: NFKD without its marks, in lower
 * case, and for letters that have no decomposition what people type instead of them. Blank: stays
 * as it is. */
static const char latin[] = "a a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thss"
                            "a a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thy "
                            "a a a a a a c c c c c c c c d d d d e e e e e e e e e e g g g g "
                            "g g g g h h h h i i i i i i i i i i ijijj j k k k l l l l l l l "
                            "l l l n n n n n n n n n o o o o o o oeoer r r r r r s s s s s s "
                            "s s t t t t t t u u u u u u u u u u u u w w y y y z z z z z z s ";
static const char latin_more[] = "a a b b b b b b c c d d d d d d d d d d e e e e e e e e e e f f "
                                 "g g h h h h h h h h h h i i i i k k k k k k l l l l l l l l m m "
                                 "m m m m n n n n n n n n o o o o o o o o p p p p r r r r r r r r "
                                 "s s s s s s s s s s t t t t t t t t u u u u u u u u u u v v v v "
                                 "w w w w w w w w w w x x x x y y z z z z z z h t w y   s     ss  "
                                 "a a a a a a a a a a a a a a a a a a a a a a a a e e e e e e e e "
                                 "e e e e e e e e i i i i o o o o o o o o o o o o o o o o o o o o "
                                 "o o o o u u u u u u u u u u u u u u y y y y y y y y             ";

/* Letters elsewhere; the first column is sorted. Greek loses its accents and its final sigma. */
static const struct range single_folds[] = {
    {0x1A0, 'o'},   {0x1A1, 'o'},   {0x1AF, 'u'},   {0x1B0, 'u'},   {0x218, 's'},   {0x219, 's'},
    {0x21A, 't'},   {0x21B, 't'},   {0x386, 0x3B1}, {0x388, 0x3B5}, {0x389, 0x3B7}, {0x38A, 0x3B9},
    {0x38C, 0x3BF}, {0x38E, 0x3C5}, {0x38F, 0x3C9}, {0x390, 0x3B9}, {0x3AA, 0x3B9}, {0x3AB, 0x3C5},
    {0x3AC, 0x3B1}, {0x3AD, 0x3B5}, {0x3AE, 0x3B7}, {0x3AF, 0x3B9}, {0x3B0, 0x3C5}, {0x3C2, 0x3C3},
    {0x3CA, 0x3B9}, {0x3CB, 0x3C5}, {0x3CC, 0x3BF}, {0x3CD, 0x3C5}, {0x3CE, 0x3C9}, {0x401, 0x435},
    {0x419, 0x438}, {0x439, 0x438}, {0x451, 0x435},
};

/* Upper case that lies a fixed distance from lower case. */
static const struct {
    uint32_t first, last, distance;
} upper_ranges[] = {
    {'A', 'Z', 32},
    {0x391, 0x3A9, 32},
    {0x400, 0x40F, 80},
    {0x410, 0x42F, 32},
    {0x531, 0x556, 48},
    {0xFF21, 0xFF3A, 0xFFFF0140}, /* full width */
    {0xFF41, 0xFF5A, 0xFFFF0120},
};

static bool continues(const char *bytes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (((unsigned char)bytes[i] & 0xC0) != 0x80)
            return false;
    return true;
}

size_t gt_char_next(const char *bytes, size_t len, uint32_t *ret_char)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)bytes[0];
    size_t count = first >= 0xF0 && first < 0xF5   ? 4
                   : first >= 0xE0 && first < 0xF0 ? 3
                   : first >= 0xC2 && first < 0xE0 ? 2
                                                   : 1;
    *ret_char = first;
    if (count == 1 || count > len || !continues(bytes, count))
        return 1;
    uint32_t c = first & (0xFFu >> (count + 1));
    for (size_t i = 1; i < count; i++)
        c = c << 6 | ((unsigned char)bytes[i] & 0x3F);
    if (c < least[count] || c > 0x10FFFF)
        return 1;
    *ret_char = c;
    return count;
}

size_t gt_char_previous(const char *bytes, size_t end, uint32_t *ret_char)
{
    for (size_t count = 1; count <= 4 && count <= end; count++) {
        const char *at = bytes + end - count;
        if (((unsigned char)*at & 0xC0) == 0x80)
            continue;
        if (gt_char_next(at, count, ret_char) == count)
            return count;
        break;
    }
    *ret_char = (unsigned char)bytes[end - 1];
    return 1;
}

bool gt_char_is_mark(uint32_t c)
{
    return c >= 0x300 && c <= 0x36F;
}

bool gt_char_is_word(uint32_t c)
{
    size_t low = 0, high = sizeof word_ranges / sizeof *word_ranges;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > word_ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof word_ranges / sizeof *word_ranges && c >= word_ranges[low].first;
}

static size_t put(uint32_t c, char *out)
{
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = count; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(lead[count] | c);
    return count;
}

/* 0: not a letter of these tables. */
static size_t fold_latin(uint32_t c, char *out)
{
    const char *base = c >= 0xC0 && c <= 0x17F      ? latin + 2 * (c - 0xC0)
                       : c >= 0x1E00 && c <= 0x1EFF ? latin_more + 2 * (c - 0x1E00)
                                                    : "  ";
    memcpy(out, base, 2);
    return base[0] == ' ' ? 0 : base[1] == ' ' ? 1 : 2;
}

static uint32_t fold_single(uint32_t c)
{
    for (size_t i = 0; i < sizeof single_folds / sizeof *single_folds; i++)
        if (single_folds[i].first == c)
            return single_folds[i].last;
    for (size_t i = 0; i < sizeof upper_ranges / sizeof *upper_ranges; i++)
        if (c >= upper_ranges[i].first && c <= upper_ranges[i].last)
            return c + upper_ranges[i].distance;
    return c;
}

size_t gt_fold_char(uint32_t c, char *ret_bytes)
{
    if (c < 0x80) {
        ret_bytes[0] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        return 1;
    }
    if (gt_char_is_mark(c))
        return 0;
    size_t count = fold_latin(c, ret_bytes);
    return count > 0 ? count : put(fold_single(c), ret_bytes);
}

int gt_fold(const char *bytes, size_t len, struct gt_buffer *out)
{
    uint32_t c;
    char folded[GT_FOLD_CHAR_MAX];
    for (size_t at = 0; at < len;) {
        at += gt_char_next(bytes + at, len - at, &c);
        gt_buffer_append(out, folded, gt_fold_char(c, folded));
    }
    return gt_buffer_ok(out) ? 0 : GT_E_LIMIT;
}

static bool are_hex(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return true;
}

bool gt_escape_ends(const char *text, size_t end)
{
    const char *at = text + end;
    if (end >= 2 && at[-2] == '\\')
        return strchr("nrt", at[-1]) != NULL && at[-1];
    if (end >= 3 && at[-3] == '%')
        return are_hex(at - 2, 2);
    if (end >= 4 && at[-4] == '\\' && at[-3] == 'x')
        return are_hex(at - 2, 2);
    return end >= 6 && at[-6] == '\\' && at[-5] == 'u' && are_hex(at - 4, 4);
}

static bool touches_left(const char *text, size_t len, size_t start)
{
    uint32_t first, before;
    gt_char_next(text + start, len - start, &first);
    if (start == 0 || !gt_char_is_word(first))
        return false;
    gt_char_previous(text, start, &before);
    return gt_char_is_word(before) && !gt_escape_ends(text, start);
}

static bool touches_right(const char *text, size_t len, size_t end)
{
    uint32_t last, after;
    gt_char_previous(text, end, &last);
    if (!gt_char_is_word(last))
        return false;
    while (end < len) {
        end += gt_char_next(text + end, len - end, &after);
        if (!gt_char_is_mark(after))
            return gt_char_is_word(after);
    }
    return false;
}

bool gt_stands_alone(const char *text, size_t len, size_t start, size_t end)
{
    return start < end && !touches_left(text, len, start) && !touches_right(text, len, end);
}
