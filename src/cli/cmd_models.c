/* densefusion models: the model cards, what is installed, under which licence. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "command.h"
#include "io/json.h"
#include "model/card.h"

static int is_card(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

/* What `models` says of one card: installed, missing, or what is wrong with it. */
static const char *state_of(const char *folder, const char *name, bool verify, df_error *why)
{
    df_card *card = NULL;
    if (!df_card_installed(folder, name))
        return "missing";
    df_status status = verify ? df_card_open(&card, folder, name, true, why) : DF_OK;
    df_card_close(card);
    return status != DF_OK ? "broken" : verify ? "verified" : "installed";
}

static void print_card(const df_card *card, const char *state, const df_error *why)
{
    printf("%-9s %-22s %-14s %-24s %s\n", state, card->name, card->task ? card->task : "-",
           card->licence ? card->licence : "-",           card->source ? card->source : "");
    if (why->message[0])
        printf("%*s%s\n", 10, "", why->message);
}

static void append_member(df_str *out, const char *key, const char *value)
{
    df_str_printf(out, ", \"%s\": ", key);
    if (value)
        df_json_append_text(out, value);
    else
        df_str_append(out, "null");
}

static void append_card(df_str *out, const df_card *card, const char *state, const df_error *why)
{
    df_str_append(out, out->size > 1 ? ",\n  {\"name\": " : "\n  {\"name\": ");
    df_json_append_text(out, card->name);
    append_member(out, "state", state);
    append_member(out, "task", card->task);
    append_member(out, "decoder", card->decoder);
    append_member(out, "file", card->file);
    append_member(out, "sha256", card->sha256);
    append_member(out, "licence", card->licence);
    append_member(out, "source", card->source);
    if (why->message[0])
        append_member(out, "problem", why->message);
    df_str_append(out, "}");
}

/* A card that can't be read is a line on stderr; the others are listed all the same. */
static df_status list_card(const char *folder, char *file, bool verify, df_str *json, df_error *err)
{
    df_card *card = NULL;
    df_error why = {""};
    file[strlen(file) - 5] = '\0';
    df_status status = df_card_open(&card, folder, file, false, err);
    if (status != DF_OK) {
        fprintf(stderr, "densefusion: %s\n", err->message);
        return status;
    }
    const char *state = state_of(folder, file, verify, &why);
    if (json)
        append_card(json, card, state, &why);
    else
        print_card(card, state, &why);
    df_card_close(card);
    return strcmp(state, "broken") == 0 ? DF_MODEL : DF_OK;
}

static int list_cards(const char *folder, const args *a)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_card, alphasort), code = EXIT_DONE;
    if (n < 0) {
        fprintf(stderr, "densefusion: open %s: %s\n", folder, strerror(errno));
        return EXIT_FAILED;
    }
    bool as_json = (a->given & FLAG_JSON) != 0;
    df_str json = {0};
    df_str_append(&json, "[");
    for (int i = 0; i < n; i++) {
        df_error err = {""};
        if (list_card(folder, entries[i]->d_name, (a->given & FLAG_VERIFY) != 0, as_json ? &json : NULL, &err) != DF_OK)
            code = EXIT_FAILED;
        free(entries[i]);
    }
    free(entries);
    df_str_append(&json, "\n]");
    if (as_json)
        puts(df_str_text(&json));
    df_str_free(&json);
    return code;
}

int cmd_models(const args *a)
{
    static const command self = {.name = "models", .usage = "[--models DIR] [--verify] [--json]"};
    if (a->n_positional)
        return command_usage(&self, "it takes no argument");
    df_config config;
    int code = command_config(&config, a);
    if (code != EXIT_DONE)
        return code;
    char *folder = df_config_models(&config);
    code = folder ? list_cards(folder, a) : EXIT_FAILED;
    free(folder);
    df_config_free(&config);
    return code;
}
