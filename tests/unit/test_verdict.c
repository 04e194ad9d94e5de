/* Each rule of the paper has captions that break it and captions that do not; support points at the
 * right bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "judge/verdict.h"
#include "evidence_text.h"

static df_nouns *nouns;
static evidence_text t;

static const char *const scene[] = {
    "size 800 600",
    "alt Boats at Nagasaki harbour",
    "tag 0.9 seashore",
    "box 0.8 100 100 300 300 boat : dark grey 0.6, red 0.2 : 0.3 0.3 0.3 0.3",
    "box 0.7 400 300 500 500 person",
    "line 10 10 200 40 NO ENTRY",
    "line 10 60 200 90 12 Harbour Road",
    "line 10 100 60 120 \xE6\x9D\xB1\xE4\xBA\xAC",
    "whole grey 0.6, blue 0.3 : 0.5 0.5 0.2 0.3",
};

static df_verdict judge(const char *caption)
{
    df_verdict v;
    char line[256];
    df_arena_reset(&t.arena);
    evidence_start(&t);
    for (size_t i = 0; i < sizeof scene / sizeof *scene; i++) {
        snprintf(line, sizeof line, "%s", scene[i]);
        evidence_line(&t, line);
    }
    df_limits limits = df_limits_default;
    limits.min_text_recall = limits.min_object_recall = 0;
    limits.language = (char *)"en";
    assert_int_equal(
        df_verdict_make(nouns, &(df_written){.text = caption}, &t.ev, &limits, &t.arena, &v, NULL),
        DF_OK);
    return v;
}

static const struct {
    const char *caption, *reasons;
} cases[] = {
    {"A dark grey boat is on the left and a person stands to its right.", ""},
    {"", "empty"},
    {"A boat.", "short"},
    {"The image shows a boat near a person.", "opening"},
    {"The picture is a view of a boat.", "opening"},
    {"Most of a picture is taken up by a boat.", ""},
    {"In this photograph, a boat lies still.", "opening"},
    {"This is a picture of a boat and a person.", "opening"},
    {"Here is a boat, and a person too.", "opening"},
    {"A boat appears to be moving left.", "reasoning"},
    {"A boat, Probably old, is on the left.", "reasoning"},
    {"A boat on the left gives a sense of calm.", "mood"},
    {"A boat is left of the centre, inspiring to viewers.", "speculation"},
    {"A red boat creates a unique visual.", "interpretation"},
    {"According to the caption this is a boat.", "meta"},
    {"A boat at [12, 30, 400, 300] is grey.", "coordinates"},
    {"A boat at (12, 30, 400, 300) is grey.", "coordinates"},
    {"A boat is grey (built in 1920) and red.", ""},
    {"**A boat** is on the left.", "markup"},
    {"- A boat is on the left.", "markup"},
    {"A <b>boat</b> is on the left.", "markup"},
    {"A boat is on the left and", "unfinished"},
    {"A boat is here. A boat is here. A boat is here. A boat is here. A boat is here.",
     "repetition; loop"},
    {"A boat carries the words \"NO ENTRY\" and \"12 Harbour Road\".", ""},
    {"A boat carries the words \"no entry\".", ""},
    {"A boat carries the words \"NO SMOKING\".", "quote"},
    {"A boat carries the words \xE2\x80\x9CNO ENTRY\xE2\x80\x9D and \"\xE6\x9D\xB1\xE4\xBA\xAC\".",
     ""},
    {"A boat and a dog are on the left.", "invented"},
    {"Two boats and three people are on the left.", ""},
    {"A man with an orange stands by the boat.", ""},
    {"The likely \"NO ENTRY\" is on a boat with a zebra.", "reasoning; invented"},
    {"The seashore is behind Nagasaki harbour, with vessels on it.", ""},
    {"A boat carries the words \"NO ENTPY\" and \"l2 Harbour Road\".", ""},
    {"A boat carries the words \"NO EXIT\".", "quote"},
    {"Un bateau gris est dans le port avec une personne sur le quai, et la mer est bleue.",
     "language"},
    {"Ein graues Boot liegt links im Bild, und eine Person steht rechts von dem Boot auf der "
     "Mauer.",
     "language"},
    {"\xE4\xB8\x80\xE8\x89\x98\xE7\x81\xB0\xE8\x89\xB2\xE7\x9A\x84\xE8\x88\xB9\xE5\x9C\xA8\xE5\xB7"
     "\xA6\xE8\xBE\xB9 a b \xE6\xB8\xAF\xE5\x8F\xA3\xE9\x87\x8C\xE6\x9C\x89 c d.",
     "language"},
    {"A boat carries the words \"NO ENTRY\" and \"\xE6\x9D\xB1\xE4\xBA\xAC\" and lies in Nagasaki "
     "harbour near a caf\xC3\xA9.",
     ""},
    {"A boat is in the water, and the water, and the water, and the water is grey.",
     "repetition; loop"},
    {"A boat is very very very very old and grey on the left side.", "loop"},
    {"A boat, a boat and a boat are on the left.", ""},
    {"A boat is on aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa water.",
     "loop"},
};

/* "opening; quote": the codes, or with their words. */
static const char *joined(const df_verdict *v, bool with_words)
{
    static char text[8192];
    text[0] = '\0';
    for (int i = 0; i < v->n_findings; i++) {
        const df_finding *f = &v->findings[i];
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "; " : "",
                 with_words ? f->detail : f->code);
    }
    return text;
}

