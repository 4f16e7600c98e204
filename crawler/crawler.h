/* crawler: decides when each source is read, reads it and hands documents to a sink.
 *
 * It knows no queue: the sink's commit() takes documents together with the source's cursor, in one
 * transaction, and may answer GT_E_FULL, upon which the crawler plans nothing new until a commit
 * passes. */
#ifndef GT_CRAWLER_H
#define GT_CRAWLER_H

#include "core/core.h"
#include "model/model.h"
#include "net/net.h"

struct gt_crawler;

extern const struct gt_kind *const gt_source_kinds[]; /* NULL-ended, for the configuration */

/* What an operator sees of a source; kept as a fact "source/NAME" for `guette status`. */
struct gt_source_state {
    const char *name, *type;
    const char *state; /* "ok", "waiting", "retrying", "failing", "disabled" */
    const char *error; /* last one in words, or a warning beside "ok"; NULL: none */
    int64_t last_try_ms, last_success_ms, next_try_ms;
    uint64_t documents; /* fresh ones, since the process began */
    uint64_t failures;  /* in a row */
    uint64_t recovered; /* so many, told before, ended just now; 0: none */
};
/* {name, type, state, error, last_try, last_success, next_try, documents, failures}; times in RFC
 * 3339, or null. New reference, NULL when out of memory. */
json_t *gt_source_state_to_json(const struct gt_source_state *state);

struct gt_crawl_sink {
    void *user;
    /* *ret_fresh: how many were new. cursor NULL: documents only. */
    int (*commit)(void *user, const char *source, const struct gt_document *documents, size_t count,
                  const char *cursor, size_t *ret_fresh, struct gt_error *err);
    /* The cursor as text; GT_E_NOTFOUND. */
    int (*load)(void *user, const char *source, struct gt_buffer *ret_cursor, struct gt_error *err);
    void (*report)(void *user, const struct gt_source_state *state);
};

/* Opens every enabled source with its cursor; a site's definition is looked for in config->sites,
 * then among the built-in ones. A source that cannot be opened is reported as "disabled" with the
 * reason; only a sink that cannot load cursors makes this fail. The configuration and net must
 * outlive the crawler. guette_crawl_polls_total is counted here; documents and the state of sources
 * by the owner of the sink. */
int gt_crawler_open(const struct gt_config *config, struct gt_net *net,
                    const struct gt_crawl_sink *sink, struct gt_crawler **ret_crawler,
                    struct gt_error *err);
/* One turn of the loop: at most timeout_ms. */
int gt_crawler_run(struct gt_crawler *crawler, int64_t timeout_ms, struct gt_error *err);
/* Plans and sends nothing more; true once nothing is under way. Call it between turns until it is
 * true, or the time is up: what is lost then is read again from the last cursor. */
bool gt_crawler_drain(struct gt_crawler *crawler);
/* gt_net_run must not be called afterwards if gt_crawler_drain was not true: close the net next. */
void gt_crawler_close(struct gt_crawler *crawler);

/* Checks every site definition found and proves its examples, without network; for `guette sites
 * check` and the meta tests. Calls report for each with err NULL when it passed. Returns the number
 * of failures, or a GT_E_ code. */
int gt_sites_check(const char *const *directories,
                   void (*report)(void *user, const char *file, const char *site,
                                  const char *failure),
                   void *user, struct gt_error *err);
struct gt_site_summary {
    const char *name, *title, *category, *needs, *home;
};
int gt_sites_list(const char *const *directories, struct gt_arena *arena,
                  struct gt_site_summary **ret_sites, size_t *ret_count, struct gt_error *err);

#endif
