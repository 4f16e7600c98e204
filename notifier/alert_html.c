#include "notifier/alert_html.h"
#include "notifier/phrases.h"
#include "notifier/show.h"

#include <string.h>

#define FIELD_MAX 240
#define LINK_MAX 600
#define REASONS_MAX 8
#define ADVICE_LINES 24

#define FONT "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
#define MONO "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:14px;"

/* Clients that strip <style> show the light colours, which are inline. %s: language, then twice the
 * severity's colour on black. */
static const char HEAD[] =
    "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"format-detection\" content=\"telephone=no,date=no,address=no,email=no,url=no\">\n"
    "<style>\n:root{color-scheme:light dark}\n"
    "@media (prefers-color-scheme:dark){\n"
    "body,.page{background:#0d1117!important;color:#e6edf3!important}\n"
    ".card{background:#161b22!important;border-color:#30363d!important}\n"
    ".bar{border-left-color:%s!important}\n"
    ".soft{color:#9ba6b2!important}\n.code{background:#21262d!important}\n"
    ".level{color:%s!important}\n}\n</style>\n<title>guette</title>\n</head>\n"
    "<body class=\"page\" style=\"margin:0;padding:0;background:#f3f4f6;color:#1f2328;" FONT
    "font-size:16px;line-height:1.45\">\n"
    "<div style=\"max-width:600px;margin:0 auto;padding:16px 12px\">\n";

/* %s: class, colour of the bar, space above. */
static const char CARD[] = "<div class=\"card %s\" style=\"background:#ffffff;border:1px solid "
                           "#d8dee4;border-left:6px solid "
                           "%s;border-radius:6px;padding:%s 20px 18px;margin:0 0 14px\">\n";

#define LABEL "<p class=\"soft\" style=\"margin:14px 0 1px;color:#59636e;font-size:13px\">"
#define VALUE "<p style=\"margin:0;overflow-wrap:anywhere\">"
#define CODE                                                                                       \
    "<span class=\"code\" style=\"background:#eff1f3;border-radius:4px;padding:2px 6px;" MONO      \
    "overflow-wrap:anywhere\">"

struct page {
    struct gt_buffer *out;
    const struct gt_alert *alert;
    struct gt_buffer line;
};

static const char *say(const struct page *page, enum gt_phrase phrase)
{
    return gt_say(page->alert->lang, phrase);
}

static void escape(struct gt_buffer *out, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (; *text; text++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
            if (entities[i].c == *text)
                entity = entities[i].entity;
        }
        if (entity)
            gt_buffer_puts(out, entity);
        else
            gt_buffer_putc(out, *text);
    }
}

/* page->line, escaped, and empty for the next. */
static void flush(struct page *page)
{
    if (page->line.len)
        escape(page->out, page->line.data);
    page->out->overflow |= page->line.overflow;
    gt_buffer_reset(&page->line);
}

static void row(struct page *page, enum gt_phrase label, bool code)
{
    if (!page->line.len)
        return;
    gt_buffer_printf(page->out, LABEL "%s</p>\n" VALUE "%s", say(page, label), code ? CODE : "");
    flush(page);
    gt_buffer_puts(page->out, code ? "</span></p>\n" : "</p>\n");
}

static void headline(struct page *page)
{
    const struct gt_finding *f = &page->alert->finding;
    const struct gt_shade *shade = gt_shade_of(f->severity);
    if (page->alert->event && strcmp(page->alert->event, "channel.test") == 0)
        gt_buffer_printf(page->out, "<p style=\"margin:0 4px 14px\"><b>%s</b></p>\n",
                         say(page, GT_SAY_TEST));
    gt_buffer_printf(page->out, CARD, "bar", shade->light, "16px");
    gt_buffer_printf(page->out,
                     "<p class=\"level\" style=\"margin:0;color:%s;font-size:14px;font-weight:700;"
                     "letter-spacing:.06em\">%s</p>\n"
                     "<h1 style=\"margin:2px 0 0;font-size:21px;line-height:1.25\">",
                     shade->light, gt_say_severity(page->alert->lang, f->severity));
    gt_show_defanged(&page->line, f->title ? f->title : f->rule, FIELD_MAX);
    flush(page);
    gt_buffer_puts(page->out, "</h1>\n");
    if (f->brand) {
        gt_buffer_puts(page->out, "<p style=\"margin:2px 0 0;font-size:17px\">");
        gt_show_defanged(&page->line, f->brand, FIELD_MAX);
        flush(page);
        gt_buffer_puts(page->out, "</p>\n");
    }
}

static void where(struct page *page)
{
    const struct gt_finding *f = &page->alert->finding;
    struct gt_buffer *line = &page->line;
    gt_show_defanged(line, f->preview, FIELD_MAX);
    row(page, GT_SAY_PREVIEW, true);
    gt_show_defanged(line, f->document_title, FIELD_MAX);
    if (f->line)
        gt_buffer_printf(line, "%s%s %u", line->len ? ", " : "", say(page, GT_SAY_LINE), f->line);
    row(page, GT_SAY_WHERE, false);
    gt_show_defanged(line, f->decoded_via, FIELD_MAX);
    row(page, GT_SAY_INSIDE, false);
    gt_show_defanged(line, f->url, LINK_MAX);
    if (line->len)
        gt_buffer_printf(line, "  (%s)", say(page, GT_SAY_DEFANGED));
    row(page, GT_SAY_LINK, false);
    gt_show_defanged(line, f->source, FIELD_MAX);
    if (f->author && *f->author) {
        gt_buffer_printf(line, "%s%s ", line->len ? ", " : "", say(page, GT_SAY_BY));
        gt_show_defanged(line, f->author, FIELD_MAX);
    }
    row(page, GT_SAY_SOURCE, false);
}

