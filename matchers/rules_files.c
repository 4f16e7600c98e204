/* Where rules come from: files built into the program, and folders. */
#include "matchers/rule.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX GT_YAML_MAX_SIZE

extern const struct gt_embedded gt_builtin_rules[];
extern const char gt_builtin_rules_digest[];

static int add_text(struct gt_rules *rules, const char *name, struct gt_str bytes,
                    const char *digest)
{
    size_t size = rules->texts.count * sizeof(struct gt_rule_text);
    struct gt_rule_text *more = realloc(rules->texts.items, size + sizeof *more);
    if (!more)
        return GT_E_NOMEM;
    rules->texts.items = more;
    more[rules->texts.count++] = (struct gt_rule_text){name, bytes, digest};
    return 0;
}

int gt_rules_take_builtin(struct gt_rules *rules, struct gt_error *err)
{
    for (const struct gt_embedded *file = gt_builtin_rules; file->name; file++)
        if (add_text(rules, file->name, (struct gt_str){(const char *)file->bytes, file->len},
                     gt_builtin_rules_digest) < 0)
            return gt_fail(err, GT_E_NOMEM, "out of memory for the rules");
    return 0;
}

static int is_rule_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && gt_ends_with(entry->d_name, ".yaml");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int take_file(struct gt_rules *rules, const char *path, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(FILE_MAX);
    int rc = gt_file_read(path, &text, err);
    if (rc < 0)
        return rc;
    const char *name = gt_arena_strdup(rules->arena, path);
    char *copy = gt_arena_memdup(rules->arena, text.data ? text.data : "", text.len);
    if (!name || !copy || add_text(rules, name, (struct gt_str){copy, text.len}, NULL) < 0)
        return gt_fail(err, GT_E_NOMEM, "%s: too much text for the rules' memory", path);
    return 0;
}

int gt_rules_take_folder(struct gt_rules *rules, const char *directory, struct gt_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_rule_file, by_name);
    if (count < 0)
        return gt_fail(err, GT_E_IO, "rules: cannot read the folder %s: %m", directory);
    int rc = 0;
    for (int i = 0; i < count; i++) {
        GT_BUFFER_AUTO struct gt_buffer path = GT_BUFFER(4096);
        gt_buffer_printf(&path, "%s/%s", directory, entries[i]->d_name);
        if (rc >= 0)
            rc = gt_buffer_ok(&path) ? take_file(rules, path.data, err)
                                     : gt_fail(err, GT_E_LIMIT, "%s: path too long", directory);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int gt_rules_parse_all(struct gt_rules *rules, struct gt_mistakes *mistakes, struct gt_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < rules->texts.count && rc >= 0; i++) {
        const struct gt_rule_text *text = GT_LIST_ITEM(rules->texts, struct gt_rule_text, i);
        const char *name = gt_arena_strdup(mistakes->arena, text->name); /* which keep it */
        rc = name ? gt_rules_parse(rules, name, text->bytes.ptr, text->bytes.len, mistakes, err)
                  : gt_fail(err, GT_E_NOMEM, "out of memory for the rules");
    }
    return rc;
}

/* ---- as bytes of a cache ---- */

/* The text is what a cache is known by, not its name: a folder may have been moved. */
static uint32_t text_of(const struct gt_rules *rules, const struct gt_rule *rule)
{
    uint32_t i = 0;
    while (i + 1 < rules->texts.count &&
           strcmp(GT_LIST_ITEM(rules->texts, struct gt_rule_text, i)->name, rule->file) != 0)
        i++;
    return i;
}

void gt_rules_pack(const struct gt_rules *rules, struct gt_buffer *out)
{
    uint32_t count = (uint32_t)rules->count;
    gt_buffer_append(out, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t text = text_of(rules, &rules->items[i]);
        gt_buffer_append(out, &text, sizeof text);
        gt_pack_text(rules->items[i].provider, out);
        gt_pack(gt_rule_options, &rules->items[i], out);
    }
}

static int take_number(struct gt_str *rest, uint32_t *ret)
{
    if (rest->len < sizeof *ret)
        return GT_E_INVALID;
    memcpy(ret, rest->ptr, sizeof *ret);
    *rest = (struct gt_str){rest->ptr + sizeof *ret, rest->len - sizeof *ret};
    return 0;
}

int gt_rules_unpack(struct gt_rules *rules, struct gt_str bytes)
{
    uint32_t count = 0, text;
    struct gt_str rest = bytes;
    int rc = take_number(&rest, &count);
    for (uint32_t i = 0; rc >= 0 && i < count; i++) {
        struct gt_rule rule = {0};
        rc = take_number(&rest, &text);
        if (rc >= 0)
            rc = text < rules->texts.count ? gt_unpack_text(&rest, &rule.provider) : GT_E_INVALID;
        if (rc >= 0)
            rule.file = GT_LIST_ITEM(rules->texts, struct gt_rule_text, text)->name;
        if (rc >= 0)
            rc = gt_unpack(gt_rule_options, &rest, rules->arena, &rule);
        if (rc >= 0)
            rc = gt_rules_add(rules, &rule);
    }
    if (rc < 0)
        rules->count = 0;
    return rc;
}
