/* Threads over a counted loop. */
#ifndef DF_BASE_POOL_H
#define DF_BASE_POOL_H
#include <stdint.h>
#include "base/status.h"

/* Calls work(ctx, item, thread) for item 0..n_items-1 in rising order of start, on n_threads
 * threads (thread in [0, n_threads)). The first failure (lowest item) stops the handing out and is
 * returned. Every started item has ended on return. */
typedef df_status (*df_pool_work)(void *ctx, int64_t item, int thread, df_error *err);
df_status df_pool_run(int n_threads, int64_t n_items, df_pool_work work, void *ctx, df_error *err);
#endif
