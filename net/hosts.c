/* Politeness: who may start when.
 *
 * Hosts with waiting requests stand in a ring that is walked one start at a time, so that a host
 * with a thousand requests does not hold up one with a single request. Within a host it is first
 * come, first served; a followed redirect goes first, since it is half done. */
#include "net/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, SWEEP_EVERY = 256 };

#define PAUSE_BASE (1 * GT_SECOND)    /* 429 or 503 without a word on when to come back */
#define PAUSE_CAP (5 * GT_MINUTE)     /* the same, again and again */
#define PAUSE_MAX GT_DAY              /* of what a server may ask for */
#define STRIKES_KEPT (15 * GT_MINUTE) /* after the pause, of a host that nobody asks for */
#define BURST_SECONDS 0.05            /* a bucket holds what 50 ms bring, one token at least */

struct gt_host {
    struct gt_host *next_in_bucket;
    struct gt_host *ring_next, *ring_prev; /* NULL when nothing waits */
    struct gt_hosts *all;
    struct transfer_list waiting;
    size_t running;
    double rate, tokens; /* a second; rate 0: no limit */
    int64_t filled_at;
    int64_t paused_until, struck_at;
    int strikes;         /* refusals in a row */
    int64_t next_expiry; /* no later than the first of waiting */
    char origin[];
};

struct gt_hosts {
    struct gt_host *buckets[BUCKETS];
    struct gt_host *ring; /* whose turn it is */
    size_t count, made, waiting;
    size_t per_host;
    double rate;
};

struct gt_hosts *gt_hosts_new(const struct gt_net_settings *settings)
{
    struct gt_hosts *hosts = calloc(1, sizeof *hosts);
    if (!hosts)
        return NULL;
    hosts->per_host = (size_t)settings->per_host;
    hosts->rate = settings->per_second;
    return hosts;
}

void gt_hosts_free(struct gt_hosts *hosts)
{
    if (!hosts)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct gt_host *h = hosts->buckets[i], *next; h; h = next) {
            next = h->next_in_bucket;
            for (struct transfer *t; (t = gt_list_pop(&h->waiting));)
                gt_transfer_free(t);
            free(h);
        }
    }
    free(hosts);
}

static size_t bucket_of(const char *origin)
{
    return gt_crc32(origin, strlen(origin)) % BUCKETS;
}

static struct gt_host *find(const struct gt_hosts *hosts, const char *origin)
{
    struct gt_host *h = hosts->buckets[bucket_of(origin)];
    while (h && strcmp(h->origin, origin) != 0)
        h = h->next_in_bucket;
    return h;
}

static double burst(const struct gt_host *h)
{
    return fmax(1, h->rate * BURST_SECONDS);
}

static void fill_bucket(struct gt_host *h, int64_t now)
{
    if (now > h->filled_at) {
        double more = (double)(now - h->filled_at) * h->rate / 1000;
        h->tokens = fmin(burst(h), h->tokens + more);
        h->filled_at = now;
    }
}

/* Milliseconds until the bucket holds a whole token. */
static int64_t token_wait(const struct gt_host *h, int64_t now)
{
    if (h->rate <= 0)
        return 0;
    double have = h->tokens + (double)(now - h->filled_at) * h->rate / 1000;
    return have >= 1 - 1e-9 ? 0 : (int64_t)ceil((1 - have) * 1000 / h->rate);
}

/* Nothing about it is worth keeping. */
static bool forgettable(const struct gt_host *h, int64_t now)
{
    int64_t keep = h->paused_until + (h->strikes ? STRIKES_KEPT : 0);
    return !h->waiting.count && !h->running && keep <= now && token_wait(h, now) == 0;
}

static void sweep(struct gt_hosts *hosts, int64_t now)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct gt_host **at = &hosts->buckets[i]; *at;) {
            struct gt_host *h = *at;
            if (!forgettable(h, now)) {
                at = &h->next_in_bucket;
                continue;
            }
            *at = h->next_in_bucket;
            free(h);
            hosts->count--;
        }
    }
}

