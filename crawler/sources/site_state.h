/* Inside of the site source: its state, shared by its files. */
#ifndef GT_CRAWLER_SOURCES_SITE_STATE_H
#define GT_CRAWLER_SOURCES_SITE_STATE_H

#include "crawler/seen.h"
#include "crawler/site_template.h"

#define GT_SITE_PENDING                                                                            \
    500                    /* items waiting for their text; over that no new ones are looked for   \
                            */
#define GT_SITE_FILES 300  /* of one item */
#define GT_SITE_ATTEMPTS 8 /* then an item is given up, and that is said */
#define GT_SITE_TROUBLES 5 /* items failing in one poll before the poll counts as failed */
#define GT_SITE_VALUE_MAX 2048

/* An item, or one file of it, whose text is still to be fetched. Part of the cursor, so that a
 * crash or an outage does not skip it. */
struct gt_site_pending {
    struct gt_site_pending *next;
    uint64_t serial;                    /* the tag of its request */
    char *key, *url;                    /* of the document; of the request */
    char *title, *link, *author, *type; /* NULL: not known */
    int64_t published_ms;
    int fetch;    /* index in item.fetch; -1: a file's raw text */
    int attempts; /* that failed */
    bool sent;    /* in this poll */
};

struct gt_site_source {
    struct gt_arena *arena; /* of the definition, when it is ours; NULL otherwise */
    const struct gt_site *site;
    const struct gt_site_options *options;
    char *base;
    struct gt_seen *seen;
    char *cursor;            /* as the next listing asks with; NULL: none yet */
    char *newest;            /* highest value of this listing */
    char *etag, *modified;   /* of the first page, for the URL `validated` */
    char *validated, *asked; /* asked: URL of the first page of this poll */
    char *next_etag, *next_modified;
    struct gt_site_pending *pending, **pending_end;
    size_t pending_count;
    uint64_t serial;

    /* this poll */
    bool listed;   /* the list was answered well: the site works */
    bool complete; /* and read to its end: the cursor may move on */
    bool behind;   /* the last listing was not complete: do not stop at a page of known items */
    size_t taken, page_new;
    int64_t pages;
    int troubles;
    int64_t wait_ms;
    size_t gone;    /* items given up since the process began */
    bool gap;       /* a listing was longer than its page limit */
    size_t largest; /* items in the longest answer */
    char warning[200];
};

/* What handling an answer needs. */
struct gt_site_work {
    struct gt_site_source *self;
    const struct gt_source_output *out;
    struct gt_error *err;
    bool full; /* nothing more can be taken now: the item it happened to stays unseen */
};

void gt_site_scope(const struct gt_site_source *self, struct gt_scope *ret, char iso[GT_TIME_TEXT],
                   char cursor[64]);
void gt_site_replace(char **text, const char *with);
/* Is a greater than b? NULL is less than anything. */
bool gt_site_cursor_greater(enum gt_cursor_order order, const char *a, const char *b);
/* The form cursors are kept in: times as milliseconds. NULL: it is no cursor value. Heap. */
char *gt_site_cursor_value(enum gt_cursor_order order, const char *text);

/* One item of the list: 0 taken, known or left out by its conditions; 1: full, stop. */
int gt_site_take_item(struct gt_site_work *work, const struct gt_record *record);
/* A counter's item: only its number is known. 1: full. */
int gt_site_take_number(struct gt_site_work *work, int64_t number);
/* The answer to a pending item's request; may free the entry. */
int gt_site_take_answer(struct gt_site_work *work, struct gt_site_pending *entry,
                        const struct gt_http_response *response);

/* Sends a request for url (rendered), with the definition's headers and those of `extra`. */
int gt_site_request(struct gt_site_source *self, const struct gt_source_output *out,
                    const char *url, const struct gt_list *extra, const struct gt_scope *scope,
                    bool may_cut, bool validate, const char *tag, struct gt_error *err);
/* GT_E_ with the error's words when the answer is one of these; 1: one that says "gone"; 0: none.
 */
int gt_site_match_error(const struct gt_list *errors, const char *body, size_t len,
                        struct gt_error *err);

/* --- pending items (site_pending.c) --- */
struct gt_site_pending *gt_site_pending_add(struct gt_site_source *self, const char *key,
                                            const char *url, int fetch);
void gt_site_pending_remove(struct gt_site_source *self, struct gt_site_pending *entry);
struct gt_site_pending *gt_site_pending_find(struct gt_site_source *self, uint64_t serial);
int gt_site_pending_send(struct gt_site_source *self, struct gt_site_pending *entry,
                         const struct gt_source_output *out, struct gt_error *err);
/* All that were not sent in this poll. */
void gt_site_pending_send_all(struct gt_site_source *self, const struct gt_source_output *out);
/* One more failure: to the end of the line, or given up. */
void gt_site_pending_failed(struct gt_site_source *self, struct gt_site_pending *entry);
json_t *gt_site_pending_save(const struct gt_site_source *self);
void gt_site_pending_load(struct gt_site_source *self, const json_t *list);
void gt_site_pending_clear(struct gt_site_source *self);

#endif
