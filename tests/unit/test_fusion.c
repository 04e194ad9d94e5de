/* What holds for any evidence: nothing is invented, agreement counts, quotas hold, the order of
 * experts does not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/fusion.h"
#include "evidence/evidence_hash.h"
#include "evidence/tokens.h"
#include "base/file.h"

static const df_fuse_options defaults = {.tag_score = 0.5,
                                         .max_tags = 10,
                                         .merge = {0.55, 0.5, 0.9, 1},
                                         .sample = {32, 0.01, 0.1, 0.4, 0.3},
                                         .line_score = 0.7,
                                         .max_lines = 60};
static df_arena arena;
static df_kinds *kinds;

static int open_kinds(void **state)
{
    (void)state;
    static const char lexicon[] = "- *animal\n0 *dog|*hound\n1 *poodle\n0 *cat\n";
    return df_file_write("fusion.test.txt", lexicon, strlen(lexicon), NULL) != DF_OK ||
           df_kinds_open(&kinds, "fusion.test.txt", NULL) != DF_OK;
}

static int close_kinds(void **state)
{
    (void)state;
    df_kinds_close(kinds);
    return remove("fusion.test.txt");
}

static int forget(void **state)
{
    (void)state;
    df_arena_reset(&arena);
    return 0;
}

static df_fused fuse_all(const df_evidence *raw, const df_fuse_options *o)
{
    df_fused out;
    const df_fusion how = {.options = o, .kinds = kinds};
    assert_int_equal(df_fuse(&how, raw, &arena, &out, NULL), DF_OK);
    return out;
}

static df_evidence fuse(const df_evidence *raw, const df_fuse_options *o)
{
    return fuse_all(raw, o).told;
}

static df_evidence with_boxes(df_box *boxes, int n)
{
    for (int i = 0; i < n; i++)
        boxes[i].item = i;
    return (df_evidence){
        .path = "a", .alt_text = "", .width = 1000, .height = 1000, .boxes = boxes, .n_boxes = n};
}

static df_line line_at(const char *text, double score, double x, double y, double w, double h)
{
    return (df_line){text, score, {x, x + w, x + w, x}, {y, y, y + h, y + h}, 0, 0};
}

static void agreement_is_heard(void **state)
{
    (void)state;
    df_box boxes[] = {
        {.label = "dog",
         .source = "nanodet",
         .score = 0.4,
         .x0 = 100,
         .y0 = 100,
         .x1 = 300,
         .y1 = 300},
        {.label = "dog",
         .source = "centernet",
         .score = 0.4,
         .x0 = 110,
         .y0 = 100,
         .x1 = 310,
         .y1 = 300},
        /* alone, weak */
        {.label = "cat",
         .source = "nanodet",
         .score = 0.49,
         .x0 = 600,
         .y0 = 100,
         .x1 = 700,
         .y1 = 300},
        /* a tag agrees */
        {.label = "kite",
         .source = "nanodet",
         .score = 0.36,
         .x0 = 800,
         .y0 = 10,
         .x1 = 850,
         .y1 = 60},
        {.label = "boat",
         .source = "centernet",
         .score = 0.5,
         .x0 = 10,
         .y0 = 600,
         .x1 = 200,
         .y1 = 700},
        /* one detector twice */
        {.label = "car",
         .source = "nanodet",
         .score = 0.4,
         .x0 = 400,
         .y0 = 600,
         .x1 = 500,
         .y1 = 700},
        {.label = "car",
         .source = "nanodet",
         .score = 0.38,
         .x0 = 402,
         .y0 = 600,
         .x1 = 502,
         .y1 = 700},
        /* two faint voices */
        {.label = "bird",
         .source = "nanodet",
         .score = 0.25,
         .x0 = 700,
         .y0 = 600,
         .x1 = 800,
         .y1 = 700},
        {.label = "bird",
         .source = "centernet",
         .score = 0.25,
         .x0 = 700,
         .y0 = 600,
         .x1 = 800,
         .y1 = 700},
    };
    df_tag tags[] = {{"Kite", 0.35, 0, "t"}};
    df_evidence raw = with_boxes(boxes, 9);
    raw.tags = tags;
    raw.n_tags = 1;
    const df_evidence e = fuse(&raw, &defaults);
    assert_int_equal(e.n_tags, 0);           /* vouched, and too weak to be told itself */
    assert_int_equal(e.n_boxes, 3);
    assert_string_equal(e.boxes[0].label, "dog");
    assert_string_equal(e.boxes[0].source, "centernet+nanodet");
    assert_true(fabs(e.boxes[0].score - 0.64) < 1e-9 && fabs(e.boxes[0].x0 - 105) < 1e-3 &&
                fabs(e.boxes[0].x1 - 305) < 1e-3);
    assert_string_equal(e.boxes[1].label, "kite");
    assert_true(fabs(e.boxes[1].score - (1 - 0.64 * 0.65)) < 1e-9);
    assert_string_equal(e.boxes[1].source, "nanodet");           /* who saw where it is */
    assert_string_equal(e.boxes[2].label, "boat");
    assert_string_equal(e.boxes[2].source, "centernet");
    assert_true(e.boxes[2].score == 0.5);
}

