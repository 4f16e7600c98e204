/* One view of answers of different kinds: an answer is parsed, its items are records, and a
 * selector picks texts out of a record.
 *
 *   kind   selector of items       selector within an item
 *   json   JSON pointer with [*]   JSON pointer with [*]
 *   html   XPath 1.0               XPath 1.0 relative to the item
 *   xml    XPath 1.0               XPath 1.0 relative to the item; default namespaces:
 * *[local-name()='x'] text   PCRE2 regex             number or name of a group ("0" is the whole
 * match)
 *
 * Answers are hostile: XML with entities of its own is refused, nothing is loaded, XPath and regex
 * work is limited. */
#ifndef GT_CRAWLER_RECORD_H
#define GT_CRAWLER_RECORD_H

#include "core/core.h"

enum gt_answer_kind { GT_ANSWER_JSON, GT_ANSWER_HTML, GT_ANSWER_XML, GT_ANSWER_TEXT };
extern const char *const gt_answer_kind_names[]; /* json html xml text, NULL-ended */

struct gt_answer;
struct gt_record;

/* GT_E_INVALID when it is not what it should be. */
int gt_answer_parse(enum gt_answer_kind kind, const char *bytes, size_t len,
                    struct gt_answer **ret_answer, struct gt_error *err);
void gt_answer_free(struct gt_answer *answer);
/* The whole answer as a record; lives as long as the answer. */
const struct gt_record *gt_answer_root(const struct gt_answer *answer);

/* GT_E_INVALID with words when the selector cannot be one of this kind. `items`: it selects items.
 */
int gt_selector_check(enum gt_answer_kind kind, const char *selector, bool items,
                      struct gt_error *err);

typedef int gt_record_each(void *user, const struct gt_record *record);
/* Calls each for every record that the selector finds below `record`, at most `most`; stops when
 * each returns other than 0, and returns that. Otherwise 0 or a GT_E_ code. */
int gt_records(const struct gt_record *record, const char *selector, size_t most,
               gt_record_each *each, void *user, struct gt_error *err);

/* Appends the texts that the selector finds, joined by `separator`; NULL: only the first one. Empty
 * ones and JSON nulls are left out. Numbers and booleans are written as in JSON. Returns how many
 * were appended. */
int gt_record_text(const struct gt_record *record, const char *selector, const char *separator,
                   struct gt_buffer *out);
/* True for a JSON null, or nothing at all. */
bool gt_record_is_null(const struct gt_record *record);

/* libxml2 writes nothing to standard error in this thread from now on. */
void gt_xml_be_silent(void);

#endif
