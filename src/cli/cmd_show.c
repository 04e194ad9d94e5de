/* densefusion show: everything that the tables of all stages say of one image. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "dataset/sql_text.h"
#include "cell.h"
#include "put.h"
#include "tables/tables.h"

enum { LINE_WIDTH = 96, INLINE_MAX = 60, INDENT = 15 };

/* ---- which image ---- */

/* Looks for an image by its path in every part. */
static df_status find_path(const df_dataset *ds, const char *path, df_place *id, bool *found,
                           df_error *err)
{
    int n = df_dataset_parts(ds);
    *found = false;
    for (int part = 0; part < n && !*found; part++) {
        char *file = df_dataset_part_path(ds, "ingest", part, "parquet");
        df_str sql = {0};
        df_table *t = NULL;
        df_str_append(&sql, "SELECT \"row\" FROM ");
        df_status status = df_sql_read_parquet(&sql, file, "", err);
        df_str_append(&sql, " WHERE path = ");
        df_sql_append_quoted(&sql, path);
        if (status == DF_OK)
            status =
                sql.failed ? df_no_memory(err, "show") : df_table_query(&t, df_str_text(&sql), err);
        if (status == DF_OK && df_table_rows(t) > 0) {
            *id = (df_place){part, df_table_int(t, 0, 0)};
            *found = true;
        }
        df_table_close(t);
        df_str_free(&sql);
        free(file);
        DF_TRY(status);
    }
    return DF_OK;
}

/* Finds an image by its path or its id. */
static df_status find_image(const df_dataset *ds, const char *text, df_place *id, df_error *err)
{
    bool found;
    DF_TRY(find_path(ds, text, id, &found, err));
    if (found)
        return DF_OK;
    if (!df_place_parse(text, id))
        return df_fail(err, DF_FORMAT, "%s: no image of that path, and not an id like 00000-000012",
                       text);
    if (!df_dataset_has_part(ds, "ingest", id->part))
        return df_fail(err, DF_FORMAT, "%s: the dataset has %d parts", text, df_dataset_parts(ds));
    df_table *t;
    DF_TRY(df_dataset_read(ds, &df_ingest_table, id->part, &t, err));
    int64_t rows = df_table_rows(t);
    df_table_close(t);
    return id->row < rows ? DF_OK
                          : df_fail(err, DF_FORMAT, "%s: part %d has %lld images", text, id->part,
                                    (long long)rows);
}

/* ---- for people ---- */

/* Prints text in lines of LINE_WIDTH, broken at spaces; its own line breaks stay. */
static void print_wrapped(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n > LINE_WIDTH) {
            n = LINE_WIDTH;
            while (n > 0 && text[n] != ' ')
                n--;
            n = n ? n : strcspn(text, " \n");
        }
        printf("%*s", INDENT, "");
        put_text(stdout, text, n);
        putchar('\n');
        text += n;
        text += *text == ' ' || *text == '\n';
    }
}

/* The words of a cell; a list's items stand side by side. */
static void append_words(df_str *out, const df_table *t, int64_t row, int column)
{
    const df_value v = df_table_value(t, row, column);
    switch (df_table_column_at(t, column).type) {
    case DF_COLUMN_INT:
        df_str_printf(out, "%lld", (long long)v.i);
        break;
    case DF_COLUMN_BOOL:
        df_str_append(out, v.i ? "yes" : "no");
        break;
    case DF_COLUMN_REAL:
        df_str_printf(out, "%.4g", v.f);
        break;
    case DF_COLUMN_TEXT:
        df_str_append(out, v.s);
        break;
    case DF_COLUMN_TEXTS:
        for (int64_t i = 0; i < v.n; i++)
            df_str_printf(out, "%s%s", i ? "; " : "", v.texts[i]);
        break;
    case DF_COLUMN_REALS:
        for (int64_t i = 0; i < v.n; i++)
            df_str_printf(out, "%s%.4g", i ? "; " : "", v.reals[i]);
        break;
    case DF_COLUMN_VECTOR:
        df_str_printf(out, "%lld numbers", (long long)v.n);
        break;
    }
}

/* For a row of dedup, prints the earlier image to which it is most similar, or for which it was
 * removed. */
