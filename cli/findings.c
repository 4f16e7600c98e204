/* guette findings: what was found, without a secret. */
#include "cli/cli.h"

#include "notifier/notifier.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50
#define LIST_MOST 10000
#define PLACES 20
#define ARENA_MAX ((size_t)1024 * 1024 * 1024)
#define TEXT_MAX ((size_t)256 * 1024)

struct request {
    const char *config, *verb, *id;
    bool json;
    int64_t limit;
};

static int fail(const struct gt_error *err)
{
    fprintf(stderr, "guette findings: %s\n", err->message);
    return GT_EXIT_FAILED;
}

static void print_row(const char *const cells[6])
{
    static const size_t widths[] = {12, 8, 20, 6, 18, 48};
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(16384);
    gt_show_row(&line, cells, widths, 6);
    fputs(line.data, stdout);
}

static void print_finding(const struct gt_stored_finding *stored)
{
    const struct gt_finding *f = &stored->finding;
    char id[13], times[24], first[GT_SHOW_TIME];
    snprintf(id, sizeof id, "%s", f->id);
    snprintf(times, sizeof times, "%llux", (unsigned long long)stored->occurrences);
    print_row((const char *const[]){id, gt_severity_name(f->severity),
                                    gt_show_time(stored->first_seen_ms, first), times, f->brand,
                                    f->title ? f->title : f->rule});
}

static json_t *stored_to_json(const struct gt_stored_finding *stored)
{
    char time[GT_TIME_TEXT];
    json_t *object = gt_finding_to_json(&stored->finding);
    json_object_set_new(object, "occurrences", json_integer((json_int_t)stored->occurrences));
    json_object_set_new(object, "first_seen",
                        json_string(gt_time_format(stored->first_seen_ms, time)));
    json_object_set_new(object, "last_seen",
                        json_string(gt_time_format(stored->last_seen_ms, time)));
    return object;
}

static int print_json(const json_t *value)
{
    int code = value ? json_dumpf(value, stdout, JSON_INDENT(2)) : -1;
    putchar('\n');
    return code == 0 ? GT_EXIT_OK : GT_EXIT_FAILED;
}

static int list_json(const struct gt_stored_finding *found, int count)
{
    GT_JSON_AUTO json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, stored_to_json(&found[i]));
    return print_json(array);
}

static int list(struct gt_store *store, const struct request *r, struct gt_arena *arena)
{
    struct gt_error err;
    size_t most = (size_t)r->limit;
    struct gt_stored_finding *found = gt_arena_array(arena, most, sizeof *found);
    int count = found ? gt_store_findings(store, most, arena, found, &err)
                      : gt_fail(&err, GT_E_NOMEM, "out of memory");
    if (count < 0)
        return fail(&err);
    if (r->json)
        return list_json(found, count);
    if (count == 0)
        puts("Nothing was found yet.");
    else
        print_row((const char *const[]){"ID", "SEVERITY", "FIRST SEEN", "SEEN", "BRAND", "WHAT"});
    for (int i = 0; i < count; i++)
        print_finding(&found[i]);
    if ((size_t)count == most)
        printf("These are the newest %d; --limit N shows more.\n", count);
    return GT_EXIT_OK;
}

static json_t *occurrence_to_json(const struct gt_occurrence *o)
{
    char time[GT_TIME_TEXT];
    json_t *object = json_object();
    json_object_set_new(object, "id", gt_json_text_c(o->id));
    json_object_set_new(object, "source", gt_json_text_c(o->source));
    json_object_set_new(object, "url", gt_json_text_c(o->url));
    json_object_set_new(object, "title", gt_json_text_c(o->document_title));
    json_object_set_new(object, "author", gt_json_text_c(o->author));
    json_object_set_new(object, "line", json_integer(o->line));
    json_object_set_new(object, "column", json_integer(o->column));
    json_object_set_new(object, "detected", json_string(gt_time_format(o->detected_ms, time)));
    return object;
}

static int show_json(const struct gt_stored_finding *stored, const struct gt_occurrence *places,
                     int count)
{
    GT_JSON_AUTO json_t *object = stored_to_json(stored);
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, occurrence_to_json(&places[i]));
    json_object_set_new(object, "places", array);
    return print_json(object);
}

static void print_place(const struct gt_occurrence *o)
{
    char time[GT_SHOW_TIME];
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(16384), place = GT_BUFFER(8192);
    gt_show_defanged(&place,
                     o->url              ? o->url
                     : o->document_title ? o->document_title
                                         : o->document,
                     300);
    gt_buffer_printf(&line, "    %s  ", gt_show_time(o->detected_ms, time));
    gt_show_defanged(&line, o->source, 40);
    gt_buffer_printf(&line, "  %s:%u", place.data ? place.data : "-", o->line);
    puts(line.data);
}

