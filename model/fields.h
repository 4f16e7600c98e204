/* JSON members of the things that travel, as tables: which key goes to which place of the struct.
 *
 * Reading is strict about types and never guesses: what is there with the wrong type is a mistake
 * named in err, what is missing stays zero unless it is required. Inside model/ only. */
#ifndef GT_MODEL_FIELDS_H
#define GT_MODEL_FIELDS_H

#include "core/core.h"

enum gt_field_type {
    GT_FIELD_END,
    GT_FIELD_TEXT,  /* const char *; NULL is JSON null */
    GT_FIELD_ID,    /* char[size]: lower-case hex filling it, or "" */
    GT_FIELD_TIME,  /* int64_t ms; RFC 3339, 0 is JSON null */
    GT_FIELD_COUNT, /* unsigned */
    GT_FIELD_BOOL,  /* bool */
};

struct gt_member {
    const char *key;
    enum gt_field_type type;
    size_t offset;
    size_t size; /* GT_FIELD_ID: of the array */
    bool required;
};

/* Adds every member of the table to object. GT_E_NOMEM. */
int gt_members_write(json_t *object, const struct gt_member *members, const void *from);
/* Texts are copied into the arena. GT_E_INVALID, GT_E_NOMEM. */
int gt_members_read(const json_t *object, const struct gt_member *members, struct gt_arena *arena,
                    void *to, struct gt_error *err);
/* Index of the member's text in the names (NULL-ended); GT_E_INVALID. */
int gt_member_choice(const json_t *object, const char *key, const char *const *names,
                     struct gt_error *err);

#endif