static int told_items(const df_evidence *e)
{
    int items = 0;
    for (int i = 0; i < e->n_boxes; i++)
        items |= 1 << e->boxes[i].item;
    return items;
}

static const char *why(const df_fused *f, const char *kind, int item)
{
    for (int i = 0; i < f->n_left; i++)
        if (f->left[i].item == item && strcmp(f->left[i].kind, kind) == 0)
            return f->left[i].reason;
    return "told";
}

/* What each expert means by a score is its own: 0.3 of an open-set detector may be worth 0.75 of a
 * small one. */
static void each_expert_has_its_own_scale(void **state)
{
    (void)state;
    df_box boxes[] = {
        {.label = "car", .source = "weak", .score = 0.7, .x0 = 0, .y0 = 0, .x1 = 100, .y1 = 100},
        {.label = "dog", .source = "open", .score = 0.3, .x0 = 200, .y0 = 0, .x1 = 300, .y1 = 100},
        {.label = "hat", .source = "other", .score = 0.5, .x0 = 400, .y0 = 0, .x1 = 500, .y1 = 100},
    };
    df_evidence raw = with_boxes(boxes, 3);
    const df_accept accept[] = {{"weak", 0.75}, {"open", 0.3}};
    const df_fusion how = {.options = &defaults, .kinds = kinds, .accept = accept, .n_accept = 2};
    df_fused f;
    assert_int_equal(df_fuse(&how, &raw, &arena, &f, NULL), DF_OK);
    assert_int_equal(told_items(&f.told), 2 | 4);
    /* both just believed */
    assert_true(f.told.boxes[0].score == 0.5 && f.told.boxes[1].score == 0.5);
    assert_string_equal(why(&f, "box", 0), "score");
    assert_true(df_belief(0, 0.3) == 0 && df_belief(1, 0.3) == 1 && df_belief(0.65, 0.3) == 0.75 &&
                df_belief(0.15, 0.3) == 0.25);
    assert_true(df_belief(0.4, 0) == 0.7 && df_belief(1, 1) == 1 && df_belief(0.5, 1) == 0.25);
}

