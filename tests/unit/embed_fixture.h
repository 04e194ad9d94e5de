/* The pipeline up to `embed`, over the pictures in `in`, with the tiny encoders of
 * tests/oracle/encoders. For test_embed.c and test_imported.c. */
#ifndef DF_TESTS_EMBED_FIXTURE_H
#define DF_TESTS_EMBED_FIXTURE_H
#include "ingest_fixture.h"

#include <math.h>

#include "vector/half.h"
#include "dataset/vectors.h"
#include "pipeline/run.h"
#include "typed.h"

typedef struct {
    atomic_bool stop;
    int64_t stop_after;
} interruption;

static inline void stop_soon(void *ctx, const char *stage, int64_t done, int64_t total)
{
    interruption *i = ctx;
    (void)total;
    if (strcmp(stage, "ingest") != 0 && done == i->stop_after)
        atomic_store(&i->stop, true);
}

/* settings: "key", "value", ... NULL */
static inline df_status embed(const char *out, int threads, int64_t stop_after,
                              const char *const *settings, df_error *err)
{
    char models[512], count[16], input[512], output[512];
    df_config config;
    interruption i = {.stop_after = stop_after};
    snprintf(models, sizeof models, "%s/tests/oracle/encoders", getenv("DF_SOURCE_DIR"));
    snprintf(count, sizeof count, "%d", threads);
    snprintf(input, sizeof input, "%s", at("in"));
    snprintf(output, sizeof output, "%s", at(out));
    assert_int_equal(df_config_init(&config, df_stages, NULL), DF_OK);
    const char *const fixed[] = {"run.models",
                                 models,
                                 "run.threads",
                                 count,
                                 "ingest.part_rows",
                                 "4",
                                 "filter.min_side",
                                 "0",
                                 "filter.duplicates",
                                 "false",
                                 NULL};
    for (const char *const *s = fixed; *s; s += 2)
        assert_int_equal(df_config_set(&config, s[0], s[1], NULL), DF_OK);
    for (const char *const *s = settings; *s; s += 2)
        if (df_config_set(&config, s[0], s[1], err) != DF_OK)
            fail_msg("%s", err->message);
    const df_job job = {.input = input,
                        .out = output,
                        .to = "embed",
                        .progress = stop_soon,
                        .ctx = &i,
                        .stop = &i.stop};
    df_status status = df_job_run(&config, &job, err);
    df_config_free(&config);
    return status;
}

static inline void must_embed(const char *out, int threads, const char *const *settings)
{
    df_error err = {""};
    if (embed(out, threads, -1, settings, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static inline df_dataset *open_dataset(const char *out)
{
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, at(out), NULL), DF_OK);
    return ds;
}

/* The problem of row `row` of part 0; "" when it has a vector. */
static inline void expect_problem(const char *out, int64_t row, const char *problem)
{
    df_dataset *ds = open_dataset(out);
    df_table *t;
    assert_int_equal(df_dataset_read(ds, &df_embed_table, 0, &t, NULL), DF_OK);
    assert_int_equal(df_table_n_columns(t), 3);
    assert_int_equal(df_table_int(t, row, 0), row);
    assert_string_equal(df_table_text(t, row, 2), problem);
    df_table_close(t);
    df_dataset_close(ds);
}
#endif
