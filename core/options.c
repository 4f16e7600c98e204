#include "core/options.h"

#include "core/strings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the decoder stands, for messages: a key (name) or a place in a list (index). */
struct frame {
    const struct frame *up;
    const char *name;
    size_t index;
};

#define PATH_MAX_LEN 256

static void write_path(const struct frame *frame, const char *prefix, struct gt_buffer *out)
{
    if (!frame) {
        gt_buffer_puts(out, prefix ? prefix : "");
        return;
    }
    write_path(frame->up, prefix, out);
    if (!frame->name)
        gt_buffer_printf(out, "[%zu]", frame->index);
    else
        gt_buffer_printf(out, "%s%.60s", out->len ? "." : "", frame->name);
}

static void complain(const struct gt_option_decoder *decoder, const struct frame *frame,
                     const struct gt_node *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void complain(const struct gt_option_decoder *decoder, const struct frame *frame,
                     const struct gt_node *at, const char *format, ...)
{
    char what[1536];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    GT_BUFFER_AUTO struct gt_buffer path = GT_BUFFER(PATH_MAX_LEN);
    write_path(frame, decoder->prefix, &path);
    gt_mistake(decoder->mistakes, at, path.data, "%s", what);
}

/* "value" as written, shortened; a secret is only called one. */
static const char *quote(const struct gt_option *option, const struct gt_node *node, char buf[96])
{
    if (option->type == GT_OPTION_SECRET)
        return "the secret";
    if (node->len > 60)
        snprintf(buf, 96, "\"%.57s...\"", node->text);
    else
        snprintf(buf, 96, "\"%s\"", node->text);
    return buf;
}

/* ---- scalars ---- */

static int parse_bool(const struct gt_option *option, const char *text, bool *ret,
                      struct gt_error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"false", false}, {"yes", true},
                 {"no", false},  {"on", true},     {"off", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (gt_equals_ignoring_case(text, words[i].word)) {
            *ret = words[i].value;
            return 0;
        }
    }
    return gt_fail(err, GT_E_INVALID, "is neither true nor false; write one of them");
}

/* A bound in the spelling of its type. */
static void write_bound(const struct gt_option *option, double bound, char buf[64])
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1024);
    const char *text = NULL;
    if (arena && option->type == GT_OPTION_DURATION)
        text = gt_format_duration(arena, (int64_t)bound);
    else if (arena && option->type == GT_OPTION_SIZE)
        text = gt_format_size(arena, (uint64_t)bound);
    if (text)
        snprintf(buf, 64, "%s", text);
    else
        snprintf(buf, 64, "%.15g", bound);
}

static int check_bounds(const struct gt_option *option, double value, struct gt_error *err)
{
    char bound[64];
    if (option->least == 0 && option->most == 0)
        return 0;
    if (value < option->least) {
        write_bound(option, option->least, bound);
        return gt_fail(err, GT_E_INVALID, "is too small; the least is %s", bound);
    }
    if (option->most > option->least && value > option->most) {
        write_bound(option, option->most, bound);
        return gt_fail(err, GT_E_INVALID, "is too large; the most is %s", bound);
    }
    return 0;
}

static int parse_int(const struct gt_option *option, const char *text, int64_t *ret,
                     struct gt_error *err)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (!strchr("-0123456789", text[0]) || end == text || *end)
        return gt_fail(err, GT_E_INVALID, "is not a whole number; write digits only, like 4");
    if (errno)
        return gt_fail(err, GT_E_INVALID, "is too large for a whole number");
    int rc = check_bounds(option, (double)value, err);
    if (rc == 0)
        *ret = value;
    return rc;
}

static int parse_number(const struct gt_option *option, const char *text, double *ret,
                        struct gt_error *err)
{
    char *end;
    size_t len = strlen(text);
    double value = strtod(text, &end);
    if (len == 0 || strspn(text, "-+.0123456789eE") != len || *end || value - value != 0)
        return gt_fail(err, GT_E_INVALID, "is not a number; write it like 4 or 0.5");
    int rc = check_bounds(option, value, err);
    if (rc == 0)
        *ret = value;
    return rc;
}

