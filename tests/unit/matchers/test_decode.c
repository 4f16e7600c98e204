/* What is inside is found, once, at its place, and hostile insides end harmlessly. */
#include "engine.h"
#include "wrap.h"

#include <archive.h>
#include <ctype.h>

#define TOKEN                                                                                      \
    "tco_"                                                                                         \
    "0123456789abcdefABCDEF0123456789"
#define OTHER                                                                                      \
    "tco_"                                                                                         \
    "zyxwvutsrq9876543210ZYXWVUTSRQ98"
#define ROOM ((size_t)256 * 1024 * 1024)

static int open_all(void **state)
{
    static struct engine engine;
    static const struct gt_ruleset_settings settings = {.without_brand = true};
    engine_open(&engine, engine_rules, &settings);
    *state = &engine;
    return 0;
}

static int close_all(void **state)
{
    engine_close(*state);
    return 0;
}

/* Exactly one finding, of the token, at this place; via NULL: not looked at. */
static void assert_found(struct engine *engine, const struct gt_buffer *document, const char *via,
                         unsigned line, unsigned column)
{
    struct result result;
    engine_match(engine, document->data, document->len, &result);
    assert_int_equal(result.rc, 0);
    if (result.count != 1)
        fail_msg("%zu findings instead of one via %s", result.count, via ? via : "?");
    const struct gt_finding *finding = &result.items[0].finding;
    assert_string_equal(result.items[0].secret, TOKEN);
    if (via)
        assert_string_equal(finding->decoded_via ? finding->decoded_via : "", via);
    if (line && (finding->line != line || finding->column != column))
        fail_msg("via %s at %u:%u instead of %u:%u", via, finding->line, finding->column, line,
                 column);
    result_free(&result);
}

#define TEXT "first line\nkey = \"" TOKEN "\"; the rest\n"

static void encodings(void **state)
{
    static const struct {
        wrap *wrap;
        const char *before, *after, *via;
        unsigned line, column;
    } rows[] = {
        {wrap_base64, "x\ny: ", "\n", "base64", 2, 8},
        {wrap_base64, "data:text/plain;base64,", ")", "base64", 2, 8},
        {wrap_base64, "https://a.example/b/", "?c", "base64", 2, 8},
        {wrap_base64url, "x=", "&y", "base64", 2, 8},
        {wrap_base64_lines, "x: |\n  ", "\n", "base64", 2, 8},
        {wrap_hex, "x ", "\n", "hex", 2, 8},
        {wrap_hex_bytes, "char x[] = {", "};", "hex bytes", 2, 8},
        {wrap_percent, "x\n?q=", "&z", "percent-encoding", 2, 3 + 18 * 3 + 1},
        {wrap_unicode, "{\"x\":\"", "\"}", "escapes", 1, 6 + 18 * 6 + 1},
        {wrap_bytes, "x = '", "'", "escapes", 1, 5 + 18 * 4 + 1},
        {wrap_entities, "<b>", "</b>", "entities", 0, 0},
        {wrap_decimal, "<b>", "</b>", "entities", 0, 0},
        {wrap_utf16le, "", "", "UTF-16LE", 2, 8},
        {wrap_utf16be, "", "", "UTF-16BE", 2, 8},
        {wrap_utf16_mark, "", "", "UTF-16LE", 2, 8},
        {wrap_utf32le, "", "", "UTF-32LE", 2, 8},
        {wrap_utf32be, "", "", "UTF-32BE", 2, 8},
        {wrap_zip, "", "", "a/.env", 2, 8},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
        gt_buffer_puts(&document, rows[i].before);
        rows[i].wrap(&document, TEXT, strlen(TEXT));
        gt_buffer_puts(&document, rows[i].after);
        assert_found(*state, &document, rows[i].via, rows[i].line, rows[i].column);
    }
}

