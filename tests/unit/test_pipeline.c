/* A run over a table of small fake stages: what is done once, redone, resumed, refused; the same
 * bytes always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "pipeline/run.h"
#include "typed.h"

/* in part 0; rows 3 of 5 are rejected unseen */
enum { PART_ROWS = 20, N_IMAGES = 50, N_PARTS = 3, BROKEN_ROW = 7 };
/* `tag` is content with a half of them */
enum { WIDTH = 64, HEIGHT = 48, TAG_EDGE = 20 };

/* ---- fake stages ---- */

static atomic_int n_opened, n_screened, n_seen, n_fused, n_counted, n_shared, n_untold, n_shown;
static atomic_bool is_looking = true;         /* `detect`: at pixels */
static atomic_int fail_at_row = -1, stop_after = -1;
static atomic_bool stop;
static const df_image *seen_by_filter[N_PARTS][PART_ROWS], *seen_by_detect[N_PARTS][PART_ROWS];
static atomic_int n_shared_small;

static df_status ingest_part(df_dataset *ds, int part, df_error *err)
{
    df_table *t;
    DF_TRY(df_table_create(&t, df_ingest_table.columns, err));
    for (int row = 0; part * PART_ROWS + row < N_IMAGES && row < PART_ROWS; row++) {
        char name[40];
        snprintf(name, sizeof name, "%03d.jpg", part * PART_ROWS + row);
        df_value v[DF_INGEST_COLUMNS];
        for (int c = 0; c < DF_INGEST_COLUMNS; c++)
            v[c] = DF_NULL;
        v[DF_INGEST_ROW] = DF_INT(row);
        v[DF_INGEST_PATH] = v[DF_INGEST_SOURCE] = DF_TEXT(name);
        DF_TRY(df_table_append(t, v, err));
    }
    df_status status = df_dataset_write(ds, "ingest", part, t, err);
    df_table_close(t);
    return status;
}

static df_status ingest_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    (void)config;
    DF_TRY(df_dataset_set_input(ds, run->input, err));
    for (int part = 0; part < N_PARTS; part++)
        if (!df_dataset_has_part(ds, "ingest", part))
            DF_TRY(ingest_part(ds, part, err));
    return DF_OK;
}

static df_status pixels_open(void **state, const df_dataset *ds, const void *config,
                             const df_run *run, df_error *err)
{
    (void)ds;
    (void)run;
    (void)err;
    atomic_fetch_add(&n_opened, 1);
    *state = (void *)(uintptr_t)config;
    return DF_OK;
}

static void pixels_close(void *state)
{
    (void)state;
    atomic_fetch_sub(&n_opened, 1);
}

typedef struct {
    int64_t factor;
} options;
static const df_option option_table[] = {
    {"factor", DF_OPT_INT, offsetof(options, factor), "2", 1, 9, "changes the rows"}, {0}};

static df_status filter_screen(void *state, df_sight *sight, df_table *out, df_error *err)
{
    (void)state;
    atomic_fetch_add(&n_screened, 1);
    if (sight->row % 5 != 3)
        return DF_OK;
    sight->rejected = true;
    return df_table_append(
        out, (df_value[]){DF_INT(sight->row), DF_INT(0), DF_TEXT("small"), DF_NULL}, err);
}

static df_status filter_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                                 df_error *err)
{
    (void)state;
    (void)arena;
    sight->rejected = sight->image == NULL;
    seen_by_filter[sight->part][sight->row] = sight->image;
    return df_table_append(out,
                           (df_value[]){DF_INT(sight->row), DF_INT(sight->image != NULL),
                                        DF_TEXT(sight->problem), DF_NULL},
                           err);
}

/* Rows take different times, so that threads finish them out of order. */
static df_status tag_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                              df_error *err)
{
    const options *o = state;
    int n = atomic_fetch_add(&n_seen, 1) + 1;
    if (n == stop_after)
        atomic_store(&stop, true);
    if (sight->row == fail_at_row)
        return df_fail(err, DF_MODEL, "the model broke");
    atomic_fetch_add(&n_shared_small, seen_by_filter[sight->part][sight->row] == sight->image &&
                                          sight->image->width == WIDTH / 2);
    nanosleep(&(struct timespec){.tv_nsec = (long)(sight->row * 37 % 11 * 200000)}, NULL);
    for (int64_t i = 0; i < sight->row % 3; i++) {
        char *text = df_arena_printf(arena, "grey %d x %lld, %d wide", sight->image->rgb[0],
                                     (long long)o->factor, sight->image->width);
        DF_TRY(df_table_append(
            out,
            (df_value[]){DF_INT(sight->row), DF_TEXT(text), DF_REAL((double)i / 3), DF_TEXT("toy")},
            err));
    }
    return DF_OK;
}

