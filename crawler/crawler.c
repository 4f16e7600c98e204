#include "crawler/crawler.h"

#include "crawler/poll.h"

#include <stdlib.h>
#include <string.h>

#define REPORT_EVERY (1 * GT_SECOND)
#define LOCAL_BACKOFF_CAP (30 * GT_SECOND)
#define FDS_MAX                                                                                    \
    32 /* what gt_net_run takes; sources beyond are rescanned at their interval only               \
        */

const struct gt_kind *const gt_source_kinds[] = {&gt_folder_kind, &gt_feed_kind, &gt_site_kind,
                                                 NULL};
static const struct gt_source *const sources[] = {&gt_source_folder, &gt_source_feed,
                                                  &gt_source_site};

static const struct gt_source *find_source(const char *type)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strcmp(sources[i]->name, type) == 0)
            return sources[i];
    return NULL;
}

/* The cursor as it was committed last, for the source and for telling whether it changed. */
static int load_cursor(struct gt_tracked *tracked, struct gt_error *err)
{
    const struct gt_crawl_sink *sink = &tracked->crawler->sink;
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(GT_POLL_CURSOR_MAX);

    int code = sink->load(sink->user, tracked->config->name, &text, err);
    if (code == GT_E_NOTFOUND || (code >= 0 && !text.data))
        return 0;
    if (code < 0)
        return code;
    tracked->cursor = strdup(text.data);
    return tracked->cursor ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory for a cursor");
}

/* Looking at something local costs nothing: it is read at once, and looked for often when it is
 * away. */
static void start(struct gt_tracked *tracked, int64_t now)
{
    bool local = tracked->source->fd != NULL;
    tracked->schedule.cap_ms = local ? LOCAL_BACKOFF_CAP : 0;
    gt_schedule_start(&tracked->schedule, now, local);
}

/* A source that cannot be opened is disabled and says why; the others work. */
static int open_tracked(struct gt_crawler *crawler, struct gt_tracked *tracked,
                        const struct gt_source_config *config, struct gt_error *err)
{
    struct gt_error why;

    *tracked = (struct gt_tracked){
        .crawler = crawler,
        .config = config,
        .source = find_source(config->type),
        .next_cursor = GT_BUFFER(GT_POLL_CURSOR_MAX),
        .dirty = true,
        .schedule = {.interval_ms = config->interval_ms, .jitter = config->jitter}};
    tracked->waiting_end = &tracked->waiting;
    int code = load_cursor(tracked, err);
    if (code < 0)
        return code;
    const struct gt_source_settings settings = {crawler->config, config, tracked->cursor};
    if (!tracked->source)
        gt_schedule_stop(&tracked->schedule, "this program knows no such type of source");
    else if (tracked->source->open(&settings, &tracked->self, &why) < 0)
        gt_schedule_stop(&tracked->schedule, why.message);
    else
        start(tracked, gt_monotonic());
    return 0;
}

int gt_crawler_open(const struct gt_config *config, struct gt_net *net,
                    const struct gt_crawl_sink *sink, struct gt_crawler **ret_crawler,
                    struct gt_error *err)
{
    struct gt_crawler *crawler = calloc(1, sizeof *crawler);
    if (crawler)
        crawler->tracked = calloc(config->sources.count + 1, sizeof *crawler->tracked);
    if (!crawler || !crawler->tracked) {
        free(crawler);
        return gt_fail(err, GT_E_NOMEM, "out of memory for the crawler");
    }
    crawler->config = config;
    crawler->net = net;
    crawler->sink = *sink;
    for (size_t i = 0; i < config->sources.count; i++) {
        const struct gt_source_config *source =
            GT_LIST_ITEM(config->sources, struct gt_source_config, i);
        if (!source->enabled)
            continue;
        int code = open_tracked(crawler, &crawler->tracked[crawler->count++], source, err);
        if (code < 0) {
            gt_crawler_close(crawler);
            return code;
        }
    }
    *ret_crawler = crawler;
    return 0;
}

static bool unhanded(const struct gt_tracked *tracked)
{
    return tracked->phase == GT_COMMITTING || gt_batch_is_large(&tracked->batch);
}

/* Tries the sink again; what waited behind it goes on. */
static void retry_commits(struct gt_crawler *crawler, int64_t now)
{
    if (!crawler->held || now < crawler->held_until)
        return;
    crawler->held = false;
    for (size_t i = 0; i < crawler->count && !crawler->held; i++)
        if (unhanded(&crawler->tracked[i]))
            gt_poll_commit(&crawler->tracked[i]);
    for (size_t i = 0; i < crawler->count && !crawler->held; i++)
        gt_poll_advance(&crawler->tracked[i]);
}

static bool may_begin(const struct gt_tracked *tracked)
{
    return tracked->phase == GT_IDLE && !tracked->schedule.stopped && !tracked->crawler->held &&
           !tracked->crawler->draining;
}

static void begin_due(struct gt_crawler *crawler, int64_t now)
{
    for (size_t i = 0; i < crawler->count; i++)
        if (may_begin(&crawler->tracked[i]) && gt_schedule_due(&crawler->tracked[i].schedule, now))
            gt_poll_begin(&crawler->tracked[i], false);
}

