#include "cli/scan_parts.h"

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

/* A file's name may hold anything. */
static void put_clean(struct gt_buffer *out, const char *text)
{
    size_t from = out->len;
    gt_utf8_append_clean(out, text, strlen(text));
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t')
            out->data[i] = ' ';
}

/* Two or three lines of at most 80 columns but for long paths:
 *
 *   critical  src/deploy.py:12:8  github.personal-access-token
 *             ghp_********a1b2  GitHub personal access token (likely), Acme Corp */
static int print_table(const struct gt_scan_settings *settings, const char *path,
                       const struct gt_finding *finding, struct gt_str secret,
                       struct gt_buffer *out)
{
    gt_buffer_printf(out, "%s%-8s%s  ", on(settings, colours[finding->severity]),
                     gt_severity_name(finding->severity), on(settings, PLAIN));
    put_clean(out, path);
    gt_buffer_printf(out, ":%u:%u  %s%s%s\n          ", finding->line, finding->column,
                     on(settings, DIM), finding->rule, on(settings, PLAIN));
    if (settings->show_secrets && secret.ptr)
        gt_utf8_append_clean(out, secret.ptr, secret.len);
    else
        put_clean(out, finding->preview ? finding->preview : "");
    gt_buffer_printf(out, "  %s (%s)%s%s\n", finding->title,
                     gt_confidence_name(finding->confidence), finding->brand ? ", " : "",
                     finding->brand ? finding->brand : "");
    return gt_buffer_ok(out) ? 0 : GT_E_LIMIT;
}

static void put(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, gt_json_text_c(value));
}

static int print_json(const struct gt_scan_settings *settings, const char *path,
                      const struct gt_finding *finding, struct gt_str secret, struct gt_buffer *out)
{
    GT_JSON_AUTO json_t *object = json_object();
    put(object, "rule", finding->rule);
    put(object, "provider", finding->provider);
    put(object, "category", finding->category);
    put(object, "severity", gt_severity_name(finding->severity));
    put(object, "confidence", gt_confidence_name(finding->confidence));
    json_object_set_new(object, "score", json_integer(finding->score));
    put(object, "brand", finding->brand);
    put(object, "path", path);
    json_object_set_new(object, "line", json_integer(finding->line));
    json_object_set_new(object, "column", json_integer(finding->column));
    if (settings->show_secrets && secret.ptr)
        json_object_set_new(object, "secret", gt_json_text(secret.ptr, secret.len));
    else
        put(object, "secret", finding->preview);
    put(object, "fingerprint", finding->fingerprint);
    put(object, "title", finding->title);
    put(object, "context", finding->context);
    put(object, "remediation", finding->remediation);
    int rc = gt_json_append(object, out);
    gt_buffer_putc(out, '\n');
    return rc < 0 || !gt_buffer_ok(out) ? GT_E_LIMIT : 0;
}

int gt_scan_print(const struct gt_scan_settings *settings, const char *path,
                  const struct gt_finding *finding, struct gt_str secret, struct gt_buffer *out)
{
    return settings->format == GT_SCAN_JSONL ? print_json(settings, path, finding, secret, out)
                                             : print_table(settings, path, finding, secret, out);
}

void gt_scan_add_counts(struct gt_scan_counts *sum, const struct gt_scan_counts *counts)
{
    sum->files += counts->files;
    sum->bytes += counts->bytes;
    sum->findings += counts->findings;
    sum->files_with += counts->findings > 0;
    sum->failed += counts->failed;
    sum->links += counts->links;
    sum->special += counts->special;
    sum->large += counts->large;
    for (size_t i = 0; i <= GT_CRITICAL; i++)
        sum->by_severity[i] += counts->by_severity[i];
}

static void print_count(uint64_t count, const char *what)
{
    printf("%" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

static void print_left_out(const struct gt_scan_counts *counts)
{
    const struct {
        uint64_t count;
        const char *what; /* with an s when there are several */
    } rows[] = {
        {counts->links, "symbolic link"},
        {counts->special, "device, socket or pipe"},
        {counts->large, "larger file"},
        {counts->failed, "unreadable file"},
    };
    const char *before = "Left out: ";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].count == 0)
            continue;
        fputs(before, stdout);
        print_count(rows[i].count, rows[i].what);
        before = ", ";
    }
    if (*before == ',')
        putchar('\n');
}

static void print_severities(const struct gt_scan_counts *counts)
{
    const char *before = " (";
    for (int i = GT_CRITICAL; i >= 0; i--) {
        if (counts->by_severity[i] == 0)
            continue;
        printf("%s%" PRIu64 " %s", before, counts->by_severity[i], gt_severity_names[i]);
        before = ", ";
    }
    if (*before == ',')
        putchar(')');
}

void gt_scan_print_summary(const struct gt_scan_counts *counts, int64_t ms)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    const char *size = arena ? gt_format_size(arena, counts->bytes) : NULL;
    if (counts->findings > 0)
        putchar('\n');
    print_left_out(counts);
    print_count(counts->findings, "finding");
    print_severities(counts);
    printf(" in %" PRIu64 " of ", counts->files_with);
    print_count(counts->files, "file");
    printf(", %s, %.2f s\n", size ? size : "?", (double)ms / 1000.0);
}
