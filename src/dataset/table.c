/* Tables in memory by column; Parquet in and out through DuckDB. The only file that knows DuckDB. */
#include "dataset/table.h"

#include <duckdb.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

typedef struct {
    df_column column;                        /* the name is owned */
    bool *null;
    union { int64_t *i; double *f; char **s; } data;
} column_data;

struct df_table {
    int n_columns;
    int64_t n_rows, capacity;
    column_data *columns;
};

typedef struct { duckdb_database database; duckdb_connection connection; } session;

/* ---- in memory ---- */

df_status df_table_create(df_table **out, const df_column *columns, df_error *err)
{
    int n = 0;
    while (columns[n].name)
        n++;
    df_table *t = calloc(1, sizeof *t);
    if (!t)
        return df_fail(err, DF_NOMEM, "make a table: out of memory");
    t->columns = calloc((size_t)n + 1, sizeof *t->columns);
    for (int c = 0; t->columns && c < n; c++) {
        char *name = strdup(columns[c].name);
        if (!name)
            break;
        t->columns[c].column = (df_column){name, columns[c].type};
        t->n_columns++;
    }
    if (t->n_columns < n) {
        df_table_close(t);
        return df_fail(err, DF_NOMEM, "make a table: out of memory");
    }
    *out = t;
    return DF_OK;
}

void df_table_close(df_table *t)
{
    if (!t)
        return;
    for (int c = 0; c < t->n_columns; c++) {
        column_data *d = &t->columns[c];
        if (d->column.type == DF_COLUMN_TEXT)
            for (int64_t row = 0; d->data.s && row < t->n_rows; row++)
                free(d->data.s[row]);
        free(d->data.i);
        free(d->null);
        free((void *)(uintptr_t)d->column.name);
    }
    free(t->columns);
    free(t);
}

static bool grow(df_table *t)
{
    if (t->n_rows < t->capacity)
        return true;
    int64_t capacity = t->capacity ? t->capacity * 2 : 32;
    for (int c = 0; c < t->n_columns; c++) {
        column_data *d = &t->columns[c];
        bool *null = realloc(d->null, (size_t)capacity * sizeof *null);
        if (!null)
            return false;
        d->null = null;
        void *data = realloc(d->data.i, (size_t)capacity * 8);   /* every cell is 8 bytes: int64, double, pointer */
        if (!data)
            return false;
        d->data.i = data;
    }
    t->capacity = capacity;
    return true;
}
_Static_assert(sizeof(char *) <= 8 && sizeof(double) == 8, "a cell is 8 bytes");

df_status df_table_append(df_table *t, const df_value *values, df_error *err)
{
    bool ok = grow(t);
    int c = 0;
    for (; ok && c < t->n_columns; c++) {
        column_data *d = &t->columns[c];
        d->null[t->n_rows] = values[c].null;
        switch (d->column.type) {
        case DF_COLUMN_INT: d->data.i[t->n_rows] = values[c].null ? 0 : values[c].i; break;
        case DF_COLUMN_REAL: d->data.f[t->n_rows] = values[c].null ? 0 : values[c].f; break;
        case DF_COLUMN_TEXT: {
            char *copy = values[c].null ? NULL : strdup(values[c].s);
            ok = copy || values[c].null;
            d->data.s[t->n_rows] = copy;
            break;
        }
        }
    }
    if (ok) {
        t->n_rows++;
        return DF_OK;
    }
    while (c-- > 0)
        if (t->columns[c].column.type == DF_COLUMN_TEXT && t->columns[c].data.s)
            free(t->columns[c].data.s[t->n_rows]);
    return df_fail(err, DF_NOMEM, "append to a table: out of memory");
}

df_status df_table_append_table(df_table *t, const df_table *more, df_error *err)
{
    df_value *values = calloc((size_t)t->n_columns + 1, sizeof *values);
    if (!values)
        return df_fail(err, DF_NOMEM, "append to a table: out of memory");
    df_status status = DF_OK;
    for (int64_t row = 0; status == DF_OK && row < more->n_rows; row++) {
        for (int c = 0; c < t->n_columns; c++)
            values[c] = (df_value){.null = df_table_null(more, row, c), .i = df_table_int(more, row, c),
                                   .f = df_table_real(more, row, c), .s = df_table_text(more, row, c)};
        status = df_table_append(t, values, err);
    }
    free(values);
    return status;
}