static struct gt_host *make(struct gt_hosts *hosts, const char *origin, int64_t now)
{
    if (++hosts->made % SWEEP_EVERY == 0 || hosts->count >= GT_NET_HOSTS)
        sweep(hosts, now);
    size_t len = strlen(origin) + 1;
    struct gt_host *h = hosts->count < GT_NET_HOSTS ? calloc(1, sizeof *h + len) : NULL;
    if (!h)
        return NULL;
    memcpy(h->origin, origin, len);
    h->all = hosts;
    h->rate = hosts->rate;
    h->tokens = 1;
    h->filled_at = now;
    size_t bucket = bucket_of(origin);
    h->next_in_bucket = hosts->buckets[bucket];
    hosts->buckets[bucket] = h;
    hosts->count++;
    return h;
}

static void ring_add(struct gt_hosts *hosts, struct gt_host *h)
{
    if (!hosts->ring) {
        hosts->ring = h->ring_next = h->ring_prev = h;
        return;
    }
    h->ring_next = hosts->ring; /* behind all others */
    h->ring_prev = hosts->ring->ring_prev;
    h->ring_prev->ring_next = h;
    hosts->ring->ring_prev = h;
}

static void ring_remove(struct gt_hosts *hosts, struct gt_host *h)
{
    if (hosts->ring == h)
        hosts->ring = h->ring_next == h ? NULL : h->ring_next;
    h->ring_prev->ring_next = h->ring_next;
    h->ring_next->ring_prev = h->ring_prev;
    h->ring_next = h->ring_prev = NULL;
}

static void take_out(struct gt_host *h, struct transfer *t)
{
    gt_list_remove(&h->waiting, t);
    h->all->waiting--;
    if (!h->waiting.count)
        ring_remove(h->all, h);
}

int gt_hosts_wait(struct gt_hosts *hosts, struct transfer *t, bool first, int64_t now,
                  struct gt_error *err)
{
    if (hosts->waiting >= GT_NET_WAITING)
        return gt_fail(err, GT_E_FULL, "%d requests wait already; submit fewer at once",
                       GT_NET_WAITING);
    struct gt_host *h = find(hosts, t->at.origin);
    if (!h && !(h = make(hosts, t->at.origin, now)))
        return gt_fail(err, GT_E_NOMEM, "no memory for one more host");
    if (t->per_second > 0 && (h->rate <= 0 || t->per_second < h->rate)) {
        fill_bucket(h, now);
        h->rate = t->per_second;
        h->tokens = fmin(h->tokens, burst(h));
    }
    if (!h->waiting.count)
        ring_add(hosts, h);
    t->host = h;
    t->queued_at = now;
    if (!h->waiting.count || now + t->patience_ms < h->next_expiry)
        h->next_expiry = now + t->patience_ms;
    (first ? gt_list_push_front : gt_list_push)(&h->waiting, t);
    hosts->waiting++;
    return 0;
}

/* Milliseconds until this host may start one; -1: when one of its running ends. */
static int64_t start_wait(const struct gt_host *h, int64_t now)
{
    if (h->running >= h->all->per_host)
        return -1;
    int64_t pause = h->paused_until > now ? h->paused_until - now : 0;
    int64_t token = token_wait(h, now);
    return pause > token ? pause : token;
}

static struct transfer *start(struct gt_host *h, int64_t now)
{
    struct transfer *t = h->waiting.first;
    take_out(h, t);
    if (h->rate > 0) {
        fill_bucket(h, now);
        h->tokens = fmax(0, h->tokens - 1);
    }
    h->running++;
    t->started_at = now;
    t->patience_ms -= now - t->queued_at;
    return t;
}

