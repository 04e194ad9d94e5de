/* The stage: a row and evidence for every kept image, found again by the reader; a wrong template
 * is one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tables/gather.h"
#include "stage/fuse/fuse.h"
#include "stage/stage.h"
#include "typed.h"

extern const df_stage df_stage_fuse;
#define INT_(n) {n, DF_COLUMN_INT, NULL}
#define REAL_(n) {n, DF_COLUMN_REAL, NULL}
#define TEXT_(n) {n, DF_COLUMN_TEXT, NULL}
static const df_column ingest_columns[] = {INT_("row"),    TEXT_("path"),     INT_("width"),
                                           INT_("height"), TEXT_("alt_text"), {0}};
static const df_column filter_columns[] = {
    INT_("row"), {"kept", DF_COLUMN_BOOL, NULL}, TEXT_("reason"), {0}};
static const df_column detect_columns[] = {INT_("row"), TEXT_("label"),  REAL_("score"),
                                           REAL_("x0"), REAL_("y0"),     REAL_("x1"),
                                           REAL_("y1"), TEXT_("source"), {0}};
#define ADD(t, ...)                                                                                \
    assert_int_equal(df_table_append(t, (const df_value[]){__VA_ARGS__}, NULL), DF_OK)

static df_table *make(const df_column *columns)
{
    df_table *t;
    assert_int_equal(df_table_create(&t, columns, NULL), DF_OK);
    return t;
}

static void write_part(df_dataset *ds, const char *stage, df_table *t)
{
    assert_int_equal(write_typed(ds, stage, 0, t, NULL), DF_OK);
}

/* Three images; the middle one is rejected; only the first has boxes. */
static df_dataset *dataset(const char *folder)
{
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, folder, NULL), DF_OK);
    df_table *ingest = make(ingest_columns), *filter = make(filter_columns),
             *detect = make(detect_columns);
    for (int i = 0; i < 3; i++) {
        ADD(ingest, DF_INT(i), DF_TEXT("a.jpg"), DF_INT(640), DF_INT(480),
            i == 2 ? DF_TEXT("[IMAGE]: a dog") : DF_NULL);
        ADD(filter, DF_INT(i), DF_INT(i != 1), i == 1 ? DF_TEXT("small") : DF_NULL);
    }
    ADD(detect, DF_INT(0), DF_TEXT("dog"), DF_REAL(0.7), DF_REAL(10), DF_REAL(20), DF_REAL(110),
        DF_REAL(220), DF_TEXT("n"));
    ADD(detect, DF_INT(0), DF_TEXT("cat"), DF_REAL(0.3), DF_REAL(300), DF_REAL(20), DF_REAL(410),
        DF_REAL(220), DF_TEXT("n"));
    ADD(detect, DF_INT(0), DF_TEXT("dog"), DF_REAL(0.8), DF_REAL(10), DF_REAL(20), DF_REAL(110),
        DF_REAL(220), DF_TEXT("c"));
    write_part(ds, "ingest", ingest);
    write_part(ds, "filter", filter);
    write_part(ds, "detect", detect);
    return ds;
}

static const char *share(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/share",
             getenv("DF_SOURCE_DIR") ? getenv("DF_SOURCE_DIR") : ".");
    return path;
}

static df_status run_fuse(df_dataset *ds, const char *prompt, df_error *err)
{
    df_fuse_config config = {0};
    df_run run = {.n_threads = 1, .share = share()};
    assert_int_equal(df_options_defaults(df_stage_fuse.options, &config, err), DF_OK);
    assert_int_equal(df_option_set(df_stage_fuse.options, &config, "fuse", "prompt", prompt, err),
                     DF_OK);
    df_status status = df_stage_fuse.run(ds, &config, &run, err);
    df_options_free(df_stage_fuse.options, &config);
    return status;
}

/* The fused evidence as later stages read it. */
static const df_evidence *gather(const df_dataset *ds, df_arena *arena, int64_t n_images)
{
    df_evidence_tables tables;
    df_evidence *e;
    int64_t n;
    assert_int_equal(df_evidence_tables_open(&tables, ds, 0, true, NULL), DF_OK);
    assert_int_equal(df_evidence_gather(&tables, arena, &e, &n, NULL), DF_OK);
    df_evidence_tables_close(&tables);
    assert_int_equal(n, n_images);
    return e;
}

