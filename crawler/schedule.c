#include "crawler/schedule.h"

#include <stdio.h>

#define BACKOFF_BASE (5 * GT_SECOND)
#define BACKOFF_LEAST_CAP (15 * GT_MINUTE)
#define START_SPREAD (2 * GT_SECOND)

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The server's wish, but never for more than a day. */
static int64_t granted(int64_t wait_ms)
{
    return most(0, least(wait_ms, GT_DAY));
}

void gt_schedule_start(struct gt_schedule *schedule, int64_t now, bool eager)
{
    int64_t spread = least(schedule->interval_ms, START_SPREAD);
    schedule->next_ms = eager ? now : now + gt_random((uint32_t)most(1, spread));
}

static int64_t jittered(const struct gt_schedule *schedule)
{
    int64_t span = (int64_t)(schedule->jitter * (double)schedule->interval_ms);
    if (span <= 0)
        return schedule->interval_ms;
    uint32_t width = (uint32_t)least(2 * span + 1, UINT32_MAX);
    return most(0, schedule->interval_ms - span + gt_random(width));
}

void gt_schedule_success(struct gt_schedule *schedule, int64_t now, int64_t wait_ms)
{
    schedule->tried = true;
    schedule->failures = 0;
    schedule->error[0] = '\0';
    schedule->next_ms = now + most(jittered(schedule), granted(wait_ms));
}

void gt_schedule_failure(struct gt_schedule *schedule, int64_t now, int64_t wait_ms,
                         const char *words)
{
    int64_t base = least(most(schedule->interval_ms, 1), BACKOFF_BASE);
    int64_t cap = schedule->cap_ms;
    if (!cap)
        cap = most(BACKOFF_LEAST_CAP, least(8 * schedule->interval_ms, GT_DAY));
    int attempt = schedule->failures < 30 ? (int)schedule->failures : 30;

    schedule->tried = true;
    schedule->failures++;
    snprintf(schedule->error, sizeof schedule->error, "%s", words);
    schedule->next_ms = now + most(gt_backoff(attempt, base, cap), granted(wait_ms));
}

void gt_schedule_warn(struct gt_schedule *schedule, const char *words)
{
    snprintf(schedule->error, sizeof schedule->error, "%s", words ? words : "");
}

void gt_schedule_stop(struct gt_schedule *schedule, const char *words)
{
    schedule->tried = true;
    schedule->stopped = true;
    snprintf(schedule->error, sizeof schedule->error, "%s", words);
}

bool gt_schedule_due(const struct gt_schedule *schedule, int64_t now)
{
    return !schedule->stopped && now >= schedule->next_ms;
}

const char *gt_schedule_state(const struct gt_schedule *schedule, bool held)
{
    if (schedule->stopped)
        return "disabled";
    if (schedule->failures)
        return schedule->failures <= 3 ? "retrying" : "failing";
    return held || !schedule->tried ? "waiting" : "ok";
}
