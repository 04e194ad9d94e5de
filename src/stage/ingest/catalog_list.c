/* A Parquet, CSV or JSONL list as input: each row names a file, or a member of a tar, below the
 * list's own folder. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/map.h"
#include "base/retry.h"
#include "dataset/sql_text.h"
#include "io/json_fields.h"
#include "io/lines.h"
#include "io/tar.h"
#include "stage/ingest/catalog_kinds.h"

/* rows: held in memory at a time */
enum { GROUP_ROWS = 100000, URL_MAX_BYTES = 4096, SIDE_MAX = 1000000 };

/* The fields of a row and the names that people give them, in order of preference. */
enum { FIELD_PATH, FIELD_TAR, FIELD_TEXT, FIELD_URL, FIELD_WIDTH, FIELD_HEIGHT, N_FIELDS };
static const char *const path_names[] = {"path",      "image_path", "image",  "file", "filename",
                                         "file_name", "filepath",   "member", NULL};
static const char *const tar_names[] = {"tar", "shard", "archive", NULL};
static const char *const text_names[] = {"caption", "text", "alt_text", "alt", "title", NULL};
static const char *const url_names[] = {"url", "image_url", NULL};
static const char *const width_names[] = {"width", "original_width", "image_width", NULL};
static const char *const height_names[] = {"height", "original_height", "image_height", NULL};
static const char *const *const field_names[N_FIELDS] = {path_names, tar_names,   text_names,
                                                         url_names,  width_names, height_names};

typedef enum { LIST_CSV, LIST_JSONL, LIST_PARQUET } list_kind;
typedef struct {
    const char *fields[N_FIELDS];
    int64_t number;
    const char *broken;
} list_row;
typedef struct {
    int64_t offset, size;
} member_place;
typedef struct tar_index {
    struct tar_index *next;
    const char *name;
    const char *broken;
    df_map members;
    member_place *places;
} tar_index;

struct df_list {
    list_kind kind;
    char path[PATH_MAX];
    df_lines *lines;
    char delimiter;
    int columns[N_FIELDS];                   /* CSV: index of a field, -1: not there */
    const char *names[N_FIELDS];             /* Parquet: a field's column; NULL: not there */
    df_table *chunk;                         /* Parquet: the rows at hand */
    int64_t next_row, n_rows;
    df_map seen;                             /* paths of all rows: a path counts once */
    tar_index *tars;
};

/* ---- opening: which column is which ---- */

static int find_name(const char *const *wanted, const char *const *names, int n)
{
    for (; *wanted; wanted++)
        for (int i = 0; i < n; i++)
            if (strcasecmp(*wanted, names[i]) == 0)
                return i;
    return -1;
}

/* Says what would have been needed, with what is there. */
static df_status no_column(const struct df_list *list, const char *const *names, int n,
                           df_error *err)
{
    df_str found = {0};
    for (int i = 0; i < n && found.size < 250; i++) {
        df_str_append(&found, i ? ", " : "");
        df_str_append_clean(&found, names[i], strlen(names[i]), 60);
    }
    df_fail(err, DF_FORMAT,
            "%.150s: no column names the images (path, image, file, filename, member or url); its "
            "columns are: %s",
            list->path, df_str_text(&found));
    df_str_free(&found);
    return DF_FORMAT;
}

/* texts: the names again, "" for a column that holds no text; sizes may be numbers. */
static df_status choose_columns(struct df_list *list, const char *const *names,
                                const char *const *texts, int n, df_error *err)
{
    for (int f = 0; f < N_FIELDS; f++)
        list->columns[f] = find_name(field_names[f], f < FIELD_WIDTH ? texts : names, n);
    return list->columns[FIELD_PATH] < 0 && list->columns[FIELD_URL] < 0
               ? no_column(list, names, n, err)
               : DF_OK;
}

static df_status open_csv(struct df_list *list, df_error *err)
{
    df_csv_record header = {.delimiter = 0};
    DF_TRY(df_lines_open(&list->lines, list->path, err));
    DF_TRY(df_csv_next(list->lines, &header, err));
    if (header.n_fields < 1)
        return df_fail(err, DF_FORMAT, "%s: no header line%s%s", list->path,
                       header.broken ? ": " : "", header.broken ? header.broken : "");
    list->delimiter = header.delimiter;
    const char *const *names = (const char *const *)header.fields;
    return choose_columns(list, names, names, header.n_fields, err);
}

