/* Which runs may work on a dataset: one run of the whole, or any number of runs of some parts each,
 * of which each part of each stage belongs to one. The locks are ranges of dataset.lock; the system
 * drops those of a killed process. */
#ifndef DF_PIPELINE_LOCK_H
#define DF_PIPELINE_LOCK_H
#include <stdbool.h>
#include "dataset/dataset.h"

typedef struct {
    int fd;
    bool shared;
} df_lock; /* fd -1: none */
/* shared: other shared holders are fine. DF_IO naming the folder when another run is
 * at work there. */
df_status df_lock_open(df_lock *out, const df_dataset *ds, bool shared, df_error *err);
/* One shared holder at a time decides what is stale. Nothing to do where the lock is not shared. */
void df_lock_plan(const df_lock *lock, bool hold);
/* Whether no other run is at work there; asked while the plan is held, none can come. */
bool df_lock_is_alone(const df_lock *lock);
/* Takes a part of a stage (its place among the stages) until the lock is closed. DF_IO when another
 * run has it. */
df_status df_lock_part(const df_lock *lock, int stage, const char *name, int part, df_error *err);
void df_lock_close(df_lock *lock);
#endif
