/* A reader of lines, and a CSV parser as a state machine over their characters. */
#include "io/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

struct df_lines {
    FILE *file;
    char *path;
    int64_t number;                          /* number of the last line */
    size_t max;                              /* bytes of a line */
    bool is_long;                            /* the last line has more */
    char too_long[48];                       /* the message for that */
    df_str line, record;
    char **fields;
    int capacity;
};

df_status df_lines_open(df_lines **out, const char *path, df_error *err)
{
    df_lines *l = calloc(1, sizeof *l);
    if (!l)
        return df_no_memory(err, "open %s", path);
    df_lines_limit(l, DF_LINE_MAX);
    l->path = strdup(path);
    df_status status =
        l->path ? df_file_stream(path, &l->file, err) : df_no_memory(err, "open %s", path);
    if (status == DF_OK)
        *out = l;
    else
        df_lines_close(l);
    return status;
}

void df_lines_close(df_lines *l)
{
    if (!l)
        return;
    if (l->file)
        fclose(l->file);
    free(l->path);
    free(l->fields);
    df_str_free(&l->line);
    df_str_free(&l->record);
    free(l);
}

void df_lines_limit(df_lines *l, size_t max_bytes)
{
    l->max = max_bytes;
    snprintf(l->too_long, sizeof l->too_long, "the line is longer than %zu MiB", max_bytes >> 20);
}

bool df_lines_is_long(const df_lines *l)
{
    return l->is_long;
}

/* Reads one line into l->line, dropping what exceeds the limit. *end: there was nothing left to
 * read. */
static df_status read_line(df_lines *l, bool *end, const char **broken, df_error *err)
{
    int c;
    size_t n = 0;
    bool zero = false;
    df_str_clear(&l->line);
    while ((c = getc_unlocked(l->file)) != EOF && c != '\n') {
        zero |= c == 0;
        if (n++ < l->max)
            df_str_append_n(&l->line, &(char){(char)c}, 1);
    }
    if (ferror(l->file))
        return df_fail(err, DF_IO, "read %s: %s", l->path, strerror(errno));
    if (l->line.failed)
        return df_no_memory(err, "read %s", l->path);
    *end = c == EOF && n == 0;
    l->is_long = n > l->max;
    *broken = l->is_long ? l->too_long : zero ? "the line holds a zero byte" : NULL;
    l->number += !*end;
    if (l->line.size && l->line.data[l->line.size - 1] == '\r')
        l->line.data[--l->line.size] = '\0';
    if (l->number == 1 && strncmp(df_str_text(&l->line), "\xEF\xBB\xBF", 3) == 0) {
        /* drop the byte order mark; the NUL moves as well */
        memmove(l->line.data, l->line.data + 3, l->line.size - 2);
        l->line.size -= 3;
    }
    return DF_OK;
}

df_status df_lines_next(df_lines *l, const char **line, int64_t *number, const char **broken,
                        df_error *err)
{
    bool end;
    do {
        DF_TRY(read_line(l, &end, broken, err));
    } while (!end && !*broken && strspn(df_str_text(&l->line), " \t") == l->line.size);
    *line = end ? NULL : df_str_text(&l->line);
    *number = l->number;
    return DF_OK;
}

/* Guesses the delimiter from the first line: what stands most often outside quotes. */
static char guess_delimiter(const char *line)
{
    size_t counts[] = {0, 0, 0};
    static const char candidates[] = ",;\t";
    bool quoted = false;
    for (; *line; line++) {
        const char *hit = quoted ? NULL : strchr(candidates, *line);
        if (*line == '"')
            quoted = !quoted;
        else if (hit)
            counts[hit - candidates]++;
    }
    return counts[2] > counts[0] && counts[2] >= counts[1] ? '\t'
           : counts[1] > counts[0]                         ? ';'
                                                           : ',';
}

/* A record is parsed character by character into one run of fields that end with NUL. */
typedef enum { FIELD_START, FIELD_PLAIN, FIELD_QUOTED, FIELD_CLOSED, FIELD_BAD } csv_state;

