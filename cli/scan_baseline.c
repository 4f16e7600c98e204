/* --baseline: what an earlier report told is not told again. A report of ours in any form that a
 * program reads will do; --write-baseline writes the shortest, without a word of the secret. */
#include "cli/scan_formats/formats.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Each entry becomes a hash: of its rule, fingerprint and path, or without a path of the first
 * two, or its id alone. */
struct gt_scan_baseline {
    char (*items)[GT_ID_TEXT];
    size_t count, capacity;
};

/* ---- what names a finding ---- */

/* Every form writes a path in its own way; this much is the same in all. */
static void clean_path(struct gt_buffer *out, const char *path)
{
    while (gt_starts_with(path, "./"))
        path += 2;
    gt_utf8_append_clean(out, path, strlen(path));
    gt_buffer_puts(out, "");
}

static void name_place(const char *rule, const char *fingerprint, const char *path_or_null,
                       char ret_id[GT_ID_TEXT])
{
    GT_BUFFER_AUTO struct gt_buffer path = GT_BUFFER((size_t)1024 * 1024);
    if (path_or_null)
        clean_path(&path, path_or_null);
    const struct gt_part parts[] = {gt_part(rule), gt_part(fingerprint), {path.data, path.len}};
    gt_id_make(path_or_null ? "baseline-place" : "baseline", parts, 3, ret_id);
}

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, GT_ID_TEXT);
}

static bool has(const struct gt_scan_baseline *baseline, const char id[GT_ID_TEXT])
{
    return bsearch(id, baseline->items, baseline->count, GT_ID_TEXT, by_text);
}

bool gt_scan_baseline_knows(const struct gt_scan_baseline *baseline, const char *path,
                            const struct gt_finding *finding)
{
    char id[GT_ID_TEXT];
    if (!baseline || baseline->count == 0)
        return false;
    name_place(finding->rule, finding->fingerprint, path, id);
    if (has(baseline, id))
        return true;
    name_place(finding->rule, finding->fingerprint, NULL, id);
    return has(baseline, id) || has(baseline, finding->id);
}

size_t gt_scan_baseline_count(const struct gt_scan_baseline *baseline)
{
    return baseline ? baseline->count : 0;
}

/* ---- reading ---- */

static int add(struct gt_scan_baseline *baseline, const char id[GT_ID_TEXT])
{
    if (baseline->count == baseline->capacity) {
        size_t capacity = baseline->capacity ? 2 * baseline->capacity : 64;
        char(*more)[GT_ID_TEXT] = reallocarray(baseline->items, capacity, GT_ID_TEXT);
        if (!more)
            return GT_E_NOMEM;
        baseline->items = more;
        baseline->capacity = capacity;
    }
    memcpy(baseline->items[baseline->count++], id, GT_ID_TEXT);
    return 0;
}

/* 1: taken, 0: it names nothing. */
static int add_entry(struct gt_scan_baseline *baseline, const char *rule, const char *fingerprint,
                     const char *path, const char *id)
{
    char name[GT_ID_TEXT] = "";
    if (rule && fingerprint && *rule && *fingerprint)
        name_place(rule, fingerprint, path && *path ? path : NULL, name);
    else if (id && strlen(id) == GT_ID_TEXT - 1)
        memcpy(name, id, GT_ID_TEXT);
    else
        return 0;
    return add(baseline, name) < 0 ? GT_E_NOMEM : 1;
}

static const char *inner(const json_t *object, const char *outer, const char *key)
{
    return gt_json_string(json_object_get(object, outer), key, NULL);
}

static int add_own(struct gt_scan_baseline *baseline, const json_t *entry)
{
    return add_entry(baseline, gt_json_string(entry, "rule", NULL),
                     gt_json_string(entry, "fingerprint", NULL),
                     gt_json_string(entry, "path", NULL), gt_json_string(entry, "id", NULL));
}

static int add_sarif(struct gt_scan_baseline *baseline, const json_t *entry)
{
    return add_entry(baseline, gt_json_string(entry, "ruleId", NULL),
                     inner(entry, "partialFingerprints", "guetteFingerprint/v1"),
                     inner(entry, "properties", "path"), NULL);
}

static int add_gitlab(struct gt_scan_baseline *baseline, const json_t *entry)
{
    const json_t *identifier = json_array_get(json_object_get(entry, "identifiers"), 0);
    return add_entry(baseline, gt_json_string(identifier, "value", NULL),
                     inner(json_object_get(entry, "details"), "fingerprint", "value"),
                     inner(entry, "location", "file"), NULL);
}

static int add_array(struct gt_scan_baseline *baseline, const json_t *array,
                     int (*add_one)(struct gt_scan_baseline *, const json_t *))
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (add_one(baseline, json_array_get(array, i)) < 0)
            return GT_E_NOMEM;
    return 0;
}

static int add_runs(struct gt_scan_baseline *baseline, const json_t *runs)
{
    int rc = 0;
    for (size_t i = 0; i < json_array_size(runs) && rc == 0; i++)
        rc = add_array(baseline, json_object_get(json_array_get(runs, i), "results"), add_sarif);
    return rc;
}

