/* densefusion batch: captions by OpenAI's batch files, at half the price and within a day. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "engine/openai/access.h"
#include "engine/openai/batch_api.h"
#include "pipeline/lock.h"
#include "progress.h"
#include "put.h"
#include "stage/caption/batch.h"

static const df_caption_config *caption_config(const df_config *config)
{
    return config->configs[df_config_find(config, "caption")];
}

static df_run run_of(const df_config *config, const args *a, progress *p)
{
    return (df_run){.n_threads = 1,
                    .share = df_config_share(config),
                    .parts = a->parts,
                    .n_parts = a->n_parts,
                    .progress = progress_update,
                    .note = progress_note,
                    .stop = command_stop(),
                    .ctx = p};
}

static df_status write_files(const df_config *config, const args *a, df_dataset *ds, progress *p,
                             df_error *err)
{
    df_batch_written w;
    const df_run run = run_of(config, a, p);
    progress_begin(p, "batch");
    DF_TRY(df_batch_write(ds, caption_config(config), &run, a->out, &w, err));
    put_line(
        stdout,
        "%lld requests in %d files in %s; %lld have an answer already; %lld images cannot be read",
        (long long)w.n_requests, w.n_files, a->out, (long long)w.n_known, (long long)w.n_no_image);
    return DF_OK;
}

static df_status merge_files(const df_config *config, const args *a, df_dataset *ds, progress *p,
                             df_error *err)
{
    df_batch_merged sum = {0};
    const df_run run = run_of(config, a, p);
    for (int i = 2; i < a->n_positional; i++)
        DF_TRY(df_batch_merge(ds, &run, a->positional[i], &sum, err));
    printf("%lld lines: %lld answers taken, %lld known already, %lld without an answer, %lld not "
           "of this dataset\n",
           (long long)sum.n_lines, (long long)sum.n_taken, (long long)sum.n_known,
           (long long)sum.n_failed, (long long)sum.n_foreign);
    return DF_OK;
}

typedef df_status (*dataset_work)(const df_config *config, const args *a, df_dataset *ds,
                                  progress *p, df_error *err);

/* Opens the dataset and locks it, so that no other process works on it meanwhile. */
static df_status with_dataset(const df_config *config, const args *a, dataset_work work,
                              df_error *err)
{
    df_dataset *ds = NULL;
    df_lock lock = {-1, -1};
    progress p;
    DF_TRY(df_dataset_open(&ds, a->positional[1], err));
    progress_init(&p);
    df_status status = df_lock_open(&lock, ds, false, err);
    if (status == DF_OK)
        status = work(config, a, ds, &p, err);
    progress_end(&p);
    df_lock_close(&lock);
    df_dataset_close(ds);
    return status;
}

static void print_state(void *ctx, const char *file, const char *status)
{
    (void)ctx;
    put_line(stdout, "%-20s %s", file, status);
}

/* submit, poll or fetch: what talks to the server. */
static df_status with_server(const df_config *config, const args *a, df_error *err)
{
    const df_openai_config *k = df_caption_openai(caption_config(config));
    const df_batch_server server = {.options = k, .stop = command_stop(), .say = print_state};
    const char *verb = a->positional[0], *folder = a->positional[1];
    int n = 0;
    if (df_openai_key_exposed(k->api_key_file))
        put_line(stderr,
                 "densefusion: caption.openai.api_key_file: others can read %s: chmod 600 %s",
                 k->api_key_file, k->api_key_file);
    if (strcmp(verb, "submit") == 0) {
        DF_TRY(df_batch_submit(&server, folder, &n, err));
        printf("%d batches are new\n", n);
    } else if (strcmp(verb, "poll") == 0) {
        DF_TRY(df_batch_poll(&server, folder, &n, err));
        printf("%d batches are still open\n", n);
    } else {
        DF_TRY(df_batch_fetch(&server, folder, &n, err));
        put_line(
            stdout,
            "%d files are new in %s; `densefusion batch merge OUT %s/answers-*.jsonl` takes them",
            n, folder, folder);
    }
    return DF_OK;
}

static df_status work(const df_config *config, const args *a, df_error *err)
{
    if (strcmp(a->positional[0], "write") == 0)
        return with_dataset(config, a, write_files, err);
    if (strcmp(a->positional[0], "merge") == 0)
        return with_dataset(config, a, merge_files, err);
    return with_server(config, a, err);
}

static bool is_meant(const args *a)
{
    static const char *const verbs[] = {"submit", "poll", "fetch"};
    if (a->n_positional < 2)
        return false;
    if (strcmp(a->positional[0], "write") == 0)
        return a->n_positional == 2 && a->out;
    if (strcmp(a->positional[0], "merge") == 0)
        return a->n_positional >= 3;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(a->positional[0], verbs[i]) == 0)
            return a->n_positional == 2;
    return false;
}

int cmd_batch(const command *self, const args *a)
{
    df_config config;
    df_error err = {""};
    if (!is_meant(a))
        return command_usage(self, "what to do, and on what");
    int code = command_config(&config, a);
    if (code != EXIT_DONE)
        return code;
    command_catch_signals();
    code = command_failed(work(&config, a, &err), &err);
    df_config_free(&config);
    return code;
}
