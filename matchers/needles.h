/* What Vectorscan looks for, and the databases made of it.
 *
 * A needle is a literal (a rule's trigger, a brand's domain or keyword) or a whole pattern. Its hit
 * says only "this may stand near here": no start of match is asked for, since that refuses a
 * quarter of real rules and costs two to four times the speed. */
#ifndef GT_MATCHERS_NEEDLES_H
#define GT_MATCHERS_NEEDLES_H

#include "core/core.h"

#include <hs.h>

enum gt_needle_kind {
    GT_NEEDLE_TRIGGER, /* targets: probes */
    GT_NEEDLE_WORD,    /* targets: probes of rules with `after` */
    GT_NEEDLE_NAME,    /* targets: probes of rules with `assigned` */
    GT_NEEDLE_PATTERN, /* one probe */
    GT_NEEDLE_DOMAIN,  /* targets: terms */
    GT_NEEDLE_KEYWORD, /* targets: terms */
};

struct gt_needle {
    enum gt_needle_kind kind;
    const char *expression;
    unsigned flags;     /* HS_FLAG_ */
    size_t least, most; /* bytes a hit is long; most: SIZE_MAX when unbounded */
    uint32_t *targets;
    const struct gt_word_part *parts; /* of a WORD: one a target */
    size_t target_count;
};

/* The part of a word that is looked for: word[from, to), as `after` writes it. */
struct gt_word_part {
    const char *word;
    uint32_t from, to;
};

struct gt_needles {
    struct gt_arena *arena; /* borrowed */
    struct gt_needle *items;
    size_t count, capacity;
    uint32_t *slots; /* hash set over the expressions: index + 1, 0 is free */
    size_t slot_count;
    hs_database_t *database; /* NULL: not compiled, or no needles */
};

/* The needles are in five sets, each with a database of its own, by where it is looked for. */
enum gt_needle_set {
    GT_SET_PLAIN,  /* in the whole document */
    GT_SET_BRANDS, /* domains and keywords of brands, in the whole document: thousands of long ones,
                      which among short ones would cost more than apart */
    GT_SET_WORDS,  /* words of `after`, only before a run that may be their value (matchers/runs.h)
                    */
    GT_SET_RUNS,   /* patterns whose matches hold a run, and their keywords, only around runs */
    GT_SET_FOLDED, /* in the folded copy of what is not ASCII (matchers/fold.h) */
    GT_SETS,
};

/* The same literal of the same kind becomes one needle with several targets. */
int gt_needles_add_literal(struct gt_needles *needles, enum gt_needle_kind kind, const char *text,
                           size_t len, bool caseless, uint32_t target, struct gt_error *err);
/* Gives Vectorscan a looser pattern (matchers/loosen.h). Flags and lengths are not known until it
 * is inspected, which takes milliseconds: only when no database of it is in the cache. */
int gt_needles_add_pattern(struct gt_needles *needles, const char *pattern, uint32_t target,
                           struct gt_error *err);
/* A word of `assigned`: in any case, with or without separators for its '_'. */
int gt_needles_add_name(struct gt_needles *needles, const char *word, uint32_t target,
                        struct gt_error *err);
/* A word of `after`: a part of it in any case, which is neither too short nor too many. The word is
 * borrowed. */
int gt_needles_add_word(struct gt_needles *needles, const char *word, uint32_t target,
                        struct gt_error *err);
/* GT_E_UNSUPPORTED: Vectorscan has no way to look for it. */
int gt_needle_inspect(struct gt_needle *needle);
void gt_needles_remove(struct gt_needles *needles, size_t index);
/* Longest match of a pattern in bytes; SIZE_MAX: unbounded or not known. Takes milliseconds, too.
 */
size_t gt_pattern_width(struct gt_arena *arena, const char *pattern);

/* GT_E_UNSUPPORTED: the processor is too old for Vectorscan. */
int gt_database_platform(struct gt_error *err);
/* Fills needles->database. GT_E_INVALID: needle *ret_bad does not compile. */
int gt_database_compile(struct gt_needles *needles, size_t *ret_bad, struct gt_error *err);

/* A compiled database in a file, with what was learnt when it was built. */
struct gt_cached {
    hs_database_t *databases[GT_SETS];
    struct gt_str notes, rules; /* opaque bytes of the caller; reading puts them into `arena` */
};
/* The file's name: all that the database depends on, Vectorscan's version and the processor
 * included. */
int gt_cache_path(const char *directory, const struct gt_part *parts, size_t count,
                  struct gt_arena *arena, const char **ret_path);
/* GT_E_NOTFOUND: there is none, or it is damaged. */
int gt_cache_read(const char *path, struct gt_arena *arena, struct gt_cached *ret_cached);
int gt_cache_write(const char *path, const struct gt_cached *cached, struct gt_error *err);

#endif