static int parse_duration(const struct gt_option *option, const char *text, int64_t *ret,
                          struct gt_error *err)
{
    int64_t ms;
    int rc = gt_parse_duration(text, &ms, err);
    if (rc == 0)
        rc = check_bounds(option, (double)ms, err);
    if (rc == 0)
        *ret = ms;
    return rc;
}

static int parse_size(const struct gt_option *option, const char *text, uint64_t *ret,
                      struct gt_error *err)
{
    uint64_t bytes;
    int rc = gt_parse_size(text, &bytes, err);
    if (rc == 0)
        rc = check_bounds(option, (double)bytes, err);
    if (rc == 0)
        *ret = bytes;
    return rc;
}

static int parse_enum(const struct gt_option *option, const char *text, int *ret,
                      struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer list = GT_BUFFER(512);
    struct gt_nearest nearest = {.word = text};
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(text, option->choices[i]) == 0) {
            *ret = i;
            return 0;
        }
        gt_nearest_offer(&nearest, option->choices[i]);
        gt_buffer_printf(&list, "%s%s", i ? ", " : "", option->choices[i]);
    }
    if (nearest.best)
        return gt_fail(err, GT_E_INVALID, "is not known; did you mean \"%s\"? (%s)", nearest.best,
                       list.data);
    return gt_fail(err, GT_E_INVALID, "is not known; write one of %s", list.data);
}

static int parse_scalar(const struct gt_option *option, const char *text, void *dest,
                        struct gt_error *err)
{
    switch (option->type) {
    case GT_OPTION_BOOL:
        return parse_bool(option, text, dest, err);
    case GT_OPTION_INT:
        return parse_int(option, text, dest, err);
    case GT_OPTION_NUMBER:
        return parse_number(option, text, dest, err);
    case GT_OPTION_DURATION:
        return parse_duration(option, text, dest, err);
    case GT_OPTION_SIZE:
        return parse_size(option, text, dest, err);
    case GT_OPTION_STRING:
    case GT_OPTION_SECRET:
        if ((option->flags & GT_OPTION_REQUIRED) && !*text)
            return gt_fail(err, GT_E_INVALID, "is empty; write %s", option->help);
        *(const char **)dest = text;
        return 0;
    case GT_OPTION_ENUM:
        return parse_enum(option, text, dest, err);
    case GT_OPTION_STRUCT:
    case GT_OPTION_END:
        break;
    }
    return gt_fail(err, GT_E_INVALID, "has no scalar type");
}

static int expand_scalar(const struct gt_option_decoder *decoder, const struct gt_option *option,
                         const struct gt_node *node, const char **ret, struct gt_error *err)
{
    if (memchr(node->text, '\0', node->len))
        return gt_fail(err, GT_E_INVALID, "holds a NUL character; remove it");
    if (decoder->expand && option->type == GT_OPTION_SECRET)
        return gt_expand_secret(node->text, decoder->directory, decoder->arena, ret, err);
    if (decoder->expand)
        return gt_expand(node->text, decoder->arena, ret, err);
    *ret = gt_arena_strdup(decoder->arena, node->text);
    return *ret ? 0 : gt_fail(err, GT_E_LIMIT, "does not fit in memory");
}

/* "${NAME:-}" of a variable that is not set: as if the key were not there. */
static bool is_left_out(const struct gt_option *option, const struct gt_node *node,
                        const char *text)
{
    bool is_text = option->type == GT_OPTION_STRING || option->type == GT_OPTION_SECRET;
    return is_text && !*text && node->len &&
           !(option->flags & (GT_OPTION_REQUIRED | GT_OPTION_LIST));
}

