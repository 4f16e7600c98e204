/* Whole files, bounded. */
#ifndef GT_CORE_FILES_H
#define GT_CORE_FILES_H

#include "core/buffer.h"
#include "core/error.h"

#include <stdbool.h>

/* Appends the file to `out` (whose max is the limit: GT_E_LIMIT names file and limit). Devices,
 * sockets and pipes are refused unless path is "-" (standard input). */
int gt_file_read(const char *path, struct gt_buffer *out, struct gt_error *err);
/* Temporary file beside it, fsync, rename: the file is whole or unchanged. */
int gt_file_write(const char *path, const void *bytes, size_t len, int mode, struct gt_error *err);
bool gt_file_exists(const char *path);
/* mkdir -p. */
int gt_directory_make(const char *path, int mode, struct gt_error *err);

#endif
