/* Tables become evidence: records find their image, looks and quads find their record, missing
 * tables are missing evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tables/gather.h"
#include "typed.h"

#define INT_(n) {n, DF_COLUMN_INT, NULL}
#define REAL_(n) {n, DF_COLUMN_REAL, NULL}
#define TEXT_(n) {n, DF_COLUMN_TEXT, NULL}
static const df_column ingest_columns[] = {INT_("row"),    TEXT_("path"),     INT_("width"),
                                           INT_("height"), TEXT_("alt_text"), {0}};
static const df_column tag_columns[] = {
    INT_("row"), TEXT_("tag"), REAL_("score"), TEXT_("source"), {0}};
static const df_column detect_columns[] = {INT_("row"), TEXT_("label"),  REAL_("score"),
                                           REAL_("x0"), REAL_("y0"),     REAL_("x1"),
                                           REAL_("y1"), TEXT_("source"), {0}};
static const df_column read_columns[] = {
    INT_("row"), TEXT_("text"), REAL_("score"), REAL_("x0"), REAL_("y0"), REAL_("x1"),
    REAL_("y1"), REAL_("x2"),   REAL_("y2"),    REAL_("x3"), REAL_("y3"), INT_("paragraph"),
    {0}};
static const df_column look_columns[] = {INT_("row"),
                                         TEXT_("kind"),
                                         INT_("item"),
                                         {"colours", DF_COLUMN_TEXTS, NULL},
                                         {"shares", DF_COLUMN_REALS, NULL},
                                         REAL_("brightness"),
                                         REAL_("contrast"),
                                         REAL_("saturation"),
                                         REAL_("detail"),
                                         {0}};
#define COLOURS(name, share) DF_TEXTS(((const char *[]){name}), 1), DF_REALS(((double[]){share}), 1)
static const df_column fused_columns[] = {
    INT_("row"),    TEXT_("kind"),   INT_("item"), TEXT_("text"),
    REAL_("score"), TEXT_("source"), REAL_("x0"),  REAL_("y0"),
    REAL_("x1"),    REAL_("y1"),     {0}};

static df_table *make(const df_column *columns)
{
    df_table *t;
    assert_int_equal(df_table_create(&t, columns, NULL), DF_OK);
    return t;
}
#define ADD(t, ...)                                                                                \
    assert_int_equal(df_table_append(t, (const df_value[]){__VA_ARGS__}, NULL), DF_OK)

static df_evidence_tables raw_tables(void)
{
    df_evidence_tables t = {make(ingest_columns), make(tag_columns),  make(detect_columns),
                            make(read_columns),   make(look_columns), NULL};
    for (int i = 0; i < 3; i++)
        ADD(t.ingest, DF_INT(i), DF_TEXT(i ? "b.jpg" : "a.jpg"), DF_INT(640), DF_INT(480),
            i == 1 ? DF_TEXT("a dog") : DF_NULL);
    ADD(t.tag, DF_INT(2), DF_TEXT("dog"), DF_REAL(0.6), DF_TEXT("m"));
    ADD(t.tag, DF_INT(2), DF_TEXT("cat"), DF_REAL(0.9), DF_TEXT("m"));
    ADD(t.tag, DF_INT(77), DF_TEXT("stray"), DF_REAL(0.9), DF_TEXT("m"));
    ADD(t.tag, DF_INT(-1), DF_TEXT("stray"), DF_REAL(0.9), DF_TEXT("m"));
    ADD(t.detect, DF_INT(0), DF_TEXT("car"), DF_REAL(0.5), DF_REAL(1), DF_REAL(2), DF_REAL(3),
        DF_REAL(4), DF_TEXT("n"));
    ADD(t.detect, DF_INT(0), DF_TEXT("bus"), DF_REAL(0.8), DF_REAL(5), DF_REAL(6), DF_REAL(7),
        DF_REAL(8), DF_TEXT("c"));
    ADD(t.read, DF_INT(0), DF_TEXT("STOP"), DF_REAL(0.9), DF_REAL(0), DF_REAL(1), DF_REAL(10),
        DF_REAL(2), DF_REAL(11), DF_REAL(7), DF_REAL(1), DF_REAL(6), DF_INT(0));
    ADD(t.read, DF_INT(0), DF_TEXT("GO"), DF_REAL(0.8), DF_REAL(0), DF_REAL(11), DF_REAL(10),
        DF_REAL(12), DF_REAL(11), DF_REAL(17), DF_REAL(1), DF_REAL(16), DF_INT(0));
    ADD(t.read, DF_INT(0), DF_TEXT("HALT"), DF_REAL(0.8), DF_REAL(0), DF_REAL(31), DF_REAL(10),
        DF_REAL(32), DF_REAL(11), DF_REAL(37), DF_REAL(1), DF_REAL(36), DF_INT(1));
    ADD(t.look, DF_INT(0), DF_TEXT("image"), DF_INT(0),
        DF_TEXTS(((const char *[]){"red", "light blue"}), 2), DF_REALS(((double[]){0.5, 0.3}), 2),
        DF_REAL(0.4), DF_REAL(0.3), DF_REAL(0.2), DF_REAL(0.1));
    ADD(t.look, DF_INT(0), DF_TEXT("cell"), DF_INT(8), COLOURS("green", 1), DF_REAL(0.4),
        DF_REAL(0), DF_REAL(0), DF_REAL(0));
    ADD(t.look, DF_INT(0), DF_TEXT("cell"), DF_INT(9), COLOURS("green", 1), DF_REAL(0.4),
        DF_REAL(0), DF_REAL(0), DF_REAL(0));
    ADD(t.look, DF_INT(0), DF_TEXT("box"), DF_INT(0), COLOURS("white", 1), DF_REAL(0.9), DF_REAL(0),
        DF_REAL(0), DF_REAL(0));
    ADD(t.look, DF_INT(0), DF_TEXT("box"), DF_INT(1), COLOURS("black", 1), DF_REAL(0.1), DF_REAL(0),
        DF_REAL(0), DF_REAL(0));
    ADD(t.look, DF_INT(0), DF_TEXT("box"), DF_INT(2), COLOURS("blue", 1), DF_REAL(0.1), DF_REAL(0),
        DF_REAL(0), DF_REAL(0));
    t.ingest = typed(&df_ingest_table, t.ingest);
    return t;
}

static void everything_raw(void **state)
{
    (void)state;
    df_evidence_tables t = raw_tables();
    df_arena arena = {0};
    df_evidence *e;
    int64_t n;
    assert_int_equal(df_evidence_gather(&t, &arena, &e, &n, NULL), DF_OK);
    df_evidence_tables_close(&t);            /* the evidence lives in the arena alone */
    assert_int_equal(n, 3);
    assert_string_equal(e[0].path, "a.jpg");
    assert_string_equal(e[0].alt_text, "");
    assert_string_equal(e[1].alt_text, "a dog");
    assert_int_equal(e[0].width, 640);
    assert_int_equal(e[1].n_tags + e[1].n_boxes + e[1].n_lines + e[1].whole.n_colours, 0);
    assert_int_equal(e[2].n_tags, 2);
    assert_string_equal(e[2].tags[0].label, "cat");
    assert_int_equal(e[2].tags[0].item, 1);
    assert_int_equal(e[0].n_boxes, 2);       /* by score; each with its own look */
    assert_string_equal(e[0].boxes[0].label, "bus");
    assert_string_equal(e[0].boxes[0].source, "c");
    assert_string_equal(e[0].boxes[0].look.colours[0].name, "black");
    assert_string_equal(e[0].boxes[1].look.colours[0].name, "white");
    assert_true(e[0].boxes[0].x0 == 5 && e[0].boxes[0].y1 == 8 && e[0].boxes[0].item == 1);
    assert_int_equal(e[0].n_lines, 3);
    assert_true(e[0].lines[1].paragraph == 0 && e[0].lines[2].paragraph == 1);
    assert_string_equal(e[0].lines[0].text, "STOP");
    assert_true(e[0].lines[0].x[2] == 11 && e[0].lines[0].y[3] == 6);
    assert_int_equal(e[0].whole.n_colours, 2);
    assert_string_equal(e[0].whole.colours[1].name, "light blue");
    assert_string_equal(e[0].cells[8].colours[0].name, "green");
    df_arena_reset(&arena);
}

