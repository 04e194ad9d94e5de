/* Every input is a row or is skipped with its reason; rows keep their place; hostile input costs
 * itself and no more. */
#include "ingest_fixture.h"

/* ---- folders ---- */

static void a_folder_becomes_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_jpeg("a/b/deep.jpg", 640, 480, 10);
    put_text("a/b/deep.txt", "  a deep\npicture ");
    put_jpeg("a/first.JPG", 500, 600, 20);
    put_text("a/first.json",
             "{\"caption\": \"from \\u00e9 json\", \"url\": \"http://x/y.jpg\", \"width\": 3}");
    put_jpeg("a/noname", 480, 480, 30);
    put_text("a/readme", "no image at all");
    put_text("a/alone.txt", "words without a picture");
    put_text("a/list.csv", "path\n");
    put_text("a/pack.tar.gz", "x");
    put_jpeg("a/.hidden.jpg", 480, 480, 40);
    put_jpeg("a/.git/object.jpg", 480, 480, 40);
    assert_int_equal(ingest("a", "a.out", 2, NULL, &n, &err), DF_OK);

    df_table *t = part_of("a.out", 0);
    assert_int_equal(df_table_rows(t), 3);
    assert_string_equal(text(t, 0, "path"), "b/deep.jpg");
    assert_string_equal(text(t, 1, "path"), "first.JPG");
    assert_string_equal(text(t, 2, "path"), "noname");
    assert_string_equal(text(t, 0, "alt_text"), "a deep picture");
    assert_string_equal(text(t, 1, "alt_text"), "from \xC3\xA9 json");
    assert_string_equal(text(t, 1, "url"), "http://x/y.jpg");
    assert_int_equal(number(t, 1, "width"), 500);
    assert_int_equal(number(t, 1, "height"), 600);
    assert_int_equal(number(t, 1, "orientation"), 1);
    assert_string_equal(text(t, 2, "format"), "jpeg");
    assert_int_equal(strlen(text(t, 2, "hash")), 32);
    assert_true(df_table_null(t, 0, df_table_column(t, "problem")));
    assert_true(df_table_null(t, 0, df_table_column(t, "offset")));
    df_table_close(t);
    assert_string_equal(skipped("a.out", "readme"), "unsupported type");
    assert_string_equal(skipped("a.out", "alone.txt"), "sidecar without an image");
    assert_string_equal(skipped("a.out", ".hidden.jpg"), "hidden");
    assert_string_equal(skipped("a.out", ".git"), "hidden");
    assert_non_null(strstr(skipped("a.out", "list.csv"), "give it as the input"));
    assert_non_null(strstr(skipped("a.out", "pack.tar.gz"), "unpack"));
    assert_non_null(
        strstr(n.text, "11 found: 3 images (3 new, 0 of these broken), 2 sidecars, 6 skipped"));
}