/* Of text with some escapes, the line around them is the context. */
static void views(void **state)
{
    static const struct {
        const char *text, *secret, *via;
        unsigned line, column;
    } rows[] = {
        {"a\n{x: \\u0022password=hunt\\/er22\\u0022}", "hunt/er22", "escapes", 2, 20},
        {"a\n\"{\\\"a\\\": \\\"password=hunter22x\\\"}\"", "hunter22x", "escapes", 2, 21},
        {"?password%3Dhunter22x b", "hunter22x", "percent-encoding", 1, 13},
        {"<i>password&equals;hunter22x</i>", "hunter22x</i>", "entities", 1, 20},
        {"password=3Dhunter22x", "hunter22x", "quoted-printable", 1, 12},
        {"A=1\\nPASSWORD=hunter22x\\nB=2", "hunter22x", "escapes", 1, 15},
        {"k: cGFzc3dvcmQ9aHVudGVyMjJ4\n", "hunter22x", "base64", 1, 10},
        /* The name stands before what is encoded. */
        {"password: ZmlzaC1hbmQtY2hpcHMtMTEyMg==", "fish-and-chips-1122", "base64", 1, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result result;
        engine_match(*state, rows[i].text, strlen(rows[i].text), &result);
        bool found = false;
        for (size_t k = 0; k < result.count; k++) {
            const struct gt_finding *finding = &result.items[k].finding;
            if (!finding->decoded_via || strcmp(result.items[k].secret, rows[i].secret) != 0)
                continue;
            found = true;
            assert_string_equal(finding->decoded_via, rows[i].via);
            if (finding->line != rows[i].line || finding->column != rows[i].column)
                fail_msg("row %zu at %u:%u", i, finding->line, finding->column);
        }
        if (!found)
            fail_msg("row %zu: not found in %s (%zu findings)", i, rows[i].text, result.count);
        result_free(&result);
    }
}

static void containers(void **state)
{
    static const struct {
        int format, filter;
        const char *via;
    } rows[] = {
        {ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "conf/.env"},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, "conf/.env"},
        {ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_GZIP, "conf/.env"},
        {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2, "conf/.env"},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ, "conf/.env"},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD, "conf/.env"},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_LZ4, "conf/.env"},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_COMPRESS, "conf/.env"},
        {ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, "conf/.env"},
        {ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FILTER_NONE, "conf/.env"},
        {ARCHIVE_FORMAT_CPIO_POSIX, ARCHIVE_FILTER_GZIP, "conf/.env"},
        {ARCHIVE_FORMAT_AR_GNU, ARCHIVE_FILTER_NONE, ".env"},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, "gzip"},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_BZIP2, "bzip2"},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, "xz"},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_ZSTD, "zstd"},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_LZ4, "lz4"},
        {ARCHIVE_FORMAT_ISO9660, ARCHIVE_FILTER_NONE, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
        const char *name = rows[i].format == ARCHIVE_FORMAT_AR_GNU ? ".env" : "conf/.env";
        wrap_archive(&document, rows[i].format, rows[i].filter, name, TEXT, strlen(TEXT));
        assert_found(*state, &document, rows[i].via, 2, 8);
    }
}

/* Cut short or damaged anywhere: harmless, and the sanitizers see nothing. */
static void damaged(void **state)
{
    static const int rows[][2] = {
        {ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_ZSTD},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_BZIP2},
        {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_LZ4},
        {ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE},
        {ARCHIVE_FORMAT_CPIO_POSIX, ARCHIVE_FILTER_NONE},
        {ARCHIVE_FORMAT_AR_GNU, ARCHIVE_FILTER_NONE},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        GT_BUFFER_AUTO struct gt_buffer whole = GT_BUFFER(ROOM);
        wrap_archive(&whole, rows[i][0], rows[i][1], "x.txt", TEXT, strlen(TEXT));
        for (size_t k = 0; k < 40; k++) {
            struct result result;
            size_t place = whole.len * k / 40;
            engine_match(*state, whole.data, place, &result);
            assert_int_equal(result.rc, 0);
            result_free(&result);
            whole.data[place] = (char)(whole.data[place] ^ (1 << k % 8));
            engine_match(*state, whole.data, whole.len, &result);
            assert_int_equal(result.rc, 0);
            result_free(&result);
            whole.data[place] = (char)(whole.data[place] ^ (1 << k % 8));
        }
    }
}

static void wrap_again(struct gt_buffer *document, size_t step)
{
    GT_BUFFER_AUTO struct gt_buffer inner = *document;
    *document = GT_BUFFER(ROOM);
    if (step % 2 == 0)
        wrap_archive(document, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "in.zip", inner.data,
                     inner.len);
    else
        wrap_base64(document, inner.data, inner.len);
}

static void nested(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
    gt_buffer_puts(&document, TEXT);
    for (size_t i = 0; i < 5; i++)
        wrap_again(&document, i);
    assert_found(*state, &document, "in.zip → base64 → in.zip → base64 → in.zip", 2, 8);
    wrap_again(&document, 5);
    struct result result;
    engine_match(*state, document.data, document.len, &result);
    assert_int_equal(result.all, 0);
    result_free(&result);
}

