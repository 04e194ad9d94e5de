/* Commands: one function each, listed in main.c. Every stage is a command, too. */
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
    const df_option *options;                /* its own options, as --key=value; NULL: none */
    /* name of the stage that has the options for --key=value; NULL: options of all stages need
     * their section */
    const char *stage;
} command;

/* of `run` and of a stage */
#define COMMAND_RUN_FLAGS                                                                          \
    (FLAG_OUT | FLAG_JOBS | FLAG_DRY_RUN | FLAG_PARTS | FLAG_MODELS | FLAG_PROVIDER |              \
     FLAG_MODEL_THREADS | FLAG_SHARE | FLAG_SETTINGS)

extern const command commands[]; /* ends with {0} */
extern const command stage_command; /* what all commands that are stages share; name is NULL */

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

/* Makes a configuration from the defaults, the config file and the command line, in this order. On
 * failure it reports the reason and returns an exit code, and there is nothing to free. */
int command_config(df_config *out, const args *a);
/* Sets in config what the config file and the command line say. */
df_status command_settings(df_config *config, const args *a, df_error *err);
/* The options of a command that has a table of its own: the defaults, then what the command line
 * sets. config: an all-zero struct, to be freed by df_options_free, also on failure. */
df_status command_own_settings(const args *a, const char *name, const df_option *options,
                               void *config, df_error *err);
/* Runs a job with progress, notes and signals as `run` does; returns an exit code. */
int command_execute(const df_config *config, df_job *job, bool summarise);
/* Makes Ctrl-C and SIGTERM set *command_stop(); a second one ends the program at once. */
void command_catch_signals(void);
atomic_bool *command_stop(void);
/* Reports a mistake and the command's usage; returns EXIT_USAGE. */
int command_usage(const command *c, const char *what);
/* Reports err unless status is DF_OK; returns the exit code for status. */
int command_failed(df_status status, const df_error *err);
#endif