static void what_fusion_kept(void **state)
{
    (void)state;
    df_evidence_tables t = raw_tables();
    t.fused = make(fused_columns);
    ADD(t.fused, DF_INT(0), DF_TEXT("box"), DF_INT(1), DF_TEXT("bus"), DF_REAL(0.85),
        DF_TEXT("c+n"), DF_REAL(5), DF_REAL(6), DF_REAL(7), DF_REAL(9));
    ADD(t.fused, DF_INT(0), DF_TEXT("line"), DF_INT(1), DF_TEXT("GO"), DF_REAL(0.8), DF_NULL,
        DF_REAL(0), DF_REAL(11), DF_REAL(11), DF_REAL(17));
    ADD(t.fused, DF_INT(0), DF_TEXT("line"), DF_INT(2), DF_TEXT("HALT"), DF_REAL(0.8), DF_NULL,
        DF_REAL(0), DF_REAL(31), DF_REAL(11), DF_REAL(37));
    df_arena arena = {0};
    df_evidence *e;
    int64_t n;
    assert_int_equal(df_evidence_gather(&t, &arena, &e, &n, NULL), DF_OK);
    assert_int_equal(e[0].n_boxes, 1);
    assert_string_equal(e[0].boxes[0].source, "c+n");
    assert_true(e[0].boxes[0].y1 == 9);
    assert_string_equal(e[0].boxes[0].look.colours[0].name, "black");
    assert_int_equal(e[0].n_lines, 2);
    assert_true(e[0].lines[0].paragraph == 0 && e[0].lines[1].paragraph == 1);
    /* the raw quad */
    assert_true(e[0].lines[0].y[0] == 11 && e[0].lines[0].y[1] == 12 && e[0].lines[0].x[3] == 1);
    assert_int_equal(e[2].n_tags, 0);
    df_evidence_tables_close(&t);
    df_arena_reset(&arena);
}

