/* Logs: one line an event on standard error; JSON, or text when it is a terminal.
 *
 * The event is a stable dotted name ("crawler.poll"), fields carry the facts. No plain secret goes
 * into a field: whoever logs is answerable for that, and tests search for planted ones. */
#ifndef GT_CORE_LOG_H
#define GT_CORE_LOG_H

#include "core/error.h"

#include <stdbool.h>
#include <stdint.h>

enum gt_level { GT_DEBUG, GT_INFO, GT_WARNING, GT_ERROR };
enum gt_log_format { GT_LOG_AUTO, GT_LOG_JSON, GT_LOG_TEXT };

struct gt_field {
    const char *key;
    const char *text; /* NULL: number */
    int64_t number;
};

static inline struct gt_field gt_text_field(const char *key, const char *text)
{
    return (struct gt_field){.key = key, .text = text ? text : ""};
}
#define GT_F(k, t) gt_text_field(k, t)
#define GT_N(k, n) ((struct gt_field){.key = (k), .number = (int64_t)(n)})

/* role: "crawl", "match"...; shown on every line. Everything below `least` is dropped. */
void gt_log_start(const char *role, enum gt_log_format format, enum gt_level least);

void gt_log_write(enum gt_level level, const char *event, const char *message,
                  const struct gt_field *fields, size_t count);

/* gt_log(GT_INFO, "crawler.poll", "12 new documents", GT_F("source", name), GT_N("documents", n));
 */
#define gt_log(level, event, message, ...)                                                         \
    gt_log_write(level, event, message, (const struct gt_field[]){{0}, ##__VA_ARGS__} + 1,         \
                 sizeof((const struct gt_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct gt_field) - \
                     1)

/* The same thing said again and again (a source down, a disk full) is said once a minute, with how
 * often it was held back. `key` tells things apart. Returns true when the caller should log now;
 * *ret_held counts. */
bool gt_log_allow(const char *key, int64_t *ret_held);

#endif
