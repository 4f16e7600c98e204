/* console: HTTP for operators. For now health and metrics of one role (libmicrohttpd, own thread). */
#ifndef GT_CONSOLE_H
#define GT_CONSOLE_H

#include "core/core.h"

struct gt_console;

/* listen: "127.0.0.1:9090", "[::1]:0". *ret_port: the port taken. /healthz (200 while the role's loop
 * turned within the last 30 s, else 503), /readyz (200 once gt_console_ready(true)), /metrics. */
int gt_console_open(const char *listen, const char *role, struct gt_console **ret_console,
                    int *ret_port, struct gt_error *err);
void gt_console_beat(struct gt_console *console);            /* NULL is fine */
void gt_console_ready(struct gt_console *console, bool ready, const char *why_not);
void gt_console_close(struct gt_console *console);

#endif
