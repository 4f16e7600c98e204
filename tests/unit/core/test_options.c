#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/core.h"

struct part {
    const char *name;
    int64_t weight;
};

struct round_kind {
    double radius;
};

struct shape {
    const char *type;
    const struct gt_kind *kind;
    void *options;
};

struct thing {
    bool enabled;
    int64_t count, every;
    double share;
    uint64_t size;
    const char *name, *password;
    int colour;
    struct gt_list tags, parts, shapes;
    struct part main_part;
};

static const struct gt_option round_options[] = {
    {"radius", GT_OPTION_NUMBER, offsetof(struct round_kind, radius), "1", "how wide", 0, NULL, 0.5,
     9},
    {0},
};
static const struct gt_option square_options[] = {{0}};
static const struct gt_kind round_kind = {"round", "a disc", round_options,
                                          sizeof(struct round_kind)};
static const struct gt_kind square_kind = {"square", "a box", square_options, 1};

static const struct gt_kind *const *shape_kinds(void *context)
{
    static const struct gt_kind *const kinds[] = {&round_kind, &square_kind, NULL};
    (void)context;
    return kinds;
}

static int check_name(const char *value, struct gt_error *err)
{
    return strchr(value, ' ') ? gt_fail(err, GT_E_INVALID, "holds a space; write it as one word")
                              : 0;
}

static const char *const colours[] = {"red", "green", NULL};

static const struct gt_option part_options[] = {
    {"name", GT_OPTION_STRING, offsetof(struct part, name), NULL, "the part's name",
     GT_OPTION_REQUIRED},
    {"weight", GT_OPTION_INT, offsetof(struct part, weight), "7", "in grams", 0, NULL, 1, 100},
    {0},
};

static const struct gt_option shape_options[] = {
    {"type", GT_OPTION_STRING, offsetof(struct shape, type), NULL, "which shape",
     GT_OPTION_REQUIRED},
    {0},
};

#define AT(field) offsetof(struct thing, field)
static const struct gt_option options[] = {
    {"enabled", GT_OPTION_BOOL, AT(enabled), "true", "whether it is used"},
    {"count", GT_OPTION_INT, AT(count), "3", "how many", 0, NULL, 1, 10},
    {"every", GT_OPTION_DURATION, AT(every), "5m", "how often", 0, NULL, 1000, 0},
    {"share", GT_OPTION_NUMBER, AT(share), "0.1", "which share", 0, NULL, 0, 1},
    {"size", GT_OPTION_SIZE, AT(size), "10MiB", "how large"},
    {"name", GT_OPTION_STRING, AT(name), NULL, "its name", .check = check_name},
    {"password", GT_OPTION_SECRET, AT(password), NULL, "the key to it", .check = check_name},
    {"colour", GT_OPTION_ENUM, AT(colour), "green", "its colour", .choices = colours},
    {"tags", GT_OPTION_STRING, AT(tags), "[a, b]", "labels", GT_OPTION_LIST},
    {"parts", GT_OPTION_STRUCT, AT(parts), NULL, "what it is made of", GT_OPTION_LIST,
     .nested = part_options, .nested_size = sizeof(struct part), .shorthand = "name"},
    {"shapes", GT_OPTION_STRUCT, AT(shapes), NULL, "its shapes", GT_OPTION_LIST,
     .nested = shape_options, .nested_size = sizeof(struct shape), .kinds = shape_kinds,
     .kind_offset = offsetof(struct shape, kind),
     .kind_options_offset = offsetof(struct shape, options)},
    {"main", GT_OPTION_STRUCT, AT(main_part), NULL, "the main part", .nested = part_options,
     .nested_size = sizeof(struct part)},
    {0},
};

struct fixture {
    struct gt_arena *arena;
    struct gt_mistakes mistakes;
    struct thing thing;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = gt_arena_new((size_t)16 * 1024 * 1024);
    f->mistakes.arena = f->arena;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gt_arena_free(f->arena);
    free(f);
    return 0;
}

static size_t decode(struct fixture *f, const char *text)
{
    struct gt_node *root;
    struct gt_error err;
    const struct gt_option_decoder decoder = {
        .arena = f->arena, .mistakes = &f->mistakes, .expand = true, .directory = "/tmp"};
    f->mistakes = (struct gt_mistakes){.arena = f->arena};
    if (gt_yaml_parse("t.yaml", text, strlen(text), f->arena, &root, &err) < 0)
        fail_msg("%s", err.message);
    return gt_options_decode(&decoder, root, options, &f->thing, sizeof f->thing);
}

