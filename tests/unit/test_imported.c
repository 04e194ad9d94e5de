/* Vectors made elsewhere, in the layouts that people have: whose they are, and what is wrong with
 * them. */
#include "embed_fixture.h"

#include "dataset/table.h"
#include "io/npy.h"
#include "sql_run.h"
#include "typed.h"

/* pictures a.jpg to l.jpg, in parts of 4; vector i is along [i + 1, 1, 2] */
enum { N = 12, DIM = 3 };

static void write_npy(const char *name, df_npy_type type, int first, int n)
{
    char path[512];
    df_npy_writer *w;
    snprintf(path, sizeof path, "%s", at(name));
    assert_int_equal(df_npy_create(&w, path, type, DIM, NULL), DF_OK);
    for (int i = first; i < first + n; i++) {
        float x[DIM] = {(float)(i + 1), 1, 2};
        double d[DIM] = {i + 1, 1, 2};
        uint16_t half[DIM];
        df_float_to_half_n(x, half, DIM);
        const void *row = type == DF_NPY_FLOAT16   ? (const void *)half
                          : type == DF_NPY_FLOAT32 ? (const void *)x
                                                   : d;
        assert_int_equal(df_npy_append(w, row, 1, NULL), DF_OK);
    }
    assert_int_equal(df_npy_finish(w, NULL), DF_OK);
    df_npy_writer_close(w);
}

