#include "harness.h"
#include "net/internal.h"

/* 2026-01-31T08:30:00Z */
#define NOW (INT64_C(1769848200) * 1000)

static const struct {
    const char *name;
    int status;
    struct gt_header headers[3];
    int64_t wanted;
} cases[] = {
    {"nothing", 429, {{"content-type", "text/plain"}}, -1},
    {"seconds", 429, {{"retry-after", "120"}}, 120000},
    {"none to wait", 503, {{"retry-after", "0"}}, 0},
    {"HTTP date", 503, {{"retry-after", "Sat, 31 Jan 2026 08:31:30 GMT"}}, 90000},
    {"HTTP date gone by", 503, {{"retry-after", "Sat, 31 Jan 2026 08:29:30 GMT"}}, 0},
    {"by the server's clock",
     503,
     {{"retry-after", "Sat, 31 Jan 2026 09:31:30 GMT"}, {"date", "Sat, 31 Jan 2026 09:31:00 GMT"}},
     30000},
    {"rubbish", 503, {{"retry-after", "soon"}}, -1},
    {"negative", 503, {{"retry-after", "-5"}}, -1},
    {"empty", 503, {{"retry-after", ""}}, -1},
    {"on success too", 200, {{"retry-after", "7"}}, 7000},
    {"Docker Hub", 429, {{"x-retry-after", "1769848260"}}, 60000},
    {"Retry-After first", 429, {{"x-retry-after", "1769848260"}, {"retry-after", "5"}}, 5000},
    {"GitHub, used up",
     403,
     {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1769848800"}},
     600000},
    {"GitHub, a refusal of another kind",
     403,
     {{"x-ratelimit-remaining", "4990"}, {"x-ratelimit-reset", "1769848800"}},
     -1},
    {"GitHub, still room",
     200,
     {{"x-ratelimit-remaining", "12"}, {"x-ratelimit-reset", "1769848800"}},
     -1},
    {"the last allowed one",
     200,
     {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1769848800"}},
     600000},
    {"GitLab", 429, {{"ratelimit-remaining", "0"}, {"ratelimit-reset", "1769848230"}}, 30000},
    {"seconds left, IETF draft", 429, {{"ratelimit-reset", "50"}}, 50000},
    {"no Remaining on success", 200, {{"ratelimit-reset", "50"}}, -1},
    {"Mastodon",
     429,
     {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "2026-01-31T08:35:00.250000Z"}},
     300250},
    {"Reddit", 200, {{"x-ratelimit-remaining", "0.0"}, {"x-ratelimit-reset", "325"}}, 325000},
    {"Reddit, room", 200, {{"x-ratelimit-remaining", "96.5"}, {"x-ratelimit-reset", "325"}}, -1},
    {"a fraction is not zero",
     200,
     {{"x-ratelimit-remaining", "0.5"}, {"x-ratelimit-reset", "325"}},
     -1},
    {"X", 429, {{"x-rate-limit-remaining", "0"}, {"x-rate-limit-reset", "1769849100"}}, 900000},
    {"milliseconds", 429, {{"x-ratelimit-reset", "1769848201500"}}, 1500},
    {"too long a number", 429, {{"retry-after", "99999999999999999999999"}}, -1},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 0;
        while (count < 3 && cases[i].headers[count].name)
            count++;
        int64_t got = gt_retry_after(cases[i].status, cases[i].headers, count, NOW);
        if (got != cases[i].wanted)
            fail_msg("%s: %lld instead of %lld", cases[i].name, (long long)got,
                     (long long)cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
