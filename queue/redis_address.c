/* Options of the Redis queue, and its URL. */
#include "queue/redis_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_prefix(const char *value, struct gt_error *err)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
    size_t len = strlen(value);
    if (len && len <= 64 && strspn(value, good) == len)
        return 0;
    return gt_fail(err, GT_E_INVALID,
                   "is not a key prefix; write 1 to 64 letters, digits, or one of - _ . :");
}

#define ROW(field, kind, ...)                                                                      \
    {                                                                                              \
        .type = GT_OPTION_##kind, .offset = offsetof(struct gt_redis_options, field), __VA_ARGS__  \
    }
#define TLS_ROW(field, kind, ...)                                                                  \
    {                                                                                              \
        .type = GT_OPTION_##kind, .offset = offsetof(struct gt_redis_tls_options, field),          \
        __VA_ARGS__                                                                                \
    }

static const struct gt_option tls_rows[] = {
    TLS_ROW(enabled, BOOL, .name = "enabled", .fallback = "false",
            .help = "talk TLS; rediss:// and the other keys here switch it on, too"),
    TLS_ROW(ca, STRING, .name = "ca",
            .help = "file of the authorities to trust (PEM); the system's when not given"),
    TLS_ROW(cert, STRING, .name = "cert",
            .help = "client certificate (PEM), if the server wants one"),
    TLS_ROW(key, STRING, .name = "key", .help = "its key (PEM)"),
    {.type = GT_OPTION_END},
};

const struct gt_option gt_redis_option_rows[] = {
    GT_QUEUE_SEEN_OPTION,
    ROW(url, SECRET, .name = "url",
        .help = "redis://user:password@host:port/database, rediss:// for TLS, or "
                "unix:///path/to/socket?db=0"),
    ROW(host, STRING, .name = "host", .fallback = "localhost",
        .help = "server, when there is no url"),
    ROW(port, INT, .name = "port", .fallback = "6379", .least = 1, .most = 65535,
        .help = "its port"),
    ROW(socket, STRING, .name = "socket",
        .help = "unix socket of the server, instead of host and port"),
    ROW(user, STRING, .name = "user", .help = "user of the server's access list (ACL)"),
    ROW(password, SECRET, .name = "password",
        .help = "password; ${NAME} or file:/path keep it out of "
                "this file"),
    ROW(database, INT, .name = "database", .fallback = "0", .least = 0, .most = 1000000,
        .help = "number of the database"),
    ROW(tls, STRUCT, .name = "tls", .help = "encrypted connection", .nested = tls_rows,
        .nested_size = sizeof(struct gt_redis_tls_options), .shorthand = "enabled"),
    ROW(prefix, STRING, .name = "prefix", .fallback = "guette", .check = check_prefix,
        .help = "how all keys begin; another one makes another queue on the same server"),
    ROW(shards, INT, .name = "shards", .fallback = "1", .least = 1, .most = 1024,
        .help =
            "streams per topic, each in a slot of its own; the same on all machines, and changed "
            "only while the queue is empty"),
    ROW(timeout_ms, DURATION, .name = "timeout", .fallback = "10s", .least = 100, .most = 600000,
        .help = "a server silent for so long counts as gone"),
    ROW(allow_eviction, BOOL, .name = "allow_eviction", .fallback = "false",
        .help =
            "start even if the server may evict keys when its memory is full (loses documents)"),
    {.type = GT_OPTION_END},
};

static int wrong(struct gt_error *err, const char *what)
{
    return gt_fail(
        err, GT_E_INVALID,
        "queue: url: %s; write redis://user:password@host:port/database, rediss://... or "
        "unix:///path/to/socket?db=0",
        what);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* len bytes with %XX undone, in the arena. NULL: bad escape, NUL, or no memory. */
static char *unescape(struct gt_arena *arena, const char *text, size_t len)
{
    char *out = gt_arena_memdup(arena, text, len);
    size_t to = 0;
    for (size_t i = 0; out && i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = len - i > 2 ? hex_value(text[i + 1]) : -1;
            int low = len - i > 2 ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (!c)
            return NULL;
        out[to++] = c;
    }
    if (out)
        out[to] = '\0';
    return out;
}

/* user:password, :password or password-less user. */
static bool read_login(struct gt_arena *arena, const char *text, size_t len,
                       struct gt_redis_address *ret)
{
    const char *colon = memchr(text, ':', len);
    size_t user_len = colon ? (size_t)(colon - text) : len;
    char *user = unescape(arena, text, user_len);
    char *password = colon ? unescape(arena, colon + 1, len - user_len - 1) : NULL;
    if (!user || (colon && !password))
        return false;
    ret->user = *user ? user : NULL;
    ret->password = password && *password ? password : NULL;
    return true;
}

static bool read_number(const char *text, size_t len, int64_t most, int64_t *ret)
{
    int64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || number > most)
            return false;
        number = number * 10 + (text[i] - '0');
    }
    *ret = number;
    return len > 0 && number <= most;
}

