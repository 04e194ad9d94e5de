/* Tars and lists as input: what they name becomes rows; what reaches out of them, breaks off or
 * repeats is told. */
#include "ingest_fixture.h"

/* ---- tars ---- */

static void make_shard(const char *name, int first)
{
    char line[512], from[32];
    snprintf(from, sizeof from, "tmp-%d", first);
    for (int i = 0; i < 3; i++) {
        char path[64], words[64];
        snprintf(path, sizeof path, "%s/%05d.jpg", from, first + i);
        put_jpeg(path, 480, 480 + first + i, i);
        snprintf(path, sizeof path, "%s/%05d.txt", from, first + i);
        snprintf(words, sizeof words, "words %d", first + i);
        put_text(path, words);
        snprintf(path, sizeof path, "%s/%05d.json", from, first + i);
        put_text(path,
                 "{\"caption\": \"not this\", \"url\": \"http://a/b\", \"status\": \"success\"}");
    }
    snprintf(line, sizeof line, "cd %s && : > 99999.cls && tar --sort=name -cf ../%s *", from,
             name);
    shell(line);
}

static void tars_become_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    make_shard("one.tar", 10);
    assert_int_equal(ingest("one.tar", "one.out", 2, NULL, &n, &err), DF_OK);
    df_table *t = part_of("one.out", 0);
    assert_int_equal(df_table_rows(t), 3);
    assert_string_equal(text(t, 1, "path"), "one.tar/00011.jpg");
    assert_string_equal(text(t, 1, "source"), ".");
    assert_string_equal(text(t, 1, "alt_text"), "words 11");
    assert_string_equal(text(t, 1, "url"), "http://a/b");
    assert_int_equal(number(t, 1, "height"), 491);
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, at("one.out"), NULL), DF_OK);
    assert_null(problem_of(ds, t, 1));
    df_dataset_close(ds);
    df_table_close(t);
    assert_string_equal(skipped("one.out", "one.tar/99999.cls"), "unsupported type");
    assert_non_null(
        strstr(n.text, "10 found: 3 images (3 new, 0 of these broken), 6 sidecars, 1 skipped"));

    put_jpeg("shards/loose.jpg", 480, 480, 9);
    shell("mv one.tar shards/b.tar");
    make_shard("shards/a.tar", 20);
    assert_int_equal(ingest("shards", "shards.out", 2, NULL, &n, &err), DF_OK);
    static const char *const firsts[] = {"loose.jpg", "a.tar/00020.jpg", "b.tar/00010.jpg"};
    for (int part = 0; part < 3; part++) {   /* a part never spans two shards */
        t = part_of("shards.out", part);
        assert_string_equal(text(t, 0, "path"), firsts[part]);
        df_table_close(t);
    }
}

