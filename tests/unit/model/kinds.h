/* Made-up kinds of sources, channels and queues, so that the configuration is tested without the
 * folders that bring the real ones. */
#ifndef GT_TESTS_KINDS_H
#define GT_TESTS_KINDS_H

#include "model/model.h"

struct test_folder {
    const char *path;
};
struct test_site {
    const char *site, *token;
};
struct test_webhook {
    const char *url, *secret;
};
struct test_file_queue {
    const char *path;
};

static const struct gt_option test_folder_options[] = {
    {"path", GT_OPTION_STRING, offsetof(struct test_folder, path), NULL, "the folder",
     GT_OPTION_REQUIRED},
    {0},
};
static const struct gt_option test_site_options[] = {
    {"site", GT_OPTION_STRING, offsetof(struct test_site, site), NULL, "which site",
     GT_OPTION_REQUIRED},
    {"token", GT_OPTION_SECRET, offsetof(struct test_site, token), NULL, "the site's API token"},
    {0},
};
static const struct gt_option test_webhook_options[] = {
    {"url", GT_OPTION_STRING, offsetof(struct test_webhook, url), NULL, "where to post",
     GT_OPTION_REQUIRED},
    {"secret", GT_OPTION_SECRET, offsetof(struct test_webhook, secret), NULL, "the signing key"},
    {0},
};
static const struct gt_option test_no_options[] = {{0}};
static const struct gt_option test_file_queue_options[] = {
    {"path", GT_OPTION_STRING, offsetof(struct test_file_queue, path), NULL, "the file"},
    {0},
};

static const struct gt_kind test_folder_kind = {"folder", "a folder", test_folder_options,
                                                sizeof(struct test_folder)};
static const struct gt_kind test_site_kind = {"site", "a site", test_site_options,
                                              sizeof(struct test_site)};
static const struct gt_kind test_webhook_kind = {"webhook", "a webhook", test_webhook_options,
                                                 sizeof(struct test_webhook)};
static const struct gt_kind test_terminal_kind = {"terminal", "the terminal", test_no_options, 1};
static const struct gt_kind test_sqlite_kind = {"sqlite", "a file", test_file_queue_options,
                                                sizeof(struct test_file_queue)};
static const struct gt_kind test_memory_kind = {"memory", "memory", test_no_options, 1};

static const struct gt_kind *const test_sources[] = {&test_folder_kind, &test_site_kind, NULL};
static const struct gt_kind *const test_channels[] = {&test_webhook_kind, &test_terminal_kind,
                                                      NULL};
static const struct gt_kind *const test_queues[] = {&test_sqlite_kind, &test_memory_kind, NULL};

static int test_check_regex(const char *regex, struct gt_error *err)
{
    return regex[0] == '*' ? gt_fail(err, GT_E_INVALID, "starts with a quantifier; remove it") : 0;
}

static const struct gt_config_kinds test_kinds = {test_sources, test_channels, test_queues,
                                                  test_check_regex};

#endif
