#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

static int setup(void **state)
{
    *state = gt_arena_new((size_t)64 * 1024 * 1024);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    gt_arena_free(*state);
    return 0;
}

static int parse(struct gt_arena *arena, const char *text, struct gt_node **ret,
                 struct gt_error *err)
{
    return gt_yaml_parse("t.yaml", text, strlen(text), arena, ret, err);
}

static void reads_a_tree_with_its_places(void **state)
{
    struct gt_node *root;
    assert_int_equal(
        parse(*state, "name: Acme\nports: [80, '443']\nsmtp:\n  host: mail.example\n", &root, NULL),
        0);
    assert_int_equal(root->type, GT_NODE_MAP);
    assert_int_equal(root->count, 3);

    const struct gt_node *name = gt_node_member(root, "name");
    assert_string_equal(name->text, "Acme");
    assert_int_equal(name->len, 4);
    assert_string_equal(name->file, "t.yaml");
    assert_int_equal(name->line, 1);
    assert_int_equal(name->column, 7);
    assert_int_equal(name->key_column, 1);

    const struct gt_node *ports = gt_node_member(root, "ports");
    assert_int_equal(ports->type, GT_NODE_LIST);
    assert_true(ports->first->plain);
    assert_false(ports->first->next->plain);
    assert_string_equal(ports->first->next->text, "443");
    assert_null(ports->first->next->next);

    const struct gt_node *host = gt_node_member(gt_node_member(root, "smtp"), "host");
    assert_int_equal(host->line, 4);
    assert_int_equal(host->column, 9);
    assert_null(gt_node_member(root, "Name"));
}

static void knows_null_from_quoted_text(void **state)
{
    struct gt_node *root;
    assert_int_equal(parse(*state, "a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: []\n", &root, NULL), 0);
    const char *const nulls[] = {"a", "b", "c", "missing"}, *const values[] = {"d", "e", "f"};
    for (size_t i = 0; i < 4; i++)
        assert_true(gt_node_is_null(gt_node_member(root, nulls[i])));
    for (size_t i = 0; i < 3; i++)
        assert_false(gt_node_is_null(gt_node_member(root, values[i])));
}

static void reads_an_empty_file_as_null(void **state)
{
    static const char *const texts[] = {"", "# only a comment\n", "---\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct gt_node *root = NULL;
        assert_int_equal(parse(*state, texts[i], &root, NULL), 0);
        assert_true(root && gt_node_is_null(root));
    }
}

static void keeps_nul_characters_of_quoted_text(void **state)
{
    struct gt_node *root;
    assert_int_equal(parse(*state, "a: \"x\\0y\"\n", &root, NULL), 0);
    assert_int_equal(root->first->len, 3);
    assert_memory_equal(root->first->text, "x\0y", 4);
}

static void says_what_is_wrong_and_where(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: the key \"a\" stands here for the second time (first "
                               "at line 1); keep one of them"},
        {"x:\n  <<: {a: 1}\n", "t.yaml:2:3: merge keys"},
        {"a: *b\n", "t.yaml:1:4: aliases"},
        {"a: &b c\n", "t.yaml:1:4: anchors"},
        {"a: &b [c]\n", "t.yaml:1:4: anchors"},
        {"a: !!python/object x\n", "t.yaml:1:4: tags"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: a second YAML document"},
        {"[a, b]: c\n", "t.yaml:1:1: a key is a list or map"},
        {"? {a: b}\n: c\n", "t.yaml:1:3: a key is a list or map"},
        {"\"a\\0b\": c\n", "t.yaml:1:1: a key holds a NUL"},
        {"a:\n\tb: 1\n", "t.yaml:2:1: not YAML: found character that cannot start any token; "
                         "indent with spaces"},
        {"a: b: c\n", "t.yaml:1:5: not YAML: mapping values are not allowed in this context; put"},
        {"a: [1, 2\n", "t.yaml:2:1: not YAML: "},
        {"a: 'b\n", "t.yaml:2:1: not YAML: "},
        {"a: \xff\xfe\n", "t.yaml:1:4: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gt_node *untouched = NULL;
        struct gt_error err = {0};
        assert_int_equal(parse(*state, cases[i].text, &untouched, &err), GT_E_INVALID);
        assert_null(untouched);
        if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s: got \"%s\"", cases[i].text, err.message);
    }
}

static void stops_at_its_caps(void **state)
{
    struct gt_error err = {0};
    struct gt_node *root;
    char deep[2 * GT_YAML_MAX_DEPTH + 3];
    memset(deep, '[', sizeof deep);
    memset(deep + GT_YAML_MAX_DEPTH, ']', GT_YAML_MAX_DEPTH);
    deep[2 * GT_YAML_MAX_DEPTH] = '\0';
    assert_int_equal(parse(*state, deep, &root, &err), 0);
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(parse(*state, deep, &root, &err), GT_E_LIMIT);
    assert_non_null(strstr(err.message, "deeper than 32 levels"));

    char *many = malloc(2 * (size_t)GT_YAML_MAX_NODES + 8);
    assert_non_null(many);
    many[0] = '[';
    for (size_t i = 0; i < GT_YAML_MAX_NODES; i++)
        memcpy(many + 1 + 2 * i, "1,", 2);
    memcpy(many + 1 + 2 * (size_t)GT_YAML_MAX_NODES, "]", 2);
    struct gt_arena *large = gt_arena_new((size_t)512 * 1024 * 1024);
    assert_int_equal(parse(large, many, &root, &err), GT_E_LIMIT);
    assert_non_null(strstr(err.message, "too many values"));
    gt_arena_free(large);
    free(many);

    char *big = calloc(1, GT_YAML_MAX_SIZE + 1);
    assert_non_null(big);
    assert_int_equal(gt_yaml_parse("t.yaml", big, GT_YAML_MAX_SIZE + 1, *state, &root, &err),
                     GT_E_LIMIT);
    free(big);

    struct gt_arena *small = gt_arena_new(256);
    assert_int_equal(parse(small, "[a, b, c, d, e]", &root, &err), GT_E_LIMIT);
    gt_arena_free(small);
}

/* A map of very many keys must not take quadratic time to check for duplicates. */
static void finds_duplicates_among_many_keys(void **state)
{
    struct gt_buffer text = GT_BUFFER(GT_YAML_MAX_SIZE);
    for (int i = 0; i < 50000; i++)
        gt_buffer_printf(&text, "key%d: 1\n", i);
    gt_buffer_puts(&text, "key7: 1\n");
    struct gt_node *root;
    struct gt_error err = {0};
    assert_int_equal(gt_yaml_parse("t.yaml", text.data, text.len, *state, &root, &err),
                     GT_E_INVALID);
    assert_string_equal(err.message, "t.yaml:50001:1: the key \"key7\" stands here for the second "
                                     "time (first at line 8); keep one of them");
    gt_buffer_free(&text);
}

static void names_a_missing_file(void **state)
{
    struct gt_node *root;
    struct gt_error err = {0};
    assert_int_equal(gt_yaml_load("/nonexistent/x.yaml", *state, &root, &err), GT_E_NOTFOUND);
    assert_non_null(strstr(err.message, "/nonexistent/x.yaml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_tree_with_its_places, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_null_from_quoted_text, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_an_empty_file_as_null, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_nul_characters_of_quoted_text, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_and_where, setup, teardown),
        cmocka_unit_test_setup_teardown(stops_at_its_caps, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_duplicates_among_many_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(names_a_missing_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
