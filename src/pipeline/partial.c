#include "pipeline/partial.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"

enum { COLUMNS_MAX = 64, NAME_SIZE = 128 };

static const char *partial_name(const char *stage, int part, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s/part-%05d.partial", stage, part);
    return name;
}

/* Appends the rows of `from` whose image is below n_rows. */
static df_status copy_rows(const df_table *from, int64_t end, int64_t n_rows, df_table *to,
                           df_error *err)
{
    df_value values[COLUMNS_MAX];
    int n = df_table_n_columns(from);
    if (n > COLUMNS_MAX || n != df_table_n_columns(to))
        return df_fail(err, DF_FORMAT, "a partial table of other columns");
    for (int64_t i = 0; i < end && df_table_int(from, i, 0) < n_rows; i++) {
        for (int c = 0; c < n; c++)
            values[c] = df_table_value(from, i, c);
        DF_TRY(df_table_append(to, values, err));
    }
    return DF_OK;
}

static df_status append_count(df_table *t, int64_t n_rows, df_error *err)
{
    df_value values[COLUMNS_MAX];
    for (int c = 0; c < df_table_n_columns(t); c++)
        values[c] = c == 0 ? DF_INT(n_rows) : DF_NULL;
    return df_table_append(t, values, err);
}

df_status df_partial_write(const df_dataset *ds, const char *stage, int part, const df_table *t,
                           int64_t n_rows, df_error *err)
{
    char name[NAME_SIZE];
    df_column columns[COLUMNS_MAX + 1] = {{0}};
    int n = df_table_n_columns(t);
    if (n > COLUMNS_MAX)
        return df_fail(err, DF_IO, "%s: can't keep a partial table", stage);
    for (int c = 0; c < n; c++)
        columns[c] = df_table_column_at(t, c);
    df_table *copy;
    DF_TRY(df_table_create(&copy, columns, err));
    df_status status = copy_rows(t, df_table_rows(t), n_rows, copy, err);
    if (status == DF_OK)
        status = append_count(copy, n_rows, err);
    if (status == DF_OK)
        status = df_dataset_write_table(ds, partial_name(stage, part, name), copy, err);
    df_table_close(copy);
    return status;
}

static df_table *open_partial(const df_dataset *ds, const char *stage, int part)
{
    char path[PATH_MAX], name[NAME_SIZE];
    df_table *t = NULL;
    if (df_path(path, NULL, "%s/%s", df_dataset_folder(ds), partial_name(stage, part, name)) !=
            DF_OK ||
        !df_file_exists(path) || df_table_read(&t, path, NULL) != DF_OK)
        return NULL;
    return t;
}

/* A file that another run left is foreign input: it has the columns of `like`, and its rows are of
 * images below the count that ends it, in order. */
static bool is_sound(const df_table *t, const df_table *like)
{
    const int n_columns = df_table_n_columns(like);
    const int64_t end = df_table_rows(t) - 1;
    if (end < 0 || df_table_n_columns(t) != n_columns || n_columns > COLUMNS_MAX)
        return false;
    for (int c = 0; c < n_columns; c++) {
        const df_column is = df_table_column_at(t, c), wanted = df_table_column_at(like, c);
        if (is.type != wanted.type || strcmp(is.name, wanted.name) != 0)
            return false;
    }
    for (int64_t i = 0, row = 0; i <= end; i++) {
        if (df_table_null(t, i, 0) || df_table_int(t, i, 0) < row)
            return false;
        row = df_table_int(t, i, 0);
    }
    return end == 0 || df_table_int(t, end - 1, 0) < df_table_int(t, end, 0);
}

int64_t df_partial_rows(const df_dataset *ds, const char *stage, int part, const df_table *like)
{
    df_table *t = open_partial(ds, stage, part);
    int64_t n = t && is_sound(t, like) ? df_table_int(t, df_table_rows(t) - 1, 0) : 0;
    df_table_close(t);
    return n;
}

df_status df_partial_read(const df_dataset *ds, const char *stage, int part, int64_t n_rows,
                          df_table *to, df_error *err)
{
    if (n_rows == 0)
        return DF_OK;
    df_table *t = open_partial(ds, stage, part);
    if (!t || df_table_rows(t) == 0) {
        df_table_close(t);
        return df_fail(err, DF_FORMAT, "%s/part-%05d.partial: can't be read any more", stage, part);
    }
    df_status status = copy_rows(t, df_table_rows(t) - 1, n_rows, to, err);
    df_table_close(t);
    return status;
}

void df_partial_remove(const df_dataset *ds, const char *stage, int part)
{
    char name[NAME_SIZE];
    /* else df_partial_tidy does it */
    (void)df_folder_remove(df_dataset_files(ds), partial_name(stage, part, name), NULL);
}

/* What is left when every part is there: checkpoints of other names. */
static bool is_partial(const char *name, const void *ctx)
{
    const char *dot = strrchr(name, '.');
    (void)ctx;
    return dot && strcmp(dot, ".partial") == 0;
}

void df_partial_tidy(const df_dataset *ds, const char *stage)
{
    int n = df_dataset_parts(ds), n_done = 0;
    for (int part = 0; part < n; part++)
        if (df_dataset_has_part(ds, stage, part)) {
            df_partial_remove(ds, stage, part);
            n_done++;
        }
    if (n_done == n)
        (void)df_folder_remove_chosen(df_dataset_files(ds), stage, is_partial, NULL, NULL);
}