int64_t df_table_rows(const df_table *t)
{
    return t->n_rows;
}

int df_table_n_columns(const df_table *t)
{
    return t->n_columns;
}

df_column df_table_column_at(const df_table *t, int column)
{
    return t->columns[column].column;
}

int df_table_column(const df_table *t, const char *name)
{
    for (int c = 0; c < t->n_columns; c++)
        if (strcasecmp(t->columns[c].column.name, name) == 0)
            return c;
    return -1;
}

bool df_table_null(const df_table *t, int64_t row, int column)
{
    return column < 0 || column >= t->n_columns || t->columns[column].null[row];
}

int64_t df_table_int(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column))
        return 0;
    const column_data *d = &t->columns[column];
    if (d->column.type == DF_COLUMN_INT)
        return d->data.i[row];
    if (d->column.type == DF_COLUMN_TEXT)
        return 0;
    double f = d->data.f[row];
    return f >= -9.2e18 && f <= 9.2e18 ? (int64_t)f : 0;
}

double df_table_real(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column) || t->columns[column].column.type == DF_COLUMN_TEXT)
        return 0;
    const column_data *d = &t->columns[column];
    return d->column.type == DF_COLUMN_INT ? (double)d->data.i[row] : d->data.f[row];
}

const char *df_table_text(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column) || t->columns[column].column.type != DF_COLUMN_TEXT)
        return "";
    return t->columns[column].data.s[row];
}

/* ---- DuckDB ---- */

static void session_close(session *s)
{
    duckdb_disconnect(&s->connection);
    duckdb_close(&s->database);
}

/* One thread, insertion order: the same rows give the same file. */
static df_status session_open(session *s, df_error *err)
{
    *s = (session){0};
    duckdb_config config = NULL;
    char *why = NULL;
    duckdb_state state = duckdb_create_config(&config);
    if (state == DuckDBSuccess) {
        duckdb_set_config(config, "threads", "1");
        duckdb_set_config(config, "autoinstall_known_extensions", "false");
        state = duckdb_open_ext(NULL, &s->database, config, &why);
    }
    duckdb_destroy_config(&config);
    if (state == DuckDBSuccess)
        state = duckdb_connect(s->database, &s->connection);
    if (state == DuckDBSuccess)
        return DF_OK;
    df_fail(err, DF_IO, "start DuckDB: %s", why ? why : "failed");
    duckdb_free(why);
    session_close(s);
    return DF_IO;
}

static df_status query(session *s, const char *sql, duckdb_result *result, df_error *err)
{
    if (duckdb_query(s->connection, sql, result) == DuckDBSuccess)
        return DF_OK;
    const char *why = duckdb_result_error(result);
    const char *line = why ? why : "failed";
    return df_fail(err, DF_FORMAT, "%.*s", (int)strcspn(line, "\n"), line);
}

static df_status query_only(session *s, const char *sql, df_error *err)
{
    duckdb_result result;
    df_status status = query(s, sql, &result, err);
    duckdb_destroy_result(&result);
    return status;
}

df_status df_sql_run(const char *sql, df_error *err)
{
    session s;
    DF_TRY(session_open(&s, err));
    df_status status = query_only(&s, sql, err);
    session_close(&s);
    return status;
}

