/* html: one self-contained page to hand on: counts, then every finding, with its filters. It works
 * without its script and loads nothing. Whatever comes from a document is escaped, and should that
 * ever fail, the page's policy runs no script but its own (CSP Level 3, nonces). */
#include "cli/scan_formats/formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

extern const struct gt_embedded gt_scan_page[];

enum word {
    W_TITLE,
    W_SCANNED,
    W_FILES,
    W_FINDINGS,
    W_RULES,
    W_PROVIDERS,
    W_RULE,
    W_PROVIDER,
    W_COUNT,
    W_NONE,
    W_TO_DO,
    W_SEARCH,
    W_ALL_RULES,
    W_ALL_PROVIDERS,
    W_ALL_CONFIDENCES,
    W_INTERRUPTED,
    W_FAILED,
    W_NOT_TOLD,
    W_PLAIN,
    W_REDACTED,
    W_BY,
    W_OTHER,
    W_COMMIT,
    W_DECODED,
    WORDS,
};

static const char *const words[WORDS][2] = {
    [W_TITLE] = {"Credentials found", "Identifiants trouvés"},
    [W_SCANNED] = {"Scanned on", "Analyse du"},
    [W_FILES] = {"files", "fichiers"},
    [W_FINDINGS] = {"Findings", "Résultats"},
    [W_RULES] = {"By type", "Par type"},
    [W_PROVIDERS] = {"By provider", "Par fournisseur"},
    [W_RULE] = {"Type", "Type"},
    [W_PROVIDER] = {"Provider", "Fournisseur"},
    [W_COUNT] = {"Findings", "Résultats"},
    [W_NONE] = {"Nothing was found.", "Rien n'a été trouvé."},
    [W_TO_DO] = {"What to do:", "Que faire :"},
    [W_SEARCH] = {"Search paths, types, contexts", "Chercher chemins, types, contextes"},
    [W_ALL_RULES] = {"All types", "Tous les types"},
    [W_ALL_PROVIDERS] = {"All providers", "Tous les fournisseurs"},
    [W_ALL_CONFIDENCES] = {"Any confidence", "Toute confiance"},
    [W_INTERRUPTED] = {"The scan was interrupted: not everything was looked through.",
                       "L'analyse a été interrompue : tout n'a pas été examiné."},
    [W_FAILED] = {"files could not be read in full; what they hold is missing here.",
                  "fichiers n'ont pas pu être lus en entier ; leur contenu manque ici."},
    [W_NOT_TOLD] = {"findings are not shown: in the baseline, ignored or filtered.",
                    "résultats ne sont pas montrés : déjà connus, ignorés ou filtrés."},
    [W_PLAIN] = {"This page shows secrets in full: treat it as one.",
                 "Cette page montre les secrets en clair : traitez-la comme telle."},
    [W_REDACTED] = {"Secrets are redacted.", "Les secrets sont masqués."},
    [W_BY] = {"Written by", "Écrit par"},
    [W_OTHER] = {"none", "aucun"},
    [W_COMMIT] = {"Commit", "Commit"},
    [W_DECODED] = {"Decoded via", "Décodé via"},
};
static const char *const severities[][2] = {{"info", "information"},
                                            {"low", "faible"},
                                            {"medium", "moyenne"},
                                            {"high", "élevée"},
                                            {"critical", "critique"}};
static const char *const confidences[][2] = {
    {"possible", "possible"}, {"likely", "probable"}, {"certain", "certaine"}};

static unsigned lang_of(const struct gt_scan_settings *settings)
{
    return settings->lang == GT_FRENCH ? 1 : 0;
}

static const char *say(const struct gt_scan_settings *settings, enum word word)
{
    return words[word][lang_of(settings)];
}

/* ---- escaping ---- */

