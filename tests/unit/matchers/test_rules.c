/* Rule files: what is refused and with which words; what a build learns, keeps and does without. */
#include "engine.h"

#include "matchers/loosen.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE(lines)                                                                                \
    "provider: T\nrules:\n  - id: t.one\n    name: One\n    severity: low\n    revoke: "           \
    "None.\n" lines
#define SOUND "    regex: 'one_[0-9]{4}'\n    examples: [one_1234]\n"

static const struct gt_ruleset_settings all = {.without_brand = true};

static void mistakes(void **state)
{
    static const struct {
        const char *rules, *at, *words;
    } rows[] = {
        {RULE("    examples: [x]\n    regex: '(a'\n"), "rules.yaml:8:12: rules[0].regex",
         "offset 2"},
        {RULE("    examples: [x]\n    regex: 'a*'\n"), "rules.yaml:8:12", "empty text"},
        {RULE("    examples: [x]\n    regex: '(?<secret>a)|(?J)(?<secret>b)'\n"), "rules.yaml:8:12",
         "several groups"},
        {RULE("    examples: [x]\n    regex: '(*UTF)a'\n"), "rules.yaml:8:12", "offset"},
        {RULE(SOUND "    checks: [lunh]\n"), "rules.yaml:9:14: rules[0].checks[0]",
         "did you mean \"luhn\""},
        {RULE(SOUND "    required_checks: [nothing-like-it]\n"), "rules.yaml:9:23",
         "docs/RULES.md"},
        {RULE(SOUND "    keywords: [a]\n"), "rules.yaml:9:16", "2 to 200"},
        {RULE(SOUND "    keyword: [ab]\n"), "rules.yaml:9:5", "did you mean \"keywords\""},
        {RULE(SOUND "    category: credentials\n"), "rules.yaml:9:15", "credential"},
        {RULE(SOUND "    entropy: 9\n"), "rules.yaml:9:14", "8"},
        {RULE(SOUND "    near: {within: 10}\n"), "rules.yaml:9", "regex"},
        {RULE(SOUND "    reject: ['[']\n"), "rules.yaml:9:14", "offset"},
        {RULE("    regex: 'one_[0-9]{4}'\n"), "rules.yaml", "examples"},
        {RULE(SOUND) "  - id: t.one\n    name: Again\n    severity: low\n    revoke: "
                     "None.\n" SOUND,
         "rules.yaml:9:9: id", "already"},
        {"provider: T\nrules:\n  - {id: One, name: One, severity: low, revoke: N., regex: "
         "ab, "
         "examples: [ab]}\n",
         "rules.yaml:3:10", "lower case"},
        {"provider: [\n", "rules.yaml:", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct engine engine;
        char first[1024];
        assert_int_equal(engine_try(&engine, rows[i].rules, &all, first, sizeof first),
                         GT_E_INVALID);
        if (!strstr(first, rows[i].at) || !strstr(first, rows[i].words))
            fail_msg("row %zu: %s (wanted %s ... %s)", i, first, rows[i].at, rows[i].words);
        engine_close(&engine);
    }
}

static void all_mistakes_at_once(void **state)
{
    struct gt_mistakes mistakes = {0};
    struct gt_ruleset *ruleset = NULL;
    struct gt_error err;
    char directory[] = "/tmp/guette-test-XXXXXX", path[64];
    static const char text[] = RULE("    regex: '('\n    examples: []\n    colour: red\n");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.yaml", directory);
    assert_int_equal(gt_file_write(path, text, strlen(text), 0600, NULL), 0);
    const char *const directories[] = {directory, NULL};
    const struct gt_ruleset_settings settings = {.directories = directories,
                                                 .without_builtin = true};
    assert_int_equal(gt_ruleset_open(&settings, &ruleset, &mistakes, &err), GT_E_INVALID);
    assert_null(ruleset);
    assert_int_equal(mistakes.count, 3);
    gt_arena_free(mistakes.arena);
    assert_int_equal(gt_ruleset_open(&settings, &ruleset, NULL, &err), GT_E_INVALID);
    unlink(path);
    rmdir(directory);
    assert_int_equal(gt_ruleset_open(&settings, &ruleset, NULL, &err), GT_E_IO);
}

static void report(void *user, const char *rule, const char *failure)
{
    strcat(user, failure);
    strcat(user, "\n");
}

/* A wrong example is told by the proof; the ruleset works all the same. */
static void failed_proof(void **state)
{
    static const char rules[] = RULE("    regex: 'one_[0-9]{4}'\n"
                                     "    examples: ['one_1234', 'one_12', 'one_1234 one_5678']\n"
                                     "    negative_examples: ['one_9999', 'nothing']\n");
    struct engine engine;
    const char *const *warnings;
    char failures[1024] = "";
    engine_open(&engine, rules, &all);
    assert_int_equal(gt_ruleset_warnings(engine.ruleset, &warnings), 1);
    assert_non_null(strstr(warnings[0], "example 2"));
    assert_int_equal(gt_ruleset_prove(engine.ruleset, report, failures, &engine.err), 3);
    assert_non_null(strstr(failures, "example 2 is not found"));
    assert_non_null(strstr(failures, "example 3 gives 2 findings"));
    assert_non_null(strstr(failures, "negative example 1"));
    engine_close(&engine);
}

/* Its trigger misses an example, or Vectorscan has no way: PCRE2 reads everything, and says so. */
static void found_alone(void **state)
{
    static const char *const rules[] = {
        RULE("    keywords: [two_]\n" SOUND),
        RULE("    regex: '(?x) one_ [0-9]{4} (?# four )'\n    examples: [one_1234]\n"),
        RULE("    regex: '(?<a>one)_(?:[0-9](?(a)|x)){4}'\n    examples: [one_1234]\n"),
    };
    size_t alone = 0;
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct engine engine;
        struct result result;
        const char *const *warnings;
        engine_open(&engine, rules[i], &all);
        engine_match(&engine, "x one_5678 y", 12, &result);
        assert_int_equal(result.count, 1);
        assert_int_equal(result.items[0].finding.column, 3);
        alone += gt_ruleset_warnings(engine.ruleset, &warnings);
        result_free(&result);
        engine_close(&engine);
    }
    assert_true(alone >= 1);
}

