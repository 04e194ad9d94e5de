/* Makes the n-th call of a kind fail for a program that is started with LD_PRELOAD=nth.so:
 *
 *     NTH_CALL    malloc (of the program itself alone), library (of those for JSON and YAML), open,
 * read, write, sync, rename, stat, mmap, close, readdir, change (mkdir, unlink, link, truncate)
 *     NTH_AT      which one fails, from 1; 0: none
 *     NTH_ERRNO   with this number
 *     NTH_STAYS   set: all later calls of the kind on the same file fail too; of malloc: all
 *     NTH_BELOW   folders, with : between; calls about files elsewhere do not count
 *     NTH_LOG     a file: NTH_AT=0 appends one line a call, of which the same place in the program
 *                 gives the same line; else the call chain of the call that failed
 *
 * A file descriptor is known by what /proc says it is. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FRAMES = 24 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *wanted = "", *below = "";
static long fail_at;
static bool stays;
static int fail_code, log_fd = -1;
typedef struct {
    uintptr_t base, from, to;
} span;
/* The program, and the libraries in C of which it must hear that they had no memory. */
static span program, libraries[2];

static span span_of(const struct dl_phdr_info *info)
{
    span c = {.base = info->dlpi_addr};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
            continue;
        c.from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        c.to = c.from + info->dlpi_phdr[i].p_memsz;
    }
    return c;
}