static df_status detect_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                                 df_error *err)
{
    (void)state;
    (void)arena;
    const df_image_rows tags = df_sight_rows(sight, &df_tag_table);
    if (tags.end - tags.first != sight->row % 3)
        atomic_fetch_add(&n_untold, 1);
    atomic_fetch_add(&n_shown, sight->image != NULL);
    seen_by_detect[sight->part][sight->row] = sight->image;
    for (int i = 0; i < sight->row % 4; i++)
        DF_TRY(df_table_append(
            out,
            (df_value[]){DF_INT(sight->row),
                         DF_TEXT(tags.end > tags.first
                                     ? df_table_text(tags.table, tags.first, DF_TAG_TAG)
                                     : "cat"),
                         DF_REAL(0.1 * i), DF_REAL(i / 3.0), DF_REAL(2), DF_REAL(30), DF_REAL(40),
                         DF_TEXT("toy")},
            err));
    return DF_OK;
}

static bool detect_looks(const void *state)
{
    (void)state;
    return atomic_load(&is_looking);
}

static const df_column look_columns[] = {{"row", DF_COLUMN_INT, NULL},
                                         {"item", DF_COLUMN_INT, NULL},
                                         {"x0", DF_COLUMN_REAL, NULL},
                                         {"label", DF_COLUMN_TEXT, NULL},
                                         {0}};

static df_status look_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                               df_error *err)
{
    (void)state;
    (void)arena;
    if (seen_by_detect[sight->part][sight->row] == sight->image && sight->image->width == WIDTH)
        atomic_fetch_add(&n_shared, 1);
    const df_image_rows boxes = df_sight_rows(sight, &df_detect_table);
    for (int64_t i = boxes.first; i < boxes.end; i++)
        DF_TRY(df_table_append(out,
                               (df_value[]){DF_INT(sight->row), DF_INT(i - boxes.first),
                                            df_table_value(boxes.table, i, DF_DETECT_X0),
                                            df_table_value(boxes.table, i, DF_DETECT_LABEL)},
                               err));
    return DF_OK;
}

static const df_column fuse_columns[] = {
    {"row", DF_COLUMN_INT, NULL}, {"n_tags", DF_COLUMN_INT, NULL}, {0}};

static df_status fuse_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    (void)config;
    for (int part = 0; part < df_dataset_parts(ds); part++) {
        df_table *tags, *t;
        if (!df_run_wants(run, part) || df_dataset_has_part(ds, "fuse", part))
            continue;
        atomic_fetch_add(&n_fused, 1);
        DF_TRY(df_dataset_read(ds, &df_tag_table, part, &tags, err));
        DF_TRY(df_table_create(&t, fuse_columns, err));
        DF_TRY(df_table_append(t, (df_value[]){DF_INT(0), DF_INT(df_table_rows(tags))}, err));
        df_status status = df_dataset_write(ds, "fuse", part, t, err);
        df_table_close(tags);
        df_table_close(t);
        DF_TRY(status);
    }
    return DF_OK;
}

static df_status write_whole(df_dataset *ds, const char *name, df_error *err)
{
    char path[300];
    atomic_fetch_add(&n_counted, 1);
    snprintf(path, sizeof path, "%s/%s", df_dataset_folder(ds), name);
    DF_TRY(df_file_mkdir(path, err));
    strcat(path, "/file.txt");
    return df_file_write(path, "counted\n", 8, err);
}

static df_status count_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    (void)config;
    (void)run;
    return write_whole(ds, "count", err);
}

static df_status page_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    (void)config;
    (void)run;
    return write_whole(ds, "page", err);
}

#define READS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
static int filter_edge(const void *state)
{
    (void)state;
    return DF_EDGE_ANY;
}

static int tag_edge(const void *state)
{
    (void)state;
    return TAG_EDGE;
}