static void loosened(void **state)
{
    static const struct {
        const char *pattern, *looser, *shorter;
    } rows[] = {
        {"abc", "abc", "abc"},
        {"\\babc\\b", "abc", "abc"},
        {"\\b(abc[0-9]{20,40})\\b", "(abc[0-9]{20,40})", "(abc[0-9]{20})"},
        {"(?<![a-z.])((?:x|y)[0-9]{20,40})(?![\\w)])", "((?:x|y)[0-9]{20,40})",
         "((?:x|y)[0-9]{20})"},
        {"(?i)\\bx+(?=\")", "(?i)x+", "(?i)x"},
        {"x{3,}", "x{3,}", "x{3}"},
        {"x{0,3}y?", "x{0,3}y?", "x{0,3}y?"},
        {"(?:ab){2,9}", "(?:ab){2,9}", "(?:ab){2}"},
        {"a|\\bb{2,3}", "a|b{2,3}", "a|b{2}"},
        {"a(?:c|\\bb)", "a(?:c|\\bb)", "a(?:c|\\bb)"},
        {"[\\]()]{4,5}(?:)", "[\\]()]{4,5}(?:)", "[\\]()]{4,5}(?:)"},
        {"a{,3}", "a{,3}", "a{,3}"},
        {"(a)\\1{2,3}", "(a)\\1{2,3}", "(a)\\1{2,3}"},
        {"(?x)a {2,3}", "(?x)a {2,3}", "(?x)a {2,3}"},
        {"(?:\\b)?x", "(?:)?x", "(?:)?x"},
        {"(?|a(?!b)(c)|(?>d)e++)f", "(?:a(c)|(?:d)e+)f", "(?:a(c)|(?:d)e+)f"},
        {"(?:(?!x).){2,9}", "(?:.){2,9}", "(?:.){2}"},
        {"a\\bc{2,3}+", "a\\bc{2,3}", "a\\bc{2}"},
        {"[[:alpha:]]{2,4}", "[[:alpha:]]{2,4}", "[[:alpha:]]{2}"},
    };
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(gt_pattern_loosen(arena, rows[i].pattern, false), rows[i].looser);
        assert_string_equal(gt_pattern_loosen(arena, rows[i].pattern, true), rows[i].shorter);
    }
}

/* Where a match may begin behind an escape, too: shown here as `#`. */
static void after_escapes(void **state)
{
    static const char escape[] =
        "|(?<=\\\\[nrt]|\\\\x[0-9A-Fa-f]{2}|\\\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}))";
    static const struct {
        const char *pattern, *wider;
    } rows[] = {
        {"abc", "abc"},
        {"\\babc\\b", "(?:\\b#abc\\b"},
        {"(?i)((?<![a-z])a\\bb)", "(?i)((?:(?<![a-z])#a\\bb)"},
        {"(?|\\ba(?:\\bb)|(?<!x)c)\\bd", "(?|(?:\\b#a(?:\\bb)|(?:(?<!x)#c)\\bd"},
        {"(?:\\b)?a(?<=\\w)", "(?:(?:\\b#)?a(?<=\\w)"},
        {"\\b?a|(?=b)\\Bc", "\\b?a|(?=b)\\Bc"},
        {"\\b(a)\\1", "\\b(a)\\1"},
    };
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char expected[1024] = "";
        for (const char *c = rows[i].wider; *c; c++)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
                     *c == '#' ? "%s" : "%.1s", *c == '#' ? escape : c);
        assert_string_equal(gt_pattern_after_escapes(arena, rows[i].pattern), expected);
    }
}

