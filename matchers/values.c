#include "matchers/values.h"

#include "matchers/samples.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define PASSWORD_MIN 6
#define PASSWORD_MAX 64
#define TOKEN_MIN 16
#define TOKEN_ENTROPY 3.0
#define HEX_MIN 20
#define SEGMENT_DIGITS 4

struct value {
    const char *text;
    size_t len;
    size_t lowers, uppers, digits, symbols, blanks, others;
};

static struct value count(const char *text, size_t len)
{
    struct value v = {.text = text, .len = len};
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        v.lowers += islower(c) != 0;
        v.uppers += isupper(c) != 0;
        v.digits += isdigit(c) != 0;
        v.blanks += isspace(c) != 0;
        v.symbols += ispunct(c) != 0;
        v.others += iscntrl(c) || c >= 0x80;
    }
    return v;
}

static bool begins(const struct value *v, const char *start)
{
    size_t size = strlen(start);
    return v->len >= size && strncasecmp(v->text, start, size) == 0;
}

static bool ends(const struct value *v, const char *end)
{
    size_t size = strlen(end);
    return v->len >= size && strncasecmp(v->text + v->len - size, end, size) == 0;
}

static bool has(const struct value *v, const char *part)
{
    return memmem(v->text, v->len, part, strlen(part)) != NULL;
}

typedef bool test(const struct value *v, const char *word);

static bool any(const struct value *v, test *is, const char *const *words)
{
    for (; *words; words++)
        if (is(v, *words))
            return true;
    return false;
}

/* ---- what is none ---- */

/* Templates, formats, look-ups and names of secrets that lie elsewhere. */
static bool is_reference(const struct value *v)
{
    static const char *const starts[] = {
        "$",        "%",       "{",       "<",         "[",       "(",       "&",       "*",
        "@{",       "#{",      "!ref",    "!sub",      "!get",    "!vault",  "!secret", "!env",
        "!file",    "~/",      "./",      "../",       "/",       "\\\\",    "?",       "...",
        "arn:",     "vault:",  "op://",   "ssm:",      "file:",   "env:",    "env.",    "sops",
        "kms:",     "secret:", "secrets", "projects/", "urn:",    "enc:",    "enc(",    "enc[",
        "aqicah",   "gaaaa",   "sha1",    "sha256",    "sha384",  "sha512",  "md5",     "0x",
        "--",       "-D",      "bcrypt",  "pbkdf2",    "scrypt:", "argon2",  "http",    "base64:",
        "process.", "os.",     "config",  "self.",     "this.",   "request", "data:",   "cipher",
        "regex",    "^",       ".",       ":",         NULL,
    };
    static const char *const parts[] = {
        "${",   "{{",   "}}",  "%s", "%d", "%(", "$(",           "#{",   "<%",   "%>",   "[[",
        "://",  ".com", "...", "::", "->", "()", "{0}",          "\\d",  "\\w",  "\\s",  "[a-z",
        "[A-Z", "[0-9", ".*",  ".+", "&&", "@{", "\xe2\x80\xa6", "****", "____", "----", NULL,
    };
    return any(v, begins, starts) || any(v, has, parts);
}

/* my_password, dbPass, user-secret, password_goes_here. */
static const char *const placeholder_parts[] = {
    "my_pass", "sekrit",     "s3cret",     "goes_here", "goes-here", "my-pass",  "mypass",
    "db_pass", "db-pass",    "dbpass",     "user_pass", "userpass",  "password", "Password",
    "passwd",  "passphrase", "change",     "Change",    "your",      "YOUR",     "some",
    "secret_", "Secret",     "credential", "replace",   "insert",    NULL,
};
static const char *const reference_ends[] = {"_password", "_pass",  "_pwd",
                                             "_secret",   "_token", NULL};

static bool is_path(const struct value *v)
{
    static const char *const ends_of_files[] = {
        ".pem", ".key", ".json", ".yaml", ".yml", ".txt",  ".xml", ".conf",  ".cfg", ".crt", ".p12",
        ".jks", ".env", ".php",  ".html", ".js",  ".java", ".py",  ".com",   ".org", ".net", ".io",
        ".md",  ".cer", ".pub",  ".go",   ".rb",  ".ini",  ".log", ".local", ".sh",  ".svg", NULL,
    };
    bool drive = v->len > 3 && isalpha((unsigned char)v->text[0]) && v->text[1] == ':' &&
                 strchr("\\/", v->text[2]);
    return drive || any(v, ends, ends_of_files);
}

