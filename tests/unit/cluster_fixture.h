/* A dataset of eight images in three clusters, as cluster, dedup and select leave one: copies,
 * near-duplicates, one without a vector, hostile names. */
#ifndef DF_TEST_CLUSTER_FIXTURE_H
#define DF_TEST_CLUSTER_FIXTURE_H
#include "fixture.h"

#define HOSTILE_PATH "<img src=x onerror=window.hacked=5>.jpg"
static const char *const cluster_fixture_paths[2][5] = {
    {"boats.jpg", "boats crop.jpg", HOSTILE_PATH, "dog.jpg", "noise.jpg"},
    {"harbour.jpg", "wolf.jpg", "alone.jpg", NULL}};

static inline void cluster_fixture_ingest(const df_dataset *ds, int part, const char *input)
{
    df_value rows[5 * 14], filter[5 * 4];
    char paths[5][PATH_MAX];
    int n = 0;
    for (; n < 5 && cluster_fixture_paths[part][n]; n++) {
        const char *name = cluster_fixture_paths[part][n];
        snprintf(paths[n], sizeof paths[n], "%.3000s/%s", input, name);
        const fixture_file file =
            fixture_picture(paths[n], 480 + 60 * n, 480 + 40 * part, 30 + 25 * n + 100 * part);
        const df_value v[] = {ROW_OF(n, name, file, 480 + 60 * n, 480 + 40 * part, NULL, NULL)};
        const df_value f[] = {DF_INT(n), DF_INT(1), NIL, NIL};
        df_value *row = rows + n * 14;
        memcpy(row, v, sizeof v);
        char *hash = strdup(file.hash);              /* lives as long as the test */
        row[5] = DF_TEXT(hash);
        memcpy(filter + n * 4, f, sizeof f);
    }
    fixture_put(ds, "ingest", part, fixture_ingest, rows, n);
    fixture_put(ds, "filter", part, fixture_filter, filter, n);
    for (int i = 0; i < n; i++)
        free((void *)(uintptr_t)rows[i * 14 + 5].s);
}

static inline void cluster_fixture_tables(const df_dataset *ds)
{
    static const int cluster[] = {DF_CLUSTER_ROW, DF_CLUSTER_CLUSTER, DF_CLUSTER_SIMILARITY, -1},
                     dedup[] = {DF_DEDUP_ROW,           DF_DEDUP_KEPT,
                                DF_DEDUP_REASON,        DF_DEDUP_NEAREST_PART,
                                DF_DEDUP_NEAREST_ROW,   DF_DEDUP_SIMILARITY,
                                DF_DEDUP_HASH_DISTANCE, -1},
                     chosen[] = {DF_SELECT_ROW,     DF_SELECT_KEPT, DF_SELECT_REASON,
                                 DF_SELECT_CLUSTER, DF_SELECT_RANK, -1};
    const df_value cluster0[] = {DF_INT(0),     DF_INT(3),    DF_REAL(0.9), DF_INT(1),
                                 DF_INT(3),     DF_REAL(0.8), DF_INT(2),    DF_INT(3),
                                 DF_REAL(0.85), DF_INT(3),    DF_INT(1),    DF_REAL(0.95)};
    const df_value cluster1[] = {DF_INT(0),    DF_INT(3), DF_REAL(0.7), DF_INT(1), DF_INT(1),
                                 DF_REAL(0.6), DF_INT(2), DF_INT(8),    DF_REAL(1)};
    fixture_put(ds, "cluster", 0, cluster, cluster0, 4);
    fixture_put(ds, "cluster", 1, cluster, cluster1, 3);
    const df_value dedup0[] = {DF_INT(0),
                               DF_INT(1),
                               NIL,
                               NIL,
                               NIL,
                               NIL,
                               NIL,
                               DF_INT(1),
                               DF_INT(0),
                               DF_TEXT("similar"),
                               DF_INT(0),
                               DF_INT(0),
                               DF_REAL(0.951),
                               NIL,
                               DF_INT(2),
                               DF_INT(0),
                               DF_TEXT("copy"),
                               DF_INT(0),
                               DF_INT(0),
                               DF_REAL(0.99),
                               DF_INT(2),
                               DF_INT(3),
                               DF_INT(1),
                               NIL,
                               NIL,
                               NIL,
                               NIL,
                               NIL,
                               DF_INT(4),
                               DF_INT(0),
                               DF_TEXT("no vector"),
                               NIL,
                               NIL,
                               NIL,
                               NIL};
    const df_value dedup1[] = {DF_INT(0),
                               DF_INT(1),
                               NIL,
                               DF_INT(0),
                               DF_INT(0),
                               DF_REAL(0.555),
                               NIL,
                               DF_INT(1),
                               DF_INT(1),
                               NIL,
                               DF_INT(0),
                               DF_INT(3),
                               DF_REAL(0.301),
                               NIL,
                               DF_INT(2),
                               DF_INT(1),
                               NIL,
                               NIL,
                               NIL,
                               NIL,
                               NIL};
    fixture_put(ds, "dedup", 0, dedup, dedup0, 5);
    fixture_put(ds, "dedup", 1, dedup, dedup1, 3);
    const df_value chosen0[] = {DF_INT(0), DF_INT(1), NIL, DF_INT(3), DF_INT(1),
                                DF_INT(3), DF_INT(1), NIL, DF_INT(1), DF_INT(1)};
    const df_value chosen1[] = {
        DF_INT(0), DF_INT(0), DF_TEXT("rank"), DF_INT(3), DF_INT(2), DF_INT(1), DF_INT(1), NIL,
        DF_INT(1), DF_INT(2), DF_INT(2),       DF_INT(1), NIL,       DF_INT(8), DF_INT(1)};
    fixture_put(ds, "select", 0, chosen, chosen0, 2);
    fixture_put(ds, "select", 1, chosen, chosen1, 3);
}

static inline df_dataset *cluster_fixture(const char *folder)
{
    char input[PATH_MAX], here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(input, sizeof input, "%.3000s/%s.photos", here, folder);
    assert_int_equal(df_file_mkdir(input, NULL), DF_OK);
    df_dataset *ds;
    df_error err = {""};
    if (df_dataset_create(&ds, folder, &err) != DF_OK ||
        df_dataset_set_input(ds, input, &err) != DF_OK)
        fail_msg("%s", err.message);
    for (int part = 0; part < 2; part++)
        cluster_fixture_ingest(ds, part, input);
    cluster_fixture_tables(ds);
    return ds;
}
#endif
