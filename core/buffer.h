/* A byte buffer born with its maximum.
 *
 * `data` is NUL-terminated after `len` bytes once anything was appended (NULL before that).
 * Appending past the maximum changes nothing but sets `overflow` and returns GT_E_LIMIT; running
 * out of memory does the same with GT_E_NOMEM. A chain of appends may be checked once at its end by
 * gt_buffer_ok(). */
#ifndef GT_CORE_BUFFER_H
#define GT_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct gt_buffer {
    char *data;
    size_t len, capacity, max;
    bool overflow;
};

#define GT_BUFFER(maximum) ((struct gt_buffer){.max = (maximum)})

int gt_buffer_append(struct gt_buffer *buffer, const void *bytes, size_t len);
int gt_buffer_puts(struct gt_buffer *buffer, const char *text);
int gt_buffer_putc(struct gt_buffer *buffer, char c);
int gt_buffer_printf(struct gt_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool gt_buffer_ok(const struct gt_buffer *buffer);
/* Empty again, memory kept. */
void gt_buffer_reset(struct gt_buffer *buffer);
void gt_buffer_free(struct gt_buffer *buffer);
/* Overwrites the content with zeros first: for plain secrets. */
void gt_buffer_wipe(struct gt_buffer *buffer);

void gt_buffer_cleanup(struct gt_buffer *buffer);
#define GT_BUFFER_AUTO __attribute__((cleanup(gt_buffer_cleanup)))

#endif