/* BEFORE the list AFTER, in SQL; options: as of df_sql_read_parquet. */
static df_status query_list(const struct df_list *list, const char *before, const char *options,
                            const char *after, df_table **out, df_error *err)
{
    df_str sql = {0};
    df_str_append(&sql, before);
    df_status status = df_sql_read_parquet(&sql, list->path, options, err);
    df_str_append(&sql, after);
    if (status == DF_OK)
        status = sql.failed ? df_no_memory(err, NULL) : df_table_query(out, df_str_text(&sql), err);
    df_str_free(&sql);
    return status;
}

/* Text columns only, and numbers for sizes: an `image` column of structures holds no path. */
static df_status open_parquet(df_catalog *c, df_error *err)
{
    struct df_list *list = c->list;
    df_table *t = NULL, *count = NULL;
    df_error why = {""};
    df_status status = query_list(
        list, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ", "", ")", &t, &why);
    if (status == DF_OK)
        status = query_list(list, "SELECT count(*) FROM ", "", "", &count, &why);
    int n = status == DF_OK ? (int)df_table_rows(t) : 0;
    const char **names = df_arena_alloc(&c->arena, (size_t)n + 1, 2 * sizeof *names);
    const char **texts = names ? names + n : NULL;
    for (int i = 0; names && i < n; i++) {
        names[i] = df_arena_strdup(&c->arena, df_table_text(t, i, 0));
        texts[i] = strcmp(df_table_text(t, i, 1), "VARCHAR") == 0 ? names[i] : "";
    }
    if (status != DF_OK)
        status = df_fail(err, status, "%.200s: %.280s", list->path, why.message);
    else if (!names)
        status = df_no_memory(err, "%s", list->path);
    else
        status = choose_columns(list, names, texts, n, err);
    for (int f = 0; status == DF_OK && f < N_FIELDS; f++)
        list->names[f] = list->columns[f] < 0 ? NULL : names[list->columns[f]];
    list->n_rows = count ? df_table_int(count, 0, 0) : 0;
    df_table_close(t);
    df_table_close(count);
    return status;
}

df_status df_catalog_open_list(df_catalog *c, df_error *err)
{
    struct df_list *list = c->list = calloc(1, sizeof *list);
    if (!list)
        return df_no_memory(err, "open %s", c->input);
    if ((size_t)snprintf(list->path, sizeof list->path, "%s", c->input) >= sizeof list->path)
        return df_fail(err, DF_IO, "open %s: path is too long", c->input);
    const char *dot = strrchr(c->name, '.');
    bool table = strcasecmp(dot, ".csv") == 0 || strcasecmp(dot, ".tsv") == 0;
    list->kind = strcasecmp(dot, ".parquet") == 0 ? LIST_PARQUET : table ? LIST_CSV : LIST_JSONL;
    switch (list->kind) {
    case LIST_PARQUET:
        return open_parquet(c, err);
    case LIST_CSV:
        return open_csv(list, err);
    case LIST_JSONL:
        break;
    }
    return df_lines_open(&list->lines, list->path, err);
}

void df_catalog_close_list(struct df_list *list)
{
    if (!list)
        return;
    for (tar_index *t = list->tars; t; t = t->next) {
        df_map_free(&t->members);
        free(t->places);
    }
    df_map_free(&list->seen);
    df_table_close(list->chunk);
    df_lines_close(list->lines);
    free(list);
}

/* ---- the next row ---- */

static df_status next_csv(struct df_list *list, list_row *row, bool *more, df_error *err)
{
    df_csv_record record = {.delimiter = list->delimiter};
    DF_TRY(df_csv_next(list->lines, &record, err));
    *more = record.n_fields >= 0;
    *row = (list_row){.number = record.number, .broken = record.broken};
    for (int f = 0; f < N_FIELDS; f++)
        row->fields[f] = list->columns[f] >= 0 && list->columns[f] < record.n_fields
                             ? record.fields[list->columns[f]]
                             : NULL;
    return DF_OK;
}