static void kept_images_get_a_prompt(void **state)
{
    (void)state;
    df_dataset *ds = dataset("fuse.test");
    df_error err = {""};
    unlink("fuse.test/fuse/part-00000.parquet");
    assert_int_equal(run_fuse(ds, "engine", &err), DF_OK);
    df_table *t;
    assert_int_equal(df_dataset_read(ds, &df_fuse_table, 0, &t, &err), DF_OK);
    assert_int_equal(df_table_rows(t), 2);
    assert_int_equal(df_table_int(t, 0, 0), 0);
    assert_int_equal(df_table_int(t, 1, 0), 2);
    assert_int_equal(df_table_int(t, 0, df_table_column(t, "n_boxes")), 1);
    const char *prompt = df_table_text(t, 0, 1), *other = df_table_text(t, 1, 1);
    assert_non_null(strstr(prompt, "[Detection Box]:\ndog: [10, 20, 110, 220]\n\n[IMAGE]:"));
    assert_null(strstr(prompt, "[World Knowledge]: \n"));
    assert_non_null(strstr(other, "[World Knowledge]: (IMAGE): a dog\n\n[IMAGE]:"));
    assert_int_equal(strlen(df_table_text(t, 0, df_table_column(t, "evidence_hash"))), 32);
    df_table_close(t);

    df_arena arena = {0};
    const df_evidence *e = gather(ds, &arena, 3);
    assert_int_equal(e[0].n_boxes, 1);
    assert_string_equal(e[0].boxes[0].source, "c+n");
    assert_int_equal(e[0].boxes[0].item, 2); /* the surer raw record */
    df_arena_reset(&arena);
    df_dataset_close(ds);
}

static void same_bytes_again(void **state)
{
    (void)state;
    df_dataset *ds = dataset("fuse.test");
    static const char *const paths[] = {"fuse.test/fuse/part-00000.parquet",
                                        "fuse.test/fuse/evidence/part-00000.parquet"};
    char *first[2], *second[2];
    size_t a[2], b[2];
    unlink(paths[0]);
    assert_int_equal(run_fuse(ds, "meta", NULL), DF_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(df_file_read(paths[i], 1 << 24, &first[i], &a[i], NULL), DF_OK);
    unlink(paths[0]);                        /* killed between the two files */
    assert_int_equal(run_fuse(ds, "meta", NULL), DF_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(df_file_read(paths[i], 1 << 24, &second[i], &b[i], NULL), DF_OK);
        assert_int_equal(a[i], b[i]);
        assert_memory_equal(first[i], second[i], a[i]);
        free(first[i]);
        free(second[i]);
    }
    df_dataset_close(ds);
}

/* 40 people on a quay: 32 boxes, the last of which counts those that found no place; what is told
 * reads back as it was. */
static void a_crowd_reads_back(void **state)
{
    (void)state;
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, "fuse_crowd.test", NULL), DF_OK);
    df_table *ingest = make(ingest_columns), *detect = make(detect_columns);
    ADD(ingest, DF_INT(0), DF_TEXT("a.jpg"), DF_INT(4000), DF_INT(1000), DF_NULL);
    for (int i = 0; i < 40; i++)
        ADD(detect, DF_INT(0), DF_TEXT("person"), DF_REAL(0.99 - i / 1000.0), DF_REAL(i * 100),
            DF_REAL(500), DF_REAL(i * 100 + 50), DF_REAL(600), DF_TEXT("n"));
    ADD(detect, DF_INT(0), DF_TEXT("kite"), DF_REAL(0.1), DF_REAL(0), DF_REAL(0), DF_REAL(50),
        DF_REAL(60), DF_TEXT("n"));
    write_part(ds, "ingest", ingest);
    write_part(ds, "detect", detect);
    unlink("fuse_crowd.test/fuse/part-00000.parquet");
    df_error err = {""};
    assert_int_equal(run_fuse(ds, "engine", &err), DF_OK);
    df_arena arena = {0};
    const df_evidence *e = gather(ds, &arena, 1);
    assert_int_equal(e[0].n_boxes, 32);
    assert_int_equal(e[0].boxes[30].count, 1);
    assert_int_equal(e[0].boxes[31].count, 9);
    assert_true(e[0].boxes[31].x0 == 3100 && e[0].boxes[31].x1 == 3950);
    df_table *t;
    assert_int_equal(df_dataset_read(ds, &df_fuse_left_table, 0, &t, &err), DF_OK);
    const int reason = df_table_column(t, "reason");
    assert_int_equal(df_table_rows(t), 9);
    assert_string_equal(df_table_text(t, 0, reason), "counted");
    assert_string_equal(df_table_text(t, 8, reason), "score");
    assert_string_equal(df_table_text(t, 8, df_table_column(t, "text")), "kite");
    df_table_close(t);
    assert_int_equal(df_dataset_read(ds, &df_fuse_table, 0, &t, &err), DF_OK);
    assert_non_null(strstr(df_table_text(t, 0, 1), "\n9 x person: [3100, 500, 3950, 600]"));
    df_table_close(t);
    df_arena_reset(&arena);
    df_dataset_close(ds);
}

