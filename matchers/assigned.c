#include "matchers/assigned.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define GAP_MAX 24 /* blanks between name, operator and value */
#define TYPE_MAX 40

/* Before the word: what makes a test, a form or a page of it. */
static const char *const foreign_before[] = {
    "test",   "example", "dummy",  "fake",   "mock",   "sample",  "public",   "placeholder",
    "csrf",   "xsrf",    "next",   "page",   "sync",   "continu", "start",    "stop",
    "upload", "resume",  "cancel", "number", "stub",   "not_a",   "disable",  "require",
    "hide",   "forgot",  "reset",  "valid",  "ignore", "shared",  "tokenize", NULL,
};
/* Behind it: what says of a secret, not the secret. */
static const char *const foreign_behind[] = {
    "file",     "path",     "field",   "name",   "type",   "url",      "uri",      "endpoint",
    "len",      "min",      "max",     "count",  "expir",  "ttl",      "timeout",  "hash",
    "digest",   "policy",   "label",   "hint",   "placeh", "regex",    "pattern",  "prompt",
    "input",    "form",     "reset",   "ref",    "arn",    "version",  "algorit",  "format",
    "header",   "error",    "message", "text",   "title",  "required", "enable",   "manager",
    "store",    "provider", "service", "class",  "valid",  "encoder",  "strength", "list",
    "map",      "index",    "size",    "column", "attrib", "env",      "template", "generat",
    "callback", "lifetime", "prefix",  "suffix", "status", "change",   "age",      "rule",
    "usage",    "scope",    "group",   "role",   "rotat",  "cache",    "salt",     "id",
    "mode",     "method",   "source",  "bits",   "char",   "support",  "visible",  "confirm",
    "pair",     "alias",    "uuid",    "date",   "time",   "s3",       "selector", "option",
    NULL,
};

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* text[from, to) in lower case holds one of the words. */
static bool holds(const char *text, size_t from, size_t to, const char *const *words)
{
    char part[2 * GT_NAME_MAX];
    size_t len = to > from ? to - from : 0;
    len = len < sizeof part ? len : sizeof part;
    for (size_t i = 0; i < len; i++)
        part[i] = (char)tolower((unsigned char)text[from + i]);
    for (; len > 0 && *words; words++)
        if (memmem(part, len, *words, strlen(*words)))
            return true;
    return false;
}

/* ---- the name ---- */

static struct gt_span whole_name(const char *text, size_t len, struct gt_span word)
{
    struct gt_span name = word;
    while (name.start > 0 && word.start - name.start < GT_NAME_MAX && is_name(text[name.start - 1]))
        name.start--;
    while (name.end < len && name.end - word.end < GT_NAME_MAX && is_name(text[name.end]))
        name.end++;
    while (name.end > word.end && strchr(".-", text[name.end - 1]))
        name.end--;
    return name;
}

/* "pass" in "compass", "token" in "tokenize": small letters going on are another word. */
static bool stands(const char *text, size_t len, struct gt_span word)
{
    bool before = word.start > 0 && islower((unsigned char)text[word.start - 1]) &&
                  islower((unsigned char)text[word.start]) && word.end - word.start < 6;
    bool behind = word.end < len && islower((unsigned char)text[word.end]) &&
                  islower((unsigned char)text[word.end - 1]) && text[word.end] != 's';
    return !before && !behind;
}

/* At the start of a name: what asks about a secret. */
static bool asks(const char *text, struct gt_span name)
{
    static const char *const words[] = {"is_",  "has_",  "no_",   "min_", "max_", "use_", "ask",
                                        "show", "allow", "check", "get",  "need", NULL};
    for (const char *const *word = words; *word; word++)
        if (name.end - name.start > strlen(*word) &&
            strncasecmp(text + name.start, *word, strlen(*word)) == 0)
            return true;
    return false;
}

static bool is_ours(const char *text, struct gt_span name, struct gt_span word)
{
    return !asks(text, name) && !holds(text, name.start, word.start, foreign_before) &&
           !holds(text, word.end, name.end, foreign_behind);
}

/* ---- what stands between ---- */

struct reader {
    const char *text;
    size_t len, at;
    char closed; /* the quote that closed behind the name; 0: none */
};

