#include "git/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FANOUT_BYTES ((size_t)256 * 4)
#define INDEX_HEAD_BYTES 8 /* version 2: magic and version */
#define PACK_HEAD_BYTES 12
#define NEAR 128

static uint32_t read32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t read64(const unsigned char *at)
{
    return (uint64_t)read32(at) << 32 | read32(at + 4);
}

/* ---- index ---- */

static const unsigned char *fanout_of(const struct gt_pack *pack)
{
    return pack->map + (pack->version == 2 ? INDEX_HEAD_BYTES : 0);
}

static bool fanout_grows(const struct gt_pack *pack)
{
    const unsigned char *fanout = fanout_of(pack);
    for (size_t i = 1; i < 256; i++)
        if (read32(fanout + 4 * i) < read32(fanout + 4 * (i - 1)))
            return false;
    return true;
}

static int understand(struct gt_pack *pack)
{
    static const unsigned char magic[] = {0xff, 't', 'O', 'c', 0, 0, 0, 2};
    bool second = pack->map_len >= sizeof magic && memcmp(pack->map, magic, sizeof magic) == 0;
    pack->version = second ? 2 : 1;
    size_t head = second ? INDEX_HEAD_BYTES : 0;
    if (pack->map_len < head + FANOUT_BYTES + 2 * pack->hash || !fanout_grows(pack))
        return GT_E_INVALID;
    pack->count = read32(fanout_of(pack) + FANOUT_BYTES - 4);
    size_t one = second ? pack->hash + 8 : pack->hash + 4;
    size_t rest = pack->map_len - head - FANOUT_BYTES - 2 * pack->hash;
    if (rest / one < pack->count || pack->count == GT_PACK_NONE)
        return GT_E_INVALID;
    pack->names = fanout_of(pack) + FANOUT_BYTES + (second ? 0 : 4);
    pack->stride = second ? pack->hash : one;
    return 0;
}

static int map_index(struct gt_pack *pack, const char *path, struct gt_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        int why = fd < 0 ? errno : EINVAL;
        if (fd >= 0)
            close(fd);
        return gt_fail(err, GT_E_IO, "%s: %s", path, strerror(why));
    }
    pack->map_len = (size_t)st.st_size;
    void *map =
        pack->map_len ? mmap(NULL, pack->map_len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (map == MAP_FAILED)
        return gt_fail(err, GT_E_IO, "%s cannot be read", path);
    pack->map = map;
    return 0;
}

int gt_pack_open(const char *index_path, size_t hash, struct gt_pack **ret_pack,
                 struct gt_error *err)
{
    struct gt_pack *pack = calloc(1, sizeof *pack);
    if (!pack)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    pack->hash = hash;
    pack->fd = -1;
    int rc = map_index(pack, index_path, err);
    if (rc >= 0 && understand(pack) < 0)
        rc = gt_fail(err, GT_E_INVALID, "%s is no index of a pack", index_path);
    if (rc >= 0 &&
        asprintf(&pack->path, "%.*s.pack", (int)(strlen(index_path) - 4), index_path) < 0)
        rc = gt_fail(err, GT_E_NOMEM, "out of memory");
    if (rc < 0) {
        gt_pack_close(pack);
        return rc;
    }
    *ret_pack = pack;
    return 0;
}

void gt_pack_close(struct gt_pack *pack)
{
    if (!pack)
        return;
    gt_pack_stop(pack);
    if (pack->map) {
        union {
            const unsigned char *in;
            void *out;
        } map = {pack->map};
        munmap(map.out, pack->map_len);
    }
    free(pack->path);
    free(pack);
}

void gt_pack_name(const struct gt_pack *pack, uint32_t index, struct gt_oid *ret_oid)
{
    *ret_oid = (struct gt_oid){0};
    memcpy(ret_oid->bytes, pack->names + index * pack->stride, pack->hash);
}

/* Names are hashes, so that their bytes tell about where each stands: a search begins with the few
 * around that, if it is there at all. */
static void narrow(const struct gt_pack *pack, const unsigned char *name, uint32_t *low,
                   uint32_t *high)
{
    uint32_t range = *high - *low;
    uint32_t guess = *low + (uint32_t)((uint64_t)read32(name + 1) * range >> 32);
    if (range < 4 * NEAR)
        return;
    uint32_t from = guess - *low > NEAR ? guess - NEAR : *low;
    uint32_t to = *high - guess > NEAR ? guess + NEAR : *high - 1;
    if (memcmp(pack->names + from * pack->stride, name, pack->hash) <= 0)
        *low = from;
    else
        *high = from;
    if (*low == from && memcmp(pack->names + to * pack->stride, name, pack->hash) > 0)
        *high = to;
}

