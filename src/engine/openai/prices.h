/* What tokens cost: a table that the user can edit (share/prices.yaml). */
#ifndef DF_ENGINE_OPENAI_PRICES_H
#define DF_ENGINE_OPENAI_PRICES_H
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

typedef struct {
    const char *model;                       /* a name; a * at its end stands for any ending */
    double input, cached, output;            /* dollars per million tokens */
    double batch;                            /* factor of all three in a batch file */
} df_price;
typedef struct {
    df_price *prices;
    int n;
    df_arena arena;
} df_prices;
typedef struct {
    int64_t prompt, completion;
} df_tokens;    /* of one request and its answer */

/* DF_CONFIG names the file, the entry and the field. */
df_status df_prices_open(df_prices *out, const char *path, df_error *err);
void df_prices_close(df_prices *prices);
/* NULL: nobody knows what it costs */
const df_price *df_prices_find(const df_prices *prices, const char *model);
/* Whether a server's count of the tokens of one request can be right: not below least, and less
 * than any model takes. */
bool df_tokens_credible(int64_t n, int64_t least);
/* Dollars. cached of the prompt's tokens came out of the server's cache. */
double df_price_of(const df_price *price, int64_t prompt_tokens, int64_t cached_tokens,
                   int64_t completion_tokens, bool batch);
#endif
