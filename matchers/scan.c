#include "matchers/scan.h"

#include "matchers/assigned.h"
#include "matchers/fold.h"
#include "matchers/runs.h"
#include "matchers/samples.h"

#include <string.h>
#include <time.h>

/* Starts of a match are sought so far before the end that Vectorscan tells: of a pattern whose
 * length has a bound, and of one that has none. */
#define WINDOW_MAX ((size_t)64 * 1024)
#define WINDOW_UNBOUNDED ((size_t)4 * 1024)
/* So often may a rule's pattern hit PCRE2's limits in one document before it is stopped there. */
#define STRIKES_MAX 3
/* No rule may use more than this part of a document's time, so that one bad pattern does not
 * silence the others. */
#define TIME_SHARE 4
/* Matches that lead to others are one when they are no further apart. */
#define LEADS_APART 64
#define WINDOWS_APART 64

static size_t back(size_t from, size_t by)
{
    return from > by ? from - by : 0;
}

/* ---- confirming ---- */

static struct gt_probe_state *state_of(struct gt_scratch *scratch, uint32_t probe)
{
    struct gt_probe_state *state = &scratch->states[probe];
    if (!state->touched)
        scratch->touched[scratch->touched_count++] = probe;
    state->touched = true;
    return state;
}

static void stop_probe(struct gt_scratch *scratch, uint32_t probe)
{
    const struct gt_probe *p = &scratch->ruleset->probes[probe];
    const char *name = p->rule ? p->rule->id : scratch->ruleset->brands.terms[p->term].text;
    char label[160];
    state_of(scratch, probe)->stopped = true;
    scratch->cut_rule = name;
    gt_counter_add("guette_match_rules_cut_total", gt_label(label, sizeof label, "rule", name), 1);
}

/* The time since the last look is this probe's. In milliseconds that is rough for one call and
 * right over many. */
static bool in_time(struct gt_scratch *scratch, uint32_t probe)
{
    struct gt_probe_state *state = state_of(scratch, probe);
    int64_t now = gt_monotonic(), allowed = scratch->ruleset->document_ms;
    state->spent_ms += now - scratch->clock_ms;
    scratch->clock_ms = now;
    if (now - scratch->started_ms >= allowed) {
        scratch->gave_up = true;
        return false;
    }
    if (state->spent_ms > allowed / TIME_SHARE)
        stop_probe(scratch, probe);
    return true;
}

static bool is_near(struct gt_scratch *scratch, const struct gt_rule *rule, struct gt_span match)
{
    size_t within = (size_t)rule->near.within;
    size_t end = scratch->len - match.end > within ? match.end + within : scratch->len;
    struct gt_search search = {scratch->body, end, back(match.start, within), end};
    struct gt_span found;
    return gt_regex_find(rule->near_regex, scratch->runner, &search, &found, NULL) == 1;
}

static bool is_rejected(struct gt_scratch *scratch, const struct gt_rule *rule,
                        struct gt_str secret)
{
    for (size_t i = 0; i < rule->reject.count; i++)
        if (gt_regex_in(rule->reject_regexes[i], scratch->runner, secret.ptr, secret.len))
            return true;
    for (size_t i = 0; i < rule->required_checks.count; i++)
        if (gt_check_find(GT_RULE_STRING(rule->required_checks, i))
                ->check(secret.ptr, secret.len) == GT_VERDICT_NO)
            return true;
    return false;
}

/* A required check says yes: nothing else looks so. */
static bool is_proved(const struct gt_rule *rule, struct gt_str secret)
{
    for (size_t i = 0; i < rule->required_checks.count; i++)
        if (gt_check_find(GT_RULE_STRING(rule->required_checks, i))
                ->check(secret.ptr, secret.len) == GT_VERDICT_YES)
            return true;
    return false;
}

