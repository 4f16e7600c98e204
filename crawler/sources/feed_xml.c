#include "crawler/html.h"
#include "crawler/record.h"
#include "crawler/sources/feed.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX ((size_t)16 << 20)

/* --- names, attributes and text of nodes; entities that the document defines are never followed
 * --- */

/* The name without prefix; recovered documents keep undeclared prefixes in it. */
static const char *local_name(const xmlNode *node)
{
    const char *name = (const char *)node->name, *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

static bool has_prefix(const xmlNode *node, const char *prefix)
{
    const char *name = (const char *)node->name;
    if (node->ns && node->ns->prefix)
        return strcmp((const char *)node->ns->prefix, prefix) == 0;
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 && name[len] == ':';
}

static void put_node_text(const xmlNode *node, struct gt_buffer *out, bool escaped)
{
    if (node->type == XML_ENTITY_REF_NODE) {
        unsigned c = gt_html_entity((const char *)node->name, strlen((const char *)node->name));
        if (c)
            gt_utf8_put(out, c);
        return;
    }
    if ((node->type != XML_TEXT_NODE && node->type != XML_CDATA_SECTION_NODE) || !node->content)
        return;
    for (const char *p = (const char *)node->content; *p; p++) {
        if (escaped && (*p == '<' || *p == '&'))
            gt_buffer_puts(out, *p == '<' ? "&lt;" : "&amp;");
        else
            gt_buffer_putc(out, *p);
    }
}

static void put_attribute(const xmlNode *node, const char *name, struct gt_buffer *out)
{
    for (const xmlAttr *at = node->properties; at; at = at->next) {
        if (strcmp((const char *)at->name, name) != 0)
            continue;
        for (const xmlNode *child = at->children; child; child = child->next)
            put_node_text(child, out, false);
        return;
    }
}

static bool attribute_is(const xmlNode *node, const char *name, const char *value)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(1024);
    put_attribute(node, name, &text);
    return strcmp(text.data ? text.data : "", value) == 0;
}

/* The next node of the tree below `top` in document order; NULL at the end. Entity references are
 * leaves. */
static const xmlNode *next_node(const xmlNode *node, const xmlNode *top, bool into)
{
    if (into && node->type == XML_ELEMENT_NODE && node->children)
        return node->children;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

static bool has_markup(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            return true;
    return false;
}

static void put_tag(const xmlNode *node, struct gt_buffer *out)
{
    static const char *const kept[] = {"href", "src", "alt", "title"};

    gt_buffer_printf(out, "<%s", local_name(node));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        GT_BUFFER_AUTO struct gt_buffer value = GT_BUFFER(4096);
        put_attribute(node, kept[i], &value);
        if (value.len && !strchr(value.data, '"'))
            gt_buffer_printf(out, " %s=\"%s\"", kept[i], value.data);
    }
    gt_buffer_putc(out, '>');
}

static void close_tags(const xmlNode *from, const xmlNode *to, struct gt_buffer *out)
{
    for (; from && from != to; from = from->parent)
        gt_buffer_printf(out, "</%s>", local_name(from));
}

/* Everything below node; inline markup (XHTML) is written as HTML again. */
static void put_content(const xmlNode *node, struct gt_buffer *out, bool markup)
{
    const xmlNode *at = node->children;

    while (at) {
        if (markup && at->type == XML_ELEMENT_NODE)
            put_tag(at, out);
        put_node_text(at, out, markup);
        const xmlNode *next = next_node(at, node, true);
        if (markup && (!next || next->parent != at))
            close_tags(at->type == XML_ELEMENT_NODE ? at : at->parent, next ? next->parent : node,
                       out);
        at = next;
    }
}

static void decode_base64(struct gt_buffer *text)
{
    size_t len = 0;
    unsigned char *bytes = text->len ? malloc(text->len) : NULL;

    if (bytes && sodium_base642bin(bytes, text->len, text->data, text->len, " \t\r\n", &len, NULL,
                                   sodium_base64_VARIANT_ORIGINAL) == 0) {
        gt_buffer_reset(text);
        gt_buffer_append(text, bytes, len);
    }
    free(bytes);
}

/* The value of a text construct. *ret_html: it is HTML still. Atom says so by type (1.0) or mode
 * (0.3); everywhere else text may be HTML. */
static void read_value(const xmlNode *node, struct gt_buffer *out, bool *ret_html)
{
    bool markup = has_markup(node);

    put_content(node, out, markup);
    if (attribute_is(node, "mode", "base64"))
        decode_base64(out);
    *ret_html = markup || !attribute_is(node, "type", "text");
}

/* --- entries --- */