/* The first object is the program. */
static int note_span(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (!program.to)
        program = span_of(info);
    if (strstr(info->dlpi_name, "libjansson"))
        libraries[0] = span_of(info);
    if (strstr(info->dlpi_name, "libyaml"))
        libraries[1] = span_of(info);
    return 0;
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

__attribute__((constructor)) static void begin(void)
{
    void *frames[2];
    backtrace(frames, 2);                    /* it allocates the first time */
    dl_iterate_phdr(note_span, NULL);
    below = setting("NTH_BELOW");
    fail_at = strtol(setting("NTH_AT"), NULL, 10);
    stays = *setting("NTH_STAYS") != '\0';
    fail_code = (int)strtol(setting("NTH_ERRNO"), NULL, 10);
    if (*setting("NTH_LOG"))
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, setting("NTH_LOG"),
                              O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    wanted = setting("NTH_CALL");
}

static bool is_of(const void *address, span c)
{
    return (uintptr_t)address >= c.from && (uintptr_t)address < c.to;
}

/* The program's frames, as addresses that addr2line takes (its load address is subtracted). */
static void note(void)
{
    void *frames[FRAMES];
    char line[FRAMES * 20] = "";
    size_t used = 0;
    const int n = backtrace(frames, FRAMES);
    for (int i = 1; i < n; i++)
        if (is_of(frames[i], program))
            used += (size_t)snprintf(line + used, sizeof line - used, "%zx ",
                                     (size_t)((uintptr_t)frames[i] - program.base));
    line[used++] = '\n';
    syscall(SYS_write, log_fd, line, used);
}

/* True, with errno set, when this call is the one that is to fail. path: NULL: it does not count.
 */
static bool fails(const char *call, const char *path)
{
    static long n;
    static char failed[PATH_MAX];
    static __thread bool inside;
    if (inside || !path || strcmp(call, wanted) != 0)
        return false;
    inside = true;
    pthread_mutex_lock(&lock);
    const bool first = ++n == fail_at,
               now = first || (stays && n > fail_at && fail_at > 0 && strcmp(path, failed) == 0);
    if (first)
        snprintf(failed, sizeof failed, "%s", path);
    if (log_fd >= 0 && (first || fail_at == 0))
        note();
    pthread_mutex_unlock(&lock);
    inside = false;
    if (now)
        errno = fail_code;
    return now;
}

/* ---- which files count: these are NULL for all others ---- */

static const char *below_path(const char *path)
{
    for (const char *folder = below; path && *folder;) {
        const size_t n = strcspn(folder, ":");
        if (strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return path;
        folder += n + (folder[n] == ':');
    }
    return NULL;
}

/* Until the thread's next call. */
static const char *path_of(int fd)
{
    static __thread char path[PATH_MAX];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const int code = errno;
    const long n = fd < 0 ? -1 : syscall(SYS_readlink, link, path, sizeof path - 1);
    errno = code;
    path[n > 0 ? n : 0] = '\0';
    return below_path(path);
}

static const char *path_at(int folder, const char *name)
{
    static __thread char path[2 * PATH_MAX];
    if (!name || name[0] == '/')
        return below_path(name);
    const char *top = path_of(folder);
    snprintf(path, sizeof path, "%s%s%s", top ? top : "", *name ? "/" : "", name);
    return top ? path : NULL;
}

#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define MODE                                                                                       \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                         \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }                                                                                              \
    (void)0

/* ---- opening and closing ---- */

int openat(int folder, const char *path, int flags, ...)
{
    MODE;
    REAL(openat);
    return fails("open", path_at(folder, path)) ? -1 : real(folder, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    MODE;
    return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE;
    return openat(AT_FDCWD, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE;
    return openat(folder, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return openat(AT_FDCWD, path, flags);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return openat(AT_FDCWD, path, flags);
}

int __openat_2(int folder, const char *path, int flags);
int __openat_2(int folder, const char *path, int flags)
{
    return openat(folder, path, flags);
}

FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen);
    return fails("open", below_path(path)) ? NULL : real(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}

/* A file is closed even when close() tells of an error. */
int close(int fd)
{
    REAL(close);
    char path[PATH_MAX];
    const char *is = path_of(fd);
    snprintf(path, sizeof path, "%s", is ? is : "");
    const int result = real(fd);
    return fails("close", is ? path : NULL) ? -1 : result;
}

int fclose(FILE *file)
{
    REAL(fclose);
    char path[PATH_MAX];
    const char *is = path_of(fileno(file));
    snprintf(path, sizeof path, "%s", is ? is : "");
    const int result = real(file);
    return fails("close", is ? path : NULL) ? EOF : result;
}

DIR *opendir(const char *path)
{
    REAL(opendir);
    return fails("open", below_path(path)) ? NULL : real(path);
}

DIR *fdopendir(int fd)
{
    REAL(fdopendir);
    return fails("open", path_of(fd)) ? NULL : real(fd);
}

int scandir(const char *path, struct dirent ***names, int (*choose)(const struct dirent *),
            int (*order)(const struct dirent **, const struct dirent **))
{
    REAL(scandir);
    return fails("open", below_path(path)) ? -1 : real(path, names, choose, order);
}

struct dirent *readdir(DIR *dir)
{
    REAL(readdir);
    return fails("readdir", path_of(dirfd(dir))) ? NULL : real(dir);
}

struct dirent64 *readdir64(DIR *dir)
{
    REAL(readdir64);
    return fails("readdir", path_of(dirfd(dir))) ? NULL : real(dir);
}

/* ---- reading and writing ---- */

ssize_t read(int fd, void *to, size_t n)
{
    REAL(read);
    return fails("read", path_of(fd)) ? -1 : real(fd, to, n);
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    REAL(pread);
    return fails("read", path_of(fd)) ? -1 : real(fd, to, n, at);
}

ssize_t pread64(int fd, void *to, size_t n, off_t at)
{
    return pread(fd, to, n, at);
}

ssize_t __pread64_chk(int fd, void *to, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *to, size_t n, off_t at, size_t room)
{
    (void)room;
    return pread(fd, to, n, at);
}

static bool stream_fails(FILE *file)
{
    if (!fails("read", path_of(fileno(file))))
        return false;
    file->_flags |= 0x20;                    /* glibc: ferror() */
    return true;
}

size_t fread(void *to, size_t size, size_t n, FILE *file)
{
    REAL(fread);
    return stream_fails(file) ? 0 : real(to, size, n, file);
}

ssize_t getline(char **line, size_t *size, FILE *file)
{
    REAL(getline);
    return stream_fails(file) ? -1 : real(line, size, file);
}

ssize_t write(int fd, const void *from, size_t n)
{
    REAL(write);
    return fails("write", path_of(fd)) ? -1 : real(fd, from, n);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    REAL(pwrite);
    return fails("write", path_of(fd)) ? -1 : real(fd, from, n, at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off_t at)
{
    return pwrite(fd, from, n, at);
}

int fsync(int fd)
{
    REAL(fsync);
    return fails("sync", path_of(fd)) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return fails("sync", path_of(fd)) ? -1 : real(fd);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t from)
{
    REAL(mmap);
    if (!(flags & MAP_ANONYMOUS) && fails("mmap", path_of(fd)))
        return MAP_FAILED;
    return real(at, size, protection, flags, fd, from);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t from)
{
    return mmap(at, size, protection, flags, fd, from);
}

/* ---- names ---- */

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    REAL(renameat);
    if (fails("rename", path_at(to_folder, to)))
        return -1;
    return real(from_folder, from, to_folder, to);
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    REAL(mkdirat);
    return fails("change", path_at(folder, path)) ? -1 : real(folder, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int unlinkat(int folder, const char *path, int flags)
{
    REAL(unlinkat);
    return fails("change", path_at(folder, path)) ? -1 : real(folder, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    REAL(linkat);
    if (fails("change", path_at(to_folder, to)))
        return -1;
    return real(from_folder, from, to_folder, to, flags);
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    return fails("change", path_of(fd)) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

/* ---- looking ---- */

int fstatat(int folder, const char *path, struct stat *st, int flags)
{
    REAL(fstatat);
    return fails("stat", path_at(folder, path)) ? -1 : real(folder, path, st, flags);
}

int stat(const char *path, struct stat *st)
{
    return fstatat(AT_FDCWD, path, st, 0);
}

int lstat(const char *path, struct stat *st)
{
    return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *st)
{
    return fstatat(fd, "", st, AT_EMPTY_PATH);
}

int stat64(const char *path, struct stat64 *st)
{
    return fstatat(AT_FDCWD, path, (struct stat *)(void *)st, 0);
}

int lstat64(const char *path, struct stat64 *st)
{
    return fstatat(AT_FDCWD, path, (struct stat *)(void *)st, AT_SYMLINK_NOFOLLOW);
}

int fstat64(int fd, struct stat64 *st)
{
    return fstatat(fd, "", (struct stat *)(void *)st, AT_EMPTY_PATH);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *st)
{
    REAL(statx);
    return fails("stat", path_at(folder, path)) ? -1 : real(folder, path, flags, mask, st);
}

int faccessat(int folder, const char *path, int how, int flags)
{
    REAL(faccessat);
    return fails("stat", path_at(folder, path)) ? -1 : real(folder, path, how, flags);
}

int access(const char *path, int how)
{
    return faccessat(AT_FDCWD, path, how, 0);
}

char *realpath(const char *path, char *resolved)
{
    REAL(realpath);
    return fails("stat", below_path(path)) ? NULL : real(path, resolved);
}

#include "fortified.h"

/* ---- memory ---- */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);
void *__libc_memalign(size_t align, size_t n);

static bool memory_fails(const void *caller)
{
    if (is_of(caller, program))
        return fails("malloc", "");
    return (is_of(caller, libraries[0]) || is_of(caller, libraries[1])) && fails("library", "");
}

#define NO_MEMORY (memory_fails(__builtin_return_address(0)))

void *malloc(size_t n)
{
    return NO_MEMORY ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return NO_MEMORY ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    return NO_MEMORY ? NULL : __libc_realloc(old, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return NO_MEMORY ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    if (NO_MEMORY)
        return ENOMEM;
    *out = __libc_memalign(align, n);
    return *out ? 0 : ENOMEM;
}

char *strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = NO_MEMORY ? NULL : __libc_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

char *strndup(const char *text, size_t n)
{
    const size_t size = strnlen(text, n);
    char *copy = NO_MEMORY ? NULL : __libc_malloc(size + 1);
    if (copy)
        *(char *)mempcpy(copy, text, size) = '\0';
    return copy;
}
