#include "crawler/record.h"

#include "crawler/pointer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <limits.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#define XPATH_OPERATIONS 2000000
#define REGEX_STEPS 1000000
#define REGEX_DEPTH 10000

const char *const gt_answer_kind_names[] = {"json", "html", "xml", "text", NULL};

struct gt_record {
    const struct gt_answer *answer;
    const json_t *json;
    xmlNode *node;
    pcre2_code *code; /* text: the match of this regex; NULL: the whole text */
    pcre2_match_data *match;
};

struct gt_answer {
    enum gt_answer_kind kind;
    const char *text;
    size_t len;
    json_t *json;
    xmlDoc *doc;
    xmlXPathContext *xpath;
    struct gt_record root;
};

/* --- parsing --- */

static int hex4(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The code unit of a \\uXXXX at `at`, -1: there is none. */
static int escape_at(const char *at, const char *end)
{
    return end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? hex4(at + 2) : -1;
}

/* Half a surrogate pair alone becomes U+FFFD; everything else stays. */
static void mend_surrogates(char *text, size_t len)
{
    char *end = text + len;

    for (char *at = text; at < end; at++) {
        if (*at != '\\')
            continue;
        int unit = escape_at(at, end);
        if (unit < 0) { /* another escape, "\\\\" among them */
            at++;
            continue;
        }
        int low = unit >= 0xD800 && unit < 0xDC00 ? escape_at(at + 6, end) : -1;
        if (low >= 0xDC00 && low < 0xE000)
            at += 6;
        else if (unit >= 0xD800 && unit < 0xE000)
            memcpy(at + 2, "fffd", 4);
        at += 5;
    }
}

/* Strictly first. Then with ill-formed text in strings replaced: one broken item must not hide all
 * the others. */
static int parse_json(struct gt_answer *answer, struct gt_error *err)
{
    answer->json = gt_json_parse(answer->text, answer->len, err);
    if (!answer->json) {
        GT_BUFFER_AUTO struct gt_buffer clean = GT_BUFFER(3 * answer->len + 16);
        gt_utf8_append_clean(&clean, answer->text, answer->len);
        mend_surrogates(clean.data, clean.len);
        answer->json = clean.data ? gt_json_parse(clean.data, clean.len, err) : NULL;
    }
    if (!answer->json)
        return gt_fail(err, GT_E_INVALID, "the answer is not JSON");
    answer->root.json = answer->json;
    return 0;
}

static void ignore(void *user, const char *format, ...)
{
}

void gt_xml_be_silent(void)
{
    xmlSetGenericErrorFunc(NULL, ignore);
}

static xmlDoc *read_doc(const struct gt_answer *answer)
{
    int len = answer->len > INT_MAX ? INT_MAX : (int)answer->len;
    if (answer->kind == GT_ANSWER_HTML)
        return htmlReadMemory(answer->text, len, NULL, NULL,
                              HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                  HTML_PARSE_NONET);
    return xmlReadMemory(answer->text, len, NULL, NULL,
                         XML_PARSE_RECOVER | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                             XML_PARSE_NONET | XML_PARSE_NOCDATA);
}

static int parse_doc(struct gt_answer *answer, struct gt_error *err)
{
    gt_xml_be_silent();
    answer->doc = read_doc(answer);
    xmlNode *root = answer->doc ? xmlDocGetRootElement(answer->doc) : NULL;
    if (!root)
        return gt_fail(err, GT_E_INVALID, "the answer is not %s",
                       gt_answer_kind_names[answer->kind]);
    if (answer->kind == GT_ANSWER_XML && answer->doc->intSubset && answer->doc->intSubset->entities)
        return gt_fail(err, GT_E_INVALID, "the answer defines XML entities; it is not read");
    answer->xpath = xmlXPathNewContext(answer->doc);
    if (!answer->xpath)
        return gt_fail(err, GT_E_NOMEM, "out of memory for an answer");
    answer->root.node = (xmlNode *)answer->doc;
    return 0;
}

int gt_answer_parse(enum gt_answer_kind kind, const char *bytes, size_t len,
                    struct gt_answer **ret_answer, struct gt_error *err)
{
    struct gt_answer *answer = calloc(1, sizeof *answer);
    int code = 0;

    if (!answer)
        return gt_fail(err, GT_E_NOMEM, "out of memory for an answer");
    answer->kind = kind;
    answer->text = bytes ? bytes : "";
    answer->len = len;
    answer->root.answer = answer;
    if (kind == GT_ANSWER_JSON)
        code = parse_json(answer, err);
    else if (kind != GT_ANSWER_TEXT)
        code = parse_doc(answer, err);
    if (code < 0) {
        gt_answer_free(answer);
        return code;
    }
    *ret_answer = answer;
    return 0;
}

void gt_answer_free(struct gt_answer *answer)
{
    if (!answer)
        return;
    json_decref(answer->json);
    xmlXPathFreeContext(answer->xpath);
    xmlFreeDoc(answer->doc);
    free(answer);
}

const struct gt_record *gt_answer_root(const struct gt_answer *answer)
{
    return &answer->root;
}

bool gt_record_is_null(const struct gt_record *record)
{
    return record->answer->kind == GT_ANSWER_JSON && (!record->json || json_is_null(record->json));
}

/* --- selectors --- */

static pcre2_code *compile(const char *regex, struct gt_error *err)
{
    int number;
    PCRE2_SIZE offset;
    PCRE2_UCHAR words[120];
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED,
                      PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &number, &offset, NULL);
    if (!code) {
        pcre2_get_error_message(number, words, sizeof words);
        gt_fail(err, GT_E_INVALID, "the regex \"%s\" is wrong at its byte %zu: %s", regex, offset,
                (const char *)words);
    }
    return code;
}

