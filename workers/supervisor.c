#include "workers/process.h"
#include "workers/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 256
#define RESTART_BASE_MS 200
#define RESTART_CAP_MS (30 * GT_SECOND)
#define STEADY_MS (60 * GT_SECOND) /* having run for so long, a crash counts as the first again */
#define KILL_AFTER_MS (1500)       /* past the drain time */

struct child {
    const char *role;
    int slot, port_offset;
    pid_t pid;                       /* 0: not running */
    int64_t started_ms, start_at_ms; /* monotonic */
    int failures;
    bool ended; /* before: a later failure to start is no mistake of the set-up */
};

struct supervisor {
    const char *program, *config_path;
    struct child children[CHILDREN_MAX];
    size_t count;
    int64_t drain_ms;
    bool hopeless; /* a worker cannot start until someone mends what it told */
};

static int64_t spare_cores(void)
{
    int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 1 ? cores - 1 : 1;
}

static void add_children(struct supervisor *supervisor, const char *role, int64_t how_many)
{
    for (int64_t i = 0; i < how_many && supervisor->count < CHILDREN_MAX; i++) {
        struct child *child = &supervisor->children[supervisor->count];
        *child =
            (struct child){.role = role, .slot = (int)i + 1, .port_offset = (int)supervisor->count};
        supervisor->count++;
    }
}

static int load_config(const struct supervisor *supervisor, struct gt_config **ret_config,
                       struct gt_error *err)
{
    struct gt_mistakes mistakes = {0};
    int rc = gt_config_load(supervisor->config_path, &gt_all_kinds, ret_config, &mistakes, err);
    for (size_t i = 0; i < mistakes.count; i++)
        gt_log(GT_ERROR, "config.mistake", mistakes.items[i].text);
    gt_arena_free(mistakes.arena);
    return rc;
}

/* Two supervisors on one data folder would run workers of the same names, which take each other's
 * work away. The lock ends with this process; workers do not inherit it. */
static int lock_data(const char *data, struct gt_error *err)
{
    int rc = gt_directory_make(data, 0700, err);
    if (rc)
        return rc;
    GT_BUFFER_AUTO struct gt_buffer path = GT_BUFFER(4096);
    gt_buffer_printf(&path, "%s/run.lock", data);
    if (!gt_buffer_ok(&path))
        return gt_fail(err, GT_E_LIMIT, "the path of the data folder is too long");
    int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return gt_fail(err, GT_E_IO, "%s: cannot write there: %s; check `data:` and its rights",
                       path.data, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    close(fd);
    return gt_fail(err, GT_E_CONFLICT,
                   "another guette run already works in %s; stop it first, or set another `data:` "
                   "(for more workers, `workers:`)",
                   data);
}

static int plan_children(struct supervisor *supervisor, struct gt_error *err)
{
    struct gt_config *config = NULL;
    int rc = load_config(supervisor, &config, err);
    if (rc)
        return rc;
    if (strcmp(config->queue.type, "memory") == 0) {
        gt_config_free(config);
        return gt_fail(err, GT_E_INVALID,
                       "queue.type \"memory\" lives in one process and cannot join the roles; use "
                       "sqlite or redis");
    }
    gt_log_start("run", (enum gt_log_format)config->log.format, (enum gt_level)config->log.level);
    rc = lock_data(config->data, err);
    if (rc) {
        gt_config_free(config);
        return rc;
    }
    add_children(supervisor, "notify", config->workers.notifiers);
    add_children(supervisor, "match",
                 config->workers.matchers ? config->workers.matchers : spare_cores());
    add_children(supervisor, "crawl", config->workers.crawlers);
    supervisor->drain_ms = config->workers.drain_ms;
    gt_config_free(config);
    return 0;
}

static void exec_role(const struct supervisor *supervisor, const struct child *child, int parent)
{
    char slot[16], offset[16];
    snprintf(slot, sizeof slot, "%d", child->slot);
    snprintf(offset, sizeof offset, "%d", child->port_offset);
    gt_child_start(parent);
    execl(supervisor->program, supervisor->program, child->role, "--config",
          supervisor->config_path, "--slot", slot, "--port-offset", offset, (char *)NULL);
    fprintf(stderr, "guette run: cannot start %s %s: %s\n", supervisor->program, child->role,
            strerror(errno));
    _exit(127);
}

static void start_child(const struct supervisor *supervisor, struct child *child)
{
    int parent = (int)getpid();
    pid_t pid = gt_fork();
    if (pid == 0)
        exec_role(supervisor, child, parent);
    child->started_ms = gt_monotonic();
    if (pid > 0) {
        child->pid = pid;
        return;
    }
    child->start_at_ms =
        child->started_ms + gt_backoff(child->failures++, RESTART_BASE_MS, RESTART_CAP_MS);
    gt_log(GT_ERROR, "run.fork", "a worker could not be started; it is tried again",
           GT_F("worker", child->role), GT_F("why", strerror(errno)));
}

static void describe_end(int status, char *buf, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(buf, size, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(buf, size, "exit code %d", WEXITSTATUS(status));
}

static struct child *child_of(struct supervisor *supervisor, pid_t pid)
{
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->children[i].pid == pid)
            return &supervisor->children[i];
    return NULL;
}

static void reap(struct supervisor *supervisor, bool stopping)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *child = child_of(supervisor, pid);
        if (!child)
            continue;
        child->pid = 0;
        if (stopping)
            continue;
        int64_t now = gt_monotonic();
        if (!child->ended && WIFEXITED(status) && WEXITSTATUS(status) == 1) {
            supervisor->hopeless = true;
            continue;
        }
        child->ended = true;
        if (now - child->started_ms >= STEADY_MS)
            child->failures = 0;
        int64_t wait = gt_backoff(child->failures++, RESTART_BASE_MS, RESTART_CAP_MS);
        child->start_at_ms = now + wait;
        char why[128];
        describe_end(status, why, sizeof why);
        gt_log(GT_WARNING, "run.restart", "a worker ended and is started again",
               GT_F("worker", child->role), GT_N("slot", child->slot), GT_F("why", why),
               GT_N("in_ms", wait));
    }
}

