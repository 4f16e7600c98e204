#include "model/config_parts.h"
#include "model/document.h"

/* The whole of guette.yaml. Rows are read by people, too: `guette config reference` prints them. */

static const char *const owner_names[] = {"none", "brand", NULL};
static const char *const log_formats[] = {"auto", "json", "text", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};

#define ROW(key, kind, structure, field, preset, words, ...)                                       \
    {                                                                                              \
        .name = key, .type = GT_OPTION_##kind, .offset = offsetof(struct structure, field),        \
        .fallback = preset, .help = words, ##__VA_ARGS__                                           \
    }
#define REQUIRED .flags = GT_OPTION_REQUIRED
#define LIST .flags = GT_OPTION_LIST
#define RANGE(low, high) .least = (low), .most = (high)
#define MAP(rows, structure) .nested = rows, .nested_size = sizeof(struct structure)

#define BYTES_MAX (1024.0 * 1024 * 1024 * 1024)

static const struct gt_option keyword_options[] = {
    ROW("text", STRING, gt_keyword, text, NULL,
        "the word or words to look for; case and accents do not matter", REQUIRED),
    ROW("severity", ENUM, gt_keyword, severity, "low", "how bad a mention is",
        .choices = gt_severity_names),
    {0},
};

static const struct gt_option pattern_options[] = {
    ROW("name", STRING, gt_pattern, name, NULL, "what the pattern finds, for the alert", REQUIRED),
    ROW("regex", STRING, gt_pattern, regex, NULL, "a regular expression (PCRE2)", REQUIRED),
    ROW("severity", ENUM, gt_pattern, severity, "medium", "how bad a match is",
        .choices = gt_severity_names),
    {0},
};

static const struct gt_option brand_options[] = {
    ROW("name", STRING, gt_brand, name, NULL, "the company's or product's name", REQUIRED),
    ROW("domains", STRING, gt_brand, domains, NULL,
        "its domains; subdomains, hosts and mail addresses under them are found, too", LIST,
        .check = gt_config_check_domain),
    ROW("keywords", STRUCT, gt_brand, keywords, NULL, "words that name it", LIST,
        MAP(keyword_options, gt_keyword), .shorthand = "text"),
    ROW("patterns", STRUCT, gt_brand, patterns, NULL,
        "regular expressions for its own formats: ticket numbers, host names, document marks", LIST,
        MAP(pattern_options, gt_pattern)),
    {0},
};

static const struct gt_option source_options[] = {
    ROW("name", STRING, gt_source_config, name, NULL,
        "its name in logs, alerts and the queue; must be unique (default: its site or type)",
        .check = gt_config_check_name),
    ROW("type", STRING, gt_source_config, type, NULL, "what kind of source this is", REQUIRED),
    ROW("enabled", BOOL, gt_source_config, enabled, "true", "false: leave it out for now"),
    ROW("owner", ENUM, gt_source_config, owner, "none",
        "brand: everything here is ours, so any credential in it counts, even in a text that does "
        "not name the brand",
        .choices = owner_names),
    ROW("brand", STRING, gt_source_config, brand, NULL,
        "with owner: brand: whose it is (default: the only brand, or all)"),
    ROW("interval", DURATION, gt_source_config, interval_ms, "5m", "time between two looks",
        RANGE(1000, 366.0 * 86400e3)),
    ROW("jitter", NUMBER, gt_source_config, jitter, "0.1",
        "share of the interval by which a look comes earlier or later at random", RANGE(0, 1)),
    ROW("allow_private", BOOL, gt_source_config, allow_private, "false",
        "true: it may be at a private, loopback or link-local address"),
    ROW("proxy", STRING, gt_source_config, proxy, NULL,
        "proxy to reach it by: http://, https:// or socks5h://HOST:PORT",
        .check = gt_config_check_proxy),
    ROW("max_size", SIZE, gt_source_config, max_size, "10MiB", "longest answer or file read",
        RANGE(1024, 1024.0 * 1024 * 1024)),
    ROW("timeout", DURATION, gt_source_config, timeout_ms, "30s", "longest time one request takes",
        RANGE(100, 3600e3)),
    {0},
};

