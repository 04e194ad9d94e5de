/* What a run spends: the budget that no request may break, and the counts that are shown while it
 * runs. */
#ifndef DF_STAGE_CAPTION_ACCOUNT_H
#define DF_STAGE_CAPTION_ACCOUNT_H
#include <pthread.h>
#include "engine/openai/prices.h"
#include "stage/caption/caption.h"
#include "stage/caption/ledger.h"
#include "stage/stage.h"

typedef struct {
    pthread_mutex_t lock;                    /* all below */
    pthread_cond_t freed;                    /* held became less */
    const df_caption_config *config;
    df_prices prices;
    /* of caption.model, or the dearer one in whose name it was answered; NULL: not known */
    const df_price *price;
    /* dollars: of the dataset so far; the most that what is in flight can cost */
    double spent, held;
    int64_t n_held;                          /* requests in flight */
    /* of a picture, and of an answer; more when a server counted more */
    df_tokens most;
    int64_t n_answers, n_again, n_failed, n_retries, completion_tokens;      /* of this run */
    int64_t n_answers_before;                /* of all runs before */
    double began_s, said_s;
} df_caption_account;

/* Reads the prices and what the dataset's journals say was spent. With a budget, DF_CONFIG when
 * nobody knows what the model costs, or how long an answer can be. */
df_status df_caption_account_open(df_caption_account *account, const df_dataset *ds,
                                  const df_caption_config *config, const df_run *run,
                                  df_error *err);
void df_caption_account_close(df_caption_account *account);

/* The most tokens that a request and its answer can take: no token is shorter than a byte. */
df_tokens df_caption_account_most(df_caption_account *account, const df_caption_request *request);
/* Sets aside the most that one request can cost, waiting for others to end while they hold what it
 * lacks. DF_REMOTE when the budget does not hold it: nothing may be sent. */
df_status df_caption_account_hold(df_caption_account *account, df_tokens most, double *held,
                                  df_error *err);
/* Gives back what was set aside for a request that cost nothing. */
void df_caption_account_release(df_caption_account *account, double held);
/* The same for one that was sent: without a usable answer it cost the most it can have. */
void df_caption_account_lose(df_caption_account *account, double held, df_tokens most);
void df_caption_account_book(df_caption_account *account, double held, const df_caption *answer,
                             df_tokens most);
void df_caption_account_judged(df_caption_account *account, bool failed, bool again);
/* of this run so far */
int64_t df_caption_account_answers(df_caption_account *account);
/* Tells the run how things stand, at most twice a second. */
void df_caption_account_tell(df_caption_account *account, const df_run *run);
#endif
