#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "git/pack.h"

#define APPLY(delta, base, to, changes)                                                            \
    gt_delta_apply((const unsigned char *)(delta), sizeof(delta) - 1, base, strlen(base), to,      \
                   sizeof(to), changes)

static void makes_an_object_and_tells_what_changed(void **state)
{
    struct gt_changes changes = {0};
    char to[9];
    /* 10 bytes to 9: copy 0..4, "xy", copy 7..10. */
    assert_int_equal(APPLY("\x0a\x09\x90\x04\x02xy\x91\x07\x03", "0123456789", to, &changes), 0);
    assert_memory_equal(to, "0123xy789", 9);
    assert_int_equal(changes.count, 1);
    assert_int_equal(changes.items[0].start, 4);
    assert_int_equal(changes.items[0].end, 6);
    free(changes.items);
}

static void what_is_gone_is_a_change_without_length(void **state)
{
    struct gt_changes changes = {0};
    char to[5];
    /* Without 3..6, and without the last two. */
    assert_int_equal(APPLY("\x0a\x05\x90\x03\x91\x06\x02", "0123456789", to, &changes), 0);
    assert_memory_equal(to, "01267", 5);
    assert_int_equal(changes.count, 2);
    assert_int_equal(changes.items[0].start, 3);
    assert_int_equal(changes.items[0].end, 3);
    assert_int_equal(changes.items[1].start, 5);
    free(changes.items);
}

static void the_same_text_has_no_changes(void **state)
{
    struct gt_changes changes = {0};
    char to[10];
    assert_int_equal(APPLY("\x0a\x0a\x90\x04\x91\x04\x06", "0123456789", to, &changes), 0);
    assert_int_equal(changes.count, 0);
    free(changes.items);
}

static void damaged_deltas_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"", 0},
        {"\x0a", 1},
        {"\x0b\x05\x90\x05", 4},     /* of another base */
        {"\x0a\x06\x90\x06", 4},     /* to another length */
        {"\x0a\x05\x90\x06", 4},     /* more than fits */
        {"\x0a\x05\x90\x04", 4},     /* less than promised */
        {"\x0a\x05\x91\x08\x05", 5}, /* beyond the base's end */
        {"\x0a\x05\x9f\xff\xff\xff\xff\x05", 8},
        {"\x0a\x05\x00", 3},     /* reserved */
        {"\x0a\x05\x05zzz", 6},  /* text beyond the end */
        {"\x0a\x05\x91\x01", 4}, /* no size */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x05", 11},
    };
    char to[5];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gt_changes changes = {0};
        assert_int_equal(gt_delta_apply((const unsigned char *)rows[i].bytes, rows[i].len,
                                        "0123456789", 10, to, sizeof to, &changes),
                         GT_E_INVALID);
        free(changes.items);
    }
}

static void reads_heads(void **state)
{
    struct gt_pack_head head;
    assert_int_equal(gt_pack_head_parse((const unsigned char *)"\xb5\x0a", 2, 12, 20, &head), 0);
    assert_int_equal(head.type, GT_GIT_BLOB);
    assert_int_equal(head.size, 0xa5);
    assert_int_equal(head.len, 2);
    /* Distance 0x80 is written 80 00. */
    assert_int_equal(gt_pack_head_parse((const unsigned char *)"\x65\x80\x00", 3, 500, 20, &head),
                     0);
    assert_int_equal(head.type, GT_PACK_DELTA_OFFSET);
    assert_int_equal(head.base_offset, 500 - 0x80);
}

static void damaged_heads_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"", 0},
        {"\x05", 1},                                          /* type 0 */
        {"\x55", 1},                                          /* type 5 */
        {"\xb5", 1},                                          /* goes on beyond the end */
        {"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11}, /* longer than a number */
        {"\x65\x00", 2},                                      /* its own base */
        {"\x65\x87\x7f", 3},                                  /* before the pack */
        {"\x75"
         "0123456789",
         11}, /* half a name */
    };
    struct gt_pack_head head;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(
            gt_pack_head_parse((const unsigned char *)rows[i].bytes, rows[i].len, 100, 20, &head),
            GT_E_INVALID);
}

static void sets_of_names(void **state)
{
    struct gt_oids oids = {0};
    struct gt_oid oid = {{0}};
    static const unsigned char firsts[] = {7, 3, 7, 1};
    assert_false(gt_oids_have(&oids, &oid));
    for (size_t i = 0; i < sizeof firsts; i++) {
        oid.bytes[0] = firsts[i];
        assert_int_equal(gt_oids_add(&oids, &oid), 0);
    }
    gt_oids_sort(&oids);
    assert_int_equal(oids.count, 3);
    assert_true(gt_oids_have(&oids, &oid));
    oid.bytes[0] = 2;
    assert_false(gt_oids_have(&oids, &oid));
    gt_oids_free(&oids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_an_object_and_tells_what_changed),
        cmocka_unit_test(what_is_gone_is_a_change_without_length),
        cmocka_unit_test(the_same_text_has_no_changes),
        cmocka_unit_test(damaged_deltas_are_refused),
        cmocka_unit_test(reads_heads),
        cmocka_unit_test(damaged_heads_are_refused),
        cmocka_unit_test(sets_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