static int check_xpath(const char *selector, struct gt_error *err)
{
    gt_xml_be_silent();
    xmlXPathCompExpr *expression = xmlXPathCompile((const xmlChar *)selector);
    if (!expression)
        return gt_fail(err, GT_E_INVALID, "\"%s\" is no XPath 1.0 expression", selector);
    xmlXPathFreeCompExpr(expression);
    return 0;
}

static int check_group(const char *selector, struct gt_error *err)
{
    size_t word =
        strspn(selector, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (!*selector || selector[word])
        return gt_fail(err, GT_E_INVALID,
                       "\"%s\" is no group of a regex; write its number or its name", selector);
    return 0;
}

int gt_selector_check(enum gt_answer_kind kind, const char *selector, bool items,
                      struct gt_error *err)
{
    if (kind == GT_ANSWER_JSON)
        return gt_pointer_check(selector, err);
    if (kind != GT_ANSWER_TEXT)
        return check_xpath(selector, err);
    if (!items)
        return check_group(selector, err);
    pcre2_code *code = compile(selector, err);
    pcre2_code_free(code);
    return code ? 0 : GT_E_INVALID;
}

/* --- records --- */

struct finding_records {
    const struct gt_answer *answer;
    gt_record_each *each;
    void *user;
    size_t left;
};

static int json_record(void *user, const json_t *value)
{
    struct finding_records *find = user;
    if (find->left == 0)
        return 0;
    find->left--;
    return find->each(find->user, &(struct gt_record){.answer = find->answer, .json = value});
}

static xmlXPathObject *evaluate(const struct gt_record *record, const char *selector)
{
    xmlXPathContext *context = record->answer->xpath;
    context->opLimit = XPATH_OPERATIONS;
    context->opCount = 0;
    return xmlXPathNodeEval(record->node, (const xmlChar *)selector, context);
}

static int node_records(const struct gt_record *record, const char *selector,
                        struct finding_records *find, struct gt_error *err)
{
    xmlXPathObject *found = evaluate(record, selector);
    int code = 0;

    if (!found)
        return gt_fail(err, GT_E_LIMIT, "\"%s\" is too much work on this answer", selector);
    for (int i = 0; found->nodesetval && i < found->nodesetval->nodeNr && find->left && !code;
         i++) {
        find->left--;
        code = find->each(find->user, &(struct gt_record){.answer = record->answer,
                                                          .node = found->nodesetval->nodeTab[i]});
    }
    xmlXPathFreeObject(found);
    return code;
}

static pcre2_match_context *limited(void)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (context) {
        pcre2_set_match_limit(context, REGEX_STEPS);
        pcre2_set_depth_limit(context, REGEX_DEPTH);
    }
    return context;
}

/* An empty match moves on by a byte. */
static int match_records(const struct gt_record *record, pcre2_code *code,
                         struct finding_records *find, struct gt_error *err)
{
    const struct gt_answer *answer = record->answer;
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *context = limited();
    size_t at = 0;
    int result = match && context ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory for an answer");

