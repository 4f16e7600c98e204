#include "core/strings.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct gt_str gt_str_of(const char *text)
{
    return (struct gt_str){text, text ? strlen(text) : 0};
}

bool gt_str_eq(struct gt_str a, struct gt_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool gt_str_eq_c(struct gt_str a, const char *b)
{
    return gt_str_eq(a, gt_str_of(b));
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct gt_str gt_str_trim(struct gt_str text)
{
    while (text.len && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

bool gt_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool gt_ends_with(const char *text, const char *suffix)
{
    size_t a = strlen(text), b = strlen(suffix);
    return a >= b && memcmp(text + a - b, suffix, b) == 0;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool gt_equals_ignoring_case(const char *a, const char *b)
{
    while (*a && lower((unsigned char)*a) == lower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Length of the well-formed UTF-8 sequence at `bytes` (RFC 3629, section 4); 0: ill-formed. */
static size_t utf8_sequence(const unsigned char *bytes, size_t len)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (bytes[0] < forms[i].first_low || bytes[0] > forms[i].first_high)
            continue;
        size_t length = forms[i].length;
        if (length == 1)
            return 1;
        if (len < length || bytes[1] < forms[i].second_low || bytes[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < length; k++)
            if (bytes[k] < 0x80 || bytes[k] > 0xbf)
                return 0;
        return length;
    }
    return 0;
}

bool gt_utf8_valid(const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;
    while (len) {
        size_t n = utf8_sequence(at, len);
        if (n == 0)
            return false;
        at += n;
        len -= n;
    }
    return true;
}

/* C0 and C1 controls, and the marks that reorder or hide text on a screen (Unicode TR 36, 3.1). */
static bool is_deceptive(const unsigned char *at, size_t n)
{
    if (n == 1)
        return (at[0] < 0x20 && at[0] != '\t' && at[0] != '\n') || at[0] == 0x7f;
    if (n == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    if (n == 3 && at[0] == 0xe2 && at[1] == 0x80)
        return (at[2] >= 0x8b && at[2] <= 0x8f) || (at[2] >= 0xa8 && at[2] <= 0xae);
    if (n == 3 && at[0] == 0xe2 && at[1] == 0x81)
        return at[2] >= 0xa0 && at[2] <= 0xaf;
    return n == 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf;
}

int gt_utf8_append_clean(struct gt_buffer *out, const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;
    int rc = 0;
    while (len && rc == 0) {
        size_t n = utf8_sequence(at, len);
        if (n == 0) {
            rc = gt_buffer_append(out, "\xef\xbf\xbd", 3);
            n = 1;
        } else if (!is_deceptive(at, n)) {
            rc = gt_buffer_append(out, at, n);
        }
        at += n;
        len -= n;
    }
    return rc;
}

#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t gt_edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return SIZE_MAX;
    /* Optimal string alignment: three rows suffice, since a swap looks two rows back. */
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, two_before[j - 2] + 1);
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

struct unit {
    const char *name;
    double factor;
};

/* A decimal number followed by one of the units. */
static int parse_with_unit(const char *text, const struct unit *units, double most, double *ret)
{
    if (!isdigit((unsigned char)text[0]))
        return GT_E_INVALID;
    size_t digits = strspn(text, "0123456789.");
    char number[32];
    if (digits >= sizeof number)
        return GT_E_INVALID;
    memcpy(number, text, digits);
    number[digits] = '\0';
    char *end;
    double value = strtod(number, &end);
    if (*end != '\0')
        return GT_E_INVALID;
    const char *unit = text + digits;
    while (*unit == ' ')
        unit++;
    for (const struct unit *u = units; u->name; u++) {
        if (!gt_equals_ignoring_case(unit, u->name))
            continue;
        if (value * u->factor > most)
            return GT_E_LIMIT;
        *ret = value * u->factor;
        return 0;
    }
    return GT_E_INVALID;
}

int gt_parse_duration(const char *text, int64_t *ret_ms, struct gt_error *err)
{
    static const struct unit units[] = {
        {"ms", 1},     {"", 1000},    {"s", 1000},        {"m", 60e3},
        {"min", 60e3}, {"h", 3600e3}, {"d", 24 * 3600e3}, {"w", 7 * 24 * 3600e3},
        {NULL, 0},
    };
    double ms;
    if (parse_with_unit(text, units, 1e15, &ms))
        return gt_fail(err, GT_E_INVALID,
                       "is not a duration; write a number and a unit, like 90s, 5m, 12h or 3d");
    *ret_ms = (int64_t)llround(ms);
    return 0;
}

int gt_parse_size(const char *text, uint64_t *ret_bytes, struct gt_error *err)
{
    static const struct unit units[] = {
        {"", 1},
        {"B", 1},
        {"kB", 1e3},
        {"KiB", 1024},
        {"k", 1024},
        {"MB", 1e6},
        {"MiB", 1048576},
        {"m", 1048576},
        {"GB", 1e9},
        {"GiB", 1073741824},
        {"g", 1073741824},
        {"TB", 1e12},
        {"TiB", 1099511627776},
        {NULL, 0},
    };
    double bytes;
    if (parse_with_unit(text, units, 1e18, &bytes))
        return gt_fail(err, GT_E_INVALID,
                       "is not a size; write a number and a unit, like 512KiB, 10MiB or 2GiB");
    *ret_bytes = (uint64_t)bytes;
    return 0;
}

char *gt_format_size(struct gt_arena *arena, uint64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit < 6) {
        value /= 1024;
        unit++;
    }
    if (unit == 0 || value >= 100)
        return gt_arena_printf(arena, "%.0f %s", value, names[unit]);
    return gt_arena_printf(arena, "%.1f %s", value, names[unit]);
}

char *gt_format_duration(struct gt_arena *arena, int64_t ms)
{
    static const struct {
        int64_t ms, part;
        const char *name, *part_name;
    } scales[] = {
        {86400000, 3600000, "d", "h"}, {3600000, 60000, "h", "min"}, {60000, 1000, "min", "s"}};
    if (ms < 0)
        ms = 0;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        if (ms < scales[i].ms)
            continue;
        int64_t whole = ms / scales[i].ms, rest = ms % scales[i].ms / scales[i].part;
        if (rest == 0)
            return gt_arena_printf(arena, "%lld %s", (long long)whole, scales[i].name);
        return gt_arena_printf(arena, "%lld %s %lld %s", (long long)whole, scales[i].name,
                               (long long)rest, scales[i].part_name);
    }
    if (ms >= 10000 || (ms >= 1000 && ms % 1000 == 0))
        return gt_arena_printf(arena, "%lld s", (long long)(ms / 1000));
    if (ms >= 1000)
        return gt_arena_printf(arena, "%.1f s", (double)ms / 1000);
    return gt_arena_printf(arena, "%lld ms", (long long)ms);
}

int gt_append_percent_encoded(struct gt_buffer *out, const char *bytes, size_t len)
{
    int rc = 0;
    for (size_t i = 0; i < len && rc == 0; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (isalnum(c) || strchr("-._~", c ? c : ' '))
            rc = gt_buffer_putc(out, (char)c);
        else
            rc = gt_buffer_printf(out, "%%%02X", c);
    }
    return rc;
}
