/* Which guette this is. */
#ifndef GT_CORE_VERSION_H
#define GT_CORE_VERSION_H

const char *gt_version(void); /* "0.1.0" */

#endif