char *df_sql_quote(const char *text)
{
    df_str quoted = {0};
    df_str_append(&quoted, "'");
    for (const char *p = text; *p; p++)
        df_str_append_n(&quoted, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    df_str_append(&quoted, "'");
    if (quoted.failed)
        df_str_free(&quoted);
    return quoted.data;
}

char *df_sql_path(const char *path)
{
    df_str literal = {0};
    for (const char *p = path; *p; p++)
        df_str_printf(&literal, strchr("*?[", *p) ? "[%c]" : "%c", *p);
    char *quoted = literal.failed ? NULL : df_sql_quote(df_str_text(&literal));
    df_str_free(&literal);
    return quoted;
}

static const char *const type_names[] = {"BIGINT", "DOUBLE", "VARCHAR"};

static df_status create_sql_table(session *s, const df_table *t, df_error *err)
{
    df_str sql = {0};
    df_str_append(&sql, "CREATE TABLE t (");
    for (int c = 0; c < t->n_columns; c++)
        df_str_printf(&sql, "%s\"%s\" %s", c ? ", " : "", t->columns[c].column.name, type_names[t->columns[c].column.type]);
    df_str_append(&sql, ")");
    df_status status = sql.failed ? df_fail(err, DF_NOMEM, "write a table: out of memory")
                                  : query_only(s, df_str_text(&sql), err);
    df_str_free(&sql);
    return status;
}

static duckdb_state append_cell(duckdb_appender appender, const column_data *d, int64_t row)
{
    if (d->null[row])
        return duckdb_append_null(appender);
    switch (d->column.type) {
    case DF_COLUMN_INT: return duckdb_append_int64(appender, d->data.i[row]);
    case DF_COLUMN_REAL: return duckdb_append_double(appender, d->data.f[row]);
    case DF_COLUMN_TEXT: break;
    }
    return duckdb_append_varchar(appender, d->data.s[row]);
}

static df_status fill_sql_table(session *s, const df_table *t, df_error *err)
{
    duckdb_appender appender = NULL;
    duckdb_state state = duckdb_appender_create(s->connection, NULL, "t", &appender);
    for (int64_t row = 0; state == DuckDBSuccess && row < t->n_rows; row++) {
        for (int c = 0; state == DuckDBSuccess && c < t->n_columns; c++)
            state = append_cell(appender, &t->columns[c], row);
        if (state == DuckDBSuccess)
            state = duckdb_appender_end_row(appender);
    }
    if (state == DuckDBSuccess)
        state = duckdb_appender_close(appender);
    df_status status = DF_OK;
    if (state != DuckDBSuccess) {
        const char *why = appender ? duckdb_appender_error(appender) : NULL;
        status = df_fail(err, DF_IO, "fill a table: %s", why ? why : "failed");
    }
    duckdb_appender_destroy(&appender);
    return status;
}

static df_status copy_out(session *s, const char *path, df_error *err)
{
    char tmp[PATH_MAX];
    if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp)
        return df_fail(err, DF_IO, "write %s: path is too long", path);
    char *quoted = df_sql_quote(tmp);
    df_str sql = {0};
    if (quoted)
        df_str_printf(&sql, "COPY t TO %s (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)", quoted);
    free(quoted);
    df_error why = {""};
    df_status status = !quoted || sql.failed ? df_fail(&why, DF_NOMEM, "out of memory") : query_only(s, df_str_text(&sql), &why);
    df_str_free(&sql);
    if (status != DF_OK) {
        unlink(tmp);
        return df_fail(err, status == DF_NOMEM ? DF_NOMEM : DF_IO, "write %s: %.300s", path, why.message);
    }
    return df_file_commit(tmp, path, err);
}

df_status df_table_write(const df_table *t, const char *path, df_error *err)
{
    session s;
    DF_TRY(session_open(&s, err));
    df_status status = create_sql_table(&s, t, err);
    if (status == DF_OK)
        status = fill_sql_table(&s, t, err);
    if (status == DF_OK)
        status = copy_out(&s, path, err);
    session_close(&s);
    return status;
}

static df_column_type column_type(duckdb_type type)
{
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN: case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT: case DUCKDB_TYPE_UTINYINT: case DUCKDB_TYPE_USMALLINT: case DUCKDB_TYPE_UINTEGER:
        return DF_COLUMN_INT;
    case DUCKDB_TYPE_FLOAT: case DUCKDB_TYPE_DOUBLE: case DUCKDB_TYPE_DECIMAL: case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UBIGINT:
        return DF_COLUMN_REAL;
    default:
        return DF_COLUMN_TEXT;
    }
}

