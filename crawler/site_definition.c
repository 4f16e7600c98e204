/* Site definitions: the option tables that describe them. */
#include "crawler/site_definition.h"

#include <string.h>

const char *const gt_site_categories[] = {"paste", "repository", "social",          "forum",
                                          "news",  "registry",   "certificate-log", NULL};
const char *const gt_site_needs[] = {"nothing",   "token",         "optional token",
                                     "paid plan", "fixed address", NULL};

static const char *const forms[] = {"json", "html", "xml", "text", "raw", "counter", NULL};
static const char *const pagings[] = {"none", "link", "page", "cursor", NULL};
static const char *const orders[] = {"number", "time", "text", NULL};

#define LIST GT_OPTION_LIST
#define REQUIRED GT_OPTION_REQUIRED
#define STRING GT_OPTION_STRING
#define END                                                                                        \
    {                                                                                              \
        NULL, GT_OPTION_END                                                                        \
    }

static const struct gt_option part_table[] = {
    {"from", STRING, offsetof(struct gt_site_part, from), NULL, "selector of the text", REQUIRED},
    {"html", GT_OPTION_BOOL, offsetof(struct gt_site_part, html), "false",
     "it is HTML: turn it into text, keeping links"},
    END,
};

static const struct gt_option condition_table[] = {
    {"field", STRING, offsetof(struct gt_site_condition, field), NULL,
     "selector of the value to test", REQUIRED},
    {"is", STRING, offsetof(struct gt_site_condition, is), NULL, "it is one of these", LIST},
    {"is_not", STRING, offsetof(struct gt_site_condition, is_not), NULL, "it is none of these",
     LIST},
    END,
};

static const struct gt_option error_table[] = {
    {"pattern", STRING, offsetof(struct gt_site_error, pattern), NULL,
     "regex that a short answer (at most 1 KiB) matches though its status is 200", REQUIRED},
    {"says", STRING, offsetof(struct gt_site_error, says), NULL, "what it means and what to do",
     REQUIRED},
    {"gone", GT_OPTION_BOOL, offsetof(struct gt_site_error, gone), "false",
     "the item is gone: forget it, nothing is wrong"},
    END,
};

/* Rows that several structs share: `prefix` is the member that holds them. */
#define PARTS(name, holder, member, help)                                                          \
    {                                                                                              \
        name, GT_OPTION_STRUCT, offsetof(holder, member), NULL, help, LIST,                        \
            .nested = part_table, .nested_size = sizeof(struct gt_site_part), .shorthand = "from"  \
    }
#define CONDITIONS(holder)                                                                         \
    {                                                                                              \
        "when", GT_OPTION_STRUCT, offsetof(holder, when), NULL,                                    \
            "conditions on the item; all must hold", LIST,                                         \
            .nested = condition_table, .nested_size = sizeof(struct gt_site_condition),            \
            .shorthand = "field"                                                                   \
    }
#define ERRORS(holder)                                                                             \
    {                                                                                              \
        "errors", GT_OPTION_STRUCT, offsetof(holder, errors), NULL,                                \
            "answers that say no with status 200", LIST,                                           \
            .nested = error_table, .nested_size = sizeof(struct gt_site_error)                     \
    }
#define FIELDS(holder)                                                                               \
    {"link", STRING, offsetof(holder, fields.link), NULL, "permanent link for a person (value)",     \
     LIST},                                                                                          \
        {"title", STRING, offsetof(holder, fields.title), NULL, "title or file name (value)", LIST}, \
        {"author", STRING, offsetof(holder, fields.author), NULL, "who wrote it (value)", LIST},     \
        {"published",                                                                                \
         STRING,                                                                                     \
         offsetof(holder, fields.published),                                                         \
         NULL,                                                                                       \
         "when (value; any common form)",                                                            \
         LIST},                                                                                      \
        {"type", STRING, offsetof(holder, fields.type), NULL, "media type (value)", LIST},           \
        PARTS("body", holder, fields.body, "selectors of the text; all that are there")
#define FILES(holder)                                                                              \
    {                                                                                              \
        "files", GT_OPTION_STRUCT, offsetof(holder, files), NULL, "several files in one item",     \
            .nested = files_table, .nested_size = sizeof(struct gt_site_files)                     \
    }

static const struct gt_option files_table[] = {
    {"items", STRING, offsetof(struct gt_site_files, items), NULL, "selector of the files"},
    {"name", STRING, offsetof(struct gt_site_files, name), NULL, "the file's name (value)"},
    PARTS("content", struct gt_site_files, content, "selectors of its content"),
    {"truncated", STRING, offsetof(struct gt_site_files, truncated), NULL,
     "selector of what is \"true\" when the content is cut"},
    {"url", STRING, offsetof(struct gt_site_files, url), NULL,
     "where the whole file is (URL template)"},
    END,
};

