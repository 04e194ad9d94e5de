/* densefusion models: lists the model cards, what is installed or missing and for what, and the
 * licences; installs a model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "expert/expert.h"
#include "io/json_writer.h"
#include "model/card.h"
#include "model/install.h"
#include "put.h"
#include "wrap.h"

typedef struct {
    const df_config *config;
    const char *folder;
    bool verify;
    df_json_writer *json; /* NULL: for people */
} listing;

/* The option that takes cards of each task. */
static const struct {
    const char *task, *section, *key;
} uses[] = {
    {"tag", "tag", "models"},
    {"detect", "detect", "models"},
    {"text-detect", "read", "detector"},
    {"text-orient", "read", "orienter"},
    {"text-recognise", "read", "recogniser"},
    {"safety", "filter", "safety_model"},
    {"embed", "embed", "model"},
};

static bool lists(const char *names, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = names ? names : ""; *at;) {
        at += strspn(at, ", ");
        const size_t word = strcspn(at, ", ");
        if (word == n && memcmp(at, name, n) == 0)
            return true;
        at += word;
    }
    return false;
}

/* The value of a text option in the configuration; NULL when it is unset or does not exist. */
static const char *configured(const df_config *config, const char *section, const char *key)
{
    const int i = df_config_find(config, section);
    for (const df_option *o = i < 0 ? NULL : config->stages[i]->options; o && o->name; o++)
        if (strcmp(o->name, key) == 0 && o->type == DF_OPT_TEXT)
            return *(char *const *)((const char *)config->configs[i] + o->offset);
    return NULL;
}

/* Appends the options that can name the card, such as "detect.models", with a '*' if they do. An
 * option of another task may name it as well: embed takes a tagger. */
static void append_use(const df_config *config, const df_card *card, df_str *out)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        const bool named = lists(configured(config, uses[i].section, uses[i].key), card->name);
        if (named || strcmp(card->task, uses[i].task) == 0)
            df_str_printf(out, "%s%s.%s%s", out->size ? ", " : "", uses[i].section, uses[i].key,
                          named ? "*" : "");
    }
    if (strcmp(card->task, "text-embed") == 0)
        df_str_append(out, "text: of other cards");
}

/* The card's state: installed, verified (its hash is right, and its model opens and fits), missing,
 * or broken (*why says how). */
static const char *state_of(const listing *l, const df_card *card, const df_str *missing,
                            df_error *why)
{
    df_card *whole = NULL;
    df_onnx *model = NULL;
    df_status status = df_expert_check(card, why);
    if (status == DF_OK && missing->size)
        return "missing";
    if (status == DF_OK && l->verify)
        status = df_card_open(&whole, l->folder, card->name, true, why);
    if (status == DF_OK && l->verify)
        status = df_card_open_model(whole, &model, why);
    df_onnx_close(model);
    df_card_close(whole);
    return status != DF_OK ? "broken" : l->verify ? "verified" : "installed";
}

static void print_card(const df_card *card, const char *state, const char *use, const char *missing,
                       const char *why)
{
    put_line(stdout, "%-9s %-26s %-14s %-20s %s", state, card->name, card->task, card->licence,
             use);
    if (why[0])
        wrap_print(stdout, 10, why);
    if (!missing[0])
        return;
    df_str text = {0};
    df_str_printf(&text, "needs %s; from %s", missing, card->source);
    wrap_print(stdout, 10, df_str_text(&text));
    df_str_free(&text);
}

/* Writes a card as an object; what is not known is null. */
static void put_card(df_json_writer *w, const df_card *card, const char *state, const char *use,
                     const df_str *missing, const char *problem)
{
    df_json_begin_object(w, NULL);
    df_json_put_text(w, "name", card->name);
    df_json_put_text(w, "state", state);
    df_json_put_text(w, "task", card->task);
    df_json_put_text(w, "decoder", card->decoder);
    df_json_put_text(w, "file", card->file);
    df_json_put_text(w, "sha256", card->sha256);
    df_json_put_text(w, "licence", card->licence);
    df_json_put_text(w, "source", card->source);
    df_json_put_text(w, "use", use);
    df_json_put_text(w, "missing", missing->size ? df_str_text(missing) : NULL);
    df_json_put_text(w, "problem", *problem ? problem : NULL);
    df_json_end(w);
}

