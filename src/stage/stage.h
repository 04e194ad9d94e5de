/* A stage is one file that ends in one descriptor; stage.c lists them in run order. */
#ifndef DF_STAGE_STAGE_H
#define DF_STAGE_STAGE_H
#include <limits.h>
#include <stdatomic.h>
#include "base/arena.h"
#include "base/option.h"
#include "dataset/dataset.h"
#include "engine/engine.h"
#include "evidence/evidence.h"
#include "image/image.h"
#include "model/onnx.h"

/* What a run gives every stage. Callbacks may be NULL; they may be called from any thread of the
 * stage, one at a time. */
typedef struct df_run {
    int n_threads;
    const char *input;                       /* folder, tar or list: for ingest */
    const char *models;                      /* folder of model cards and ONNX files */
    df_onnx_options runtime;                 /* what models run on */
    const char *share;                       /* folder of prompts, page assets, lexicon */
    /* options of the stage that the stage at work uses (df_stage.uses); NULL: none */
    const void *used;
    const int *parts;
    int n_parts;           /* work on these parts only; NULL: all */
    /* set by Ctrl-C: return DF_STOPPED soon, all finished work kept */
    atomic_bool *stop;
    void (*progress)(void *ctx, const char *stage, int64_t done, int64_t total);
    /* what a stage counts besides: "812 tokens/s, 3 asked again" */
    void (*live)(void *ctx, const char *text);
    void (*note)(void *ctx, const char *line); /* a broken record, a retry: one line for stderr */
    void *ctx;
} df_run;
bool df_run_wants(const df_run *run, int part);
bool df_run_stopped(const df_run *run);
void df_run_progress(const df_run *run, const char *stage, int64_t done, int64_t total);
/* shown with the progress, replaces what was said before */
void df_run_live(const df_run *run, const char *text);
void df_run_note(const df_run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An image's rows [first, end) in the table of a stage; empty where the stage said nothing. */
typedef struct {
    const df_table_type *type;
    const df_table *table;
    int64_t first, end;
} df_image_rows;
/* more pixel stages in a row than there are */
enum { DF_PASS_STAGES_MAX = 16, DF_SEEN_MAX = 2 * DF_PASS_STAGES_MAX };

/* One image in front of the pixel stages: read and decoded once, whatever it feeds. */
typedef struct {
    const df_table *ingest; /* the part's ingest table */
    int part;
    int64_t row;
    /* upright, as the stage asked (df_pixel_ops.edge); NULL: not decodable */
    const df_image *image;
    /* why image is NULL: "unreadable", "truncated", "missing"; else NULL */
    const char *problem, *detail;
    /* its rows in the tables of the stages before, for df_sight_rows */
    df_image_rows seen[DF_SEEN_MAX];
    int n_seen;
    /* set by `filter`: later stages do not see the image */
    bool rejected;
} df_sight;

/* What an earlier pixel stage says of the image, in this pass or a former one. The stage that asks
 * names the table in `sees`. */
df_image_rows df_sight_rows(const df_sight *sight, const df_table_type *type);

enum { DF_EDGE_ANY = 0, DF_EDGE_WHOLE = INT_MAX };

/* A stage over pixels. The runner reads and decodes each image once for all pending pixel stages
 * next to each other. The state is shared by threads: screen and perceive are thread-safe. Rows
 * that perceive appends to `out` (an empty table of the stage's columns) begin with the sight's
 * row; the runner joins them in row order. */
typedef struct {
    df_status (*open)(void **state, const df_dataset *ds, const void *config, const df_run *run,
                      df_error *err);
    /* Before anything is read: may reject (set sight->rejected, append its row). NULL: never.
     * `filter` alone has it. */
    df_status (*screen)(void *state, df_sight *sight, df_table *out, df_error *err);
    df_status (*perceive)(void *state, df_sight *sight, df_arena *arena, df_table *out,
                          df_error *err);
    void (*close)(void *state);
    /* Writes a finished part whose table is only half of it. NULL: the table is the part. */
    df_status (*write)(void *state, const df_dataset *ds, int part, const df_table *table,
                       df_error *err);
    /* Tables of earlier pixel stages whose rows perceive asks for, NULL-terminated. NULL: none. */
    const df_table_type *const *sees;
    /* of the rows that perceive appends; NULL: the table's */
    const df_column *columns;
    /* perceive wants images that could not be decoded too */
    bool blind;
    /* Of a blind stage: whether perceive looks at pixels at all; where none does, nothing is
     * decoded. NULL: it does. */
    bool (*looks)(const void *state);
    /* Pixels of the shorter edge that perceive can use: a JPEG is decoded to a half, a quarter or
     * an eighth while as much is left, and nothing is resampled. DF_EDGE_ANY: whatever is decoded
     * for others, perceive asks only whether it can be. NULL or DF_EDGE_WHOLE: the whole, its long
     * side at most 2048. What a stage sees does not depend on its company. */
    int (*edge)(const void *state);
} df_pixel_ops;

typedef struct df_stage df_stage;
struct df_stage {
    const char *name, *summary; /* name = CLI verb = config section = output folder */
    const char *const *reads; /* stage names, NULL-terminated */
    const df_table_type *table; /* of its parts; NULL when it writes none */
    const df_option *options; /* ends with {0} */
    /* options that change how the output is made, not the output; NULL: none */
    const char *const *aside;
    /* names that options had before; NULL: none */
    const df_option_alias *aliases;
    size_t config_size;
    /* Engines whose own options are sections within this one, and where the config has their
     * df_engine_settings. NULL: none. */
    const df_engine_ops *const *engines;
    size_t engines_at;
    /* Raised by a change of the code after which the same input and options give other output: what
     * an earlier program made is then stale, and no part of the new making joins it. 0: as ever. */
    int revision;
    bool whole; /* its parts come from all parts of what it reads: a run of some parts ends
                   before it; its checkpoints are NAME/part-*.partial */
    /* Of a whole stage: what all its parts share is there, so that single parts can be made. NULL:
     * never. */
    bool (*ready)(const df_dataset *ds);
    /* Exactly one of these two. run does what is missing: a part that exists is passed over. */
    df_status (*run)(df_dataset *ds, const void *config, const df_run *run, df_error *err);
    const df_pixel_ops *pixels;
    /* Text of what the output depends on beyond options and the stages it reads (model hashes,
     * template); may be NULL. Asked before anything runs: options that the table cannot judge are
     * refused here, with nothing lost. */
    df_status (*depends)(const void *config, const df_run *run, df_str *out, df_error *err);
    /* The stage whose options this one needs, as it is configured; NULL: none. It finds them in
     * df_run.used, and its output depends on them. uses NULL: it needs none. */
    const df_stage *(*uses)(const void *config);
    /* What a run would take, in words for people, before anything is done; may be NULL. */
    df_status (*estimate)(df_dataset *ds, const void *config, const df_run *run, df_str *out,
                          df_error *err);
};

/* Of the rows that a pixel stage appends. */
static inline const df_column *df_stage_columns(const df_stage *stage)
{
    return stage->pixels->columns ? stage->pixels->columns : stage->table->columns;
}

extern const df_stage *const df_stages[]; /* in run order, NULL-terminated */
const df_stage *df_stage_find(const char *name);
/* The runner's context: err becomes "NAME: why", once. Returns status; DF_OK writes nothing. */
df_status df_stage_failed(const df_stage *stage, df_status status, const df_error *why,
                          df_error *err);
#endif
