/* Assignments in every notation, values a person would call real, runs and shapes. */
#include "engine.h"

#include "matchers/assigned.h"
#include "matchers/runs.h"
#include "matchers/shape.h"
#include "matchers/values.h"

#define VALUE "kAk9-JkwKdr6!c"

/* The value assigned to the first name that holds `word`; "" when there is none. */
static const char *value_of(const char *text, const char *word)
{
    static char value[512];
    const char *at = strcasestr(text, word);
    struct gt_assignment found;
    struct gt_span span = {(size_t)(at - text), (size_t)(at - text) + strlen(word)};
    value[0] = '\0';
    if (gt_assignment_read(text, strlen(text), span, &found))
        snprintf(value, sizeof value, "%.*s", (int)(found.value.end - found.value.start),
                 text + found.value.start);
    return value;
}

static void notations(void **state)
{
    static const char *const rows[] = {
        "PASSWORD=" VALUE,
        "export DB_PASSWORD=" VALUE "\n",
        "password = \"" VALUE "\"",
        "password: " VALUE "\r\n",
        "'password' => '" VALUE "',",
        "$db['password'] = '" VALUE "';",
        "define('DB_PASSWORD', '" VALUE "');",
        "{\"password\": \"" VALUE "\"}",
        "{\\\"password\\\": \\\"" VALUE "\\\"}",
        "{password:'" VALUE "'}",
        ":password => \"" VALUE "\"",
        "password := `" VALUE "`",
        "let password: &str = \"" VALUE "\";",
        "val password: String = \"" VALUE "\"",
        "password: Optional[str] = \"" VALUE "\"",
        "const char *password = \"" VALUE "\";",
        "password = b'" VALUE "'",
        "NSString *password = @\"" VALUE "\";",
        "<password>" VALUE "</password>",
        "<db:password>" VALUE "</db:password>",
        "<add key=\"password\" value=\"" VALUE "\"/>",
        "<property name='password' value='" VALUE "'/>",
        "<entry key=\"password\">" VALUE "</entry>",
        "- name: DB_PASSWORD\n  value: " VALUE "\n",
        "{\"name\": \"DB_PASSWORD\", \"value\": \"" VALUE "\"}",
        "mysql --password=" VALUE " db",
        "tool --password " VALUE,
        "ENV PASSWORD " VALUE,
        "set password \"" VALUE "\"",
        "CREATE USER u PASSWORD '" VALUE "';",
        "setPassword(\"" VALUE "\")",
        ".password('" VALUE "')",
        "getenv('PASSWORD') ?: '" VALUE "'",
        "process.env.PASSWORD || '" VALUE "'",
        "Server=x;Password=" VALUE ";Timeout=3",
        "user=a&password=" VALUE "&x=1",
        "#define PASSWORD \"" VALUE "\"",
        "password ?= " VALUE,
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(value_of(rows[i], "password"), VALUE) != 0)
            fail_msg("%s gives \"%s\"", rows[i], value_of(rows[i], "password"));
}

