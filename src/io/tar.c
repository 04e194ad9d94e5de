/* The only file that knows libarchive: members of tar, zip and tar.gz. */
#include "io/tar.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/retry.h"
#include "io/range.h"

enum { BLOCK = 64 * 1024 };

struct df_tar {
    struct archive *archive;
    char *path;
    int fd;
    int64_t size, at; /* size of the tar file; offset at which libarchive reads next */
    int failed;                              /* errno of a failed read; 0: none */
    uint8_t block[BLOCK];
};

/* libarchive's way to read: the next block of the file. */
static la_ssize_t read_block(struct archive *archive, void *ctx, const void **bytes)
{
    df_tar *tar = ctx;
    ssize_t n;
    int tries = 0;
    while ((n = pread(tar->fd, tar->block, BLOCK, (off_t)tar->at)) < 0 && df_retry(errno, &tries))
        ;
    if (n < 0) {
        tar->failed = errno;
        archive_set_error(archive, errno, "%s", strerror(errno));
        return ARCHIVE_FATAL;
    }
    *bytes = tar->block;
    tar->at += n;
    return n;
}

/* Skips n bytes for libarchive, but not beyond the end, which libarchive notices by a read. */
static la_int64_t skip_bytes(struct archive *archive, void *ctx, la_int64_t n)
{
    df_tar *tar = ctx;
    (void)archive;
    const int64_t left = tar->size > tar->at ? tar->size - tar->at : 0,
                  skipped = n < left ? n : left;
    tar->at += skipped;
    return skipped;
}

/* Turns a failure into a message: libarchive's words, unless a read or memory failed before. */
static df_status say_why(const df_tar *tar, const char *doing, df_error *err)
{
    const char *why = archive_error_string(tar->archive);
    if (tar->failed)
        return df_fail(err, DF_IO, "read %s: %s: see that it is there, and run again", tar->path,
                       strerror(tar->failed));
    if (archive_errno(tar->archive) == ENOMEM)
        return df_no_memory(err, "read %s", tar->path);
    return df_fail(err, DF_FORMAT, "%s: %s%s", tar->path, doing, why ? why : "bad header");
}

/* Opens the file as a plain tar. A compressed one is refused, since its members have no place in
 * the file. */
static df_status open_archive(df_tar *tar, df_error *err)
{
    struct stat st;
    df_status status = df_file_open(tar->path, &tar->fd, err);
    if (status != DF_OK)
        return status == DF_IO && !df_file_exists(tar->path) ? DF_MISSING : status;
    if (fstat(tar->fd, &st) != 0)
        return df_fail(err, DF_IO, "open %s: %s", tar->path, strerror(errno));
    tar->size = (int64_t)st.st_size;

    /* no filters, since offsets into a compressed stream cannot be read back */
    tar->archive = archive_read_new();
    if (!tar->archive)
        return df_no_memory(err, "open %s", tar->path);
    archive_read_support_format_tar(tar->archive);
    if (archive_read_open2(tar->archive, tar, NULL, read_block, skip_bytes, NULL) != ARCHIVE_OK)
        return say_why(tar, "", err);
    return DF_OK;
}

df_status df_tar_open(df_tar **out, const char *path, df_error *err)
{
    df_tar *tar = calloc(1, sizeof *tar);
    if (!tar)
        return df_no_memory(err, "open %s", path);
    tar->fd = -1;
    tar->path = strdup(path);
    df_status status = tar->path ? open_archive(tar, err) : df_no_memory(err, "open %s", path);
    if (status != DF_OK) {
        df_tar_close(tar);
        return status;
    }
    *out = tar;
    return DF_OK;
}

void df_tar_close(df_tar *tar)
{
    if (!tar)
        return;
    if (tar->archive)
        archive_read_free(tar->archive);
    if (tar->fd >= 0)
        close(tar->fd);
    free(tar->path);
    free(tar);
}

bool df_tar_name_safe(const char *name)
{
    if (name[0] == 0 || name[0] == '/')
        return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        if (*part == '/')
            part++;
        if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || part[2] == 0))
            return false;
    }
    return true;
}

static const char *refuse(struct archive_entry *entry, const char *name, int64_t size)
{
    if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) != AE_IFREG)
        return "link or special file in tar";
    if (!df_tar_name_safe(name))
        return "unsafe name in tar";
    /* its bytes are not one range */
    if (archive_entry_sparse_count(entry) > 0)
        return "sparse file in tar";
    if (size > DF_TAR_MEMBER_MAX)
        return "member above 64 MiB";
    return NULL;
}

df_status df_tar_next(df_tar *tar, df_tar_member *member, bool *more, df_error *err)
{
    struct archive_entry *entry;
    do {
        int code = archive_read_next_header(tar->archive, &entry);
        if (code == ARCHIVE_EOF) {
            *more = false;
            return DF_OK;
        }
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
            return say_why(tar, "broken tar: ", err);
    } while (archive_entry_filetype(entry) == AE_IFDIR);

    const char *name = archive_entry_pathname(entry);
    int64_t size = (int64_t)archive_entry_size(entry);
    int64_t offset = (int64_t)archive_filter_bytes(tar->archive, 0);
    if (!name)
        name = "";
    while (name[0] == '.' && name[1] == '/') /* names as `tar c .` writes them */
        name += 2;
    if (size < 0 || offset < 0 || size > tar->size - offset)
        return df_fail(err, DF_FORMAT, "%s: cut tar: ends inside %.200s", tar->path, name);
    *member = (df_tar_member){
        .name = name, .offset = offset, .size = size, .refused = refuse(entry, name, size)};
    *more = true;
    return DF_OK;
}

