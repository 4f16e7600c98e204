#include "matchers/scoring.h"

#include <string.h>

#define REASONS_MAX 40

/* The rule's severity gives the middle of its level (model/severity.h). What speaks for or against
 * moves it: all that speaks for it together stays within the level, a doubtful form alone takes it
 * one level down.
 *
 *   form or check says certain   +5      brand on the same line      +4
 *   form or check says likely     0      brand within 512 bytes      +2
 *   form or check says possible -20      brand elsewhere              0
 *   what it says of itself: expired  -20   source is the brand's own   +4 (instead) */
static const int confidence_points[] = {[GT_POSSIBLE] = -20, [GT_LIKELY] = 0, [GT_CERTAIN] = 5};
static const int nearness_points[] = {[GT_NEAR_NOT] = 0,
                                      [GT_NEAR_TITLE] = 0,
                                      [GT_NEAR_DOCUMENT] = 0,
                                      [GT_NEAR_LINES] = 2,
                                      [GT_NEAR_LINE] = 4};
#define OWNED_POINTS 4
#define EXPIRED_POINTS (-20)

typedef const char *const phrase[2]; /* by enum gt_lang; each with one %s */

static phrase form_phrases[] = {
    [GT_POSSIBLE] = {"its form is that of many harmless texts, too (%s)",
                     "d'autres textes anodins ont aussi cette forme (%s)"},
    [GT_LIKELY] = {"it has the form of this credential (%s)",
                   "il a la forme de cet identifiant (%s)"},
    [GT_CERTAIN] = {"nothing else has this form (%s)", "rien d'autre n'a cette forme (%s)"},
};
static phrase after_phrases[] = {
    [GT_AFTER_NEAR] = {"%s is named before it, though not as its name",
                       "%s est nommé avant, mais pas comme son nom"},
    [GT_AFTER_ASSIGNED] = {"it is the value of a name that holds %s, and has the form of it",
                           "c'est la valeur d'un nom qui contient %s, et elle en a la forme"},
};
static phrase pair_phrase = {"it stands beside what it belongs to (%s)",
                             "il se trouve à côté de ce qui va avec (%s)"};
static phrase passed_phrase = {"it passes the check %s", "il passe le contrôle %s"};
static phrase failed_phrase = {"it fails the check %s: altered, mistyped or an example",
                               "il échoue au contrôle %s : modifié, mal recopié ou un exemple"};
static phrase detail_phrase = {"what it tells of itself: %s", "ce qu'il dit de lui-même : %s"};
static phrase expired_phrase = {"it has expired%s", "il a expiré%s"};
static phrase nearness_phrases[] = {
    [GT_NEAR_TITLE] = {"the title or author names %s", "le titre ou l'auteur nomme %s"},
    [GT_NEAR_DOCUMENT] = {"the same document names %s", "le même document nomme %s"},
    [GT_NEAR_LINES] = {"%s is named a few lines away", "%s est nommé à quelques lignes"},
    [GT_NEAR_LINE] = {"%s is named on the same line", "%s est nommé sur la même ligne"},
};
static phrase owned_phrase = {"it was found in a source of %s's own",
                              "il a été trouvé dans une source propre à %s"};
static phrase trace_phrases[] = {
    [GT_TERM_DOMAIN] = {"the domain %s is named; no credential was found beside it",
                        "le domaine %s est nommé ; aucun identifiant n'a été trouvé à côté"},
    [GT_TERM_KEYWORD] = {"the keyword %s is named; no credential was found beside it",
                         "le mot-clé %s est nommé ; aucun identifiant n'a été trouvé à côté"},
    [GT_TERM_PATTERN] = {"the pattern %s matches; no credential was found beside it",
                         "le motif %s correspond ; aucun identifiant n'a été trouvé à côté"},
};

struct reasons {
    struct gt_arena *arena;
    enum gt_lang lang;
    const char **items;
    size_t count;
};

