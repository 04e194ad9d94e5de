/* What a run spends: the budget that no request may break, and the counts that are shown while it runs. */
#ifndef DF_STAGE_CAPTION_ACCOUNT_H
#define DF_STAGE_CAPTION_ACCOUNT_H
#include <pthread.h>
#include "engine/prices.h"
#include "stage/caption.h"
#include "stage/caption_ledger.h"
#include "stage/stage.h"

typedef struct {
    pthread_mutex_t lock;                    /* all below */
    pthread_cond_t freed;                    /* held became less */
    const df_caption_config *config;
    df_prices prices;
    const df_price *price;                   /* of caption.model; NULL: not known */
    double spent, held; /* dollars: of the dataset so far; the most that what is in flight can cost */
    int64_t n_held;                          /* requests in flight */
    int64_t largest_prompt;                  /* tokens, of the answers of this run */
    int64_t n_answers, n_again, n_failed, n_retries, prompt_tokens, completion_tokens;       /* of this run */
    double began_s, said_s, spent_before;
} df_caption_account;

/* Reads the prices and what the dataset's journals say was spent. With a budget, DF_CONFIG when nobody knows what the model
 * costs. */
df_status df_caption_account_open(df_caption_account *account, const df_dataset *ds, const df_caption_config *config,
                                  const df_run *run, df_error *err);
void df_caption_account_close(df_caption_account *account);

/* Sets aside the most that one request can cost, waiting for others to end while they hold what it lacks. DF_REMOTE when the
 * budget does not hold it: nothing may be sent. */
df_status df_caption_account_hold(df_caption_account *account, const df_caption_request *request, double *held,
                                  df_error *err);
/* Gives back what was set aside and books the answer; NULL: there was none. */
void df_caption_account_book(df_caption_account *account, double held, const df_caption *answer);
void df_caption_account_judged(df_caption_account *account, bool failed, bool again);
/* Tells the run how things stand, at most twice a second. */
void df_caption_account_tell(df_caption_account *account, const df_run *run);
#endif
