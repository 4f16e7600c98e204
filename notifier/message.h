/* Inside notifier/: writing mail messages (RFC 5322 with MIME, RFC 2045 to 2047). Every line ends
 * with CRLF; nothing that is handed in can begin a header or end the headers. */
#ifndef GT_NOTIFIER_MESSAGE_H
#define GT_NOTIFIER_MESSAGE_H

#include "core/core.h"

/* A mailbox as people write it: "soc@acme.example" or "Acme SOC <soc@acme.example>". */
struct gt_mailbox {
    const char *name;    /* NULL: none */
    const char *address; /* ASCII, checked */
};
/* Says in err what is wrong, as an option's check does ("is not a mail address; ..."). */
int gt_mailbox_parse(const char *text, struct gt_arena *arena, struct gt_mailbox *ret,
                     struct gt_error *err);

/* "Name: text", the text any bytes of anybody: cleaned, encoded (RFC 2047) when it is not plain,
 * folded at 76. */
void gt_header_text(struct gt_buffer *out, const char *name, const char *text);
/* "Name: a, b": one mailbox a line. */
void gt_header_mailboxes(struct gt_buffer *out, const char *name,
                         const struct gt_mailbox *mailboxes, size_t count);
/* RFC 5322, 3.3: "Mon, 23 Nov 2026 17:41:05 +0000". */
void gt_header_date(struct gt_buffer *out, const char *name, int64_t ms);
/* RFC 2045, 6.7; "\n" in the text becomes a line break, no line is longer than 76. */
void gt_quoted_printable(struct gt_buffer *out, const char *text, size_t len);

#endif
