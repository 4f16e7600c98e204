/* An alert as text of 80 columns. */
#include "notifier/notifier.h"
#include "notifier/phrases.h"
#include "notifier/show.h"

#include <string.h>

#define WIDTH ((size_t)80)
#define MARGIN ((size_t)2)
#define VALUES ((size_t)15) /* column where the values begin */
#define REASONS_MAX 8
#define ADVICE_LINES 24

/* What is shown of one field, in columns. */
#define TITLE_MAX 160
#define FIELD_MAX 240
#define LINK_MAX 600
#define CONTEXT_MAX 400
#define ADVICE_MAX 1200

struct page {
    struct gt_buffer *out;
    bool colour;
    enum gt_lang lang;
    struct gt_buffer line; /* the value being put together, clean */
};

static void colour(struct page *page, const char *sequence)
{
    if (page->colour)
        gt_buffer_puts(page->out, sequence);
}

static void blanks(struct gt_buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gt_buffer_putc(out, ' ');
}

/* "  label      value", the value taken from page->line; nothing when that is empty. Its further
 * lines are indented by `hang` more. */
static void end_hanging_row(struct page *page, const char *label, size_t hang)
{
    if (page->line.len) {
        size_t width = gt_show_width(label);
        blanks(page->out, MARGIN);
        if (*label) {
            colour(page, "\033[2m");
            gt_buffer_puts(page->out, label);
            colour(page, "\033[0m");
        }
        blanks(page->out, VALUES > MARGIN + width ? VALUES - MARGIN - width : 1);
        gt_show_wrapped(page->out, page->line.data, VALUES, VALUES + hang, WIDTH);
        gt_buffer_putc(page->out, '\n');
    }
    page->out->overflow |= page->line.overflow;
    gt_buffer_reset(&page->line);
}

static void end_row(struct page *page, const char *label)
{
    end_hanging_row(page, label, 0);
}

static const char *say(const struct page *page, enum gt_phrase phrase)
{
    return gt_say(page->lang, phrase);
}

static void headline(struct page *page, const struct gt_finding *finding)
{
    const struct gt_shade *shade = gt_shade_of(finding->severity);
    const char *severity = gt_say_severity(page->lang, finding->severity);
    gt_show_defanged(&page->line, finding->title ? finding->title : finding->rule, TITLE_MAX);
    if (finding->brand) {
        gt_buffer_puts(&page->line, " \u00b7 ");
        gt_show_defanged(&page->line, finding->brand, TITLE_MAX);
    }
    colour(page, shade->badge);
    gt_buffer_printf(page->out, page->colour ? " %s " : "[%s]", severity);
    colour(page, "\033[0m");
    gt_buffer_putc(page->out, ' ');
    colour(page, shade->title);
    gt_show_wrapped(page->out, page->line.data ? page->line.data : "", gt_show_width(severity) + 3,
                    MARGIN, WIDTH);
    colour(page, "\033[0m");
    gt_buffer_puts(page->out, "\n\n");
    page->out->overflow |= page->line.overflow;
    gt_buffer_reset(&page->line);
}

static void where(struct page *page, const struct gt_finding *finding)
{
    struct gt_buffer *line = &page->line;
    if (finding->preview && *finding->preview) {
        gt_show_defanged(line, finding->preview, FIELD_MAX);
        if (strchr(finding->preview, '*'))
            gt_buffer_printf(line, "  (%s)", say(page, GT_SAY_REDACTED));
    }
    end_row(page, say(page, GT_SAY_PREVIEW));
    gt_show_defanged(line, finding->document_title, FIELD_MAX);
    if (finding->line)
        gt_buffer_printf(line, "%s%s %u", line->len ? ", " : "", say(page, GT_SAY_LINE),
                         finding->line);
    end_row(page, say(page, GT_SAY_WHERE));
    gt_show_defanged(line, finding->decoded_via, FIELD_MAX);
    end_row(page, say(page, GT_SAY_INSIDE));
    gt_show_defanged(line, finding->url, LINK_MAX);
    end_row(page, say(page, GT_SAY_LINK));
    gt_show_defanged(line, finding->source, FIELD_MAX);
    if (finding->author && *finding->author) {
        gt_buffer_printf(line, "%s%s ", line->len ? ", " : "", say(page, GT_SAY_BY));
        gt_show_defanged(line, finding->author, FIELD_MAX);
    }
    end_row(page, say(page, GT_SAY_SOURCE));
}