static void run_checks(struct gt_candidate *candidate, struct gt_str secret)
{
    const struct gt_rule *rule = candidate->rule;
    candidate->confidence = rule->confidence;
    for (size_t i = 0; i < rule->checks.count && i < 32; i++) {
        enum gt_verdict verdict =
            gt_check_find(GT_RULE_STRING(rule->checks, i))->check(secret.ptr, secret.len);
        candidate->passed |= verdict == GT_VERDICT_YES ? 1u << i : 0;
        candidate->failed |= verdict == GT_VERDICT_NO ? 1u << i : 0;
    }
    if (candidate->failed)
        candidate->confidence = GT_POSSIBLE;
    else if (candidate->passed)
        candidate->confidence = GT_CERTAIN;
    else if (rule->assigned.count > 0 && candidate->confidence == GT_POSSIBLE &&
             is_proved(rule, secret))
        candidate->confidence = GT_LIKELY;
}

/* ---- candidates ---- */

static struct gt_str secret_of(const struct gt_scratch *scratch, struct gt_span span)
{
    return (struct gt_str){scratch->body + span.start, span.end - span.start};
}

/* FNV-1a. Colliding secrets cost a comparison each, and there are at most candidate_max. */
static size_t hash_of(const struct gt_rule *rule, struct gt_str secret)
{
    uint64_t hash = 14695981039346656037u ^ (uintptr_t)rule;
    for (size_t i = 0; i < secret.len; i++)
        hash = (hash ^ (unsigned char)secret.ptr[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

/* The slot of this rule's secret, or the free one where it goes. */
static size_t find_slot(const struct gt_scratch *scratch, const struct gt_rule *rule,
                        struct gt_str secret)
{
    size_t slot = hash_of(rule, secret) & (scratch->seen_size - 1);
    for (; scratch->seen[slot]; slot = (slot + 1) & (scratch->seen_size - 1)) {
        const struct gt_candidate *c = &scratch->candidates[scratch->seen[slot] - 1];
        if (c->rule == rule && gt_str_eq(secret_of(scratch, c->secret), secret))
            break;
    }
    return slot;
}

static struct gt_candidate *new_candidate(struct gt_scratch *scratch)
{
    if (scratch->candidate_count >= scratch->candidate_max) {
        scratch->gave_up = true;
        return NULL;
    }
    if (scratch->candidate_count == scratch->candidate_capacity) {
        size_t capacity = scratch->candidate_capacity ? 2 * scratch->candidate_capacity : 32;
        size_t size = sizeof *scratch->candidates;
        struct gt_candidate *more = gt_arena_grow(scratch->arena, scratch->candidates,
                                                  scratch->candidate_count * size, capacity * size);
        if (!more) {
            scratch->gave_up = scratch->out_of_memory = true;
            return NULL;
        }
        scratch->candidates = more;
        scratch->candidate_capacity = capacity;
    }
    return &scratch->candidates[scratch->candidate_count];
}

static bool passes(struct gt_scratch *scratch, const struct gt_rule *rule, struct gt_span match,
                   struct gt_str secret)
{
    return (rule->entropy <= 0 || gt_entropy(secret.ptr, secret.len) >= rule->entropy) &&
           !is_rejected(scratch, rule, secret) &&
           (!rule->near_regex || is_near(scratch, rule, match));
}

/* The value of a name is as sure as the rule says; one that only stands behind it is one step less.
 */
static void weigh_after(struct gt_candidate *candidate)
{
    if (candidate->after == GT_AFTER_NEAR && candidate->confidence > GT_POSSIBLE)
        candidate->confidence--;
}

static void remember_lead(struct gt_scratch *scratch, const struct gt_rule *rule,
                          struct gt_span span)
{
    struct gt_lead *last = scratch->lead_count ? &scratch->leads[scratch->lead_count - 1] : NULL;
    if (!rule->leads_pairs)
        return;
    if (last && last->rule == rule && span.start >= last->span.start &&
        span.start <= last->span.end + LEADS_APART) {
        last->span.end = span.end;
        return;
    }
    if (scratch->lead_count >= GT_LEADS_MAX)
        return;
    if (scratch->lead_count == scratch->lead_capacity) {
        size_t capacity = scratch->lead_capacity ? 2 * scratch->lead_capacity : 16;
        size_t size = sizeof *scratch->leads;
        struct gt_lead *more = gt_arena_grow(scratch->arena, scratch->leads,
                                             scratch->lead_count * size, capacity * size);
        if (!more) {
            scratch->gave_up = scratch->out_of_memory = true;
            return;
        }
        scratch->leads = more;
        scratch->lead_capacity = capacity;
    }
    scratch->leads[scratch->lead_count++] = (struct gt_lead){rule, span};
}

/* False: it is none. */
static bool consider(struct gt_scratch *scratch, const struct gt_rule *rule, struct gt_span match,
                     struct gt_span span)
{
    struct gt_str secret = secret_of(scratch, span);
    enum gt_after_how after = GT_AFTER_NOT;
    size_t distance = 0;
    if (rule->after_words) {
        after = gt_after_judge(rule->after_words, scratch->body, span.start, &distance);
        if (after == GT_AFTER_NOT || gt_value_is_sample(secret.ptr, secret.len) ||
            gt_after_names_itself(rule->after_words, secret.ptr, secret.len))
            return false;
    }
    size_t slot = find_slot(scratch, rule, secret);
    bool seen = scratch->seen[slot] != 0;
    if (seen || !passes(scratch, rule, match, secret)) {
        if (seen)
            remember_lead(scratch, rule, span);
        return seen;
    }
    remember_lead(scratch, rule, span);
    struct gt_candidate *candidate = new_candidate(scratch);
    if (!candidate)
        return true;
    *candidate = (struct gt_candidate){.rule = rule,
                                       .match = match,
                                       .secret = span,
                                       .slot = slot,
                                       .after = after,
                                       .distance = distance};
    run_checks(candidate, secret);
    weigh_after(candidate);
    scratch->seen[slot] = (uint32_t)++scratch->candidate_count;
    return true;
}

/* Other rules may have matches that start a little before and were not led to yet. */
static void give_up_at(struct gt_scratch *scratch, size_t place)
{
    place = back(place, GT_BEFORE_MAX);
    if (place < scratch->horizon)
        scratch->horizon = place;
}

/* Where the search goes on behind a match. A value behind a word may be the end of one that was
 * none. */
static size_t take_match(struct gt_scratch *scratch, const struct gt_probe *probe,
                         struct gt_span match, struct gt_span secret)
{
    bool taken = true;
    if (probe->rule)
        taken = consider(scratch, probe->rule, match, secret);
    else
        gt_mention_add(scratch, probe->term, match.start, match.end);
    return !taken && probe->rule->after_words ? match.start + 1 : match.end;
}

static void count_strike(struct gt_scratch *scratch, uint32_t probe)
{
    const struct gt_probe *p = &scratch->ruleset->probes[probe];
    if (++state_of(scratch, probe)->strikes >= STRIKES_MAX)
        stop_probe(scratch, probe);
    else
        scratch->cut_rule = p->rule ? p->rule->id : p->pattern;
}

static int confirm(struct gt_scratch *scratch, uint32_t probe, size_t from, size_t limit)
{
    const struct gt_probe *p = &scratch->ruleset->probes[probe];
    struct gt_probe_state *state = state_of(scratch, probe);
    struct gt_search search = {scratch->body, scratch->len, from > state->next ? from : state->next,
                               limit};
    struct gt_span match, secret;
    size_t entered = search.start;
    while (search.start <= limit && !state->stopped && !scratch->gave_up) {
        int rc = gt_regex_find(p->regex, scratch->runner, &search, &match, &secret);
        search.start = rc == 1 ? take_match(scratch, p, match, secret) : limit + 1;
        if (rc < 0)
            count_strike(scratch, probe);
        if (!in_time(scratch, probe))
            break;
    }
    state->next = search.start;
    if (scratch->gave_up)
        give_up_at(scratch, entered);
    return scratch->gave_up;
}

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int gt_confirm(struct gt_scratch *scratch, uint32_t probe, size_t from, size_t limit)
{
    if (!scratch->costs)
        return confirm(scratch, probe, from, limit);
    struct gt_rule_cost *cost = &scratch->costs[probe];
    size_t before = scratch->candidate_count;
    uint64_t started = nanoseconds();
    int rc = confirm(scratch, probe, from, limit);
    cost->nanoseconds += nanoseconds() - started;
    cost->hits++;
    cost->candidates += scratch->candidate_count - before;
    return rc;
}

/* ---- mentions ---- */

int gt_mention_add(struct gt_scratch *scratch, uint32_t term, size_t start, size_t end)
{
    size_t brand = scratch->ruleset->brands.terms[term].brand;
    struct gt_mentions *mentions = &scratch->mentions[brand];
    if (mentions->count >= GT_MENTIONS_MAX)
        return 0;
    if (mentions->count == mentions->capacity) {
        size_t capacity = mentions->capacity ? 2 * mentions->capacity : 8;
        size_t size = sizeof *mentions->items;
        struct gt_mention *more =
            gt_arena_grow(scratch->arena, mentions->items, mentions->count * size, capacity * size);
        if (!more) {
            scratch->gave_up = scratch->out_of_memory = true;
            return 1;
        }
        mentions->items = more;
        mentions->capacity = capacity;
    }
    mentions->items[mentions->count++] = (struct gt_mention){term, start, end};
    return 0;
}

/* ---- hits ---- */

static int on_trigger(struct gt_scratch *scratch, const struct gt_needle *needle, size_t to)
{
    size_t start = to - needle->most;
    for (size_t i = 0; i < needle->target_count; i++) {
        const struct gt_probe *probe = &scratch->ruleset->probes[needle->targets[i]];
        bool after = probe->rule && probe->rule->after_words; /* the keyword may be a name */
        size_t limit = after ? to + GT_AFTER_BYTES : start;
        if (!probe->alone &&
            gt_confirm(scratch, needle->targets[i], back(start, probe->before), limit))
            return 1;
    }
    return 0;
}

static int on_word(struct gt_scratch *scratch, const struct gt_needle *needle, size_t to)
{
    size_t from = to - needle->least, end, limit;
    const char *body = scratch->body;
    for (size_t i = 0; i < needle->target_count; i++) {
        const struct gt_probe *probe = &scratch->ruleset->probes[needle->targets[i]];
        if (!probe->alone &&
            gt_after_word_stands(body, scratch->len, from, to, &needle->parts[i], &end) &&
            gt_after_leads(probe->rule->after_words, body, scratch->len, end, &limit) &&
            gt_confirm(scratch, needle->targets[i], end, limit))
            return 1;
    }
    return 0;
}

/* The value alone is looked at; a word that stands in the same name again leads nowhere. */
static void on_assignment(struct gt_scratch *scratch, uint32_t probe, struct gt_span word)
{
    const struct gt_probe *p = &scratch->ruleset->probes[probe];
    struct gt_assignment found;
    if (!gt_assignment_read(scratch->body, scratch->len, word, &found) ||
        found.value.start < scratch->states[probe].next)
        return;
    struct gt_search search = {scratch->body, found.value.end, found.value.start,
                               found.value.start};
    struct gt_span match, secret;
    state_of(scratch, probe)->next = found.value.start + 1;
    if (gt_regex_find(p->regex, scratch->runner, &search, &match, &secret) == 1)
        consider(scratch, p->rule, found.value, secret);
}

static int on_name(struct gt_scratch *scratch, const struct gt_needle *needle, size_t to)
{
    const struct gt_span word = {to - needle->least, to};
    for (size_t i = 0; i < needle->target_count && !scratch->gave_up; i++) {
        if (!scratch->ruleset->probes[needle->targets[i]].alone)
            on_assignment(scratch, needle->targets[i], word);
        if (!in_time(scratch, needle->targets[i]))
            break;
    }
    if (scratch->gave_up)
        give_up_at(scratch, to);
    return scratch->gave_up;
}

static int on_pattern(struct gt_scratch *scratch, const struct gt_needle *needle, size_t to)
{
    size_t window = needle->most == SIZE_MAX    ? WINDOW_UNBOUNDED
                    : needle->most < WINDOW_MAX ? needle->most
                                                : WINDOW_MAX;
    for (size_t i = 0; i < needle->target_count; i++)
        if (!scratch->ruleset->probes[needle->targets[i]].alone &&
            gt_confirm(scratch, needle->targets[i], back(to, window), back(to, needle->least)))
            return 1;
    return 0;
}

static int add_mentions(struct gt_scratch *scratch, const struct gt_needle *needle, size_t start,
                        size_t to)
{
    for (size_t i = 0; i < needle->target_count; i++)
        if (gt_mention_add(scratch, needle->targets[i], start, to))
            return 1;
    return 0;
}

static int on_domain(struct gt_scratch *scratch, const struct gt_needle *needle, size_t to)
{
    size_t start = to - needle->most;
    return gt_domain_stands(scratch->body, scratch->len, start, to)
               ? add_mentions(scratch, needle, start, to)
               : 0;
}

static int on_keyword(struct gt_scratch *scratch, const struct gt_needle *needle, size_t to)
{
    size_t start = to - needle->most;
    return gt_stands_alone(scratch->body, scratch->len, start, to)
               ? add_mentions(scratch, needle, start, to)
               : 0;
}

static int (*const on_needle[])(struct gt_scratch *, const struct gt_needle *, size_t) = {
    [GT_NEEDLE_TRIGGER] = on_trigger, [GT_NEEDLE_WORD] = on_word,
    [GT_NEEDLE_NAME] = on_name,       [GT_NEEDLE_PATTERN] = on_pattern,
    [GT_NEEDLE_DOMAIN] = on_domain,   [GT_NEEDLE_KEYWORD] = on_keyword,
};

static int on_hit(struct gt_scratch *scratch, enum gt_needle_set set, unsigned id, size_t to)
{
    const struct gt_needle *needle = &scratch->ruleset->sets[set].items[id];
    return on_needle[needle->kind](scratch, needle, to);
}

static int on_plain_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void *user)
{
    return on_hit(user, GT_SET_PLAIN, id, (size_t)to);
}

static int on_brand_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void *user)
{
    return on_hit(user, GT_SET_BRANDS, id, (size_t)to);
}

/* ---- a document ---- */

static void start_document(struct gt_scratch *scratch, const char *bytes, size_t len)
{
    const struct gt_ruleset *ruleset = scratch->ruleset;
    for (size_t i = 0; i < scratch->candidate_count; i++)
        scratch->seen[scratch->candidates[i].slot] = 0;
    for (size_t i = 0; i < scratch->touched_count; i++)
        scratch->states[scratch->touched[i]] = (struct gt_probe_state){0};
    scratch->touched_count = 0;
    if (ruleset->brands.count > 0)
        memset(scratch->mentions, 0, ruleset->brands.count * sizeof *scratch->mentions);
    gt_arena_reset(scratch->arena);
    scratch->candidates = NULL;
    scratch->candidate_count = scratch->candidate_capacity = 0;
    scratch->lead_count = scratch->lead_capacity = 0;
    scratch->leads = NULL;
    scratch->body = bytes;
    scratch->len = scratch->horizon = len;
    scratch->gave_up = scratch->out_of_memory = false;
    scratch->cut_rule = NULL;
    scratch->clock_ms = gt_monotonic();
    scratch->started_ms = scratch->began_ms ? scratch->began_ms : scratch->clock_ms;
}

static int scan_whole(struct gt_scratch *scratch, enum gt_needle_set set,
                      match_event_handler on_needle_hit, struct gt_error *err)
{
    const hs_database_t *database = scratch->ruleset->sets[set].database;
    if (!database || scratch->len == 0 || scratch->gave_up)
        return 0;
    hs_error_t rc = hs_scan(database, scratch->body, (unsigned)scratch->len, 0, scratch->hs,
                            on_needle_hit, scratch);
    return rc == HS_SUCCESS || rc == HS_SCAN_TERMINATED
               ? 0
               : gt_fail(err, GT_E_INVALID, "Vectorscan failed with code %d", rc);
}

/* ---- around runs ---- */

static int on_word_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                       void *user)
{
    struct gt_scratch *scratch = user;
    return on_hit(scratch, GT_SET_WORDS, id, scratch->window + (size_t)to);
}

