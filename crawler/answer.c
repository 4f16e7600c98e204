#include "crawler/answer.h"

#include <stdlib.h>

static const struct meaning {
    int status;
    int code;
    const char *words;
} meanings[] = {
    {304, GT_PARSE_UNCHANGED, "not modified"},
    {400, GT_E_INVALID, "the server does not understand the request; check the source's options"},
    {401, GT_E_REFUSED,
     "the server wants a token, or refuses this one; give the source a valid `token`"},
    {403, GT_E_REFUSED,
     "the server refuses; check the token's rights, the plan, or the rate limit"},
    {404, GT_E_NOTFOUND, "there is nothing at this address; check the source's options"},
    {407, GT_E_REFUSED, "the proxy wants a login; put it into the URL of `proxy`"},
    {410, GT_PARSE_GONE,
     "the server says that it is gone for good; remove the source, or give its new address"},
    {429, GT_E_AGAIN, "too many requests; a longer `interval` or a token helps"},
    {451, GT_PARSE_GONE, "withheld for legal reasons; remove the source, or give another address"},
};

int gt_answer_check(const struct gt_http_response *response, struct gt_error *err)
{
    int status = response->status;

    if (response->error)
        return gt_fail(err, response->error, "%s", response->words ? response->words : "no answer");
    if (status >= 200 && status < 300)
        return 0;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].status == status) {
            gt_fail(err, meanings[i].code, "HTTP %d: %s", status, meanings[i].words);
            return meanings[i].code;
        }
    return gt_fail(err, status >= 500 ? GT_E_IO : GT_E_INVALID, "HTTP %d: %s", status,
                   status >= 500 ? "the server has trouble; it is tried again"
                                 : "not an answer that can be read; check the address");
}

int64_t gt_answer_poll_interval(const struct gt_http_response *response)
{
    const char *value = gt_http_header(response, "x-poll-interval");
    long seconds = value ? strtol(value, NULL, 10) : 0;
    return seconds > 0 && seconds <= 24 * 60 * 60 ? seconds * GT_SECOND : 0;
}
