#include "core/yaml.h"

#include "core/buffer.h"
#include "core/files.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* An open list or map. */
struct level {
    struct gt_node *node, *last;
    const char *key; /* read, its value not yet */
    unsigned key_line, key_column;
};

struct builder {
    const char *file;
    struct gt_arena *arena;
    struct gt_error *err;
    struct gt_node *root;
    struct level levels[GT_YAML_MAX_DEPTH];
    size_t depth, nodes, documents;
};

static int fail_at(const struct builder *builder, int code, unsigned line, unsigned column,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

static int fail_at(const struct builder *builder, int code, unsigned line, unsigned column,
                   const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return gt_fail(builder->err, code, "%s:%u:%u: %s", builder->file, line, column, what);
}

static int fail_event(const struct builder *builder, int code, const yaml_event_t *event,
                      const char *what)
{
    return fail_at(builder, code, (unsigned)event->start_mark.line + 1,
                   (unsigned)event->start_mark.column + 1, "%s", what);
}

/* What to do about libyaml's most frequent complaints. */
static const char *advice(const char *problem)
{
    static const struct {
        const char *problem, *advice;
    } table[] = {
        {"found character that cannot start any token",
         "indent with spaces, never tabs, and put a text that starts with @, % or ` in quotes"},
        {"mapping values are not allowed in this context",
         "put a text that holds \": \" in quotes, and indent keys of one map alike"},
        {"did not find expected key",
         "indent keys of one map alike, and close every quote and bracket before"},
        {"did not find expected '-' indicator", "indent the items of one list alike"},
        {"could not find expected ':'", "write \"key: value\", with a colon and a space"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(problem, table[i].problem) == 0)
            return table[i].advice;
    return "check the indentation, quotes and brackets here and just before";
}

static int fail_parser(const struct builder *builder, const yaml_parser_t *parser,
                       const char *bytes)
{
    const char *problem = parser->problem ? parser->problem : "it cannot be read";
    if (parser->error == YAML_MEMORY_ERROR)
        return gt_fail(builder->err, GT_E_NOMEM, "%s: out of memory", builder->file);
    if (parser->error != YAML_READER_ERROR)
        return fail_at(builder, GT_E_INVALID, (unsigned)parser->problem_mark.line + 1,
                       (unsigned)parser->problem_mark.column + 1, "not YAML: %s; %s", problem,
                       advice(problem));
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < parser->problem_offset; i++) {
        column = bytes[i] == '\n' ? 1 : column + 1;
        line += bytes[i] == '\n';
    }
    return fail_at(builder, GT_E_INVALID, line, column, "%s; save the file as UTF-8 text", problem);
}

static int fail_memory(const struct builder *builder)
{
    return gt_fail(builder->err, GT_E_LIMIT, "%s: too large for the memory allowed", builder->file);
}

/* Makes a node and hangs it under the innermost open one. */
static int add_node(struct builder *builder, const yaml_event_t *event, enum gt_node_type type,
                    struct gt_node **ret)
{
    if (++builder->nodes > GT_YAML_MAX_NODES)
        return fail_event(builder, GT_E_LIMIT, event, "too many values; split the file");
    struct gt_node *node = gt_arena_alloc(builder->arena, sizeof *node);
    if (!node)
        return fail_memory(builder);
    node->type = type;
    node->file = builder->file;
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    *ret = node;
    if (builder->depth == 0) {
        builder->root = node;
        return 0;
    }
    struct level *level = &builder->levels[builder->depth - 1];
    node->key = level->key;
    node->key_line = level->key_line;
    node->key_column = level->key_column;
    level->key = NULL;
    if (level->last)
        level->last->next = node;
    else
        level->node->first = node;
    level->last = node;
    level->node->count++;
    return 0;
}

static bool wants_key(const struct builder *builder)
{
    const struct level *level = builder->depth ? &builder->levels[builder->depth - 1] : NULL;
    return level && level->node->type == GT_NODE_MAP && !level->key;
}

static int take_key(struct builder *builder, const yaml_event_t *event)
{
    struct level *level = &builder->levels[builder->depth - 1];
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (memchr(text, '\0', len))
        return fail_event(builder, GT_E_INVALID, event, "a key holds a NUL character; remove it");
    if (event->data.scalar.plain_implicit && strcmp(text, "<<") == 0)
        return fail_event(builder, GT_E_INVALID, event,
                          "merge keys (<<) are not supported; write the keys out");
    level->key = gt_arena_memdup(builder->arena, text, len);
    level->key_line = (unsigned)event->start_mark.line + 1;
    level->key_column = (unsigned)event->start_mark.column + 1;
    return level->key ? 0 : fail_memory(builder);
}

static int check_decoration(const struct builder *builder, const yaml_event_t *event,
                            const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        return fail_event(builder, GT_E_INVALID, event,
                          "anchors (&name) are not supported; remove it");
    if (tag)
        return fail_event(builder, GT_E_INVALID, event,
                          "tags (!name) are not supported; remove it, or quote the text");
    return 0;
}

static int on_scalar(struct builder *builder, const yaml_event_t *event)
{
    int rc = check_decoration(builder, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (rc < 0)
        return rc;
    if (wants_key(builder))
        return take_key(builder, event);
    struct gt_node *node;
    rc = add_node(builder, event, GT_NODE_SCALAR, &node);
    if (rc < 0)
        return rc;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->len = event->data.scalar.length;
    node->text = gt_arena_memdup(builder->arena, event->data.scalar.value, node->len);
    return node->text ? 0 : fail_memory(builder);
}

static int open_level(struct builder *builder, const yaml_event_t *event, enum gt_node_type type)
{
    if (wants_key(builder))
        return fail_event(builder, GT_E_INVALID, event,
                          "a key is a list or map; write a plain text before the colon");
    if (builder->depth == GT_YAML_MAX_DEPTH)
        return fail_event(builder, GT_E_LIMIT, event, "nested deeper than 32 levels; flatten it");
    struct gt_node *node = NULL;
    int rc = add_node(builder, event, type, &node);
    if (rc < 0)
        return rc;
    builder->levels[builder->depth++] = (struct level){.node = node};
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct gt_node *x = *(const struct gt_node *const *)a;
    const struct gt_node *y = *(const struct gt_node *const *)b;
    int order = strcmp(x->key, y->key);
    if (order == 0)
        order = (x->key_line > y->key_line) - (x->key_line < y->key_line);
    if (order == 0)
        order = (x->key_column > y->key_column) - (x->key_column < y->key_column);
    return order;
}

/* By sorting, since a hostile file may hold one map of many keys. */
static int refuse_duplicates(const struct builder *builder, const struct gt_node *map)
{
    const struct gt_node **members = calloc(map->count + 1, sizeof(struct gt_node *));
    if (!members)
        return fail_memory(builder);
    size_t count = 0;
    for (const struct gt_node *n = map->first; n; n = n->next)
        members[count++] = n;
    qsort(members, count, sizeof(struct gt_node *), compare_keys);
    int rc = 0;
    for (size_t i = 1; i < count && rc == 0; i++)
        if (strcmp(members[i - 1]->key, members[i]->key) == 0)
            rc = fail_at(builder, GT_E_INVALID, members[i]->key_line, members[i]->key_column,
                         "the key \"%.60s\" stands here for the second time (first at line %u); "
                         "keep one of them",
                         members[i]->key, members[i - 1]->key_line);
    free(members);
    return rc;
}

static int close_level(struct builder *builder)
{
    const struct gt_node *node = builder->levels[--builder->depth].node;
    return node->type == GT_NODE_MAP ? refuse_duplicates(builder, node) : 0;
}

static int on_event(struct builder *builder, const yaml_event_t *event)
{
    int rc;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->documents++)
            return fail_event(builder, GT_E_INVALID, event,
                              "a second YAML document starts here; keep one a file");
        return 0;
    case YAML_ALIAS_EVENT:
        return fail_event(builder, GT_E_INVALID, event,
                          "aliases (*name) are not supported; write the value out");
    case YAML_SCALAR_EVENT:
        return on_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        rc = check_decoration(builder, event, event->data.sequence_start.anchor,
                              event->data.sequence_start.tag);
        return rc ? rc : open_level(builder, event, GT_NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        rc = check_decoration(builder, event, event->data.mapping_start.anchor,
                              event->data.mapping_start.tag);
        return rc ? rc : open_level(builder, event, GT_NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_level(builder);
    default:
        return 0;
    }
}

static int build(struct builder *builder, yaml_parser_t *parser, const char *bytes)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return fail_parser(builder, parser, bytes);
        yaml_event_type_t type = event.type;
        int rc = on_event(builder, &event);
        yaml_event_delete(&event);
        if (rc < 0 || type == YAML_STREAM_END_EVENT)
            return rc;
    }
}

