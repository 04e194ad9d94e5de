/* Rows of many tables to one struct per image: count the rows of each image, lay out the arrays,
 * fill them. */
#include "tables/gather.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/palette.h"
#include "tables/tables.h"

typedef struct {
    df_evidence *evidence;
    int64_t n_rows;
    df_arena *arena;
    df_error *err;
} gathering;

static df_status no_memory(const gathering *g)
{
    return df_no_memory(g->err, "gather evidence");
}

df_status df_evidence_tables_open(df_evidence_tables *out, const df_dataset *ds, int part,
                                  bool fused, df_error *err)
{
    df_evidence_tables t = {0};
    const struct {
        const df_table_type *type;
        df_table **table;
        bool wanted;
    } all[] = {
        {&df_ingest_table, &t.ingest, true},
        {&df_tag_table, &t.tag, df_dataset_has_part(ds, "tag", part)},
        {&df_detect_table, &t.detect, df_dataset_has_part(ds, "detect", part)},
        {&df_read_table, &t.read, df_dataset_has_part(ds, "read", part)},
        {&df_look_table, &t.look, df_dataset_has_part(ds, "look", part)},
        {&df_fuse_evidence_table, &t.fused,
         fused && df_dataset_has_part(ds, "fuse", part) &&      /* else stale */
             df_dataset_has_part(ds, "fuse/evidence", part)},
    };
    df_status status = DF_OK;
    for (size_t i = 0; status == DF_OK && i < sizeof all / sizeof all[0]; i++)
        if (all[i].wanted)
            status = df_dataset_read(ds, all[i].type, part, all[i].table, err);
    if (status == DF_OK)
        *out = t;
    else
        df_evidence_tables_close(&t);
    return status;
}

void df_evidence_tables_close(df_evidence_tables *t)
{
    df_table *const all[] = {t->ingest, t->tag, t->detect, t->read, t->look, t->fused};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        df_table_close(all[i]);
    *t = (df_evidence_tables){0};
}

static df_status gather_ingest(const gathering *g, const df_table *t)
{
    for (int64_t row = 0; row < g->n_rows; row++) {
        df_evidence *e = &g->evidence[row];
        e->path = df_arena_strdup(g->arena, df_table_text(t, row, DF_INGEST_PATH));
        e->alt_text = df_arena_strdup(g->arena, df_table_text(t, row, DF_INGEST_ALT_TEXT));
        e->width = df_table_int(t, row, DF_INGEST_WIDTH);
        e->height = df_table_int(t, row, DF_INGEST_HEIGHT);
        if (!e->path || !e->alt_text)
            return no_memory(g);
    }
    return DF_OK;
}

/* Image that a record belongs to; NULL for a row that ingest does not have. */
static df_evidence *image_of(const gathering *g, const df_table *t, int64_t i, int of_row)
{
    int64_t row = df_table_null(t, i, of_row) ? -1 : df_table_int(t, i, of_row);
    return row >= 0 && row < g->n_rows ? &g->evidence[row] : NULL;
}

typedef enum { TAGS, BOXES, LINES } kind;

static int *count_of(df_evidence *e, kind k)
{
    return k == TAGS ? &e->n_tags : k == BOXES ? &e->n_boxes : &e->n_lines;
}

/* Allocates each image's array of that kind for the counts found, and sets the counts back to 0 for
 * filling. */
static df_status lay_out(const gathering *g, kind k)
{
    for (int64_t row = 0; row < g->n_rows; row++) {
        df_evidence *e = &g->evidence[row];
        const size_t n = (size_t)*count_of(e, k), size = k == TAGS    ? sizeof(df_tag)
                                                         : k == BOXES ? sizeof(df_box)
                                                                      : sizeof(df_line);
        if (n == 0)
            continue;
        void *array = df_arena_alloc(g->arena, n, size);
        if (!array)
            return no_memory(g);
        if (k == TAGS)
            e->tags = array;
        else if (k == BOXES)
            e->boxes = array;
        else
            e->lines = array;
        *count_of(e, k) = 0;
    }
    return DF_OK;
}

/* The arrays were laid out by us a moment ago: they are only const for those who
 * read the evidence. */
