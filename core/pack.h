/* The values of a struct that an option table describes (core/options.h), as bytes: for caches that
 * one program writes and reads on one machine. Integers are the machine's own; a string is its
 * length, its bytes and a NUL, so that what is read back points into the bytes.
 *
 * Tables whose structs have several kinds (`kinds`) are not for this. */
#ifndef GT_CORE_PACK_H
#define GT_CORE_PACK_H

#include "core/options.h"
#include "core/strings.h"

/* Appends. What goes wrong shows in gt_buffer_ok(out). */
void gt_pack(const struct gt_option *options, const void *from, struct gt_buffer *out);
void gt_pack_text(const char *text, struct gt_buffer *out); /* may be NULL */

/* Reads one struct from the start of *rest, which goes on behind it. Lists come from the arena,
 * strings stay in the bytes. GT_E_INVALID: the bytes are no such struct. */
int gt_unpack(const struct gt_option *options, struct gt_str *rest, struct gt_arena *arena,
              void *ret);
int gt_unpack_text(struct gt_str *rest, const char **ret_text);

#endif