static void put_bytes(struct gt_buffer *out, struct gt_str text)
{
    static const char special[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    while (text.len > 0) {
        size_t len = 0;
        while (len < text.len && !memchr(special, text.ptr[len], sizeof special - 1))
            len++;
        gt_utf8_append_clean(out, text.ptr, len);
        if (len < text.len)
            gt_buffer_puts(out, entities[strchr(special, text.ptr[len++]) - special]);
        text = (struct gt_str){text.ptr + len, text.len - len};
    }
}

static void put(struct gt_buffer *out, const char *text)
{
    put_bytes(out, gt_str_of(text));
}

/* <tag class="...">text</tag>; both names are ours. */
static void put_in(struct gt_buffer *out, const char *tag, const char *class, const char *text)
{
    gt_buffer_printf(out, "<%s", tag);
    if (class)
        gt_buffer_printf(out, " class=\"%s\"", class);
    gt_buffer_putc(out, '>');
    put(out, text);
    gt_buffer_printf(out, "</%s>", tag);
}

static void put_attribute(struct gt_buffer *out, const char *name, const char *value)
{
    gt_buffer_printf(out, " %s=\"", name);
    put(out, value ? value : "");
    gt_buffer_putc(out, '"');
}

/* ---- a finding ---- */

static void put_where(struct gt_buffer *out, const struct gt_scan_found *found)
{
    gt_buffer_puts(out, "<p class=\"where\">");
    put(out, found->origin->path);
    gt_buffer_printf(out, "<span>:%u:%u</span></p>\n", found->finding->line,
                     found->finding->column);
}

static void put_more(struct gt_buffer *out, const char *name, const char *value)
{
    if (!value)
        return;
    gt_buffer_puts(out, "<p class=\"more\">");
    put(out, name);
    gt_buffer_putc(out, ' ');
    put(out, value);
    gt_buffer_puts(out, "</p>\n");
}

static void put_commit(struct gt_buffer *out, const struct gt_scan_settings *settings,
                       const struct gt_scan_origin *origin)
{
    const char *const parts[] = {origin->date, origin->author, origin->email, origin->subject};
    if (!origin->commit)
        return;
    gt_buffer_printf(out, "<p class=\"more\">%s <code>", say(settings, W_COMMIT));
    put_bytes(out, (struct gt_str){origin->commit, strnlen(origin->commit, 12)});
    gt_buffer_puts(out, "</code>");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        gt_buffer_puts(out, parts[i] ? " · " : "");
        put(out, parts[i]);
    }
    gt_buffer_puts(out, "</p>\n");
}

static void put_head_line(struct gt_buffer *out, const struct gt_scan_settings *settings,
                          const struct gt_finding *finding)
{
    unsigned lang = lang_of(settings);
    gt_buffer_puts(out, "<h3>");
    put_in(out, "span", "badge", severities[finding->severity][lang]);
    gt_buffer_putc(out, ' ');
    put(out, finding->title);
    gt_buffer_puts(out, " <span class=\"sure\">");
    put(out, finding->rule);
    gt_buffer_puts(out, " · ");
    put(out, confidences[finding->confidence][lang]);
    if (finding->brand) {
        gt_buffer_puts(out, " · ");
        put(out, finding->brand);
    }
    gt_buffer_puts(out, "</span></h3>\n");
}

static void print_finding(const struct gt_scan_settings *settings,
                          const struct gt_scan_found *found, struct gt_buffer *out)
{
    const struct gt_finding *finding = found->finding;
    const char *severity = gt_severity_name(finding->severity);
    gt_buffer_printf(out, "<article class=\"%s\"", severity);
    put_attribute(out, "data-s", severity);
    put_attribute(out, "data-c", gt_confidence_name(finding->confidence));
    put_attribute(out, "data-r", finding->rule);
    put_attribute(out, "data-p", finding->provider ? finding->provider : "-");
    gt_buffer_puts(out, ">\n");
    put_head_line(out, settings, finding);
    put_where(out, found);
    put_more(out, say(settings, W_DECODED), finding->decoded_via);
    put_commit(out, settings, found->origin);
    put_more(out, "URL", found->origin->url);
    gt_buffer_puts(out, "<p class=\"secret\"><code>");
    put_bytes(out, gt_scan_shown(settings, found));
    gt_buffer_puts(out, "</code></p>\n");
    if (finding->context)
        put_in(out, "pre", NULL, finding->context);
    if (finding->remediation) {
        gt_buffer_printf(out, "\n<p class=\"do\"><b>%s</b> ", say(settings, W_TO_DO));
        put(out, finding->remediation);
        gt_buffer_puts(out, "</p>");
    }
    gt_buffer_puts(out, "\n</article>\n");
}

/* ---- the page ---- */

static const char *embedded(const char *name)
{
    for (const struct gt_embedded *file = gt_scan_page; file->name; file++)
        if (strcmp(file->name, name) == 0)
            return (const char *)file->bytes;
    return "";
}

static void make_nonce(char nonce[33])
{
    unsigned char bytes[16] = {0};
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)gt_random(256);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

static void put_head(struct gt_buffer *out, const struct gt_scan_settings *settings,
                     const char *nonce)
{
    gt_buffer_printf(
        out,
        "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; script-src 'nonce-%s'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"robots\" content=\"noindex\">\n<title>guette: %s</title>\n<style>\n%s"
        "</style>\n</head>\n<body>\n<div class=\"wrap\">\n",
        settings->lang == GT_FRENCH ? "fr" : "en", nonce, say(settings, W_TITLE),
        embedded("page.css"));
}

