/* How far behind the start of a match its trigger stands (matchers/loosen.h). */
#include "matchers/loosen.h"
#include "matchers/needles.h"
#include "matchers/tokens.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CLASS_MAX 10   /* a class with more members spells nothing */
#define STEPS_MAX 5000 /* of one place and trigger */

static char at_end_of(const struct gt_token *token)
{
    return token->at[token->len - 1];
}

/* The members of a class like [?&;"], [pau] or [0-9] that are told one by one or by a range. */
static bool class_admits(const struct gt_token *token, char wanted)
{
    size_t members = 0;
    bool found = false;
    if (token->at[1] == '^')
        return false;
    for (size_t i = 1; i + 1 < token->len; i++) {
        if (token->at[i] == '\\' && isalnum((unsigned char)token->at[++i]))
            return false;
        int from = (unsigned char)token->at[i], to = from;
        if (token->at[i + 1] == '-' && i + 3 < token->len)
            to = (unsigned char)token->at[i += 2];
        members += to >= from ? (size_t)(to - from) + 1 : 0;
        found |= (wanted >= from && wanted <= to) ||
                 (tolower(wanted) >= from && tolower(wanted) <= to) ||
                 (toupper(wanted) >= from && toupper(wanted) <= to);
    }
    return found && members <= CLASS_MAX;
}

static bool admits(const struct gt_token *token, char wanted)
{
    unsigned char c = (unsigned char)wanted;
    if (token->at[0] == '[')
        return class_admits(token, wanted);
    if (token->at[0] == '\\' && token->len == 2)
        return token->at[1] == 's' ? isspace(c)
               : token->at[1] == 'd'
                   ? isdigit(c)
                   : !isalnum((unsigned char)token->at[1]) && token->at[1] == wanted;
    return token->len == 1 && token->at[0] != '.' &&
           tolower((unsigned char)token->at[0]) == tolower(c);
}

/* The end of the group that this token is in, or of the one that it opens. */
static size_t close_of(const struct gt_tokens *tokens, size_t index)
{
    size_t depth = tokens->items[index].kind != GT_TOKEN_OPEN;
    for (; index < tokens->count; index++) {
        depth += tokens->items[index].kind == GT_TOKEN_OPEN;
        if (tokens->items[index].kind == GT_TOKEN_CLOSE && --depth == 0)
            break;
    }
    return index;
}

static size_t next_of(const struct gt_tokens *tokens, size_t index)
{
    return index + 1 + (gt_token_repeat(tokens, index) != NULL);
}

/* ---- where a trigger is spelled ---- */

struct speller {
    const struct gt_tokens *tokens;
    size_t steps;
};

static bool spells(struct speller *speller, size_t index, const char *text);

static bool spells_in_group(struct speller *speller, size_t open, const char *text)
{
    const struct gt_tokens *tokens = speller->tokens;
    size_t close = close_of(tokens, open), depth = 0;
    for (size_t i = open; i < close; i++) {
        depth += tokens->items[i].kind == GT_TOKEN_OPEN;
        depth -= tokens->items[i].kind == GT_TOKEN_CLOSE;
        bool starts = i == open || (depth == 1 && gt_token_is_bar(&tokens->items[i]));
        if (starts && spells(speller, i + 1, text))
            return true;
    }
    const struct gt_token *repeat = close < tokens->count ? gt_token_repeat(tokens, close) : NULL;
    return repeat && repeat->least == 0 && spells(speller, next_of(tokens, close), text);
}

static bool spells_by_atom(struct speller *speller, size_t index, const char *text)
{
    const struct gt_tokens *tokens = speller->tokens;
    const struct gt_token *repeat = gt_token_repeat(tokens, index);
    size_t next = next_of(tokens, index);
    if (repeat && repeat->least == 0 && spells(speller, next, text))
        return true;
    if (!admits(&tokens->items[index], *text))
        return false;
    return spells(speller, next, text + 1) || (repeat && spells(speller, index, text + 1));
}

/* Whether the pattern can spell the text from this token on. */
static bool spells(struct speller *speller, size_t index, const char *text)
{
    const struct gt_tokens *tokens = speller->tokens;
    if (!*text)
        return true;
    if (index >= tokens->count || ++speller->steps > STEPS_MAX)
        return false;
    const struct gt_token *token = &tokens->items[index];
    if (token->kind == GT_TOKEN_ATOM)
        return spells_by_atom(speller, index, text);
    if (token->kind == GT_TOKEN_OPEN)
        return spells_in_group(speller, index, text);
    if (gt_token_is_bar(token))
        return spells(speller, close_of(tokens, index), text);
    return spells(speller, next_of(tokens, index), text);
}

/* ---- what stands before it ---- */

