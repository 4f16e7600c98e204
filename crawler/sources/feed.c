/* A feed, polled with ETag and Last-Modified.
 *
 * An entry is new when its key (guid, id, link) or its text is: edits without a new date are seen
 * too. The cursor holds the hashes of the entries handed over, at least all of the last answer. */
#include "crawler/sources/feed.h"

#include "crawler/answer.h"
#include "crawler/html.h"
#include "crawler/seen.h"
#include "crawler/source.h"

#include <libxml/uri.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX (2 * GT_FEED_ENTRIES)
#define SEEN_LEAST 500
#define VALIDATOR_MAX 1024

struct options {
    const char *url;
};

static int check_url(const char *value, struct gt_error *err)
{
    if (gt_starts_with(value, "http://") || gt_starts_with(value, "https://"))
        return 0;
    return gt_fail(err, GT_E_INVALID, "is no web address; write http:// or https:// before it");
}

static const struct gt_option option_table[] = {
    {"url", GT_OPTION_STRING, offsetof(struct options, url), NULL, "address of the feed",
     GT_OPTION_REQUIRED, .check = check_url},
    {NULL, GT_OPTION_END},
};

const struct gt_kind gt_feed_kind = {"feed", "RSS, Atom or JSON Feed", option_table,
                                     sizeof(struct options)};

struct feed {
    char *url;   /* as configured */
    char *moved; /* where it lives now; NULL: there */
    char *etag, *modified;
    struct gt_seen *seen;
    size_t entries; /* in the last answer */
    int64_t ttl_ms;
};

static void replace(char **text, const char *with)
{
    char *copy = with && *with && strlen(with) < VALIDATOR_MAX ? strdup(with) : NULL;
    free(*text);
    *text = copy;
}

static int feed_plan(void *self, int64_t now_ms, const struct gt_source_output *out,
                     struct gt_error *err)
{
    struct feed *feed = self;
    struct gt_header headers[3] = {
        {"Accept", "application/atom+xml, application/rss+xml, application/feed+json, "
                   "application/xml;q=0.9, application/json;q=0.8, */*;q=0.1"}};
    size_t count = 1;

    if (feed->etag)
        headers[count++] = (struct gt_header){"If-None-Match", feed->etag};
    if (feed->modified)
        headers[count++] = (struct gt_header){"If-Modified-Since", feed->modified};
    const struct gt_http_request request = {
        .url = feed->moved ? feed->moved : feed->url,
        .headers = headers,
        .header_count = count,
        .allow_private = true,
    };
    return out->request(out->user, &request, "feed", err);
}

struct taking {
    struct feed *feed;
    const struct gt_source_output *out;
    const char *base;
    size_t new;
    struct gt_error *err;
};

static char *absolute(const char *url, const char *base)
{
    if (!url || !base)
        return NULL;
    return (char *)xmlBuildURI((const xmlChar *)url, (const xmlChar *)base);
}

static int take_entry(void *user, const struct gt_feed_entry *entry)
{
    struct taking *taking = user;
    char content[GT_ID_TEXT];
    const struct gt_part text = {entry->text, entry->text_len};

    if (!entry->text_len)
        return 0;
    gt_id_make("feed-entry", &text, 1, content);
    const char *key = entry->key ? entry->key : content;
    uint64_t hash = gt_seen_hash(key, content);
    if (gt_seen_has(taking->feed->seen, hash))
        return gt_seen_add(taking->feed->seen, hash);

    char *url = absolute(entry->url, taking->base);
    const struct gt_document document = {
        .key = key,
        .url = url ? url : entry->url,
        .title = entry->title,
        .author = entry->author,
        .type = "text/plain",
        .published_ms = entry->published_ms,
        .body = entry->text,
        .body_len = entry->text_len,
    };
    int code = taking->out->document(taking->out->user, &document, taking->err);
    xmlFree(url);
    taking->new += code >= 0;
    return code < 0 ? code : gt_seen_add(taking->feed->seen, hash);
}

/* A move that is for good is remembered, except one from https to http. */
static void note_move(struct feed *feed, const struct gt_http_response *response)
{
    const char *now = feed->moved ? feed->moved : feed->url;
    if (!response->moved || !response->url || strcmp(response->url, now) == 0)
        return;
    if (gt_starts_with(now, "https://") && !gt_starts_with(response->url, "https://"))
        return;
    replace(&feed->moved, response->url);
}

