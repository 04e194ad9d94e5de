#include "stage/import/evidence_import.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "dataset/sql_text.h"
#include "stage/import/evidence_files.h"

enum { MEMORY_MB = 1024, TEXT_MAX_BYTES = 4000 };

/* What becomes of a row; the first that applies. */
enum { TAKEN, NO_TEXT, NO_SCORE, NO_PLACE, OUTSIDE, NO_IMAGE, N_FATES };
static const char *const fates[N_FATES] = {"taken",
                                           "without words (or more than 4,000 bytes)",
                                           "with a score that is no number from 0 to 1",
                                           "with a place that is none",
                                           "outside their image",
                                           "of no image of this dataset"};

/* The columns that an imported table must have for each stage. sides: how many coordinates; 0 none,
 * 4 a box, 8 a quadrilateral, for which a box is accepted too. */
typedef struct {
    const char *stage, *text;
    int sides;
    bool source, paragraph;
} shape;
static const shape shapes[] = {{"tag", "tag", 0, true, false},
                               {"detect", "label", 4, true, false},
                               {"read", "text", 8, false, true}};
static const char *const sides[] = {"x0", "y0", "x1", "y1", "x2", "y2", "x3", "y3"};

struct df_evidence_import {
    df_sql *sql;
    const shape *shape;
    df_str from; /* SQL: the rows as they came */
    df_str judge; /* SQL: the fate of a row; s: the row, i: its image */
    df_str statement;
    df_table *columns; /* their names */
    char *path; /* what the user said, for messages */
    pthread_mutex_t lock; /* over what follows */
    int part; /* of `table`; -1: none */
    df_table *table;
};

static df_status no_memory(const df_evidence_import *e, df_error *err)
{
    return df_no_memory(err, "%s.from", e->shape->stage);
}

static df_status query(df_evidence_import *e, df_table **out, df_error *err)
{
    df_error why = {""};
    df_status status = e->statement.failed ? df_no_memory(&why, NULL)
                       : out ? df_sql_query(e->sql, df_str_text(&e->statement), out, &why)
                             : df_sql_exec(e->sql, df_str_text(&e->statement), &why);
    df_str_clear(&e->statement);
    return status == DF_OK ? DF_OK
                           : df_fail(err, status, "%s.from: %.100s: %.350s", e->shape->stage,
                                     e->path, why.message);
}

/* ---- which column is which ---- */

static bool has(const df_evidence_import *e, const char *name)
{
    for (int64_t i = 0; i < df_table_rows(e->columns); i++)
        if (strcasecmp(df_table_text(e->columns, i, 0), name) == 0)
            return true;
    return false;
}

static df_status no_column(const df_evidence_import *e, const char *wanted, df_error *err)
{
    df_str there = {0};
    for (int64_t i = 0; i < df_table_rows(e->columns) && there.size < 250; i++) {
        const char *name = df_table_text(e->columns, i, 0);
        df_str_append(&there, i ? ", " : "");
        df_str_append_clean(&there, name, strlen(name), 60);
    }
    df_status status = df_fail(err, DF_CONFIG, "%s.from: %.100s: no column %s; there are: %s",
                               e->shape->stage, e->path, wanted, df_str_text(&there));
    df_str_free(&there);
    return status;
}

static const char *text_column(const df_evidence_import *e)
{
    return has(e, e->shape->text) || e->shape->sides ? e->shape->text : "label";
}

static df_status check_columns(const df_evidence_import *e, df_error *err)
{
    if (!has(e, "path") && !has(e, "url"))
        return no_column(e, "path or url, which tells whose the rows are", err);
    if (!has(e, text_column(e)))
        return no_column(e, e->shape->text, err);
    for (int k = 0; k < (e->shape->sides ? 4 : 0); k++)
        if (!has(e, sides[k]))
            return no_column(e, sides[k], err);
    return DF_OK;
}

/* ---- the SQL ---- */

/* A side of a quad that is told as a box: its corners clockwise from the top left. */
static const char *side_of(const df_evidence_import *e, int k)
{
    static const char *const of_box[] = {"x0", "y0", "x1", "y0", "x1", "y1", "x0", "y1"};
    return e->shape->sides == 8 && !has(e, "x2") ? of_box[k] : sides[k];
}

