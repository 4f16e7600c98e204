/* This process: signals and what it gives up. */
#ifndef GT_WORKERS_PROCESS_H
#define GT_WORKERS_PROCESS_H

#include <stdbool.h>

/* SIGTERM and SIGINT ask to stop, SIGHUP to reload, SIGCHLD wakes; SIGPIPE is ignored. Blocking
 * calls return EINTR. */
void gt_signals_start(void);
bool gt_stop_wanted(void);
/* True once per SIGHUP. */
bool gt_reload_wanted(void);

/* No core dump and no ptrace by others of the same user (plain secrets are in the matcher's
 * memory), no new privileges by exec. */
void gt_harden(void);
/* The child ends when its parent does. Call right after fork; parent is the parent's pid. */
void gt_die_with_parent(int parent);

#endif