static const df_pixel_ops filter_ops = {.open = pixels_open,
                                        .blind = true,
                                        .screen = filter_screen,
                                        .perceive = filter_perceive,
                                        .close = pixels_close,
                                        .edge = filter_edge};
static const df_pixel_ops tag_ops = {
    .open = pixels_open, .perceive = tag_perceive, .close = pixels_close, .edge = tag_edge};
static const df_pixel_ops detect_ops = {.open = pixels_open,
                                        .perceive = detect_perceive,
                                        .close = pixels_close,
                                        .blind = true,
                                        .looks = detect_looks,
                                        .sees =
                                            (const df_table_type *const[]){&df_tag_table, NULL}};
static const df_pixel_ops look_ops = {
    .open = pixels_open,
    .perceive = look_perceive,
    .close = pixels_close,
    .sees = (const df_table_type *const[]){&df_detect_table, NULL},
};
static const df_table_type look_type = {.name = "look", .columns = look_columns};
static const df_table_type fuse_type = {.name = "fuse", .columns = fuse_columns};
static const df_stage ingest = {
    .name = "ingest", .summary = "", .table = &df_ingest_table, .run = ingest_run};
static const df_stage filter = {.name = "filter",
                                .summary = "",
                                .reads = READS("ingest"),
                                .table = &df_filter_table,
                                .pixels = &filter_ops};
static const df_stage tag = {.name = "tag",
                             .summary = "",
                             .reads = READS("ingest", "filter"),
                             .table = &df_tag_table,
                             .options = option_table,
                             .config_size = sizeof(options),
                             .pixels = &tag_ops};
static const df_stage detect = {.name = "detect",
                                .summary = "",
                                .reads = READS("filter", "tag"),
                                .table = &df_detect_table,
                                .options = option_table,
                                .config_size = sizeof(options),
                                .pixels = &detect_ops};
static const df_stage look = {.name = "look",
                              .summary = "",
                              .reads = READS("filter", "detect"),
                              .table = &look_type,
                              .options = option_table,
                              .config_size = sizeof(options),
                              .pixels = &look_ops};
static const df_stage fuse = {.name = "fuse",
                              .summary = "",
                              .reads = READS("tag", "look"),
                              .table = &fuse_type,
                              .run = fuse_run};
static const df_stage count = {
    .name = "count", .summary = "", .reads = READS("fuse"), .run = count_run};
static const df_stage page = {
    .name = "page", .summary = "", .reads = READS("fuse", "count"), .run = page_run};
static df_stage newer_look;                  /* that of a later program: another revision */
static const df_stage *const table[] = {&ingest, &filter, &tag,  &detect, &look,
                                        &fuse,   &count,  &page, NULL};
static const df_stage *const newer_table[] = {&ingest, &filter, &tag,  &detect, &newer_look,
                                              &fuse,   &count,  &page, NULL};

/* ---- helpers ---- */

static void remove_tree(const char *path)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

/* "path hash" of every file below a folder, in order of name. */
static void list_tree(const char *folder, df_str *out)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        char path[600], *bytes, hex[DF_HASH_HEX];
        size_t size;
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        assert_int_equal(stat(path, &st), 0);
        if (S_ISDIR(st.st_mode) && entries[i]->d_name[0] != '.') {
            list_tree(path, out);
        } else if (S_ISREG(st.st_mode)) {
            assert_int_equal(df_file_read(path, 1 << 24, &bytes, &size, NULL), DF_OK);
            df_hash_hex(bytes, size, hex);
            df_str_printf(out, "%s %s\n", strchr(path + strlen("pipeline.test/"), '/'), hex);
            free(bytes);
        }
        free(entries[i]);
    }
    free(entries);
}

static void assert_same_tree(const char *a, const char *b)
{
    df_str of_a = {0}, of_b = {0};
    list_tree(a, &of_a);
    list_tree(b, &of_b);
    assert_string_equal(df_str_text(&of_a), df_str_text(&of_b));
    df_str_free(&of_a);
    df_str_free(&of_b);
}

typedef struct {
    const char *set[4];
    const char *from, *to;
    const int *parts;
    int n_parts;
    int threads;
    bool newer;
} want;