static int feed_parse(void *self, const char *tag, const struct gt_http_response *response,
                      int64_t now_ms, const struct gt_source_output *out, struct gt_error *err)
{
    struct feed *feed = self;
    struct taking taking = {.feed = feed, .out = out, .base = response->url, .err = err};
    struct gt_feed_info info;

    int code = gt_answer_check(response, err);
    if (code)
        return code;
    gt_seen_begin(feed->seen);
    code = gt_feed_parse(response->body ? response->body : "", response->body_len,
                         gt_http_header(response, "content-type"), take_entry, &taking, &info, err);
    if (code < 0)
        return code;
    feed->entries = info.entries;
    feed->ttl_ms = info.ttl_ms;
    note_move(feed, response);
    replace(&feed->etag, gt_http_header(response, "etag"));
    replace(&feed->modified, gt_http_header(response, "last-modified"));
    return taking.new ? GT_PARSED : GT_PARSE_UNCHANGED;
}

static int64_t feed_wait_ms(void *self)
{
    return ((const struct feed *)self)->ttl_ms;
}

static int feed_save(void *self, struct gt_buffer *ret_cursor, struct gt_error *err)
{
    const struct feed *feed = self;
    GT_BUFFER_AUTO struct gt_buffer seen = GT_BUFFER((size_t)16 * SEEN_MAX);
    size_t keep = 2 * feed->entries > SEEN_LEAST ? 2 * feed->entries : SEEN_LEAST;

    if (gt_seen_append(feed->seen, keep, &seen) < 0)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the cursor of a feed");
    GT_JSON_AUTO json_t *cursor =
        json_pack("{s:s, s:s*, s:s*, s:s*, s:s}", "url", feed->url, "moved", feed->moved, "etag",
                  feed->etag, "modified", feed->modified, "seen", seen.data ? seen.data : "");
    if (!cursor)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the cursor of a feed");
    return gt_json_append(cursor, ret_cursor);
}

/* Validators and the new address belong to the configured address: another one starts afresh. */
static void load(struct feed *feed, const char *text)
{
    GT_JSON_AUTO json_t *cursor = gt_json_parse(text, strlen(text), NULL);

    if (strcmp(gt_json_string(cursor, "url", ""), feed->url) != 0)
        return;
    replace(&feed->moved, gt_json_string(cursor, "moved", NULL));
    replace(&feed->etag, gt_json_string(cursor, "etag", NULL));
    replace(&feed->modified, gt_json_string(cursor, "modified", NULL));
    if (gt_seen_load(feed->seen, gt_json_string(cursor, "seen", "")) < 0)
        replace(&feed->etag, NULL);
}

static void feed_close(void *self)
{
    struct feed *feed = self;
    if (!feed)
        return;
    free(feed->url);
    free(feed->moved);
    free(feed->etag);
    free(feed->modified);
    gt_seen_free(feed->seen);
    free(feed);
}

static int feed_open(const struct gt_source_settings *settings, void **ret_self,
                     struct gt_error *err)
{
    const struct options *options = settings->source->options;
    struct feed *feed = calloc(1, sizeof *feed);

    if (feed) {
        feed->url = strdup(options->url);
        feed->seen = gt_seen_new(SEEN_MAX);
    }
    if (!feed || !feed->url || !feed->seen) {
        feed_close(feed);
        return gt_fail(err, GT_E_NOMEM, "out of memory for a feed");
    }
    if (settings->cursor)
        load(feed, settings->cursor);
    *ret_self = feed;
    return 0;
}

/* "text/xml; charset=utf-8": the charset, or "" */
static void charset_of(const char *content_type, char *ret, size_t size)
{
    const char *at = content_type ? strcasestr(content_type, "charset=") : NULL;
    size_t len = 0;

    for (at = at ? at + 8 : ""; *at && *at != ';' && *at != ' ' && len + 1 < size; at++)
        if (*at != '"' && *at != '\'')
            ret[len++] = *at;
    ret[len] = '\0';
}

int gt_feed_parse(const char *bytes, size_t len, const char *content_type, gt_feed_each *each,
                  void *user, struct gt_feed_info *ret_info, struct gt_error *err)
{
    char charset[40];

    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    while (len && (*bytes == ' ' || *bytes == '\n' || *bytes == '\r' || *bytes == '\t')) {
        bytes++;
        len--;
    }
    if (len && *bytes == '{')
        return gt_feed_parse_json(bytes, len, each, user, ret_info, err);
    charset_of(content_type, charset, sizeof charset);
    return gt_feed_parse_xml(bytes, len, *charset ? charset : NULL, each, user, ret_info, err);
}

const struct gt_source gt_source_feed = {
    .name = "feed",
    .kind = &gt_feed_kind,
    .open = feed_open,
    .plan = feed_plan,
    .parse = feed_parse,
    .save = feed_save,
    .close = feed_close,
    .wait_ms = feed_wait_ms,
};