static void any_table_may_be_missing(void **state)
{
    (void)state;
    for (int missing = 0; missing < 16; missing++) {
        df_evidence_tables t = raw_tables();
        df_table **const all[] = {&t.tag, &t.detect, &t.read, &t.look};
        for (int k = 0; k < 4; k++)
            if (missing >> k & 1) {
                df_table_close(*all[k]);
                *all[k] = NULL;
            }
        df_arena arena = {0};
        df_evidence *e;
        int64_t n;
        assert_int_equal(df_evidence_gather(&t, &arena, &e, &n, NULL), DF_OK);
        assert_int_equal(e[2].n_tags, missing & 1 ? 0 : 2);
        assert_int_equal(e[0].n_boxes, missing & 2 ? 0 : 2);
        assert_int_equal(e[0].n_lines, missing & 4 ? 0 : 3);
        assert_int_equal(e[0].whole.n_colours, missing & 8 ? 0 : 2);
        df_evidence_tables_close(&t);
        df_arena_reset(&arena);
    }
}

static void from_a_dataset(void **state)
{
    (void)state;
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, "gather.test", NULL), DF_OK);
    df_evidence_tables t = raw_tables(), back;
    assert_int_equal(write_typed(ds, "ingest", 0, t.ingest, NULL), DF_OK);
    assert_int_equal(write_typed(ds, "tag", 0, t.tag, NULL), DF_OK);
    t.ingest = t.tag = NULL;
    df_evidence_tables_close(&t);
    assert_int_equal(df_evidence_tables_open(&back, ds, 0, true, NULL), DF_OK);
    assert_non_null(back.tag);
    assert_null(back.detect);
    assert_null(back.fused);
    df_evidence_tables_close(&back);
    df_error err;
    /* no such part */
    assert_int_not_equal(df_evidence_tables_open(&back, ds, 1, false, &err), DF_OK);
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_raw), cmocka_unit_test(what_fusion_kept),
        cmocka_unit_test(any_table_may_be_missing), cmocka_unit_test(from_a_dataset)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