static df_status go(const char *out, want w, df_error *err)
{
    df_config config;
    df_job job = {.input = "pipeline.test/in",
                  .out = out,
                  .from = w.from,
                  .to = w.to,
                  .parts = w.parts,
                  .n_parts = w.n_parts,
                  .stop = &stop};
    char threads[8];
    atomic_store(&stop, false);
    assert_int_equal(df_config_init(&config, w.newer ? newer_table : table, err), DF_OK);
    snprintf(threads, sizeof threads, "%d", w.threads ? w.threads : 2);
    assert_int_equal(df_config_set(&config, "run.threads", threads, err), DF_OK);
    for (int i = 0; i < 4 && w.set[i]; i += 2)
        assert_int_equal(df_config_set(&config, w.set[i], w.set[i + 1], err), DF_OK);
    n_screened = n_seen = n_fused = n_counted = n_shared = n_shared_small = n_untold = n_shown = 0;
    df_status status = df_job_run(&config, &job, err);
    df_config_free(&config);
    assert_int_equal(n_opened, 0);
    return status;
}

static void ok(const char *out, want w)
{
    df_error err = {""};
    df_status status = go(out, w, &err);
    if (status != DF_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, DF_OK);
}

static int make_input(void **state)
{
    (void)state;
    remove_tree("pipeline.test");
    assert_int_equal(df_file_mkdir("pipeline.test/in", NULL), DF_OK);
    for (int i = 0; i < N_IMAGES; i++) {
        uint8_t pixels[WIDTH * HEIGHT * 3], *jpeg;
        size_t size;
        char path[80];
        memset(pixels, i * 5, sizeof pixels);
        df_image image = {.width = WIDTH,
                          .height = HEIGHT,
                          .full_width = WIDTH,
                          .full_height = HEIGHT,
                          .rgb = pixels};
        assert_int_equal(df_image_encode_jpeg(&image, 90, &jpeg, &size, NULL), DF_OK);
        snprintf(path, sizeof path, "pipeline.test/in/%03d.jpg", i);
        assert_int_equal(df_file_write(path, i == BROKEN_ROW ? (const void *)"no image" : jpeg,
                                       i == BROKEN_ROW ? 8 : size, NULL),
                         DF_OK);
        free(jpeg);
    }
    ok("pipeline.test/whole", (want){.threads = 1});
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree("pipeline.test");
    return 0;
}

/* ---- tests ---- */

static void one_pass_sees_each_image_once(void **state)
{
    (void)state;
    ok("pipeline.test/a", (want){.threads = 3});
    assert_int_equal(n_screened, N_IMAGES);
    /* not the rejected, not the broken one */
    assert_int_equal(n_seen, N_IMAGES - N_IMAGES / 5 - 1);
    /* filter, which takes any picture, took tag's */
    assert_int_equal(n_shared_small, n_seen);
    /* look was given the very picture that detect was given */
    assert_int_equal(n_shared, n_seen);
    assert_int_equal(n_untold, 0);                           /* and detect the tags */
    assert_same_tree("pipeline.test/a", "pipeline.test/whole");
    remove_tree("pipeline.test/a");
}

static void broken_image_is_a_row(void **state)
{
    (void)state;
    df_table *t;
    assert_int_equal(df_table_read(&t, "pipeline.test/whole/filter/part-00000.parquet", NULL),
                     DF_OK);
    assert_int_equal(df_table_rows(t), PART_ROWS);
    for (int64_t i = 0; i < PART_ROWS; i++) {
        assert_int_equal(df_table_int(t, i, 0), i);
        assert_int_equal(df_table_int(t, i, 1), i % 5 != 3 && i != BROKEN_ROW);
    }
    assert_string_equal(df_table_text(t, BROKEN_ROW, 2), "unreadable");
    df_table_close(t);
}

static void second_run_does_nothing(void **state)
{
    (void)state;
    ok("pipeline.test/whole", (want){0});
    assert_int_equal(n_screened + n_seen + n_fused + n_counted, 0);
}

static void option_redoes_what_depends_on_it(void **state)
{
    (void)state;
    ok("pipeline.test/b", (want){0});
    ok("pipeline.test/b", (want){.set = {"look.factor", "3"}});
    assert_int_equal(n_seen, 0);                             /* tag and detect stand */
    assert_int_equal(n_fused, N_PARTS);
    assert_int_equal(n_counted, 2);
    ok("pipeline.test/b", (want){.set = {"tag.factor", "3", "look.factor", "2"}});
    assert_true(n_seen > 0);
    assert_int_equal(n_fused, N_PARTS);
    ok("pipeline.test/b", (want){0});
    assert_same_tree("pipeline.test/b", "pipeline.test/whole");
    remove_tree("pipeline.test/b");
}

