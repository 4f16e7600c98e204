#include "matchers/case.h"

#include <stdlib.h>
#include <string.h>

/* What is inside is judged by the same engine: windows of layers, and texts decoded from pieces of
 * them. Depth first, so that of each level at most one window and one decoded text are in memory.
 */

#define FLUSH ((size_t)1024 * 1024) /* a decoded text so long is judged */
#define PREFIX ((size_t)64) /* what stands before a short value on its line is its context */
#define VALUE_MAX 256
#define FREE_BYTES ((uint64_t)512 * 1024 * 1024) /* may be decoded of any document */
#define RATIO 64                                 /* and so many a byte that was read */
/* Between texts: nothing matches across a NUL and two line ends. */
static const char between[] = "\n\0\0\0\0\0\0\n";

struct gt_walk {
    struct gt_case *c;
    const struct gt_layer *layer;
    const struct gt_decoder *decoder;
};

/* ---- limits ---- */

static void cut(struct gt_case *c, const char *why)
{
    if (!c->summary.cut_inside)
        c->summary.cut_inside = why;
}

static bool in_time(struct gt_case *c)
{
    int64_t windows = (int64_t)(c->taken / GT_SCAN_WINDOW) + 1;
    int64_t allowed = c->ruleset->document_ms * (c->streaming ? 2 * windows : 1);
    if (gt_monotonic() - c->started_ms < allowed)
        return true;
    c->summary.gave_up = c->stopped = true;
    cut(c, "time was up");
    return false;
}

/* A bomb makes much of little. */
static bool spend(struct gt_case *c, size_t bytes)
{
    c->decoded += bytes;
    if (c->decoded <= c->ruleset->decode_bytes + RATIO * c->taken)
        return true;
    c->summary.gave_up = c->stopped = true;
    cut(c, "it unpacks to too much");
    return false;
}

bool gt_walk_on(struct gt_walk *walk)
{
    return !walk->c->stopped && in_time(walk->c);
}

void gt_walk_skipped(struct gt_walk *walk)
{
    walk->c->summary.encrypted++;
}

void gt_walk_cut(struct gt_walk *walk, const char *why)
{
    cut(walk->c, why);
}

/* ---- sources ---- */

struct memory {
    struct gt_source source;
    size_t at;
};

static ssize_t read_memory(struct gt_source *source, void *to, size_t len)
{
    struct memory *memory = (struct memory *)source;
    size_t most = source->len - memory->at < len ? source->len - memory->at : len;
    if (most > 0)
        memcpy(to, source->bytes + memory->at, most);
    memory->at += most;
    return (ssize_t)most;
}

static int64_t seek_memory(struct gt_source *source, int64_t offset, int whence)
{
    struct memory *memory = (struct memory *)source;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)memory->at
                                        : (int64_t)source->len;
    if (offset < -base || offset > (int64_t)source->len - base)
        return -1;
    memory->at = (size_t)(base + offset);
    return base + offset;
}

static struct memory memory_of(const char *bytes, size_t len)
{
    return (struct memory){
        .source = {
            .read = read_memory, .seek = seek_memory, .bytes = bytes, .len = len, .whole = true}};
}

/* The first bytes again, then the rest. */
struct rest {
    struct gt_source source;
    struct gt_source *from;
    size_t at;
};

static ssize_t read_rest(struct gt_source *source, void *to, size_t len)
{
    struct rest *rest = (struct rest *)source;
    size_t most = source->len - rest->at < len ? source->len - rest->at : len;
    if (most == 0)
        return rest->from->read(rest->from, to, len);
    memcpy(to, source->bytes + rest->at, most);
    rest->at += most;
    return (ssize_t)most;
}

/* Every byte that is read counts. */
static ssize_t take(struct gt_case *c, const struct gt_layer *layer, struct gt_source *source,
                    char *to, size_t len)
{
    size_t have = 0;
    while (have < len && !c->stopped) {
        ssize_t got = source->read(source, to + have, len - have);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        have += (size_t)got;
        if (layer->depth > 0 && !spend(c, (size_t)got))
            break;
    }
    return (ssize_t)have;
}

/* ---- spans ---- */

struct digging {
    struct gt_case *c;
    struct gt_text *text;
    struct gt_derived *derived;
    struct gt_depth *level;
    size_t ends[GT_DECODERS_MAX]; /* of the last span of each decoder */
    int rc;
};

static int judge_text(struct gt_case *c, struct gt_text *text);

