/* Tables to and from Parquet, CSV and JSONL, and SQL over them, through DuckDB. The only file that
 * knows DuckDB.
 *
 * DuckDB is loaded by the first call: its 70 MB cost 10 ms, which `densefusion --help` need not
 * pay. */
#include <dlfcn.h>
#include <duckdb.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "dataset/sql_text.h"
#include "dataset/table_data.h"

typedef struct df_sql {
    duckdb_database own;
    duckdb_connection connection;
} session;

/* ---- the library ---- */

typedef struct {
    __typeof__(duckdb_open_ext) *open_ext;
    __typeof__(duckdb_close) *close;
    __typeof__(duckdb_connect) *connect;
    __typeof__(duckdb_disconnect) *disconnect;
    __typeof__(duckdb_create_config) *create_config;
    __typeof__(duckdb_set_config) *set_config;
    __typeof__(duckdb_destroy_config) *destroy_config;
    __typeof__(duckdb_free) *free;
    __typeof__(duckdb_query) *query;
    __typeof__(duckdb_result_error) *result_error;
    __typeof__(duckdb_destroy_result) *destroy_result;
    __typeof__(duckdb_column_count) *column_count;
    __typeof__(duckdb_column_name) *column_name;
    __typeof__(duckdb_column_type) *column_type;
    __typeof__(duckdb_fetch_chunk) *fetch_chunk;
    __typeof__(duckdb_destroy_data_chunk) *destroy_data_chunk;
    __typeof__(duckdb_data_chunk_get_size) *data_chunk_get_size;
    __typeof__(duckdb_data_chunk_get_vector) *data_chunk_get_vector;
    __typeof__(duckdb_vector_get_data) *vector_get_data;
    __typeof__(duckdb_vector_get_validity) *vector_get_validity;
    __typeof__(duckdb_validity_row_is_valid) *validity_row_is_valid;
    __typeof__(duckdb_string_t_data) *string_t_data;
    __typeof__(duckdb_string_t_length) *string_t_length;
    __typeof__(duckdb_appender_create) *appender_create;
    __typeof__(duckdb_appender_close) *appender_close;
    __typeof__(duckdb_appender_destroy) *appender_destroy;
    __typeof__(duckdb_appender_end_row) *appender_end_row;
    __typeof__(duckdb_appender_error) *appender_error;
    __typeof__(duckdb_append_null) *append_null;
    __typeof__(duckdb_append_int64) *append_int64;
    __typeof__(duckdb_append_double) *append_double;
    __typeof__(duckdb_append_varchar) *append_varchar;
    __typeof__(duckdb_append_bool) *append_bool;
    __typeof__(duckdb_append_blob) *append_blob;
    __typeof__(duckdb_append_value) *append_value;
    __typeof__(duckdb_create_varchar) *create_varchar;
    __typeof__(duckdb_create_double) *create_double;
    __typeof__(duckdb_create_list_value) *create_list_value;
    __typeof__(duckdb_destroy_value) *destroy_value;
    __typeof__(duckdb_create_logical_type) *create_logical_type;
    __typeof__(duckdb_destroy_logical_type) *destroy_logical_type;
    __typeof__(duckdb_column_logical_type) *column_logical_type;
    __typeof__(duckdb_list_type_child_type) *list_type_child_type;
    __typeof__(duckdb_get_type_id) *get_type_id;
    __typeof__(duckdb_list_vector_get_child) *list_vector_get_child;
} duckdb_api;

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"duckdb_open_ext", offsetof(duckdb_api, open_ext)},
    {"duckdb_close", offsetof(duckdb_api, close)},
    {"duckdb_connect", offsetof(duckdb_api, connect)},
    {"duckdb_disconnect", offsetof(duckdb_api, disconnect)},
    {"duckdb_create_config", offsetof(duckdb_api, create_config)},
    {"duckdb_set_config", offsetof(duckdb_api, set_config)},
    {"duckdb_destroy_config", offsetof(duckdb_api, destroy_config)},
    {"duckdb_free", offsetof(duckdb_api, free)},
    {"duckdb_query", offsetof(duckdb_api, query)},
    {"duckdb_result_error", offsetof(duckdb_api, result_error)},
    {"duckdb_destroy_result", offsetof(duckdb_api, destroy_result)},
    {"duckdb_column_count", offsetof(duckdb_api, column_count)},
    {"duckdb_column_name", offsetof(duckdb_api, column_name)},
    {"duckdb_column_type", offsetof(duckdb_api, column_type)},
    {"duckdb_fetch_chunk", offsetof(duckdb_api, fetch_chunk)},
    {"duckdb_destroy_data_chunk", offsetof(duckdb_api, destroy_data_chunk)},
    {"duckdb_data_chunk_get_size", offsetof(duckdb_api, data_chunk_get_size)},
    {"duckdb_data_chunk_get_vector", offsetof(duckdb_api, data_chunk_get_vector)},
    {"duckdb_vector_get_data", offsetof(duckdb_api, vector_get_data)},
    {"duckdb_vector_get_validity", offsetof(duckdb_api, vector_get_validity)},
    {"duckdb_validity_row_is_valid", offsetof(duckdb_api, validity_row_is_valid)},
    {"duckdb_string_t_data", offsetof(duckdb_api, string_t_data)},
    {"duckdb_string_t_length", offsetof(duckdb_api, string_t_length)},
    {"duckdb_appender_create", offsetof(duckdb_api, appender_create)},
    {"duckdb_appender_close", offsetof(duckdb_api, appender_close)},
    {"duckdb_appender_destroy", offsetof(duckdb_api, appender_destroy)},
    {"duckdb_appender_end_row", offsetof(duckdb_api, appender_end_row)},
    {"duckdb_appender_error", offsetof(duckdb_api, appender_error)},
    {"duckdb_append_null", offsetof(duckdb_api, append_null)},
    {"duckdb_append_int64", offsetof(duckdb_api, append_int64)},
    {"duckdb_append_double", offsetof(duckdb_api, append_double)},
    {"duckdb_append_varchar", offsetof(duckdb_api, append_varchar)},
    {"duckdb_append_bool", offsetof(duckdb_api, append_bool)},
    {"duckdb_append_blob", offsetof(duckdb_api, append_blob)},
    {"duckdb_append_value", offsetof(duckdb_api, append_value)},
    {"duckdb_create_varchar", offsetof(duckdb_api, create_varchar)},
    {"duckdb_create_double", offsetof(duckdb_api, create_double)},
    {"duckdb_create_list_value", offsetof(duckdb_api, create_list_value)},
    {"duckdb_destroy_value", offsetof(duckdb_api, destroy_value)},
    {"duckdb_create_logical_type", offsetof(duckdb_api, create_logical_type)},
    {"duckdb_destroy_logical_type", offsetof(duckdb_api, destroy_logical_type)},
    {"duckdb_column_logical_type", offsetof(duckdb_api, column_logical_type)},
    {"duckdb_list_type_child_type", offsetof(duckdb_api, list_type_child_type)},
    {"duckdb_get_type_id", offsetof(duckdb_api, get_type_id)},
    {"duckdb_list_vector_get_child", offsetof(duckdb_api, list_vector_get_child)},
};

