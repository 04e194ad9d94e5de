/* An append-only file of lines beside a part: what a slow stage has finished so far. A kill loses
 * at most the line in flight, a power cut about the last second. */
#ifndef DF_DATASET_JOURNAL_H
#define DF_DATASET_JOURNAL_H
#include <stdint.h>
#include "base/folder.h"

typedef struct df_journal df_journal;
/* Reads the lines that are there (none when the file is missing) and cuts off a torn last one. */
df_status df_journal_open(df_journal **out, df_folder *folder, const char *name, df_error *err);
void df_journal_close(df_journal *j);
int64_t df_journal_lines(const df_journal *j);                       /* that were there at open */
const char *df_journal_line(const df_journal *j, int64_t i);         /* without its line end */
/* Appends one line, which holds no line break. After a failure the next line is whole again.
 * Thread-safe. */
df_status df_journal_append(df_journal *j, const char *line, df_error *err);
/* What was appended is on the disk. Closing does the same, without a word when it fails. */
df_status df_journal_sync(df_journal *j, df_error *err);
#endif
