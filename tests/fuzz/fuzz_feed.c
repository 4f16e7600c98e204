/* Feeds: any bytes, as XML or JSON, with and without a charset of the header. */
#include "crawler/crawler.h"
#include "crawler/sources/feed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int each(void *user, const struct gt_feed_entry *entry)
{
    size_t *count = user;
    if (!entry->text || strlen(entry->text) > entry->text_len)
        abort();
    return ++*count > GT_FEED_ENTRIES ? abort(), 0 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {NULL, "text/xml; charset=iso-8859-1",
                                        "application/xml; charset=\"utf-16\""};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct gt_feed_info info = {0};
        struct gt_error err = {0};
        size_t count = 0;
        if (gt_feed_parse((const char *)data, size, types[i], each, &count, &info, &err) < 0 &&
            !err.message[0])
            abort();
    }
    return 0;
}
