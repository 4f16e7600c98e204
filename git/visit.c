#include "git/unpack.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Each family of deltas is walked from its base on, so that every object is unpacked once, whatever
 * the chains look like. What a worker still needs of a family is a stack of bases with children to
 * do; a worker without work gets the lowest of another's. */
#define HELD_MAX ((size_t)64 * 1024 * 1024) /* bytes of bases on a worker's stack */
#define PROGRESS_EVERY 2048
#define SPARES 8                            /* a worker's memory of objects that are done */
#define SPARE_MAX ((size_t)2 * 1024 * 1024) /* larger pieces are not kept */

struct base {
    struct gt_whole whole;
    atomic_uint users;
    bool clean;
};

struct frame {
    struct base *base; /* NULL: a root */
    uint32_t next;     /* child to do */
};

struct walk {
    const struct gt_git *git;
    const struct gt_git_visitor *visitor;
    const struct gt_plan *plan;
    pthread_mutex_t lock; /* of the rest, but for the atomics */
    pthread_cond_t work;
    uint32_t root; /* next to look at */
    unsigned idle;
    struct frame gift; /* given away by a worker; next GT_PACK_NONE: none */
    struct gt_oids *fetch;
    bool out_of_memory;
    atomic_uint hungry; /* workers that a gift would serve */
    _Atomic uint64_t *done;
    uint64_t total;
};

struct worker {
    struct walk *walk;
    unsigned number;
    struct gt_unpacker *unpacker;
    struct gt_changes changes;
    struct gt_whole now; /* the object at work */
    struct gt_whole spares[SPARES];
    size_t spare_count;
    struct frame *stack;
    size_t depth, capacity, held;
    pthread_t thread;
    bool started;
};

/* ---- bases ---- */

/* Memory goes round: objects of a family are about as long as each other. */
static void recycle(struct worker *worker, struct gt_whole *whole)
{
    if (whole->bytes && worker->spare_count < SPARES && whole->capacity <= SPARE_MAX)
        worker->spares[worker->spare_count++] = *whole;
    else
        free(whole->bytes);
    *whole = (struct gt_whole){0};
}

static void let_go(struct worker *worker, struct base *base)
{
    if (base && atomic_fetch_sub(&base->users, 1) == 1) {
        recycle(worker, &base->whole);
        free(base);
    }
}

/* The next child that matters, from `number` on. */
static uint32_t needed(const struct gt_plan *plan, uint32_t number)
{
    while (number != GT_PACK_NONE && !(plan->entries[number].flags & GT_ENTRY_NEEDED))
        number = plan->entries[number].sibling;
    return number;
}

static uint32_t next_sibling(const struct gt_plan *plan, uint32_t number)
{
    return needed(plan, plan->entries[number].sibling);
}

/* ---- what git has to do ---- */

static void leave(struct worker *worker, uint32_t number)
{
    struct walk *walk = worker->walk;
    struct gt_oid oid;
    if (!(walk->plan->entries[number].flags & GT_ENTRY_WANTED))
        return;
    gt_pack_name(walk->plan->pack, walk->plan->entries[number].index, &oid);
    pthread_mutex_lock(&walk->lock);
    if (gt_oids_add(walk->fetch, &oid) < 0)
        walk->out_of_memory = true;
    pthread_mutex_unlock(&walk->lock);
}

/* The entry and all that is made of it, without recursion: links lead down, over and up again. */
static void leave_family(struct worker *worker, uint32_t top)
{
    const struct gt_plan *plan = worker->walk->plan;
    uint32_t at = top;
    for (;;) {
        leave(worker, at);
        if (plan->entries[at].child != GT_PACK_NONE) {
            at = plan->entries[at].child;
            continue;
        }
        while (at != top && plan->entries[at].sibling == GT_PACK_NONE)
            at = plan->entries[at].parent;
        if (at == top)
            return;
        at = plan->entries[at].sibling;
    }
}

/* ---- one entry ---- */

