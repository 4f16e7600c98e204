/* One source at work: its poll from plan() to the commit of its cursor. */
#ifndef GT_CRAWLER_POLL_H
#define GT_CRAWLER_POLL_H

#include "crawler/batch.h"
#include "crawler/schedule.h"
#include "crawler/source.h"

#define GT_POLL_REQUESTS 2000 /* in one poll */
#define GT_POLL_AT_ONCE 4     /* under way in net */
#define GT_POLL_CURSOR_MAX ((size_t)4 << 20)

struct gt_job; /* a request waiting here or under way in net */

enum gt_phase {
    GT_IDLE,
    GT_READING,    /* requests wait or are under way */
    GT_COMMITTING, /* everything is read; documents and cursor wait for the sink */
};

struct gt_tracked {
    struct gt_crawler *crawler;
    const struct gt_source_config *config;
    const struct gt_source *source;
    void *self; /* NULL: could not be opened; the schedule is stopped then */
    struct gt_schedule schedule;
    struct gt_batch batch;
    char *cursor; /* as committed last; NULL: never */
    uint64_t documents;
    int64_t last_try_ms, last_success_ms;

    enum gt_phase phase;
    struct gt_job *waiting, **waiting_end, *running;
    size_t running_count, requests;
    bool from_events, changed, gone;
    struct gt_error trouble; /* the first of this poll; code 0: none */
    int64_t wait_ms;         /* what the servers asked for in this poll */
    size_t fresh, refused;
    struct gt_buffer next_cursor;

    bool dirty; /* its state should be reported */
    int64_t reported_at;
    const char *reported_state;
    bool reported_error;
    uint64_t reported_failures;
};

struct gt_crawler {
    const struct gt_config *config;
    struct gt_net *net;
    struct gt_crawl_sink sink;
    struct gt_tracked *tracked;
    size_t count;
    bool draining;
    bool held; /* the sink refused: nothing new is planned or sent until a commit passes */
    int64_t held_until;
    int holds; /* refusals in a row */
    struct gt_error held_why;
};

/* Starts a poll by plan(), or by events(). */
void gt_poll_begin(struct gt_tracked *tracked, bool from_events);
/* Sends what waits, and ends the poll when nothing is left to read. */
void gt_poll_advance(struct gt_tracked *tracked);
/* Hands over what waits for the sink. False when it refused. */
bool gt_poll_commit(struct gt_tracked *tracked);
/* Forgets requests that were not sent yet. */
void gt_poll_drop_waiting(struct gt_tracked *tracked);
/* Frees everything of the tracked source; net must not call back any more. */
void gt_poll_close(struct gt_tracked *tracked);

#endif