static df_tag *tags_of(const df_evidence *e)
{
    return (df_tag *)(uintptr_t)e->tags;
}
static df_box *boxes_of(const df_evidence *e)
{
    return (df_box *)(uintptr_t)e->boxes;
}
static df_line *lines_of(const df_evidence *e)
{
    return (df_line *)(uintptr_t)e->lines;
}

/* Which records a table holds. `kind` column: fuse/evidence, where one table holds all three. */
typedef struct {
    const df_table *t;
    int row, kind, item, text, score, source, count, x0, y0, x1, y1, x2, y2, x3, y3, paragraph;
} records;

enum { NONE = -1 };
static const records of_fused = {
    .row = DF_FUSE_EVIDENCE_ROW,
    .kind = DF_FUSE_EVIDENCE_KIND,
    .item = DF_FUSE_EVIDENCE_ITEM,
    .text = DF_FUSE_EVIDENCE_TEXT,
    .score = DF_FUSE_EVIDENCE_SCORE,
    .source = DF_FUSE_EVIDENCE_SOURCE,
    .count = DF_FUSE_EVIDENCE_COUNT,
    .x0 = DF_FUSE_EVIDENCE_X0,
    .y0 = DF_FUSE_EVIDENCE_Y0,
    .x1 = DF_FUSE_EVIDENCE_X1,
    .y1 = DF_FUSE_EVIDENCE_Y1,
    .x2 = NONE,
    .y2 = NONE,
    .x3 = NONE,
    .y3 = NONE,
    .paragraph = NONE,
};
static const records of_raw[] = {
    [TAGS] = {.row = DF_TAG_ROW,
              .kind = NONE,
              .item = NONE,
              .text = DF_TAG_TAG,
              .score = DF_TAG_SCORE,
              .source = DF_TAG_SOURCE,
              .count = NONE,
              .x0 = NONE,
              .y0 = NONE,
              .x1 = NONE,
              .y1 = NONE,
              .x2 = NONE,
              .y2 = NONE,
              .x3 = NONE,
              .y3 = NONE,
              .paragraph = NONE},
    [BOXES] = {.row = DF_DETECT_ROW,
               .kind = NONE,
               .item = NONE,
               .text = DF_DETECT_LABEL,
               .score = DF_DETECT_SCORE,
               .source = DF_DETECT_SOURCE,
               .count = NONE,
               .x0 = DF_DETECT_X0,
               .y0 = DF_DETECT_Y0,
               .x1 = DF_DETECT_X1,
               .y1 = DF_DETECT_Y1,
               .x2 = NONE,
               .y2 = NONE,
               .x3 = NONE,
               .y3 = NONE,
               .paragraph = NONE},
    [LINES] = {.row = DF_READ_ROW,
               .kind = NONE,
               .item = NONE,
               .text = DF_READ_TEXT,
               .score = DF_READ_SCORE,
               .source = NONE,
               .count = NONE,
               .x0 = DF_READ_X0,
               .y0 = DF_READ_Y0,
               .x1 = DF_READ_X1,
               .y1 = DF_READ_Y1,
               .x2 = DF_READ_X2,
               .y2 = DF_READ_Y2,
               .x3 = DF_READ_X3,
               .y3 = DF_READ_Y3,
               .paragraph = DF_READ_PARAGRAPH},
};

static records records_of(const df_table *t, kind k, bool fused)
{
    records r = fused ? of_fused : of_raw[k];
    r.t = t;
    return r;
}

static const char *const kind_names[] = {"tag", "box", "line"};

static bool is_kind(const records *r, int64_t i, kind k)
{
    return r->kind < 0 || strcmp(df_table_text(r->t, i, r->kind), kind_names[k]) == 0;
}

static double real(const records *r, int64_t i, int column)
{
    double v = df_table_real(r->t, i, column);
    return isfinite(v) ? v : 0;
}

/* Where a table does not say (datasets older than the column), each line is a paragraph. */
static int paragraph_of(const records *r, int64_t i, int line)
{
    return r->paragraph < 0 || df_table_null(r->t, i, r->paragraph)
               ? line
               : (int)df_table_int(r->t, i, r->paragraph);
}