struct reading {
    struct gt_feed_draft draft;
    gt_feed_each *each;
    void *user;
    struct gt_feed_info info;
};

static void put_once(struct gt_buffer *out, const xmlNode *node)
{
    if (!out->len) {
        GT_BUFFER_AUTO struct gt_buffer value = GT_BUFFER(VALUE_MAX);
        put_content(node, &value, false);
        struct gt_str text = gt_str_trim((struct gt_str){value.data, value.len});
        gt_buffer_append(out, text.ptr, text.len);
    }
}

static void read_key(struct gt_feed_draft *draft, const xmlNode *node)
{
    put_once(&draft->key, node);
}

static void read_title(struct gt_feed_draft *draft, const xmlNode *node)
{
    GT_BUFFER_AUTO struct gt_buffer value = GT_BUFFER(VALUE_MAX);
    bool html;

    if (draft->title.len)
        return;
    read_value(node, &value, &html);
    if (html && value.len &&
        (memchr(value.data, '<', value.len) || memchr(value.data, '&', value.len))) {
        gt_html_to_text(value.data, value.len, &draft->title);
        return;
    }
    struct gt_str text = gt_str_trim((struct gt_str){value.data, value.len});
    gt_buffer_append(&draft->title, text.ptr, text.len);
}

static void read_text(struct gt_feed_draft *draft, const xmlNode *node)
{
    GT_BUFFER_AUTO struct gt_buffer value = GT_BUFFER(VALUE_MAX);
    bool html;

    read_value(node, &value, &html);
    if (value.len)
        gt_feed_draft_text(draft, value.data, value.len, html);
}

/* RSS: the element's text. Atom: href, the permanent link being rel="alternate" or none. */
static void read_link(struct gt_feed_draft *draft, const xmlNode *node)
{
    GT_BUFFER_AUTO struct gt_buffer url = GT_BUFFER(VALUE_MAX);

    put_attribute(node, "href", &url);
    if (!url.len)
        put_once(&url, node);
    if (!url.len)
        return;
    bool permanent = attribute_is(node, "rel", "") || attribute_is(node, "rel", "alternate");
    if (permanent && !draft->url.len)
        gt_buffer_append(&draft->url, url.data, url.len);
    gt_feed_draft_link(draft, url.data);
}

static void read_enclosure(struct gt_feed_draft *draft, const xmlNode *node)
{
    GT_BUFFER_AUTO struct gt_buffer url = GT_BUFFER(VALUE_MAX);
    put_attribute(node, "url", &url);
    if (url.len)
        gt_feed_draft_link(draft, url.data);
}

static void read_comments(struct gt_feed_draft *draft, const xmlNode *node)
{
    GT_BUFFER_AUTO struct gt_buffer url = GT_BUFFER(VALUE_MAX);
    put_once(&url, node);
    if (url.len)
        gt_feed_draft_link(draft, url.data);
}

/* Atom: the name in it. RSS and Dublin Core: the text. */
static void read_author(struct gt_feed_draft *draft, const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE && strcmp(local_name(child), "name") == 0) {
            put_once(&draft->author, child);
            return;
        }
    put_once(&draft->author, node);
}

static void read_date(struct gt_feed_draft *draft, const xmlNode *node)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(1024);
    if (draft->published_ms)
        return;
    put_once(&text, node);
    draft->published_ms = text.data ? gt_time_parse(text.data) : 0;
}

static const struct field {
    const char *name;
    void (*read)(struct gt_feed_draft *draft, const xmlNode *node);
} fields[] = {
    {"guid", read_key},
    {"id", read_key},
    {"title", read_title},
    {"link", read_link},
    {"enclosure", read_enclosure},
    {"comments", read_comments},
    {"description", read_text},
    {"summary", read_text},
    {"subtitle", read_text},
    {"content", read_text},
    {"encoded", read_text},
    {"body", read_text},
    {"abstract", read_text},
    {"author", read_author},
    {"creator", read_author},
    {"pubDate", read_date},
    {"published", read_date},
    {"issued", read_date},
    {"date", read_date},
    {"created", read_date},
    {"updated", read_date},
    {"modified", read_date},
};

/* Media RSS and iTunes have names of their own for what is known already; only texts and links of
 * theirs count. */
static bool is_foreign(const xmlNode *node)
{
    return has_prefix(node, "media") || has_prefix(node, "itunes") || has_prefix(node, "georss");
}

static void read_field(struct gt_feed_draft *draft, const xmlNode *node)
{
    if (is_foreign(node))
        read_enclosure(draft, node);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(local_name(node), fields[i].name) == 0 &&
            (!is_foreign(node) || fields[i].read == read_text))
            fields[i].read(draft, node);
}

