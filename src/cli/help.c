/* Prints the help of the program, a command or a stage. */
#include "help.h"

#include <string.h>

void help_bounds(const df_option *o, char *out, size_t size)
{
    switch (o->type) {
    case DF_OPT_INT:
        snprintf(out, size, "whole number from %.0f to %.0f", o->min, o->max);
        break;
    case DF_OPT_REAL:
        snprintf(out, size, "number from %g to %g", o->min, o->max);
        break;
    case DF_OPT_BOOL:
        snprintf(out, size, "true or false");
        break;
    case DF_OPT_TEXT:
    case DF_OPT_SECRET:
        snprintf(out, size, "text");
        break;
    }
}

/* A stage's options, then those of each of its engines under the engine's name. */
static void put_stage(const df_stage *stage, help_put *put)
{
    put(stage->name, stage->summary, stage->options);
    for (const df_engine_ops *const *e = stage->engines; e && *e; e++) {
        char section[96];
        snprintf(section, sizeof section, "%s.%s", stage->name, (*e)->name);
        if ((*e)->options)
            put(section, (*e)->summary, (*e)->options);
    }
}

void help_each_section(help_put *put)
{
    put("run", "what holds for all stages", df_run_option_table);
    for (const df_stage *const *s = df_stages; *s; s++)
        put_stage(*s, put);
}

void help_each_command(help_put *put)
{
    for (const command *c = commands; c->name; c++)
        if (c->options)
            put(c->name, c->summary, c->options);
}

static void print_options(const char *section, const char *about, const df_option *options)
{
    if (section && strchr(section, '.'))
        printf("\n  %s: %s\n", section, about);
    for (const df_option *o = options; o && o->name; o++) {
        char bounds[96];
        help_bounds(o, bounds, sizeof bounds);
        printf("  --%s%s%s (%s; %s%s)\n        %s\n", section ? section : "", section ? "." : "",
               o->name, bounds, o->initial ? "default " : "unset",
               o->initial ? o->initial[0] ? o->initial : "empty" : "", o->help);
    }
}

void help_all(FILE *to)
{
    fputs("densefusion makes densely captioned image datasets.\n\n"
          "  densefusion run photos/ -o out/     images in, captions and a page out\n\ncommands\n",
          to);
    for (const command *c = commands; c->name; c++)
        if (!c->hidden)
            fprintf(to, "  %-9s %s\n", c->name, c->summary);
    fputs("\nstages, in the order that `run` runs them; each is a command too\n", to);
    for (const df_stage *const *s = df_stages; *s; s++)
        fprintf(to, "  %-9s %s\n", (*s)->name, (*s)->summary);
    fputs("\ndensefusion COMMAND --help says more. Exit codes: 0 done, 1 failed, 2 usage, 3 "
          "stopped: the same command\n"
          "goes on where it stopped.\n",
          to);
}

static void print_flags(unsigned accepts)
{
    for (const args_flag *f = args_flags; f->name; f++) {
        char words[64];
        args_flag_words(f, words, sizeof words);
        if ((accepts | FLAG_HELP) & f->id)
            printf("  %-24s %s\n", words, f->help);
    }
    if (accepts & FLAG_SETTINGS)
        printf("  %-24s %s\n", "--section.key=value",
               "any option of any stage, as in the config file");
}

static void print_stage_options(const df_stage *stage)
{
    puts("\noptions; --key=value without a section is one of these");
    put_stage(stage, print_options);
}

int help_command(const command *c)
{
    printf("densefusion %s %s\n\n%s\n\n", c->name, c->usage, c->summary);
    print_flags(c->options ? c->accepts & ~(unsigned)FLAG_SETTINGS : c->accepts);
    if (c->options) {
        puts("\noptions");
        print_options(NULL, NULL, c->options);
    }
    if (c->stage)
        print_stage_options(df_stage_find(c->stage));
    if (c->options || c->stage || !(c->accepts & FLAG_SETTINGS))
        return EXIT_DONE;
    puts("\noptions, also keys of CONFIG.yaml, in a section of that name");
    help_each_section(print_options);
    return EXIT_DONE;
}

int help_stage(const df_stage *stage)
{
    bool source = !stage->reads || !stage->reads[0];
    printf("densefusion %s %s\n\n%s\n", stage->name,
           source ? "INPUT -o OUT [CONFIG.yaml]" : stage_command.usage, stage->summary);
    if (!source) {
        printf("reads:");
        for (const char *const *r = stage->reads; *r; r++)
            printf(" %s", *r);
        putchar('\n');
    }
    putchar('\n');
    print_flags(stage_command.accepts);
    print_stage_options(stage);
    return EXIT_DONE;
}
