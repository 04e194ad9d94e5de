/* Another program, run without a shell. */
#ifndef DF_BASE_PROCESS_H
#define DF_BASE_PROCESS_H
#include "base/status.h"

/* Runs argv[0] (looked up in PATH) with the NULL-terminated arguments and waits for it. What it says goes to the file log.
 * DF_IO when it cannot be started or fails, with the last line of log that is not empty. */
df_status df_process_run(const char *const *argv, const char *log, df_error *err);
#endif
