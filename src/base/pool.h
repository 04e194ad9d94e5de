/* Runs a counted loop on several threads. */
#ifndef DF_BASE_POOL_H
#define DF_BASE_POOL_H
#include <stdint.h>
#include "base/status.h"

/* Calls work(ctx, item, thread) for item 0 .. n_items - 1, started in this order, on n_threads
 * threads; thread is in [0, n_threads). After a failure no more items are started; the failure of
 * the lowest item is returned. Every started item has ended on return. */
typedef df_status (*df_pool_work)(void *ctx, int64_t item, int thread, df_error *err);
df_status df_pool_run(int n_threads, int64_t n_items, df_pool_work work, void *ctx, df_error *err);
#endif