static char here(const struct reader *r, size_t ahead)
{
    return r->at + ahead < r->len ? r->text[r->at + ahead] : '\0';
}

static bool skip(struct reader *r, const char *token)
{
    size_t size = strlen(token);
    if (r->len - r->at < size || strncasecmp(r->text + r->at, token, size) != 0)
        return false;
    r->at += size;
    return true;
}

static size_t skip_blanks(struct reader *r)
{
    size_t start = r->at;
    while (r->at - start < GAP_MAX && is_blank(here(r, 0)))
        r->at++;
    return r->at - start;
}

/* NAME', NAME\", NAME"], NAME` */
static void skip_closers(struct reader *r)
{
    for (int i = 0; i < 4 && here(r, 0) && strchr("\\\"'`])", here(r, 0)); i++) {
        if (strchr("\"'`", here(r, 0)))
            r->closed = here(r, 0);
        r->at++;
    }
}

/* `: &str =`, `: Optional[String] =`: the type of what is assigned. */
static bool skip_type(struct reader *r)
{
    size_t at = r->at + 1;
    while (at < r->len && at - r->at < TYPE_MAX && r->text[at] &&
           (isalnum((unsigned char)r->text[at]) || strchr(" &<>[]?|_.*", r->text[at])))
        at++;
    if (at >= r->len || r->text[at] != '=' || at == r->at + 1 ||
        (at + 1 < r->len && strchr("=>", r->text[at + 1])))
        return false;
    r->at = at + 1;
    return true;
}

/* `"name": "DB_PASSWORD", "value": "…"`, also on the next line, as Kubernetes and ECS write it; and
 * `key="password" value="…"` of XML. */
static bool skip_value_key(struct reader *r)
{
    struct reader try = *r;
    skip(&try, ",");
    skip_blanks(&try);
    if (skip(&try, "\r\n") || skip(&try, "\n"))
        while (is_blank(here(&try, 0)) || here(&try, 0) == '-')
            try.at++;
    bool quoted = skip(&try, "\"") || skip(&try, "'");
    if (!skip(&try, "value"))
        return false;
    if (quoted && !skip(&try, "\"") && !skip(&try, "'"))
        return false;
    skip_blanks(&try);
    if (!skip(&try, ":") && !skip(&try, "="))
        return false;
    *r = try;
    return true;
}

/* ret_call: what stands behind must be quoted, since in code it could be anything. */
static bool skip_operator(struct reader *r, bool flag, bool *ret_call)
{
    static const char *const operators[] = {":=", "=>", "?=", "||=", "+=", "?:", "??", "||", NULL};
    size_t blanks = skip_blanks(r);
    if (here(r, 0) == ':' && here(r, 1) != ':' && skip_type(r))
        return true;
    for (const char *const *o = operators; *o; o++)
        if (skip(r, *o))
            return true;
    char c = here(r, 0), next = here(r, 1);
    if ((c == '=' && next != '=' && next != '~') || (c == ':' && next != ':')) {
        r->at++;
        return true;
    }
    *ret_call = c == '(' || (c == ',' && r->closed);
    if (*ret_call || (c == '>' && !blanks)) {
        r->at++;
        return true;
    }
    *ret_call = !flag;
    return blanks > 0 && (flag || strchr("\"'", c)) && c != '\0';
}

/* b"…", r'…', L"…", @"…", new String("…"), String.valueOf( */
static void skip_wrapping(struct reader *r)
{
    static const char *const wraps[] = {"new String(", "String(", "str(", "Some(", "env(", NULL};
    for (const char *const *w = wraps; *w; w++)
        if (skip(r, *w))
            return;
    if (here(r, 0) && strchr("bBrRuUfLN@", here(r, 0)) && here(r, 1) && strchr("\"'", here(r, 1)))
        r->at++;
}

/* ---- the value ---- */

static bool read_quoted(struct reader *r, struct gt_span *ret)
{
    bool escaped = here(r, 0) == '\\';
    char quote = here(r, escaped);
    if (!quote || !strchr("\"'`", quote))
        return false;
    size_t start = r->at + 1 + escaped, at = start;
    for (; at < r->len && at - start <= GT_VALUE_MAX && r->text[at] != '\n'; at++) {
        if (r->text[at] == quote && (!escaped || r->text[at - 1] == '\\')) {
            *ret = (struct gt_span){start, at - escaped};
            return at > start + escaped;
        }
        if (r->text[at] == '\\' && !escaped)
            at++;
    }
    return false;
}

