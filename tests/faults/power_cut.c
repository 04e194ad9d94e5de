/* A power cut, for a program that is started with LD_PRELOAD=power_cut.so: the program is killed
 * before its n-th call that changes the disk, and what was not synced is lost.
 *
 *     CUT_BELOW   a folder; calls about files elsewhere do not count
 *     CUT_AT      before which call, from 1; 0: never
 *     CUT_LOSE    data: what was written to a file since its last sync; names: also what was made,
 *                 renamed and removed in a folder since that folder's last sync
 *     CUT_SHADOW  an empty folder of the same file system: files as they are on the disk
 *     CUT_COUNT   a file, for the number of calls
 *
 * One lock is held around every call: the order of the calls is the order on the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 20000 };

typedef struct {
    ino_t inode;
    bool dirty;                              /* written since its copy in the shadow was made */
} written;

typedef enum { MADE, MADE_FOLDER, RENAMED, REMOVED } change_kind;
typedef struct {
    change_kind what;
    char *path, *from;
    bool replaced, synced;                   /* replaced: what was there is in the shadow */
} change;

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static __thread int depth;                   /* our own calls are not looked at */
static const char *below, *shadow;
static long cut_at, n_calls;
static written files[MANY];
static change changes[MANY];
static int n_files, n_changes;

__attribute__((constructor)) static void begin(void)
{
    below = getenv("CUT_BELOW");
    shadow = getenv("CUT_SHADOW");
    cut_at = getenv("CUT_AT") ? strtol(getenv("CUT_AT"), NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
    depth++;
    FILE *file = getenv("CUT_COUNT") ? fopen(getenv("CUT_COUNT"), "w") : NULL;
    if (file) {
        fprintf(file, "%ld", n_calls);
        fclose(file);
    }
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    dprintf(2, "power_cut: %s: %s\n", what, strerror(errno));
    _exit(99);
}

/* ---- paths ---- */

static bool path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = fd < 0 ? -1 : readlink(link, path, PATH_MAX - 1);
    path[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The whole path, when it is below the folder. */
static bool path_at(int folder, const char *name, char path[PATH_MAX])
{
    const size_t n = below ? strlen(below) : 0;
    char top[PATH_MAX];
    if (!below || depth || !name)
        return false;
    if (name[0] == '/')
        snprintf(path, PATH_MAX, "%s", name);
    else if (!path_of(folder, top) || snprintf(path, PATH_MAX, "%s/%s", top, name) >= PATH_MAX)
        return false;
    return strncmp(path, below, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_watched(int fd)
{
    char path[PATH_MAX], same[PATH_MAX];
    return !depth && path_of(fd, path) && path_at(AT_FDCWD, path, same);
}

/* ---- what is on the disk ---- */

static void shadow_path(const char *kind, long n, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s-%ld", shadow, kind, n);
}

static void copy(const char *from, const char *to)
{
    char bytes[1 << 16];
    const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    must(in >= 0 && out >= 0, from);
    for (ssize_t n; (n = read(in, bytes, sizeof bytes)) != 0;)
        must(n > 0 && write(out, bytes, (size_t)n) == n, to);
    close(in);
    close(out);
}

static written *find(ino_t inode, bool make)
{
    for (int i = 0; i < n_files; i++)
        if (files[i].inode == inode)
            return &files[i];
    if (!make)
        return NULL;
    must(n_files < MANY, "too many files");
    files[n_files] = (written){.inode = inode};
    return &files[n_files++];
}

/* The file is on the disk as it is now. */
static void keep(const char *path)
{
    char to[PATH_MAX];
    struct stat st;
    must(stat(path, &st) == 0, path);
    shadow_path("data", (long)st.st_ino, to);
    copy(path, to);
    find(st.st_ino, true)->dirty = false;
}

static void will_write(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    if (!find(st.st_ino, false))
        keep(path);
    find(st.st_ino, true)->dirty = true;
}

static void will_write_to(int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    will_write(path);
}

/* A file that was just made has nothing on the disk. */
static void made_file(int fd)
{
    char path[PATH_MAX];
    struct stat st;
    must(fstat(fd, &st) == 0, "fstat");
    shadow_path("data", (long)st.st_ino, path);
    const int empty = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    must(empty >= 0, path);
    close(empty);
    find(st.st_ino, true)->dirty = true;
}

/* ---- names ---- */

static change *note(change_kind what, const char *path, const char *from)
{
    must(n_changes < MANY, "too many changes");
    change *c = &changes[n_changes++];
    *c = (change){.what = what, .path = strdup(path), .from = from ? strdup(from) : NULL};
    return c;
}

static bool keep_name(const char *path)
{
    char to[PATH_MAX];
    shadow_path("name", n_changes, to);
    return link(path, to) == 0;
}

static bool is_in(const char *path, const char *folder)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash && (size_t)(slash - path) == strlen(folder) &&
           strncmp(path, folder, strlen(folder)) == 0;
}

static void synced_folder(const char *folder)
{
    for (int i = 0; i < n_changes; i++)
        if (is_in(changes[i].path, folder) || is_in(changes[i].from, folder))
            changes[i].synced = true;
}

static void undo(int i)
{
    const change *c = &changes[i];
    char old[PATH_MAX];
    shadow_path("name", i, old);
    if (c->what == MADE)
        unlink(c->path);
    else if (c->what == MADE_FOLDER)
        rmdir(c->path);                      /* not one that holds something that is synced */
    else if (c->what == RENAMED && rename(c->path, c->from) != 0)
        return;
    if (c->replaced)
        must(link(old, c->path) == 0, c->path);
}

static int lose_data(const char *path, const struct stat *st, int kind, struct FTW *unused)
{
    char from[PATH_MAX];
    const written *w = kind == FTW_F ? find(st->st_ino, false) : NULL;
    (void)unused;
    if (w && w->dirty) {
        shadow_path("data", (long)st->st_ino, from);
        copy(from, path);
    }
    return 0;
}

/* Before a call that changes the disk. Under the lock. */
static void count(void)
{
    if (++n_calls != cut_at)
        return;
    depth++;
    if (strcmp(getenv("CUT_LOSE"), "names") == 0)
        for (int i = n_changes - 1; i >= 0; i--)
            if (!changes[i].synced)
                undo(i);
    nftw(below, lose_data, 16, FTW_PHYS);
    raise(SIGKILL);
}

#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);
#define BEGIN                                                                                      \
    pthread_mutex_lock(&lock);                                                                     \
    depth++;
#define END                                                                                        \
    const int code = errno;                                                                        \
    depth--;                                                                                       \
    pthread_mutex_unlock(&lock);                                                                   \
    errno = code;

/* ---- the calls ---- */

int openat(int folder, const char *name, int flags, ...)
{
    mode_t mode = 0;
    char path[PATH_MAX];
    REAL(openat)
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (!(flags & (O_CREAT | O_TRUNC)) || !path_at(folder, name, path))
        return real(folder, name, flags, mode);
    BEGIN
    const bool there = access(path, F_OK) == 0;
    if (!there || flags & O_TRUNC)
        count();
    if (there && flags & O_TRUNC)
        will_write(path);
    const int fd = real(folder, name, flags, mode);
    if (fd >= 0 && !there) {
        note(MADE, path, NULL);
        made_file(fd);
    }
    END return fd;
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int folder, const char *name, int flags, ...) __attribute__((alias("openat")));

ssize_t write(int fd, const void *from, size_t n)
{
    REAL(write)
    if (!is_watched(fd))
        return real(fd, from, n);
    BEGIN
    count();
    will_write_to(fd);
    const ssize_t result = real(fd, from, n);
    END return result;
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    REAL(pwrite)
    if (!is_watched(fd))
        return real(fd, from, n, at);
    BEGIN
    count();
    will_write_to(fd);
    const ssize_t result = real(fd, from, n, at);
    END return result;
}

ssize_t pwrite64(int fd, const void *from, size_t n, off_t at) __attribute__((alias("pwrite")));

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate)
    if (!is_watched(fd))
        return real(fd, size);
    BEGIN
    count();
    will_write_to(fd);
    const int result = real(fd, size);
    END return result;
}

int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));

