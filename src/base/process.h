/* Runs another program, without a shell. */
#ifndef DF_BASE_PROCESS_H
#define DF_BASE_PROCESS_H
#include "base/status.h"

/* Runs argv[0] (searched in PATH) with the NULL-terminated arguments and waits for it. Its output
 * goes to the file `log`. It gets only those variables of the environment that any program needs
 * (PATH, HOME, LANG, proxies, certificates) and those named in `variables` (NULL-terminated;
 * "PIP_*": all that begin with PIP_), so no key or token. It is killed when the calling thread
 * ends, hence also when our program is killed. DF_IO when it cannot be started or fails, with the
 * last line of its output that is not empty; DF_NOMEM. */
df_status df_process_run(const char *const *argv, const char *const *variables, const char *log,
                         df_error *err);
#endif
