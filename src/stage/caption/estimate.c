#include "stage/caption/estimate.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/secret.h"
#include "stage/caption/record.h"
#include "tables/fuse.h"

/* Where no answer tells yet: English has about 4 bytes a token; a picture of 1024 x 1024 is 765
 * tokens for gpt-4o and 1,369 for Qwen2.5-VL; the paper's captions have 191 words. */
enum { BYTES_PER_TOKEN = 4, PICTURE_TOKENS = 1000, CAPTION_TOKENS = 260, ANSWERS_TO_TRUST = 20 };

typedef struct {
    int64_t n_ask, n_known, prompt_bytes;
    int parts, parts_without_prompts;
} demand;

/* Counts the records of a part that would be asked for, and those that the journal has. */
static df_status count_part(demand *d, const df_caption_work *w, int part, df_error *err)
{
    df_caption_part p = {0};
    df_arena arena = {0};
    char *journal = df_dataset_part_path(w->ds, "caption", part, "journal");
    df_status status = df_caption_part_open(&p, w, part, err);
    if (status == DF_OK && journal && df_file_exists(journal))
        status = df_caption_journal_open(&p.journal, w->ds, part, err);
    free(journal);
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(p.fuse); i++) {
        df_caption known;
        bool found = false;
        if (p.journal)
            status =
                df_caption_journal_find(p.journal, p.records[i].key, &arena, &known, &found, err);
        d->n_known += found;
        d->n_ask += !found;
        if (!found)
            d->prompt_bytes += (int64_t)strlen(df_table_text(p.fuse, i, DF_FUSE_PROMPT));
        df_arena_reset(&arena);
    }
    df_caption_part_close(&p);
    return status;
}

static df_status count_demand(demand *d, const df_caption_work *w, df_error *err)
{
    df_status status = DF_OK;
    const int n_parts = df_dataset_parts(w->ds);
    for (int part = 0; status == DF_OK && part < n_parts; part++) {
        if (!df_run_wants(w->run, part))
            continue;
        d->parts++;
        if (df_dataset_has_part(w->ds, "fuse", part))
            status = count_part(d, w, part, err);
        else
            d->parts_without_prompts++;
    }
    return status;
}

/* Tokens of one request, and of its answer: what this model's answers took on average, else what is
 * reckoned. */
static bool likely_tokens(const df_ledger *ledger, const demand *d, double *prompt,
                          double *completion)
{
    int64_t n = 0, prompts = 0, completions = 0;
    for (int i = 0; i < ledger->n; i++) {
        n += ledger->lines[i].n_answers - ledger->lines[i].n_uncounted;
        prompts += ledger->lines[i].prompt_tokens;
        completions += ledger->lines[i].completion_tokens;
    }
    const bool measured = n >= ANSWERS_TO_TRUST;
    *prompt = measured ? (double)prompts / (double)n
                       : (double)d->prompt_bytes / (double)d->n_ask / (double)BYTES_PER_TOKEN +
                             (double)PICTURE_TOKENS;
    *completion = measured ? (double)completions / (double)n : (double)CAPTION_TOKENS;
    return measured;
}

/* Prints what the captions are likely to cost, and the most that they can cost. */
static void print_tokens(const df_caption_work *w, const demand *d, const df_prices *prices,
                         const df_ledger *ledger, df_str *out)
{
    const df_caption_config *k = w->config;
    const char *model = k->shared.model && *k->shared.model ? k->shared.model : "default";
    const df_price *price = df_prices_find(prices, model);
    double prompt, completion;
    const bool measured = likely_tokens(ledger, d, &prompt, &completion);
    const int64_t n = d->n_ask, times = k->ask_again + 1;
    df_str_printf(out, "  likely    %lld prompt tokens, %lld of captions",
                  (long long)(prompt * (double)n), (long long)(completion * (double)n));
    if (price)
        df_str_printf(out, ": $%.2f",
                      df_price_of(price, (int64_t)(prompt * (double)n), 0,
                                  (int64_t)(completion * (double)n), false));
    df_str_printf(out, "\n  at most   %lld of captions (caption.max_tokens%s)",
                  (long long)(k->shared.max_tokens * n * times),
                  times > 1 ? ", each asked again" : "");
    if (price)
        df_str_printf(out, ": $%.2f",
                      df_price_of(price, (int64_t)(prompt * (double)(n * times)), 0,
                                  k->shared.max_tokens * n * times, false));
    df_str_append(
        out, measured ? "\n  from what the answers so far took on average\n"
                      : "\n  reckoned: 4 bytes a token, 1000 tokens a picture, 260 a caption\n");
    if (!price)
        df_str_printf(out,
                      "  no price of %s is known: add it to a copy of share/prices.yaml, and give "
                      "that by caption.prices\n",
                      model);
    df_str_printf(out, "  spent     $%.4f so far\n", df_ledger_dollars(ledger));
}

/* Several servers have commas between; what may be a key is not shown. */
static void print_servers(const char *urls, df_str *out)
{
    static const char between[] = ", \t\r\n";
    const char *comma = "";
    for (const char *at = urls ? urls : "?"; *(at += strspn(at, between));
         at += strcspn(at, between)) {
        char shown[DF_URL_SHOWN];
        df_url_show(at, strcspn(at, between), shown);
        df_str_printf(out, "%s%s", comma, shown);
        comma = ",";
    }
}

/* Prints how many captions would be asked for, of which server, at what price. */
static df_status print_demand(const df_caption_work *w, const demand *d, df_str *out, df_error *err)
{
    df_caption_account account;
    df_ledger ledger;
    const df_caption_config *k = w->config;
    df_str_printf(out, "  %lld images of %s at ", (long long)d->n_ask,
                  k->shared.model && *k->shared.model ? k->shared.model : "the server's own model");
    print_servers(df_caption_openai(k)->url, out);
    df_str_printf(out, "; the journals have %lld more\n", (long long)d->n_known);
    if (d->parts_without_prompts)
        df_str_printf(
            out,
            "  and those of %d of %d parts that have no prompts yet: run it with --to=fuse first\n",
            d->parts_without_prompts, d->parts);
    if (d->n_ask == 0)
        return DF_OK;
    DF_TRY(df_caption_account_open(&account, w->ds, k, w->run, err));
    df_status status = df_ledger_read(&ledger, w->ds, &account.prices, err);
    if (status == DF_OK) {
        print_tokens(w, d, &account.prices, &ledger, out);
        df_ledger_close(&ledger);
    }
    df_caption_account_close(&account);
    return status;
}

df_status df_caption_estimate(df_dataset *ds, const void *config, const df_run *run, df_str *out,
                              df_error *err)
{
    const df_caption_config *k = config;
    demand d = {0};
    df_engine engine = {.ops = df_engine_settings_ops(&k->engines, k->engine)};
    if (engine.ops != &df_engine_openai)
        return DF_OK;
    const df_caption_work w = {
        .ds = ds, .config = k, .run = run, .ops = engine.ops, .engine = &engine};
    DF_TRY(count_demand(&d, &w, err));
    if (d.parts == 0) {
        df_str_append(out, "  nothing is known yet: run it with --to=fuse first\n");
        return DF_OK;
    }
    return print_demand(&w, &d, out, err);
}
