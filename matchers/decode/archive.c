/* Archives and compressed files, by libarchive: the formats and filters it reads itself; none that
 * starts a program. Entries are streamed, none is held whole. */
#include "matchers/decode/decode.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#define BLOCK ((size_t)64 * 1024)
#define ENTRIES_MAX 100000
#define TAR_MAGIC 257
#define ISO_MAGIC 32769
/* What a decompressor may need to remember: more is for huge files, or hostile. */
#define DICTIONARY_MAX ((uint64_t)64 * 1024 * 1024 + 1)

struct reader {
    struct gt_walk *walk;
    struct gt_source *source;
    char block[BLOCK];
};

struct entry {
    struct gt_source source;
    struct reader *reader;
    struct archive *archive;
    const char *block; /* libarchive's, until the next one */
    size_t len;
    bool broken;
};

/* ---- what it is ---- */

static bool has(const char *head, size_t len, size_t at, const char *magic, size_t size)
{
    return len >= at + size && memcmp(head + at, magic, size) == 0;
}

static bool recognise(const char *head, size_t len)
{
    static const struct {
        const char *bytes;
        size_t len, least;
    } magics[] = {
        {"\x1F\x8B\x08", 3, 18},
        {"BZh", 3, 14},
        {"\xFD"
         "7zXZ\0",
         6, 12},
        {"\x28\xB5\x2F\xFD", 4, 8},
        {"\x04\x22\x4D\x18", 4, 8},
        {"PK\3\4", 4, 30},
        {"7z\xBC\xAF\x27\x1C", 6, 32},
        {"!<arch>\n", 8, 68},
        {"\xED\xAB\xEE\xDB", 4, 96},
        {"070701", 6, 110},
        {"070702", 6, 110},
        {"070707", 6, 76},
        {"LZIP\1", 5, 26},
        {"\x1F\x9D\x90", 3, 8},
    };
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (len >= magics[i].least && has(head, len, 0, magics[i].bytes, magics[i].len))
            return true;
    return has(head, len, TAR_MAGIC, "ustar", 5) || has(head, len, ISO_MAGIC, "CD001", 5);
}

/* The memory a decompressor would need, as the first header says; 0: not said. xz: The .xz File
 * Format 1.2.1, 3.1 and 5.3.1; zstd: RFC 8878, 3.1.1.1.2. */
static uint64_t dictionary_of(const char *head, size_t len)
{
    const unsigned char *at = (const unsigned char *)head;
    if (has(head, len, 0,
            "\xFD"
            "7zXZ",
            5) &&
        len > 18 && at[13] == 0 && at[14] == 0x21) {
        unsigned bits = at[16] & 0x3F;
        return bits >= 40 ? UINT64_C(0xFFFFFFFF) : (uint64_t)(2 | (bits & 1)) << (bits / 2 + 11);
    }
    if (has(head, len, 0, "\x28\xB5\x2F\xFD", 4) && len > 6 && !(at[4] & 0x20))
        return UINT64_C(1) << (10 + (at[5] >> 3));
    return 0;
}

/* ---- libarchive's view of the source ---- */

static la_ssize_t on_read(struct archive *archive, void *user, const void **ret_block)
{
    struct reader *reader = user;
    if (!gt_walk_on(reader->walk)) {
        archive_set_error(archive, EIO, "time is up");
        return ARCHIVE_FATAL;
    }
    ssize_t got = reader->source->read(reader->source, reader->block, BLOCK);
    *ret_block = reader->block;
    if (got < 0)
        archive_set_error(archive, EIO, "cannot be read");
    return got < 0 ? ARCHIVE_FATAL : got;
}

static la_int64_t on_seek(struct archive *archive, void *user, la_int64_t offset, int whence)
{
    struct reader *reader = user;
    int64_t at = reader->source->seek(reader->source, offset, whence);
    return at < 0 ? ARCHIVE_FATAL : at;
}

static la_int64_t on_skip(struct archive *archive, void *user, la_int64_t count)
{
    struct reader *reader = user;
    int64_t at = reader->source->seek(reader->source, 0, SEEK_CUR);
    int64_t end = reader->source->seek(reader->source, 0, SEEK_END);
    int64_t to = count < 0 || at < 0 ? at : count < end - at ? at + count : end;
    return reader->source->seek(reader->source, to, SEEK_SET) < 0 || at < 0 ? 0 : to - at;
}