/* The alert as it was sent, with today's count, and the places. */
static int show_text(const struct gt_stored_finding *stored, const struct gt_occurrence *places,
                     int count, enum gt_lang lang)
{
    struct gt_alert alert = {
        .event = "finding.created",
        .created_ms = stored->first_seen_ms,
        .occurrences = stored->occurrences,
        .first_seen_ms = stored->first_seen_ms,
        .lang = lang,
        .finding = stored->finding,
    };
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(TEXT_MAX);
    if (gt_alert_text(&alert, gt_cli_colour(), &text) < 0)
        return GT_EXIT_FAILED;
    fputs(text.data, stdout);
    printf("\n  Seen in (newest first, %d of %llu)\n", count,
           (unsigned long long)stored->occurrences);
    for (int i = 0; i < count; i++)
        print_place(&places[i]);
    return GT_EXIT_OK;
}

static int show(struct gt_store *store, const struct gt_config *config, const struct request *r,
                struct gt_arena *arena)
{
    struct gt_error err;
    struct gt_stored_finding stored;
    struct gt_occurrence places[PLACES];
    if (gt_store_finding(store, r->id, arena, &stored, &err) < 0)
        return fail(&err);
    int count = gt_store_occurrences(store, stored.finding.id, PLACES, arena, places, &err);
    if (count < 0)
        return fail(&err);
    return r->json ? show_json(&stored, places, count)
                   : show_text(&stored, places, count, (enum gt_lang)config->lang);
}

static int with_store(const struct gt_config *config, const struct request *r)
{
    struct gt_store *store = NULL;
    struct gt_error err;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(ARENA_MAX);
    int code = gt_store_open(config->store.path, true, &store, &err);
    if (code == GT_E_NOTFOUND && !r->id) {
        puts(r->json ? "[]" : "Nothing was found yet.");
        return GT_EXIT_OK;
    }
    if (code < 0)
        return fail(&err);
    code = r->id ? show(store, config, r, arena) : list(store, r, arena);
    gt_store_close(store);
    return code;
}

static int check(struct request *r, int word_count, char **words, const char *format)
{
    r->verb = word_count ? words[0] : "list";
    r->id = word_count > 1 ? words[1] : NULL;
    bool lists = strcmp(r->verb, "list") == 0, shows = strcmp(r->verb, "show") == 0;
    if (!lists && !shows)
        return gt_cli_usage("findings", "\"%s\" is not list or show", r->verb);
    if (shows != (r->id != NULL))
        return gt_cli_usage("findings", shows ? "show needs the ID of a finding"
                                              : "list takes no ID; use show");
    if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
        return gt_cli_usage("findings", "--format is table or json, not \"%s\"", format);
    r->json = strcmp(format, "json") == 0;
    if (r->limit < 1 || r->limit > LIST_MOST)
        return gt_cli_usage("findings", "--limit is a number from 1 to %d", LIST_MOST);
    return GT_EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {0}};
    struct request r = {.limit = LIST_DEFAULT};
    const char *format = "table";
    int option;
    optind = 1;
    while ((option = gt_cli_option(argc, argv, options)) != -1) {
        if (option == 'c')
            r.config = optarg;
        else if (option == 'f')
            format = optarg;
        else if (option == 'l')
            r.limit = strtoll(optarg, NULL, 10);
        else
            return GT_EXIT_USAGE;
    }
    if (argc - optind > 2)
        return gt_cli_usage("findings", "too many arguments at \"%s\"", argv[optind + 2]);
    int code = check(&r, argc - optind, argv + optind, format);
    if (code != GT_EXIT_OK)
        return code;
    struct gt_config *config = gt_cli_config(r.config);
    code = config ? with_store(config, &r) : GT_EXIT_FAILED;
    gt_config_free(config);
    return code;
}

const struct gt_command gt_command_findings = {
    .name = "findings",
    .summary = "what was found, newest first, and one finding in full",
    .help = "Usage: guette findings [list] [--format table|json] [--limit N] [--config FILE]\n"
            "       guette findings show ID [--format table|json] [--config FILE]\n\n"
            "  list     findings by when they were first seen; times are UTC\n"
            "  show     one finding: what, whose, why, what to do, and where it was seen;\n"
            "           ID may be its first 6 digits or more\n\n"
            "Secrets are not stored, so they are not shown: previews are redacted.\n\n"
            "Example: guette findings list --format json --limit 1000\n"
            "Exit codes: 0 done, 1 failed or no such finding, 2 wrong usage.\n",
    .run = run,
};
