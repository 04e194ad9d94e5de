/* JSON comes out as it would be written by hand, and reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "io/json.h"
#include "io/json_writer.h"

static void write_all(df_json_writer *w)
{
    df_json_begin_object(w, NULL);
    df_json_put_text(w, "text", "a \"b\"\n</script>");
    df_json_put_text(w, "none", NULL);
    df_json_begin_list(w, "list");
    df_json_put_int(w, NULL, INT64_MIN);
    df_json_put_real(w, NULL, 0.1);
    df_json_put_real(w, NULL, (double)NAN);
    df_json_begin_object(w, NULL);
    df_json_end(w);
    df_json_begin_list(w, NULL);
    df_json_put_bool(w, NULL, true);
    df_json_end(w);
    df_json_end(w);
    df_json_begin_list(w, "empty");
    df_json_end(w);
    df_json_put_bool(w, "last", false);
    df_json_end(w);
}

static void expect(df_json_writer w, const char *expected)
{
    df_str out = {0};
    df_json *root;
    df_error err = {""};
    w.out = &out;
    write_all(&w);
    assert_string_equal(df_str_text(&out), expected);
    assert_int_equal(w.depth, 0);
    if (df_json_parse(&root, out.data, out.size, "test", &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_json_count(root), 5);
    assert_string_equal(df_json_text(df_json_member(root, "text")), "a \"b\"\n</script>");
    df_json_close(root);
    df_str_free(&out);
}

static void three_layouts(void **state)
{
    (void)state;
#define TEXT "\"a \\\"b\\\"\\n\\u003c/script>\""
    expect((df_json_writer){0},
           "{\"text\": " TEXT ", \"none\": null, \"list\": [-9223372036854775808, 0.1, null, {}, "
           "[true]], \"empty\": [], \"last\": false}");
    expect((df_json_writer){.compact = true},
           "{\"text\":" TEXT ",\"none\":null,\"list\":[-9223372036854775808,0.1,null,{},[true]],"
           "\"empty\":[],\"last\":false}");
    expect((df_json_writer){.lines = 2},
           "{\n  \"text\": " TEXT ",\n  \"none\": null,\n  \"list\": [\n"
           "    -9223372036854775808,\n    0.1,\n    null,\n    {},\n    [true]\n  ],\n"
           "  \"empty\": [],\n  \"last\": false\n}");
}

/* A long list goes to a file item by item. */
static void the_string_may_be_emptied(void **state)
{
    (void)state;
    df_str out = {0}, all = {0};
    df_json_writer w = {.out = &out};
    df_json_begin_list(&w, NULL);
    for (int i = 0; i < 3; i++) {
        df_json_put_int(&w, NULL, i);
        df_str_append(&all, df_str_text(&out));
        df_str_clear(&out);
    }
    df_json_end(&w);
    df_str_append(&all, df_str_text(&out));
    assert_string_equal(df_str_text(&all), "[0, 1, 2]");
    df_str_free(&out);
    df_str_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(three_layouts),
                                       cmocka_unit_test(the_string_may_be_emptied)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