static void expect_one(struct fixture *f, const char *text, const char *mistake)
{
    size_t n = decode(f, text);
    if (n != 1 || strcmp(f->mistakes.items[0].text, mistake) != 0)
        fail_msg("%s: %zu mistakes: \"%s\" instead of \"%s\"", text, n,
                 n ? f->mistakes.items[0].text : "", mistake);
}

static void fills_the_struct(void **state)
{
    struct fixture *f = *state;
    size_t n = decode(f, "enabled: off\ncount: 4\nevery: 90s\nshare: 0.5\nsize: 2KiB\n"
                         "name: acme\npassword: s3cret\ncolour: red\ntags: [x]\n"
                         "parts: [axle, {name: wheel, weight: 9}]\n"
                         "shapes:\n- type: round\n  radius: 2\n- type: square\n"
                         "main: {name: hub}\n");
    assert_int_equal(n, 0);
    const struct thing *t = &f->thing;
    assert_false(t->enabled);
    assert_int_equal(t->count, 4);
    assert_int_equal(t->every, 90000);
    assert_true(t->share == 0.5);
    assert_int_equal(t->size, 2048);
    assert_string_equal(t->name, "acme");
    assert_string_equal(t->password, "s3cret");
    assert_int_equal(t->colour, 0);
    assert_int_equal(t->tags.count, 1);
    assert_string_equal(*GT_LIST_ITEM(t->tags, const char *, 0), "x");
    assert_string_equal(GT_LIST_ITEM(t->parts, struct part, 0)->name, "axle");
    assert_int_equal(GT_LIST_ITEM(t->parts, struct part, 0)->weight, 7);
    assert_int_equal(GT_LIST_ITEM(t->parts, struct part, 1)->weight, 9);
    const struct shape *shape = GT_LIST_ITEM(t->shapes, struct shape, 0);
    assert_ptr_equal(shape->kind, &round_kind);
    assert_true(((struct round_kind *)shape->options)->radius == 2);
    assert_ptr_equal(shape[1].kind, &square_kind);
    assert_string_equal(t->main_part.name, "hub");
    assert_int_equal(t->main_part.weight, 7);
}

static void fills_in_defaults(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(decode(f, "count:\n"), 0);
    struct thing alone;
    assert_int_equal(gt_options_default(f->arena, options, &alone, sizeof alone, NULL), 0);
    const struct thing *both[] = {&f->thing, &alone};
    for (size_t i = 0; i < 2; i++) {
        assert_true(both[i]->enabled);
        assert_int_equal(both[i]->count, 3);
        assert_int_equal(both[i]->every, 300000);
        assert_int_equal(both[i]->size, 10485760);
        assert_int_equal(both[i]->colour, 1);
        assert_int_equal(both[i]->tags.count, 2);
        assert_null(both[i]->name);
        assert_int_equal(both[i]->main_part.weight, 7);
        assert_null(both[i]->main_part.name);
    }
}

static void takes_a_single_value_as_a_list(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(decode(f, "tags: one\nparts: axle\n"), 0);
    assert_int_equal(f->thing.tags.count, 1);
    assert_string_equal(GT_LIST_ITEM(f->thing.parts, struct part, 0)->name, "axle");
}