static void rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_verdict v = judge(cases[i].caption);
        if (strcmp(joined(&v, false), cases[i].reasons) != 0)
            fail_msg("\"%s\": got \"%s\", expected \"%s\"", cases[i].caption, joined(&v, true),
                     cases[i].reasons);
        assert_int_equal(v.pass, cases[i].reasons[0] == '\0');
    }
}

static const struct {
    const char *caption, *detail;
} loops[] = {
    {"A boat is very very very very old and grey on the left side.",
     "loop: \"very\" 4 times in a row"},
    {"A boat is on aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa water.",
     "loop: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is one word of 71 "
     "bytes"},
    {"A boat is on "
     "a\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3"
     "\xA9\xC3\xA9\xC3\xA9"
     "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3"
     "\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
     "\xC3\xA9\xC3\xA9\xC3\xA9 water.",
     "loop: "
     "\"a\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
     "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
     "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3"
     "\xA9\xC3\xA9...\" is one word of 67 bytes"},
    {"Boats", "short: 1 word, at least 3"},
    {"Two boats", "short: 2 words, at least 3"},
};

static void what_loops_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        const df_verdict v = judge(loops[i].caption);
        if (!strstr(joined(&v, true), loops[i].detail))
            fail_msg("\"%s\": got \"%s\", expected \"%s\"", loops[i].caption, joined(&v, true),
                     loops[i].detail);
    }
}

static void long_caption(void **state)
{
    (void)state;
    char caption[4096] = "";
    for (int i = 0; i < 193; i++)
        snprintf(caption + strlen(caption), 20, i % 9 == 5 ? "%sthe" : "%sw%d", i ? " " : "", i);
    strcat(caption, ".");
    df_verdict v = judge(caption);
    assert_string_equal(joined(&v, false), "long");
    assert_int_equal(v.words, 193);
}

static void expect_span(const df_verdict *v, const char *caption, const char *words, df_backing by,
                        int item)
{
    const char *at = strstr(caption, words);
    assert_non_null(at);
    for (int i = 0; i < v->support.n_spans; i++) {
        const df_span *s = &v->support.spans[i];
        if (s->from == (int)(at - caption) && s->to == s->from + (int)strlen(words)) {
            assert_int_equal(s->by, by);
            assert_int_equal(s->item, item);
            return;
        }
    }
    fail_msg("no span for %s", words);
}

