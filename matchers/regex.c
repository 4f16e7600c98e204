#include "matchers/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* pcre2api(3). A credential's pattern takes some hundred steps near a hit; what needs more is a
 * mistake of its author. The depth and heap limits bind where there is no JIT. */
#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT_KIB (16 * 1024)
#define PATTERN_MAX ((size_t)32 * 1024)
#define NESTING_MAX 60
#define GROUPS_MAX 100
#define JIT_STACK_START ((size_t)32 * 1024)
#define JIT_STACK_MAX ((size_t)1024 * 1024)

struct gt_regex {
    _Atomic(pcre2_code *) code; /* NULL: not compiled yet */
    const char *pattern;
    char *owned;             /* the pattern, when it is a copy */
    _Atomic uint32_t secret; /* group */
};

struct gt_runner {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
};

static int compile_failed(int code, size_t offset, struct gt_error *err)
{
    PCRE2_UCHAR words[256];
    pcre2_get_error_message(code, words, sizeof words);
    return gt_fail(err, GT_E_INVALID,
                   "is not a regular expression: %s at offset %zu; see pcre2pattern(3)",
                   (const char *)words, offset);
}

static pcre2_code *compile(const char *pattern, uint32_t options, struct gt_error *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) {
        gt_fail(err, GT_E_NOMEM, "out of memory");
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(context, PATTERN_MAX);
    pcre2_set_parens_nest_limit(context, NESTING_MAX);
    int code = 0;
    size_t offset = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                         options | PCRE2_USE_OFFSET_LIMIT | PCRE2_NEVER_UTF |
                                             PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
                                         &code, &offset, context);
    pcre2_compile_context_free(context);
    if (!compiled)
        compile_failed(code, offset, err);
    return compiled;
}

/* Start optimizations look for the last letter that a match must have, up to the end of the
 * subject, at every search. Searches begin near a hit, and a page full of hits would take quadratic
 * time. */
#define NEAR_HITS PCRE2_NO_START_OPTIMIZE

static int inspect(const pcre2_code *code, uint32_t *ret_secret, struct gt_error *err)
{
    uint32_t groups = 0, empty = 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
    if (empty)
        return gt_fail(err, GT_E_INVALID, "matches the empty text; make a part of it required");
    if (groups >= GROUPS_MAX)
        return gt_fail(err, GT_E_INVALID, "has %u groups, at most %d may be; write (?:...)", groups,
                       GROUPS_MAX - 1);
    int named = pcre2_substring_number_from_name(code, (PCRE2_SPTR) "secret");
    if (named == PCRE2_ERROR_NOUNIQUESUBSTRING)
        return gt_fail(err, GT_E_INVALID, "has several groups named `secret`; name one");
    *ret_secret = named > 0 ? (uint32_t)named : groups > 0 ? 1 : 0;
    return 0;
}

/* Threads may come at the same time: one wins, the others' work is thrown away. NULL: out of
 * memory, or the pattern is not sound. */
static pcre2_code *code_of(struct gt_regex *regex, struct gt_error *err)
{
    pcre2_code *code = atomic_load_explicit(&regex->code, memory_order_acquire), *none = NULL;
    uint32_t secret = 0;
    if (code)
        return code;
    code = compile(regex->pattern, NEAR_HITS, err);
    if (!code || inspect(code, &secret, err) < 0) {
        pcre2_code_free(code);
        return NULL;
    }
    /* Where JIT is not to be had (a platform, a locked-down kernel) the interpreter does the same,
     * slower. */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    atomic_store(&regex->secret, secret); /* the same from every thread */
    if (atomic_compare_exchange_strong(&regex->code, &none, code))
        return code;
    pcre2_code_free(code);
    return none;
}

int gt_regex_new(const char *pattern, struct gt_regex **ret_regex, struct gt_error *err)
{
    struct gt_regex *regex = calloc(1, sizeof *regex);
    if (!regex)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    regex->pattern = pattern;
    *ret_regex = regex;
    return 0;
}

