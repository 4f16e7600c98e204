/* The role notify: puts findings in the store with their deliveries (the outbox), and carries the
 * deliveries out. */
#include "workers/worker.h"

#include "notifier/notifier.h"
#include "store/store.h"
#include "workers/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINDINGS_BATCH 64
#define CLAIM_BATCH 16
#define CHANNELS_MAX 128
#define ACTIVE_PER_CHANNEL 16
#define CONNECTIONS_PER_HOST 4
#define IDLE_WAIT_MS 200
#define LOOK_AGAIN_MS (2 * GT_SECOND) /* somebody may have revived a delivery meanwhile */
#define BUSY_WAIT_MS 20
/* A transfer may wait so long for its turn, then take as long as its channel allows; the lease is
 * longer than both: nobody else may send the same delivery meanwhile. */
#define PATIENCE_MS (45 * GT_SECOND)
#define DELIVERY_LEASE_MS (6 * GT_MINUTE)
#define ARENA_MAX ((size_t)64 * 1024 * 1024)

/* A channel at work. One that a reload replaced is retired: it only waits for the answers of what
 * it sent, then it is freed. */
struct endpoint {
    struct gt_channel *channel;
    bool retired;
    int active;
    int failures;         /* in a row */
    int64_t paused_until; /* monotonic; after a failure it is left alone for a while */
};

/* A queue or store that failed is asked ever less often. */
struct trouble {
    int failures;     /* in a row */
    int64_t until_ms; /* monotonic */
};

struct notify {
    struct gt_worker *worker;
    struct gt_store *store;
    struct gt_net *net;
    struct endpoint *endpoints[CHANNELS_MAX];
    size_t endpoint_count;
    struct sending *sendings; /* under way */
    int active;
    int64_t next_claim_ms; /* monotonic; nothing is due before; 0: look at once */
    struct trouble pulling, claiming;
    struct gt_arena *batch; /* findings pulled, deliveries claimed */
    struct gt_arena *item;  /* one of them at a time */
};

/* A delivery under way. */
struct sending {
    struct sending *next, **link; /* in notify->sendings */
    struct notify *notify;
    struct endpoint *endpoint; /* NULL: the channel is not in the configuration */
    char delivery[GT_ID_TEXT], channel[256];
    int64_t attempts, created_ms, detected_ms;
};

static struct endpoint *find_endpoint(struct notify *notify, const char *name)
{
    for (size_t i = 0; i < notify->endpoint_count; i++)
        if (strcmp(gt_channel_name(notify->endpoints[i]->channel), name) == 0)
            return notify->endpoints[i];
    return NULL;
}

static void free_endpoint(struct endpoint *endpoint)
{
    gt_channel_close(endpoint->channel);
    free(endpoint);
}

static void retire_endpoints(struct endpoint **endpoints, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        endpoints[i]->retired = true;
        if (endpoints[i]->active == 0)
            free_endpoint(endpoints[i]);
    }
}

static int open_endpoint(const struct gt_config *config, const struct gt_channel_config *settings,
                         struct endpoint **ret_endpoint, struct gt_error *err)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    int rc = gt_channel_open(config, settings, &endpoint->channel, err);
    if (rc)
        free(endpoint);
    else
        *ret_endpoint = endpoint;
    return rc;
}

static int open_endpoints(const struct gt_config *config, struct endpoint **endpoints,
                          size_t *ret_count, struct gt_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < config->channels.count; i++) {
        const struct gt_channel_config *settings =
            GT_LIST_ITEM(config->channels, struct gt_channel_config, i);
        if (!settings->enabled)
            continue;
        int rc = count < CHANNELS_MAX
                     ? open_endpoint(config, settings, &endpoints[count], err)
                     : gt_fail(err, GT_E_LIMIT, "more than %d channels", CHANNELS_MAX);
        if (rc) {
            retire_endpoints(endpoints, count);
            return rc;
        }
        count++;
    }
    *ret_count = count;
    return 0;
}

static void remember(struct sending *sending)
{
    struct notify *notify = sending->notify;
    sending->next = notify->sendings;
    sending->link = &notify->sendings;
    if (sending->next)
        sending->next->link = &sending->next;
    notify->sendings = sending;
    sending->endpoint->active++;
    notify->active++;
}

static void forget(struct sending *sending)
{
    *sending->link = sending->next;
    if (sending->next)
        sending->next->link = sending->link;
    sending->endpoint->active--;
    sending->notify->active--;
    free(sending);
}

