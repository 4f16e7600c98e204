/* git as a child process that can do nothing but read. Inside git/ only. */
#ifndef GT_GIT_CHILD_H
#define GT_GIT_CHILD_H

#include "core/core.h"

#include <sys/types.h>

#define GT_GIT_CHILD_BUFFER ((size_t)64 * 1024)

struct gt_git_child {
    pid_t pid;
    int out, errors; /* what it says; a file of its complaints */
    size_t from, to; /* in buffer */
    bool ended;
    char buffer[GT_GIT_CHILD_BUFFER];
};

/* directory: absolute; ceiling: where git stops to look for a repository above it. arguments: after
 * `git` and its options, NULL-ended; input: what it reads, -1: nothing. GT_E_UNSUPPORTED: there is
 * no git. */
int gt_git_child_start(const char *directory, const char *const *arguments, int input,
                       struct gt_git_child **ret_child, struct gt_error *err);
/* 0 when it said all and exited well; else GT_E_IO with its last words. Frees it. */
int gt_git_child_finish(struct gt_git_child *child, struct gt_error *err);
/* Ends it, whatever it does. */
void gt_git_child_free(struct gt_git_child *child);

/* Up to len bytes; 0 at the end, negative on error. */
ssize_t gt_git_child_read(struct gt_git_child *child, void *to, size_t len);
/* Until `end`, which is not kept; text is NUL-terminated. 1, 0 at the end (a line cut short by the
 * end is none), GT_E_LIMIT when the line is longer than the buffer may be. */
int gt_git_child_line(struct gt_git_child *child, char end, struct gt_buffer *line);

#endif