/* Keeps the tokens before `place` that can go before it in a match: not the alternatives that end
 * earlier in a group around it. Says of each whether it always does (`sure`). False: a group around
 * it may come several times. */
static bool keep_before(struct gt_tokens *tokens, size_t place, bool *sure)
{
    size_t depth = 0;
    bool other = false; /* in an alternative to the one that leads to `place` */
    for (size_t i = place; i-- > 0;) {
        struct gt_token *token = &tokens->items[i];
        bool around = token->kind == GT_TOKEN_OPEN && depth == 0;
        depth += token->kind == GT_TOKEN_CLOSE;
        depth -= token->kind == GT_TOKEN_OPEN && depth > 0;
        other &= !around;
        other |= depth == 0 && gt_token_is_bar(token);
        token->gone = other;
        sure[i] =
            !other && depth == 0 && token->kind == GT_TOKEN_ATOM && !gt_token_repeat(tokens, i);
        size_t close = around ? close_of(tokens, i) : tokens->count;
        const struct gt_token *repeat =
            close < tokens->count ? gt_token_repeat(tokens, close) : NULL;
        if (repeat && repeat->at[0] != '?')
            return false;
    }
    return true;
}

/* Another trigger always goes before this place. */
static bool is_second(const struct gt_tokens *tokens, size_t place, const bool *sure,
                      const struct gt_list *keywords)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(GT_TOKENS_MAX + 1);
    for (size_t i = 0; i < place; i++) {
        const struct gt_token *token = &tokens->items[i];
        bool letter = token->at[0] != '[' && token->at[0] != '.' &&
                      (token->len == 1 || !isalnum((unsigned char)token->at[1]));
        if (sure[i] && letter)
            gt_buffer_putc(&text, at_end_of(token));
        else if (token->kind == GT_TOKEN_ATOM && !token->gone)
            gt_buffer_putc(&text, '\n');
    }
    for (size_t i = 0; i < keywords->count && gt_buffer_ok(&text) && text.len > 0; i++)
        if (strstr(text.data, *GT_LIST_ITEM(*keywords, const char *, i)))
            return true;
    return false;
}

static size_t width_before(struct gt_arena *arena, const struct gt_tokens *tokens, size_t place)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER((size_t)64 * 1024);
    size_t open = 0;
    bool any = false;
    for (size_t i = 0; i < place; i++) {
        const struct gt_token *token = &tokens->items[i];
        if (token->gone)
            continue;
        any |= token->kind == GT_TOKEN_ATOM;
        open += token->kind == GT_TOKEN_OPEN;
        open -= token->kind == GT_TOKEN_CLOSE;
        gt_buffer_append(&text, token->at, token->len);
    }
    for (; open > 0; open--)
        gt_buffer_putc(&text, ')');
    if (!any)
        return 0;
    return gt_buffer_ok(&text) ? gt_pattern_width(arena, text.data) : SIZE_MAX;
}

/* ---- of a pattern ---- */

static size_t before_place(struct gt_arena *arena, struct gt_tokens *tokens, size_t place,
                           const struct gt_list *keywords, bool caseless, bool *sure)
{
    if (!keep_before(tokens, place, sure))
        return SIZE_MAX;
    if (!caseless && is_second(tokens, place, sure, keywords))
        return 0;
    return width_before(arena, tokens, place);
}

static size_t before_all(struct gt_arena *arena, const char *pattern, struct gt_tokens *tokens,
                         const struct gt_list *keywords, bool *sure)
{
    size_t most = 0;
    bool caseless = strstr(pattern, "(?i") != NULL;
    for (size_t t = 0; t < keywords->count && most < SIZE_MAX; t++) {
        const char *trigger = *GT_LIST_ITEM(*keywords, const char *, t);
        bool spelled = false;
        for (size_t i = 0; i < tokens->count; i++) {
            struct speller speller = {.tokens = tokens};
            if (tokens->items[i].kind != GT_TOKEN_ATOM || !admits(&tokens->items[i], *trigger) ||
                !spells(&speller, i, trigger))
                continue;
            size_t before = before_place(arena, tokens, i, keywords, caseless, sure);
            most = before > most ? before : most;
            spelled = true;
        }
        most = spelled ? most : SIZE_MAX;
    }
    return most;
}

size_t gt_pattern_before(struct gt_arena *arena, const char *pattern,
                         const struct gt_list *keywords)
{
    struct gt_tokens *tokens = calloc(1, sizeof *tokens);
    bool *sure = calloc(GT_TOKENS_MAX, sizeof *sure);
    size_t most = SIZE_MAX;
    if (tokens && sure && gt_pattern_tokenize(pattern, tokens))
        most = before_all(arena, pattern, tokens, keywords, sure);
    free(tokens);
    free(sure);
    return most;
}
