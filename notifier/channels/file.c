/* The alert as one line of JSON, appended to a file. */
#include "notifier/channel.h"

#include <string.h>

#define LINE_MAX_BYTES ((size_t)4 * 1024 * 1024)

struct file_options {
    const char *path;
};

struct file {
    const char *path;
};

static int check_path(const char *path, struct gt_error *err)
{
    if (!*path || gt_ends_with(path, "/"))
        return gt_fail(err, GT_E_INVALID, "is not a file; write a path like alerts.jsonl");
    return 0;
}

static const struct gt_option options[] = {
    {.name = "path",
     .type = GT_OPTION_STRING,
     .offset = offsetof(struct file_options, path),
     .help = "the file; made with mode 0600, relative to the configuration",
     .flags = GT_OPTION_REQUIRED,
     .check = check_path},
    {.type = GT_OPTION_END},
};

static int open_file(void *self, const struct gt_config *config,
                     const struct gt_channel_config *settings, struct gt_error *err)
{
    const struct file_options *o = settings->options;
    struct file *file = self;
    file->path = gt_config_resolve(config, o->path);
    return file->path ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory");
}

static int render(const void *self, const struct gt_alert *alert, int64_t now_ms,
                  struct gt_arena *arena, struct gt_outgoing *ret, struct gt_error *err)
{
    const struct file *file = self;
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(LINE_MAX_BYTES);
    GT_JSON_AUTO json_t *json = gt_alert_to_json(alert);
    const char *bytes;
    if (!json)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    gt_json_append(json, &line);
    gt_buffer_putc(&line, '\n');
    int code = gt_take_bytes(&line, arena, &bytes, err);
    if (code < 0)
        return code;
    ret->type = GT_OUTGOING_WRITE;
    ret->write.path = file->path;
    ret->write.bytes = bytes;
    ret->write.len = line.len;
    ret->write.mode = 0600;
    return 0;
}

const struct gt_channel_type gt_channel_file = {
    .kind = {.name = "file",
             .summary = "the alert as a line of JSON, appended to a file",
             .options = options,
             .size = sizeof(struct file_options)},
    .self_size = sizeof(struct file),
    .open = open_file,
    .render = render,
    .classify = gt_classify_write,
};
