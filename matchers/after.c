#include "matchers/after.h"

#include "matchers/loosen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Shorter words are the start of others ("line" of "lineage"). */
#define BOUND_UNDER 6
#define NAME_MAX_BYTES 64

/* The byte before a value, and those behind it: what would make it a part of something longer, of a
 * path, an address, a file name or an anchor. */
#define BOUNDARY_BEFORE "(?<![A-Za-z0-9_/+.%@#~-])"
#define BOUNDARY_BEHIND "(?![A-Za-z0-9_]|[-./+=~][A-Za-z0-9_]|[(\\[])"

/* What a name says of its value. */
static const char *const secret_words[] = {
    "key",    "token", "secret", "pass",   "pwd",  "auth", "cred",  "api",
    "access", "bear",  "sid",    "client", "hook", "dsn",  "login", NULL,
};
static const char *const other_words[] = {
    "sha",    "md5",      "checksum", "digest", "integrity", "commit", "revision", "etag",
    "hash",   "resolved", "uuid",     "guid",   "nonce",     "csrf",   "version",  "build",
    "cursor", "tree",     "parent",   "blob",   "color",     "class",  NULL,
};

static unsigned char lower(char c)
{
    return (unsigned char)tolower((unsigned char)c);
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("_.$-", c));
}

/* ---- words ---- */

struct gt_after *gt_after_new(struct gt_arena *arena, const struct gt_list *words,
                              const char *pattern)
{
    struct gt_after *after = gt_arena_array(arena, 1, sizeof *after);
    if (!after)
        return NULL;
    memset(after, 0, sizeof *after);
    after->words = gt_arena_array(arena, words->count, sizeof *after->words);
    after->count = after->words ? words->count : 0;
    for (size_t i = 0; i < after->count; i++) {
        char *word = gt_arena_strdup(arena, *GT_LIST_ITEM(*words, const char *, i));
        for (char *at = word; at && *at; at++)
            *at = (char)lower(*at);
        after->words[i] = word;
        if (!word)
            return NULL;
    }
    gt_pattern_shape(pattern, &after->value);
    for (size_t i = 0; i < after->count; i++)
        after->spelled |= strstr(pattern, after->words[i]) != NULL;
    return after->words ? after : NULL;
}

const char *gt_after_pattern(struct gt_arena *arena, const char *pattern)
{
    const char *bound =
        gt_arena_printf(arena, "%s(?:%s)%s", BOUNDARY_BEFORE, pattern, BOUNDARY_BEHIND);
    return bound ? gt_pattern_after_escapes(arena, bound) : NULL;
}

/* Bytes of the word that starts here; 0: it does not. */
static size_t word_length(const char *word, const char *text, size_t len)
{
    size_t i = 0;
    for (; *word; word++) {
        if (*word == '_') {
            i += i < len && strchr("_-. ", text[i]) && text[i];
            continue;
        }
        if (i >= len || lower(text[i]) != (unsigned char)*word)
            return 0;
        i++;
    }
    return i;
}

/* A small letter behind a small one, or a capital behind a capital, is the same word going on. */
static bool goes_on(char a, char b)
{
    return (islower((unsigned char)a) && islower((unsigned char)b)) ||
           (isupper((unsigned char)a) && isupper((unsigned char)b));
}

/* At its start a word never goes on from another ("coin" in "kucoin"); at its end it may
 * ("algoliasearch") when it is long. */
static bool stands(const char *text, size_t from, size_t to, size_t len)
{
    bool capital = from > 1 && isupper((unsigned char)text[from - 1]) &&
                   islower((unsigned char)text[from]) && isalpha((unsigned char)text[from - 2]);
    bool before = capital || (from > 0 && goes_on(text[from - 1], text[from]));
    return !before && (to - from >= BOUND_UNDER || to == len || !goes_on(text[to - 1], text[to]));
}

/* ---- leading ---- */