/* Takes one character of a CSV record: the next state. Fields are ended by NUL in `out`. */
static csv_state take_character(df_str *out, csv_state state, char c, char delimiter)
{
    if (state == FIELD_QUOTED) {
        if (c == '"')
            return FIELD_CLOSED;             /* or the first half of a doubled quote */
        df_str_append_n(out, &c, 1);
        return FIELD_QUOTED;
    }
    if (c == delimiter) {
        df_str_append_n(out, "", 1);
        return FIELD_START;
    }
    if (c == '"' && state == FIELD_START)
        return FIELD_QUOTED;
    if (state == FIELD_CLOSED && c != '"')
        return c == ' ' ? FIELD_CLOSED : FIELD_BAD;
    df_str_append_n(out, &c, 1);
    return state == FIELD_CLOSED ? FIELD_QUOTED : FIELD_PLAIN;
}

static csv_state take_line(df_lines *l, csv_state state, char delimiter)
{
    for (size_t i = 0; i < l->line.size && state != FIELD_BAD; i++)
        state = take_character(&l->record, state, l->line.data[i], delimiter);
    return state;
}

/* Parses a record, of which the first line is in l->line. When a quote stays open within the
 * limits, only the first line is broken, and reading goes on after it. */
static df_status read_record(df_lines *l, char delimiter, const char **broken, df_error *err)
{
    off_t after_first = ftello(l->file);
    int64_t first = l->number;
    df_str_clear(&l->record);
    csv_state state = take_line(l, FIELD_START, delimiter);
    for (int i = 1; state == FIELD_QUOTED && i < DF_CSV_LINES_MAX && l->record.size < DF_LINE_MAX;
         i++) {
        bool end;
        const char *bad = NULL;
        DF_TRY(read_line(l, &end, &bad, err));
        if (end || bad)
            break;
        df_str_append_n(&l->record, "\n", 1);
        state = take_line(l, state, delimiter);
    }
    if (state == FIELD_QUOTED || state == FIELD_BAD) {
        *broken = state == FIELD_BAD ? "text after a closing quote" : "a quote is never closed";
        if (l->number != first && fseeko(l->file, after_first, SEEK_SET) != 0)
            return df_fail(err, DF_IO, "read %s: %s", l->path, strerror(errno));
        l->number = first;
    }
    return l->record.failed ? df_no_memory(err, "read %s", l->path) : DF_OK;
}

/* Points at the fields of the record that was read. */
static df_status cut_fields(df_lines *l, df_csv_record *record, df_error *err)
{
    int n = 1;
    for (size_t i = 0; i < l->record.size; i++)
        n += l->record.data[i] == '\0';
    if (n > l->capacity) {
        char **fields = realloc(l->fields, (size_t)n * sizeof *fields);
        if (!fields)
            return df_no_memory(err, "read %s", l->path);
        l->fields = fields;
        l->capacity = n;
    }
    char *at = l->record.data;
    for (int i = 0; i < n; i++, at += strlen(at) + 1)
        l->fields[i] = at;
    record->fields = l->fields;
    record->n_fields = n;
    return DF_OK;
}

df_status df_csv_next(df_lines *l, df_csv_record *record, df_error *err)
{
    const char *line;
    record->n_fields = 0;
    DF_TRY(df_lines_next(l, &line, &record->number, &record->broken, err));
    if (!line) {
        record->n_fields = -1;
        return DF_OK;
    }
    if (record->broken)
        return DF_OK;
    if (!record->delimiter)
        record->delimiter = guess_delimiter(line);
    DF_TRY(read_record(l, record->delimiter, &record->broken, err));
    df_str_append_n(&l->record, "", 1); /* the end of the last field, also if the record is empty */
    if (l->record.failed)
        return df_no_memory(err, "read %s", l->path);
    l->record.size--;
    return record->broken ? DF_OK : cut_fields(l, record, err);
}
