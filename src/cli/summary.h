/* Prints in a few lines what a dataset holds: after a run, and for `status`. */
#ifndef DF_CLI_SUMMARY_H
#define DF_CLI_SUMMARY_H
#include "pipeline/survey.h"

df_status summary_print_stages(const df_survey *survey, df_error *err);
/* prints where captions and page are */
void summary_print_files(const char *folder);
df_status summary_print(const char *folder, df_error *err); /* both, for the dataset in a folder */
#endif