static void when(struct page *page, const struct gt_alert *alert)
{
    const struct gt_finding *finding = &alert->finding;
    char time[GT_SHOW_TIME];
    if (finding->published_ms)
        gt_buffer_puts(&page->line, gt_show_time(finding->published_ms, time));
    end_row(page, say(page, GT_SAY_PUBLISHED));
    gt_buffer_puts(&page->line, gt_show_time(finding->detected_ms, time));
    end_row(page, say(page, GT_SAY_FOUND));
    if (alert->occurrences > 1)
        gt_buffer_printf(&page->line, "%llu %s, %s %s", (unsigned long long)alert->occurrences,
                         say(page, GT_SAY_TIMES), say(page, GT_SAY_SINCE),
                         gt_show_time(alert->first_seen_ms, time));
    else
        gt_buffer_puts(&page->line, say(page, GT_SAY_ONCE));
    end_row(page, say(page, GT_SAY_SEEN));
}

static void why(struct page *page, const struct gt_finding *finding)
{
    gt_buffer_printf(&page->line, "%s (", gt_say_confidence(page->lang, finding->confidence));
    gt_buffer_printf(&page->line, "%s %d/100)", say(page, GT_SAY_SCORE), finding->score);
    end_row(page, say(page, GT_SAY_CONFIDENCE));
    for (size_t i = 0; i < finding->reasons.count && i < REASONS_MAX; i++) {
        gt_buffer_puts(&page->line, "- ");
        gt_show_defanged(&page->line, *GT_LIST_ITEM(finding->reasons, const char *, i), FIELD_MAX);
        end_hanging_row(page, i == 0 ? say(page, GT_SAY_WHY) : "", 2);
    }
    gt_show_defanged(&page->line, finding->context, CONTEXT_MAX);
    end_row(page, say(page, GT_SAY_CONTEXT));
}

/* Keeps the line breaks of the rule's author: steps stay steps; and the links, which lead to the
 * provider. */
static void advice(struct page *page, const char *text)
{
    const size_t indent = 2 * MARGIN;
    gt_buffer_putc(page->out, '\n');
    blanks(page->out, MARGIN);
    colour(page, "\033[1m");
    gt_buffer_puts(page->out, say(page, GT_SAY_NOW));
    colour(page, "\033[0m");
    gt_buffer_putc(page->out, '\n');
    size_t len;
    for (int lines = 0; *text && lines < ADVICE_LINES; text += len, lines++) {
        GT_BUFFER_AUTO struct gt_buffer raw = GT_BUFFER(4 * ADVICE_MAX);
        len = strcspn(text, "\n");
        gt_buffer_append(&raw, text, len < ADVICE_MAX ? len : ADVICE_MAX);
        len += text[len] == '\n';
        gt_show_line(&page->line, raw.data, ADVICE_MAX);
        if (page->line.len) {
            blanks(page->out, indent);
            gt_show_wrapped(page->out, page->line.data, indent, indent, WIDTH);
            gt_buffer_putc(page->out, '\n');
        }
        gt_buffer_reset(&page->line);
    }
    gt_buffer_putc(page->out, '\n');
}

static void footer(struct page *page, const struct gt_finding *finding)
{
    gt_buffer_printf(&page->line, "%s", finding->id);
    end_row(page, say(page, GT_SAY_FINDING));
    gt_show_defanged(&page->line, finding->rule, FIELD_MAX);
    end_row(page, say(page, GT_SAY_RULE));
}

int gt_alert_text(const struct gt_alert *alert, bool with_colour, struct gt_buffer *out)
{
    const struct gt_finding *finding = &alert->finding;
    struct page page = {
        .out = out,
        .colour = with_colour,
        .lang = alert->lang,
        .line = GT_BUFFER(16 * 1024),
    };
    if (alert->event && strcmp(alert->event, "channel.test") == 0)
        gt_buffer_printf(out, "%s\n\n", say(&page, GT_SAY_TEST));
    headline(&page, finding);
    where(&page, finding);
    when(&page, alert);
    why(&page, finding);
    advice(&page, finding->remediation && *finding->remediation
                      ? finding->remediation
                      : say(&page, GT_SAY_NO_REMEDIATION));
    footer(&page, finding);
    gt_buffer_free(&page.line);
    return gt_buffer_ok(out) ? 0 : GT_E_LIMIT;
}
