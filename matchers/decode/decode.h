/* Decoders: what may be encoded or packed in a document, one const table row each.
 *
 * A decoder is of one of two kinds. A *span* decoder turns a piece of a text into another text: it
 * is tried where the one pass over the text (signs.c) saw its sign. A *container* holds whole texts
 * (an archive, a mail, a text in UTF-16): it is recognised by its first bytes and walked. Adding
 * one is one file and one row in decoders.c.
 *
 * All of it is pure: bytes come from memory or from the caller's reader. Every byte is hostile. */
#ifndef GT_MATCHERS_DECODE_H
#define GT_MATCHERS_DECODE_H

#include "core/core.h"
#include "matchers/regex.h" /* struct gt_span */

#include <sys/types.h>

/* ---- spans ---- */

/* Where a byte of a decoded text came from: of several in order the last one not behind it. */
struct gt_mark {
    uint32_t at, from;
};

/* Texts decoded from pieces of another one, one after the other. */
struct gt_decoded {
    struct gt_buffer bytes;
    struct gt_mark *marks; /* of views; freed by gt_decoded_free */
    size_t mark_count, mark_capacity;
};
#define GT_DECODED_MAX ((size_t)32 * 1024 * 1024)

/* The next bytes come from here. False: out of memory. */
bool gt_decoded_mark(struct gt_decoded *decoded, size_t from);
void gt_decoded_free(struct gt_decoded *decoded);

enum gt_sign {
    GT_SIGN_NONE,
    GT_SIGN_BACKSLASH,
    GT_SIGN_PERCENT,
    GT_SIGN_AMPERSAND,
    GT_SIGN_EQUALS, /* before 3D or a line's end */
    GT_SIGN_0X,
    GT_SIGN_RUN, /* GT_RUN_MIN letters and digits, or more: base64 and hex have such runs */
    GT_SIGNS
};
/* In base64 of ASCII + / - _ are seldom: they stand for every third ~, > and ? only. */
#define GT_RUN_MIN ((size_t)20)

/* ---- containers ---- */

/* Bytes in order. read: 0 at the end, negative at an error. seek (may be NULL: cannot) as lseek. */
struct gt_source {
    ssize_t (*read)(struct gt_source *source, void *to, size_t len);
    int64_t (*seek)(struct gt_source *source, int64_t offset, int whence);
    const char *bytes; /* the whole of it, or as much of its beginning as fits a window */
    size_t len;
    bool whole;
};

/* A walk through one container. */
struct gt_walk;
/* Judges one thing inside, with all that is inside of it. name may be NULL: the step is the
 * decoder's name, or nothing if that is `""`. 0; 1: enough, stop walking; negative: an error. */
int gt_walk_entry(struct gt_walk *walk, const char *name, struct gt_source *entry);
/* The same for bytes in memory. */
int gt_walk_text(struct gt_walk *walk, const char *name, const char *bytes, size_t len);
/* False: time is up. */
bool gt_walk_on(struct gt_walk *walk);
/* What cannot be looked into; words live for ever. */
void gt_walk_skipped(struct gt_walk *walk);              /* encrypted */
void gt_walk_cut(struct gt_walk *walk, const char *why); /* damaged, say */

/* ---- the table ---- */

struct gt_decoder {
    const char *name; /* as a finding's decoded_via shows it */
    const char *summary;

    enum gt_sign sign;
    bool view; /* its text is the surrounding one with escapes resolved: places are those there */
    /* The span to decode around a sign at `at`, which does not start before `least`. False: none.
     * The span's end is where this decoder looks on, also when nothing comes of decoding. */
    bool (*find)(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span);
    /* Appends what is in it. False: nothing (what was appended is taken back). */
    bool (*decode)(struct gt_str text, struct gt_span span, struct gt_decoded *out);

    bool (*recognise)(const char *head, size_t len);
    int (*walk)(struct gt_walk *walk, struct gt_source *source, struct gt_error *err);
    bool quick; /* recognised within decoded spans, too */
    bool keeps; /* its bytes are judged as they stand, too, with what is encoded in them */
};
extern const struct gt_decoder *const gt_decoders[];
extern const size_t gt_decoder_count;
#define GT_DECODERS_MAX 32
/* The container that starts so; NULL: none. */
const struct gt_decoder *gt_container_of(const char *head, size_t len, bool quick);

/* Calls `found` for every sign in [from, to), in order; it returns where to go on for its sign. */
typedef size_t gt_sign_found(void *user, enum gt_sign sign, size_t at);
void gt_signs_find(struct gt_str text, struct gt_span within, gt_sign_found *found, void *user);

/* ---- shared by decoders ---- */

/* 0..15, or -1. */
int gt_hex_digit(unsigned char c);
/* 0..63 in either alphabet, or -1. */
extern const signed char gt_base64_value[256];
/* Nine bytes of ten are of ASCII's or UTF-8's text. */
bool gt_looks_text(const char *bytes, size_t len);
bool gt_looks_utf16(const char *bytes, size_t len);
/* The line around `at`, or of a long one as much as stands around escapes, which `sign` starts. */
struct gt_span gt_line_around(struct gt_str text, size_t at, size_t least, char sign);
/* A character as UTF-8; no surrogates. */
int gt_append_char(struct gt_buffer *out, uint32_t c);
/* Decodes as much of it as is base64, line ends and spaces left out. */
void gt_base64_append(struct gt_str text, struct gt_buffer *out);
void gt_quoted_append(struct gt_str text, struct gt_buffer *out);
/* The character of an entity (`&amp;`, `&#65;`) and its length; 0: none. */
size_t gt_entity_at(struct gt_str text, size_t at, uint32_t *ret_char);
/* The character of a backslash escape and its length; 0: none. */
size_t gt_escape_at(struct gt_str text, size_t at, uint32_t *ret_char);

extern const struct gt_decoder gt_decoder_archive, gt_decoder_base64, gt_decoder_entities,
    gt_decoder_escapes, gt_decoder_hex, gt_decoder_hex_bytes, gt_decoder_mail, gt_decoder_notebook,
    gt_decoder_office, gt_decoder_percent, gt_decoder_quoted, gt_decoder_unicode;

#endif