/* Up to a blank or what ends a value in a list, an address, a form, a tag or a comment. */
static bool read_bare(struct reader *r, struct gt_span *ret)
{
    size_t at = r->at;
    while (at < r->len && at - r->at <= GT_VALUE_MAX && !isspace((unsigned char)r->text[at]) &&
           r->text[at] && !strchr("\"'`<>&,;|\\()[]{}", r->text[at]))
        at++;
    *ret = (struct gt_span){r->at, at};
    bool goes_on = at < r->len && strchr("\"'`()[]{}", r->text[at]) && r->text[at];
    return at > r->at && at - r->at <= GT_VALUE_MAX && !goes_on;
}

static bool read_tag(struct reader *r, struct gt_span *ret)
{
    const char *start = r->text + r->at;
    size_t room = r->len - r->at < GT_VALUE_MAX ? r->len - r->at : GT_VALUE_MAX;
    const char *end = memchr(start, '<', room);
    if (!end || end + 1 >= r->text + r->len || end[1] != '/' ||
        memchr(start, '\n', (size_t)(end - start)))
        return false;
    *ret = (struct gt_span){r->at, (size_t)(end - r->text)};
    return end > start;
}

static bool read_value(struct reader *r, bool tag, bool call, struct gt_assignment *ret)
{
    ret->quoted = true;
    if (tag)
        return read_tag(r, &ret->value);
    skip_blanks(r);
    skip_wrapping(r);
    if (read_quoted(r, &ret->value))
        return true;
    ret->quoted = false;
    return !call && read_bare(r, &ret->value);
}

/* `<entry key="password">`, and not `'password' =>`. */
static bool closes_tag(const struct reader *r)
{
    return r->text[r->at - 1] == '>' && r->text[r->at - 2] != '=';
}

/* `--password x`, `ENV PASSWORD x`, `SET PASSWORD x`: names whose value follows a blank. */
static bool takes_blank(const char *text, struct gt_span name)
{
    static const char *const commands[] = {"ENV ", "ARG ", "set ", "setx ", "export ", NULL};
    if (name.end - name.start > 2 && text[name.start] == '-' && text[name.start + 1] == '-')
        return true;
    for (const char *const *c = commands; *c; c++)
        if (name.start >= strlen(*c) &&
            strncasecmp(text + name.start - strlen(*c), *c, strlen(*c)) == 0)
            return true;
    return false;
}

/* "PASS: name of a test", "Pass `--option`", and the field of /etc/passwd:. */
static bool is_verdict(const char *text, const struct gt_assignment *read)
{
    size_t len = read->name.end - read->name.start, gap = read->value.start - read->name.end;
    if (read->name.start >= 4 && strncmp(text + read->name.start - 4, "etc/", 4) == 0)
        return true;
    return len == 4 && strncasecmp(text + read->name.start, "pass", 4) == 0 &&
           strncmp(text + read->name.start, "pass", 4) != 0 &&
           !memchr(text + read->name.end, '=', gap);
}

bool gt_assignment_read(const char *text, size_t len, struct gt_span word,
                        struct gt_assignment *ret)
{
    if (!stands(text, len, word))
        return false;
    struct gt_assignment read = {.name = whole_name(text, len, word)};
    struct reader r = {.text = text, .len = len, .at = read.name.end};
    skip_closers(&r);
    bool tag = !r.closed && here(&r, 0) == '>' && read.name.start > 0 &&
               (text[read.name.start - 1] == '<' || text[read.name.start - 1] == ':');
    bool call = false;
    if (!skip_value_key(&r) && !skip_operator(&r, takes_blank(text, read.name), &call))
        return false;
    if (!read_value(&r, tag || (r.closed && closes_tag(&r)), call, &read))
        return false;
    if (!is_ours(text, read.name, word) || is_verdict(text, &read))
        return false;
    *ret = read;
    return true;
}
