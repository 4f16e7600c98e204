/* Mail (RFC 5322) with MIME parts (RFC 2045, 2046), one message or a mailbox of them (mbox, RFC
 * 4155). What stands in it as it is needs nothing: only parts that are encoded are decoded here. */
#include "matchers/decode/decode.h"

#include <string.h>
#include <strings.h>

#define HEAD_MAX ((size_t)16 * 1024)
#define LEVELS_MAX 8
#define PARTS_MAX 10000
#define BOUNDARY_MAX 70
#define NAME_MAX_BYTES 256

struct mail {
    struct gt_walk *walk;
    size_t parts;
    int rc;
};

static struct gt_str slice(struct gt_str text, size_t from, size_t to)
{
    return (struct gt_str){text.ptr + from, to - from};
}

static bool starts(struct gt_str text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && strncasecmp(text.ptr, word, len) == 0;
}

/* With its line end. */
static struct gt_str first_line(struct gt_str text)
{
    const char *end = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
    return slice(text, 0, end ? (size_t)(end - text.ptr) + 1 : text.len);
}

static bool is_blank(struct gt_str line)
{
    return gt_str_trim(line).len == 0;
}

/* The lines up to the first empty one; what follows is the body. */
static size_t headers_end(struct gt_str text)
{
    size_t at = 0;
    while (at < text.len) {
        struct gt_str line = first_line(slice(text, at, text.len));
        if (is_blank(line))
            return at;
        at += line.len;
    }
    return at;
}

/* Its value with all lines that go on; empty when there is none. */
static struct gt_str header(struct gt_str headers, const char *name)
{
    size_t len = strlen(name), start = 0, at = 0;
    bool found = false;
    while (at < headers.len) {
        struct gt_str line = first_line(slice(headers, at, headers.len));
        bool more = line.ptr[0] == ' ' || line.ptr[0] == '\t';
        if (found && !more)
            break;
        if (!more && starts(line, name) && line.len > len && line.ptr[len] == ':') {
            found = true;
            start = at + len + 1;
        }
        at += line.len;
    }
    return found ? gt_str_trim(slice(headers, start, at)) : (struct gt_str){"", 0};
}

/* `; name=value` or `; name="value"`. False: none, or it is too long. */
static bool parameter(struct gt_str value, const char *name, char *to, size_t size)
{
    size_t len = strlen(name);
    for (size_t at = 0; at + len + 1 < value.len; at++) {
        bool edge = at > 0 && strchr("; \t\r\n", value.ptr[at - 1]);
        if (!edge || strncasecmp(value.ptr + at, name, len) != 0 || value.ptr[at + len] != '=')
            continue;
        at += len + 1;
        bool quoted = value.ptr[at] == '"';
        at += quoted;
        size_t end = at;
        while (end < value.len &&
               (quoted ? value.ptr[end] != '"' : !strchr("; \t\r\n", value.ptr[end])))
            end++;
        if (end == at || end - at >= size)
            return false;
        memcpy(to, value.ptr + at, end - at);
        to[end - at] = 0;
        return !memchr(to, 0, end - at);
    }
    return false;
}

static void judge_part(struct mail *mail, struct gt_str headers, struct gt_str body, bool base64)
{
    char name[NAME_MAX_BYTES];
    struct gt_buffer bytes = GT_BUFFER(GT_DECODED_MAX);
    if (!parameter(header(headers, "Content-Disposition"), "filename", name, sizeof name) &&
        !parameter(header(headers, "Content-Type"), "name", name, sizeof name))
        strcpy(name, "mail");
    if (base64)
        gt_base64_append(body, &bytes);
    else
        gt_quoted_append(body, &bytes);
    if (bytes.overflow)
        gt_walk_cut(mail->walk, "a part of a mail is longer than 32 MiB");
    if (bytes.len > 0)
        mail->rc = gt_walk_text(mail->walk, name, bytes.data, bytes.len);
    gt_buffer_wipe(&bytes);
    gt_buffer_free(&bytes);
}

static void walk_entity(struct mail *mail, struct gt_str text, unsigned level);

static bool is_boundary(struct gt_str line, const char *boundary)
{
    size_t len = strlen(boundary);
    return line.len >= len + 2 && line.ptr[0] == '-' && line.ptr[1] == '-' &&
           memcmp(line.ptr + 2, boundary, len) == 0;
}