struct transfer *gt_hosts_next(struct gt_hosts *hosts, int64_t now)
{
    struct gt_host *h = hosts->ring, *begin = h;
    if (!h)
        return NULL;
    do {
        if (start_wait(h, now) == 0) {
            hosts->ring = h->ring_next; /* the others first, next time */
            return start(h, now);
        }
        h = h->ring_next;
    } while (h != begin);
    return NULL;
}

static void pause_host(struct gt_host *h, const struct transfer *t, int64_t now)
{
    /* Answers to requests sent before the last refusal tell nothing new. */
    bool again = t->started_at >= h->struck_at;
    int64_t wait = t->retry_after_ms;
    if (wait <= 0)
        wait = gt_backoff(again ? h->strikes : 0, PAUSE_BASE, PAUSE_CAP);
    wait = wait > PAUSE_MAX ? PAUSE_MAX : wait;
    if (again) {
        h->strikes++;
        h->struck_at = now;
    }
    if (now + wait > h->paused_until)
        h->paused_until = now + wait;
}

void gt_hosts_ended(struct transfer *t, int64_t now)
{
    struct gt_host *h = t->host;
    h->running--;
    bool refused = t->status == 429 || t->status == 503;
    if (t->kind != &gt_kind_http)
        return;
    if (refused || (t->status == 403 && t->retry_after_ms >= 0))
        pause_host(h, t, now);
    else if (t->status && t->started_at >= h->struck_at)
        h->strikes = 0;
}

static void give_up(struct transfer *t, int64_t now)
{
    const struct gt_host *h = t->host;
    int64_t waited = (now - t->queued_at + 999) / 1000;
    if (h->paused_until > now)
        gt_fail(&t->failure, GT_E_TIMEOUT,
                "%s: gave up after waiting %lld s: the server asked to be left alone for another "
                "%lld s (too many requests); lower this source's rate",
                t->at.origin, (long long)waited, (long long)(h->paused_until - now + 999) / 1000);
    else
        gt_fail(&t->failure, GT_E_TIMEOUT,
                "%s: gave up after waiting %lld s for its turn behind %zu other requests to this "
                "host; poll less often or raise the limits per host",
                t->at.origin, (long long)waited, h->waiting.count + h->running);
}

static void expire_host(struct gt_host *h, int64_t now, struct transfer_list *out)
{
    h->next_expiry = INT64_MAX;
    for (struct transfer *t = h->waiting.first, *next; t; t = next) {
        next = t->next;
        int64_t end = t->queued_at + t->patience_ms;
        if (end > now) {
            h->next_expiry = end < h->next_expiry ? end : h->next_expiry;
            continue;
        }
        take_out(h, t);
        give_up(t, now);
        gt_list_push(out, t);
    }
}

void gt_hosts_expire(struct gt_hosts *hosts, int64_t now, struct transfer_list *out)
{
    struct gt_host *h = hosts->ring, *last = h ? h->ring_prev : NULL;
    while (h) {
        struct gt_host *next = h == last ? NULL : h->ring_next;
        if (h->next_expiry <= now)
            expire_host(h, now, out);
        h = next;
    }
}

int64_t gt_hosts_due(const struct gt_hosts *hosts, int64_t now, bool may_start)
{
    int64_t due = -1;
    const struct gt_host *h = hosts->ring;
    if (!h)
        return due;
    do {
        int64_t wait = h->next_expiry > now ? h->next_expiry - now : 0;
        int64_t begin = may_start ? start_wait(h, now) : -1;
        if (begin >= 0 && begin < wait)
            wait = begin;
        if (due < 0 || wait < due)
            due = wait;
        h = h->ring_next;
    } while (h != hosts->ring);
    return due;
}

size_t gt_hosts_waiting(const struct gt_hosts *hosts)
{
    return hosts->waiting;
}

int64_t gt_hosts_pause(const struct gt_hosts *hosts, const char *origin, int64_t now)
{
    const struct gt_host *h = find(hosts, origin);
    return h && h->paused_until > now ? h->paused_until - now : 0;
}