/* Written once, by the first thread that comes here, and never again. */
static duckdb_api duck;
static df_error duck_error;
/* opened with it: a database of one's own costs 8 ms and more */
static duckdb_database duck_common;
static pthread_once_t duck_once = PTHREAD_ONCE_INIT;

/* Where this build has it; when it is not there, where the run path leads: in a prefix that was
 * moved. */
static void *open_library(void)
{
    void *library = dlopen(DF_DUCKDB, RTLD_LAZY | RTLD_LOCAL);
    return library || df_file_exists(DF_DUCKDB) ? library
                                                : dlopen("libduckdb.so", RTLD_LAZY | RTLD_LOCAL);
}

/* DuckDB looks there for the memory's limit when it opens, whatever its settings. When it cannot
 * read the file it throws, and then the destructor of the database that is half made throws too,
 * which ends the process. */
static df_status check_limits(df_error *err)
{
    const int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return df_fail(err, DF_IO, "start DuckDB: it must read /proc/self/cgroup: %s",
                       strerror(errno));
    if (fd >= 0)
        close(fd);
    return DF_OK;
}

/* One thread unless told, insertion order: the same rows give the same file. No cache of files:
 * they are written anew. No extension that happens to be installed. */
static df_status open_database(duckdb_database *out, df_error *err)
{
    duckdb_config config = NULL;
    char *why = NULL;
    DF_TRY(check_limits(err));
    duckdb_state state = duck.create_config(&config);
    if (state == DuckDBSuccess) {
        duck.set_config(config, "threads", "1");
        duck.set_config(config, "autoinstall_known_extensions", "false");
        duck.set_config(config, "autoload_known_extensions", "false");
        duck.set_config(config, "enable_external_file_cache", "false");
        /* else working files go to the current folder */
        duck.set_config(config, "temp_directory", "");
        state = duck.open_ext(NULL, out, config, &why);
    }
    duck.destroy_config(&config);
    const char *line = why ? why : "failed";
    df_status status = state == DuckDBSuccess ? DF_OK
                                              : df_fail(err, DF_IO, "start DuckDB: %.*s",
                                                        (int)strcspn(line, "\n"), line);
    duck.free(why);
    return status;
}