/* Calls, indexes, members, sums: an expression, not a value. */
static bool is_code(const struct value *v)
{
    bool call = memchr(v->text, '(', v->len) && memchr(v->text, ')', v->len);
    bool index = memchr(v->text, '[', v->len) && memchr(v->text, ']', v->len);
    bool braces = memchr(v->text, '{', v->len) && memchr(v->text, '}', v->len);
    bool angles = memchr(v->text, '<', v->len) && memchr(v->text, '>', v->len);
    return call || index || braces || angles;
}

/* Passwords that everybody knows, with what people add to them. */
static bool is_default(const struct value *v)
{
    static const char *const words[] = {
        "password",  "passwd",       "passw0rd",    "p4ssw0rd",   "p@ssw0rd",     "p@ssword",
        "secret",    "admin",        "root",        "guest",      "test",         "testing",
        "tester",    "demo",         "user",        "username",   "login",        "default",
        "changeit",  "letmein",      "welcome",     "qwerty",     "azerty",       "abc",
        "pass",      "token",        "api",         "apikey",     "key",          "none",
        "null",      "true",         "false",       "string",     "undefined",    "required",
        "optional",  "postgres",     "mysql",       "mongo",      "redis",        "rabbitmq",
        "oracle",    "minio",        "minioadmin",  "elastic",    "hello",        "value",
        "foo",       "bar",          "baz",         "tiger",      "mypass",       "mypassword",
        "pwd",       "dev",          "development", "local",      "localhost",    "unknown",
        "hidden",    "private",      "public",      "some",       "somepassword", "supersecret",
        "topsecret", "verysecret",   "secure",      "temp",       "tmp",          "wordpress",
        "drupal",    "vagrant",      "docker",      "ubuntu",     "master",       "super",
        "new",       "old",          "invalid",     "wrong",      "bad",          "good",
        "correct",   "mot de passe", "motdepasse",  "azertyuiop", "qwertyuiop",   NULL,
    };
    size_t len = v->len;
    while (len > 0 && !isalpha((unsigned char)v->text[len - 1]))
        len--;
    for (const char *const *word = words; *word; word++)
        if (strlen(*word) == len && strncasecmp(v->text, *word, len) == 0)
            return true;
    return len == 0 && v->digits == v->len;
}

static bool is_hex(const struct value *v)
{
    for (size_t i = 0; i < v->len; i++)
        if (!isxdigit((unsigned char)v->text[i]))
            return false;
    return true;
}

static bool is_uuid(const struct value *v)
{
    static const size_t dashes[] = {8, 13, 18, 23};
    size_t hex = 0;
    for (size_t i = 0; i < v->len; i++)
        hex += isxdigit((unsigned char)v->text[i]) != 0;
    if (v->len != 36 || hex != 32)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (v->text[dashes[i]] != '-')
            return false;
    return true;
}

/* Where a part of a name begins: a capital behind a small letter, a digit or a separator before it.
 */
static bool begins_part(const struct value *v, size_t i)
{
    unsigned char c = (unsigned char)v->text[i], before = (unsigned char)v->text[i - 1];
    return (isupper(c) && !isupper(before)) || isdigit(c) != isdigit(before) || !isalnum(c) ||
           !isalnum(before);
}

/* Short parts and short numbers say nothing, long numbers are no part of a name. */
enum reading { READS_NOT, READS_UNCLEAR, READS_WORD };

static enum reading read_part(const char *part, size_t len)
{
    if (isdigit((unsigned char)*part))
        return len < SEGMENT_DIGITS ? READS_UNCLEAR : READS_NOT;
    if (len <= 3)
        return READS_UNCLEAR;
    return gt_wordiness(part, len) > GT_WORDY ? READS_WORD : READS_NOT;
}

/* snake_case, KEBAB-CASE, camelCase, object.member, word2: nothing in it reads otherwise, and half
 * of it is words. */
static bool is_identifier(const struct value *v)
{
    size_t words = 0;
    for (size_t i = 0; i < v->len; i++)
        if (!isalnum((unsigned char)v->text[i]) && !strchr("_-.:/", v->text[i]))
            return false;
    for (size_t start = 0, i = 1; i <= v->len; i++) {
        if (i < v->len && !begins_part(v, i))
            continue;
        const char *part = v->text + start;
        size_t len = i - start;
        start = i;
        if (!isalnum((unsigned char)*part))
            continue;
        enum reading reading = read_part(part, len);
        if (reading == READS_NOT)
            return false;
        words += reading == READS_WORD ? len : 0;
    }
    return 2 * words >= v->len - v->symbols;
}

