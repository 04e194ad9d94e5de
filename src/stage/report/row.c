#include "stage/report/row.h"

#include <string.h>

#include "io/json_writer.h"
#include "tables/tables.h"

/* shown of what fusion left out: a page is read by people */
enum { LEFT_MAX = 60 };

static void put_column(df_json_writer *w, const df_joined *j, int64_t row, const df_table_type *of,
                       int column)
{
    const char *value = df_joined_text(j, of, row, column);
    if (*value)
        df_json_put_text(w, of->columns[column].name, value);
}

/* Two decimals are a tenth of what a screen shows. */
static void put_number(df_json_writer *w, const char *key, double v)
{
    double rounded = (double)(long long)(v * 100 + (v < 0 ? -0.5 : 0.5)) / 100;
    df_json_put_real(w, key, v > -1e12 && v < 1e12 ? rounded : 0);
}

/* Writes colours, brightness and the like of a region. */
static void put_region(df_json_writer *w, const df_region *look)
{
    df_json_begin_object(w, "look");
    df_json_begin_list(w, "colours");
    for (int i = 0; i < look->n_colours; i++) {
        df_json_begin_list(w, NULL);
        df_json_put_text(w, NULL, look->colours[i].name);
        put_number(w, NULL, look->colours[i].share);
        df_json_end(w);
    }
    df_json_end(w);
    put_number(w, "brightness", look->brightness);
    put_number(w, "contrast", look->contrast);
    put_number(w, "saturation", look->saturation);
    put_number(w, "detail", look->detail);
    df_json_end(w);
}

/* Opens an object: the caller ends it. */
static void begin_entry(df_json_writer *w, const char *text, double score, int item)
{
    df_json_begin_object(w, NULL);
    df_json_put_text(w, "text", text);
    put_number(w, "score", score);
    df_json_put_int(w, "item", item);
}

static void put_points(df_json_writer *w, const double *x, const double *y, int n)
{
    df_json_begin_list(w, "points");
    for (int i = 0; i < n; i++) {
        put_number(w, NULL, x[i]);
        put_number(w, NULL, y[i]);
    }
    df_json_end(w);
}

static void put_box(df_json_writer *w, const df_box *b)
{
    begin_entry(w, b->label, b->score, b->item);
    put_points(w, (const double[]){b->x0, b->x1, b->x1, b->x0},
               (const double[]){b->y0, b->y0, b->y1, b->y1}, 4);
    df_json_put_text(w, "source", b->source ? b->source : "");
    if (b->count > 1)
        df_json_put_int(w, "count", b->count);
    if (b->look.n_colours)
        put_region(w, &b->look);
    df_json_end(w);
}

