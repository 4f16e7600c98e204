/* Option tables: one description of a piece of configuration, from which the YAML is decoded and
 * checked, the JSON Schema for editors is generated and `--help` is printed.
 *
 * A table describes a C struct: each row names a key, its type, where it goes (offsetof), its
 * default in YAML spelling and one line of help. Decoding writes the struct; strings and lists live
 * in the arena.
 *
 * C types of the fields:
 *   BOOL bool · INT int64_t · NUMBER double · DURATION int64_t (ms) · SIZE uint64_t (bytes) ·
 *   STRING, SECRET const char * · ENUM int (index into choices) · STRUCT the nested struct itself ·
 *   any type with GT_OPTION_LIST: struct gt_list of such fields.
 *
 * Every scalar goes through expansion first: ${NAME} and ${NAME:-default} from the environment ($${
 * is a plain
 * "${"; what expands to nothing counts as not given), and a SECRET that starts with "file:" is the
 * content of that file without its final line break. Messages quote a value as it was written,
 * never what it expanded to, and never a SECRET. */
#ifndef GT_CORE_OPTIONS_H
#define GT_CORE_OPTIONS_H

#include "core/arena.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/json.h"
#include "core/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gt_option_type {
    GT_OPTION_END,
    GT_OPTION_BOOL,
    GT_OPTION_INT,
    GT_OPTION_NUMBER,
    GT_OPTION_DURATION,
    GT_OPTION_SIZE,
    GT_OPTION_STRING,
    GT_OPTION_SECRET,
    GT_OPTION_ENUM,
    GT_OPTION_STRUCT,
};

enum gt_option_flag {
    GT_OPTION_REQUIRED = 1, /* and not empty */
    GT_OPTION_LIST = 2,     /* a YAML list; a single scalar is taken as a list of one */
    GT_OPTION_HIDDEN = 4,   /* works, but is left out of help and schema (tests) */
};

struct gt_list {
    void *items;
    size_t count;
};
#define GT_LIST_ITEM(list, type, index) (&((type *)(list).items)[index])

struct gt_option;

/* One value of a `type:` key, with its own rows (gt_option_set below): a source, channel or
 * back-end. */
struct gt_kind {
    const char *name, *summary;
    const struct gt_option *options; /* ends with GT_OPTION_END */
    size_t size;                     /* of the struct they fill */
};

struct gt_option {
    const char *name;
    enum gt_option_type type;
    size_t offset;
    const char *fallback; /* default in YAML spelling; NULL: zero, empty, none */
    const char *help;     /* one line, lower case, no full stop */
    unsigned flags;
    const char *const *choices; /* ENUM: NULL-ended */
    double least,
        most; /* numbers, durations (ms), sizes (bytes); both 0: no bounds; most 0: none above */
    /* A further test of one scalar; says in err what is wrong and what to do ("is not a domain
     * name; write
     * ..."), without naming the key: the decoder puts file, line and key before it. */
    int (*check)(const char *value, struct gt_error *err);
    /* STRUCT: rows and size of the nested struct. A scalar where a STRUCT is expected fills the row
     * whose name is `shorthand` (keywords: [acme] beside keywords: [{text: acme, severity: low}]).
     */
    const struct gt_option *nested;
    size_t nested_size;
    const char *shorthand;
    /* STRUCT of several kinds: the key `type` picks one of them; its rows are decoded from the same
     * map into a struct of its own, reached by the pointers at these two offsets of the nested
     * struct. */
    const struct gt_kind *const *(*kinds)(void *context); /* NULL-ended; context of the decoder */
    size_t kind_offset;                                   /* const struct gt_kind * */
    size_t kind_options_offset;                           /* void * */
};

/* All mistakes found; in file order after gt_mistakes_sort. */
#define GT_MISTAKES_MAX 200 /* kept; a hostile file could make millions */
struct gt_mistakes {
    struct gt_arena *arena;
    struct gt_mistake_item {
        const char *text; /* file:line:column: path: what; what to do */
        const char *file; /* "" when nobody knows */
        unsigned line, column;
    } * items;
    size_t count, capacity; /* of items */
    size_t found;           /* with those not kept */
};
/* `at`: the value that is wrong; NULL: not in a file. path: of its key, "" for none. */
void gt_mistake(struct gt_mistakes *mistakes, const struct gt_node *at, const char *path,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, where the key itself is wrong. */
void gt_mistake_key(struct gt_mistakes *mistakes, const struct gt_node *at, const char *path,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
void gt_mistakes_sort(struct gt_mistakes *mistakes);

/* The known word most like a mistyped one. Start with {.word = ...}, offer each known word; `best`
 * is NULL when none is near. */
struct gt_nearest {
    const char *word, *best;
    size_t distance;
};
void gt_nearest_offer(struct gt_nearest *nearest, const char *known);

struct gt_option_decoder {
    struct gt_arena *arena;
    struct gt_mistakes *mistakes;
    void *context;         /* for `kinds` */
    bool expand;           /* environment and file: (off for rules and sites) */
    const char *prefix;    /* path to this map in messages, "" or NULL at the root */
    const char *directory; /* where relative file: secrets start; NULL: file: is refused */
};

/* Decodes `map` into `ret` (size bytes, zeroed here first). Every mistake is added, none stops it.
 * Returns the number of mistakes found. A map that is NULL gives the defaults and misses nothing.
 */
size_t gt_options_decode(const struct gt_option_decoder *decoder, const struct gt_node *map,
                         const struct gt_option *options, void *ret, size_t size);
/* The defaults alone. */
int gt_options_default(struct gt_arena *arena, const struct gt_option *options, void *ret,
                       size_t size, struct gt_error *err);
/* JSON Schema (2020-12) of a map described by the rows. New reference. */
json_t *gt_options_schema(const struct gt_option *options, void *context);
/* "name  TYPE  help (default x)" lines; rows of nested structs as "name.row". */
int gt_options_help(const struct gt_option *options, struct gt_buffer *out);
/* Size of one value of the row; with GT_OPTION_LIST, of one item. */
size_t gt_option_size(const struct gt_option *option);
/* The type in a word or two ("duration", "list of text", "low | high"). Arena memory. */
const char *gt_option_type_words(const struct gt_option *option, struct gt_arena *arena);

/* ${NAME} and ${NAME:-default} replaced; GT_E_INVALID names what is not set or not closed. Arena
 * memory. */
int gt_expand(const char *text, struct gt_arena *arena, const char **ret_text,
              struct gt_error *err);
/* Appends text as a quoted YAML scalar that expands to itself. */
int gt_append_quoted(struct gt_buffer *out, const char *text);
/* Like gt_expand; then "file:PATH" (relative to directory) is read. Never quotes the text. */
int gt_expand_secret(const char *text, const char *directory, struct gt_arena *arena,
                     const char **ret_text, struct gt_error *err);

#endif