static void depth_of_none(void **state)
{
    struct engine engine;
    struct gt_ruleset_settings settings = {.without_brand = true, .decode_depth = -1};
    engine_open(&engine, engine_rules, &settings);
    GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
    wrap_base64(&document, TEXT, strlen(TEXT));
    struct result result;
    engine_match(&engine, document.data, document.len, &result);
    assert_int_equal(result.all, 0);
    result_free(&result);
    engine_close(&engine);
}

/* What stands plain and encoded is told once, at the plain place. */
static void once(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
    gt_buffer_puts(&document, "a " TOKEN "\\n \\\"b\\\"\n");
    wrap_base64(&document, TEXT, strlen(TEXT));
    gt_buffer_puts(&document, "\n%41" TOKEN "%2F&quot;" TOKEN "&quot;\n");
    assert_found(*state, &document, "", 1, 3);
}

static void zeros(struct gt_buffer *out, size_t len, int format, int filter)
{
    char *text = calloc(len, 1);
    wrap_archive(out, format, filter, "zeros", text, len);
    free(text);
}

static void bombs(void **state)
{
    struct engine engine;
    struct gt_ruleset_settings settings = {.without_brand = true,
                                           .decode_bytes = (uint64_t)1024 * 1024};
    engine_open(&engine, engine_rules, &settings);
    for (int i = 0; i < 3; i++) {
        GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
        zeros(&document, (size_t)64 << 20, i == 1 ? ARCHIVE_FORMAT_ZIP : ARCHIVE_FORMAT_RAW,
              i == 1   ? ARCHIVE_FILTER_NONE
              : i == 2 ? ARCHIVE_FILTER_XZ
                       : ARCHIVE_FILTER_GZIP);
        struct result result;
        engine_match(&engine, document.data, document.len, &result);
        assert_int_equal(result.rc, 0);
        if (!result.summary.gave_up)
            fail_msg("%zu bytes of bomb %d are no bomb", document.len, i);
        assert_non_null(result.summary.cut_inside);
        result_free(&result);
    }
    engine_close(&engine);
}

/* xz says itself that it needs 1 GiB to be read. */
static void large_dictionary(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
    wrap_archive(&document, ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, "x", TEXT, strlen(TEXT));
    document.data[16] = 36;
    struct result result;
    engine_match(*state, document.data, document.len, &result);
    assert_int_equal(result.rc, 0);
    assert_int_equal(result.all, 0);
    assert_non_null(result.summary.cut_inside);
    result_free(&result);
}

/* Names of entries are somebody's text: a secret in one is a finding, and shown nowhere. */
static void names(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
    wrap_archive(&document, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
                 "a/" TOKEN "/\x1b[31m\n" OTHER ".txt", "lb-012345678901\n", 16);
    struct result result;
    engine_match(*state, document.data, document.len, &result);
    assert_int_equal(result.count, 3);
    for (size_t i = 0; i < result.count; i++) {
        const struct gt_finding *finding = &result.items[i].finding;
        const char *texts[] = {finding->decoded_via, finding->context, finding->preview};
        for (size_t k = 0; k < COUNT(texts); k++) {
            const char *text = texts[k] ? texts[k] : "";
            assert_null(strstr(text, "456789"));
            assert_null(strstr(text, "9876543210"));
            for (const char *c = text; *c; c++)
                assert_false(iscntrl((unsigned char)*c));
        }
        assert_string_equal(finding->decoded_via, "a/********/[31m ********.txt");
    }
    result_free(&result);
}

/* The line around another finding shows no encoded form of a secret. */
static void encoded_neighbours(void **state)
{
    wrap *const wraps[] = {wrap_base64,  wrap_base64url, wrap_hex,      wrap_percent,
                           wrap_unicode, wrap_bytes,     wrap_entities, wrap_decimal};
    for (size_t i = 0; i < COUNT(wraps); i++) {
        for (size_t shift = 0; shift < 160; shift += 16) {
            GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(4096), encoded = GT_BUFFER(4096);
            wraps[i](&encoded, TOKEN, strlen(TOKEN));
            gt_buffer_puts(&text, "lb-012345678901");
            for (size_t k = 0; k < shift; k++)
                gt_buffer_puts(&text, k % 8 ? "." : " ");
            gt_buffer_append(&text, encoded.data, encoded.len);
            gt_buffer_puts(&text, " end\n");
            struct result result;
            engine_match(*state, text.data, text.len, &result);
            assert_true(result.count >= 1);
            const char *context = result.items[0].finding.context;
            encoded.data[12] = 0;
            if (strstr(context, encoded.data))
                fail_msg("row %zu, shift %zu: %s", i, shift, context);
            result_free(&result);
        }
    }
}