static int flush(struct digging *digging)
{
    struct gt_case *c = digging->c;
    struct gt_derived *derived = digging->derived;
    struct gt_buffer *bytes = &derived->decoded.bytes;
    if (derived->count == 0)
        return 0;
    struct gt_text text = {
        .derived = derived,
        .bytes = bytes->data,
        .len = bytes->len,
        .depth = digging->text->depth + 1,
        .own = {0, bytes->len},
    };
    int rc = judge_text(c, &text);
    gt_buffer_reset(bytes);
    derived->count = derived->decoded.mark_count = 0;
    return rc;
}

static struct gt_segment *new_segment(struct gt_derived *derived)
{
    if (derived->count == derived->capacity) {
        size_t capacity = derived->capacity ? 2 * derived->capacity : 64;
        struct gt_segment *more = realloc(derived->segments, capacity * sizeof *more);
        if (!more)
            return NULL;
        derived->segments = more;
        derived->capacity = capacity;
    }
    return &derived->segments[derived->count];
}

/* The name of a value: what stands before it on its line, when that ends with : or =. */
static struct gt_str name_before(struct gt_str text, struct gt_span span)
{
    size_t start = span.start, end = span.start, least = start > PREFIX ? start - PREFIX : 0;
    while (end > least && strchr(" \t\"'", text.ptr[end - 1]) && text.ptr[end - 1])
        end--;
    if (end == least || (text.ptr[end - 1] != ':' && text.ptr[end - 1] != '='))
        return (struct gt_str){text.ptr, 0};
    while (start > least && text.ptr[start - 1] != '\n' && text.ptr[start - 1] != 0)
        start--;
    return (struct gt_str){text.ptr + start, span.start - start};
}

static int dig_piece(struct digging *digging, const struct gt_decoder *decoder, struct gt_span span,
                     size_t start)
{
    struct gt_buffer *bytes = &digging->derived->decoded.bytes;
    struct memory memory = memory_of(bytes->data + start, bytes->len - start);
    struct gt_layer layer = {.text = digging->text,
                             .offset = span.start,
                             .step = decoder->name,
                             .depth = digging->text->depth + 1};
    return gt_dig(digging->c, &layer, &memory.source);
}

static bool add_segment(struct digging *digging, const struct gt_segment *segment)
{
    struct gt_segment *place = new_segment(digging->derived);
    if (!place)
        return false;
    *place = *segment;
    digging->derived->count++;
    gt_buffer_append(&digging->derived->decoded.bytes, between, sizeof between - 1);
    return true;
}

/* A short value once more behind its name, by which rules may know it. */
static void add_named(struct digging *digging, struct gt_segment segment)
{
    struct gt_buffer *bytes = &digging->derived->decoded.bytes;
    struct gt_str text = {digging->text->bytes, digging->text->len};
    struct gt_str name = name_before(text, segment.outer);
    char value[VALUE_MAX];
    size_t len = segment.end - segment.start;
    if (name.len == 0 || len > sizeof value || memchr(bytes->data + segment.start, '\n', len))
        return;
    memcpy(value, bytes->data + segment.start, len);
    segment.start = bytes->len;
    segment.prefix = name.len;
    gt_buffer_append(bytes, name.ptr, name.len);
    gt_buffer_append(bytes, value, len);
    segment.end = bytes->len;
    add_segment(digging, &segment);
}

static void take_back(struct gt_decoded *decoded, size_t bytes, size_t marks)
{
    if (decoded->bytes.data)
        decoded->bytes.len = bytes;
    decoded->bytes.overflow = false;
    decoded->mark_count = marks;
}

/* True: something is in it that is worth judging. */
static bool decode_span(struct digging *digging, const struct gt_decoder *decoder,
                        struct gt_span span)
{
    struct gt_decoded *decoded = &digging->derived->decoded;
    struct gt_buffer *bytes = &decoded->bytes;
    struct gt_str text = {digging->text->bytes, digging->text->len};
    size_t start = bytes->len, marks = decoded->mark_count;
    bool good = decoder->decode(text, span, decoded) && bytes->len > start &&
                spend(digging->c, bytes->len - start);
    if (good && !decoder->view) {
        if (gt_container_of(bytes->data + start, bytes->len - start, true)) {
            digging->rc = dig_piece(digging, decoder, span, start);
            good = false;
        }
        good = good && gt_looks_text(bytes->data + start, bytes->len - start);
    }
    struct gt_segment segment = {.start = start,
                                 .end = bytes->len,
                                 .outer = span,
                                 .decoder = decoder,
                                 .mark = marks,
                                 .mark_count = decoded->mark_count - marks};
    if (!good || !add_segment(digging, &segment)) {
        take_back(decoded, start, marks);
        return false;
    }
    if (!decoder->view)
        add_named(digging, segment);
    return true;
}