/* The view `said`: each row with its place (seq), key, words, score, source and sides, NULL where
 * they are none. */
static df_status view_rows(df_evidence_import *e, df_error *err)
{
    df_str *s = &e->statement;
    df_str_printf(s,
                  "CREATE TEMP VIEW said AS SELECT df_seq AS seq, CAST(\"%s\" AS VARCHAR) AS key, "
                  "regexp_replace(CAST(\"%s\" AS VARCHAR), '[[:cntrl:]]', ' ', 'g') AS words, ",
                  has(e, "path") ? "path" : "url", text_column(e));
    df_str_append(s, has(e, "score") ? "TRY_CAST(score AS DOUBLE) AS score" : "1::DOUBLE AS score");
    if (e->shape->source)
        df_str_append(s, has(e, "source") ? ", coalesce(regexp_replace(CAST(source AS VARCHAR), "
                                            "'[[:cntrl:]]', ' ', 'g'), 'imported') AS source"
                                          : ", 'imported' AS source");
    for (int k = 0; k < e->shape->sides; k++)
        df_str_printf(s, ", TRY_CAST(\"%s\" AS DOUBLE) AS %s", side_of(e, k), sides[k]);
    if (e->shape->paragraph)
        df_str_append(s, has(e, "paragraph") ? ", TRY_CAST(paragraph AS BIGINT) AS paragraph"
                                             : ", NULL::BIGINT AS paragraph");
    df_str_printf(s, " FROM %s", df_str_text(&e->from));
    return query(e, NULL, err);
}

/* The view `images`: every name of every image of the dataset. An image may have the same name
 * twice, told once. */
static df_status view_images(df_evidence_import *e, const df_dataset *ds, df_error *err)
{
    df_str ingest = {0}, full = {0};
    df_status status = df_dataset_append_sql(ds, "ingest", &ingest, err);
    df_str_append(&full, "concat(");
    df_sql_append_quoted(&full, df_dataset_input(ds));
    df_str_append(&full, ", '/', path)");
    df_str_append(&e->statement, "CREATE TEMP VIEW images AS ");
    const char *const names[] = {"path", "url", df_str_text(&full)};
    for (int k = 0; k < 3; k++)
        df_str_printf(
            &e->statement,
            "%sSELECT %s AS key, file_index::BIGINT AS part, \"row\", width, height FROM %s",
            k ? " UNION " : "", names[k], df_str_text(&ingest));
    e->statement.failed |= full.failed || ingest.failed;
    df_str_free(&full);
    df_str_free(&ingest);
    if (status == DF_OK)
        return query(e, NULL, err);
    df_str_clear(&e->statement);
    return status;
}

static void append_sides(df_str *s, const char *function, int first, int n)
{
    df_str_append(s, function);
    for (int k = first; k < n; k += 2)
        df_str_printf(s, "%ss.%s", k > first ? ", " : "", sides[k]);
    df_str_append(s, ")");
}

/* NaN is above every number for DuckDB. */
static void make_judge(df_evidence_import *e)
{
    df_str *s = &e->judge;
    const int n = e->shape->sides;
    df_str_printf(
        s,
        "CASE WHEN (length(trim(s.words)) > 0 AND strlen(s.words) <= %d) IS NOT TRUE THEN %d "
        "WHEN (s.score BETWEEN 0 AND 1) IS NOT TRUE THEN %d ",
        TEXT_MAX_BYTES, NO_TEXT, NO_SCORE);
    if (n) {
        df_str_append(s, "WHEN (");
        for (int k = 0; k < n; k++)
            df_str_printf(s, "%sabs(s.%s) < 1e9", k ? " AND " : "", sides[k]);
        for (int axis = 0; axis < 2; axis++) {
            append_sides(s, n == 4 ? " AND (" : " AND greatest(", axis + (n == 4 ? 2 : 0), n);
            append_sides(s, n == 4 ? " > (" : " > least(", axis, n == 4 ? 2 : n);
        }
        df_str_printf(s, ") IS NOT TRUE THEN %d ", NO_PLACE);
    }
    df_str_printf(s, "WHEN i.part IS NULL THEN %d ", NO_IMAGE);
    if (n) {
        df_str_append(s, "WHEN (");
        append_sides(s, "greatest(", 0, n);
        append_sides(s, " <= 0 OR greatest(", 1, n);
        append_sides(s, " <= 0 OR least(", 0, n);
        append_sides(s, " >= i.width OR least(", 1, n);
        df_str_printf(s, " >= i.height) IS TRUE THEN %d ", OUTSIDE);
    }
    df_str_printf(s, "ELSE %d END", TAKEN);
}

