/* Feeds: RSS 0.9x, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0 (RFC 4287), JSON Feed 1 and 1.1
 * (https://www.jsonfeed.org/version/1.1/), read as tolerantly as real feeds need. */
#ifndef GT_CRAWLER_SOURCES_FEED_H
#define GT_CRAWLER_SOURCES_FEED_H

#include "core/core.h"

#define GT_FEED_ENTRIES 10000
#define GT_FEED_TEXT_MAX ((size_t)16 << 20) /* of one entry */

struct gt_feed_entry {
    const char *key;    /* guid or id, else the link; NULL: it has neither */
    const char *url;    /* may be relative; NULL: none */
    const char *title;  /* plain text; NULL: none */
    const char *author; /* NULL: none */
    int64_t published_ms;
    const char *text; /* readable text: title, description, content, links; NUL-terminated */
    size_t text_len;
};

struct gt_feed_info {
    size_t entries;
    int64_t ttl_ms; /* 0: none */
};

typedef int gt_feed_each(void *user, const struct gt_feed_entry *entry);

/* content_type: the header's value, for its charset; NULL: none. Calls each for the first
 * GT_FEED_ENTRIES entries, until it returns a GT_E_ code, which is returned. GT_E_INVALID: it is no
 * feed. */
int gt_feed_parse(const char *bytes, size_t len, const char *content_type, gt_feed_each *each,
                  void *user, struct gt_feed_info *ret_info, struct gt_error *err);

/* The two halves of it. */
int gt_feed_parse_xml(const char *bytes, size_t len, const char *charset, gt_feed_each *each,
                      void *user, struct gt_feed_info *ret_info, struct gt_error *err);
int gt_feed_parse_json(const char *bytes, size_t len, gt_feed_each *each, void *user,
                       struct gt_feed_info *ret_info, struct gt_error *err);

/* An entry while it is read: its texts grow, then they are handed over as one gt_feed_entry. */
struct gt_feed_draft {
    struct gt_buffer key, url, title, author, text, links;
    int64_t published_ms;
};
void gt_feed_draft_init(struct gt_feed_draft *draft);
void gt_feed_draft_reset(struct gt_feed_draft *draft);
void gt_feed_draft_free(struct gt_feed_draft *draft);
/* Adds a paragraph of the text unless the text has it already. */
void gt_feed_draft_text(struct gt_feed_draft *draft, const char *bytes, size_t len, bool html);
void gt_feed_draft_link(struct gt_feed_draft *draft, const char *url);
int gt_feed_draft_finish(struct gt_feed_draft *draft, gt_feed_each *each, void *user);

#endif
