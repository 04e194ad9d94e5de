/* The public API: densefusion.h. */
#include <stdlib.h>

#include "base/locale.h"
#include "densefusion.h"
#include "pipeline/one.h"
#include "pipeline/run.h"

struct df_pipeline {
    df_config config;
    atomic_bool stop;
    /* opened by the first image from memory; closed when an option changes */
    df_one *one;
};

static df_status open_pipeline(df_pipeline **out, const char *config_path, df_error *err)
{
    df_pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return df_no_memory(err, "open a pipeline");
    df_status status = df_config_init(&p->config, df_stages, err);
    if (status == DF_OK && config_path)
        status = df_config_load(&p->config, config_path, err);
    if (status == DF_OK)
        *out = p;
    else
        df_pipeline_close(p);
    return status;
}

df_status df_pipeline_open(df_pipeline **out, const char *config_path, df_error *err)
{
    const locale_t before = df_locale_enter();
    const df_status status = open_pipeline(out, config_path, err);
    df_locale_leave(before);
    return status;
}

void df_pipeline_close(df_pipeline *p)
{
    if (!p)
        return;
    const locale_t before = df_locale_enter();
    df_one_close(p->one);
    df_config_free(&p->config);
    free(p);
    df_locale_leave(before);
}

df_status df_pipeline_set(df_pipeline *p, const char *key, const char *value, df_error *err)
{
    const locale_t before = df_locale_enter();
    df_one_close(p->one);
    p->one = NULL;
    const df_status status = df_config_set(&p->config, key, value, err);
    df_locale_leave(before);
    return status;
}

df_status df_pipeline_run(df_pipeline *p, const char *input, const char *out_folder, df_error *err)
{
    const locale_t before = df_locale_enter();
    atomic_store(&p->stop, false);
    df_job job = {.input = input, .out = out_folder, .stop = &p->stop};
    const df_status status = df_job_run(&p->config, &job, err);
    df_locale_leave(before);
    return status;
}

void df_pipeline_stop(df_pipeline *p)
{
    atomic_store(&p->stop, true);
}

df_status df_pipeline_caption(df_pipeline *p, const void *image, size_t size, const char *alt_text,
                              char **caption, df_error *err)
{
    const locale_t before = df_locale_enter();
    df_status status = DF_OK;
    atomic_store(&p->stop, false);
    if (!p->one)
        status = df_one_open(&p->one, &p->config, &p->stop, err);
    if (status == DF_OK)
        status = df_one_caption(p->one, image, size, alt_text, caption, err);
    df_locale_leave(before);
    return status;
}
