/* URLs and options that say where a Redis server is. */
#include "queue/redis_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct good {
    const char *url, *host, *socket, *user, *password, *name;
    int port;
    int64_t database;
    bool tls;
} good[] = {
    {"redis://cache.example", "cache.example", NULL, NULL, NULL, "cache.example:6379", 6379, 0,
     false},
    {"redis://cache.example/", "cache.example", NULL, NULL, NULL, "cache.example:6379", 6379, 0,
     false},
    {"redis://cache.example:7000/3", "cache.example", NULL, NULL, NULL, "cache.example:7000", 7000,
     3, false},
    {"redis://:made-up@cache.example", "cache.example", NULL, NULL, "made-up", "cache.example:6379",
     6379, 0, false},
    {"redis://gu%40tte:m%3Aa%2Fd%25e@cache.example:1", "cache.example", NULL, "gu@tte", "m:a/d%e",
     "cache.example:1", 1, 0, false},
    {"redis://me:a@b@cache.example", "cache.example", NULL, "me", "a@b", "cache.example:6379", 6379,
     0, false},
    {"redis://[::1]:7000/1", "::1", NULL, NULL, NULL, "[::1]:7000", 7000, 1, false},
    {"redis://[fe80::2]", "fe80::2", NULL, NULL, NULL, "[fe80::2]:6379", 6379, 0, false},
    {"redis://", "localhost", NULL, NULL, NULL, "localhost:6379", 6379, 0, false},
    {"redis://:7000", "localhost", NULL, NULL, NULL, "localhost:7000", 7000, 0, false},
    {"rediss://cache.example", "cache.example", NULL, NULL, NULL, "cache.example:6379", 6379, 0,
     true},
    {"valkeys://cache.example:1", "cache.example", NULL, NULL, NULL, "cache.example:1", 1, 0, true},
    {"unix:///run/redis.sock", NULL, "/run/redis.sock", NULL, NULL, "/run/redis.sock", 6379, 0,
     false},
    {"unix://me:made-up@/run/a%20b.sock?db=9", NULL, "/run/a b.sock", "me", "made-up",
     "/run/a b.sock", 6379, 9, false},
};

static const char *const bad[] = {
    "http://cache.example",
    "cache.example:6379",
    "redis:/cache.example",
    "redis://cache.example:port",
    "redis://cache.example:0",
    "redis://cache.example:65536",
    "redis://cache.example:",
    "redis://cache.example/one",
    "redis://cache.example/-1",
    "redis://cache.example/99999999999999999999",
    "redis://cache.example?db=1",
    "redis://[::1",
    "redis://[::1]7000",
    "redis://made%-up@cache.example",
    "redis://:made%0@cache.example",
    "redis://:made%00up@cache.example",
    "redis://%",
    "rediss+unix:///run/redis.sock",
    "unix://run/redis.sock",
    "unix:///run/redis.sock?db=x",
    "unix:///run/redis.sock?database=1",
    "unix://",
};

struct world {
    struct gt_arena *arena;
    struct gt_config config;
    struct gt_redis_options options;
    struct gt_redis_address address;
    struct gt_error err;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->arena = gt_arena_new(1024 * 1024);
    world->config = (struct gt_config){.arena = world->arena, .directory = "/etc/guette"};
    assert_int_equal(gt_options_default(world->arena, gt_redis_option_rows, &world->options,
                                        sizeof(world->options), &world->err),
                     0);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gt_arena_free(world->arena);
    free(world);
    return 0;
}

static int read_address(struct world *world)
{
    return gt_redis_address_read(&world->config, &world->options, world->arena, &world->address,
                                 &world->err);
}

static void check_text(const char *is, const char *should)
{
    if (should) {
        assert_non_null(is);
        assert_string_equal(is, should);
    } else {
        assert_null(is);
    }
}

static void good_urls_are_understood(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        world->options.url = good[i].url;
        assert_int_equal(read_address(world), 0);
        const struct gt_redis_address *address = &world->address;
        check_text(address->host, good[i].host);
        check_text(address->socket, good[i].socket);
        check_text(address->user, good[i].user);
        check_text(address->password, good[i].password);
        check_text(address->name, good[i].name);
        assert_int_equal(address->port, good[i].port);
        assert_int_equal(address->database, good[i].database);
        assert_int_equal(address->tls, good[i].tls);
    }
}

static void bad_urls_are_refused_without_quoting_them(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        world->options.url = bad[i];
        assert_int_equal(read_address(world), GT_E_INVALID);
        assert_null(strstr(world->err.message, "made"));
        assert_non_null(strstr(world->err.message, "queue: url:"));
    }
}

static void single_options_do_without_a_url(void **state)
{
    struct world *world = *state;
    assert_int_equal(read_address(world), 0);
    assert_string_equal(world->address.name, "localhost:6379");
    world->options.url = ""; /* an empty variable of the environment is none */
    world->options.host = "";
    assert_int_equal(read_address(world), GT_E_INVALID);
    assert_non_null(strstr(world->err.message, "host"));
    world->options.host = "localhost";
    world->options.user = "me";
    assert_int_equal(read_address(world), GT_E_INVALID);
    world->options.password = "made-up";
    world->options.host = "cache.example";
    world->options.port = 7000;
    world->options.database = 4;
    world->options.tls.ca = "ca.pem";
    assert_int_equal(read_address(world), 0);
    assert_string_equal(world->address.name, "cache.example:7000");
    assert_string_equal(world->address.ca, "/etc/guette/ca.pem");
    assert_true(world->address.tls);
    assert_int_equal(world->address.database, 4);
    world->options.socket = "redis.sock";
    assert_int_equal(read_address(world), GT_E_INVALID); /* no TLS there */
    world->options.tls.ca = NULL;
    assert_int_equal(read_address(world), 0);
    assert_string_equal(world->address.socket, "/etc/guette/redis.sock");
    assert_null(world->address.host);
}

static void the_url_wins_but_leaves_the_password(void **state)
{
    struct world *world = *state;
    world->options.url = "redis://cache.example/2";
    world->options.host = "other.example";
    world->options.password = "made-up";
    assert_int_equal(read_address(world), 0);
    assert_string_equal(world->address.host, "cache.example");
    assert_int_equal(world->address.database, 2);
    assert_string_equal(world->address.password, "made-up");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(good_urls_are_understood),
        CASE(bad_urls_are_refused_without_quoting_them),
        CASE(single_options_do_without_a_url),
        CASE(the_url_wins_but_leaves_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
