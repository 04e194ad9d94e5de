/* Opens the working folders of processes, and deletes those of processes that are gone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder_state.h"
#include "base/range_lock.h"

/* Opens KIND.tmp, which holds a working folder for each process, and makes it when `make` is set.
 * Returns a descriptor, or -1 with errno. */
static int open_all(const df_folder *f, bool make)
{
    char name[64];
    snprintf(name, sizeof name, "%s.tmp", f->kind);
    if (make)
        mkdirat(f->root, name, 0777);
    return openat(f->root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int df_folder_open_scratch(const df_folder *f, int64_t id, bool make)
{
    char name[64];
    int all = open_all(f, make);
    if (all < 0)
        return -1;
    snprintf(name, sizeof name, "%012llx", (unsigned long long)id);
    int own = make && mkdirat(all, name, 0777) != 0
                  ? -1
                  : openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int reason = errno;
    close(all);
    errno = reason;
    return own;
}

/* Deletes everything in an open folder of working files, at most `depth` folders deep, and closes
 * it. */
static void clear_folder(int fd, int depth)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return;
    }
    for (const struct dirent *e; (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            unlinkat(fd, e->d_name, 0) == 0)
            continue;
        int below =
            depth > 0 ? openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (below < 0)
            continue;
        clear_folder(below, depth - 1);
        unlinkat(fd, e->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

void df_folder_remove_scratch(const df_folder *f, int64_t id)
{
    char name[64];
    int own = df_folder_open_scratch(f, id, false), all = open_all(f, false);
    snprintf(name, sizeof name, "%012llx", (unsigned long long)id);
    if (own >= 0)
        clear_folder(own, 2);
    if (all >= 0) {
        unlinkat(all, name, AT_REMOVEDIR);
        close(all);
    }
    snprintf(name, sizeof name, "%s.tmp", f->kind);
    unlinkat(f->root, name, AT_REMOVEDIR); /* it stays while another process has a folder in it */
}

/* A process is gone when its byte of KIND.lock can be locked. */
void df_folder_remove_left(const df_folder *f)
{
    int all = open_all(f, false);
    DIR *dir = all >= 0 ? fdopendir(all) : NULL;
    if (all >= 0 && !dir)
        close(all);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        char *end;
        long long id = strtoll(e->d_name, &end, 16);
        if (strlen(e->d_name) != 12 || *end || id < 0 || id == f->id)
            continue;
        if (df_range_lock(f->lock, DF_RANGE_ALONE, PROCESS_BYTES + id, 1, false) != 0)
            continue;
        df_folder_remove_scratch(f, id);
        df_range_lock(f->lock, DF_RANGE_FREE, PROCESS_BYTES + id, 1, false);
    }
    if (dir)
        closedir(dir);
}
