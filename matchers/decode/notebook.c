/* Jupyter notebooks (nbformat 4): the text of each cell and of its outputs, whole again. */
#include "matchers/decode/decode.h"

#include <stdio.h>
#include <string.h>

#define NOTEBOOK_MAX ((size_t)8 * 1024 * 1024) /* its JSON takes some ten times that */

static bool recognise(const char *head, size_t len)
{
    size_t at = 0;
    while (at < len && at < 64 && strchr(" \t\r\n", head[at]) && head[at])
        at++;
    return at < len && head[at] == '{' && len <= NOTEBOOK_MAX &&
           memmem(head, len, "\"nbformat\"", 10) && memmem(head, len, "\"cells\"", 7);
}

/* nbformat's multi-line string: a text, or a list of its lines. */
static void append(struct gt_buffer *out, const json_t *lines)
{
    size_t count = json_array_size(lines);
    if (json_is_string(lines))
        gt_buffer_append(out, json_string_value(lines), json_string_length(lines));
    for (size_t i = 0; i < count; i++) {
        const json_t *line = json_array_get(lines, i);
        if (json_is_string(line))
            gt_buffer_append(out, json_string_value(line), json_string_length(line));
    }
    if (json_is_string(lines) || count > 0)
        gt_buffer_putc(out, '\n');
}

static void append_output(struct gt_buffer *out, const json_t *output)
{
    append(out, json_object_get(output, "text"));
    append(out, json_object_get(output, "evalue"));
    append(out, json_object_get(output, "traceback"));
    const json_t *data = json_object_get(output, "data"), *value;
    const char *type;
    json_object_foreach((json_t *)(uintptr_t)data, type, value) if (strncmp(type, "text/", 5) == 0)
        append(out, value);
}

static int judge_cell(struct gt_walk *walk, const json_t *cell, size_t number)
{
    char name[32];
    struct gt_buffer text = GT_BUFFER(NOTEBOOK_MAX);
    const json_t *outputs = json_object_get(cell, "outputs");
    append(&text, json_object_get(cell, "source"));
    for (size_t i = 0; i < json_array_size(outputs); i++)
        append_output(&text, json_array_get(outputs, i));
    snprintf(name, sizeof name, "cell %zu", number);
    int rc = text.len > 0 ? gt_walk_text(walk, name, text.data, text.len) : 0;
    gt_buffer_wipe(&text);
    gt_buffer_free(&text);
    return rc;
}

static int walk(struct gt_walk *walk, struct gt_source *source, struct gt_error *err)
{
    GT_JSON_AUTO json_t *notebook = gt_json_parse(source->bytes, source->len, NULL);
    const json_t *cells = json_object_get(notebook, "cells");
    int rc = 0;
    for (size_t i = 0; i < json_array_size(cells) && rc == 0 && gt_walk_on(walk); i++)
        rc = judge_cell(walk, json_array_get(cells, i), i + 1);
    return rc;
}

const struct gt_decoder gt_decoder_notebook = {
    .name = "notebook",
    .summary = "Jupyter notebooks: cells and what they printed",
    .recognise = recognise,
    .walk = walk,
    .keeps = true,
};