static void spans(void **state)
{
    (void)state;
    const char *caption =
        "At Nagasaki harbour, by the seashore, a dark grey boat bears \"12 Harbour Road\"; to its "
        "right are two people.";
    df_verdict v = judge(caption);
    expect_span(&v, caption, "At Nagasaki harbour", DF_BY_ALT, 0);
    expect_span(&v, caption, "seashore", DF_BY_TAG, 0);
    expect_span(&v, caption, "dark grey", DF_BY_LOOK, 0);
    expect_span(&v, caption, "boat", DF_BY_BOX, 0);
    expect_span(&v, caption, "12 Harbour Road", DF_BY_LINE, 1);
    expect_span(&v, caption, "people", DF_BY_BOX, 1);
    assert_int_equal(v.support.n_spans, 6);
    assert_true(v.text_recall > 0.33 && v.text_recall < 0.34);
    assert_true(v.object_recall == 1.0);
    assert_int_equal(v.support.spans[0].from, 0);
    assert_int_equal(v.support.spans[0].to, 19);
}

/* What the text in the picture says is not what the caption says. */
static void text_in_the_picture_is_free(void **state)
{
    (void)state;
    char line[] =
        "line 10 10 200 40 **The image shows** a mood: [12, 30, 40, 50] <b>probably</b> a zebra";
    df_arena_reset(&t.arena);
    evidence_start(&t);
    evidence_line(&t, line);
    df_verdict v;
    const char *caption = "The words \"**The image shows** a mood: [12, 30, 40, 50] "
                          "<b>probably</b> a zebra\" stand in the centre.";
    assert_int_equal(df_verdict_make(nouns, &(df_written){.text = caption}, &t.ev,
                                     &df_limits_default, &t.arena, &v, NULL),
                     DF_OK);
    assert_string_equal(joined(&v, true), "");
    assert_true(v.text_recall == 1.0);
    assert_true(v.object_recall == -1.0);
}

static void recall_is_asked_for(void **state)
{
    (void)state;
    df_verdict v;
    judge("");
    const char *caption = "A grey area fills the whole of the picture.";
    assert_int_equal(df_verdict_make(nouns, &(df_written){.text = caption}, &t.ev,
                                     &df_limits_default, &t.arena, &v, NULL),
                     DF_OK);
    assert_string_equal(joined(&v, false), "text; objects");
    assert_true(v.text_recall == 0 && v.object_recall == 0);
}

static void any_bytes(void **state)
{
    (void)state;
    uint32_t seed = 3;
    char caption[600];
    static const char bits[] =
        "\"[(<*#- 0123456789,.)]>/ab \n\xE2\x80\x9C\xFF the boat image shows";
    for (int i = 0; i < 3000; i++) {
        int n = (int)((seed = seed * 1664525u + 1013904223u) >> 23);
        for (int k = 0; k < n; k++)
            caption[k] = bits[((seed = seed * 1664525u + 1013904223u) >> 8) % (sizeof bits - 1)];
        caption[n] = '\0';
        df_verdict v = judge(caption);
        for (int k = 0; k < v.support.n_spans; k++) {
            const df_span *s = &v.support.spans[k];
            assert_true(s->from < s->to && s->to <= n);
            assert_true(k == 0 || v.support.spans[k - 1].to <= s->from);
        }
    }
}

static int open_nouns(void **state)
{
    (void)state;
    return df_nouns_open(&nouns, NULL) != DF_OK;
}

static int close_nouns(void **state)
{
    (void)state;
    df_arena_reset(&t.arena);
    df_nouns_close(nouns);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(what_loops_is_told),
        cmocka_unit_test(long_caption),
        cmocka_unit_test(spans),
        cmocka_unit_test(text_in_the_picture_is_free),
        cmocka_unit_test(recall_is_asked_for),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, open_nouns, close_nouns);
}