/* Adds a row of a table to its image as a tag, a box or a line. False: out of memory. */
static bool fill_record(const gathering *g, df_evidence *e, const records *r, int64_t i, kind k)
{
    const char *text = df_arena_strdup(g->arena, df_table_text(r->t, i, r->text));
    const double score = real(r, i, r->score);
    int *n = count_of(e, k);
    const int item = r->item < 0 ? *n : (int)df_table_int(r->t, i, r->item);
    if (!text)
        return false;
    const char *source = df_arena_strdup(
        g->arena, k == LINES || r->source < 0 ? "" : df_table_text(r->t, i, r->source));
    if (!source)
        return false;
    if (k == TAGS) {
        tags_of(e)[*n] = (df_tag){text, score, item, source};
    } else if (k == BOXES) {
        const int64_t count = r->count < 0 ? 1 : df_table_int(r->t, i, r->count);
        boxes_of(e)[*n] = (df_box){.label = text,
                                   .source = source,
                                   .score = score,
                                   .x0 = real(r, i, r->x0),
                                   .y0 = real(r, i, r->y0),
                                   .x1 = real(r, i, r->x1),
                                   .y1 = real(r, i, r->y1),
                                   .item = item,
                                   .count = count > 1 && count < INT_MAX ? (int)count : 1};
    } else {
        const double x0 = real(r, i, r->x0), y0 = real(r, i, r->y0), x1 = real(r, i, r->x1),
                     y1 = real(r, i, r->y1);
        df_line line = {.text = text,
                        .score = score,
                        .item = item,
                        .x = {x0, x1, x1, x0},
                        .y = {y0, y0, y1, y1},
                        .paragraph = paragraph_of(r, i, item)};
        /* `read` has quads, fuse/evidence their bounding boxes */
        if (r->x2 >= 0)
            line = (df_line){text,
                             score,
                             {x0, x1, real(r, i, r->x2), real(r, i, r->x3)},
                             {y0, y1, real(r, i, r->y2), real(r, i, r->y3)},
                             item,
                             line.paragraph};
        lines_of(e)[*n] = line;
    }
    (*n)++;
    return true;
}

/* Counts the records of each image, lays out their arrays, then fills them. */
static df_status gather_records(const gathering *g, const df_table *t, bool fused, kind k)
{
    if (!t)
        return DF_OK;
    const records r = records_of(t, k, fused);
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        df_evidence *e = image_of(g, t, i, r.row);
        if (e && is_kind(&r, i, k))
            ++*count_of(e, k);
    }
    DF_TRY(lay_out(g, k));
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        df_evidence *e = image_of(g, t, i, r.row);
        if (e && is_kind(&r, i, k) && !fill_record(g, e, &r, i, k))
            return no_memory(g);
    }
    return DF_OK;
}

/* A fused line knows its bounding box; its quad and paragraph are those of the raw line it came
 * from. */
static void join_lines(const gathering *g, const df_table *read)
{
    const records r = records_of(read, LINES, false);
    df_evidence *before = NULL;
    for (int64_t i = 0, item = 0; i < df_table_rows(read); i++, item++) {
        df_evidence *e = image_of(g, read, i, r.row);
        if (e != before)
            item = 0;
        before = e;
        for (int k = 0; e && k < e->n_lines; k++) {
            df_line *line = &lines_of(e)[k];
            if (line->item != item)
                continue;
            *line = (df_line){
                line->text,
                line->score,
                {real(&r, i, r.x0), real(&r, i, r.x1), real(&r, i, r.x2), real(&r, i, r.x3)},
                {real(&r, i, r.y0), real(&r, i, r.y1), real(&r, i, r.y2), real(&r, i, r.y3)},
                line->item,
                paragraph_of(&r, i, (int)item)};
        }
    }
}

