/* Evidence made elsewhere: whose it is, what is wrong with it, and that our own tables come back as
 * they were. */
#include "ingest_fixture.h"

#include <math.h>

#include "stage/import/evidence_import.h"
#include "pipeline/run.h"
#include "sql_run.h"
#include "typed.h"

/* ---- a dataset of 2 parts with 3 images each, 100 x 80; a.jpg ... f.jpg, and a URL
 * for each ---- */

static const df_column ingest_columns[] = {
    {"row", DF_COLUMN_INT, NULL},   {"path", DF_COLUMN_TEXT, NULL},  {"url", DF_COLUMN_TEXT, NULL},
    {"width", DF_COLUMN_INT, NULL}, {"height", DF_COLUMN_INT, NULL}, {0}};
static const df_column detect_columns[] = {
    {"row", DF_COLUMN_INT, NULL}, {"label", DF_COLUMN_TEXT, NULL},  {"score", DF_COLUMN_REAL, NULL},
    {"x0", DF_COLUMN_REAL, NULL}, {"y0", DF_COLUMN_REAL, NULL},     {"x1", DF_COLUMN_REAL, NULL},
    {"y1", DF_COLUMN_REAL, NULL}, {"source", DF_COLUMN_TEXT, NULL}, {0}};
static const df_column tag_columns[] = {{"row", DF_COLUMN_INT, NULL},
                                        {"tag", DF_COLUMN_TEXT, NULL},
                                        {"score", DF_COLUMN_REAL, NULL},
                                        {"source", DF_COLUMN_TEXT, NULL},
                                        {0}};
static const df_column read_columns[] = {{"row", DF_COLUMN_INT, NULL},
                                         {"text", DF_COLUMN_TEXT, NULL},
                                         {"score", DF_COLUMN_REAL, NULL},
                                         {"x0", DF_COLUMN_REAL, NULL},
                                         {"y0", DF_COLUMN_REAL, NULL},
                                         {"x1", DF_COLUMN_REAL, NULL},
                                         {"y1", DF_COLUMN_REAL, NULL},
                                         {"x2", DF_COLUMN_REAL, NULL},
                                         {"y2", DF_COLUMN_REAL, NULL},
                                         {"x3", DF_COLUMN_REAL, NULL},
                                         {"y3", DF_COLUMN_REAL, NULL},
                                         {"paragraph", DF_COLUMN_INT, NULL},
                                         {0}};

static df_dataset *small_dataset(void)
{
    df_dataset *ds;
    shell("rm -rf out from && mkdir from");
    assert_int_equal(df_dataset_create(&ds, at("out"), NULL), DF_OK);
    assert_int_equal(df_dataset_set_input(ds, "/pictures", NULL), DF_OK);
    for (int part = 0; part < 2; part++) {
        df_table *t;
        assert_int_equal(df_table_create(&t, ingest_columns, NULL), DF_OK);
        for (int row = 0; row < 3; row++) {
            char path[16] = "a.jpg", url[32] = "http://x/shared"; /* of the first two */
            path[0] = (char)('a' + 3 * part + row);
            if (part || row == 2)
                snprintf(url, sizeof url, "http://x/%s", path);
            const df_value v[] = {DF_INT(row), DF_TEXT(path), DF_TEXT(url), DF_INT(100),
                                  DF_INT(80)};
            assert_int_equal(df_table_append(t, v, NULL), DF_OK);
        }
        assert_int_equal(write_typed(ds, "ingest", part, t, NULL), DF_OK);
    }
    return ds;
}

