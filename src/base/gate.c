/* A counting semaphore with a mutex and a condition variable. */
#include "base/gate.h"

#include <assert.h>
bool df_gate_init(df_gate *g, int64_t max)
{
    *g = (df_gate){.max = max};
    if (pthread_mutex_init(&g->lock, NULL) != 0)
        return false;
    if (pthread_cond_init(&g->room, NULL) == 0)
        return true;
    pthread_mutex_destroy(&g->lock);
    return false;
}

void df_gate_free(df_gate *g)
{
    pthread_cond_destroy(&g->room);
    pthread_mutex_destroy(&g->lock);
}

void df_gate_take(df_gate *g, int64_t n)
{
    pthread_mutex_lock(&g->lock);
    while (g->held > 0 && n > g->max - g->held)
        pthread_cond_wait(&g->room, &g->lock);
    g->held += n;
    pthread_mutex_unlock(&g->lock);
}

void df_gate_give(df_gate *g, int64_t n)
{
    pthread_mutex_lock(&g->lock);
    assert(n >= 0 && n <= g->held);
    g->held -= n;
    pthread_cond_broadcast(&g->room);
    pthread_mutex_unlock(&g->lock);
}
