/* OpenAI's batch API (https://platform.openai.com/docs/guides/batch): files of requests go up,
 * files of answers come down. What was done is kept in FOLDER/batches.json, so a kill at any moment
 * neither submits a file twice nor loses a batch. */
#ifndef DF_ENGINE_OPENAI_BATCH_API_H
#define DF_ENGINE_OPENAI_BATCH_API_H
#include <stdatomic.h>
#include <stdint.h>
#include "base/status.h"
#include "engine/openai/openai.h"

typedef struct {
    const df_openai_config *options;
    const atomic_bool *stop;                 /* may be NULL */
    /* a batch file and how it stands; may be NULL */
    void (*say)(void *ctx, const char *file, const char *status);
    void *ctx;
} df_batch_server;

/* The kind of a folder (base/folder.h) of batch files: batch-0000.jsonl as `batch write` made them,
 * batches.json with what was submitted, answers-0000.jsonl and errors-0000.jsonl as they were
 * fetched. */
#define DF_BATCH_FOLDER "batches"

/* Uploads every batch-*.jsonl of the folder that was not, and makes a batch of it. *n: batches that
 * are new. */
df_status df_batch_submit(const df_batch_server *server, const char *folder, int *n, df_error *err);
/* Asks how all submitted batches stand. *n_open: those that will still change. */
df_status df_batch_poll(const df_batch_server *server, const char *folder, int *n_open,
                        df_error *err);
/* Polls, then downloads the results and errors of ended batches that are not here:
 * FOLDER/answers-0000.jsonl and errors-0000.jsonl beside batch-0000.jsonl. *n: files
 * that are new. */
df_status df_batch_fetch(const df_batch_server *server, const char *folder, int *n, df_error *err);
#endif