static void walk_parts(struct mail *mail, struct gt_str body, const char *boundary, unsigned level)
{
    size_t start = 0;
    bool in_part = false;
    for (size_t at = 0; at < body.len && mail->rc == 0;) {
        struct gt_str line = first_line(slice(body, at, body.len));
        if (is_boundary(line, boundary)) {
            if (in_part)
                walk_entity(mail, slice(body, start, at), level);
            start = at + line.len;
            in_part = true;
        }
        at += line.len;
    }
    if (in_part && start < body.len && mail->rc == 0) /* cut off, or what follows the last */
        walk_entity(mail, slice(body, start, body.len), level);
}

static void walk_entity(struct mail *mail, struct gt_str text, unsigned level)
{
    if (level > LEVELS_MAX || mail->parts++ > PARTS_MAX || !gt_walk_on(mail->walk))
        return;
    size_t end = headers_end(text), body = end + first_line(slice(text, end, text.len)).len;
    struct gt_str headers = slice(text, 0, end), rest = slice(text, body, text.len);
    struct gt_str type = header(headers, "Content-Type");
    struct gt_str encoding = header(headers, "Content-Transfer-Encoding");
    char boundary[BOUNDARY_MAX + 1];
    bool base64 = starts(encoding, "base64");
    if (starts(type, "multipart/") && parameter(type, "boundary", boundary, sizeof boundary))
        walk_parts(mail, rest, boundary, level + 1);
    else if (base64 || starts(encoding, "quoted-printable"))
        judge_part(mail, headers, rest, base64);
    else if (starts(type, "message/rfc822"))
        walk_entity(mail, rest, level + 1);
}

static bool is_mailbox(struct gt_str text)
{
    return text.len > 5 && memcmp(text.ptr, "From ", 5) == 0;
}

/* A line "From ..." behind an empty one starts the next message. */
static void walk_mailbox(struct mail *mail, struct gt_str text)
{
    size_t start = first_line(text).len;
    while (start < text.len && mail->rc == 0 && gt_walk_on(mail->walk)) {
        struct gt_str rest = slice(text, start, text.len);
        const char *next = memmem(rest.ptr, rest.len, "\nFrom ", 6);
        while (next && next > rest.ptr && next[-1] != '\n' &&
               !(next - rest.ptr > 1 && next[-1] == '\r' && next[-2] == '\n'))
            next = memmem(next + 1, rest.len - (size_t)(next + 1 - rest.ptr), "\nFrom ", 6);
        size_t len = next ? (size_t)(next - rest.ptr) + 1 : rest.len;
        mail->parts = 0;
        walk_entity(mail, slice(rest, 0, len), 0);
        start += len;
        start += next ? first_line(slice(text, start, text.len)).len : 0;
    }
}

static bool is_header_line(struct gt_str line)
{
    size_t at = 0;
    while (at < line.len && at < 64 && line.ptr[at] > ' ' && line.ptr[at] < 0x7F &&
           line.ptr[at] != ':')
        at++;
    return at > 0 && at < line.len && line.ptr[at] == ':';
}

static bool recognise(const char *head, size_t len)
{
    static const char *const names[] = {"MIME-Version", "Received",   "From",
                                        "Subject",      "Message-ID", "Content-Type"};
    struct gt_str text = {head, len < HEAD_MAX ? len : HEAD_MAX};
    if (is_mailbox(text))
        text = slice(text, first_line(text).len, text.len);
    if (!is_header_line(first_line(text)))
        return false;
    struct gt_str headers = slice(text, 0, headers_end(text));
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        count += header(headers, names[i]).len > 0;
    return count >= 2 && memchr(headers.ptr, 0, headers.len) == NULL;
}

static int walk(struct gt_walk *walk, struct gt_source *source, struct gt_error *err)
{
    struct mail mail = {.walk = walk};
    struct gt_str text = {source->bytes, source->len};
    if (is_mailbox(text))
        walk_mailbox(&mail, text);
    else
        walk_entity(&mail, text, 0);
    return mail.rc;
}

const struct gt_decoder gt_decoder_mail = {
    .name = "mail",
    .summary = "mail with its attachments, alone or in an mbox",
    .recognise = recognise,
    .walk = walk,
    .keeps = true,
};
