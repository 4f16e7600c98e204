#include "crawler/html.h"
#include "crawler/sources/feed.h"

#include <string.h>

static void put(struct gt_buffer *out, const json_t *item, const char *key)
{
    const json_t *value = json_object_get(item, key);

    if (json_is_string(value))
        gt_buffer_append(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value)) /* ids that should be strings */
        gt_buffer_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

static void add_text(struct gt_feed_draft *draft, const json_t *item, const char *key, bool html)
{
    const json_t *value = json_object_get(item, key);
    if (json_is_string(value))
        gt_feed_draft_text(draft, json_string_value(value), json_string_length(value), html);
}

static void add_link(struct gt_feed_draft *draft, const json_t *item, const char *key)
{
    gt_feed_draft_link(draft, gt_json_string(item, key, ""));
}

/* Version 1.1 has a list of authors, version 1 had one. */
static void put_author(struct gt_buffer *out, const json_t *item)
{
    const json_t *author = json_array_get(json_object_get(item, "authors"), 0);
    put(out, author ? author : json_object_get(item, "author"), "name");
}

static int finish_item(struct gt_feed_draft *draft, const json_t *item, gt_feed_each *each,
                       void *user)
{
    const json_t *attachments = json_object_get(item, "attachments");

    gt_feed_draft_reset(draft);
    put(&draft->key, item, "id");
    put(&draft->url, item, "url");
    if (!draft->url.len)
        put(&draft->url, item, "external_url");
    put(&draft->title, item, "title");
    put_author(&draft->author, item);
    draft->published_ms = gt_time_parse(
        gt_json_string(item, "date_published", gt_json_string(item, "date_modified", "")));
    add_text(draft, item, "content_text", false);
    add_text(draft, item, "content_html", true);
    add_text(draft, item, "summary", false);
    add_link(draft, item, "url");
    add_link(draft, item, "external_url");
    for (size_t i = 0; i < json_array_size(attachments); i++)
        add_link(draft, json_array_get(attachments, i), "url");
    return gt_feed_draft_finish(draft, each, user);
}

int gt_feed_parse_json(const char *bytes, size_t len, gt_feed_each *each, void *user,
                       struct gt_feed_info *ret_info, struct gt_error *err)
{
    struct gt_feed_info info = {0};
    struct gt_feed_draft draft;
    int code = 0;

    GT_JSON_AUTO json_t *feed = gt_json_parse(bytes, len, err);
    if (!feed)
        return GT_E_INVALID;
    const json_t *items = json_object_get(feed, "items");
    if (!json_is_array(items))
        return gt_fail(err, GT_E_INVALID,
                       "the answer is JSON but no JSON Feed: it has no \"items\"");

    gt_feed_draft_init(&draft);
    for (size_t i = 0; i < json_array_size(items) && i < GT_FEED_ENTRIES && code >= 0; i++) {
        if (!json_is_object(json_array_get(items, i)))
            continue;
        info.entries++;
        code = finish_item(&draft, json_array_get(items, i), each, user);
    }
    gt_feed_draft_free(&draft);
    if (code < 0)
        return gt_fail(err, code, "not every entry of the feed could be taken");
    *ret_info = info;
    return 0;
}
