/* A data file built into the program (tools/embed.py). Tables end with a NULL name. Beside each
 * stands TABLE_digest: a hash over all of its files, in hexadecimal. */
#ifndef GT_CORE_EMBED_H
#define GT_CORE_EMBED_H

#include <stddef.h>

struct gt_embedded {
    const char *name;           /* file name without its folder */
    const unsigned char *bytes; /* len bytes and a NUL */
    size_t len;
};

#endif
