/* Taggers that people bring: our decoders against what the authors' own code says of one
 * photograph, with tiny models of random weights made by tests/oracle/open/make_ram.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "expert/expert.h"
#include "pictures.h"

static char folder[64];

static const char *oracle(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s", source("tests/oracle/open"));
    return path;
}

static df_expert_handle *open_expert(const char *models, const char *name)
{
    df_expert_handle *h = NULL;
    df_error err = {""};
    if (df_expert_open(&h, models, &name, 1, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    return h;
}

static const df_tag *find(const df_percept *seen, const char *label)
{
    for (int i = 0; i < seen->n_tags; i++)
        if (strcmp(seen->tags[i].label, label) == 0)
            return &seen->tags[i];
    return NULL;
}

/* Which tags are said is the authors' choice exactly; scores differ by what resizing rounds
 * (test_encoder.c). */
static void assert_tags(const char *name)
{
    char path[600], label[64];
    df_expert_handle *h = open_expert(oracle(), name);
    df_image image = photograph();
    df_arena arena = {0};
    df_percept seen = {0};
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    snprintf(path, sizeof path, "%s/%s.tags", oracle(), name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    double score, most = 0;
    int said, n_said = 0, n = 0;
    for (; fscanf(f, "%lf %d %63[^\n]", &score, &said, label) == 3; n++, n_said += said) {
        const df_tag *tag = find(&seen, label);
        assert_int_equal(tag != NULL, said);
        if (tag)
            most = fmax(most, fabs(tag->score - score));
    }
    fclose(f);
    print_message("%s: %d of %d tags, scores %.5f apart at most\n", name, n_said, n, most);
    assert_true(n == 12 && most < 0.01);
    assert_int_equal(seen.n_tags, n_said);
    for (int i = 0; i < seen.n_tags; i++)
        assert_true(seen.tags[i].item == i &&
                    (i == 0 || seen.tags[i].score <= seen.tags[i - 1].score));
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

static void test_ram_says_what_its_authors_code_says(void **state)
{
    (void)state;
    assert_tags("tiny-ram");
    assert_tags("tiny-ram-plus");
}

static void test_one_threshold_replaces_all(void **state)
{
    (void)state;
    df_expert_handle *h = open_expert(oracle(), "tiny-ram");
    df_image image = photograph();
    df_arena arena = {0};
    df_percept seen = {0};
    df_expert_set_threshold(h, 0.8);
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    assert_int_equal(seen.n_tags, 4);        /* leaf, tree, bird, water */
    assert_string_equal(seen.tags[0].label, "leaf");
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

/* tiny-ram in a folder of its own, with other labels or thresholds, and a line at
 * the card's end. */
static void copy_ram(const char *labels, const char *thresholds, const char *line)
{
    char command[3000];
    snprintf(command, sizeof command,
             "cp %s/*tiny*.txt %s/tiny-ram.* %s && printf '%s\\n' >> %s/tiny-ram.yaml", oracle(),
             oracle(), folder, line, folder);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/ram-tiny.labels.txt", folder);
    if (labels)
        assert_int_equal(df_file_write(command, labels, strlen(labels), NULL), DF_OK);
    snprintf(command, sizeof command, "%s/ram-tiny.thresholds.txt", folder);
    if (thresholds)
        assert_int_equal(df_file_write(command, thresholds, strlen(thresholds), NULL), DF_OK);
}

/* Classes of one name that are no alternatives: the best speaks, nothing adds up. */
static void test_one_name_scores_its_best_class(void **state)
{
    (void)state;
    copy_ram("1\tthing\n2\tthing\n3\tthing\n4\tthing\n5\tthing\n6\tthing\n7\tthing\n8\tthing\n9\t\n"
             "10\t\n11\t\nbeak\n",
             NULL, "");
    df_expert_handle *h = open_expert(folder, "tiny-ram");
    df_image image = photograph();
    df_arena arena = {0};
    df_percept seen = {0};
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    assert_int_equal(seen.n_tags, 2);
    assert_string_equal(seen.tags[0].label, "thing");
    assert_true(fabs(seen.tags[0].score - 0.9696) < 0.01);
    assert_string_equal(seen.tags[1].label, "beak");
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

static void test_thresholds_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"0.1\n0.2\n", "", "thresholds: the file must hold 12 numbers"},
        {"0 0 0 0 0 0 0 0 0 0 0 0 0", "", "thresholds: the file must hold 12 numbers"},
        {"0.1\nhigh\n", "", "thresholds: line 2 is no number from 0 to 1"},
        {"0.1\n0.2\nnan\n", "", "thresholds: line 3 is no number from 0 to 1"},
        {"1.5\n", "", "thresholds: line 1 is no number from 0 to 1"},
        /* the card ends in decode.sigmoid: 1 */
        {NULL, "  softmax: 1", "decode.softmax: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = "tiny-ram";
        df_expert_handle *h = NULL;
        df_error err = {""};
        copy_ram(NULL, cases[i][0], cases[i][1]);
        assert_int_equal(df_expert_open(&h, folder, &name, 1, NULL, &err), DF_CONFIG);
        if (!strstr(err.message, cases[i][2]) || !strstr(err.message, "tiny-ram.yaml"))
            fail_msg("%s", err.message);
    }
}

/* The committed cards: 4,585 labels and as many thresholds; the files are the user's to bring. */
static void test_cards_to_fill(void **state)
{
    (void)state;
    static const char *const names[] = {"ram", "ram-plus"};
    char models[512];
    snprintf(models, sizeof models, "%s", source("share/models"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        df_card *card = NULL;
        df_error err = {""};
        if (df_card_open(&card, models, names[i], false, &err) != DF_OK)
            fail_msg("%s", err.message);
        assert_int_equal(card->n_labels, 4585);
        assert_string_equal(card->label[0], "3D CG rendering");
        assert_string_equal(card->label[4584], "zoo");
        assert_true(card->label_threshold[0] == 0.65 && card->label_threshold[4584] == 0.76);
        df_card_close(card);
    }
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/df-taggers-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ram_says_what_its_authors_code_says),
        cmocka_unit_test(test_one_threshold_replaces_all),
        cmocka_unit_test(test_one_name_scores_its_best_class),
        cmocka_unit_test(test_thresholds_that_do_not_fit),
        cmocka_unit_test(test_cards_to_fill),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? 1 : failed;
}