static void says_what_is_wrong_and_what_to_do(void **state)
{
    static const struct {
        const char *text, *mistake;
    } cases[] = {
        {"enabled: maybe", "t.yaml:1:10: enabled: \"maybe\" is neither true nor false; write one "
                           "of them"},
        {"count: four", "t.yaml:1:8: count: \"four\" is not a whole number; write digits only, "
                        "like 4"},
        {"count: 0x4", "t.yaml:1:8: count: \"0x4\" is not a whole number; write digits only, like "
                       "4"},
        {"count: 0", "t.yaml:1:8: count: \"0\" is too small; the least is 1"},
        {"count: 11", "t.yaml:1:8: count: \"11\" is too large; the most is 10"},
        {"count: 99999999999999999999", "t.yaml:1:8: count: \"99999999999999999999\" is too large "
                                        "for a whole number"},
        {"share: .nan", "t.yaml:1:8: share: \".nan\" is not a number; write it like 4 or 0.5"},
        {"share: 1e999", "t.yaml:1:8: share: \"1e999\" is not a number; write it like 4 or 0.5"},
        {"every: 5 parsecs", "t.yaml:1:8: every: \"5 parsecs\" is not a duration; write a number "
                             "and a unit, like 90s, 5m, 12h or 3d"},
        {"every: 1ms", "t.yaml:1:8: every: \"1ms\" is too small; the least is 1 s"},
        {"size: huge", "t.yaml:1:7: size: \"huge\" is not a size; write a number and a unit, like "
                       "512KiB, 10MiB or 2GiB"},
        {"colour: gren", "t.yaml:1:9: colour: \"gren\" is not known; did you mean \"green\"? (red, "
                         "green)"},
        {"colour: ultraviolet", "t.yaml:1:9: colour: \"ultraviolet\" is not known; write one of "
                                "red, green"},
        {"name: a b", "t.yaml:1:7: name: \"a b\" holds a space; write it as one word"},
        {"name: \"a\\0b\"", "t.yaml:1:7: name: \"a\" holds a NUL character; remove it"},
        {"name: [a]", "t.yaml:1:7: name: a list stands here; write a single value (its name)"},
        {"nmae: a", "t.yaml:1:1: nmae: unknown key; did you mean \"name\"?"},
        {"main: {name: a, wieght: 1}",
         "t.yaml:1:17: main.wieght: unknown key; did you mean \"weight\"?"},
        {"main: {name: a, colour: 1}",
         "t.yaml:1:17: main.colour: unknown key; remove it, or take one of name, weight"},
        {"main: {weight: 1}", "t.yaml:1:7: main.name: missing; write the part's name"},
        {"main: {name: ''}", "t.yaml:1:14: main.name: \"\" is empty; write the part's name"},
        {"main: hub", "t.yaml:1:7: main: a single value stands here; write keys and values (the "
                      "main part)"},
        {"parts: [{name: a}, {weight: 2}]",
         "t.yaml:1:20: parts[1].name: missing; write the part's name"},
        {"parts: {name: a}", "t.yaml:1:8: parts: not a list; write each item on a line of its own, "
                             "after \"- \" (what it is made of)"},
        {"tags: [a, ]\n", NULL},
        {"tags:\n- a\n-\n", "t.yaml:3:2: tags[1]: nothing stands here; write a value or remove the "
                            "line"},
        {"shapes: [{radius: 1}]", "t.yaml:1:10: shapes[0].type: missing; write which shape"},
        {"shapes: [{type: rond}]",
         "t.yaml:1:17: shapes[0].type: \"rond\" is not known; did you mean \"round\"?"},
        {"shapes: [{type: hexagon}]",
         "t.yaml:1:17: shapes[0].type: \"hexagon\" is not known; write one of round, square"},
        {"shapes: [{type: round, radius: 10}]",
         "t.yaml:1:32: shapes[0].radius: \"10\" is too large; the most is 9"},
        {"shapes: [{type: square, radius: 1}]",
         "t.yaml:1:25: shapes[0].radius: unknown key; remove it, or take one of type"},
        {"[a]", "t.yaml:1:1: not a map; write \"key: value\" lines"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].mistake)
            expect_one(*state, cases[i].text, cases[i].mistake);
        else
            assert_int_equal(decode(*state, cases[i].text), 0);
    }
}

static void collects_every_mistake_in_file_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(decode(f, "colr: red\nsize: x\ncount: 0\nenabled: 7\n"), 4);
    gt_mistakes_sort(&f->mistakes);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(f->mistakes.items[i].line, i + 1);
}

static void keeps_no_more_mistakes_than_the_cap(void **state)
{
    struct fixture *f = *state;
    struct gt_buffer text = GT_BUFFER(1 << 20);
    for (int i = 0; i < 1000; i++)
        gt_buffer_printf(&text, "unknown%d: 1\n", i);
    assert_int_equal(decode(f, text.data), 1000);
    assert_int_equal(f->mistakes.count, GT_MISTAKES_MAX);
    gt_buffer_free(&text);
}

