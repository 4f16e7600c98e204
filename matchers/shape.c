#include "matchers/shape.h"

#include "matchers/runs.h"
#include "matchers/tokens.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MISSED_MAX 0.006
#define RANDOM_MIN 10 /* a class of fewer bytes is spelling, not chance */
#define DEPTH_MAX 20  /* deeper groups may be anything */

/* ---- bytes of one token ---- */

static void add_escape(bool *bytes, char letter)
{
    for (int c = 0; c <= UCHAR_MAX; c++)
        bytes[c] |= letter == 'd'                    ? isdigit(c) != 0
                    : letter == 'w'                  ? isalnum(c) || c == '_'
                    : isalnum((unsigned char)letter) ? true
                                                     : c == (unsigned char)letter;
}

static void add_class(bool *bytes, const struct gt_token *token)
{
    if (token->at[1] == '^' || memchr(token->at + 1, '[', token->len - 1)) {
        memset(bytes, true, UCHAR_MAX + 1);
        return;
    }
    for (size_t i = 1; i + 1 < token->len; i++) {
        unsigned char from = (unsigned char)token->at[i], to = from;
        if (from == '\\') {
            add_escape(bytes, token->at[++i]);
            continue;
        }
        if (token->at[i + 1] == '-' && i + 3 < token->len)
            to = (unsigned char)token->at[i += 2];
        for (int c = from; c <= to; c++)
            bytes[c] = true;
    }
}

static void add_atom(bool *bytes, const struct gt_token *token)
{
    if (token->at[0] == '[')
        add_class(bytes, token);
    else if (token->at[0] == '\\')
        add_escape(bytes, token->at[1]);
    else if (token->at[0] == '.')
        memset(bytes, true, UCHAR_MAX + 1);
    else
        bytes[(unsigned char)token->at[0]] = true;
}

static void ignore_case(bool *bytes)
{
    for (int c = 0; c <= UCHAR_MAX; c++)
        bytes[c] |= bytes[tolower(c)] || bytes[toupper(c)];
}

/* ---- sequences ---- */

struct sum {
    size_t least, most;
    double missed; /* see gt_shape */
    /* Random bytes of a run that may go on. */
    size_t open;
    double no_digit; /* logarithm of the chance that none of them is a digit */
    bool both_cases; /* all may be capital or small */
    bool solid;      /* nothing so far but bytes of one run */
};

static const struct sum nothing = {.missed = 1, .both_cases = true, .solid = true};

