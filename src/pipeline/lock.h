/* Who may work on a dataset: one run of the whole, or any number of runs of some parts each. The system drops the
 * locks of a killed process. */
#ifndef DF_PIPELINE_LOCK_H
#define DF_PIPELINE_LOCK_H
#include <stdbool.h>
#include "base/status.h"

typedef struct { int run, plan; } df_lock;                           /* file descriptors */
/* shared: other shared holders are fine. DF_IO naming the folder when another run is at work there. */
df_status df_lock_open(df_lock *out, const char *folder, bool shared, df_error *err);
/* One shared holder at a time decides what is stale. */
void df_lock_plan(df_lock *lock, bool hold);
void df_lock_close(df_lock *lock);
#endif