int gt_regex_compile(const char *pattern, struct gt_regex **ret_regex, struct gt_error *err)
{
    char *copy = strdup(pattern);
    struct gt_regex *regex = NULL;
    struct gt_error why;
    if (!copy || gt_regex_new(copy, &regex, err) < 0) {
        free(copy);
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    regex->owned = copy;
    if (!code_of(regex, &why)) {
        gt_regex_free(regex);
        return gt_fail(err, why.code, "%s", why.message);
    }
    *ret_regex = regex;
    return 0;
}

void gt_regex_free(struct gt_regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(atomic_load(&regex->code));
    free(regex->owned);
    free(regex);
}

void gt_regex_hasten(struct gt_regex *regex)
{
    pcre2_code *code = compile(regex->pattern, 0, NULL);
    if (!code)
        return;
    uint32_t secret = 0;
    inspect(code, &secret, NULL);
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    pcre2_code_free(atomic_load(&regex->code));
    atomic_store(&regex->code, code);
    atomic_store(&regex->secret, secret);
}

int gt_regex_check(const char *pattern, struct gt_error *err)
{
    pcre2_code *code = compile(pattern, NEAR_HITS, err);
    if (!code)
        return err ? err->code : GT_E_INVALID;
    uint32_t secret = 0;
    int rc = inspect(code, &secret, err);
    pcre2_code_free(code);
    return rc;
}

int gt_runner_new(struct gt_runner **ret_runner, struct gt_error *err)
{
    struct gt_runner *runner = calloc(1, sizeof *runner);
    if (!runner)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    runner->context = pcre2_match_context_create(NULL);
    runner->data = pcre2_match_data_create(GROUPS_MAX, NULL);
    runner->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
    if (!runner->context || !runner->data) {
        gt_runner_free(runner);
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    }
    pcre2_set_match_limit(runner->context, MATCH_LIMIT);
    pcre2_set_depth_limit(runner->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(runner->context, HEAP_LIMIT_KIB);
    if (runner->stack)
        pcre2_jit_stack_assign(runner->context, NULL, runner->stack);
    *ret_runner = runner;
    return 0;
}

void gt_runner_free(struct gt_runner *runner)
{
    if (!runner)
        return;
    pcre2_match_context_free(runner->context);
    pcre2_match_data_free(runner->data);
    pcre2_jit_stack_free(runner->stack);
    free(runner);
}

static struct gt_span group(const struct gt_runner *runner, uint32_t number)
{
    const size_t *ovector = pcre2_get_ovector_pointer(runner->data);
    return (struct gt_span){ovector[2 * number], ovector[2 * number + 1]};
}

int gt_regex_find(struct gt_regex *regex, struct gt_runner *runner, const struct gt_search *search,
                  struct gt_span *ret_match, struct gt_span *ret_secret)
{
    if (search->start > search->len || search->start > search->limit)
        return 0;
    const pcre2_code *code = code_of(regex, NULL);
    if (!code)
        return GT_E_LIMIT;
    pcre2_set_offset_limit(runner->context, search->limit);
    int rc = pcre2_match(code, (PCRE2_SPTR)search->subject, search->len, search->start, 0,
                         runner->data, runner->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return GT_E_LIMIT;
    struct gt_span match = group(runner, 0), secret = match;
    uint32_t number = atomic_load_explicit(&regex->secret, memory_order_relaxed);
    if (number > 0 && (uint32_t)rc > number)
        secret = group(runner, number);
    if (secret.start == PCRE2_UNSET || secret.start >= secret.end)
        secret = match; /* the group did not take part */
    *ret_match = match;
    if (ret_secret)
        *ret_secret = secret;
    return 1;
}

bool gt_regex_in(struct gt_regex *regex, struct gt_runner *runner, const char *bytes, size_t len)
{
    struct gt_span match;
    return gt_regex_find(regex, runner, &(struct gt_search){bytes, len, 0, len}, &match, NULL) == 1;
}
