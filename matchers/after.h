/* A secret that only its name tells: `after: [acme]` of a rule. Its form is too plain to be looked
 * for by itself (32 hexadecimal digits), so guette looks behind the words, and judges by what
 * stands between a word and the value. */
#ifndef GT_MATCHERS_AFTER_H
#define GT_MATCHERS_AFTER_H

#include "core/core.h"
#include "matchers/needles.h"
#include "matchers/shape.h"

/* A value starts at most so many bytes behind its word, and so many line ends. */
#define GT_AFTER_BYTES 120
#define GT_AFTER_LINES 2
/* A word is at most so long in the text. */
#define GT_AFTER_WORD 64

struct gt_after {
    const char **words; /* lower case; '_' stands for one of "_-. " or nothing */
    size_t count;
    bool spelled; /* the value's regex spells a word itself */
    struct gt_shape value;
};

enum gt_after_how {
    GT_AFTER_NOT,
    GT_AFTER_NEAR,     /* the word stands before it */
    GT_AFTER_ASSIGNED, /* it is the value of a name that holds the word, or of a key, token or
                          password beside it */
};

/* words: gt_list of const char *. NULL: out of memory. */
struct gt_after *gt_after_new(struct gt_arena *arena, const struct gt_list *words,
                              const char *pattern);
/* The value's regex with the boundaries that every such value has. NULL: out of memory. */
const char *gt_after_pattern(struct gt_arena *arena, const char *pattern);

/* text[from, to) is word[part): does the whole word stand around it? Where it ends comes in
 * ret_to. */
bool gt_after_word_stands(const char *text, size_t len, size_t from, size_t to,
                          const struct gt_word_part *part, size_t *ret_to);

/* A word ends at `to`: may a value start behind it? Where it would start at the latest
 * comes in ret_limit. Cheap: it is asked at every hit. */
bool gt_after_leads(const struct gt_after *after, const char *text, size_t len, size_t to,
                    size_t *ret_limit);
/* A value that holds one of the words is a name, not a secret. */
bool gt_after_names_itself(const struct gt_after *after, const char *value, size_t len);
/* A value starts at `start`. ret_distance: bytes between the word and it. */
enum gt_after_how gt_after_judge(const struct gt_after *after, const char *text, size_t start,
                                 size_t *ret_distance);

#endif
