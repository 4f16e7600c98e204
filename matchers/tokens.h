/* A pattern cut into tokens: just as much of pcre2pattern(3) as is needed to tell them apart. */
#ifndef GT_MATCHERS_TOKENS_H
#define GT_MATCHERS_TOKENS_H

#include "core/core.h"

#define GT_TOKENS_MAX 2000

enum gt_token_kind {
    GT_TOKEN_ATOM, /* one character, class or escape */
    GT_TOKEN_OPEN, /* start of a group that may match something, with its (?...: */
    GT_TOKEN_CLOSE,
    GT_TOKEN_ASSERTION, /* \b, a whole look-around */
    GT_TOKEN_REPEAT,    /* * + ? {n,m} with what follows it */
    GT_TOKEN_OTHER,     /* | ^ $ and options like (?i) */
};

struct gt_token {
    enum gt_token_kind kind;
    const char *at; /* in the pattern */
    size_t len;
    size_t least; /* of a REPEAT */
    bool leading; /* nothing that takes a byte can stand before it in a match */
    bool gone;    /* for those who rewrite the pattern */
};

struct gt_tokens {
    struct gt_token items[GT_TOKENS_MAX];
    size_t count;
};

/* `tokens` starts with no item. False: the pattern has constructs that this does not know, or too
 * many tokens. */
bool gt_pattern_tokenize(const char *pattern, struct gt_tokens *tokens);

bool gt_token_is_bar(const struct gt_token *token);
/* What follows a token repeats it; NULL: nothing does. */
const struct gt_token *gt_token_repeat(const struct gt_tokens *tokens, size_t index);

#endif
