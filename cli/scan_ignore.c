/* .guetteignore and --ignore-file: paths that are not looked through, findings that are not told.
 *
 *   # a comment
 *   node_modules/                    as in .gitignore: a folder anywhere
 *   /build/x?.log                    below the folder that is scanned
 *   !build/keep.log                  but not this one
 *   rule:generic.* tests/            findings of these rules there; without a path: anywhere
 *   fingerprint:3f0c...              one secret, wherever it stands
 *
 * The file may be an attacker's, who owns what is scanned: so what it hides is counted and said. */
#include "cli/scan_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define LINES_MAX 10000
#define USES_MAX 1024
#define FINGERPRINT_LEAST 16 /* digits: fewer could stand for a stranger's */

enum kind { PATH, RULE, FINGERPRINT };

struct line {
    enum kind kind;
    const char *word; /* of a rule or fingerprint */
    const char *glob; /* of paths; NULL: anywhere */
    bool negated, only_folders;
    struct line *next;
};

/* The lines of one file, for the paths below one folder. */
struct use {
    const char *base; /* "": those relative to where we are */
    const struct line *lines;
};

struct gt_scan_ignores {
    struct gt_arena *arena;
    struct use uses[USES_MAX];
    size_t count;
};

struct gt_scan_ignores *gt_scan_ignores_new(void)
{
    struct gt_scan_ignores *ignores = calloc(1, sizeof *ignores);
    if (ignores)
        ignores->arena = gt_arena_new((size_t)256 * 1024 * 1024);
    if (ignores && ignores->arena)
        return ignores;
    free(ignores);
    return NULL;
}

void gt_scan_ignores_free(struct gt_scan_ignores *ignores)
{
    if (!ignores)
        return;
    gt_arena_free(ignores->arena);
    free(ignores);
}

/* ---- reading ---- */

/* A pattern with a slash before its end starts at the base, another one fits anywhere. */
static const char *make_glob(struct gt_arena *arena, struct line *line, const char *text)
{
    char *glob = gt_arena_printf(arena, "%s%s", strpbrk(text, "/") ? "" : "**/", text);
    size_t len = glob ? strlen(glob) : 0;
    if (!glob)
        return NULL;
    if (len > 0 && glob[len - 1] == '/') {
        glob[--len] = '\0';
        line->only_folders = true;
        if (!strchr(glob, '/'))
            glob = gt_arena_printf(arena, "**/%s", glob);
    }
    return glob && *glob == '/' ? glob + 1 : glob;
}

static bool is_fingerprint(const char *text)
{
    size_t len = strspn(text, "0123456789abcdefABCDEF");
    return len >= FINGERPRINT_LEAST && len < GT_FINGERPRINT_TEXT && !text[len];
}

/* NULL when it is fine, else what is wrong. */
static const char *read_finding(struct gt_arena *arena, struct line *line, char *text)
{
    char *word = strchr(text, ':') + 1, *path = word + strcspn(word, " \t");
    line->kind = *text == 'r' ? RULE : FINGERPRINT;
    if (*path)
        *path++ = '\0';
    path += strspn(path, " \t");
    if (!*word)
        return "names none";
    if (line->kind == FINGERPRINT && !is_fingerprint(word))
        return "is not 16 to 64 hexadecimal digits";
    line->word = word;
    if (*path && !(line->glob = make_glob(arena, line, path)))
        return "out of memory";
    return NULL;
}

static const char *read_path(struct gt_arena *arena, struct line *line, char *text)
{
    line->kind = PATH;
    line->negated = *text == '!';
    text += line->negated;
    if (*text == '\\' && (text[1] == '#' || text[1] == '!'))
        text++;
    if (!*text || strcmp(text, "/") == 0)
        return "is no pattern";
    line->glob = make_glob(arena, line, text);
    return line->glob ? NULL : "out of memory";
}

static void complain(const char *path, size_t number, const char *what)
{
    GT_BUFFER_AUTO struct gt_buffer clean = GT_BUFFER((size_t)256 * 1024);
    gt_scan_put_clean(&clean, path);
    fprintf(stderr, "guette scan: %s:%zu: this line %s, and ignores nothing\n",
            clean.data ? clean.data : "", number, what);
}

/* The last line comes first: it decides. */
static const struct line *read_lines(struct gt_scan_ignores *ignores, const char *path, char *text)
{
    const struct line *lines = NULL;
    size_t number = 0;
    for (char *next = text; next && number < LINES_MAX;) {
        char *at = strsep(&next, "\n");
        size_t len = strlen(at);
        number++;
        while (len > 0 && isspace((unsigned char)at[len - 1]))
            at[--len] = '\0';
        if (len == 0 || *at == '#')
            continue;
        struct line *line = gt_arena_alloc(ignores->arena, sizeof *line);
        if (!line)
            return lines;
        bool finding = gt_starts_with(at, "rule:") || gt_starts_with(at, "fingerprint:");
        const char *wrong =
            finding ? read_finding(ignores->arena, line, at) : read_path(ignores->arena, line, at);
        if (wrong) {
            complain(path, number, wrong);
            continue;
        }
        line->next = (struct line *)(uintptr_t)lines;
        lines = line;
    }
    return lines;
}