/* Lists a card as a line or as JSON; false when it is broken. */
static bool list_card(const listing *l, const df_card *card, const df_str *missing)
{
    df_error why = {""};
    df_str use = {0};
    const char *state = state_of(l, card, missing, &why);
    append_use(l->config, card, &use);
    if (l->json)
        put_card(l->json, card, state, df_str_text(&use), missing, why.message);
    else
        print_card(card, state, df_str_text(&use), df_str_text(missing), why.message);
    df_str_free(&use);
    return strcmp(state, "broken") != 0;
}

/* Lists a card by its name. A card that cannot be read is reported on stderr, and the others are
 * still listed. */
static bool list_file(const listing *l, const char *name)
{
    df_card *card = NULL;
    df_str missing = {0};
    df_error err = {""};
    bool good = df_card_survey(&card, l->folder, name, &missing, &err) == DF_OK;
    if (good)
        good = list_card(l, card, &missing);
    else
        put_line(stderr, "densefusion: %s", err.message);
    df_card_close(card);
    df_str_free(&missing);
    return good;
}

/* Lists all cards, one after the other; an exit code. */
static int list_cards(listing *l, bool as_json)
{
    df_arena arena = {0};
    const char *const *names = NULL;
    df_error err = {""};
    int n = 0, code = EXIT_DONE;
    const df_status status = df_cards_list(l->folder, &arena, &names, &n, &err);
    if (status != DF_OK)
        return command_failed(status, &err);
    df_str json = {0};
    df_json_writer w = {.out = &json, .lines = 1};
    df_json_begin_list(&w, NULL);
    l->json = as_json ? &w : NULL;
    if (!as_json)
        printf("%-9s %-26s %-14s %-20s %s\n", "state", "name", "task", "licence",
               "option (* names it now)");
    for (int i = 0; i < n; i++)
        if (!list_file(l, names[i]))
            code = EXIT_FAILED;
    df_arena_reset(&arena);
    df_json_end(&w);
    if (as_json && put_json(&json, &err) != DF_OK)
        code = command_failed(DF_NOMEM, &err);
    df_str_free(&json);
    return code;
}

static int install(const char *folder, const args *a)
{
    char sha256[DF_SHA256_HEX] = "";
    df_error err = {""};
    const df_install how = {folder, a->positional[1], a->from, (a->given & FLAG_TRUST) != 0};
    const df_status status = df_install_model(&how, sha256, &err);
    if (status == DF_OK)
        put_line(stdout, "installed %s, SHA-256 %s", how.name, sha256);
    return command_failed(status, &err);
}

/* What is wrong with the arguments; NULL: nothing. */
static const char *mistake(const args *a)
{
    const bool installs = a->n_positional > 0 && strcmp(a->positional[0], "install") == 0;
    if (a->n_positional && !installs)
        return "it lists, or installs";
    if (installs && a->n_positional != 2)
        return "one model is installed at a time";
    return installs == ((a->given & FLAG_INSTALL_FROM) != 0) ? NULL
                                                             : "install and --from go together";
}

int cmd_models(const command *self, const args *a)
{
    if (mistake(a))
        return command_usage(self, mistake(a));
    df_config config;
    int code = command_config(&config, a);
    if (code != EXIT_DONE)
        return code;
    char *folder = df_config_models(&config);
    listing l = {.config = &config, .folder = folder, .verify = (a->given & FLAG_VERIFY) != 0};
    const df_error none = {"models: out of memory"};
    code = !folder           ? command_failed(DF_NOMEM, &none)
           : a->n_positional ? install(folder, a)
                             : list_cards(&l, (a->given & FLAG_JSON) != 0);
    free(folder);
    df_config_free(&config);
    return code;
}