/* host, host:port, [v6]:port; an empty host keeps the one there. */
static bool read_host(struct gt_arena *arena, const char *text, size_t len,
                      struct gt_redis_address *ret)
{
    const char *end = text + len, *start = text, *stop;
    if (len && *text == '[') {
        start = text + 1;
        stop = memchr(start, ']', (size_t)(end - start));
        if (!stop)
            return false;
        text = stop + 1;
    } else {
        stop = memchr(text, ':', len);
        stop = stop ? stop : end;
        text = stop;
    }
    if (text < end) {
        int64_t port = 0;
        if (*text != ':' || !read_number(text + 1, (size_t)(end - text) - 1, 65535, &port) || !port)
            return false;
        ret->port = (int)port;
    }
    if (stop > start)
        ret->host = unescape(arena, start, (size_t)(stop - start));
    return ret->host != NULL;
}

static int read_network(struct gt_arena *arena, const char *rest, struct gt_redis_address *ret,
                        struct gt_error *err)
{
    size_t len = strcspn(rest, "/?#");
    const char *path = rest + len, *at = memrchr(rest, '@', len);
    const char *host = at ? at + 1 : rest;
    if (at && !read_login(arena, rest, (size_t)(at - rest), ret))
        return wrong(err, "user or password has a bad % escape");
    if (!read_host(arena, host, (size_t)(path - host), ret))
        return wrong(err, "host or port is wrong");
    if (*path == '/' && path[1] &&
        !read_number(path + 1, strlen(path + 1), 1000000, &ret->database))
        return wrong(err, "the database is not a number");
    if (*path == '?' || *path == '#')
        return wrong(err, "nothing may follow host, port and database");
    return 0;
}

static int read_socket(struct gt_arena *arena, const char *rest, struct gt_redis_address *ret,
                       struct gt_error *err)
{
    size_t len = strcspn(rest, "?#");
    const char *query = rest + len, *slash = memchr(rest, '/', len);
    const char *at = slash ? memrchr(rest, '@', (size_t)(slash - rest)) : NULL;
    const char *path = at ? at + 1 : rest;
    if (at && !read_login(arena, rest, (size_t)(at - rest), ret))
        return wrong(err, "user or password has a bad % escape");
    ret->socket = unescape(arena, path, (size_t)(query - path));
    ret->host = NULL;
    if (!ret->socket || *ret->socket != '/')
        return wrong(err, "the socket's path must start with /");
    if (*query && (strncmp(query, "?db=", 4) != 0 ||
                   !read_number(query + 4, strlen(query + 4), 1000000, &ret->database)))
        return wrong(err, "only ?db=NUMBER may follow the socket's path");
    return 0;
}

static int read_url(struct gt_arena *arena, const char *url, struct gt_redis_address *ret,
                    struct gt_error *err)
{
    static const struct {
        const char *scheme;
        bool tls, socket;
    } schemes[] = {{"redis://", false, false},      {"rediss://", true, false},
                   {"valkey://", false, false},     {"valkeys://", true, false},
                   {"unix://", false, true},        {"redis+unix://", false, true},
                   {"redis-socket://", false, true}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!gt_starts_with(url, schemes[i].scheme))
            continue;
        const char *rest = url + strlen(schemes[i].scheme);
        ret->tls = ret->tls || schemes[i].tls;
        return schemes[i].socket ? read_socket(arena, rest, ret, err)
                                 : read_network(arena, rest, ret, err);
    }
    return wrong(err, "its beginning is not known");
}

static const char *file_of(const struct gt_config *config, const char *path)
{
    return path && *path ? gt_config_resolve(config, path) : NULL;
}

static const char *given(const char *text)
{
    return text && *text ? text : NULL;
}

int gt_redis_address_read(const struct gt_config *config, const struct gt_redis_options *options,
                          struct gt_arena *arena, struct gt_redis_address *ret,
                          struct gt_error *err)
{
    const struct gt_redis_tls_options *tls = &options->tls;
    struct gt_redis_address address = {
        .host = given(options->host),
        .socket = file_of(config, options->socket),
        .port = (int)options->port,
        .user = given(options->user),
        .password = given(options->password),
        .database = options->database,
        .tls = tls->enabled || given(tls->ca) || given(tls->cert) || given(tls->key),
        .ca = file_of(config, tls->ca),
        .cert = file_of(config, tls->cert),
        .key = file_of(config, tls->key),
    };
    if (address.socket)
        address.host = NULL;
    if (given(options->url)) {
        address.socket = NULL;
        address.host = given(options->host);
        int rc = read_url(arena, options->url, &address, err);
        if (rc)
            return rc;
    }
    if (!address.socket && !address.host) /* mostly a variable that is empty */
        return gt_fail(err, GT_E_INVALID, "queue: the server's `host:` is empty; name it");
    if (address.socket)
        snprintf(address.name, sizeof(address.name), "%s", address.socket);
    else
        snprintf(address.name, sizeof(address.name),
                 strchr(address.host, ':') ? "[%s]:%d" : "%s:%d", address.host, address.port);
    if (address.socket && address.tls)
        return gt_fail(err, GT_E_INVALID, "queue: a unix socket has no TLS; remove `tls:`");
    if (address.user && !address.password)
        return gt_fail(err, GT_E_INVALID, "queue: user %s has no password; add `password:`",
                       address.user);
    *ret = address;
    return 0;
}

int gt_redis_check(const struct gt_config *config, const void *options, struct gt_error *err)
{
    struct gt_redis_address address;
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(64 * 1024);
    if (!arena)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    return gt_redis_address_read(config, options, arena, &address, err);
}
