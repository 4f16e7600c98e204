/* Rules as their files give them (matchers/rules/README.md), decoded, checked and with their
 * regexes compiled. Immutable once loaded. */
#ifndef GT_MATCHERS_RULE_H
#define GT_MATCHERS_RULE_H

#include "core/core.h"
#include "matchers/after.h"
#include "matchers/checks.h"
#include "matchers/regex.h"
#include "model/model.h"

struct gt_words {
    const char *en, *fr;
};
/* English where there is no French. May be NULL. */
const char *gt_words_in(const struct gt_words *words, enum gt_lang lang);

/* Only what stands beside a match of another rule counts. */
struct gt_pair {
    const char *rule; /* its id; NULL: no pair */
    uint64_t within;  /* bytes */
};

struct gt_near {
    const char *pattern; /* NULL: no such condition */
    uint64_t within;     /* bytes */
};

/* Order of gt_category_names. */
enum gt_category {
    GT_CATEGORY_CREDENTIAL,
    GT_CATEGORY_PRIVATE_KEY,
    GT_CATEGORY_CONNECTION_STRING,
    GT_CATEGORY_WEBHOOK,
    GT_CATEGORY_GENERIC,
    GT_CATEGORY_PERSONAL_DATA,
};
extern const char *const gt_category_names[];

struct gt_rule {
    const char *id;
    struct gt_words name;
    int category, severity, confidence;
    struct gt_list keywords; /* const char * */
    const char *pattern;
    struct gt_list after;    /* const char *: words (matchers/after.h) */
    struct gt_list assigned; /* const char *: words (matchers/assigned.h) */
    struct gt_near near;
    struct gt_pair pair;
    bool only_paired; /* no finding by itself: it leads to its pair */
    double entropy;
    struct gt_list reject, checks, required_checks; /* const char * */
    struct gt_words revoke;
    struct gt_list reference, examples, negative_examples; /* const char * */

    const char *file, *provider;
    const struct gt_node *node;      /* where it stands, for messages */
    const struct gt_rule *pair_rule; /* NULL: none */
    bool leads_pairs;                /* a rule's pair_rule */
    struct gt_after *after_words;    /* NULL: none */
    struct gt_regex *regex, *near_regex;
    struct gt_regex **reject_regexes; /* reject.count */
};

struct gt_rules {
    struct gt_arena *arena; /* owns the strings; borrowed */
    struct gt_rule *items;
    size_t count, capacity;
    struct gt_list
        texts; /* struct gt_rule_text: what they come from, and a compiled database too */
};

struct gt_rule_text {
    const char *name; /* of the file */
    struct gt_str bytes;
    const char *digest; /* of the bytes and others; NULL: not known */
};

extern const struct gt_option gt_rule_options[]; /* of struct gt_rule */

/* The files built in; every *.yaml of a folder, in the order of their names. */
int gt_rules_take_builtin(struct gt_rules *rules, struct gt_error *err);
int gt_rules_take_folder(struct gt_rules *rules, const char *directory, struct gt_error *err);
/* Adds the rules of all texts. */
int gt_rules_parse_all(struct gt_rules *rules, struct gt_mistakes *mistakes, struct gt_error *err);
int gt_rules_add(struct gt_rules *rules, const struct gt_rule *rule);

/* The rules as bytes, for a cache, and back: strings point into the bytes. */
void gt_rules_pack(const struct gt_rules *rules, struct gt_buffer *out);
int gt_rules_unpack(struct gt_rules *rules, struct gt_str bytes);

/* Adds the rules of one file's text. Mistakes are added to `mistakes`, rules with none to `rules`.
 * Negative only when memory is out or the YAML cannot be read at all (which is a mistake, too). */
int gt_rules_parse(struct gt_rules *rules, const char *file, const char *bytes, size_t len,
                   struct gt_mistakes *mistakes, struct gt_error *err);
/* Finds the rules that pairs name; once all files are read. */
void gt_rules_link(struct gt_rules *rules, struct gt_mistakes *mistakes);
/* Prepares the regexes of all. */
int gt_rules_compile(struct gt_rules *rules, struct gt_error *err);
/* Frees the regexes and the array. */
void gt_rules_free(struct gt_rules *rules);

#define GT_RULE_STRING(list, index) (*GT_LIST_ITEM(list, const char *, index))

#endif
