/* workers: the only place that joins the parts: the roles crawl, match and notify, each a process
 * of its own, and the supervisor that runs them all on one machine.
 *
 * A role can be killed at any instant: what it had pulled comes back when its lease ends, what it
 * had not committed was never promised. SIGTERM and SIGINT drain: finish what is in hand, give the
 * rest back, exit 0 within workers.drain. SIGHUP reads the configuration again; a wrong one is
 * reported and the old one stays. */
#ifndef GT_WORKERS_H
#define GT_WORKERS_H

#include "core/core.h"
#include "model/model.h"

/* Every kind of source, channel and queue that this program knows: for gt_config_load. */
extern const struct gt_config_kinds gt_all_kinds;

struct gt_role;
extern const struct gt_role *const gt_roles[]; /* crawl, match, notify; NULL-ended */
const struct gt_role *gt_role_find(const char *name);

struct gt_role_settings {
    const char *config_path;
    int slot;        /* tells workers of one role on one host apart: 1, 2... */
    int port_offset; /* added to the port of health.listen */
};

/* Runs the role until a signal ends it. Returns the process's exit code: 0 after a clean stop, 1
 * when it could not start (the reason is logged). */
int gt_role_run(const struct gt_role *role, const struct gt_role_settings *settings);

/* Runs `workers` of each role as child processes of this program (re-executed with `ROLE --config
 * FILE --slot N`), restarts them with back-off when they end, and ends with them. Returns the exit
 * code: 1 when another supervisor has the data folder, or a worker could not start the first time,
 * which no restart mends. */
int gt_supervise(const char *program, const char *config_path);

#endif