/* A later program leaves what it would make alike, and redoes what it would not,
 * finished or not. */
static void another_revision_is_redone(void **state)
{
    (void)state;
    df_error err = {""};
    newer_look = look;
    ok("pipeline.test/revision", (want){0});
    /* revision 0: nothing has changed */
    ok("pipeline.test/revision", (want){.newer = true});
    assert_int_equal(n_shown + n_seen + n_fused, 0);
    newer_look.revision = 1;
    ok("pipeline.test/revision", (want){.newer = true});
    assert_int_equal(n_seen, 0);                                     /* tag stands */
    assert_int_equal(n_fused, N_PARTS);
    ok("pipeline.test/revision", (want){.newer = true});
    assert_int_equal(n_fused, 0);
    ok("pipeline.test/anew", (want){.newer = true});
    assert_same_tree("pipeline.test/revision", "pipeline.test/anew");
    remove_tree("pipeline.test/revision");
    ok("pipeline.test/revision", (want){.to = "tag"});
    assert_int_equal(go("pipeline.test/revision", (want){.parts = (int[]){1}, .n_parts = 1}, &err),
                     DF_OK);
    /* one part of two of them was of the earlier */
    ok("pipeline.test/revision", (want){.newer = true});
    assert_int_equal(n_fused, N_PARTS);
    assert_same_tree("pipeline.test/revision", "pipeline.test/anew");
    remove_tree("pipeline.test/revision");
    remove_tree("pipeline.test/anew");
}

static void stage_by_stage_gives_the_same(void **state)
{
    (void)state;
    df_error err = {""};
    assert_int_equal(go("pipeline.test/c", (want){.from = "tag", .to = "tag"}, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "ingest must run before"));
    static const char *const names[] = {"ingest", "filter", "tag",   "detect",
                                        "look",   "fuse",   "count", "page"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ok("pipeline.test/c", (want){.from = names[i], .to = names[i]});
        /* detect is told the tags that the table has */
        assert_int_equal(n_untold, 0);
    }
    assert_same_tree("pipeline.test/c", "pipeline.test/whole");
    remove_tree("pipeline.test/c");
}

static void nothing_is_decoded_for_who_does_not_look(void **state)
{
    (void)state;
    ok("pipeline.test/g", (want){.to = "tag"});
    atomic_store(&is_looking, false);
    ok("pipeline.test/g", (want){.from = "detect", .to = "detect"});
    assert_int_equal(n_shown, 0);
    atomic_store(&is_looking, true);
    ok("pipeline.test/g", (want){0});
    assert_same_tree("pipeline.test/g", "pipeline.test/whole");
    remove_tree("pipeline.test/g");
    ok("pipeline.test/g", (want){0});
    assert_true(n_shown > 0);
    remove_tree("pipeline.test/g");
}

static void stopped_run_goes_on(void **state)
{
    (void)state;
    df_error err = {""};
    for (int after = 1; after < 40; after += 13) {
        stop_after = after;
        assert_int_equal(go("pipeline.test/d", (want){.threads = after % 3 + 1}, &err), DF_STOPPED);
        int seen_first = n_seen;
        stop_after = -1;
        ok("pipeline.test/d", (want){.threads = 2});
        /* only images in flight are seen again */
        assert_true(n_seen + seen_first <= N_IMAGES - N_IMAGES / 5 - 1 + 3);
        assert_same_tree("pipeline.test/d", "pipeline.test/whole");
        remove_tree("pipeline.test/d");
    }
}

static void failure_names_its_stage(void **state)
{
    (void)state;
    df_error err = {""};
    fail_at_row = 16;
    assert_int_equal(go("pipeline.test/e", (want){.threads = 3}, &err), DF_MODEL);
    assert_string_equal(err.message, "tag: 016.jpg: the model broke");
    fail_at_row = -1;
    ok("pipeline.test/e", (want){0});
    assert_same_tree("pipeline.test/e", "pipeline.test/whole");
    remove_tree("pipeline.test/e");
}

