/* The parts of `guette scan`. Inside cli/ only.
 *
 * The main thread walks and hands out documents in order (scan_walk.c), each worker judges one at
 * a time in windows (scan_file.c) and tells what it finds (scan_tell.c) in the words of a format
 * (scan_formats/). What they say comes out in the order of the documents, however many workers
 * there are (scan_pool.c), into one report (scan_report.c). */
#ifndef GT_CLI_SCAN_PARTS_H
#define GT_CLI_SCAN_PARTS_H

#include "cli/cli.h"
#include "matchers/matchers.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define GT_SCAN_NOTHING 0
#define GT_SCAN_FOUND 1
#define GT_SCAN_ERROR 2

#define GT_SCAN_THREADS_MAX 256

/* Where a document comes from, as a person would name it. Whoever makes the document may have
 * written any bytes here. NULL: not known, or none. */
struct gt_scan_origin {
    const char *path;           /* of a file; "-": standard input; else what comes nearest */
    const char *source, *url;   /* of a document that another program fetched */
    const char *title;          /* judged with the document */
    const char *commit;         /* object name, hex */
    const char *author, *email; /* of the document or the commit; the author is judged, too */
    const char *date;           /* of the commit, RFC 3339 */
    const char *subject;        /* of the commit: its message's first line */
};

/* What one finding is, to a format. All borrowed. */
struct gt_scan_found {
    const struct gt_scan_origin *origin;
    const struct gt_finding *finding;
    struct gt_str secret; /* as it stands; ptr NULL: a brand's trace, which has none */
    /* In characters (code points), from 1; the end lies behind its last one. 0: not known. */
    unsigned character, end_line, end_character;
};

/* What a finding is, wherever it stands: hash of the rule and the secret, or of the rule and the
 * brand that left a trace. */
struct gt_scan_key {
    unsigned char bytes[GT_ID_BYTES];
};
void gt_scan_key_make(const char *kind, const struct gt_part *parts, size_t count,
                      struct gt_scan_key *ret_key);
void gt_scan_key_of(const struct gt_finding *finding, struct gt_str secret,
                    struct gt_scan_key *ret_key);

/* Findings that are to be told of a document. */
struct gt_scan_keys {
    const struct gt_scan_key *items; /* sorted */
    size_t count;
};

struct gt_scan_report;
struct gt_scan_settings;

/* A form of the report. */
struct gt_scan_format {
    const char *name;
    /* A page tells its counts before its findings: those are kept until the end. */
    bool page;
    const char *separator; /* between two findings; NULL: none */
    /* Each appends. All but `finding` may be NULL. They do not check `out`: their caller does. */
    void (*begin)(const struct gt_scan_report *report, struct gt_buffer *out);
    void (*finding)(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                    struct gt_buffer *out);
    /* A page's own findings are in report->body. */
    void (*end)(const struct gt_scan_report *report, struct gt_buffer *out);
};
extern const struct gt_scan_format *const gt_scan_formats[]; /* NULL-ended; the first is default */

/* ---- which findings are told ---- */

#define GT_SCAN_NAMES_MAX 256
/* Globs of rule ids, their owners ("aws"), providers and categories, in any case. */
struct gt_scan_names {
    char items[GT_SCAN_NAMES_MAX][96];
    size_t count;
};
/* Of a list with commas. 0, or the exit code after saying why. */
int gt_scan_names_add(struct gt_scan_names *names, const char *option, const char *list);

struct gt_scan_filter {
    int min_severity, min_confidence;
    struct gt_scan_names only, except; /* only: empty means all */
};
/* A name that fits no rule is a mistake: 0, or the exit code after saying so. */
int gt_scan_filter_check(const struct gt_scan_filter *filter, const struct gt_ruleset *ruleset);
bool gt_scan_passes(const struct gt_scan_filter *filter, const struct gt_finding *finding);

/* `*` and `?`, in any case; `*` is anything. */
bool gt_scan_glob(const char *glob, const char *text);
/* gitignore(5): `*` stays in its folder, `**` does not. From the start of the path to its end. */
bool gt_scan_path_glob(const char *glob, const char *path);