static void sql(const char *fmt, const char *name)
{
    char statement[1024], path[512];
    df_error err = {""};
    snprintf(path, sizeof path, "%s", at(name));
    snprintf(statement, sizeof statement, fmt, path);
    if (sql_run(statement, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static void fresh(void)
{
    shell("rm -rf out from && mkdir from");
}

static df_status import_from(const char *field, const char *key, df_error *err)
{
    char from[512];
    snprintf(from, sizeof from, "%s", at("from"));
    return embed(
        "out", 2, -1,
        (const char *const[]){"embed.from", from, "embed.field", field, "embed.key", key, NULL},
        err);
}

/* Row r has the vector along [whose[r] + 1, 1, 2]; -1: it is missing. whose NULL: each its own. */
static void expect_vectors(const int *whose)
{
    df_dataset *ds = open_dataset("out");
    df_vectors *v;
    df_error err = {""};
    if (df_vectors_open(&v, ds, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_vectors_dim(v), DIM);
    int64_t at_vector = 0;
    for (int row = 0; row < N; row++) {
        int owner = whose ? whose[row] : row;
        uint16_t half[DIM];
        float x[DIM];
        if (owner < 0)
            continue;
        assert_int_equal(df_vectors_read(v, at_vector++, 1, half, NULL), DF_OK);
        df_half_to_float_n(half, x, DIM);
        double length = sqrt((owner + 1) * (owner + 1) + 1 + 4);
        assert_true(fabs((double)x[0] - (owner + 1) / length) < 1e-3);
        assert_true(fabs((double)x[1] - 1 / length) < 1e-3 &&
                    fabs((double)x[2] - 2 / length) < 1e-3);
    }
    assert_int_equal(df_vectors_count(v), at_vector);
    df_vectors_close(v);
    df_dataset_close(ds);
}

static void must_import(const char *field, const char *key)
{
    df_error err = {""};
    if (import_from(field, key, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static void expect_refused(const char *field, const char *key, const char *why)
{
    df_error err = {""};
    assert_int_not_equal(import_from(field, key, &err), DF_OK);
    if (!strstr(err.message, why) || strncmp(err.message, "embed: ", 7) != 0 ||
        strchr(err.message, '\n'))
        fail_msg("%s", err.message);
}

/* img_emb_10 comes after img_emb_9, and every float type is read. */
static void test_clip_retrieval_by_order(void **state)
{
    (void)state;
    fresh();
    shell("mkdir from/img_emb");
    for (int i = 0; i < N; i++) {
        char name[64];
        snprintf(name, sizeof name, "from/img_emb/img_emb_%d.npy", i);
        write_npy(name, (df_npy_type)(i % 3), i, 1);
    }
    must_import("", "");
    expect_vectors(NULL);
}

/* Owners in another order, one unknown to us, one of ours without a vector; by path and by the
 * whole path. */
static void test_clip_retrieval_by_key(void **state)
{
    (void)state;
    static const int whose[N] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, -1};
    fresh();
    shell("mkdir from/img_emb from/metadata");
    write_npy("from/img_emb/img_emb_0.npy", DF_NPY_FLOAT16, 0, 7);
    write_npy("from/img_emb/img_emb_1.npy", DF_NPY_FLOAT16, 7, 6);
    sql("COPY (SELECT CASE WHEN i = 0 THEN 'elsewhere.jpg' ELSE chr(CAST(97 + 11 - i AS INT)) || "
        "'.jpg' END AS image_path "
        "FROM range(0, 7) t(i) ORDER BY i) TO '%s' (FORMAT parquet)",
        "from/metadata/metadata_0.parquet");
    char statement[1024];
    snprintf(statement, sizeof statement,
             "COPY (SELECT '%s/' || chr(CAST(97 + 11 - i AS INT)) || '.jpg' AS image_path "
             "FROM range(7, 13) t(i) ORDER BY i) TO '%%s' (FORMAT parquet)",
             at("in"));
    sql(statement, "from/metadata/metadata_1.parquet");
    must_import("", "image_path");
    expect_vectors(whose);
    df_dataset *ds = open_dataset("out");
    df_table *t;
    assert_int_equal(df_dataset_read(ds, &df_embed_table, 2, &t, NULL), DF_OK);
    assert_string_equal(df_table_text(t, 3, 2), "missing");
    df_table_close(t);
    df_dataset_close(ds);
}

static void test_datacomp(void **state)
{
    (void)state;
    char command[1024];
    fresh();
    snprintf(command, sizeof command, "cp %s/tests/data/vectors/*.npz from",
             getenv("DF_SOURCE_DIR"));
    shell(command);
    must_import("l14_img", "");
    expect_vectors(NULL);
    sql("COPY (SELECT 'u' || i AS uid, chr(CAST(97 + 4 - i AS INT)) || '.jpg' AS path FROM "
        "range(0, 5) t(i) ORDER BY i) TO '%s' "
        "(FORMAT parquet)",
        "from/00000000.parquet");
    sql("COPY (SELECT 'u' || i AS uid, chr(CAST(97 + i AS INT)) || '.jpg' AS path FROM range(5, "
        "12) t(i) ORDER BY i) TO '%s' "
        "(FORMAT parquet)",
        "from/00000001.parquet");
    must_import("l14_img", "path");
    expect_vectors((const int[N]){4, 3, 2, 1, 0, 5, 6, 7, 8, 9, 10, 11});
    expect_refused("", "", "embed.field: which member");
    expect_refused("l14_txt", "", "there is no l14_txt.npy in it");
    shell("head -c 300 from/00000001.npz > cut && mv cut from/00000001.npz");
    expect_refused("l14_img", "", "00000001.npz");
}

static void test_parquet_with_a_list_column(void **state)
{
    (void)state;
    fresh();
    sql("COPY (SELECT CAST([i + 1, 1, 2] AS FLOAT[]) AS vector, chr(CAST(97 + i AS INT)) || '.jpg' "
        "AS path FROM range(0, 9) t(i) "
        "ORDER BY i) TO '%s' (FORMAT parquet)",
        "from/a.parquet");
    sql("COPY (SELECT CAST([i + 1, 1, 2] AS FLOAT[]) AS vector, chr(CAST(97 + i AS INT)) || '.jpg' "
        "AS path FROM range(9, 12) t(i) "
        "ORDER BY i) TO '%s' (FORMAT parquet)",
        "from/b.parquet");
    must_import("vector", "");
    expect_vectors(NULL);
    must_import("vector", "path");
    expect_vectors(NULL);
    expect_refused("none", "", "none");
    sql("COPY (SELECT CASE WHEN i = 1 THEN [1.5, 2] ELSE [i + 1, 1, 2] END AS vector FROM range(0, "
        "12) t(i) ORDER BY i) TO '%s' "
        "(FORMAT parquet)",
        "from/a.parquet");
    shell("rm from/b.parquet");
    expect_refused("vector", "", "a.parquet: row 1 does not have 3 values");
    sql("COPY (SELECT CASE WHEN i = 0 THEN [] WHEN i = 1 THEN NULL WHEN i = 2 THEN [0, 0, 0] WHEN "
        "i = 3 THEN ['inf'::FLOAT, 0, 0] "
        "ELSE [i + 1, 1, 2] END AS vector FROM range(0, 12) t(i) ORDER BY i) TO '%s' (FORMAT "
        "parquet)",
        "from/a.parquet");
    must_import("vector", "");
    expect_problem("out", 0, "not a number");
    expect_problem("out", 1, "not a number");
    expect_problem("out", 2, "zero");
    expect_problem("out", 3, "infinite");
    expect_vectors((const int[N]){-1, -1, -1, -1, 4, 5, 6, 7, 8, 9, 10, 11});
}

static void test_columns_with_quotes_in_their_names(void **state)
{
    (void)state;
    fresh();
    sql("COPY (SELECT CAST([i + 1, 1, 2] AS FLOAT[]) AS \"the \"\"vector\", chr(CAST(97 + i AS "
        "INT)) || '.jpg' AS \"its 'path\"\"\" "
        "FROM range(0, 12) t(i) ORDER BY i) TO '%s' (FORMAT parquet)",
        "from/a.parquet");
    must_import("the \"vector", "its 'path\"");
    expect_vectors(NULL);
}

static void test_what_does_not_fit_is_one_line(void **state)
{
    (void)state;
    fresh();
    expect_refused("", "", "holds no .npy, .npz or .parquet");
    write_npy("from/a.npy", DF_NPY_FLOAT16, 0, 11);
    expect_refused("", "", "11 vectors for 12 rows of ingest");
    expect_refused("", "path", "embed.key: ");
    put("from/b.npy", "\x93NUMPY", 6);
    expect_refused("", "", "b.npy: not an .npy file");
    char path[512];
    df_npy_writer *w;
    snprintf(path, sizeof path, "%s", at("from/b.npy"));
    assert_int_equal(df_npy_create(&w, path, DF_NPY_FLOAT16, 5, NULL), DF_OK);
    assert_int_equal(df_npy_append(w, (uint16_t[5]){1, 2, 3, 4, 5}, 1, NULL), DF_OK);
    assert_int_equal(df_npy_finish(w, NULL), DF_OK);
    df_npy_writer_close(w);
    expect_refused("", "", "b.npy: vectors of 5 values");
    shell("truncate -s 150 from/a.npy");
    expect_refused("", "", "a.npy: cut");
}

int main(void)
{
    snprintf(top, sizeof top, "/tmp/df-imported-XXXXXX");
    if (!mkdtemp(top))
        return 1;
    for (int i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "in/%c.jpg", 'a' + i);
        put_jpeg(name, 32, 32, 20 * i);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip_retrieval_by_order),
        cmocka_unit_test(test_clip_retrieval_by_key),
        cmocka_unit_test(test_datacomp),
        cmocka_unit_test(test_parquet_with_a_list_column),
        cmocka_unit_test(test_columns_with_quotes_in_their_names),
        cmocka_unit_test(test_what_does_not_fit_is_one_line),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command) != 0 ? 1 : failed;
}