static void decode_scalar(const struct gt_option_decoder *decoder, const struct frame *frame,
                          const struct gt_option *option, const struct gt_node *node, void *dest)
{
    struct gt_error err = {0};
    char quoted[96];
    const char *text = NULL;
    if (node->type != GT_NODE_SCALAR) {
        complain(decoder, frame, node, "a %s stands here; write a single value (%s)",
                 node->type == GT_NODE_MAP ? "map" : "list", option->help);
        return;
    }
    int rc = expand_scalar(decoder, option, node, &text, &err);
    if (rc == 0 && is_left_out(option, node, text)) {
        *(const char **)dest = option->fallback;
        return;
    }
    if (rc == 0)
        rc = parse_scalar(option, text, dest, &err);
    if (rc == 0 && option->check)
        rc = option->check(text, &err);
    if (rc < 0)
        complain(decoder, frame, node, "%s %s", quote(option, node, quoted), err.message);
}

/* ---- maps ---- */

static void decode_option(const struct gt_option_decoder *decoder, const struct frame *frame,
                          const struct gt_option *option, const struct gt_node *node, void *dest);

static const struct gt_option *find_row(const struct gt_option *options, const char *name)
{
    for (const struct gt_option *o = options; o && o->type; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

/* The default goes the way of any value; what is wrong with it is told at the map. */
static void decode_fallback(const struct gt_option_decoder *decoder, const struct frame *frame,
                            const struct gt_option *option, const struct gt_node *map, void *dest)
{
    if (!option->fallback) {
        if (option->type == GT_OPTION_STRUCT && !(option->flags & GT_OPTION_LIST))
            decode_option(decoder, frame, option, NULL, dest);
        return;
    }
    struct gt_node scalar = {.type = GT_NODE_SCALAR,
                             .file = map ? map->file : NULL,
                             .line = map ? map->line : 0,
                             .column = map ? map->column : 0,
                             .plain = true,
                             .text = option->fallback,
                             .len = strlen(option->fallback)};
    struct gt_node *node = &scalar;
    struct gt_error err = {0};
    if (strchr("[{", option->fallback[0]) &&
        gt_yaml_parse("default", option->fallback, scalar.len, decoder->arena, &node, &err) < 0)
        complain(decoder, frame, map, "its default is wrong: %s", err.message);
    else
        decode_option(decoder, frame, option, node, dest);
}

/* map NULL: defaults only, and nothing is missing. */
static void decode_rows(const struct gt_option_decoder *decoder, const struct frame *up,
                        const struct gt_node *map, const struct gt_option *options, void *base)
{
    for (const struct gt_option *o = options; o->type; o++) {
        const struct frame frame = {up, o->name, 0};
        const struct gt_node *node = gt_node_member(map, o->name);
        void *dest = (char *)base + o->offset;
        if (!gt_node_is_null(node))
            decode_option(decoder, &frame, o, node, dest);
        else if (map && (o->flags & GT_OPTION_REQUIRED))
            complain(decoder, &frame, node ? node : map, "missing; write %s", o->help);
        else
            decode_fallback(decoder, &frame, o, map, dest);
    }
}

static void offer_rows(struct gt_nearest *nearest, struct gt_buffer *names,
                       const struct gt_option *options)
{
    for (const struct gt_option *o = options; o && o->type; o++) {
        if (o->flags & GT_OPTION_HIDDEN)
            continue;
        gt_nearest_offer(nearest, o->name);
        gt_buffer_printf(names, "%s%s", names->len ? ", " : "", o->name);
    }
}

static void complain_unknown(const struct gt_option_decoder *decoder, const struct frame *up,
                             const struct gt_node *node, const struct gt_option *options,
                             const struct gt_option *more)
{
    GT_BUFFER_AUTO struct gt_buffer path = GT_BUFFER(PATH_MAX_LEN), names = GT_BUFFER(1024);
    const struct frame frame = {up, node->key, 0};
    write_path(&frame, decoder->prefix, &path);
    struct gt_nearest nearest = {.word = node->key};
    offer_rows(&nearest, &names, options);
    offer_rows(&nearest, &names, more);
    if (nearest.best)
        gt_mistake_key(decoder->mistakes, node, path.data, "unknown key; did you mean \"%s\"?",
                       nearest.best);
    else
        gt_mistake_key(decoder->mistakes, node, path.data,
                       "unknown key; remove it, or take one of %s", names.data);
}

static void refuse_unknown(const struct gt_option_decoder *decoder, const struct frame *up,
                           const struct gt_node *map, const struct gt_option *options,
                           const struct gt_option *more)
{
    for (const struct gt_node *n = map ? map->first : NULL; n; n = n->next)
        if (!find_row(options, n->key) && !find_row(more, n->key))
            complain_unknown(decoder, up, n, options, more);
}

static const struct gt_kind *find_kind(const struct gt_option_decoder *decoder,
                                       const struct frame *up, const struct gt_option *option,
                                       const struct gt_node *map, const char *name)
{
    const struct frame frame = {up, "type", 0};
    GT_BUFFER_AUTO struct gt_buffer names = GT_BUFFER(512);
    struct gt_nearest nearest = {.word = name};
    const struct gt_kind *const *kinds = option->kinds(decoder->context);
    for (; kinds && *kinds; kinds++) {
        if (strcmp((*kinds)->name, name) == 0)
            return *kinds;
        gt_nearest_offer(&nearest, (*kinds)->name);
        gt_buffer_printf(&names, "%s%s", names.len ? ", " : "", (*kinds)->name);
    }
    const struct gt_node *at = gt_node_member(map, "type");
    if (nearest.best)
        complain(decoder, &frame, at ? at : map, "\"%.60s\" is not known; did you mean \"%s\"?",
                 name, nearest.best);
    else
        complain(decoder, &frame, at ? at : map, "\"%.60s\" is not known; write one of %s", name,
                 names.data ? names.data : "(none is built in)");
    return NULL;
}

/* The rows of the kind that `type` names, into a struct of their own. NULL when it is not known. */
static const struct gt_kind *decode_kind(const struct gt_option_decoder *decoder,
                                         const struct frame *frame, const struct gt_option *option,
                                         const struct gt_node *map, void *base)
{
    const struct gt_option *type = find_row(option->nested, "type");
    const char *name = type ? *(const char **)((char *)base + type->offset) : NULL;
    if (!name)
        return NULL; /* said already */
    const struct gt_kind *kind = find_kind(decoder, frame, option, map, name);
    if (!kind)
        return NULL;
    void *self = gt_arena_alloc(decoder->arena, kind->size);
    if (!self) {
        complain(decoder, frame, map, "does not fit in memory");
        return NULL;
    }
    decode_rows(decoder, frame, map, kind->options, self);
    *(const struct gt_kind **)((char *)base + option->kind_offset) = kind;
    *(void **)((char *)base + option->kind_options_offset) = self;
    return kind;
}

static void decode_struct(const struct gt_option_decoder *decoder, const struct frame *frame,
                          const struct gt_option *option, const struct gt_node *node, void *dest)
{
    struct gt_node value = {0}, wrapped = {0};
    if (node && node->type == GT_NODE_SCALAR && option->shorthand && !gt_node_is_null(node)) {
        value = *node;
        value.key = option->shorthand;
        value.next = NULL;
        wrapped = *node;
        wrapped.type = GT_NODE_MAP;
        wrapped.first = &value;
        wrapped.count = 1;
        node = &wrapped;
    }
    if (node && node->type != GT_NODE_MAP) {
        complain(decoder, frame, node, "a %s stands here; write keys and values (%s)",
                 node->type == GT_NODE_LIST ? "list" : "single value", option->help);
        return;
    }
    decode_rows(decoder, frame, node, option->nested, dest);
    const struct gt_kind *kind =
        option->kinds ? decode_kind(decoder, frame, option, node, dest) : NULL;
    if (kind || !option->kinds)
        refuse_unknown(decoder, frame, node, option->nested, kind ? kind->options : NULL);
}

/* ---- lists ---- */

size_t gt_option_size(const struct gt_option *option)
{
    switch (option->type) {
    case GT_OPTION_BOOL:
        return sizeof(bool);
    case GT_OPTION_ENUM:
        return sizeof(int);
    case GT_OPTION_STRING:
    case GT_OPTION_SECRET:
        return sizeof(const char *);
    case GT_OPTION_STRUCT:
        return option->nested_size;
    default:
        return sizeof(int64_t); /* also a double and a uint64_t */
    }
}

static void decode_one(const struct gt_option_decoder *decoder, const struct frame *frame,
                       const struct gt_option *option, const struct gt_node *node, void *dest)
{
    if (option->type == GT_OPTION_STRUCT)
        decode_struct(decoder, frame, option, node, dest);
    else
        decode_scalar(decoder, frame, option, node, dest);
}

static bool is_list_of_one(const struct gt_option *option, const struct gt_node *node)
{
    return node->type == GT_NODE_SCALAR && (option->type != GT_OPTION_STRUCT || option->shorthand);
}

static void decode_list(const struct gt_option_decoder *decoder, const struct frame *frame,
                        const struct gt_option *option, const struct gt_node *node, void *dest)
{
    bool one = is_list_of_one(option, node);
    if (node->type != GT_NODE_LIST && !one) {
        complain(decoder, frame, node,
                 "not a list; write each item on a line of its own, after \"- \" (%s)",
                 option->help);
        return;
    }
    size_t count = one ? 1 : node->count, size = gt_option_size(option), i = 0;
    char *items = gt_arena_array(decoder->arena, count, size);
    if (!items) {
        complain(decoder, frame, node, "does not fit in memory");
        return;
    }
    if (count == 0 && (option->flags & GT_OPTION_REQUIRED))
        complain(decoder, frame, node, "the list is empty; write %s", option->help);
    for (const struct gt_node *n = one ? node : node->first; i < count; n = n->next, i++) {
        const struct frame item = {frame, NULL, i};
        if (gt_node_is_null(n))
            complain(decoder, &item, n, "nothing stands here; write a value or remove the line");
        else
            decode_one(decoder, &item, option, n, items + i * size);
    }
    *(struct gt_list *)dest = (struct gt_list){items, count};
}

static void decode_option(const struct gt_option_decoder *decoder, const struct frame *frame,
                          const struct gt_option *option, const struct gt_node *node, void *dest)
{
    if (option->flags & GT_OPTION_LIST)
        decode_list(decoder, frame, option, node, dest);
    else
        decode_one(decoder, frame, option, node, dest);
}

/* ---- the face ---- */

size_t gt_options_decode(const struct gt_option_decoder *decoder, const struct gt_node *map,
                         const struct gt_option *options, void *ret, size_t size)
{
    size_t before = decoder->mistakes->found;
    memset(ret, 0, size);
    if (map && map->type != GT_NODE_MAP && !gt_node_is_null(map)) {
        complain(decoder, NULL, map, "not a map; write \"key: value\" lines");
        return decoder->mistakes->found - before;
    }
    decode_rows(decoder, NULL, map, options, ret);
    refuse_unknown(decoder, NULL, map, options, NULL);
    return decoder->mistakes->found - before;
}

int gt_options_default(struct gt_arena *arena, const struct gt_option *options, void *ret,
                       size_t size, struct gt_error *err)
{
    struct gt_mistakes mistakes = {.arena = arena};
    const struct gt_option_decoder decoder = {.arena = arena, .mistakes = &mistakes};
    if (gt_options_decode(&decoder, NULL, options, ret, size) == 0)
        return 0;
    return gt_fail(err, GT_E_INVALID, "%s",
                   mistakes.count ? mistakes.items[0].text : "the defaults do not fit in memory");
}
