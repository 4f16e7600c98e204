/* A ruleset from texts, and what it finds, for tests. */
#ifndef GT_TESTS_ENGINE_H
#define GT_TESTS_ENGINE_H

#include "matchers/matchers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Made-up rules of every shape; see engine.c. */
extern const char engine_rules[];

struct engine {
    char directory[64]; /* temporary; holds rules.yaml */
    struct gt_ruleset *ruleset;
    struct gt_scratch *scratch;
    struct gt_error err;
};

struct found {
    struct gt_finding finding; /* strings live in the arena */
    char *secret;              /* NULL for a trace */
};

struct result {
    struct gt_arena *arena;
    struct found items[64];
    size_t count; /* kept */
    size_t all;
    struct gt_match_summary summary;
    int rc;
};

/* The rules' text goes to a temporary folder; settings (may be NULL) are completed with it. Fails
 * the test on an error. */
void engine_open(struct engine *engine, const char *rules,
                 const struct gt_ruleset_settings *settings);
/* The same, but gives the code. Mistakes are printed into `ret_first` (may be NULL). */
int engine_try(struct engine *engine, const char *rules, const struct gt_ruleset_settings *settings,
               char *ret_first, size_t size);
void engine_close(struct engine *engine);

void engine_match(struct engine *engine, const char *body, size_t len, struct result *ret);
void engine_match_document(struct engine *engine, const struct gt_document *document,
                           struct result *ret);
/* Keeps a finding in the struct result that is its user. */
int engine_sink(void *user, const struct gt_finding *finding, struct gt_str secret);
void result_free(struct result *result);

#endif