/* Finds every function of DuckDB that is used, and opens the common database. */
static void load(void)
{
    duckdb_api api;
    void *library = open_library();
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *function = library ? dlsym(library, symbols[i].name) : NULL;
        if (!function) {
            const char *why = dlerror();
            df_fail(&duck_error, DF_IO, "load DuckDB: %.400s", why ? why : "failed");
            return;
        }
        memcpy((char *)&api + symbols[i].offset, &function, sizeof function);
    }
    duck = api;
    (void)open_database(&duck_common, &duck_error);
}

/* ---- a session ---- */

static void session_close(session *s)
{
    duck.disconnect(&s->connection);
    duck.close(&s->own);
}

static df_status connect_to(session *s, duckdb_database database, df_error *err)
{
    if (duck.connect(database, &s->connection) == DuckDBSuccess)
        return DF_OK;
    session_close(s);
    return df_fail(err, DF_IO, "start DuckDB: no connection");
}

/* On the common database: tables must be temporary, settings stay as they are. */
static df_status session_open(session *s, df_error *err)
{
    *s = (session){0};
    pthread_once(&duck_once, load);
    if (duck_error.message[0])
        return df_fail(err, DF_IO, "%s", duck_error.message);
    return connect_to(s, duck_common, err);
}

static df_status session_open_own(session *s, df_error *err)
{
    *s = (session){0};
    pthread_once(&duck_once, load);
    if (duck_error.message[0])
        return df_fail(err, DF_IO, "%s", duck_error.message);
    DF_TRY(open_database(&s->own, err));
    return connect_to(s, s->own, err);
}

/* The first line says what matters, but of a broken row of CSV a later one says in which file. */
static df_status query(session *s, const char *sql, duckdb_result *result, df_error *err)
{
    if (duck.query(s->connection, sql, result) == DuckDBSuccess)
        return DF_OK;
    static const char in_file[] = "\n  file = ";
    const char *why = duck.result_error(result);
    const char *line = why ? why : "failed", *file = strstr(line, in_file);
    file = file ? file + sizeof in_file - 1 : "";
    return df_fail(err, DF_FORMAT, "%.*s%s%.*s", (int)strcspn(line, "\n"), line,
                   *file ? " of " : "", (int)strcspn(file, "\n"), file);
}

