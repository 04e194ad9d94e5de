#include "stage/caption_account.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The most tokens that a known model counts for one picture (gpt-4o-mini, eight tiles), until answers tell better. */
enum { PICTURE_TOKENS_MAX = 50000, ANSWERS_TO_TRUST = 20 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static df_status open_prices(df_caption_account *a, const df_run *run, df_error *err)
{
    char path[PATH_MAX];
    const char *given = a->config->prices;
    snprintf(path, sizeof path, "%s/prices.yaml", run->share ? run->share : ".");
    DF_TRY(df_prices_open(&a->prices, given && *given ? given : path, err));
    a->price = df_prices_find(&a->prices, a->config->model ? a->config->model : "");
    if (a->config->budget > 0 && !a->price)
        return df_fail(err, DF_CONFIG,
                       "caption.budget: no price of \"%.60s\" is known: add it to a copy of %.200s and give that "
                       "by caption.prices",
                       a->config->model ? a->config->model : "", path);
    return DF_OK;
}

df_status df_caption_account_open(df_caption_account *account, const df_dataset *ds, const df_caption_config *config,
                                  const df_run *run, df_error *err)
{
    df_caption_account a = {.config = config};
    df_ledger ledger;
    df_status status = open_prices(&a, run, err);
    if (status == DF_OK)
        status = df_ledger_read(&ledger, ds, &a.prices, err);
    if (status != DF_OK) {
        df_prices_close(&a.prices);
        return status;
    }
    a.spent = a.spent_before = df_ledger_dollars(&ledger);
    a.began_s = now_s();
    df_ledger_close(&ledger);
    pthread_mutex_init(&a.lock, NULL);
    pthread_cond_init(&a.freed, NULL);
    *account = a;
    return DF_OK;
}

void df_caption_account_close(df_caption_account *account)
{
    df_prices_close(&account->prices);
    pthread_cond_destroy(&account->freed);
    pthread_mutex_destroy(&account->lock);
}

/* No token is shorter than a byte. */
static double most(const df_caption_account *a, const df_caption_request *request)
{
    int64_t tokens = (int64_t)strlen(request->prompt);
    for (int i = 0; i < request->n_turns; i++)
        tokens += (int64_t)(strlen(request->turns[i].answer) + strlen(request->turns[i].reply));
    if (request->jpeg || request->image)
        tokens += a->n_answers < ANSWERS_TO_TRUST ? PICTURE_TOKENS_MAX : 2 * a->largest_prompt;
    return df_price_of(a->price, tokens, 0, a->config->max_tokens, false);
}

df_status df_caption_account_hold(df_caption_account *account, const df_caption_request *request, double *held,
                                  df_error *err)
{
    df_caption_account *a = account;
    *held = 0;
    if (a->config->budget <= 0)
        return DF_OK;
    pthread_mutex_lock(&a->lock);
    double wanted;
    while (wanted = most(a, request), a->spent + a->held + wanted > a->config->budget && a->held > 0)
        pthread_cond_wait(&a->freed, &a->lock);
    const double spent = a->spent;
    const bool fits = spent + a->held + wanted <= a->config->budget;
    if (fits)
        a->held += wanted, a->n_held++;
    pthread_mutex_unlock(&a->lock);
    *held = fits ? wanted : 0;
    return fits ? DF_OK
                : df_fail(err, DF_REMOTE,
                          "caption.budget: $%.4f are spent, and one more request can cost $%.4f, of "
                          "$%.4f in all; finished captions are kept, a larger budget goes on from here",
                          spent, wanted, a->config->budget);
}

static double cost_of(const df_caption_account *a, const df_caption *answer)
{
    const df_price *price = answer->model ? df_prices_find(&a->prices, answer->model) : NULL;
    price = price ? price : a->price;
    const int64_t prompt = answer->prompt_tokens > 0 ? answer->prompt_tokens : 0;
    const int64_t completion = answer->completion_tokens > 0 ? answer->completion_tokens : 0;
    return price ? df_price_of(price, prompt, answer->cached_tokens > 0 ? answer->cached_tokens : 0, completion, false)
                 : 0;
}

void df_caption_account_book(df_caption_account *account, double held, const df_caption *answer)
{
    df_caption_account *a = account;
    pthread_mutex_lock(&a->lock);
    a->n_held -= held > 0;
    a->held = a->n_held > 0 ? a->held - held : 0;            /* sums of reals: nothing in flight is nothing */
    pthread_cond_broadcast(&a->freed);
    if (answer) {
        a->n_answers++;
        a->n_retries += answer->attempts > 1 ? answer->attempts - 1 : 0;
        a->prompt_tokens += answer->prompt_tokens > 0 ? answer->prompt_tokens : 0;
        a->completion_tokens += answer->completion_tokens > 0 ? answer->completion_tokens : 0;
        a->largest_prompt = answer->prompt_tokens > a->largest_prompt ? answer->prompt_tokens : a->largest_prompt;
        a->spent += cost_of(a, answer);
    }
    pthread_mutex_unlock(&a->lock);
}

void df_caption_account_judged(df_caption_account *account, bool failed, bool again)
{
    pthread_mutex_lock(&account->lock);
    account->n_failed += failed && !again;
    account->n_again += failed && again;
    pthread_mutex_unlock(&account->lock);
}

void df_caption_account_tell(df_caption_account *account, const df_run *run)
{
    df_caption_account *a = account;
    const double now = now_s();
    df_str text = {0};
    pthread_mutex_lock(&a->lock);
    if (now - a->said_s >= 0.5 && a->n_answers > 0) {
        a->said_s = now;
        df_str_printf(&text, "%.0f tokens/s", (double)a->completion_tokens / (now - a->began_s + 1e-3));
        if (a->price)
            df_str_printf(&text, "  $%.2f", a->spent);
        if (a->config->budget > 0)
            df_str_printf(&text, " of $%.2f", a->config->budget);
        if (a->n_retries)
            df_str_printf(&text, "  %lld retries", (long long)a->n_retries);
        if (a->n_again)
            df_str_printf(&text, "  %lld asked again", (long long)a->n_again);
        if (a->n_failed)
            df_str_printf(&text, "  %lld failed", (long long)a->n_failed);
    }
    pthread_mutex_unlock(&a->lock);
    if (text.size)
        df_run_live(run, df_str_text(&text));
    df_str_free(&text);
}