static void a_cut_tar_keeps_its_first_members(void **state)
{
    (void)state;
    notes n;
    df_error err;
    make_shard("whole.tar", 30);
    shell("mkdir -p cut && head -c $(($(tar --list -vRf whole.tar | grep 00031.txt | sed 's/block "
          "\\([0-9]*\\):.*/\\1/') * 512 + 200)) "
          "whole.tar > cut/cut.tar");
    assert_int_equal(ingest("cut", "cut.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("cut.out", 0);
    assert_int_equal(df_table_rows(t), 2);
    assert_string_equal(text(t, 0, "alt_text"), "words 30");
    df_table_close(t);
    assert_true(strlen(skipped("cut.out", "cut.tar")) > 0);
}

static void a_tar_cannot_reach_out(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_jpeg("evil/in/ok.jpg", 480, 480, 1);
    put_jpeg("evil/up.jpg", 480, 480, 2);
    shell(
        "cd evil/in && ln -s /etc/passwd link.jpg && tar -Pcf ../../evil.tar ../up.jpg ok.jpg "
        "link.jpg && "
        "tar --transform 's,^,/abs/,' -Prf ../../evil.tar ok.jpg && tar -rf ../../evil.tar ok.jpg");
    assert_int_equal(ingest("evil.tar", "evil.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("evil.out", 0);
    assert_int_equal(df_table_rows(t), 1);
    assert_string_equal(text(t, 0, "path"), "evil.tar/ok.jpg");
    df_table_close(t);
    assert_string_equal(skipped("evil.out", "evil.tar/../up.jpg"), "unsafe name in tar");
    assert_string_equal(skipped("evil.out", "evil.tar//abs/ok.jpg"), "unsafe name in tar");
    assert_string_equal(skipped("evil.out", "evil.tar/link.jpg"), "link or special file in tar");
    assert_string_equal(skipped("evil.out", "evil.tar/ok.jpg"), "a second member of that name");
}

/* ---- lists ---- */

static void put_listed_images(void)
{
    put_jpeg("l/img/a.jpg", 480, 490, 1);
    put_jpeg("l/img/b, c.jpg", 480, 491, 2);
    make_shard("l/s.tar", 40);
}

static void a_csv_becomes_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_listed_images();
    put_text("l/list.csv", "\xEF\xBB\xBFURL,TEXT,WIDTH,HEIGHT,Path\r\n"
                           "http://x/a.jpg,\"He said \"\"hi\"\",\nthen left\",480,490,img/a.jpg\r\n"
                           "http://x/b.jpg,two,480,491,\"img/b, c.jpg\"\r\n"
                           "http://x/only,url only,700,600.0,\r\n"
                           "http://x/t,\"broken\" quoting,1,1,img/a.jpg\r\n"
                           "\r\n"
                           "http://x/g,gone,1,1,img/gone.jpg\n"
                           "http://x/u,up,1,1,../outside.jpg\n"
                           "http://x/t,tar,1,1,s.tar/00041.jpg\n"
                           "http://x/t,tar,1,1,s.tar/none.jpg\n"
                           "http://x/a.jpg,again,480,490,./img/a.jpg\n"
                           "http://x/o,\"never closed,1,1,img/a.jpg\n"
                           "http://x/w,last,none,-5,https://x/y.jpg");
    assert_int_equal(ingest("l/list.csv", "l.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("l.out", 0);
    assert_int_equal(df_table_rows(t), 7);
    assert_string_equal(text(t, 0, "path"), "img/a.jpg");
    assert_string_equal(text(t, 0, "alt_text"), "He said \"hi\", then left");
    assert_string_equal(text(t, 0, "url"), "http://x/a.jpg");
    assert_int_equal(number(t, 0, "height"), 490);
    assert_string_equal(text(t, 1, "path"), "img/b, c.jpg");
    assert_string_equal(text(t, 2, "path"), "http://x/only");
    assert_string_equal(text(t, 2, "problem"), "not fetched");
    assert_string_equal(text(t, 2, "source"), "");
    assert_int_equal(number(t, 2, "width"), 700);
    assert_int_equal(number(t, 2, "height"), 600);
    assert_string_equal(text(t, 3, "problem"), "missing");
    assert_string_equal(text(t, 4, "path"), "s.tar/00041.jpg");
    assert_string_equal(text(t, 4, "source"), "s.tar");
    assert_int_equal(number(t, 4, "height"), 521);
    assert_string_equal(text(t, 5, "problem"), "missing");
    assert_non_null(strstr(text(t, 5, "detail"), "no such member"));
    assert_string_equal(text(t, 6, "path"), "http://x/w");
    assert_true(df_table_null(t, 6, df_table_column(t, "width")));
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, at("l.out"), NULL), DF_OK);
    assert_null(problem_of(ds, t, 0));
    assert_null(problem_of(ds, t, 4));
    assert_string_equal(problem_of(ds, t, 2), "not fetched");
    df_dataset_close(ds);
    df_table_close(t);
    assert_string_equal(skipped("l.out", "list.csv:6"), "text after a closing quote");
    assert_string_equal(skipped("l.out", "list.csv:9 ../outside.jpg"),
                        "path leaves the list's folder");
    assert_string_equal(skipped("l.out", "list.csv:12 img/a.jpg"), "listed twice");
    assert_string_equal(skipped("l.out", "list.csv:13"), "a quote is never closed");
    assert_non_null(
        strstr(n.text, "11 found: 7 images (7 new, 2 of these broken), 0 sidecars, 4 skipped"));
    assert_non_null(strstr(n.text, "2 rows are URLs without a file: fetch them"));
    /* again: nothing is new or changed */
    assert_int_equal(ingest("l/list.csv", "l.out", 1, NULL, &n, &err), DF_OK);
    assert_null(strstr(n.text, "URLs without a file"));
    assert_null(strstr(n.text, "changed"));
    put_text("l/none.csv", "name;size\na;1\n");
    assert_int_equal(ingest("l/none.csv", "l2.out", 1, NULL, &n, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "its columns are: name, size"));
}

static void a_jsonl_becomes_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_listed_images();
    put_text("l/list.jsonl",
             "{\"image\": \"img/a.jpg\", \"caption\": [\"one\", \"two\"]}\n{broken\n[1]\n"
             "{\"member\": \"00040.jpg\", \"shard\": \"s.tar\", \"alt\": \"\\u0000x\"}\n"
             "{\"filename\": \"img/b, c.jpg\", \"alt\": \"three\", \"url\": "
             "\"http://x\"}\n{\"other\": 1}\n"
             "{\"url\": \"http://z\", \"width\": 900, \"original_height\": \"800\"}\n");
    assert_int_equal(ingest("l/list.jsonl", "j.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("j.out", 0);
    assert_true(df_table_rows(t) >= 2);
    assert_string_equal(text(t, 0, "alt_text"), "one");
    assert_string_equal(text(t, row_of(t, "img/b, c.jpg"), "alt_text"), "three");
    assert_int_equal(number(t, row_of(t, "http://z"), "width"), 900);
    assert_int_equal(number(t, row_of(t, "http://z"), "height"), 800);
    df_table_close(t);
    assert_string_equal(skipped("j.out", "list.jsonl:2"), "not a JSON object");
    assert_string_equal(skipped("j.out", "list.jsonl:3"), "not a JSON object");
    assert_string_equal(skipped("j.out", "list.jsonl:6"), "a row without a path");
    assert_non_null(strstr(n.text, "7 found"));
}

static void a_parquet_becomes_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_listed_images();
    static const df_column good[] = {{"URL", DF_COLUMN_TEXT, NULL},
                                     {"TEXT", DF_COLUMN_TEXT, NULL},
                                     {"WIDTH", DF_COLUMN_INT, NULL},
                                     {"Image_Path", DF_COLUMN_TEXT, NULL},
                                     {0}};
    static const df_column bad[] = {
        {"id", DF_COLUMN_INT, NULL}, {"label", DF_COLUMN_TEXT, NULL}, {0}};
    df_table *t;
    assert_int_equal(df_table_create(&t, good, NULL), DF_OK);
    df_value first[] = {DF_TEXT("http://x"), DF_TEXT("one"), DF_INT(480), DF_TEXT("img/a.jpg")};
    df_value second[] = {DF_TEXT("http://y"), DF_TEXT("two"), DF_INT(480), DF_NULL};
    assert_int_equal(df_table_append(t, first, NULL), DF_OK);
    assert_int_equal(df_table_append(t, second, NULL), DF_OK);
    assert_int_equal(df_table_write(t, at("l/li[s]t.parquet"), NULL), DF_OK);
    df_table_close(t);
    assert_int_equal(ingest("l/li[s]t.parquet", "q.out", 1, NULL, &n, &err), DF_OK);
    t = part_of("q.out", 0);
    assert_int_equal(df_table_rows(t), 2);
    assert_string_equal(text(t, 0, "alt_text"), "one");
    assert_string_equal(text(t, 1, "path"), "http://y");
    assert_string_equal(text(t, 1, "problem"), "not fetched");
    assert_int_equal(number(t, 1, "width"), 480);
    df_table_close(t);

    assert_int_equal(df_table_create(&t, bad, NULL), DF_OK);
    assert_int_equal(df_table_write(t, at("l/bad.parquet"), NULL), DF_OK);
    df_table_close(t);
    assert_int_equal(ingest("l/bad.parquet", "q2.out", 1, NULL, &n, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "no column names the images"));
    assert_non_null(strstr(err.message, "label"));
    put_text("l/junk.parquet", "no parquet at all");
    assert_int_equal(ingest("l/junk.parquet", "q3.out", 1, NULL, &n, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "junk.parquet"));
    assert_null(strchr(err.message, '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tars_become_rows),
        cmocka_unit_test(a_cut_tar_keeps_its_first_members),
        cmocka_unit_test(a_tar_cannot_reach_out),
        cmocka_unit_test(a_csv_becomes_rows),
        cmocka_unit_test(a_jsonl_becomes_rows),
        cmocka_unit_test(a_parquet_becomes_rows),
    };
    return run_in_folder(tests, sizeof tests / sizeof *tests);
}
