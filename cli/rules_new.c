/* guette rules new: a rule to begin with. From an example token it takes the form alone: its
 * prefix, lengths and alphabets. Every random part is replaced by a made-up one. */
#include "cli/rules_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_LEAST 12
#define TOKEN_MAX 4096
#define WORD_MAX_LEN 10 /* "live", "secret": longer is random */
#define PARTS_MAX 16
#define TRIGGER_LEAST 3
#define ENTROPY_FROM 24 /* characters; fewer may have little by chance */

/* From the narrowest on. */
static const struct alphabet {
    const char *class; /* in a pattern */
    const char *characters;
} alphabets[] = {
    {"[0-9]", "0123456789"},
    {"[a-f0-9]", "0123456789abcdef"},
    {"[A-F0-9]", "0123456789ABCDEF"},
    {"[a-z0-9]", "0123456789abcdefghijklmnopqrstuvwxyz"},
    {"[A-Z0-9]", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    {"[A-Za-z0-9]", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
    {"[A-Za-z0-9_-]", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"},
    {"[A-Za-z0-9+/=]", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/="},
};
#define ALPHABETS (sizeof alphabets / sizeof *alphabets)
#define ANY_BYTE ALPHABETS

struct part {
    size_t alphabet, len;
    char after; /* what separates it from the next; 0: it is the last */
};

struct form {
    char prefix[64];
    struct part parts[PARTS_MAX];
    size_t count;
};

static size_t alphabet_of(const char *text, size_t len)
{
    for (size_t i = 0; i < ALPHABETS; i++) {
        size_t fits = 0;
        while (fits < len && strchr(alphabets[i].characters, text[fits]))
            fits++;
        if (fits == len)
            return i;
    }
    return ANY_BYTE;
}

/* "sk", "live", "xoxb", but not "x7Kq": letters of one case. */
static bool is_word(const char *text, size_t len)
{
    size_t lower = 0, upper = 0;
    for (size_t i = 0; i < len; i++) {
        lower += islower((unsigned char)text[i]) != 0;
        upper += isupper((unsigned char)text[i]) != 0;
    }
    return len > 0 && len <= WORD_MAX_LEN && (lower == len || upper == len);
}

static size_t prefix_length(const char *token)
{
    size_t prefix = 0;
    for (;;) {
        size_t word = strcspn(token + prefix, "_-.:");
        bool more = token[prefix + word] && is_word(token + prefix, word);
        if (!more || prefix + word + 1 >= sizeof((struct form *)NULL)->prefix)
            return prefix;
        prefix += word + 1;
    }
}

static const char *add_part(struct form *form, const char *text, size_t len, char after)
{
    size_t alphabet = alphabet_of(text, len);
    if (len == 0 || form->count == PARTS_MAX)
        return "has empty parts, or too many";
    if (alphabet == ANY_BYTE)
        return "holds characters that tokens seldom have";
    form->parts[form->count++] = (struct part){alphabet, len, after};
    return NULL;
}

/* The digits of a UUID are hexadecimal, also where none of them happens to be a letter. */
static void widen(struct form *form)
{
    size_t widest = 0;
    for (size_t i = 0; i < form->count; i++)
        widest = form->parts[i].alphabet > widest ? form->parts[i].alphabet : widest;
    for (size_t i = 0; i < form->count; i++)
        form->parts[i].alphabet = widest;
}

/* A dot separates; a dash does in what is written like a UUID. NULL: it could be read. */
static const char *read_form(const char *token, struct form *form)
{
    size_t prefix = prefix_length(token);
    const char *at = token + prefix, *wrong = NULL;
    bool dashes = alphabet_of(at, strcspn(at, "-")) <= 2 && strchr(at, '-');
    *form = (struct form){0};
    memcpy(form->prefix, token, prefix);
    while (!wrong) {
        size_t len = strcspn(at, dashes ? ".-" : ".");
        wrong = add_part(form, at, len, at[len]);
        if (!at[len])
            break;
        at += len + 1;
    }
    if (dashes)
        widen(form);
    return wrong;
}

static void put_pattern(struct gt_buffer *out, const struct form *form)
{
    for (const char *at = form->prefix; *at; at++)
        gt_buffer_printf(out, "%s%c", strchr(".", *at) ? "\\" : "", *at);
    for (size_t i = 0; i < form->count; i++) {
        const struct part *part = &form->parts[i];
        gt_buffer_printf(out, "%s{%zu}", alphabets[part->alphabet].class, part->len);
        if (part->after)
            gt_buffer_printf(out, "%s%c", part->after == '.' ? "\\" : "", part->after);
    }
}

/* A made-up token of the form, without its last `short_by` characters. The marker keeps code hosts
 * from taking it for a real one. */
static void put_token(struct gt_buffer *out, const struct form *form, size_t short_by)
{
    size_t start = out->len;
    gt_buffer_puts(out, form->prefix);
    gt_buffer_puts(out, *form->prefix ? "{+}" : "");
    for (size_t i = 0; i < form->count; i++) {
        const struct alphabet *alphabet = &alphabets[form->parts[i].alphabet];
        size_t usual = strspn(alphabet->characters, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                    "abcdefghijklmnopqrstuvwxyz");
        for (size_t k = 0; k < form->parts[i].len; k++)
            gt_buffer_putc(out, alphabet->characters[gt_random((uint32_t)usual)]);
        if (form->parts[i].after)
            gt_buffer_putc(out, form->parts[i].after);
    }
    if (out->data && out->len > start + short_by)
        out->data[out->len -= short_by] = '\0';
}

static size_t longest_part(const struct form *form)
{
    size_t most = 0;
    for (size_t i = 0; i < form->count; i++)
        most = form->parts[i].len > most ? form->parts[i].len : most;
    return most;
}

/* ---- the file ---- */

static void put_head(struct gt_buffer *out, const char *id, const char *provider)
{
    gt_buffer_printf(
        out,
        "# A rule to begin with: docs/RULES.md explains each key. Prove it with\n"
        "#   guette rules test --only-given THIS-FOLDER\n"
        "provider: %s                # as its owner writes it\n"
        "home: https://example.com       # its web site\n"
        "rules:\n"
        "  - id: %s\n"
        "    name: {en: %s credential}   # add fr: for French\n"
        "    category: credential        # credential, private-key, connection-string, webhook, "
        "generic, personal-data\n"
        "    severity: high              # of a live one: info, low, medium, high, critical\n"
        "    confidence: likely          # by its form alone: possible, likely, certain\n",
        provider, id, provider);
}

static void put_form(struct gt_buffer *out, const struct form *form, const char *word)
{
    bool prefixed = strlen(form->prefix) >= TRIGGER_LEAST;
    const struct part *last = &form->parts[form->count - 1];
    bool open_end = strpbrk(alphabets[last->alphabet].characters, "-+") != NULL;
    if (prefixed)
        gt_buffer_printf(out,
                         "    keywords: ['%s']   # one of them stands in every match; rare "
                         "ones make it fast\n    regex: '\\b(",
                         form->prefix);
    else
        gt_buffer_printf(out,
                         "    after: [%s]   # it has no prefix: only a name before it tells it "
                         "(matchers/rules/README.md)\n    regex: '",
                         word);
    put_pattern(out, form);
    gt_buffer_printf(out, "%s'\n", !prefixed ? "" : open_end ? ")(?![A-Za-z0-9_+/-])" : ")\\b");
    if (longest_part(form) >= ENTROPY_FROM)
        gt_buffer_puts(out, "    entropy: 2.5                # bits a character: leaves out "
                            "aaaa... and words; left out: none\n");
}

static void put_example(struct gt_buffer *out, const struct form *form, const char *before,
                        const char *after, size_t short_by)
{
    gt_buffer_printf(out, "      - '%s", before);
    put_token(out, form, short_by);
    gt_buffer_printf(out, "%s'\n", after);
}

static void put_examples(struct gt_buffer *out, const struct form *form, const char *word)
{
    char upper[64], line[160];
    snprintf(upper, sizeof upper, "%s", word);
    for (char *at = upper; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    gt_buffer_puts(out, "    examples:                   # made up, never a real one; each gives "
                        "exactly one finding\n");
    snprintf(line, sizeof line, "%s_TOKEN=", upper);
    put_example(out, form, line, "", 0);
    snprintf(line, sizeof line, "\"%s_token\": \"", word);
    put_example(out, form, line, "\"", 0);
    snprintf(line, sizeof line, "%s_token = \"", word);
    put_example(out, form, line, "\"  # production", 0);
    gt_buffer_puts(out, "    negative_examples:          # near misses: none is found\n");
    snprintf(line, sizeof line, "%s_TOKEN=", upper);
    put_example(out, form, line, "  # too short", 1);
    gt_buffer_printf(out, "      - '%s_TOKEN=changeme'\n", upper);
}

static void put_rule(struct gt_buffer *out, const char *id, const struct form *form)
{
    char owner[48], provider[48];
    snprintf(owner, sizeof owner, "%.*s", (int)strcspn(id, "."), id);
    snprintf(provider, sizeof provider, "%s", owner);
    provider[0] = (char)toupper((unsigned char)provider[0]);
    put_head(out, id, provider);
    put_form(out, form, owner);
    gt_buffer_puts(out, "    revoke: {en: 'Revoke it (where: menu > page), then read the audit "
                        "log.'}\n"
                        "    reference: https://example.com/docs/tokens   # the provider's own "
                        "page on the format\n");
    put_examples(out, form, owner);
}

/* ---- the verb ---- */

static bool is_id(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t owner = strspn(text, allowed), kind = 0;
    if (owner > 0 && owner < 40 && text[owner] == '.')
        kind = strspn(text + owner + 1, allowed);
    return kind > 0 && kind < 60 && !text[owner + 1 + kind];
}

static int read_example(const char *given, struct gt_buffer *token)
{
    struct gt_error err;
    int rc =
        strcmp(given, "-") == 0 ? gt_file_read("-", token, &err) : gt_buffer_puts(token, given);
    if (rc < 0)
        return gt_cli_usage("rules", "the example cannot be read: it is too long");
    struct gt_str text = gt_str_trim((struct gt_str){token->data, token->len});
    if (text.len < TOKEN_LEAST || memchr(text.ptr, '\0', text.len))
        return gt_cli_usage("rules", "the example is too short for a token (%d characters)",
                            TOKEN_LEAST);
    memmove(token->data, text.ptr, text.len);
    token->data[token->len = text.len] = '\0';
    return 0;
}

int gt_rules_new(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                 char **argv)
{
    GT_BUFFER_AUTO struct gt_buffer token = GT_BUFFER(TOKEN_MAX);
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER((size_t)1024 * 1024);
    struct form form = {.parts = {{5, 32, 0}}, .count = 1};
    if (argc != 1 || !is_id(argv[0]))
        return gt_cli_usage("rules", "new needs an id like acme.api-token: lower-case letters, "
                                     "digits and dashes around one dot");
    snprintf(form.prefix, sizeof form.prefix, "%.*s_", (int)strcspn(argv[0], "."), argv[0]);
    if (options->example && read_example(options->example, &token))
        return GT_EXIT_USAGE;
    const char *wrong = options->example ? read_form(token.data, &form) : NULL;
    gt_buffer_wipe(&token);
    if (wrong)
        return gt_cli_usage("rules", "the example %s; write the rule without it", wrong);
    put_rule(&out, argv[0], &form);
    if (!gt_buffer_ok(&out))
        return GT_EXIT_FAILED;
    fputs(out.data, stdout);
    return GT_EXIT_OK;
}
