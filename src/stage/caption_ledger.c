#include "stage/caption_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/json.h"
#include "io/lines.h"

enum { MODELS_MAX = 256 };

static df_ledger_line *line_of(df_ledger *ledger, const char *model, bool batch)
{
    for (int i = 0; i < ledger->n; i++)
        if (ledger->lines[i].batch == batch && strcmp(ledger->lines[i].model, model) == 0)
            return &ledger->lines[i];
    const char *name = ledger->n < MODELS_MAX ? df_arena_strdup(&ledger->arena, model) : NULL;
    if (!name)
        return NULL;
    ledger->lines[ledger->n] = (df_ledger_line){.model = name, .batch = batch};
    return &ledger->lines[ledger->n++];
}

static df_status add_answer(df_ledger *ledger, const df_json *answer, df_error *err)
{
    const char *model = df_json_text(df_json_member(answer, "model"));
    df_ledger_line *line = line_of(ledger, model ? model : "", df_json_bool(df_json_member(answer, "batch"), false));
    if (!line)
        return df_fail(err, DF_FORMAT, "caption: more than %d names of models in the journals", MODELS_MAX);
    const int64_t prompt = df_json_int(df_json_member(answer, "prompt_tokens"), -1);
    const int64_t completion = df_json_int(df_json_member(answer, "completion_tokens"), -1);
    const int64_t cached = df_json_int(df_json_member(answer, "cached_tokens"), 0);
    line->n_answers++;
    line->n_uncounted += prompt < 0 || completion < 0;
    line->prompt_tokens += prompt > 0 ? prompt : 0;
    line->completion_tokens += completion > 0 ? completion : 0;
    line->cached_tokens += cached > 0 ? cached : 0;
    return DF_OK;
}

static df_status read_journal(df_ledger *ledger, const char *path, df_error *err)
{
    df_lines *lines;
    const char *line, *broken;
    int64_t number;
    DF_TRY(df_lines_open(&lines, path, err));
    df_status status;
    while ((status = df_lines_next(lines, &line, &number, &broken, err)) == DF_OK && line) {
        df_json *answer = NULL;
        if (broken || df_json_parse(&answer, line, strlen(line), "journal", NULL) != DF_OK)
            continue;
        if (df_json_text(df_json_member(answer, "key")))
            status = add_answer(ledger, answer, err);
        df_json_close(answer);
        if (status != DF_OK)
            break;
    }
    df_lines_close(lines);
    return status;
}

static int by_model(const void *a, const void *b)
{
    const df_ledger_line *x = a, *y = b;
    const int names = strcmp(x->model, y->model);
    return names ? names : x->batch - y->batch;
}

static void price_lines(df_ledger *ledger, const df_prices *prices)
{
    for (int i = 0; i < ledger->n; i++) {
        df_ledger_line *l = &ledger->lines[i];
        const df_price *price = df_prices_find(prices, l->model);
        l->dollars =
            price ? df_price_of(price, l->prompt_tokens, l->cached_tokens, l->completion_tokens, l->batch) : -1;
    }
    qsort(ledger->lines, (size_t)ledger->n, sizeof *ledger->lines, by_model);
}

df_status df_ledger_read(df_ledger *out, const df_dataset *ds, const df_prices *prices, df_error *err)
{
    df_ledger ledger = {0};
    ledger.lines = df_arena_alloc(&ledger.arena, MODELS_MAX, sizeof *ledger.lines);
    df_status status = ledger.lines ? DF_OK : df_fail(err, DF_NOMEM, "ledger: out of memory");
    for (int part = 0; status == DF_OK && part < df_dataset_parts(ds); part++) {
        char *path = df_dataset_part_path(ds, "caption", part, "journal");
        if (!path)
            status = df_fail(err, DF_NOMEM, "ledger: out of memory");
        else if (df_file_exists(path))
            status = read_journal(&ledger, path, err);
        free(path);
    }
    if (status == DF_OK) {
        price_lines(&ledger, prices);
        *out = ledger;
    } else {
        df_arena_reset(&ledger.arena);
    }
    return status;
}

void df_ledger_close(df_ledger *ledger)
{
    df_arena_reset(&ledger->arena);
    *ledger = (df_ledger){0};
}

double df_ledger_dollars(const df_ledger *ledger)
{
    double sum = 0;
    for (int i = 0; i < ledger->n; i++)
        sum += ledger->lines[i].dollars > 0 ? ledger->lines[i].dollars : 0;
    return sum;
}