static void no_assignments(void **state)
{
    static const char *const rows[] = {
        "if (password == \"" VALUE "\")",
        "password_file = \"" VALUE "\"",
        "password",
        "password=",
        "password = ",
        "password\n" VALUE,
        "test_password = \"" VALUE "\"",
        "password(user)",
        "password = get(x)",
        "password::x",
        "passwordless: " VALUE,
        "forgot_password: \"" VALUE "\"",
        "password = \"" VALUE,
        "min_password = 8",
        "is_password=true",
        "std::password::x",
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (*value_of(rows[i], "password"))
            fail_msg("%s gives \"%s\"", rows[i], value_of(rows[i], "password"));
}

/* Every cut of a text ends where the text does. */
static void cuts(void **state)
{
    static const char text[] = "<add key=\"my.password\" value=\"" VALUE "\"/> - name: password\n "
                               "value: x";
    for (size_t len = 0; len <= strlen(text); len++) {
        char *copy = malloc(len ? len : 1); /* the sanitizer watches its end */
        memcpy(copy, text, len);
        for (size_t at = 0; at + 8 <= len; at++) {
            struct gt_assignment found;
            if (gt_assignment_read(copy, len, (struct gt_span){at, at + 8}, &found))
                assert_true(found.value.end <= len && found.value.start < found.value.end);
        }
        free(copy);
    }
}

struct judged {
    const char *value;
    enum gt_verdict verdict;
};

static void judge(const struct judged *rows, size_t count,
                  enum gt_verdict (*check)(const char *, size_t))
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        enum gt_verdict verdict = check(rows[i].value, strlen(rows[i].value));
        if ((verdict == GT_VERDICT_NO) != (rows[i].verdict == GT_VERDICT_NO)) {
            print_error("%s: %d, not %d\n", rows[i].value, verdict, rows[i].verdict);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void passwords(void **state)
{
    static const struct judged rows[] = {
        {"k6QvER8aq1ljlg", GT_VERDICT_YES},
        {"Summer2024!", GT_VERDICT_YES},
        {"Tr0ub4dor&3x", GT_VERDICT_YES},
        {"zR7-tuQe9!", GT_VERDICT_YES},
        {"Nx7vTq", GT_VERDICT_UNKNOWN},
        {"hunter2x9", GT_VERDICT_NO},
        {"xQzWkPvRtLmN", GT_VERDICT_UNKNOWN},
        {"P@ssw0rd!", GT_VERDICT_NO},
        {"password", GT_VERDICT_NO},
        {"changeme123", GT_VERDICT_NO},
        {"admin123", GT_VERDICT_NO},
        {"${DB_PASSWORD}", GT_VERDICT_NO},
        {"{{ vault }}", GT_VERDICT_NO},
        {"%(password)s", GT_VERDICT_NO},
        {"<password>", GT_VERDICT_NO},
        {"********", GT_VERDICT_NO},
        {"user.password1", GT_VERDICT_NO},
        {"self._password2", GT_VERDICT_NO},
        {"my_db_password2", GT_VERDICT_NO},
        {"MY_DB_PASSWORD_1", GT_VERDICT_NO},
        {"databasePassword1", GT_VERDICT_NO},
        {"/run/secrets/db1", GT_VERDICT_NO},
        {"C:\\secret\\a1b2", GT_VERDICT_NO},
        {"secret.yaml1.json", GT_VERDICT_NO},
        {"https://a1.example", GT_VERDICT_NO},
        {"getPassword(1)", GT_VERDICT_NO},
        {"$2b$12$R9h/cIPz0gi", GT_VERDICT_NO},
        {"ENC(a8Jd92kq)", GT_VERDICT_NO},
        {"123456789", GT_VERDICT_NO},
        {"12345abc", GT_VERDICT_UNKNOWN},
        {"none", GT_VERDICT_NO},
        {"string", GT_VERDICT_NO},
        {"a b c d 1 2", GT_VERDICT_NO},
        {"Ab1", GT_VERDICT_NO},
        {"123e4567-e89b-12d3-a456-426614174000", GT_VERDICT_NO},
    };
    judge(rows, COUNT(rows), gt_check_password);
}

static void tokens(void **state)
{
    static const struct judged rows[] = {
        {"PxhLjW7ayXT4A4suK2h4tCqjgGFBV7WV", GT_VERDICT_YES},
        {"eMzhccMKgscnCxlcTvge8L2h", GT_VERDICT_YES},
        {"b1d4f0c97ae253868c0d9e1f7a3b5c42", GT_VERDICT_UNKNOWN},
        {"kX2-9sVd_Kq2mTx-8Lw7", GT_VERDICT_YES},
        {"qWnZxKvBtRpLmQsDfGhJkLyX", GT_VERDICT_UNKNOWN},
        {"48205d4ffd7feba3", GT_VERDICT_NO},
        {"your-api-key-here-1234", GT_VERDICT_NO},
        {"identifier_of_the_first_element1", GT_VERDICT_NO},
        {"getAccessTokenFromHeader2", GT_VERDICT_NO},
        {"x25519.X25519PrivateKey", GT_VERDICT_NO},
        {"123e4567-e89b-12d3-a456-426614174000", GT_VERDICT_NO},
        {"aaaaaaaaaaaaaaaaaaaa1", GT_VERDICT_NO},
        {"projects/x/secrets/y1", GT_VERDICT_NO},
        {"AQICAHh7vT2q9sLw4Rn8", GT_VERDICT_NO},
        {"abcdefghijklmnop123456", GT_VERDICT_NO},
        {"12345678901234567890", GT_VERDICT_NO},
    };
    judge(rows, COUNT(rows), gt_check_random_token);
}

static void wordiness(void **state)
{
    static const char *const words[] = {"database", "motdepasse", "certificate", "configuration"};
    static const char *const noise[] = {"xkcdqzwv", "qwnzxkvbtrpl", "zrgqhkvfwp"};
    for (size_t i = 0; i < COUNT(words); i++)
        assert_true(gt_wordiness(words[i], strlen(words[i])) > GT_WORDY);
    for (size_t i = 0; i < COUNT(noise); i++)
        assert_true(gt_wordiness(noise[i], strlen(noise[i])) < 2 * GT_WORDY);
    assert_true(gt_wordiness("", 0) == 0 && gt_wordiness("1a2", 3) == 0);
}

/* Wherever a key lies, and whatever its length, it is found as the byte-wise reader would. */
static void runs(void **state)
{
    static const char key[] = "q7Vd2KxT9sBn4LmRz8WyHc3JfGp6Ae5Uo1Xi0Zk";
    char text[160];
    for (size_t len = 12; len < sizeof key; len++) {
        for (size_t before = 0; before < 40; before++) {
            struct gt_span run;
            memset(text, ' ', sizeof text);
            memcpy(text + before, key, len);
            bool found = gt_run_next(text, before + len + before % 9, 0, &run);
            assert_int_equal(found, len >= GT_RUN_MIN);
            if (found)
                assert_true(run.start == before && run.end == before + len);
        }
    }
}

static void no_runs(void **state)
{
    static const char *const rows[] = {
        "---------------------------------------", "gnutls_srp_free_client_credentials",
        "/usr/lib/python3/dist-packages/urllib3",  "getElementsByTagNameAndReplace",
        "the quick brown fox jumps over the dog",  "https://docs.example/en/latest/index",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gt_span run;
        if (gt_run_next(rows[i], strlen(rows[i]), 0, &run))
            fail_msg("%s: a run from %zu to %zu", rows[i], run.start, run.end);
    }
}

static void shapes(void **state)
{
    static const struct {
        const char *pattern;
        size_t least, most;
        bool in_runs;
    } rows[] = {
        {"[a-f0-9]{32}", 32, 32, true},
        {"\\b(ghp_[A-Za-z0-9]{36})\\b", 40, 40, true},
        {"(?:a|bcd)e?", 1, 4, false},
        {"[A-Z]{32}", 32, 32, false},        /* no digit, one case */
        {"AKIA[A-Z2-7]{16}", 20, 20, false}, /* of 100, four have no digit */
        {"[A-Za-z0-9]{16,64}", 16, 64, true},
        {"x[^\\s]{16}", 17, 17, false},
        {"(?:[a-f0-9]{32}|[a-z]{4})", 4, 32, false},
        {"(?:[a-f0-9]{32}|[a-f0-9]{40})", 32, 40, true},
        {"(?:[a-f0-9]{32})?abc", 3, 35, false},
        {"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}", 18, 18, true},
        {"[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}", 36, 36, true},
        {"((?:hf_|api_)[a-f0-9]{34})", 37, 38, true},
        {"((?:hf_|api_)[a-f0-9]{34}|x)", 1, 38, false},
        {"[0-9]{6}\\.[A-Za-z0-9_-]{38}", 45, 45, true},
        {"a+[0-9]*", 1, SIZE_MAX, false},
        {"(a)\\1", 1, SIZE_MAX, false}, /* not known here */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gt_shape shape;
        gt_pattern_shape(rows[i].pattern, &shape);
        if (shape.least != rows[i].least || shape.most != rows[i].most ||
            gt_shape_in_runs(&shape) != rows[i].in_runs)
            fail_msg("%s: %zu to %zu, missed %g", rows[i].pattern, shape.least, shape.most,
                     shape.missed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notations), cmocka_unit_test(no_assignments), cmocka_unit_test(cuts),
        cmocka_unit_test(passwords), cmocka_unit_test(tokens),         cmocka_unit_test(wordiness),
        cmocka_unit_test(runs),      cmocka_unit_test(no_runs),        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
