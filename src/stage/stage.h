/* A stage is one file that ends in one descriptor; stage.c lists them in run order. */
#ifndef DF_STAGE_STAGE_H
#define DF_STAGE_STAGE_H
#include <stdatomic.h>
#include "base/arena.h"
#include "base/option.h"
#include "dataset/dataset.h"
#include "dataset/evidence.h"
#include "image/image.h"

/* What a run gives every stage. progress may be NULL; message lines (a broken record, a retry) go to note. */
typedef struct df_run {
    int n_threads;
    const char *models;                      /* folder of model cards and ONNX files */
    const char *share;                       /* folder of templates and page assets */
    atomic_bool *stop;                       /* set by Ctrl-C: return DF_STOPPED soon, all finished work kept */
    void (*progress)(void *ctx, const char *stage, int64_t done, int64_t total);
    void (*note)(void *ctx, const char *line);
    void *ctx;
} df_run;

/* One image in front of a pixel stage: decoded once, whatever it feeds. */
typedef struct {
    const df_image *image;                   /* long side <= 2048 */
    int64_t row;
    const df_box *boxes; int n_boxes;        /* what `detect` saw, full-image pixels (for `look` and later stages) */
} df_sight;

/* A stage over pixels: the runner reads and decodes each kept image once for all pending pixel stages.
 * One state is shared by threads; perceive must be thread-safe, and appends rows (first column: row) to out. */
typedef struct {
    df_status (*open)(void **state, const void *config, const df_run *run, df_error *err);
    df_status (*perceive)(void *state, const df_sight *sight, df_arena *arena, df_table *out, df_error *err);
    void (*close)(void *state);
} df_pixel_ops;

typedef struct {
    const char *name, *summary;              /* name = CLI verb = config section = output folder */
    const char *const *reads;                /* stage names, NULL-terminated */
    const df_column *columns;                /* of its part tables, ends with {0}; NULL when it writes no parts */
    const df_option *options;                /* ends with {0} */
    size_t config_size;
    /* exactly one of these two */
    df_status (*run)(df_dataset *ds, const void *config, const df_run *run, df_error *err);
    const df_pixel_ops *pixels;
    /* Text of what the output depends on beyond options (model hashes, input listing); may be NULL. */
    df_status (*depends)(const void *config, const df_run *run, df_str *out, df_error *err);
} df_stage;

extern const df_stage *const df_stages[];    /* in run order, NULL-terminated */
const df_stage *df_stage_find(const char *name);
#endif
