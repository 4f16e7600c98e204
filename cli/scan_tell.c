/* One finding, from the matcher into the report. */
#include "cli/scan_parts.h"

#include <stdlib.h>
#include <string.h>

#define COMMENT "guette:ignore"
#define COMMENT_WITHIN 1000 /* bytes before or behind the secret */

void gt_scan_job_complain(struct gt_scan_job *job, const char *what)
{
    job->counts.failed = 1;
    gt_buffer_puts(&job->errors, "guette scan: ");
    gt_scan_put_clean(&job->errors, job->origin.path ? job->origin.path : "");
    gt_buffer_printf(&job->errors, ": %s\n", what);
}

void gt_scan_key_make(const char *kind, const struct gt_part *parts, size_t count,
                      struct gt_scan_key *ret_key)
{
    static const char digits[] = "0123456789abcdef";
    char text[GT_ID_TEXT];
    gt_id_make(kind, parts, count, text);
    for (size_t i = 0; i < GT_ID_BYTES; i++)
        ret_key->bytes[i] = (unsigned char)((strchr(digits, text[2 * i]) - digits) << 4 |
                                            (strchr(digits, text[2 * i + 1]) - digits));
}

void gt_scan_key_of(const struct gt_finding *finding, struct gt_str secret,
                    struct gt_scan_key *ret_key)
{
    const struct gt_part parts[] = {gt_part(finding->rule),
                                    gt_part(secret.ptr ? finding->fingerprint : finding->brand)};
    gt_scan_key_make(secret.ptr ? "scan-secret" : "scan-trace", parts, 2, ret_key);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct gt_scan_key));
}

static bool is_asked(const struct gt_scan_keys *only, const struct gt_finding *finding,
                     struct gt_str secret)
{
    struct gt_scan_key key;
    if (!only->items)
        return true;
    gt_scan_key_of(finding, secret, &key);
    return bsearch(&key, only->items, only->count, sizeof key, compare_keys);
}

static void count(struct gt_scan_job *job, const struct gt_finding *finding)
{
    struct gt_scan_tallied row = {.rule = finding->rule,
                                  .title = finding->title,
                                  .provider = finding->provider,
                                  .category = finding->category,
                                  .remediation = finding->remediation,
                                  .severity = finding->severity,
                                  .count = 1};
    job->counts.findings++;
    job->counts.by_severity[finding->severity]++;
    gt_scan_tally_add(&job->tally, &row);
}

/* ---- where it stands ---- */

/* SARIF counts in characters; a column of bytes may fall between two. */
static unsigned characters(const char *from, const char *to)
{
    unsigned count = 0;
    for (; from < to; from++)
        count += (*from & 0xc0) != 0x80;
    return count;
}

static bool holds(struct gt_str around, struct gt_str secret)
{
    return around.ptr && secret.ptr && secret.ptr >= around.ptr &&
           secret.ptr + secret.len <= around.ptr + around.len;
}

static void place(struct gt_scan_found *found, struct gt_str around)
{
    const struct gt_finding *finding = found->finding;
    const char *at = found->secret.ptr;
    if (!holds(around, found->secret) || finding->decoded_via || finding->column == 0 ||
        (size_t)(at - around.ptr) < finding->column - 1)
        return;
    const char *end = at + found->secret.len, *line = at - (finding->column - 1);
    found->character = characters(line, at) + 1;
    found->end_line = finding->line;
    for (const char *next; (next = memchr(at, '\n', (size_t)(end - at))); at = next + 1) {
        found->end_line++;
        line = next + 1;
    }
    found->end_character = characters(line, end) + 1;
}

/* ---- whether it is told ---- */

/* A comment on a line of the secret, not too far from it: a line may be a whole minified file. */
static bool has_comment(struct gt_str around, struct gt_str secret)
{
    if (!holds(around, secret))
        return false;
    const char *from = secret.ptr, *to = secret.ptr + secret.len, *end = around.ptr + around.len;
    while (from > around.ptr && from[-1] != '\n' && secret.ptr - from < COMMENT_WITHIN)
        from--;
    while (to < end && *to != '\n' && to - (secret.ptr + secret.len) < COMMENT_WITHIN)
        to++;
    return memmem(from, (size_t)(to - from), COMMENT, sizeof COMMENT - 1);
}

