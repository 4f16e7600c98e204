/* Threads share one ruleset, each with its own scratch, and all find the same. (Also a target of
 * ThreadSanitizer.) */
#include "engine.h"

#include <pthread.h>

#define TOKEN                                                                                      \
    "tco_"                                                                                         \
    "0123456789abcdefABCDEF0123456789"

enum { THREADS = 4, ROUNDS = 30, TEXTS = 24 };

static struct engine engine;
static char texts[TEXTS][4096];
static char expected[TEXTS][GT_ID_TEXT];

struct worker {
    pthread_t thread;
    int failures;
};

/* All ids of a document folded into one. */
struct digest {
    char id[GT_ID_TEXT];
};

static int digest_finding(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    struct digest *digest = user;
    char place[64];
    snprintf(place, sizeof place, "%u:%u:%d", finding->line, finding->column, finding->score);
    const struct gt_part parts[] = {gt_part(digest->id), gt_part(finding->id), gt_part(place),
                                    gt_part(finding->context), gt_part(finding->preview)};
    gt_id_make("test", parts, COUNT(parts), digest->id);
    return 0;
}

static int match(struct gt_scratch *scratch, size_t text, char ret_id[GT_ID_TEXT])
{
    struct digest digest = {""};
    struct gt_document document = {
        .source = "t", .key = "k", .body = texts[text], .body_len = strlen(texts[text])};
    struct gt_match_summary summary;
    struct gt_error err;
    int rc =
        gt_match(engine.ruleset, scratch, &document, 1, digest_finding, &digest, &summary, &err);
    memcpy(ret_id, digest.id, GT_ID_TEXT);
    return rc;
}

static void *work(void *user)
{
    struct worker *worker = user;
    struct gt_scratch *scratch = NULL;
    char id[GT_ID_TEXT];
    if (gt_scratch_new(engine.ruleset, &scratch, NULL) < 0) {
        worker->failures = -1;
        return NULL;
    }
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < TEXTS; i++)
            worker->failures += match(scratch, i, id) < 0 || strcmp(id, expected[i]) != 0;
    gt_scratch_free(scratch);
    return NULL;
}

static void make_text(size_t number)
{
    static const char *const pieces[] = {TOKEN,
                                         "password = hunter%zu-hunter",
                                         "acme.example",
                                         "lb-01234567%04zu",
                                         "Écluse",
                                         "testco 0123456789abcdef0123456789abcdef01234567",
                                         "card: 4242424242424242"};
    char *text = texts[number];
    for (size_t i = 0; i < 12; i++) {
        const char *piece = pieces[(number * 5 + i * i) % COUNT(pieces)];
        const char *mark = strchr(piece, '%');
        size_t len = mark ? (size_t)(mark - piece) : strlen(piece);
        sprintf(text + strlen(text), "%.*s", (int)len, piece);
        if (mark)
            sprintf(text + strlen(text), "%04zu-hunter", number * i);
        strcat(text, i % 3 ? " " : "\n");
    }
}

static void same_in_every_thread(void **state)
{
    struct worker workers[THREADS] = {0};
    for (size_t i = 0; i < TEXTS; i++) {
        make_text(i);
        assert_true(match(engine.scratch, i, expected[i]) >= 0);
    }
    assert_string_not_equal(expected[0], expected[1]);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].failures, 0);
    }
}

int main(void)
{
    static const char *domains[] = {"acme.example"};
    static struct gt_keyword keywords[] = {{"écluse", GT_LOW}};
    static const struct gt_brand brand = {
        .name = "Acme", .domains = {domains, 1}, .keywords = {keywords, 1}};
    static const struct gt_ruleset_settings settings = {
        .brands = &brand, .brand_count = 1, .without_brand = true};
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_in_every_thread)};
    gt_hash_start(NULL);
    engine_open(&engine, engine_rules, &settings);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    engine_close(&engine);
    return failed;
}
