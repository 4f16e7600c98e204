/* When a source is read next. Knows no clock of its own: `now` is gt_monotonic(), so that a wall
 * clock that is set back changes nothing. */
#ifndef GT_CRAWLER_SCHEDULE_H
#define GT_CRAWLER_SCHEDULE_H

#include "core/core.h"

struct gt_schedule {
    int64_t interval_ms;
    double jitter;  /* share of the interval by which a poll may come earlier or later */
    int64_t cap_ms; /* longest back-off; 0: eight intervals, at least 15 minutes */
    int64_t next_ms;
    uint64_t failures; /* in a row */
    bool stopped;      /* the server said that it is over, or the source cannot be opened */
    bool tried;
    char error[GT_ERROR_MAX]; /* of the last poll; "": none */
};

/* eager: at once; otherwise within the first two seconds, so that sources do not start in step. */
void gt_schedule_start(struct gt_schedule *schedule, int64_t now, bool eager);
/* wait_ms: the least time to the next poll that the server asked for; 0: none. At most a day is
 * granted. */
void gt_schedule_success(struct gt_schedule *schedule, int64_t now, int64_t wait_ms);
/* Back-off with full jitter up to the cap, never before wait_ms. */
void gt_schedule_failure(struct gt_schedule *schedule, int64_t now, int64_t wait_ms,
                         const char *words);
/* Words beside a success; NULL: none. */
void gt_schedule_warn(struct gt_schedule *schedule, const char *words);
void gt_schedule_stop(struct gt_schedule *schedule, const char *words);
bool gt_schedule_due(const struct gt_schedule *schedule, int64_t now);
/* "ok", "waiting" (not polled yet, or back-pressure), "retrying" (up to three failures), "failing",
 * "disabled". */
const char *gt_schedule_state(const struct gt_schedule *schedule, bool held);

#endif
