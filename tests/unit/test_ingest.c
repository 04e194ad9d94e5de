/* Every input is a row or is skipped with its reason; rows keep their place; hostile input costs itself and no more. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "image/image.h"
#include "pipeline/sight.h"
#include "stage/stage.h"

static char top[64];

static const char *at(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", top, name);
    return path;
}

static void shell(const char *command)
{
    char line[2048];
    snprintf(line, sizeof line, "cd %s && %s", top, command);
    assert_int_equal(system(line), 0);
}

static void put(const char *name, const void *data, size_t size)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", at(name));
    *strrchr(folder, '/') = '\0';
    assert_int_equal(df_file_mkdir(folder, NULL), DF_OK);
    assert_int_equal(df_file_write(at(name), data, size, NULL), DF_OK);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

/* A plain picture; grey tells pictures apart. */
static void make_jpeg(int width, int height, int grey, uint8_t **bytes, size_t *size)
{
    df_image image = {width, height, width, height, malloc((size_t)width * (size_t)height * 3)};
    assert_non_null(image.rgb);
    memset(image.rgb, grey, (size_t)width * (size_t)height * 3);
    assert_int_equal(df_image_encode_jpeg(&image, 90, bytes, size, NULL), DF_OK);
    df_image_free(&image);
}

static void put_jpeg(const char *name, int width, int height, int grey)
{
    uint8_t *bytes;
    size_t size;
    make_jpeg(width, height, grey, &bytes, &size);
    put(name, bytes, size);
    free(bytes);
}

/* ---- running a stage as the pipeline does ---- */

typedef struct { char text[4096]; } notes;

static void keep_note(void *ctx, const char *line)
{
    notes *n = ctx;
    assert_null(strchr(line, '\n'));
    snprintf(n->text + strlen(n->text), sizeof n->text - strlen(n->text), "%s\n", line);
}

static void *config_of(const df_stage *stage, const char *const *settings)
{
    void *config = calloc(1, stage->config_size);
    assert_int_equal(df_options_defaults(stage->options, config, NULL), DF_OK);
    for (; settings && settings[0]; settings += 2)
        assert_int_equal(df_option_set(stage->options, config, stage->name, settings[0], settings[1], NULL), DF_OK);
    return config;
}

static df_status ingest(const char *input, const char *out, int n_threads, const char *const *settings, notes *n, df_error *err)
{
    const df_stage *stage = df_stage_find("ingest");
    void *config = config_of(stage, settings);
    df_dataset *ds;
    assert_int_equal(df_dataset_open(&ds, at(out), NULL), DF_OK);
    n->text[0] = '\0';
    err->message[0] = '\0';
    df_run run = {.n_threads = n_threads, .input = at(input), .note = keep_note, .ctx = n};
    df_status status = stage->run(ds, config, &run, err);
    df_dataset_close(ds);
    free(config);
    return status;
}

static df_table *part_of(const char *out, int part)
{
    char name[128];
    snprintf(name, sizeof name, "%s/ingest/part-%05d.parquet", out, part);
    df_table *t = NULL;
    assert_int_equal(df_table_read(&t, at(name), NULL), DF_OK);
    return t;
}

static const char *text(const df_table *t, int64_t row, const char *column)
{
    return df_table_text(t, row, df_table_column(t, column));
}

static int64_t number(const df_table *t, int64_t row, const char *column)
{
    return df_table_int(t, row, df_table_column(t, column));
}

static int64_t row_of(const df_table *t, const char *path)
{
    for (int64_t row = 0; row < df_table_rows(t); row++)
        if (strcmp(text(t, row, "path"), path) == 0)
            return row;
    return -1;
}

/* The reason under which a path was skipped; "" when it was not. */
static const char *skipped(const char *out, const char *path)
{
    static char reason[600];
    char name[128];
    snprintf(name, sizeof name, "%s/ingest/skipped.parquet", out);
    df_table *t = NULL;
    assert_int_equal(df_table_read(&t, at(name), NULL), DF_OK);
    reason[0] = '\0';
    int64_t row = row_of(t, path);
    if (row >= 0)
        snprintf(reason, sizeof reason, "%s", text(t, row, "reason"));
    df_table_close(t);
    return reason;
}

static bool same_file(const char *a, const char *b)
{
    char command[1024];
    snprintf(command, sizeof command, "cmp -s %s %s", at(a), at(b));
    return system(command) == 0;
}

