#include "matchers/scan.h"

#include "matchers/fold.h"

#include <stdlib.h>
#include <string.h>

/* Keywords written with letters beyond ASCII stand only around such letters: those stretches alone
 * are folded, piece by piece, with a map back to where each byte came from. */
#define PIECE ((size_t)16 * 1024)
/* So much around such letters is folded: more than the longest keyword with its accents is long. */
#define AROUND_MAX ((size_t)1024)
#define ACCENTED ((size_t)6) /* bytes of a letter with what it may carry */
#define FOLDED_MAX                                                                                 \
    (2 * PIECE + GT_FOLD_CHAR_MAX) /* a byte that is no UTF-8 becomes at most two                  \
                                    */

struct gt_piece {
    struct gt_scratch *scratch;
    size_t start; /* in the document */
    size_t around;
    size_t next; /* where the next piece starts: hits from there on are its to report */
    size_t len;
    char bytes[FOLDED_MAX];
    uint32_t from[FOLDED_MAX + 1]; /* where each byte came from, relative to `start` */
};

static size_t around_of(const struct gt_needles *keywords)
{
    size_t longest = 0;
    for (size_t i = 0; i < keywords->count; i++)
        if (keywords->items[i].most > longest)
            longest = keywords->items[i].most;
    size_t around = ACCENTED * (longest + 4);
    return around < AROUND_MAX ? around : AROUND_MAX;
}

struct gt_piece *gt_piece_new(struct gt_scratch *scratch)
{
    struct gt_piece *piece = calloc(1, sizeof *piece);
    if (piece) {
        piece->scratch = scratch;
        piece->around = around_of(&scratch->ruleset->sets[GT_SET_FOLDED]);
    }
    return piece;
}

static size_t next_other(const char *body, size_t len, size_t at)
{
    for (; at + 8 <= len; at += 8) {
        uint64_t word;
        memcpy(&word, body + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < len && (unsigned char)body[at] < 0x80)
        at++;
    return at;
}

/* A start of a character at or before `at`. */
static size_t whole(const char *body, size_t at)
{
    for (int i = 0; i < 3 && at > 0 && ((unsigned char)body[at] & 0xC0) == 0x80; i++)
        at--;
    return at;
}

/* Folds from `start` up to about `end`; returns where it ended. */
static size_t fold_piece(struct gt_piece *piece, size_t start, size_t end)
{
    const struct gt_scratch *scratch = piece->scratch;
    size_t at = start, stop = end - start > PIECE ? start + PIECE : end;
    piece->start = start;
    piece->len = 0;
    while (at < stop) {
        uint32_t c;
        size_t size = gt_char_next(scratch->body + at, scratch->len - at, &c);
        size_t count = gt_fold_char(c, piece->bytes + piece->len);
        for (size_t i = 0; i < count; i++)
            piece->from[piece->len++] = (uint32_t)(at - start);
        at += size;
    }
    piece->from[piece->len] = (uint32_t)(at - start);
    return at;
}

static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                  void *user)
{
    struct gt_piece *piece = user;
    struct gt_scratch *scratch = piece->scratch;
    const struct gt_needle *needle = &scratch->ruleset->sets[GT_SET_FOLDED].items[id];
    size_t start = piece->start + piece->from[to - needle->most];
    size_t end = piece->start + piece->from[to];
    if (start >= piece->next || !gt_stands_alone(scratch->body, scratch->len, start, end))
        return 0;
    for (size_t i = 0; i < needle->target_count; i++)
        if (gt_mention_add(scratch, needle->targets[i], start, end))
            return 1;
    return 0;
}

/* The end of the stretch around other letters: when there is none for long enough. */
static size_t stretch_end(const struct gt_scratch *scratch, size_t first)
{
    size_t around = scratch->piece->around, last = first, next;
    while ((next = next_other(scratch->body, scratch->len, last + 1)) < scratch->len &&
           next - last <= 2 * around)
        last = next;
    return scratch->len - last > around ? last + around : scratch->len;
}

static int scan_stretch(struct gt_piece *piece, size_t start, size_t end)
{
    const struct gt_scratch *scratch = piece->scratch;
    while (start < end) {
        size_t stop = fold_piece(piece, start, end);
        piece->next = stop < end ? whole(scratch->body, stop - piece->around) : scratch->len;
        hs_error_t rc = hs_scan(scratch->ruleset->sets[GT_SET_FOLDED].database, piece->bytes,
                                (unsigned)piece->len, 0, scratch->hs, on_hit, piece);
        if (rc != HS_SUCCESS && rc != HS_SCAN_TERMINATED)
            return GT_E_INVALID;
        start = stop < end ? piece->next : end;
    }
    return 0;
}

int gt_scan_folded(struct gt_scratch *scratch)
{
    size_t first = next_other(scratch->body, scratch->len, 0), around = scratch->piece->around;
    int rc = 0;
    while (first < scratch->len && rc >= 0) {
        size_t start = first > around ? whole(scratch->body, first - around) : 0;
        size_t end = stretch_end(scratch, first);
        rc = scan_stretch(scratch->piece, start, end);
        first = next_other(scratch->body, scratch->len, end);
    }
    return rc;
}
