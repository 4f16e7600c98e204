/* What the in-memory queue keeps. A room is what the handles of one name share; the caller holds
 * the lock of memory.c around everything here. */
#ifndef GT_QUEUE_MEMORY_ROOM_H
#define GT_QUEUE_MEMORY_ROOM_H

#include "queue/backend.h"

#include <sys/queue.h>

struct gt_memory_entry {
    TAILQ_ENTRY(gt_memory_entry) link;
    uint64_t number;
    char *id, *owner, *why; /* owner NULL: nobody's */
    void *payload;
    size_t len;
    int64_t deliveries, pushed_ms, available_ms, buried_ms; /* available_ms 0: never pulled */
};
TAILQ_HEAD(gt_memory_entries, gt_memory_entry);

struct gt_memory_seen {
    LIST_ENTRY(gt_memory_seen) link;
    unsigned char digest[GT_ID_BYTES];
    int64_t at;
};

#define GT_MEMORY_SEEN_BUCKETS 4096

struct gt_memory_topic {
    LIST_ENTRY(gt_memory_topic) link;
    char *name;
    struct gt_memory_entries live, dead;
    uint64_t depth, bytes, buried;
    LIST_HEAD(, gt_memory_seen) seen[GT_MEMORY_SEEN_BUCKETS];
};

/* A cursor or a fact. */
struct gt_memory_value {
    LIST_ENTRY(gt_memory_value) link;
    char *name;
    void *bytes;
    size_t len;
    int64_t until; /* 0: for good */
};
LIST_HEAD(gt_memory_values, gt_memory_value);

struct gt_memory_room {
    LIST_ENTRY(gt_memory_room) link;
    char *name;
    int handles;
    uint64_t last; /* number given */
    LIST_HEAD(, gt_memory_topic) topics;
    struct gt_memory_values cursors, facts;
};

/* The room of that name, made when there is none; NULL: out of memory. */
struct gt_memory_room *gt_memory_room_get(const char *name);
void gt_memory_room_free(struct gt_memory_room *room);
struct gt_memory_topic *gt_memory_topic_get(struct gt_memory_room *room, const char *name);

/* len bytes and a NUL, by malloc. */
void *gt_memory_copy(const void *bytes, size_t len);
void gt_memory_entry_free(struct gt_memory_entry *entry);
void gt_memory_entries_free(struct gt_memory_entries *list);

size_t gt_memory_seen_bucket(const unsigned char digest[GT_ID_BYTES]);
/* Drops what was seen before `since` on its way. */
bool gt_memory_was_seen(struct gt_memory_topic *topic, const unsigned char digest[GT_ID_BYTES],
                        int64_t since);

struct gt_memory_value *gt_memory_value_new(const char *name, const void *bytes, size_t len,
                                            int64_t until);
/* NULL when there is none, or it ended before `now`. */
struct gt_memory_value *gt_memory_value_find(struct gt_memory_values *values, const char *name,
                                             int64_t now);
/* In its name's place, whatever was there. */
void gt_memory_value_set(struct gt_memory_values *values, struct gt_memory_value *value);

#endif
