/* A dataset of random vectors in clusters, with everything that dedup and select read: for their
 * tests. */
#ifndef DF_TEST_CURATION_FIXTURE_H
#define DF_TEST_CURATION_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vector/dot.h"
#include "vector/half.h"
#include "base/file.h"
#include "dataset/dataset.h"
#include "io/npy.h"
#include "stage/stage.h"
#include "typed.h"

enum { PARTS = 3, ROWS = 120, N_ALL = PARTS * ROWS, DIM = 24, CLUSTERS = 7, NO_VECTOR = 13 };

typedef struct {
    float x[DIM];                            /* as it is on disk: from float16 */
    uint64_t hash;
    int64_t width, height, bytes;
    double to_centroid;
    int cluster;                             /* -1: no vector */
    bool kept;                               /* by filter */
} made_image;

static made_image made[N_ALL];               /* row i of part p is made[p * ROWS + i] */
static uint32_t made_seed;

static inline uint32_t made_random(void)
{
    made_seed = made_seed * 1664525 + 1013904223;
    return made_seed >> 8;
}

static inline float made_real(void)
{
    return (float)(made_random() % 20001) / 10000 - 1;
}

/* Near a direction of its cluster; every 9th is a near copy of an earlier one, every 40th of its
 * cluster the same. */
static inline void make_vector(int i, const float centers[CLUSTERS][DIM])
{
    made_image *m = &made[i];
    double length = 0;
    m->cluster = (int)(made_random() % CLUSTERS);
    for (int k = 0; k < DIM; k++)
        m->x[k] = centers[m->cluster][k] + 0.9f * made_real();
    if (i % 9 == 8 && made[i - 7].cluster >= 0) {
        m->cluster = made[i - 7].cluster;
        for (int k = 0; k < DIM; k++)
            m->x[k] = made[i - 7].x[k] * 3 + (i % 40 == 8 ? 0 : 0.3f * made_real());
    }
    for (int k = 0; k < DIM; k++)
        length += (double)m->x[k] * (double)m->x[k];
    for (int k = 0; k < DIM; k++) {
        uint16_t half = df_float_to_half((float)(m->x[k] / sqrt(length)));
        m->x[k] = df_half_to_float(half);
    }
    m->to_centroid = floor(0.2 * 100 * (1 + made_real())) / 100;     /* two decimals: ties */
}

static inline void make_images(void)
{
    float centers[CLUSTERS][DIM];
    made_seed = 5;
    for (int c = 0; c < CLUSTERS; c++)
        for (int k = 0; k < DIM; k++)
            centers[c][k] = made_real();
    for (int i = 0; i < N_ALL; i++) {
        make_vector(i, (const float(*)[DIM])centers);
        made[i].hash =
            (uint64_t)made_random() << 40 ^ (uint64_t)made_random() << 20 ^ made_random();
        made[i].width = 500 + made_random() % 1000;
        made[i].height = 500 + made_random() % 1000;
        made[i].bytes = 10000 + made_random() % 500000;
        made[i].kept = i % 11 != 3;
        if (i % 37 == NO_VECTOR)
            made[i].cluster = -1;
    }
    for (int i = 60; i < N_ALL; i += 60) {   /* copies of copies, 3 and 6 bits from the first */
        made[i].hash = made[0].hash ^ (uint64_t)(i < 200 ? 7 : 63) << (i < 200 ? 10 : 7);
        memcpy(made[i].x, made[0].x, sizeof made[i].x);
        made[i].width = 700, made[i].height = 700 + (i > 150);     /* ties: bytes decide */
    }
    made[70].hash = made[0].hash ^ 1;        /* the same outline of another thing */
    for (int k = 0; k < DIM; k++)
        made[70].x[k] = -made[0].x[k];
    for (int i = 10; i < 14; i++)            /* flat: all alike, no copies */
        made[i].hash = 0;
}

#define CELL_TEXT(v) DF_TEXT((const char *)(v))
static inline void put_row(df_table *t, const df_value *values)
{
    assert_int_equal(df_table_append(t, values, NULL), DF_OK);
}

static inline df_table *new_table(const df_column *columns)
{
    df_table *t;
    assert_int_equal(df_table_create(&t, columns, NULL), DF_OK);
    return t;
}

static inline void put_part(df_dataset *ds, const char *stage, int part, df_table *t)
{
    df_error err = {""};
    if (write_typed(ds, stage, part, t, &err) != DF_OK)
        fail_msg("%s", err.message);
}

