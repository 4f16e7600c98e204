/* The longer verbs of `guette config`. Inside cli/ only. */
#ifndef GT_CLI_CONFIG_PARTS_H
#define GT_CLI_CONFIG_PARTS_H

#include "cli/cli.h"

/* The configuration with every default, as YAML; secrets are masked. */
void gt_config_show(const struct gt_config *config);
/* Every key as Markdown tables: the reference section of docs/CONFIG.md. */
void gt_config_reference(const struct gt_config_kinds *kinds);

#endif
