#include "engine/openai/prices.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/yaml.h"

enum { ENTRIES_MAX = 1000, TOKENS_MAX = 1 << 24 };

static df_status read_amount(const char *path, const df_yaml_entry *e, double *out, df_error *err)
{
    char *end;
    errno = 0;
    const double v = strtod(e->value, &end);
    if (end == e->value || *end || errno || !isfinite(v) || v < 0)
        return df_fail(err, DF_CONFIG, "%s line %d: %s: \"%.40s\" is no amount of dollars", path,
                       e->line, e->key, e->value);
    *out = v;
    return DF_OK;
}

/* Reads one line of the file of prices. */
static df_status read_entry(df_prices *p, const char *path, const df_yaml_entry *e, df_error *err)
{
    static const char list[] = "prices.";
    char *field = NULL;
    const bool listed = strncmp(e->key, list, sizeof list - 1) == 0;
    const long i = listed ? strtol(e->key + sizeof list - 1, &field, 10) : -1;
    if (i < 0 || i >= ENTRIES_MAX || *field != '.')
        return df_fail(
            err, DF_CONFIG,
            "%s line %d: %s: `prices:` with a list is expected, of model, input, cached, output",
            path, e->line, e->key);
    df_price *price = &p->prices[i];
    p->n = i >= p->n ? (int)i + 1 : p->n;
    field++;
    if (strcmp(field, "model") == 0) {
        price->model = e->value;
        return DF_OK;
    }
    double *amounts[] = {&price->input, &price->cached, &price->output, &price->batch};
    static const char *const names[] = {"input", "cached", "output", "batch"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        if (strcmp(field, names[k]) == 0)
            return read_amount(path, e, amounts[k], err);
    return df_fail(err, DF_CONFIG, "%s line %d: %s: none of model, input, cached, output, batch",
                   path, e->line, field);
}

/* What is left out: no discount. */
static df_status complete(df_price *p, const char *path, int number, df_error *err)
{
    if (!p->model || !*p->model || p->input < 0 || p->output < 0)
        return df_fail(err, DF_CONFIG, "%s: entry %d needs model, input and output", path, number);
    p->cached = p->cached < 0 ? p->input : p->cached;
    p->batch = p->batch < 0 ? 1 : p->batch;
    return DF_OK;
}

df_status df_prices_open(df_prices *out, const char *path, df_error *err)
{
    df_prices p = {0};
    df_yaml_entry *entries;
    int n = 0;
    df_status status = df_yaml_read(path, &p.arena, &entries, &n, err);
    p.prices = df_arena_alloc(&p.arena, ENTRIES_MAX, sizeof *p.prices);
    if (status == DF_OK && !p.prices)
        status = df_no_memory(err, "%s", path);
    for (int i = 0; status == DF_OK && i < ENTRIES_MAX; i++)
        p.prices[i] = (df_price){NULL, -1, -1, -1, -1};
    for (int i = 0; status == DF_OK && i < n; i++)
        status = read_entry(&p, path, &entries[i], err);
    for (int i = 0; status == DF_OK && i < p.n; i++)
        status = complete(&p.prices[i], path, i + 1, err);
    if (status == DF_OK)
        *out = p;
    else
        df_arena_reset(&p.arena);
    return status;
}

void df_prices_close(df_prices *prices)
{
    df_arena_reset(&prices->arena);
    *prices = (df_prices){0};
}

const df_price *df_prices_find(const df_prices *prices, const char *model)
{
    for (int i = 0; i < prices->n; i++) {
        const char *name = prices->prices[i].model;
        const size_t n = strlen(name);
        const bool open = n > 0 && name[n - 1] == '*';
        if (open ? strncmp(model, name, n - 1) == 0 : strcmp(model, name) == 0)
            return &prices->prices[i];
    }
    return NULL;
}

bool df_tokens_credible(int64_t n, int64_t least)
{
    return n >= least && n <= TOKENS_MAX;
}

double df_price_of(const df_price *price, int64_t prompt_tokens, int64_t cached_tokens,
                   int64_t completion_tokens, bool batch)
{
    const int64_t cached = cached_tokens < prompt_tokens ? cached_tokens : prompt_tokens;
    const double dollars = price->input * (double)(prompt_tokens - cached) +
                           price->cached * (double)cached +
                           price->output * (double)completion_tokens;
    return dollars / 1e6 * (batch ? price->batch : 1);
}
