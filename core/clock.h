/* Time. A wall-clock instant is an int64_t of Unix milliseconds, UTC; 0 means "not known". */
#ifndef GT_CORE_CLOCK_H
#define GT_CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define GT_SECOND INT64_C(1000)
#define GT_MINUTE (60 * GT_SECOND)
#define GT_HOUR (60 * GT_MINUTE)
#define GT_DAY (24 * GT_HOUR)

int64_t gt_now(void);       /* wall clock */
int64_t gt_monotonic(void); /* never goes back; origin unspecified; milliseconds */
void gt_sleep(int64_t ms);  /* returns early on a signal */

#define GT_TIME_TEXT 32
/* RFC 3339 with zone: "2026-01-31T08:30:00Z" (milliseconds only when not zero). buf of
 * GT_TIME_TEXT. */
const char *gt_time_format(int64_t ms, char *buf);
/* RFC 3339 / ISO 8601, RFC 822/1123 dates of feeds and HTTP (also common wrong spellings), bare
 * Unix seconds or milliseconds. Returns 0 when it is none of them. */
int64_t gt_time_parse(const char *text);

/* Full-jitter back-off (AWS Architecture Blog, "Exponential Backoff And Jitter"): uniform in
 * [0, min(cap, base * 2^attempt)], at least base / 2 so that nobody spins. attempt counts from 0.
 */
int64_t gt_backoff(int attempt, int64_t base_ms, int64_t cap_ms);
/* Uniform in [0, below): for jitter, not for keys. below > 0. */
uint32_t gt_random(uint32_t below);

#endif
