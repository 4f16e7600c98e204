#include "matchers/rule.h"

#include "matchers/loosen.h"
#include "model/model.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 20000

const char *const gt_category_names[] = {
    "credential", "private-key", "connection-string", "webhook", "generic", "personal-data", NULL,
};

struct rule_file {
    const char *provider, *home;
    struct gt_words revoke;   /* of rules without their own */
    struct gt_list reference; /* the same */
    struct gt_list rules;     /* struct gt_rule */
};

static int check_id(const char *value, struct gt_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    const char *dot = strchr(value, '.');
    if (!dot || dot == value || !dot[1] || strchr(dot + 1, '.') ||
        value[strspn(value, allowed)] != '\0' || strlen(value) > 100)
        return gt_fail(err, GT_E_INVALID,
                       "is not a rule id; write provider.what-it-is in lower case, digits and '-'");
    return 0;
}

static int check_keyword(const char *value, struct gt_error *err)
{
    if (strlen(value) < 2 || strlen(value) > 200)
        return gt_fail(err, GT_E_INVALID,
                       "is no use as a keyword; write 2 to 200 characters that stand in every "
                       "match, or leave the keywords out");
    return 0;
}

static int check_word(const char *value, struct gt_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    size_t len = strlen(value);
    if (len < 3 || len > 60 || value[strspn(value, allowed)] != '\0' || value[0] == '_' ||
        value[len - 1] == '_')
        return gt_fail(err, GT_E_INVALID,
                       "is no word of a name; write 3 to 60 lower case letters, digits and \"_\" "
                       "between them");
    return 0;
}

static int check_check(const char *value, struct gt_error *err)
{
    if (gt_check_find(value))
        return 0;
    struct gt_nearest nearest = {.word = value};
    for (const struct gt_check *check = gt_checks; check->name; check++)
        gt_nearest_offer(&nearest, check->name);
    if (nearest.best)
        return gt_fail(err, GT_E_INVALID, "there is no check \"%s\"; did you mean \"%s\"?", value,
                       nearest.best);
    return gt_fail(err, GT_E_INVALID, "there is no check \"%s\"; docs/RULES.md lists them", value);
}

static const struct gt_option words_rows[] = {
    {.name = "en",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct gt_words, en),
     .flags = GT_OPTION_REQUIRED,
     .help = "in English"},
    {.name = "fr",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct gt_words, fr),
     .help = "in French"},
    {0},
};

static const struct gt_option near_rows[] = {
    {.name = "regex",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct gt_near, pattern),
     .flags = GT_OPTION_REQUIRED,
     .check = gt_regex_check,
     .help = "what must stand near the match (PCRE2)"},
    {.name = "within",
     .type = GT_OPTION_SIZE,
     .offset = offsetof(struct gt_near, within),
     .fallback = "200",
     .least = 1,
     .most = 4096,
     .help = "how many bytes before or after it"},
    {0},
};

static const struct gt_option pair_rows[] = {
    {.name = "rule",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct gt_pair, rule),
     .flags = GT_OPTION_REQUIRED,
     .check = check_id,
     .help = "id of the rule beside whose matches this one is looked for"},
    {.name = "within",
     .type = GT_OPTION_SIZE,
     .offset = offsetof(struct gt_pair, within),
     .fallback = "300",
     .least = 1,
     .most = 4096,
     .help = "how many bytes before or after them"},
    {0},
};

#define LIST_OF_STRINGS(n, field, h, ...)                                                          \
    {                                                                                              \
        .name = n, .type = GT_OPTION_STRING, .offset = offsetof(struct gt_rule, field), .help = h, \
        __VA_ARGS__                                                                                \
    }
#define WORDS(n, owner, field, h, ...)                                                             \
    {                                                                                              \
        .name = n, .type = GT_OPTION_STRUCT, .offset = offsetof(struct owner, field),              \
        .nested = words_rows, .nested_size = sizeof(struct gt_words), .shorthand = "en",           \
        .help = h, __VA_ARGS__                                                                     \
    }

