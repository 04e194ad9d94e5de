/* densefusion meta: makes the set on which a caption engine is tuned (paper section 3.2.1). */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "pipeline/derive.h"

/* The paper's values, which the user's settings override. */
static const struct {
    const char *key, *value;
} defaults[] = {
    {"fuse.prompt", "meta"},
    {"fuse.tuning_prompt", "engine"},
    {"fuse.draw", "100000"},
};

static int meta_config(df_config *config, const args *a)
{
    df_error err = {""};
    df_status status = df_config_init(config, df_stages, &err);
    for (size_t i = 0; status == DF_OK && i < sizeof defaults / sizeof defaults[0]; i++)
        status = df_config_set(config, defaults[i].key, defaults[i].value, &err);
    if (status == DF_OK)
        status = command_settings(config, a, &err);
    if (status != DF_OK)
        df_config_free(config);
    return command_failed(status, &err);
}

static df_status derive(const args *a, df_error *err)
{
    df_dataset *from = NULL;
    DF_TRY(df_dataset_open(&from, a->positional[0], err));
    df_status status = df_dataset_derive(from, a->out, "fuse", err);
    df_dataset_close(from);
    return status;
}

int cmd_meta(const command *self, const args *a)
{
    if (a->n_positional != 1 || !a->out)
        return command_usage(self, "a dataset folder and -o META are needed");
    if (strcmp(a->positional[0], a->out) == 0)
        return command_usage(self, "META is a folder of its own");
    df_config config;
    int code = meta_config(&config, a);
    if (code != EXIT_DONE)
        return code;
    df_error err = {""};
    code = command_failed(derive(a, &err), &err);
    if (code == EXIT_DONE) {
        df_job job = {
            .out = a->out, .from = "fuse", .to = a->to, .dry_run = (a->given & FLAG_DRY_RUN) != 0};
        code = command_execute(&config, &job, !job.dry_run);
    }
    df_config_free(&config);
    return code;
}
