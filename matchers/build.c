/* The slow part of opening a ruleset, done once and kept: what is learnt of the patterns, compiled
 * databases, proof that Vectorscan leads to every example. */
#include "matchers/ruleset.h"

#include "matchers/loosen.h"

#include <string.h>

#define DATABASE_FORMAT "24" /* goes up when rules, needles or notes change their meaning */
#define PACKED_MAX ((size_t)256 * 1024 * 1024)

/* What is learnt of a probe when the database is built, and kept with it. */
enum note_state {
    NOTE_FOUND,   /* Vectorscan leads to it */
    NOTE_ALONE,   /* it does not lead to an example */
    NOTE_REMOVED, /* it does not take the pattern */
};
struct note {
    uint32_t state;
    uint32_t before;      /* struct gt_probe's */
    uint32_t least, most; /* of the needle of a pattern; most UINT32_MAX: unbounded */
};

static const char *probe_name(const struct gt_ruleset *ruleset, size_t probe)
{
    const struct gt_probe *p = &ruleset->probes[probe];
    return p->rule ? p->rule->id : ruleset->brands.terms[p->term].text;
}

static void leave_alone(struct gt_ruleset *ruleset, size_t probe, const char *why)
{
    ruleset->probes[probe].alone = true;
    gt_ruleset_warn(ruleset,
                    "%s: %s, so that PCRE2 alone reads every document for it, which is slow; give "
                    "it keywords or simplify its pattern",
                    probe_name(ruleset, probe), why);
}

/* ---- where it is kept ---- */

/* Everything the compiled databases, the rules and the notes come from. */
static int cache_path(struct gt_ruleset *ruleset, const char *directory, const char **ret_path)
{
    const struct gt_list *texts = &ruleset->rules.texts;
    const struct gt_brands *brands = &ruleset->brands;
    size_t count = 0, most = texts->count + 2 * brands->term_count + 1;
    struct gt_part *parts = gt_arena_array(ruleset->arena, most, sizeof *parts);
    if (!parts)
        return GT_E_NOMEM;
    parts[count++] = gt_part(DATABASE_FORMAT);
    for (size_t i = 0; i < texts->count; i++) {
        const struct gt_rule_text *text = GT_LIST_ITEM(*texts, struct gt_rule_text, i);
        parts[count++] = text->digest ? gt_part(text->digest)
                                      : (struct gt_part){text->bytes.ptr, text->bytes.len};
    }
    for (size_t i = 0; i < brands->term_count; i++) {
        const struct gt_term *term = &brands->terms[i];
        parts[count++] = (struct gt_part){&term->kind, sizeof term->kind};
        parts[count++] = gt_part(term->kind == GT_TERM_PATTERN ? term->pattern : term->text);
    }
    return gt_cache_path(directory, parts, count, ruleset->arena, ret_path);
}

const char *gt_build_find_cache(struct gt_ruleset *ruleset, const char *directory)
{
    const char *path = NULL;
    struct gt_error why = {.message = "out of memory"};
    if (!directory)
        return NULL;
    if (gt_directory_make(directory, 0700, &why) < 0 || cache_path(ruleset, directory, &path) < 0)
        gt_ruleset_warn(ruleset, "compiled rules are not kept: %s", why.message);
    return path;
}

/* ---- notes ---- */

static void remove_needle(struct gt_ruleset *ruleset, struct gt_needles *needles, size_t index,
                          struct note *notes, const char *why)
{
    const struct gt_needle *needle = &needles->items[index];
    for (size_t i = 0; i < needle->target_count; i++) {
        leave_alone(ruleset, needle->targets[i], why);
        notes[needle->targets[i]].state = NOTE_REMOVED;
    }
    gt_needles_remove(needles, index);
}

static uint32_t learn_before(struct gt_arena *arena, const struct gt_rule *rule)
{
    size_t before = gt_pattern_before(arena, rule->pattern, &rule->keywords);
    if (before == SIZE_MAX)
        before = gt_pattern_width(arena, rule->pattern);
    return (uint32_t)(before < GT_BEFORE_MAX ? before : GT_BEFORE_MAX);
}

