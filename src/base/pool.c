/* A thread pool that lives for one loop. */
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/locale.h"

typedef struct {
    pthread_mutex_t lock;
    int64_t next, n_items, failed_item;
    df_status status;
    df_error error;
    df_pool_work work;
    void *ctx;
} pool;

typedef struct {
    pool *pool;
    int thread;
} worker;

static void record_failure(pool *p, int64_t item, df_status status, const df_error *error)
{
    pthread_mutex_lock(&p->lock);
    if (p->status == DF_OK || item < p->failed_item) {
        p->status = status;
        p->failed_item = item;
        p->error = *error;
    }
    pthread_mutex_unlock(&p->lock);
}

/* A thread of the pool: takes the next item until none is left or one failed. */
static void *worker_main(void *argument)
{
    worker *w = argument;
    pool *p = w->pool;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        int64_t item = p->status == DF_OK && p->next < p->n_items ? p->next++ : -1;
        pthread_mutex_unlock(&p->lock);
        if (item < 0)
            return NULL;
        df_error error = {""};
        df_status status = p->work(p->ctx, item, w->thread, &error);
        if (status != DF_OK)
            record_failure(p, item, status, &error);
    }
}

static void *thread_main(void *argument)
{
    df_locale_enter();
    return worker_main(argument);
}

df_status df_pool_run(int n_threads, int64_t n_items, df_pool_work work, void *ctx, df_error *err)
{
    if (n_threads > n_items)
        n_threads = n_items > 0 ? (int)n_items : 1;
    if (n_threads < 1)
        n_threads = 1;
    pthread_t *threads = calloc((size_t)n_threads, sizeof *threads);
    worker *workers = calloc((size_t)n_threads, sizeof *workers);
    if (!threads || !workers) {
        free(threads);
        free(workers);
        return df_no_memory(err, "start %d threads", n_threads);
    }
    pool p = {.n_items = n_items, .work = work, .ctx = ctx};
    pthread_mutex_init(&p.lock, NULL);
    int started = 0;
    for (int t = 0; t < n_threads; t++)
        workers[t] = (worker){&p, t};
    while (started < n_threads - 1 &&
           pthread_create(&threads[started], NULL, thread_main, &workers[started + 1]) == 0)
        started++;
    /* the calling thread works too, so fewer threads are slower but not wrong */
    worker_main(&workers[0]);
    for (int t = 0; t < started; t++)
        pthread_join(threads[t], NULL);
    pthread_mutex_destroy(&p.lock);
    free(threads);
    free(workers);
    if (p.status != DF_OK && err)
        *err = p.error;
    return p.status;
}