static df_status query_only(session *s, const char *sql, df_error *err)
{
    duckdb_result result;
    df_status status = query(s, sql, &result, err);
    duck.destroy_result(&result);
    return status;
}

df_status df_sql_open(df_sql **out, int64_t memory_mb, const char *spill, df_error *err)
{
    df_sql *s = malloc(sizeof *s);
    df_str sql = {0};
    df_str_printf(&sql,
                  "SET memory_limit = '%lldMiB'; SET temp_directory = ", (long long)memory_mb);
    if (spill)
        df_sql_append_path(&sql, spill);
    else
        df_str_append(&sql, "''");
    df_status status =
        !s || sql.failed ? df_no_memory(err, "start DuckDB") : session_open_own(s, err);
    if (status != DF_OK) {
        free(s);
        df_str_free(&sql);
        return status;
    }
    status = query_only(s, df_str_text(&sql), err);
    df_str_free(&sql);
    if (status == DF_OK)
        *out = s;
    else
        df_sql_close(s);
    return status;
}

void df_sql_close(df_sql *s)
{
    if (!s)
        return;
    session_close(s);
    free(s);
}

df_status df_sql_exec(df_sql *s, const char *sql, df_error *err)
{
    return query_only(s, sql, err);
}

static const char *const type_names[] = {
    [DF_COLUMN_INT] = "BIGINT",   [DF_COLUMN_BOOL] = "BOOLEAN",    [DF_COLUMN_REAL] = "DOUBLE",
    [DF_COLUMN_TEXT] = "VARCHAR", [DF_COLUMN_TEXTS] = "VARCHAR[]", [DF_COLUMN_REALS] = "DOUBLE[]",
    [DF_COLUMN_VECTOR] = "BLOB"};

static df_status create_sql_table(session *s, const df_table *t, df_error *err)
{
    df_str sql = {0};
    df_str_append(&sql, "CREATE TEMP TABLE t (");
    for (int c = 0; c < t->n_columns; c++)
        df_str_printf(&sql, "%s\"%s\" %s", c ? ", " : "", t->columns[c].column.name,
                      type_names[t->columns[c].column.type]);
    df_str_append(&sql, ")");
    df_status status =
        sql.failed ? df_no_memory(err, "write a table") : query_only(s, df_str_text(&sql), err);
    df_str_free(&sql);
    return status;
}

/* DuckDB's appender takes a list only as a value of its own. */
static duckdb_state append_list(duckdb_appender appender, df_column_type type,
                                const cell_list *list)
{
    const bool texts = type == DF_COLUMN_TEXTS;
    duckdb_value *items = calloc((size_t)list->n + 1, sizeof *items), all = NULL;
    duckdb_logical_type of =
        duck.create_logical_type(texts ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_DOUBLE);
    for (int64_t i = 0; items && i < list->n; i++)
        items[i] = texts ? duck.create_varchar(list->items.texts[i])
                         : duck.create_double(list->items.reals[i]);
    if (items)
        all = duck.create_list_value(of, items, (idx_t)list->n);
    const duckdb_state state = all ? duck.append_value(appender, all) : DuckDBError;
    duck.destroy_value(&all);
    for (int64_t i = 0; items && i < list->n; i++)
        duck.destroy_value(&items[i]);
    duck.destroy_logical_type(&of);
    free(items);
    return state;
}

