#include "dataset/metadata.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/path.h"
#include "dataset/sql_text.h"

enum { GROUP_ROWS = 102400 }; /* of a Parquet row group: fifty of DuckDB's vectors */

#define AT(field) offsetof(df_metadata_config, field)
const df_option df_metadata_options[] = {
    {"min_side", DF_OPT_INT, AT(min_side), "448", 0, 1e6,
     "pixels the shorter edge must have (paper: 448)"},
    {"max_aspect", DF_OPT_REAL, AT(max_aspect), "4", 1, 1e6, "longer edge by shorter edge at most"},
    {"where", DF_OPT_TEXT, AT(where), NULL, 0, 0,
     "an SQL condition of yours over the columns: \"punsafe < 0.5 AND similarity > 0.28\""},
    {"repeated", DF_OPT_BOOL, AT(repeated), "false", 0, 1,
     "keep rows whose URL came before; dropping them costs a pass, and 32 bytes a kept URL (on "
     "disk beyond memory_mb)"},
    {"rows_per_file", DF_OPT_INT, AT(rows_per_file), "1000000", 1, 1e9,
     "about how many rows each output file has"},
    {"memory_mb", DF_OPT_INT, AT(memory_mb), "2048", 256, 1e7,
     "memory that DuckDB may use, MiB; the rows keep their order while repeated URLs fit in it, "
     "100 bytes each"},
    {0},
};

static const char *const url_names[] = {"url", "image_url", NULL};
static const char *const text_names[] = {"text", "caption", "alt_text", "alt", "title", NULL};
static const char *const width_names[] = {"width", "original_width", "image_width", NULL};
static const char *const height_names[] = {"height", "original_height", "image_height", NULL};

typedef struct {
    const df_metadata_config *config;
    int n_threads;
    df_sql *sql;
    df_str from; /* read_parquet([...]) over all inputs */
    df_str judge; /* the reason of a row `s`, as a number */
    df_str statement; /* the one at hand */
    df_folder *folder; /* KEPT.tmp, with the two below */
    char tmp[PATH_MAX], spill[PATH_MAX];
    df_metadata_result *result;
} work;

static df_status no_memory(df_error *err)
{
    return df_no_memory(err, "metadata");
}

/* ---- what is read ---- */

static df_status add_input(work *w, const char *path, df_error *err)
{
    if (!w->from.size)
        df_sql_read(&w->from, DF_SQL_PARQUET);
    return df_sql_read_file(&w->from, path, err);
}

static int is_parquet(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && n > 8 && strcasecmp(e->d_name + n - 8, ".parquet") == 0;
}

