#include "matchers/redact.h"

#include "matchers/decode/decode.h"

#include <stdlib.h>
#include <string.h>

#define STARS "********"
#define TAIL_MAX 4
#define TAIL_MIN 2
#define LONG_ENOUGH 20 /* shorter secrets show no end */
#define SHOWN_SHARE 4  /* at most this part is shown */
#define CONTEXT_BEFORE 80
#define CONTEXT_MAX 200
#define CONTEXT_BYTES ((size_t)1024) /* room of the cleaned text */
#define TOKEN_MIN 20 /* a run of mixed letters and digits so long is hidden, known or not */
#define HEX_MIN 32
#define RANGES_MAX 64
#define BEGINNING_MIN ((size_t)8) /* so much of a secret's beginning is hidden in a title */
#define SECRET_MIN 4              /* shorter ones stand everywhere */
#define ARMOUR "-----BEGIN "

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool starts_with(struct gt_str text, const char *start)
{
    size_t len = strlen(start);
    return text.len >= len && memcmp(text.ptr, start, len) == 0;
}

static bool is_armoured(struct gt_str secret)
{
    return memmem(secret.ptr, secret.len, ARMOUR, strlen(ARMOUR)) != NULL;
}

/* "-----BEGIN RSA PRIVATE KEY-----" when the secret starts with such a line, else nothing. */
static size_t armour_length(struct gt_str secret)
{
    size_t at = strlen(ARMOUR), dashes = 0;
    if (!starts_with(secret, ARMOUR))
        return 0;
    while (at < secret.len && at < 60 &&
           (secret.ptr[at] == ' ' || (secret.ptr[at] >= 'A' && secret.ptr[at] <= 'Z')))
        at++;
    while (at < secret.len && dashes < 5 && secret.ptr[at] == '-') {
        at++;
        dashes++;
    }
    return dashes == 5 ? at : 0;
}

static size_t known_prefix(const struct gt_rule *rule, struct gt_str secret)
{
    size_t longest = 0;
    for (size_t i = 0; i < rule->keywords.count; i++) {
        const char *trigger = GT_RULE_STRING(rule->keywords, i);
        if (starts_with(secret, trigger) && strlen(trigger) > longest)
            longest = strlen(trigger);
    }
    return longest;
}

static const char *clean(struct gt_arena *arena, struct gt_buffer *text)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER(4 * CONTEXT_BYTES);
    gt_utf8_append_clean(&out, text->data ? text->data : "", text->len);
    for (size_t i = 0; i < out.len; i++)
        if (out.data[i] == '\t' || out.data[i] == '\n')
            out.data[i] = ' ';
    return gt_buffer_ok(&out) ? gt_arena_memdup(arena, out.data ? out.data : "", out.len) : NULL;
}

static void append_preview(struct gt_buffer *out, const struct gt_rule *rule, struct gt_str secret)
{
    if (is_armoured(secret) || memchr(secret.ptr, '\n', secret.len)) {
        size_t header = armour_length(secret);
        gt_buffer_append(out, secret.ptr, header);
        gt_buffer_puts(out, header ? " " STARS : STARS);
        return;
    }
    size_t shown = secret.len / SHOWN_SHARE;
    size_t prefix = smaller(known_prefix(rule, secret), shown);
    size_t tail = secret.len >= LONG_ENOUGH ? smaller(shown - prefix, TAIL_MAX) : 0;
    if (tail < TAIL_MIN)
        tail = 0;
    gt_buffer_append(out, secret.ptr, prefix);
    gt_buffer_puts(out, STARS);
    gt_buffer_append(out, secret.ptr + secret.len - tail, tail);
}

const char *gt_preview(struct gt_arena *arena, const struct gt_rule *rule, struct gt_str secret)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(CONTEXT_BYTES);
    append_preview(&text, rule, secret);
    return clean(arena, &text);
}

/* ---- context ---- */

struct range {
    struct gt_span span;
    const struct gt_candidate *candidate;
};

