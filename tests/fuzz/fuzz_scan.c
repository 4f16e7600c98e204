/* What guette scan reads beside files: ignore files, baselines, lines of documents, globs. The
 * first byte says which: i, b, d, g. */
#include "cli/scan_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The parts of the command line that main.c gives it. */
struct gt_config *gt_cli_config(const char *path)
{
    return NULL;
}

int gt_cli_usage(const char *command, const char *format, ...)
{
    return GT_EXIT_USAGE;
}

bool gt_cli_colour(void)
{
    return false;
}

static const struct gt_finding finding = {
    .id = "0123456789abcdef0123456789abcdef",
    .fingerprint = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .rule = "testco.token",
};

static void try_ignores(struct gt_str text)
{
    struct gt_scan_ignores *ignores = gt_scan_ignores_new();
    struct gt_error err;
    if (ignores && gt_scan_ignores_parse(ignores, "fuzz", text, ".", &err) == 0) {
        gt_scan_ignores_file(ignores, "src/a/b.log");
        gt_scan_ignores_path(ignores, "./src", true);
        gt_scan_ignores_finding(ignores, "src/a/b.log", &finding);
        if (gt_scan_ignores_path(ignores, ".", true))
            abort();
    }
    gt_scan_ignores_free(ignores);
}

static void try_baseline(struct gt_str text)
{
    struct gt_scan_baseline *baseline = NULL;
    struct gt_error err;
    if (gt_scan_baseline_parse(text, &baseline, &err) < 0 && err.code >= 0)
        abort();
    gt_scan_baseline_knows(baseline, "a.py", &finding);
    gt_scan_baseline_free(baseline);
}

static void try_document(struct gt_str text)
{
    struct gt_scan_job job = {.line_number = 1, .errors = GT_BUFFER(1 << 20)};
    struct gt_scan_origin origin = {.path = "-"};
    job.body = malloc(text.len + 1);
    job.body_len = text.len;
    gt_scan_job_set_origin(&job, &origin);
    if (job.body && job.texts) {
        memcpy(job.body, text.ptr, text.len);
        if (gt_scan_document_read(&job) == 0 && !job.origin.path)
            abort();
    }
    free(job.body);
    free(job.texts);
    gt_buffer_free(&job.errors);
}

/* "glob NEWLINE path". */
static void try_glob(struct gt_str text)
{
    char *copy = strndup(text.ptr, text.len), *path = copy ? strchr(copy, '\n') : NULL;
    if (path) {
        *path++ = '\0';
        gt_scan_path_glob(copy, path);
        gt_scan_glob(copy, path);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere; /* it says which lines are wrong; sanitizers speak past stdio */
    if (!nowhere && (nowhere = fopen("/dev/null", "w")))
        stderr = nowhere;
    if (size == 0)
        return 0;
    struct gt_str text = {(const char *)data + 1, size - 1};
    switch (data[0]) {
    case 'i':
        try_ignores(text);
        break;
    case 'b':
        try_baseline(text);
        break;
    case 'd':
        try_document(text);
        break;
    default:
        try_glob(text);
    }
    return 0;
}
