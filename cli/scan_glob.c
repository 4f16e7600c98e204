/* Patterns of names and of paths. They may come from the very folder that is looked through, so no
 * pattern takes more than (its length) x (the text's length)^2 steps. */
#include "cli/scan_parts.h"

#include <ctype.h>
#include <string.h>

static char folded(char c)
{
    return (char)tolower((unsigned char)c);
}

bool gt_scan_glob(const char *glob, const char *text)
{
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (*glob == '*') {
            star = ++glob;
            from = text;
        } else if (*glob == '?' || (*glob && folded(*glob) == folded(*text))) {
            glob++;
            text++;
        } else if (star) {
            glob = star;
            text = ++from;
        } else {
            return false;
        }
    }
    return glob[strspn(glob, "*")] == '\0';
}

/* "[a-z]", "[!a-z]": sets *at behind it. A bracket that is not closed stands for itself. */
static bool in_class(const char **at, char c)
{
    const char *class = *at + 1;
    bool negated = *class == '!' || *class == '^', found = false;
    const char *first = class += negated;
    for (; *class && (*class != ']' || class == first); class ++) {
        char low = *class == '\\' && class[1] ? *++class : *class;
        char high = low;
        if (class[1] == '-' && class[2] && class[2] != ']') {
            class += 2;
            high = *class == '\\' && class[1] ? *++class : *class;
        }
        found |= (unsigned char)low <= (unsigned char)c && (unsigned char)c <= (unsigned char)high;
    }
    if (!*class) {
        (*at)++;
        return c == '[';
    }
    *at = class + 1;
    return found != negated && c != '/';
}

/* One character of the pattern against one of the text; moves the pattern on. */
static bool takes(const char **glob, char c)
{
    if (**glob == '[')
        return in_class(glob, c);
    if (**glob == '?') {
        (*glob)++;
        return c != '/';
    }
    if (**glob == '\\' && (*glob)[1])
        (*glob)++;
    return **glob && *(*glob)++ == c;
}

/* A star is tried again in its own segment, then the last double star further down the path: what
 * stands before a double star matched as early as possible, which is all that can be asked of it.
 */
bool gt_scan_path_glob(const char *glob, const char *path)
{
    const char *star = NULL, *star_path = NULL, *stars = NULL, *stars_path = NULL;
    for (bool segment = true; *path;) {
        if (segment && strncmp(glob, "**/", 3) == 0) {
            stars = glob += 3;
            stars_path = path;
            star = NULL;
            continue;
        }
        if (segment && strcmp(glob, "**") == 0)
            return true;
        if (*glob == '*') {
            star = glob += strspn(glob, "*");
            star_path = path;
            segment = false;
            continue;
        }
        const char *next = glob;
        if (takes(&next, *path)) {
            segment = *path == '/';
            glob = next;
            path++;
        } else if (star && *star_path != '/') {
            glob = star;
            path = ++star_path;
            segment = false;
        } else if (stars && (stars_path = strchr(stars_path, '/'))) {
            glob = stars;
            path = ++stars_path;
            star = NULL;
            segment = true;
        } else {
            return false;
        }
    }
    return glob[strspn(glob, "*")] == '\0';
}
