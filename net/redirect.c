/* Redirects are followed here and not by curl: every hop waits for its turn at its host, custom
 * headers do not travel to another origin (curl would resend them), and a secret never goes from
 * https to http. RFC 9110, section 15.4. */
#include "net/internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What may be said to anybody. All else (Authorization, PRIVATE-TOKEN, Cookie, X-Api-Key, names
 * that we do not know) may be a credential and stays with the origin it was given for. */
static const char *const harmless[] = {
    "accept",        "accept-language", "cache-control",
    "content-type",  "expect",          "if-modified-since",
    "if-none-match", "range",           "user-agent",
};

static bool is_harmless(const char *line)
{
    size_t len = strcspn(line, ":;");
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (strlen(harmless[i]) == len && strncasecmp(harmless[i], line, len) == 0)
            return true;
    return false;
}

static bool all_harmless(const struct curl_slist *headers)
{
    for (; headers; headers = headers->next)
        if (!is_harmless(headers->data))
            return false;
    return true;
}

static bool keep_harmless(struct curl_slist **headers)
{
    struct curl_slist *kept = NULL;
    for (const struct curl_slist *line = *headers; line; line = line->next) {
        if (is_harmless(line->data) && !gt_slist_add(&kept, line->data)) {
            curl_slist_free_all(kept);
            return false;
        }
    }
    curl_slist_free_all(*headers);
    *headers = kept;
    return true;
}

/* 303, and what all clients do after 301 and 302 to a POST: ask for it with GET, without the body.
 */
static void become_get(struct transfer *t)
{
    bool post = strcmp(t->method, "POST") == 0, head = strcmp(t->method, "HEAD") == 0;
    if ((t->status == 303 && !head) || (t->status <= 302 && post)) {
        memcpy(t->method, "GET", 4); /* no method but GET is shorter, and that one stays */
        free(t->body);
        t->body = NULL;
        t->body_len = 0;
    }
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int check(struct transfer *t, const struct place *to)
{
    bool secret = t->at.credentials || t->body_len || !all_harmless(t->headers);
    if (secret && gt_starts_with(t->at.url, "https:") && gt_starts_with(to->url, "http:"))
        return gt_fail(
            &t->failure, GT_E_REFUSED,
            "%s: redirects from https to http (%s); not followed, since the request holds "
            "credentials or content",
            t->at.origin, to->origin);
    if (t->redirects_left <= 0)
        return gt_fail(&t->failure, GT_E_LIMIT, "%s: too many redirects, the last one to %s",
                       t->at.origin, to->origin);
    return 0;
}

static int go(struct transfer *t, struct place *to)
{
    if (strcmp(t->at.origin, to->origin) != 0 && !keep_harmless(&t->headers))
        return gt_fail(&t->failure, GT_E_NOMEM, "out of memory");
    become_get(t);
    bool permanent = t->status == 301 || t->status == 308;
    t->only_permanent = permanent && (!t->redirected || t->only_permanent);
    t->redirected = true;
    t->redirects_left--;
    gt_place_free(&t->at);
    t->at = *to;
    *to = (struct place){0};
    return 1;
}

int gt_redirect(struct transfer *t)
{
    const char *location = gt_answer_find(t, "location");
    if (!is_redirect(t->status) || !location || t->redirects_left < 0)
        return 0;
    struct place to = {0};
    if (gt_place_parse(t->at.url, location, gt_schemes_http, &to, &t->failure))
        return gt_error_prefix(&t->failure, "%s: redirects to nowhere", t->at.origin);
    int rc = check(t, &to);
    if (rc == 0)
        rc = go(t, &to);
    gt_place_free(&to);
    return rc;
}
