/* Opens our folders, keeps the list of our files, and deletes only those. */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder_state.h"

/* ---- opening ---- */

df_status df_folder_has_list(int root, const char *path, const char *kind, bool *has, df_error *err)
{
    char name[64];
    struct stat st;
    snprintf(name, sizeof name, "%s.files", kind);
    *has = fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*has && errno != ENOENT)
        return df_fail(err, DF_IO, "%s/%s: %s", path, name, strerror(errno));
    if (*has && !S_ISREG(st.st_mode))
        return df_fail(err, DF_CONFIG, "%s/%s: not a regular file; give another folder", path,
                       name);
    return DF_OK;
}

df_status df_folder_is_ours(const char *path, const char *kind, bool *is_ours, df_error *err)
{
    *is_ours = false;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? DF_OK
                   : df_fail(err, DF_IO, "open %s: %s", path, strerror(errno));
    df_status status = df_folder_has_list(fd, path, kind, is_ours, err);
    close(fd);
    return status;
}

df_status df_folder_open(df_folder **out, const char *path, const char *kind, df_error *err)
{
    df_folder *f = calloc(1, sizeof *f);
    if (!f)
        return df_no_memory(err, "open %s", path);
    *f = (df_folder){.kind = kind, .path = strdup(path), .root = -1, .lock = -1, .scratch = -1};
    pthread_mutex_init(&f->mutex, NULL);
    df_status status = DF_OK;
    if (!f->path)
        status = df_no_memory(err, "open %s", path);
    else if ((f->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        status = df_fail(err, errno == ENOTDIR ? DF_CONFIG : DF_IO, "%s: %s", path,
                         errno == ENOTDIR ? "a file, not a folder" : strerror(errno));
    if (status == DF_OK)
        *out = f;
    else
        df_folder_close(f);
    return status;
}

const char *df_folder_path(const df_folder *f)
{
    return f->path;
}

/* ---- files below, without following links ---- */

df_status df_folder_failed(const df_folder *f, const char *what, const char *name, df_error *err)
{
    if (errno == ELOOP || errno == ENOTDIR)
        return df_fail(
            err, DF_CONFIG,
            "%s %s/%.300s: a link or a file is in the way of a folder; move it away: nothing is "
            "written or deleted through a link",
            what, f->path, name);
    return df_fail(err, DF_IO, "%s %s/%.300s: %s", what, f->path, name, strerror(errno));
}

df_status df_folder_open_parent(const df_folder *f, const char *name, bool make, int *fd,
                                const char **base, df_error *err)
{
    char step[NAME_MAX + 1];
    int at = fcntl(f->root, F_DUPFD_CLOEXEC, 0);
    if (at < 0)
        return df_fail(err, DF_IO, "open %s: %s", f->path, strerror(errno));
    for (const char *slash; (slash = strchr(name, '/')); name = slash + 1) {
        snprintf(step, sizeof step, "%.*s", (int)(slash - name), name);
        if (make && mkdirat(at, step, 0777) == 0)
            fsync(at);
        int next = openat(at, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int reason = errno;
        close(at);
        at = next;
        errno = reason;
        if (at < 0 && reason == ENOENT && !make)
            break;
        if (at < 0)
            return df_folder_failed(f, "open", step, err);
    }
    *fd = at;
    *base = name;
    return DF_OK;
}

/* ---- which files are ours ---- */

static void list_path(const df_folder *f, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s.files", f->path, f->kind);
}

df_status df_folder_read_list(df_folder *f, df_error *err)
{
    char path[PATH_MAX];
    list_path(f, path);
    if (f->has_list)
        return df_owned_refresh(&f->owned, path, err);
    const char *name = strrchr(path, '/') + 1;
    int fd = openat(f->root, name, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == EROFS || errno == EACCES)) /* a dataset that we may only read */
        fd = openat(f->root, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return df_fail(err, DF_IO, "open %s: %s", path, strerror(errno));
    DF_TRY(df_owned_init(&f->owned, fd, path, err));
    f->has_list = true;
    return DF_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lists the names of our files with a prefix, sorted. The mutex is held. */
static df_status list_names(df_folder *f, const char *prefix, const char ***names, size_t *n,
                            df_error *err)
{
    DF_TRY(df_folder_read_list(f, err));
    const df_map *index = &f->owned.index;
    const char **found = malloc((f->owned.n + 1) * sizeof *found);
    if (!found)
        return df_no_memory(err, "%s", f->path);
    *n = 0;
    for (size_t i = 0; i < index->capacity; i++) {
        const df_map_slot *slot = &index->slots[i];
        if (slot->key && f->owned.ours[slot->value] &&
            strncmp(slot->key, prefix, strlen(prefix)) == 0)
            found[(*n)++] = slot->key;
    }
    if (*n > 1)
        qsort(found, *n, sizeof *found, by_text);
    *names = found;
    return DF_OK;
}

df_status df_folder_list(df_folder *f, const char *prefix, const char ***names, size_t *n,
                         df_error *err)
{
    pthread_mutex_lock(&f->mutex);
    df_status status = list_names(f, prefix, names, n, err);
    pthread_mutex_unlock(&f->mutex);
    return status;
}

/* Checks that the name is ours or free. The list is read again, since another process may have
 * claimed the name. */
df_status df_folder_check_free(df_folder *f, int parent, const char *base, const char *name,
                               df_error *err)
{
    struct stat st;
    if (f->has_list && df_owned_has(&f->owned, name))
        return DF_OK;
    DF_TRY(df_folder_read_list(f, err));
    if (df_owned_has(&f->owned, name))
        return DF_OK;
    if (parent < 0 || fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return parent < 0 || errno == ENOENT ? DF_OK : df_folder_failed(f, "write", name, err);
    return df_fail(err, DF_CONFIG,
                   "%s/%s: densefusion did not make this %s and does not replace it; move it away",
                   f->path, name,
                   S_ISLNK(st.st_mode)   ? "link"
                   : S_ISDIR(st.st_mode) ? "folder"
                                         : "file");
}

df_status df_folder_claim(df_folder *f, int parent, const char *base, const char *name,
                          df_error *err)
{
    char path[PATH_MAX];
    DF_TRY(df_folder_check_free(f, parent, base, name, err));
    list_path(f, path);
    return df_owned_has(&f->owned, name) ? DF_OK : df_owned_note(&f->owned, name, true, path, err);
}

void df_folder_close(df_folder *f)
{
    if (!f)
        return;
    if (f->scratch >= 0) {
        df_folder_remove_scratch(f, f->id);
        close(f->scratch);
    }
    if (f->lock >= 0)
        close(f->lock);
    if (f->has_list)
        df_owned_free(&f->owned);
    if (f->root >= 0)
        close(f->root);
    pthread_mutex_destroy(&f->mutex);
    free(f->path);
    free(f);
}

void df_folder_dissolve(df_folder *f)
{
    static const char *const last[] = {"files", "lock"};
    char name[64], path[PATH_MAX];
    if (!f)
        return;
    snprintf(path, sizeof path, "%s", f->path);
    if (f->scratch >= 0)
        df_folder_remove_scratch(f, f->id);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s.%s", f->kind, last[i]);
        unlinkat(f->root, name, 0);
    }
    df_folder_close(f);
    rmdir(path);
}

static df_status open_regular(const df_folder *f, int parent, const char *base, const char *name,
                              int flags, int *fd, df_error *err)
{
    struct stat st;
    *fd = openat(parent, base, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return df_folder_failed(f, "open", name, err);
    return S_ISREG(st.st_mode)
               ? DF_OK
               : df_fail(err, DF_CONFIG, "%s/%s: not a regular file", f->path, name);
}

df_status df_folder_open_file(df_folder *f, const char *name, int flags, int *fd, df_error *err)
{
    int parent;
    const char *base;
    DF_TRY(df_folder_open_parent(f, name, true, &parent, &base, err));
    pthread_mutex_lock(&f->mutex);
    df_status status = df_folder_claim(f, parent, base, name, err);
    pthread_mutex_unlock(&f->mutex);
    int file = -1;
    if (status == DF_OK)
        status = open_regular(f, parent, base, name, flags, &file, err);
    /* EINVAL: a file system that cannot sync folders */
    if (status == DF_OK && fsync(parent) != 0 && errno != EINVAL)
        status = df_folder_failed(f, "write", name, err);
    close(parent);
    if (status == DF_OK)
        *fd = file;
    else if (file >= 0)
        close(file);
    return status;
}

/* ---- deleting ---- */

static df_status remove_at(df_folder *f, int parent, const char *base, const char *name,
                           df_error *err)
{
    char path[PATH_MAX];
    if (!df_owned_has(&f->owned, name))
        return DF_OK;
    if (unlinkat(parent, base, 0) != 0 && errno != ENOENT)
        return df_folder_failed(f, "delete", name, err);
    list_path(f, path);
    return df_owned_note(&f->owned, name, false, path, err);
}

df_status df_folder_remove(df_folder *f, const char *name, df_error *err)
{
    int parent;
    const char *base;
    DF_TRY(df_folder_open_parent(f, name, false, &parent, &base, err));
    if (parent < 0)
        return DF_OK;
    pthread_mutex_lock(&f->mutex);
    df_status status = df_folder_read_list(f, err);
    if (status == DF_OK)
        status = remove_at(f, parent, base, name, err);
    pthread_mutex_unlock(&f->mutex);
    close(parent);
    return status;
}

df_status df_folder_remove_chosen(df_folder *f, const char *sub, df_folder_chosen *chosen,
                                  const void *ctx, df_error *err)
{
    char prefix[PATH_MAX];
    const char **names;
    size_t n, length = (size_t)snprintf(prefix, sizeof prefix, "%s/", sub);
    if (length >= sizeof prefix)
        return df_fail(err, DF_IO, "%.200s: path is too long", sub);
    DF_TRY(df_folder_list(f, prefix, &names, &n, err));
    df_status status = DF_OK;
    for (size_t i = 0; status == DF_OK && i < n; i++)
        if (!strchr(names[i] + length, '/') && chosen(names[i] + length, ctx))
            status = df_folder_remove(f, names[i], err);
    free(names);
    return status;
}

void df_folder_remove_empty(df_folder *f, const char *sub)
{
    int parent;
    const char *base;
    if (df_folder_open_parent(f, sub, false, &parent, &base, NULL) != DF_OK || parent < 0)
        return;
    unlinkat(parent, base, AT_REMOVEDIR);
    close(parent);
}
