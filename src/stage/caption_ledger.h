/* The ledger: what all answers of a dataset took and cost, summed over caption's journals, where every paid answer is a line. */
#ifndef DF_STAGE_CAPTION_LEDGER_H
#define DF_STAGE_CAPTION_LEDGER_H
#include "dataset/dataset.h"
#include "engine/prices.h"

/* The answers of one model, in or out of batch files. */
typedef struct {
    const char *model;
    bool batch;
    int64_t n_answers, n_uncounted; /* of the answers, those whose server gave no usage: their cost is not known */
    int64_t prompt_tokens, cached_tokens, completion_tokens;
    double dollars;                          /* -1: no price is known */
} df_ledger_line;
typedef struct { df_ledger_line *lines; int n; df_arena arena; } df_ledger;

/* Lines by model name. Reads beside a run that appends. Journal lines that are torn or not ours are passed over, as the run
 * itself does. */
df_status df_ledger_read(df_ledger *out, const df_dataset *ds, const df_prices *prices, df_error *err);
void df_ledger_close(df_ledger *ledger);
/* Sum of what is known. */
double df_ledger_dollars(const df_ledger *ledger);
#endif