static const struct gt_option fetch_table[] = {
    CONDITIONS(struct gt_site_fetch),
    {"needs_token", GT_OPTION_BOOL, offsetof(struct gt_site_fetch, needs_token), "false",
     "fetch it only when the source has a token"},
    {"url", STRING, offsetof(struct gt_site_fetch, url), NULL, "where the item is (URL template)",
     REQUIRED},
    {"query", STRING, offsetof(struct gt_site_fetch, query), NULL, "\"name=template\" rows", LIST},
    {"headers", STRING, offsetof(struct gt_site_fetch, headers), NULL, "\"Name: template\" rows",
     LIST},
    {"kind", GT_OPTION_ENUM, offsetof(struct gt_site_fetch, form), "raw", "what the answer is",
     .choices = forms},
    {"null_is_early", GT_OPTION_BOOL, offsetof(struct gt_site_fetch, null_is_early), "false",
     "a JSON null is an item that is not there yet: try again"},
    FIELDS(struct gt_site_fetch),
    FILES(struct gt_site_fetch),
    ERRORS(struct gt_site_fetch),
    END,
};

static const struct gt_option list_table[] = {
    {"url", STRING, offsetof(struct gt_site_list, url), NULL,
     "where the newest items are listed (URL template)", REQUIRED},
    {"query", STRING, offsetof(struct gt_site_list, query), NULL,
     "\"name=template\" rows; one with an empty value is left out", LIST},
    {"headers", STRING, offsetof(struct gt_site_list, headers), NULL, "\"Name: template\" rows",
     LIST},
    {"kind", GT_OPTION_ENUM, offsetof(struct gt_site_list, form), "json",
     "what the answer is; counter: the highest item number, items are counted up to it",
     .choices = forms},
    {"items", STRING, offsetof(struct gt_site_list, items), "\"\"", "selector of the items"},
    {"must_start_with", STRING, offsetof(struct gt_site_list, must_start_with), NULL,
     "a true list begins so; anything else is an error"},
    ERRORS(struct gt_site_list),
    {"paging", GT_OPTION_ENUM, offsetof(struct gt_site_list, paging), "none",
     "how the next page is asked for: Link header, {page} number, or {cursor} again",
     .choices = pagings},
    {"pages_need_token", GT_OPTION_BOOL, offsetof(struct gt_site_list, pages_need_token), "false",
     "without a token only the first page is read, to stay within the limits for visitors"},
    {"pages", GT_OPTION_INT, offsetof(struct gt_site_list, pages), "3",
     "pages in one poll, at most", .least = 1, .most = 100},
    {"most", GT_OPTION_INT, offsetof(struct gt_site_list, most), "1000",
     "items in one poll, at most", .least = 1, .most = 10000},
    {"first", GT_OPTION_INT, offsetof(struct gt_site_list, first), "50",
     "counter: items that the first poll reads", .least = 0, .most = 10000},
    {"window", GT_OPTION_INT, offsetof(struct gt_site_list, window), "20000",
     "counter: items farther behind than this are given up", .least = 1, .most = 1e9},
    END,
};

static const struct gt_option item_table[] = {
    {"id", STRING, offsetof(struct gt_site_item, id), "\"0\"",
     "what names the item at its site (value)"},
    {"revision", STRING, offsetof(struct gt_site_item, revision), NULL,
     "changes when the item is edited (value)"},
    CONDITIONS(struct gt_site_item),
    FIELDS(struct gt_site_item),
    FILES(struct gt_site_item),
    {"fetch", GT_OPTION_STRUCT, offsetof(struct gt_site_item, fetch), NULL,
     "a further request for the item's text; the first whose conditions hold", LIST,
     .nested = fetch_table, .nested_size = sizeof(struct gt_site_fetch), .shorthand = "url"},
    END,
};

static const struct gt_option cursor_table[] = {
    {"field", STRING, offsetof(struct gt_site_cursor, field), NULL,
     "value of an item whose highest one is {cursor} at the next poll"},
    {"order", GT_OPTION_ENUM, offsetof(struct gt_site_cursor, order), "number",
     "how values compare; text: by length, then by byte", .choices = orders},
    {"overlap", GT_OPTION_DURATION, offsetof(struct gt_site_cursor, overlap_ms), "0s",
     "time: ask again from so much earlier, for items that show up late"},
    END,
};

static const struct gt_option param_table[] = {
    {"name", STRING, offsetof(struct gt_site_param, name), NULL, "its name in templates", REQUIRED},
    {"default", STRING, offsetof(struct gt_site_param, fallback), NULL, "value when none is given"},
    {"help", STRING, offsetof(struct gt_site_param, help), NULL, "what it is, in one line",
     REQUIRED},
    END,
};

