/* Rule files: YAML, option tables, regexes, the looser pattern for Vectorscan. No database is
 * built: that takes long and reads nothing that was not read before. */
#include "matchers/loosen.h"
#include "matchers/rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gt_arena *arena = gt_arena_new((size_t)64 << 20);
    struct gt_rules rules = {.arena = arena};
    struct gt_mistakes mistakes = {.arena = gt_arena_new((size_t)64 << 20)};
    struct gt_error err;
    int rc = gt_rules_parse(&rules, "fuzz.yaml", (const char *)data, size, &mistakes, &err);
    if (rc == 0 && mistakes.count == 0 && gt_rules_compile(&rules, &err) == GT_E_INVALID)
        abort(); /* a regex that was checked compiles */
    for (size_t i = 0; rc == 0 && i < rules.count; i++)
        if (!gt_pattern_loosen(arena, rules.items[i].pattern, true))
            break;
    gt_rules_free(&rules);
    gt_arena_free(arena);
    gt_arena_free(mistakes.arena);
    return 0;
}