/* Reads the fields of the next line of a JSONL list. */
static df_status next_jsonl(struct df_list *list, df_arena *arena, list_row *row, bool *more,
                            df_error *err)
{
    const char *line;
    *row = (list_row){{NULL}, 0, NULL};
    DF_TRY(df_lines_next(list->lines, &line, &row->number, &row->broken, err));
    *more = line != NULL;
    if (!line || row->broken)
        return DF_OK;
    df_json_field fields[N_FIELDS + 1] = {0};
    for (int f = 0; f < N_FIELDS; f++)
        fields[f].names = field_names[f];
    df_error why = {""};
    df_status status = df_json_fields(line, strlen(line), "line", arena, fields, &why);
    if (status == DF_NOMEM)
        return df_fail(err, status, "%s: out of memory", list->path);
    if (status != DF_OK)
        row->broken = "not a JSON object";
    for (int f = 0; f < N_FIELDS; f++)
        row->fields[f] = fields[f].text;
    return DF_OK;
}

/* Reads the next rows of a Parquet list, its columns as text. */
static df_status read_chunk(struct df_list *list, df_error *err)
{
    df_str sql = {0};
    char rows[128];
    df_str_append(&sql, "SELECT ");
    for (int f = 0; f < N_FIELDS; f++) {
        df_str_append(&sql, f ? ", " : "");
        if (!list->names[f])
            df_str_append(&sql, "CAST(NULL AS VARCHAR)");
        else {
            df_str_append(&sql, "CAST(");
            df_sql_append_column(&sql, list->names[f]);
            df_str_append(&sql, " AS VARCHAR)");
        }
        df_str_printf(&sql, " AS f%d", f);
    }
    df_str_append(&sql, " FROM ");
    snprintf(rows, sizeof rows, " WHERE file_row_number >= %lld AND file_row_number < %lld",
             (long long)list->next_row, (long long)list->next_row + GROUP_ROWS);
    df_table_close(list->chunk);
    list->chunk = NULL;
    df_error why = {""};
    df_status status = sql.failed ? df_no_memory(&why, NULL)
                                  : query_list(list, df_str_text(&sql), ", file_row_number = true",
                                               rows, &list->chunk, &why);
    df_str_free(&sql);
    return status == DF_OK ? DF_OK
                           : df_fail(err, status, "%.200s: %.280s", list->path, why.message);
}

static df_status next_parquet(struct df_list *list, list_row *row, bool *more, df_error *err)
{
    *more = list->next_row < list->n_rows;
    if (!*more)
        return DF_OK;
    int64_t at = list->next_row % GROUP_ROWS;
    if (at == 0)
        DF_TRY(read_chunk(list, err));
    *row = (list_row){.number = ++list->next_row};
    for (int f = 0; f < N_FIELDS; f++)
        row->fields[f] = at < df_table_rows(list->chunk) && !df_table_null(list->chunk, at, f)
                             ? df_table_text(list->chunk, at, f)
                             : NULL;
    return DF_OK;
}

static df_status next_row(struct df_list *list, df_arena *arena, list_row *row, bool *more,
                          df_error *err)
{
    switch (list->kind) {
    case LIST_PARQUET:
        return next_parquet(list, row, more, err);
    case LIST_CSV:
        return next_csv(list, row, more, err);
    case LIST_JSONL:
        break;
    }
    return next_jsonl(list, arena, row, more, err);
}

/* ---- from a row to its bytes ---- */

/* Members of a tar by name, listed once when a row first names it. */
static df_status index_tar(df_catalog *c, tar_index *t, df_error *err)
{
    char path[PATH_MAX];
    df_tar *tar = NULL;
    df_tar_member m;
    bool more = true;
    df_error why = {""};
    int64_t n = 0, capacity = 0, stored;
    df_status status = DF_OK,
              read = (size_t)snprintf(path, sizeof path, "%s/%s", c->root, t->name) < sizeof path
                         ? df_tar_open(&tar, path, &why)
                         : df_fail(&why, DF_FORMAT, "path is too long");
    while (read == DF_OK && status == DF_OK &&
           (read = df_tar_next(tar, &m, &more, &why)) == DF_OK && more) {
        if (m.refused)
            continue;
        if (n == capacity) {
            capacity = capacity ? capacity * 2 : 1024;
            member_place *places = realloc(t->places, (size_t)capacity * sizeof *places);
            if (!places)
                status = df_no_memory(err, "%s", path);
            else
                t->places = places;
        }
        const char *name = df_arena_strdup(&c->arena, m.name);
        if (!name)
            status = df_no_memory(err, "%s", path);
        if (status != DF_OK)
            break;
        t->places[n] = (member_place){m.offset, m.size};
        status = df_map_put(&t->members, name, n++, &stored, err);
    }
    df_tar_close(tar);
    if (status != DF_OK || read == DF_OK)
        return status;
    if (read == DF_MISSING)
        return df_fail(
            err, DF_IO,
            "%.200s: %.150s: bring it back and run again; an empty file in its place says that "
            "it is gone for good",
            c->list->path, why.message);
    if (read != DF_FORMAT)
        return df_fail(err, read, "%s", why.message);
    t->broken = df_arena_strdup(&c->arena, why.message);
    return t->broken ? DF_OK : df_no_memory(err, "%s", c->list->path);
}