static const struct gt_option channel_options[] = {
    ROW("name", STRING, gt_channel_config, name, NULL,
        "its name in routes and logs; must be unique (default: its type)",
        .check = gt_config_check_name),
    ROW("type", STRING, gt_channel_config, type, NULL, "what kind of channel this is", REQUIRED),
    ROW("enabled", BOOL, gt_channel_config, enabled, "true", "false: send nothing there for now"),
    {0},
};

static const struct gt_option route_options[] = {
    ROW("brands", STRING, gt_route, brands, NULL, "findings of these brands only (default: all)",
        LIST),
    ROW("rules", STRING, gt_route, rules, NULL,
        "findings of these rules only; shell patterns like github.* work (default: all)", LIST),
    ROW("min_severity", ENUM, gt_route, min_severity, "info", "findings at least this bad only",
        .choices = gt_severity_names),
    ROW("channels", STRING, gt_route, channels, NULL, "names of the channels that hear of them",
        .flags = GT_OPTION_LIST | GT_OPTION_REQUIRED),
    {0},
};

static const struct gt_option queue_options[] = {
    ROW("type", STRING, gt_queue_config, type, "sqlite",
        "where work waits: sqlite (one machine), redis (many), memory (tests)"),
    ROW("high_water_bytes", SIZE, gt_queue_config, high_water_bytes, "1GiB",
        "crawlers pause while a topic holds more than this", RANGE(1, BYTES_MAX)),
    ROW("high_water_count", INT, gt_queue_config, high_water_count, "1000000",
        "crawlers pause while a topic holds more entries than this", RANGE(1, 1e12)),
    ROW("lease", DURATION, gt_queue_config, lease_ms, "60s",
        "a worker that says nothing for so long has lost its job", RANGE(100, 86400e3)),
    ROW("max_deliveries", INT, gt_queue_config, max_deliveries, "5",
        "work that failed so often goes to the dead letters", RANGE(1, 1000)),
    {0},
};

static const struct gt_option store_options[] = {
    ROW("path", STRING, gt_store_config, path, NULL,
        "SQLite file of findings and deliveries (default: guette.db in data)"),
    {0},
};

static const struct gt_option workers_options[] = {
    ROW("crawlers", INT, gt_workers_config, crawlers, "1", "crawler processes under guette run",
        RANGE(0, 64)),
    ROW("matchers", INT, gt_workers_config, matchers, "0",
        "matcher processes under guette run; 0: one per spare core", RANGE(0, 1024)),
    ROW("notifiers", INT, gt_workers_config, notifiers, "1", "notifier processes under guette run",
        RANGE(0, 64)),
    ROW("drain", DURATION, gt_workers_config, drain_ms, "8s",
        "time to finish what is under way when told to stop", RANGE(0, 3600e3)),
    {0},
};

static const struct gt_option limits_options[] = {
    ROW("document", SIZE, gt_limits_config, document_bytes, "8MiB",
        "longer documents are cut there, and the cut is said",
        RANGE(1024, (double)GT_DOCUMENT_BODY_MAX)),
    ROW("document_time", DURATION, gt_limits_config, document_ms, "10s",
        "longest time matching one document takes", RANGE(1, 3600e3)),
    ROW("findings_per_document", INT, gt_limits_config, findings_per_document, "1000",
        "further ones in the same document are left out, and that is said", RANGE(1, 100000)),
    ROW("connections", INT, gt_limits_config, connections, "64",
        "network connections a process holds at once", RANGE(1, 10000)),
    ROW("connections_per_host", INT, gt_limits_config, connections_per_host, "2",
        "connections to one host at once", RANGE(1, 1000)),
    ROW("requests_per_second", NUMBER, gt_limits_config, requests_per_second, "1",
        "requests to one host in a second", RANGE(0.001, 10000)),
    ROW("delivery_for", DURATION, gt_limits_config, delivery_for_ms, "3d",
        "an alert that cannot be delivered is tried for so long", RANGE(1000, 366.0 * 86400e3)),
    {0},
};