static void special_files_and_links_are_refused(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_jpeg("s/real.jpg", 480, 480, 50);
    put_jpeg("outside.jpg", 480, 480, 51);
    shell("cd s && ln -s real.jpg inside.jpg && ln -s ../outside.jpg out.jpg && ln -s /etc etc && "
          "ln -s none "
          "broken.jpg && "
          "mkfifo pipe.jpg && ln -s . loop && ln -s .. up && printf x > \"$(printf "
          "'new\\nline.jpg')\" && "
          "printf x > \"$(printf 'bad\\377.jpg')\"");
    assert_int_equal(ingest("s", "s.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("s.out", 0);
    assert_int_equal(df_table_rows(t), 2);
    assert_string_equal(text(t, 0, "path"), "inside.jpg");
    assert_string_equal(text(t, 1, "path"), "real.jpg");
    df_table_close(t);
    assert_string_equal(skipped("s.out", "out.jpg"), "link that leaves the input");
    assert_string_equal(skipped("s.out", "etc"), "link that leaves the input");
    assert_string_equal(skipped("s.out", "broken.jpg"), "broken link");
    assert_string_equal(skipped("s.out", "pipe.jpg"), "not a regular file");
    assert_non_null(strstr(skipped("s.out", "loop"), "link"));
    assert_string_equal(skipped("s.out", "new\\x0Aline.jpg"), "name is not plain UTF-8 text");
    assert_string_equal(skipped("s.out", "bad\\xFF.jpg"), "name is not plain UTF-8 text");
    assert_non_null(strstr(n.text, "10 found: 2 images"));
}

static void broken_images_are_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    static const unsigned char bomb[] =
        "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\xEA\x60\0\0\xEA\x60\x08\x02\0\0\0\0\0\0\0"
        "\0\0\0\0IEND\xAE\x42\x60\x82";
    uint8_t *bytes;
    size_t size;
    make_jpeg(640, 480, 60, &bytes, &size);
    put("x/cut.jpg", bytes, size / 2);
    put("x/header.jpg", bytes, 30);
    free(bytes);
    put("x/bomb.png", bomb, sizeof bomb - 1);
    put("x/empty.png", "", 0);
    put_text("x/text.jpg", "I am no picture");
    put_text("x/text.json", "{broken");
    assert_int_equal(ingest("x", "x.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("x.out", 0);
    assert_int_equal(df_table_rows(t), 5);
    assert_int_equal(number(t, row_of(t, "bomb.png"), "width"), 60000);
    assert_int_equal(number(t, row_of(t, "cut.jpg"), "width"), 640);
    assert_string_equal(text(t, row_of(t, "empty.png"), "detail"), "empty file");
    assert_string_equal(text(t, row_of(t, "text.jpg"), "problem"), "unreadable");
    assert_string_equal(text(t, row_of(t, "header.jpg"), "problem"), "unreadable");
    assert_string_equal(text(t, row_of(t, "header.jpg"), "format"), "jpeg");
    assert_non_null(strstr(n.text, "3 of these broken"));

    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, at("x.out"), NULL), DF_OK);
    static const struct {
        const char *path, *problem;
    } cases[] = {{"cut.jpg", "truncated"}, {"bomb.png", "unreadable"}, {"text.jpg", "unreadable"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(problem_of(ds, t, row_of(t, cases[i].path)), cases[i].problem);
    df_dataset_close(ds);
    df_table_close(t);
}

static void headers_alone_agree(void **state)
{
    (void)state;
    notes n;
    df_error err;
    static const char *const no_hash[] = {"hash", "false", NULL};
    put_jpeg("h/a.jpg", 640, 480, 1);
    uint8_t *bytes;
    size_t size;
    make_jpeg(700, 500, 2, &bytes, &size);
    uint8_t *padded = malloc(size + 200000); /* the size stands behind 195 kB of other segments */
    size_t from = 2, to = 2;
    memcpy(padded, bytes, 2);
    for (int i = 0; i < 3; i++, to += 65002) {
        memset(padded + to, 0, 65002);
        memcpy(padded + to, "\xFF\xE2\xFD\xE8", 4);
    }
    memcpy(padded + to, bytes + from, size - from);
    put("h/padded.jpg", padded, to + size - from);
    free(padded);
    free(bytes);
    assert_int_equal(ingest("h", "h.out", 1, no_hash, &n, &err), DF_OK);
    df_table *t = part_of("h.out", 0);
    assert_int_equal(number(t, 0, "width"), 640);
    assert_int_equal(number(t, 1, "width"), 700);
    assert_int_equal(number(t, 1, "size"), (int64_t)(to + size - from));
    assert_true(df_table_null(t, 0, df_table_column(t, "hash")));
    df_table_close(t);
}

static void no_image_is_one_line(void **state)
{
    (void)state;
    notes n;
    df_error err;
    shell("mkdir -p none");
    assert_int_equal(ingest("none", "none.out", 1, NULL, &n, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "no image in it (it is empty)"));
    put_text("words/a.txt", "a");
    assert_int_equal(ingest("words", "words.out", 1, NULL, &n, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "1 sidecar without an image"));
    assert_int_equal(ingest("nowhere", "nowhere.out", 1, NULL, &n, &err), DF_IO);
    assert_non_null(strstr(err.message, "nowhere"));
    assert_int_equal(ingest("words/a.txt", "nowhere.out", 1, NULL, &n, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, ".parquet"));
}

static void what_may_not_be_read_is_told(void **state)
{
    (void)state;
    put_jpeg("p/locked.jpg", 480, 480, 1);
    put_jpeg("p/open.jpg", 480, 480, 2);
    put_jpeg("p/shut/x.jpg", 480, 480, 2);
    shell("chmod 777 . && chmod 000 p/locked.jpg p/shut");
    pid_t child = fork();
    if (child == 0) { /* root may read everything: look at it as nobody */
        notes n;
        df_error err;
        bool ok = geteuid() != 0 || setuid(65534) == 0;
        _exit(ok && ingest("p", "p.out", 1, NULL, &n, &err) == DF_OK ? 0 : 1);
    }
    int code = 1;
    waitpid(child, &code, 0);
    shell("chmod 755 p/locked.jpg p/shut");
    assert_int_equal(code, 0);
    df_table *t = part_of("p.out", 0);
    assert_int_equal(df_table_rows(t), 2);
    assert_string_equal(text(t, 0, "problem"), "unreadable");
    assert_non_null(strstr(text(t, 0, "detail"), "Permission denied"));
    assert_true(df_table_null(t, 1, df_table_column(t, "problem")));
    df_table_close(t);
    assert_non_null(strstr(skipped("p.out", "shut"), "Permission denied"));
}

/* ---- growth, kills, threads ---- */

static void grown_input_keeps_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    static const char *const twos[] = {"part_rows", "2", NULL};
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "g/%d.jpg", 2 * i);
        put_jpeg(name, 480, 480 + i, i);
    }
    assert_int_equal(ingest("g", "g.out", 1, twos, &n, &err), DF_OK);
    shell("cp -r g.out g.before");
    assert_int_equal(ingest("g", "g.out", 1, twos, &n, &err), DF_OK);
    assert_non_null(strstr(n.text, "0 new"));
    assert_true(same_file("g.out/ingest/part-00002.parquet", "g.before/ingest/part-00002.parquet"));
    assert_int_not_equal(access(at("g.out/ingest/part-00003.parquet"), F_OK), 0);

    put_jpeg("g/1.jpg", 480, 999, 1);
    put_jpeg("g/4.jpg", 480, 777, 1); /* other bytes under a known name */
    shell("rm g/6.jpg");
    assert_int_equal(ingest("g", "g.out", 1, twos, &n, &err), DF_OK);
    assert_non_null(strstr(n.text, "1 images vanished from the input (first: 6.jpg)"));
    assert_non_null(strstr(n.text, "1 images changed since they were ingested (first: 4.jpg"));
    assert_non_null(strstr(n.text, "1 new"));
    for (int part = 0; part < 3; part++) {
        char a[64], b[64];
        snprintf(a, sizeof a, "g.out/ingest/part-%05d.parquet", part);
        snprintf(b, sizeof b, "g.before/ingest/part-%05d.parquet", part);
        assert_true(same_file(a, b));
    }
    df_table *t = part_of("g.out", 3);
    assert_int_equal(df_table_rows(t), 1);
    assert_string_equal(text(t, 0, "path"), "1.jpg");
    df_table_close(t);

    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, at("g.out"), NULL), DF_OK);
    t = part_of("g.out", 1);
    assert_string_equal(problem_of(ds, t, 0), "changed");
    assert_string_equal(problem_of(ds, t, 1), "missing");
    df_table_close(t);
    t = part_of("g.out", 0);
    assert_null(problem_of(ds, t, 0));
    df_table_close(t);
    df_dataset_close(ds);
    put_jpeg("other/1.jpg", 480, 999, 1);
    assert_int_equal(ingest("other", "g.out", 1, twos, &n, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "choose another output folder"));
}

