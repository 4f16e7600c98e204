/* csv: RFC 4180, one row a finding, for spreadsheets. A spreadsheet takes a cell that begins with
 * = + - @ for a formula, also an attacker's, so such a cell gets a ' before it (OWASP, "CSV
 * Injection"); every text is quoted. */
#include "cli/scan_formats/formats.h"

#include <string.h>

static void begin(const struct gt_scan_report *report, struct gt_buffer *out)
{
    gt_buffer_puts(out, "rule,provider,category,severity,confidence,score,brand,path,line,column,"
                        "decoded_via,secret,fingerprint,commit,author,email,date,source,url,title,"
                        "context,remediation,id\r\n");
}

static void put_bytes(struct gt_buffer *out, struct gt_str text)
{
    gt_buffer_puts(out, "\"");
    size_t from = out->len;
    if (text.len > 0 && strchr("=+-@\t\r\n|%'", text.ptr[0]))
        gt_buffer_putc(out, '\'');
    while (text.len > 0) {
        const char *quote = memchr(text.ptr, '"', text.len);
        size_t len = quote ? (size_t)(quote - text.ptr) + 1 : text.len;
        gt_utf8_append_clean(out, text.ptr, len);
        if (quote)
            gt_buffer_putc(out, '"');
        text = (struct gt_str){text.ptr + len, text.len - len};
    }
    /* Dropping a control character may have brought a formula to the front. */
    if (out->len > from && out->data && strchr("=+-@|%", out->data[from]))
        out->data[from] = '\'';
    gt_buffer_puts(out, "\"");
}

static void put(struct gt_buffer *out, const char *text)
{
    if (text)
        put_bytes(out, gt_str_of(text));
    gt_buffer_putc(out, ',');
}

static void print_row(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                      struct gt_buffer *out)
{
    const struct gt_finding *finding = found->finding;
    const struct gt_scan_origin *origin = found->origin;
    put(out, finding->rule);
    put(out, finding->provider);
    put(out, finding->category);
    put(out, gt_severity_name(finding->severity));
    put(out, gt_confidence_name(finding->confidence));
    gt_buffer_printf(out, "%d,", finding->score);
    put(out, finding->brand);
    put(out, origin->path);
    gt_buffer_printf(out, "%u,%u,", finding->line, finding->column);
    put(out, finding->decoded_via);
    put_bytes(out, gt_scan_shown(settings, found));
    gt_buffer_putc(out, ',');
    const char *const rest[] = {finding->fingerprint, origin->commit, origin->author,
                                origin->email,        origin->date,   origin->source,
                                origin->url,          finding->title, finding->context,
                                finding->remediation};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        put(out, rest[i]);
    gt_buffer_printf(out, "\"%s\"\r\n", finding->id);
}

const struct gt_scan_format gt_scan_format_csv = {
    .name = "csv", .begin = begin, .finding = print_row};
