/* What a caption depends on (its key), and the answers that were paid for, kept by key as they come. */
#ifndef DF_STAGE_CAPTION_JOURNAL_H
#define DF_STAGE_CAPTION_JOURNAL_H
#include "base/hash.h"
#include "dataset/dataset.h"
#include "stage/caption.h"

/* The parts of a key. */
typedef struct {
    const char *image;                       /* hash of the image's bytes; where it has none, its path */
    const char *evidence;                    /* hash of the evidence */
    const char *prompt;
} df_caption_subject;
void df_caption_key(const df_caption_config *config, const df_engine *engine, const df_caption_subject *subject,
                    char key[DF_HASH_HEX]);

/* The key of the same record asked again: of its own key and all that was said since. */
void df_caption_key_again(const char *key, const df_turn *turns, int n_turns, char again[DF_HASH_HEX]);

typedef struct df_caption_journal df_caption_journal;
/* caption/part-N.journal, made when it is missing. */
df_status df_caption_journal_open(df_caption_journal **out, const df_dataset *ds, int part, df_error *err);
void df_caption_journal_close(df_caption_journal *j);
/* The answer kept under a key, its text in the arena; false: ask. An empty answer that was paid for is one, with its error.
 * Thread-safe. */
bool df_caption_journal_find(const df_caption_journal *j, const char *key, df_arena *arena, df_caption *answer);
df_status df_caption_journal_keep(df_caption_journal *j, const char *key, const df_caption *answer, df_error *err);
#endif
