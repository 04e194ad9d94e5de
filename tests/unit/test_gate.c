/* A gate never lets in more than it has room for, but for one that is larger than it all, alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdatomic.h>

#include "base/gate.h"
#include "base/pool.h"

enum { ROOM = 10, ITEMS = 4000, THREADS = 8 };
typedef struct {
    df_gate gate;
    atomic_int held, most, crowded;
} shared;

static df_status pass(void *ctx, int64_t item, int thread, df_error *err)
{
    shared *s = ctx;
    (void)thread;
    (void)err;
    const int n = item % 97 == 0 ? ROOM * 3 : 1 + (int)(item % 7);
    df_gate_take(&s->gate, n);
    const int held = atomic_fetch_add(&s->held, n) + n;
    if (held > atomic_load(&s->most) && n <= ROOM)
        atomic_store(&s->most, held);
    if (n > ROOM && held != n)
        atomic_fetch_add(&s->crowded, 1);
    atomic_fetch_sub(&s->held, n);
    df_gate_give(&s->gate, n);
    return DF_OK;
}

static void test_room(void **state)
{
    (void)state;
    shared s = {.held = 0};
    df_error err;
    assert_true(df_gate_init(&s.gate, ROOM));
    assert_int_equal(df_pool_run(THREADS, ITEMS, pass, &s, &err), DF_OK);
    assert_in_range(atomic_load(&s.most), 1, ROOM);
    assert_int_equal(atomic_load(&s.crowded), 0);
    assert_int_equal(s.gate.held, 0);
    df_gate_free(&s.gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
