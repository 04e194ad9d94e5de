/* What a run leaves behind, in a few lines. */
#ifndef DF_CLI_SUMMARY_H
#define DF_CLI_SUMMARY_H
#include "base/status.h"

df_status summary_print(const char *folder, df_error *err);
#endif
