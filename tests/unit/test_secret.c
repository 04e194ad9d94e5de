/* What an address shows, and what is hidden of a text that repeats a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "io/secret.h"

static void test_addresses(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"http://h:8000/v1", "http://h:8000/v1"},
                                           {"https://h/v1?key=abc", "https://h/v1"},
                                           {"http://h?key=abc", "http://h"},
                                           {"http://me:pass@h/v1#x", "http://h/v1"},
                                           {"http://a@b:c@h/@x", "http://h/@x"},
                                           {"me:pass@h/x?y", "h/x"},
                                           {"http://h/#a?b", "http://h/"},
                                           {"", ""},
                                           {"?k=v", ""},
                                           {"http://", "http://"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char shown[DF_URL_SHOWN];
        df_url_show(cases[i][0], strlen(cases[i][0]), shown);
        assert_string_equal(shown, cases[i][1]);
    }
    char url[5000], shown[DF_URL_SHOWN];
    memset(url, 'a', sizeof url);
    df_url_show(url, sizeof url, shown);
    assert_in_range(strlen(shown), 100, DF_URL_SHOWN - 1);
    /* no more than the bytes given */
    df_url_show("http://h?key=abc", strlen("http://h"), shown);
    assert_string_equal(shown, "http://h");
}

static void hides(const char *secret, const char *text, const char *want)
{
    char copy[200];
    snprintf(copy, sizeof copy, "%s", text);
    df_secret_hide(secret, strlen(secret), copy, strlen(copy));
    assert_string_equal(copy, want);
}

static void test_keys(void **state)
{
    (void)state;
    hides("sk-12345", "key sk-12345, sk-12345", "key ********, ********");
    hides("sk/12/345", "a sk\\/12\\/345 b", "a *********** b");
    hides("hunter2", "hunter2", "*******");
    hides("EMPTY", "EMPTY", "EMPTY");        /* what servers at home are given */
    hides("20241021", "20241021", "20241021");
    hides("", "text", "text");
    hides("abcdefgh", "", "");
}

static void hides_query(const char *url, const char *text, const char *want)
{
    char copy[200];
    snprintf(copy, sizeof copy, "%s", text);
    df_secrets_hide_query(url, copy, strlen(copy));
    assert_string_equal(copy, want);
}

static void test_queries(void **state)
{
    (void)state;
    hides_query("http://h/?key=abcd1234", "no abcd1234", "no ********");
    hides_query("http://h/?a=1&sig=ab%2Fcd1234&b=2#abcdefgh", "ab%2Fcd1234 ab/cd1234 abcdefgh",
                "*********** ********* abcdefgh");
    hides_query("http://h/?model=gpt-4o-mini&api-version=2024-10-21", "gpt-4o-mini 2024-10-21",
                "gpt-4o-mini 2024-10-21");
    hides_query("http://h/?abcd1234", "abcd1234", "********");
    hides_query("http://h/?key=%", "%", "%");
    hides_query("http://h/?key=abcdefg%4", "abcdefg%4", "*********");
    hides_query("http://h/?&&==&key", "key", "key");
    hides_query("http://h/", "h", "h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses),
                                       cmocka_unit_test(test_keys), cmocka_unit_test(test_queries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