static void start_due(struct supervisor *supervisor)
{
    int64_t now = gt_monotonic();
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->children[i].pid == 0 && supervisor->children[i].start_at_ms <= now)
            start_child(supervisor, &supervisor->children[i]);
}

static size_t signal_all(const struct supervisor *supervisor, int number)
{
    size_t running = 0;
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->children[i].pid > 0) {
            running++;
            if (number)
                kill(supervisor->children[i].pid, number);
        }
    return running;
}

static void stop_all(struct supervisor *supervisor)
{
    int64_t end = gt_monotonic() + supervisor->drain_ms + KILL_AFTER_MS;
    signal_all(supervisor, SIGTERM);
    while (reap(supervisor, true), signal_all(supervisor, 0) > 0) {
        if (gt_monotonic() >= end) {
            gt_log(GT_WARNING, "run.kill",
                   "a worker did not stop in time and is killed; what it "
                   "had in hand comes back when its lease ends");
            signal_all(supervisor, SIGKILL);
            end = INT64_MAX;
        }
        gt_sleep(50);
    }
}

/* A wrong file is told once, here, and never reaches the workers. */
static void reload(const struct supervisor *supervisor)
{
    struct gt_error err = {0};
    struct gt_config *config = NULL;
    if (load_config(supervisor, &config, &err))
        gt_log(GT_ERROR, "config.kept", "the new configuration is not used, the old one stays",
               GT_F("why", err.message));
    else
        signal_all(supervisor, SIGHUP);
    gt_config_free(config);
}

int gt_supervise(const char *program, const char *config_path)
{
    struct gt_error err = {0};
    struct supervisor supervisor = {.program = program, .config_path = config_path};
    gt_signals_start();
    gt_harden();
    gt_log_start("run", GT_LOG_AUTO, GT_INFO);
    if (plan_children(&supervisor, &err)) {
        gt_log(GT_ERROR, "run.start", err.message);
        return 1;
    }
    gt_log(GT_INFO, "run.started", "guette keeps watch; Ctrl-C stops it",
           GT_F("config", supervisor.config_path), GT_N("workers", (int64_t)supervisor.count));
    while (!gt_stop_wanted() && !supervisor.hopeless) {
        start_due(&supervisor);
        gt_sleep(200); /* SIGCHLD ends it early */
        if (gt_reload_wanted())
            reload(&supervisor);
        reap(&supervisor, false);
    }
    if (!supervisor.hopeless)
        gt_log(GT_INFO, "run.stopping", "stopping: workers finish what they have in hand");
    stop_all(&supervisor);
    if (supervisor.hopeless)
        gt_log(GT_ERROR, "run.hopeless",
               "guette is not running: a worker could not start; mend what it told above and start "
               "again");
    return supervisor.hopeless ? 1 : 0;
}