/* Filters, and every format that is told by its first bytes. */
static void support(struct archive *archive, bool raw)
{
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_lzip(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_lz4(archive);
    archive_read_support_filter_compress(archive);
    archive_read_support_filter_rpm(archive);
    archive_read_support_format_raw(archive);
    if (raw)
        return;
    archive_read_support_format_zip(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_gnutar(archive);
    archive_read_support_format_7zip(archive);
    archive_read_support_format_ar(archive);
    archive_read_support_format_cpio(archive);
    archive_read_support_format_iso9660(archive);
}

static struct archive *open_archive(struct reader *reader, bool raw)
{
    struct archive *archive = archive_read_new();
    if (!archive)
        return NULL;
    support(archive, raw);
    if (reader->source->seek) {
        archive_read_set_seek_callback(archive, on_seek);
        archive_read_set_skip_callback(archive, on_skip);
    }
    archive_read_set_read_callback(archive, on_read);
    archive_read_set_callback_data(archive, reader);
    return archive;
}

/* ---- entries ---- */

/* Holes of sparse files are left out: they hold nothing, and a header can claim petabytes. */
static ssize_t read_entry(struct gt_source *source, void *to, size_t len)
{
    struct entry *entry = (struct entry *)source;
    while (entry->len == 0 && !entry->broken) {
        const void *block = NULL;
        size_t size = 0;
        la_int64_t offset;
        int rc = archive_read_data_block(entry->archive, &block, &size, &offset);
        if (rc == ARCHIVE_EOF)
            return 0;
        entry->broken =
            (rc < ARCHIVE_WARN && rc != ARCHIVE_RETRY) || !gt_walk_on(entry->reader->walk);
        entry->block = block;
        entry->len = rc >= ARCHIVE_WARN ? size : 0;
    }
    size_t most = entry->len < len ? entry->len : len;
    if (most > 0)
        memcpy(to, entry->block, most);
    entry->block += most;
    entry->len -= most;
    return (ssize_t)most; /* what was read of a damaged entry counts */
}

/* Of an entry without a name of its own (a gzip file's) the filter's name. */
static const char *name_of(struct archive *archive, struct archive_entry *header)
{
    if (archive_format(archive) == ARCHIVE_FORMAT_RAW)
        return archive_filter_count(archive) > 0 ? archive_filter_name(archive, 0) : NULL;
    const char *name = archive_entry_pathname_utf8(header);
    return name ? name : archive_entry_pathname(header) ? archive_entry_pathname(header) : "?";
}

static int judge_entry(struct reader *reader, struct archive *archive, struct archive_entry *header)
{
    struct entry entry = {.source = {.read = read_entry}, .reader = reader, .archive = archive};
    bool raw = archive_format(archive) == ARCHIVE_FORMAT_RAW;
    bool named = !raw && name_of(archive, header);
    if (raw && archive_filter_count(archive) < 2)
        return 0; /* neither an archive nor compressed */
    if (archive_entry_is_data_encrypted(header) || archive_entry_is_metadata_encrypted(header)) {
        gt_walk_skipped(reader->walk);
        return named ? gt_walk_text(reader->walk, name_of(archive, header), "", 0) : 0;
    }
    int rc = gt_walk_entry(reader->walk, name_of(archive, header), &entry.source);
    if (entry.broken)
        gt_walk_cut(reader->walk, "an archive in it is damaged or cut");
    return rc;
}

static int judge_entries(struct reader *reader, struct archive *archive, size_t *ret_count)
{
    struct archive_entry *header;
    int rc = 0, status = ARCHIVE_OK;
    for (size_t i = 0; rc == 0 && status != ARCHIVE_EOF && gt_walk_on(reader->walk); i++) {
        status = archive_read_next_header(archive, &header);
        if (status == ARCHIVE_EOF)
            break;
        if (status < ARCHIVE_WARN) {
            bool locked = archive_read_has_encrypted_entries(archive) > 0;
            if (locked)
                gt_walk_skipped(reader->walk);
            else
                gt_walk_cut(reader->walk, "an archive in it is damaged or cut");
            if (status == ARCHIVE_FATAL || i >= ENTRIES_MAX)
                return 0;
            continue;
        }
        if (i >= ENTRIES_MAX) {
            gt_walk_cut(reader->walk, "an archive in it has more than 100,000 entries");
            return 0;
        }
        *ret_count = i + 1;
        rc = judge_entry(reader, archive, header);
    }
    return rc;
}

static int walk_as(struct reader *reader, bool raw, size_t *ret_count, struct gt_error *err)
{
    struct archive *archive = open_archive(reader, raw);
    int rc = 0;
    *ret_count = 0;
    if (!archive)
        return gt_fail(err, GT_E_NOMEM, "out of memory for an archive");
    if (archive_read_open1(archive) == ARCHIVE_OK)
        rc = judge_entries(reader, archive, ret_count);
    archive_read_free(archive);
    return rc;
}

/* Zeros, in a compressed image of a disk say, look like the end of a tar. */
static int walk(struct gt_walk *walk, struct gt_source *source, struct gt_error *err)
{
    if (dictionary_of(source->bytes, source->len) > DICTIONARY_MAX) {
        gt_walk_cut(walk, "a compressed file in it needs more than 64 MiB to be read");
        return 0;
    }
    struct reader reader = {.walk = walk, .source = source};
    size_t count;
    int rc = walk_as(&reader, false, &count, err);
    if (rc == 0 && count == 0 && source->seek && source->seek(source, 0, SEEK_SET) == 0)
        rc = walk_as(&reader, true, &count, err);
    return rc;
}

const struct gt_decoder gt_decoder_archive = {
    .name = "archive",
    .summary = "zip, tar, 7z, ar, cpio, rpm, iso; gzip, bzip2, xz, lzip, zstd, lz4, compress",
    .recognise = recognise,
    .walk = walk,
    .quick = true,
};
