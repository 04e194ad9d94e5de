/* densefusion man: the manual page as roff, from the same tables as --help. */
#include <stdio.h>

#include "command.h"
#include "help.h"

/* Prints text for roff: backslashes and hyphens are escaped, and no line becomes a control line by
 * accident. */
static void put_roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text == '\n' ? ' ' : *text);
    }
}

/* Prints the sections on commands and stages. */
static void put_commands(void)
{
    puts(".SH COMMANDS");
    for (const command *c = commands; c->name; c++) {
        if (c->hidden)
            continue;
        printf(".TP\n.B %s ", c->name);
        put_roff(c->usage);
        putchar('\n');
        put_roff(c->summary);
        putchar('\n');
    }
    puts(".SH STAGES\nIn the order that \\fBrun\\fR runs them; each is a command too.");
    for (const df_stage *const *s = df_stages; *s; s++) {
        printf(".TP\n.B %s\n", (*s)->name);
        put_roff((*s)->summary);
        putchar('\n');
    }
}

/* Prints the section on a stage's options. */
static void put_options(const char *section, const char *about, const df_option *options)
{
    (void)about;
    if (!options || !options->name)
        return;
    printf(".SS %s\n", section);
    for (const df_option *o = options; o->name; o++) {
        char bounds[96];
        help_bounds(o, bounds, sizeof bounds);
        printf(".TP\n.B %s.%s\n", section, o->name);
        put_roff(o->help);
        printf(" (");
        put_roff(bounds);
        if (o->initial) {
            printf("; default ");
            put_roff(o->initial[0] ? o->initial : "empty");
        }
        puts(")");
    }
}

static void put_flags(void)
{
    puts(".SH FLAGS");
    for (const args_flag *f = args_flags; f->name; f++) {
        char words[64];
        args_flag_words(f, words, sizeof words);
        printf(".TP\n.B ");
        put_roff(words);
        printf("\n%s\n", f->help);
    }
}

int cmd_man(const command *self, const args *a)
{
    (void)self;
    (void)a;
    puts(".TH DENSEFUSION 1 \"\" \"densefusion " DF_VERSION "\"\n"
         ".SH NAME\ndensefusion \\- densely captioned image datasets\n"
         ".SH SYNOPSIS\n.B densefusion run\n.I INPUT\n\\-o\n.I OUT\n"
         "[\\fICONFIG.yaml\\fR] [\\-\\-section.key=value ...]\n.br\n"
         ".B densefusion\n.I COMMAND\n[...]\n.SH DESCRIPTION\n"
         "Looks at every image of a folder, tar or list with vision experts,\n"
         "writes a dense caption from what they saw, checks the caption against it, and makes a "
         "page to look at.\n"
         "Standard output is data, standard error is talk.");
    put_commands();
    put_flags();
    puts(".SH OPTIONS\nKeys of the config file, in sections, "
         "and of the command line as \\fB\\-\\-section.key=value\\fR.");
    help_each_command(put_options);
    help_each_section(put_options);
    puts(".SH EXIT STATUS\n0 done, 1 failed, 2 usage, 3 stopped: the same command goes on where it "
         "stopped.");
    return EXIT_DONE;
}