static void two_names_for_one_place(void **state)
{
    (void)state;
    df_box boxes[] = {
        {.label = "dog", .source = "a", .score = 0.8, .x0 = 0, .y0 = 0, .x1 = 100, .y1 = 100},
        /* narrower and believed */
        {.label = "poodle", .source = "b", .score = 0.6, .x0 = 1, .y0 = 0, .x1 = 101, .y1 = 100},
        /* another word for it */
        {.label = "hounds", .source = "c", .score = 0.3, .x0 = 0, .y0 = 1, .x1 = 100, .y1 = 101},
        {.label = "dog", .source = "a", .score = 0.8, .x0 = 200, .y0 = 0, .x1 = 300, .y1 = 100},
        /* narrower, in doubt */
        {.label = "poodle", .source = "b", .score = 0.4, .x0 = 200, .y0 = 0, .x1 = 300, .y1 = 100},
        {.label = "cat", .source = "a", .score = 0.8, .x0 = 400, .y0 = 0, .x1 = 500, .y1 = 100},
        /* it can't be both */
        {.label = "dog", .source = "b", .score = 0.7, .x0 = 400, .y0 = 0, .x1 = 500, .y1 = 100},
        /* on it: another place */
        {.label = "saddle", .source = "b", .score = 0.7, .x0 = 400, .y0 = 0, .x1 = 500, .y1 = 60},
    };
    df_evidence raw = with_boxes(boxes, 8);
    const df_fused f = fuse_all(&raw, &defaults);
    assert_int_equal(told_items(&f.told), 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7);
    assert_string_equal(f.told.boxes[0].label, "poodle");
    assert_string_equal(f.told.boxes[0].source, "a+b+c");
    assert_true(fabs(f.told.boxes[0].score - (1 - 0.2 * 0.4 * 0.7)) < 1e-9);
    assert_string_equal(f.told.boxes[1].label, "dog");
    assert_string_equal(f.told.boxes[1].source, "a+b");
    assert_string_equal(why(&f, "box", 6), "conflict");
}

static void a_narrower_tag_vouches_for_a_box(void **state)
{
    (void)state;
    df_box boxes[] = {
        {.label = "dog", .source = "a", .score = 0.3, .x0 = 0, .y0 = 0, .x1 = 100, .y1 = 100},
        {.label = "poodle", .source = "a", .score = 0.3, .x0 = 500, .y0 = 0, .x1 = 600, .y1 = 100}};
    df_tag narrow = {"poodle", 0.6, 0, "t"}, wide = {"dog", 0.6, 0, "t"};
    df_evidence raw = with_boxes(boxes, 2);
    raw.tags = &narrow;
    raw.n_tags = 1;
    df_evidence e = fuse(&raw, &defaults);
    assert_int_equal(told_items(&e), 3);
    raw.tags = &wide;
    e = fuse(&raw, &defaults);
    assert_int_equal(told_items(&e), 1);     /* that there is a dog does not make it a poodle */
    df_fuse_options o = defaults;
    o.merge.tag_weight = 0;
    e = fuse(&raw, &o);
    assert_int_equal(e.n_boxes, 0);
}

static void tags_of_several_taggers(void **state)
{
    (void)state;
    df_tag tags[] = {{"dog", 0.9, 0, "t"},  {"poodle", 0.6, 1, "t"}, {"hound", 0.4, 2, "u"},
                     {"cat", 0.41, 3, "t"}, {"Cats", 0.4, 4, "u"},   {"sky", 0.4, 5, "t"},
                     {"sky", 0.4, 6, "t"}};
    df_evidence raw = {.path = "", .alt_text = "", .tags = tags, .n_tags = 7};
    const df_fused f = fuse_all(&raw, &defaults);
    assert_int_equal(f.told.n_tags, 2);
    /* neither is sure, both together are */
    assert_string_equal(f.told.tags[0].label, "cat");
    assert_string_equal(f.told.tags[0].source, "t+u");
    assert_string_equal(f.told.tags[1].label, "poodle");
    assert_string_equal(why(&f, "tag", 0), "general");
    assert_string_equal(why(&f, "tag", 2), "repeated");
    /* one tagger twice is one witness */
    assert_string_equal(why(&f, "tag", 5), "score");
}