/* Writes the tags, boxes and lines of an image. */
static void put_evidence(df_json_writer *w, const df_evidence *e)
{
    df_json_begin_list(w, "tags");
    for (int i = 0; i < e->n_tags; i++) {
        begin_entry(w, e->tags[i].label, e->tags[i].score, e->tags[i].item);
        df_json_end(w);
    }
    df_json_end(w);
    df_json_begin_list(w, "boxes");
    for (int i = 0; i < e->n_boxes; i++)
        put_box(w, &e->boxes[i]);
    df_json_end(w);
    df_json_begin_list(w, "lines");
    for (int i = 0; i < e->n_lines; i++) {
        begin_entry(w, e->lines[i].text, e->lines[i].score, e->lines[i].item);
        put_points(w, e->lines[i].x, e->lines[i].y, 4);
        df_json_end(w);
    }
    df_json_end(w);
    if (e->whole.n_colours)
        put_region(w, &e->whole);
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

void df_report_support(df_json_writer *w, const char *caption, const df_table *t, int64_t row)
{
    const int64_t size = (int64_t)strlen(caption), n = t ? df_table_rows(t) : 0;
    int64_t at = 0, unit = 0, i = t ? df_table_first(t, DF_CHECK_SUPPORT_ROW, row) : 0;
    df_json_begin_list(w, "support");
    for (; i < n && df_table_int(t, i, DF_CHECK_SUPPORT_ROW) == row; i++) {
        const int64_t from = df_table_int(t, i, DF_CHECK_SUPPORT_FIRST),
                      to = df_table_int(t, i, DF_CHECK_SUPPORT_END);
        if (from < at || to <= from || to > size)
            continue;
        const int64_t before = units(caption, (size_t)at, (size_t)from),
                      inside = units(caption, (size_t)from, (size_t)to);
        if (before < 0 || inside < 0)
            continue;
        df_json_begin_list(w, NULL);
        df_json_put_int(w, NULL, unit + before);
        df_json_put_int(w, NULL, unit + before + inside);
        df_json_put_text(w, NULL, df_table_text(t, i, DF_CHECK_SUPPORT_KIND));
        df_json_put_int(w, NULL, df_table_int(t, i, DF_CHECK_SUPPORT_ITEM));
        df_json_end(w);
        unit += before + inside;
        at = to;
    }
    df_json_end(w);
}

static void put_texts(df_json_writer *w, const char *key, const df_joined *j, int64_t row,
                      int column)
{
    int64_t n;
    const char *const *texts = df_joined_texts(j, &df_check_table, row, column, &n);
    df_json_begin_list(w, key);
    for (int64_t i = 0; i < n; i++)
        df_json_put_text(w, NULL, texts[i]);
    df_json_end(w);
}

/* Writes the caption of an image, its verdict, and what supports it. */
static void put_caption(df_json_writer *w, const df_joined *j, const df_table *support, int64_t row)
{
    const char *caption = df_joined_text(j, &df_caption_table, row, DF_CAPTION_CAPTION);
    put_column(w, j, row, &df_caption_table, DF_CAPTION_ERROR);
    put_column(w, j, row, &df_caption_table, DF_CAPTION_ENGINE);
    put_column(w, j, row, &df_caption_table, DF_CAPTION_MODEL);
    put_column(w, j, row, &df_fuse_table, DF_FUSE_PROMPT);
    if (!df_joined_has(j, &df_caption_table, row, DF_CAPTION_CAPTION))
        return;
    df_json_put_text(w, "caption", caption);
    put_column(w, j, row, &df_check_table, DF_CHECK_VERDICT);
    df_json_put_int(w, "words", df_joined_int(j, &df_check_table, row, DF_CHECK_WORDS, 0));
    put_texts(w, "reasons", j, row, DF_CHECK_REASONS);
    df_report_support(w, caption, support, row);
    put_texts(w, "why", j, row, DF_CHECK_DETAIL);
}

/* Writes the evidence that the prompt does not tell, up to LEFT_MAX of it. */
static void put_left(df_json_writer *w, const df_table *t, int64_t row)
{
    static const int columns[] = {DF_FUSE_LEFT_KIND, DF_FUSE_LEFT_TEXT, DF_FUSE_LEFT_SOURCE,
                                  DF_FUSE_LEFT_REASON};
    int64_t i = df_table_first(t, DF_FUSE_LEFT_ROW, row), n = 0;
    df_json_begin_list(w, "left");
    for (; i < df_table_rows(t) && df_table_int(t, i, DF_FUSE_LEFT_ROW) == row && n < LEFT_MAX;
         i++, n++) {
        df_json_begin_object(w, NULL);
        put_number(w, "score", df_table_real(t, i, DF_FUSE_LEFT_SCORE));
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
            df_json_put_text(w, df_fuse_left_table.columns[columns[k]].name,
                             df_table_text(t, i, columns[k]));
        df_json_end(w);
    }
    df_json_end(w);
}

/* Why the image is not in the dataset: the stage's reason, its words, the image that it is like. */
static void put_rejected(df_json_writer *w, const df_joined *j, int64_t row,
                         const df_table_type *by, const char *why)
{
    df_json_put_text(w, "rejected", why);
    if (by == &df_filter_table)
        put_column(w, j, row, by, DF_FILTER_DETAIL);
    if (by != &df_dedup_table || !df_joined_has(j, by, row, DF_DEDUP_NEAREST_ROW))
        return;
    char id[DF_PLACE_ID_MAX];
    df_place_print((df_place){(int32_t)df_joined_int(j, by, row, DF_DEDUP_NEAREST_PART, 0),
                              df_joined_int(j, by, row, DF_DEDUP_NEAREST_ROW, 0)},
                   id);
    df_json_put_text(w, "nearest", id);
}

void df_report_row(df_str *out, const df_joined *j, int64_t row, const df_evidence *evidence,
                   const df_table *left, const df_table *support, const char *thumb)
{
    char id[DF_PLACE_ID_MAX];
    const char *why;
    const df_table_type *by;
    df_json_writer w = {.out = out, .compact = true};
    df_place_print((df_place){j->part, row}, id);
    df_json_begin_object(&w, NULL);
    df_json_put_text(&w, "id", id);
    put_column(&w, j, row, &df_ingest_table, DF_INGEST_PATH);
    df_json_put_int(&w, "width", df_joined_int(j, &df_ingest_table, row, DF_INGEST_WIDTH, 0));
    df_json_put_int(&w, "height", df_joined_int(j, &df_ingest_table, row, DF_INGEST_HEIGHT, 0));
    put_column(&w, j, row, &df_ingest_table, DF_INGEST_FORMAT);
    put_column(&w, j, row, &df_ingest_table, DF_INGEST_ALT_TEXT);
    put_column(&w, j, row, &df_ingest_table, DF_INGEST_URL);
    if (*thumb)
        df_json_put_text(&w, "thumb", thumb);
    if (!df_joined_kept(j, row, &by, &why)) {
        put_rejected(&w, j, row, by, why);
    } else {
        put_caption(&w, j, support, row);
        put_evidence(&w, evidence);
        if (left)
            put_left(&w, left, row);
    }
    df_json_end(&w);
}