static void before(void **state)
{
    static struct {
        const char *pattern, *keywords[2];
        size_t before;
    } rows[] = {
        {"abc_[0-9]{4}", {"abc_"}, 0},
        {"(?<![a-z])(?:(abc)|x)[0-9]", {"abc"}, 0},
        {"\\b(?i:ab_?)?cd=(x)", {"CD="}, 3},
        {"\\b(?i:ab_?)?cd=(x)", {"CD=", "ABCD"}, 3},
        {"sk-(?:one|two){0,2}-(?:api|admin)[0-9]", {"-api"}, 9},
        {"[0-9a-f]{32,36}KEY", {"KEY"}, 36},
        {"\\s+KEY", {"KEY"}, SIZE_MAX},
        {"(?:long{9}|x)y|zzz:KEY", {"KEY"}, 4},
        {"(?:.KEY){2,3}", {"KEY"}, SIZE_MAX},
        {"a(?:.KEY)?", {"KEY"}, 2},
        {"x[pb]-[0-9]{3}", {"xp-", "xb-"}, 0},
        {"A{5,6}[A-Z]{9}", {"AAAAA"}, 0},
        {"BEGIN KEY-[A-Z]{9}-END KEY-", {"KEY-"}, 6},
        {"[?&](?:x|sig)=.{9}&(?:amp;)?sig=", {"?sig=", "&sig="}, 14},
        {"a\\.b\\sc", {".b c"}, 1},
        {"abc", {"abd"}, SIZE_MAX},
        {"(a)b\\1", {"ab"}, SIZE_MAX},
    };
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gt_list keywords = {rows[i].keywords, rows[i].keywords[1] ? 2 : 1};
        size_t found = gt_pattern_before(arena, rows[i].pattern, &keywords);
        if (found != rows[i].before)
            fail_msg("%s: %zu instead of %zu", rows[i].pattern, found, rows[i].before);
    }
}

/* ---- cache ---- */

static size_t count_files(const char *directory, char *ret_path, size_t size)
{
    DIR *dir = opendir(directory);
    size_t count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        snprintf(ret_path, size, "%s/%s", directory, entry->d_name);
    }
    if (dir)
        closedir(dir);
    return count;
}

static void assert_works(const struct gt_ruleset_settings *settings)
{
    struct engine engine;
    struct result result;
    static const char text[] = "acme.example tco_"
                               "0123456789abcdefABCDEF0123456789 "
                               "testco 0123456789abcdef0123456789abcdef01234567 Écluse";
    engine_open(&engine, engine_rules, settings);
    engine_match(&engine, text, strlen(text), &result);
    assert_int_equal(result.count, 2);
    assert_string_equal(result.items[0].finding.brand, "Acme");
    result_free(&result);
    engine_close(&engine);
}

/* Kept, used, and made anew when damaged in any way; a folder that cannot be written costs nothing
 * but time. */
static void cache(void **state)
{
    static const char *domains[] = {"acme.example"};
    static struct gt_keyword keywords[] = {{"écluse", GT_LOW}};
    const struct gt_brand brand = {
        .name = "Acme", .domains = {domains, 1}, .keywords = {keywords, 1}};
    char directory[] = "/tmp/guette-test-XXXXXX", path[512], deeper[128];
    assert_non_null(mkdtemp(directory));
    snprintf(deeper, sizeof deeper, "%s/a/b", directory);
    struct gt_ruleset_settings settings = {.brands = &brand, .brand_count = 1, .cache = deeper};
    assert_works(&settings);
    assert_int_equal(count_files(deeper, path, sizeof path), 1);
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    assert_works(&settings);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* not written again */
    GT_BUFFER_AUTO struct gt_buffer good = GT_BUFFER(1 << 24);
    assert_int_equal(gt_file_read(path, &good, NULL), 0);
    for (size_t at = 0; at < good.len; at += good.len / 20) {
        good.data[at] ^= 0x40;
        assert_int_equal(gt_file_write(path, good.data, good.len, 0600, NULL), 0);
        good.data[at] ^= 0x40;
        assert_works(&settings);
        assert_int_equal(truncate(path, (off_t)at), 0);
        assert_works(&settings);
    }
    GT_BUFFER_AUTO struct gt_buffer again = GT_BUFFER(1 << 24);
    assert_int_equal(gt_file_read(path, &again, NULL), 0);
    assert_int_equal(again.len, good.len);
    unlink(path);
    rmdir(deeper);
    snprintf(deeper, sizeof deeper, "%s/a", directory);
    rmdir(deeper);
    rmdir(directory);
    settings.cache = "/dev/null/nowhere";
    assert_works(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes),     cmocka_unit_test(all_mistakes_at_once),
        cmocka_unit_test(failed_proof), cmocka_unit_test(found_alone),
        cmocka_unit_test(loosened),     cmocka_unit_test(after_escapes),
        cmocka_unit_test(before),       cmocka_unit_test(cache),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
