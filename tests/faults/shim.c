/* Makes a system call fail, for a program that is started with LD_PRELOAD=shim.so:
 *
 *     FAULT_CALL   open, stat, read, opendir, readdir, realpath, access; or malloc, of the program
 * itself alone FAULT_PATH   text that the path holds; of malloc: "" FAULT_ERRNO  a number
 *     FAULT_FROM   the first call that fails, from 1; FAULT_COUNT: how many do; 0: all from there
 * on
 *
 * FAULT_PATH is asked of the path that the program names, or of what the file descriptor is. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
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
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static long number(const char *name)
{
    const char *value = getenv(name);
    return value ? strtol(value, NULL, 10) : 0;
}

/* True, with errno set, when this call is to fail. */
static bool fails(const char *call, const char *path)
{
    static long n;
    const char *wanted = getenv("FAULT_CALL"), *text = getenv("FAULT_PATH");
    if (!wanted || !text || !path || strcmp(call, wanted) != 0 || !strstr(path, text))
        return false;
    pthread_mutex_lock(&lock);
    const long at = ++n, from = number("FAULT_FROM"), count = number("FAULT_COUNT");
    pthread_mutex_unlock(&lock);
    if (at < from || (count && at >= from + count))
        return false;
    errno = (int)number("FAULT_ERRNO");
    return true;
}

static bool fd_fails(const char *call, int fd)
{
    char link[64], path[PATH_MAX];
    const int code = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    errno = code;
    path[n > 0 ? n : 0] = '\0';
    return fails(call, path);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
#define MODE(last)                                                                                 \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                         \
        va_list args;                                                                              \
        va_start(args, last);                                                                      \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags)
    return fails("open", path) ? -1
                               : REAL("open", int (*)(const char *, int, ...))(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags)
    return fails("open", path) ? -1
                               : REAL("open64", int (*)(const char *, int, ...))(path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

FILE *fopen(const char *path, const char *mode)
{
    return fails("open", path) ? NULL
                               : REAL("fopen", FILE * (*)(const char *, const char *))(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}

int stat(const char *path, struct stat *st)
{
    return fails("stat", path) ? -1 : REAL("stat", int (*)(const char *, struct stat *))(path, st);
}

int fstat(int fd, struct stat *st)
{
    return fd_fails("stat", fd) ? -1 : REAL("fstat", int (*)(int, struct stat *))(fd, st);
}

int fstatat(int folder, const char *path, struct stat *st, int flags)
{
    if (fails("stat", path))
        return -1;
    return REAL("fstatat", int (*)(int, const char *, struct stat *, int))(folder, path, st, flags);
}

ssize_t read(int fd, void *to, size_t n)
{
    return fd_fails("read", fd) ? -1 : REAL("read", ssize_t(*)(int, void *, size_t))(fd, to, n);
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    return fd_fails("read", fd)
               ? -1
               : REAL("pread", ssize_t(*)(int, void *, size_t, off_t))(fd, to, n, at);
}

DIR *opendir(const char *path)
{
    return fails("opendir", path) ? NULL : REAL("opendir", DIR * (*)(const char *))(path);
}

DIR *fdopendir(int fd)
{
    return fd_fails("opendir", fd) ? NULL : REAL("fdopendir", DIR * (*)(int))(fd);
}

struct dirent *readdir(DIR *dir)
{
    return fd_fails("readdir", dirfd(dir)) ? NULL
                                           : REAL("readdir", struct dirent * (*)(DIR *))(dir);
}

char *realpath(const char *path, char *resolved)
{
    return fails("realpath", path)
               ? NULL
               : REAL("realpath", char *(*)(const char *, char *))(path, resolved);
}

int access(const char *path, int how)
{
    return fails("access", path) ? -1 : REAL("access", int (*)(const char *, int))(path, how);
}

#include "fortified.h"

/* ---- memory: what the program's own code asks for ---- */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);

typedef struct {
    uintptr_t from, to;
} span;

/* The first object is the program. */
static int program_span(struct dl_phdr_info *info, size_t size, void *out)
{
    span *program = out;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X))
            *program =
                (span){info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
                       info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz};
    return 1;
}

static bool memory_fails(const void *caller)
{
    static span program;
    const char *call = getenv("FAULT_CALL");
    if (!call || strcmp(call, "malloc") != 0)
        return false;
    if (!program.to)
        dl_iterate_phdr(program_span, &program);
    return (uintptr_t)caller >= program.from && (uintptr_t)caller < program.to &&
           fails("malloc", "");
}

void *malloc(size_t n)
{
    return memory_fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return memory_fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    return memory_fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, n);
}
