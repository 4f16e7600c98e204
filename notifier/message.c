#include "notifier/message.h"
#include "notifier/show.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#define MAIL_LINE 76
#define TEXT_COLUMNS 200 /* of a header's text */
#define WORD_BYTES 36    /* of one encoded word: 48 characters in base64, 60 with its frame */

/* ---- headers ---- */

static bool is_plain(const char *text)
{
    size_t word = 0;
    for (const char *c = text; *c; c++) {
        word = *c == ' ' ? 0 : word + 1;
        if (*c < ' ' || *c > '~' || word > 60)
            return false;
    }
    return !strstr(text, "=?"); /* would be decoded by the reader */
}

static void append_plain(struct gt_buffer *out, size_t column, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, " ");
        if (column + 1 + len > MAIL_LINE) {
            gt_buffer_puts(out, "\r\n");
            column = 0;
        }
        gt_buffer_putc(out, ' ');
        gt_buffer_append(out, text, len);
        column += 1 + len;
        text += len + strspn(text + len, " ");
    }
}

/* How many bytes of clean UTF-8 go into the next word without cutting a character. */
static size_t whole_characters(const char *text, size_t most)
{
    size_t len = strlen(text);
    if (len <= most)
        return len;
    len = most;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void append_encoded(struct gt_buffer *out, const char *text)
{
    char word[WORD_BYTES * 2];
    for (bool first = true; *text; first = false) {
        size_t len = whole_characters(text, WORD_BYTES);
        sodium_bin2base64(word, sizeof(word), (const unsigned char *)text, len,
                          sodium_base64_VARIANT_ORIGINAL);
        gt_buffer_printf(out, "%s =?UTF-8?B?%s?=", first ? "" : "\r\n", word);
        text += len;
    }
}

static void append_text(struct gt_buffer *out, size_t column, const char *text)
{
    GT_BUFFER_AUTO struct gt_buffer line = GT_BUFFER(4 * TEXT_COLUMNS + 16);
    gt_show_line(&line, text, TEXT_COLUMNS);
    out->overflow |= line.overflow;
    if (!line.len)
        return;
    if (is_plain(line.data))
        append_plain(out, column, line.data);
    else
        append_encoded(out, line.data);
}

void gt_header_text(struct gt_buffer *out, const char *name, const char *text)
{
    gt_buffer_printf(out, "%s:", name);
    append_text(out, strlen(name) + 1, text);
    gt_buffer_puts(out, "\r\n");
}

/* A phrase (RFC 5322, 3.2.5): quoted when it is ASCII, else encoded words. */
static void append_phrase(struct gt_buffer *out, const char *name)
{
    if (!is_plain(name)) {
        append_encoded(out, name);
        return;
    }
    gt_buffer_puts(out, " \"");
    for (const char *c = name; *c; c++) {
        if (*c == '"' || *c == '\\')
            gt_buffer_putc(out, '\\');
        gt_buffer_putc(out, *c);
    }
    gt_buffer_putc(out, '"');
}

void gt_header_mailboxes(struct gt_buffer *out, const char *name,
                         const struct gt_mailbox *mailboxes, size_t count)
{
    gt_buffer_printf(out, "%s:", name);
    for (size_t i = 0; i < count; i++) {
        GT_BUFFER_AUTO struct gt_buffer clean = GT_BUFFER(512);
        gt_show_line(&clean, mailboxes[i].name, 48);
        if (clean.len) {
            append_phrase(out, clean.data);
            gt_buffer_puts(out, "\r\n");
        }
        gt_buffer_printf(out, " <%s>%s", mailboxes[i].address, i + 1 < count ? ",\r\n" : "");
    }
    gt_buffer_puts(out, "\r\n");
}

void gt_header_date(struct gt_buffer *out, const char *name, int64_t ms)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || tm.tm_year < 0 || tm.tm_year > 8099)
        return;
    gt_buffer_printf(out, "%s: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", name,
                     days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
                     tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- bodies ---- */

/* White space before a line break gets lost on the way; a dot or "From " at the start is changed by
 * old servers. */
static bool needs_code(const char *text, size_t i, size_t len, size_t column)
{
    unsigned char c = (unsigned char)text[i];
    if (c == ' ' || c == '\t')
        return i + 1 == len || text[i + 1] == '\n';
    return c < '!' || c > '~' || c == '=' || (column == 0 && (c == '.' || c == 'F'));
}

static void append_code(struct gt_buffer *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char code[] = {'=', digits[c >> 4], digits[c & 15]};
    gt_buffer_append(out, code, sizeof(code));
}

void gt_quoted_printable(struct gt_buffer *out, const char *text, size_t len)
{
    size_t column = 0;
    for (size_t i = 0; i < len && !out->overflow; i++) {
        if (text[i] == '\n') {
            gt_buffer_puts(out, "\r\n");
            column = 0;
            continue;
        }
        bool code = needs_code(text, i, len, column);
        size_t width = code ? 3 : 1;
        if (column + width > MAIL_LINE - 1) { /* room for the soft break's "=" */
            gt_buffer_puts(out, "=\r\n");
            column = 0;
            code = needs_code(text, i, len, column);
            width = code ? 3 : 1;
        }
        if (code)
            append_code(out, (unsigned char)text[i]);
        else
            gt_buffer_putc(out, text[i]);
        column += width;
    }
}

/* ---- mailboxes ---- */

/* Dot-atom of RFC 5322, 3.2.3. */
static bool is_local_part(const char *text, size_t len)
{
    bool dot = true;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '.' ? dot : !isalnum((unsigned char)c) && !strchr("!#$%&'*+-/=?^_`{|}~", c))
            return false;
        dot = c == '.';
    }
    return len > 0 && len <= 64 && !dot;
}

