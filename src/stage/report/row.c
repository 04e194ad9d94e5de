#include "stage/report/row.h"

#include <string.h>

#include "io/json.h"
#include "tables/tables.h"

/* shown of what fusion left out: a page is read by people */
enum { LEFT_MAX = 60 };

static void append_text(df_str *out, const char *key, const char *value)
{
    df_str_printf(out, ",\"%s\":", key);
    df_json_append_text(out, value);
}

static void append_column(df_str *out, const df_joined *j, int64_t row, df_joined_of of, int column)
{
    const char *value = df_joined_text(j, of, row, column);
    if (*value)
        append_text(out, df_table_column_at(j->table[of], column).name, value);
}

/* Two decimals are a tenth of what a screen shows. */
static void append_number(df_str *out, double v)
{
    double rounded = (double)(long long)(v * 100 + (v < 0 ? -0.5 : 0.5)) / 100;
    df_json_append_real(out, v > -1e12 && v < 1e12 ? rounded : 0);
}

static void append_region(df_str *out, const df_region *look)
{
    df_str_append(out, "{\"colours\":[");
    for (int i = 0; i < look->n_colours; i++) {
        df_str_append(out, i ? ",[" : "[");
        df_json_append_text(out, look->colours[i].name);
        df_str_append(out, ",");
        append_number(out, look->colours[i].share);
        df_str_append(out, "]");
    }
    const struct {
        const char *name;
        double value;
    } all[] = {{"brightness", look->brightness},
               {"contrast", look->contrast},
               {"saturation", look->saturation},
               {"detail", look->detail}};
    df_str_append(out, "]");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        df_str_printf(out, ",\"%s\":", all[i].name);
        append_number(out, all[i].value);
    }
    df_str_append(out, "}");
}

static void append_entry(df_str *out, bool first, const char *text, double score, int item)
{
    df_str_append(out, first ? "{\"text\":" : ",{\"text\":");
    df_json_append_text(out, text);
    df_str_append(out, ",\"score\":");
    append_number(out, score);
    df_str_printf(out, ",\"item\":%d", item);
}

static void append_points(df_str *out, const double *x, const double *y, int n)
{
    df_str_append(out, ",\"points\":[");
    for (int i = 0; i < n; i++) {
        df_str_append(out, i ? "," : "");
        append_number(out, x[i]);
        df_str_append(out, ",");
        append_number(out, y[i]);
    }
    df_str_append(out, "]");
}

static void append_box(df_str *out, const df_box *b, bool first)
{
    append_entry(out, first, b->label, b->score, b->item);
    append_points(out, (const double[]){b->x0, b->x1, b->x1, b->x0},
                  (const double[]){b->y0, b->y0, b->y1, b->y1}, 4);
    append_text(out, "source", b->source ? b->source : "");
    if (b->count > 1)
        df_str_printf(out, ",\"count\":%d", b->count);
    if (b->look.n_colours) {
        df_str_append(out, ",\"look\":");
        append_region(out, &b->look);
    }
    df_str_append(out, "}");
}

static void append_evidence(df_str *out, const df_evidence *e)
{
    df_str_append(out, ",\"tags\":[");
    for (int i = 0; i < e->n_tags; i++) {
        append_entry(out, i == 0, e->tags[i].label, e->tags[i].score, e->tags[i].item);
        df_str_append(out, "}");
    }
    df_str_append(out, "],\"boxes\":[");
    for (int i = 0; i < e->n_boxes; i++)
        append_box(out, &e->boxes[i], i == 0);
    df_str_append(out, "],\"lines\":[");
    for (int i = 0; i < e->n_lines; i++) {
        append_entry(out, i == 0, e->lines[i].text, e->lines[i].score, e->lines[i].item);
        append_points(out, e->lines[i].x, e->lines[i].y, 4);
        df_str_append(out, "}");
    }
    df_str_append(out, "]");
    if (e->whole.n_colours) {
        df_str_append(out, ",\"look\":");
        append_region(out, &e->whole);
    }
}

/* UTF-16 units in text[from, to); -1 when a character is cut. */
static int64_t units(const char *text, size_t from, size_t to)
{
    int64_t n = 0;
    while (from < to) {
        size_t length = df_utf8_length(text + from, to - from);
        if (length == 0)
            return -1;
        n += length == 4 ? 2 : 1;
        from += length;
    }
    return n;
}

void df_report_support(df_str *out, const char *caption, const df_table *t, int64_t row)
{
    const int64_t size = (int64_t)strlen(caption), n = t ? df_table_rows(t) : 0;
    int64_t at = 0, unit = 0, i = t ? df_table_first(t, DF_CHECK_SUPPORT_ROW, row) : 0;
    bool first = true;
    df_str_append(out, "[");
    for (; i < n && df_table_int(t, i, DF_CHECK_SUPPORT_ROW) == row; i++) {
        const int64_t from = df_table_int(t, i, DF_CHECK_SUPPORT_FIRST),
                      to = df_table_int(t, i, DF_CHECK_SUPPORT_END);
        if (from < at || to <= from || to > size)
            continue;
        const int64_t before = units(caption, (size_t)at, (size_t)from),
                      inside = units(caption, (size_t)from, (size_t)to);
        if (before < 0 || inside < 0)
            continue;
        df_str_printf(out, "%s[%lld,%lld,", first ? "" : ",", (long long)(unit + before),
                      (long long)(unit + before + inside));
        df_json_append_text(out, df_table_text(t, i, DF_CHECK_SUPPORT_KIND));
        df_str_printf(out, ",%lld]", (long long)df_table_int(t, i, DF_CHECK_SUPPORT_ITEM));
        unit += before + inside;
        at = to;
        first = false;
    }
    df_str_append(out, "]");
}

