/* What a caption calls an object is found to be that object: COCO's 80 classes by the words that
 * people use for them, one and many, as the rate of invented objects (CHAIR) counts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "language/nouns.h"

/* The class, then other words for it or for kinds of it. */
static const char *const classes[] = {
    "person|man|woman|boy|girl|child|lady|skier|surfer|cyclist",
    "bicycle|bike",
    "car|automobile|taxi|sedan",
    "motorcycle|motorbike|scooter",
    "airplane|aeroplane|jet|airliner|aircraft",
    "bus|minibus",
    "train|locomotive",
    "truck|lorry|pickup|fire engine",
    "boat|ship|canoe|sailboat|ferry",
    "traffic light|traffic signal|stoplight",
    "fire hydrant|hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird|duck|goose|pigeon|seagull|owl",
    "cat|kitten",
    "dog|puppy|terrier|poodle",
    "horse|pony|foal",
    "sheep|lamb|ram",
    "cow|bull|calf|cattle",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack|rucksack",
    "umbrella|parasol",
    "handbag|purse",
    "tie|necktie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball|football|basketball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket|racket",
    "bottle",
    "wine glass",
    "cup|mug",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut|doughnut",
    "cake",
    "chair|armchair|stool",
    "couch|sofa",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv|television",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone|smartphone|mobile phone",
    "microwave",
    "oven|stove",
    "toaster",
    "sink",
    "refrigerator|fridge",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier|hair dryer",
    "toothbrush",
};

static void every_word_is_its_class(void **state)
{
    (void)state;
    df_nouns *nouns;
    int missing = 0;
    assert_int_equal(sizeof classes / sizeof *classes, 80);
    assert_int_equal(df_nouns_open(&nouns, NULL), DF_OK);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const size_t n = strcspn(classes[i], "|");
        const df_noun *parent = df_nouns_find(nouns, classes[i], n);
        for (const char *word = classes[i]; *word;) {
            const size_t size = strcspn(word, "|");
            const df_noun *noun = df_nouns_find(nouns, word, size);
            if (!parent || !noun || !df_noun_is(nouns, noun, parent)) {
                print_error("%.*s is no %.*s\n", (int)size, word, (int)n, classes[i]);
                missing++;
            }
            word += size + (word[size] == '|');
        }
    }
    df_nouns_close(nouns);
    assert_int_equal(missing, 0);
}

static void others_are_not(void **state)
{
    (void)state;
    df_nouns *nouns;
    assert_int_equal(df_nouns_open(&nouns, NULL), DF_OK);
    assert_false(df_noun_is(nouns, df_nouns_find(nouns, "dog", 3), df_nouns_find(nouns, "cat", 3)));
    assert_false(
        df_noun_is(nouns, df_nouns_find(nouns, "vehicle", 7), df_nouns_find(nouns, "car", 3)));
    assert_null(df_nouns_find(nouns, "nothing in particular", 21));
    assert_true(df_nouns_may_begin(nouns, "traffic"));
    df_nouns_close(nouns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_word_is_its_class),
                                       cmocka_unit_test(others_are_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
