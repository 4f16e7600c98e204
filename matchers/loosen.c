#include "matchers/loosen.h"

#include "matchers/tokens.h"

#include <stdlib.h>
#include <string.h>

/* Vectorscan has no look-around, and what leads is not needed: without them a pattern matches more.
 */
static void loosen_assertions(struct gt_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        struct gt_token *token = &tokens->items[i];
        token->gone = token->kind == GT_TOKEN_ASSERTION && !gt_token_repeat(tokens, i) &&
                      (token->at[0] == '(' || token->leading);
    }
}

/* Nothing but ends of groups follows the last token that is kept. */
static void loosen_end(struct gt_tokens *tokens, bool shorter)
{
    size_t i = tokens->count;
    while (i > 1 && (tokens->items[i - 1].kind == GT_TOKEN_CLOSE ||
                     tokens->items[i - 1].kind == GT_TOKEN_ASSERTION)) {
        i--;
        tokens->items[i].gone |= tokens->items[i].kind == GT_TOKEN_ASSERTION;
    }
    if (i > 0 && tokens->items[i - 1].kind == GT_TOKEN_REPEAT && shorter &&
        tokens->items[i - 1].least > 0)
        tokens->items[i - 1].gone = true;
}

/* Atomic groups, possessive repeats and branch reset, which Vectorscan has not, only differ in what
 * is captured and in how a match is sought. */
static void write_token(struct gt_buffer *out, const struct gt_token *token)
{
    bool possessive =
        token->kind == GT_TOKEN_REPEAT && token->len > 1 && token->at[token->len - 1] == '+';
    bool special = token->kind == GT_TOKEN_OPEN && token->len == 3 && strchr("|>", token->at[2]);
    if (token->gone && token->kind == GT_TOKEN_REPEAT && token->least > 1)
        gt_buffer_printf(out, "{%zu}", token->least);
    else if (special)
        gt_buffer_puts(out, "(?:");
    else if (!token->gone)
        gt_buffer_append(out, token->at, token->len - possessive);
}

static const char *write_tokens(struct gt_arena *arena, const char *pattern,
                                const struct gt_tokens *tokens)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(2 * strlen(pattern) + 64);
    for (size_t i = 0; i < tokens->count; i++)
        write_token(&out, &tokens->items[i]);
    return gt_buffer_ok(&out) && out.data ? gt_arena_strdup(arena, out.data) : NULL;
}

const char *gt_pattern_loosen(struct gt_arena *arena, const char *pattern, bool shorter)
{
    struct gt_tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return NULL;
    const char *looser = pattern;
    if (gt_pattern_tokenize(pattern, tokens)) {
        loosen_assertions(tokens);
        loosen_end(tokens, shorter);
        looser = write_tokens(arena, pattern, tokens);
    }
    free(tokens);
    return looser;
}

/* ---- free spacing ---- */

static const char *copy_class(const char *at, struct gt_buffer *out)
{
    const char *start = at;
    at += at[1] == '^' ? 2 : 1;
    at += *at == ']';
    for (; *at && *at != ']'; at++)
        if (*at == '\\' && at[1])
            at++;
    at += *at == ']';
    gt_buffer_append(out, start, (size_t)(at - start));
    return at;
}

const char *gt_pattern_compact(struct gt_arena *arena, const char *pattern)
{
    if (strncmp(pattern, "(?x)", 4) != 0)
        return pattern;
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(strlen(pattern) + 1);
    for (const char *at = pattern + 4; *at;) {
        if (*at == '[') {
            at = copy_class(at, &out);
        } else if (strncmp(at, "(?#", 3) == 0) {
            at += strcspn(at, ")");
            at += *at == ')';
        } else if (*at == '#') {
            at += strcspn(at, "\n");
        } else if (strchr(" \t\r\n\f\v", *at)) {
            at++;
        } else {
            size_t len = *at == '\\' && at[1] ? 2 : 1;
            gt_buffer_append(&out, at, len);
            at += len;
        }
    }
    return gt_buffer_ok(&out) ? gt_arena_memdup(arena, out.data ? out.data : "", out.len) : NULL;
}

/* ---- escapes ---- */

/* What gt_escape_ends() tells of, for PCRE2. */
#define AFTER_ESCAPE "(?<=\\\\[nrt]|\\\\x[0-9A-Fa-f]{2}|\\\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})"

static bool is_boundary(const struct gt_tokens *tokens, size_t index)
{
    const struct gt_token *token = &tokens->items[index];
    return token->kind == GT_TOKEN_ASSERTION && token->leading && !gt_token_repeat(tokens, index) &&
           (strncmp(token->at, "(?<!", 4) == 0 || strncmp(token->at, "\\b", 2) == 0);
}

static const char *write_after_escapes(struct gt_arena *arena, const struct gt_tokens *tokens)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(GT_TOKENS_MAX * sizeof AFTER_ESCAPE);
    for (size_t i = 0; i < tokens->count; i++) {
        bool boundary = is_boundary(tokens, i);
        gt_buffer_puts(&out, boundary ? "(?:" : "");
        gt_buffer_append(&out, tokens->items[i].at, tokens->items[i].len);
        gt_buffer_puts(&out, boundary ? "|" AFTER_ESCAPE ")" : "");
    }
    return gt_buffer_ok(&out) && out.data ? gt_arena_memdup(arena, out.data, out.len) : NULL;
}

const char *gt_pattern_after_escapes(struct gt_arena *arena, const char *pattern)
{
    struct gt_tokens *tokens = malloc(sizeof *tokens); /* large: it is not cleared for nothing */
    if (!tokens)
        return NULL;
    tokens->count = 0;
    const char *wider =
        gt_pattern_tokenize(pattern, tokens) ? write_after_escapes(arena, tokens) : pattern;
    free(tokens);
    return wider;
}
