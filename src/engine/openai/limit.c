#include "engine/openai/limit.h"

enum { START = 8, HOLD = 8 };
#define WINDOW_NS 200000000                  /* a shorter one measures noise */
/* What a try must gain: doubling a fifth, a small step a twentieth. */
#define DOUBLING_GAIN 1.2
#define STEP_GAIN 1.05

void df_limit_init(df_limit *l, int max, int64_t now_ns)
{
    const int start = max < START ? max : START;
    *l = (df_limit){.now = start,
                    .known = start,
                    .max = max,
                    .since_ns = now_ns,
                    .held = HOLD - 1,
                    .doubling = true};
}

void df_limit_sent(df_limit *l, int in_flight)
{
    l->full |= in_flight >= l->now;
}

static void try_more(df_limit *l)
{
    const int step = l->doubling ? l->now : l->now / 4 + 1;
    l->known = l->now;
    l->now = step < l->max - l->now ? l->now + step : l->max;
    l->trying = l->now > l->known;
    l->held = 0;
}

static void judge(df_limit *l, double rate)
{
    if (l->trying && rate <= l->known_rate * (l->doubling ? DOUBLING_GAIN : STEP_GAIN)) {
        l->now = l->known;
        l->trying = l->doubling = false;
        return;
    }
    l->known_rate = rate;
    if (l->trying || ++l->held >= HOLD)
        try_more(l);
}

void df_limit_fine(df_limit *l, int64_t now_ns)
{
    l->done++;
    const int64_t ns = now_ns - l->since_ns;
    if (l->done < 2 * (int64_t)l->now || ns < WINDOW_NS)
        return;
    if (l->full)                             /* else the limit is not what held us back */
        judge(l, (double)l->done / (double)ns);
    l->since_ns = now_ns;
    l->done = 0;
    l->full = false;
}

void df_limit_cut(df_limit *l, int64_t sent_ns, int64_t now_ns, bool to_one)
{
    if (sent_ns < l->cut_ns)
        return;
    l->now = to_one || l->now < 2 ? 1 : l->now / 2;
    l->known = l->now;
    l->trying = false;
    l->doubling = to_one;
    l->held = HOLD - 1;
    l->cut_ns = l->since_ns = now_ns;
    l->done = 0;
    l->full = false;
}