static bool is_ignored(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                       struct gt_str around)
{
    return gt_scan_ignores_finding(settings->ignores, found->origin->path, found->finding) ||
           (settings->heed_comments && has_comment(around, found->secret));
}

/* Counts why, when it is not. */
static bool is_told(const struct gt_scan_settings *settings, struct gt_scan_job *job,
                    const struct gt_scan_found *found, struct gt_str around)
{
    if (settings->filter && !gt_scan_passes(settings->filter, found->finding)) {
        job->counts.filtered++;
        return false;
    }
    if (is_ignored(settings, found, around)) {
        job->counts.ignored++;
        return false;
    }
    if (settings->new_baseline)
        gt_scan_format_baseline.finding(settings, found, &job->accepted);
    if (gt_scan_baseline_knows(settings->baseline, found->origin->path, found->finding)) {
        job->counts.known++;
        return false;
    }
    return true;
}

int gt_scan_tell(const struct gt_scan_settings *settings, struct gt_scan_job *job,
                 struct gt_str around, const struct gt_finding *finding, struct gt_str secret)
{
    struct gt_scan_found found = {.origin = &job->origin, .finding = finding, .secret = secret};
    if (!is_asked(&job->only, finding, secret))
        return 0;
    if (!is_told(settings, job, &found, around))
        return gt_buffer_ok(&job->accepted) ? 0 : GT_E_LIMIT;
    place(&found, around);
    count(job, finding);
    gt_scan_progress_add(settings->progress, 0, 0, 1);
    if (settings->format->separator)
        gt_buffer_puts(&job->out, settings->format->separator);
    settings->format->finding(settings, &found, &job->out);
    return gt_buffer_ok(&job->out) && gt_buffer_ok(&job->accepted) ? 0 : GT_E_LIMIT;
}

struct gt_str gt_scan_shown(const struct gt_scan_settings *settings,
                            const struct gt_scan_found *found)
{
    if (settings->show_secrets && found->secret.ptr)
        return found->secret;
    return gt_str_of(found->finding->preview ? found->finding->preview : "");
}

void gt_scan_put_clean(struct gt_buffer *out, const char *text)
{
    size_t from = out->len;
    gt_utf8_append_clean(out, text, strlen(text));
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t')
            out->data[i] = ' ';
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
    sum->encrypted += counts->encrypted;
    sum->damaged += counts->damaged;
    sum->ignored_paths += counts->ignored_paths;
    sum->filtered += counts->filtered;
    sum->known += counts->known;
    sum->ignored += counts->ignored;
    for (size_t i = 0; i <= GT_CRITICAL; i++)
        sum->by_severity[i] += counts->by_severity[i];
}

static struct gt_scan_tallied *find_row(struct gt_scan_tally *tally, const char *rule)
{
    for (size_t i = 0; i < tally->count; i++)
        if (strcmp(tally->items[i].rule, rule) == 0)
            return &tally->items[i];
    return NULL;
}

void gt_scan_tally_add(struct gt_scan_tally *tally, const struct gt_scan_tallied *row)
{
    struct gt_scan_tallied *known = find_row(tally, row->rule);
    if (known) {
        known->count += row->count;
        known->severity = row->severity > known->severity ? row->severity : known->severity;
        return;
    }
    if (tally->count == tally->capacity) {
        size_t capacity = tally->capacity ? 2 * tally->capacity : 4;
        struct gt_scan_tallied *more = reallocarray(tally->items, capacity, sizeof *more);
        if (!more)
            return;
        tally->items = more;
        tally->capacity = capacity;
    }
    tally->items[tally->count++] = *row;
}

void gt_scan_tally_merge(struct gt_scan_tally *sum, const struct gt_scan_tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        gt_scan_tally_add(sum, &tally->items[i]);
}

void gt_scan_tally_free(struct gt_scan_tally *tally)
{
    free(tally->items);
    *tally = (struct gt_scan_tally){0};
}
