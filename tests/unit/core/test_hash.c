#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/core.h"

static char folder[] = "/tmp/guette-hash-XXXXXX";

static int make_folder(void **state)
{
    return gt_hash_start(NULL) < 0 || !mkdtemp(folder) ? -1 : 0;
}

static int remove_folder(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void write_hex(const unsigned char *bytes, size_t len, char *ret)
{
    for (size_t i = 0; i < len; i++)
        sprintf(ret + 2 * i, "%02x", bytes[i]);
}

/* RFC 4231, test cases 1, 2 and 6. */
static void hmac_gives_the_published_values(void **state)
{
    unsigned char key[131], mac[32];
    char hex[65];
    memset(key, 0x0b, 20);
    gt_hmac_sha256(key, 20, "Hi There", 8, mac);
    write_hex(mac, 32, hex);
    assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    gt_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    write_hex(mac, 32, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 131);
    gt_hmac_sha256(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
    write_hex(mac, 32, hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void crc_gives_the_published_values(void **state)
{
    assert_int_equal(gt_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(gt_crc32("", 0), 0);
    assert_int_equal(gt_crc32("The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

static void ids_tell_parts_and_kinds_apart(void **state)
{
    const struct gt_part one[] = {gt_part("ab"), gt_part("c")},
                         two[] = {gt_part("a"), gt_part("bc")},
                         null[] = {gt_part("ab"), gt_part(NULL)},
                         empty[] = {gt_part("ab"), gt_part("")};
    char a[GT_ID_TEXT], b[GT_ID_TEXT];
    gt_id_make("x", one, 2, a);
    gt_id_make("x", two, 2, b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    gt_id_make("x", one, 2, b);
    assert_string_equal(a, b);
    gt_id_make("y", one, 2, b);
    assert_string_not_equal(a, b);
    gt_id_make("x", one, 1, b);
    assert_string_not_equal(a, b);
    gt_id_make("x", null, 2, a);
    gt_id_make("x", empty, 2, b);
    assert_string_equal(a, b);
}

/* Ids name stored things: they must never change from one version to the next. The value is from
 * another implementation of BLAKE2b (Python hashlib). */
static void ids_stay_as_they_are(void **state)
{
    const struct gt_part parts[] = {gt_part("inbox"), gt_part("dump.txt"), gt_part("secret")};
    char id[GT_ID_TEXT];
    gt_id_make("document", parts, 3, id);
    assert_string_equal(id, "d304e3e01f5e8dda014895288ff24504");
}

static void fingerprints_depend_on_the_key(void **state)
{
    struct gt_key one = {{1}}, two = {{2}};
    char a[GT_FINGERPRINT_TEXT], b[GT_FINGERPRINT_TEXT], id[GT_ID_TEXT], other[GT_ID_TEXT];
    gt_fingerprint(&one, "s3cret", 6, a);
    gt_fingerprint(&two, "s3cret", 6, b);
    assert_int_equal(strlen(a), 64);
    assert_string_not_equal(a, b);
    gt_fingerprint(&one, "s3cret", 6, b);
    assert_string_equal(a, b);
    gt_key_id(&one, id);
    gt_key_id(&two, other);
    assert_string_not_equal(id, other);
}

static void a_key_is_made_once_and_private(void **state)
{
    char path[128];
    struct gt_error err;
    struct gt_key key, again;
    struct stat st;
    snprintf(path, sizeof path, "%s/new/deep/key", folder);
    assert_int_equal(gt_key_load(path, &key, &err), GT_E_NOTFOUND);
    assert_non_null(strstr(err.message, "guette init"));
    assert_int_equal(gt_key_create(path, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(gt_key_load(path, &key, &err), 0);
    assert_int_equal(gt_key_create(path, &err), GT_E_CONFLICT);
    assert_int_equal(gt_key_load(path, &again, &err), 0);
    assert_memory_equal(&key, &again, sizeof key);
}

static void an_open_or_damaged_key_is_refused(void **state)
{
    char path[128];
    struct gt_error err;
    struct gt_key key = {{7}};
    snprintf(path, sizeof path, "%s/key", folder);
    assert_int_equal(gt_key_create(path, &err), 0);
    static const mode_t open_modes[] = {0604, 0620, 0644, 0602};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(chmod(path, open_modes[i]), 0);
        assert_int_equal(gt_key_load(path, &key, &err), GT_E_REFUSED);
        assert_non_null(strstr(err.message, "chmod 600"));
    }
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(gt_key_load(path, &key, &err), 0);
    static const char *const wrong[] = {
        "", "zz", "00", "0011223344556677889900112233445566778899001122334455667788990011zz"};
    for (size_t i = 0; i < 4; i++) {
        struct gt_key untouched = {{7}};
        assert_int_equal(gt_file_write(path, wrong[i], strlen(wrong[i]), 0600, NULL), 0);
        assert_int_equal(gt_key_load(path, &untouched, &err), GT_E_INVALID);
        assert_int_equal(untouched.bytes[0], 7);
        if (*wrong[i])
            assert_null(strstr(err.message, wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_gives_the_published_values),
        cmocka_unit_test(crc_gives_the_published_values),
        cmocka_unit_test(ids_tell_parts_and_kinds_apart),
        cmocka_unit_test(ids_stay_as_they_are),
        cmocka_unit_test(fingerprints_depend_on_the_key),
        cmocka_unit_test(a_key_is_made_once_and_private),
        cmocka_unit_test(an_open_or_damaged_key_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
