#include "stage/caption/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/json.h"
#include "io/lines.h"

/* Servers choose the names in their answers: beyond so many lines all others are one. */
enum { NAMES_MAX = 256, LINES_MAX = 1024 };
static const char others[] = "(other names)";
/* The most tokens of an answer whose request nobody noted: a picture and a long prompt; the most
 * that caption.max_tokens allows. */
enum { PROMPT_TOKENS_MAX = 65536, ANSWER_TOKENS_MAX = 32768 };

/* ---- one answer ---- */

static double dearer(const df_bill *bill, const df_prices *prices, df_tokens tokens, int64_t cached)
{
    const char *const names[] = {bill->asked, bill->model};
    double most = -1;
    for (int i = 0; i < 2; i++) {
        const df_price *price = df_prices_find(prices, names[i] ? names[i] : "");
        const double dollars =
            price ? df_price_of(price, tokens.prompt, cached, tokens.completion, bill->batch) : -1;
        most = dollars > most ? dollars : most;
    }
    return most;
}

double df_bill_dollars(const df_bill *bill, const df_prices *prices)
{
    const bool prompt_told = df_tokens_credible(bill->prompt_tokens, 1);
    const bool completion_told =
        df_tokens_credible(bill->completion_tokens, bill->has_text ? 1 : 0);
    const df_tokens most = {bill->most.prompt > 0 ? bill->most.prompt : PROMPT_TOKENS_MAX,
                            bill->most.completion > 0 ? bill->most.completion : ANSWER_TOKENS_MAX};
    const df_tokens tokens = {prompt_told ? bill->prompt_tokens : most.prompt,
                              completion_told ? bill->completion_tokens : most.completion};
    const bool cached =
        prompt_told && bill->cached_tokens > 0 && bill->cached_tokens <= bill->prompt_tokens;
    return dearer(bill, prices, tokens, cached ? bill->cached_tokens : 0);
}

/* ---- the sum ---- */

static df_ledger_line *find_line(df_ledger *ledger, const df_bill *bill, const char *model)
{
    for (int i = 0; i < ledger->n; i++) {
        df_ledger_line *l = &ledger->lines[i];
        if (l->batch == bill->batch && strcmp(l->model, model) == 0 &&
            strcmp(l->asked, bill->asked) == 0)
            return l;
    }
    return NULL;
}

/* NULL: out of memory. */
static df_ledger_line *line_of(df_ledger *ledger, const df_bill *bill)
{
    const bool theirs = strcmp(bill->model, bill->asked) != 0;
    df_ledger_line *found = find_line(ledger, bill, bill->model);
    const char *name = theirs && ledger->n >= NAMES_MAX ? others : bill->model;
    found = found ? found : find_line(ledger, bill, name);
    if (found || ledger->n == LINES_MAX)
        return found;
    const char *model = df_arena_strdup(&ledger->arena, name),
               *asked = df_arena_strdup(&ledger->arena, bill->asked);
    if (!model || !asked)
        return NULL;
    ledger->lines[ledger->n] =
        (df_ledger_line){.asked = asked, .model = model, .batch = bill->batch};
    return &ledger->lines[ledger->n++];
}

static void add_dollars(df_ledger_line *line, double dollars, int64_t n)
{
    line->dollars += dollars > 0 ? dollars : 0;
    line->n_unpriced += dollars < 0 ? n : 0;
}

static void add_answer(df_ledger_line *line, const df_bill *bill, const df_prices *prices)
{
    const bool prompt_told = df_tokens_credible(bill->prompt_tokens, 1);
    const bool completion_told =
        df_tokens_credible(bill->completion_tokens, bill->has_text ? 1 : 0);
    const bool cached =
        prompt_told && bill->cached_tokens > 0 && bill->cached_tokens <= bill->prompt_tokens;
    line->n_answers++;
    line->n_uncounted += !prompt_told || !completion_told;
    line->prompt_tokens += prompt_told ? bill->prompt_tokens : 0;
    line->completion_tokens += completion_told ? bill->completion_tokens : 0;
    line->cached_tokens += cached ? bill->cached_tokens : 0;
    add_dollars(line, df_bill_dollars(bill, prices), 1);
}

/* n: 1 when a request is sent, -1 when it is answered or refused. False: out of memory. */
static bool add_lost(df_ledger *ledger, const df_bill *bill, int n)
{
    const df_bill request = {.asked = bill->asked, .model = bill->asked, .most = bill->most};
    df_ledger_line *line = bill->most.prompt > 0 ? line_of(ledger, &request) : NULL;
    if (!line)
        /* a batch file, or an older journal: nobody noted it */
        return bill->most.prompt <= 0;
    line->n_lost += n;
    line->lost.prompt += n * bill->most.prompt;
    line->lost.completion += n * bill->most.completion;
    return true;
}

