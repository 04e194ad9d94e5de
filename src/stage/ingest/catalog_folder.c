/* A folder as input: loose files first, in byte order of their paths, then its tars. Links that
 * leave the folder, links to folders and special files are refused, hidden names are passed over;
 * each is told. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/retry.h"
#include "image/image.h"
#include "stage/ingest/catalog_kinds.h"

enum { SNIFF_BYTES = 32 };

typedef struct {
    df_catalog *catalog;
    df_arena *arena;
    df_found_list found;
    df_found_list folders;                   /* still to be walked, by name */
    df_found_list tars;
} walk;

/* A file whose name says nothing may still be an image: hash-named files are common. */
static df_status sniff_file(const char *root, const char *path, bool *is_image, df_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    int64_t whole;
    df_status status = df_source_piece(root, (df_piece){path, DF_WHOLE_FILE, 0}, SNIFF_BYTES,
                                       &bytes, &size, &whole, err);
    *is_image = status == DF_OK && df_image_sniff(bytes, size) != DF_FORMAT_UNKNOWN;
    free(bytes);
    return df_is_of_one_image(status) ? DF_OK : status;
}

/* *why: the reason why a link is not followed; NULL when it leads to a file of the input, its state
 * is then in *st. */
static df_status refuse_link(const df_catalog *c, const char *path, struct stat *st,
                             const char **why, df_error *err)
{
    int fd = -1;
    df_error words = {""};
    df_status status = df_source_open(c->root, path, &fd, &words);
    if (status == DF_OK && fstat(fd, st) != 0)
        status = df_fail(&words, DF_IO, "open %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (status != DF_OK && !df_is_of_one_image(status))
        return df_fail(err, status, "%s", words.message);
    *why = status == DF_OK                    ? NULL
           : status == DF_MISSING             ? "broken link"
           : strstr(words.message, "outside") ? "link that leaves the input"
                                              : "link to a folder or special file";
    return DF_OK;
}

/* Notes a file by its kind; a name that says nothing is judged by its first bytes. */
static df_status add_file(walk *w, const char *path, const struct stat *st, df_error *err)
{
    df_catalog *c = w->catalog;
    bool is_image;
    df_found item = {.name = path,
                     .kind = df_name_kind_of(path),
                     .offset = DF_WHOLE_FILE,
                     .size = (int64_t)st->st_size,
                     .changed_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
    switch (item.kind) {
    case DF_NAME_TAR:
        return df_found_add(&w->tars, item, err);
    case DF_NAME_PACKED:
        return df_catalog_skip(c, path, "packed archive: unpack it first", err);
    case DF_NAME_LIST:
        return df_catalog_skip(c, path, "a table: give it as the input to use it", err);
    case DF_NAME_OTHER:
        DF_TRY(sniff_file(c->root, path, &is_image, err));
        if (!is_image)
            return df_catalog_skip(c, path, "unsupported type", err);
        item.kind = DF_NAME_IMAGE;
        break;
    case DF_NAME_IMAGE:
    case DF_NAME_TEXT:
    case DF_NAME_JSON:
        break;
    }
    return df_found_add(&w->found, item, err);
}

static bool is_own_folder(const df_catalog *c, const char *path)
{
    size_t n = strlen(c->root);
    return c->own_folder && strncmp(c->own_folder, c->root, n) == 0 && c->own_folder[n] == '/' &&
           strcmp(c->own_folder + n + 1, path) == 0;
}

/* *seen: it is there. */
static df_status look_at_entry(int folder, const char *path, const char *name, struct stat *st,
                               bool *seen, df_error *err)
{
    int tries = 0;
    while (!(*seen = fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) == 0)) {
        int code = errno;
        if (df_errno_stays(code))
            return DF_OK;
        if (!df_retry(code, &tries))
            return df_fail(err, DF_IO, "look at %s: %s: see that the input is there, and run again",
                           path, strerror(code));
    }
    return DF_OK;
}

/* Pictures of a dataset's page are no new images. */
static df_status look_for_dataset(int folder, const char *path, const char *name, bool *found,
                                  df_error *err)
{
    static const char *const files[] = {"dataset.json", "dataset.files"};
    char inside[NAME_MAX + 32];
    struct stat st;
    *found = true;
    for (int i = 0; i < 2 && *found; i++) {
        snprintf(inside, sizeof inside, "%s/%s", name, files[i]);
        DF_TRY(look_at_entry(folder, path, inside, &st, found, err));
    }
    return DF_OK;
}

static df_status add_subfolder(walk *w, int folder, const char *path, const char *name,
                               df_error *err)
{
    df_catalog *c = w->catalog;
    bool is_dataset;
    if (is_own_folder(c, path))
        return DF_OK;
    DF_TRY(look_for_dataset(folder, path, name, &is_dataset, err));
    if (!is_dataset)
        return df_found_add(&w->folders, (df_found){.name = path}, err);
    c->n_found++;
    return df_catalog_skip(c, path, "a dataset of densefusion", err);
}

/* Notes an entry of a folder: a folder to be walked, a file, or something that is passed over
 * with its reason. */
static df_status add_entry(walk *w, int folder, const char *prefix, const char *name, df_error *err)
{
    df_catalog *c = w->catalog;
    struct stat st;
    const char *path = df_arena_printf(w->arena, "%s%s%s", prefix, prefix[0] ? "/" : "", name);
    if (!path)
        return df_no_memory(err, "list the input");
    bool seen;
    DF_TRY(look_at_entry(folder, path, name, &st, &seen, err));
    if (seen && S_ISDIR(st.st_mode) && name[0] != '.' && df_str_is_plain(name, strlen(name)))
        return add_subfolder(w, folder, path, name, err);

    const char *why = NULL;
    c->n_found++;
    if (!seen)
        why = "vanished while the input was listed";
    else if (!df_str_is_plain(name, strlen(name)))
        why = "name is not plain UTF-8 text";
    else if (name[0] == '.')
        why = "hidden";
    else if (S_ISLNK(st.st_mode))
        DF_TRY(refuse_link(c, path, &st, &why, err));
    else if (!S_ISREG(st.st_mode))
        why = "not a regular file";
    if (!why && S_ISREG(st.st_mode) && df_name_kind_of(path) == DF_NAME_TAR)
        c->n_found--; /* its members are counted instead */
    return why ? df_catalog_skip(c, path, why, err) : add_file(w, path, &st, err);
}

static int open_folder(const char *path, bool follow, DIR **dir)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    *dir = fd >= 0 ? fdopendir(fd) : NULL;
    int code = *dir ? 0 : errno;
    if (!*dir && fd >= 0)
        close(fd);
    return code;
}