static void append_texts(df_str *out, const char *key, const df_joined *j, int64_t row, int column)
{
    int64_t n;
    const char *const *texts = df_joined_texts(j, DF_OF_CHECK, row, column, &n);
    df_str_printf(out, ",\"%s\":[", key);
    for (int64_t i = 0; i < n; i++) {
        df_str_append(out, i ? "," : "");
        df_json_append_text(out, texts[i]);
    }
    df_str_append(out, "]");
}

static void append_caption(df_str *out, const df_joined *j, const df_table *support, int64_t row)
{
    const char *caption = df_joined_text(j, DF_OF_CAPTION, row, DF_CAPTION_CAPTION);
    append_column(out, j, row, DF_OF_CAPTION, DF_CAPTION_ERROR);
    append_column(out, j, row, DF_OF_CAPTION, DF_CAPTION_ENGINE);
    append_column(out, j, row, DF_OF_CAPTION, DF_CAPTION_MODEL);
    append_column(out, j, row, DF_OF_FUSE, DF_FUSE_PROMPT);
    if (!df_joined_has(j, DF_OF_CAPTION, row, DF_CAPTION_CAPTION))
        return;
    append_text(out, "caption", caption);
    append_column(out, j, row, DF_OF_CHECK, DF_CHECK_VERDICT);
    df_str_printf(out, ",\"words\":%lld",
                  (long long)df_joined_int(j, DF_OF_CHECK, row, DF_CHECK_WORDS, 0));
    append_texts(out, "reasons", j, row, DF_CHECK_REASONS);
    df_str_append(out, ",\"support\":");
    df_report_support(out, caption, support, row);
    append_texts(out, "why", j, row, DF_CHECK_DETAIL);
}

static void append_left(df_str *out, const df_table *t, int64_t row)
{
    static const int columns[] = {DF_FUSE_LEFT_KIND, DF_FUSE_LEFT_TEXT, DF_FUSE_LEFT_SOURCE,
                                  DF_FUSE_LEFT_REASON};
    const int of_row = DF_FUSE_LEFT_ROW, score = DF_FUSE_LEFT_SCORE;
    int64_t i = df_table_first(t, of_row, row), n = 0;
    df_str_append(out, ",\"left\":[");
    for (; i < df_table_rows(t) && df_table_int(t, i, of_row) == row && n < LEFT_MAX; i++, n++) {
        df_str_append(out, n ? ",{\"score\":" : "{\"score\":");
        append_number(out, df_table_real(t, i, score));
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
            append_text(out, df_fuse_left_table.columns[columns[k]].name,
                        df_table_text(t, i, columns[k]));
        df_str_append(out, "}");
    }
    df_str_append(out, "]");
}

void df_report_row(df_str *out, const df_joined *j, int64_t row, const df_evidence *evidence,
                   const df_table *left, const df_table *support, const char *thumb)
{
    char id[DF_PLACE_ID_MAX];
    df_place_print((df_place){j->part, row}, id);
    df_str_printf(out, "{\"id\":\"%s\"", id);
    append_column(out, j, row, DF_OF_INGEST, DF_INGEST_PATH);
    df_str_printf(out, ",\"width\":%lld,\"height\":%lld",
                  (long long)df_joined_int(j, DF_OF_INGEST, row, DF_INGEST_WIDTH, 0),
                  (long long)df_joined_int(j, DF_OF_INGEST, row, DF_INGEST_HEIGHT, 0));
    append_column(out, j, row, DF_OF_INGEST, DF_INGEST_FORMAT);
    append_column(out, j, row, DF_OF_INGEST, DF_INGEST_ALT_TEXT);
    append_column(out, j, row, DF_OF_INGEST, DF_INGEST_URL);
    if (*thumb)
        append_text(out, "thumb", thumb);
    const char *why;
    df_joined_of by;
    if (!df_joined_kept(j, row, &by, &why)) {
        append_text(out, "rejected", why);
        if (by == DF_OF_FILTER)
            append_column(out, j, row, by, DF_FILTER_DETAIL);
        if (by == DF_OF_DEDUP && df_joined_has(j, by, row, DF_DEDUP_NEAREST_ROW)) {
            df_place_print((df_place){(int32_t)df_joined_int(j, by, row, DF_DEDUP_NEAREST_PART, 0),
                                      df_joined_int(j, by, row, DF_DEDUP_NEAREST_ROW, 0)},
                           id);
            append_text(out, "nearest", id);
        }
    } else {
        append_caption(out, j, support, row);
        append_evidence(out, evidence);
        if (left)
            append_left(out, left, row);
    }
    df_str_append(out, "}");
}
