/* An arena is memory that lives until the arena is reset. There is one for each thread, reset for
 * each image. */
#ifndef DF_BASE_ARENA_H
#define DF_BASE_ARENA_H
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

typedef struct df_arena_block df_arena_block;
/* all-zero is an empty arena */
typedef struct {
    df_arena_block *head;
    bool failed;                             /* memory ran out since the last reset */
} df_arena;

/* n * size zeroed bytes, aligned for any type; NULL when out of memory or n * size overflows. */
void *df_arena_alloc(df_arena *arena, size_t n, size_t size);
/* These two return NULL when out of memory. */
char *df_arena_strdup(df_arena *arena, const char *text);
char *df_arena_printf(df_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* DF_NOMEM when any of the above gave NULL since the last reset: asked once, before what is in the
 * arena is believed. what: "check a.jpg" */
df_status df_arena_check(const df_arena *arena, const char *what, df_error *err);
/* Frees everything. The arena can be used again. */
void df_arena_reset(df_arena *arena);
#endif