static size_t run_end(struct gt_str text, size_t at)
{
    while (at < text.len && gt_base64_value[(unsigned char)text.ptr[at]] >= 0)
        at++;
    return at;
}

static size_t on_sign(void *user, enum gt_sign sign, size_t at)
{
    struct digging *digging = user;
    struct gt_str text = {digging->text->bytes, digging->text->len};
    size_t next = sign == GT_SIGN_RUN ? run_end(text, at) : at + 1;
    if (digging->rc != 0 || digging->c->stopped)
        return SIZE_MAX;
    for (size_t i = 0; i < gt_decoder_count && gt_decoders[i]->sign; i++) {
        const struct gt_decoder *decoder = gt_decoders[i];
        struct gt_span span;
        if (decoder->sign != sign || !decoder->find(text, at, digging->ends[i], &span))
            continue;
        next = span.end > next ? span.end : next;
        digging->ends[i] = decoder->view ? 0 : span.end;
        if (decode_span(digging, decoder, span) || digging->rc != 0)
            break;
    }
    if (digging->rc == 0 && digging->derived->decoded.bytes.len >= FLUSH)
        digging->rc = flush(digging);
    return digging->rc == 0 ? next : SIZE_MAX;
}

static int dig_spans(struct gt_case *c, struct gt_text *text)
{
    if (text->depth >= c->ruleset->decode_depth || c->stopped)
        return 0;
    struct digging digging = {.c = c, .text = text, .derived = &c->levels[text->depth + 1].derived};
    digging.derived->outer = text;
    digging.derived->count = digging.derived->decoded.mark_count = 0;
    gt_buffer_reset(&digging.derived->decoded.bytes);
    gt_signs_find((struct gt_str){text->bytes, text->len}, text->own, on_sign, &digging);
    if (digging.rc == 0)
        digging.rc = flush(&digging);
    return digging.rc;
}

static int judge_text(struct gt_case *c, struct gt_text *text)
{
    if (c->stopped)
        return 0;
    text->number = ++c->texts;
    int rc = gt_judge(c, text);
    if (rc == 0)
        rc = dig_spans(c, text);
    in_time(c);
    return rc;
}

/* ---- containers ---- */

int gt_walk_entry(struct gt_walk *walk, const char *name, struct gt_source *entry)
{
    struct gt_case *c = walk->c;
    struct gt_layer layer = {.outer = walk->layer,
                             .step = name,
                             .is_name = name != NULL,
                             .depth = walk->layer->depth + 1};
    int rc = gt_dig(c, &layer, entry);
    return rc != 0 ? rc : c->stopped;
}

int gt_walk_text(struct gt_walk *walk, const char *name, const char *bytes, size_t len)
{
    struct memory memory = memory_of(bytes, len);
    return spend(walk->c, len) ? gt_walk_entry(walk, name, &memory.source) : 1;
}

static struct gt_text window_of(struct gt_case *c, const struct gt_layer *layer, const char *bytes,
                                size_t len)
{
    struct gt_str about = {c->about.data ? c->about.data : "", c->about.len};
    if (layer->depth > 0)
        about = layer->is_name && layer->step ? gt_str_of(layer->step) : (struct gt_str){"", 0};
    return (struct gt_text){.layer = layer,
                            .bytes = bytes,
                            .len = len,
                            .depth = layer->depth,
                            .about = about,
                            .own = {0, len}};
}

/* Bytes as they stand: of an archive there is nothing to decode in them. */
static int judge_window(struct gt_case *c, struct gt_text *text, const struct gt_decoder *container)
{
    int rc;
    if (text->depth == 0)
        c->window = (struct gt_str){text->bytes, text->len};
    if (!container || container->keeps) {
        rc = judge_text(c, text);
    } else {
        text->number = ++c->texts;
        rc = c->stopped ? 0 : gt_judge(c, text);
    }
    return rc == 0 && c->streaming ? gt_tell(c) : rc;
}

static const struct gt_decoder *container_in(const struct gt_case *c, const struct gt_layer *layer,
                                             const struct gt_source *source)
{
    return layer->depth < c->ruleset->decode_depth
               ? gt_container_of(source->bytes, source->len, false)
               : NULL;
}

static int walk(struct gt_case *c, const struct gt_layer *layer, const struct gt_decoder *container,
                struct gt_source *source)
{
    struct gt_walk walk = {.c = c, .layer = layer, .decoder = container};
    int rc = container && !c->stopped ? container->walk(&walk, source, c->err) : 0;
    return rc > 0 ? 0 : rc;
}