static void put_warning(struct gt_buffer *out, uint64_t count, const char *text)
{
    gt_buffer_puts(out, "<p class=\"warn\">");
    if (count > 0)
        gt_buffer_printf(out, "%" PRIu64 " ", count);
    put(out, text);
    gt_buffer_puts(out, "</p>\n");
}

static void put_warnings(struct gt_buffer *out, const struct gt_scan_report *report)
{
    const struct gt_scan_settings *settings = report->settings;
    const struct gt_scan_counts *counts = &report->counts;
    uint64_t hidden = counts->filtered + counts->known + counts->ignored;
    if (report->interrupted)
        put_warning(out, 0, say(settings, W_INTERRUPTED));
    if (counts->failed > 0)
        put_warning(out, counts->failed, say(settings, W_FAILED));
    if (hidden > 0)
        put_warning(out, hidden, say(settings, W_NOT_TOLD));
    if (settings->show_secrets)
        put_warning(out, 0, say(settings, W_PLAIN));
}

static void put_title(struct gt_buffer *out, const struct gt_scan_report *report)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    const struct gt_scan_settings *settings = report->settings;
    const char *size = arena ? gt_format_size(arena, report->counts.bytes) : NULL;
    char time[GT_TIME_TEXT];
    gt_time_format(report->started_ms - report->started_ms % GT_SECOND, time);
    gt_buffer_printf(out,
                     "<header>\n<h1>%s</h1>\n<p class=\"meta\">%s <b>%.10s %.5s UTC</b> · "
                     "<b>%" PRIu64 "</b> %s · <b>%s</b>%s%s</p>\n",
                     say(settings, W_TITLE), say(settings, W_SCANNED), time, time + 11,
                     report->counts.files, say(settings, W_FILES), size ? size : "?",
                     settings->show_secrets ? "" : " · ",
                     settings->show_secrets ? "" : say(settings, W_REDACTED));
    put_warnings(out, report);
    gt_buffer_puts(out, "</header>\n<ul class=\"tiles\">\n");
    for (int i = GT_CRITICAL; i >= 0; i--)
        gt_buffer_printf(out, "<li class=\"%s%s\"><b>%" PRIu64 "</b><span>%s</span></li>\n",
                         gt_severity_names[i], report->counts.by_severity[i] ? "" : " none",
                         report->counts.by_severity[i], severities[i][lang_of(settings)]);
    gt_buffer_puts(out, "</ul>\n");
}

/* ---- tables ---- */

/* The gravest first, then the most frequent. */
static int by_weight(const void *a, const void *b)
{
    const struct gt_scan_tallied *x = a, *y = b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->rule, y->rule);
}

/* Providers as if they were rules: their names stand in `rule`. */
static void sum_providers(const struct gt_scan_tally *tally, const char *none,
                          struct gt_scan_tally *ret)
{
    for (size_t i = 0; i < tally->count; i++) {
        struct gt_scan_tallied row = tally->items[i];
        row.rule = row.provider ? row.provider : none;
        gt_scan_tally_add(ret, &row);
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof *ret->items, by_weight);
}

static void put_bar(struct gt_buffer *out, uint64_t count, uint64_t of)
{
    gt_buffer_printf(out,
                     "<td class=\"n\">%" PRIu64 "<span class=\"bar\" style=\"width:%" PRIu64
                     "%%\"></span></td></tr>\n",
                     count, of > 0 ? 100 * count / of : 0);
}

static void put_table(struct gt_buffer *out, const struct gt_scan_settings *settings,
                      const struct gt_scan_tally *rows, enum word heading, bool rules)
{
    uint64_t most = 0;
    for (size_t i = 0; i < rows->count; i++)
        most = rows->items[i].count > most ? rows->items[i].count : most;
    gt_buffer_printf(out,
                     "<div class=\"card\"><table>\n<thead><tr><th>%s</th><th class=\"n\">%s</th>"
                     "</tr></thead>\n<tbody>\n",
                     say(settings, heading), say(settings, W_COUNT));
    for (size_t i = 0; i < rows->count; i++) {
        const struct gt_scan_tallied *row = &rows->items[i];
        gt_buffer_printf(out, "<tr class=\"%s\"><td><span class=\"dot\"></span>",
                         gt_severity_name(row->severity));
        put(out, rules ? row->title : row->rule);
        if (rules)
            put_in(out, "small", NULL, row->rule);
        gt_buffer_puts(out, "</td>");
        put_bar(out, row->count, most);
    }
    gt_buffer_puts(out, "</tbody></table></div>\n");
}

/* ---- filters ---- */

