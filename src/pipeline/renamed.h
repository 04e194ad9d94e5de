/* Options by the names that they had in the version before. */
#ifndef DF_PIPELINE_RENAMED_H
#define DF_PIPELINE_RENAMED_H
#include "base/option.h"

/* How an option that has an old name was set last. */
typedef struct {
    const df_option_alias *alias;
    bool by_old, noted;
    char *value;                             /* NULL: not set yet */
} df_renamed_option;
typedef struct {
    df_renamed_option *options;
    int n;
    df_str notes;                            /* a line for each old name that was used */
} df_renamed;                                /* all-zero is freeable */

/* *now: what the key of a section is called today; NULL when it is gone. An old name is noted once.
 * DF_CONFIG: the old and the new name were both set, to different values. */
df_status df_renamed_resolve(df_renamed *r, const df_option_alias *aliases, const char *section,
                             const char *key, const char *value, const char **now, df_error *err);
/* What was set so far may be set to something else, by either name. */
void df_renamed_forget(df_renamed *r);
void df_renamed_free(df_renamed *r);
#endif
