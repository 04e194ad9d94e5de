/* Where an image is: printed, parsed and packed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dataset/place.h"

static void printed_and_parsed(void **state)
{
    (void)state;
    static const df_place places[] = {{0, 0}, {7, 12}, {99999, 999999}, {123456, 4294967295}};
    static const char *const ids[] = {"00000-000000", "00007-000012", "99999-999999",
                                      "123456-4294967295"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char id[DF_PLACE_ID_MAX];
        df_place back = {0};
        df_place_print(places[i], id);
        assert_string_equal(id, ids[i]);
        assert_true(df_place_parse(id, &back));
        assert_int_equal(back.part, places[i].part);
        assert_int_equal(back.row, places[i].row);
        back = df_place_unpack(df_place_pack(places[i]));
        assert_int_equal(back.part, places[i].part);
        assert_int_equal(back.row, places[i].row);
    }
    assert_true(df_place_pack(places[0]) < df_place_pack(places[1]));
    assert_true(df_place_pack((df_place){1, 4294967295}) < df_place_pack((df_place){2, 0}));
}

static void no_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "-",
                                      "1",
                                      "1-",
                                      "-1-2",
                                      "1--2",
                                      "1-2x",
                                      "x1-2",
                                      " 1-2",
                                      "1- 2",
                                      "1-+2",
                                      "4294967296-0",
                                      "2147483648-0",
                                      "0-4294967296",
                                      "99999999999999999999-1",
                                      "1-99999999999999999999",
                                      "boat.jpg"};
    df_place out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (df_place_parse(bad[i], &out))
            fail_msg("\"%s\" is taken for a name", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(printed_and_parsed),
                                       cmocka_unit_test(no_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
