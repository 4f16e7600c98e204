#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/model/kinds.h"

static struct gt_config *parse(const char *text)
{
    struct gt_config *config = NULL;
    struct gt_error err = {0};
    if (gt_config_parse("t.yaml", text, strlen(text), &test_kinds, &config, NULL, &err) < 0)
        fail_msg("%s", err.message);
    return config;
}

/* Every line of `expected`, in order, is how the mistake at its place begins. */
static void expect_mistakes(const char *text, const char *const *expected)
{
    struct gt_config *config = NULL;
    struct gt_mistakes mistakes;
    struct gt_error err = {0};
    assert_int_equal(
        gt_config_parse("t.yaml", text, strlen(text), &test_kinds, &config, &mistakes, &err),
        GT_E_INVALID);
    assert_null(config);
    size_t i = 0;
    for (; expected[i] && i < mistakes.count; i++)
        if (strncmp(mistakes.items[i].text, expected[i], strlen(expected[i])) != 0)
            fail_msg("mistake %zu is \"%s\" instead of \"%s\"", i, mistakes.items[i].text,
                     expected[i]);
    if (expected[i] || i < mistakes.count)
        fail_msg("%zu mistakes; the next is \"%s\"", mistakes.count,
                 expected[i] ? expected[i] : mistakes.items[i].text);
    gt_arena_free(mistakes.arena);
}

static void expect_mistake(const char *text, const char *expected)
{
    const char *const list[] = {expected, NULL};
    expect_mistakes(text, list);
}

static void decodes_a_whole_file(void **state)
{
    struct gt_config *config = parse("lang: fr\n"
                                     "contact: soc@acme.example\n"
                                     "data: var\n"
                                     "fingerprint_key: /run/secrets/key\n"
                                     "rules: [mine]\n"
                                     "brands:\n"
                                     "- name: Acme Corp\n"
                                     "  domains: [ACME.example, 'Société.example.']\n"
                                     "  keywords: [acme, {text: Roadrunner, severity: high}]\n"
                                     "  patterns: [{name: ticket, regex: 'ACME-\\d{5}'}]\n"
                                     "sources:\n"
                                     "- {type: folder, path: inbox, owner: brand, interval: 1m}\n"
                                     "- {type: site, site: hacker-news}\n"
                                     "- {name: mine, type: site, site: x, brand: Acme Corp, "
                                     "owner: brand}\n"
                                     "channels:\n"
                                     "- {type: terminal}\n"
                                     "- {name: soc, type: webhook, url: 'https://soc.example/h'}\n"
                                     "routes:\n"
                                     "- {brands: Acme Corp, min_severity: high, channels: [soc, "
                                     "terminal]}\n"
                                     "queue: {type: memory, lease: 5s}\n"
                                     "health: ':9090'\n"
                                     "log: {format: json, level: error}\n");
    char here[4096], path[4200];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/var", here);
    assert_string_equal(config->directory, here);
    assert_string_equal(config->data, path);
    snprintf(path, sizeof path, "%s/var/guette.db", here);
    assert_string_equal(config->store.path, path);
    snprintf(path, sizeof path, "%s/mine", here);
    assert_string_equal(*GT_LIST_ITEM(config->rules, const char *, 0), path);
    assert_string_equal(config->fingerprint_key, "/run/secrets/key");
    assert_string_equal(gt_config_resolve(config, path), path);
    assert_int_equal(config->lang, GT_FRENCH);

    const struct gt_brand *brand = GT_LIST_ITEM(config->brands, struct gt_brand, 0);
    assert_string_equal(*GT_LIST_ITEM(brand->domains, const char *, 0), "acme.example");
    assert_string_equal(*GT_LIST_ITEM(brand->domains, const char *, 1), "société.example");
    assert_int_equal(GT_LIST_ITEM(brand->keywords, struct gt_keyword, 0)->severity, GT_LOW);
    assert_int_equal(GT_LIST_ITEM(brand->keywords, struct gt_keyword, 1)->severity, GT_HIGH);
    assert_string_equal(GT_LIST_ITEM(brand->patterns, struct gt_pattern, 0)->regex, "ACME-\\d{5}");

    const struct gt_source_config *sources =
        GT_LIST_ITEM(config->sources, struct gt_source_config, 0);
    assert_string_equal(sources[0].name, "folder");
    assert_string_equal(((struct test_folder *)sources[0].options)->path, "inbox");
    assert_int_equal(sources[0].owner, GT_OWNER_BRAND);
    assert_int_equal(sources[0].interval_ms, 60000);
    assert_string_equal(sources[1].name, "hacker-news");
    assert_int_equal(sources[1].interval_ms, 300000);
    assert_string_equal(sources[2].name, "mine");

    assert_string_equal(GT_LIST_ITEM(config->channels, struct gt_channel_config, 0)->name,
                        "terminal");
    assert_ptr_equal(config->queue.kind, &test_memory_kind);
    assert_int_equal(config->queue.lease_ms, 5000);
    assert_string_equal(config->health.listen, ":9090");
    assert_int_equal(config->log.format, GT_LOG_JSON);
    assert_int_equal(config->log.level, GT_ERROR);
    gt_config_free(config);
}