/* An empty file reads as null. */
static int make_null(struct builder *builder)
{
    const yaml_event_t start = {0};
    struct gt_node *node;
    int rc = add_node(builder, &start, GT_NODE_SCALAR, &node);
    if (rc < 0)
        return rc;
    node->plain = true;
    node->text = "";
    return 0;
}

int gt_yaml_parse(const char *file, const char *bytes, size_t len, struct gt_arena *arena,
                  struct gt_node **ret_root, struct gt_error *err)
{
    if (len > GT_YAML_MAX_SIZE)
        return gt_fail(err, GT_E_LIMIT, "%s: larger than 8 MiB; split the file", file);
    struct builder builder = {.file = gt_arena_strdup(arena, file), .arena = arena, .err = err};
    yaml_parser_t parser;
    if (!builder.file || !yaml_parser_initialize(&parser))
        return gt_fail(err, GT_E_NOMEM, "%s: out of memory", file);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(len ? bytes : ""), len);
    int rc = build(&builder, &parser, bytes);
    yaml_parser_delete(&parser);
    if (rc == 0 && !builder.root)
        rc = make_null(&builder);
    if (rc == 0)
        *ret_root = builder.root;
    return rc;
}

int gt_yaml_load(const char *path, struct gt_arena *arena, struct gt_node **ret_root,
                 struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(GT_YAML_MAX_SIZE);
    int rc = gt_file_read(path, &text, err);
    return rc < 0 ? rc : gt_yaml_parse(path, text.data, text.len, arena, ret_root, err);
}

struct gt_node *gt_node_member(const struct gt_node *map, const char *key)
{
    if (!map || map->type != GT_NODE_MAP)
        return NULL;
    for (struct gt_node *n = map->first; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

bool gt_node_is_null(const struct gt_node *node)
{
    static const char *const spellings[] = {"", "~", "null", "Null", "NULL"};
    if (!node)
        return true;
    if (node->type != GT_NODE_SCALAR || !node->plain)
        return false;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strcmp(node->text, spellings[i]) == 0)
            return true;
    return false;
}