static void when(struct page *page)
{
    const struct gt_alert *alert = page->alert;
    char time[GT_SHOW_TIME];
    if (alert->finding.published_ms)
        gt_buffer_puts(&page->line, gt_show_time(alert->finding.published_ms, time));
    row(page, GT_SAY_PUBLISHED, false);
    gt_buffer_puts(&page->line, gt_show_time(alert->finding.detected_ms, time));
    row(page, GT_SAY_FOUND, false);
    if (alert->occurrences > 1)
        gt_buffer_printf(&page->line, "%llu %s, %s %s", (unsigned long long)alert->occurrences,
                         say(page, GT_SAY_TIMES), say(page, GT_SAY_SINCE),
                         gt_show_time(alert->first_seen_ms, time));
    else
        gt_buffer_puts(&page->line, say(page, GT_SAY_ONCE));
    row(page, GT_SAY_SEEN, false);
}

static void advice(struct page *page)
{
    const char *text = page->alert->finding.remediation;
    if (!text || !*text)
        text = say(page, GT_SAY_NO_REMEDIATION);
    gt_buffer_printf(page->out, "<h2 style=\"margin:0 0 4px;font-size:16px\">%s</h2>\n",
                     say(page, GT_SAY_NOW));
    size_t len;
    for (int lines = 0; *text && lines < ADVICE_LINES; text += len, lines++) {
        GT_BUFFER_AUTO struct gt_buffer raw = GT_BUFFER(4096);
        len = strcspn(text, "\n");
        gt_buffer_append(&raw, text, len < 4096 ? len : 4095);
        len += text[len] == '\n';
        gt_show_line(&page->line, raw.data, 1200);
        if (!page->line.len)
            continue;
        gt_buffer_puts(page->out, "<p style=\"margin:0 0 4px;overflow-wrap:anywhere\">");
        flush(page);
        gt_buffer_puts(page->out, "</p>\n");
    }
}

static void why(struct page *page)
{
    const struct gt_finding *f = &page->alert->finding;
    gt_buffer_printf(&page->line, "%s (", gt_say_confidence(page->alert->lang, f->confidence));
    gt_buffer_printf(&page->line, "%s %d/100)", say(page, GT_SAY_SCORE), f->score);
    row(page, GT_SAY_CONFIDENCE, false);
    if (f->reasons.count)
        gt_buffer_printf(page->out, LABEL "%s</p>\n<ul style=\"margin:0;padding-left:20px\">\n",
                         say(page, GT_SAY_WHY));
    for (size_t i = 0; i < f->reasons.count && i < REASONS_MAX; i++) {
        gt_buffer_puts(page->out, "<li>");
        gt_show_defanged(&page->line, *GT_LIST_ITEM(f->reasons, const char *, i), FIELD_MAX);
        flush(page);
        gt_buffer_puts(page->out, "</li>\n");
    }
    gt_buffer_puts(page->out, f->reasons.count ? "</ul>\n" : "");
    gt_show_defanged(&page->line, f->context, LINK_MAX);
    row(page, GT_SAY_CONTEXT, true);
}

static void footer(struct page *page)
{
    const struct gt_finding *f = &page->alert->finding;
    gt_buffer_printf(page->out,
                     "<p class=\"soft\" style=\"margin:0 4px;color:#59636e;font-size:13px;"
                     "overflow-wrap:anywhere\">%s %s<br>%s ",
                     say(page, GT_SAY_FINDING), f->id, say(page, GT_SAY_RULE));
    gt_show_defanged(&page->line, f->rule, FIELD_MAX);
    flush(page);
    gt_buffer_printf(page->out, "<br>%s</p>\n", say(page, GT_SAY_FOOTER));
}

int gt_alert_html(const struct gt_alert *alert, struct gt_buffer *out)
{
    const struct gt_shade *shade = gt_shade_of(alert->finding.severity);
    struct page page = {.out = out, .alert = alert, .line = GT_BUFFER(16 * 1024)};
    gt_buffer_printf(out, HEAD, gt_lang_names[alert->lang], shade->dark, shade->dark);
    headline(&page);
    where(&page);
    gt_buffer_puts(out, "</div>\n");
    gt_buffer_printf(out, CARD, "bar", shade->light, "16px");
    advice(&page);
    gt_buffer_puts(out, "</div>\n");
    gt_buffer_printf(out, CARD, "rest", "#d8dee4", "4px"); /* a label brings its own margin */
    when(&page);
    why(&page);
    gt_buffer_puts(out, "</div>\n");
    footer(&page);
    gt_buffer_puts(out, "</div>\n</body>\n</html>\n");
    gt_buffer_free(&page.line);
    return gt_buffer_ok(out) ? 0 : GT_E_LIMIT;
}