/* Told, part of what is told, or left with a reason: nothing is lost. */
static void a_crowd_is_counted(void **state)
{
    (void)state;
    df_box boxes[101];
    for (int i = 0; i < 100; i++)
        boxes[i] = (df_box){.label = "person",
                            .source = "n",
                            .score = 0.9 - i / 1000.0,
                            .x0 = i % 10 * 100,
                            .y0 = i / 10 * 100,
                            .x1 = i % 10 * 100 + 40,
                            .y1 = i / 10 * 100 + 80};
    boxes[100] = (df_box){
        .label = "building", .source = "n", .score = 0.9, .x0 = 0, .y0 = 0, .x1 = 900, .y1 = 900};
    df_evidence raw = with_boxes(boxes, 101);
    const df_fused f = fuse_all(&raw, &defaults);
    int people = 0, counted = 0;
    for (int i = 0; i < f.told.n_boxes; i++)
        people += strcmp(f.told.boxes[i].label, "person") == 0
                      ? f.told.boxes[i].count > 1 ? f.told.boxes[i].count : 1
                      : 0;
    for (int i = 0; i < f.n_left; i++)
        counted += strcmp(f.left[i].reason, "counted") == 0;
    assert_int_equal(f.told.n_boxes, 32);
    assert_int_equal(people, 100);
    assert_int_equal(counted, 100 - 31);
    const df_box *last = &f.told.boxes[31];
    assert_int_equal(last->count, 70);
    assert_true(last->x0 == 0 && last->x1 == 940 && last->y0 == 300 && last->y1 == 980);
}

static void tokens_are_shared(void **state)
{
    (void)state;
    enum { N = 30 };
    df_box boxes[N];
    df_line lines[N];
    for (int i = 0; i < N; i++) {
        boxes[i] =
            (df_box){.label = df_arena_printf(&arena, "thing%c%c", 'a' + i / 10, 'a' + i % 10),
                     .source = "n",
                     .score = 0.9 - i / 100.0,
                     .x0 = i * 30,
                     .x1 = i * 30 + 20,
                     .y1 = 20};
        lines[i] = line_at(
            df_arena_printf(&arena, "a line of twelve words that says %c%c and goes on a bit",
                            'a' + i / 10, 'a' + i % 10),
            0.99 - i / 1000.0, 0, i * 20, 100, 10);
        lines[i].item = i;
    }
    df_evidence raw = with_boxes(boxes, N);
    raw.lines = lines;
    raw.n_lines = N;
    df_fuse_options o = defaults;
    o.max_tokens = 300;
    df_fused f = fuse_all(&raw, &o);
    int64_t tokens = 0;
    for (int i = 0; i < f.told.n_lines; i++)
        tokens += df_tokens_estimate(f.told.lines[i].text);
    assert_true(tokens <= 150 && tokens > 100 && f.told.n_boxes > 5 && f.told.n_boxes < N);
    assert_int_equal(f.told.lines[0].item, 0);                   /* the surest */
    assert_string_equal(why(&f, "line", N - 1), "budget");
    assert_string_equal(why(&f, "box", N - 1), "budget");
    assert_int_equal(f.n_left, 2 * N - f.told.n_lines - f.told.n_boxes);
    raw.n_boxes = 0;                         /* lines may use what boxes do not need */
    f = fuse_all(&raw, &o);
    assert_true(f.told.n_lines * 2 > N);
    o.max_tokens = 0;
    f = fuse_all(&raw, &o);
    assert_int_equal(f.told.n_lines, N);
    assert_int_equal(df_tokens_estimate("Dogs [10, 2]"), 1 + 1 + 2 + 1 + 1 + 1);
    assert_int_equal(df_tokens_estimate(""), 0);
}

static df_box random_box(int i)
{
    static const char *const labels[] = {"person", "car", "kite", "dog"}, *const sources[] = {
                                                                              "a", "b", "c"};
    const double size = rand() % 3 == 0 ? 20
                        : rand() % 2    ? 150
                                        : 500,
                 x = rand() % 1000, y = rand() % 1000;
    return (df_box){.label = labels[rand() % 4],
                    .source = sources[rand() % 3],
                    .score = 0.35 + rand() % 60 / 100.0,
                    .x0 = x,
                    .y0 = y,
                    .x1 = fmin(1000, x + size),
                    .y1 = fmin(1000, y + size),
                    .item = i};
}

