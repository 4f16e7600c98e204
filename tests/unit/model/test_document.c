#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"

#define MIB ((size_t)1024 * 1024)

static const struct gt_document sample = {
    .source = "inbox",
    .key = "dump.txt",
    .url = "https://paste.example/1",
    .title = "dump",
    .author = "somebody",
    .type = "text/plain",
    .published_ms = 1700000000000,
    .fetched_ms = 1700000000123,
    .owned = true,
    .brand = "Acme",
    .body = "a\0b",
    .body_len = 3,
};

static void encode(const struct gt_document *document, struct gt_buffer *wire)
{
    struct gt_error err = {0};
    *wire = GT_BUFFER(80 * MIB);
    if (gt_document_encode(document, wire, &err) < 0)
        fail_msg("%s", err.message);
}

static int decode(const struct gt_buffer *wire, struct gt_arena *arena, struct gt_document *ret,
                  struct gt_error *err)
{
    /* Exactly as long, so that the sanitizer sees a byte read too far. */
    char *exact = malloc(wire->len ? wire->len : 1);
    assert_non_null(exact);
    if (wire->len)
        memcpy(exact, wire->data, wire->len);
    int rc = gt_document_decode(exact, wire->len, arena, ret, err);
    free(exact);
    return rc;
}

static void id_changes_with_source_key_and_body_alone(void **state)
{
    struct gt_document document = sample;
    gt_document_identify(&document);
    char first[GT_ID_TEXT];
    memcpy(first, document.id, sizeof first);
    assert_int_equal(strlen(first), GT_ID_TEXT - 1);

    struct gt_document same = sample;
    same.title = "other";
    same.fetched_ms++;
    gt_document_identify(&same);
    assert_string_equal(same.id, first);

    struct gt_document moved = sample, edited = sample, shifted = sample;
    moved.key = "dump2.txt";
    edited.body = "a\0c";
    shifted.source = "inboxd";
    shifted.key = "ump.txt";
    struct gt_document *const others[] = {&moved, &edited, &shifted};
    for (size_t i = 0; i < 3; i++) {
        gt_document_identify(others[i]);
        assert_string_not_equal(others[i]->id, first);
    }
}

static void comes_back_as_it_was(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(MIB);
    struct gt_document document = sample, again;
    struct gt_buffer wire;
    gt_document_identify(&document);
    encode(&document, &wire);
    assert_memory_equal(wire.data, "GTD1\0", 5);
    assert_int_equal(decode(&wire, arena, &again, NULL), 0);
    gt_buffer_free(&wire);
    assert_string_equal(again.id, document.id);
    assert_string_equal(again.source, sample.source);
    assert_string_equal(again.key, sample.key);
    assert_string_equal(again.url, sample.url);
    assert_string_equal(again.title, sample.title);
    assert_string_equal(again.author, sample.author);
    assert_string_equal(again.type, sample.type);
    assert_string_equal(again.brand, sample.brand);
    assert_int_equal(again.published_ms, sample.published_ms);
    assert_int_equal(again.fetched_ms, sample.fetched_ms);
    assert_true(again.owned);
    assert_int_equal(again.body_len, 3);
    assert_memory_equal(again.body, "a\0b", 3);
}

static void keeps_what_is_not_known_unknown(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(MIB);
    struct gt_document document = {.source = "s", .key = "k", .published_ms = -1}, again;
    struct gt_buffer wire;
    gt_document_identify(&document);
    encode(&document, &wire);
    assert_int_equal(decode(&wire, arena, &again, NULL), 0);
    gt_buffer_free(&wire);
    assert_null(again.url);
    assert_null(again.brand);
    assert_int_equal(again.published_ms, 0);
    assert_false(again.owned);
    assert_int_equal(again.body_len, 0);
}

static void shows_ill_formed_titles_as_text(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(MIB);
    struct gt_document document = sample, again;
    struct gt_buffer wire;
    document.title = "a\xff";
    gt_document_identify(&document);
    encode(&document, &wire);
    assert_int_equal(decode(&wire, arena, &again, NULL), 0);
    gt_buffer_free(&wire);
    assert_string_equal(again.title, "a\xef\xbf\xbd");
}

