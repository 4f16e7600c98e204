/* Local channels: one whole message appended to a file or to standard output. */
#ifndef GT_WORKERS_WRITER_H
#define GT_WORKERS_WRITER_H

#include "core/core.h"

/* path NULL: standard output. A file is made with mode, appended to and synced. A message that does
 * not fit on the disk is taken back, so that a retry does not leave half a line: GT_E_FULL; after
 * half a line that a killed writer left a new one begins. Returns within seconds: a pipe without a
 * reader, one that is full and a file that somebody holds locked are GT_E_IO. */
int gt_write_out(const char *path, const char *bytes, size_t len, int mode, struct gt_error *err);

#endif