static void put_choice(struct gt_buffer *out, const char *value, const char *text)
{
    gt_buffer_puts(out, "<option");
    put_attribute(out, "value", value);
    gt_buffer_putc(out, '>');
    put(out, text);
    gt_buffer_puts(out, "</option>");
}

static void put_select(struct gt_buffer *out, char name, const char *all,
                       const struct gt_scan_tally *rows, bool rules, const char *none)
{
    gt_buffer_printf(out, "<select name=\"%c\"", name);
    put_attribute(out, "aria-label", all);
    gt_buffer_putc(out, '>');
    put_choice(out, "", all);
    for (size_t i = 0; i < rows->count; i++) {
        const char *value = rows->items[i].rule;
        put_choice(out, value == none ? "-" : value, rules ? rows->items[i].title : value);
    }
    gt_buffer_puts(out, "</select>\n");
}

static void put_confidences(struct gt_buffer *out, const struct gt_scan_settings *settings)
{
    gt_buffer_puts(out, "<select name=\"c\"");
    put_attribute(out, "aria-label", say(settings, W_ALL_CONFIDENCES));
    gt_buffer_putc(out, '>');
    put_choice(out, "", say(settings, W_ALL_CONFIDENCES));
    for (int i = GT_CERTAIN; i >= 0; i--)
        put_choice(out, gt_confidence_names[i], confidences[i][lang_of(settings)]);
    gt_buffer_puts(out, "</select>\n");
}

/* Hidden until the script can serve it. */
static void put_filters(struct gt_buffer *out, const struct gt_scan_report *report,
                        const struct gt_scan_tally *rules, const struct gt_scan_tally *providers)
{
    const struct gt_scan_settings *settings = report->settings;
    gt_buffer_printf(out,
                     "<form id=\"filter\" hidden>\n<input type=\"search\" name=\"q\" "
                     "placeholder=\"%s\" aria-label=\"%s\">\n",
                     say(settings, W_SEARCH), say(settings, W_SEARCH));
    for (int i = GT_CRITICAL; i >= 0; i--)
        if (report->counts.by_severity[i] > 0)
            gt_buffer_printf(out,
                             "<label class=\"%s\"><input type=\"checkbox\" name=\"s\" value=\"%s\" "
                             "checked> %s</label>\n",
                             gt_severity_names[i], gt_severity_names[i],
                             severities[i][lang_of(settings)]);
    put_select(out, 'r', say(settings, W_ALL_RULES), rules, true, NULL);
    put_select(out, 'p', say(settings, W_ALL_PROVIDERS), providers, false, say(settings, W_OTHER));
    put_confidences(out, settings);
    gt_buffer_puts(out, "<span id=\"shown\"></span>\n</form>\n");
}

static void put_findings(struct gt_buffer *out, const struct gt_scan_report *report)
{
    const struct gt_scan_settings *settings = report->settings;
    struct gt_scan_tally rules = {0}, providers = {0};
    gt_scan_tally_merge(&rules, &report->tally);
    if (rules.count > 1)
        qsort(rules.items, rules.count, sizeof *rules.items, by_weight);
    sum_providers(&report->tally, say(settings, W_OTHER), &providers);
    gt_buffer_printf(out, "<div class=\"two\">\n<section><h2>%s</h2>\n", say(settings, W_RULES));
    put_table(out, settings, &rules, W_RULE, true);
    gt_buffer_printf(out, "</section>\n<section><h2>%s</h2>\n", say(settings, W_PROVIDERS));
    put_table(out, settings, &providers, W_PROVIDER, false);
    gt_buffer_printf(out, "</section>\n</div>\n<h2>%s</h2>\n", say(settings, W_FINDINGS));
    put_filters(out, report, &rules, &providers);
    gt_buffer_puts(out, "<div class=\"list\">\n");
    gt_buffer_append(out, report->body.data, report->body.len);
    gt_buffer_puts(out, "</div>\n");
    gt_scan_tally_free(&rules);
    gt_scan_tally_free(&providers);
}

static void end(const struct gt_scan_report *report, struct gt_buffer *out)
{
    char nonce[33];
    make_nonce(nonce);
    put_head(out, report->settings, nonce);
    put_title(out, report);
    if (report->counts.findings > 0)
        put_findings(out, report);
    else
        put_in(out, "p", NULL, say(report->settings, W_NONE));
    gt_buffer_printf(out,
                     "<footer>%s guette %s</footer>\n</div>\n<script nonce=\"%s\">\n%s</script>\n"
                     "</body>\n</html>\n",
                     say(report->settings, W_BY), gt_version(), nonce, embedded("page.js"));
}

const struct gt_scan_format gt_scan_format_html = {
    .name = "html", .page = true, .finding = print_finding, .end = end};
