#include "base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "base/str.h"

extern char **environ;

enum { LOG_BYTES_MAX = 1 << 20, WORDS_MAX = 300 };

static int start(const char *const *argv, const char *log, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    int code = posix_spawn_file_actions_init(&files);
    if (code != 0)
        return code;
    code = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    if (code == 0)                           /* POSIX takes char *const *, and changes nothing */
        code = posix_spawnp(pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

/* Programs differ in what they say last; its last line is mostly the reason. */
static df_status failed(const char *program, const char *log, df_error *err)
{
    char *text = NULL;
    size_t size = 0;
    df_str clean = {0};
    if (df_file_read(log, LOG_BYTES_MAX, &text, &size, NULL) == DF_OK) {
        while (size && strchr(" \r\n", text[size - 1]))
            text[--size] = '\0';
        const char *last = strrchr(text, '\n');
        last = last ? last + 1 : text;
        df_str_append_clean(&clean, last, strlen(last), WORDS_MAX);
    }
    df_fail(err, DF_IO, "%s failed: %s", program, clean.size ? df_str_text(&clean) : "no reason was given");
    df_str_free(&clean);
    free(text);
    return DF_IO;
}

df_status df_process_run(const char *const *argv, const char *log, df_error *err)
{
    pid_t pid = 0;
    int status = 0, code = start(argv, log, &pid);
    if (code != 0)
        return df_fail(err, DF_IO, "start %s: %s", argv[0], strerror(code));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return df_fail(err, DF_IO, "wait for %s: %s", argv[0], strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? DF_OK : failed(argv[0], log, err);
}