static bool is_held(const struct gt_tracked *tracked)
{
    return tracked->crawler->held && tracked->phase == GT_COMMITTING;
}

/* "": nothing is wrong. */
static const char *error_of(const struct gt_tracked *tracked)
{
    return is_held(tracked) ? tracked->crawler->held_why.message : tracked->schedule.error;
}

static void report(struct gt_tracked *tracked, const char *state, int64_t now)
{
    const struct gt_crawl_sink *sink = &tracked->crawler->sink;
    const struct gt_schedule *schedule = &tracked->schedule;
    const char *error = error_of(tracked);
    const struct gt_source_state told = {
        .name = tracked->config->name,
        .type = tracked->config->type,
        .state = state,
        .error = *error ? error : NULL,
        .last_try_ms = tracked->last_try_ms,
        .last_success_ms = tracked->last_success_ms,
        .next_try_ms = schedule->stopped ? 0 : gt_now() + schedule->next_ms - now,
        .documents = tracked->documents,
        .failures = schedule->failures,
        .recovered = schedule->failures ? 0 : tracked->reported_failures,
    };
    sink->report(sink->user, &told);
    tracked->dirty = false;
    tracked->reported_at = now;
    tracked->reported_state = state;
    tracked->reported_error = *error != '\0';
    tracked->reported_failures = schedule->failures;
}

static int64_t report_at(const struct gt_tracked *tracked)
{
    return tracked->reported_state ? tracked->reported_at + REPORT_EVERY : 0;
}

/* A change of state, or that something is wrong now, is told at once; anything else at most once a
 * second. */
static void report_dirty(struct gt_crawler *crawler, int64_t now)
{
    for (size_t i = 0; i < crawler->count; i++) {
        struct gt_tracked *tracked = &crawler->tracked[i];
        if (!tracked->dirty)
            continue;
        const char *state = gt_schedule_state(&tracked->schedule, is_held(tracked));
        bool error = *error_of(tracked) != '\0';
        if (state != tracked->reported_state || error != tracked->reported_error ||
            now >= report_at(tracked))
            report(tracked, state, now);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t time_to_wait(const struct gt_crawler *crawler, int64_t now, int64_t timeout_ms)
{
    int64_t until = now + timeout_ms;

    if (crawler->held)
        until = earlier(until, crawler->held_until);
    for (size_t i = 0; i < crawler->count; i++) {
        const struct gt_tracked *tracked = &crawler->tracked[i];
        if (may_begin(tracked))
            until = earlier(until, tracked->schedule.next_ms);
        if (tracked->dirty)
            until = earlier(until, report_at(tracked));
    }
    return until > now ? until - now : 0;
}

static size_t collect_fds(struct gt_crawler *crawler, int fds[FDS_MAX],
                          struct gt_tracked *owners[FDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < crawler->count && count < FDS_MAX; i++) {
        struct gt_tracked *tracked = &crawler->tracked[i];
        if (!may_begin(tracked) || !tracked->source->fd)
            continue;
        fds[count] = tracked->source->fd(tracked->self);
        owners[count] = tracked;
        count += fds[count] >= 0;
    }
    return count;
}

int gt_crawler_run(struct gt_crawler *crawler, int64_t timeout_ms, struct gt_error *err)
{
    struct gt_tracked *owners[FDS_MAX];
    int fds[FDS_MAX];
    uint32_t ready = 0;

    retry_commits(crawler, gt_monotonic());
    begin_due(crawler, gt_monotonic());
    report_dirty(crawler, gt_monotonic());
    size_t count = collect_fds(crawler, fds, owners);
    int64_t wait = time_to_wait(crawler, gt_monotonic(), timeout_ms);
    int code = gt_net_run(crawler->net, wait, fds, count, &ready, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < count; i++)
        if (ready & (UINT32_C(1) << i) && may_begin(owners[i]))
            gt_poll_begin(owners[i], true);
    report_dirty(crawler, gt_monotonic());
    return 0;
}

bool gt_crawler_drain(struct gt_crawler *crawler)
{
    bool idle = true;

    crawler->draining = true;
    for (size_t i = 0; i < crawler->count; i++) {
        gt_poll_drop_waiting(&crawler->tracked[i]);
        gt_poll_advance(&crawler->tracked[i]);
        idle = idle && crawler->tracked[i].phase == GT_IDLE;
    }
    return idle;
}

void gt_crawler_close(struct gt_crawler *crawler)
{
    if (!crawler)
        return;
    for (size_t i = 0; i < crawler->count; i++)
        gt_poll_close(&crawler->tracked[i]);
    free(crawler->tracked);
    free(crawler);
}

/* RFC 3339; JSON null when it is not known. */
static json_t *time_to_json(int64_t ms)
{
    char text[GT_TIME_TEXT];
    return gt_json_text_c(ms ? gt_time_format(ms, text) : NULL);
}

json_t *gt_source_state_to_json(const struct gt_source_state *state)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "name", gt_json_text_c(state->name),
        "type", gt_json_text_c(state->type), "state", gt_json_text_c(state->state), "error",
        gt_json_text_c(state->error), "last_try", time_to_json(state->last_try_ms), "last_success",
        time_to_json(state->last_success_ms), "next_try", time_to_json(state->next_try_ms),
        "documents", (json_int_t)state->documents, "failures", (json_int_t)state->failures);
}
