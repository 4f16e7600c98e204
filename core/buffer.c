#include "core/buffer.h"

#include "core/error.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct gt_buffer *buffer, size_t more)
{
    if (buffer->overflow)
        return GT_E_LIMIT;
    if (more > buffer->max - buffer->len) {
        buffer->overflow = true;
        return GT_E_LIMIT;
    }
    size_t need = buffer->len + more + 1;
    if (need <= buffer->capacity)
        return 0;
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity < need)
        capacity = capacity > buffer->max / 2 ? buffer->max + 1 : capacity * 2;
    char *data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->overflow = true;
        return GT_E_NOMEM;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int gt_buffer_append(struct gt_buffer *buffer, const void *bytes, size_t len)
{
    int rc = reserve(buffer, len);
    if (rc)
        return rc;
    if (len)
        memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    buffer->data[buffer->len] = '\0';
    return 0;
}

int gt_buffer_puts(struct gt_buffer *buffer, const char *text)
{
    return gt_buffer_append(buffer, text, strlen(text));
}

int gt_buffer_putc(struct gt_buffer *buffer, char c)
{
    return gt_buffer_append(buffer, &c, 1);
}

int gt_buffer_printf(struct gt_buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    int rc = n < 0 ? GT_E_INVALID : reserve(buffer, (size_t)n);
    if (rc == 0) {
        vsnprintf(buffer->data + buffer->len, (size_t)n + 1, format, again);
        buffer->len += (size_t)n;
    }
    va_end(again);
    return rc;
}

bool gt_buffer_ok(const struct gt_buffer *buffer)
{
    return !buffer->overflow;
}

void gt_buffer_reset(struct gt_buffer *buffer)
{
    buffer->len = 0;
    buffer->overflow = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

void gt_buffer_free(struct gt_buffer *buffer)
{
    free(buffer->data);
    *buffer = GT_BUFFER(buffer->max);
}

void gt_buffer_wipe(struct gt_buffer *buffer)
{
    if (buffer->data)
        sodium_memzero(buffer->data, buffer->capacity);
    gt_buffer_free(buffer);
}

void gt_buffer_cleanup(struct gt_buffer *buffer)
{
    gt_buffer_free(buffer);
}