/* Counts what becomes of the rows of evidence: taken, or why not. */
static df_status count(df_evidence_import *e, df_str *told, df_error *err)
{
    df_table *t = NULL;
    int64_t n[N_FATES] = {0}, n_in, n_out = 0;
    df_str_append(&e->statement, "SELECT count(*) FROM said");
    DF_TRY(query(e, &t, err));
    n_in = df_table_int(t, 0, 0);
    df_table_close(t);
    t = NULL;
    df_str_printf(
        &e->statement,
        "SELECT %s AS fate, count(*) FROM said s LEFT JOIN images i ON s.key = i.key GROUP BY fate",
        df_str_text(&e->judge));
    DF_TRY(query(e, &t, err));
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        n[df_table_int(t, i, 0)] = df_table_int(t, i, 1);
        n_out += df_table_int(t, i, 1);
    }
    df_table_close(t);
    df_str_printf(told, "%s.from: %lld rows", e->shape->stage, (long long)n_in);
    if (n_out > n_in)
        df_str_printf(told, ", %lld more for images that share a name", (long long)(n_out - n_in));
    for (int k = 0; k < N_FATES; k++)
        if (n[k] || k == TAKEN)
            df_str_printf(told, "%s %lld %s", k ? "," : ":", (long long)n[k], fates[k]);
    return told->failed ? no_memory(e, err) : DF_OK;
}

/* Boxes are cut at the image's border. */
static df_status take(df_evidence_import *e, df_error *err)
{
    df_str *s = &e->statement;
    df_str_append(s,
                  "CREATE TEMP TABLE taken AS SELECT i.part, i.\"row\", s.seq, s.words, s.score");
    for (int k = 0; k < e->shape->sides; k++)
        if (e->shape->sides == 4)
            df_str_printf(s, ", least(greatest(s.%s, 0), coalesce(i.%s, s.%s)) AS %s", sides[k],
                          k % 2 ? "height" : "width", sides[k], sides[k]);
        else
            df_str_printf(s, ", s.%s", sides[k]);
    if (e->shape->source)
        df_str_append(s, ", s.source");
    if (e->shape->paragraph)
        df_str_append(s, ", coalesce(s.paragraph, row_number() OVER (PARTITION BY i.part, "
                         "i.\"row\" ORDER BY s.seq) - "
                         "1) AS paragraph");
    df_str_printf(s,
                  " FROM said s JOIN images i ON s.key = i.key WHERE %s = %d ORDER BY i.part, "
                  "i.\"row\", s.seq",
                  df_str_text(&e->judge), TAKEN);
    return query(e, NULL, err);
}

/* ---- opening ---- */

/* Reads the files, joins their rows with the images of the dataset, and keeps those that fit. */
static df_status import(df_evidence_import *e, const df_dataset *ds, const char *from, df_str *told,
                        df_error *err)
{
    char name[64], spill[PATH_MAX];
    snprintf(name, sizeof name, "import-%s", e->shape->stage);
    DF_TRY(df_folder_scratch(df_dataset_files(ds), name, spill, err));
    DF_TRY(df_evidence_files_sql(e->shape->stage, from, &e->from, err));
    DF_TRY(df_sql_open(&e->sql, MEMORY_MB, spill, err));
    df_str_printf(&e->statement,
                  "SELECT column_name FROM (DESCRIBE SELECT * EXCLUDE (df_seq) FROM %s)",
                  df_str_text(&e->from));
    DF_TRY(query(e, &e->columns, err));
    DF_TRY(check_columns(e, err));
    make_judge(e);
    if (e->judge.failed)
        return no_memory(e, err);
    DF_TRY(view_rows(e, err));
    DF_TRY(view_images(e, ds, err));
    if (told)
        DF_TRY(count(e, told, err));
    return take(e, err);
}