static bool is_domain(const char *text)
{
    size_t label = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '.' ? label == 0 || c[-1] == '-'
                      : !isalnum((unsigned char)*c) && (*c != '-' || label == 0))
            return false;
        label = *c == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0 && text[strlen(text) - 1] != '-' && strlen(text) <= 253;
}

static int check_address(const char *address, struct gt_error *err)
{
    const char *at = strrchr(address, '@');
    if (!at || strlen(address) > 254 || !is_local_part(address, (size_t)(at - address)) ||
        !is_domain(at + 1))
        return gt_fail(err, GT_E_INVALID,
                       "is not a mail address; write one like soc@acme.example or \"Acme SOC "
                       "<soc@acme.example>\" (a name with accents before the @ is not supported)");
    return 0;
}

int gt_mailbox_parse(const char *text, struct gt_arena *arena, struct gt_mailbox *ret,
                     struct gt_error *err)
{
    struct gt_str whole = gt_str_trim(gt_str_of(text)), name = {0}, address = whole;
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return gt_fail(err, GT_E_INVALID,
                           "is not a mail address: it holds a line break or a control character");
    }
    const char *open = memchr(whole.ptr, '<', whole.len);
    if (open && whole.ptr[whole.len - 1] == '>') {
        name = gt_str_trim((struct gt_str){whole.ptr, (size_t)(open - whole.ptr)});
        address = (struct gt_str){open + 1, (size_t)(whole.ptr + whole.len - 1 - (open + 1))};
    }
    if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
        name = (struct gt_str){name.ptr + 1, name.len - 2};
    struct gt_mailbox mailbox = {
        .name = name.len ? gt_arena_memdup(arena, name.ptr, name.len) : NULL,
        .address = gt_arena_memdup(arena, address.ptr, address.len),
    };
    if (!mailbox.address || (name.len && !mailbox.name))
        return gt_fail(err, GT_E_LIMIT, "is too long for a mail address");
    int code = check_address(mailbox.address, err);
    if (code == 0)
        *ret = mailbox;
    return code;
}
