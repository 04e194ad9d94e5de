/* Limits how much many threads hold at once, in bytes or in turns (a counting semaphore). */
#ifndef DF_BASE_GATE_H
#define DF_BASE_GATE_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t room;
    int64_t max, held;
} df_gate;

bool df_gate_init(df_gate *g, int64_t max);                          /* false: out of memory */
void df_gate_free(df_gate *g);
/* Waits until n more fit. An n above the maximum fits when nothing is held. A thread that holds
 * some must not wait for more. */
void df_gate_take(df_gate *g, int64_t n);
void df_gate_give(df_gate *g, int64_t n);
#endif