/* Lines of ignore files (scan_ignore.c). */
struct gt_scan_ignores;
struct gt_scan_ignores *gt_scan_ignores_new(void); /* NULL: out of memory */
void gt_scan_ignores_free(struct gt_scan_ignores *ignores);
/* Reads a file, whose lines then count for what lies below base. A wrong line is told and left
 * out. */
int gt_scan_ignores_add(struct gt_scan_ignores *ignores, const char *file, const char *base,
                        struct gt_error *err);
/* The same of a file's text; file: its name, for messages. */
int gt_scan_ignores_parse(struct gt_scan_ignores *ignores, const char *file, struct gt_str text,
                          const char *base, struct gt_error *err);
/* ignores may be NULL. The path itself; for a file, also the folders above it. */
bool gt_scan_ignores_path(const struct gt_scan_ignores *ignores, const char *path, bool folder);
bool gt_scan_ignores_file(const struct gt_scan_ignores *ignores, const char *path);
bool gt_scan_ignores_finding(const struct gt_scan_ignores *ignores, const char *path,
                             const struct gt_finding *finding);

/* Findings of an earlier report (scan_baseline.c). */
struct gt_scan_baseline;
int gt_scan_baseline_read(const char *path, struct gt_scan_baseline **ret_baseline,
                          struct gt_error *err);
int gt_scan_baseline_parse(struct gt_str text, struct gt_scan_baseline **ret_baseline,
                           struct gt_error *err);
void gt_scan_baseline_free(struct gt_scan_baseline *baseline);
size_t gt_scan_baseline_count(const struct gt_scan_baseline *baseline); /* NULL: 0 */
bool gt_scan_baseline_knows(const struct gt_scan_baseline *baseline_or_null, const char *path,
                            const struct gt_finding *finding);
/* For its readers. 1: taken, 0: it names nothing. */
int gt_scan_baseline_add(struct gt_scan_baseline *baseline, const char *rule,
                         const char *fingerprint, const char *path);
int gt_scan_baseline_csv(struct gt_scan_baseline *baseline, struct gt_str text,
                         struct gt_error *err);
extern const struct gt_scan_format gt_scan_format_baseline; /* --write-baseline */

struct gt_scan_progress;

struct gt_scan_settings {
    const struct gt_scan_format *format;
    const struct gt_scan_filter *filter;     /* NULL: all */
    const struct gt_scan_ignores *ignores;   /* NULL: none */
    const struct gt_scan_baseline *baseline; /* NULL: none */
    struct gt_scan_report *new_baseline;     /* NULL: none is written */
    struct gt_scan_progress *progress;       /* NULL: not shown */
    bool heed_comments;                      /* guette:ignore */
    bool colour, show_secrets;
    uint64_t max_size; /* larger files are left out; 0: none is */
    enum gt_lang lang;
    const struct gt_ruleset *ruleset;
    const char *repository; /* URI of what a history was read from; NULL: none */
    const char *revision;   /* what of it; NULL: not known */
};

/* ---- the command line (scan_options.c) ---- */

#define GT_SCAN_DIRECTORIES_MAX 16

#define GT_SCAN_BRANCHES_MAX 1000

/* A history to be looked through. */
struct gt_scan_git_options {
    const char *repository; /* NULL: none */
    const char *since;
    const char *branches[GT_SCAN_BRANCHES_MAX];
    size_t branch_count;
    bool unreachable;
};

struct gt_scan_options {
    const struct gt_scan_format *format;
    const char *output;
    const char *config;
    const char *directories[GT_SCAN_DIRECTORIES_MAX + 1];
    size_t directory_count;
    unsigned threads;
    uint64_t max_size;
    int max_depth; /* as gt_ruleset_settings has it */
    struct gt_scan_filter filter;
    const char *baseline, *new_baseline, *ignore_file;
    struct gt_scan_git_options git;
    bool show_secrets, exit_zero, no_ignore, no_progress, documents;
};

/* Leaves optind at the first word that is no option. 0, or the exit code after saying why. */
int gt_scan_parse(int argc, char **argv, struct gt_scan_options *options);

/* ---- counts ---- */

/* Of one document, then of all. */
struct gt_scan_counts {
    uint64_t files, bytes, findings, files_with, failed, links, special, large;
    uint64_t encrypted, damaged; /* parts of archives that are; documents with damaged ones */
    uint64_t ignored_paths;      /* files, or folders with all that is in them */
    /* Findings that are not told, and why: --min-..., --only, --except; --baseline; a line of an
     * ignore file or a comment. */
    uint64_t filtered, known, ignored;
    uint64_t by_severity[GT_CRITICAL + 1];
};
void gt_scan_add_counts(struct gt_scan_counts *sum, const struct gt_scan_counts *counts);