/* The index of a tar that a list names, read when it is first named. */
static df_status find_tar(df_catalog *c, const char *name, size_t n, const tar_index **out,
                          df_error *err)
{
    for (tar_index *t = c->list->tars; t; t = t->next)
        if (strlen(t->name) == n && strncmp(t->name, name, n) == 0) {
            *out = t;
            return DF_OK;
        }
    tar_index *t = df_arena_alloc(&c->arena, 1, sizeof *t);
    const char *copy = df_arena_printf(&c->arena, "%.*s", (int)n, name);
    if (!t || !copy)
        return df_no_memory(err, "%s", c->list->path);
    *t = (tar_index){.name = copy, .next = c->list->tars};
    c->list->tars = t;
    DF_TRY(index_tar(c, t, err));
    *out = t;
    return DF_OK;
}

/* Length of "a/shard.tar" in "a/shard.tar/member"; 0 when the path does not go through a tar. */
static size_t tar_prefix(const char *path)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (slash - path > 4 && strncasecmp(slash - 4, ".tar", 4) == 0)
            return (size_t)(slash - path);
    return 0;
}

/* Looks for the file of a row; in->missing says that there is none. */
static df_status find_file(const df_catalog *c, df_input *in, df_error *err)
{
    char full[PATH_MAX];
    struct stat st;
    int tries = 0, code = ENAMETOOLONG;
    in->data = (df_piece){in->path, DF_WHOLE_FILE, 0};
    if ((size_t)snprintf(full, sizeof full, "%s/%s", c->root, in->path) < sizeof full)
        while ((code = stat(full, &st) == 0 ? 0 : errno) != 0 && df_retry(code, &tries))
            ;
    if (code == 0)
        in->changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    else if (!df_errno_stays(code))
        return df_fail(err, DF_IO, "look at %s: %s: see that the input is there, and run again",
                       full, strerror(code));
    else
        in->missing = code == ENOENT || code == ENOTDIR ? "no such file" : "may not be read";
    return DF_OK;
}

static df_status locate(df_catalog *c, df_arena *arena, df_input *in, df_error *err)
{
    DF_TRY(find_file(c, in, err));
    size_t n = in->missing ? tar_prefix(in->path) : 0;
    if (n == 0)
        return in->missing ? df_source_absent(c->root, in->path, err) : DF_OK;
    const tar_index *tar = NULL;
    DF_TRY(find_tar(c, in->path, n, &tar, err));
    int64_t at = df_map_find(&tar->members, in->path + n + 1, -1);
    in->missing = at >= 0 ? NULL : tar->broken ? tar->broken : "no such member of the tar";
    in->data = (df_piece){df_arena_printf(arena, "%.*s", (int)n, in->path),
                          at < 0 ? 0 : tar->places[at].offset, at < 0 ? 0 : tar->places[at].size};
    return in->data.source ? DF_OK : df_no_memory(err, "%s", c->list->path);
}

/* The URL of a row that names no file; NULL when it names one, or has none. */
static const char *url_of(const list_row *row)
{
    const char *path = row->fields[FIELD_PATH], *url = row->fields[FIELD_URL];
    bool web =
        path && (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0);
    if (path && path[0] && !web)
        return NULL;
    return url && url[0] ? url : web ? path : NULL;
}

