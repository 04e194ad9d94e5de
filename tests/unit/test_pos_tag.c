/* The tagger gives the same tags as the tool its rules come from, and about the
 * shares that another method gives; prose is counted as a person counts it.
 * Expected values: tests/oracle/pos_tag.py. */
#include "fixture.h"

#include "language/prose.h"

static char *files[3];
static df_pos_tagger *tagger;

static char *source_text(const char *path)
{
    char full[PATH_MAX];
    const char *root = getenv("DF_SOURCE_DIR");
    snprintf(full, sizeof full, "%s/%s", root ? root : ".", path);
    return df_file_exists(full) ? fixture_text(full) : NULL;
}

static int load(void **state)
{
    (void)state;
    const char *const names[] = {"share/lexicon/en-lexicon.txt", "share/lexicon/en-morphology.txt",
                                 "share/lexicon/en-context.txt"};
    for (int i = 0; i < 3; i++)
        if (!(files[i] = source_text(names[i])))
            return -1; /* set-up installs them */
    return df_pos_tagger_open(&tagger, files[0], files[1], files[2], NULL) == DF_OK ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    df_pos_tagger_close(tagger);
    for (int i = 0; i < 3; i++)
        free(files[i]);
    return 0;
}

static int check_sentence(df_pos_token *tokens, const char *const *expected, size_t n)
{
    int wrong = 0;
    df_pos_tag(tagger, tokens, n);
    for (size_t i = 0; i < n; i++) {
        const char *tag = df_pos_name(tagger, tokens[i].tag);
        if (strncmp(tag, expected[i], strlen(tag)) == 0 && expected[i][strlen(tag)] == '\n')
            continue;
        print_error("%.*s: %s, expected %.6s\n", (int)tokens[i].n, tokens[i].text, tag,
                    expected[i]);
        wrong++;
    }
    return wrong;
}

static void tags_as_textblob(void **state)
{
    (void)state;
    char *tsv = source_text("tests/oracle/pos_tag.tsv");
    assert_non_null(tsv);
    df_pos_token tokens[200];
    const char *expected[200];
    size_t n = 0, total = 0;
    int wrong = 0;
    for (char *line = tsv; *line; line = strchr(line, '\n') + 1) {
        if (*line != '\n') {
            char *tab = strchr(line, '\t');
            tokens[n] = (df_pos_token){.text = line, .n = (uint32_t)(tab - line)};
            expected[n++] = tab + 1;
            assert_true(n < 200);
            total++;
            continue;
        }
        wrong += check_sentence(tokens, expected, n);
        n = 0;
    }
    assert_true(total > 600);
    assert_int_equal(wrong, 0);
    free(tsv);
}

/* Tolerance: 3 points of a hundred. The methods differ by nature: spaCy calls "left" in "the left
 * side" an adjective and "one" in "one of" a numeral where rules do not, and cuts "half-open" into
 * three tokens. */
static void shares_are_near_spacy(void **state)
{
    (void)state;
    char *text = source_text("tests/oracle/captions.txt"),
         *spacy = source_text("tests/oracle/pos_share.txt");
    assert_non_null(text);
    df_prose_space space = {0};
    df_prose_count count = {0};
    assert_int_equal(df_prose_measure(tagger, text, &space, &count, NULL), DF_OK);
    const struct {
        const char *name;
        df_pos pos;
    } shares[] = {{"noun", DF_POS_NOUN},
                  {"adjective", DF_POS_ADJECTIVE},
                  {"adverb", DF_POS_ADVERB},
                  {"verb", DF_POS_VERB},
                  {"numeral", DF_POS_NUMERAL}};
    for (size_t i = 0; i < 5; i++) {
        char line[32];
        snprintf(line, sizeof line, "\n%s ", shares[i].name);
        const char *at = strstr(spacy, line);
        assert_non_null(at);
        double theirs = strtod(at + strlen(line), NULL),
               ours = (double)count.pos[shares[i].pos] / (double)count.tokens;
        print_message("%-10s %.4f, spaCy %.4f\n", shares[i].name, ours, theirs);
        assert_true(ours > theirs - 0.03 && ours < theirs + 0.03);
    }
    assert_int_equal(count.sentences, 48); /* spaCy's count, and what a person counts */
    free(space.tokens);
    free(text);
    free(spacy);
}

static void prose_is_counted(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int characters, words, sentences;
    } cases[] = {{"", 0, 0, 0},
                 {"   ", 3, 0, 0},
                 {"A dog.", 6, 2, 1},
                 {"No full stop", 12, 3, 1},
                 {"It reads \"STOP.\" Two cars wait!", 31, 6, 2},
                 {"Mr. Smith paid 3.50 dollars. The dog's bowl - empty.", 52, 9, 2},
                 {"d\xC3\xB6g \xF0\x9F\x90\x95 e.g. a cat", 16, 5, 1},
                 {"...", 3, 0, 0},
                 {"One.Two", 7, 1, 1},
                 {"\xE7\x8C\xAB\xE3\x80\x82", 2, 1, 1},
                 {"bad \xFF\xFE bytes \x80", 13, 4, 1}};
    df_prose_space space = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_prose_count count = {0};
        assert_int_equal(df_prose_measure(NULL, cases[i].text, &space, &count, NULL), DF_OK);
        if (i < 10)
            assert_int_equal(count.characters, cases[i].characters);
        assert_int_equal(count.words, cases[i].words);
        assert_int_equal(count.sentences, cases[i].sentences);
    }
    free(space.tokens);
}

static void odd_text_is_tagged(void **state)
{
    (void)state;
    char long_word[4000], *text = malloc(400000);
    memset(long_word, 'q', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    df_prose_space space = {0};
    df_prose_count count = {0};
    assert_int_equal(df_prose_measure(tagger, long_word, &space, &count, NULL), DF_OK);
    for (int i = 0; i < 400000 - 1; i++)
        text[i] = (char)(i % 251 * 7919 % 251 + 1);
    text[400000 - 1] = '\0';
    assert_int_equal(df_prose_measure(tagger, text, &space, &count, NULL), DF_OK);
    int64_t sum = 0;
    for (int i = 0; i < DF_POS_COUNT; i++)
        sum += count.pos[i];
    assert_int_equal(sum, count.tokens);
    free(space.tokens);
    free(text);
}

static void broken_rules_are_one_line(void **state)
{
    (void)state;
    df_pos_tagger *t = NULL;
    df_error err;
    assert_int_equal(df_pos_tagger_open(&t, "dog NN\n", "no such rule here\n", "", &err),
                     DF_FORMAT);
    assert_non_null(strstr(err.message, "morphology"));
    assert_int_equal(df_pos_tagger_open(&t, "dog NN\n", "", "NN VB NOSUCH TO\n", &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "context"));
    assert_int_equal(df_pos_tagger_open(&t, "dog NN\n", "", "NN VB SURROUNDTAG TO\n", &err),
                     DF_FORMAT);
    assert_int_equal(df_pos_tagger_open(&t, "", "", "", &err), DF_OK);
    df_pos_tagger_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_as_textblob), cmocka_unit_test(shares_are_near_spacy),
        cmocka_unit_test(prose_is_counted), cmocka_unit_test(odd_text_is_tagged),
        cmocka_unit_test(broken_rules_are_one_line)};
    return cmocka_run_group_tests(tests, load, unload);
}