const struct gt_option gt_rule_options[] = {
    {.name = "id",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct gt_rule, id),
     .flags = GT_OPTION_REQUIRED,
     .check = check_id,
     .help = "its name, provider.what-it-is"},
    WORDS("name", gt_rule, name, "what it finds, for people", .flags = GT_OPTION_REQUIRED),
    {.name = "category",
     .type = GT_OPTION_ENUM,
     .offset = offsetof(struct gt_rule, category),
     .choices = gt_category_names,
     .fallback = "credential",
     .help = "what kind of thing it finds"},
    {.name = "severity",
     .type = GT_OPTION_ENUM,
     .offset = offsetof(struct gt_rule, severity),
     .choices = gt_severity_names,
     .flags = GT_OPTION_REQUIRED,
     .help = "of a live one"},
    {.name = "confidence",
     .type = GT_OPTION_ENUM,
     .offset = offsetof(struct gt_rule, confidence),
     .choices = gt_confidence_names,
     .fallback = "likely",
     .help = "how sure its form alone makes us"},
    LIST_OF_STRINGS("keywords", keywords, "literals, one of which stands in every match",
                    .flags = GT_OPTION_LIST, .check = check_keyword),
    LIST_OF_STRINGS("regex", pattern, "PCRE2 on bytes; the secret is the group `secret`, 1 or all",
                    .flags = GT_OPTION_REQUIRED, .check = gt_regex_check),
    LIST_OF_STRINGS("after", after, "words, one of which stands before the secret",
                    .flags = GT_OPTION_LIST, .check = check_word),
    LIST_OF_STRINGS("assigned", assigned, "words of names whose value is the secret",
                    .flags = GT_OPTION_LIST, .check = check_word),
    {.name = "near",
     .type = GT_OPTION_STRUCT,
     .offset = offsetof(struct gt_rule, near),
     .nested = near_rows,
     .nested_size = sizeof(struct gt_near),
     .shorthand = "regex",
     .help = "a second condition beside the match"},
    {.name = "pair",
     .type = GT_OPTION_STRUCT,
     .offset = offsetof(struct gt_rule, pair),
     .nested = pair_rows,
     .nested_size = sizeof(struct gt_pair),
     .shorthand = "rule",
     .help = "looked for only beside what another rule found"},
    {.name = "only_paired",
     .type = GT_OPTION_BOOL,
     .offset = offsetof(struct gt_rule, only_paired),
     .help = "no finding by itself, but leads to its pair"},
    {.name = "entropy",
     .type = GT_OPTION_NUMBER,
     .offset = offsetof(struct gt_rule, entropy),
     .fallback = "0",
     .least = 0,
     .most = 8,
     .help = "least Shannon entropy of the secret, bits a character"},
    LIST_OF_STRINGS("reject", reject, "a secret that contains one of these (PCRE2) is none",
                    .flags = GT_OPTION_LIST, .check = gt_regex_check),
    LIST_OF_STRINGS("checks", checks, "offline checks that raise or lower confidence",
                    .flags = GT_OPTION_LIST, .check = check_check),
    LIST_OF_STRINGS("required_checks", required_checks,
                    "offline checks whose no discards the candidate", .flags = GT_OPTION_LIST,
                    .check = check_check),
    WORDS("revoke", gt_rule, revoke, "what to do now: how this credential is revoked"),
    LIST_OF_STRINGS("reference", reference, "the provider's own pages on it",
                    .flags = GT_OPTION_LIST),
    LIST_OF_STRINGS("examples", examples, "texts with exactly one finding of this rule",
                    .flags = GT_OPTION_LIST | GT_OPTION_REQUIRED),
    LIST_OF_STRINGS("negative_examples", negative_examples, "texts with none",
                    .flags = GT_OPTION_LIST),
    {0},
};

static const struct gt_option file_rows[] = {
    {.name = "provider",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct rule_file, provider),
     .flags = GT_OPTION_REQUIRED,
     .help = "whose credentials these are, as its owner writes it"},
    {.name = "home",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct rule_file, home),
     .help = "its site"},
    WORDS("revoke", rule_file, revoke, "what to do now, of rules without their own"),
    {.name = "reference",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct rule_file, reference),
     .flags = GT_OPTION_LIST,
     .help = "pages of rules without their own"},
    {.name = "rules",
     .type = GT_OPTION_STRUCT,
     .offset = offsetof(struct rule_file, rules),
     .nested = gt_rule_options,
     .nested_size = sizeof(struct gt_rule),
     .flags = GT_OPTION_LIST | GT_OPTION_REQUIRED,
     .help = "the rules"},
    {0},
};

const char *gt_words_in(const struct gt_words *words, enum gt_lang lang)
{
    return lang == GT_FRENCH && words->fr ? words->fr : words->en;
}

/* `ghp_{+}0123` is written so that code hosts do not take it for a secret of this repository. */
static const char *without_marks(struct gt_arena *arena, const char *text)
{
    static const char mark[] = "{+}";
    char *copy = gt_arena_strdup(arena, text);
    for (char *at = copy; at && (at = strstr(at, mark));)
        memmove(at, at + strlen(mark), strlen(at + strlen(mark)) + 1);
    return copy;
}

static int join_examples(struct gt_rules *rules, struct gt_list *examples)
{
    for (size_t i = 0; i < examples->count; i++) {
        const char *text = GT_RULE_STRING(*examples, i);
        const char *joined = without_marks(rules->arena, text ? text : "");
        if (!joined)
            return GT_E_NOMEM;
        GT_RULE_STRING(*examples, i) = joined;
    }
    return 0;
}