struct ranges {
    struct range items[RANGES_MAX];
    size_t count;
    size_t end; /* the context ends here at the latest */
};

static struct gt_str bytes_of(const struct gt_scratch *scratch, struct gt_span span)
{
    return (struct gt_str){scratch->body + span.start, span.end - span.start};
}

static int by_place(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->span.start != y->span.start)
        return x->span.start < y->span.start ? -1 : 1;
    return (x->span.end < y->span.end) - (x->span.end > y->span.end);
}

/* When there is no room, the context ends before the last one known. */
static void add_range(struct ranges *ranges, struct gt_span span,
                      const struct gt_candidate *candidate)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (ranges->items[i].span.start == span.start && ranges->items[i].span.end == span.end)
            return;
    if (ranges->count < RANGES_MAX) {
        ranges->items[ranges->count++] = (struct range){span, candidate};
        return;
    }
    struct range *last = &ranges->items[0];
    for (size_t i = 1; i < RANGES_MAX; i++)
        if (ranges->items[i].span.start > last->span.start)
            last = &ranges->items[i];
    if (span.start < last->span.start) {
        ranges->end = smaller(ranges->end, last->span.start);
        *last = (struct range){span, candidate};
    } else {
        ranges->end = smaller(ranges->end, span.start);
    }
}

static void add_repeat(void *user, const struct gt_candidate *candidate, struct gt_span span)
{
    add_range(user, span, candidate);
}

/* Candidates are in order of place: go back from the line's end as far as the longest may reach. */
static void find_ranges(const struct gt_scratch *scratch, struct ranges *ranges,
                        struct gt_span line)
{
    size_t low = 0, high = scratch->candidate_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (scratch->candidates[middle].secret.start < line.end)
            low = middle + 1;
        else
            high = middle;
    }
    ranges->end = line.end;
    while (low-- > 0) {
        const struct gt_candidate *candidate = &scratch->candidates[low];
        if (candidate->secret.start + scratch->repeats.longest <= line.start)
            break;
        if (candidate->secret.end > line.start)
            add_range(ranges, candidate->secret, candidate);
    }
    gt_repeats_find(scratch, line, add_repeat, ranges);
    qsort(ranges->items, ranges->count, sizeof *ranges->items, by_place);
}

static bool is_token(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' ||
           c == '/' || c == '_' || c == '=';
}

/* Nobody needs to escape a letter or a digit: who does, hides something. */
#define ESCAPED_MIN 4
#define BEYOND ((size_t)512) /* a run is looked at so far beyond the context */

/* An escape of the text decoders (`%41`, `\x41`, `&#65;`, `=41`), or none: 0. */
static size_t escape_at(struct gt_str text, size_t at, uint32_t *ret_char)
{
    size_t size = gt_escape_at(text, at, ret_char);
    if (size == 0)
        size = gt_entity_at(text, at, ret_char);
    bool coded = size == 0 && text.len - at > 2 && (text.ptr[at] == '%' || text.ptr[at] == '=');
    int high = coded ? gt_hex_digit((unsigned char)text.ptr[at + 1]) : -1;
    int low = coded ? gt_hex_digit((unsigned char)text.ptr[at + 2]) : -1;
    if (high >= 0 && low >= 0) {
        *ret_char = (uint32_t)(high << 4 | low);
        return 3;
    }
    return size;
}

static bool is_alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The run of tokens' characters and escapes that starts here. */
struct run {
    size_t len, escaped; /* escaped: letters and digits written as escapes */
    char plain[BEYOND];
    size_t plain_len;
};

static void read_run(struct gt_str text, size_t at, struct run *run)
{
    *run = (struct run){0};
    while (at + run->len < text.len && run->plain_len < sizeof run->plain) {
        uint32_t c = (unsigned char)text.ptr[at + run->len];
        size_t size = escape_at(text, at + run->len, &c);
        if (size == 0 && !is_token((unsigned char)c))
            break;
        if (size > 0 && c <= 0x20)
            break;
        run->escaped += size > 2 && is_alnum(c);
        run->len += size ? size : 1;
        run->plain[run->plain_len++] = (char)(c < 0x7F ? c : '_');
    }
}