static df_status list_entries(walk *w, DIR *dir, const char *path, const char *prefix,
                              df_error *err)
{
    const struct dirent *e;
    while (errno = 0, (e = readdir(dir)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            DF_TRY(add_entry(w, dirfd(dir), prefix, e->d_name, err));
    return errno ? df_fail(err, DF_IO, "list %s: %s: see that the input is there, and run again",
                           path, strerror(errno))
                 : DF_OK;
}

static df_status skip_folder(df_catalog *c, const char *prefix, const char *why, df_error *err)
{
    char reason[128];
    snprintf(reason, sizeof reason, "folder cannot be read: %s", why);
    c->n_found++;
    return df_catalog_skip(c, prefix, reason, err);
}

/* A folder below the root that may not be read, or went, is skipped. */
static df_status walk_folder(walk *w, const char *prefix, df_error *err)
{
    char path[PATH_MAX];
    df_catalog *c = w->catalog;
    DIR *dir;
    int code, tries = 0;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", c->root, prefix) >= sizeof path)
        return skip_folder(c, prefix, "path is too long", err);
    while ((code = open_folder(path, !prefix[0], &dir)) != 0 && df_retry(code, &tries))
        ;
    if (code != 0 && prefix[0] && df_errno_stays(code))
        return skip_folder(c, prefix, strerror(code), err);
    if (code != 0)
        return df_fail(err, DF_IO, "open %s: %s: see that the input is there, and run again", path,
                       strerror(code));
    df_status status = list_entries(w, dir, path, prefix, err);
    closedir(dir);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const df_found *)a)->name, ((const df_found *)b)->name);
}

static void sort(df_found_list *list)
{
    if (list->n > 1)
        qsort(list->items, (size_t)list->n, sizeof *list->items, by_name);
}

/* Walks the whole folder and pairs images with their sidecars; tars are noted for later. */
static df_status list_folder(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n,
                             df_error *err)
{
    walk w = {.catalog = c, .arena = arena};
    df_status status = walk_folder(&w, "", err);
    while (status == DF_OK && w.folders.n > 0)
        status = walk_folder(&w, w.folders.items[--w.folders.n].name, err);
    sort(&w.found);
    sort(&w.tars);
    if (status == DF_OK)
        status = df_catalog_pair(c, &w.found, NULL, arena, inputs, n, err);
    for (int64_t i = 0; status == DF_OK && i < w.tars.n; i++)
        status = df_catalog_add_shard(c, w.tars.items[i].name, err);
    free(w.found.items);
    free(w.folders.items);
    free(w.tars.items);
    return status;
}

df_status df_catalog_next_folder(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n,
                                 bool *more, df_error *err)
{
    if (c->listed)
        return df_catalog_next_tar(c, arena, inputs, n, more, err);
    c->listed = *more = true;
    return list_folder(c, arena, inputs, n, err);
}
