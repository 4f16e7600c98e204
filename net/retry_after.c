/* When a server wants to see us again. Every service spells it differently; the forms here are
 * those of GitHub, GitLab, Mastodon, Reddit, X, Docker Hub and RFC 9110. */
#include "net/internal.h"

#include <string.h>

/* A number below this is seconds from now (three years), above it a Unix time. */
#define SECONDS_BELOW INT64_C(100000000)

static const char *find(const struct gt_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0)
            return headers[i].value;
    return NULL;
}

/* "12" or "12.0", the fraction rounded up; -1: it is no number. */
static int64_t whole_number(const char *text)
{
    int64_t n = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15)
        return -1;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (text[i] - '0');
    const char *rest = text + digits;
    if (*rest == '\0')
        return n;
    if (*rest != '.' || rest[1 + strspn(rest + 1, "0123456789")] != '\0')
        return -1;
    return rest[1 + strspn(rest + 1, "0")] == '\0' ? n : n + 1;
}

/* Seconds from now, a Unix time (seconds or milliseconds), an HTTP date or RFC 3339. */
static int64_t wait_until(const char *text, int64_t now)
{
    int64_t n = whole_number(text);
    if (n >= 0 && n < SECONDS_BELOW)
        return n * GT_SECOND;
    int64_t when = gt_time_parse(text);
    if (when == 0)
        return -1;
    return when > now ? when - now : 0;
}

static const struct {
    const char *reset, *remaining;
} windows[] = {
    {"ratelimit-reset", "ratelimit-remaining"},       /* GitLab, IETF draft */
    {"x-ratelimit-reset", "x-ratelimit-remaining"},   /* GitHub, Mastodon, Reddit */
    {"x-rate-limit-reset", "x-rate-limit-remaining"}, /* X */
};

/* A window that still has room is not why a request was refused; without "remaining" only the
 * status can tell. */
static bool used_up(const char *remaining, int status)
{
    if (remaining)
        return whole_number(remaining) == 0;
    return status == 403 || status == 429 || status == 503;
}

int64_t gt_retry_after(int status, const struct gt_header *headers, size_t count, int64_t now)
{
    static const char *const asked[] = {"retry-after", "x-retry-after"};
    const char *date = find(headers, count, "date");
    int64_t server_now = date ? gt_time_parse(date) : 0; /* its clock and ours may differ */
    if (server_now == 0)
        server_now = now;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const char *value = find(headers, count, asked[i]);
        int64_t wait = value ? wait_until(value, server_now) : -1;
        if (wait >= 0)
            return wait;
    }
    int64_t longest = -1;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        const char *reset = find(headers, count, windows[i].reset);
        if (!reset || !used_up(find(headers, count, windows[i].remaining), status))
            continue;
        int64_t wait = wait_until(reset, server_now);
        longest = wait > longest ? wait : longest;
    }
    return longest;
}