/* ---- streams ---- */

struct memory {
    const char *bytes;
    size_t len, at, step;
};

static ssize_t read_memory(void *user, void *to, size_t len)
{
    struct memory *memory = user;
    size_t left = memory->len - memory->at;
    size_t most = len < left ? len : left;
    most = most < memory->step ? most : memory->step;
    memcpy(to, memory->bytes + memory->at, most);
    memory->at += most;
    return (ssize_t)most;
}

static int64_t seek_memory(void *user, int64_t offset, int whence)
{
    struct memory *memory = user;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)memory->at
                                        : (int64_t)memory->len;
    if (base + offset < 0 || base + offset > (int64_t)memory->len)
        return -1;
    memory->at = (size_t)(base + offset);
    return base + offset;
}

static void stream(struct engine *engine, const struct gt_buffer *bytes, bool seekable,
                   struct result *ret)
{
    struct memory memory = {bytes->data, bytes->len, 0, (size_t)1000 * 1000};
    struct gt_reader reader = {read_memory, seekable ? seek_memory : NULL, &memory};
    struct gt_document document = {.source = "test", .key = "1"};
    *ret = (struct result){.arena = gt_arena_new((size_t)64 << 20)};
    ret->rc = gt_match_stream(engine->ruleset, engine->scratch, &document, &reader, 0, engine_sink,
                              ret, &ret->summary, &engine->err);
    assert_int_equal(ret->rc, 0);
}

/* Encoded tokens all around the edges of windows, each found once. */
static void window_edges(void **state)
{
    const size_t len = GT_SCAN_WINDOW + (size_t)1024 * 1024;
    static const long shifts[] = {-70000, -66000, -65640, -65300, -4200, -270, -10, 260, 4000};
    wrap *const wraps[] = {wrap_base64, wrap_unicode};
    for (size_t w = 0; w < COUNT(wraps); w++) {
        GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(ROOM);
        char *blank = malloc(len);
        memset(blank, '.', len);
        for (size_t i = 99; i < len; i += 100)
            blank[i] = '\n';
        gt_buffer_append(&text, blank, len);
        free(blank);
        for (size_t i = 0; i < COUNT(shifts); i++) {
            GT_BUFFER_AUTO struct gt_buffer encoded = GT_BUFFER(ROOM);
            char token[40];
            snprintf(token, sizeof token, " tco_%032zu ", i);
            wraps[w](&encoded, token, strlen(token));
            char *place = text.data + (long)GT_SCAN_WINDOW + shifts[i];
            place[-1] = ' ';
            memcpy(place, encoded.data, encoded.len);
            place[encoded.len] = ' ';
        }
        struct result result;
        stream(*state, &text, true, &result);
        if (result.all != COUNT(shifts))
            fail_msg("%zu of %zu found", result.all, COUNT(shifts));
        result_free(&result);
    }
}

/* An archive longer than a window, and in it a file longer than one. */
static void long_archives(void **state)
{
    const size_t len = (size_t)34 * 1024 * 1024;
    char *text = malloc(len);
    uint32_t random = 1;
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = i % 80 == 79 ? '\n' : (char)('!' + (random >> 24) % 14);
    }
    memcpy(text + len - 200, "\n" TOKEN "\n", strlen(TOKEN) + 2);
    for (int seekable = 0; seekable < 2; seekable++) {
        GT_BUFFER_AUTO struct gt_buffer document = GT_BUFFER(ROOM);
        wrap_archive(&document, ARCHIVE_FORMAT_TAR_USTAR,
                     seekable ? ARCHIVE_FILTER_NONE : ARCHIVE_FILTER_LZ4, "big.log", text, len);
        assert_true(document.len > GT_SCAN_WINDOW);
        struct result result;
        stream(*state, &document, seekable, &result);
        assert_int_equal(result.all, 1);
        assert_string_equal(result.items[0].finding.decoded_via, "big.log");
        result_free(&result);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings),
        cmocka_unit_test(views),
        cmocka_unit_test(containers),
        cmocka_unit_test(damaged),
        cmocka_unit_test(nested),
        cmocka_unit_test(depth_of_none),
        cmocka_unit_test(once),
        cmocka_unit_test(bombs),
        cmocka_unit_test(large_dictionary),
        cmocka_unit_test(names),
        cmocka_unit_test(encoded_neighbours),
        cmocka_unit_test(window_edges),
        cmocka_unit_test(long_archives),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_all, close_all);
}
