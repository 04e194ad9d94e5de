/* A list of blocks; memory is taken from the first one. */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block is small, since a part has ten thousand arenas that hold a caption each. */
#define FIRST_BYTES ((size_t)1024)
#define BLOCK_BYTES ((size_t)64 * 1024)

struct df_arena_block {
    df_arena_block *next;
    size_t used, capacity;
    alignas(max_align_t) char bytes[];
};

/* Adds a block with room for `need` bytes, twice as large as the last up to a limit. */
static df_arena_block *block_new(df_arena *arena, size_t need)
{
    size_t capacity = arena->head
                          ? 2 * (arena->head->capacity < BLOCK_BYTES / 2 ? arena->head->capacity
                                                                         : BLOCK_BYTES / 2)
                          : FIRST_BYTES;
    capacity = need > capacity ? need : capacity;
    if (capacity > SIZE_MAX - sizeof(df_arena_block))
        return NULL;
    df_arena_block *block = malloc(sizeof *block + capacity);
    if (!block)
        return NULL;
    *block = (df_arena_block){.next = arena->head, .capacity = capacity};
    arena->head = block;
    return block;
}

void *df_arena_alloc(df_arena *arena, size_t n, size_t size)
{
    const size_t align = alignof(max_align_t);
    const bool fits = !size || n <= (SIZE_MAX - align) / size;
    size_t bytes = fits ? (n * size + align - 1) / align * align : 0;
    df_arena_block *block = arena->head;
    if (fits && (!block || block->capacity - block->used < bytes))
        block = block_new(arena, bytes);
    if (!fits || !block) {
        arena->failed = true;
        return NULL;
    }
    void *result = block->bytes + block->used;
    block->used += bytes;
    assert(block->used <= block->capacity);
    return memset(result, 0, bytes);
}

char *df_arena_strdup(df_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = df_arena_alloc(arena, size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

char *df_arena_printf(df_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = size < 0 ? NULL : df_arena_alloc(arena, (size_t)size + 1, 1);
    if (text)
        vsnprintf(text, (size_t)size + 1, fmt, again);
    va_end(again);
    return text;
}

void df_arena_reset(df_arena *arena)
{
    for (df_arena_block *block = arena->head; block;) {
        df_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (df_arena){0};
}

df_status df_arena_check(const df_arena *arena, const char *what, df_error *err)
{
    return arena->failed ? df_no_memory(err, "%s", what) : DF_OK;
}
