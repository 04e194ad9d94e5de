/* Writes JSON piece by piece into a string. */
#include "io/json_writer.h"

#include <assert.h>

#include "io/json.h"

static void new_line(df_json_writer *w)
{
    df_str_printf(w->out, "\n%*s", 2 * w->depth, "");
}

/* The comma, line break and key before a value. */
static void begin_item(df_json_writer *w, const char *key)
{
    const int inside = w->depth - 1;
    if (inside >= 0) {
        assert((w->end[inside] == '}') == (key != NULL));
        const bool line = inside < w->lines;
        if (w->more[inside])
            df_str_append(w->out, line || w->compact ? "," : ", ");
        if (line)
            new_line(w);
        w->more[inside] = true;
    }
    if (key) {
        df_json_append_text(w->out, key);
        df_str_append(w->out, w->compact ? ":" : ": ");
    }
}

static void begin(df_json_writer *w, const char *key, const char *bracket, char end)
{
    begin_item(w, key);
    assert(w->depth < DF_JSON_WRITER_DEPTH);
    df_str_append(w->out, bracket);
    w->end[w->depth] = end;
    w->more[w->depth++] = false;
}

void df_json_begin_object(df_json_writer *w, const char *key)
{
    begin(w, key, "{", '}');
}

void df_json_begin_list(df_json_writer *w, const char *key)
{
    begin(w, key, "[", ']');
}

void df_json_end(df_json_writer *w)
{
    assert(w->depth > 0);
    w->depth--;
    if (w->depth < w->lines && w->more[w->depth])
        new_line(w);
    df_str_append_n(w->out, &w->end[w->depth], 1);
}

void df_json_put_text(df_json_writer *w, const char *key, const char *value)
{
    begin_item(w, key);
    if (value)
        df_json_append_text(w->out, value);
    else
        df_str_append(w->out, "null");
}

void df_json_put_int(df_json_writer *w, const char *key, int64_t value)
{
    begin_item(w, key);
    df_str_printf(w->out, "%lld", (long long)value);
}

void df_json_put_real(df_json_writer *w, const char *key, double value)
{
    begin_item(w, key);
    df_json_append_real(w->out, value);
}

void df_json_put_bool(df_json_writer *w, const char *key, bool value)
{
    begin_item(w, key);
    df_str_append(w->out, value ? "true" : "false");
}

void df_json_put_raw(df_json_writer *w, const char *key, const char *value)
{
    begin_item(w, key);
    df_str_append(w->out, value);
}
