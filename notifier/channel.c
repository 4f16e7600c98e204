/* The channels there are, and the way into each. */
#include "notifier/channel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct gt_channel_type *const types[] = {&gt_channel_webhook, &gt_channel_email,
                                                      &gt_channel_terminal, &gt_channel_file};

const struct gt_kind *const gt_channel_kinds[] = {&gt_channel_webhook.kind, &gt_channel_email.kind,
                                                  &gt_channel_terminal.kind, &gt_channel_file.kind,
                                                  NULL};

struct gt_channel {
    const struct gt_channel_type *type;
    char *name;
    void *self;
};

static const struct gt_channel_type *type_of(const struct gt_kind *kind)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (&types[i]->kind == kind)
            return types[i];
    }
    return NULL;
}

static void release(struct gt_channel *channel)
{
    free(channel->self);
    free(channel->name);
    free(channel);
}

int gt_channel_open(const struct gt_config *config, const struct gt_channel_config *settings,
                    struct gt_channel **ret_channel, struct gt_error *err)
{
    const struct gt_channel_type *type = type_of(settings->kind);
    if (!type || !settings->options)
        return gt_fail(err, GT_E_UNSUPPORTED, "channel %s: this guette has no channel of type %s",
                       settings->name, settings->type ? settings->type : "(none)");
    struct gt_channel *channel = calloc(1, sizeof(*channel));
    if (!channel)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    channel->type = type;
    channel->name = strdup(settings->name);
    channel->self = calloc(1, type->self_size);
    int code = channel->name && channel->self ? type->open(channel->self, config, settings, err)
                                              : gt_fail(err, GT_E_NOMEM, "out of memory");
    if (code < 0) {
        gt_error_prefix(err, "channel %s", settings->name);
        release(channel);
        return code;
    }
    *ret_channel = channel;
    return 0;
}

void gt_channel_close(struct gt_channel *channel)
{
    if (!channel)
        return;
    if (channel->type->close)
        channel->type->close(channel->self);
    release(channel);
}

const char *gt_channel_name(const struct gt_channel *channel)
{
    return channel->name;
}

int gt_channel_render(struct gt_channel *channel, const struct gt_alert *alert, int64_t now_ms,
                      int attempt, struct gt_arena *arena, struct gt_outgoing *ret,
                      struct gt_error *err)
{
    struct gt_outgoing outgoing = {0};
    int code = channel->type->render(channel->self, alert, now_ms, arena, &outgoing, err);
    if (code < 0) {
        gt_error_prefix(err, "channel %s", channel->name);
        return code;
    }
    *ret = outgoing;
    return 0;
}

void gt_channel_classify(struct gt_channel *channel, const struct gt_http_response *response,
                         struct gt_outcome *ret)
{
    channel->type->classify(response, ret);
}

void gt_outcome_set(struct gt_outcome *ret, enum gt_outcome_type type, int64_t after_ms,
                    const char *format, ...)
{
    va_list args;
    ret->type = type;
    ret->after_ms = after_ms;
    va_start(args, format);
    vsnprintf(ret->why, sizeof(ret->why), format, args);
    va_end(args);
}

void gt_classify_write(const struct gt_http_response *response, struct gt_outcome *ret)
{
    if (response->error)
        gt_outcome_set(ret, GT_RETRY, -1, "%s", response->words ? response->words : "not written");
    else
        gt_outcome_set(ret, GT_DELIVERED, -1, "written");
}

int gt_take_bytes(const struct gt_buffer *buffer, struct gt_arena *arena, const char **ret_bytes,
                  struct gt_error *err)
{
    const char *bytes = gt_buffer_ok(buffer)
                            ? gt_arena_memdup(arena, buffer->data ? buffer->data : "", buffer->len)
                            : NULL;
    if (!bytes)
        return gt_fail(err, GT_E_LIMIT, "the alert does not fit in memory");
    *ret_bytes = bytes;
    return 0;
}