static void fills_in_variables(void **state)
{
    struct fixture *f = *state;
    setenv("GT_TEST_NAME", "acme", 1);
    setenv("GT_TEST_COUNT", "9", 1);
    setenv("GT_TEST_EMPTY", "", 1);
    unsetenv("GT_TEST_UNSET");
    assert_int_equal(decode(f, "name: x-${GT_TEST_NAME}-$y\ncount: ${GT_TEST_COUNT}\n"
                               "tags: ['${GT_TEST_UNSET:-a:-b}', '${GT_TEST_EMPTY:-c}', "
                               "'$${GT_TEST_NAME}', '${GT_TEST_EMPTY}']\n"),
                     0);
    assert_string_equal(f->thing.name, "x-acme-$y");
    assert_int_equal(f->thing.count, 9);
    static const char *const tags[] = {"a:-b", "c", "${GT_TEST_NAME}", ""};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(*GT_LIST_ITEM(f->thing.tags, const char *, i), tags[i]);

    assert_int_equal(decode(f, "name: ${GT_TEST_UNSET:-}\npassword: ${GT_TEST_EMPTY}\n"), 0);
    assert_null(f->thing.name);
    assert_null(f->thing.password);
    expect_one(f, "main: {name: '${GT_TEST_EMPTY}'}",
               "t.yaml:1:14: main.name: \"${GT_TEST_EMPTY}\" is empty; write the part's name");
    expect_one(f, "name: ${GT_TEST_UNSET}",
               "t.yaml:1:7: name: \"${GT_TEST_UNSET}\" needs the environment variable "
               "GT_TEST_UNSET, which is not set; set it, or write ${GT_TEST_UNSET:-default}");
    expect_one(f, "name: ${GT_TEST_NAME",
               "t.yaml:1:7: name: \"${GT_TEST_NAME\" has a ${ that is never closed; write "
               "${NAME}, or $${ for a plain ${");
    expect_one(f, "name: ${a-b}",
               "t.yaml:1:7: name: \"${a-b}\" has a ${...} that is no variable; write ${NAME} or "
               "${NAME:-default}, or $${ for a plain ${");
}

static void what_it_quotes_it_reads(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"acme",    "${HOME}",     "$${x}",     "$",
                                        "a\"b\\c", "caf\xc3\xa9", "- x: #1\n", "null"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct gt_buffer text = GT_BUFFER(100);
        gt_buffer_puts(&text, "tags: [");
        assert_int_equal(gt_append_quoted(&text, texts[i]), 0);
        gt_buffer_puts(&text, "]");
        assert_int_equal(decode(f, text.data), 0);
        assert_string_equal(*GT_LIST_ITEM(f->thing.tags, const char *, 0), texts[i]);
        gt_buffer_free(&text);
    }
}

static void never_quotes_a_secret(void **state)
{
    struct fixture *f = *state;
    setenv("GT_TEST_SECRET", "hunter two", 1);
    static const char *const texts[] = {
        "password: hunter two",     "password: ${GT_TEST_SECRET}", "name: ${GT_TEST_SECRET}",
        "count: ${GT_TEST_SECRET}", "password: [hunter two]",      "password: {hunter two: x}",
        "main: [hunter two]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(decode(f, texts[i]), 1);
        assert_null(strstr(f->mistakes.items[0].text, "hunter"));
    }
}

static void reads_secrets_from_files(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/guette-secret-XXXXXX", text[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "pass:word\r\n", 11), 11);
    close(fd);
    snprintf(text, sizeof text, "password: file:%s\n", path + strlen("/tmp/"));
    assert_int_equal(decode(f, text), 0);
    assert_string_equal(f->thing.password, "pass:word");
    snprintf(text, sizeof text, "password: file:%s\n", path);
    assert_int_equal(decode(f, text), 0);
    assert_string_equal(f->thing.password, "pass:word");

    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(decode(f, text), 1);
    assert_non_null(strstr(f->mistakes.items[0].text, "the secret is empty: write it into"));
    unlink(path);
    assert_int_equal(decode(f, text), 1);
    assert_non_null(strstr(f->mistakes.items[0].text, path));
    assert_non_null(strstr(f->mistakes.items[0].text, "cannot be read from its file"));

    struct gt_error err = {0};
    const char *untouched = NULL;
    assert_int_equal(gt_expand_secret("file:x", NULL, f->arena, &untouched, &err), GT_E_REFUSED);
    assert_null(untouched);
}