static void has_sane_defaults(void **state)
{
    static const char *const texts[] = {"", "{}", "# nothing\n", "queue:\nlimits:\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct gt_config *config = parse(texts[i]);
        assert_ptr_equal(config->queue.kind, &test_sqlite_kind);
        assert_non_null(config->queue.options);
        assert_int_equal(config->queue.high_water_bytes, 1073741824);
        assert_int_equal(config->queue.high_water_count, 1000000);
        assert_int_equal(config->queue.lease_ms, 60000);
        assert_int_equal(config->queue.max_deliveries, 5);
        assert_int_equal(config->workers.crawlers, 1);
        assert_int_equal(config->workers.matchers, 0);
        assert_int_equal(config->workers.drain_ms, 8000);
        assert_int_equal(config->limits.document_bytes, 8388608);
        assert_int_equal(config->limits.document_ms, 10000);
        assert_int_equal(config->limits.delivery_for_ms, 3 * GT_DAY);
        assert_true(config->limits.requests_per_second == 1);
        assert_null(config->health.listen);
        assert_int_equal(config->log.level, GT_INFO);
        assert_true(gt_ends_with(config->fingerprint_key, "/data/fingerprint.key"));
        assert_int_equal(config->sources.count, 0);
        gt_config_free(config);
    }
}

static void tells_each_mistake_with_its_place(void **state)
{
    expect_mistake("brands:\n- name: Acme\n  domains: [acme.example, acme_corp]\n",
                   "t.yaml:3:27: brands[0].domains[1]: \"acme_corp\" is not a domain name; it may "
                   "hold letters, digits, dots and, inside, hyphens");
    expect_mistake("brand: x\n", "t.yaml:1:1: brand: unknown key; did you mean \"brands\"?");
    expect_mistake("brands: [{name: A}]\n",
                   "t.yaml:1:10: brands[0]: nothing says how to recognise it; add domains");
    expect_mistake("brands:\n- {name: A, patterns: [{name: p, regex: '*'}]}\n",
                   "t.yaml:2:41: brands[0].patterns[0].regex: starts with a quantifier");
    expect_mistake("brands:\n- {name: A, keywords: [a]}\n- {name: A, keywords: [b]}\n",
                   "t.yaml:3:10: brands[1].name: another brand is called \"A\", too; give each a "
                   "name of its own");
    expect_mistake("sources:\n- {type: folder, path: a}\n- {type: folder, path: b}\n",
                   "t.yaml:3:3: sources[1].name: another source is called \"folder\", too");
    expect_mistake("sources: [{type: folder}]\n",
                   "t.yaml:1:11: sources[0].path: missing; write the folder");
    expect_mistake(
        "sources: [{type: foler, path: a}]\n",
        "t.yaml:1:18: sources[0].type: \"foler\" is not known; did you mean \"folder\"?");
    expect_mistake("sources: [{name: a b, type: folder, path: a}]\n",
                   "t.yaml:1:18: sources[0].name: \"a b\" cannot be a name; take up to 64 letters");
    expect_mistake("sources: [{type: folder, path: a, interval: 10ms}]\n",
                   "t.yaml:1:45: sources[0].interval: \"10ms\" is too small; the least is 1 s");
    expect_mistake("sources: [{type: folder, path: a, owner: brand}]\n",
                   "t.yaml:1:42: sources[0].brand: the source belongs to a brand, but there is "
                   "none; add it under brands");
    expect_mistake("brands: [{name: Acme, keywords: a}]\n"
                   "sources: [{type: folder, path: a, brand: Acme}]\n",
                   "t.yaml:2:42: sources[0].brand: has no effect without \"owner: brand\"");
    expect_mistake("brands: [{name: Acme, keywords: a}]\n"
                   "sources: [{type: folder, path: a, owner: brand, brand: Acne}]\n",
                   "t.yaml:2:56: sources[0].brand: there is no brand \"Acne\"; did you mean "
                   "\"Acme\"?");
    expect_mistake("channels: [{type: terminal}]\nroutes:\n- channels: termnal\n",
                   "t.yaml:3:13: routes[0].channels[0]: there is no channel \"termnal\"; did you "
                   "mean \"terminal\"?");
    expect_mistake(
        "routes:\n- channels: [pager]\n",
        "t.yaml:2:14: routes[0].channels[0]: there is no channel \"pager\"; add it under "
        "channels");
    expect_mistake("channels: [{type: terminal}]\nroutes:\n- brands: Acme\n  channels: terminal\n",
                   "t.yaml:3:11: routes[0].brands[0]: there is no brand \"Acme\"; add it under "
                   "brands");
    expect_mistake("routes:\n- channels: []\n",
                   "t.yaml:2:13: routes[0].channels: the list is empty");
    expect_mistake("contact: nobody\n", "t.yaml:1:10: contact: \"nobody\" is neither a mail");
    expect_mistake("contact: \"https://x\\r\\nHost: y\"\n", "t.yaml:1:10: contact: ");
    expect_mistake("health: nine\n", "t.yaml:1:9: health.listen: \"nine\" is not HOST:PORT");
    expect_mistake("queue: {type: redos}\n", "t.yaml:1:15: queue.type: \"redos\" is not known");
    expect_mistake("include: [more.yaml]\n", "t.yaml:1:10: include: no file can be included here");
    expect_mistake("a: [1\n", "t.yaml:2:1: not YAML: ");
    expect_mistake("- a\n", "t.yaml:1:1: not a map");
}