static bool looks_secret(const char *run, size_t len)
{
    bool upper = false, lower = false, digit = false, hex = true;
    for (size_t i = 0; i < len; i++) {
        char c = run[i];
        upper |= c >= 'A' && c <= 'Z';
        lower |= c >= 'a' && c <= 'z';
        digit |= c >= '0' && c <= '9';
        hex &= (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }
    return (len >= TOKEN_MIN && upper && lower && digit) || (len >= HEX_MIN && hex);
}

/* What no rule knows may be a secret all the same: the other half of a key pair, say, or the known
 * one encoded. */
static bool is_hidden(struct gt_str text, size_t at, const struct run *run)
{
    struct gt_span span;
    struct gt_str whole = {text.ptr, at + run->len};
    return run->escaped >= ESCAPED_MIN || looks_secret(text.ptr + at, run->len) ||
           looks_secret(run->plain, run->plain_len) || gt_decoder_base64.find(whole, at, at, &span);
}

/* Text between known secrets. A run is looked at whole, also where the context cuts it. */
static void append_plain(const struct gt_scratch *scratch, struct gt_span span, bool first,
                         struct gt_buffer *out)
{
    size_t limit = smaller(scratch->len, span.end + BEYOND);
    struct gt_str text = {scratch->body, limit};
    for (size_t at = span.start; at < span.end;) {
        size_t start = at;
        struct run run;
        while (first && start > 0 && at - start < BEYOND &&
               is_token((unsigned char)scratch->body[start - 1]))
            start--;
        first = false;
        read_run(text, start, &run);
        size_t end = smaller(start + run.len, span.end);
        if (end <= at)
            gt_buffer_putc(out, scratch->body[at++]);
        else if (is_hidden(text, start, &run))
            gt_buffer_puts(out, STARS);
        else
            gt_buffer_append(out, scratch->body + at, end - at);
        at = end > at ? end : at;
    }
}

static void append_line(const struct gt_scratch *scratch, const struct ranges *ranges,
                        struct gt_span line, struct gt_buffer *out)
{
    size_t at = line.start, end = smaller(line.end, ranges->end);
    for (size_t i = 0; i < ranges->count && at < end; i++) {
        const struct range *range = &ranges->items[i];
        if (range->span.end <= at || range->span.start >= end)
            continue;
        if (range->span.start > at)
            append_plain(scratch, (struct gt_span){at, range->span.start}, at == line.start, out);
        if (range->span.start >= at)
            append_preview(out, range->candidate->rule, bytes_of(scratch, range->span));
        at = range->span.end;
    }
    if (at < end)
        append_plain(scratch, (struct gt_span){at, end}, at == line.start, out);
}

static bool continues(const struct gt_scratch *scratch, size_t at)
{
    return at < scratch->len && ((unsigned char)scratch->body[at] & 0xC0) == 0x80;
}

/* The line around a place, at most so long; never beyond what was judged. A character is not cut.
 */
static struct gt_span clip(const struct gt_scratch *scratch, struct gt_span place)
{
    if (place.end > scratch->horizon)
        return (struct gt_span){place.start, place.start};
    size_t least = place.start > CONTEXT_BEFORE ? place.start - CONTEXT_BEFORE : 0;
    size_t start = place.start;
    while (start > least && scratch->body[start - 1] != '\n')
        start--;
    for (int i = 0; i < 3 && start < place.start && continues(scratch, start); i++)
        start++;
    size_t secret = place.end - place.start;
    size_t most = start + CONTEXT_MAX + (secret < CONTEXT_MAX ? secret : CONTEXT_MAX);
    size_t end = smaller(smaller(scratch->len, scratch->horizon), most);
    end = end < place.start ? place.start : end;
    const char *line = memchr(scratch->body + place.start, '\n', end - place.start);
    if (line)
        end = (size_t)(line - scratch->body);
    for (int i = 0; i < 3 && end > place.start && continues(scratch, end); i++)
        end--;
    return (struct gt_span){start, end};
}

const char *gt_context(const struct gt_scratch *scratch, struct gt_span place)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(RANGES_MAX * CONTEXT_BYTES);
    struct ranges ranges = {.count = 0};
    struct gt_span line = clip(scratch, place);
    if (line.start == line.end)
        return NULL;
    find_ranges(scratch, &ranges, line);
    append_line(scratch, &ranges, line, &text);
    if (!gt_buffer_ok(&text))
        return NULL;
    if (text.len > CONTEXT_MAX) {
        text.len = CONTEXT_MAX;
        while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xC0) == 0x80)
            text.len--;
    }
    return clean(scratch->arena, &text);
}

