/* Mails, mailboxes, notebooks and office documents: what is in them is found in its own text. */
#include "engine.h"
#include "wrap.h"

#include <archive.h>

#define TOKEN                                                                                      \
    "tco_"                                                                                         \
    "0123456789abcdefABCDEF0123456789"
#define ROOM ((size_t)16 * 1024 * 1024)

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

static void assert_found(struct engine *engine, const struct gt_buffer *document, const char *via,
                         unsigned line, unsigned column)
{
    struct result result;
    engine_match(engine, document->data, document->len, &result);
    assert_int_equal(result.rc, 0);
    if (result.count != 1)
        fail_msg("%zu findings instead of one via %s", result.count, via);
    const struct gt_finding *finding = &result.items[0].finding;
    assert_string_equal(result.items[0].secret, TOKEN);
    assert_string_equal(finding->decoded_via ? finding->decoded_via : "", via);
    assert_int_equal(finding->line, line);
    assert_int_equal(finding->column, column);
    result_free(&result);
}

#define HEAD                                                                                       \
    "Received: from a.example by b.example\r\n"                                                    \
    "From: A <a@a.example>\r\nSubject: keys\r\nMIME-Version: 1.0\r\n"
#define MIXED                                                                                      \
    "Content-Type: multipart/mixed;\r\n boundary=\"=_b 1\"\r\n\r\npreamble\r\n"                    \
    "--=_b 1\r\nContent-Type: text/plain\r\n\r\nhello\r\n"                                         \
    "--=_b 1\r\nContent-Type: application/octet-stream; name=x\r\n"                                \
    "Content-Disposition: attachment; filename=\"keys.zip\"\r\n"                                   \
    "Content-Transfer-Encoding: base64\r\n\r\n"
#define TEXT "first\nkey " TOKEN "\n"

static void append_mixed(struct gt_buffer *mail)
{
    GT_BUFFER_AUTO struct gt_buffer zip = GT_BUFFER(ROOM);
    wrap_zip(&zip, TEXT, strlen(TEXT));
    gt_buffer_puts(mail, HEAD MIXED);
    wrap_base64_lines(mail, zip.data, zip.len);
    gt_buffer_puts(mail, "\r\n--=_b 1--\r\n");
}

static void attachments(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer mail = GT_BUFFER(ROOM);
    append_mixed(&mail);
    assert_found(*state, &mail, "keys.zip → a/.env", 2, 5);

    GT_BUFFER_AUTO struct gt_buffer outer = GT_BUFFER(ROOM);
    gt_buffer_puts(&outer, HEAD "Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\n"
                                "Content-Type: message/rfc822\r\n\r\n");
    gt_buffer_append(&outer, mail.data, mail.len);
    gt_buffer_puts(&outer, "--zz--\r\n");
    assert_found(*state, &outer, "keys.zip → a/.env", 2, 5);
}

static void quoted_body(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer mail = GT_BUFFER(ROOM);
    gt_buffer_puts(&mail, HEAD "Content-Transfer-Encoding: Quoted-Printable\r\n\r\n"
                               "caf=C3=A9\r\nkey =3D tco_0123456789abcdefABC=\r\n"
                               "DEF0123456789\r\n");
    assert_found(*state, &mail, "mail", 2, 7);
}

static void plain_body(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer mail = GT_BUFFER(ROOM);
    gt_buffer_puts(&mail, HEAD "\r\nkey " TOKEN "\r\n");
    assert_found(*state, &mail, "", 6, 5);
}

static void mailbox(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer box = GT_BUFFER(ROOM);
    gt_buffer_puts(&box, "From a@a.example Mon Nov 23 10:00:00 2026\n" HEAD "\nhello\n\n"
                         "From b@b.example Mon Nov 23 11:00:00 2026\n");
    append_mixed(&box);
    gt_buffer_puts(&box, "\n\nFrom c@c.example Mon Nov 23 12:00:00 2026\n" HEAD "\nbye\n");
    assert_found(*state, &box, "keys.zip → a/.env", 2, 5);
}

static void notebook(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(ROOM);
    gt_buffer_puts(&text,
                   "{\"cells\": [{\"cell_type\": \"markdown\", \"source\": \"# x\"},\n"
                   "{\"cell_type\": \"code\", \"source\": [\"import os\\n\", \"k = \\\"" TOKEN
                   "\\\"\"], \"outputs\": [{\"text\": [\"" TOKEN "\\n\"]}]}],\n"
                   "\"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 5}\n");
    assert_found(*state, &text, "cell 2", 2, 6);
}

/* Word spreads a word over several runs. */
static void office(void **state)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/"
        "wordprocessingml/2006/main\"><w:body><w:p><w:r><w:t>key</w:t></w:r></w:p><w:p><w:r>"
        "<w:t>is tco_0123456789abc</w:t></w:r><w:r><w:rPr><w:b/></w:rPr>"
        "<w:t>defABCDEF01</w:t></w:r><w:r><w:t>23456789</w:t></w:r></w:p></w:body></w:document>";
    GT_BUFFER_AUTO struct gt_buffer docx = GT_BUFFER(ROOM);
    wrap_archive(&docx, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "word/document.xml", xml,
                 strlen(xml));
    assert_found(*state, &docx, "word/document.xml → text", 2, 4);
}

static void brand_elsewhere(void **state)
{
    static const char *domains[] = {"acme.example"};
    static const struct gt_brand brand = {.name = "Acme", .domains = {domains, 1}};
    static const struct gt_ruleset_settings settings = {.brands = &brand, .brand_count = 1};
    struct engine engine;
    engine_open(&engine, engine_rules, &settings);
    GT_BUFFER_AUTO struct gt_buffer mail = GT_BUFFER(ROOM);
    gt_buffer_puts(&mail, "To: ops@acme.example\r\n");
    append_mixed(&mail);
    struct result result;
    engine_match(&engine, mail.data, mail.len, &result);
    assert_int_equal(result.count, 1);
    assert_string_equal(result.items[0].finding.brand, "Acme");
    result_free(&result);
    /* Without a credential the trace is told, with the way to it. */
    GT_BUFFER_AUTO struct gt_buffer zip = GT_BUFFER(ROOM);
    wrap_zip(&zip, "see\nvpn.acme.example\n", 21);
    engine_match(&engine, zip.data, zip.len, &result);
    assert_int_equal(result.count, 1);
    assert_string_equal(result.items[0].finding.rule, "brand.domain");
    assert_string_equal(result.items[0].finding.decoded_via, "a/.env");
    assert_int_equal(result.items[0].finding.line, 2);
    result_free(&result);
    engine_close(&engine);
}

/* Cut anywhere, nothing breaks. */
static void cut(void **state)
{
    GT_BUFFER_AUTO struct gt_buffer mail = GT_BUFFER(ROOM);
    gt_buffer_puts(&mail, "From a@a.example Mon Nov 23 10:00:00 2026\n");
    append_mixed(&mail);
    for (size_t len = 0; len < mail.len; len += 7) {
        struct result result;
        engine_match(*state, mail.data, len, &result);
        assert_int_equal(result.rc, 0);
        result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attachments), cmocka_unit_test(quoted_body),
        cmocka_unit_test(plain_body),  cmocka_unit_test(mailbox),
        cmocka_unit_test(notebook),    cmocka_unit_test(office),
        cmocka_unit_test(cut),         cmocka_unit_test(brand_elsewhere),
    };
    gt_hash_start(NULL);
    return cmocka_run_group_tests(tests, open_all, close_all);
}
