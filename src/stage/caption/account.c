#include "stage/caption/account.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "io/json.h"

/* The most tokens that a known model counts for one picture (gpt-4o-mini, eight tiles); the most
 * that caption.max_tokens allows. */
enum { PICTURE_TOKENS_MAX = 50000, ANSWER_TOKENS_MAX = 32768 };

static const char *model_of(const df_caption_config *k)
{
    return k->shared.model ? k->shared.model : "";
}

/* What the requests of the engine have besides; NULL: nothing. */
static const char *extra_of(const df_caption_config *k)
{
    return strcmp(k->engine, df_engine_openai.name) == 0 ? df_caption_openai(k)->extra : NULL;
}

static df_status open_prices(df_caption_account *a, const df_run *run, df_error *err)
{
    char path[PATH_MAX];
    const char *given = a->config->prices;
    snprintf(path, sizeof path, "%s/prices.yaml", run->share ? run->share : ".");
    DF_TRY(df_prices_open(&a->prices, given && *given ? given : path, err));
    a->price = df_prices_find(&a->prices, model_of(a->config));
    if (a->config->budget > 0 && !a->price)
        return df_fail(err, DF_CONFIG,
                       "caption.budget: no price of \"%.60s\" is known: add it to a copy of %.200s "
                       "and give that "
                       "by caption.prices",
                       model_of(a->config), path);
    return DF_OK;
}

/* A server that answers in the name of a dearer model may do so again. */
static void learn_price(df_caption_account *a, const char *model)
{
    enum { PROMPT = 1000, ANSWER = 250 };
    const df_price *named = a->price ? df_prices_find(&a->prices, model) : NULL;
    if (named && df_price_of(named, PROMPT, 0, ANSWER, false) >
                     df_price_of(a->price, PROMPT, 0, ANSWER, false))
        a->price = named;
}

/* The longest answer that is asked for, where caption.openai.extra has the last word. */
static df_status find_longest_answer(const df_caption_config *k, int64_t *tokens, df_error *err)
{
    static const char *const names[] = {"max_tokens", "max_completion_tokens"};
    const char *text = extra_of(k);
    df_json *extra = NULL;
    if (text && *text &&
        df_json_parse(&extra, text, strlen(text), "caption.openai.extra", NULL) != DF_OK)
        return df_fail(err, DF_CONFIG, "caption.openai.extra: must be a JSON object");
    *tokens = df_json_member(extra, names[0]) ? 0 : k->shared.max_tokens;
    for (int i = 0; i < 2; i++) {
        const int64_t n = df_json_int(df_json_member(extra, names[i]), 0);
        *tokens = n > *tokens ? n : *tokens;
    }
    df_json_close(extra);
    if (*tokens <= 0 && k->budget > 0)
        return df_fail(
            err, DF_CONFIG,
            "caption.budget: caption.openai.extra takes max_tokens out, so an answer can cost "
            "any amount: set "
            "max_completion_tokens there");
    *tokens = *tokens > 0 ? *tokens : ANSWER_TOKENS_MAX;
    return DF_OK;
}