static int open_net(const struct gt_config *config, struct gt_net **ret_net, struct gt_error *err)
{
    struct gt_net_settings settings = {
        .contact = config->contact,
        .connections = config->limits.connections,
        .per_host = CONNECTIONS_PER_HOST,
        .per_second = 20, /* receivers are the operator's own */
    };
    return gt_net_open(&settings, ret_net, err);
}

/* What the receiver did not answer in time is sent again by whoever comes next, not only after the
 * lease. */
static void give_back_all(struct notify *notify)
{
    for (struct sending *sending = notify->sendings, *next; sending; sending = next) {
        next = sending->next;
        (void)gt_store_retry(notify->store, sending->delivery, gt_now(),
                             "guette was stopped before the receiver answered", false, NULL);
        forget(sending);
    }
}

static void close_notify(struct gt_worker *worker, void *state)
{
    (void)worker;
    struct notify *notify = state;
    give_back_all(notify);
    gt_net_close(notify->net);
    retire_endpoints(notify->endpoints, notify->endpoint_count);
    gt_store_close(notify->store);
    gt_arena_free(notify->batch);
    gt_arena_free(notify->item);
    free(notify);
}

static int open_notify(struct gt_worker *worker, void **ret_state, struct gt_error *err)
{
    struct notify *notify = calloc(1, sizeof *notify);
    if (!notify)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    notify->worker = worker;
    notify->batch = gt_arena_new(ARENA_MAX);
    notify->item = gt_arena_new(ARENA_MAX);
    int rc = notify->batch && notify->item
                 ? gt_store_open(worker->config->store.path, false, &notify->store, err)
                 : gt_fail(err, GT_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = open_net(worker->config, &notify->net, err);
    if (rc == 0)
        rc = open_endpoints(worker->config, notify->endpoints, &notify->endpoint_count, err);
    if (rc) {
        close_notify(worker, notify);
        return rc;
    }
    *ret_state = notify;
    return 0;
}

/* --- findings in ------------------------------------------------------- */

static int plan_one(const struct gt_alert *alert, const char *text, const char *channel,
                    struct gt_store_txn *txn, struct gt_error *err)
{
    char id[GT_ID_TEXT];
    gt_delivery_id(alert->id, channel, id);
    return gt_store_deliver(txn, id, alert->id, alert->finding.id, channel, text, gt_now(), err);
}

/* One alert for a new finding, to every channel that a route names. */
static int plan(void *user, const struct gt_stored_finding *stored, bool is_new,
                struct gt_store_txn *txn, struct gt_error *err)
{
    struct notify *notify = user;
    if (!is_new)
        return 0;
    struct gt_alert alert = {
        .event = "finding.created",
        .created_ms = gt_now(),
        .occurrences = stored->occurrences,
        .first_seen_ms = stored->first_seen_ms,
        .lang = (enum gt_lang)notify->worker->config->lang,
        .finding = stored->finding,
    };
    gt_alert_identify(&alert);
    const char *channels[CHANNELS_MAX];
    size_t count = gt_route(notify->worker->config, &stored->finding, channels, CHANNELS_MAX);
    GT_JSON_AUTO json_t *json = gt_alert_to_json(&alert);
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(4 * 1024 * 1024);
    if (!json || gt_json_append(json, &text))
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = plan_one(&alert, text.data, channels[i], txn, err);
    return rc;
}

static int take_finding(struct notify *notify, const struct gt_job *job, struct gt_error *err)
{
    struct gt_finding finding;
    struct gt_queue *queue = notify->worker->queue;
    gt_arena_reset(notify->item);
    int rc = gt_finding_decode(job->payload, job->len, notify->item, &finding, err);
    bool hopeless = rc == GT_E_INVALID || rc == GT_E_LIMIT;
    if (rc == 0) {
        rc = gt_store_put(notify->store, &finding, plan, notify, err);
        hopeless = rc == GT_E_LIMIT; /* GT_E_INVALID: the store is damaged, not the finding */
    }
    if (hopeless)
        return gt_queue_bury(queue, GT_TOPIC_FINDINGS, job, err->message, err);
    if (rc == 0)
        rc = gt_queue_ack(queue, GT_TOPIC_FINDINGS, job, err);
    if (rc == 0)
        notify->worker->done++;
    return rc;
}

static int take_findings(struct notify *notify, int64_t wait_ms, struct gt_error *err)
{
    struct gt_job jobs[FINDINGS_BATCH];
    struct gt_queue *queue = notify->worker->queue;
    gt_arena_reset(notify->batch);
    int count =
        gt_queue_pull(queue, GT_TOPIC_FINDINGS, FINDINGS_BATCH, wait_ms, notify->batch, jobs, err);
    if (count <= 0)
        return count;
    int rc = 0;
    for (int i = 0; i < count; i++) {
        gt_worker_beat(notify->worker);
        if (rc == 0)
            rc = take_finding(notify, &jobs[i], err);
        /* A queue that does not answer is not asked for each: their leases end by themselves. */
        if (rc &&
            gt_queue_release(queue, GT_TOPIC_FINDINGS, &jobs[i], 0, false, NULL) == GT_E_AGAIN)
            break;
    }
    notify->next_claim_ms = 0;
    return rc;
}

/* --- deliveries out ---------------------------------------------------- */

static void count_result(const char *channel, const char *result)
{
    char label[320], name[280];
    gt_label(name, sizeof name, "channel", channel);
    snprintf(label, sizeof label, "%s,result=\"%s\"", name, result);
    gt_counter_add("guette_deliveries_total", label, 1);
}

static int bury(struct notify *notify, const struct sending *sending, const char *why)
{
    count_result(sending->channel, "dead");
    gt_log(
        GT_ERROR, "delivery.dead", "an alert could not be delivered; see `guette deliveries list`",
        GT_F("channel", sending->channel), GT_F("delivery", sending->delivery), GT_F("why", why));
    return gt_store_dead(notify->store, sending->delivery, why, gt_now(), NULL);
}

static int succeed(struct notify *notify, const struct sending *sending, struct endpoint *endpoint)
{
    count_result(sending->channel, "delivered");
    if (sending->detected_ms)
        gt_histogram_observe("guette_delivery_seconds", NULL,
                             (double)(gt_now() - sending->detected_ms) / 1000);
    if (endpoint) {
        endpoint->failures = 0;
        endpoint->paused_until = 0;
    }
    return gt_store_delivered(notify->store, sending->delivery, gt_now(), NULL);
}

static int retry(struct notify *notify, const struct sending *sending, struct endpoint *endpoint,
                 const struct gt_outcome *outcome)
{
    int64_t now = gt_now();
    int64_t wait =
        gt_delivery_backoff(sending->attempts, sending->created_ms, now,
                            notify->worker->config->limits.delivery_for_ms, outcome->after_ms);
    if (wait < 0)
        return bury(notify, sending, outcome->why);
    count_result(sending->channel, "retry");
    if (endpoint) {
        /* Others for the same receiver wait too: it is down, or asked for quiet. */
        int64_t quiet = gt_backoff(endpoint->failures++, GT_SECOND, 5 * GT_MINUTE);
        if (outcome->after_ms > quiet)
            quiet = outcome->after_ms;
        endpoint->paused_until = gt_monotonic() + quiet;
    }
    char key[320];
    int64_t held = 0;
    snprintf(key, sizeof key, "retry %s", sending->channel);
    if (gt_log_allow(key, &held))
        gt_log(GT_WARNING, "delivery.retry", outcome->why, GT_F("channel", sending->channel),
               GT_N("attempt", sending->attempts + 1), GT_N("again_in_s", wait / 1000),
               GT_N("unsaid", held));
    return gt_store_retry(notify->store, sending->delivery, now + wait, outcome->why, true, NULL);
}

static int disable(struct notify *notify, const struct sending *sending,
                   const struct gt_outcome *outcome)
{
    gt_log(GT_ERROR, "channel.disabled",
           "the receiver said it is gone (410); the channel is off until `guette deliveries retry`",
           GT_F("channel", sending->channel));
    int rc = bury(notify, sending, outcome->why);
    if (rc == 0)
        rc =
            gt_store_disable_channel(notify->store, sending->channel, outcome->why, gt_now(), NULL);
    return rc;
}

/* When the store itself fails here, the delivery's lease ends and it is sent once more: never lost.
 */
static void settle(struct notify *notify, const struct sending *sending,
                   const struct gt_outcome *outcome)
{
    struct endpoint *endpoint = sending->endpoint;
    int rc = 0;
    switch (outcome->type) {
    case GT_DELIVERED:
        rc = succeed(notify, sending, endpoint);
        break;
    case GT_RETRY:
        rc = retry(notify, sending, endpoint, outcome);
        break;
    case GT_REJECTED:
        rc = bury(notify, sending, outcome->why);
        break;
    case GT_GONE:
        rc = disable(notify, sending, outcome);
        break;
    }
    if (rc)
        gt_log(GT_WARNING, "store.trouble", "the result of a delivery could not be written down",
               GT_F("delivery", sending->delivery), GT_F("kind", gt_code_name(rc)));
    notify->next_claim_ms = 0;
}

static void on_done(void *user, const struct gt_http_response *response)
{
    struct sending *sending = user;
    struct notify *notify = sending->notify;
    struct endpoint *endpoint = sending->endpoint;
    struct gt_outcome outcome;
    gt_channel_classify(endpoint->channel, response, &outcome);
    settle(notify, sending, &outcome);
    forget(sending);
    if (endpoint->retired && endpoint->active == 0)
        free_endpoint(endpoint);
}

static int start(struct notify *notify, struct gt_outgoing *outgoing, struct sending *sending,
                 struct gt_error *err)
{
    int rc;
    outgoing->http.patience_ms = outgoing->mail.patience_ms = PATIENCE_MS;
    if (outgoing->type == GT_OUTGOING_HTTP)
        rc = gt_net_http(notify->net, &outgoing->http, on_done, sending, err);
    else
        rc = gt_net_mail(notify->net, &outgoing->mail, on_done, sending, err);
    if (rc == 0)
        remember(sending);
    return rc;
}

/* Hands it to its channel. *ret_sent: a transfer began, its answer settles it. */
static int carry_out(struct notify *notify, const struct gt_delivery *delivery,
                     struct sending *sending, bool *ret_sent, struct gt_error *err)
{
    struct gt_alert alert;
    struct gt_outgoing outgoing = {0};
    if (!sending->endpoint)
        return gt_fail(err, GT_E_NOTFOUND, "channel \"%s\" is not in the configuration (any more)",
                       delivery->channel);
    GT_JSON_AUTO json_t *json =
        gt_json_parse(delivery->alert_json, strlen(delivery->alert_json), err);
    int rc = json ? gt_alert_from_json(json, notify->item, &alert, err) : GT_E_INVALID;
    if (rc)
        return rc;
    sending->detected_ms = alert.finding.detected_ms;
    rc = gt_channel_render(sending->endpoint->channel, &alert, gt_now(), (int)delivery->attempts,
                           notify->item, &outgoing, err);
    if (rc)
        return rc;
    if (outgoing.type == GT_OUTGOING_WRITE)
        return gt_write_out(outgoing.write.path, outgoing.write.bytes, outgoing.write.len,
                            outgoing.write.mode, err);
    rc = start(notify, &outgoing, sending, err);
    *ret_sent = rc == 0;
    return rc;
}

/* What can't be rendered now may be so after a change of configuration: it is retried like a failed
 * one. */
static void send_one(struct notify *notify, const struct gt_delivery *delivery)
{
    struct gt_error err = {0};
    struct gt_outcome outcome = {.type = GT_DELIVERED, .after_ms = -1};
    struct sending *sending = calloc(1, sizeof *sending);
    bool sent = false;
    if (!sending)
        return; /* the lease ends, it comes again */
    *sending = (struct sending){.notify = notify,
                                .endpoint = find_endpoint(notify, delivery->channel),
                                .attempts = delivery->attempts,
                                .created_ms = delivery->created_ms};
    snprintf(sending->delivery, sizeof sending->delivery, "%s", delivery->id);
    snprintf(sending->channel, sizeof sending->channel, "%s", delivery->channel);
    gt_arena_reset(notify->item);
    int rc = carry_out(notify, delivery, sending, &sent, &err);
    if (sent)
        return; /* on_done settles it */
    if (rc) {
        outcome.type = GT_RETRY;
        snprintf(outcome.why, sizeof outcome.why, "%.*s", (int)sizeof outcome.why - 1, err.message);
    }
    settle(notify, sending, &outcome);
    free(sending);
}

static bool is_paused(const struct endpoint *endpoint)
{
    return endpoint && endpoint->paused_until > gt_monotonic();
}

/* Channels that shall not be given more now. */
static size_t list_busy(const struct notify *notify, const char **ret_names)
{
    size_t count = 0;
    for (size_t i = 0; i < notify->endpoint_count; i++) {
        const struct endpoint *e = notify->endpoints[i];
        if (e->active >= ACTIVE_PER_CHANNEL || is_paused(e))
            ret_names[count++] = gt_channel_name(e->channel);
    }
    ret_names[count] = NULL;
    return count;
}

/* Due times are wall clock, waiting is not: a clock set back must not stop alerts. */
static int64_t next_look(struct notify *notify)
{
    int64_t due = 0, wait = LOOK_AGAIN_MS;
    if (gt_store_next_due(notify->store, &due, NULL) == 0 && due != 0)
        wait = due - gt_now();
    if (wait < BUSY_WAIT_MS)
        wait = BUSY_WAIT_MS; /* due, but its channel is busy */
    return gt_monotonic() + (wait < LOOK_AGAIN_MS ? wait : LOOK_AGAIN_MS);
}

/* The first one that failed in a batch paused its channel: the others wait as well. */
static void put_back(struct notify *notify, const struct gt_delivery *delivery)
{
    (void)gt_store_retry(notify->store, delivery->id, gt_now(), delivery->last_error, false, NULL);
}

static int send_due(struct notify *notify, struct gt_error *err)
{
    const char *busy[CHANNELS_MAX + 1];
    struct gt_delivery deliveries[CLAIM_BATCH];
    list_busy(notify, busy);
    gt_arena_reset(notify->batch);
    /* Few at a time, so that what is claimed can be under way at once. */
    int count = gt_store_claim(notify->store, gt_now(), DELIVERY_LEASE_MS, busy, CLAIM_BATCH,
                               notify->batch, deliveries, err);
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++) {
        if (gt_stop_wanted() || is_paused(find_endpoint(notify, deliveries[i].channel)))
            put_back(notify, &deliveries[i]);
        else
            send_one(notify, &deliveries[i]);
        gt_console_beat(notify->worker->console);
    }
    notify->next_claim_ms = count ? 0 : next_look(notify);
    return 0;
}