    while (!result && find->left && at <= answer->len) {
        int got = pcre2_match(code, (PCRE2_SPTR)answer->text, answer->len, at, 0, match, context);
        if (got == PCRE2_ERROR_NOMATCH)
            break;
        if (got < 0) {
            result =
                gt_fail(err, GT_E_LIMIT, "the regex of the items is too much work on this answer");
            break;
        }
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
        at = ends[1] > at ? ends[1] : at + 1;
        find->left--;
        result = find->each(find->user,
                            &(struct gt_record){.answer = answer, .code = code, .match = match});
    }
    pcre2_match_data_free(match);
    pcre2_match_context_free(context);
    return result;
}

static int text_records(const struct gt_record *record, const char *selector,
                        struct finding_records *find, struct gt_error *err)
{
    pcre2_code *code = compile(selector, err);
    if (!code)
        return GT_E_INVALID;
    int result = match_records(record, code, find, err);
    pcre2_code_free(code);
    return result;
}

int gt_records(const struct gt_record *record, const char *selector, size_t most,
               gt_record_each *each, void *user, struct gt_error *err)
{
    struct finding_records find = {record->answer, each, user, most};

    if (record->answer->kind == GT_ANSWER_JSON)
        return gt_pointer_each(record->json, selector, json_record, &find);
    if (record->answer->kind == GT_ANSWER_TEXT)
        return text_records(record, selector, &find, err);
    return node_records(record, selector, &find, err);
}

/* --- texts --- */

struct joining {
    struct gt_buffer *out;
    const char *separator; /* NULL: the first text is enough */
    int count;
};

/* Returns 1 when that was enough. */
static int join(struct joining *joining, const char *text, size_t len)
{
    if (len == 0)
        return 0;
    if (joining->count && joining->separator)
        gt_buffer_puts(joining->out, joining->separator);
    gt_buffer_append(joining->out, text, len);
    joining->count++;
    return joining->separator == NULL;
}

static int join_json(void *user, const json_t *value)
{
    if (json_is_string(value))
        return join(user, json_string_value(value), json_string_length(value));
    if (json_is_null(value))
        return 0;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    int enough = text ? join(user, text, strlen(text)) : 0;
    free(text);
    return enough;
}

static void join_string(struct joining *joining, xmlChar *text)
{
    if (text)
        (void)join(joining, (const char *)text, strlen((const char *)text));
    xmlFree(text);
}

static void join_nodes(const struct gt_record *record, const char *selector,
                       struct joining *joining)
{
    xmlXPathObject *found = evaluate(record, selector);
    if (!found)
        return;
    const xmlNodeSet *set = found->type == XPATH_NODESET ? found->nodesetval : NULL;
    if (found->type != XPATH_NODESET)
        join_string(joining, xmlXPathCastToString(found));
    for (int i = 0; set && i < set->nodeNr && (joining->separator || !joining->count); i++)
        join_string(joining, xmlXPathCastNodeToString(set->nodeTab[i]));
    xmlXPathFreeObject(found);
}

static int group_number(pcre2_code *code, const char *selector)
{
    char *end;
    long number = strtol(selector, &end, 10);
    if (*end == '\0' && number >= 0 && number < 1000)
        return (int)number;
    return pcre2_substring_number_from_name(code, (PCRE2_SPTR)selector);
}

static void join_group(const struct gt_record *record, const char *selector,
                       struct joining *joining)
{
    if (!record->match) {
        (void)join(joining, record->answer->text, record->answer->len);
        return;
    }
    int group = group_number(record->code, selector);
    if (group < 0 || (uint32_t)group >= pcre2_get_ovector_count(record->match))
        return;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(record->match);
    size_t from = ends[2 * group], to = ends[2 * group + 1];
    if (from != PCRE2_UNSET && from < to && to <= record->answer->len)
        (void)join(joining, record->answer->text + from, to - from);
}

int gt_record_text(const struct gt_record *record, const char *selector, const char *separator,
                   struct gt_buffer *out)
{
    struct joining joining = {out, separator, 0};

    if (record->answer->kind == GT_ANSWER_JSON)
        gt_pointer_each(record->json, selector, join_json, &joining);
    else if (record->answer->kind == GT_ANSWER_TEXT)
        join_group(record, selector, &joining);
    else
        join_nodes(record, selector, &joining);
    return joining.count;
}