static void count_done(struct walk *walk)
{
    uint64_t done = atomic_fetch_add(walk->done, 1) + 1;
    if (walk->visitor->progress && done % PROGRESS_EVERY == 0)
        walk->visitor->progress(walk->visitor->user, done, walk->total);
}

static bool show(struct worker *worker, uint32_t number, const struct base *base,
                 const struct gt_whole *whole)
{
    struct walk *walk = worker->walk;
    const struct gt_entry *entry = &walk->plan->entries[number];
    struct gt_oid oid;
    if (!(entry->flags & GT_ENTRY_WANTED))
        return false;
    gt_pack_name(walk->plan->pack, entry->index, &oid);
    struct gt_git_object object = {
        .oid = &oid, .type = entry->type, .bytes = whole->bytes, .len = whole->len};
    static const struct gt_git_span none;
    if (base && base->clean && !worker->changes.lost) {
        object.changes = worker->changes.items ? worker->changes.items : &none;
        object.change_count = worker->changes.count;
    }
    bool clean = walk->visitor->object(walk->visitor->user, worker->number, &object);
    count_done(walk);
    return clean;
}

static int push(struct worker *worker, struct frame frame)
{
    if (worker->depth == worker->capacity) {
        size_t capacity = worker->capacity ? 2 * worker->capacity : 64;
        struct frame *more = reallocarray(worker->stack, capacity, sizeof *more);
        if (!more)
            return GT_E_NOMEM;
        worker->stack = more;
        worker->capacity = capacity;
    }
    worker->stack[worker->depth++] = frame;
    worker->held += frame.base->whole.len;
    return 0;
}

/* Keeps the object for its children. */
static int keep(struct worker *worker, uint32_t child, bool clean)
{
    struct base *base = calloc(1, sizeof *base);
    if (!base || worker->held + worker->now.len > HELD_MAX) {
        free(base);
        return GT_E_LIMIT;
    }
    base->whole = worker->now;
    base->clean = clean;
    atomic_init(&base->users, 1);
    worker->now = (struct gt_whole){0};
    if (worker->spare_count > 0)
        worker->now = worker->spares[--worker->spare_count];
    if (push(worker, (struct frame){base, child}) < 0) {
        let_go(worker, base);
        return GT_E_NOMEM;
    }
    return 0;
}

static void do_entry(struct worker *worker, uint32_t number, const struct base *base)
{
    const struct gt_plan *plan = worker->walk->plan;
    if (gt_unpacker_run(worker->unpacker, plan, number, base ? &base->whole : NULL, &worker->now,
                        &worker->changes) < 0) {
        leave_family(worker, number);
        return;
    }
    bool clean = show(worker, number, base, &worker->now);
    uint32_t child = needed(plan, plan->entries[number].child);
    if (child == GT_PACK_NONE || keep(worker, child, clean) == 0)
        return;
    for (; child != GT_PACK_NONE; child = next_sibling(plan, child))
        leave_family(worker, child);
}

/* ---- families ---- */

/* Takes a child off the frame; the last one takes the base with it. */
static struct frame take_child(struct worker *worker, size_t level)
{
    struct frame *frame = &worker->stack[level], taken = *frame;
    frame->next = next_sibling(worker->walk->plan, taken.next);
    if (frame->next != GT_PACK_NONE) {
        atomic_fetch_add(&frame->base->users, 1);
        return taken;
    }
    worker->held -= frame->base->whole.len;
    memmove(frame, frame + 1, (--worker->depth - level) * sizeof *frame);
    return taken;
}

/* To a worker without work: the lowest child on the stack, if others are left. */
static void give(struct worker *worker)
{
    struct walk *walk = worker->walk;
    bool others =
        worker->depth > 1 ||
        (worker->depth == 1 && next_sibling(walk->plan, worker->stack[0].next) != GT_PACK_NONE);
    if (!others)
        return;
    pthread_mutex_lock(&walk->lock);
    if (walk->idle > 0 && walk->gift.next == GT_PACK_NONE) {
        walk->gift = take_child(worker, 0);
        atomic_store(&walk->hungry, 0);
        pthread_cond_signal(&walk->work);
    }
    pthread_mutex_unlock(&walk->lock);
}

