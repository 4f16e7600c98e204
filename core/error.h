/* Errors: a negative int says what kind, a struct gt_error says it in words.
 *
 * A function that can fail returns 0 or a count on success and a GT_E_ code on failure; it then has
 * filled `err` (which may be NULL when the caller wants no words) and left every `ret_` untouched.
 * Messages are for people: they name the thing and what to do next, never a secret. */
#ifndef GT_CORE_ERROR_H
#define GT_CORE_ERROR_H

#include <stddef.h>

enum gt_code {
    GT_OK = 0,
    GT_E_INVALID = -1,     /* input or configuration is wrong; trying again will not help */
    GT_E_NOMEM = -2,       /* out of memory */
    GT_E_IO = -3,          /* a file, socket or database failed; trying again may help */
    GT_E_FULL = -4,        /* storage or a high-water mark is full: pause, then try again */
    GT_E_AGAIN = -5,       /* not now (busy, not connected): try again */
    GT_E_NOTFOUND = -6,    /* no such thing */
    GT_E_LIMIT = -7,       /* a cap on size, depth, count or time was hit */
    GT_E_CONFLICT = -8,    /* somebody else owns it now, or keys differ */
    GT_E_UNSUPPORTED = -9, /* this build or this server cannot do it */
    GT_E_TIMEOUT = -10,    /* time ran out */
    GT_E_REFUSED = -11,    /* policy says no (address guard, permission) */
};

#define GT_ERROR_MAX 1024

struct gt_error {
    int code;
    char message[GT_ERROR_MAX];
};

/* Fills err (unless NULL) and returns code, so that `return gt_fail(err, GT_E_IO, ...)` reads well.
 * The arguments may quote err->message itself. */
int gt_fail(struct gt_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the words already there; returns err->code (GT_E_IO when err is NULL). */
int gt_error_prefix(struct gt_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The code's name, "io" for GT_E_IO; for logs and metrics. */
const char *gt_code_name(int code);

#endif
