/* Another program, run without a shell. */
#ifndef DF_BASE_PROCESS_H
#define DF_BASE_PROCESS_H
#include "base/status.h"

/* Runs argv[0] (looked up in PATH) with the NULL-terminated arguments and waits for it. What it
 * says goes to the file log. It is given no variable of the environment but those that any program
 * needs (PATH, HOME, LANG, proxies, certificates) and those named in variables (NULL-terminated;
 * "PIP_*": all that begin so): no key or token. It is killed when the thread that called ends, and
 * so when the whole program is killed. DF_IO when it cannot be started or fails, with the last line
 * of log that is not empty; DF_NOMEM. */
df_status df_process_run(const char *const *argv, const char *const *variables, const char *log,
                         df_error *err);
#endif
