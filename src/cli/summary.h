/* Prints in a few lines what a dataset holds: after a run, and for `status`. */
#ifndef DF_CLI_SUMMARY_H
#define DF_CLI_SUMMARY_H
#include "pipeline/survey.h"

df_status summary_print_stages(const df_survey *survey, df_error *err);
/* The stages of the dataset in a folder, and where its captions and its page are. */
df_status summary_print(const char *folder, df_error *err);
#endif