static void parts_share_the_work(void **state)
{
    (void)state;
    df_error err = {""};
    ok("pipeline.test/f", (want){.to = "ingest"});
    ok("pipeline.test/f", (want){.parts = (int[]){1}, .n_parts = 1});
    assert_int_equal(n_screened, PART_ROWS);
    assert_int_equal(n_counted, 0);
    ok("pipeline.test/f", (want){.parts = (int[]){2, 0}, .n_parts = 2});
    assert_int_equal(go("pipeline.test/f", (want){.parts = (int[]){3}, .n_parts = 1}, &err),
                     DF_CONFIG);
    ok("pipeline.test/f", (want){0});
    assert_int_equal(n_screened + n_fused, 0);
    assert_int_equal(n_counted, 2);
    assert_same_tree("pipeline.test/f", "pipeline.test/whole");
    remove_tree("pipeline.test/f");
}

static void skipped_stage_is_not_missed(void **state)
{
    (void)state;
    ok("pipeline.test/g", (want){.set = {"run.skip", "detect, look"}});
    assert_false(df_file_exists("pipeline.test/g/detect"));
    assert_true(df_file_exists("pipeline.test/g/fuse/part-00002.parquet"));
    ok("pipeline.test/g", (want){0});
    assert_same_tree("pipeline.test/g", "pipeline.test/whole");
    remove_tree("pipeline.test/g");
}

static void wrong_settings_are_named(void **state)
{
    (void)state;
    df_config config;
    df_error err = {""};
    assert_int_equal(df_config_init(&config, table, NULL), DF_OK);
    static const char *const cases[][3] = {
        {"tag.factor", "10", "tag.factor: \"10\" is not a whole number from 1 to 9"},
        {"tag.factr", "1", "tag.factr: no such option"},
        {"tga.factor", "1", "tga: no such section; there are: run, ingest, filter, tag"},
        {"factor", "1", "a key is section.key"},
        {"run.skip", "tag,detekt", "no stage is called \"detekt\""},
        {"tag.", "1", "a key is section.key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(df_config_set(&config, cases[i][0], cases[i][1], &err), DF_CONFIG);
        assert_non_null(strstr(err.message, cases[i][2]));
    }
    df_config_free(&config);
}

static void config_file_errors_have_a_line(void **state)
{
    (void)state;
    static const char text[] = "run:\n  threads: 2\ntag:\n  factor: many\n";
    df_config config;
    df_error err = {""};
    assert_int_equal(df_file_write("pipeline.test/config.yaml", text, sizeof text - 1, NULL),
                     DF_OK);
    assert_int_equal(df_config_init(&config, table, NULL), DF_OK);
    assert_int_equal(df_config_load(&config, "pipeline.test/config.yaml", &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "pipeline.test/config.yaml:4: tag.factor: \"many\""));
    assert_int_equal(config.run.threads, 2);
    df_config_free(&config);
}

/* The real table: data flows down, names are unique, a stage is pixels or run, and its columns
 * begin with the row. */
static void stages_read_what_is_before_them(void **state)
{
    (void)state;
    for (const df_stage *const *s = df_stages; *s; s++) {
        assert_ptr_equal(df_stage_find((*s)->name), *s);
        assert_true(((*s)->run != NULL) != ((*s)->pixels != NULL));
        if ((*s)->table)
            assert_string_equal((*s)->table->columns[0].name, "row");
        for (const char *const *r = (*s)->reads; r && *r; r++)
            assert_true(!df_stage_find(*r) || strcmp(*r, (*s)->name) != 0);
        for (const char *const *r = (*s)->reads; r && *r; r++)
            for (const df_stage *const *later = s; *later; later++)
                assert_string_not_equal((*later)->name, *r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pass_sees_each_image_once),
        cmocka_unit_test(broken_image_is_a_row),
        cmocka_unit_test(second_run_does_nothing),
        cmocka_unit_test(option_redoes_what_depends_on_it),
        cmocka_unit_test(another_revision_is_redone),
        cmocka_unit_test(stage_by_stage_gives_the_same),
        cmocka_unit_test(stopped_run_goes_on),
        cmocka_unit_test(nothing_is_decoded_for_who_does_not_look),
        cmocka_unit_test(failure_names_its_stage),
        cmocka_unit_test(parts_share_the_work),
        cmocka_unit_test(skipped_stage_is_not_missed),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(config_file_errors_have_a_line),
        cmocka_unit_test(stages_read_what_is_before_them),
    };
    return cmocka_run_group_tests(tests, make_input, clean);
}