df_status df_tar_read(const df_tar *tar, const df_tar_member *member, uint8_t **bytes,
                      df_error *err)
{
    if (member->refused)
        return df_fail(err, DF_FORMAT, "%s: %.200s: %s", tar->path, member->name, member->refused);
    return df_range_read(tar->fd, tar->path, member->offset, (size_t)member->size, bytes, err);
}

/* ---- zip ---- */

/* Reads at most max_bytes of a zip's member into memory. */
static df_status read_member(struct archive *zip, const char *path, size_t max_bytes,
                             uint8_t **bytes, size_t *size, df_error *err)
{
    size_t capacity = BLOCK, n = 0;
    uint8_t *data = malloc(capacity);
    while (data && n < max_bytes) {
        /* the buffer grows with the data, so that a false size in the header costs nothing */
        if (n == capacity) {
            uint8_t *more = realloc(data, capacity *= 2);
            if (!more)
                free(data);
            data = more;
            continue;
        }
        size_t room = capacity - n < max_bytes - n ? capacity - n : max_bytes - n;
        la_ssize_t got = archive_read_data(zip, data + n, room);
        if (got < 0) {
            const char *why = archive_error_string(zip);
            free(data);
            return df_fail(err, DF_FORMAT, "%s: %s", path, why ? why : "broken zip");
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (!data)
        return df_no_memory(err, "read %s", path);
    *bytes = data;
    *size = n;
    return DF_OK;
}

df_status df_zip_read(const char *path, const char *name, size_t max_bytes, uint8_t **bytes,
                      size_t *size, df_error *err)
{
    struct archive_entry *entry;
    DF_TRY(df_file_check(path, err));
    struct archive *zip = archive_read_new();
    if (!zip)
        return df_no_memory(err, "open %s", path);
    archive_read_support_format_zip(zip);
    int code = archive_read_open_filename(zip, path, BLOCK);
    while (code == ARCHIVE_OK && (code = archive_read_next_header(zip, &entry)) == ARCHIVE_OK) {
        const char *here = archive_entry_pathname(entry);
        if (here && strcmp(here, name) == 0)
            break;
    }
    df_status status;
    if (code == ARCHIVE_OK) {
        status = read_member(zip, path, max_bytes, bytes, size, err);
    } else {
        const char *why = archive_error_string(zip);
        status = code == ARCHIVE_EOF
                     ? df_fail(err, DF_FORMAT, "%s: there is no %s in it", path, name)
                     : df_fail(err, DF_FORMAT, "%s: %s", path, why ? why : "not a zip archive");
    }
    archive_read_free(zip);
    return status;
}

/* ---- a member of any archive ---- */

/* Copies a member of an archive to a file; more than max_bytes is an error. */
static df_status copy_member(struct archive *from, const char *path, FILE *to, int64_t max_bytes,
                             df_error *err)
{
    char block[BLOCK];
    la_ssize_t got;
    for (int64_t left = max_bytes; (got = archive_read_data(from, block, sizeof block)) > 0;
         left -= got) {
        if (got > left)
            return df_fail(err, DF_FORMAT, "%s: the file in it is above %lld bytes", path,
                           (long long)max_bytes);
        if (fwrite(block, 1, (size_t)got, to) != (size_t)got)
            return df_fail(err, DF_IO, "%s: the file in it cannot be written: %s", path,
                           strerror(errno));
    }
    const char *why = got < 0 ? archive_error_string(from) : NULL;
    return got == 0 ? DF_OK : df_fail(err, DF_FORMAT, "%s: %s", path, why ? why : "broken archive");
}

df_status df_archive_copy(const char *path, const char *name, FILE *to, int64_t max_bytes,
                          df_error *err)
{
    struct archive_entry *entry = NULL;
    DF_TRY(df_file_check(path, err));
    struct archive *from = archive_read_new();
    if (!from)
        return df_no_memory(err, "open %s", path);
    archive_read_support_format_zip(from);
    archive_read_support_format_tar(from);
    archive_read_support_filter_gzip(from);
    int code = archive_read_open_filename(from, path, BLOCK);
    while (code == ARCHIVE_OK && (code = archive_read_next_header(from, &entry)) == ARCHIVE_OK) {
        const char *here = archive_entry_pathname(entry);
        if (here && strcmp(here, name) == 0)
            break;
    }
    df_status status;
    if (code == ARCHIVE_EOF)
        status = df_fail(err, DF_FORMAT, "%s: there is no %s in it", path, name);
    else if (code != ARCHIVE_OK)
        status = df_fail(err, DF_FORMAT, "%s: %s", path,
                         archive_error_string(from) ? archive_error_string(from) : "no archive");
    else if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
        status = df_fail(err, DF_FORMAT, "%s: %s in it is no plain file", path, name);
    else
        status = copy_member(from, path, to, max_bytes, err);
    archive_read_free(from);
    return status;
}

/* ---- by name ---- */

df_status df_tar_find(const char *path, const char *name, int64_t *offset, int64_t *size,
                      df_error *err)
{
    df_tar *tar = NULL;
    df_tar_member member;
    bool more = false;
    DF_TRY(df_tar_open(&tar, path, err));
    df_status status;
    while ((status = df_tar_next(tar, &member, &more, err)) == DF_OK && more)
        if (!member.refused && strcmp(member.name, name) == 0)
            break;
    if (status == DF_OK && !more)
        status = df_fail(err, DF_FORMAT, "%s: no member %.200s", path, name);
    if (status == DF_OK) {
        *offset = member.offset;
        *size = member.size;
    }
    df_tar_close(tar);
    return status;
}