static bool is_separator(char c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ';
}

bool gt_after_word_stands(const char *text, size_t len, size_t from, size_t to,
                          const struct gt_word_part *part, size_t *ret_to)
{
    const char *word = part->word;
    for (uint32_t i = part->from; i-- > 0;) {
        if (word[i] == '_')
            from -= from > 0 && is_separator(text[from - 1]);
        else if (from == 0 || lower(text[--from]) != (unsigned char)word[i])
            return false;
    }
    for (uint32_t i = part->to; word[i]; i++) {
        if (word[i] == '_')
            to += to < len && is_separator(text[to]);
        else if (to >= len || lower(text[to++]) != (unsigned char)word[i])
            return false;
    }
    *ret_to = to;
    return stands(text, from, to, len);
}

bool gt_after_leads(const struct gt_after *after, const char *text, size_t len, size_t to,
                    size_t *ret_limit)
{
    size_t run = 0, lines = 0, end = to + GT_AFTER_BYTES, most = end + after->value.least;
    for (size_t i = to; i < len && i < most; i++) {
        run = after->value.alphabet[(unsigned char)text[i]] ? run + 1 : 0;
        if (run >= after->value.least) {
            *ret_limit = end;
            return true;
        }
        lines += text[i] == '\n';
        if (lines > GT_AFTER_LINES)
            return false;
    }
    return false;
}

/* ---- judging ---- */

struct span {
    size_t from, to;
};

/* The nearest word before `start`; false: there is none. */
static bool find_word(const struct gt_after *after, const char *text, size_t start,
                      struct span *ret_word)
{
    size_t lines = 0;
    size_t least = start > 2 * GT_AFTER_BYTES ? start - 2 * GT_AFTER_BYTES : 0;
    for (size_t at = start; at-- > least && lines <= GT_AFTER_LINES;) {
        for (size_t i = 0; i < after->count; i++) {
            size_t length = word_length(after->words[i], text + at, start - at);
            if (length > 0 && start - at - length <= GT_AFTER_BYTES &&
                stands(text, at, at + length, start)) {
                *ret_word = (struct span){at, at + length};
                return true;
            }
        }
        lines += text[at] == '\n';
    }
    return false;
}

/* The name whose value starts here, on the same line: NAME = "value", "name": 'value', Name value,
 * <name>value, name("value"). Empty when no name stands there. */
static struct span name_before(const char *text, size_t start)
{
    size_t least = start > NAME_MAX_BYTES ? start - NAME_MAX_BYTES : 0, to = start;
    while (to > least && text[to - 1] != '\n' && !is_name(text[to - 1]))
        to--;
    size_t from = to;
    while (from > least && is_name(text[from - 1]))
        from--;
    return (struct span){from, to};
}

static bool holds(const char *text, struct span name, const char *const *words)
{
    for (; *words; words++)
        for (size_t at = name.from; at + strlen(*words) <= name.to; at++)
            if (strncasecmp(text + at, *words, strlen(*words)) == 0)
                return true;
    return false;
}

bool gt_after_names_itself(const struct gt_after *after, const char *value, size_t len)
{
    for (size_t i = 0; i < after->count && !after->spelled; i++)
        for (size_t at = 0; at < len; at++)
            if (word_length(after->words[i], value + at, len - at) > 0)
                return true;
    return false;
}

enum gt_after_how gt_after_judge(const struct gt_after *after, const char *text, size_t start,
                                 size_t *ret_distance)
{
    struct span word, name = name_before(text, start);
    if (!find_word(after, text, start, &word))
        return GT_AFTER_NOT;
    bool secret = holds(text, name, secret_words);
    if (!secret && holds(text, name, other_words))
        return GT_AFTER_NOT;
    *ret_distance = start - word.to;
    bool named = word.from < name.to && word.to > name.from;
    return named || secret ? GT_AFTER_ASSIGNED : GT_AFTER_NEAR;
}
