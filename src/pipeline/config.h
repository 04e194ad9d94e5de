/* What a user set: a section of options per stage, and `run:` for the run itself. From option
 * tables alone. */
#ifndef DF_PIPELINE_CONFIG_H
#define DF_PIPELINE_CONFIG_H
#include "pipeline/renamed.h"
#include "stage/stage.h"

typedef struct {
    int64_t threads;                         /* 0: one per core */
    char *models, *share; /* folders; NULL: the ones that belong to this build */
    /* execution provider; library, NULL: the one of this build */
    char *provider, *onnxruntime;
    int64_t model_threads; /* of one run of a model */
    char *skip; /* "detect, read": stages that are left out */
} df_run_options;
extern const df_option df_run_option_table[];

typedef struct {
    const df_stage *const *stages; /* in run order, NULL-terminated; borrowed */
    int n_stages;
    /* [n_stages], each filled from its stage's option table */
    void **configs;
    df_run_options run;
    df_renamed renamed;                      /* its notes are for whoever set old names */
} df_config;

/* defaults */
df_status df_config_init(df_config *out, const df_stage *const *stages, df_error *err);
void df_config_free(df_config *config);
/* key: "section.key", or "section.engine.key" for the own option of an engine. Unknown section or
 * key, bad type, out of range: DF_CONFIG naming the key and its bounds. */
df_status df_config_set(df_config *config, const char *key, const char *value, df_error *err);
/* Sets what a YAML file says; errors name file and line too. */
df_status df_config_load(df_config *config, const char *path, df_error *err);
/* index of a stage; -1 when there is none */
int df_config_find(const df_config *config, const char *stage);
bool df_config_skips(const df_config *config, const char *stage);
int df_config_threads(const df_config *config);
/* "" when no share folder was found */
const char *df_config_share(const df_config *config);
df_onnx_options df_config_runtime(const df_config *config); /* borrows from config */
/* caller frees; NULL when out of memory */
char *df_config_models(const df_config *config);
#endif