static void compresses_over_1_kib_when_it_helps(void **state)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(4 * MIB);
    char *body = malloc(MIB);
    assert_non_null(body);
    static const struct {
        size_t len;
        bool noise, packed;
    } cases[] = {
        {1024, false, false}, {1025, false, true}, {MIB, false, true}, {4096, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gt_document document = sample, again;
        struct gt_buffer wire;
        for (size_t k = 0; k < cases[i].len; k++)
            body[k] = cases[i].noise ? (char)gt_random(256) : 'a';
        document.body = body;
        document.body_len = cases[i].len;
        gt_document_identify(&document);
        encode(&document, &wire);
        assert_int_equal(wire.data[4], cases[i].packed);
        assert_int_equal(wire.len < cases[i].len, cases[i].packed);
        assert_int_equal(decode(&wire, arena, &again, NULL), 0);
        assert_int_equal(again.body_len, cases[i].len);
        assert_memory_equal(again.body, body, cases[i].len);
        gt_buffer_free(&wire);
    }
    free(body);
}

static void refuses_what_is_cut_or_changed(void **state)
{
    char body[3000];
    memset(body, 'x', sizeof body);
    struct gt_document document = sample, untouched = {.source = "untouched"};
    document.body = body;
    document.body_len = sizeof body;
    gt_document_identify(&document);
    struct gt_buffer wire;
    encode(&document, &wire);
    assert_int_equal(wire.data[4], 1);
    for (size_t len = 0; len < wire.len; len++) {
        GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(MIB);
        struct gt_buffer cut = wire;
        cut.len = len;
        assert_true(decode(&cut, arena, &untouched, NULL) < 0);
        assert_string_equal(untouched.source, "untouched");
    }
    for (size_t at = 0; at < wire.len; at++) {
        GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(MIB);
        struct gt_document any;
        wire.data[at] ^= 0x55;
        (void)decode(&wire, arena, &any, NULL); /* must only not read or write too far */
        wire.data[at] ^= 0x55;
    }
    wire.data[3] = '2';
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(MIB);
    assert_int_equal(decode(&wire, arena, &untouched, NULL), GT_E_INVALID);
    wire.data[3] = '1';
    wire.data[4] = 2;
    assert_int_equal(decode(&wire, arena, &untouched, NULL), GT_E_UNSUPPORTED);
    gt_buffer_free(&wire);
}

static void caps_size_before_it_allocates(void **state)
{
    struct gt_document document = sample, untouched;
    struct gt_error err = {0};
    document.body = calloc(1, GT_DOCUMENT_BODY_MAX + 1);
    document.body_len = GT_DOCUMENT_BODY_MAX + 1;
    gt_document_identify(&document);
    struct gt_buffer wire = GT_BUFFER(80 * MIB);
    assert_int_equal(gt_document_encode(&document, &wire, &err), GT_E_LIMIT);
    assert_int_equal(wire.len, 0);

    document.body_len = GT_DOCUMENT_BODY_MAX;
    assert_int_equal(gt_document_encode(&document, &wire, NULL), 0);
    GT_ARENA_AUTO struct gt_arena *small = gt_arena_new(MIB);
    assert_int_equal(decode(&wire, small, &untouched, &err), GT_E_LIMIT);
    assert_non_null(strstr(err.message, "does not fit in memory"));
    gt_buffer_free(&wire);

    wire = GT_BUFFER(64);
    document.body_len = 100;
    assert_int_equal(gt_document_encode(&document, &wire, &err), GT_E_LIMIT);
    assert_int_equal(wire.len, 0);
    gt_buffer_free(&wire);
    free((void *)(uintptr_t)document.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_changes_with_source_key_and_body_alone),
        cmocka_unit_test(comes_back_as_it_was),
        cmocka_unit_test(keeps_what_is_not_known_unknown),
        cmocka_unit_test(shows_ill_formed_titles_as_text),
        cmocka_unit_test(compresses_over_1_kib_when_it_helps),
        cmocka_unit_test(refuses_what_is_cut_or_changed),
        cmocka_unit_test(caps_size_before_it_allocates),
    };
    return gt_hash_start(NULL) < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
