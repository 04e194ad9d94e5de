/* densefusion tables: the columns of every table as Markdown, from src/tables. docs/FORMAT.md holds
 * the output. */
#include <ctype.h>
#include <stdio.h>

#include "command.h"
#include "tables/tables.h"

static void put_sentence(const char *text)
{
    printf("%c%s.\n\n", toupper((unsigned char)*text), text + 1);
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

int cmd_tables(const command *self, const args *a)
{
    (void)self;
    (void)a;
    for (const df_table_type *const *t = df_tables; *t; t++) {
        printf("<!-- table %s -->\n", (*t)->name);
        put_sentence((*t)->about);
        put_columns((*t)->columns);
        puts("<!-- end -->");
    }
    return EXIT_DONE;
}
