/* The case of one document: its texts, from the outside in, and what was found in them.
 *
 * A *layer* is a thing in a thing: the document itself, an entry of an archive, what a compressed
 * file holds. It is judged in windows. Each window is a *text*; what span decoders make of pieces
 * of it is another text, one level deeper (inside.c). Every text goes through the same engine
 * (judge.c), and what it finds is kept as records until they are told (match.c). */
#ifndef GT_MATCHERS_CASE_H
#define GT_MATCHERS_CASE_H

#include "matchers/decode/decode.h"
#include "matchers/scan.h"
#include "matchers/scoring.h"

#define GT_DEPTH_MAX 16

struct gt_text;

/* A step of decoded_via is shown on the way from the document to the text. */
struct gt_layer {
    const struct gt_layer *outer; /* NULL: none, or a text's */
    const struct gt_text *text;   /* it was decoded from a piece of this text, at `offset`; NULL */
    size_t offset;
    const char *step; /* NULL: none */
    bool is_name;     /* the step is a name somebody gave: judged like a title */
    unsigned depth;
};

/* A piece of the outer text and what came of it. */
struct gt_segment {
    size_t start, end; /* in the decoded text */
    size_t prefix;     /* so many bytes at its start stand before the decoded ones, for context */
    struct gt_span outer; /* what was decoded */
    const struct gt_decoder *decoder;
    size_t mark, mark_count;
};

struct gt_derived {
    struct gt_text *outer; /* its cursor moves */
    struct gt_decoded decoded;
    struct gt_segment *segments;
    size_t count, capacity;
};

struct gt_text {
    const struct gt_layer *layer;     /* NULL: derived */
    const struct gt_derived *derived; /* NULL: a window of a layer */
    const char *bytes;
    size_t len;
    unsigned depth;
    struct gt_str about; /* names beside it, a line each */
    struct gt_span own;  /* what starts here is told; the rest is another window's */
    unsigned number;     /* in the case */
    unsigned first_line; /* line ends before the window */
    size_t before;       /* bytes before it on its first line */
    struct {             /* moved by gt_place */
        size_t at, line_start;
        unsigned line;
    } cursor;
};

/* What stands beside a text and is judged as its first lines. */
enum gt_about { GT_ABOUT_NOT, GT_ABOUT_TITLE, GT_ABOUT_AUTHOR, GT_ABOUT_URL, GT_ABOUT_NAME };

/* Which term of a brand is named near. */
struct gt_named {
    const struct gt_term *term; /* NULL: not named */
    enum gt_nearness nearness;
};

/* A credential of one text, told for each brand that it counts for. Strings are the case's. */
struct gt_record {
    struct gt_candidate candidate; /* its places are the text's: not to be used */
    unsigned text;
    struct gt_span span; /* in that text */
    struct gt_str secret;
    const char *stands; /* where it stands in the document's window; NULL: not there */
    const char *preview, *context, *via;
    enum gt_about about; /* where its context is from */
    char fingerprint[GT_FINGERPRINT_TEXT];
    unsigned line, column;
    const struct gt_named *named; /* one a brand; NULL: no brands */
    bool dropped;
};

/* Of one brand: the gravest mention anywhere, and whether any stands in the text or the title. */
struct gt_trace {
    const struct gt_term *gravest, *body, *title;
    unsigned text;
    size_t place;
    bool in_title;
    unsigned line, column;
    const char *context, *via;
};

/* Memory of one level, kept from document to document. */
struct gt_depth {
    struct gt_buffer window;
    struct gt_derived derived;
};
/* Windows of what is inside are smaller, so that five levels of them fit. */
#define GT_INNER_WINDOW ((size_t)8 * 1024 * 1024)

struct gt_case {
    struct gt_scratch *scratch;
    const struct gt_ruleset *ruleset;
    const struct gt_document *document;
    int64_t now_ms;
    gt_finding_sink *sink;
    void *user;
    struct gt_error *err;

    struct gt_arena *arena;  /* of records; reset when they were told */
    struct gt_arena *traces; /* of the document */
    struct gt_record *records;
    size_t record_count, record_capacity;
    struct gt_str *secrets; /* every secret of untold texts, told or not: to be hidden */
    size_t secret_count, secret_capacity;
    uint64_t *seen; /* of every secret so far; an open hash set of SEEN slots */
    size_t seen_count;
    struct gt_trace *brands; /* one a brand */
    const char *last_via;
    unsigned texts;

    struct gt_depth levels[GT_DEPTH_MAX + 1];
    struct gt_str window;    /* the document's, as far as it is in memory */
    struct gt_buffer about;  /* of the document */
    struct gt_buffer joined; /* a text with what stands beside it before it */
    int64_t started_ms;
    bool stopped;
    bool streaming;          /* records are told window by window */
    uint64_t taken, decoded; /* bytes: of the document, of what was inside */
    int64_t until_ms;
    bool credentials; /* any was found */
    size_t told;
    struct gt_match_summary summary;
};

struct gt_case *gt_case_new(const struct gt_ruleset *ruleset);
void gt_case_free(struct gt_case *c);
/* Frees what is large, wipes what is secret. */
void gt_case_end(struct gt_case *c);

/* ---- inside.c ---- */

/* Judges a layer and all that is inside of it. */
int gt_dig(struct gt_case *c, const struct gt_layer *layer, struct gt_source *source);

/* ---- judge.c ---- */

/* Runs the engine over one text and keeps what it finds. */
int gt_judge(struct gt_case *c, struct gt_text *text);
/* The way to a place, "a.zip → b.txt → base64"; NULL: none, as it stands. Arena memory. */
const char *gt_via(struct gt_arena *arena, const struct gt_text *text, size_t offset);
void gt_place(struct gt_text *text, size_t offset, unsigned *ret_line, unsigned *ret_column);
/* The segment in which an offset stands; NULL: between two. */
const struct gt_segment *gt_segment_at(const struct gt_derived *derived, size_t offset);

/* ---- match.c ---- */

/* Tells the records. */
int gt_tell(struct gt_case *c);

#endif
