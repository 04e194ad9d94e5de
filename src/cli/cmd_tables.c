/* densefusion tables: what the program's tables say, as Markdown. docs/FORMAT.md holds the columns
 * of every table of a dataset (src/tables), docs/OPTIONS.md every flag and option. */
#include <ctype.h>
#include <stdio.h>

#include "command.h"
#include "help.h"
#include "tables/tables.h"

static void put_sentence(const char *text)
{
    printf("%c%s.\n\n", toupper((unsigned char)*text), text + 1);
}

/* A cell of a Markdown table: a bar would end it, and angle brackets would be HTML. */
static void put_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '<' || *text == '*')
            putchar('\\');
        putchar(*text);
    }
}

static void put_columns(const df_column *columns)
{
    static const char *const types[] = {
        [DF_COLUMN_INT] = "integer",  [DF_COLUMN_BOOL] = "boolean", [DF_COLUMN_REAL] = "real",
        [DF_COLUMN_TEXT] = "text",    [DF_COLUMN_TEXTS] = "texts",  [DF_COLUMN_REALS] = "reals",
        [DF_COLUMN_VECTOR] = "vector"};
    puts("| column | type | meaning |\n|---|---|---|");
    for (const df_column *c = columns; c->name; c++)
        printf("| %s | %s | %s |\n", c->name, types[c->type], c->about);
}

static void put_tables(void)
{
    for (const df_table_type *const *t = df_tables; *t; t++) {
        printf("<!-- table %s -->\n", (*t)->name);
        put_sentence((*t)->about);
        put_columns((*t)->columns);
        puts("<!-- end -->");
    }
}

/* The commands that take a flag; all stages take the same ones. */
static void put_takers(const args_flag *f)
{
    const char *between = "";
    if (f->id == FLAG_HELP) {
        printf("every command");
        return;
    }
    for (const command *c = commands; c->name; c++)
        if (c->accepts & f->id) {
            printf("%s`%s`", between, c->name);
            between = ", ";
        }
    if (stage_command.accepts & f->id)
        printf("%severy stage", between);
}

static void put_flags(void)
{
    puts("## Flags\n\n| flag | meaning | taken by |\n|---|---|---|");
    for (const args_flag *f = args_flags; f->name; f++) {
        char words[64];
        args_flag_words(f, words, sizeof words);
        printf("| `%s` | ", words);
        put_cell(f->help);
        fputs(" | ", stdout);
        put_takers(f);
        puts(" |");
    }
}

static void put_default(const df_option *o)
{
    if (!o->initial)
        fputs("unset", stdout);
    else if (o->initial[0])
        printf("`%s`", o->initial);
    else
        fputs("empty", stdout);
}

/* Prints a table of options as Markdown, with a sentence about their owner. */
static void put_options(const char *section, const char *about, const df_option *options)
{
    if (!options || !options->name)
        return;
    printf("\n### %s\n\n", section);
    put_sentence(about);
    puts("| option | value | default | meaning |\n|---|---|---|---|");
    for (const df_option *o = options; o->name; o++) {
        char bounds[96];
        help_bounds(o, bounds, sizeof bounds);
        printf("| `%s.%s` | %s | ", section, o->name, bounds);
        put_default(o);
        fputs(" | ", stdout);
        put_cell(o->help);
        puts(" |");
    }
}

int cmd_tables(const command *self, const args *a)
{
    (void)self;
    (void)a;
    put_tables();
    puts("<!-- options -->");
    put_flags();
    puts("\n## Options of stages");
    help_each_section(put_options);
    puts("\n## Options of single commands");
    help_each_command(put_options);
    puts("<!-- end -->");
    return EXIT_DONE;
}