static bool same_label(const df_evidence *raw, const df_box *b)
{
    return b->item >= 0 && b->item < raw->n_boxes &&
           strcmp(raw->boxes[b->item].label, b->label) == 0 &&
           raw->boxes[b->item].score <= b->score + 1e-9;
}

/* A counted box is as wide as all that it counts: its size is that of the object it stands for. */
static df_box_size size_of_item(const df_evidence *whole, int item)
{
    for (int i = 0; i < whole->n_boxes; i++)
        if (whole->boxes[i].item == item)
            return df_box_size_of(&whole->boxes[i], 1000, 1000, &defaults.sample);
    return DF_SIZE_LARGE;
}

static void quotas_hold_and_nothing_is_invented(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 200; round++) {
        const int n = rand() % 200;
        df_box *boxes = df_arena_alloc(&arena, (size_t)n + 1, sizeof *boxes);
        for (int i = 0; i < n; i++)
            boxes[i] = random_box(i);
        df_evidence raw = with_boxes(boxes, n);
        df_fuse_options o = defaults, all = defaults;
        o.sample.budget = rand() % 40;
        all.sample.budget = 100000;
        const df_evidence e = fuse(&raw, &o), whole = fuse(&raw, &all);
        assert_true(e.n_boxes <= n && whole.n_boxes <= n);
        assert_int_equal(e.n_boxes,
                         whole.n_boxes < o.sample.budget ? whole.n_boxes : o.sample.budget);
        int has[DF_SIZES] = {0}, had[DF_SIZES] = {0};
        for (int i = 0; i < e.n_boxes; i++) {
            assert_true(same_label(&raw, &e.boxes[i]));
            assert_true(i == 0 || e.boxes[i].score <= e.boxes[i - 1].score);
            has[e.boxes[i].count > 1 ? size_of_item(&whole, e.boxes[i].item)
                                     : df_box_size_of(&e.boxes[i], 1000, 1000, &o.sample)]++;
        }
        for (int i = 0; i < whole.n_boxes; i++)
            had[df_box_size_of(&whole.boxes[i], 1000, 1000, &o.sample)]++;
        const df_fused all_of_it = fuse_all(&raw, &o);
        for (int i = 0; i < all_of_it.n_left; i++)
            assert_true(all_of_it.left[i].reason && all_of_it.left[i].item >= 0 &&
                        all_of_it.left[i].item < n);
        const double quota[DF_SIZES] = {floor(0.4 * (double)o.sample.budget),
                                        floor(0.3 * (double)o.sample.budget),
                                        floor(0.3 * (double)o.sample.budget)};
        for (int s = 0; s < DF_SIZES; s++)
            assert_true(has[s] >= fmin(quota[s], had[s]));
    }
}

static void same_boxes(const df_evidence *a, const df_evidence *b)
{
    assert_int_equal(a->n_boxes, b->n_boxes);
    for (int i = 0; i < a->n_boxes; i++) {
        const df_box *x = &a->boxes[i], *y = &b->boxes[i];
        assert_string_equal(x->label, y->label);
        assert_string_equal(x->source, y->source);
        assert_true(x->score == y->score && x->x0 == y->x0 && x->y0 == y->y0 && x->x1 == y->x1 &&
                    x->y1 == y->y1);
    }
}

static void order_does_not_matter(void **state)
{
    (void)state;
    srand(4);
    for (int round = 0; round < 50; round++) {
        enum { N = 120 };
        df_box boxes[N], shuffled[N];
        for (int i = 0; i < N; i++)
            shuffled[i] = boxes[i] = random_box(i);
        for (int i = N - 1; i > 0; i--) {
            const int k = rand() % (i + 1);
            const df_box b = shuffled[i];
            shuffled[i] = shuffled[k];
            shuffled[k] = b;
        }
        const df_evidence a = with_boxes(boxes, N), b = with_boxes(shuffled, N);
        const df_evidence fa = fuse(&a, &defaults), fb = fuse(&b, &defaults);
        same_boxes(&fa, &fb);
    }
}