df_status df_caption_account_open(df_caption_account *account, const df_dataset *ds,
                                  const df_caption_config *config, const df_run *run, df_error *err)
{
    df_caption_account a = {.config = config, .most = {.prompt = PICTURE_TOKENS_MAX}};
    df_ledger ledger;
    df_status status = open_prices(&a, run, err);
    if (status == DF_OK)
        status = find_longest_answer(config, &a.most.completion, err);
    if (status == DF_OK)
        status = df_ledger_read(&ledger, ds, &a.prices, err);
    if (status != DF_OK) {
        df_prices_close(&a.prices);
        return status;
    }
    a.spent = df_ledger_dollars(&ledger);
    for (int i = 0; i < ledger.n; i++)
        if (a.price && strcmp(ledger.lines[i].asked, model_of(config)) == 0)
            learn_price(&a, ledger.lines[i].model);
    a.n_answers_before = df_ledger_answers(&ledger);
    a.began_s = df_now_s();
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

df_tokens df_caption_account_most(df_caption_account *account, const df_caption_request *request)
{
    const char *extra = extra_of(account->config);
    int64_t tokens = (int64_t)(strlen(request->prompt) + (extra ? strlen(extra) : 0));
    for (int i = 0; i < request->n_turns; i++)
        tokens += (int64_t)(strlen(request->turns[i].answer) + strlen(request->turns[i].reply));
    pthread_mutex_lock(&account->lock);
    tokens += request->jpeg || request->image ? account->most.prompt : 0;
    const df_tokens most = {tokens, account->most.completion};
    pthread_mutex_unlock(&account->lock);
    return most;
}

df_status df_caption_account_hold(df_caption_account *account, df_tokens most, double *held,
                                  df_error *err)
{
    df_caption_account *a = account;
    *held = 0;
    if (a->config->budget <= 0)
        return DF_OK;
    pthread_mutex_lock(&a->lock);
    double wanted;
    while (wanted = df_price_of(a->price, most.prompt, 0, most.completion, false),
           a->spent + a->held + wanted > a->config->budget && a->held > 0)
        pthread_cond_wait(&a->freed, &a->lock);
    const double spent = a->spent;
    const bool fits = spent + a->held + wanted <= a->config->budget;
    if (fits)
        a->held += wanted, a->n_held++;
    pthread_mutex_unlock(&a->lock);
    *held = fits ? wanted : 0;
    return fits ? DF_OK
                : df_fail(
                      err, DF_REMOTE,
                      "caption.budget: $%.4f are spent, and one more request can cost $%.4f, of "
                      "$%.4f in all; finished captions are kept, a larger budget goes on from here",
                      spent, wanted, a->config->budget);
}

static double cost_of(const df_caption_account *a, const df_caption *answer, df_tokens most)
{
    const char *asked = model_of(a->config);
    const df_bill bill = {.asked = asked,
                          .model = answer->model ? answer->model : asked,
                          .has_text = answer->text != NULL,
                          .prompt_tokens = answer->prompt_tokens,
                          .cached_tokens = answer->cached_tokens,
                          .completion_tokens = answer->completion_tokens,
                          .most = most};
    return df_bill_dollars(&bill, &a->prices);
}

static void settle(df_caption_account *a, double held, double dollars)
{
    a->n_held -= held > 0;
    /* sums of reals: nothing in flight is nothing */
    a->held = a->n_held > 0 ? a->held - held : 0;
    a->spent += dollars > 0 ? dollars : 0;
    pthread_cond_broadcast(&a->freed);
}

void df_caption_account_release(df_caption_account *account, double held)
{
    pthread_mutex_lock(&account->lock);
    settle(account, held, 0);
    pthread_mutex_unlock(&account->lock);
}

void df_caption_account_lose(df_caption_account *account, double held, df_tokens most)
{
    const df_caption nothing = {.prompt_tokens = -1, .completion_tokens = -1};
    pthread_mutex_lock(&account->lock);
    settle(account, held, cost_of(account, &nothing, most));
    pthread_mutex_unlock(&account->lock);
}

void df_caption_account_book(df_caption_account *account, double held, const df_caption *answer,
                             df_tokens most)
{
    df_caption_account *a = account;
    const int64_t more = answer->prompt_tokens - most.prompt;
    pthread_mutex_lock(&a->lock);
    a->n_answers++;
    a->n_retries += answer->attempts > 1 ? answer->attempts - 1 : 0;
    a->completion_tokens += answer->completion_tokens > 0 ? answer->completion_tokens : 0;
    if (answer->completion_tokens > a->most.completion)
        a->most.completion = answer->completion_tokens;
    a->most.prompt += more > 0 ? more : 0;
    learn_price(a, answer->model ? answer->model : "");
    settle(a, held, cost_of(a, answer, most));
    pthread_mutex_unlock(&a->lock);
}

int64_t df_caption_account_answers(df_caption_account *account)
{
    pthread_mutex_lock(&account->lock);
    const int64_t n = account->n_answers;
    pthread_mutex_unlock(&account->lock);
    return n;
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
    const double now = df_now_s();
    df_str text = {0};
    pthread_mutex_lock(&a->lock);
    if (now - a->said_s >= 0.5 && a->n_answers > 0) {
        a->said_s = now;
        df_str_printf(&text, "%.0f tokens/s",
                      (double)a->completion_tokens / (now - a->began_s + 1e-3));
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