/* A card's accept counts unless the option says otherwise; what it says is part of what the stage
 * depends on. */
static void each_expert_has_its_accept(void **state)
{
    (void)state;
    static const char card[] = "name: n\ntask: detect\ndecoder: boxes\nfile: n.onnx\nlicence: "
                               "MIT\nsource: here\naccept: 0.25\n";
    assert_int_equal(df_file_mkdir("fuse_cards.test", NULL), DF_OK);
    assert_int_equal(df_file_write("fuse_cards.test/n.yaml", card, strlen(card), NULL), DF_OK);
    static const struct {
        const char *given;
        df_status status;
        double n;
        int n_accept;
    } cases[] = {
        {"", DF_OK, 0.25, 1},       {"n=0.5", DF_OK, 0.5, 2},      {" m=0.1, n=1 ", DF_OK, 1, 3},
        {"m=0", DF_OK, 0.25, 2},    {"n", DF_CONFIG, 0, 0},        {"n=", DF_CONFIG, 0, 0},
        {"=0.5", DF_CONFIG, 0, 0},  {"n=1.5", DF_CONFIG, 0, 0},    {"n=0.5x", DF_CONFIG, 0, 0},
        {"n=nan", DF_CONFIG, 0, 0}, {"n=0.5,,m", DF_CONFIG, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_fuse_config config = {.accept = (char *)(uintptr_t)cases[i].given};
        df_fuser fuser = {0};
        df_str depends = {0};
        df_error err = {""};
        const df_run run = {.share = share(), .models = "fuse_cards.test"};
        assert_int_equal(df_stage_fuse.depends(&config, &run, &depends, NULL), cases[i].status);
        assert_int_equal(df_fuser_init(&fuser, &config, share(), "fuse_cards.test", &err),
                         cases[i].status);
        if (cases[i].status == DF_OK) {
            assert_int_equal(fuser.how.n_accept, cases[i].n_accept);
            assert_true(df_accept_of(fuser.how.accept, fuser.how.n_accept, "n", 9) == cases[i].n);
            assert_true(df_accept_of(fuser.how.accept, fuser.how.n_accept, "other", 9) == 9);
            assert_non_null(strstr(df_str_text(&depends), "n 0.25\n"));
        } else {
            assert_non_null(strstr(err.message, "fuse.accept"));
        }
        df_fuser_free(&fuser);
        df_str_free(&depends);
    }
}

static void own_templates(void **state)
{
    (void)state;
    df_dataset *ds = dataset("fuse.test");
    df_error err = {""};
    unlink("fuse.test/fuse/part-00000.parquet");
    assert_int_equal(run_fuse(ds, "no/such.txt", &err), DF_IO);
    assert_non_null(strstr(err.message, "no/such.txt"));
    assert_int_equal(df_file_write("mine.txt", "ok\n{what}\n", 10, &err), DF_OK);
    assert_int_equal(run_fuse(ds, "mine.txt", &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "mine.txt:2"));
    assert_non_null(strstr(err.message, "{what}"));
    assert_false(df_dataset_has_part(ds, "fuse", 0));

    df_fuse_config config = {.prompt = (char *)(uintptr_t)"mine.txt"};
    const df_run run = {.share = share()};
    df_str before = {0}, after = {0};
    assert_int_equal(df_file_write("mine.txt", "one {ocr}", 9, &err), DF_OK);
    assert_int_equal(df_stage_fuse.depends(&config, &run, &before, &err), DF_OK);
    assert_int_equal(df_file_write("mine.txt", "two {ocr}", 9, &err), DF_OK);
    assert_int_equal(df_stage_fuse.depends(&config, &run, &after, &err), DF_OK);
    assert_string_not_equal(df_str_text(&before), df_str_text(&after));
    df_str_free(&before);
    df_str_free(&after);
    assert_int_equal(df_file_write("mine.txt", "Image.\n\n{detection_box}", 23, &err), DF_OK);
    assert_int_equal(run_fuse(ds, "mine.txt", &err), DF_OK);
    df_table *t;
    assert_int_equal(df_dataset_read(ds, &df_fuse_table, 0, &t, &err), DF_OK);
    assert_string_equal(df_table_text(t, 0, 1), "Image.\n\ndog: [10, 20, 110, 220]");
    assert_string_equal(df_table_text(t, 1, 1), "Image.");
    df_table_close(t);
    df_dataset_close(ds);
    remove("mine.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_images_get_a_prompt), cmocka_unit_test(same_bytes_again),
        cmocka_unit_test(a_crowd_reads_back), cmocka_unit_test(each_expert_has_its_accept),
        cmocka_unit_test(own_templates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
