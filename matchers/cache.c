#include "matchers/needles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)512 * 1024 * 1024)
#define MAGIC "GTDB"
#define PARTS (GT_SETS + 2) /* a database a set, notes, rules */
#define NOTES GT_SETS
#define RULES (GT_SETS + 1)

/* The file: magic, a hash of notes and rules, then each part with its length before it (8 bytes).
 * Vectorscan checks its own parts when it takes them. All of it is written and read by one machine,
 * so integers are the machine's own. */
struct head {
    char magic[7];
    char hash[GT_ID_TEXT];
};

int gt_cache_path(const char *directory, const struct gt_part *parts, size_t count,
                  struct gt_arena *arena, const char **ret_path)
{
    hs_platform_info_t platform;
    memset(&platform, 0, sizeof platform);
    struct gt_part *all = gt_arena_array(arena, count + 2, sizeof *all);
    if (!all || hs_populate_platform(&platform) != HS_SUCCESS)
        return GT_E_NOMEM;
    memcpy(all, parts, count * sizeof *all);
    all[count] = gt_part(hs_version());
    all[count + 1] = (struct gt_part){&platform, sizeof platform};
    char id[GT_ID_TEXT];
    gt_id_make("database", all, count + 2, id);
    const char *path = gt_arena_printf(arena, "%s/rules-%s.hsdb", directory, id);
    if (!path)
        return GT_E_NOMEM;
    *ret_path = path;
    return 0;
}

static bool take(struct gt_str *rest, void *to, size_t len)
{
    if (rest->len < len)
        return false;
    memcpy(to, rest->ptr, len);
    *rest = (struct gt_str){rest->ptr + len, rest->len - len};
    return true;
}

static bool take_part(struct gt_str *rest, struct gt_str *ret)
{
    uint64_t len;
    if (!take(rest, &len, sizeof len) || len > rest->len)
        return false;
    *ret = (struct gt_str){rest->ptr, (size_t)len};
    *rest = (struct gt_str){rest->ptr + len, rest->len - (size_t)len};
    return true;
}

static void hash_parts(struct gt_str notes, struct gt_str rules, char ret_hash[GT_ID_TEXT])
{
    const struct gt_part parts[] = {{notes.ptr, notes.len}, {rules.ptr, rules.len}};
    gt_id_make("cache", parts, 2, ret_hash);
}

static bool open_parts(struct gt_str file, struct gt_str parts[PARTS])
{
    struct head head;
    char hash[GT_ID_TEXT];
    if (!take(&file, &head, sizeof head) || memcmp(head.magic, MAGIC, sizeof MAGIC) != 0)
        return false;
    for (int i = 0; i < PARTS; i++)
        if (!take_part(&file, &parts[i]))
            return false;
    hash_parts(parts[NOTES], parts[RULES], hash);
    return file.len == 0 && memcmp(hash, head.hash, sizeof hash) == 0;
}

static bool deserialize(struct gt_str part, hs_database_t **ret)
{
    *ret = NULL;
    return part.len == 0 || hs_deserialize_database(part.ptr, part.len, ret) == HS_SUCCESS;
}

/* The whole file in one piece of the arena, where rules and notes stay. */
static int read_whole(const char *path, struct gt_arena *arena, struct gt_str *ret)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    size_t size = regular && (uint64_t)st.st_size <= FILE_MAX ? (size_t)st.st_size : 0, have = 0;
    char *bytes = size > 0 ? gt_arena_array(arena, size, 1) : NULL;
    while (bytes && have < size) {
        ssize_t got = read(fd, bytes + have, size - have);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            break;
        have += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        close(fd);
    *ret = (struct gt_str){bytes, have};
    return have > 0 && have == size ? 0 : GT_E_NOTFOUND;
}

int gt_cache_read(const char *path, struct gt_arena *arena, struct gt_cached *ret_cached)
{
    struct gt_str file, parts[PARTS];
    struct gt_cached cached = {0};
    if (read_whole(path, arena, &file) < 0 || !open_parts(file, parts))
        return GT_E_NOTFOUND;
    cached.notes = parts[NOTES];
    cached.rules = parts[RULES];
    for (size_t i = 0; i < GT_SETS; i++) {
        if (deserialize(parts[i], &cached.databases[i]))
            continue;
        for (size_t k = 0; k < i; k++)
            hs_free_database(cached.databases[k]);
        return GT_E_NOTFOUND;
    }
    *ret_cached = cached;
    return 0;
}

static void append_part(struct gt_buffer *out, const void *bytes, size_t len)
{
    uint64_t size = len;
    gt_buffer_append(out, &size, sizeof size);
    gt_buffer_append(out, bytes, len);
}

static int append_database(struct gt_buffer *out, const hs_database_t *database)
{
    char *bytes = NULL;
    size_t len = 0;
    if (database && hs_serialize_database(database, &bytes, &len) != HS_SUCCESS)
        return GT_E_NOMEM;
    append_part(out, bytes ? bytes : "", len);
    free(bytes);
    return 0;
}

int gt_cache_write(const char *path, const struct gt_cached *cached, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(FILE_MAX);
    struct head head = {.magic = MAGIC};
    gt_buffer_append(&out, &head, sizeof head);
    int rc = 0;
    for (size_t i = 0; i < GT_SETS && rc >= 0; i++)
        rc = append_database(&out, cached->databases[i]);
    append_part(&out, cached->notes.ptr, cached->notes.len);
    append_part(&out, cached->rules.ptr, cached->rules.len);
    if (rc < 0 || !gt_buffer_ok(&out))
        return gt_fail(err, GT_E_NOMEM, "%s: the compiled patterns do not fit in memory", path);
    hash_parts(cached->notes, cached->rules, head.hash);
    memcpy(out.data, &head, sizeof head);
    return gt_file_write(path, out.data, out.len, 0600, err);
}
