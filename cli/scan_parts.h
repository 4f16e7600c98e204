/* The parts of `guette scan`. Inside cli/ only.
 *
 * The main thread walks and hands out files in order (scan_walk.c), each worker judges one at a
 * time in windows (scan_file.c), and what they print comes out in the order of the files, however
 * many workers there are (scan_pool.c). */
#ifndef GT_CLI_SCAN_PARTS_H
#define GT_CLI_SCAN_PARTS_H

#include "cli/cli.h"
#include "matchers/matchers.h"

/* A file is judged in windows of this size, so that its length does not matter. A window begins
 * with the last bytes of the one before: LEAD as context (`\b`, look-behind) and TAIL, in which no
 * match was taken, since it may go on. */
#define GT_SCAN_WINDOW ((size_t)16 * 1024 * 1024)
#define GT_SCAN_TAIL ((size_t)64 * 1024)
#define GT_SCAN_LEAD ((size_t)4 * 1024)

enum gt_scan_format { GT_SCAN_TABLE, GT_SCAN_JSONL };

struct gt_scan_settings {
    enum gt_scan_format format;
    bool colour, show_secrets;
    uint64_t max_size; /* larger files are left out; 0: none is */
    const struct gt_ruleset *ruleset;
};

/* Of one file, then of all. */
struct gt_scan_counts {
    uint64_t files, bytes, findings, files_with, failed, links, special, large;
    uint64_t by_severity[GT_CRITICAL + 1];
};

/* One file on its way. */
struct gt_scan_job {
    char *path; /* "-": standard input */
    struct gt_buffer out, errors;
    struct gt_scan_counts counts;
    bool done;
};

struct gt_scan_pool;

int gt_scan_pool_new(const struct gt_scan_settings *settings, unsigned threads,
                     struct gt_scan_pool **ret_pool, struct gt_error *err);
/* Waits while too much is on the way. */
void gt_scan_pool_push(struct gt_scan_pool *pool, const char *path);
/* An error line in its place among the files. */
void gt_scan_pool_complain(struct gt_scan_pool *pool, const char *path, const char *what);
/* Ends when all is printed; frees the pool. counts of the walk are added to. */
void gt_scan_pool_finish(struct gt_scan_pool *pool, struct gt_scan_counts *counts);
/* Called by the worker between windows: prints what the first file on the way has, so that it need
 * not be kept. */
void gt_scan_pool_flush(struct gt_scan_pool *pool, struct gt_scan_job *job);

/* Files and folders given on the command line. */
void gt_scan_walk(struct gt_scan_pool *pool, const struct gt_scan_settings *settings,
                  const char *path, struct gt_scan_counts *counts);

/* A worker's own. */
struct gt_scan_worker;
int gt_scan_worker_new(const struct gt_scan_settings *settings, struct gt_scan_pool *pool,
                       struct gt_scan_worker **ret_worker, struct gt_error *err);
void gt_scan_worker_free(struct gt_scan_worker *worker);
void gt_scan_file(struct gt_scan_worker *worker, struct gt_scan_job *job);

int gt_scan_print(const struct gt_scan_settings *settings, const char *path,
                  const struct gt_finding *finding, struct gt_str secret, struct gt_buffer *out);
void gt_scan_print_summary(const struct gt_scan_counts *counts, int64_t ms);
void gt_scan_add_counts(struct gt_scan_counts *sum, const struct gt_scan_counts *counts);

#endif
