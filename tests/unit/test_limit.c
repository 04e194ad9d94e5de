/* The limit finds what a server can do, whether the server refuses or only queues, and finds it
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>

#include "engine/openai/limit.h"

#define MS 1000000

/* A server that works on `slots` requests at once, each for 100 ms, and lets the rest wait; from
 * `refuses` on it refuses. One step is 100 ms, and the client always has more to ask. */
typedef struct {
    int slots, refuses;
} sim;

static int64_t run(df_limit *l, sim s, int64_t now, int steps)
{
    for (int i = 0; i < steps; i++) {
        const int in_flight = l->now;
        df_limit_sent(l, in_flight);
        const int64_t sent = now;
        now += 100 * MS;
        if (s.refuses && in_flight > s.refuses)
            for (int k = s.refuses; k < in_flight; k++)
                df_limit_cut(l, sent, now, false);
        for (int k = 0; k < in_flight && k < s.slots; k++)
            df_limit_fine(l, now);
    }
    return now;
}

static void test_grows_to_the_slots(void **state)
{
    (void)state;
    df_limit l;
    df_limit_init(&l, 256, 0);
    run(&l, (sim){.slots = 64}, 1, 400);
    assert_in_range(l.now, 60, 110);         /* more than the slots only queues */
}

static void test_never_above_the_most(void **state)
{
    (void)state;
    df_limit l;
    df_limit_init(&l, 20, 0);
    run(&l, (sim){.slots = 1000}, 1, 400);
    assert_int_equal(l.now, 20);
    df_limit_init(&l, 1, 0);
    run(&l, (sim){.slots = 1000}, 1, 100);
    assert_int_equal(l.now, 1);
}

static void test_a_server_with_one_slot(void **state)
{
    (void)state;
    df_limit l;
    df_limit_init(&l, 256, 0);
    run(&l, (sim){.slots = 1}, 1, 2000);
    assert_in_range(l.now, 1, 11);
}

static void test_refusals_cut_and_it_comes_back(void **state)
{
    (void)state;
    df_limit l;
    df_limit_init(&l, 256, 0);
    int64_t now = run(&l, (sim){.slots = 1000, .refuses = 30}, 1, 600);
    assert_in_range(l.now, 8, 40);
    now = run(&l, (sim){.slots = 1000, .refuses = 1}, now, 100);
    assert_in_range(l.now, 1, 3);
    run(&l, (sim){.slots = 1000}, now, 600);
    assert_in_range(l.now, 128, 256);
}

static void test_one_crowd_is_one_cut(void **state)
{
    (void)state;
    df_limit l;
    df_limit_init(&l, 8, 0);
    for (int i = 0; i < 8; i++)
        df_limit_cut(&l, 5, 10 + i, false);
    assert_int_equal(l.now, 4);
    df_limit_cut(&l, 20, 30, true);
    assert_int_equal(l.now, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_the_slots),
        cmocka_unit_test(test_never_above_the_most),
        cmocka_unit_test(test_a_server_with_one_slot),
        cmocka_unit_test(test_refusals_cut_and_it_comes_back),
        cmocka_unit_test(test_one_crowd_is_one_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