static size_t plus(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static size_t times(size_t a, size_t b)
{
    return a == 0 || b == 0 ? 0 : a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

/* A run without a digit is known by its changes of case, nearly always. */
static void close_run(struct sum *sum)
{
    double missed = exp(sum->no_digit) * (sum->both_cases ? 0.03 : 1);
    if (sum->open >= GT_RUN_MIN && missed < sum->missed)
        sum->missed = missed;
    sum->open = 0;
    sum->no_digit = 0;
    sum->both_cases = true;
    sum->solid = false;
}

/* {n,m}, *, + and ? as the least and most number of times. */
static void repeats_of(const struct gt_token *repeat, size_t *ret_least, size_t *ret_most)
{
    *ret_least = repeat ? repeat->least : 1;
    *ret_most = repeat ? SIZE_MAX : 1;
    if (repeat && repeat->at[0] == '?')
        *ret_most = 1;
    if (!repeat || repeat->at[0] != '{')
        return;
    const char *comma = memchr(repeat->at, ',', repeat->len);
    if (!comma)
        *ret_most = repeat->least;
    else if (isdigit((unsigned char)comma[1]))
        *ret_most = strtoul(comma + 1, NULL, 10);
}

struct bytes_of {
    size_t members, digits;
    bool inside, small, capital; /* all in runs; some small letters, some capitals */
};

static struct bytes_of bytes_of(const struct gt_token *token)
{
    bool bytes[UCHAR_MAX + 1] = {false};
    struct bytes_of of = {.inside = true};
    if (token->len == 1 && token->at[0] != '.') /* most are letters */
        return (struct bytes_of){.members = 1, .inside = gt_run_byte(token->at[0])};
    add_atom(bytes, token);
    for (int c = 0; c <= UCHAR_MAX; c++) {
        of.members += bytes[c];
        of.digits += bytes[c] && isdigit(c);
        of.small |= bytes[c] && islower(c);
        of.capital |= bytes[c] && isupper(c);
        of.inside &= !bytes[c] || gt_run_byte((char)c);
    }
    return of;
}

static void add_bytes(struct sum *sum, const struct gt_token *token, const struct gt_token *repeat)
{
    size_t least, most;
    struct bytes_of of = bytes_of(token);
    repeats_of(repeat, &least, &most);
    sum->least = plus(sum->least, least);
    sum->most = plus(sum->most, most);
    if (!of.inside || of.members < RANDOM_MIN) {
        if (!of.inside)
            close_run(sum); /* else a letter or separator, which may go on but counts for nothing */
        return;
    }
    sum->open += least;
    sum->no_digit += (double)least * log(1 - (double)of.digits / (double)of.members + 1e-9);
    sum->both_cases &= of.small && of.capital;
}

static void add_group(struct sum *sum, const struct sum *group, const struct gt_token *repeat)
{
    size_t least, most;
    repeats_of(repeat, &least, &most);
    sum->least = plus(sum->least, times(group->least, least));
    sum->most = plus(sum->most, times(group->most, most));
    if (group->solid) { /* the run goes on through it */
        sum->open += least * group->open;
        sum->no_digit += (double)least * group->no_digit;
        sum->both_cases &= group->both_cases;
        return;
    }
    close_run(sum);
    if (least > 0 && group->missed < sum->missed)
        sum->missed = group->missed;
}

/* Any of them may match. */
static void add_alternative(struct sum *all, struct sum *one, bool first)
{
    close_run(one);
    all->least = first || one->least < all->least ? one->least : all->least;
    all->most = first || one->most > all->most ? one->most : all->most;
    all->missed = first || one->missed > all->missed ? one->missed : all->missed;
}

/* From *at to the end of its group, at whose token *at is then. */
static struct sum sum_of(const struct gt_tokens *tokens, size_t *at, size_t depth)
{
    struct sum all = nothing, one = nothing;
    bool first = true;
    for (; *at < tokens->count && tokens->items[*at].kind != GT_TOKEN_CLOSE; ++*at) {
        const struct gt_token *token = &tokens->items[*at];
        if (gt_token_is_bar(token)) {
            add_alternative(&all, &one, first);
            first = false;
            one = nothing;
        } else if (token->kind == GT_TOKEN_ATOM) {
            add_bytes(&one, token, gt_token_repeat(tokens, *at));
        } else if (token->kind == GT_TOKEN_OPEN) {
            ++*at;
            struct sum group = depth < DEPTH_MAX ? sum_of(tokens, at, depth + 1)
                                                 : (struct sum){.most = SIZE_MAX, .missed = 1};
            add_group(&one, &group, *at < tokens->count ? gt_token_repeat(tokens, *at) : NULL);
        }
    }
    if (first && !one.solid)
        close_run(&one);
    if (first)
        return one;
    add_alternative(&all, &one, false);
    all.solid = false;
    return all;
}

void gt_pattern_shape(const char *pattern, struct gt_shape *ret)
{
    struct gt_tokens *tokens = malloc(sizeof *tokens); /* large: it is not cleared for nothing */
    *ret = (struct gt_shape){.least = 1, .most = SIZE_MAX, .missed = 1};
    if (tokens)
        tokens->count = 0;
    if (!tokens || !gt_pattern_tokenize(pattern, tokens)) {
        memset(ret->alphabet, true, sizeof ret->alphabet);
        free(tokens);
        return;
    }
    size_t at = 0;
    struct sum sum = sum_of(tokens, &at, 0);
    close_run(&sum);
    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->items[i].kind == GT_TOKEN_ATOM)
            add_atom(ret->alphabet, &tokens->items[i]);
    if (strstr(pattern, "(?i"))
        ignore_case(ret->alphabet);
    ret->least = sum.least > 0 ? sum.least : 1;
    ret->most = sum.most;
    ret->missed = sum.missed;
    free(tokens);
}

bool gt_shape_in_runs(const struct gt_shape *shape)
{
    return shape->missed < MISSED_MAX;
}
