/* The ledger: what all requests of a dataset took and cost, summed over caption's journals, where
 * every request is a line before it is sent, and every answer another. What a server did not tell,
 * or not credibly, counts as the most it can have been. */
#ifndef DF_STAGE_CAPTION_LEDGER_H
#define DF_STAGE_CAPTION_LEDGER_H
#include "dataset/dataset.h"
#include "engine/openai/prices.h"

/* One answer. */
typedef struct {
    /* the model that was asked for; the name in the answer; "": unknown */
    const char *asked, *model;
    bool batch, has_text;
    /* as the server counted them; -1: it did not */
    int64_t prompt_tokens, cached_tokens, completion_tokens;
    df_tokens most; /* that its request could take; -1: nobody noted it */
} df_bill;
/* Dollars, at the dearer of the two names' prices; -1: neither has one. */
double df_bill_dollars(const df_bill *bill, const df_prices *prices);

/* What was asked of one model and answered in one name, in or out of batch files. */
typedef struct {
    const char *asked, *model;
    bool batch;
    int64_t n_answers, n_uncounted; /* of the answers, those without a credible count of tokens */
    /* requests without an answer: cut off, spoilt, or on their way */
    int64_t n_lost;
    df_tokens lost; /* the most that those can have taken */
    int64_t prompt_tokens, cached_tokens, completion_tokens; /* that were counted */
    /* answers and lost requests whose price nobody knows */
    int64_t n_unpriced;
    double dollars; /* -1: no price is known */
} df_ledger_line;
typedef struct {
    df_ledger_line *lines;
    int n;
    df_arena arena;
} df_ledger;

/* Lines by model name. Reads beside a run that appends. Journal lines that are torn or not ours are
 * passed over, as the run itself does. */
df_status df_ledger_read(df_ledger *out, const df_dataset *ds, const df_prices *prices,
                         df_error *err);
void df_ledger_close(df_ledger *ledger);
/* Sum of what is known. */
double df_ledger_dollars(const df_ledger *ledger);
int64_t df_ledger_answers(const df_ledger *ledger);
#endif