/* GT_E_INVALID: none of our documents. */
static int add_document(struct gt_scan_baseline *baseline, const json_t *document)
{
    const json_t *part;
    if (json_is_array(document))
        return add_array(baseline, document, add_own);
    if (json_is_array(part = json_object_get(document, "findings")))
        return add_array(baseline, part, add_own);
    if (json_is_array(part = json_object_get(document, "runs")))
        return add_runs(baseline, part);
    if (json_is_array(part = json_object_get(document, "vulnerabilities")))
        return add_array(baseline, part, add_gitlab);
    int rc = add_own(baseline, document); /* one line of jsonl */
    return rc == 0 ? GT_E_INVALID : rc < 0 ? rc : 0;
}

static int add_line(struct gt_scan_baseline *baseline, struct gt_str line, size_t number,
                    struct gt_error *err)
{
    line = gt_str_trim(line);
    if (line.len == 0)
        return 0;
    GT_JSON_AUTO json_t *entry = gt_json_parse(line.ptr, line.len, err);
    if (!entry)
        return gt_error_prefix(err, "line %zu", number);
    int rc = add_own(baseline, entry);
    if (rc == 0)
        return gt_fail(err, GT_E_INVALID, "line %zu is no finding (rule, fingerprint, path)",
                       number);
    return rc < 0 ? gt_fail(err, rc, "out of memory") : 0;
}

static int read_lines(struct gt_scan_baseline *baseline, struct gt_str text, struct gt_error *err)
{
    int rc = 0;
    for (size_t number = 1; text.len > 0 && rc == 0; number++) {
        const char *newline = memchr(text.ptr, '\n', text.len);
        size_t len = newline ? (size_t)(newline - text.ptr) + 1 : text.len;
        rc = add_line(baseline, (struct gt_str){text.ptr, len}, number, err);
        text = (struct gt_str){text.ptr + len, text.len - len};
    }
    return rc;
}

static int read_json(struct gt_scan_baseline *baseline, struct gt_str text, struct gt_error *err)
{
    const char *newline = memchr(text.ptr, '\n', text.len);
    struct gt_error why;
    size_t first = newline ? (size_t)(newline - text.ptr) : text.len;
    GT_JSON_AUTO json_t *line = gt_json_parse(text.ptr, first, &why);
    GT_JSON_AUTO json_t *document = line ? NULL : gt_json_parse(text.ptr, text.len, err);
    if (!line && !document)
        return err->code;
    bool whole = document || !json_object_get(line, "rule");
    if (!whole)
        return read_lines(baseline, text, err);
    int rc = add_document(baseline, document ? document : line);
    return rc == GT_E_INVALID ? read_lines(baseline, text, err)
           : rc < 0           ? gt_fail(err, rc, "out of memory")
                              : 0;
}

int gt_scan_baseline_parse(struct gt_str text, struct gt_scan_baseline **ret_baseline,
                           struct gt_error *err)
{
    struct gt_scan_baseline *baseline = calloc(1, sizeof *baseline);
    int rc = baseline ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory");
    text = gt_str_trim(text);
    if (rc >= 0 && text.len > 0)
        rc = strchr("{[", text.ptr[0]) ? read_json(baseline, text, err)
                                       : gt_scan_baseline_csv(baseline, text, err);
    if (rc < 0) {
        gt_scan_baseline_free(baseline);
        return rc;
    }
    if (baseline->count > 1)
        qsort(baseline->items, baseline->count, GT_ID_TEXT, by_text);
    *ret_baseline = baseline;
    return 0;
}

int gt_scan_baseline_read(const char *path, struct gt_scan_baseline **ret_baseline,
                          struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(GT_JSON_MAX);
    int rc = gt_file_read(path, &text, err);
    if (rc >= 0)
        rc = gt_scan_baseline_parse((struct gt_str){text.data, text.len}, ret_baseline, err);
    return rc < 0 ? gt_error_prefix(err, "--baseline %s", path) : 0;
}

int gt_scan_baseline_add(struct gt_scan_baseline *baseline, const char *rule,
                         const char *fingerprint, const char *path)
{
    return add_entry(baseline, rule, fingerprint, path, NULL);
}

void gt_scan_baseline_free(struct gt_scan_baseline *baseline)
{
    if (!baseline)
        return;
    free(baseline->items);
    free(baseline);
}

/* ---- writing ---- */

static void print_entry(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                        struct gt_buffer *out)
{
    GT_JSON_AUTO json_t *object = json_object();
    gt_scan_put(object, "rule", found->finding->rule);
    gt_scan_put(object, "fingerprint", found->finding->fingerprint);
    gt_scan_put(object, "path", found->origin->path);
    gt_json_append(object, out);
    gt_buffer_putc(out, '\n');
}

const struct gt_scan_format gt_scan_format_baseline = {.name = "baseline", .finding = print_entry};