/* The three wire types come from a cast in SQL, so that a chunk is read without a case per DuckDB type. */
static df_status cast_sql(session *s, const char *sql, df_table **out, df_str *cast, df_error *err)
{
    df_str probe = {0};
    duckdb_result result;
    df_str_printf(&probe, "SELECT * FROM (%s) LIMIT 0", sql);
    df_status status = query(s, df_str_text(&probe), &result, err);
    df_str_free(&probe);
    idx_t n = status == DF_OK ? duckdb_column_count(&result) : 0;
    df_column *columns = calloc(n + 1, sizeof *columns);
    df_str_append(cast, "SELECT ");
    for (idx_t c = 0; columns && c < n; c++) {
        columns[c] = (df_column){duckdb_column_name(&result, c), column_type(duckdb_column_type(&result, c))};
        df_str_printf(cast, "%sCAST(#%d AS %s)", c ? ", " : "", (int)c + 1, type_names[columns[c].type]);
    }
    df_str_printf(cast, " FROM (%s)", sql);
    if (status == DF_OK && (!columns || cast->failed))
        status = df_fail(err, DF_NOMEM, "read a table: out of memory");
    if (status == DF_OK)
        status = df_table_create(out, columns, err);
    free(columns);
    duckdb_destroy_result(&result);
    return status;
}

static df_status read_cell(duckdb_vector vector, column_data *d, int64_t to, idx_t from)
{
    uint64_t *valid = duckdb_vector_get_validity(vector);
    void *data = duckdb_vector_get_data(vector);
    d->null[to] = valid && !duckdb_validity_row_is_valid(valid, from);
    d->data.i[to] = 0;
    if (d->column.type == DF_COLUMN_TEXT)
        d->data.s[to] = NULL;
    if (d->null[to])
        return DF_OK;
    if (d->column.type == DF_COLUMN_INT) {
        d->data.i[to] = ((const int64_t *)data)[from];
    } else if (d->column.type == DF_COLUMN_REAL) {
        d->data.f[to] = ((const double *)data)[from];
    } else {
        duckdb_string_t *text = (duckdb_string_t *)data + from;
        d->data.s[to] = strndup(duckdb_string_t_data(text), duckdb_string_t_length(*text));
        if (!d->data.s[to])
            return DF_NOMEM;
    }
    return DF_OK;
}

static df_status read_chunk(duckdb_data_chunk chunk, df_table *t)
{
    idx_t n = duckdb_data_chunk_get_size(chunk);
    for (idx_t row = 0; row < n; row++) {
        if (!grow(t))
            return DF_NOMEM;
        bool ok = true;
        for (int c = 0; c < t->n_columns; c++)
            ok &= read_cell(duckdb_data_chunk_get_vector(chunk, (idx_t)c), &t->columns[c], t->n_rows, row) == DF_OK;
        t->n_rows++;
        if (!ok)
            return DF_NOMEM;
    }
    return DF_OK;
}

static df_status read_result(session *s, const char *sql, df_table *t, df_error *err)
{
    duckdb_result result;
    df_status status = query(s, sql, &result, err);
    while (status == DF_OK) {
        duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
        if (!chunk)
            break;
        if (read_chunk(chunk, t) != DF_OK)
            status = df_fail(err, DF_NOMEM, "read a table: out of memory");
        duckdb_destroy_data_chunk(&chunk);
    }
    duckdb_destroy_result(&result);
    return status;
}

df_status df_table_query(df_table **out, const char *sql, df_error *err)
{
    session s;
    DF_TRY(session_open(&s, err));
    df_table *t = NULL;
    df_str cast = {0};
    df_status status = cast_sql(&s, sql, &t, &cast, err);
    if (status == DF_OK)
        status = read_result(&s, df_str_text(&cast), t, err);
    df_str_free(&cast);
    session_close(&s);
    if (status == DF_OK)
        *out = t;
    else
        df_table_close(t);
    return status;
}

df_status df_table_read(df_table **out, const char *path, df_error *err)
{
    char *quoted = df_sql_path(path);
    df_str sql = {0};
    if (quoted)
        df_str_printf(&sql, "SELECT * FROM read_parquet(%s)", quoted);
    free(quoted);
    df_error why = {""};
    df_status status = !quoted || sql.failed ? df_fail(&why, DF_NOMEM, "out of memory") : df_table_query(out, df_str_text(&sql), &why);
    df_str_free(&sql);
    return status == DF_OK ? DF_OK : df_fail(err, status, "read %s: %.400s", path, why.message);
}
