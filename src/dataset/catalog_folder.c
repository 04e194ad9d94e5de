/* A folder as input: loose files first, in byte order of their paths, then its tars. Links that leave the folder, links
 * to folders and special files are refused, hidden names are passed over; each is told. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/catalog_kinds.h"
#include "image/image.h"

enum { SNIFF_BYTES = 32 };

typedef struct {
    df_catalog *catalog;
    df_arena *arena;
    df_found_list found;
    df_found_list folders;                   /* still to be walked, by name */
    df_found_list tars;
} walk;

/* A file whose name says nothing may still be an image: hash-named files are common. */
static bool holds_image(const char *root, const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    int64_t whole;
    df_status status =
        df_source_piece(root, (df_piece){path, DF_WHOLE_FILE, 0}, SNIFF_BYTES, &bytes, &size, &whole, NULL);
    bool yes = status == DF_OK && df_image_sniff(bytes, size) != DF_FORMAT_UNKNOWN;
    free(bytes);
    return yes;
}

/* Why a link is not followed; NULL when it leads to a file of the input, whose state is then in *st. */
static const char *refuse_link(const df_catalog *c, const char *path, struct stat *st)
{
    int fd = -1;
    df_error why;
    df_status status = df_source_open(c->root, path, &fd, &why);
    if (status == DF_OK && fstat(fd, st) != 0)
        status = DF_IO;
    if (fd >= 0)
        close(fd);
    if (status == DF_OK)
        return NULL;
    return status == DF_IO                  ? "broken link"
           : strstr(why.message, "outside") ? "link that leaves the input"
                                            : "link to a folder or special file";
}

static df_status add_file(walk *w, const char *path, const struct stat *st, df_error *err)
{
    df_catalog *c = w->catalog;
    df_found item = {.name = path, .kind = df_name_kind_of(path), .offset = DF_WHOLE_FILE, .size = (int64_t)st->st_size,
                     .changed_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
    switch (item.kind) {
    case DF_NAME_TAR: return df_found_add(&w->tars, item, err);
    case DF_NAME_PACKED: return df_catalog_skip(c, path, "packed archive: unpack it first", err);
    case DF_NAME_LIST: return df_catalog_skip(c, path, "a table: give it as the input to use it", err);
    case DF_NAME_OTHER:
        if (!holds_image(c->root, path))
            return df_catalog_skip(c, path, "unsupported type", err);
        item.kind = DF_NAME_IMAGE;
        break;
    case DF_NAME_IMAGE: case DF_NAME_TEXT: case DF_NAME_JSON: break;
    }
    return df_found_add(&w->found, item, err);
}

static bool is_own_folder(const df_catalog *c, const char *path)
{
    size_t n = strlen(c->root);
    return c->own_folder && strncmp(c->own_folder, c->root, n) == 0 && c->own_folder[n] == '/' &&
           strcmp(c->own_folder + n + 1, path) == 0;
}

/* Pictures of its page are no new images. */
static bool holds_dataset(int folder, const char *name)
{
    static const char *const files[] = {"dataset.json", "dataset.files"};
    char path[NAME_MAX + 32];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", name, files[i]);
        if (faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            return false;
    }
    return true;
}

static df_status add_entry(walk *w, int folder, const char *prefix, const char *name, df_error *err)
{
    df_catalog *c = w->catalog;
    struct stat st;
    const char *path = df_arena_printf(w->arena, "%s%s%s", prefix, prefix[0] ? "/" : "", name);
    if (!path)
        return df_fail(err, DF_NOMEM, "list the input: out of memory");
    bool seen = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    bool is_folder = seen && S_ISDIR(st.st_mode);
    if (is_folder && is_own_folder(c, path))
        return DF_OK;
    if (is_folder && holds_dataset(folder, name)) {
        c->n_found++;
        return df_catalog_skip(c, path, "a dataset of densefusion", err);
    }
    if (is_folder && name[0] != '.' && df_str_is_plain(name, strlen(name)))
        return df_found_add(&w->folders, (df_found){.name = path}, err);

    const char *why = NULL;
    c->n_found++;
    if (!seen)
        why = "vanished while the input was listed";
    else if (!df_str_is_plain(name, strlen(name)))
        why = "name is not plain UTF-8 text";
    else if (name[0] == '.')
        why = "hidden";
    else if (S_ISLNK(st.st_mode))
        why = refuse_link(c, path, &st);
    else if (!S_ISREG(st.st_mode))
        why = "not a regular file";
    if (!why && S_ISREG(st.st_mode) && df_name_kind_of(path) == DF_NAME_TAR)
        c->n_found--;                        /* its members are counted instead */
    return why ? df_catalog_skip(c, path, why, err) : add_file(w, path, &st, err);
}

static df_status walk_folder(walk *w, const char *prefix, df_error *err)
{
    char path[PATH_MAX];
    df_catalog *c = w->catalog;
    bool fits = (size_t)snprintf(path, sizeof path, "%s/%s", c->root, prefix) < sizeof path;
    int fd = fits ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (prefix[0] ? O_NOFOLLOW : 0)) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        const char *why = fits ? strerror(errno) : "path is too long";
        if (fd >= 0)
            close(fd);
        if (!prefix[0])
            return df_fail(err, DF_IO, "open %s: %s", c->root, why);
        char reason[128];
        snprintf(reason, sizeof reason, "folder cannot be read: %s", why);
        c->n_found++;
        return df_catalog_skip(c, prefix, reason, err);
    }
    df_status status = DF_OK;
    for (const struct dirent *e; status == DF_OK && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            status = add_entry(w, fd, prefix, e->d_name, err);
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

static df_status list_folder(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n, df_error *err)
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

df_status df_catalog_next_folder(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n, bool *more,
                                 df_error *err)
{
    if (c->listed)
        return df_catalog_next_tar(c, arena, inputs, n, more, err);
    c->listed = *more = true;
    return list_folder(c, arena, inputs, n, err);
}
