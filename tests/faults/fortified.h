/* The checked twins that glibc gives to calls in programs built with _FORTIFY_SOURCE: they are the
 * calls that the shim itself defines. Included by a shim after these. */
#ifndef DF_TESTS_FORTIFIED_H
#define DF_TESTS_FORTIFIED_H

ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
ssize_t __read_chk(int fd, void *to, size_t n, size_t room)
{
    (void)room;
    return read(fd, to, n);
}

ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t room);
ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t room)
{
    (void)room;
    return pread(fd, to, n, at);
}

char *__realpath_chk(const char *path, char *resolved, size_t room);
char *__realpath_chk(const char *path, char *resolved, size_t room)
{
    (void)room;
    return realpath(path, resolved);
}
#endif
