/* densefusion: the table of commands, --help and --version. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "dataset/metadata.h"
#include "help.h"
#include "put.h"

const command commands[] = {
    {"run", "INPUT -o OUT [CONFIG.yaml]", "run all stages on a folder, tar or list of images",
     COMMAND_RUN_FLAGS | FLAG_FROM | FLAG_TO | FLAG_SKIP, .run = cmd_run},
    {"status", "OUT [--json]", "what each stage has done, and how many images are left", FLAG_JSON,
     .run = cmd_status},
    {"show", "OUT ID [--json]", "everything known of one image; ID is 00000-000012 or its path",
     FLAG_JSON, .run = cmd_show},
    {"kmeans", "map|reduce OUT [--parts 0-9]",
     "one half of a round of `cluster`, so that machines can share it",
     FLAG_JOBS | FLAG_PARTS | FLAG_SETTINGS, .run = cmd_kmeans, .stage = "cluster"},
    {"clusters", "OUT [CLUSTER] [--top N] [--eps A,B,...] [--json]",
     "the largest clusters, one cluster's members, or what another eps would keep",
     FLAG_JSON | FLAG_SETTINGS, .run = cmd_clusters, .options = cmd_clusters_options},
    {"batch",
     "write OUT -o FOLDER | submit FOLDER | poll FOLDER | fetch FOLDER | merge OUT FILE...",
     "captions by OpenAI's batch files, cheaper and within a day",
     FLAG_OUT | FLAG_PARTS | FLAG_SHARE | FLAG_SETTINGS, .run = cmd_batch, .stage = "caption"},
    {"cost", "OUT [--prices FILE] [--json]",
     "tokens and dollars of the captions that servers wrote", FLAG_JSON | FLAG_SETTINGS,
     .run = cmd_cost, .options = cmd_cost_options},
    {"meta", "OUT -o META [CONFIG.yaml]",
     "draw images at random, caption them by the meta prompt: the set to tune an engine on",
     FLAG_OUT | FLAG_TO | FLAG_JOBS | FLAG_DRY_RUN | FLAG_MODELS | FLAG_SHARE | FLAG_SETTINGS,
     .run = cmd_meta},
    {"models", "[install NAME --from SOURCE [--trust]] [--models DIR] [--verify] [--json]",
     "the model cards: what is installed, what is missing for what; brings a model",
     FLAG_MODELS | FLAG_SHARE | FLAG_VERIFY | FLAG_JSON | FLAG_INSTALL_FROM | FLAG_TRUST,
     .run = cmd_models},
    {"metadata", "LIST... -o KEPT [--key=value ...]",
     "filter Parquet lists of URLs by their columns, before any image is fetched",
     FLAG_OUT | FLAG_JOBS | FLAG_JSON | FLAG_SETTINGS, .run = cmd_metadata,
     .options = df_metadata_options},
    {"man", "", "the manual page, as roff", 0, .run = cmd_man, .hidden = true},
    {"tables", "", "the columns of every table and all options, as Markdown", 0, .run = cmd_tables,
     .hidden = true},
    {0},
};

static int run_command(const command *c, int argc, char **argv)
{
    args a;
    int code = args_parse(&a, argc, argv, c->accepts, c->options ? c->name : c->stage);
    if (code == EXIT_DONE)
        code = a.given & FLAG_HELP ? help_command(c) : c->run(c, &a);
    args_free(&a);
    return code;
}

static int run_stage(const df_stage *stage, int argc, char **argv)
{
    args a;
    int code = args_parse(&a, argc, argv, stage_command.accepts, stage->name);
    if (code == EXIT_DONE)
        code = a.given & FLAG_HELP ? help_stage(stage) : cmd_stage(&a, stage);
    args_free(&a);
    return code;
}

static int dispatch(const char *name, int argc, char **argv)
{
    for (const command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return run_command(c, argc, argv);
    const df_stage *stage = df_stage_find(name);
    if (stage)
        return run_stage(stage, argc, argv);
    put_line(stderr, "densefusion: no command is called %s; densefusion --help lists them", name);
    return EXIT_USAGE;
}

static void end_on_exception(void)
{
    static const char words[] = "densefusion: a library gave up in the middle of its work, most "
                                "likely for want of memory; run the command again\n";
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0)
        _exit(EXIT_FAILED);
    _exit(EXIT_FAILED);
}

/* Ends the program with one line and an exit code when a C++ exception is not caught. The C
 * functions of DuckDB and ONNX Runtime catch their own exceptions and return an error. They cannot
 * catch what a destructor or one of their threads throws; C++ then calls its terminate handler at
 * the throw, and nothing is unwound. In C++ this would be std::set_terminate. */
static void expect_exceptions(void)
{
    typedef void (*handler)(void);
    handler (*set)(handler) = NULL;
    void *library = dlopen("libstdc++.so.6", RTLD_LAZY), *function = NULL;
    if (library)
        function = dlsym(library, "_ZSt13set_terminatePFvvE");
    if (function) {
        memcpy(&set, &function, sizeof set);
        set(end_on_exception);
    }
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    int code;
    expect_exceptions();
    if (!name) {
        help_all(stderr);
        code = EXIT_USAGE;
    } else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
               strcmp(name, "help") == 0) {
        help_all(stdout);
        code = EXIT_DONE;
    } else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("densefusion " DF_VERSION);
        code = EXIT_DONE;
    } else {
        code = dispatch(name, argc - 2, argv + 2);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "densefusion: cannot write to standard output\n");
        return EXIT_FAILED;
    }
    return code;
}