static void tells_all_mistakes_in_file_order(void **state)
{
    static const char *const expected[] = {
        "t.yaml:1:7: lang: \"de\" is not known; write one of en, fr",
        "t.yaml:3:3: brands[0].name: missing",
        "t.yaml:3:3: brands[0].nmae: unknown key",
        "t.yaml:4:13: brands[0].domains[0]: ",
        "t.yaml:6:12: routes[0].brands[0]: there is no brand",
        "t.yaml:7:14: routes[0].channels[0]: there is no channel",
        "t.yaml:8:10: limits.documents: unknown key",
        "t.yaml:8:37: limits.connections: \"0\" is too small",
        NULL,
    };
    expect_mistakes("lang: de\nbrands:\n- nmae: x\n  domains: [-]\nroutes:\n- brands: [A]\n"
                    "  channels: [b]\nlimits: {documents: 1, connections: 0}\n",
                    expected);
}

static void checks_domains(void **state)
{
    static const char *const good[] = {
        "acme.example",   "ACME.Example.", "a.b.c.example", "xn--bcher-kva.example",
        "bücher.example", "1and1.example", "a-b.example"};
    static const struct {
        const char *domain, *advice;
    } bad[] = {
        {"acme", "write it with its ending"},     {"https://acme.example/x", "without https://"},
        {"soc@acme.example", "after the @"},      {"*.acme.example", "leave out the *"},
        {"acme..example", "it may hold letters"}, {".acme.example", "it may hold letters"},
        {"-acme.example", "it may hold letters"}, {"acme-.example", "it may hold letters"},
        {"ac me.example", "it may hold letters"}, {"192.0.2.1", "looks like an address"},
        {"'.'", "write it with its ending"},      {"''", "write it with its ending"},
    };
    char text[512];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text, "brands: [{name: A, domains: [%s]}]", good[i]);
        gt_config_free(parse(text));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gt_error err = {0};
        struct gt_config *config;
        snprintf(text, sizeof text, "brands: [{name: A, domains: ['%s']}]",
                 bad[i].domain[0] == '\'' ? (bad[i].domain[1] == '.' ? "." : "") : bad[i].domain);
        assert_int_equal(gt_config_parse("t", text, strlen(text), &test_kinds, &config, NULL, &err),
                         GT_E_INVALID);
        if (!strstr(err.message, bad[i].advice))
            fail_msg("%s: %s", bad[i].domain, err.message);
    }
}

