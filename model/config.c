#include "model/config.h"
#include "model/config_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX ((size_t)256 * 1024 * 1024)

/* What a load works on; the arena becomes the configuration's, or the mistakes'. */
struct loading {
    struct gt_arena *arena;
    struct gt_mistakes mistakes;
    const struct gt_config_kinds *kinds;
    const char *secrets; /* directory of file: secrets; NULL: refused */
};

static int make_directory_absolute(struct gt_config *config, const char *directory,
                                   struct gt_error *err)
{
    char real[PATH_MAX];
    if (!realpath(directory, real))
        return gt_fail(err, GT_E_IO, "cannot find the directory %s: %m", directory);
    config->directory = gt_arena_strdup(config->arena, real);
    return config->directory ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory");
}

const char *gt_config_resolve(const struct gt_config *config, const char *path)
{
    if (path[0] == '/')
        return gt_arena_strdup(config->arena, path);
    return gt_arena_printf(config->arena, "%s/%s", config->directory, path);
}

static void resolve_list(const struct gt_config *config, const struct gt_list *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        const char **path = GT_LIST_ITEM(*paths, const char *, i);
        if (*path)
            *path = gt_config_resolve(config, *path);
    }
}

/* `path` or, when it is not given, `name` in the data directory; absolute. */
static const char *in_data(const struct gt_config *config, const char *path, const char *name)
{
    if (path)
        return gt_config_resolve(config, path);
    return config->data ? gt_arena_printf(config->arena, "%s/%s", config->data, name) : NULL;
}

static int resolve_paths(struct gt_config *config, struct gt_error *err)
{
    config->data = config->data ? gt_config_resolve(config, config->data) : NULL;
    config->fingerprint_key = in_data(config, config->fingerprint_key, "fingerprint.key");
    config->store.path = in_data(config, config->store.path, "guette.db");
    resolve_list(config, &config->rules);
    resolve_list(config, &config->sites);
    if (config->data && config->fingerprint_key && config->store.path)
        return 0;
    return gt_fail(err, GT_E_NOMEM, "out of memory");
}

static struct gt_config *decode(struct loading *self, const char *path, const struct gt_node *root)
{
    struct gt_config *config = gt_arena_alloc(self->arena, sizeof *config);
    if (!config)
        return NULL;
    const struct gt_option_decoder decoder = {
        .arena = self->arena,
        .mistakes = &self->mistakes,
        .context = (void *)(uintptr_t)self->kinds,
        .expand = true,
        .directory = self->secrets,
    };
    gt_options_decode(&decoder, root, gt_config_options, config, sizeof *config);
    config->arena = self->arena;
    config->path = gt_arena_strdup(self->arena, path);
    gt_config_cross_check(config, self->kinds, root, &self->mistakes);
    return config->path ? config : NULL;
}

static int give_mistakes(struct loading *self, const char *path, struct gt_mistakes *ret_mistakes,
                         struct gt_error *err)
{
    gt_mistakes_sort(&self->mistakes);
    size_t found = self->mistakes.found;
    if (ret_mistakes) {
        *ret_mistakes = self->mistakes;
        self->arena = NULL;
        return gt_fail(err, GT_E_INVALID, "%s: %zu mistake%s", path, found, found == 1 ? "" : "s");
    }
    const char *first = self->mistakes.count ? self->mistakes.items[0].text : path;
    return gt_fail(err, GT_E_INVALID, "%s%s", first, found > 1 ? " (and more)" : "");
}

/* Takes the arena on success and on mistakes. */
static int finish(struct loading *self, const char *path, const char *directory,
                  const struct gt_node *root, struct gt_config **ret_config,
                  struct gt_mistakes *ret_mistakes, struct gt_error *err)
{
    struct gt_config *config = root ? decode(self, path, root) : NULL;
    if (self->mistakes.found)
        return give_mistakes(self, path, ret_mistakes, err);
    if (!config)
        return gt_fail(err, GT_E_NOMEM, "%s: out of memory", path);
    int rc = make_directory_absolute(config, directory, err);
    if (rc == 0)
        rc = resolve_paths(config, err);
    if (rc < 0)
        return rc;
    *ret_config = config;
    self->arena = NULL;
    return 0;
}

static int start(struct loading *self, const struct gt_config_kinds *kinds,
                 struct gt_mistakes *ret_mistakes, struct gt_error *err)
{
    if (ret_mistakes)
        *ret_mistakes = (struct gt_mistakes){0};
    self->kinds = kinds;
    self->arena = gt_arena_new(MEMORY_MAX);
    self->mistakes.arena = self->arena;
    return self->arena ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory");
}

/* What the YAML reader says of the text is a mistake like any other. */
static int note_syntax(struct loading *self, int rc, const struct gt_error *err)
{
    if (rc != GT_E_INVALID && rc != GT_E_LIMIT)
        return rc;
    gt_mistake(&self->mistakes, NULL, "", "%s", err->message);
    return 0;
}

/* "etc/guette.yaml" to "etc", "guette.yaml" to "". */
static const char *directory_of(struct gt_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return gt_arena_memdup(arena, path, slash ? (size_t)(slash - path) + (slash == path) : 0);
}

int gt_config_load(const char *path, const struct gt_config_kinds *kinds,
                   struct gt_config **ret_config, struct gt_mistakes *ret_mistakes,
                   struct gt_error *err)
{
    struct loading self = {0};
    struct gt_error why = {0};
    struct gt_node *root = NULL;
    int rc = start(&self, kinds, ret_mistakes, err);
    if (rc < 0)
        return rc;
    const char *directory = directory_of(self.arena, path);
    self.secrets = directory && *directory ? directory : ".";
    rc = note_syntax(&self, gt_yaml_load(path, self.arena, &root, &why), &why);
    if (rc == 0 && root && directory)
        gt_config_include(root, directory, self.arena, &self.mistakes);
    if (rc < 0)
        rc = gt_fail(err, rc, "%s%s", why.message,
                     rc == GT_E_NOTFOUND ? "; make one with: guette init" : "");
    else
        rc = finish(&self, path, self.secrets, root, ret_config, ret_mistakes, err);
    gt_arena_free(self.arena);
    return rc;
}

int gt_config_parse(const char *name, const char *text, size_t len,
                    const struct gt_config_kinds *kinds, struct gt_config **ret_config,
                    struct gt_mistakes *ret_mistakes, struct gt_error *err)
{
    struct loading self = {0};
    struct gt_error why = {0};
    struct gt_node *root = NULL;
    int rc = start(&self, kinds, ret_mistakes, err);
    if (rc < 0)
        return rc;
    rc = note_syntax(&self, gt_yaml_parse(name, text, len, self.arena, &root, &why), &why);
    const struct gt_node *include = gt_node_member(root, "include");
    if (!gt_node_is_null(include))
        gt_mistake(&self.mistakes, include, "include", "no file can be included here");
    if (rc < 0)
        rc = gt_fail(err, rc, "%s", why.message);
    else
        rc = finish(&self, name, ".", root, ret_config, ret_mistakes, err);
    gt_arena_free(self.arena);
    return rc;
}

void gt_config_free(struct gt_config *config)
{
    if (config)
        gt_arena_free(config->arena);
}

json_t *gt_config_schema(const struct gt_config_kinds *kinds)
{
    json_t *schema = gt_options_schema(gt_config_options, (void *)(uintptr_t)kinds);
    if (schema && json_object_set_new(schema, "title", json_string("guette.yaml")) == 0)
        return schema;
    json_decref(schema);
    return NULL;
}