/* One case and separators: a name in a notation that its words do not tell. */
static bool is_separated(const struct value *v)
{
    size_t separators = 0, run = 0, longest = 0;
    if ((v->lowers > 0) == (v->uppers > 0))
        return false;
    for (size_t i = 0; i < v->len; i++) {
        bool separator = strchr("_-.:/", v->text[i]) != NULL;
        if (!separator && !isalnum((unsigned char)v->text[i]))
            return false;
        run = separator ? 0 : run + 1;
        longest = run > longest ? run : longest;
        separators += separator;
    }
    return separators > 0 && longest < TOKEN_MIN;
}

/* object.member: letters or '_' begin each part. */
static bool is_member(const struct value *v)
{
    bool begins_name = true, dot = false;
    for (size_t i = 0; i < v->len; i++) {
        unsigned char c = (unsigned char)v->text[i];
        if (begins_name ? !isalpha(c) && c != '_' : !isalnum(c) && c != '_' && c != '.')
            return false;
        begins_name = c == '.';
        dot |= c == '.';
    }
    return dot && !begins_name;
}

static bool is_no_secret(const struct value *v)
{
    return strchr("=:,)", v->text[v->len - 1]) != NULL || memchr(v->text, '\\', v->len) != NULL ||
           is_separated(v) || is_member(v) || v->others > 0 || is_reference(v) || is_path(v) ||
           is_code(v) || is_default(v) || gt_value_is_sample(v->text, v->len);
}

/* ---- what is one ---- */

static size_t classes(const struct value *v)
{
    return (v->lowers > 0) + (v->uppers > 0) + (v->digits > 0) + (v->symbols > 0);
}

/* A mean number of letters in a row without a break by case, digit or symbol. */
static bool is_mixed(const struct value *v)
{
    size_t breaks = 0;
    for (size_t i = 1; i < v->len; i++)
        breaks += begins_part(v, i);
    return breaks * 4 >= v->len;
}

/* Without a digit: no words, or both cases and a symbol that is no part of names. */
static bool is_letters_password(const struct value *v)
{
    size_t hard = 0;
    for (size_t i = 0; i < v->len; i++)
        hard += strchr("!@#%^&*?+~", v->text[i]) != NULL;
    bool random = v->len >= 10 && gt_wordiness(v->text, v->len) < 2 * GT_WORDY && is_mixed(v);
    return v->lowers > 0 && v->uppers > 0 && (v->symbols == 0 ? random : hard > 0 && v->len >= 8);
}

enum gt_verdict gt_check_password(const char *text, size_t len)
{
    struct value v = count(text, len);
    if (len < PASSWORD_MIN || len > PASSWORD_MAX || v.blanks > 0 || is_no_secret(&v) || is_uuid(&v))
        return GT_VERDICT_NO;
    if (v.digits == 0 && !is_letters_password(&v))
        return GT_VERDICT_NO;
    if (v.lowers + v.uppers == 0 || is_identifier(&v))
        return GT_VERDICT_NO;
    bool strong = classes(&v) >= 3 && len >= 10 && gt_entropy(text, len) >= 3.0 && is_mixed(&v);
    return strong ? GT_VERDICT_YES : GT_VERDICT_UNKNOWN;
}

/* Every third character or more is not a letter, or the letters are no words. */
static bool is_random(const struct value *v)
{
    return gt_wordiness(v->text, v->len) < GT_WORDY || is_mixed(v);
}

enum gt_verdict gt_check_random_token(const char *text, size_t len)
{
    struct value v = count(text, len);
    if (len < TOKEN_MIN || v.blanks > 0 || is_no_secret(&v) || is_uuid(&v))
        return GT_VERDICT_NO;
    if (v.digits == 0 && (classes(&v) < 2 || len < 24 || v.symbols > 0))
        return GT_VERDICT_NO;
    if (len < HEX_MIN && is_hex(&v)) /* short ones name things */
        return GT_VERDICT_NO;
    if (v.lowers + v.uppers == 0 || is_identifier(&v) || !is_random(&v) ||
        gt_entropy(text, len) < TOKEN_ENTROPY)
        return GT_VERDICT_NO;
    return classes(&v) >= 3 && len >= 20 && gt_entropy(text, len) >= 3.8 ? GT_VERDICT_YES
                                                                         : GT_VERDICT_UNKNOWN;
}

/* For what a format already says to be a password: whatever somebody chose may be one. */
enum gt_verdict gt_check_not_placeholder(const char *text, size_t len)
{
    struct value v = count(text, len);
    bool name = v.lowers == 0 && v.uppers > 0 && v.digits == 0 && v.uppers + v.symbols == len;
    bool blank = v.symbols == len;
    bool none = len == 0 || is_reference(&v) || is_default(&v) || name || blank ||
                gt_value_is_sample(text, len) || any(&v, has, placeholder_parts) ||
                any(&v, ends, reference_ends);
    return none ? GT_VERDICT_NO : GT_VERDICT_UNKNOWN;
}
