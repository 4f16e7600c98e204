/* table: for a person at a terminal. */
#include "cli/scan_formats/formats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static const char *const colours[] = {[GT_INFORMATIONAL] = DIM,
                                      [GT_LOW] = "",
                                      [GT_MEDIUM] = YELLOW,
                                      [GT_HIGH] = RED,
                                      [GT_CRITICAL] = BOLD RED};

static const char *on(const struct gt_scan_settings *settings, const char *code)
{
    return settings->colour ? code : "";
}

static void print_row(struct gt_buffer *out, const char *name, const char *value)
{
    if (!value)
        return;
    gt_buffer_printf(out, "          %s ", name);
    gt_scan_put_clean(out, value);
    gt_buffer_putc(out, '\n');
}

static void print_origin(const struct gt_scan_found *found, struct gt_buffer *out)
{
    const struct gt_scan_origin *origin = found->origin;
    print_row(out, "in", found->finding->decoded_via);
    if (!origin->commit)
        return;
    gt_buffer_printf(out, "          commit %.12s", origin->commit);
    for (size_t i = 0; i < 2; i++) {
        const char *text = i == 0 ? origin->date : origin->author;
        gt_buffer_puts(out, text ? ", " : "");
        gt_scan_put_clean(out, text ? text : "");
    }
    gt_buffer_putc(out, '\n');
}

/* Two or three lines of at most 80 columns but for long paths:
 *
 *   critical  src/deploy.py:12:8  github.personal-access-token
 *             ghp_********a1b2  GitHub personal access token (likely), Acme Corp */
static void print_finding(const struct gt_scan_settings *settings,
                          const struct gt_scan_found *found, struct gt_buffer *out)
{
    const struct gt_finding *finding = found->finding;
    struct gt_str secret = gt_scan_shown(settings, found);
    gt_buffer_printf(out, "%s%-8s%s  ", on(settings, colours[finding->severity]),
                     gt_severity_name(finding->severity), on(settings, PLAIN));
    gt_scan_put_clean(out, found->origin->path);
    gt_buffer_printf(out, ":%u:%u  %s%s%s\n          ", finding->line, finding->column,
                     on(settings, DIM), finding->rule, on(settings, PLAIN));
    gt_utf8_append_clean(out, secret.ptr, secret.len);
    gt_buffer_printf(out, "  %s (%s)%s%s\n", finding->title,
                     gt_confidence_name(finding->confidence), finding->brand ? ", " : "",
                     finding->brand ? finding->brand : "");
    print_origin(found, out);
}

static void print_count(struct gt_buffer *out, uint64_t count, const char *what)
{
    gt_buffer_printf(out, "%" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

static void print_left_out(struct gt_buffer *out, const struct gt_scan_counts *counts)
{
    const struct {
        uint64_t count;
        const char *what; /* with an s when there are several */
    } rows[] = {
        {counts->links, "symbolic link"},     {counts->special, "device, socket or pipe"},
        {counts->large, "larger file"},       {counts->ignored_paths, "ignored path"},
        {counts->failed, "unreadable file"},  {counts->encrypted, "encrypted part"},
        {counts->damaged, "damaged archive"},
    };
    const char *before = "Left out: ";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].count == 0)
            continue;
        gt_buffer_puts(out, before);
        print_count(out, rows[i].count, rows[i].what);
        before = ", ";
    }
    if (*before == ',')
        gt_buffer_putc(out, '\n');
}

/* What is hidden is said, by whomever it was hidden. */
static void print_not_told(struct gt_buffer *out, const struct gt_scan_counts *counts)
{
    const struct {
        uint64_t count;
        const char *why;
    } rows[] = {
        {counts->filtered, "by the filters"},
        {counts->known, "in the baseline"},
        {counts->ignored, "ignored"},
    };
    const char *before = "Not shown: ";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].count == 0)
            continue;
        gt_buffer_puts(out, before);
        gt_buffer_printf(out, "%" PRIu64 " %s", rows[i].count, rows[i].why);
        before = ", ";
    }
    if (*before == ',')
        gt_buffer_putc(out, '\n');
}

static void print_severities(struct gt_buffer *out, const struct gt_scan_counts *counts)
{
    const char *before = " (";
    for (int i = GT_CRITICAL; i >= 0; i--) {
        if (counts->by_severity[i] == 0)
            continue;
        gt_buffer_printf(out, "%s%" PRIu64 " %s", before, counts->by_severity[i],
                         gt_severity_names[i]);
        before = ", ";
    }
    if (*before == ',')
        gt_buffer_putc(out, ')');
}

static void end(const struct gt_scan_report *report, struct gt_buffer *out)
{
    if (report->counts.findings > 0)
        gt_buffer_putc(out, '\n');
    gt_scan_print_summary(report, out);
}

void gt_scan_print_summary(const struct gt_scan_report *report, struct gt_buffer *out)
{
    const struct gt_scan_counts *counts = &report->counts;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    const char *size = arena ? gt_format_size(arena, counts->bytes) : NULL;
    print_left_out(out, counts);
    print_not_told(out, counts);
    print_count(out, counts->findings, "finding");
    print_severities(out, counts);
    gt_buffer_printf(out, " in %" PRIu64 " of ", counts->files_with);
    print_count(out, counts->files, "file");
    gt_buffer_printf(out, ", %s, %.2f s\n", size ? size : "?", (double)report->took_ms / 1000.0);
}

const struct gt_scan_format gt_scan_format_table = {
    .name = "table", .finding = print_finding, .end = end};
