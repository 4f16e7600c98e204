/* --documents: JSON lines of documents that another program fetched, one object a line:
 *
 *   {"content": "...", "url": "https://...", "source": "paste", "title": "...", "author": "..."}
 *
 * or "content_base64" for any bytes; "path" and "date", too. A line that cannot be used is named by
 * its number; the others go on. */
#include "cli/scan_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES GT_JSON_MAX
#define CHUNK ((size_t)256 * 1024)

struct lines {
    const struct gt_scan_walk *walk;
    const char *path;
    struct gt_buffer line;
    uint64_t number; /* of the line in `line`, from 1 */
    bool too_long;
};

/* ---- the main thread cuts lines ---- */

static void complain(struct lines *lines, const char *what)
{
    char text[256];
    snprintf(text, sizeof text, "line %" PRIu64 ": %s", lines->number, what);
    lines->walk->counts->failed++;
    gt_scan_pool_complain(lines->walk->pool, lines->path, text);
}

static bool is_blank(const struct gt_buffer *line)
{
    return gt_str_trim((struct gt_str){line->data, line->len}).len == 0;
}

static void end_line(struct lines *lines)
{
    if (lines->too_long) {
        complain(lines, "is longer than 64 MiB");
    } else if (!is_blank(&lines->line)) {
        gt_scan_pool_push_line(lines->walk->pool, lines->path, lines->number, lines->line.data,
                               lines->line.len);
        lines->line = GT_BUFFER(LINE_MAX_BYTES);
    }
    gt_buffer_reset(&lines->line);
    lines->line.overflow = false;
    lines->too_long = false;
    lines->number++;
}

static void take(struct lines *lines, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t part = newline ? (size_t)(newline - bytes) : len;
        if (!lines->too_long && gt_buffer_append(&lines->line, bytes, part) < 0)
            lines->too_long = true;
        if (newline)
            end_line(lines);
        part += newline != NULL;
        bytes += part;
        len -= part;
    }
}

static void read_lines(struct lines *lines, int fd)
{
    char *chunk = malloc(CHUNK);
    ssize_t got = -1;
    errno = ENOMEM;
    while (chunk && !gt_scan_stopped() && (got = gt_scan_read(fd, chunk, CHUNK)) > 0)
        take(lines, chunk, (size_t)got);
    if (got < 0 && !gt_scan_stopped()) {
        lines->walk->counts->failed++;
        gt_scan_pool_complain(lines->walk->pool, lines->path, strerror(errno));
    }
    if (lines->line.len > 0 || lines->too_long)
        end_line(lines);
    free(chunk);
}

void gt_scan_documents(const struct gt_scan_walk *walk, const char *path)
{
    struct lines lines = {walk, path, GT_BUFFER(LINE_MAX_BYTES), 1, false};
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        walk->counts->failed++;
        gt_scan_pool_complain(walk->pool, path, strerror(errno));
        return;
    }
    read_lines(&lines, fd);
    gt_buffer_free(&lines.line);
    close(fd);
}

/* ---- a worker reads one ---- */

static int fail(struct gt_scan_job *job, const char *what)
{
    char text[GT_ERROR_MAX + 64];
    snprintf(text, sizeof text, "line %" PRIu64 ": %s", job->line_number, what);
    gt_scan_job_complain(job, text);
    return GT_E_INVALID;
}

static char *decode(const char *text, size_t len, size_t *ret_len)
{
    size_t most = len / 4 * 3 + 3;
    char *bytes = malloc(most);
    if (bytes && sodium_base642bin((unsigned char *)bytes, most, text, len, " \r\n", ret_len, NULL,
                                   sodium_base64_VARIANT_ORIGINAL) == 0)
        return bytes;
    if (bytes && sodium_base642bin((unsigned char *)bytes, most, text, len, " \r\n", ret_len, NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0)
        return bytes;
    free(bytes);
    return NULL;
}

static int take_content(struct gt_scan_job *job, const json_t *object)
{
    const json_t *plain = json_object_get(object, "content");
    const json_t *coded = json_object_get(object, "content_base64");
    const json_t *given = json_is_string(plain) ? plain : coded;
    if (!json_is_string(given))
        return fail(job, plain || coded ? "its content is no text"
                                        : "has neither \"content\" nor \"content_base64\"");
    const char *text = json_string_value(given);
    size_t len = json_string_length(given);
    char *body = given == plain ? malloc(len + 1) : decode(text, len, &len);
    if (!body)
        return fail(job, given == plain ? "out of memory" : "\"content_base64\" is no base64");
    if (given == plain)
        memcpy(body, text, len);
    free(job->body);
    job->body = body;
    job->body_len = len;
    return 0;
}

/* What a person would look for it by. */
static void take_origin(struct gt_scan_job *job, const json_t *object)
{
    char place[4200];
    const char *source = gt_json_string(object, "source", NULL);
    snprintf(place, sizeof place, "%s#%" PRIu64, source ? source : job->origin.path,
             job->line_number);
    struct gt_scan_origin origin = {
        .source = source,
        .url = gt_json_string(object, "url", NULL),
        .title = gt_json_string(object, "title", NULL),
        .author = gt_json_string(object, "author", NULL),
        .date = gt_json_string(object, "date", NULL),
    };
    origin.path = gt_json_string(object, "path", NULL);
    if (!origin.path)
        origin.path = origin.url ? origin.url : place;
    char *old = job->texts;
    gt_scan_job_set_origin(job, &origin);
    free(old);
}

int gt_scan_document_read(struct gt_scan_job *job)
{
    struct gt_error err;
    GT_JSON_AUTO json_t *object = gt_json_parse(job->body, job->body_len, &err);
    if (!object)
        return fail(job, err.message);
    if (!json_is_object(object))
        return fail(job, "is no JSON object");
    int rc = take_content(job, object);
    if (rc == 0)
        take_origin(job, object);
    return rc;
}