uint32_t gt_pack_find(const struct gt_pack *pack, const unsigned char *name)
{
    const unsigned char *fanout = fanout_of(pack);
    uint32_t low = name[0] ? read32(fanout + 4 * ((size_t)name[0] - 1)) : 0;
    uint32_t high = read32(fanout + 4 * (size_t)name[0]);
    narrow(pack, name, &low, &high);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(pack->names + middle * pack->stride, name, pack->hash);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return GT_PACK_NONE;
}

uint64_t gt_pack_offset(const struct gt_pack *pack, uint32_t index)
{
    if (pack->version == 1)
        return read32(pack->names + index * pack->stride - 4);
    const unsigned char *at = pack->names + pack->count * (pack->hash + 4) + (size_t)index * 4;
    uint32_t offset = read32(at);
    if (!(offset >> 31))
        return offset;
    const unsigned char *large = pack->names + pack->count * (pack->hash + 8);
    const unsigned char *end = pack->map + pack->map_len - 2 * pack->hash;
    size_t number = offset & 0x7fffffff;
    return number < (size_t)(end - large) / 8 ? read64(large + 8 * number) : 0;
}

/* ---- pack ---- */

int gt_pack_start(struct gt_pack *pack, struct gt_error *err)
{
    struct stat st;
    unsigned char head[PACK_HEAD_BYTES];
    pack->fd = open(pack->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (pack->fd < 0)
        return gt_fail(err, GT_E_IO, "%s: %s", pack->path, strerror(errno));
    bool plain = fstat(pack->fd, &st) == 0 && S_ISREG(st.st_mode) &&
                 st.st_size > (off_t)(sizeof head + pack->hash);
    pack->size = plain ? (uint64_t)st.st_size - pack->hash : 0;
    if (!plain || gt_pack_read(pack, 0, head, sizeof head) < 0 || memcmp(head, "PACK", 4) != 0 ||
        (read32(head + 4) != 2 && read32(head + 4) != 3)) {
        gt_pack_stop(pack);
        return gt_fail(err, GT_E_INVALID, "%s is no pack", pack->path);
    }
    return 0;
}

void gt_pack_stop(struct gt_pack *pack)
{
    if (pack->fd >= 0)
        close(pack->fd);
    pack->fd = -1;
}

int gt_pack_read(const struct gt_pack *pack, uint64_t offset, void *to, size_t len)
{
    char *at = to;
    while (len > 0) {
        ssize_t got = pread(pack->fd, at, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return GT_E_IO;
        at += got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }
    return 0;
}

static int parse_base(const unsigned char *bytes, size_t len, uint64_t offset,
                      struct gt_pack_head *head)
{
    size_t at = head->len;
    uint64_t back = 0;
    for (unsigned char c = 0x80; c & 0x80;) {
        if (at >= len || back >> 55)
            return GT_E_INVALID;
        c = bytes[at];
        back = (at == head->len ? 0 : back + 1) << 7 | (c & 0x7f);
        at++;
    }
    if (back == 0 || back > offset)
        return GT_E_INVALID;
    head->base_offset = offset - back;
    head->len = at;
    return 0;
}

int gt_pack_head_parse(const unsigned char *bytes, size_t len, uint64_t offset, size_t hash,
                       struct gt_pack_head *ret)
{
    if (len == 0)
        return GT_E_INVALID;
    struct gt_pack_head head = {.type = bytes[0] >> 4 & 7, .size = bytes[0] & 15, .len = 1};
    unsigned shift = 4;
    for (unsigned char c = bytes[0]; c & 0x80; shift += 7) {
        if (head.len >= len || shift > 53)
            return GT_E_INVALID;
        c = bytes[head.len++];
        head.size |= (uint64_t)(c & 0x7f) << shift;
    }
    if (head.type == 0 || head.type == 5)
        return GT_E_INVALID;
    if (head.type == GT_PACK_DELTA_OFFSET && parse_base(bytes, len, offset, &head) < 0)
        return GT_E_INVALID;
    if (head.type == GT_PACK_DELTA_NAME) {
        if (len - head.len < hash)
            return GT_E_INVALID;
        head.base_name = bytes + head.len;
        head.len += hash;
    }
    *ret = head;
    return 0;
}
