/* The configuration: guette.yaml and the files it includes, decoded and checked.
 *
 * Kinds of sources, channels and back-ends are tables handed in by the caller, so that this folder
 * need not know them. */
#ifndef GT_MODEL_CONFIG_H
#define GT_MODEL_CONFIG_H

#include "core/core.h"
#include "model/severity.h"

struct gt_keyword {
    const char *text;
    int severity; /* enum gt_severity */
};

struct gt_pattern {
    const char *name, *regex;
    int severity;
};

struct gt_brand {
    const char *name;        /* "Acme Corp" */
    struct gt_list domains;  /* const char *, lower case, no trailing dot */
    struct gt_list keywords; /* struct gt_keyword */
    struct gt_list patterns; /* struct gt_pattern */
};

enum gt_owner { GT_OWNER_NONE, GT_OWNER_BRAND };

struct gt_source_config {
    const char *name; /* of letters, digits, ".", "_", "-"; default: see gt_config_kinds */
    const char *type; /* "folder", "feed", "site" */
    bool enabled;
    int owner;         /* enum gt_owner */
    const char *brand; /* with owner: brand; NULL: all */
    int64_t interval_ms;
    double jitter; /* share of the interval, 0..1 */
    bool allow_private;
    const char *proxy; /* URL; NULL: none */
    uint64_t max_size; /* of one answer or file */
    int64_t timeout_ms;
    const struct gt_kind *kind;
    void *options; /* the kind's own struct */
};

struct gt_channel_config {
    const char *name;
    const char *type; /* "webhook", "email", "terminal", "file" */
    bool enabled;
    const struct gt_kind *kind;
    void *options;
};

struct gt_route {
    struct gt_list brands; /* const char *; empty: all */
    struct gt_list rules;  /* const char *, shell patterns ("github.*"); empty: all */
    int min_severity;
    struct gt_list channels; /* const char *: names */
};

struct gt_queue_config {
    const char *type;                            /* "sqlite", "redis", "memory" */
    uint64_t high_water_bytes, high_water_count; /* per topic */
    int64_t lease_ms;       /* a worker that says nothing for so long lost its job */
    int64_t max_deliveries; /* then it is buried */
    const struct gt_kind *kind;
    void *options;
};

struct gt_store_config {
    const char *path; /* SQLite file, absolute; default: guette.db in data */
};

struct gt_workers_config {
    int64_t crawlers, matchers, notifiers; /* matchers 0: one per spare core */
    int64_t drain_ms;                      /* time to finish after SIGTERM */
};

struct gt_limits_config {
    uint64_t document_bytes; /* longer ones are cut, and the cut is said */
    int64_t document_ms;     /* matching one document */
    int64_t findings_per_document;
    int64_t connections, connections_per_host;
    double requests_per_second; /* per host */
    int64_t delivery_for_ms;    /* give up a delivery after so long */
};

struct gt_health_config {
    const char *listen; /* "127.0.0.1:9090", "[::]:9090", ":0"; NULL: off. Roles under `run` take
                           following ports */
};

struct gt_log_config {
    int format, level; /* enum gt_log_format, enum gt_level */
};

struct gt_config {
    struct gt_arena *arena; /* owns everything below */
    const char *path;       /* of the main file */
    const char *directory;  /* relative paths of the configuration start here; absolute */
    int lang;               /* enum gt_lang */
    const char *contact;    /* mail address or URL in the User-Agent */
    const char
        *data; /* directory for queue, store and caches; this and the next three are absolute */
    const char *fingerprint_key; /* file; default: fingerprint.key in data */
    struct gt_list include;      /* const char *: files read beside the main one, as written */
    struct gt_list rules;        /* const char *: further directories of rule files */
    struct gt_list sites;        /* const char *: further directories of site files */
    struct gt_list brands;       /* struct gt_brand */
    struct gt_list sources;      /* struct gt_source_config */
    struct gt_list channels;     /* struct gt_channel_config */
    struct gt_list routes;       /* struct gt_route */
    struct gt_queue_config queue;
    struct gt_store_config store;
    struct gt_workers_config workers;
    struct gt_limits_config limits;
    struct gt_health_config health;
    struct gt_log_config log;
};

/* Each table is NULL-ended; a NULL table has none.
 * A source or channel without a name is called what the kind's row named like the kind says (kind
 * "site", row "site": "hacker-news"), else like its kind. */
struct gt_config_kinds {
    const struct gt_kind *const *sources;
    const struct gt_kind *const *channels;
    const struct gt_kind *const *queues;
    /* Says in err what is wrong with the regex of a brand's pattern; NULL: not checked. */
    int (*check_regex)(const char *regex, struct gt_error *err);
};

/* Rows of the whole file, for the schema and the handbook; the context of its kinds is a struct
 * gt_config_kinds. */
extern const struct gt_option gt_config_options[];

/* Reads path and its includes. On mistakes returns GT_E_INVALID, their number in err and all of
 * them, in file order, in *ret_mistakes (may be NULL); the caller frees them by
 * gt_arena_free(mistakes.arena). In every other case *ret_mistakes is empty and its arena NULL.
 * Relative paths in the configuration (data, key, includes, folders, secrets) start at the main
 * file's directory. */
int gt_config_load(const char *path, const struct gt_config_kinds *kinds,
                   struct gt_config **ret_config, struct gt_mistakes *ret_mistakes,
                   struct gt_error *err);
/* The same from memory, for tests and fuzzing: includes and file: secrets are refused; relative
 * paths start at the working directory. */
int gt_config_parse(const char *name, const char *text, size_t len,
                    const struct gt_config_kinds *kinds, struct gt_config **ret_config,
                    struct gt_mistakes *ret_mistakes, struct gt_error *err);
void gt_config_free(struct gt_config *config);
/* JSON Schema of the whole file. New reference. */
json_t *gt_config_schema(const struct gt_config_kinds *kinds);
/* Say in err what is wrong with a brand's domain or the contact ("is not a domain name; ..."). */
int gt_config_check_domain(const char *value, struct gt_error *err);
int gt_config_check_contact(const char *value, struct gt_error *err);
/* `path` as seen from the configuration's directory, absolute; arena memory of the configuration.
 * NULL: out of memory. */
const char *gt_config_resolve(const struct gt_config *config, const char *path);

#endif