#define I_(n) {n, DF_COLUMN_INT, NULL}
#define R_(n) {n, DF_COLUMN_REAL, NULL}
#define T_(n) {n, DF_COLUMN_TEXT, NULL}
static inline void make_part(df_dataset *ds, int part)
{
    df_table *ingest = new_table((const df_column[]){
                 I_("row"), T_("path"), I_("size"), I_("width"), I_("height"), {0}}),
             *filter = new_table(
                 (const df_column[]){I_("row"), {"kept", DF_COLUMN_BOOL, NULL}, T_("reason"), {0}}),
             *embed = new_table((const df_column[]){I_("row"), I_("phash"), T_("problem"), {0}}),
             *cluster =
                 new_table((const df_column[]){I_("row"), I_("cluster"), R_("similarity"), {0}});
    df_npy_writer *npy;
    char path[256], *file = df_dataset_part_path(ds, "embed", part, "npy");
    snprintf(path, sizeof path, "%s/embed", df_dataset_folder(ds));
    assert_int_equal(df_file_mkdir(path, NULL), DF_OK);
    assert_int_equal(df_npy_create(&npy, file, DF_NPY_FLOAT16, DIM, NULL), DF_OK);
    for (int row = 0; row < ROWS; row++) {
        const made_image *m = &made[part * ROWS + row];
        snprintf(path, sizeof path, "p%d/%d.jpg", part, row);
        put_row(ingest, (const df_value[]){DF_INT(row), DF_TEXT(path), DF_INT(m->bytes),
                                           DF_INT(m->width), DF_INT(m->height)});
        put_row(filter, (const df_value[]){DF_INT(row), DF_INT(m->kept),
                                           CELL_TEXT(m->kept ? NULL : "small")});
        if (!m->kept)
            continue;
        put_row(embed, (const df_value[]){DF_INT(row), DF_INT((int64_t)m->hash),
                                          CELL_TEXT(m->cluster < 0 ? "zero" : NULL)});
        if (m->cluster < 0)
            continue;
        uint16_t half[DIM];
        df_float_to_half_n(m->x, half, DIM);
        assert_int_equal(df_npy_append(npy, half, 1, NULL), DF_OK);
        put_row(cluster,
                (const df_value[]){DF_INT(row), DF_INT(m->cluster), DF_REAL(m->to_centroid)});
    }
    assert_int_equal(df_npy_finish(npy, NULL), DF_OK);
    df_npy_writer_close(npy);
    free(file);
    put_part(ds, "ingest", part, ingest);
    put_part(ds, "filter", part, filter);
    put_part(ds, "embed", part, embed);
    put_part(ds, "cluster", part, cluster);
}

/* FOLDER is emptied of what an earlier run of the test left. */
static inline df_dataset *make_dataset(const char *folder)
{
    df_dataset *ds;
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    make_images();
    assert_int_equal(df_dataset_create(&ds, folder, NULL), DF_OK);
    for (int part = 0; part < PARTS; part++)
        make_part(ds, part);
    return ds;
}

/* Options as "key=value", NULL-terminated. */
static inline df_status run_with(const df_stage *stage, df_dataset *ds, df_run *run,
                                 const char *const *set, df_error *err)
{
    void *config = calloc(1, stage->config_size);
    assert_int_equal(df_options_defaults(stage->options, config, err), DF_OK);
    for (; set && *set; set++) {
        char key[64];
        size_t n = strcspn(*set, "=");
        snprintf(key, sizeof key, "%.*s", (int)n, *set);
        assert_int_equal(df_option_set(stage->options, config, stage->name, key, *set + n + 1, err),
                         DF_OK);
    }
    df_status status = stage->run(ds, config, run, err);
    df_options_free(stage->options, config);
    free(config);
    return status;
}

static inline void run_ok(const df_stage *stage, df_dataset *ds, int n_threads,
                          const char *const *set)
{
    df_error err = {""};
    df_run run = {.n_threads = n_threads, .models = "."};
    assert_int_equal(df_dataset_stage_reset(ds, stage->name, NULL), DF_OK);
    if (run_with(stage, ds, &run, set, &err) != DF_OK)
        fail_msg("%s", err.message);
}

/* The bytes of a stage's part. */
static inline char *part_bytes(const df_dataset *ds, const char *stage, int part, size_t *size)
{
    char *bytes, *path = df_dataset_part_path(ds, stage, part, "parquet");
    assert_int_equal(df_file_read(path, 1 << 26, &bytes, size, NULL), DF_OK);
    free(path);
    return bytes;
}
#endif