static const struct gt_option exchange_table[] = {
    {"request", STRING, offsetof(struct gt_site_exchange, request), NULL,
     "URL that is asked for, or what follows the base", REQUIRED},
    {"status", GT_OPTION_INT, offsetof(struct gt_site_exchange, status), "200", "of the answer",
     .least = 100, .most = 599},
    {"headers", STRING, offsetof(struct gt_site_exchange, headers), NULL,
     "\"Name: value\" of the answer", LIST},
    {"body", STRING, offsetof(struct gt_site_exchange, body), "\"\"", "of the answer"},
    END,
};

static const struct gt_option yield_table[] = {
    {"key", STRING, offsetof(struct gt_site_yield, key), NULL, "key of the document", REQUIRED},
    {"title", STRING, offsetof(struct gt_site_yield, title), NULL, "its title"},
    {"link", STRING, offsetof(struct gt_site_yield, link), NULL, "its link"},
    {"author", STRING, offsetof(struct gt_site_yield, author), NULL, "its author"},
    {"body", STRING, offsetof(struct gt_site_yield, body), NULL, "a part of its text"},
    END,
};

static const struct gt_option example_table[] = {
    {"name", STRING, offsetof(struct gt_site_example, name), NULL, "what it shows", REQUIRED},
    {"token", STRING, offsetof(struct gt_site_example, token), NULL, "the source's token"},
    {"params", STRING, offsetof(struct gt_site_example, params), NULL, "\"name=value\" rows", LIST},
    {"from", STRING, offsetof(struct gt_site_example, from), NULL, "{cursor} before"},
    {"exchanges", GT_OPTION_STRUCT, offsetof(struct gt_site_example, exchanges), NULL,
     "requests and made-up answers", LIST | REQUIRED, .nested = exchange_table,
     .nested_size = sizeof(struct gt_site_exchange)},
    {"yields", GT_OPTION_STRUCT, offsetof(struct gt_site_example, yields), NULL,
     "the documents that must come of them, in this order", LIST, .nested = yield_table,
     .nested_size = sizeof(struct gt_site_yield)},
    {"cursor", STRING, offsetof(struct gt_site_example, cursor), NULL, "{cursor} afterwards"},
    END,
};

const struct gt_option gt_site_table[] = {
    {"name", STRING, offsetof(struct gt_site, name), NULL,
     "as in `site: NAME`; the file is NAME.yaml", REQUIRED},
    {"title", STRING, offsetof(struct gt_site, title), NULL, "its name for people", REQUIRED},
    {"home", STRING, offsetof(struct gt_site, home), NULL, "page that documents the interface",
     REQUIRED},
    {"terms", STRING, offsetof(struct gt_site, terms), NULL,
     "what the site allows, in a line or two"},
    {"category", GT_OPTION_ENUM, offsetof(struct gt_site, category), NULL,
     "what kind of site it is", REQUIRED, .choices = gt_site_categories},
    {"needs", GT_OPTION_ENUM, offsetof(struct gt_site, needs), "[nothing]",
     "what the operator must have", LIST, .choices = gt_site_needs},
    {"params", GT_OPTION_STRUCT, offsetof(struct gt_site, params), NULL,
     "values the operator may set", LIST, .nested = param_table,
     .nested_size = sizeof(struct gt_site_param)},
    {"base", STRING, offsetof(struct gt_site, base), NULL,
     "what {base} is, without a slash at its end", REQUIRED},
    {"headers", STRING, offsetof(struct gt_site, headers), NULL,
     "\"Name: template\" rows of every request; those with {token} go to the base's host only",
     LIST},
    {"interval", GT_OPTION_DURATION, offsetof(struct gt_site, interval_ms), "60s",
     "least time between two polls", .least = 1000, .most = 86400000},
    {"rate", GT_OPTION_NUMBER, offsetof(struct gt_site, rate), "1", "requests per second",
     .least = 0.001, .most = 100},
    {"list", GT_OPTION_STRUCT, offsetof(struct gt_site, list), NULL, "how new items are found",
     REQUIRED, .nested = list_table, .nested_size = sizeof(struct gt_site_list)},
    {"item", GT_OPTION_STRUCT, offsetof(struct gt_site, item), NULL, "what an item is", REQUIRED,
     .nested = item_table, .nested_size = sizeof(struct gt_site_item)},
    {"cursor", GT_OPTION_STRUCT, offsetof(struct gt_site, cursor), NULL,
     "where the next poll starts", .nested = cursor_table,
     .nested_size = sizeof(struct gt_site_cursor)},
    {"examples", GT_OPTION_STRUCT, offsetof(struct gt_site, examples), NULL,
     "what `guette sites check` proves", LIST | REQUIRED, .nested = example_table,
     .nested_size = sizeof(struct gt_site_example)},
    END,
};
