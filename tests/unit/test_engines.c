/* The own options of engines: how they are set, what the key of a request and the fingerprint of
 * captions make of them, and their old names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pipeline/config.h"
#include "pipeline/fingerprint.h"
#include "stage/caption/caption.h"
#include "stage/caption/journal.h"

#define FILE_NAME "engines.test"

/* ---- an engine, and what it is after somebody has added an option ---- */

typedef struct {
    char *flavour;
    int64_t retries, spoons;
} toy_config;
#define AT(field) offsetof(toy_config, field)
static const df_option toy_options[] = {
    {"flavour", DF_OPT_TEXT, AT(flavour), "salt", 0, 0, "changes the words"},
    {"retries", DF_OPT_INT, AT(retries), "6", 0, 100, "changes none"},
    {0},
};
static const df_option grown_options[] = {
    {"flavour", DF_OPT_TEXT, AT(flavour), "salt", 0, 0, "changes the words"},
    {"retries", DF_OPT_INT, AT(retries), "6", 0, 100, "changes none"},
    {"spoons", DF_OPT_INT, AT(spoons), "1", 0, 9, "new"},
    {0},
};
static const char *const toy_aside[] = {"retries", NULL};
static const char *const grown_aside[] = {"retries", "spoons", NULL};
static const df_engine_ops toy = {
    .name = "toy", .options = toy_options, .aside = toy_aside, .config_size = sizeof(toy_config)};
static const df_engine_ops grown = {
    .name = "toy", .options = grown_options, .aside = toy_aside, .config_size = sizeof(toy_config)};
static const df_engine_ops grown_by_an_aside = {.name = "toy",
                                                .options = grown_options,
                                                .aside = grown_aside,
                                                .config_size = sizeof(toy_config)};
static const df_engine_ops other = {
    .name = "other", .options = toy_options, .aside = toy_aside, .config_size = sizeof(toy_config)};

/* ---- helpers ---- */

typedef struct {
    const df_engine_ops *engines[3];
    df_stage stage;
    const df_stage *stages[2];
    df_config config;
} setup;

static void open_setup(setup *s, const df_engine_ops *engine)
{
    *s = (setup){.engines = {engine, &other, NULL}, .stage = df_stage_caption};
    if (engine)
        s->stage.engines = s->engines;
    s->stages[0] = &s->stage;
    assert_int_equal(df_config_init(&s->config, s->stages, NULL), DF_OK);
    if (engine)
        assert_int_equal(df_config_set(&s->config, "caption.engine", engine->name, NULL), DF_OK);
}