/* How often each rule found something. The texts live as long as the ruleset. */
struct gt_scan_tally {
    struct gt_scan_tallied {
        const char *rule, *title, *provider, *category, *remediation;
        enum gt_severity severity; /* the gravest */
        uint64_t count;
    } * items;
    size_t count, capacity;
};
/* Without memory a rule is left out: its findings are told all the same. */
void gt_scan_tally_add(struct gt_scan_tally *tally, const struct gt_scan_tallied *row);
void gt_scan_tally_merge(struct gt_scan_tally *sum, const struct gt_scan_tally *tally);
void gt_scan_tally_free(struct gt_scan_tally *tally);

/* ---- the report (scan_report.c) ---- */

struct gt_scan_report {
    const struct gt_scan_settings *settings;
    struct gt_scan_counts counts; /* complete at the end only */
    struct gt_scan_tally tally;
    int64_t started_ms, ended_ms; /* wall clock */
    int64_t took_ms;
    bool interrupted;

    struct gt_buffer body; /* of a page */
    bool any;              /* a finding was written */
    bool closed;           /* whoever read it went away: nothing is written any more */
    int fd;
    const char *path; /* NULL: standard output */
    char *target, *temporary;
    struct stat files[2]; /* the temporary one, and what was there before; mode 0: none */
    struct gt_error err;  /* the first failure; code 0: none */
};

/* path NULL: standard output. */
int gt_scan_report_open(const struct gt_scan_settings *settings, const char *path,
                        struct gt_scan_report *ret_report, struct gt_error *err);
/* What `finding` appended, in order. Failures are kept until the end. */
void gt_scan_report_write(struct gt_scan_report *report, const char *bytes, size_t len);
/* Writes the end; puts the file in its place, or removes it when something failed. */
int gt_scan_report_finish(struct gt_scan_report *report, struct gt_error *err);
/* After a failure before the end, too. */
void gt_scan_report_free(struct gt_scan_report *report);
/* Whether the file is the report itself, old or new, which is not to be looked through. */
bool gt_scan_report_is(const struct gt_scan_report *report_or_null, const struct stat *st);

/* ---- the pool (scan_pool.c) ---- */

/* One document on its way. */
struct gt_scan_job {
    struct gt_scan_origin origin; /* in `texts`; path NULL: memory was out */
    char *texts;
    char *body; /* NULL: the file at origin.path is read */
    size_t body_len;
    bool spooled;             /* the bytes are in `spool` instead */
    int spool;                /* a file of the job's own */
    struct gt_scan_keys only; /* items NULL: all findings are told, else the document was counted
                                 before and these are */
    uint64_t line_number; /* the body is this line of --documents, still to be read; 0: it is not */
    size_t held;          /* bytes it counts for while it is on the way */
    struct gt_buffer out, accepted, errors; /* accepted: for the new baseline */
    struct gt_scan_counts counts;
    struct gt_scan_tally tally;
    bool done;
};

struct gt_scan_pool;

int gt_scan_pool_new(const struct gt_scan_settings *settings, struct gt_scan_report *report,
                     unsigned threads, struct gt_scan_pool **ret_pool, struct gt_error *err);
/* Waits while too much is on the way. The origin is copied. take_body (malloc) NULL: the file at
 * origin->path is read, else these bytes are judged. */
void gt_scan_pool_push(struct gt_scan_pool *pool, const struct gt_scan_origin *origin,
                       char *take_body, size_t len);
void gt_scan_pool_push_line(struct gt_scan_pool *pool, const char *path, uint64_t number,
                            char *take_line, size_t len);
/* Copies it into the job, whose former texts are the caller's to free. */
void gt_scan_job_set_origin(struct gt_scan_job *job, const struct gt_scan_origin *origin);
/* A document that was counted before, of which only some findings are told. take_spool: a file with
 * its bytes, used when take_body is NULL. */
void gt_scan_pool_push_again(struct gt_scan_pool *pool, const struct gt_scan_origin *origin,
                             char *take_body, size_t len, int take_spool, struct gt_scan_keys only);