static void learn_pattern(struct gt_ruleset *ruleset, struct gt_needles *needles, size_t index,
                          struct note *notes)
{
    struct gt_needle *needle = &needles->items[index];
    if (gt_needle_inspect(needle) < 0) {
        remove_needle(ruleset, needles, index, notes, "Vectorscan cannot look for its pattern");
        return;
    }
    for (size_t k = 0; k < needle->target_count; k++) {
        notes[needle->targets[k]].least = (uint32_t)needle->least;
        notes[needle->targets[k]].most =
            needle->most < UINT32_MAX ? (uint32_t)needle->most : UINT32_MAX;
    }
}

static void apply_to_pattern(struct gt_ruleset *ruleset, struct gt_needles *needles, size_t index,
                             struct note *notes)
{
    struct gt_needle *needle = &needles->items[index];
    const struct note *note = &notes[needle->targets[0]];
    if (note->state == NOTE_REMOVED) {
        remove_needle(ruleset, needles, index, notes, "Vectorscan does not take its pattern");
        return;
    }
    needle->least = note->least;
    needle->most = note->most == UINT32_MAX ? SIZE_MAX : note->most;
}

/* From the last to the first, since one may be removed. */
static void each_pattern(struct gt_ruleset *ruleset, struct note *notes,
                         void (*visit)(struct gt_ruleset *ruleset, struct gt_needles *needles,
                                       size_t index, struct note *notes))
{
    for (size_t s = 0; s < GT_SETS; s++)
        for (size_t i = ruleset->sets[s].count; i-- > 0;)
            if (ruleset->sets[s].items[i].kind == GT_NEEDLE_PATTERN)
                visit(ruleset, &ruleset->sets[s], i, notes);
}

/* The slow part, once: how long may the matches be, and does Vectorscan take the patterns at all?
 */
static void learn(struct gt_ruleset *ruleset, struct note *notes)
{
    for (size_t i = 0; i < ruleset->rules.count; i++) {
        const struct gt_rule *rule = &ruleset->rules.items[i];
        notes[i].before = rule->keywords.count > 0 ? learn_before(ruleset->arena, rule) : 0;
        ruleset->probes[i].before = notes[i].before;
    }
    each_pattern(ruleset, notes, learn_pattern);
}

static void apply_notes(struct gt_ruleset *ruleset, struct note *notes)
{
    each_pattern(ruleset, notes, apply_to_pattern);
    for (size_t i = 0; i < ruleset->probe_count; i++) {
        ruleset->probes[i].before = notes[i].before;
        if (notes[i].state == NOTE_ALONE)
            leave_alone(ruleset, i, "Vectorscan or its keywords miss an example of it");
    }
}

/* A pattern that Vectorscan refuses when it compiles all is taken out, and the rest compiled again.
 */
static int compile_set(struct gt_ruleset *ruleset, struct gt_needles *needles, struct note *notes,
                       struct gt_error *err)
{
    for (;;) {
        size_t bad = 0;
        int rc = gt_database_compile(needles, &bad, err);
        if (rc != GT_E_INVALID || needles->items[bad].kind != GT_NEEDLE_PATTERN)
            return rc;
        remove_needle(ruleset, needles, bad, notes, "Vectorscan does not compile its pattern");
    }
}

static void find_alone(struct gt_ruleset *ruleset)
{
    ruleset->has_alone = false;
    for (size_t i = 0; i < ruleset->probe_count; i++)
        ruleset->has_alone |= ruleset->probes[i].alone;
}

static int build_databases(struct gt_ruleset *ruleset, struct note *notes, struct gt_error *err)
{
    int rc = 0;
    learn(ruleset, notes);
    for (size_t i = 0; i < GT_SETS && rc >= 0; i++)
        rc = compile_set(ruleset, &ruleset->sets[i], notes, err);
    find_alone(ruleset);
    if (rc >= 0)
        rc = gt_ruleset_fall_back(ruleset, err);
    for (size_t i = 0; i < ruleset->probe_count; i++)
        if (ruleset->probes[i].alone && notes[i].state == NOTE_FOUND)
            notes[i].state = NOTE_ALONE;
    return rc;
}

