/* Commands: one function each, listed in main.c; every stage is a verb too. */
#ifndef DF_CLI_COMMAND_H
#define DF_CLI_COMMAND_H
#include "args.h"
#include "pipeline/run.h"

typedef struct command {
    const char *name, *usage, *summary;
    unsigned accepts;                        /* flag_id bits */
    /* an exit code; self: this entry */
    int (*run)(const struct command *self, const args *a);
    bool hidden;
    const df_option *options;                /* its own, as --key=value; NULL: none */
    const char *stage; /* the stage whose options it takes, as --key=value too; NULL: all stages' */
} command;

/* of `run` and of a stage */
#define COMMAND_RUN_FLAGS                                                                          \
    (FLAG_OUT | FLAG_JOBS | FLAG_DRY_RUN | FLAG_PARTS | FLAG_MODELS | FLAG_PROVIDER |              \
     FLAG_MODEL_THREADS | FLAG_SHARE | FLAG_SETTINGS)

extern const command commands[]; /* ends with {0} */
extern const command stage_command; /* what all stage verbs share; name is NULL */

int cmd_run(const command *self, const args *a);
int cmd_stage(const args *a, const df_stage *stage);
int cmd_status(const command *self, const args *a);
int cmd_show(const command *self, const args *a);
int cmd_kmeans(const command *self, const args *a);
int cmd_meta(const command *self, const args *a);
int cmd_models(const command *self, const args *a);
int cmd_metadata(const command *self, const args *a);
int cmd_batch(const command *self, const args *a);
int cmd_clusters(const command *self, const args *a);
int cmd_cost(const command *self, const args *a);
extern const df_option cmd_cost_options[];
extern const df_option cmd_clusters_options[];
int cmd_man(const command *self, const args *a);
int cmd_tables(const command *self, const args *a);

/* Defaults, then the config file, then what the command line sets. On failure says why and returns
 * an exit code. */
int command_config(df_config *out, const args *a);
/* What the config file and the command line set, over what config holds. */
df_status command_settings(df_config *config, const args *a, df_error *err);
/* Defaults, then what the command line sets, of a command whose options are all its own. config:
 * its struct, all-zero; freed by df_options_free, on failure too. */
df_status command_own_settings(const args *a, const char *name, const df_option *options,
                               void *config, df_error *err);
/* Runs a job with progress, notes and signals as `run` has them; an exit code. */
int command_execute(const df_config *config, df_job *job, bool summarise);
/* Ctrl-C and SIGTERM set *command_stop(); the second one leaves at once. */
void command_catch_signals(void);
atomic_bool *command_stop(void);
/* says what is wrong and how it is meant */
int command_usage(const command *c, const char *what);
/* says err; the exit code for status */
int command_failed(df_status status, const df_error *err);
#endif
