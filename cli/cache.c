#include "cli/cache.h"

#include <stdlib.h>
#include <sys/random.h>

static const char *directory(struct gt_arena *arena, const char *variable, const char *under_home)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    if (base && base[0] == '/') /* the specification: relative paths are to be ignored */
        return gt_arena_printf(arena, "%s/guette", base);
    return home && *home ? gt_arena_printf(arena, "%s/%s/guette", home, under_home) : NULL;
}

const char *gt_cli_cache(struct gt_arena *arena)
{
    return directory(arena, "XDG_CACHE_HOME", ".cache");
}

static int own_key(struct gt_arena *arena, struct gt_key *ret_key, struct gt_error *err)
{
    const char *base = directory(arena, "XDG_CONFIG_HOME", ".config");
    const char *path = base ? gt_arena_printf(arena, "%s/fingerprint.key", base) : NULL;
    if (!path)
        return gt_fail(err, GT_E_NOTFOUND, "there is no home directory (HOME is not set)");
    int rc = gt_key_load(path, ret_key, err);
    if (rc != GT_E_NOTFOUND)
        return rc;
    rc = gt_key_create(path, err);
    return rc < 0 && rc != GT_E_CONFLICT ? rc : gt_key_load(path, ret_key, err);
}

int gt_cli_key(const char *configured, struct gt_arena *arena, struct gt_key *ret_key,
               bool *ret_ephemeral, struct gt_error *err)
{
    const char *named = getenv("GUETTE_FINGERPRINT_KEY");
    *ret_ephemeral = false;
    if (named && *named)
        return gt_key_load(named, ret_key, err);
    if (configured && gt_file_exists(configured))
        return gt_key_load(configured, ret_key, err);
    if (own_key(arena, ret_key, err) == 0)
        return 0;
    *ret_ephemeral = true;
    if (getrandom(ret_key->bytes, sizeof ret_key->bytes, 0) != sizeof ret_key->bytes)
        return gt_fail(err, GT_E_IO, "the kernel gives no random bytes: %m");
    return 0;
}
