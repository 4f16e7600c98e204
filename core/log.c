#include "core/log.h"

#include "core/buffer.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/strings.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)16 * 1024)

static struct {
    char role[32];
    bool json;
    bool colour;
    size_t width; /* of the terminal, in columns; 0: lines are not folded */
    enum gt_level least;
} settings = {.least = GT_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void gt_log_start(const char *role, enum gt_log_format format, enum gt_level least)
{
    bool terminal = isatty(STDERR_FILENO);
    snprintf(settings.role, sizeof settings.role, "%s", role);
    settings.json = format == GT_LOG_JSON || (format == GT_LOG_AUTO && !terminal);
    const char *no_colour = getenv("NO_COLOR");
    settings.colour = terminal && !(no_colour && *no_colour);
    settings.width = terminal ? terminal_width() : 0;
    settings.least = least;
}

static void append_json(struct gt_buffer *line, enum gt_level level, const char *event,
                        const char *message, const struct gt_field *fields, size_t count)
{
    char time[GT_TIME_TEXT];
    GT_JSON_AUTO json_t *object = json_object();
    json_object_set_new(object, "time", json_string(gt_time_format(gt_now(), time)));
    json_object_set_new(object, "level", json_string(level_names[level]));
    json_object_set_new(object, "role", json_string(settings.role));
    json_object_set_new(object, "pid", json_integer(getpid()));
    json_object_set_new(object, "event", json_string(event));
    json_object_set_new(object, "message", gt_json_text_c(message));
    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, fields[i].key,
                            fields[i].text ? gt_json_text_c(fields[i].text)
                                           : json_integer(fields[i].number));
    gt_json_append(object, line);
}

#define HANG ((size_t)19) /* columns of time and role */
#define NARROW ((size_t)60)

static size_t columns(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += (text[i] & 0xc0) != 0x80; /* continuation bytes of UTF-8 take none */
    return count;
}

/* Breaks text between words, under itself, so that a terminal does not break it inside one. */
static void append_folded(struct gt_buffer *line, const char *text)
{
    bool folds = settings.width >= NARROW;
    size_t column = HANG;
    for (const char *word = text; *word;) {
        size_t len = strcspn(word, " "), wide = columns(word, len);
        if (folds && column > HANG && column + 1 + wide > settings.width) {
            gt_buffer_printf(line, "\n%*s", (int)HANG, "");
            column = HANG;
        } else if (word != text) {
            gt_buffer_putc(line, ' ');
            column++;
        }
        gt_buffer_append(line, word, len);
        column += wide;
        word += len + (word[len] == ' ');
    }
}

/* "17:44:09 crawl     warning: message (source=x, ...)": for a person at a terminal, local time. */
static void append_text(struct gt_buffer *line, enum gt_level level, const char *message,
                        const struct gt_field *fields, size_t count)
{
    static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(LINE_MAX_BYTES);
    char clock[16];
    time_t now = (time_t)(gt_now() / 1000);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    if (level >= GT_WARNING)
        gt_buffer_printf(&text, "%s: ", level_names[level]);
    gt_utf8_append_clean(&text, message, strlen(message));
    for (size_t i = 0; i < count; i++) {
        gt_buffer_printf(&text, "%s%s=", i ? ", " : " (", fields[i].key);
        if (fields[i].text)
            gt_utf8_append_clean(&text, fields[i].text, strlen(fields[i].text));
        else
            gt_buffer_printf(&text, "%lld", (long long)fields[i].number);
    }
    gt_buffer_puts(&text, count ? ")" : "");
    bool colour = settings.colour && *colours[level];
    gt_buffer_printf(line, "%s%s %-9s ", colour ? colours[level] : "", clock, settings.role);
    append_folded(line, text.data ? text.data : "");
    gt_buffer_puts(line, colour ? "\033[0m" : "");
}

void gt_log_write(enum gt_level level, const char *event, const char *message,
                  const struct gt_field *fields, size_t count)
{
    if (level < settings.least)
        return;
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(LINE_MAX_BYTES);
    if (settings.json)
        append_json(&line, level, event, message, fields, count);
    else
        append_text(&line, level, message, fields, count);
    if (!line.data)
        return;
    /* One write a line, so that lines of several processes do not mix. There is nowhere to complain
     * when standard error itself fails. */
    line.data[line.len] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line.data, line.len + 1);
    (void)ignored;
    line.data[line.len] = '\0';
}

#define HELD_MAX 256
#define HOLD_MS GT_MINUTE

static struct {
    uint32_t key;
    int64_t said_ms, held;
} held[HELD_MAX];
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

bool gt_log_allow(const char *key, int64_t *ret_held)
{
    uint32_t hash = 2166136261u; /* FNV-1a; a collision only holds one line back for a minute */
    for (const char *c = key; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    int64_t now = gt_monotonic();
    bool allowed = false;
    pthread_mutex_lock(&held_lock);
    size_t slot = hash % HELD_MAX;
    if (held[slot].key != hash || held[slot].said_ms == 0 || now - held[slot].said_ms >= HOLD_MS) {
        if (ret_held)
            *ret_held = held[slot].key == hash ? held[slot].held : 0;
        held[slot].key = hash;
        held[slot].said_ms = now ? now : 1;
        held[slot].held = 0;
        allowed = true;
    } else {
        held[slot].held++;
    }
    pthread_mutex_unlock(&held_lock);
    return allowed;
}