/* A free-spacing regex without its blanks and comments, so that all that follows reads one form. */
static int compact(struct gt_rules *rules, struct gt_rule *rule)
{
    if (!rule->pattern)
        return 0; /* was reported as missing */
    rule->pattern = gt_pattern_compact(rules->arena, rule->pattern);
    return rule->pattern ? 0 : GT_E_NOMEM;
}

static const struct gt_rule *find_rule(const struct gt_rules *rules, const char *id)
{
    for (size_t i = 0; i < rules->count; i++)
        if (strcmp(rules->items[i].id, id) == 0)
            return &rules->items[i];
    return NULL;
}

int gt_rules_add(struct gt_rules *rules, const struct gt_rule *rule)
{
    if (rules->count == rules->capacity) {
        size_t capacity = rules->capacity ? rules->capacity * 2 : 64;
        struct gt_rule *more = realloc(rules->items, capacity * sizeof *more);
        if (!more)
            return GT_E_NOMEM;
        rules->items = more;
        rules->capacity = capacity;
    }
    rules->items[rules->count++] = *rule;
    return 0;
}

static int add_rule(struct gt_rules *rules, const struct gt_rule *rule, const struct gt_node *node,
                    struct gt_mistakes *mistakes, struct gt_error *err)
{
    const struct gt_rule *other = rule->id ? find_rule(rules, rule->id) : NULL;
    if (other) {
        const struct gt_node *at = gt_node_member(node, "id");
        gt_mistake(mistakes, at ? at : node, "id",
                   "there is a rule \"%s\" already, in %s; give this one another id", rule->id,
                   other->file);
        return 0;
    }
    if (!rule->id || !rule->pattern)
        return 0; /* was reported as missing */
    if (rules->count >= RULES_MAX)
        return gt_fail(err, GT_E_LIMIT, "there are more than %d rules", RULES_MAX);
    return gt_rules_add(rules, rule) < 0 ? gt_fail(err, GT_E_NOMEM, "out of memory") : 0;
}

/* What holds for all rules of the file. */
static void inherit(struct gt_rule *rule, const struct rule_file *file, const struct gt_node *node,
                    struct gt_mistakes *mistakes)
{
    rule->provider = file->provider;
    rule->node = node;
    if (!rule->revoke.en)
        rule->revoke = file->revoke;
    if (rule->reference.count == 0)
        rule->reference = file->reference;
    if (!rule->revoke.en)
        gt_mistake(mistakes, node, "revoke",
                   "is missing; say in a sentence or two how this credential is revoked");
    size_t leaders = (rule->keywords.count > 0) + (rule->assigned.count > 0);
    if (rule->pair.rule && (leaders > 0 || rule->after.count > 0))
        gt_mistake(
            mistakes, node, "pair",
            "goes without `keywords`, `after` and `assigned`: the rule that it names leads to "
            "it");
    if (rule->assigned.count > 0 && (leaders > 1 || rule->after.count > 0))
        gt_mistake(mistakes, node, "assigned",
                   "goes without `keywords` and `after`: its words lead to it");
}

static int add_rules(struct gt_rules *rules, const struct rule_file *file,
                     const struct gt_node *root, struct gt_mistakes *mistakes, struct gt_error *err)
{
    const char *name = gt_arena_strdup(rules->arena, root->file);
    if (!name)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    const struct gt_node *list = gt_node_member(root, "rules");
    const struct gt_node *node = list && list->type == GT_NODE_LIST ? list->first : list;
    for (size_t i = 0; i < file->rules.count; i++, node = node ? node->next : NULL) {
        struct gt_rule *rule = GT_LIST_ITEM(file->rules, struct gt_rule, i);
        rule->file = name;
        inherit(rule, file, node ? node : root, mistakes);
        if (compact(rules, rule) < 0 || join_examples(rules, &rule->examples) < 0 ||
            join_examples(rules, &rule->negative_examples) < 0)
            return gt_fail(err, GT_E_NOMEM, "%s: too much text for the rules' memory", root->file);
        int rc = add_rule(rules, rule, node ? node : root, mistakes, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int gt_rules_parse(struct gt_rules *rules, const char *file, const char *bytes, size_t len,
                   struct gt_mistakes *mistakes, struct gt_error *err)
{
    struct gt_node *root = NULL;
    struct gt_error unreadable;
    if (gt_yaml_parse(file, bytes, len, rules->arena, &root, &unreadable) < 0) {
        gt_mistake(mistakes, NULL, NULL, "%s", unreadable.message);
        return 0;
    }
    struct gt_option_decoder decoder = {.arena = rules->arena, .mistakes = mistakes, .prefix = ""};
    struct rule_file decoded;
    gt_options_decode(&decoder, root, file_rows, &decoded, sizeof decoded);
    return add_rules(rules, &decoded, root, mistakes, err);
}
