#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *keep(struct rig *rig, const char *text)
{
    return text ? gt_arena_strdup(rig->arena, text) : NULL;
}

static int on_request(void *user, const struct gt_http_request *request, const char *tag,
                      struct gt_error *err)
{
    struct rig *rig = user;
    if (rig->asked == RIG_MAX)
        return gt_fail(err, GT_E_LIMIT, "enough");
    struct rig_request *kept = &rig->requests[rig->asked++];
    *kept = (struct rig_request){keep(rig, request->url), keep(rig, tag),
                                 .allow_private = request->allow_private};
    for (size_t i = 0; i < request->header_count; i++) {
        const struct gt_header *header = &request->headers[i];
        if (strcmp(header->name, "If-None-Match") == 0)
            kept->etag = keep(rig, header->value);
        if (strcmp(header->name, "If-Modified-Since") == 0)
            kept->since = keep(rig, header->value);
        if (strcmp(header->name, "Authorization") == 0 ||
            strcmp(header->name, "PRIVATE-TOKEN") == 0)
            kept->token = keep(rig, header->value);
    }
    return 0;
}

static int on_document(void *user, const struct gt_document *document, struct gt_error *err)
{
    struct rig *rig = user;
    if (rig->count == RIG_MAX || (rig->room && rig->count >= rig->room))
        return gt_fail(err, GT_E_FULL, "full");
    struct gt_document *kept = &rig->documents[rig->count++];
    *kept = *document;
    kept->source = rig->config.name;
    kept->key = keep(rig, document->key);
    kept->url = keep(rig, document->url);
    kept->title = keep(rig, document->title);
    kept->author = keep(rig, document->author);
    kept->type = keep(rig, document->type);
    kept->body = gt_arena_memdup(rig->arena, document->body, document->body_len);
    gt_document_identify(kept);
    return 0;
}

static struct gt_source_output output(struct rig *rig)
{
    return (struct gt_source_output){rig, on_request, on_document};
}

struct rig *rig_new(const struct gt_source *source, void *options, const char *cursor)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->source = source;
    rig->arena = gt_arena_new((size_t)512 << 20);
    rig->config = (struct gt_source_config){.name = "bench",
                                            .type = source->name,
                                            .interval_ms = 60000,
                                            .max_size = 10 << 20,
                                            .options = options};
    const struct gt_source_settings settings = {NULL, &rig->config, cursor};
    if (source->open(&settings, &rig->self, &rig->err) < 0)
        fail_msg("open: %s", rig->err.message);
    return rig;
}

void rig_free(struct rig *rig)
{
    rig->source->close(rig->self);
    gt_arena_free(rig->arena);
    free(rig->cursor);
    free(rig);
}

struct rig *rig_again(struct rig *rig)
{
    struct rig *again = rig_new(rig->source, rig->config.options, rig->cursor);
    rig_free(rig);
    return again;
}

int rig_plan(struct rig *rig)
{
    struct gt_source_output out = output(rig);
    return rig->source->plan(rig->self, gt_now(), &out, &rig->err);
}

int rig_events(struct rig *rig)
{
    struct gt_source_output out = output(rig);
    return rig->source->events(rig->self, gt_now(), &out, &rig->err);
}

const struct rig_request *rig_next(struct rig *rig)
{
    return rig->answered < rig->asked ? &rig->requests[rig->answered] : NULL;
}

static int answer(struct rig *rig, struct gt_http_response *response)
{
    struct gt_source_output out = output(rig);
    assert_true(rig->answered < rig->asked);
    const struct rig_request *request = &rig->requests[rig->answered++];
    if (!response->url)
        response->url = request->url;
    return rig->source->parse(rig->self, request->tag, response, gt_now(), &out, &rig->err);
}

int rig_answer(struct rig *rig, int status, const char *body, const char *const *headers)
{
    struct gt_header rows[40];
    size_t count = 0;
    for (; headers && headers[2 * count]; count++)
        rows[count] = (struct gt_header){headers[2 * count], headers[2 * count + 1]};
    struct gt_http_response response = {.status = status,
                                        .headers = rows,
                                        .header_count = count,
                                        .body = body,
                                        .body_len = body ? strlen(body) : 0,
                                        .retry_after_ms = -1};
    return answer(rig, &response);
}

int rig_fail(struct rig *rig, int error)
{
    struct gt_http_response response = {.error = error, .words = "no answer", .retry_after_ms = -1};
    return answer(rig, &response);
}

void rig_save(struct rig *rig)
{
    struct gt_buffer text = GT_BUFFER((size_t)8 << 20);
    assert_true(rig->source->save(rig->self, &text, &rig->err) >= 0);
    free(rig->cursor);
    rig->cursor = text.data;
}

const struct gt_document *rig_find(const struct rig *rig, const char *key)
{
    for (size_t i = 0; i < rig->count; i++)
        if (strcmp(rig->documents[i].key, key) == 0)
            return &rig->documents[i];
    return NULL;
}

bool rig_body_has(const struct gt_document *document, const char *text)
{
    return document && memmem(document->body, document->body_len, text, strlen(text));
}

const char *rig_shared(void)
{
    const char *shared = getenv("GUETTE_SHARED");
    if (shared && access(shared, R_OK) == 0)
        return shared;
    print_message("skipped: GUETTE_SHARED names no folder of recorded answers\n");
    return NULL;
}

char *rig_read(const char *path, size_t *ret_len)
{
    struct gt_buffer text = GT_BUFFER((size_t)64 << 20);
    struct gt_error err;
    if (gt_file_read(path, &text, &err) < 0)
        fail_msg("%s", err.message);
    *ret_len = text.len;
    return text.data ? text.data : strdup("");
}

json_t *rig_exchange(const char *file, const char *url, size_t n)
{
    char path[1024];
    size_t len;
    snprintf(path, sizeof path, "%s/fixtures/%s", rig_shared(), file);
    char *text = rig_read(path, &len);
    GT_JSON_AUTO json_t *all = gt_json_parse(text, len, NULL);
    free(text);
    assert_non_null(all);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        const char *asked = gt_json_string(json_object_get(one, "request"), "url", "");
        if (strstr(asked, url) && n-- == 0)
            return json_incref(json_object_get(one, "response"));
    }
    fail_msg("%s has no exchange for %s", file, url);
    return NULL;
}

char *rig_folder(void)
{
    char *folder = strdup("/tmp/guette-crawler-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

void rig_remove(const char *folder)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", folder, (char *)NULL);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
}

void rig_write(const char *folder, const char *name, const void *bytes, size_t len)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}