/* Appends one cell through DuckDB's appender. */
static duckdb_state append_cell(duckdb_appender appender, const column_data *d, int64_t row)
{
    if (d->null[row])
        return duck.append_null(appender);
    switch (d->column.type) {
    case DF_COLUMN_INT:
        return duck.append_int64(appender, d->data.i[row]);
    case DF_COLUMN_BOOL:
        return duck.append_bool(appender, d->data.i[row] != 0);
    case DF_COLUMN_REAL:
        return duck.append_double(appender, d->data.f[row]);
    case DF_COLUMN_TEXT:
        return duck.append_varchar(appender, d->data.s[row]);
    case DF_COLUMN_TEXTS:
    case DF_COLUMN_REALS:
        return append_list(appender, d->column.type, d->data.list[row]);
    case DF_COLUMN_VECTOR:
        break;
    }
    const cell_list *vector = d->data.list[row];
    return duck.append_blob(appender, vector->items.vector,
                            (idx_t)vector->n * sizeof *vector->items.vector);
}

/* Copies a table into the session's table t. */
static df_status fill_sql_table(session *s, const df_table *t, df_error *err)
{
    duckdb_appender appender = NULL;
    duckdb_state state = duck.appender_create(s->connection, NULL, "t", &appender);
    for (int64_t row = 0; state == DuckDBSuccess && row < t->n_rows; row++) {
        for (int c = 0; state == DuckDBSuccess && c < t->n_columns; c++)
            state = append_cell(appender, &t->columns[c], row);
        if (state == DuckDBSuccess)
            state = duck.appender_end_row(appender);
    }
    if (state == DuckDBSuccess)
        state = duck.appender_close(appender);
    df_status status = DF_OK;
    if (state != DuckDBSuccess) {
        const char *why = appender ? duck.appender_error(appender) : NULL;
        const char *line = why ? why : "failed";
        status = df_fail(err, DF_IO, "fill a table: %.*s", (int)strcspn(line, "\n"), line);
    }
    duck.appender_destroy(&appender);
    return status;
}

static df_status copy_out(session *s, const char *path, df_error *err)
{
    df_str sql = {0};
    df_str_append(&sql, "COPY t");
    df_sql_to_parquet(&sql, path);
    df_status status = sql.failed ? df_no_memory(err, NULL) : query_only(s, df_str_text(&sql), err);
    df_str_free(&sql);
    return status == DF_FORMAT ? DF_IO : status;
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

/* The type of a result column: numbers that do not fit into 64 bits become reals, all else text. */
static df_column_type column_type(duckdb_type type)
{
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
        return DF_COLUMN_BOOL;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
        return DF_COLUMN_INT;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UBIGINT:
        return DF_COLUMN_REAL;
    default:
        return DF_COLUMN_TEXT;
    }
}

/* The type of a column in a file of ours, where lists and bytes are what df_table_write wrote. */
static df_column_type own_type(duckdb_result *result, idx_t column)
{
    const duckdb_type type = duck.column_type(result, column);
    if (type == DUCKDB_TYPE_BLOB)
        return DF_COLUMN_VECTOR;
    if (type != DUCKDB_TYPE_LIST)
        return column_type(type);
    duckdb_logical_type list = duck.column_logical_type(result, column),
                        item = duck.list_type_child_type(list);
    const bool reals = duck.get_type_id(item) == DUCKDB_TYPE_DOUBLE;
    duck.destroy_logical_type(&item);
    duck.destroy_logical_type(&list);
    return reals ? DF_COLUMN_REALS : DF_COLUMN_TEXTS;
}

/* Every column is cast to a type of ours in SQL, so that a chunk is read without a case per DuckDB
 * type. own: the SQL reads a file of ours. */
static df_status cast_sql(session *s, const char *sql, bool own, df_table **out, df_str *cast,
                          df_error *err)
{
    df_str probe = {0};
    duckdb_result result;
    df_str_printf(&probe, "SELECT * FROM (%s) LIMIT 0", sql);
    df_status status = query(s, df_str_text(&probe), &result, err);
    df_str_free(&probe);
    idx_t n = status == DF_OK ? duck.column_count(&result) : 0;
    df_column *columns = calloc(n + 1, sizeof *columns);
    df_str_append(cast, "SELECT ");
    for (idx_t c = 0; columns && c < n; c++) {
        columns[c] = (df_column){
            duck.column_name(&result, c),
            own ? own_type(&result, c) : column_type(duck.column_type(&result, c)), NULL};
        df_str_printf(cast, "%sCAST(#%d AS %s)", c ? ", " : "", (int)c + 1,
                      type_names[columns[c].type]);
    }
    df_str_printf(cast, " FROM (%s)", sql);
    if (status == DF_OK && (!columns || cast->failed))
        status = df_no_memory(err, "read a table");
    if (status == DF_OK)
        status = df_table_create(out, columns, err);
    free(columns);
    duck.destroy_result(&result);
    return status;
}