static int sync_with(int (*real)(int), int fd)
{
    char path[PATH_MAX];
    struct stat st;
    if (!is_watched(fd))
        return real(fd);
    BEGIN
    count();
    const int result = real(fd);
    if (result == 0 && fstat(fd, &st) == 0 && path_of(fd, path)) {
        if (S_ISDIR(st.st_mode))
            synced_folder(path);
        else if (S_ISREG(st.st_mode)) {
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            keep(path);
        }
    }
    END return result;
}

int fsync(int fd)
{
    REAL(fsync)
    return sync_with(real, fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync)
    return sync_with(real, fd);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    char path[PATH_MAX], old[PATH_MAX];
    REAL(renameat)
    if (!path_at(to_folder, to, path) || !path_at(from_folder, from, old))
        return real(from_folder, from, to_folder, to);
    BEGIN
    count();
    const bool replaces = keep_name(path);
    const int result = real(from_folder, from, to_folder, to);
    if (result == 0)
        note(RENAMED, path, old)->replaced = replaces;
    END return result;
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int folder, const char *name, int flags)
{
    char path[PATH_MAX];
    REAL(unlinkat)
    if (!path_at(folder, name, path))
        return real(folder, name, flags);
    BEGIN
    count();
    const bool kept = !(flags & AT_REMOVEDIR) && keep_name(path);
    const int result = real(folder, name, flags);
    if (result == 0 && kept)
        note(REMOVED, path, NULL)->replaced = true;
    END return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int folder, const char *name, mode_t mode)
{
    char path[PATH_MAX];
    REAL(mkdirat)
    if (!path_at(folder, name, path))
        return real(folder, name, mode);
    BEGIN
    count();
    const int result = real(folder, name, mode);
    if (result == 0)
        note(MADE_FOLDER, path, NULL);
    END return result;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    char path[PATH_MAX];
    REAL(linkat)
    if (!path_at(to_folder, to, path))
        return real(from_folder, from, to_folder, to, flags);
    BEGIN
    count();
    const int result = real(from_folder, from, to_folder, to, flags);
    if (result == 0)
        note(MADE, path, NULL);
    END return result;
}
