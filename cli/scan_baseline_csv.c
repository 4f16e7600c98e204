/* A baseline that is our own csv. */
#include "cli/scan_parts.h"

#include <string.h>

enum { RULE, PATH, FINGERPRINT, COLUMNS };
static const char *const names[COLUMNS] = {"rule", "path", "fingerprint"};

/* One cell (RFC 4180) into `cell`; returns where the next one starts. *ret_last: it ends its row.
 */
static const char *read_cell(const char *at, const char *end, struct gt_buffer *cell,
                             bool *ret_last)
{
    bool quoted = at < end && *at == '"';
    gt_buffer_reset(cell);
    gt_buffer_puts(cell, "");
    for (at += quoted; at < end; at++) {
        if (quoted && *at == '"' && at + 1 < end && at[1] == '"')
            at++;
        else if (quoted && *at == '"') {
            quoted = false;
            continue;
        } else if (!quoted && (*at == ',' || *at == '\n'))
            break;
        else if (!quoted && *at == '\r')
            continue;
        gt_buffer_putc(cell, *at);
    }
    *ret_last = at >= end || *at == '\n';
    return at < end ? at + 1 : end;
}

/* The ' that csv.c put before what could be a formula. */
static const char *plain(const struct gt_buffer *cell)
{
    const char *text = cell->data ? cell->data : "";
    return text[0] == '\'' && text[1] && strchr("=+-@\t\r\n|%'", text[1]) ? text + 1 : text;
}

static const char *read_row(const char *at, const char *end, struct gt_buffer *cell,
                            void (*take)(void *, size_t, const char *), void *user)
{
    bool last = false;
    for (size_t column = 0; !last; column++) {
        at = read_cell(at, end, cell, &last);
        take(user, column, plain(cell));
    }
    return at;
}

static void take_name(void *user, size_t column, const char *text)
{
    size_t *columns = user;
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(text, names[i]) == 0)
            columns[i] = column;
}

struct row {
    const size_t *columns;
    struct gt_buffer texts[COLUMNS];
};

static void take_cell(void *user, size_t column, const char *text)
{
    struct row *row = user;
    for (size_t i = 0; i < COLUMNS; i++)
        if (column == row->columns[i])
            gt_buffer_puts(&row->texts[i], text);
}

static int add_row(struct gt_scan_baseline *baseline, struct row *row)
{
    const char *texts[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        texts[i] = row->texts[i].data ? row->texts[i].data : "";
    int rc = gt_scan_baseline_add(baseline, texts[RULE], texts[FINGERPRINT], texts[PATH]);
    for (size_t i = 0; i < COLUMNS; i++)
        gt_buffer_reset(&row->texts[i]);
    return rc;
}

int gt_scan_baseline_csv(struct gt_scan_baseline *baseline, struct gt_str text,
                         struct gt_error *err)
{
    size_t columns[COLUMNS] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    const char *at = text.ptr, *end = text.ptr + text.len;
    GT_BUFFER_AUTO struct gt_buffer cell = GT_BUFFER(GT_JSON_MAX);
    struct row row = {.columns = columns};
    int rc = 0;
    at = read_row(at, end, &cell, take_name, columns);
    for (size_t i = 0; i < COLUMNS; i++) {
        row.texts[i] = GT_BUFFER((size_t)1024 * 1024);
        if (columns[i] == SIZE_MAX)
            rc = gt_fail(err, GT_E_INVALID, "is no report of guette scan: it has no column \"%s\"",
                         names[i]);
    }
    while (at < end && rc >= 0) {
        at = read_row(at, end, &cell, take_cell, &row);
        rc = add_row(baseline, &row);
        if (rc < 0)
            gt_fail(err, rc, "out of memory");
    }
    for (size_t i = 0; i < COLUMNS; i++)
        gt_buffer_free(&row.texts[i]);
    return rc < 0 ? rc : 0;
}