/* "./a//" and "a" are one; where we are is "". */
static const char *base_of(struct gt_arena *arena, const char *path)
{
    while (gt_starts_with(path, "./"))
        path += 2 + strspn(path + 2, "/");
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len == 1 && *path == '.' ? "" : gt_arena_memdup(arena, path, len);
}

int gt_scan_ignores_parse(struct gt_scan_ignores *ignores, const char *file, struct gt_str text,
                          const char *base, struct gt_error *err)
{
    char *copy = gt_arena_memdup(ignores->arena, text.ptr ? text.ptr : "", text.len);
    const char *normal = base_of(ignores->arena, base);
    if (!copy || !normal || ignores->count == USES_MAX)
        return gt_fail(err, GT_E_LIMIT, "%s: too many ignore files", file);
    ignores->uses[ignores->count++] = (struct use){normal, read_lines(ignores, file, copy)};
    return 0;
}

int gt_scan_ignores_add(struct gt_scan_ignores *ignores, const char *file, const char *base,
                        struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(FILE_MAX);
    int rc = gt_file_read(file, &text, err);
    return rc < 0 ? rc
                  : gt_scan_ignores_parse(ignores, file, (struct gt_str){text.data, text.len}, base,
                                          err);
}

/* ---- asking ---- */

static bool is_above(const char *path)
{
    return strcmp(path, "..") == 0 || gt_starts_with(path, "../");
}

/* The path as the file's patterns see it; NULL: it lies elsewhere. */
static const char *below(const char *base, const char *path)
{
    while (gt_starts_with(path, "./"))
        path += 2 + strspn(path + 2, "/");
    if (!*base)
        return *path == '/' || is_above(path) || strcmp(path, ".") == 0 ? NULL : path;
    size_t len = strlen(base);
    if (strncmp(path, base, len) != 0 || (path[len] != '/' && base[len - 1] != '/'))
        return NULL;
    return path + len + strspn(path + len, "/");
}

static bool lines_ignore(const struct line *line, const char *path, bool folder)
{
    for (; line; line = line->next)
        if (line->kind == PATH && (folder || !line->only_folders) &&
            gt_scan_path_glob(line->glob, path))
            return !line->negated;
    return false;
}

bool gt_scan_ignores_path(const struct gt_scan_ignores *ignores, const char *path, bool folder)
{
    for (size_t i = 0; ignores && i < ignores->count; i++) {
        const char *rest = below(ignores->uses[i].base, path);
        if (rest && *rest && lines_ignore(ignores->uses[i].lines, rest, folder))
            return true;
    }
    return false;
}

/* Whether check says yes of the path, or of a folder above it. */
static bool any_above(const char *path, bool (*check)(const void *, const char *, bool),
                      const void *user)
{
    GT_BUFFER_AUTO struct gt_buffer part = GT_BUFFER((size_t)1024 * 1024);
    if (check(user, path, false))
        return true;
    if (gt_buffer_puts(&part, path) < 0)
        return false;
    for (char *slash; (slash = strrchr(part.data, '/')) && slash > part.data;) {
        *slash = '\0';
        if (check(user, part.data, true))
            return true;
    }
    return false;
}

static bool check_ignores(const void *user, const char *path, bool folder)
{
    return gt_scan_ignores_path(user, path, folder);
}

bool gt_scan_ignores_file(const struct gt_scan_ignores *ignores, const char *path)
{
    return ignores && ignores->count > 0 && any_above(path, check_ignores, ignores);
}

static bool check_line(const void *user, const char *path, bool folder)
{
    const struct line *line = user;
    return (folder || !line->only_folders) && gt_scan_path_glob(line->glob, path);
}

static bool line_names(const struct line *line, const char *path, const struct gt_finding *finding)
{
    if (line->kind == PATH)
        return false;
    bool fits = line->kind == RULE
                    ? gt_scan_glob(line->word, finding->rule)
                    : strncasecmp(line->word, finding->fingerprint, strlen(line->word)) == 0;
    return fits && (!line->glob || any_above(path, check_line, line));
}

bool gt_scan_ignores_finding(const struct gt_scan_ignores *ignores, const char *path,
                             const struct gt_finding *finding)
{
    for (size_t i = 0; ignores && i < ignores->count; i++) {
        const char *rest = below(ignores->uses[i].base, path);
        for (const struct line *line = rest ? ignores->uses[i].lines : NULL; line;
             line = line->next)
            if (line_names(line, rest, finding))
                return true;
    }
    return false;
}