static bool read_texts(const duckdb_string_t *from, const bool *null, char **to, idx_t n)
{
    for (idx_t row = 0; row < n; row++) {
        duckdb_string_t text = from[row];
        if (!null[row] &&
            !(to[row] = strndup(duck.string_t_data(&text), duck.string_t_length(text))))
            return false;
    }
    return true;
}

static bool read_vectors(const duckdb_string_t *from, const bool *null, cell_list **to, idx_t n)
{
    for (idx_t row = 0; row < n; row++) {
        duckdb_string_t bytes = from[row];
        const size_t size = duck.string_t_length(bytes);
        if (null[row])
            continue;
        to[row] = df_cell_list(DF_COLUMN_VECTOR, (int64_t)(size / sizeof(uint16_t)), 0);
        if (!to[row])
            return false;
        memcpy(to[row]->items.vector, duck.string_t_data(&bytes), size & ~(size_t)1);
    }
    return true;
}

/* A text of a list's items; a null is an empty text. */
static duckdb_string_t text_at(duckdb_vector items, idx_t at)
{
    uint64_t *valid = duck.vector_get_validity(items);
    const duckdb_string_t *texts = duck.vector_get_data(items);
    return !valid || duck.validity_row_is_valid(valid, at) ? texts[at] : (duckdb_string_t){0};
}

static cell_list *texts_of(duckdb_vector items, idx_t first, idx_t n)
{
    size_t bytes = n;
    for (idx_t i = first; i < first + n; i++)
        bytes += duck.string_t_length(text_at(items, i));
    cell_list *list = df_cell_list(DF_COLUMN_TEXTS, (int64_t)n, bytes);
    char *to = list ? (char *)(list->items.texts + n) : NULL;
    for (idx_t i = 0; list && i < n; i++) {
        duckdb_string_t text = text_at(items, first + i);
        const size_t size = duck.string_t_length(text);
        list->items.texts[i] = memcpy(to, duck.string_t_data(&text), size);
        to += size + 1;
    }
    return list;
}

static cell_list *reals_of(duckdb_vector items, idx_t first, idx_t n)
{
    const double *from = duck.vector_get_data(items);
    cell_list *list = df_cell_list(DF_COLUMN_REALS, (int64_t)n, 0);
    if (list && n)
        memcpy(list->items.reals, from + first, n * sizeof *from);
    return list;
}

static bool read_lists(duckdb_vector vector, df_column_type type, const bool *null, cell_list **to,
                       idx_t n)
{
    const duckdb_list_entry *at = duck.vector_get_data(vector);
    duckdb_vector items = duck.list_vector_get_child(vector);
    for (idx_t row = 0; row < n; row++) {
        if (null[row])
            continue;
        to[row] =
            (type == DF_COLUMN_TEXTS ? texts_of : reals_of)(items, at[row].offset, at[row].length);
        if (!to[row])
            return false;
    }
    return true;
}

/* Bytes, not bools: where a cell is null DuckDB left its byte as it was, and a bool of 46 is
 * undefined. */
static void read_bools(const uint8_t *from, int64_t *to, idx_t n)
{
    for (idx_t row = 0; row < n; row++)
        to[row] = from[row] != 0;
}

/* Cells of nulls are 0: so that what was never set can be freed, and the same rows are the same
 * bytes. */