static const char *name_of(const df_json *root, const char *key)
{
    const char *text = df_json_text(df_json_member(root, key));
    return text ? text : "";
}

/* An answer, a request that is sent, or one that was refused; false: out of memory. */
static bool add_entry(df_ledger *ledger, const df_json *root, const df_prices *prices)
{
    const df_bill bill = {.asked = name_of(root, "asked"),
                          .model = name_of(root, "model"),
                          .batch = df_json_bool(df_json_member(root, "batch"), false),
                          .has_text = df_json_text(df_json_member(root, "caption")) != NULL,
                          .prompt_tokens = df_json_int(df_json_member(root, "prompt_tokens"), -1),
                          .cached_tokens = df_json_int(df_json_member(root, "cached_tokens"), 0),
                          .completion_tokens =
                              df_json_int(df_json_member(root, "completion_tokens"), -1),
                          .most = {df_json_int(df_json_member(root, "most_prompt"), -1),
                                   df_json_int(df_json_member(root, "most_completion"), -1)}};
    if (df_json_text(df_json_member(root, "sent")))
        return add_lost(ledger, &bill, 1);
    if (df_json_text(df_json_member(root, "refused")))
        return add_lost(ledger, &bill, -1);
    if (!df_json_text(df_json_member(root, "key")))
        return true;
    df_ledger_line *line = line_of(ledger, &bill);
    if (line)
        add_answer(line, &bill, prices);
    return line && add_lost(ledger, &bill, -1);
}

/* Adds up the lines of a journal; a broken line costs nothing. */
static df_status read_lines(df_ledger *ledger, df_lines *lines, const df_prices *prices,
                            df_error *err)
{
    const char *line, *broken;
    int64_t number;
    df_status status;
    while ((status = df_lines_next(lines, &line, &number, &broken, err)) == DF_OK && line) {
        df_json *root = NULL;
        const df_status parsed =
            broken ? DF_FORMAT : df_json_parse(&root, line, strlen(line), "journal", NULL);
        const bool kept = parsed == DF_OK ? add_entry(ledger, root, prices) : parsed == DF_FORMAT;
        df_json_close(root);
        if (!kept)
            return df_no_memory(err, "ledger");
    }
    return status;
}

static df_status read_journal(df_ledger *ledger, const char *path, const df_prices *prices,
                              df_error *err)
{
    df_lines *lines;
    bool found;
    DF_TRY(df_file_find(path, &found, err));
    if (!found)
        return DF_OK;
    DF_TRY(df_lines_open(&lines, path, err));
    df_status status = read_lines(ledger, lines, prices, err);
    df_lines_close(lines);
    return status;
}

static int by_model(const void *a, const void *b)
{
    const df_ledger_line *x = a, *y = b;
    const int names = strcmp(x->model, y->model);
    return names ? names : x->batch != y->batch ? x->batch - y->batch : strcmp(x->asked, y->asked);
}

/* Books what is lost. Lines of requests that were all answered say nothing. */
static void tidy(df_ledger *ledger, const df_prices *prices)
{
    int n = 0;
    for (int i = 0; i < ledger->n; i++) {
        df_ledger_line *l = &ledger->lines[i];
        const df_bill lost = {.asked = l->asked, .model = l->asked};
        if (l->n_lost > 0)
            add_dollars(l, dearer(&lost, prices, l->lost, 0), l->n_lost);
        l->dollars =
            l->n_unpriced > 0 && l->n_unpriced == l->n_answers + l->n_lost ? -1 : l->dollars;
        if (l->n_answers > 0 || l->n_lost > 0)
            ledger->lines[n++] = *l;
    }
    ledger->n = n;
    qsort(ledger->lines, (size_t)n, sizeof *ledger->lines, by_model);
}

df_status df_ledger_read(df_ledger *out, const df_dataset *ds, const df_prices *prices,
                         df_error *err)
{
    df_ledger ledger = {0};
    const int n_parts = df_dataset_parts(ds);
    ledger.lines = df_arena_alloc(&ledger.arena, LINES_MAX, sizeof *ledger.lines);
    df_status status = ledger.lines ? DF_OK : df_no_memory(err, "ledger");
    for (int part = 0; status == DF_OK && part < n_parts; part++) {
        char *path = df_dataset_part_path(ds, "caption", part, "journal");
        status = path ? read_journal(&ledger, path, prices, err) : df_no_memory(err, "ledger");
        free(path);
    }
    if (status == DF_OK) {
        tidy(&ledger, prices);
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

int64_t df_ledger_answers(const df_ledger *ledger)
{
    int64_t n = 0;
    for (int i = 0; i < ledger->n; i++)
        n += ledger->lines[i].n_answers;
    return n;
}