static void set(setup *s, const char *key, const char *value)
{
    df_error err = {""};
    if (df_config_set(&s->config, key, value, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static const df_caption_config *config_of(const setup *s)
{
    return s->config.configs[0];
}

/* What a caption is known by: its key, or what its stage was made of. */
typedef enum { KEY, FINGERPRINT } identity;

static void identify(const setup *s, identity which, df_str *out)
{
    static const char *const made[] = {"ingest", "look", "fuse"};
    const df_caption_subject subject = {"image", "evidence", "prompt"};
    const df_caption_config *k = config_of(s);
    const df_engine engine = {.ops = df_engine_settings_ops(&k->engines, k->engine)};
    const df_run run = {0};
    char key[DF_HASH_HEX];
    df_str options = {0};
    df_str_clear(out);
    df_caption_key_options(k, &engine, &options);
    assert_int_equal(df_caption_key(df_str_text(&options), &subject, key, NULL), DF_OK);
    df_str_free(&options);
    if (which == KEY)
        df_str_append(out, key);
    else
        assert_int_equal(df_fingerprint(&s->stage, k, &run, made, out, NULL), DF_OK);
}

/* Whether an identity is another one after an option is set. */
static bool changes(setup *s, identity which, const char *option, const char *value)
{
    df_str before = {0}, after = {0};
    identify(s, which, &before);
    set(s, option, value);
    identify(s, which, &after);
    const bool differs = strcmp(df_str_text(&before), df_str_text(&after)) != 0;
    df_str_free(&before);
    df_str_free(&after);
    return differs;
}

static void assert_same_identity(const df_engine_ops *a, const df_engine_ops *b, bool same)
{
    for (identity which = KEY; which <= FINGERPRINT; which++) {
        setup of_a, of_b;
        df_str text_a = {0}, text_b = {0};
        open_setup(&of_a, a);
        open_setup(&of_b, b);
        identify(&of_a, which, &text_a);
        identify(&of_b, which, &text_b);
        assert_int_equal(strcmp(df_str_text(&text_a), df_str_text(&text_b)) == 0, same);
        df_str_free(&text_a);
        df_str_free(&text_b);
        df_config_free(&of_a.config);
        df_config_free(&of_b.config);
    }
}

/* ---- tests ---- */

static void an_added_option_is_in_the_key_and_the_fingerprint(void **state)
{
    (void)state;
    assert_same_identity(&toy, &toy, true);
    assert_same_identity(&toy, &grown, false);
    assert_same_identity(&toy, &grown_by_an_aside, true);
}

static void own_options_change_what_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *option, *value;
        bool key, fingerprint;
    } cases[] = {
        {"caption.toy.flavour", "sour", true, true},  {"caption.toy.retries", "9", false, false},
        {"caption.other.flavour", "x", false, false}, {"caption.max_tokens", "9", true, true},
        {"caption.model", "m", true, true},           {"caption.ask_again", "2", false, true},
        {"caption.in_flight_mib", "9", false, false}, {"caption.engine", "other", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (identity which = KEY; which <= FINGERPRINT; which++) {
            setup s;
            open_setup(&s, &toy);
            assert_int_equal(changes(&s, which, cases[i].option, cases[i].value),
                             which == KEY ? cases[i].key : cases[i].fingerprint);
            df_config_free(&s.config);
        }
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static const char *another_value(const df_option *o, char *text, size_t size)
{
    snprintf(text, size, "%s", strcmp(o->name, "on_fail") == 0 ? "compose" : FILE_NAME);
    if (o->type == DF_OPT_INT || o->type == DF_OPT_REAL) {
        snprintf(text, size, "%.0f", o->min);
        if (strcmp(text, o->initial) == 0)
            snprintf(text, size, "%.0f", o->max);
    } else if (o->type == DF_OPT_BOOL) {
        snprintf(text, size, "%s", strcmp(o->initial, "true") == 0 ? "false" : "true");
    }
    return text;
}

/* Each option of each engine that there is, alone. */
static void options_are_in_the_key_unless_they_are_aside(void **state)
{
    (void)state;
    int n = 0;
    assert_int_equal(df_file_write(FILE_NAME, "", 0, NULL), DF_OK);
    for (const df_engine_ops *const *e = df_engines; *e; e++)
        for (const df_option *o = (*e)->options; o && o->name; o++, n++)
            for (identity which = KEY; which <= FINGERPRINT; which++) {
                setup s;
                char option[100], value[40];
                open_setup(&s, NULL);
                set(&s, "caption.engine", (*e)->name);
                snprintf(option, sizeof option, "caption.%s.%s", (*e)->name, o->name);
                /* the content of a file of answers is in the fingerprint, its name is not */
                const bool content = which == FINGERPRINT && *e == &df_engine_replay;
                assert_int_equal(changes(&s, which, option, another_value(o, value, sizeof value)),
                                 content || !is_listed((*e)->aside, o->name));
                df_config_free(&s.config);
            }
    assert_true(n > 10);
    unlink(FILE_NAME);
}

/* What changes a request changes the captions too; what the stage sets aside changes neither. */
static void no_key_changes_without_the_fingerprint(void **state)
{
    (void)state;
    for (const df_option *o = df_stage_caption.options + 1; o->name; o++) {
        setup s, t;
        char option[100], value[40];
        open_setup(&s, NULL);
        open_setup(&t, NULL);
        snprintf(option, sizeof option, "caption.%s", o->name);
        another_value(o, value, sizeof value);
        const bool key = changes(&s, KEY, option, value);
        const bool fingerprint = changes(&t, FINGERPRINT, option, value);
        assert_true(fingerprint || !key);
        assert_int_equal(fingerprint, !is_listed(df_stage_caption.aside, o->name));
        df_config_free(&s.config);
        df_config_free(&t.config);
    }
}

static void sections_of_several_engines_are_one_file(void **state)
{
    (void)state;
    static const char yaml[] = "caption:\n  engine: openai\n  openai: {retries: 3, url: http://a}\n"
                               "  llama:\n    n_ctx: 512\n";
    setup s;
    open_setup(&s, NULL);
    assert_int_equal(df_file_write(FILE_NAME, yaml, sizeof yaml - 1, NULL), DF_OK);
    assert_int_equal(df_config_load(&s.config, FILE_NAME, NULL), DF_OK);
    assert_int_equal(df_caption_openai(config_of(&s))->retries, 3);
    assert_string_equal(df_caption_openai(config_of(&s))->url, "http://a");
    assert_false(changes(&s, FINGERPRINT, "caption.llama.n_ctx", "1024"));
    assert_null(s.config.renamed.notes.data);
    unlink(FILE_NAME);
    df_config_free(&s.config);
}

static void wrong_names_are_told_with_the_nearest(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"caption.opnai.url", "caption.opnai: no such engine; did you mean caption.openai?"},
        {"caption.mock.url", "caption.mock: no such engine; there are: compose, openai, llama, "},
        {"caption.openai.retrys", "no such option; did you mean caption.openai.retries?"},
        {"caption.openai.max_tokens", "no such option; did you mean caption.max_tokens?"},
        {"caption.openai.zzzzzz", "no such option; `densefusion caption --help` lists them"},
        {"caption.compose.x", "no such option; `densefusion caption --help` lists them"},
        {"caption.max_token", "no such option; did you mean caption.max_tokens?"},
        {"openai.url", "openai: no such section; did you mean caption.openai?"},
        {"caption.openai.retries", "caption.openai.retries: \"x\" is not a whole number from 0"},
        {"caption.openai.", "caption.openai.: no such option"},
        {"caption.openai", "caption.openai: no such option"},
    };
    setup s;
    open_setup(&s, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_error err = {""};
        assert_int_equal(df_config_set(&s.config, cases[i][0], "x", &err), DF_CONFIG);
        if (!strstr(err.message, cases[i][1]))
            fail_msg("%s", err.message);
    }
    df_config_free(&s.config);
}

static int count_lines(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void old_names_are_noted_once(void **state)
{
    (void)state;
    setup s;
    open_setup(&s, NULL);
    set(&s, "caption.retries", "3");
    set(&s, "caption.retries", "4");
    assert_int_equal(df_caption_openai(config_of(&s))->retries, 4);
    set(&s, "caption.batch_mb", "9");
    set(&s, "caption.in_flight_mb", "64");
    assert_int_equal(config_of(&s)->in_flight_mib, 64);
    const char *notes = df_str_text(&s.config.renamed.notes);
    assert_int_equal(count_lines(notes), 3);
    assert_non_null(strstr(notes, "caption.retries is now called caption.openai.retries;"));
    assert_non_null(strstr(notes, "caption.batch_mb is gone"));
    df_config_free(&s.config);
}

/* Every old name leads to an option that there is. */
static void old_names_lead_somewhere(void **state)
{
    (void)state;
    for (const df_option_alias *a = df_stage_caption.aliases; a->old; a++) {
        setup s;
        char old[100], now[100];
        df_error of_old = {""}, of_now = {""};
        open_setup(&s, NULL);
        snprintf(old, sizeof old, "caption.%s", a->old);
        snprintf(now, sizeof now, "caption.%s", a->now ? a->now : "");
        df_config_set(&s.config, old, "no number", &of_old);
        if (a->now)
            df_config_set(&s.config, now, "no number", &of_now);
        assert_string_equal(of_old.message, of_now.message);
        assert_null(strstr(of_now.message, "no such"));
        df_config_free(&s.config);
    }
}

static void two_names_with_two_values_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"caption.openai.extra", "caption.extra"};
    for (int first = 0; first < 2; first++) {
        setup s;
        df_error err = {""};
        open_setup(&s, NULL);
        set(&s, names[first], "{\"key\": \"sk-1\"}");
        set(&s, names[!first], "{\"key\": \"sk-1\"}");
        assert_int_equal(df_config_set(&s.config, names[first], "sk-2", &err), DF_CONFIG);
        assert_non_null(
            strstr(err.message, "caption.extra is the old name of caption.openai.extra"));
        assert_null(strstr(err.message, "sk-")); /* it may hold a key */
        df_config_free(&s.config);
    }
}

static void the_command_line_outdoes_a_file_by_either_name(void **state)
{
    (void)state;
    static const char yaml[] = "caption:\n  retries: 3\n";
    setup s;
    open_setup(&s, NULL);
    assert_int_equal(df_file_write(FILE_NAME, yaml, sizeof yaml - 1, NULL), DF_OK);
    assert_int_equal(df_config_load(&s.config, FILE_NAME, NULL), DF_OK);
    set(&s, "caption.openai.retries", "5");
    assert_int_equal(df_caption_openai(config_of(&s))->retries, 5);
    unlink(FILE_NAME);
    df_config_free(&s.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_added_option_is_in_the_key_and_the_fingerprint),
        cmocka_unit_test(own_options_change_what_they_should),
        cmocka_unit_test(options_are_in_the_key_unless_they_are_aside),
        cmocka_unit_test(no_key_changes_without_the_fingerprint),
        cmocka_unit_test(sections_of_several_engines_are_one_file),
        cmocka_unit_test(wrong_names_are_told_with_the_nearest),
        cmocka_unit_test(old_names_are_noted_once),
        cmocka_unit_test(old_names_lead_somewhere),
        cmocka_unit_test(two_names_with_two_values_are_refused),
        cmocka_unit_test(the_command_line_outdoes_a_file_by_either_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