static int on_run_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                      void *user)
{
    struct gt_scratch *scratch = user;
    return on_hit(scratch, GT_SET_RUNS, id, scratch->window + (size_t)to);
}

/* Windows go forward. Near ones become one, since each call of Vectorscan costs as much as some
 * hundred bytes. */
struct windows {
    enum gt_needle_set set;
    match_event_handler on_hit;
    struct gt_span next; /* not looked at yet; empty: none */
};

static hs_error_t look(struct gt_scratch *scratch, struct windows *windows)
{
    const hs_database_t *database = scratch->ruleset->sets[windows->set].database;
    struct gt_span span = windows->next;
    windows->next.start = windows->next.end;
    if (!database || span.start >= span.end)
        return HS_SUCCESS;
    scratch->window = span.start;
    return hs_scan(database, scratch->body + span.start, (unsigned)(span.end - span.start), 0,
                   scratch->hs, windows->on_hit, scratch);
}

static hs_error_t add_window(struct gt_scratch *scratch, struct windows *windows, size_t from,
                             size_t to)
{
    struct gt_span *next = &windows->next;
    if (next->start < next->end && from <= next->end + WINDOWS_APART) {
        next->end = to > next->end ? to : next->end;
        return HS_SUCCESS;
    }
    hs_error_t rc = look(scratch, windows);
    *next = (struct gt_span){from, to};
    return rc;
}

