/* Rule files: YAML, option tables, regexes, the looser pattern for Vectorscan, and the rules as
 * bytes and back. No database is built: that takes long and reads nothing that was not read before.
 */
#include "matchers/loosen.h"
#include "matchers/rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A regex that was checked compiles in every form that is made of it. */
static void try_rule(struct gt_arena *arena, const struct gt_rule *rule)
{
    struct gt_error err;
    const char *confirming = rule->after.count > 0 ? gt_after_pattern(arena, rule->pattern)
                                                   : gt_pattern_after_escapes(arena, rule->pattern);
    if (confirming && gt_regex_check(confirming, &err) == GT_E_INVALID)
        abort();
    gt_pattern_loosen(arena, rule->pattern, true);
}

/* What comes back from any cut of the bytes is sound or refused. */
static void pack_and_unpack(const struct gt_rules *rules)
{
    GT_BUFFER_AUTO struct gt_buffer bytes = GT_BUFFER((size_t)16 << 20);
    gt_rules_pack(rules, &bytes);
    struct gt_rule_text text = {"fuzz.yaml", {"", 0}};
    for (size_t cut = 0; gt_buffer_ok(&bytes) && cut <= bytes.len; cut += 1 + bytes.len / 16) {
        struct gt_rules again = {.arena = gt_arena_new((size_t)64 << 20), .texts = {&text, 1}};
        int rc = gt_rules_unpack(&again, (struct gt_str){bytes.data, bytes.len - cut});
        if (again.arena && cut == 0 && (rc < 0 || again.count != rules->count))
            abort();
        free(again.items);
        gt_arena_free(again.arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gt_arena *arena = gt_arena_new((size_t)64 << 20);
    struct gt_rules rules = {.arena = arena};
    struct gt_mistakes mistakes = {.arena = gt_arena_new((size_t)64 << 20)};
    struct gt_error err;
    int rc = gt_rules_parse(&rules, "fuzz.yaml", (const char *)data, size, &mistakes, &err);
    gt_rules_link(&rules, &mistakes);
    bool sound = rc == 0 && mistakes.count == 0 && gt_rules_compile(&rules, &err) == 0;
    for (size_t i = 0; sound && i < rules.count; i++)
        try_rule(arena, &rules.items[i]);
    if (sound)
        pack_and_unpack(&rules);
    gt_rules_free(&rules);
    gt_arena_free(arena);
    gt_arena_free(mistakes.arena);
    return 0;
}
