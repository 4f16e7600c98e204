/* How far the scan is: one line at the bottom of a terminal, drawn ten times a second at most. */
#include "cli/scan_parts.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TICK_MS 100
#define FIRST_MS 300 /* what is over sooner needs no bar */
#define BAR 20
#define WIDTH_DEFAULT 80

struct gt_scan_progress {
    atomic_uint_fast64_t files, bytes, findings;
    atomic_uint_fast64_t all_files, all_bytes;
    atomic_bool all_known, over;
    int64_t started;
    bool drawn;
    pthread_mutex_t lock; /* of the terminal */
    pthread_t thread;
};

static unsigned width(void)
{
    struct winsize size = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col;
}

static void put_bar(struct gt_buffer *out, uint64_t done, uint64_t all)
{
    unsigned part = all > 0 ? (unsigned)((double)done * BAR / (double)all) : 0;
    part = part > BAR ? BAR : part;
    gt_buffer_putc(out, '[');
    for (unsigned i = 0; i < BAR; i++)
        gt_buffer_putc(out, i < part ? '=' : i == part ? '>' : ' ');
    gt_buffer_printf(out, "] %3u%%  ", part * 100 / BAR);
}

static void put_left(struct gt_buffer *out, uint64_t done, uint64_t all, int64_t ms)
{
    if (done == 0 || done >= all)
        return;
    uint64_t seconds = (uint64_t)((double)(all - done) * (double)ms / (double)done / 1000.0) + 1;
    gt_buffer_printf(out, "  %" PRIu64 ":%02" PRIu64 " left", seconds / 60, seconds % 60);
}

static void make_line(struct gt_scan_progress *progress, struct gt_buffer *out)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(1 << 16);
    uint64_t bytes = progress->bytes, files = progress->files, findings = progress->findings;
    uint64_t all = progress->all_known ? progress->all_bytes : 0;
    int64_t ms = gt_monotonic() - progress->started;
    const char *size = arena ? gt_format_size(arena, bytes) : "";
    const char *rate = arena && ms > 0 ? gt_format_size(arena, bytes * 1000 / (uint64_t)ms) : "";
    if (all > 0)
        put_bar(out, bytes, all);
    gt_buffer_printf(out, "%" PRIu64, files);
    if (progress->all_known)
        gt_buffer_printf(out, "/%" PRIu64, (uint64_t)progress->all_files);
    gt_buffer_printf(out, " files  %s  %s/s", size, rate);
    put_left(out, bytes, all, ms);
    gt_buffer_printf(out, "  %" PRIu64 " finding%s", findings, findings == 1 ? "" : "s");
}

static void put(const char *bytes, size_t len)
{
    if (write(STDERR_FILENO, bytes, len) < 0)
        return; /* a terminal that went away is nothing to the scan */
}

/* With the lock held. */
static void clear(struct gt_scan_progress *progress)
{
    if (progress->drawn)
        put("\r\033[K", 4);
    progress->drawn = false;
}

static void draw(struct gt_scan_progress *progress)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4096);
    gt_buffer_puts(&out, "\r\033[K");
    make_line(progress, &out);
    size_t most = width() - 1 + 4;
    pthread_mutex_lock(&progress->lock);
    if (gt_buffer_ok(&out) && !progress->over) {
        put(out.data, out.len < most ? out.len : most);
        progress->drawn = true;
    }
    pthread_mutex_unlock(&progress->lock);
}

static void *tick(void *user)
{
    struct gt_scan_progress *progress = user;
    for (int64_t waited = 0; !progress->over; waited += TICK_MS) {
        gt_sleep(TICK_MS);
        if (waited >= FIRST_MS - TICK_MS)
            draw(progress);
    }
    return NULL;
}

struct gt_scan_progress *gt_scan_progress_start(void)
{
    const char *terminal = getenv("TERM");
    if (!isatty(STDERR_FILENO) || (terminal && strcmp(terminal, "dumb") == 0))
        return NULL;
    struct gt_scan_progress *progress = calloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    progress->started = gt_monotonic();
    pthread_mutex_init(&progress->lock, NULL);
    if (pthread_create(&progress->thread, NULL, tick, progress) == 0)
        return progress;
    pthread_mutex_destroy(&progress->lock);
    free(progress);
    return NULL;
}

void gt_scan_progress_stop(struct gt_scan_progress *progress)
{
    if (!progress)
        return;
    progress->over = true;
    pthread_join(progress->thread, NULL);
    clear(progress);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}

void gt_scan_progress_add(struct gt_scan_progress *progress, uint64_t files, uint64_t bytes,
                          uint64_t findings)
{
    if (!progress)
        return;
    progress->files += files;
    progress->bytes += bytes;
    progress->findings += findings;
}

void gt_scan_progress_expect(struct gt_scan_progress *progress, uint64_t files, uint64_t bytes)
{
    if (!progress)
        return;
    progress->all_files = files;
    progress->all_bytes = bytes;
    progress->all_known = true;
}

void gt_scan_progress_pause(struct gt_scan_progress *progress)
{
    if (!progress)
        return;
    pthread_mutex_lock(&progress->lock);
    clear(progress);
}

void gt_scan_progress_resume(struct gt_scan_progress *progress)
{
    if (progress)
        pthread_mutex_unlock(&progress->lock);
}
