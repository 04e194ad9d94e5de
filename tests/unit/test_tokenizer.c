/* Our tokens beside those of transformers' own classes, on texts that are awkward:
 * tests/oracle/open/make_tokens.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/pool.h"
#include "model/tokenizer.h"

enum { MAX_TOKENS = 16, LINE_MAX_BYTES = 8192 };

static const char *oracle(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/oracle/open/%s", getenv("DF_SOURCE_DIR"), name);
    return path;
}

/* Without the library there is nothing to test but its message. */
static df_tokenizer *open_or_skip(const char *kind, int max_tokens)
{
    char file[64];
    df_tokenizer *t = NULL;
    df_error err = {""};
    snprintf(file, sizeof file, "%s.tokenizer.json", kind);
    df_status status = df_tokenizer_open(&t, oracle(file), max_tokens, &err);
    if (status == DF_MODEL && strstr(err.message, "run `make tokenizer`"))
        skip();
    if (status != DF_OK)
        fail_msg("%s", err.message);
    return t;
}

static void from_hex(const char *hex, char *out)
{
    size_t n = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (char)byte;
    }
    out[n] = '\0';
}

/* A text with a NUL inside can't be a C string: those lines are compared up to it by nobody, and
 * are passed over. */
static int compare_file(const df_tokenizer *t, const char *kind)
{
    char file[64], hex[LINE_MAX_BYTES], text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    snprintf(file, sizeof file, "%s.ids", kind);
    FILE *f = fopen(oracle(file), "r");
    assert_non_null(f);
    int n_texts = 0, at, n_read;
    while (fgets(line, sizeof line, f)) {
        uint32_t ids[MAX_TOKENS], want;
        int n = 0, n_want = 0;
        assert_int_equal(sscanf(line, "%8000s%n", hex, &at), 1);
        from_hex(hex, text);
        if (strlen(text) != (strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2))
            continue;
        df_status status = df_tokenizer_encode(t, text, ids, &n, NULL);
        for (; sscanf(line + at, " %u%n", &want, &n_read) == 1; at += n_read, n_want++)
            if (n_want >= n || ids[n_want] != want)
                fail_msg("%s: token %d of %s is %u, expected %u", kind, n_want, line,
                         n_want < n ? ids[n_want] : 0, want);
        assert_int_equal(status == DF_OK ? n : 0, n_want);
        n_texts++;
    }
    fclose(f);
    return n_texts;
}

static void test_ids_are_those_of_transformers(void **state)
{
    (void)state;
    static const char *const kinds[] = {"clip", "bert", "siglip"};
    for (size_t i = 0; i < 3; i++) {
        df_tokenizer *t = open_or_skip(kinds[i], MAX_TOKENS);
        assert_int_equal(compare_file(t, kinds[i]), 30);
        df_tokenizer_close(t);
    }
}

static df_status encode_one(void *ctx, int64_t item, int thread, df_error *err)
{
    uint32_t ids[MAX_TOKENS];
    char text[32];
    int n = 0;
    (void)thread;
    snprintf(text, sizeof text, "a photo of %lld dogs", (long long)(item % 7));
    DF_TRY(df_tokenizer_encode(ctx, text, ids, &n, err));
    return n > 5 && ids[0] == 1150 && ids[n - 1] == 1151
               ? DF_OK
               : df_fail(err, DF_FORMAT, "item %lld", (long long)item);
}

static void test_threads_share_it(void **state)
{
    (void)state;
    df_tokenizer *t = open_or_skip("clip", MAX_TOKENS);
    df_error err = {""};
    if (df_pool_run(4, 400, encode_one, t, &err) != DF_OK)
        fail_msg("%s", err.message);
    df_tokenizer_close(t);
}

static void test_what_is_no_tokenizer_is_refused(void **state)
{
    (void)state;
    df_tokenizer *t = open_or_skip("clip", MAX_TOKENS);
    df_error err = {""};
    uint32_t ids[MAX_TOKENS];
    int n = -1;
    char *lots = malloc(5001);
    memset(lots, 'x', 5000);
    lots[5000] = '\0';
    assert_int_equal(df_tokenizer_encode(t, lots, ids, &n, &err), DF_FORMAT);
    assert_int_equal(df_tokenizer_encode(t, "bad \xff utf-8", ids, &n, &err), DF_FORMAT);
    assert_int_equal(n, -1);
    free(lots);
    df_tokenizer_close(t);
    assert_int_equal(df_tokenizer_open(&t, oracle("clip.ids"), MAX_TOKENS, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "clip.ids: this is no tokenizer.json"));
    assert_int_equal(df_tokenizer_open(&t, oracle("none.json"), MAX_TOKENS, &err), DF_IO);
    assert_int_equal(df_tokenizer_open(&t, oracle("clip.tokenizer.json"), 0, &err), DF_CONFIG);
    assert_int_equal(df_tokenizer_open(&t, oracle("clip.tokenizer.json"), 100000, &err), DF_CONFIG);
    /* less than its own two */
    assert_int_equal(df_tokenizer_open(&t, oracle("clip.tokenizer.json"), 1, &err), DF_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_are_those_of_transformers),
        cmocka_unit_test(test_threads_share_it),
        cmocka_unit_test(test_what_is_no_tokenizer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
