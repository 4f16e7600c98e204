/* console: HTTP for operators: health and metrics of one role (libmicrohttpd, a thread of its own).
 *
 * /healthz 200 while the role's loop turned within the last 30 s, else 503; /readyz 200 once the
 * role said it is ready and its loop turns; /metrics in Prometheus' text format. No secrets, no
 * documents. */
#ifndef GT_CONSOLE_H
#define GT_CONSOLE_H

#include "core/core.h"

struct gt_console;

/* listen: "127.0.0.1:9090", "[::1]:0", ":9090" (all addresses). port_offset is added to a port
 * other than 0, so that several roles on one machine can share one setting. *ret_port (may be
 * NULL): the port taken. */
int gt_console_open(const char *listen, int port_offset, const char *role,
                    struct gt_console **ret_console, int *ret_port, struct gt_error *err);
/* The rest may be called from any thread, and with NULL where health is off. */
void gt_console_beat(struct gt_console *console);
void gt_console_ready(struct gt_console *console, bool ready, const char *why_not);
void gt_console_close(struct gt_console *console);

#endif