static void a_small_rare_object_survives_a_crowd(void **state)
{
    (void)state;
    df_box boxes[101];
    for (int i = 0; i < 100; i++)            /* surer than the kite, and as small */
        boxes[i] = (df_box){.label = "person",
                            .source = "n",
                            .score = 0.9,
                            .x0 = i % 10 * 100,
                            .y0 = i / 10 * 100,
                            .x1 = i % 10 * 100 + 40,
                            .y1 = i / 10 * 100 + 80};
    boxes[100] = (df_box){
        .label = "kite", .source = "n", .score = 0.51, .x0 = 50, .y0 = 50, .x1 = 70, .y1 = 70};
    df_evidence raw = with_boxes(boxes, 101);
    const df_evidence e = fuse(&raw, &defaults);
    assert_int_equal(e.n_boxes, 32);
    assert_string_equal(e.boxes[31].label, "kite");
    assert_int_equal(e.boxes[31].count, 0);
}

static void broken_boxes_are_passed_over(void **state)
{
    (void)state;
    df_box boxes[] = {
        {.label = "a", .source = "n", .score = 0.9, .x0 = NAN, .x1 = 5, .y1 = 5},
        {.label = "b", .source = "n", .score = 0.9, .x0 = 5, .x1 = 5, .y1 = 5},
        {.label = "c", .source = "n", .score = 0.9, .x0 = 2000, .x1 = 3000, .y1 = 5},
        {.label = "d", .source = "n", .score = NAN, .x1 = 5, .y1 = 5},
        {.label = "", .source = "n", .score = 0.9, .x1 = 5, .y1 = 5},
        {.label = "e", .source = NULL, .score = 0.9, .x0 = -50, .x1 = 5000, .y1 = 5},
        {.label = "f", .source = "n", .score = 7, .x1 = 5, .y1 = 5},
        {.label = NULL, .source = "n", .score = 0.9, .x1 = 5, .y1 = 5},
        {.label = "g",
         .source = "n",
         .score = 0.9,
         .x0 = 9,
         .y0 = INFINITY,
         .x1 = 90,
         .y1 = INFINITY},
    };
    df_evidence raw = with_boxes(boxes, 9);
    const df_evidence e = fuse(&raw, &defaults);
    assert_int_equal(e.n_boxes, 1);
    assert_string_equal(e.boxes[0].label, "e");
    assert_true(e.boxes[0].x0 == 0 && e.boxes[0].x1 == 1000);
}

