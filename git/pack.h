/* A pack and its index (git's Documentation/gitformat-pack; index versions 1 and 2). Every number
 * in them is checked against the files' sizes before it is used. Inside git/ only. */
#ifndef GT_GIT_PACK_H
#define GT_GIT_PACK_H

#include "git/git.h"

#define GT_PACK_DELTA_OFFSET 6
#define GT_PACK_DELTA_NAME 7
#define GT_PACK_NONE UINT32_MAX

struct gt_pack {
    char *path; /* of the .pack file */
    size_t hash;
    uint32_t count;
    unsigned version; /* of the index */
    const unsigned char *map;
    size_t map_len;
    const unsigned char *names; /* sorted */
    size_t stride;              /* from name to name */
    int fd;                     /* of the pack, -1: not open */
    uint64_t size;              /* of the pack, without the trailing checksum */
};

/* index_path ends in ".idx". */
int gt_pack_open(const char *index_path, size_t hash, struct gt_pack **ret_pack,
                 struct gt_error *err);
void gt_pack_close(struct gt_pack *pack);
void gt_pack_name(const struct gt_pack *pack, uint32_t index, struct gt_oid *ret_oid);
/* Number in the index, or GT_PACK_NONE. */
uint32_t gt_pack_find(const struct gt_pack *pack, const unsigned char *name);
/* 0: the index is damaged there. */
uint64_t gt_pack_offset(const struct gt_pack *pack, uint32_t index);
/* Opens and checks the pack itself. */
int gt_pack_start(struct gt_pack *pack, struct gt_error *err);
void gt_pack_stop(struct gt_pack *pack);
/* All len bytes or GT_E_IO. */
int gt_pack_read(const struct gt_pack *pack, uint64_t offset, void *to, size_t len);

/* An entry's head: what kind it is, how long when unpacked, what it is a difference of. */
struct gt_pack_head {
    unsigned type; /* enum gt_git_type or GT_PACK_DELTA_ */
    uint64_t size;
    uint64_t base_offset; /* GT_PACK_DELTA_OFFSET */
    const unsigned char *base_name;
    size_t len; /* of the head in bytes */
};
int gt_pack_head_parse(const unsigned char *bytes, size_t len, uint64_t offset, size_t hash,
                       struct gt_pack_head *ret);
#define GT_PACK_HEAD_MAX 64

/* ---- differences ---- */

/* Base and result sizes at a delta's start. GT_E_INVALID when there are none. */
int gt_delta_sizes(const unsigned char *delta, size_t len, uint64_t *ret_base,
                   uint64_t *ret_result);

struct gt_changes {
    struct gt_git_span *items;
    size_t count, capacity;
    bool lost; /* too many to keep, or out of memory */
};

/* Makes the object; to has room for the size that the delta says, which the caller checked. */
int gt_delta_apply(const unsigned char *delta, size_t len, const char *base, size_t base_len,
                   char *to, size_t to_len, struct gt_changes *changes);

#endif
