/* The seam of the crawler: one const table of functions per kind of source.
 *
 * A source does no I/O of its own: plan() says which requests to make, parse() turns an answer into
 * documents and follow-up requests, save() writes the cursor. So it is tested from recorded answers
 * and fuzzed directly. A source of local events gives file descriptors to watch instead (`events`).
 *
 * One poll = plan() and all follow-ups until nothing is under way. The cursor is committed with the
 * last documents of a poll: what save() says then must not skip anything that was not handed over
 * (an item whose body could not be fetched stays in the cursor to be tried again). */
#ifndef GT_CRAWLER_SOURCE_H
#define GT_CRAWLER_SOURCE_H

#include "crawler/crawler.h"

struct gt_source_settings {
    const struct gt_config *config;
    const struct gt_source_config *source;
    const char *cursor; /* as saved last; NULL: the first time */
};

/* Where plan, parse and events put what they make; everything is copied. What answers with a GT_E_
 * code was not taken: the source must keep it in its cursor. */
struct gt_source_output {
    void *user;
    /* `tag`: whatever the source needs to know the request by, given back to parse (copied, at most
     * 4 KiB). The source's proxy, timeout and max_size are applied here. allow_private says that
     * the URL is one the operator named (not one found in an answer); it is honoured only when the
     * configuration allows it too. GT_E_LIMIT: too many requests in this poll. Some may never be
     * answered (the poll failed or was drained): count as done only what parse has seen. */
    int (*request)(void *user, const struct gt_http_request *request, const char *tag,
                   struct gt_error *err);
    /* id is made here; source, owned, brand and fetched_ms are filled in. GT_E_FULL: too much waits
     * already. */
    int (*document)(void *user, const struct gt_document *document, struct gt_error *err);
};

/* What a parse means for the schedule. */
enum gt_parse_verdict {
    GT_PARSED = 0,
    GT_PARSE_UNCHANGED = 1, /* 304, or nothing new */
    GT_PARSE_GONE = 2, /* 410 or 451: it is over; the source stops, err says why and what to do */
    /* or a GT_E_ code: the poll failed; its requests not yet sent are dropped, and it is tried
       again with back-off */
};

struct gt_source {
    const char *name;
    const struct gt_kind *kind;
    int (*open)(const struct gt_source_settings *settings, void **ret_self, struct gt_error *err);
    int (*plan)(void *self, int64_t now_ms, const struct gt_source_output *out,
                struct gt_error *err);
    int (*parse)(void *self, const char *tag, const struct gt_http_response *response,
                 int64_t now_ms, const struct gt_source_output *out, struct gt_error *err);
    /* Called when a poll is over and everything it handed out was taken; failed requests included.
     */
    int (*save)(void *self, struct gt_buffer *ret_cursor, struct gt_error *err);
    void (*close)(void *self);
    /* Local events; NULL for others. fd < 0: none. */
    int (*fd)(void *self);
    int (*events)(void *self, int64_t now_ms, const struct gt_source_output *out,
                  struct gt_error *err);
    /* Least time to the next poll that the server asked for in the last answers (X-Poll-Interval,
     * ttl); 0: none. May be NULL. */
    int64_t (*wait_ms)(void *self);
    /* What an operator should know though the poll went well (a gap, an item given up); NULL:
     * nothing. May be NULL. */
    const char *(*warning)(void *self);
};

extern const struct gt_source gt_source_folder, gt_source_feed, gt_source_site;
extern const struct gt_kind gt_folder_kind, gt_feed_kind, gt_site_kind;

#endif