/* What the runner finds when it opens the image of a row; NULL when it is fine. */
static const char *problem_of(const df_dataset *ds, const df_table *t, int64_t row)
{
    static char found[64];
    df_error detail = {""}, err;
    df_image image = {0};
    df_sight sight = {.ingest = t, .row = row};
    assert_int_equal(df_sight_load(&sight, ds, &image, &detail, &err), DF_OK);
    snprintf(found, sizeof found, "%s", sight.problem ? sight.problem : "");
    assert_int_equal(sight.problem != NULL, image.rgb == NULL);
    assert_true(!sight.problem || strlen(sight.detail) > 0);
    df_image_free(&image);
    return sight.problem ? found : NULL;
}

/* ---- folders ---- */

static void a_folder_becomes_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_jpeg("a/b/deep.jpg", 640, 480, 10);
    put_text("a/b/deep.txt", "  a deep\npicture ");
    put_jpeg("a/first.JPG", 500, 600, 20);
    put_text("a/first.json", "{\"caption\": \"from \\u00e9 json\", \"url\": \"http://x/y.jpg\", \"width\": 3}");
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
    assert_non_null(strstr(n.text, "11 found: 3 images (3 new, 0 of these broken), 2 sidecars, 6 skipped"));
}

static void special_files_and_links_are_refused(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_jpeg("s/real.jpg", 480, 480, 50);
    put_jpeg("outside.jpg", 480, 480, 51);
    shell("cd s && ln -s real.jpg inside.jpg && ln -s ../outside.jpg out.jpg && ln -s /etc etc && ln -s none broken.jpg && "
          "mkfifo pipe.jpg && ln -s . loop && ln -s .. up && printf x > \"$(printf 'new\\nline.jpg')\" && "
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
    static const unsigned char bomb[] = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\xEA\x60\0\0\xEA\x60\x08\x02\0\0\0\0\0\0\0"
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
    assert_int_equal(df_dataset_open(&ds, at("x.out"), NULL), DF_OK);
    static const struct { const char *path, *problem; } cases[] = {
        {"cut.jpg", "truncated"}, {"bomb.png", "unreadable"}, {"text.jpg", "unreadable"}};
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
    uint8_t *padded = malloc(size + 200000);   /* the size stands behind 195 kB of other segments */
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
    if (child == 0) {                        /* root may read everything: look at it as nobody */
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
        put_text(path, "{\"caption\": \"not this\", \"url\": \"http://a/b\", \"status\": \"success\"}");
    }
    snprintf(line, sizeof line, "cd %s && : > 99999.cls && tar --sort=name -cf ../%s *", from, name);
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
    assert_int_equal(df_dataset_open(&ds, at("one.out"), NULL), DF_OK);
    assert_null(problem_of(ds, t, 1));
    df_dataset_close(ds);
    df_table_close(t);
    assert_string_equal(skipped("one.out", "one.tar/99999.cls"), "unsupported type");
    assert_non_null(strstr(n.text, "10 found: 3 images (3 new, 0 of these broken), 6 sidecars, 1 skipped"));

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
    shell("mkdir -p cut && head -c $(($(tar --list -vRf whole.tar | grep 00031.txt | sed 's/block \\([0-9]*\\):.*/\\1/') * 512 + 200)) "
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
    shell("cd evil/in && ln -s /etc/passwd link.jpg && tar -Pcf ../../evil.tar ../up.jpg ok.jpg link.jpg && "
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
             "http://x/only,url only,1,1,\r\n"
             "http://x/t,\"broken\" quoting,1,1,img/a.jpg\r\n"
             "\r\n"
             "http://x/g,gone,1,1,img/gone.jpg\n"
             "http://x/u,up,1,1,../outside.jpg\n"
             "http://x/t,tar,1,1,s.tar/00041.jpg\n"
             "http://x/t,tar,1,1,s.tar/none.jpg\n"
             "http://x/a.jpg,again,480,490,./img/a.jpg\n"
             "http://x/o,\"never closed,1,1,img/a.jpg\n"
             "http://x/w,last,1,1,https://x/y.jpg");
    assert_int_equal(ingest("l/list.csv", "l.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("l.out", 0);
    assert_int_equal(df_table_rows(t), 5);
    assert_string_equal(text(t, 0, "path"), "img/a.jpg");
    assert_string_equal(text(t, 0, "alt_text"), "He said \"hi\", then left");
    assert_string_equal(text(t, 0, "url"), "http://x/a.jpg");
    assert_int_equal(number(t, 0, "height"), 490);
    assert_string_equal(text(t, 1, "path"), "img/b, c.jpg");
    assert_string_equal(text(t, 2, "problem"), "missing");
    assert_string_equal(text(t, 3, "path"), "s.tar/00041.jpg");
    assert_string_equal(text(t, 3, "source"), "s.tar");
    assert_int_equal(number(t, 3, "height"), 521);
    assert_string_equal(text(t, 4, "problem"), "missing");
    assert_non_null(strstr(text(t, 4, "detail"), "no such member"));
    df_dataset *ds;
    assert_int_equal(df_dataset_open(&ds, at("l.out"), NULL), DF_OK);
    assert_null(problem_of(ds, t, 0));
    assert_null(problem_of(ds, t, 3));
    df_dataset_close(ds);
    df_table_close(t);
    assert_non_null(strstr(skipped("l.out", "list.csv:5 http://x/only"), "URL without a file"));
    assert_string_equal(skipped("l.out", "list.csv:6"), "text after a closing quote");
    assert_string_equal(skipped("l.out", "list.csv:9 ../outside.jpg"), "path leaves the list's folder");
    assert_string_equal(skipped("l.out", "list.csv:12 img/a.jpg"), "listed twice");
    assert_string_equal(skipped("l.out", "list.csv:13"), "a quote is never closed");
    assert_non_null(strstr(skipped("l.out", "list.csv:14 https://x/y.jpg"), "URL without a file"));
    assert_non_null(strstr(n.text, "11 found: 5 images (5 new, 2 of these broken), 0 sidecars, 6 skipped"));
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
    put_text("l/list.jsonl", "{\"image\": \"img/a.jpg\", \"caption\": [\"one\", \"two\"]}\n{broken\n[1]\n"
             "{\"member\": \"00040.jpg\", \"shard\": \"s.tar\", \"alt\": \"\\u0000x\"}\n"
             "{\"filename\": \"img/b, c.jpg\", \"alt\": \"three\", \"url\": \"http://x\"}\n{\"other\": 1}\n");
    assert_int_equal(ingest("l/list.jsonl", "j.out", 1, NULL, &n, &err), DF_OK);
    df_table *t = part_of("j.out", 0);
    assert_true(df_table_rows(t) >= 2);
    assert_string_equal(text(t, 0, "alt_text"), "one");
    assert_string_equal(text(t, row_of(t, "img/b, c.jpg"), "alt_text"), "three");
    df_table_close(t);
    assert_string_equal(skipped("j.out", "list.jsonl:2"), "not a JSON object");
    assert_string_equal(skipped("j.out", "list.jsonl:3"), "not a JSON object");
    assert_string_equal(skipped("j.out", "list.jsonl:6"), "a row without a path");
    assert_non_null(strstr(n.text, "6 found"));
}

static void a_parquet_becomes_rows(void **state)
{
    (void)state;
    notes n;
    df_error err;
    put_listed_images();
    static const df_column good[] = {{"URL", DF_COLUMN_TEXT}, {"TEXT", DF_COLUMN_TEXT}, {"WIDTH", DF_COLUMN_INT}, {"Image_Path", DF_COLUMN_TEXT}, {0}};
    static const df_column bad[] = {{"id", DF_COLUMN_INT}, {"label", DF_COLUMN_TEXT}, {0}};
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
    assert_int_equal(df_table_rows(t), 1);
    assert_string_equal(text(t, 0, "alt_text"), "one");
    df_table_close(t);
    assert_non_null(strstr(skipped("q.out", "li[s]t.parquet:2 http://y"), "URL without a file"));

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
    put_jpeg("g/4.jpg", 480, 777, 1);        /* other bytes under a known name */
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
    assert_int_equal(df_dataset_open(&ds, at("g.out"), NULL), DF_OK);
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
    for (int i = 0; i < 6; i++) {            /* killed again and again, at different moments */
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
    put_jpeg("in/out/report/thumb.jpg", 480, 480, 2);
    assert_int_equal(ingest("in", "in/out", 1, NULL, &n, &err), DF_OK);
    assert_non_null(strstr(n.text, "1 found: 1 images"));
}

int main(void)
{
    snprintf(top, sizeof top, "/tmp/df-ingest-XXXXXX");
    if (!mkdtemp(top))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_becomes_rows), cmocka_unit_test(special_files_and_links_are_refused),
        cmocka_unit_test(broken_images_are_rows), cmocka_unit_test(headers_alone_agree),
        cmocka_unit_test(no_image_is_one_line), cmocka_unit_test(what_may_not_be_read_is_told),
        cmocka_unit_test(tars_become_rows), cmocka_unit_test(a_cut_tar_keeps_its_first_members),
        cmocka_unit_test(a_tar_cannot_reach_out), cmocka_unit_test(a_csv_becomes_rows),
        cmocka_unit_test(a_jsonl_becomes_rows), cmocka_unit_test(a_parquet_becomes_rows),
        cmocka_unit_test(grown_input_keeps_rows), cmocka_unit_test(threads_and_kills_do_not_show),
        cmocka_unit_test(the_dataset_may_lie_in_its_input),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command) != 0 ? 1 : failed;
}