static int dig_whole(struct gt_case *c, const struct gt_layer *layer, struct gt_source *source)
{
    const struct gt_decoder *container = container_in(c, layer, source);
    int rc = walk(c, layer, container, source);
    struct gt_text text = window_of(c, layer, source->bytes, source->len);
    return rc < 0 ? rc : judge_window(c, &text, container);
}

/* Moves the window's end to its start; counts the lines that leave it. */
static size_t slide(struct gt_text *text, char *window, size_t len)
{
    size_t keep = GT_SCAN_TAIL + GT_SCAN_LEAD, gone = len - keep;
    const char *at = window, *end = window + gone, *line;
    text->before += gone;
    while ((line = memchr(at, '\n', (size_t)(end - at)))) {
        text->first_line++;
        at = line + 1;
        text->before = (size_t)(end - at);
    }
    memmove(window, window + gone, keep);
    text->own.start = GT_SCAN_LEAD;
    text->cursor.at = text->cursor.line_start = text->cursor.line = 0;
    return keep;
}

/* The window is full. */
static int judge_windows(struct gt_case *c, struct gt_text *text, struct gt_source *source,
                         const struct gt_decoder *container, size_t size)
{
    char *window = c->levels[text->depth].window.data;
    int rc = 0;
    for (bool more = true; more && rc == 0 && !c->stopped;) {
        more = text->len == size;
        text->own.end = more ? text->len - GT_SCAN_TAIL : text->len;
        rc = judge_window(c, text, container);
        if (rc < 0 || !more)
            break;
        size_t have = slide(text, window, text->len);
        ssize_t got = take(c, text->layer, source, window + have, size - have);
        if (got < 0)
            return (int)got;
        text->len = have + (size_t)got;
        more = got > 0;
    }
    return rc;
}

/* A container that cannot be read again is walked only. */
static int dig_long(struct gt_case *c, const struct gt_layer *layer, struct gt_source *source,
                    size_t size)
{
    struct gt_buffer *window = &c->levels[layer->depth].window;
    source->bytes = window->data;
    source->len = size;
    const struct gt_decoder *container = container_in(c, layer, source);
    container = container && container->quick ? container : NULL;
    if (container && source->seek && source->seek(source, 0, SEEK_SET) == 0) {
        int rc = walk(c, layer, container, source);
        if (rc < 0 || c->stopped || source->seek(source, 0, SEEK_SET) != 0)
            return rc;
        ssize_t got = take(c, layer, source, window->data, size);
        if (got < 0)
            return (int)got;
        struct gt_text text = window_of(c, layer, window->data, (size_t)got);
        return judge_windows(c, &text, source, container, size);
    }
    if (container) {
        struct rest rest = {.source = {.read = read_rest, .bytes = window->data, .len = size},
                            .from = source};
        return walk(c, layer, container, &rest.source);
    }
    struct gt_text text = window_of(c, layer, window->data, size);
    return judge_windows(c, &text, source, NULL, size);
}

/* Grows with what is there: most things are small. */
static ssize_t fill(struct gt_case *c, const struct gt_layer *layer, struct gt_source *source,
                    struct gt_buffer *window, size_t size)
{
    size_t have = 0;
    for (size_t room = (size_t)64 * 1024; have < size; room *= 4) {
        room = room < size ? room : size;
        if (window->capacity < room) {
            char *more = realloc(window->data, room);
            if (!more)
                return gt_fail(c->err, GT_E_NOMEM, "out of memory for a document");
            window->data = more;
            window->capacity = room;
        }
        ssize_t got = take(c, layer, source, window->data + have, room - have);
        if (got < 0)
            return gt_fail(c->err, (int)got, "it cannot be read");
        have += (size_t)got;
        if (have < room)
            break;
    }
    return (ssize_t)have;
}

int gt_dig(struct gt_case *c, const struct gt_layer *layer, struct gt_source *source)
{
    if (c->stopped)
        return 0;
    if (source->whole) {
        struct memory memory = memory_of(source->bytes, source->len);
        return dig_whole(c, layer, &memory.source);
    }
    struct gt_buffer *window = &c->levels[layer->depth].window;
    size_t size = layer->depth == 0 ? GT_SCAN_WINDOW : GT_INNER_WINDOW;
    ssize_t got = fill(c, layer, source, window, size);
    if (got < 0)
        return (int)got;
    if ((size_t)got == size)
        return dig_long(c, layer, source, size);
    struct memory memory = memory_of(window->data, (size_t)got);
    return dig_whole(c, layer, &memory.source);
}
