/* guette rules bench: which rule costs what on one's own files. One thread, so that the clock
 * tells the truth. */
#include "cli/rules_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)16 * 1024 * 1024) /* the first bytes of a longer file are judged */
#define OPEN_MAX 32

struct row {
    const char *id;
    struct gt_rule_cost cost;
};

static struct bench { /* nftw(3) hands on no pointer of ours */
    struct gt_ruleset *ruleset;
    struct gt_scratch *scratch;
    char *body;
    uint64_t files, bytes, findings;
    int64_t ms;
} bench;

static int count(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    bench.findings++;
    return 0;
}

static size_t read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t have = 0;
    for (ssize_t got = 1; fd >= 0 && got > 0 && have < FILE_MAX; have += (size_t)got) {
        got = read(fd, bench.body + have, FILE_MAX - have);
        if (got < 0)
            break;
    }
    if (fd >= 0)
        close(fd);
    return have;
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    if (kind != FTW_F || !S_ISREG(st->st_mode))
        return 0;
    size_t len = read_file(path);
    struct gt_document document = {
        .source = "bench", .key = path, .body = bench.body, .body_len = len};
    struct gt_match_summary summary;
    struct gt_error err;
    int64_t started = gt_monotonic();
    if (gt_match(bench.ruleset, bench.scratch, &document, 0, count, NULL, &summary, &err) < 0)
        fprintf(stderr, "guette rules: %s\n", err.message);
    bench.ms += gt_monotonic() - started;
    bench.files++;
    bench.bytes += len;
    return 0;
}

/* ---- the table ---- */

static int by_cost(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->cost.nanoseconds != y->cost.nanoseconds)
        return x->cost.nanoseconds > y->cost.nanoseconds ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void print_row(const char *name, const struct gt_rule_cost *cost, double all_ms)
{
    double ms = (double)cost->nanoseconds / 1e6;
    printf("%10.2f %6.1f%% %10" PRIu64 " %10" PRIu64 "  %s\n", ms,
           all_ms > 0 ? 100 * ms / all_ms : 0, cost->hits, cost->candidates, name);
}

static void print_table(struct row *rows, size_t rule_count, unsigned top)
{
    struct gt_rule_cost rest = {0};
    uint64_t confirming = 0;
    qsort(rows, rule_count, sizeof *rows, by_cost);
    for (size_t i = 0; i < rule_count; i++)
        confirming += rows[i].cost.nanoseconds;
    double all =
        (double)bench.ms > (double)confirming / 1e6 ? (double)bench.ms : (double)confirming / 1e6;
    struct gt_rule_cost search = {.nanoseconds = (uint64_t)(all * 1e6) - confirming};
    puts("        ms   share       hits candidates  rule");
    print_row("(the search for all keywords, and what follows)", &search, all);
    for (size_t i = 0; i < rule_count; i++) {
        if (i < top && rows[i].cost.hits > 0) {
            print_row(rows[i].id, &rows[i].cost, all);
            continue;
        }
        rest.nanoseconds += rows[i].cost.nanoseconds;
        rest.hits += rows[i].cost.hits;
        rest.candidates += rows[i].cost.candidates;
    }
    if (rest.hits > 0)
        print_row("(all other rules)", &rest, all);
}

static int print_costs(unsigned top)
{
    struct gt_rule_info info;
    size_t rule_count = gt_ruleset_count(bench.ruleset);
    struct row *rows = calloc(rule_count + 1, sizeof *rows);
    if (!rows)
        return GT_EXIT_FAILED;
    for (size_t i = 0; gt_ruleset_info(bench.ruleset, i, &info) == 0; i++)
        rows[i] = (struct row){info.id, gt_scratch_cost(bench.scratch, i)};
    print_table(rows, rule_count, top);
    printf("\n%" PRIu64 " files, %.1f MB in %" PRId64 " ms (%.0f MB/s, one thread), %" PRIu64
           " findings\n",
           bench.files, (double)bench.bytes / 1e6, bench.ms,
           bench.ms > 0 ? (double)bench.bytes / 1e3 / (double)bench.ms : 0, bench.findings);
    free(rows);
    return GT_EXIT_OK;
}

int gt_rules_bench(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                   char **argv)
{
    struct gt_error err;
    bench = (struct bench){.ruleset = ruleset, .body = malloc(FILE_MAX)};
    int rc = bench.body ? gt_scratch_new(ruleset, &bench.scratch, &err)
                        : gt_fail(&err, GT_E_NOMEM, "out of memory");
    if (rc >= 0)
        rc = gt_scratch_profile(bench.scratch, &err);
    for (int i = 0; rc >= 0 && i < (argc > 0 ? argc : 1); i++) {
        const char *path = argc > 0 ? argv[i] : ".";
        if (nftw(path, visit, OPEN_MAX, FTW_PHYS) < 0)
            rc = gt_fail(&err, GT_E_IO, "%s: %s", path, strerror(errno));
    }
    if (rc < 0)
        fprintf(stderr, "guette rules: %s\n", err.message);
    int code = rc < 0 ? GT_EXIT_FAILED : print_costs(options->top);
    gt_scratch_free(bench.scratch);
    free(bench.body);
    return code;
}
