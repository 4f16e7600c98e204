/* A pack and its index: two bytes (length of the index, little-endian), the index, the pack. Every
 * entry is unpacked from its base on, as far as that goes. */
#include "git/unpack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH_MAX 64

static char folder[] = "/tmp/guette-fuzz-XXXXXX";

static void forget(void)
{
    char path[64];
    for (const char *const *name = (const char *const[]){"a.idx", "a.pack", NULL}; *name; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        unlink(path);
    }
    rmdir(folder);
}

static void put(const char *name, const uint8_t *bytes, size_t len)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    close(fd);
}

static void unpack(struct gt_unpacker *unpacker, const struct gt_plan *plan, uint32_t number,
                   const struct gt_whole *base, unsigned depth)
{
    struct gt_whole whole = {0};
    struct gt_changes changes = {0};
    if (gt_unpacker_run(unpacker, plan, number, base, &whole, &changes) == 0) {
        for (size_t i = 0; base && i < changes.count; i++)
            if (changes.items[i].start > changes.items[i].end || changes.items[i].end > whole.len)
                abort();
        for (uint32_t child = plan->entries[number].child;
             child != GT_PACK_NONE && depth < DEPTH_MAX; child = plan->entries[child].sibling)
            unpack(unpacker, plan, child, &whole, depth + 1);
    }
    free(whole.bytes);
    free(changes.items);
}

static void read_pack(struct gt_pack *pack)
{
    struct gt_git git = {.hash = 20, .packs = &pack, .pack_count = 1};
    struct gt_plan plan = {0};
    struct gt_oids fetch = {0};
    struct gt_unpacker *unpacker = gt_unpacker_new();
    struct gt_error err;
    if (unpacker && gt_pack_start(pack, &err) == 0 &&
        gt_plan_make(&git, 0, NULL, &plan, &fetch, &err) == 0)
        for (uint32_t i = 0; i < plan.count; i++)
            if (plan.entries[i].type && plan.entries[i].parent == GT_PACK_NONE)
                unpack(unpacker, &plan, i, NULL, 0);
    gt_plan_free(&plan);
    gt_oids_free(&fetch);
    gt_unpacker_free(unpacker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    char path[64];
    struct gt_pack *pack = NULL;
    struct gt_error err;
    size_t split = size < 2 ? 0 : (size_t)(data[0] | data[1] << 8);
    if (size < 2 || split > size - 2)
        return 0;
    if (!ready && mkdtemp(folder))
        ready = atexit(forget) == 0;
    put("a.idx", data + 2, split);
    put("a.pack", data + 2 + split, size - 2 - split);
    snprintf(path, sizeof path, "%s/a.idx", folder);
    if (gt_pack_open(path, 20, &pack, &err) == 0)
        read_pack(pack);
    gt_pack_close(pack);
    return 0;
}