/* The path below the root that a row means; NULL with the reason why it can't be used. */
static const char *path_of(const df_catalog *c, df_arena *arena, const list_row *row,
                           const char **why)
{
    const char *path = row->fields[FIELD_PATH], *tar = row->fields[FIELD_TAR];
    size_t n = strlen(c->root);
    *why = row->broken ? row->broken : path && path[0] ? NULL : "a row without a path";
    if (*why)
        return NULL;
    if (tar && tar[0])
        path = df_arena_printf(arena, "%s/%s", tar, path);
    if (path && strncmp(path, c->root, n) == 0 && path[n] == '/')
        path += n + 1;
    while (path && path[0] == '.' && path[1] == '/')
        path += 2;
    if (path && !df_str_is_plain(path, strlen(path)))
        *why = "path is not plain UTF-8 text";
    else if (path && !df_tar_name_safe(path))
        *why = "path leaves the list's folder";
    return path;
}

/* A size that a list tells: "900", "900.0"; 0 when it is none. */
static int64_t size_of(const char *text)
{
    double v = text ? strtod(text, NULL) : 0;
    return v >= 1 && v <= (double)SIDE_MAX ? (int64_t)v : 0;
}

static df_status skip_row(df_catalog *c, int64_t number, const char *path, const char *why,
                          df_error *err)
{
    df_str name = {0};
    df_str_printf(&name, "%s:%lld", c->name, (long long)number);
    if (path && path[0])
        df_str_printf(&name, " %s", path);
    df_status status = name.failed ? df_no_memory(err, "%s", c->list->path)
                                   : df_catalog_skip(c, df_str_text(&name), why, err);
    df_str_free(&name);
    return status;
}

/* What a row's image is called; NULL with the reason why it can't be used. */
static const char *name_of(const df_catalog *c, df_arena *arena, const list_row *row,
                           const char *url, const char **why)
{
    if (!url)
        return path_of(c, arena, row, why);
    *why = row->broken                          ? row->broken
           : !df_str_is_plain(url, strlen(url)) ? "URL is not plain UTF-8 text"
           : strlen(url) > URL_MAX_BYTES        ? "URL is too long"
                                                : NULL;
    return url;
}

/* Makes an input of a row of a list, or passes it over with its reason. */
static df_status add_row(df_catalog *c, df_arena *arena, const list_row *row, df_input *inputs,
                         int64_t *n, df_error *err)
{
    const char *unfetched = url_of(row), *why, *path = name_of(c, arena, row, unfetched, &why);
    const char *text = row->fields[FIELD_TEXT],
               *url = unfetched ? unfetched : row->fields[FIELD_URL];
    int64_t stored = 0;
    c->n_found++;
    if (!why && path) {
        path = df_arena_strdup(&c->arena, path);
        DF_TRY(path ? df_map_put(&c->list->seen, path, row->number, &stored, err)
                    : df_no_memory(err, "%s", c->list->path));
        if (stored != row->number)
            why = "listed twice";
    }
    if (why || !path)
        return skip_row(c, row->number, path ? path : row->fields[FIELD_PATH],
                        why ? why : "a row without a path", err);
    df_input *in = &inputs[(*n)++];
    *in = (df_input){.path = path, .unfetched = unfetched != NULL};
    in->alt_text = text ? df_arena_strdup(arena, text) : NULL;
    in->url = url ? df_arena_strdup(arena, url) : NULL;
    if ((text && !in->alt_text) || (url && !in->url))
        return df_no_memory(err, "%s", c->list->path);
    if (!unfetched)
        return locate(c, arena, in, err);
    in->data = (df_piece){NULL, DF_WHOLE_FILE, 0};
    in->missing = "a URL without a file";
    in->width = size_of(row->fields[FIELD_WIDTH]);
    in->height = size_of(row->fields[FIELD_HEIGHT]);
    return DF_OK;
}

df_status df_catalog_next_list(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n,
                               bool *more, df_error *err)
{
    *inputs = df_arena_alloc(arena, GROUP_ROWS, sizeof **inputs);
    if (!*inputs)
        return df_no_memory(err, "%s", c->list->path);
    *more = true;
    for (int64_t i = 0; i < GROUP_ROWS; i++) {
        list_row row;
        DF_TRY(next_row(c->list, arena, &row, more, err));
        if (!*more)
            return DF_OK;
        DF_TRY(add_row(c, arena, &row, *inputs, n, err));
    }
    return DF_OK;
}