static void threads_and_kills_do_not_show(void **state)
{
    (void)state;
    notes n;
    df_error err;
    static const char *const sevens[] = {"part_rows", "7", NULL};
    for (int i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof name, "k/%d/%d.jpg", i % 3, i);
        put_jpeg(name, 448 + i, 480, i);
    }
    assert_int_equal(ingest("k", "k.one", 1, sevens, &n, &err), DF_OK);
    assert_int_equal(ingest("k", "k.two", 3, sevens, &n, &err), DF_OK);
    for (int i = 0; i < 6; i++) { /* killed again and again, at different moments */
        pid_t child = fork();
        if (child == 0)
            _exit(ingest("k", "k.kill", 2, sevens, &n, &err) == DF_OK ? 0 : 1);
        nanosleep(&(struct timespec){.tv_nsec = 20000000L * (i + 1)}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    assert_int_equal(ingest("k", "k.kill", 2, sevens, &n, &err), DF_OK);
    shell("rm -f k.kill/ingest/*.tmp && diff -r k.one k.two && diff -r k.one k.kill");
}

static void the_dataset_may_lie_in_its_input(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_jpeg("in/a.jpg", 480, 480, 1);
    assert_int_equal(ingest("in", "in/out", 1, NULL, &n, &err), DF_OK);
    put_jpeg("in/out/report/thumb.jpg", 480, 480, 2);
    assert_int_equal(ingest("in", "in/out", 1, NULL, &n, &err), DF_OK);
    assert_non_null(strstr(n.text, "1 found: 1 images"));
}

/* Another dataset's thumbnails are no images; a folder that merely has such a name is. */
static void a_dataset_in_the_input_is_no_input(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_jpeg("with/a.jpg", 480, 480, 1);
    put_jpeg("with/trip/dataset.jpg", 480, 480, 2);
    put_text("with/trip/dataset.json", "{}");
    assert_int_equal(ingest("with", "with/old", 1, NULL, &n, &err), DF_OK);
    put_jpeg("with/old/report/thumb.jpg", 480, 480, 2);
    assert_int_equal(ingest("with", "new", 1, NULL, &n, &err), DF_OK);
    assert_non_null(strstr(n.text, "2 images"));
    assert_non_null(strstr(n.text, "1 a dataset of densefusion"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_becomes_rows),
        cmocka_unit_test(special_files_and_links_are_refused),
        cmocka_unit_test(broken_images_are_rows),
        cmocka_unit_test(headers_alone_agree),
        cmocka_unit_test(no_image_is_one_line),
        cmocka_unit_test(what_may_not_be_read_is_told),
        cmocka_unit_test(grown_input_keeps_rows),
        cmocka_unit_test(threads_and_kills_do_not_show),
        cmocka_unit_test(the_dataset_may_lie_in_its_input),
        cmocka_unit_test(a_dataset_in_the_input_is_no_input),
    };
    return run_in_folder(tests, sizeof tests / sizeof *tests);
}
