/* What may leave the matcher of a secret: a preview, a line around it, a keyed fingerprint. */
#ifndef GT_MATCHERS_REDACT_H
#define GT_MATCHERS_REDACT_H

#include "matchers/scan.h"

/* Its well-known beginning (a trigger of its rule) and at most four of its last characters, never
 * more than a quarter of it; of several lines (a private key) only the kind in its header. Arena
 * memory; NULL: out of memory. */
const char *gt_preview(struct gt_arena *arena, const struct gt_rule *rule, struct gt_str secret);

/* The line in which `place` starts, clipped to about 200 bytes, valid UTF-8, without control
 * characters. Every secret that any rule saw in the document is redacted, and so is what looks like
 * one. NULL: out of memory. */
const char *gt_context(const struct gt_scratch *scratch, struct gt_span place);

/* Titles, names and addresses are looked through, and shown, so far. */
#define GT_ABOUT_MAX ((size_t)16 * 1024)
/* A text beside the document's, with stars for every secret of the document and for every beginning
 * of one (a title is often the cut first line). Its own text when nothing is to be hidden, else
 * arena memory; NULL: out of memory. */
const char *gt_redacted(struct gt_arena *arena, const struct gt_str *secrets, size_t count,
                        const char *text);

/* One secret is one fingerprint however it is wrapped: white space and the escapes \n and \r of
 * armoured keys do not count. */
void gt_secret_fingerprint(const struct gt_key *key, struct gt_str secret,
                           char ret_text[GT_FINGERPRINT_TEXT]);

#endif
