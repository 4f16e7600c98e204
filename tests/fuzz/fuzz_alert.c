/* Alerts, as JSON or as one hostile text in every field, through every channel: whatever comes in,
 * what goes out is well formed, short enough and free of control characters. */
#include "notifier/notifier.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY ((size_t)64 * 1024 * 1024)

static struct gt_arena *settings_arena;
static struct gt_config config;

static const struct {
    const char *type, *yaml;
} settings[] = {
    {"webhook", "url: https://a.example/\nsecret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"},
    {"email", "server: smtp://a.example\nfrom: a@a.example\nto: b@b.example\n"},
    {"terminal", "colour: never\n"},
    {"file", "path: /alerts.jsonl\n"},
};
#define CHANNELS (sizeof(settings) / sizeof(settings[0]))
static struct gt_channel *channels[CHANNELS];

static void demand(bool condition)
{
    if (!condition)
        abort();
}

static const struct gt_kind *kind_named(const char *name)
{
    size_t i = 0;
    while (strcmp(gt_channel_kinds[i]->name, name) != 0)
        i++;
    return gt_channel_kinds[i];
}

static struct gt_channel *open_channel(const char *type, const char *yaml)
{
    struct gt_mistakes mistakes = {.arena = settings_arena};
    struct gt_option_decoder decoder = {.arena = settings_arena, .mistakes = &mistakes};
    const struct gt_kind *kind = kind_named(type);
    void *options = gt_arena_alloc(settings_arena, kind->size);
    struct gt_node *root;
    struct gt_channel *channel;
    demand(gt_yaml_parse("x", yaml, strlen(yaml), settings_arena, &root, NULL) == 0);
    demand(gt_options_decode(&decoder, root, kind->options, options, kind->size) == 0);
    struct gt_channel_config row = {
        .name = type, .type = type, .enabled = true, .kind = kind, .options = options};
    demand(gt_channel_open(&config, &row, &channel, NULL) == 0);
    return channel;
}

static void start(void)
{
    demand(gt_hash_start(NULL) == 0);
    settings_arena = gt_arena_new(1 << 20);
    config.arena = settings_arena;
    config.directory = "/";
    for (size_t i = 0; i < CHANNELS; i++)
        channels[i] = open_channel(settings[i].type, settings[i].yaml);
}

static void check_text(const char *bytes, size_t len)
{
    demand(gt_utf8_valid(bytes, len));
    for (size_t i = 0; i < len; i++)
        demand(bytes[i] == '\n' || ((unsigned char)bytes[i] >= ' ' && bytes[i] != 0x7f));
}

static void check_mail(const char *bytes, size_t len)
{
    size_t column = 0;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r') {
            demand(i + 1 < len && bytes[++i] == '\n');
            column = 0;
            continue;
        }
        demand(bytes[i] >= ' ' && bytes[i] <= '~' && ++column <= 76);
    }
    demand(column == 0);
}

static void check(const struct gt_outgoing *out)
{
    if (out->type == GT_OUTGOING_HTTP)
        demand(out->http.body_len < 20000);
    else if (out->type == GT_OUTGOING_MAIL)
        check_mail(out->mail.message, out->mail.message_len);
    else if (out->write.path)
        demand(memchr(out->write.bytes, '\n', out->write.len) ==
               out->write.bytes + out->write.len - 1);
    else
        check_text(out->write.bytes, out->write.len);
}

static void poison(struct gt_alert *alert, const char *text)
{
    static const char *reasons[1];
    struct gt_finding *f = &alert->finding;
    reasons[0] = text;
    f->reasons = (struct gt_list){reasons, 1};
    f->brand = f->rule = f->title = f->provider = f->category = f->preview = text;
    f->context = f->remediation = f->document = f->source = f->url = text;
    f->document_title = f->author = text;
    alert->event = "finding.created";
    alert->lang = text[0] & 1 ? GT_FRENCH : GT_ENGLISH;
    gt_finding_identify(f);
    gt_alert_identify(alert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!settings_arena)
        start();
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(MEMORY);
    if (!arena || size > 1024 * 1024)
        return 0;
    struct gt_alert alert = {0};
    const char *text = gt_arena_memdup(arena, data, size);
    GT_JSON_AUTO json_t *json = gt_json_parse(text, size, NULL);
    if (!json)
        poison(&alert, text);
    else if (gt_alert_from_json(json, arena, &alert, NULL) < 0)
        return 0;
    for (size_t i = 0; i < CHANNELS; i++) {
        struct gt_outgoing out;
        demand(gt_channel_render(channels[i], &alert, 0, 0, arena, &out, NULL) == 0);
        check(&out);
    }
    return 0;
}
