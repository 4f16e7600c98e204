#include "engine.h"

#include <sys/stat.h>
#include <unistd.h>

const char engine_rules[] =
    "provider: Testco\n"
    "rules:\n"
    "  - id: testco.token\n"
    "    name: {en: Testco token, fr: Jeton Testco}\n"
    "    severity: critical\n"
    "    keywords: [tco_]\n"
    "    regex: '\\b(tco_[A-Za-z0-9]{32})\\b'\n"
    "    revoke: {en: Revoke it., fr: \"Révoquez-le.\"}\n"
    "    examples: ['t = tco_{+}0123456789abcdefABCDEF0123456789']\n"
    "    negative_examples: ['tco_short', 'xtco_0123456789abcdefABCDEF0123456789']\n"
    "  - id: testco.hex\n"
    "    name: Testco hex key\n"
    "    severity: high\n"
    "    confidence: possible\n"
    "    regex: '\\b[0-9a-f]{40}\\b'\n"
    "    near: {regex: '(?i)testco', within: 40}\n"
    "    entropy: 3.0\n"
    "    revoke: Rotate it.\n"
    "    examples: ['testco 0123456789abcdef0123456789abcdef01234567']\n"
    "    negative_examples: ['other 0123456789abcdef0123456789abcdef01234567']\n"
    "  - id: testco.look-behind\n"
    "    name: Testco look-behind\n"
    "    severity: medium\n"
    "    regex: '(?<![a-z])lb-(?<secret>[0-9]{12})(?!\\d)'\n"
    "    revoke: Rotate it.\n"
    "    examples: ['lb-012345678901']\n"
    "    negative_examples: ['xlb-012345678901', 'lb-0123456789012']\n"
    "  - id: testco.card\n"
    "    name: Testco card\n"
    "    category: personal-data\n"
    "    severity: low\n"
    "    keywords: ['card:']\n"
    "    regex: 'card:\\s*(\\d{16})\\b'\n"
    "    required_checks: [luhn]\n"
    "    revoke: Call.\n"
    "    examples: ['card: 4242424242424242']\n"
    "    negative_examples: ['card: 4242424242424243']\n"
    "  - id: generic.password\n"
    "    name: Password\n"
    "    category: generic\n"
    "    severity: medium\n"
    "    confidence: possible\n"
    "    keywords: [password, Password, PASSWORD]\n"
    "    regex: '(?i)password\\s*[:=]\\s*[\"'']?(?<secret>[^\\s\"'']{8,64})'\n"
    "    reject: ['(?i)example', '^\\*+$']\n"
    "    revoke: Change it.\n"
    "    examples: ['password = hunter22x']\n"
    "    negative_examples: ['password = example123', 'password: ********']\n"
    "  - id: testco.private-key\n"
    "    name: Private key\n"
    "    category: private-key\n"
    "    severity: critical\n"
    "    confidence: certain\n"
    "    keywords: ['-----BEGIN ']\n"
    "    regex: '-----BEGIN (?:[A-Z]{1,10} )?PRIVATE "
    "KEY-----[A-Za-z0-9+/=\\s\\\\]{64,4000}-----END "
    "(?:[A-Z]{1,10} )?PRIVATE KEY-----'\n"
    "    revoke: Replace it.\n"
    "    examples:\n"
    "      - |\n"
    "        -----BEGIN RSA {+}PRIVATE KEY-----\n"
    "        MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n"
    "        KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n"
    "        -----END RSA PRIVATE KEY-----\n";

static void write_rules(struct engine *engine, const char *rules)
{
    char path[128];
    snprintf(engine->directory, sizeof engine->directory, "/tmp/guette-test-XXXXXX");
    assert_non_null(mkdtemp(engine->directory));
    snprintf(path, sizeof path, "%s/rules.yaml", engine->directory);
    assert_int_equal(gt_file_write(path, rules, strlen(rules), 0600, NULL), 0);
}

int engine_try(struct engine *engine, const char *rules, const struct gt_ruleset_settings *settings,
               char *ret_first, size_t size)
{
    *engine = (struct engine){0};
    write_rules(engine, rules);
    const char *directories[] = {engine->directory, NULL};
    struct gt_ruleset_settings complete = settings ? *settings : (struct gt_ruleset_settings){0};
    struct gt_mistakes mistakes = {0};
    complete.directories = directories;
    complete.without_builtin = true;
    int rc = gt_ruleset_open(&complete, &engine->ruleset, &mistakes, &engine->err);
    if (ret_first)
        snprintf(ret_first, size, "%s", mistakes.count ? mistakes.items[0].text : "");
    gt_arena_free(mistakes.arena);
    return rc < 0 ? rc : gt_scratch_new(engine->ruleset, &engine->scratch, &engine->err);
}

void engine_open(struct engine *engine, const char *rules,
                 const struct gt_ruleset_settings *settings)
{
    if (engine_try(engine, rules, settings, NULL, 0) < 0)
        fail_msg("%s", engine->err.message);
}

void engine_close(struct engine *engine)
{
    char path[128];
    gt_scratch_free(engine->scratch);
    gt_ruleset_close(engine->ruleset);
    snprintf(path, sizeof path, "%s/rules.yaml", engine->directory);
    unlink(path);
    rmdir(engine->directory);
}

static const char *copy(struct gt_arena *arena, const char *text)
{
    return text ? gt_arena_strdup(arena, text) : NULL;
}

static void keep(struct result *result, const struct gt_finding *finding, struct gt_str secret)
{
    struct found *found = &result->items[result->count++];
    struct gt_finding *f = &found->finding;
    *f = *finding;
    f->context = copy(result->arena, finding->context);
    f->preview = copy(result->arena, finding->preview);
    f->decoded_via = copy(result->arena, finding->decoded_via);
    f->url = copy(result->arena, finding->url);
    f->document_title = copy(result->arena, finding->document_title);
    f->author = copy(result->arena, finding->author);
    const char **reasons = gt_arena_array(result->arena, f->reasons.count + 1, sizeof *reasons);
    for (size_t i = 0; i < f->reasons.count; i++)
        reasons[i] = copy(result->arena, *GT_LIST_ITEM(finding->reasons, const char *, i));
    f->reasons.items = reasons;
    found->secret = secret.ptr ? gt_arena_memdup(result->arena, secret.ptr, secret.len) : NULL;
}

int engine_sink(void *user, const struct gt_finding *finding, struct gt_str secret)
{
    struct result *result = user;
    result->all++;
    if (result->count < COUNT(result->items))
        keep(result, finding, secret);
    return 0;
}

void engine_match_document(struct engine *engine, const struct gt_document *document,
                           struct result *ret)
{
    *ret = (struct result){.arena = gt_arena_new((size_t)64 << 20)};
    ret->rc = gt_match(engine->ruleset, engine->scratch, document, 1234567890123, engine_sink, ret,
                       &ret->summary, &engine->err);
}

void engine_match(struct engine *engine, const char *body, size_t len, struct result *ret)
{
    /* Exactly as long as it is, so that the sanitizer sees a read beyond it. */
    char *exact = malloc(len ? len : 1);
    memcpy(exact, body, len);
    struct gt_document document = {.source = "test", .key = "1", .body = exact, .body_len = len};
    gt_document_identify(&document);
    engine_match_document(engine, &document, ret);
    free(exact);
}

void result_free(struct result *result)
{
    gt_arena_free(result->arena);
}