/* A database tells needles by their number: they must be those that it was made of. */
static int hash_needles(const struct gt_ruleset *ruleset, char ret_hash[GT_ID_TEXT])
{
    size_t most = 0, count = 0;
    for (size_t s = 0; s < GT_SETS; s++)
        most += 2 * ruleset->sets[s].count + 1;
    struct gt_part *parts = gt_arena_array(ruleset->arena, most, sizeof *parts);
    if (!parts)
        return GT_E_NOMEM;
    for (size_t s = 0; s < GT_SETS; s++) {
        parts[count++] = gt_part("set");
        for (size_t i = 0; i < ruleset->sets[s].count; i++) {
            const struct gt_needle *needle = &ruleset->sets[s].items[i];
            parts[count++] = gt_part(needle->expression);
            parts[count++] = (struct gt_part){&needle->kind, sizeof needle->kind};
        }
    }
    gt_id_make("needles", parts, count, ret_hash);
    return 0;
}

static void write_cache(struct gt_ruleset *ruleset, const char *path, const struct note *notes,
                        const char *needles)
{
    GT_BUFFER_AUTO struct gt_buffer rules = GT_BUFFER(PACKED_MAX), learnt = GT_BUFFER(PACKED_MAX);
    gt_buffer_append(&learnt, notes, ruleset->probe_count * sizeof *notes);
    gt_buffer_append(&learnt, needles, GT_ID_TEXT);
    gt_rules_pack(&ruleset->rules, &rules);
    struct gt_cached cached = {
        {0},
        {learnt.data, learnt.len},
        {rules.data, rules.len},
    };
    for (size_t i = 0; i < GT_SETS; i++)
        cached.databases[i] = ruleset->sets[i].database;
    struct gt_error why = {.message = "the rules do not fit in memory"};
    if (!gt_buffer_ok(&rules) || !gt_buffer_ok(&learnt) || gt_cache_write(path, &cached, &why) < 0)
        gt_ruleset_warn(ruleset, "compiled rules are not kept: %s", why.message);
}

/* ---- from the cache ---- */

static void drop_databases(struct gt_ruleset *ruleset)
{
    for (size_t i = 0; i < GT_SETS; i++) {
        hs_free_database(ruleset->sets[i].database);
        ruleset->sets[i].database = NULL;
    }
}

int gt_build_read(struct gt_ruleset *ruleset, const char *path, struct gt_cached *ret_cached)
{
    struct gt_mistakes mistakes = {.arena = ruleset->arena};
    if (gt_cache_read(path, ruleset->arena, ret_cached) < 0)
        return GT_E_NOTFOUND;
    for (size_t i = 0; i < GT_SETS; i++)
        ruleset->sets[i].database = ret_cached->databases[i];
    if (gt_rules_unpack(&ruleset->rules, ret_cached->rules) == 0) {
        gt_rules_link(&ruleset->rules, &mistakes);
        return 0;
    }
    drop_databases(ruleset);
    return GT_E_NOTFOUND;
}

static void hasten_alone(struct gt_ruleset *ruleset)
{
    find_alone(ruleset);
    for (size_t i = 0; i < ruleset->probe_count; i++)
        if (ruleset->probes[i].alone)
            gt_regex_hasten(ruleset->probes[i].regex);
}

int gt_build_apply(struct gt_ruleset *ruleset, const struct gt_cached *cached)
{
    char hash[GT_ID_TEXT];
    struct note *notes = gt_arena_array(ruleset->arena, ruleset->probe_count + 1, sizeof *notes);
    size_t size = ruleset->probe_count * sizeof *notes;
    if (!notes || hash_needles(ruleset, hash) < 0 || cached->notes.len != size + sizeof hash ||
        memcmp(cached->notes.ptr + size, hash, sizeof hash) != 0) {
        drop_databases(ruleset);
        return GT_E_NOTFOUND;
    }
    memcpy(notes, cached->notes.ptr, size);
    apply_notes(ruleset, notes);
    hasten_alone(ruleset);
    return 0;
}

/* ---- anew ---- */

int gt_build(struct gt_ruleset *ruleset, const char *path, struct gt_error *err)
{
    struct note *notes = gt_arena_array(ruleset->arena, ruleset->probe_count + 1, sizeof *notes);
    if (!notes)
        return gt_fail(err, GT_E_NOMEM, "out of memory for the rules");
    char needles[GT_ID_TEXT]; /* as they are when the cache is read, none removed yet */
    bool keep = path && hash_needles(ruleset, needles) == 0;
    int rc = build_databases(ruleset, notes, err);
    if (rc >= 0 && keep)
        write_cache(ruleset, path, notes, needles);
    hasten_alone(ruleset);
    return rc;
}
