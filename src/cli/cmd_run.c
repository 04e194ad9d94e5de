/* densefusion run, and every stage as a command. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "command.h"
#include "pipeline/run.h"
#include "progress.h"
#include "put.h"
#include "summary.h"

/* The only global variable of the program, and not in the library: a signal handler has no
 * argument. */
static atomic_bool stop_asked;

/* The first Ctrl-C lets the images in flight end, the second ends at once. What is finished is on
 * disk in both cases. */
static void on_signal(int number)
{
    static const char text[] =
        "densefusion: stopping after the images in flight; once more leaves at once\n";
    /* keeps the progress line and erases the line below it */
    static const char below[] = "\n\033[J";
    if (atomic_exchange(&stop_asked, true))
        _exit(number == SIGTERM ? 143 : 130);
    ssize_t n = isatty(STDERR_FILENO) ? write(STDERR_FILENO, below, sizeof below - 1) : 0;
    n += write(STDERR_FILENO, text, sizeof text - 1);
    (void)n;
}

void command_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

atomic_bool *command_stop(void)
{
    return &stop_asked;
}

static void print_plan(void *ctx, const df_plan *plan)
{
    (void)ctx;
    for (int i = 0; i < plan->n_steps; i++) {
        const df_step *step = &plan->steps[i];
        printf("%-9s %s", step->stage->name, df_step_state_name(step->state));
        if (step->parts_wanted && step->state != DF_STEP_OUTSIDE)
            printf(" (%d of %d parts are there)", step->parts_done, step->parts_wanted);
        putchar('\n');
    }
}

static void print_estimate(void *ctx, const char *stage, const char *words)
{
    (void)ctx;
    printf("\n%s would ask\n", stage);
    for (; *words; words += strcspn(words, "\n"), words += *words == '\n')
        put_line(stdout, "%.*s", (int)strcspn(words, "\n"), words);
}

int command_execute(const df_config *config, df_job *job, bool summarise)
{
    progress p;
    progress_init(&p);
    job->stop = &stop_asked;
    job->progress = progress_update;
    job->live = progress_live;
    job->note = progress_note;
    job->begin = progress_begin;
    job->plan = job->dry_run ? print_plan : NULL;
    job->estimate = print_estimate;
    job->ctx = &p;
    command_catch_signals();
    df_error err = {""};
    df_status status = df_job_run(config, job, &err);
    progress_end(&p);
    if (status == DF_STOPPED) {
        fprintf(stderr, "densefusion: stopped; the same command goes on from here\n");
        return EXIT_STOPPED;
    }
    if (status == DF_OK && summarise)
        status = summary_print(job->out, &err);
    return command_failed(status, &err);
}

static df_job job_of(const args *a)
{
    return (df_job){.out = a->out,
                    .from = a->from,
                    .to = a->to,
                    .parts = a->parts,
                    .n_parts = a->n_parts,
                    .dry_run = (a->given & FLAG_DRY_RUN) != 0};
}

int cmd_run(const command *self, const args *a)
{
    if (a->n_positional > 1)
        return command_usage(self, "more than one input");
    if (!a->out)
        return command_usage(self, "no -o OUT");
    if (a->n_positional == 0 && !df_file_exists(a->out))
        return command_usage(self, "no INPUT");
    df_config config;
    int code = command_config(&config, a);
    if (code != EXIT_DONE)
        return code;
    df_job job = job_of(a);
    job.input = a->n_positional ? a->positional[0] : NULL;
    code = command_execute(&config, &job, !job.dry_run);
    df_config_free(&config);
    return code;
}

int cmd_stage(const args *a, const df_stage *stage)
{
    command stage_self = stage_command;
    stage_self.name = stage->name;
    bool source = !stage->reads || !stage->reads[0];
    if (source)
        stage_self.usage = "INPUT -o OUT [CONFIG.yaml]";
    df_job job = job_of(a);
    job.from = job.to = stage->name;
    job.input = source && a->n_positional ? a->positional[0] : NULL;
    if (!job.out && !source && a->n_positional == 1)
        job.out = a->positional[0];
    if (!job.out || a->n_positional > 1 || (a->out && !source && a->n_positional))
        return command_usage(&stage_self, "one dataset folder is needed");
    if (!df_file_exists(job.out) && !job.input) {
        put_line(stderr, "densefusion: %s: no such dataset", job.out);
        return EXIT_FAILED;
    }
    if (job.parts && (!stage->table || source)) {
        fprintf(stderr,
                "densefusion: %s works on the whole dataset: --parts has no meaning for it\n",
                stage->name);
        return EXIT_USAGE;
    }
    df_config config;
    int code = command_config(&config, a);
    if (code != EXIT_DONE)
        return code;
    code = command_execute(&config, &job, false);
    df_config_free(&config);
    return code;
}