static bool is_stopped(const struct walk *walk)
{
    return walk->visitor->stopped && walk->visitor->stopped();
}

static void do_family(struct worker *worker, struct frame first)
{
    do_entry(worker, first.next, first.base);
    let_go(worker, first.base);
    while (worker->depth > 0) {
        if (is_stopped(worker->walk)) {
            let_go(worker, worker->stack[--worker->depth].base);
            continue;
        }
        if (atomic_load_explicit(&worker->walk->hungry, memory_order_relaxed))
            give(worker);
        struct frame frame = take_child(worker, worker->depth - 1);
        do_entry(worker, frame.next, frame.base);
        let_go(worker, frame.base);
    }
}

static uint32_t next_root(struct walk *walk)
{
    if (is_stopped(walk))
        return GT_PACK_NONE;
    for (; walk->root < walk->plan->count; walk->root++) {
        const struct gt_entry *entry = &walk->plan->entries[walk->root];
        if (entry->parent == GT_PACK_NONE && entry->flags & GT_ENTRY_NEEDED)
            return walk->root++;
    }
    return GT_PACK_NONE;
}

/* With the lock held. False: all is done. */
static bool take(struct walk *walk, struct frame *ret)
{
    for (;;) {
        if (walk->gift.next != GT_PACK_NONE) {
            *ret = walk->gift;
            walk->gift.next = GT_PACK_NONE;
            return true;
        }
        *ret = (struct frame){NULL, next_root(walk)};
        if (ret->next != GT_PACK_NONE)
            return true;
        walk->idle++;
        if (walk->idle >= walk->visitor->threads) {
            pthread_cond_broadcast(&walk->work);
            return false;
        }
        atomic_store(&walk->hungry, 1);
        pthread_cond_wait(&walk->work, &walk->lock);
        if (walk->idle >= walk->visitor->threads)
            return false;
        walk->idle--;
        if (walk->idle > 0)
            atomic_store(&walk->hungry, 1);
    }
}

static void *work(void *user)
{
    struct worker *worker = user;
    struct walk *walk = worker->walk;
    struct frame frame;
    for (;;) {
        pthread_mutex_lock(&walk->lock);
        bool more = take(walk, &frame);
        pthread_mutex_unlock(&walk->lock);
        if (!more)
            return NULL;
        do_family(worker, frame);
    }
}

/* ---- a pack ---- */

static void free_worker(struct worker *worker)
{
    gt_unpacker_free(worker->unpacker);
    free(worker->changes.items);
    free(worker->now.bytes);
    while (worker->spare_count > 0)
        free(worker->spares[--worker->spare_count].bytes);
    free(worker->stack);
}

/* A worker that cannot be had counts as idle for ever; the first is this thread. */
static int run_workers(struct walk *walk, struct worker *workers, struct gt_error *err)
{
    unsigned count = walk->visitor->threads;
    for (unsigned i = 0; i < count; i++) {
        workers[i] = (struct worker){.walk = walk, .number = i, .unpacker = gt_unpacker_new()};
        if (i > 0 && workers[i].unpacker)
            workers[i].started = pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
        if (i > 0 && !workers[i].started) {
            pthread_mutex_lock(&walk->lock);
            walk->idle++;
            pthread_mutex_unlock(&walk->lock);
        }
    }
    bool able = workers[0].unpacker;
    if (able)
        work(&workers[0]);
    pthread_mutex_lock(&walk->lock);
    walk->idle += !able;
    if (walk->idle >= count)
        pthread_cond_broadcast(&walk->work);
    pthread_mutex_unlock(&walk->lock);
    for (unsigned i = 0; i < count; i++) {
        if (workers[i].started)
            pthread_join(workers[i].thread, NULL);
        free_worker(&workers[i]);
    }
    return able && !walk->out_of_memory ? 0 : gt_fail(err, GT_E_NOMEM, "out of memory for a pack");
}

