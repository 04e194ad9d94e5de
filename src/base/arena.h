/* Memory that lives until the arena is reset: one arena per thread, reset per image. */
#ifndef DF_BASE_ARENA_H
#define DF_BASE_ARENA_H
#include <stddef.h>

typedef struct df_arena_block df_arena_block;
typedef struct {
    df_arena_block *head;
} df_arena;   /* all-zero is an empty arena */

void *df_arena_alloc(df_arena *arena, size_t n,
                     size_t size); /* zeroed; NULL when out of memory or n*size overflows */
char *df_arena_strdup(df_arena *arena, const char *text);
char *df_arena_printf(df_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* frees everything; the arena is usable again */
void df_arena_reset(df_arena *arena);
#endif