/* An error line in its place among the documents. */
void gt_scan_pool_complain(struct gt_scan_pool *pool, const char *path, const char *what);
/* Waits until all that was pushed is told, and what the jobs borrow (`only`) can go. */
void gt_scan_pool_drain(struct gt_scan_pool *pool);
/* Ends when all is told; adds the walk's counts to the report's; frees the pool. */
void gt_scan_pool_finish(struct gt_scan_pool *pool, const struct gt_scan_counts *counts);
/* Called by the worker between windows: hands on what the first document on the way has, so that
 * it need not be kept. */
void gt_scan_pool_flush(struct gt_scan_pool *pool, struct gt_scan_job *job);

/* ---- what makes documents ---- */

struct gt_scan_walk {
    struct gt_scan_pool *pool; /* NULL: files and bytes are counted, nothing else is done */
    const struct gt_scan_settings *settings;
    const struct gt_scan_report *report;
    struct gt_scan_counts *counts;
    const atomic_bool *cancelled; /* NULL: never */
};
/* Files and folders given on the command line. */
void gt_scan_walk(const struct gt_scan_walk *walk, const char *path);

/* The history of options->git (scan_git.c). */
void gt_scan_git(const struct gt_scan_walk *walk, const struct gt_scan_options *options);

/* JSON lines of documents; and a worker's part of it, which reads one line. */
void gt_scan_documents(const struct gt_scan_walk *walk, const char *path);
int gt_scan_document_read(struct gt_scan_job *job);

/* ---- ending early (scan_stop.c) ---- */

void gt_scan_stop_listen(void);
/* A signal came, or nobody reads the report any more: nothing new is begun. */
bool gt_scan_stopped(void);
int gt_scan_signal(void); /* 0: none came */
void gt_scan_stop_unread(void);
/* A file to be removed by a second signal; the path must live until it is withdrawn. */
void gt_scan_temporary(const char *path, bool there);
/* read(2) that ends, as if the input did, when the scan is stopped. */
ssize_t gt_scan_read(int fd, char *to, size_t len);

/* ---- progress (scan_progress.c); all take NULL ---- */

struct gt_scan_progress *gt_scan_progress_start(void); /* NULL: no terminal */
void gt_scan_progress_stop(struct gt_scan_progress *progress);
void gt_scan_progress_add(struct gt_scan_progress *progress, uint64_t files, uint64_t bytes,
                          uint64_t findings);
/* How much there is in all, once that is known. */
void gt_scan_progress_expect(struct gt_scan_progress *progress, uint64_t files, uint64_t bytes);
/* Around everything else that goes to the terminal. */
void gt_scan_progress_pause(struct gt_scan_progress *progress);
void gt_scan_progress_resume(struct gt_scan_progress *progress);

/* ---- a worker's own (scan_file.c) ---- */

struct gt_scan_worker;
int gt_scan_worker_new(const struct gt_scan_settings *settings, struct gt_scan_pool *pool,
                       struct gt_scan_worker **ret_worker, struct gt_error *err);
void gt_scan_worker_free(struct gt_scan_worker *worker);
void gt_scan_file(struct gt_scan_worker *worker, struct gt_scan_job *job);

/* ---- telling (scan_tell.c) ---- */

/* Counts it and adds it to what the job says, unless it is not to be told. around: the bytes that
 * were judged, in which the secret stands; ptr NULL: not at hand. GT_E_LIMIT: the job has too much
 * to say. */
int gt_scan_tell(const struct gt_scan_settings *settings, struct gt_scan_job *job,
                 struct gt_str around, const struct gt_finding *finding, struct gt_str secret);
/* "guette scan: PATH: what" among the job's errors. */
void gt_scan_job_complain(struct gt_scan_job *job, const char *what);

/* ---- for several formats ---- */

/* The lines that end a table. */
void gt_scan_print_summary(const struct gt_scan_report *report, struct gt_buffer *out);
/* Hostile text on one line of a terminal. */
void gt_scan_put_clean(struct gt_buffer *out, const char *text);
/* The secret where it is to be shown, else its preview. Never NULL. */
struct gt_str gt_scan_shown(const struct gt_scan_settings *settings,
                            const struct gt_scan_found *found);

#endif