/* ---- texts beside the document ---- */

/* Marks where the secret, or at least its first bytes, stands. */
static void hide(struct gt_str secret, const char *text, size_t len, char *hidden)
{
    size_t least = smaller(secret.len, BEGINNING_MIN), same;
    const char *at = secret.len >= SECRET_MIN ? text : NULL;
    while (at && (at = memmem(at, (size_t)(text + len - at), secret.ptr, least))) {
        size_t room = smaller(secret.len, (size_t)(text + len - at));
        for (same = least; same < room && at[same] == secret.ptr[same];)
            same++;
        memset(hidden + (at++ - text), 1, same);
    }
}

static const char *write_shown(struct gt_arena *arena, const char *text, size_t len,
                               const char *hidden)
{
    GT_BUFFER_AUTO struct gt_buffer out = GT_BUFFER((strlen(STARS) + 1) * (len + 1));
    for (size_t i = 0; i < len; i++) {
        if (!hidden[i])
            gt_buffer_putc(&out, text[i]);
        else if (i == 0 || !hidden[i - 1])
            gt_buffer_puts(&out, STARS);
    }
    return gt_buffer_ok(&out) ? gt_arena_memdup(arena, out.data ? out.data : "", out.len) : NULL;
}

const char *gt_redacted(struct gt_arena *arena, const struct gt_str *secrets, size_t count,
                        const char *text)
{
    size_t len = strnlen(text, GT_ABOUT_MAX);
    if (!text[len] && count == 0)
        return text;
    while (text[len] && len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    char *hidden = gt_arena_array(arena, len + 1, sizeof *hidden);
    if (!hidden)
        return NULL;
    for (size_t i = 0; i < count; i++)
        hide(secrets[i], text, len, hidden);
    return memchr(hidden, 1, len) || text[len] ? write_shown(arena, text, len, hidden) : text;
}

/* ---- fingerprint ---- */

static int append_unwrapped(struct gt_buffer *out, struct gt_str secret)
{
    for (size_t i = 0; i < secret.len; i++) {
        char c = secret.ptr[i];
        bool escape = c == '\\' && i + 1 < secret.len && strchr("nr", secret.ptr[i + 1]);
        if (escape)
            i++;
        else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            gt_buffer_putc(out, c);
    }
    return gt_buffer_ok(out) ? 0 : GT_E_NOMEM;
}

void gt_secret_fingerprint(const struct gt_key *key, struct gt_str secret,
                           char ret_text[GT_FINGERPRINT_TEXT])
{
    struct gt_buffer unwrapped = GT_BUFFER(secret.len + 1);
    bool wrapped = is_armoured(secret) || memchr(secret.ptr, '\n', secret.len);
    if (wrapped && append_unwrapped(&unwrapped, secret) == 0)
        gt_fingerprint(key, unwrapped.data ? unwrapped.data : "", unwrapped.len, ret_text);
    else
        gt_fingerprint(key, secret.ptr, secret.len, ret_text);
    gt_buffer_wipe(&unwrapped);
    gt_buffer_free(&unwrapped);
}
