/* Every built-in definition proves its examples. */
#include "crawler/crawler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void report(void *user, const char *file, const char *site, const char *failure)
{
    size_t *count = user;
    (*count)++;
    if (failure)
        print_error("%s (%s): %s\n", file, site ? site : "?", failure);
}

static void built_in_sites_prove_their_examples(void **state)
{
    size_t count = 0;
    struct gt_error err = {0};

    assert_int_equal(gt_sites_check(NULL, report, &count, &err), 0);
    assert_true(count >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(built_in_sites_prove_their_examples)};
    if (gt_hash_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