df_status df_evidence_import_open(df_evidence_import **out, const df_dataset *ds, const char *stage,
                                  const char *from, df_str *told, df_error *err)
{
    if (!ds)
        return df_fail(err, DF_CONFIG,
                       "%s.from: the evidence of one image alone cannot be imported", stage);
    df_evidence_import *e = calloc(1, sizeof *e);
    if (!e)
        return df_no_memory(err, "%s.from", stage);
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        if (strcmp(shapes[k].stage, stage) == 0)
            e->shape = &shapes[k];
    e->part = -1;
    e->path = strdup(from);
    pthread_mutex_init(&e->lock, NULL);
    df_status status = e->path ? import(e, ds, from, told, err) : no_memory(e, err);
    if (status == DF_OK)
        *out = e;
    else
        df_evidence_import_close(e);
    return status;
}

void df_evidence_import_close(df_evidence_import *e)
{
    if (!e)
        return;
    df_table_close(e->table);
    df_table_close(e->columns);
    df_sql_close(e->sql);
    df_str_free(&e->from);
    df_str_free(&e->judge);
    df_str_free(&e->statement);
    pthread_mutex_destroy(&e->lock);
    free(e->path);
    free(e);
}

/* ---- one image ---- */

static df_status load(df_evidence_import *e, int part, df_error *err)
{
    if (e->part == part)
        return DF_OK;
    df_table_close(e->table);
    e->table = NULL;
    e->part = -1;
    df_str_printf(&e->statement,
                  "SELECT * EXCLUDE (part, seq, words), words AS %s FROM taken WHERE part = %d "
                  "ORDER BY \"row\", seq",
                  e->shape->text, part);
    DF_TRY(query(e, &e->table, err));
    e->part = part;
    return DF_OK;
}

enum { COLUMNS_MAX = 16 };

/* paragraph_from: added to a line's paragraph, so that it is none of those before. */
static df_status append_row(const df_table *from, int64_t i, int64_t paragraph_from, df_table *to,
                            df_error *err)
{
    df_value values[COLUMNS_MAX];
    for (int c = 0; c < df_table_n_columns(to) && c < COLUMNS_MAX; c++) {
        const df_column column = df_table_column_at(to, c);
        const int k = df_table_column(from, column.name);
        values[c] = df_table_null(from, i, k)       ? DF_NULL
                    : column.type == DF_COLUMN_INT  ? DF_INT(df_table_int(from, i, k))
                    : column.type == DF_COLUMN_REAL ? DF_REAL(df_table_real(from, i, k))
                                                    : DF_TEXT(df_table_text(from, i, k));
        if (strcmp(column.name, "paragraph") == 0)
            values[c].i += paragraph_from;
    }
    return df_table_append(to, values, err);
}

df_status df_evidence_import_append(df_evidence_import *e, int part, int64_t row, df_table *to,
                                    df_error *err)
{
    if (!e)
        return DF_OK;
    pthread_mutex_lock(&e->lock);
    df_status status = load(e, part, err);
    const df_table *t = e->table;
    pthread_mutex_unlock(&e->lock);
    if (status != DF_OK)
        return status;
    const int of_row = df_table_column(t, "row"), paragraph = df_table_column(to, "paragraph");
    const int64_t before = df_table_rows(to);
    const int64_t paragraph_from =
        before && paragraph >= 0 ? df_table_int(to, before - 1, paragraph) + 1 : 0;
    for (int64_t i = df_table_first(t, of_row, row);
         status == DF_OK && i < df_table_rows(t) && df_table_int(t, i, of_row) == row; i++)
        status = append_row(t, i, paragraph_from, to, err);
    return status;
}