/* Adds the Parquet files of a folder in the order of their names. */
static df_status add_folder(work *w, const char *folder, df_error *err)
{
    struct dirent **entries = NULL;
    char path[PATH_MAX];
    int n = scandir(folder, &entries, is_parquet, alphasort);
    df_status status = n < 0    ? df_fail(err, DF_IO, "open %s: %s", folder, strerror(errno))
                       : n == 0 ? df_fail(err, DF_CONFIG, "%s: no .parquet file in it", folder)
                                : DF_OK;
    for (int i = 0; i < n; i++) {
        if (status == DF_OK)
            status = df_path(path, err, "%s/%s", folder, entries[i]->d_name);
        if (status == DF_OK)
            status = add_input(w, path, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static df_status add_inputs(work *w, const char *const *inputs, int n, df_error *err)
{
    struct stat st;
    for (int i = 0; i < n; i++) {
        if (stat(inputs[i], &st) != 0)
            return df_fail(err, DF_IO, "open %s: %s", inputs[i], strerror(errno));
        DF_TRY(S_ISDIR(st.st_mode) ? add_folder(w, inputs[i], err) : add_input(w, inputs[i], err));
    }
    df_sql_read_end(&w->from, DF_SQL_PARQUET, ", union_by_name = true");
    return w->from.failed ? no_memory(err) : DF_OK;
}

static df_status query(work *w, df_table **out, df_error *err)
{
    df_status status = w->statement.failed ? no_memory(err)
                       : out ? df_sql_query(w->sql, df_str_text(&w->statement), out, err)
                             : df_sql_exec(w->sql, df_str_text(&w->statement), err);
    df_str_clear(&w->statement);
    return status;
}

/* The first of `wanted` that is a column; NULL: none. Any case. */
static const char *find_column(const df_table *columns, const char *const *wanted)
{
    for (; *wanted; wanted++)
        for (int64_t i = 0; i < df_table_rows(columns); i++)
            if (strcasecmp(df_table_text(columns, i, 0), *wanted) == 0)
                return df_table_text(columns, i, 0);
    return NULL;
}

/* Quoting a column: only names that url_names and its like hold, in any case, come here. */
static void make_judge(work *w, const char *url, const char *width, const char *height)
{
    const df_metadata_config *c = w->config;
    df_str_printf(&w->judge, "CASE WHEN s.\"%s\" IS NULL OR s.\"%s\" = '' THEN %d ", url, url,
                  DF_METADATA_NO_URL);
    const char *side[2] = {width, height};
    char sides[2][160];
    for (int i = 0; i < 2; i++)
        snprintf(sides[i], sizeof sides[i], "TRY_CAST(s.\"%s\" AS DOUBLE)", side[i]);
    df_str_printf(&w->judge,
                  "WHEN (%s BETWEEN 1 AND 1e9 AND %s BETWEEN 1 AND 1e9) IS NOT TRUE THEN %d ",
                  sides[0], sides[1], DF_METADATA_NO_SIZE);
    df_str_printf(&w->judge, "WHEN least(%s, %s) < %lld THEN %d ", sides[0], sides[1],
                  (long long)c->min_side, DF_METADATA_SMALL);
    df_str_printf(&w->judge, "WHEN greatest(%s, %s) > %.17g * least(%s, %s) THEN %d ", sides[0],
                  sides[1], c->max_aspect, sides[0], sides[1], DF_METADATA_ASPECT);
    if (c->where && c->where[0])
        df_str_printf(&w->judge, "WHEN (%s\n) IS NOT TRUE THEN %d ", c->where, DF_METADATA_WHERE);
    df_str_printf(&w->judge, "ELSE %d END", DF_METADATA_KEPT);
}

/* Finds the columns of URL, text, width and height by their usual names. */
static df_status choose_columns(work *w, df_error *err)
{
    df_table *t = NULL;
    df_str_printf(&w->statement, "SELECT column_name FROM (DESCRIBE SELECT * FROM %s)",
                  df_str_text(&w->from));
    DF_TRY(query(w, &t, err));
    const char *url = find_column(t, url_names), *text = find_column(t, text_names),
               *width = find_column(t, width_names), *height = find_column(t, height_names);
    df_status status = DF_OK;
    if (url && width && height) {
        snprintf(w->result->url, sizeof w->result->url, "%s", url);
        snprintf(w->result->text, sizeof w->result->text, "%s", text ? text : "");
        make_judge(w, url, width, height);
    } else {
        df_str there = {0};
        for (int64_t i = 0; i < df_table_rows(t) && there.size < 300; i++)
            df_str_printf(&there, "%s%.60s", i ? ", " : "", df_table_text(t, i, 0));
        status = df_fail(err, DF_FORMAT, "no column %s; there are: %s",
                         !url     ? "url"
                         : !width ? "width or original_width"
                                  : "height or original_height",
                         df_str_text(&there));
        df_str_free(&there);
    }
    df_table_close(t);
    return status == DF_OK && w->judge.failed ? no_memory(err) : status;
}

/* ---- the passes ---- */

#define PLACE "((s.file_index::BIGINT << 40) + s.file_row_number)"

/* URLs that come more than once, as 128-bit hashes, with the place of the first. DuckDB's own
 * 64-bit hash of text would be faster, but it took two of 1.5 million URLs for one. */
static df_status find_repeated(work *w, df_error *err)
{
    df_table *t = NULL;
    df_str_printf(&w->statement,
                  "CREATE TEMP TABLE repeated AS SELECT md5_number(s.\"%s\") AS h, min(" PLACE
                  ") AS first, count(*) AS n FROM %s s "
                  "WHERE %s = %d GROUP BY h HAVING count(*) > 1",
                  w->result->url, df_str_text(&w->from), df_str_text(&w->judge), DF_METADATA_KEPT);
    DF_TRY(query(w, NULL, err));
    df_str_append(&w->statement, "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM repeated");
    DF_TRY(query(w, &t, err));
    w->result->n[DF_METADATA_REPEATED] = df_table_int(t, 0, 0);
    df_table_close(t);
    return DF_OK;
}

static df_status count(work *w, df_error *err)
{
    df_table *t = NULL;
    int64_t n_repeated = w->result->n[DF_METADATA_REPEATED];
    df_str_printf(&w->statement, "SELECT %s AS why, count(*) AS n FROM %s s GROUP BY why",
                  df_str_text(&w->judge), df_str_text(&w->from));
    DF_TRY(query(w, &t, err));
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        w->result->n[df_table_int(t, i, 0)] = df_table_int(t, i, 1);
        w->result->n_in += df_table_int(t, i, 1);
    }
    w->result->n[DF_METADATA_KEPT] -= n_repeated;
    df_table_close(t);
    return DF_OK;
}

/* On one thread: only so do the rows stay in their order across files, and the files are the same
 * each time. */
static df_status copy_kept(work *w, df_error *err)
{
    int64_t per_file = w->config->rows_per_file,
            group = per_file < GROUP_ROWS ? per_file : GROUP_ROWS;
    char options[160];
    df_str_printf(&w->statement, "SET threads = 1; COPY (SELECT s.* FROM %s s WHERE %s = %d",
                  df_str_text(&w->from), df_str_text(&w->judge), DF_METADATA_KEPT);
    /* so that each row passes in its place, which an outer join would not do */
    if (w->result->n[DF_METADATA_REPEATED])
        df_str_printf(&w->statement,
                      " AND NOT (md5_number(s.\"%s\") IN (SELECT h FROM repeated) AND " PLACE
                      " NOT IN (SELECT first FROM repeated))",
                      w->result->url);
    df_str_append(&w->statement, ")");
    snprintf(options, sizeof options,
             ", ROW_GROUP_SIZE %lld, ROW_GROUPS_PER_FILE %lld, FILENAME_PATTERN 'part-{i}', "
             "OVERWRITE_OR_IGNORE true",
             (long long)group, (long long)((per_file + group - 1) / group));
    df_sql_to_parquets(&w->statement, w->tmp, options);
    return query(w, NULL, err);
}

/* DuckDB counts without leading zeros: the order of names would not be that of the rows. */
static df_status name_files(work *w, df_error *err)
{
    char from[PATH_MAX + 32], to[PATH_MAX + 32];
    for (int i = 0;; i++) {
        snprintf(from, sizeof from, "%s/part-%d.parquet", w->tmp, i);
        snprintf(to, sizeof to, "%s/part-%05d.parquet", w->tmp, i);
        if (!df_file_exists(from))
            return DF_OK;
        DF_TRY(df_file_commit(from, to, err));
        w->result->n_files++;
    }
}

static df_status filter(work *w, df_error *err)
{
    DF_TRY(df_sql_open(&w->sql, w->config->memory_mb, w->spill, err));
    df_str_printf(&w->statement, "SET threads = %d", w->n_threads);
    DF_TRY(query(w, NULL, err));
    DF_TRY(choose_columns(w, err));
    if (!w->config->repeated)
        DF_TRY(find_repeated(w, err));
    DF_TRY(count(w, err));
    if (w->result->n[DF_METADATA_KEPT] > 0)
        DF_TRY(copy_kept(w, err));
    return name_files(w, err);
}

/* ---- the folder ---- */

/* KEPT.tmp is ours while a run is at work: what a killed one left there is deleted, and KEPT comes
 * to be in one step. */
static df_status make_folders(work *w, const char *out, df_error *err)
{
    char beside[PATH_MAX];
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/')
        n--;
    DF_TRY(df_path(beside, err, "%.*s.tmp", (int)n, out));
    if (df_file_exists(out))
        return df_fail(err, DF_CONFIG, "%s exists: choose another name, or remove it first", out);
    DF_TRY(df_folder_create(&w->folder, beside, "metadata", err));
    DF_TRY(df_folder_scratch(w->folder, "parts", w->tmp, err));
    return df_folder_scratch(w->folder, "spill", w->spill, err);
}

static df_status make_kept(work *w, const char *const *inputs, int n_inputs, const char *out,
                           df_error *err)
{
    DF_TRY(make_folders(w, out, err));
    DF_TRY(add_inputs(w, inputs, n_inputs, err));
    DF_TRY(filter(w, err));
    return rename(w->tmp, out) == 0
               ? DF_OK
               : df_fail(err, DF_IO, "rename %s to %s: %s", w->tmp, out, strerror(errno));
}

df_status df_metadata_filter(const char *const *inputs, int n_inputs, const char *out,
                             const df_metadata_config *config, int n_threads,
                             df_metadata_result *result, df_error *err)
{
    df_metadata_result found = {0};
    work w = {.config = config, .n_threads = n_threads < 1 ? 1 : n_threads, .result = &found};
    df_error why = {""};
    df_status status = make_kept(&w, inputs, n_inputs, out, &why);
    df_sql_close(w.sql);
    df_str_free(&w.from);
    df_str_free(&w.judge);
    df_str_free(&w.statement);
    df_folder_dissolve(w.folder);
    if (status == DF_OK)
        *result = found;
    return status == DF_OK ? DF_OK : df_fail(err, status, "metadata: %.480s", why.message);
}
