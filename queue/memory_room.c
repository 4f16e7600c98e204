/* The rooms of the in-memory queue: making, finding and freeing what is in them. */
#include "queue/memory_room.h"

#include <stdlib.h>
#include <string.h>

static LIST_HEAD(, gt_memory_room) rooms = LIST_HEAD_INITIALIZER(rooms);

void *gt_memory_copy(const void *bytes, size_t len)
{
    char *out = malloc(len + 1);
    if (!out)
        return NULL;
    if (len)
        memcpy(out, bytes, len);
    out[len] = '\0';
    return out;
}

void gt_memory_entry_free(struct gt_memory_entry *entry)
{
    if (!entry)
        return;
    free(entry->id);
    free(entry->owner);
    free(entry->why);
    free(entry->payload);
    free(entry);
}

void gt_memory_entries_free(struct gt_memory_entries *list)
{
    struct gt_memory_entry *entry;
    while ((entry = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, entry, link);
        gt_memory_entry_free(entry);
    }
}

static void topic_free(struct gt_memory_topic *topic)
{
    gt_memory_entries_free(&topic->live);
    gt_memory_entries_free(&topic->dead);
    for (size_t i = 0; i < GT_MEMORY_SEEN_BUCKETS; i++) {
        struct gt_memory_seen *seen;
        while ((seen = LIST_FIRST(&topic->seen[i]))) {
            LIST_REMOVE(seen, link);
            free(seen);
        }
    }
    free(topic->name);
    free(topic);
}

static void value_remove(struct gt_memory_value *value)
{
    LIST_REMOVE(value, link);
    free(value->name);
    free(value->bytes);
    free(value);
}

void gt_memory_room_free(struct gt_memory_room *room)
{
    LIST_REMOVE(room, link);
    struct gt_memory_topic *topic;
    while ((topic = LIST_FIRST(&room->topics))) {
        LIST_REMOVE(topic, link);
        topic_free(topic);
    }
    while (!LIST_EMPTY(&room->cursors))
        value_remove(LIST_FIRST(&room->cursors));
    while (!LIST_EMPTY(&room->facts))
        value_remove(LIST_FIRST(&room->facts));
    free(room->name);
    free(room);
}

struct gt_memory_room *gt_memory_room_get(const char *name)
{
    struct gt_memory_room *room;
    LIST_FOREACH(room, &rooms, link)
    if (!strcmp(room->name, name))
        return room;
    room = calloc(1, sizeof(*room));
    if (room && !(room->name = strdup(name))) {
        free(room);
        return NULL;
    }
    if (room)
        LIST_INSERT_HEAD(&rooms, room, link);
    return room;
}

struct gt_memory_topic *gt_memory_topic_get(struct gt_memory_room *room, const char *name)
{
    struct gt_memory_topic *topic;
    LIST_FOREACH(topic, &room->topics, link)
    if (!strcmp(topic->name, name))
        return topic;
    topic = calloc(1, sizeof(*topic));
    if (topic && !(topic->name = strdup(name))) {
        free(topic);
        return NULL;
    }
    if (topic) {
        TAILQ_INIT(&topic->live);
        TAILQ_INIT(&topic->dead);
        LIST_INSERT_HEAD(&room->topics, topic, link);
    }
    return topic;
}

size_t gt_memory_seen_bucket(const unsigned char digest[GT_ID_BYTES])
{
    return (digest[0] | (size_t)digest[1] << 8) % GT_MEMORY_SEEN_BUCKETS;
}

bool gt_memory_was_seen(struct gt_memory_topic *topic, const unsigned char digest[GT_ID_BYTES],
                        int64_t since)
{
    struct gt_memory_seen *seen = LIST_FIRST(&topic->seen[gt_memory_seen_bucket(digest)]);
    while (seen) {
        struct gt_memory_seen *next = LIST_NEXT(seen, link);
        if (seen->at <= since) {
            LIST_REMOVE(seen, link);
            free(seen);
        } else if (!memcmp(seen->digest, digest, GT_ID_BYTES)) {
            return true;
        }
        seen = next;
    }
    return false;
}

struct gt_memory_value *gt_memory_value_new(const char *name, const void *bytes, size_t len,
                                            int64_t until)
{
    struct gt_memory_value *value = calloc(1, sizeof(*value));
    if (!value || !(value->name = strdup(name)) || !(value->bytes = gt_memory_copy(bytes, len))) {
        if (value)
            free(value->name);
        free(value);
        return NULL;
    }
    value->len = len;
    value->until = until;
    return value;
}

struct gt_memory_value *gt_memory_value_find(struct gt_memory_values *values, const char *name,
                                             int64_t now)
{
    struct gt_memory_value *value;
    LIST_FOREACH(value, values, link)
    if (!strcmp(value->name, name) && (!value->until || value->until > now))
        return value;
    return NULL;
}

void gt_memory_value_set(struct gt_memory_values *values, struct gt_memory_value *value)
{
    struct gt_memory_value *old;
    LIST_FOREACH(old, values, link)
    if (!strcmp(old->name, value->name))
        break;
    if (old)
        value_remove(old);
    LIST_INSERT_HEAD(values, value, link);
}