static void checks_listen_addresses(void **state)
{
    static const char *const good[] = {"127.0.0.1:9090", "[::]:9090", ":0", "localhost:80"};
    static const char *const bad[] = {"9090",    "::1:9090", "host:",     "host:99999",
                                      "host:9x", "[]:1",     "http://x:1"};
    char text[128];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text, "health: {listen: '%s'}", good[i]);
        gt_config_free(parse(text));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "health: {listen: '%s'}", bad[i]);
        expect_mistake(text, "t.yaml:1:18: health.listen: ");
    }
}

/* ---- files ---- */

struct folder {
    char path[64];
    char here[4096];
};

static int enter_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    strcpy(f->path, "/tmp/guette-config-XXXXXX");
    if (!f || !getcwd(f->here, sizeof f->here) || !mkdtemp(f->path) || chdir(f->path))
        return -1;
    *state = f;
    return 0;
}

static int leave_folder(void **state)
{
    struct folder *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->path);
    int rc = chdir(f->here) || system(command);
    free(f);
    return rc;
}

static void put(const char *name, const char *text)
{
    assert_int_equal(gt_file_write(name, text, strlen(text), 0644, NULL), 0);
}

static void reads_a_file_and_its_includes(void **state)
{
    assert_int_equal(gt_directory_make("etc/conf.d", 0755, NULL), 0);
    assert_int_equal(gt_directory_make("etc/secrets", 0755, NULL), 0);
    setenv("GT_TEST_PART", "sources", 1);
    put("etc/guette.yaml", "include: [conf.d/brands.yaml, 'conf.d/${GT_TEST_PART}.yaml']\n"
                           "lang: fr\nqueue: {lease: 7s}\n"
                           "brands: [{name: A, keywords: a}]\n");
    put("etc/conf.d/brands.yaml", "lang: en\ncontact: soc@acme.example\n"
                                  "brands: [{name: B, keywords: b}]\nrules: one\n"
                                  "queue: {lease: 9s, max_deliveries: 3}\n"
                                  "include: conf.d/more.yaml\n");
    put("etc/conf.d/more.yaml", "brands: [{name: C, keywords: c}]\nrules: [two]\n");
    put("etc/conf.d/sources.yaml", "include: conf.d/more.yaml\n"
                                   "sources: [{type: site, site: s, token: file:secrets/t}]\n");
    put("etc/secrets/t", "t0ken\n");
    struct gt_config *config;
    struct gt_mistakes mistakes;
    struct gt_error err = {0};
    if (gt_config_load("etc/guette.yaml", &test_kinds, &config, &mistakes, &err) < 0)
        fail_msg("%s: %s", err.message, mistakes.count ? mistakes.items[0].text : "");
    assert_null(mistakes.arena);
    assert_int_equal(config->lang, GT_FRENCH);
    assert_string_equal(config->contact, "soc@acme.example");
    assert_int_equal(config->queue.lease_ms, 7000);
    assert_int_equal(config->queue.max_deliveries, 3);
    assert_int_equal(config->brands.count, 3);
    assert_string_equal(GT_LIST_ITEM(config->brands, struct gt_brand, 0)->name, "A");
    assert_int_equal(config->rules.count, 2);
    const struct gt_source_config *source =
        GT_LIST_ITEM(config->sources, struct gt_source_config, 0);
    assert_string_equal(((struct test_site *)source->options)->token, "t0ken");
    char real[4096];
    assert_non_null(realpath("etc", real));
    assert_string_equal(config->directory, real);
    assert_true(gt_starts_with(config->data, real));
    gt_config_free(config);
}

static void load_fails(const char *expected)
{
    struct gt_config *config = NULL;
    struct gt_mistakes mistakes;
    struct gt_error err = {0};
    assert_int_equal(gt_config_load("guette.yaml", &test_kinds, &config, &mistakes, &err),
                     GT_E_INVALID);
    assert_null(config);
    assert_true(mistakes.count > 0);
    if (strcmp(mistakes.items[0].text, expected) != 0)
        fail_msg("\"%s\" instead of \"%s\"", mistakes.items[0].text, expected);
    gt_arena_free(mistakes.arena);
}

