/* Starts a program with fork and exec in a small environment. */
#include "base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "base/str.h"

extern char **environ;

enum { LOG_BYTES_MAX = 1 << 20, WORDS_MAX = 300 };

/* Variables by which any program finds its files, its language, its proxy and trusted
 * certificates. */
static const char *const general[] = {"PATH",         "LD_LIBRARY_PATH",
                                      "HOME",         "USER",
                                      "LOGNAME",      "TMPDIR",
                                      "TMP",          "TEMP",
                                      "TZ",           "LANG",
                                      "LANGUAGE",     "LC_*",
                                      "XDG_*",        "HTTP_PROXY",
                                      "HTTPS_PROXY",  "ALL_PROXY",
                                      "NO_PROXY",     "SSL_CERT_FILE",
                                      "SSL_CERT_DIR", NULL};

/* Whether "NAME=value" is one of the names. Case is ignored, since proxies are written both
 * ways. */
static bool is_named(const char *variable, const char *const *names)
{
    const size_t size = strcspn(variable, "=");
    for (; *names; names++) {
        const size_t n = strcspn(*names, "*");
        if ((size == n || (size > n && (*names)[n] == '*')) &&
            strncasecmp(variable, *names, n) == 0)
            return true;
    }
    return false;
}

/* The environment of the program: from malloc, the texts borrowed. NULL: out of memory. */
static char **kept_environment(const char *const *more)
{
    size_t n = 0, n_kept = 0;
    while (environ && environ[n])
        n++;
    char **kept = calloc(n + 1, sizeof *kept);
    for (size_t i = 0; kept && i < n; i++)
        if (is_named(environ[i], general) || is_named(environ[i], more))
            kept[n_kept++] = environ[i];
    return kept;
}

/* Becomes the program. Runs in the child, where only async-signal-safe functions may be called. The
 * child dies with its parent, however that ends. */
static void become(const char *const *argv, char **environment, const char *log, pid_t parent,
                   int report)
{
    const int input = open("/dev/null", O_RDONLY),
              output = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool good = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && input >= 0 && output >= 0;
    good = good && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
           dup2(output, STDERR_FILENO) >= 0;
    if (getppid() != parent) /* the parent ended before the call of prctl */
        _exit(127);
    environ = environment;
    if (good) /* execvp takes char *const * but changes nothing */
        execvp(argv[0], (char *const *)(uintptr_t)argv);
    const int code = errno;
    const ssize_t n = write(report, &code, sizeof code);
    _exit(n == (ssize_t)sizeof code ? 127 : 126);
}

/* Starts the program; returns 0 or the errno of the failure. The child sends errno through a pipe,
 * which closes when the program begins. */
static int start(const char *const *argv, char **environment, const char *log, pid_t *pid)
{
    int report[2], code = 0;
    const pid_t parent = getpid();
    if (pipe(report) != 0)
        return errno;
    fcntl(report[0], F_SETFD, FD_CLOEXEC);
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    *pid = fork();
    if (*pid == 0)
        become(argv, environment, log, parent, report[1]);
    if (*pid < 0)
        code = errno;
    close(report[1]);
    ssize_t n = 0;
    while (*pid > 0 && (n = read(report[0], &code, sizeof code)) < 0 && errno == EINTR)
        continue;
    close(report[0]);
    if (*pid > 0 && n == (ssize_t)sizeof code)
        waitpid(*pid, NULL, 0);
    return code;
}

/* Fails with the last line of the program's output, which is mostly the reason. */
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
    df_fail(err, DF_IO, "%s failed: %s", program,
            clean.size ? df_str_text(&clean) : "no reason was given");
    df_str_free(&clean);
    free(text);
    return DF_IO;
}

df_status df_process_run(const char *const *argv, const char *const *variables, const char *log,
                         df_error *err)
{
    pid_t pid = 0;
    char **environment = kept_environment(variables);
    if (!environment)
        return df_no_memory(err, "start %s", argv[0]);
    int status = 0, code = start(argv, environment, log, &pid);
    free(environment);
    if (code != 0)
        return df_fail(err, DF_IO, "start %s: %s", argv[0], strerror(code));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return df_fail(err, DF_IO, "wait for %s: %s", argv[0], strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? DF_OK : failed(argv[0], log, err);
}
