#include "crawler/html.h"
#include "crawler/sources/feed.h"

#include <string.h>

#define FIELD_MAX 8192
#define LINKS_MAX ((size_t)64 * 1024)

void gt_feed_draft_init(struct gt_feed_draft *draft)
{
    *draft = (struct gt_feed_draft){
        .key = GT_BUFFER(FIELD_MAX),
        .url = GT_BUFFER(FIELD_MAX),
        .title = GT_BUFFER(FIELD_MAX),
        .author = GT_BUFFER(FIELD_MAX),
        .text = GT_BUFFER(GT_FEED_TEXT_MAX),
        .links = GT_BUFFER(LINKS_MAX),
    };
}

void gt_feed_draft_reset(struct gt_feed_draft *draft)
{
    gt_buffer_reset(&draft->key);
    gt_buffer_reset(&draft->url);
    gt_buffer_reset(&draft->title);
    gt_buffer_reset(&draft->author);
    gt_buffer_reset(&draft->text);
    gt_buffer_reset(&draft->links);
    draft->published_ms = 0;
}

void gt_feed_draft_free(struct gt_feed_draft *draft)
{
    gt_buffer_free(&draft->key);
    gt_buffer_free(&draft->url);
    gt_buffer_free(&draft->title);
    gt_buffer_free(&draft->author);
    gt_buffer_free(&draft->text);
    gt_buffer_free(&draft->links);
}

void gt_feed_draft_text(struct gt_feed_draft *draft, const char *bytes, size_t len, bool html)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(GT_FEED_TEXT_MAX);

    if (html)
        (void)gt_html_to_text(bytes, len, &text); /* cut at the limit */
    else
        gt_buffer_append(&text, bytes, len);
    struct gt_str trimmed = gt_str_trim((struct gt_str){text.data, text.len});
    if (!trimmed.len)
        return;
    /* A summary is often the content once more. */
    if (draft->text.len && memmem(draft->text.data, draft->text.len, trimmed.ptr, trimmed.len))
        return;
    if (draft->text.len)
        gt_buffer_puts(&draft->text, "\n\n");
    gt_buffer_append(&draft->text, trimmed.ptr, trimmed.len);
}

void gt_feed_draft_link(struct gt_feed_draft *draft, const char *url)
{
    if (!*url || (draft->links.data && strstr(draft->links.data, url)))
        return;
    if (draft->links.len)
        gt_buffer_putc(&draft->links, '\n');
    gt_buffer_puts(&draft->links, url);
}

static const char *text_or_null(const struct gt_buffer *buffer)
{
    return buffer->len ? buffer->data : NULL;
}

int gt_feed_draft_finish(struct gt_feed_draft *draft, gt_feed_each *each, void *user)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(2 * GT_FEED_TEXT_MAX);

    gt_buffer_append(&text, draft->title.data ? draft->title.data : "", draft->title.len);
    if (draft->text.len) {
        gt_buffer_puts(&text, text.len ? "\n\n" : "");
        gt_buffer_append(&text, draft->text.data, draft->text.len);
    }
    if (draft->links.len) {
        gt_buffer_puts(&text, text.len ? "\n\n" : "");
        gt_buffer_append(&text, draft->links.data, draft->links.len);
    }
    gt_buffer_puts(&text, "");
    struct gt_feed_entry entry = {
        .key = text_or_null(draft->key.len ? &draft->key : &draft->url),
        .url = text_or_null(&draft->url),
        .title = text_or_null(&draft->title),
        .author = text_or_null(&draft->author),
        .published_ms = draft->published_ms,
        .text = text.data ? text.data : "",
        .text_len = text.len,
    };
    return each(user, &entry);
}
