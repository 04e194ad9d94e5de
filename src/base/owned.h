/* Which files of a folder are ours: an append-only list with a line "+ NAME" or "- NAME" for each
 * change, of which the last one of a name counts. Several processes may append at once. A last line
 * without its line break (after a power cut) does not count. */
#ifndef DF_BASE_OWNED_H
#define DF_BASE_OWNED_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/arena.h"
#include "base/map.h"

typedef struct {
    int fd;
    off_t read_to; /* the lines before this offset are known */
    df_map index; /* from a name to its index in `ours` */
    df_arena names;
    bool *ours;
    size_t n, capacity;
} df_owned;

/* Takes over fd (O_RDWR | O_APPEND) and reads the list. `path` is for messages. After an error
 * there is nothing to free. */
df_status df_owned_init(df_owned *o, int fd, const char *path, df_error *err);
void df_owned_free(df_owned *o); /* also closes fd */
/* Reads what other processes have appended since. */
df_status df_owned_refresh(df_owned *o, const char *path, df_error *err);
bool df_owned_has(const df_owned *o, const char *name);
/* Notes that a name is ours, or no longer ours. A claim (ours) is on disk when this returns. */
df_status df_owned_note(df_owned *o, const char *name, bool ours, const char *path, df_error *err);
#endif
