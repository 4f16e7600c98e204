/* The configuration's reader: YAML, option tables, checks across them. */
#include "tests/unit/model/kinds.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gt_config *config = NULL;
    struct gt_mistakes mistakes;
    struct gt_error err = {0};
    int rc = gt_config_parse("fuzz.yaml", (const char *)data, size, &test_kinds, &config, &mistakes,
                             &err);
    if ((rc == 0) != (config != NULL) || (rc == GT_E_INVALID) != (mistakes.count > 0))
        abort(); /* either a configuration or mistakes */
    gt_arena_free(mistakes.arena);
    gt_config_free(config);
    return 0;
}