static void leaves_variables_alone_unless_asked(void **state)
{
    struct fixture *f = *state;
    struct gt_node *root;
    const char *text = "name: ${GT_TEST_UNSET}\npassword: file:x\n";
    assert_int_equal(gt_yaml_parse("t", text, strlen(text), f->arena, &root, NULL), 0);
    const struct gt_option_decoder decoder = {.arena = f->arena, .mistakes = &f->mistakes};
    assert_int_equal(gt_options_decode(&decoder, root, options, &f->thing, sizeof f->thing), 0);
    assert_string_equal(f->thing.name, "${GT_TEST_UNSET}");
    assert_string_equal(f->thing.password, "file:x");
}

static void shows_no_control_characters(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(decode(f, "\"x\\e[2J\\ny\": 1\n"), 1);
    assert_null(strchr(f->mistakes.items[0].text, '\033'));
    assert_null(strchr(f->mistakes.items[0].text, '\n'));
}

static void survives_a_small_arena(void **state)
{
    struct fixture *f = *state;
    struct gt_node *root;
    const char *text = "tags: [a, b, c]\nparts: [a, b, c]\nshapes: [{type: round}]\n";
    assert_int_equal(gt_yaml_parse("t", text, strlen(text), f->arena, &root, NULL), 0);
    for (size_t size = 16; size < 1024; size += 16) {
        GT_ARENA_AUTO struct gt_arena *small = gt_arena_new(size);
        const struct gt_option_decoder decoder = {
            .arena = small, .mistakes = &f->mistakes, .expand = true};
        size_t n = gt_options_decode(&decoder, root, options, &f->thing, sizeof f->thing);
        assert_true(n > 0 || f->thing.shapes.count == 1);
    }
}

static const json_t *at(const json_t *schema, const char *key)
{
    return json_object_get(json_object_get(schema, "properties"), key);
}

static void describes_itself_as_a_schema(void **state)
{
    GT_JSON_AUTO json_t *schema = gt_options_schema(options, NULL);
    assert_non_null(schema);
    assert_string_equal(gt_json_string(schema, "$schema", ""),
                        "https://json-schema.org/draft/2020-12/schema");
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    for (const struct gt_option *o = options; o->type; o++)
        assert_string_equal(gt_json_string(at(schema, o->name), "description", ""), o->help);
    assert_int_equal(gt_json_int(at(schema, "count"), "maximum", 0), 10);
    assert_int_equal(gt_json_int(at(schema, "count"), "default", 0), 3);
    const json_t *parts = json_array_get(json_object_get(at(schema, "parts"), "anyOf"), 0);
    const json_t *map =
        json_array_get(json_object_get(json_object_get(parts, "items"), "anyOf"), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(map, "required"), 0)),
                        "name");
    const json_t *kinds = json_object_get(json_object_get(at(schema, "shapes"), "items"), "oneOf");
    assert_int_equal(json_array_size(kinds), 2);
    assert_string_equal(gt_json_string(at(json_array_get(kinds, 0), "type"), "const", ""), "round");
    assert_int_equal(json_array_size(json_object_get(json_array_get(kinds, 0), "required")), 1);
    assert_non_null(at(json_array_get(kinds, 0), "radius"));
    assert_null(at(json_array_get(kinds, 1), "radius"));
}

static void describes_itself_as_help(void **state)
{
    struct gt_buffer out = GT_BUFFER(65536);
    assert_int_equal(gt_options_help(options, &out), 0);
    static const char *const lines[] = {
        "  every                        duration         how often (default 5m)\n",
        "  colour                       red | green      its colour (default green)\n",
        "  parts[].name                 text             the part's name (required)\n",
        "  tags                         list of text     labels (default [a, b])\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(out.data, lines[i]))
            fail_msg("\"%s\" is not in:\n%s", lines[i], out.data);
    gt_buffer_free(&out);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fills_the_struct),
        TEST(fills_in_defaults),
        TEST(takes_a_single_value_as_a_list),
        TEST(says_what_is_wrong_and_what_to_do),
        TEST(collects_every_mistake_in_file_order),
        TEST(keeps_no_more_mistakes_than_the_cap),
        TEST(fills_in_variables),
        TEST(what_it_quotes_it_reads),
        TEST(never_quotes_a_secret),
        TEST(reads_secrets_from_files),
        TEST(leaves_variables_alone_unless_asked),
        TEST(shows_no_control_characters),
        TEST(survives_a_small_arena),
        TEST(describes_itself_as_a_schema),
        TEST(describes_itself_as_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
