/* What the notifier's tests share: a made-up alert, and channels opened from YAML as the
 * configuration does. */
#ifndef NOTIFIER_TEST_H
#define NOTIFIER_TEST_H

#include "notifier/notifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1795455665000) /* 2026-11-23T17:41:05Z */

static inline void must(int code, const struct gt_error *err)
{
    if (code < 0)
        fail_msg("%s: %s", gt_code_name(code), err->message);
}

static const char *const sample_reasons[] = {"the checksum inside the token is right",
                                             "the document names acme.example"};

static inline struct gt_alert make_alert(void)
{
    struct gt_alert alert = {
        .event = "finding.created",
        .created_ms = NOW,
        .occurrences = 3,
        .first_seen_ms = NOW - GT_HOUR,
        .finding =
            {
                .brand = "Acme Corp",
                .rule = "github.personal-access-token",
                .title = "GitHub personal access token",
                .provider = "GitHub",
                .category = "credential",
                .score = 92,
                .severity = GT_CRITICAL,
                .confidence = GT_CERTAIN,
                .reasons = {(void *)(uintptr_t)sample_reasons, 2},
                .preview = "ghp_****************************9f3a",
                .context = "GITHUB_TOKEN=ghp_**** # see https://git.acme.example/ops",
                .remediation = "Revoke it under Settings > Developer settings > Tokens.\n"
                               "Then look at the security log for what it was used for.",
                .line = 12,
                .column = 14,
                .document = "d0c",
                .source = "github-gists",
                .url = "https://gist.github.com/mallory/0123456789abcdef",
                .document_title = "deploy.env",
                .author = "mallory",
                .published_ms = NOW - 21 * GT_MINUTE,
                .fetched_ms = NOW,
                .detected_ms = NOW,
            },
    };
    memset(alert.finding.fingerprint, 'a', GT_FINGERPRINT_TEXT - 1);
    gt_finding_identify(&alert.finding);
    gt_alert_identify(&alert);
    return alert;
}

/* A channel as the configuration would make it. `mistakes` gets the first mistake's text when the
 * options are wrong; NULL: they must not be. */
struct opened {
    struct gt_arena *arena;
    struct gt_config config;
    struct gt_channel_config settings;
    struct gt_channel *channel;
    struct gt_error err;
    int code;
    const char *mistake;
};

static inline const struct gt_kind *kind_named(const char *name)
{
    for (size_t i = 0; gt_channel_kinds[i]; i++) {
        if (strcmp(gt_channel_kinds[i]->name, name) == 0)
            return gt_channel_kinds[i];
    }
    fail_msg("no channel of type %s", name);
    return NULL;
}

static inline struct opened try_open(const char *type, const char *yaml)
{
    struct opened opened = {.arena = gt_arena_new(1 << 22)};
    struct gt_mistakes mistakes = {.arena = opened.arena};
    struct gt_option_decoder decoder = {.arena = opened.arena, .mistakes = &mistakes};
    struct gt_node *root = NULL;
    const struct gt_kind *kind = kind_named(type);
    void *options = gt_arena_alloc(opened.arena, kind->size);
    must(gt_yaml_parse("test.yaml", yaml, strlen(yaml), opened.arena, &root, &opened.err),
         &opened.err);
    opened.config.arena = opened.arena;
    opened.config.directory = "/nowhere";
    opened.settings = (struct gt_channel_config){
        .name = "soc", .type = type, .enabled = true, .kind = kind, .options = options};
    if (gt_options_decode(&decoder, root, kind->options, options, kind->size) > 0)
        opened.mistake = mistakes.items[0].text;
    else
        opened.code =
            gt_channel_open(&opened.config, &opened.settings, &opened.channel, &opened.err);
    return opened;
}

static inline void close_opened(struct opened *opened)
{
    gt_channel_close(opened->channel);
    gt_arena_free(opened->arena);
}

static inline struct opened must_open(const char *type, const char *yaml)
{
    struct opened opened = try_open(type, yaml);
    if (opened.mistake)
        fail_msg("%s", opened.mistake);
    must(opened.code, &opened.err);
    return opened;
}

static inline struct gt_outgoing render_with(struct opened *opened, const struct gt_alert *alert,
                                             int64_t now_ms)
{
    struct gt_outgoing outgoing;
    must(gt_channel_render(opened->channel, alert, now_ms, 0, opened->arena, &outgoing,
                           &opened->err),
         &opened->err);
    return outgoing;
}

/* The option table must refuse `yaml` with these words. */
static inline void assert_mistake(const char *type, const char *yaml, const char *words)
{
    struct opened opened = try_open(type, yaml);
    if (!opened.mistake)
        fail_msg("%s was accepted", yaml);
    if (!strstr(opened.mistake, words))
        fail_msg("\"%s\" does not say \"%s\"", opened.mistake, words);
    close_opened(&opened);
}

static inline int start_hashes(void **state)
{
    struct gt_error err;
    return gt_hash_start(&err);
}

#endif
