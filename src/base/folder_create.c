/* Checks what the user names as an output folder, before anything is written, and makes it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/folder_state.h"
#include "base/str.h"

/* Refuses paths that a shell or another program would have understood differently: nobody wants a
 * folder of exactly that name. */
static df_status check_words(const char *path, df_error *err)
{
    size_t scheme =
        strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    if (!*path)
        return df_fail(err, DF_CONFIG, "the output folder has no name");
    if (!df_str_is_plain(path, strlen(path)))
        return df_fail(err, DF_CONFIG,
                       "%s: a folder's name must be UTF-8 text without control characters", path);
    if (scheme > 1 && strncmp(path + scheme, "://", 3) == 0)
        return df_fail(err, DF_CONFIG, "%s: the output is a local folder, not an address", path);
    if (path[0] == '~')
        return df_fail(
            err, DF_CONFIG,
            "%s: the shell did not expand ~; write the path in full, or ./%s for that name", path,
            path);
    if (path[0] == '-')
        return df_fail(err, DF_CONFIG,
                       "%s: looks like an option; write ./%s for a folder of that name", path,
                       path);
    return DF_OK;
}

/* Makes the folder, but no parent of it: a disk that is not mounted must not be replaced by a
 * folder. */
static df_status make_folder(const char *path, bool *made, df_error *err)
{
    char parent[PATH_MAX];
    *made = mkdir(path, 0777) == 0;
    if (*made || errno == EEXIST)
        return DF_OK;
    if (errno != ENOENT)
        return df_fail(err, DF_IO, "make folder %s: %s", path, strerror(errno));
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    snprintf(parent, sizeof parent, "%.*s", (int)n, path);
    return df_fail(
        err, DF_CONFIG,
        "make folder %s: there is no folder %s; make it first, or see that its disk is mounted",
        path, *parent ? parent : path);
}

/* Entries that an empty folder may have: a new file system has lost+found. */
static bool is_nothing(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0;
}

/* Refuses a folder that holds anything, with words for an older dataset. */
static df_status check_empty(int root, const char *path, const char *kind, df_error *err)
{
    char older[64];
    struct stat st;
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        return df_fail(err, DF_IO, "open %s: %s", path, strerror(reason));
    }
    const struct dirent *e;
    errno = 0;
    while ((e = readdir(dir)) && is_nothing(e->d_name))
        errno = 0;
    int reason = errno;
    closedir(dir);
    if (!e)
        return reason ? df_fail(err, DF_IO, "read %s: %s", path, strerror(reason)) : DF_OK;
    snprintf(older, sizeof older, "%s.json", kind);
    if (fstatat(root, older, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return df_fail(
            err, DF_CONFIG,
            "%s: there is a %s without the list of its files, %s.files: an older version made "
            "it, or it was copied in part; nothing was changed, give another folder",
            path, older, kind);
    return df_fail(
        err, DF_CONFIG,
        "%s: the folder is not empty and is no %s of densefusion; nothing was changed, give a "
        "new or an empty folder",
        path, strcmp(kind, "dataset") == 0 ? "dataset" : "folder of batch files");
}

/* Begins the list of files, by which the folder is known as ours from now on. */
static df_status begin_list(const df_folder *f, df_error *err)
{
    static const char heading[] = DF_FOLDER_HEADING;
    const ssize_t n = sizeof heading - 1;
    char name[64];
    snprintf(name, sizeof name, "%s.files", f->kind);
    int fd = openat(f->root, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno == EEXIST
                   ? DF_OK
                   : df_fail(err, DF_IO, "make %s/%s: %s", f->path, name, strerror(errno));
    bool written = write(fd, heading, (size_t)n) == n && fsync(fd) == 0;
    int reason = errno;
    close(fd);
    if (written && fsync(f->root) == 0)
        return DF_OK;
    unlinkat(f->root, name, 0);
    return df_fail(err, DF_IO, "make %s/%s: %s", f->path, name, strerror(written ? errno : reason));
}

static df_status take_over(df_folder *f, df_error *err)
{
    bool ours;
    DF_TRY(df_folder_has_list(f->root, f->path, f->kind, &ours, err));
    if (ours)
        return DF_OK;
    DF_TRY(check_empty(f->root, f->path, f->kind, err));
    return begin_list(f, err);
}

df_status df_folder_create(df_folder **out, const char *path, const char *kind, df_error *err)
{
    df_folder *f = NULL;
    bool made;
    DF_TRY(check_words(path, err));
    DF_TRY(make_folder(path, &made, err));
    df_status status = df_folder_open(&f, path, kind, err);
    if (status == DF_OK)
        status = take_over(f, err);
    if (status == DF_OK) {
        *out = f;
        return DF_OK;
    }
    df_folder_close(f);
    if (made)
        rmdir(path);
    return status;
}
