/* JSON Pointer (RFC 6901) with one addition: the token `[*]` stands for every element of an array
 * or every value of an object, in order: "/files/[*]/content". "" is the whole value. */
#ifndef GT_CRAWLER_POINTER_H
#define GT_CRAWLER_POINTER_H

#include "core/core.h"

#define GT_POINTER_TOKENS 32

/* GT_E_INVALID with words when text is no pointer. */
int gt_pointer_check(const char *text, struct gt_error *err);
/* Calls each for every value that the pointer reaches, until it returns other than 0; returns that,
 * or 0. A pointer that reaches nothing calls nothing. */
int gt_pointer_each(const json_t *root, const char *pointer,
                    int (*each)(void *user, const json_t *value), void *user);

#endif