static df_status print_nearest(const df_dataset *ds, const df_table *t, int64_t at, df_error *err)
{
    if (df_table_null(t, at, DF_DEDUP_NEAREST_PART) || df_table_null(t, at, DF_DEDUP_NEAREST_ROW))
        return DF_OK;
    int64_t part = df_table_int(t, at, DF_DEDUP_NEAREST_PART),
            row = df_table_int(t, at, DF_DEDUP_NEAREST_ROW);
    df_table *ingest = NULL;
    char name[DF_PLACE_ID_MAX];
    if (part < 0 || part >= df_dataset_parts(ds))
        return DF_OK;
    DF_TRY(df_dataset_read(ds, &df_ingest_table, (int)part, &ingest, err));
    bool removed = !df_table_bool(t, at, DF_DEDUP_KEPT);
    df_place_print((df_place){(int32_t)part, row}, name);
    printf("%*s%s %s ", INDENT, "", removed ? "in favour of" : "most like", name);
    if (row >= 0 && row < df_table_rows(ingest))
        put_words(stdout, "%s", df_table_text(ingest, row, DF_INGEST_PATH));
    putchar('\n');
    df_table_close(ingest);
    return DF_OK;
}

static bool is_long(const char *words)
{
    return strlen(words) > INLINE_MAX || strchr(words, '\n');
}

/* Prints the cells of a row: those with long text, each below its name, or the others side by
 * side. */
static df_status print_cells(const df_table *t, int64_t row, bool wide, df_error *err)
{
    df_str words = {0};
    int printed = 0;
    for (int c = 1; c < df_table_n_columns(t) && !words.failed; c++) {
        df_str_clear(&words);
        if (!df_table_null(t, row, c))
            append_words(&words, t, row, c);
        const char *text = df_str_text(&words);
        if (!*text || is_long(text) != wide)
            continue;
        const char *name = df_table_column_at(t, c).name;
        if (!wide) {
            put_words(stdout, "%s%s %s", printed++ ? "  " : "", name, text);
            continue;
        }
        put_line(stdout, "%*s%s:", INDENT, "", name);
        print_wrapped(text);
    }
    const bool failed = words.failed;
    df_str_free(&words);
    return failed ? df_no_memory(err, "show") : DF_OK;
}

/* Prints short values on one line and long texts below. */
static df_status print_row(const df_table *t, int64_t row, const char *stage, df_error *err)
{
    printf("%-*s ", INDENT - 1, stage);
    DF_TRY(print_cells(t, row, false, err));
    putchar('\n');
    return print_cells(t, row, true, err);
}

/* ---- all tables ---- */

/* Shows the rows of one table that are of the image. */
static df_status show_table(const df_dataset *ds, const df_table_type *type, df_place id,
                            df_json_writer *json, df_error *err)
{
    const char *stage = type->name;
    df_table *t = NULL;
    int n = 0;
    if (!df_dataset_has_part(ds, stage, id.part))
        return DF_OK;
    DF_TRY(df_dataset_read(ds, type, id.part, &t, err));
    if (json)
        df_json_begin_list(json, stage);
    df_status status = DF_OK;
    for (int64_t i = 0; i < df_table_rows(t) && status == DF_OK; i++) {
        if (df_table_int(t, i, DF_ROW) != id.row)
            continue;
        if (json) {
            put_row(json, t, i);
        } else {
            status = print_row(t, i, n ? "" : stage, err);
            if (status == DF_OK && type == &df_dedup_table)
                status = print_nearest(ds, t, i, err);
        }
        n++;
    }
    if (json)
        df_json_end(json);
    df_table_close(t);
    return status;
}

static df_status show_tables(const df_dataset *ds, df_place id, df_json_writer *json, df_error *err)
{
    for (const df_table_type *const *t = df_tables; *t; t++)
        if (*t != &df_skipped_table)         /* its rows are of no image */
            DF_TRY(show_table(ds, *t, id, json, err));
    return DF_OK;
}

/* Shows everything that is known of the image, for people or as JSON. */
static df_status show_image(const df_dataset *ds, df_place id, bool as_json, df_error *err)
{
    char name[DF_PLACE_ID_MAX];
    df_place_print(id, name);
    if (!as_json) {
        printf("%-*s%s\n", INDENT, "id", name);
        return show_tables(ds, id, NULL, err);
    }
    df_str text = {0};
    df_json_writer w = {.out = &text, .lines = 2};
    df_json_begin_object(&w, NULL);
    df_json_put_text(&w, "id", name);
    df_status status = show_tables(ds, id, &w, err);
    df_json_end(&w);
    if (status == DF_OK)
        status = put_json(&text, err);
    df_str_free(&text);
    return status;
}

int cmd_show(const command *self, const args *a)
{
    if (a->n_positional != 2)
        return command_usage(self, "a dataset folder and an image are needed");
    df_dataset *ds = NULL;
    df_place id = {0};
    df_error err = {""};
    df_status status = df_dataset_open(&ds, a->positional[0], &err);
    if (status == DF_OK)
        status = find_image(ds, a->positional[1], &id, &err);
    if (status == DF_OK)
        status = show_image(ds, id, (a->given & FLAG_JSON) != 0, &err);
    df_dataset_close(ds);
    return command_failed(status, &err);
}
