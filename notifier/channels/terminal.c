/* The alert as text on standard output. */
#include "notifier/channel.h"

#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 * 1024)

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
static const char *const colour_names[] = {"auto", "always", "never", NULL};

struct terminal_options {
    int colour; /* enum colour */
};

struct terminal {
    bool colour;
};

static const struct gt_option options[] = {
    {.name = "colour",
     .type = GT_OPTION_ENUM,
     .offset = offsetof(struct terminal_options, colour),
     .fallback = "auto",
     .help = "auto: on a terminal, unless NO_COLOR is set",
     .choices = colour_names},
    {.type = GT_OPTION_END},
};

/* https://no-color.org: set and not empty. */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no && *no);
}

static int open_terminal(void *self, const struct gt_config *config,
                         const struct gt_channel_config *settings, struct gt_error *err)
{
    const struct terminal_options *o = settings->options;
    struct terminal *terminal = self;
    terminal->colour = o->colour == COLOUR_ALWAYS || (o->colour == COLOUR_AUTO && wants_colour());
    return 0;
}

static int render(const void *self, const struct gt_alert *alert, int64_t now_ms,
                  struct gt_arena *arena, struct gt_outgoing *ret, struct gt_error *err)
{
    const struct terminal *terminal = self;
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(TEXT_MAX);
    const char *bytes;
    gt_buffer_putc(&text, '\n');
    gt_alert_text(alert, terminal->colour, &text);
    gt_buffer_putc(&text, '\n');
    int code = gt_take_bytes(&text, arena, &bytes, err);
    if (code < 0)
        return code;
    ret->type = GT_OUTGOING_WRITE;
    ret->write.bytes = bytes;
    ret->write.len = text.len;
    return 0;
}

const struct gt_channel_type gt_channel_terminal = {
    .kind = {.name = "terminal",
             .summary = "the alert as text on standard output",
             .options = options,
             .size = sizeof(struct terminal_options)},
    .self_size = sizeof(struct terminal),
    .open = open_terminal,
    .render = render,
    .classify = gt_classify_write,
};
