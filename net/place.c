#include "net/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const gt_schemes_http[] = {"http", "https", NULL};
const char *const gt_schemes_smtp[] = {"smtp", "smtps", NULL};

static void url_cleanup(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void text_cleanup(char **text)
{
    curl_free(*text);
}
#define CURL_TEXT __attribute__((cleanup(text_cleanup))) char *

static char *part(CURLU *url, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(url, what, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool has(CURLU *url, CURLUPart what)
{
    CURL_TEXT text = part(url, what, 0);
    return text != NULL;
}

static bool listed(const char *const *words, const char *word)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static char *make_origin(const char *scheme, const char *host, const char *port)
{
    struct gt_buffer out = GT_BUFFER(GT_NET_URL_BYTES);
    gt_buffer_printf(&out, "%s://%s%s%s", scheme, host, port ? ":" : "", port ? port : "");
    if (!gt_buffer_ok(&out)) {
        gt_buffer_free(&out);
        return NULL;
    }
    for (char *c = out.data; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return out.data;
}

static int fill(CURLU *url, const char *const *schemes, struct place *out, struct gt_error *err)
{
    CURL_TEXT scheme = part(url, CURLUPART_SCHEME, 0);
    CURL_TEXT host = part(url, CURLUPART_HOST, 0);
    CURL_TEXT port = part(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    CURL_TEXT text = part(url, CURLUPART_URL, 0);
    if (!scheme || !host || !*host || !text)
        return gt_fail(err, GT_E_INVALID, "the URL has no scheme or no host");
    if (!listed(schemes, scheme))
        return gt_fail(err, GT_E_INVALID, "the URL begins with %s:, only %s: and %s: are possible",
                       scheme, schemes[0], schemes[1]);
    out->credentials = has(url, CURLUPART_USER) || has(url, CURLUPART_PASSWORD);
    out->origin = make_origin(scheme, host, port);
    if (!out->origin || !gt_copy(&out->url, text))
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    return 0;
}

int gt_place_parse(const char *base, const char *text, const char *const *schemes,
                   struct place *ret_place, struct gt_error *err)
{
    __attribute__((cleanup(url_cleanup))) CURLU *url = curl_url();
    if (!url)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    if (strlen(text) > GT_NET_URL_BYTES)
        return gt_fail(err, GT_E_INVALID, "the URL is longer than %d bytes", GT_NET_URL_BYTES);
    unsigned flags = CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME;
    if (base && curl_url_set(url, CURLUPART_URL, base, flags) != CURLUE_OK)
        return gt_fail(err, GT_E_INVALID, "the URL it is relative to is none");
    if (curl_url_set(url, CURLUPART_URL, text, flags) != CURLUE_OK)
        return gt_fail(err, GT_E_INVALID, "not a URL: write it as %s://host/path", schemes[1]);
    struct place place = {0};
    int rc = fill(url, schemes, &place, err);
    if (rc) {
        gt_place_free(&place);
        return rc;
    }
    *ret_place = place;
    return 0;
}

void gt_place_free(struct place *place)
{
    free(place->url);
    free(place->origin);
    *place = (struct place){0};
}

char *gt_place_public_url(const struct place *place)
{
    __attribute__((cleanup(url_cleanup))) CURLU *url = curl_url();
    if (!url || curl_url_set(url, CURLUPART_URL, place->url, CURLU_NON_SUPPORT_SCHEME) ||
        curl_url_set(url, CURLUPART_USER, NULL, 0) ||
        curl_url_set(url, CURLUPART_PASSWORD, NULL, 0))
        return NULL;
    CURL_TEXT text = part(url, CURLUPART_URL, 0);
    return text ? strdup(text) : NULL;
}