static int read_entry(struct reading *reading, const xmlNode *entry)
{
    struct gt_feed_draft *draft = &reading->draft;

    gt_feed_draft_reset(draft);
    for (const xmlNode *child = entry->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            read_field(draft, child);
    if (!draft->key.len) /* RSS 1.0: rdf:about */
        put_attribute(entry, "about", &draft->key);
    reading->info.entries++;
    return gt_feed_draft_finish(draft, reading->each, reading->user);
}

static void read_ttl(struct reading *reading, const xmlNode *node)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(64);
    put_once(&text, node);
    long minutes = text.data ? strtol(text.data, NULL, 10) : 0;
    if (minutes > 0 && minutes <= 7 * 24 * 60)
        reading->info.ttl_ms = minutes * GT_MINUTE;
}

static bool is_entry(const xmlNode *node)
{
    const char *name = node->type == XML_ELEMENT_NODE ? local_name(node) : "";
    return (strcmp(name, "item") == 0 || strcmp(name, "entry") == 0) && !is_foreign(node);
}

/* Entries are wherever they are: some feeds put them beside the channel. */
static int read_entries(struct reading *reading, const xmlNode *root)
{
    const xmlNode *node = root;
    int code = 0;

    while (node && code >= 0 && reading->info.entries < GT_FEED_ENTRIES) {
        bool entry = node != root && is_entry(node);
        if (entry)
            code = read_entry(reading, node);
        else if (node->type == XML_ELEMENT_NODE && strcmp(local_name(node), "ttl") == 0)
            read_ttl(reading, node);
        node = next_node(node, root, !entry);
    }
    return code;
}

/* --- documents --- */

static xmlDoc *read_doc(const char *bytes, size_t len, const char *charset)
{
    gt_xml_be_silent();
    return xmlReadMemory(bytes, len > INT_MAX ? INT_MAX : (int)len, NULL, charset,
                         XML_PARSE_RECOVER | XML_PARSE_NONET | XML_PARSE_NOERROR |
                             XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
}

static bool is_feed(xmlDoc *doc)
{
    static const char *const roots[] = {"rss", "RDF", "feed", "channel", "rdf", "entry"};
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

    for (size_t i = 0; root && i < sizeof roots / sizeof *roots; i++)
        if (strcmp(local_name(root), roots[i]) == 0)
            return true;
    return false;
}

/* The bytes as UTF-8 whatever they say of themselves: ASCII, where credentials are, survives. The
 * declaration goes, because one of an unknown charset stops the parser. */
static xmlDoc *read_cleaned(const char *bytes, size_t len)
{
    GT_BUFFER_AUTO struct gt_buffer clean = GT_BUFFER(3 * len + 16);
    gt_utf8_append_clean(&clean, bytes, len);
    if (!clean.data)
        return NULL;
    const char *end = gt_starts_with(clean.data, "<?xml") ? strstr(clean.data, "?>") : NULL;
    const char *start = end ? end + 2 : clean.data;
    return read_doc(start, clean.len - (size_t)(start - clean.data), "UTF-8");
}

static bool says_other_charset(const char *bytes, size_t len)
{
    size_t head = len < 200 ? len : 200;
    const char *end = memmem(bytes, head, "?>", 2);
    bool wide = len >= 4 && (!bytes[0] || !bytes[1] || (unsigned char)bytes[0] >= 0xFE);
    return wide || (end && memmem(bytes, (size_t)(end - bytes), "encoding", 8));
}

int gt_feed_parse_xml(const char *bytes, size_t len, const char *charset, gt_feed_each *each,
                      void *user, struct gt_feed_info *ret_info, struct gt_error *err)
{
    struct reading reading = {.each = each, .user = user};
    bool broken = !charset && !says_other_charset(bytes, len) && !gt_utf8_valid(bytes, len);
    xmlDoc *doc = broken ? read_cleaned(bytes, len) : read_doc(bytes, len, charset);

    if (!is_feed(doc) && !broken) { /* a charset that is unknown, or not what it says */
        xmlFreeDoc(doc);
        doc = read_cleaned(bytes, len);
    }
    if (!is_feed(doc)) {
        xmlFreeDoc(doc);
        return gt_fail(err, GT_E_INVALID,
                       "the answer is no feed (RSS, Atom or JSON Feed); give the address of the "
                       "feed itself, not of its page");
    }
    gt_feed_draft_init(&reading.draft);
    int code = read_entries(&reading, xmlDocGetRootElement(doc));
    gt_feed_draft_free(&reading.draft);
    xmlFreeDoc(doc);
    if (code < 0)
        return gt_fail(err, code, "not every entry of the feed could be taken");
    *ret_info = reading.info;
    return 0;
}