static const struct gt_option health_options[] = {
    ROW("listen", STRING, gt_health_config, listen, NULL,
        "HOST:PORT for /healthz, /readyz and /metrics; under guette run each process takes the "
        "next port (default: off)",
        .check = gt_config_check_listen),
    {0},
};

static const struct gt_option log_options[] = {
    ROW("format", ENUM, gt_log_config, format, "auto",
        "one JSON object a line, or text; auto: text on a terminal", .choices = log_formats),
    ROW("level", ENUM, gt_log_config, level, "info", "the least important events shown",
        .choices = log_levels),
    {0},
};

static const struct gt_kind *const *source_kinds(void *context)
{
    const struct gt_config_kinds *kinds = context;
    return kinds ? kinds->sources : NULL;
}

static const struct gt_kind *const *channel_kinds(void *context)
{
    const struct gt_config_kinds *kinds = context;
    return kinds ? kinds->channels : NULL;
}

static const struct gt_kind *const *queue_kinds(void *context)
{
    const struct gt_config_kinds *kinds = context;
    return kinds ? kinds->queues : NULL;
}

#define KINDS(function, structure)                                                                 \
    .kinds = function, .kind_offset = offsetof(struct structure, kind),                            \
    .kind_options_offset = offsetof(struct structure, options)

const struct gt_option gt_config_options[] = {
    ROW("lang", ENUM, gt_config, lang, "en", "language of alerts", .choices = gt_lang_names),
    ROW("contact", STRING, gt_config, contact, NULL,
        "mail address or web page that operators of watched sites find in our requests",
        .check = gt_config_check_contact),
    ROW("data", STRING, gt_config, data, "data", "directory for the queue, findings and caches"),
    ROW("fingerprint_key", STRING, gt_config, fingerprint_key, NULL,
        "file with the key that turns secrets into fingerprints, made by guette init (default: "
        "fingerprint.key in data)"),
    ROW("include", STRING, gt_config, include, NULL,
        "further files like this one; lists are joined, for anything else this file wins", LIST),
    ROW("rules", STRING, gt_config, rules, NULL, "directories with rules of your own", LIST),
    ROW("sites", STRING, gt_config, sites, NULL, "directories with site definitions of your own",
        LIST),
    ROW("brands", STRUCT, gt_config, brands, NULL, "whose leaks are looked for", LIST,
        MAP(brand_options, gt_brand)),
    ROW("sources", STRUCT, gt_config, sources, NULL, "what is watched", LIST,
        MAP(source_options, gt_source_config), KINDS(source_kinds, gt_source_config)),
    ROW("channels", STRUCT, gt_config, channels, NULL, "where alerts go", LIST,
        MAP(channel_options, gt_channel_config), KINDS(channel_kinds, gt_channel_config)),
    ROW("routes", STRUCT, gt_config, routes, NULL,
        "which findings go to which channels (default: all to every channel)", LIST,
        MAP(route_options, gt_route)),
    ROW("queue", STRUCT, gt_config, queue, NULL, "where work waits between the processes",
        MAP(queue_options, gt_queue_config), KINDS(queue_kinds, gt_queue_config)),
    ROW("store", STRUCT, gt_config, store, NULL, "where findings are kept",
        MAP(store_options, gt_store_config)),
    ROW("workers", STRUCT, gt_config, workers, NULL, "how many processes do the work",
        MAP(workers_options, gt_workers_config)),
    ROW("limits", STRUCT, gt_config, limits, NULL, "caps on size, time and politeness",
        MAP(limits_options, gt_limits_config)),
    ROW("health", STRUCT, gt_config, health, NULL, "health checks and metrics over HTTP",
        MAP(health_options, gt_health_config), .shorthand = "listen"),
    ROW("log", STRUCT, gt_config, log, NULL, "what is logged on standard error",
        MAP(log_options, gt_log_config)),
    {0},
};