static df_region *region_of(df_evidence *e, const char *what, int64_t item)
{
    if (strcmp(what, "image") == 0)
        return &e->whole;
    if (strcmp(what, "cell") == 0)
        return item >= 0 && item < 9 ? &e->cells[item] : NULL;
    if (strcmp(what, "box") != 0)
        return NULL;
    if (item >= 0 && item < e->n_boxes && e->boxes[item].item == item)
        return &boxes_of(e)[item].look; /* raw boxes in table order: no search */
    for (int k = 0; k < e->n_boxes; k++)
        if (e->boxes[k].item == item)
            return &boxes_of(e)[k].look;
    return NULL;
}

/* A row's colours; reading stops at a share that is none, as a file made elsewhere may have. */
static df_status take_colours(df_region *region, const df_table *t, int64_t i, df_arena *arena,
                              df_error *err)
{
    int64_t n, n_shares;
    const char *const *names = df_table_texts(t, i, DF_LOOK_COLOURS, &n);
    const double *shares = df_table_reals(t, i, DF_LOOK_SHARES, &n_shares);
    for (int k = 0; k < n && k < n_shares && k < DF_COLOURS_MAX; k++) {
        if (!(shares[k] >= 0 && shares[k] <= 1))
            break;
        region->colours[k] = (df_colour){df_arena_strdup(arena, names[k]), shares[k]};
        if (!region->colours[k].name)
            return df_no_memory(err, "read colours");
        region->n_colours = k + 1;
    }
    return DF_OK;
}

/* Adds the looks of the whole, the cells and the boxes to their images. */
static df_status gather_looks(const gathering *g, const df_table *t)
{
    for (int64_t i = 0; t && i < df_table_rows(t); i++) {
        df_evidence *e = image_of(g, t, i, DF_LOOK_ROW);
        df_region *region =
            e ? region_of(e, df_table_text(t, i, DF_LOOK_KIND), df_table_int(t, i, DF_LOOK_ITEM))
              : NULL;
        if (!region)
            continue;
        *region = (df_region){.brightness = df_table_real(t, i, DF_LOOK_BRIGHTNESS),
                              .contrast = df_table_real(t, i, DF_LOOK_CONTRAST),
                              .saturation = df_table_real(t, i, DF_LOOK_SATURATION),
                              .detail = df_table_real(t, i, DF_LOOK_DETAIL)};
        DF_TRY(take_colours(region, t, i, g->arena, g->err));
    }
    return DF_OK;
}

static int by_score(double sa, double sb, int a, int b)
{
    return sa > sb ? -1 : sa < sb ? 1 : (a > b) - (a < b);
}

static int compare_tags(const void *a, const void *b)
{
    const df_tag *x = a, *y = b;
    return by_score(x->score, y->score, x->item, y->item);
}

static int compare_boxes(const void *a, const void *b)
{
    const df_box *x = a, *y = b;
    return by_score(x->score, y->score, x->item, y->item);
}

df_status df_evidence_gather(const df_evidence_tables *t, df_arena *arena, df_evidence **evidence,
                             int64_t *n_rows, df_error *err)
{
    gathering g = {.n_rows = df_table_rows(t->ingest), .arena = arena, .err = err};
    g.evidence = df_arena_alloc(arena, (size_t)g.n_rows + 1, sizeof *g.evidence);
    if (!g.evidence)
        return no_memory(&g);
    DF_TRY(gather_ingest(&g, t->ingest));
    DF_TRY(gather_records(&g, t->fused ? t->fused : t->tag, t->fused != NULL, TAGS));
    DF_TRY(gather_records(&g, t->fused ? t->fused : t->detect, t->fused != NULL, BOXES));
    DF_TRY(gather_records(&g, t->fused ? t->fused : t->read, t->fused != NULL, LINES));
    if (t->fused && t->read)
        join_lines(&g, t->read);
    DF_TRY(gather_looks(&g, t->look));
    for (int64_t row = 0; row < g.n_rows; row++) {
        df_evidence *e = &g.evidence[row];
        if (e->n_tags > 1)
            qsort(tags_of(e), (size_t)e->n_tags, sizeof(df_tag), compare_tags);
        if (e->n_boxes > 1)
            qsort(boxes_of(e), (size_t)e->n_boxes, sizeof(df_box), compare_boxes);
    }
    *evidence = g.evidence;
    *n_rows = g.n_rows;
    return df_arena_check(arena, "read evidence", err);
}