/* Words stand before a run and its value is the run's end, or a part of it; patterns hold one. */
static int scan_runs(struct gt_scratch *scratch, struct gt_error *err)
{
    const struct gt_ruleset *ruleset = scratch->ruleset;
    struct windows words = {.set = GT_SET_WORDS, .on_hit = on_word_hit};
    struct windows patterns = {.set = GT_SET_RUNS, .on_hit = on_run_hit};
    bool any = ruleset->sets[GT_SET_WORDS].database || ruleset->sets[GT_SET_RUNS].database;
    struct gt_span run = {0, 0};
    hs_error_t rc = HS_SUCCESS;
    while (any && rc == HS_SUCCESS && gt_run_next(scratch->body, scratch->len, run.end, &run)) {
        size_t end =
            scratch->len - run.end > GT_AROUND_RUN ? run.end + GT_AROUND_RUN : scratch->len;
        rc = add_window(scratch, &words, back(run.start, GT_AFTER_BYTES + GT_AFTER_WORD),
                        run.end - GT_RUN_MIN);
        if (rc == HS_SUCCESS)
            rc = add_window(scratch, &patterns, back(run.start, GT_AROUND_RUN), end);
    }
    if (rc == HS_SUCCESS)
        rc = look(scratch, &words);
    if (rc == HS_SUCCESS)
        rc = look(scratch, &patterns);
    return rc == HS_SUCCESS || rc == HS_SCAN_TERMINATED
               ? 0
               : gt_fail(err, GT_E_INVALID, "Vectorscan failed with code %d", rc);
}