static int visit_plan(struct walk *walk, struct gt_error *err)
{
    struct worker *workers = calloc(walk->visitor->threads, sizeof *workers);
    if (!workers)
        return gt_fail(err, GT_E_NOMEM, "out of memory for a pack");
    pthread_mutex_init(&walk->lock, NULL);
    pthread_cond_init(&walk->work, NULL);
    int rc = run_workers(walk, workers, err);
    pthread_cond_destroy(&walk->work);
    pthread_mutex_destroy(&walk->lock);
    free(workers);
    return rc;
}

static int visit_pack(struct gt_git *git, size_t number, const struct gt_git_visitor *visitor,
                      _Atomic uint64_t *done, uint64_t *total, struct gt_oids *fetch,
                      struct gt_error *err)
{
    struct gt_plan plan = {0};
    int rc = gt_plan_make(git, number, visitor->only, &plan, fetch, err);
    *total += plan.wanted;
    if (rc >= 0 && plan.wanted > 0) {
        struct walk walk = {.git = git,
                            .visitor = visitor,
                            .plan = &plan,
                            .gift = {NULL, GT_PACK_NONE},
                            .fetch = fetch,
                            .done = done,
                            .total = *total};
        rc = visit_plan(&walk, err);
    }
    gt_plan_free(&plan);
    return rc;
}

/* A pack that cannot be opened: its objects may be elsewhere, too; git knows. */
static int fetch_names(struct gt_git *git, size_t number, const struct gt_git_visitor *visitor,
                       struct gt_oids *fetch)
{
    const struct gt_pack *pack = git->packs[number];
    int rc = 0;
    for (uint32_t i = 0; i < pack->count && rc >= 0; i++) {
        struct gt_oid oid;
        gt_pack_name(pack, i, &oid);
        if ((!visitor->only || gt_oids_have(visitor->only, &oid)) &&
            !gt_git_packed(git, &oid, number))
            rc = gt_oids_add(fetch, &oid);
    }
    return rc;
}

static void tell_doubts(struct gt_git *git, const struct gt_git_visitor *visitor)
{
    const char *at = git->doubts.data, *end = at ? at + git->doubts.len : at;
    for (; at < end; at += strlen(at) + 1)
        visitor->complain(visitor->user, NULL, at);
}

static int visit_packs(struct gt_git *git, const struct gt_git_visitor *visitor,
                       struct gt_oids *fetch, _Atomic uint64_t *done, struct gt_error *err)
{
    uint64_t total = 0;
    int rc = 0;
    for (size_t i = 0; i < git->pack_count && rc >= 0; i++) {
        struct gt_error why;
        if (gt_pack_start(git->packs[i], &why) < 0) {
            visitor->complain(visitor->user, NULL, why.message);
            rc = fetch_names(git, i, visitor, fetch) < 0
                     ? gt_fail(err, GT_E_NOMEM, "out of memory for a pack")
                     : 0;
            continue;
        }
        rc = visit_pack(git, i, visitor, done, &total, fetch, err);
        gt_pack_stop(git->packs[i]);
    }
    return rc;
}

int gt_git_visit(struct gt_git *git, const struct gt_git_visitor *visitor, struct gt_error *err)
{
    struct gt_oids fetch = {0};
    _Atomic uint64_t done = 0;
    tell_doubts(git, visitor);
    int rc = visit_packs(git, visitor, &fetch, &done, err);
    for (size_t i = 0; i < git->loose.count && rc >= 0; i++)
        if (!visitor->only || gt_oids_have(visitor->only, &git->loose.items[i]))
            rc = gt_oids_add(&fetch, &git->loose.items[i]) < 0
                     ? gt_fail(err, GT_E_NOMEM, "out of memory")
                     : 0;
    if (rc >= 0)
        rc = gt_git_fetch(git, &fetch, visitor, err);
    gt_oids_free(&fetch);
    return rc;
}
