/* A finding: a credential or a brand trace seen in one document.
 *
 * The plain secret is not in it: `preview` is redacted, `fingerprint` is keyed. The id is a hash of
 * brand, rule and fingerprint, so the same secret seen anywhere is one finding with several
 * occurrences; the occurrence id adds the document and the place. */
#ifndef GT_MODEL_FINDING_H
#define GT_MODEL_FINDING_H

#include "core/core.h"
#include "model/severity.h"

struct gt_finding {
    char id[GT_ID_TEXT];
    char occurrence[GT_ID_TEXT];
    char fingerprint[GT_FINGERPRINT_TEXT];

    const char *brand; /* its name; NULL: no brand (guette scan) */
    const char *rule;  /* rule id, "github.fine-grained-token", or "brand.domain" */
    const char *title; /* of the rule, in the configured language: "GitHub personal access token" */
    const char *provider; /* "GitHub"; NULL: none */
    const char *category; /* "credential", "private-key", "brand", ... */

    int score; /* 0..100 */
    enum gt_severity severity;
    enum gt_confidence confidence;
    struct gt_list reasons; /* const char *: why this severity and confidence, in words */

    const char *preview;     /* redacted secret: "ghp_****...**9f" */
    const char *context;     /* the line around it, every credential in it redacted; NULL: none */
    const char *remediation; /* what to do now; NULL: none */
    unsigned line, column;   /* from 1, in bytes, in the innermost text */
    /* The way into that text, "backup.zip → .env → base64": names inside the document and what was
     * decoded, each cleaned and without known secrets. NULL: it stands in the document as it is. */
    const char *decoded_via;

    const char *document;                               /* document id */
    const char *source, *url, *document_title, *author; /* as in the document; NULL: none */
    int64_t published_ms, fetched_ms, detected_ms;
};

/* Fills id and occurrence. */
void gt_finding_identify(struct gt_finding *finding);
/* JSON object; the queue's and the outputs' form. New reference, NULL when out of memory. */
json_t *gt_finding_to_json(const struct gt_finding *finding);
int gt_finding_from_json(const json_t *object, struct gt_arena *arena, struct gt_finding *ret,
                         struct gt_error *err);
int gt_finding_encode(const struct gt_finding *finding, struct gt_buffer *out,
                      struct gt_error *err);
int gt_finding_decode(const void *bytes, size_t len, struct gt_arena *arena, struct gt_finding *ret,
                      struct gt_error *err);

#endif
