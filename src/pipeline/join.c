#include "pipeline/join.h"

#include <pthread.h>
#include <stdlib.h>

struct df_join {
    df_table *const *targets;
    int n_tables, window;
    /* the next row to join; the latest row handed over */
    int64_t next, last_put;
    bool failed;                             /* a row failed: no thread waits */
    bool broken;                             /* joining failed: nothing is joined any more */
    df_table **waiting;                      /* [window][n_tables]; row r is at r % window */
    bool *ready;                             /* [window] */
    df_status (*joined)(void *ctx, int64_t row, df_error *err);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t moved;
};

df_status df_join_open(df_join **out, df_table *const *targets, int n_tables, int64_t first_row,
                       int window, df_status (*joined)(void *ctx, int64_t row, df_error *err),
                       void *ctx, df_error *err)
{
    df_join *j = calloc(1, sizeof *j);
    df_table **waiting = calloc((size_t)window * (size_t)n_tables + 1, sizeof *waiting);
    bool *ready = calloc((size_t)window, sizeof *ready);
    if (!j || !waiting || !ready) {
        free(j);
        free(waiting);
        free(ready);
        return df_no_memory(err, "join rows");
    }
    *j = (df_join){.targets = targets,
                   .n_tables = n_tables,
                   .window = window,
                   .next = first_row,
                   .last_put = first_row - 1,
                   .waiting = waiting,
                   .ready = ready,
                   .joined = joined,
                   .ctx = ctx};
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->moved, NULL);
    *out = j;
    return DF_OK;
}

void df_join_close(df_join *j)
{
    if (!j)
        return;
    for (int64_t i = 0; i < (int64_t)j->window * j->n_tables; i++)
        df_table_close(j->waiting[i]);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->moved);
    free(j->waiting);
    free(j->ready);
    free(j);
}

/* No deadlock: rows start in rising order, so the next row has started and never waits
 * here. */
bool df_join_wait(df_join *j, int64_t row)
{
    pthread_mutex_lock(&j->lock);
    while (!j->failed && row >= j->next + j->window)
        pthread_cond_wait(&j->moved, &j->lock);
    bool go = row < j->next + j->window;
    pthread_mutex_unlock(&j->lock);
    return go;
}

bool df_join_needs(df_join *j, int64_t row)
{
    pthread_mutex_lock(&j->lock);
    bool needs = row < j->last_put;
    pthread_mutex_unlock(&j->lock);
    return needs;
}

/* Appends the tables of the next row to the part's tables, and tells the caller of it. */
static df_status join_next(df_join *j, df_error *err)
{
    df_table **tables = j->waiting + (j->next % j->window) * j->n_tables;
    df_status status = DF_OK;
    for (int i = 0; i < j->n_tables; i++) {
        if (status == DF_OK && j->targets[i] && tables[i])
            status = df_table_append_table(j->targets[i], tables[i], err);
        df_table_close(tables[i]);
        tables[i] = NULL;
    }
    j->ready[j->next % j->window] = false;
    if (status == DF_OK && j->joined)
        status = j->joined(j->ctx, j->next, err);
    j->next++;
    return status;
}

df_status df_join_put(df_join *j, int64_t row, df_table **tables, df_error *err)
{
    df_status status = DF_OK;
    pthread_mutex_lock(&j->lock);
    for (int i = 0; i < j->n_tables; i++)
        j->waiting[(row % j->window) * j->n_tables + i] = tables[i];
    j->ready[row % j->window] = true;
    j->last_put = row > j->last_put ? row : j->last_put;
    /* A row that failed or stopped takes only the rows after it along: those before it are still
     * joined. */
    while (status == DF_OK && !j->broken && j->ready[j->next % j->window])
        status = join_next(j, err);
    j->broken = j->broken || status != DF_OK;
    j->failed = j->failed || j->broken;
    pthread_cond_broadcast(&j->moved);
    pthread_mutex_unlock(&j->lock);
    return status;
}

void df_join_fail(df_join *j)
{
    pthread_mutex_lock(&j->lock);
    j->failed = true;
    pthread_cond_broadcast(&j->moved);
    pthread_mutex_unlock(&j->lock);
}
