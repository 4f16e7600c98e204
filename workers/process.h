/* This process: signals and what it gives up. */
#ifndef GT_WORKERS_PROCESS_H
#define GT_WORKERS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* SIGTERM and SIGINT ask to stop, SIGHUP to reload, SIGCHLD wakes; SIGPIPE is ignored. Blocking
 * calls return EINTR. */
void gt_signals_start(void);
bool gt_stop_wanted(void);
/* The process ends (exit code 0) a little later than so long after the signal to stop, whatever it
 * waits for: a queue that hangs, a disk. What is cut off is what a kill at any instant may cut. */
void gt_stop_within(int64_t ms);
/* True once per SIGHUP. */
bool gt_reload_wanted(void);

/* No core dump and no ptrace by others of the same user (plain secrets are in the matcher's
 * memory), no new privileges by exec. */
void gt_harden(void);
/* fork, with every signal held back in the child until gt_child_start: a handler of the parent's
 * that runs in the child before exec would swallow its order to stop. */
int gt_fork(void);
/* In the child: signals do what they do by default, and it ends when its parent (a pid) does. */
void gt_child_start(int parent);

#endif
