#include "matchers/loosen.h"

#include <stdlib.h>
#include <string.h>

/* Just as much of pcre2pattern(3) as is needed to tell the tokens apart. */
#define TOKENS_MAX 2000

enum kind {
    ATOM, /* one character, class or escape */
    OPEN, /* start of a group that may match something, with its (?...: */
    CLOSE,
    ASSERTION, /* \b, a whole look-around */
    REPEAT,    /* * + ? {n,m} with what follows it */
    OTHER,     /* | ^ $ and options like (?i) */
};

struct token {
    enum kind kind;
    const char *at;
    size_t len;
    bool gone;
    size_t least; /* of a REPEAT */
};

struct tokens {
    struct token items[TOKENS_MAX];
    size_t count;
};

/* 0: it does not end. */
static size_t class_length(const char *at)
{
    size_t i = 1;
    i += at[i] == '^';
    i += at[i] == ']';
    for (; at[i] && at[i] != ']'; i++) {
        if (at[i] == '\\' && at[i + 1])
            i++;
        else if (at[i] == '[' && at[i + 1] == ':' && strstr(at + i, ":]"))
            i = (size_t)(strstr(at + i, ":]") - at) + 1;
    }
    return at[i] ? i + 1 : 0;
}

static size_t escape_length(const char *at)
{
    /* Quoting, references and recursion by escapes are left to others. */
    if (!at[1] || strchr("QEgkKGXRC0123456789", at[1]))
        return 0;
    if (!strchr("xpPoN", at[1]) || at[2] != '{')
        return 2;
    const char *end = strchr(at, '}');
    return end ? (size_t)(end - at) + 1 : 0;
}

/* From "(" to its ")". */
static size_t group_length(const char *at)
{
    size_t depth = 0, i = 0, step;
    for (; at[i]; i += step) {
        step = at[i] == '[' ? class_length(at + i) : at[i] == '\\' ? escape_length(at + i) : 1;
        if (step == 0)
            return 0;
        depth += at[i] == '(';
        if (at[i] == ')' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static size_t take_group(const char *at, enum kind *ret_kind)
{
    *ret_kind = OPEN;
    if (at[1] == '*')
        return 0;
    if (at[1] != '?')
        return 1;
    if (at[2] == '=' || at[2] == '!' || (at[2] == '<' && (at[3] == '=' || at[3] == '!'))) {
        *ret_kind = ASSERTION;
        return group_length(at);
    }
    if (at[2] == ':' || at[2] == '|' || at[2] == '>')
        return 3;
    if (at[2] == '<' || (at[2] == 'P' && at[3] == '<')) {
        const char *end = strchr(at, '>');
        return end ? (size_t)(end - at) + 1 : 0;
    }
    size_t options = strspn(at + 2, "ims-");
    if (options > 0 && at[2 + options] == ':')
        return 3 + options;
    *ret_kind = OTHER;
    return options > 0 && at[2 + options] == ')' ? 3 + options : 0;
}

/* 0: "{" is only a brace here. */
static size_t braces_length(const char *at, size_t *ret_least)
{
    size_t i = 1, digits = strspn(at + i, "0123456789");
    *ret_least = strtoul(at + i, NULL, 10);
    i += digits;
    if (digits == 0)
        return 0;
    if (at[i] == ',')
        i += 1 + strspn(at + i + 1, "0123456789");
    return at[i] == '}' ? i + 1 : 0;
}

static size_t take_repeat(const char *at, struct token *token)
{
    size_t len = *at == '{' ? braces_length(at, &token->least) : 1;
    if (*at != '{')
        token->least = *at == '+';
    token->kind = len > 0 ? REPEAT : ATOM;
    if (len == 0)
        return 1;
    return len + (at[len] == '?' || at[len] == '+');
}

static size_t take_escape(const char *at, struct token *token)
{
    token->kind = strchr("bBAzZ", at[1]) && at[1] ? ASSERTION : ATOM;
    return escape_length(at);
}

/* Length of the next token; 0: not known here. */
static size_t take(const char *at, struct token *token)
{
    token->kind = ATOM;
    switch (*at) {
    case '\\':
        return take_escape(at, token);
    case '[':
        return class_length(at);
    case '(':
        return take_group(at, &token->kind);
    case ')':
        token->kind = CLOSE;
        return 1;
    case '*':
    case '+':
    case '?':
    case '{':
        return take_repeat(at, token);
    case '|':
    case '^':
    case '$':
        token->kind = OTHER;
        return 1;
    default:
        return 1;
    }
}

static bool tokenize(const char *pattern, struct tokens *tokens)
{
    for (const char *at = pattern; *at;) {
        if (tokens->count == TOKENS_MAX)
            return false;
        struct token *token = &tokens->items[tokens->count++];
        *token = (struct token){.at = at};
        token->len = take(at, token);
        if (token->len == 0)
            return false;
        at += token->len;
    }
    return true;
}

/* Vectorscan has no look-around: without it a pattern matches more. */
static void loosen_all(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        struct token *token = &tokens->items[i];
        bool repeated = i + 1 < tokens->count && tokens->items[i + 1].kind == REPEAT;
        token->gone = token->kind == ASSERTION && token->at[0] == '(' && !repeated;
    }
}

static void loosen_start(struct tokens *tokens)
{
    for (size_t i = 0; i + 1 < tokens->count; i++) {
        struct token *token = &tokens->items[i];
        bool repeated = tokens->items[i + 1].kind == REPEAT;
        if (token->kind == ASSERTION && !repeated)
            token->gone = true;
        else if (token->kind != OPEN && !(token->kind == OTHER && token->at[0] == '('))
            return;
    }
}

/* Nothing but ends of groups follows the last token that is kept. */
static void loosen_end(struct tokens *tokens, bool shorter)
{
    size_t i = tokens->count;
    while (i > 1 &&
           (tokens->items[i - 1].kind == CLOSE || tokens->items[i - 1].kind == ASSERTION)) {
        i--;
        tokens->items[i].gone |= tokens->items[i].kind == ASSERTION;
    }
    if (i > 0 && tokens->items[i - 1].kind == REPEAT && shorter && tokens->items[i - 1].least > 0)
        tokens->items[i - 1].gone = true;
}

/* Atomic groups, possessive repeats and branch reset, which Vectorscan has not, only differ in what
 * is captured and in how a match is sought. */
static void write_token(struct gt_buffer *out, const struct token *token)
{
    bool possessive = token->kind == REPEAT && token->len > 1 && token->at[token->len - 1] == '+';
    bool special = token->kind == OPEN && token->len == 3 && strchr("|>", token->at[2]);
    if (token->gone && token->kind == REPEAT && token->least > 1)
        gt_buffer_printf(out, "{%zu}", token->least);
    else if (special)
        gt_buffer_puts(out, "(?:");
    else if (!token->gone)
        gt_buffer_append(out, token->at, token->len - possessive);
}

static const char *write_tokens(struct gt_arena *arena, const char *pattern,
                                const struct tokens *tokens)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(2 * strlen(pattern) + 64);
    for (size_t i = 0; i < tokens->count; i++)
        write_token(&out, &tokens->items[i]);
    return gt_buffer_ok(&out) && out.data ? gt_arena_strdup(arena, out.data) : NULL;
}

const char *gt_pattern_loosen(struct gt_arena *arena, const char *pattern, bool shorter)
{
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return NULL;
    const char *looser = pattern;
    if (tokenize(pattern, tokens)) {
        loosen_all(tokens);
        loosen_start(tokens);
        loosen_end(tokens, shorter);
        looser = write_tokens(arena, pattern, tokens);
    }
    free(tokens);
    return looser;
}
