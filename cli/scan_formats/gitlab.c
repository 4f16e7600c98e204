/* gitlab: "Report format for GitLab Secret Detection", version 15 (gitlab.com:
 * gitlab-org/security-products/security-report-schemas), for artifacts:reports:secret_detection. */
#include "cli/scan_formats/formats.h"

#include <ctype.h>
#include <string.h>

#define SCHEMA_VERSION "15.0.2"
#define NAME_MAX_BYTES 255 /* the schema's limits */
#define SOLUTION_MAX 7000
#define NO_COMMIT "0000000" /* a commit is required, also of files outside of any */

static void begin(const struct gt_scan_report *report, struct gt_buffer *out)
{
    gt_buffer_puts(out, "{\"version\":\"" SCHEMA_VERSION "\",\"vulnerabilities\":[\n");
}

static void put_cut(json_t *object, const char *key, const char *text, size_t most)
{
    if (text)
        json_object_set_new(object, key, gt_json_text(text, strnlen(text, most)));
}

/* The same finding has the same one in the next report. */
static void put_id(json_t *object, const struct gt_scan_found *found)
{
    const struct gt_part parts[] = {gt_part(found->finding->rule),
                                    gt_part(found->finding->fingerprint),
                                    gt_part(found->origin->path), gt_part(found->origin->commit)};
    char id[GT_ID_TEXT], uuid[40];
    gt_id_make("gitlab", parts, sizeof parts / sizeof *parts, id);
    snprintf(uuid, sizeof uuid, "%.8s-%.4s-8%.3s-8%.3s-%.12s", id, id + 8, id + 13, id + 17,
             id + 20); /* RFC 9562, version 8 */
    gt_scan_put(object, "id", uuid);
}

static void put_severity(json_t *object, enum gt_severity severity)
{
    char name[16];
    snprintf(name, sizeof name, "%s", gt_severity_name(severity));
    name[0] = (char)toupper((unsigned char)name[0]);
    gt_scan_put(object, "severity", name);
}

static void put_location(json_t *object, const struct gt_scan_found *found)
{
    const struct gt_scan_origin *origin = found->origin;
    const char *path = origin->path;
    json_t *location = gt_scan_put_object(object, "location");
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    gt_scan_put(location, "file", path);
    gt_scan_put_number(location, "start_line", found->finding->line);
    gt_scan_put_number(location, "end_line",
                       found->end_line > 0 ? found->end_line : found->finding->line);
    json_t *commit = gt_scan_put_object(location, "commit");
    gt_scan_put(commit, "sha", origin->commit ? origin->commit : NO_COMMIT);
    gt_scan_put_given(commit, "author", origin->author);
    gt_scan_put_given(commit, "date", origin->date);
    gt_scan_put_given(commit, "message", origin->subject);
}

static void put_identifier(json_t *object, const struct gt_finding *finding)
{
    json_t *identifiers = json_array(), *identifier = json_object();
    json_object_set_new(object, "identifiers", identifiers);
    json_array_append_new(identifiers, identifier);
    gt_scan_put(identifier, "type", "guette_rule_id");
    gt_scan_put(identifier, "name", finding->title);
    gt_scan_put(identifier, "value", finding->rule);
}

static void put_detail(json_t *details, const char *key, const char *name, const char *value)
{
    if (!value)
        return;
    json_t *detail = gt_scan_put_object(details, key);
    gt_scan_put(detail, "name", name);
    gt_scan_put(detail, "type", "text");
    gt_scan_put(detail, "value", value);
}

static void put_details(json_t *object, const struct gt_scan_found *found)
{
    json_t *details = gt_scan_put_object(object, "details");
    put_detail(details, "fingerprint", "Fingerprint", found->finding->fingerprint);
    put_detail(details, "confidence", "Confidence", gt_confidence_name(found->finding->confidence));
    put_detail(details, "decoded_via", "Decoded via", found->finding->decoded_via);
    put_detail(details, "context", "Context", found->finding->context);
    put_detail(details, "url", "URL", found->origin->url);
}

static void print_finding(const struct gt_scan_settings *settings,
                          const struct gt_scan_found *found, struct gt_buffer *out)
{
    const struct gt_finding *finding = found->finding;
    struct gt_str secret = gt_scan_shown(settings, found);
    GT_JSON_AUTO json_t *object = json_object();
    put_id(object, found);
    gt_scan_put(object, "category", "secret_detection");
    put_cut(object, "name", finding->title, NAME_MAX_BYTES);
    gt_scan_put(object, "description", finding->title);
    put_severity(object, finding->severity);
    put_cut(object, "solution", finding->remediation, SOLUTION_MAX);
    json_object_set_new(object, "raw_source_code_extract", gt_json_text(secret.ptr, secret.len));
    put_location(object, found);
    put_identifier(object, finding);
    put_details(object, found);
    gt_json_append(object, out);
}

static void put_program(json_t *scan, const char *key)
{
    json_t *program = gt_scan_put_object(scan, key);
    gt_scan_put(program, "id", "guette");
    gt_scan_put(program, "name", "guette");
    gt_scan_put(program, "version", gt_version());
    gt_scan_put(gt_scan_put_object(program, "vendor"), "name", "guette");
}

static void put_time(json_t *scan, const char *key, int64_t ms)
{
    char time[GT_TIME_TEXT];
    gt_time_format(ms - ms % GT_SECOND, time);
    time[strcspn(time, "Z")] = '\0'; /* the schema wants none */
    gt_scan_put(scan, key, time);
}

static void put_messages(json_t *scan, const struct gt_scan_report *report)
{
    json_t *messages = json_array();
    json_object_set_new(scan, "messages", messages);
    const char *const texts[] = {
        report->interrupted ? "the scan was interrupted: not everything was looked through" : NULL,
        report->counts.failed > 0 ? "some files could not be read" : NULL,
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *message = texts[i] ? json_object() : NULL;
        if (!message)
            continue;
        gt_scan_put(message, "level", "warn");
        gt_scan_put(message, "value", texts[i]);
        json_array_append_new(messages, message);
    }
}

static void end(const struct gt_scan_report *report, struct gt_buffer *out)
{
    GT_JSON_AUTO json_t *scan = json_object();
    put_program(scan, "analyzer");
    put_program(scan, "scanner");
    gt_scan_put(scan, "type", "secret_detection");
    put_time(scan, "start_time", report->started_ms);
    put_time(scan, "end_time", report->ended_ms);
    gt_scan_put(scan, "status", report->interrupted ? "failure" : "success");
    put_messages(scan, report);
    gt_buffer_puts(out, "\n],\"scan\":");
    gt_json_append(scan, out);
    gt_buffer_puts(out, "}\n");
}

const struct gt_scan_format gt_scan_format_gitlab = {
    .name = "gitlab", .separator = ",\n", .begin = begin, .finding = print_finding, .end = end};
