/* How many captions of the paper's length are judged a second on one core (to reach: 20,000): CSV
 * on stdout. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "judge/verdict.h"

enum { BOXES = 24 };
static const int rounds = 20000;
static const char caption[] =
    "In the foreground of a busy street two people, one in a dark blue jacket and one in a red "
    "coat, walk past a "
    "parked bicycle "
    "whose front wheel is turned to the left. Behind them a white bus with the number \"42\" and "
    "the words \"CITY "
    "CENTRE\" fills the "
    "middle of the frame; its windows reflect the grey facades on the other side. A traffic light "
    "above the bus "
    "shows green. To the "
    "right stands a bench made of light brown wood, with a black handbag on it, and next to the "
    "bench a dog with "
    "short brown fur "
    "looks towards the road. The pavement is made of large pale stones, some of them wet, and runs "
    "from the lower "
    "left corner to the "
    "right edge. In the upper part of the picture the sky is light grey and even. Three cars are "
    "lined up behind the "
    "bus, the "
    "nearest of them dark green, the other two silver. A sign at the upper left reads \"BAKERY\" "
    "in large white "
    "letters on a dark "
    "red ground, and a smaller sign below it reads \"open daily\". The buildings have four floors.";

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    static const char *const labels[] = {"person", "bus",     "bicycle", "traffic light",
                                         "bench",  "handbag", "dog",     "car"};
    df_box boxes[BOXES] = {{0}};
    for (int i = 0; i < BOXES; i++)
        boxes[i] = (df_box){.label = labels[i % 8],
                            .source = "bench",
                            .score = 0.8,
                            .x0 = 10.0 * i,
                            .y0 = 10,
                            .x1 = 10.0 * i + 80,
                            .y1 = 200,
                            .item = i};
    df_line lines[] = {{.text = "42"},
                       {.text = "CITY CENTRE", .item = 1},
                       {.text = "BAKERY", .item = 2},
                       {.text = "open daily", .item = 3}};
    df_limits limits = df_limits_default;
    limits.language = (char *)"en";
    df_tag tags[] = {{"street", 0.8, 0, "bench"}, {"bus", 0.7, 1, "bench"}};
    df_evidence ev = {.path = "bench",
                      .alt_text = "A busy street",
                      .width = 640,
                      .height = 480,
                      .tags = tags,
                      .n_tags = 2,
                      .boxes = boxes,
                      .n_boxes = BOXES,
                      .lines = lines,
                      .n_lines = 4};
    df_nouns *nouns;
    df_arena arena = {0};
    df_verdict v = {0};
    if (df_nouns_open(&nouns, NULL) != DF_OK)
        return 1;
    double start = seconds();
    for (int i = 0; i < rounds; i++) {
        df_arena_reset(&arena);
        if (df_verdict_make(nouns, &(df_written){.text = caption, .finish = "stop"}, &ev, &limits,
                            &arena, &v, NULL) != DF_OK)
            return 1;
    }
    double s = seconds() - start;
    printf("case,n,words,cpu_seconds,captions_per_core_second\ncheck,%d,%d,%.3f,%.0f\n", rounds,
           v.words, s, rounds / s);
    fprintf(stderr, "%s %s\n", v.pass ? "pass" : "fail", v.detail);
    df_arena_reset(&arena);
    df_nouns_close(nouns);
    return 0;
}
