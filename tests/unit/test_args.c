/* cli/args.c when memory ends: whichever allocation fails, one line says so, and the exit code
 * is 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int allocations_left;

static void *scarce_calloc(size_t n, size_t size)
{
    return allocations_left-- > 0 ? calloc(n, size) : NULL;
}

static void *scarce_realloc(void *old, size_t size)
{
    return allocations_left-- > 0 ? realloc(old, size) : NULL;
}

#define calloc scarce_calloc
#define realloc scarce_realloc
#include "base/str.c"
#include "cli/put.c"
#include "cli/args.c"
#undef calloc
#undef realloc

/* Parses with `n` allocations; what was said is in `said`. */
static int parse_with(int n, char said[500])
{
    static char *words[] = {
        "in", "-o",    "out", "--parts", "0-3", "-j", "2", "--min-side=3", "--filter.max_aspect",
        "4",  "c.yaml"};
    args a;
    FILE *file = tmpfile();
    fflush(stderr);
    const int kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    allocations_left = n;
    const unsigned accepts = FLAG_OUT | FLAG_PARTS | FLAG_JOBS | FLAG_SETTINGS;
    const int code = args_parse(&a, sizeof words / sizeof *words, words, accepts, "filter");
    allocations_left = 1000;
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    said[fread(said, 1, 499, file)] = '\0';
    fclose(file);
    if (code == EXIT_DONE) {
        assert_int_equal(a.n_parts, 4);
        assert_int_equal(a.n_settings, 3);
        assert_string_equal(a.settings[1].key, "filter.min_side");
        assert_string_equal(a.config, "c.yaml");
    }
    args_free(&a);
    return code;
}

static void no_memory_is_said(void **state)
{
    char said[500];
    int n = 0;
    (void)state;
    for (int code = EXIT_FAILED; code != EXIT_DONE; n++) {
        code = parse_with(n, said);
        if (code != EXIT_DONE) {
            assert_int_equal(code, EXIT_FAILED);
            assert_string_equal(said, "densefusion: out of memory\n");
        }
    }
    assert_string_equal(said, "");
    /* the words, the parts, three settings and their names */
    assert_int_equal(n, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_memory_is_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
