/* The XML parts of office documents (ISO/IEC 29500: docx, xlsx, pptx; ISO/IEC 26300: odt, ods, odp)
 * without their tags: a word may be spread over many of them. */
#include "matchers/decode/decode.h"

#include <string.h>

#define HEAD ((size_t)4096)
#define TAG_MAX ((size_t)64 * 1024)

static bool recognise(const char *head, size_t len)
{
    static const char *const names[] = {"wordprocessingml", "spreadsheetml", "presentationml",
                                        "drawingml", "opendocument:xmlns"};
    size_t most = len < HEAD ? len : HEAD;
    if (len < 16 || (memcmp(head, "<?xml", 5) != 0 && memcmp(head, "\xEF\xBB\xBF<?xml", 8) != 0))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (memmem(head, most, names[i], strlen(names[i])))
            return true;
    return false;
}

/* Of "</w:p>" or "<w:br/>": what stands between words. */
static char between(struct gt_str tag)
{
    static const struct {
        const char *tag;
        char c;
    } rows[] = {
        {"/w:p", '\n'},    {"w:br", '\n'},
        {"w:tab", '\t'},   {"/a:p", '\n'},
        {"a:br", '\n'},    {"/si", '\n'},
        {"/row", '\n'},    {"/c", '\t'},
        {"/t", 0},         {"/text:p", '\n'},
        {"/text:h", '\n'}, {"text:tab", '\t'},
        {"text:s", ' '},   {"text:line-break", '\n'},
        {"/w:tc", '\t'},   {"/table:table-cell", '\t'},
    };
    size_t len = 0;
    while (len < tag.len && !strchr(" \t\r\n", tag.ptr[len]) && (tag.ptr[len] != '/' || len == 0))
        len++;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (gt_str_eq_c((struct gt_str){tag.ptr, len}, rows[i].tag))
            return rows[i].c;
    return 0;
}

static void append_words(struct gt_str text, struct gt_buffer *out)
{
    for (size_t at = 0; at < text.len;) {
        const char *entity = memchr(text.ptr + at, '&', text.len - at);
        size_t stop = entity ? (size_t)(entity - text.ptr) : text.len;
        uint32_t c = 0;
        gt_buffer_append(out, text.ptr + at, stop - at);
        size_t size = entity ? gt_entity_at(text, stop, &c) : 0;
        if (entity)
            gt_append_char(out, size ? c : '&');
        at = stop + (size ? size : 1);
    }
}

static void strip(struct gt_str xml, struct gt_buffer *out)
{
    for (size_t at = 0; at < xml.len;) {
        const char *tag = memchr(xml.ptr + at, '<', xml.len - at);
        size_t stop = tag ? (size_t)(tag - xml.ptr) : xml.len;
        append_words((struct gt_str){xml.ptr + at, stop - at}, out);
        if (!tag)
            break;
        size_t most = xml.len - stop < TAG_MAX ? xml.len - stop : TAG_MAX;
        const char *end = memchr(tag, '>', most);
        if (!end) {
            at = stop + 1;
            continue;
        }
        char c = between((struct gt_str){tag + 1, (size_t)(end - tag) - 1});
        if (c)
            gt_buffer_putc(out, c);
        at = (size_t)(end - xml.ptr) + 1;
    }
}

static int walk(struct gt_walk *walk, struct gt_source *source, struct gt_error *err)
{
    struct gt_buffer text = GT_BUFFER(source->len + 1);
    strip((struct gt_str){source->bytes, source->len}, &text);
    int rc = text.len > 0 ? gt_walk_text(walk, "text", text.data, text.len) : 0;
    gt_buffer_wipe(&text);
    gt_buffer_free(&text);
    return rc;
}

const struct gt_decoder gt_decoder_office = {
    .name = "text",
    .summary = "the words of docx, xlsx, pptx, odt, ods, odp without their tags",
    .recognise = recognise,
    .walk = walk,
    .keeps = true,
};
