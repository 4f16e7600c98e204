/* sarif: SARIF 2.1.0 (OASIS standard), one run. Results come first, so that they can be written as
 * they are found; members of a JSON object have no order. */
#include "cli/scan_formats/formats.h"

#include <string.h>

static const char *level(enum gt_severity severity)
{
    return severity >= GT_HIGH ? "error" : severity == GT_MEDIUM ? "warning" : "note";
}

static void append(json_t *array, json_t *take_value)
{
    json_array_append_new(array, take_value);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    gt_scan_put(gt_scan_put_object(object, key), "text", text ? text : "");
}

/* ---- results ---- */

static void percent_encode(struct gt_buffer *out, const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "/");
        gt_append_percent_encoded(out, path, len);
        path += len;
        if (*path == '/')
            gt_buffer_putc(out, *path++);
    }
}

static bool is_plain_uri(const char *text)
{
    if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
        return false;
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}%[]", *at))
            return false;
    return strlen(text) > 8;
}

/* A URI reference (RFC 3986): a path below where the scan began, or a file: or http: URI. */
static void put_artifact(json_t *physical, const struct gt_scan_origin *origin)
{
    GT_BUFFER_AUTO struct gt_buffer uri = GT_BUFFER((size_t)1024 * 1024);
    const char *path = origin->path;
    json_t *artifact = gt_scan_put_object(physical, "artifactLocation");
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    if (origin->url && is_plain_uri(origin->url))
        gt_buffer_puts(&uri, origin->url);
    else if (*path == '/')
        gt_buffer_puts(&uri, "file://");
    if (uri.len == 0 || uri.data[0] == 'f')
        percent_encode(&uri, path);
    gt_scan_put(artifact, "uri", uri.len > 0 ? uri.data : "-");
    if (*path != '/' && !origin->url)
        gt_scan_put(artifact, "uriBaseId", "%SRCROOT%");
}

static void put_region(json_t *physical, const struct gt_scan_found *found)
{
    const struct gt_finding *finding = found->finding;
    json_t *region = gt_scan_put_object(physical, "region");
    gt_scan_put_number(region, "startLine", finding->line > 0 ? finding->line : 1);
    if (found->character > 0) {
        gt_scan_put_number(region, "startColumn", found->character);
        gt_scan_put_number(region, "endLine", found->end_line);
        gt_scan_put_number(region, "endColumn", found->end_character);
    } else if (finding->column > 0) {
        gt_scan_put_number(region, "startColumn", finding->column);
    }
    if (finding->context)
        put_text(region, "snippet", finding->context);
}

static void put_properties(json_t *result, const struct gt_scan_found *found)
{
    const struct gt_finding *finding = found->finding;
    const struct gt_scan_origin *origin = found->origin;
    json_t *properties = gt_scan_put_object(result, "properties");
    gt_scan_put(properties, "severity", gt_severity_name(finding->severity));
    gt_scan_put(properties, "confidence", gt_confidence_name(finding->confidence));
    gt_scan_put_number(properties, "score", (uint64_t)finding->score);
    gt_scan_put(properties, "path", origin->path);
    const struct {
        const char *key, *value;
    } given[] = {
        {"provider", finding->provider},
        {"category", finding->category},
        {"brand", finding->brand},
        {"decodedVia", finding->decoded_via},
        {"commit", origin->commit},
        {"author", origin->author},
        {"email", origin->email},
        {"date", origin->date},
        {"subject", origin->subject},
        {"source", origin->source},
        {"url", origin->url},
        {"remediation", finding->remediation},
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        gt_scan_put_given(properties, given[i].key, given[i].value);
}

static void put_message(json_t *result, const struct gt_scan_settings *settings,
                        const struct gt_scan_found *found)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER((size_t)1024 * 1024);
    struct gt_str secret = gt_scan_shown(settings, found);
    gt_buffer_printf(&text, "%s (%s): ", found->finding->title,
                     gt_confidence_name(found->finding->confidence));
    gt_utf8_append_clean(&text, secret.ptr, secret.len);
    if (found->finding->decoded_via)
        gt_buffer_printf(&text, ", decoded via %s", found->finding->decoded_via);
    put_text(result, "message", text.data);
}

static void print_result(const struct gt_scan_settings *settings, const struct gt_scan_found *found,
                         struct gt_buffer *out)
{
    GT_JSON_AUTO json_t *result = json_object();
    json_t *locations = json_array(), *location = json_object();
    gt_scan_put(result, "ruleId", found->finding->rule);
    gt_scan_put(result, "level", level(found->finding->severity));
    put_message(result, settings, found);
    json_object_set_new(result, "locations", locations);
    append(locations, location);
    json_t *physical = gt_scan_put_object(location, "physicalLocation");
    put_artifact(physical, found->origin);
    put_region(physical, found);
    gt_scan_put(gt_scan_put_object(result, "partialFingerprints"), "guetteFingerprint/v1",
                found->finding->fingerprint);
    put_properties(result, found);
    gt_json_append(result, out);
}