static void lines_are_told_once(void **state)
{
    (void)state;
    df_line lines[] = {
        line_at("SALE", 0.8, 0, 0, 100, 20),
        line_at("Sale!", 0.95, 500, 0, 100, 20),
        line_at("sale", 0.9, 0, 500, 100, 20),
        /* read twice */
        line_at("GRAND OPENING", 0.9, 0, 100, 200, 20),
        line_at("OPENING", 0.99, 100, 100, 100, 20),
        /* another sign */
        line_at("OPENING", 0.9, 700, 700, 100, 20),
        line_at("blur", 0.69, 0, 300, 100, 20),
        line_at("", 0.9, 0, 400, 10, 10),
        line_at("!!!", 0.9, 0, 600, 10, 10),
        line_at("???", 0.9, 0, 650, 10, 10),
    };
    for (int i = 0; i < 10; i++)
        lines[i].item = i;
    df_evidence raw = {
        .path = "", .alt_text = "", .width = 1000, .height = 1000, .lines = lines, .n_lines = 10};
    df_evidence e = fuse(&raw, &defaults);
    /* "OPENING" at 0.99 goes into the longer line around it; the other sign's does not. */
    const int want[] = {1, 3, 5, 8, 9};
    assert_int_equal(e.n_lines, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(e.lines[i].item, want[i]);
    df_fuse_options o = defaults;
    o.max_lines = 1;
    e = fuse(&raw, &o);
    assert_int_equal(e.n_lines, 1);
    assert_int_equal(e.lines[0].item, 1);    /* the surest */
}

static void tags_by_score_once(void **state)
{
    (void)state;
    df_tag tags[] = {{"dog", 0.6, 0, "t"},  {"Dog", 0.7, 1, "t"}, {"sky", 0.49, 2, "t"},
                     {"park", 0.6, 3, "t"}, {"", 0.9, 4, "t"},    {NULL, 0.9, 5, "t"}};
    df_evidence raw = {.path = "", .alt_text = "", .tags = tags, .n_tags = 6};
    const df_evidence e = fuse(&raw, &defaults);
    assert_int_equal(e.n_tags, 2);
    assert_string_equal(e.tags[0].label, "Dog");
    assert_string_equal(e.tags[1].label, "park");
}

static void a_great_many(void **state)
{
    (void)state;
    enum { BOXES = 10000, LINES = 5000 };
    df_box *boxes = df_arena_alloc(&arena, BOXES, sizeof *boxes);
    df_line *lines = df_arena_alloc(&arena, LINES, sizeof *lines);
    srand(5);
    for (int i = 0; i < BOXES; i++)
        boxes[i] = random_box(i);
    for (int i = 0; i < LINES; i++) {
        lines[i] = line_at(df_arena_printf(&arena, "line %d", i / 2), 0.9, i % 50 * 20, i / 50 * 10,
                           18, 8);
        lines[i].item = i;
    }
    df_evidence raw = with_boxes(boxes, BOXES);
    raw.lines = lines;
    raw.n_lines = LINES;
    df_fuse_options o = defaults;
    o.max_lines = 10000;
    const df_evidence e = fuse(&raw, &o);
    assert_int_equal(e.n_boxes, 32);
    assert_true(e.n_lines <= LINES / 2 && e.n_lines > 2000);
}

static void the_hash_sees_everything(void **state)
{
    (void)state;
    df_box box = {.label = "dog", .source = "n", .score = 0.9, .x1 = 5, .y1 = 5};
    df_line line = line_at("GO", 0.9, 0, 0, 5, 5);
    df_tag tag = {"dog", 0.9, 0, "t"};
    df_evidence e = {.path = "p",
                     .alt_text = "alt",
                     .width = 10,
                     .height = 10,
                     .tags = &tag,
                     .n_tags = 1,
                     .boxes = &box,
                     .n_boxes = 1,
                     .lines = &line,
                     .n_lines = 1};
    char hash[10][DF_HASH_HEX];
    int n = 0;
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    e.path = "q";                            /* where the image lies is not what it shows */
    assert_int_equal(df_evidence_hash(&e, hash[1], NULL), DF_OK);
    assert_string_equal(hash[0], hash[1]);
    box.x1 = 6;
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    box.look = (df_region){.colours = {{"red", 0.5}}, .n_colours = 1};
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    line.text = "NO";
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    tag.score = 0.8;
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    e.alt_text = "alt ";
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    e.cells[4].brightness = NAN;
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    e.n_lines = 0;
    assert_int_equal(df_evidence_hash(&e, hash[n++], NULL), DF_OK);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(hash[i], hash[k]);
}

#define CASE(f) cmocka_unit_test_teardown(f, forget)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(agreement_is_heard),
        CASE(each_expert_has_its_own_scale),
        CASE(two_names_for_one_place),
        CASE(a_narrower_tag_vouches_for_a_box),
        CASE(tags_of_several_taggers),
        CASE(a_crowd_is_counted),
        CASE(tokens_are_shared),
        CASE(quotas_hold_and_nothing_is_invented),
        CASE(order_does_not_matter),
        CASE(a_small_rare_object_survives_a_crowd),
        CASE(broken_boxes_are_passed_over),
        CASE(lines_are_told_once),
        CASE(tags_by_score_once),
        CASE(a_great_many),
        CASE(the_hash_sees_everything),
    };
    return cmocka_run_group_tests(tests, open_kinds, close_kinds);
}
