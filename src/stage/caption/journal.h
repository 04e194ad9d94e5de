/* What a caption depends on (its key), and the answers that were paid for, kept by key as they
 * come. */
#ifndef DF_STAGE_CAPTION_JOURNAL_H
#define DF_STAGE_CAPTION_JOURNAL_H
#include "base/hash.h"
#include "dataset/dataset.h"
#include "engine/openai/prices.h"
#include "stage/caption/caption.h"

/* The parts of a key. */
typedef struct {
    /* hash of the image's bytes; where it has none, its path */
    const char *image;
    const char *evidence;                    /* hash of the evidence */
    const char *prompt;
} df_caption_subject;
/* Appends what the keys of all records depend on: the options that change an answer, caption's and
 * its engine's own, and the engine's identity. */
void df_caption_key_options(const df_caption_config *config, const df_engine *engine, df_str *out);
/* options: what df_caption_key_options appended. */
df_status df_caption_key(const char *options, const df_caption_subject *subject,
                         char key[DF_HASH_HEX], df_error *err);

/* The key of the same record asked again: of its own key and all that was said since. */
df_status df_caption_key_again(const char *key, const df_turn *turns, int n_turns,
                               char again[DF_HASH_HEX], df_error *err);

typedef struct df_caption_journal df_caption_journal;
/* caption/part-N.journal, made when it is missing. */
df_status df_caption_journal_open(df_caption_journal **out, const df_dataset *ds, int part,
                                  df_error *err);
void df_caption_journal_close(df_caption_journal *j);
/* *found: whether there is an answer under a key; then *answer is it, its text in the arena. Else:
 * ask. An empty answer that was paid for is one, with its error. DF_NOMEM. Thread-safe. */
df_status df_caption_journal_find(const df_caption_journal *j, const char *key, df_arena *arena,
                                  df_caption *answer, bool *found, df_error *err);
/* Whether all attempts at this key were in vain in an earlier run. */
bool df_caption_journal_failed(const df_caption_journal *j, const char *key);

/* A request: the model asked for, and the most tokens that it can take. */
typedef struct {
    const char *key, *asked;
    df_tokens most;
} df_caption_entry;
/* An answer; NULL as entry's model and most of 0 where nobody noted the request (batch files). */
df_status df_caption_journal_keep(df_caption_journal *j, const df_caption_entry *entry,
                                  const df_caption *answer, df_error *err);
/* Before a request is sent: what never comes back is in the books nevertheless. */
df_status df_caption_journal_send(df_caption_journal *j, const df_caption_entry *entry,
                                  df_error *err);
/* It was not sent, or refused: it costs nothing. */
df_status df_caption_journal_refuse(df_caption_journal *j, const df_caption_entry *entry,
                                    df_error *err);
/* All attempts at a key were in vain. */
df_status df_caption_journal_fail(df_caption_journal *j, const char *key, const char *words,
                                  df_error *err);
/* What was kept is on the disk. */
df_status df_caption_journal_sync(df_caption_journal *j, df_error *err);
#endif