static void names_mistakes_of_includes(void **state)
{
    put("guette.yaml", "include: a.yaml\n");
    put("a.yaml", "include: b.yaml\n");
    put("b.yaml", "include: a.yaml\n");
    load_fails("b.yaml:1:10: include: files include each other: a.yaml includes b.yaml includes "
               "a.yaml; remove one include");
    put("guette.yaml", "include: guette.yaml\n");
    load_fails("guette.yaml:1:10: include: files include each other: guette.yaml includes "
               "guette.yaml; remove one include");
    put("guette.yaml", "lang: en\ninclude: [gone.yaml]\n");
    load_fails("guette.yaml:2:11: include: cannot read gone.yaml: No such file or directory; check "
               "the path");
    put("guette.yaml", "include: [a.yaml]\n");
    put("a.yaml", "brands:\n- name: 7\n  domain: [x]\n");
    load_fails("a.yaml:2:3: brands[0]: nothing says how to recognise it; add domains, keywords or "
               "patterns");
    put("a.yaml", "- 1\n");
    load_fails("a.yaml:1:1: not a map; write \"key: value\" lines");
    put("a.yaml", "x: [\n");
    load_fails("a.yaml:2:1: not YAML: did not find expected node content; check the indentation, "
               "quotes and brackets here and just before");
    unsetenv("GT_TEST_UNSET");
    put("guette.yaml", "include: ['${GT_TEST_UNSET}']\n");
    load_fails("guette.yaml:1:11: include[0]: \"${GT_TEST_UNSET}\" needs the environment variable "
               "GT_TEST_UNSET, which is not set; set it, or write ${GT_TEST_UNSET:-default}");
}

static void stops_at_deep_includes(void **state)
{
    char name[32], text[64];
    put("guette.yaml", "include: 0.yaml\n");
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "%d.yaml", i);
        snprintf(text, sizeof text, "include: %d.yaml\n", i + 1);
        put(name, text);
    }
    load_fails("7.yaml:1:10: include: more than 256 files, or deeper than 8 levels; include fewer");
}

static void says_what_to_do_without_a_file(void **state)
{
    struct gt_config *config;
    struct gt_mistakes mistakes;
    struct gt_error err = {0};
    assert_int_equal(gt_config_load("none.yaml", &test_kinds, &config, &mistakes, &err),
                     GT_E_NOTFOUND);
    assert_null(mistakes.arena);
    assert_non_null(strstr(err.message, "none.yaml"));
    assert_non_null(strstr(err.message, "guette init"));
}

static void never_reads_files_from_memory(void **state)
{
    expect_mistake("sources: [{type: site, site: s, token: 'file:/etc/passwd'}]\n",
                   "t.yaml:1:40: sources[0].token: the secret may not name a file here");
}

static void gives_a_schema_of_everything(void **state)
{
    GT_JSON_AUTO json_t *schema = gt_config_schema(&test_kinds);
    assert_non_null(schema);
    const json_t *properties = json_object_get(schema, "properties");
    for (const struct gt_option *o = gt_config_options; o->type; o++)
        assert_non_null(json_object_get(properties, o->name));
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(1 << 20);
    assert_int_equal(gt_json_append(schema, &text), 0);
    assert_non_null(strstr(text.data, "\"const\":\"webhook\""));
    /* The default kind of queue needs no type, the other does. */
    const json_t *queues = json_object_get(json_object_get(properties, "queue"), "oneOf");
    assert_int_equal(json_array_size(json_object_get(json_array_get(queues, 0), "required")), 0);
    assert_int_equal(json_array_size(json_object_get(json_array_get(queues, 1), "required")), 1);
    GT_JSON_AUTO json_t *bare = gt_config_schema(NULL);
    assert_non_null(bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_a_whole_file),
        cmocka_unit_test(has_sane_defaults),
        cmocka_unit_test(tells_each_mistake_with_its_place),
        cmocka_unit_test(tells_all_mistakes_in_file_order),
        cmocka_unit_test(checks_domains),
        cmocka_unit_test(checks_listen_addresses),
        cmocka_unit_test_setup_teardown(reads_a_file_and_its_includes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(names_mistakes_of_includes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(stops_at_deep_includes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(says_what_to_do_without_a_file, enter_folder, leave_folder),
        cmocka_unit_test(never_reads_files_from_memory),
        cmocka_unit_test(gives_a_schema_of_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