/* --- the loop ---------------------------------------------------------- */

/* What is under way goes on meanwhile, so the loop does not stop for it. */
static void note(struct notify *notify, struct trouble *trouble, int rc, const struct gt_error *err)
{
    bool troubled = notify->pulling.failures || notify->claiming.failures;
    if (rc) {
        gt_worker_complain("worker.trouble", err);
        gt_console_ready(notify->worker->console, false, err->message);
        trouble->until_ms = gt_monotonic() + gt_backoff(trouble->failures++, 50, 5 * GT_SECOND);
        return;
    }
    trouble->failures = 0;
    if (troubled && !notify->pulling.failures && !notify->claiming.failures)
        gt_worker_recovered(notify->worker);
}

static bool may(const struct trouble *trouble)
{
    return !gt_stop_wanted() && gt_monotonic() >= trouble->until_ms;
}

static int turn(struct gt_worker *worker, void *state, struct gt_error *err)
{
    (void)worker;
    struct notify *notify = state;
    bool pull = may(&notify->pulling);
    bool busy = notify->active > 0 || notify->next_claim_ms == 0;
    if (pull)
        note(notify, &notify->pulling, take_findings(notify, busy ? 0 : IDLE_WAIT_MS, err), err);
    if (may(&notify->claiming) && gt_monotonic() >= notify->next_claim_ms)
        note(notify, &notify->claiming, send_due(notify, err), err);
    uint32_t ready;
    if (notify->active > 0 || !pull || notify->claiming.failures)
        return gt_net_run(notify->net, BUSY_WAIT_MS, NULL, 0, &ready, err);
    return 0;
}

/* Transfers under way end with the channel that sent them. */
static int reload(struct gt_worker *worker, void *state, const struct gt_config *next,
                  struct gt_error *err)
{
    (void)worker;
    struct notify *notify = state;
    struct endpoint *fresh[CHANNELS_MAX] = {0};
    size_t count = 0;
    int rc = open_endpoints(next, fresh, &count, err);
    if (rc)
        return rc;
    retire_endpoints(notify->endpoints, notify->endpoint_count);
    memcpy(notify->endpoints, fresh, sizeof fresh);
    notify->endpoint_count = count;
    notify->next_claim_ms = 0;
    return 0;
}

static bool drained(struct gt_worker *worker, void *state)
{
    (void)worker;
    return ((struct notify *)state)->active == 0;
}

const struct gt_role gt_role_notify = {"notify", open_notify, turn, reload, drained, close_notify};
