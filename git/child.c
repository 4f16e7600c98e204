#include "git/child.h"

#include "git/git.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define SAID_MAX 400

/* A repository's configuration is as hostile as its content. None of the commands that we call runs
 * anything by it, and these keep it so if one did: no hooks, no monitor, no pager, no transport, no
 * askpass. commitGraph and multiPackIndex are caches that may lie. Whose the files are does not
 * matter then (safe.directory). */
static const char *const leading[] = {
    "--no-replace-objects",
    "--no-pager",
    "--literal-pathspecs",
    "-c",
    "safe.directory=*",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.pager=cat",
    "-c",
    "core.askPass=false",
    "-c",
    "core.sshCommand=false",
    "-c",
    "core.alternateRefsCommand=false",
    "-c",
    "core.commitGraph=false",
    "-c",
    "core.multiPackIndex=false",
    "-c",
    "core.quotePath=false",
    "-c",
    "core.warnAmbiguousRefs=false",
    "-c",
    "protocol.allow=never",
    "-c",
    "credential.helper=",
    "-c",
    "diff.external=",
    "-c",
    "diff.orderFile=/dev/null",
    "-c",
    "diff.ignoreSubmodules=all",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
};

static const char *const environment[] = {
    "LC_ALL=C",
    "HOME=/nonexistent",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_SYSTEM=/dev/null",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_ATTR_NOSYSTEM=1",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_OPTIONAL_LOCKS=0",
    "GIT_NO_LAZY_FETCH=1",
    "GIT_NO_REPLACE_OBJECTS=1",
    "GIT_ALLOW_PROTOCOL=none",
    "GIT_GRAFT_FILE=/dev/null",
    "GIT_ADVICE=0",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

int gt_git_spool(void)
{
    const char *folder = getenv("TMPDIR");
    char name[4096];
    if (!folder || snprintf(name, sizeof name, "%s/guette-XXXXXX", folder) >= (int)sizeof name)
        snprintf(name, sizeof name, "/tmp/guette-XXXXXX");
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

int gt_git_spool_write(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return GT_E_IO;
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

/* ---- starting ---- */

static char *parent_of(const char *directory)
{
    char *text = malloc(strlen(directory) + 32);
    if (!text)
        return NULL;
    sprintf(text, "GIT_CEILING_DIRECTORIES=%s", directory);
    char *slash = strrchr(text, '/');
    if (slash && slash > strchr(text, '=') + 1)
        *slash = '\0';
    return text;
}

static char *path_variable(void)
{
    const char *path = getenv("PATH");
    char *text = NULL;
    if (asprintf(&text, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin") < 0)
        return NULL;
    return text;
}

static int spawn_with(struct gt_git_child *child, const char *const *argv, const char *const *envp,
                      int input, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (input >= 0)
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->errors, STDERR_FILENO);
    union {
        const char *const *in;
        char *const *out;
    } args = {argv}, env = {envp};
    int rc = posix_spawnp(&child->pid, "git", &actions, &attributes, args.out, env.out);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

static int spawn_git(struct gt_git_child *child, const char *directory,
                     const char *const *arguments, int input, int out)
{
    const char *argv[COUNT(leading) + ARGUMENTS_MAX + 4] = {"git", "-C", directory};
    const char *envp[COUNT(environment) + 3];
    size_t argc = 3, envc = 0;
    for (size_t i = 0; i < COUNT(leading); i++)
        argv[argc++] = leading[i];
    for (size_t i = 0; arguments[i] && i < ARGUMENTS_MAX; i++)
        argv[argc++] = arguments[i];
    argv[argc] = NULL;
    for (size_t i = 0; i < COUNT(environment); i++)
        envp[envc++] = environment[i];
    char *ceiling = parent_of(directory), *path = path_variable();
    envp[envc++] = ceiling;
    envp[envc++] = path;
    envp[envc] = NULL;
    int rc = ceiling && path ? spawn_with(child, argv, envp, input, out) : ENOMEM;
    free(ceiling);
    free(path);
    return rc;
}

int gt_git_child_start(const char *directory, const char *const *arguments, int input,
                       struct gt_git_child **ret_child, struct gt_error *err)
{
    int pipes[2] = {-1, -1};
    struct gt_git_child *child = calloc(1, sizeof *child);
    if (!child)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    child->pid = -1;
    child->errors = gt_git_spool();
    if (child->errors < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
        int rc = gt_fail(err, GT_E_IO, "no pipe to git: %s", strerror(errno));
        child->out = pipes[0];
        gt_git_child_free(child);
        return rc;
    }
    child->out = pipes[0];
    int rc = spawn_git(child, directory, arguments, input, pipes[1]);
    close(pipes[1]);
    if (rc != 0) {
        child->pid = -1;
        gt_git_child_free(child);
        return rc == ENOENT
                   ? gt_fail(err, GT_E_UNSUPPORTED,
                             "git is needed to read a repository, and there is no program "
                             "\"git\" here; install it (Debian, Fedora, Alpine: package git)")
                   : gt_fail(err, GT_E_IO, "git cannot be started: %s", strerror(rc));
    }
    *ret_child = child;
    return 0;
}

/* ---- reading ---- */

static int fill(struct gt_git_child *child)
{
    while (!child->ended && child->from == child->to) {
        ssize_t got = read(child->out, child->buffer, sizeof child->buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return GT_E_IO;
        child->from = 0;
        child->to = (size_t)got;
        child->ended = got == 0;
    }
    return 0;
}

ssize_t gt_git_child_read(struct gt_git_child *child, void *to, size_t len)
{
    size_t have = child->to - child->from;
    if (have == 0 && len >= sizeof child->buffer && !child->ended) {
        ssize_t got;
        while ((got = read(child->out, to, len)) < 0 && errno == EINTR)
            ;
        child->ended = got == 0;
        return got < 0 ? GT_E_IO : got;
    }
    if (have == 0 && fill(child) < 0)
        return GT_E_IO;
    have = child->to - child->from;
    size_t take = have < len ? have : len;
    memcpy(to, child->buffer + child->from, take);
    child->from += take;
    return (ssize_t)take;
}

int gt_git_child_line(struct gt_git_child *child, char end, struct gt_buffer *line)
{
    gt_buffer_reset(line);
    for (;;) {
        if (fill(child) < 0 || child->ended)
            return 0;
        const char *from = child->buffer + child->from;
        const char *stop = memchr(from, end, child->to - child->from);
        size_t len = stop ? (size_t)(stop - from) : child->to - child->from;
        if (gt_buffer_append(line, from, len) < 0)
            return GT_E_LIMIT;
        child->from += len + (stop ? 1 : 0);
        if (stop)
            return 1;
    }
}

/* ---- ending ---- */

/* git's last line, made fit for a terminal. */
static void last_words(int fd, struct gt_buffer *out)
{
    char text[SAID_MAX + 1];
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > SAID_MAX ? size - SAID_MAX : 0;
    ssize_t got = pread(fd, text, SAID_MAX, from);
    size_t len = got > 0 ? (size_t)got : 0;
    while (len > 0 && text[len - 1] == '\n')
        len--;
    const char *line = memrchr(text, '\n', len);
    size_t start = line ? (size_t)(line + 1 - text) : 0;
    gt_utf8_append_clean(out, text + start, len - start);
}

static int describe(const struct gt_git_child *child, int status, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer words = GT_BUFFER(4 * SAID_MAX + 64);
    if (WIFSIGNALED(status))
        return gt_fail(err, GT_E_IO, "git was killed by signal %d", WTERMSIG(status));
    last_words(child->errors, &words);
    return gt_fail(err, GT_E_IO, "git failed with code %d: %s", WEXITSTATUS(status),
                   words.len > 0 ? words.data : "it does not say why");
}

static int reap(struct gt_git_child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = -1;
    return status;
}

int gt_git_child_finish(struct gt_git_child *child, struct gt_error *err)
{
    close(child->out);
    child->out = -1;
    int status = reap(child);
    int rc = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : describe(child, status, err);
    gt_git_child_free(child);
    return rc;
}

void gt_git_child_free(struct gt_git_child *child)
{
    if (!child)
        return;
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        reap(child);
    }
    if (child->out >= 0)
        close(child->out);
    if (child->errors >= 0)
        close(child->errors);
    free(child);
}
