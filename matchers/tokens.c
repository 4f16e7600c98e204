#include "matchers/tokens.h"

#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 64 /* deeper groups count as not leading */

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

static size_t take_group(const char *at, enum gt_token_kind *ret_kind)
{
    *ret_kind = GT_TOKEN_OPEN;
    if (at[1] == '*')
        return 0;
    if (at[1] != '?')
        return 1;
    if (at[2] == '=' || at[2] == '!' || (at[2] == '<' && (at[3] == '=' || at[3] == '!'))) {
        *ret_kind = GT_TOKEN_ASSERTION;
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
    *ret_kind = GT_TOKEN_OTHER;
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

static size_t take_repeat(const char *at, struct gt_token *token)
{
    size_t len = *at == '{' ? braces_length(at, &token->least) : 1;
    if (*at != '{')
        token->least = *at == '+';
    token->kind = len > 0 ? GT_TOKEN_REPEAT : GT_TOKEN_ATOM;
    if (len == 0)
        return 1;
    return len + (at[len] == '?' || at[len] == '+');
}

static size_t take_escape(const char *at, struct gt_token *token)
{
    token->kind = strchr("bBAzZ", at[1]) && at[1] ? GT_TOKEN_ASSERTION : GT_TOKEN_ATOM;
    return escape_length(at);
}

/* Length of the next token; 0: not known here. */
static size_t take(const char *at, struct gt_token *token)
{
    token->kind = GT_TOKEN_ATOM;
    switch (*at) {
    case '\\':
        return take_escape(at, token);
    case '[':
        return class_length(at);
    case '(':
        return take_group(at, &token->kind);
    case ')':
        token->kind = GT_TOKEN_CLOSE;
        return 1;
    case '*':
    case '+':
    case '?':
    case '{':
        return take_repeat(at, token);
    case '|':
    case '^':
    case '$':
        token->kind = GT_TOKEN_OTHER;
        return 1;
    default:
        return 1;
    }
}

bool gt_token_is_bar(const struct gt_token *token)
{
    return token->kind == GT_TOKEN_OTHER && token->at[0] == '|';
}

const struct gt_token *gt_token_repeat(const struct gt_tokens *tokens, size_t index)
{
    const struct gt_token *next = &tokens->items[index + 1];
    return index + 1 < tokens->count && next->kind == GT_TOKEN_REPEAT ? next : NULL;
}

static void mark_leading(struct gt_tokens *tokens)
{
    bool leading = true, starts[NESTING_MAX]; /* of the groups around: was their start leading? */
    size_t depth = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        struct gt_token *token = &tokens->items[i];
        if (gt_token_is_bar(token))
            leading = depth == 0 || (depth <= NESTING_MAX && starts[depth - 1]);
        token->leading = leading;
        if (token->kind == GT_TOKEN_OPEN && ++depth <= NESTING_MAX)
            starts[depth - 1] = leading;
        if (token->kind == GT_TOKEN_CLOSE && depth > 0)
            depth--;
        leading &= token->kind == GT_TOKEN_OPEN || token->kind == GT_TOKEN_ASSERTION ||
                   token->kind == GT_TOKEN_OTHER;
    }
}

static bool cut(const char *pattern, struct gt_tokens *tokens)
{
    for (const char *at = pattern; *at;) {
        if (tokens->count == GT_TOKENS_MAX)
            return false;
        struct gt_token *token = &tokens->items[tokens->count++];
        *token = (struct gt_token){.at = at};
        token->len = take(at, token);
        if (token->len == 0)
            return false;
        at += token->len;
    }
    return true;
}

bool gt_pattern_tokenize(const char *pattern, struct gt_tokens *tokens)
{
    if (!cut(pattern, tokens))
        return false;
    mark_leading(tokens);
    return true;
}
