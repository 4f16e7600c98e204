/* Values that documentation and templates print where a secret goes. */
#ifndef GT_MATCHERS_SAMPLES_H
#define GT_MATCHERS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

/* One character repeated, a counting run, or a word like "example" or "changeme". */
bool gt_value_is_sample(const char *value, size_t len);

#endif
