/* YAML read into a tree that remembers where each thing stood (libyaml).
 *
 * Caps: GT_YAML_MAX_SIZE bytes, GT_YAML_MAX_NODES nodes, GT_YAML_MAX_DEPTH levels; one document a
 * file; aliases and merge keys are refused (a billion-laughs file has no use here), duplicate keys
 * too. Mistakes are "file:line:column: what is wrong; what to do". */
#ifndef GT_CORE_YAML_H
#define GT_CORE_YAML_H

#include "core/arena.h"
#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

#define GT_YAML_MAX_SIZE ((size_t)8 * 1024 * 1024)
#define GT_YAML_MAX_NODES 500000
#define GT_YAML_MAX_DEPTH 32

enum gt_node_type { GT_NODE_SCALAR, GT_NODE_LIST, GT_NODE_MAP };

struct gt_node {
    enum gt_node_type type;
    const char *file;      /* as given by the caller, for messages */
    unsigned line, column; /* from 1 */
    bool plain;            /* scalar written without quotes: may be null, a number, a boolean */
    const char *text;      /* scalar: NUL-terminated; len bytes (may hold NULs when quoted) */
    size_t len;
    const char *key; /* when it is a member of a map */
    unsigned key_line, key_column;
    struct gt_node *first, *next; /* children in order; members of a map carry their key */
    size_t count;
};

/* file names the text in messages. The tree and its strings live in the arena. */
int gt_yaml_parse(const char *file, const char *bytes, size_t len, struct gt_arena *arena,
                  struct gt_node **ret_root, struct gt_error *err);
int gt_yaml_load(const char *path, struct gt_arena *arena, struct gt_node **ret_root,
                 struct gt_error *err);
struct gt_node *gt_node_member(const struct gt_node *map, const char *key); /* NULL: none */
bool gt_node_is_null(const struct gt_node *node); /* missing, or plain null, ~ or empty */

#endif