static void add(struct reasons *reasons, phrase words, const char *what)
{
    /* The phrases are ours; the compiler cannot see that through a table. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const char *text = gt_arena_printf(reasons->arena, words[reasons->lang], what);
#pragma GCC diagnostic pop
    if (text && reasons->count < REASONS_MAX)
        reasons->items[reasons->count++] = text;
}

static void add_checks(struct reasons *reasons, const struct gt_candidate *candidate)
{
    const struct gt_list *checks = &candidate->rule->checks;
    for (size_t i = 0; i < checks->count && i < 32; i++) {
        const char *name = GT_RULE_STRING(*checks, i);
        if (candidate->passed & 1u << i)
            add(reasons, passed_phrase, name);
        if (candidate->failed & 1u << i)
            add(reasons, failed_phrase, name);
    }
}

/* What each check reads in it, once. Returns points. */
static int add_details(const struct gt_evidence *evidence, struct reasons *reasons)
{
    const struct gt_rule *rule = evidence->candidate->rule;
    const struct gt_list *lists[] = {&rule->checks, &rule->required_checks};
    int64_t expires_ms = 0;
    const char *last = "";
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < lists[i]->count; j++) {
            const struct gt_check *check = gt_check_find(GT_RULE_STRING(*lists[i], j));
            struct gt_detail detail = {0};
            if (!check->describe || strcmp(check->name, last) == 0)
                continue;
            last = check->name;
            check->describe(evidence->secret.ptr, evidence->secret.len, reasons->lang, &detail);
            if (detail.words[0])
                add(reasons, detail_phrase, detail.words);
            expires_ms = detail.expires_ms ? detail.expires_ms : expires_ms;
        }
    bool expired = expires_ms > 0 && evidence->now_ms > expires_ms;
    if (expired)
        add(reasons, expired_phrase, "");
    return expired ? EXPIRED_POINTS : 0;
}

static int score_candidate(const struct gt_evidence *evidence, struct reasons *reasons)
{
    const struct gt_candidate *candidate = evidence->candidate;
    const struct gt_rule *rule = candidate->rule;
    if (candidate->after == GT_AFTER_NOT)
        add(reasons, form_phrases[rule->confidence], gt_words_in(&rule->name, reasons->lang));
    else
        add(reasons, after_phrases[candidate->after], rule->provider);
    if (rule->pair_rule)
        add(reasons, pair_phrase, gt_words_in(&rule->pair_rule->name, reasons->lang));
    add_checks(reasons, candidate);
    int score = gt_severity_score((enum gt_severity)rule->severity) +
                confidence_points[candidate->confidence] + add_details(evidence, reasons);
    if (evidence->nearness != GT_NEAR_NOT && evidence->term)
        add(reasons, nearness_phrases[evidence->nearness], evidence->term->text);
    if (evidence->owned && evidence->brand)
        add(reasons, owned_phrase, evidence->brand);
    return score + (evidence->owned ? OWNED_POINTS : nearness_points[evidence->nearness]);
}

static int score_trace(const struct gt_evidence *evidence, struct reasons *reasons)
{
    add(reasons, trace_phrases[evidence->term->kind], evidence->term->text);
    if (evidence->nearness == GT_NEAR_TITLE)
        add(reasons, nearness_phrases[GT_NEAR_TITLE], evidence->brand);
    return gt_severity_score((enum gt_severity)evidence->term->severity);
}

int gt_score(const struct gt_evidence *evidence, enum gt_lang lang, struct gt_arena *arena,
             struct gt_score *ret_score)
{
    struct reasons reasons = {.arena = arena, .lang = lang == GT_FRENCH ? GT_FRENCH : GT_ENGLISH};
    reasons.items = gt_arena_array(arena, REASONS_MAX, sizeof *reasons.items);
    if (!reasons.items)
        return GT_E_LIMIT;
    int score =
        evidence->candidate ? score_candidate(evidence, &reasons) : score_trace(evidence, &reasons);
    score = score < 0 ? 0 : score > 100 ? 100 : score;
    *ret_score =
        (struct gt_score){score, gt_severity_of_score(score), {reasons.items, reasons.count}};
    return 0;
}