static bool read_column(duckdb_vector vector, column_data *d, int64_t first, idx_t n)
{
    uint64_t *valid = duck.vector_get_validity(vector);
    const void *data = duck.vector_get_data(vector);
    for (idx_t row = 0; row < n; row++)
        d->null[first + (int64_t)row] = valid && !duck.validity_row_is_valid(valid, row);
    switch (d->column.type) {
    case DF_COLUMN_TEXT:
        return read_texts(data, d->null + first, d->data.s + first, n);
    case DF_COLUMN_TEXTS:
    case DF_COLUMN_REALS:
        return read_lists(vector, d->column.type, d->null + first, d->data.list + first, n);
    case DF_COLUMN_VECTOR:
        return read_vectors(data, d->null + first, d->data.list + first, n);
    case DF_COLUMN_BOOL:
        read_bools(data, d->data.i + first, n);
        break;
    case DF_COLUMN_INT:
    case DF_COLUMN_REAL:
        memcpy(d->data.i + first, data, n * 8);
        break;
    }
    for (idx_t row = 0; valid && row < n; row++)
        if (d->null[first + (int64_t)row])
            d->data.i[first + (int64_t)row] = 0;
    return true;
}

static df_status read_chunk(duckdb_data_chunk chunk, df_table *t)
{
    idx_t n = duck.data_chunk_get_size(chunk);
    int64_t first = t->n_rows;
    bool ok = df_table_reserve(t, (int64_t)n);
    for (int c = 0; ok && c < t->n_columns; c++)
        memset(t->columns[c].data.i + first, 0, n * 8);
    t->n_rows += ok ? (int64_t)n : 0;
    for (int c = 0; ok && c < t->n_columns; c++)
        ok = read_column(duck.data_chunk_get_vector(chunk, (idx_t)c), &t->columns[c], first, n);
    return ok ? DF_OK : DF_NOMEM;
}

static df_status read_result(session *s, const char *sql, df_table *t, df_error *err)
{
    duckdb_result result;
    df_status status = query(s, sql, &result, err);
    while (status == DF_OK) {
        duckdb_data_chunk chunk = duck.fetch_chunk(result);
        if (!chunk)
            break;
        if (read_chunk(chunk, t) != DF_OK)
            status = df_no_memory(err, "read a table");
        duck.destroy_data_chunk(&chunk);
    }
    duck.destroy_result(&result);
    return status;
}

static df_status read_query(df_sql *s, const char *sql, bool own, df_table **out, df_error *err)
{
    df_table *t = NULL;
    df_str cast = {0};
    df_status status = cast_sql(s, sql, own, &t, &cast, err);
    if (status == DF_OK)
        status = read_result(s, df_str_text(&cast), t, err);
    df_str_free(&cast);
    if (status == DF_OK)
        *out = t;
    else
        df_table_close(t);
    return status;
}

df_status df_sql_query(df_sql *s, const char *sql, df_table **out, df_error *err)
{
    return read_query(s, sql, false, out, err);
}

static df_status query_once(const char *sql, bool own, df_table **out, df_error *err)
{
    session s;
    DF_TRY(session_open(&s, err));
    df_status status = read_query(&s, sql, own, out, err);
    session_close(&s);
    return status;
}

df_status df_table_query(df_table **out, const char *sql, df_error *err)
{
    return query_once(sql, false, out, err);
}

df_status df_table_read(df_table **out, const char *path, df_error *err)
{
    df_str sql = {0};
    df_error why = {""};
    df_str_append(&sql, "SELECT * FROM ");
    df_status status = df_sql_read_parquet(&sql, path, "", &why);
    if (status == DF_OK)
        status = query_once(df_str_text(&sql), true, out, &why);
    df_str_free(&sql);
    return status == DF_OK ? DF_OK : df_fail(err, status, "read %s: %.400s", path, why.message);
}