/* ---- the run ---- */

static void begin(const struct gt_scan_report *report, struct gt_buffer *out)
{
    gt_buffer_puts(out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
                        "\"version\":\"2.1.0\",\"runs\":[{\"results\":[\n");
}

static const char *reference_of(const struct gt_ruleset *ruleset, const char *rule)
{
    struct gt_rule_info info;
    for (size_t i = 0; gt_ruleset_info(ruleset, i, &info) == 0; i++)
        if (strcmp(info.id, rule) == 0)
            return info.reference;
    return NULL;
}

/* What code hosts sort by: a CVSS-like number. */
static const char *const scores[] = {"1.0", "3.0", "5.5", "8.0", "9.5"};

static json_t *rule_object(const struct gt_scan_report *report, const struct gt_scan_tallied *row)
{
    json_t *rule = json_object(), *tags = json_array();
    const char *reference = reference_of(report->settings->ruleset, row->rule);
    gt_scan_put(rule, "id", row->rule);
    gt_scan_put(rule, "name", row->title);
    put_text(rule, "shortDescription", row->title);
    put_text(rule, "fullDescription", row->title);
    put_text(rule, "help", row->remediation ? row->remediation : row->title);
    if (reference && is_plain_uri(reference))
        gt_scan_put(rule, "helpUri", reference);
    gt_scan_put(gt_scan_put_object(rule, "defaultConfiguration"), "level", level(row->severity));
    json_t *properties = gt_scan_put_object(rule, "properties");
    json_object_set_new(properties, "tags", tags);
    append(tags, json_string("security"));
    append(tags, gt_json_text_c(row->category));
    gt_scan_put_given(properties, "provider", row->provider);
    gt_scan_put(properties, "security-severity", scores[row->severity]);
    return rule;
}

static void put_tool(json_t *run, const struct gt_scan_report *report)
{
    json_t *driver = gt_scan_put_object(gt_scan_put_object(run, "tool"), "driver");
    json_t *rules = json_array();
    gt_scan_put(driver, "name", "guette");
    gt_scan_put(driver, "semanticVersion", gt_version());
    gt_scan_put(driver, "language", report->settings->lang == GT_FRENCH ? "fr" : "en");
    json_object_set_new(driver, "rules", rules);
    for (size_t i = 0; i < report->tally.count; i++)
        append(rules, rule_object(report, &report->tally.items[i]));
}

static void put_invocation(json_t *run, const struct gt_scan_report *report)
{
    json_t *invocations = json_array(), *invocation = json_object();
    char time[GT_TIME_TEXT];
    json_object_set_new(run, "invocations", invocations);
    append(invocations, invocation);
    json_object_set_new(invocation, "executionSuccessful", json_boolean(gt_scan_complete(report)));
    gt_scan_put(invocation, "startTimeUtc", gt_time_format(report->started_ms, time));
    gt_scan_put(invocation, "endTimeUtc", gt_time_format(report->ended_ms, time));
}

static void put_provenance(json_t *run, const struct gt_scan_settings *settings)
{
    if (!settings->repository)
        return;
    json_t *sources = json_array(), *source = json_object();
    json_object_set_new(run, "versionControlProvenance", sources);
    append(sources, source);
    gt_scan_put(source, "repositoryUri", settings->repository);
    gt_scan_put_given(source, "revisionId", settings->revision);
}

static void end(const struct gt_scan_report *report, struct gt_buffer *out)
{
    GT_JSON_AUTO json_t *run = json_object();
    put_tool(run, report);
    put_invocation(run, report);
    put_provenance(run, report->settings);
    gt_scan_put(run, "columnKind", "unicodeCodePoints");
    put_text(gt_scan_put_object(gt_scan_put_object(run, "originalUriBaseIds"), "%SRCROOT%"),
             "description", "the folder in which the scan was started");
    json_object_set_new(gt_scan_put_object(run, "properties"), "summary", gt_scan_summary(report));
    gt_buffer_puts(out, "\n],");
    size_t at = out->len;
    gt_json_append(run, out);
    if (gt_buffer_ok(out)) /* its members go on in the object that `begin` opened */
        memmove(out->data + at, out->data + at + 1, out->len-- - at);
    gt_buffer_puts(out, "]}\n");
}

const struct gt_scan_format gt_scan_format_sarif = {
    .name = "sarif", .separator = ",\n", .begin = begin, .finding = print_result, .end = end};