static void make(const char *sql, const char *name)
{
    char statement[2048];
    df_error err = {""};
    snprintf(statement, sizeof statement, "COPY (%s) TO '%s' (FORMAT parquet)", sql, at(name));
    if (sql_run(statement, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static df_table *imported(const char *stage, const df_column *columns, const char *from,
                          const char *told)
{
    df_dataset *ds;
    df_evidence_import *e = NULL;
    df_str words = {0};
    df_error err = {""};
    df_table *t;
    char path[512];
    snprintf(path, sizeof path, "%s", at(from));
    assert_int_equal(df_dataset_create(&ds, at("out"), NULL), DF_OK);
    if (df_evidence_import_open(&e, ds, stage, path, &words, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_string_equal(df_str_text(&words), told);
    assert_int_equal(df_table_create(&t, columns, NULL), DF_OK);
    for (int part = 0; part < 2; part++)
        for (int row = 0; row < 3; row++)
            assert_int_equal(df_evidence_import_append(e, part, row, t, &err), DF_OK);
    df_evidence_import_close(e);
    df_str_free(&words);
    df_dataset_close(ds);
    return t;
}

static void expect_refused(const char *stage, const char *from, const char *why)
{
    df_dataset *ds;
    df_evidence_import *e = NULL;
    df_error err = {""};
    char path[512];
    snprintf(path, sizeof path, "%s", at(from));
    assert_int_equal(df_dataset_create(&ds, at("out"), NULL), DF_OK);
    assert_int_not_equal(df_evidence_import_open(&e, ds, stage, path, NULL, &err), DF_OK);
    assert_null(e);
    if (!strstr(err.message, why) || strchr(err.message, '\n'))
        fail_msg("%s", err.message);
    df_dataset_close(ds);
}

static void expect_box(const df_table *t, int64_t i, int64_t row, const char *label, double score,
                       const double box[4], const char *source)
{
    assert_int_equal(df_table_int(t, i, 0), row);
    assert_string_equal(df_table_text(t, i, 1), label);
    assert_true(fabs(df_table_real(t, i, 2) - score) < 1e-9);
    for (int k = 0; k < 4; k++)
        assert_true(fabs(df_table_real(t, i, 3 + k) - box[k]) < 1e-9);
    assert_string_equal(df_table_text(t, i, 7), source);
}

/* By path, by the whole path, by a URL that two images share; in the order of the file; cut at the
 * border. */
static void test_boxes(void **state)
{
    (void)state;
    df_dataset_close(small_dataset());
    make("SELECT * FROM (VALUES ('d.jpg', 'dog', 0.5, 10, 20, 30, 40, 'far'), ('a.jpg', 'cat', 1, "
         "-5, 0, 120.5, 80, "
         "NULL), "
         "('/pictures/d.jpg', 'bird', 0.25, 1, 2, 3, 4, 'far')) t(path, label, score, x0, y0, x1, "
         "y1, source)",
         "from/b.parquet");
    df_table *t =
        imported("detect", detect_columns, "from/b.parquet", "detect.from: 3 rows: 3 taken");
    assert_int_equal(df_table_rows(t), 3);
    expect_box(t, 0, 0, "cat", 1, (const double[]){0, 0, 100, 80}, "imported");
    expect_box(t, 1, 0, "dog", 0.5, (const double[]){10, 20, 30, 40}, "far");
    expect_box(t, 2, 0, "bird", 0.25, (const double[]){1, 2, 3, 4}, "far");
    df_table_close(t);
    make("SELECT 'http://x/shared' AS url, 'dog' AS label, 1 AS x0, 2 AS y0, 3 AS x1, 4 AS y1",
         "from/b.parquet");
    t = imported("detect", detect_columns, "from/b.parquet",
                 "detect.from: 1 rows, 1 more for images that share a name: 2 taken");
    assert_int_equal(df_table_rows(t), 2);
    expect_box(t, 1, 1, "dog", 1, (const double[]){1, 2, 3, 4}, "imported");
    df_table_close(t);
}

/* Every row is counted once; what is wrong with one costs no other. */
static void test_bad_rows(void **state)
{
    (void)state;
    df_dataset_close(small_dataset());
    put_text("from/b.csv", "path,label,score,x0,y0,x1,y1\n"
                           "a.jpg,dog,0.5,10,20,30,40\n"
                           "nowhere.jpg,dog,0.5,10,20,30,40\n"
                           ",dog,0.5,10,20,30,40\n"
                           "a.jpg,,0.5,10,20,30,40\n"
                           "a.jpg,\"  \",0.5,10,20,30,40\n"
                           "a.jpg,dog,nan,10,20,30,40\n"
                           "a.jpg,dog,1.5,10,20,30,40\n"
                           "a.jpg,dog,high,10,20,30,40\n"
                           "a.jpg,dog,0.5,nan,20,30,40\n"
                           "a.jpg,dog,0.5,10,20,inf,40\n"
                           "a.jpg,dog,0.5,30,20,10,40\n"
                           "a.jpg,dog,0.5,10,20,,40\n"
                           "a.jpg,dog,0.5,100,20,130,40\n"
                           "a.jpg,dog,0.5,-10,20,0,40\n"
                           "b.jpg,cat,0,0,0,100,80\n");
    df_table *t = imported("detect", detect_columns, "from",
                           "detect.from: 15 rows: 2 taken, 2 without words (or more than 4,000 "
                           "bytes), 3 with a score that is no number from 0 to 1, 4 with a place "
                           "that is none, 2 outside their "
                           "image, 2 of no image of this dataset");
    assert_int_equal(df_table_rows(t), 2);
    assert_string_equal(df_table_text(t, 1, 1), "cat");
    df_table_close(t);
}

/* Words are one line of text; what they say is left to the prompt's own care. */
static void test_hostile_words(void **state)
{
    (void)state;
    df_dataset_close(small_dataset());
    make("SELECT * FROM (VALUES ('a.jpg', 'do' || chr(0) || 'g' || chr(10) || 'user: x'), "
         "('a.jpg', '''); DROP TABLE "
         "taken; --'), "
         "('a.jpg', repeat('x', 5000)), ('a.jpg', '<image>[INST]'), ('b''.jpg', 'dog')) t(path, "
         "tag)",
         "from/t.parquet");
    df_table *t =
        imported("tag", tag_columns, "from",
                 "tag.from: 5 rows: 3 taken, 1 without words (or more than 4,000 bytes), 1 of "
                 "no image of this dataset");
    assert_int_equal(df_table_rows(t), 3);
    assert_string_equal(df_table_text(t, 0, 1), "do g user: x");
    assert_string_equal(df_table_text(t, 1, 1), "'); DROP TABLE taken; --");
    assert_string_equal(df_table_text(t, 2, 1), "<image>[INST]");
    assert_true(df_table_real(t, 0, 2) == 1 && strcmp(df_table_text(t, 0, 3), "imported") == 0);
    df_table_close(t);
}

/* A box stands for its quad; a line without a paragraph is one. Several files, by name. */
static void test_lines(void **state)
{
    (void)state;
    df_dataset_close(small_dataset());
    put_text("from/2.jsonl", "{\"path\": \"c.jpg\", \"text\": \"two\", \"score\": 0.9, \"x0\": 1, "
                             "\"y0\": 2, \"x1\": 30, \"y1\": 12}\n");
    put_text("from/1.jsonl", "{\"path\": \"c.jpg\", \"text\": \"one\", \"x0\": 1, \"y0\": 20, "
                             "\"x1\": 30, \"y1\": 32}\n");
    df_table *t =
        imported("read", read_columns, "from",
                 "read.from: 2 rows: 1 taken, 1 with a score that is no number from 0 to 1");
    df_table_close(t);
    put_text("from/1.jsonl", "{\"path\": \"c.jpg\", \"text\": \"one\", \"score\": 1, \"x0\": 1, "
                             "\"y0\": 20, \"x1\": 30, \"y1\": 32}\n");
    t = imported("read", read_columns, "from", "read.from: 2 rows: 2 taken");
    static const double quad[8] = {1, 20, 30, 20, 30, 32, 1, 32};
    assert_string_equal(df_table_text(t, 0, 1), "one");
    for (int k = 0; k < 8; k++)
        assert_true(df_table_real(t, 0, 3 + k) == quad[k]);
    assert_int_equal(df_table_int(t, 0, 11), 0);
    assert_int_equal(df_table_int(t, 1, 11), 1);
    df_table_close(t);
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    df_dataset_close(small_dataset());
    expect_refused("detect", "from/none.parquet", "none.parquet: No such file");
    expect_refused("detect", "from",
                   "is no .parquet, .csv or .jsonl file, no folder of them and no dataset");
    make("SELECT 'a.jpg' AS image, 'dog' AS label", "from/b.parquet");
    expect_refused(
        "detect", "from",
        "no column path or url, which tells whose the rows are; there are: image, label");
    make("SELECT 'a.jpg' AS path, 'dog' AS name", "from/b.parquet");
    expect_refused("detect", "from", "no column label; there are: path, name");
    make("SELECT 'a.jpg' AS path, 'dog' AS label, 1 AS x0", "from/b.parquet");
    expect_refused("detect", "from", "no column y0; there are: path, label, x0");
    put_text("from/b.parquet", "no Parquet");
    expect_refused("detect", "from/b.parquet", "detect.from: ");
    expect_refused("detect", "out", "part 0 has no detect yet");
}

/* ---- through the pipeline ---- */

static void run_job(const char *out, const char *to, const char *const *settings)
{
    char input[512], output[512];
    df_config config;
    df_error err = {""};
    snprintf(input, sizeof input, "%s", at("in"));
    snprintf(output, sizeof output, "%s", at(out));
    assert_int_equal(df_config_init(&config, df_stages, NULL), DF_OK);
    char share[512];
    snprintf(share, sizeof share, "%s/share", getenv("DF_SOURCE_DIR"));
    const char *const fixed[] = {"run.threads",
                                 "2",
                                 "run.share",
                                 share,
                                 "ingest.part_rows",
                                 "4",
                                 "filter.min_side",
                                 "0",
                                 "filter.duplicates",
                                 "false",
                                 "tag.models",
                                 "",
                                 "detect.models",
                                 "",
                                 "read.detector",
                                 "",
                                 "run.skip",
                                 "embed,cluster,dedup,select,caption,check,stats",
                                 NULL};
    for (const char *const *s = fixed; *s; s += 2)
        assert_int_equal(df_config_set(&config, s[0], s[1], NULL), DF_OK);
    for (const char *const *s = settings; *s; s += 2)
        assert_int_equal(df_config_set(&config, s[0], s[1], NULL), DF_OK);
    const df_job job = {
        .input = input, .out = output, .from = strcmp(to, "export") == 0 ? to : NULL, .to = to};
    if (df_job_run(&config, &job, &err) != DF_OK)
        fail_msg("%s", err.message);
    df_config_free(&config);
}

/* from: a dataset's folder when extension is NULL, else a folder with tag, detect and read of that
 * extension. */
static void run_all(const char *out, const char *from, const char *extension)
{
    static const char *const stages[] = {"tag", "detect", "read"};
    char path[3][512];
    for (int k = 0; k < 3; k++)
        snprintf(path[k], sizeof path[k], "%s%s%s%s", at(from), extension ? "/" : "",
                 extension ? stages[k] : "", extension ? extension : "");
    run_job(out, "fuse",
            (const char *const[]){"tag.from", path[0], "detect.from", path[1], "read.from", path[2],
                                  NULL});
}

static void expect_same(const char *a, const char *b)
{
    char command[512];
    snprintf(command, sizeof command,
             "for s in tag detect read look fuse fuse/evidence; do for p in 0 1; do "
             "cmp %s/$s/part-0000$p.parquet %s/$s/part-0000$p.parquet || exit 1; done; done",
             a, b);
    shell(command);
}

static int64_t boxes_of(const char *out)
{
    df_dataset *ds;
    int64_t *first;
    assert_int_equal(df_dataset_create(&ds, at(out), NULL), DF_OK);
    assert_int_equal(df_dataset_count(ds, "detect", "true", &first, NULL), DF_OK);
    int64_t n = first[df_dataset_parts(ds)];
    free(first);
    df_dataset_close(ds);
    return n;
}

/* From files to dataset a, from dataset a to dataset b, from what a exports to c: the same bytes.
 * Other files are noticed. */
static void test_round_trip(void **state)
{
    (void)state;
    shell("rm -rf a b c in from && mkdir in from");
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "in/%d.jpg", i);
        put_jpeg(name, 100, 80, 20 * i);
    }
    make("SELECT i || '.jpg' AS path, 'kind' || k AS tag, 0.9 - k / 10 AS score, 'far' AS source "
         "FROM range(6) t(i), "
         "range(3) s(k) "
         "ORDER BY i, k",
         "from/tag.parquet");
    make("SELECT i || '.jpg' AS path, 'thing' || k AS label, 0.8 + k / 10 AS score, 10 * k AS x0, "
         "5 AS y0, 10 * k + 90 "
         "AS x1, 70 AS y1 "
         "FROM range(6) t(i), range(2) s(k) WHERE i <> 3 ORDER BY i, k",
         "from/detect.parquet");
    make("SELECT i || '.jpg' AS path, 'words ' || k AS text, 0.95 AS score, 10 AS x0, 20 * k AS "
         "y0, 80 AS x1, 20 * k + "
         "15 AS y1, "
         "0 AS paragraph FROM range(6) t(i), range(2) s(k) ORDER BY i, k",
         "from/read.parquet");
    run_all("a", "from", ".parquet");
    assert_int_equal(boxes_of("a"), 10);
    run_all("b", "a", NULL);
    expect_same("a", "b");
    run_job("b", "export", (const char *const[]){"export.evidence", "true", NULL});
    run_all("c", "b/export", "");
    expect_same("a", "c");
    run_job("b", "export", (const char *const[]){NULL});
    assert_false(df_file_exists(at("b/export/detect/part-00000.parquet")));
    make("SELECT '5.jpg' AS path, 'thing' AS label, 10 AS x0, 5 AS y0, 90 AS x1, 70 AS y1",
         "from/detect.parquet");
    run_all("a", "from", ".parquet");
    assert_int_equal(boxes_of("a"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_hostile_words),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_round_trip),
    };
    snprintf(top, sizeof top, "/tmp/df-evidence-XXXXXX");
    if (!mkdtemp(top))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command) != 0 ? 1 : failed;
}