static void scan_alone(struct gt_scratch *scratch)
{
    const struct gt_ruleset *ruleset = scratch->ruleset;
    for (uint32_t i = 0; ruleset->has_alone && i < ruleset->probe_count; i++)
        if (ruleset->probes[i].alone && scratch->len > 0)
            gt_confirm(scratch, i, 0, scratch->len - 1);
    if (ruleset->has_alone && scratch->gave_up)
        scratch->horizon = 0; /* what they would have found is not known anywhere */
}

int gt_scan(struct gt_scratch *scratch, const char *bytes, size_t len, struct gt_error *err)
{
    start_document(scratch, bytes, len);
    int rc = scan_whole(scratch, GT_SET_PLAIN, on_plain_hit, err);
    if (rc >= 0)
        rc = scan_whole(scratch, GT_SET_BRANDS, on_brand_hit, err);
    if (rc >= 0 && !scratch->gave_up)
        rc = scan_runs(scratch, err);
    if (rc >= 0 && !scratch->gave_up && scratch->ruleset->sets[GT_SET_FOLDED].database)
        rc = gt_scan_folded(scratch);
    if (rc < 0)
        return rc;
    scan_alone(scratch);
    if (!scratch->gave_up)
        gt_scan_pairs(scratch);
    return scratch->out_of_memory
               ? gt_fail(err, GT_E_LIMIT, "the document needs too much memory to be judged")
               : 0;
}
