/* What an answer's status means, in words that say what to do; the same for every source. */
#ifndef GT_CRAWLER_ANSWER_H
#define GT_CRAWLER_ANSWER_H

#include "crawler/source.h"

/* 0: an answer to read (2xx). GT_PARSE_UNCHANGED: 304. GT_PARSE_GONE: 410, 451. Otherwise a GT_E_
 * code: no answer, or one that says no. err has the words of everything but 0 and 304. */
int gt_answer_check(const struct gt_http_response *response, struct gt_error *err);
/* X-Poll-Interval (GitHub) in milliseconds; 0: none. */
int64_t gt_answer_poll_interval(const struct gt_http_response *response);

#endif
