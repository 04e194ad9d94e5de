/* densefusion cost: tokens and dollars of all captions that servers wrote, from the journals. */
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "command.h"
#include "io/json_writer.h"
#include "put.h"
#include "stage/caption/ledger.h"

typedef struct {
    char *prices;
} cost_config;
const df_option cmd_cost_options[] = {
    {"prices", DF_OPT_TEXT, offsetof(cost_config, prices), NULL, 0, 0,
     "YAML file of prices per million tokens; else the one that is installed (share/prices.yaml)"},
    {0},
};

static void put_model(df_json_writer *w, const df_ledger_line *l)
{
    df_json_begin_object(w, NULL);
    df_json_put_text(w, "model", l->model);
    df_json_put_text(w, "asked", l->asked);
    df_json_put_bool(w, "batch", l->batch);
    df_json_put_int(w, "answers", l->n_answers);
    df_json_put_int(w, "answers_without_usage", l->n_uncounted);
    df_json_put_int(w, "requests_without_answer", l->n_lost);
    df_json_put_int(w, "prompt_tokens", l->prompt_tokens);
    df_json_put_int(w, "cached_tokens", l->cached_tokens);
    df_json_put_int(w, "completion_tokens", l->completion_tokens);
    df_json_put_real(w, "dollars", l->dollars < 0 ? (double)NAN : l->dollars);
    df_json_end(w);
}

/* Prints the ledger as JSON. */
static df_status print_ledger_json(const df_ledger *ledger, df_error *err)
{
    df_str out = {0};
    df_json_writer w = {.out = &out, .lines = 2};
    df_json_begin_object(&w, NULL);
    df_json_begin_list(&w, "models");
    for (int i = 0; i < ledger->n; i++)
        put_model(&w, &ledger->lines[i]);
    df_json_end(&w);
    df_json_put_real(&w, "dollars", df_ledger_dollars(ledger));
    df_json_end(&w);
    return put_json(&out, err);
}

static void print_line(const df_ledger_line *l)
{
    char model[64], name[80], dollars[32];
    df_printable(l->model, strlen(l->model), model, sizeof model);
    snprintf(name, sizeof name, "%s%s", model, l->batch ? " (batch)" : "");
    snprintf(dollars, sizeof dollars, l->dollars < 0 ? "unknown" : "%.4f", l->dollars);
    printf("%-32s %10lld %13lld %13lld %13lld %12s\n", name, (long long)l->n_answers,
           (long long)l->prompt_tokens, (long long)l->cached_tokens,
           (long long)l->completion_tokens, dollars);
}

/* Prints a line a model, the sum, and what the sum does not know. */
static void print_ledger(const df_ledger *ledger, const char *prices)
{
    int64_t uncounted = 0, lost = 0;
    bool unknown = false;
    printf("%-32s %10s %13s %13s %13s %12s\n", "model", "answers", "prompt", "of it cached",
           "completion", "dollars");
    for (int i = 0; i < ledger->n; i++) {
        print_line(&ledger->lines[i]);
        uncounted += ledger->lines[i].n_uncounted;
        lost += ledger->lines[i].n_lost;
        unknown |= ledger->lines[i].dollars < 0;
    }
    printf("%-32s %65.4f\n", "all that is known", df_ledger_dollars(ledger));
    if (unknown)
        put_line(stdout, "unknown: no entry of %s matches the name; give yours by --prices",
                 prices);
    if (uncounted)
        printf("%lld answers came without a count of tokens that can be right: their dollars are "
               "the most that they can "
               "have cost\n",
               (long long)uncounted);
    if (lost)
        printf("%lld requests have no answer that can be used: their dollars are the most that "
               "they can have cost\n",
               (long long)lost);
}

/* Prices the journals, by the user's file or else by that of this build. */
static df_status show_cost(const df_dataset *ds, const args *a, const cost_config *config,
                           df_error *err)
{
    char path[PATH_MAX];
    df_config run;
    df_prices prices;
    df_ledger ledger;
    DF_TRY(df_config_init(&run, df_stages, err));
    DF_TRY(df_path(path, err, "%s/prices.yaml", df_config_share(&run)));
    const char *file = config->prices ? config->prices : path;
    df_status status = df_prices_open(&prices, file, err);
    if (status == DF_OK) {
        status = df_ledger_read(&ledger, ds, &prices, err);
        if (status == DF_OK && a->given & FLAG_JSON)
            status = print_ledger_json(&ledger, err);
        else if (status == DF_OK)
            print_ledger(&ledger, file);
        if (status == DF_OK)
            df_ledger_close(&ledger);
        df_prices_close(&prices);
    }
    df_config_free(&run);
    return status;
}

int cmd_cost(const command *self, const args *a)
{
    if (a->n_positional != 1)
        return command_usage(self, "one dataset folder is needed");
    cost_config config = {0};
    df_dataset *ds = NULL;
    df_error err = {""};
    df_status status = command_own_settings(a, "cost", cmd_cost_options, &config, &err);
    if (status == DF_OK)
        status = df_dataset_open(&ds, a->positional[0], &err);
    if (status == DF_OK)
        status = show_cost(ds, a, &config, &err);
    df_dataset_close(ds);
    df_options_free(cmd_cost_options, &config);
    return command_failed(status, &err);
}
